"""Rendering: Jinja2 templates of the workspace, every value escaped, one self-contained file per report."""

import base64
import io
import os
import tempfile
from pathlib import Path

import jinja2
from markupsafe import Markup

from riskml.errors import RiskmlError
from riskml.messages import check_language, message

__all__ = ["figure_image", "render", "write_report"]

_CSS_INCH = 96  # pixels of a page's inch


def figure_image(figure, alternative, *, scale=None):
    """A matplotlib figure as an image that stands inside the page.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    alternative : str    what the figure shows, for those who do not see it
    scale : float or None    size on the page, relative to the figure's own inches; None: as wide as its place

    Returns
    -------
    Markup    an `img` element with the picture as PNG in its address
    """
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=144)
    wide = figure.get_size_inches()[0]
    picture = base64.b64encode(buffer.getvalue()).decode("ascii")
    width = Markup("") if scale is None else Markup(' width="{}"').format(round(_CSS_INCH * scale * wide))
    return Markup('<img alt="{}"{} src="data:image/png;base64,{}">').format(
        alternative, width, Markup(picture)
    )


def render(folder, template, language="es", *, room="reports", **context):
    """Fill in one template.

    Parameters
    ----------
    folder : path          the workspace's `reports/`
    template : str         file name below it
    language : str         "es" or "en"
    room : str             `t(name)` in the template is the message `<room>.<name>`
    context                what the template shows; every value is escaped, missing ones are an error

    Returns
    -------
    str    HTML

    Raises
    ------
    RiskmlError    no such template, or it is not valid
    """
    check_language(language)

    def t(name, **fields):
        return message(f"{room}.{name}", language, **fields)

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    try:
        return environment.get_template(template).render(t=t, language=language, **context)
    except jinja2.TemplateNotFound as error:
        raise RiskmlError(
            f'no template "{error.name}"',
            where=str(folder),
            mend="`riskml init DIR` makes a workspace that has it.",
        ) from None
    except jinja2.TemplateError as error:
        line = getattr(error, "lineno", None)
        raise RiskmlError(
            f"the template does not render ({type(error).__name__})",
            where=f"{Path(folder) / template}" + (f", line {line}" if line else ""),
            mend="Undo the last change to it, or take the one of a new workspace.",
        ) from None


def write_report(path, html, *, private=False):
    """Write a report in one step: a reader sees the old page or the new one. Returns its path.

    Parameters
    ----------
    path : path
    html : str
    private : bool    others on the machine do not read it: single cases stand in it
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(dir=path.parent, suffix=".partial")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(html)
        os.chmod(partial, 0o600 if private else 0o644)
        os.replace(partial, path)
    finally:
        Path(partial).unlink(missing_ok=True)
    return path
