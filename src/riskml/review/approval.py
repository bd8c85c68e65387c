"""Whether a model version may write second opinions on a day: asked before every write-back."""

from pathlib import Path

from sqlalchemy import make_url

from riskml.errors import RiskmlError
from riskml.review.index import champion_statement
from riskml.review.ledger import open_ledger
from riskml.review.rules import standing

__all__ = ["champion_version", "require_approved"]


def champion_version(settings, name):
    """The version of a model that is in use, by its statements: str, or None where none is.

    Parameters
    ----------
    settings : Settings
    name : str    of the model

    Raises
    ------
    RiskmlError    MLflow cannot be reached, or the statements were changed
    """
    champion = champion_statement(_statements(settings, name))
    return champion.version if champion else None


def require_approved(settings, model, today=None):
    """Refuse a model whose version is not approved, or no longer.

    The statements are believed, not the tags and the alias that repeat them; a broken chain approves nothing.

    Parameters
    ----------
    settings : Settings
    model : Model or list of Model    as loaded: the very files are compared with those reviewed
    today : date or None    None: today in the workspace's timezone

    Raises
    ------
    RiskmlError    not reviewed, under review, rejected, expired, not what was reviewed, approved by synthetic
        reviewers though trained on a real registry, or MLflow cannot be asked
    """
    today = today or settings.now().date()
    for one in model if isinstance(model, list | tuple) else [model]:
        statements = _statements(settings, one.name)
        _check(one, standing(statements, one.version), statements, today)


def _statements(settings, name):
    """The statements on a model, in order; a local store that is not there holds none and is not made."""
    if (
        settings.mlflow_uri.startswith("sqlite:")
        and not Path(make_url(settings.mlflow_uri).database).is_file()
    ):
        return []
    with open_ledger(settings, name) as ledger:
        return ledger.statements()


def _check(model, now, statements, today):
    if now.in_force(today):
        opening = next(s for s in statements if s.number == now.approval.review)
        if opening.bundle != model.digests:
            raise _refused(
                model,
                "is not the bundle that was reviewed",
                "`riskml review verify` says which file differs.",
            )
        if now.approval.synthetic and not model.card.get("history", {}).get("synthetic"):
            raise _refused(
                model, "was approved by synthetic reviewers only", "Two people have to approve it."
            )
        return
    name = f"{model.name}@{model.version}"
    opens = f"`riskml review open {name}` opens {{}} review, which two people with different roles approve."
    if now.approval is not None:
        said, mend = f"was approved until {now.approval.expires_on}", opens.format("a new")
    elif now.status == "rejected":
        said = f"was rejected (statement {now.rejection.number})"
        mend = f"`riskml review show {model.name}` gives the reasons. " + opens.format("another")
    elif now.status == "open":
        said, mend = "is still under review", f"`riskml review show {model.name}` says what is missing."
    else:
        said, mend = "has not been reviewed", opens.format("a")
    raise _refused(model, said, mend)


def _refused(model, said, mend):
    return RiskmlError(
        f"version {model.version} {said}: it writes no second opinions",
        where=f'model "{model.name}"',
        mend=f"{mend} --dry-run shows them without writing; --model names the models that write.",
    )
