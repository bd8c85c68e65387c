"""The review's rules that the Task Force sets: `models/review.yml`."""

import hashlib
from importlib.resources import files
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from riskml.documents import read_documents
from riskml.errors import RiskmlError
from riskml.vocabulary import did_you_mean

__all__ = ["Checklist", "Section", "load_checklist", "read_reasons"]

FILE = "review.yml"
SECTIONS = ("data", "outcome", "predictors", "validation", "fairness", "use")
LONGEST_REASON = 3000  # characters: MLflow keeps up to 6,000 of a parameter
SHORTEST_REASON = 15

Words = Annotated[str, Field(min_length=1)]


class Labels(BaseModel):
    """A text in both languages."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    es: Words
    en: Words

    def __getitem__(self, language):
        return getattr(self, language)


class Section(BaseModel):
    """One section of the checklist: what a reviewer gives a reason on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: Labels
    questions: Annotated[tuple[Labels, ...], Field(min_length=1)]


class Checklist(BaseModel):
    """How a version is reviewed.

    Attributes
    ----------
    months : int       an approval holds for this long
    approvals : int    people with different roles who must approve, at least 2
    roles : dict of code -> Labels
    sections : dict of code -> Section    data, outcome, predictors, validation, fairness, use
    text : str         of the file, as it is attached to a review
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    months: Annotated[int, Field(ge=1, le=60)]
    approvals: Annotated[int, Field(ge=2, le=10)]
    roles: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,39}$")], Labels]
    sections: dict[str, Section]
    text: str = Field(default="", exclude=True)

    @property
    def hash(self):
        """sha256 of the file's text, 64 hexadecimal digits."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def check_role(self, role):
        """The role, or RiskmlError where the checklist knows no such role."""
        if role not in self.roles:
            raise RiskmlError(
                f'unknown role "{role}"',
                where="--role",
                mend=f"{did_you_mean(role, self.roles)} Known: {', '.join(self.roles)}.".strip(),
            )
        return role

    def check_reasons(self, reasons, *, every):
        """Reasons by section, trimmed: dict of section -> str, in the checklist's order.

        Parameters
        ----------
        reasons : dict of section -> str
        every : bool    a reason is needed on every section (an approval); False: on one at least

        Raises
        ------
        RiskmlError    an unknown section, a section without a reason, or a reason too short or too long
        """
        given = {name: " ".join(str(text).split()) for name, text in reasons.items() if text}
        for name in reasons:
            if name not in self.sections:
                known = ", ".join(self.sections)
                near = did_you_mean(name, self.sections)
                raise RiskmlError(
                    f'unknown section "{name}"', where="reasons", mend=near or f"Known: {known}."
                )
        lacking = [name for name in self.sections if not given.get(name)]
        if lacking and (every or len(lacking) == len(self.sections)):
            raise RiskmlError(
                f"no reason is given on: {', '.join(lacking)}",
                where="reasons",
                mend='Give one on each with --reason "data=...", or in a file: `riskml review form NAME`.',
            )
        for name, text in given.items():
            if not SHORTEST_REASON <= len(text) <= LONGEST_REASON:
                raise RiskmlError(
                    f"a reason of {len(text)} characters: {SHORTEST_REASON} to {LONGEST_REASON} are expected",
                    where=f"reasons, {name}",
                    mend="Say in a sentence or two what was looked at and what follows.",
                )
        return {name: given[name] for name in self.sections if name in given}

    def form(self, language):
        """An empty form in YAML, with the questions as comments: str. `read_reasons` reads it filled in."""
        lines = []
        for name, section in self.sections.items():
            lines.append(f"# {section.label[language]}")
            lines += [f"#   {question[language]}" for question in section.questions]
            lines += [f"{name}: >-", "  ", ""]
        return "\n".join(lines)


def _shipped():
    packaged = files("riskml") / "_workspace" / "models" / FILE
    return Path(str(packaged)) if packaged.is_file() else Path(__file__).parents[3] / "models" / FILE


def load_checklist(folder):
    """Read `review.yml` of a folder of model files; riskml's own where there is none.

    Parameters
    ----------
    folder : path    `models/` of a workspace

    Returns
    -------
    Checklist

    Raises
    ------
    RiskmlError    file and line: not YAML, an unknown key, a section missing, fewer than two roles
    """
    path = Path(folder) / FILE
    path = path if path.is_file() else _shipped()
    documents = read_documents(path)
    value = documents[0].value if documents else None
    if not isinstance(value, dict):
        raise RiskmlError("months, approvals, roles and sections are expected", where=str(path))

    def problem(what, *at, mend=""):
        return RiskmlError(what, where=f"{path}, line {documents[0].line(*at)}", mend=mend)

    for line, key in documents[0].repeated:
        raise RiskmlError(f'"{key}" stands twice', where=f"{path}, line {line}")
    try:
        found = Checklist.model_validate(value).model_copy(update={"text": path.read_text(encoding="utf-8")})
    except ValidationError as error:
        # A misspelt key is also a missing one: the first says where to mend it.
        first = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
        named = ", ".join(str(part) for part in first["loc"])
        raise problem(f"{named}: {first['msg']}", *first["loc"]) from None
    if set(found.sections) != set(SECTIONS):
        odd = ", ".join(sorted(set(found.sections) ^ set(SECTIONS)))
        raise problem(f"sections: {odd}", "sections", mend=f"There are six: {', '.join(SECTIONS)}.")
    if len(found.roles) < found.approvals:
        raise problem(
            f"{len(found.roles)} roles for {found.approvals} approvals",
            "roles",
            mend="Each approval has to come from another role.",
        )
    return found


def read_reasons(path):
    """Read a form that was filled in: dict of section -> str.

    Raises
    ------
    RiskmlError    no such file, or not sections with a text each
    """
    documents = read_documents(path)
    value = documents[0].value if documents else None
    if not isinstance(value, dict) or not all(isinstance(text, str | None) for text in value.values()):
        raise RiskmlError(
            "sections with a text each are expected",
            where=str(path),
            mend="`riskml review form NAME` prints an empty form.",
        )
    return {name: text or "" for name, text in value.items()}
