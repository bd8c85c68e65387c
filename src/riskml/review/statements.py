"""One statement of a review, and the chain that statements form: each holds the hash of the one before it."""

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import date

from riskml.errors import RiskmlError

__all__ = ["BEGINNING", "KINDS", "Statement", "chain_faults", "check_code", "check_text", "statement_hash"]

BEGINNING = "0" * 64  # what the first statement has for the hash of the one before it
KINDS = ("open", "approve", "reject")

_CODE = re.compile(r"(?=.*\d)[A-Z][A-Z0-9]*(-[A-Z0-9]+)*")
_TELLING = re.compile(r"\S@\S|\d{7,}|\b\d{2,3}[ .-]\d{3,4}[ .-]\d{4}\b|\b[0-9a-f]{20,}\b")


def statement_hash(number, previous, content):
    """sha256 over the previous hash and the canonical JSON of what is said: 64 hexadecimal digits.

    Parameters
    ----------
    number : int       place in the chain, from 1
    previous : str     hash of the statement before it; BEGINNING for the first
    content : dict of str -> str
    """
    document = {"number": number, "previous": previous, "content": content}
    text = json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True)
class Statement:
    """What one person said of one model version.

    Attributes
    ----------
    number : int        place in the chain of its model, from 1
    previous : str      hash of the statement before it
    content : dict of str -> str
        kind (open, approve, reject), model, version (of the bundle), mlflow_version, review (number of the
        opening statement), person (a code), said_at (UTC), synthetic, title, description (sha256 of the text
        that MLflow shows). Of an opening: trained_by, training_run, months, approvals, `bundle/<file>` and
        `attached/<file>` (sha256). Of the others: role, `reason/<section>`; approved_on and expires_on where
        this approval is the last one needed.
    hash : str          as it was stored
    """

    number: int
    previous: str
    content: dict
    hash: str

    @property
    def kind(self):
        """open, approve or reject: str."""
        return self.content.get("kind", "")

    @property
    def model(self):
        """Name of the model that it is on, str."""
        return self.content.get("model", "")

    @property
    def version(self):
        """Version of the bundle that it is on, str."""
        return self.content.get("version", "")

    @property
    def person(self):
        """Code of who said it, str."""
        return self.content.get("person", "")

    @property
    def said_at(self):
        """When it was said: UTC, str."""
        return self.content.get("said_at", "")

    @property
    def role(self):
        """Role of a reviewer, str; empty on an opening."""
        return self.content.get("role", "")

    @property
    def review(self):
        """Number of the statement that opened the review, int; 0 where it does not read."""
        text = self.content.get("review", "")
        return int(text) if text.isascii() and text.isdigit() else 0

    @property
    def synthetic(self):
        """Whether it was said by nobody, on a synthetic registry: bool."""
        return self.content.get("synthetic") == "true"

    @property
    def expires_on(self):
        """The day from which an approval that this statement completed no longer holds: date or None."""
        try:
            return date.fromisoformat(self.content["expires_on"])
        except (KeyError, ValueError):
            return None

    @property
    def reasons(self):
        """Reasons by section: dict of str -> str."""
        return self._part("reason/")

    @property
    def bundle(self):
        """sha256 of the bundle's files, on an opening: dict of file -> str."""
        return self._part("bundle/")

    @property
    def attached(self):
        """sha256 of the attached files, on an opening: dict of path -> str."""
        return self._part("attached/")

    def _part(self, prefix):
        return {
            key.removeprefix(prefix): value for key, value in self.content.items() if key.startswith(prefix)
        }

    @property
    def computed_hash(self):
        """The hash that its content gives, str."""
        return statement_hash(self.number, self.previous, self.content)


def chain_faults(statements):
    """What is wrong with a chain: list of (number, fault), in order; empty where it is whole.

    Faults: `missing`, `forked` (two of one number), `changed` (its content does not give its hash),
    `unlinked` (it does not follow the one before it). What was cut off at the end cannot be seen here: the
    head tells.

    Parameters
    ----------
    statements : list of Statement, in any order
    """
    ordered = sorted(statements, key=lambda s: s.number)
    faults, expected, previous = [], 1, BEGINNING
    for statement in ordered:
        if statement.number < expected:
            faults.append((statement.number, "forked"))
            continue
        faults += [(number, "missing") for number in range(expected, statement.number)]
        if statement.computed_hash != statement.hash:
            faults.append((statement.number, "changed"))
        if statement.number == expected and statement.previous != previous:
            faults.append((statement.number, "unlinked"))
        expected, previous = statement.number + 1, statement.hash
    return faults


def check_code(code, *, where):
    """A person's code, or RiskmlError: MLflow holds codes, never names.

    Parameters
    ----------
    code : str     capital letters and digits in parts, at least one digit: FGJ-07
    where : str    the option that it was given with
    """
    if len(code) > 20 or not _CODE.fullmatch(code):
        raise RiskmlError(
            "not a reviewer's code",
            where=where,
            mend="Write a code such as FGJ-07: capital letters, hyphens and at least one digit, never a "
            "personal name. Who stands behind a code is kept outside riskml.",
        )
    return code


def check_text(text, *, where):
    """A reason, or RiskmlError where it seems to hold an address, a long number or a pseudonym."""
    if _TELLING.search(text):
        raise RiskmlError(
            "holds what looks like an address, a telephone or file number, or a case's pseudonym",
            where=where,
            mend="Reasons speak of the model, never of a person or a case: leave it out.",
        )
    return text
