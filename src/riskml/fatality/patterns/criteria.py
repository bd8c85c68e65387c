"""Who writes, changes, approves and rejects critical patterns: every decision is a version of the file."""

import yaml

from riskml.errors import RiskmlError
from riskml.fatality.patterns.critical_file import read_document, written
from riskml.fatality.patterns.proposals import label_of, members_of
from riskml.messages import LANGUAGES, message
from riskml.review.checklist import LONGEST_REASON, SHORTEST_REASON
from riskml.review.statements import check_code, check_text
from riskml.validation.intervals import share_in_words
from riskml.vocabulary import did_you_mean

__all__ = ["Criteria", "condition_given"]

APPROVALS = 2  # people with different roles
_NEW = 5  # proposals written beforehand that may wait at a time (EVIDENCE 6.5)


def condition_given(text):
    """A condition as a user wrote it: dict as `models/critical.yml` has it.

    Parameters
    ----------
    text : str    YAML such as `{all_of: [separation, stalking]}`, or codes with commas: all of them

    Raises
    ------
    RiskmlError    neither
    """
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        value = None
    if isinstance(value, str):
        value = [code.strip() for code in value.split(",")]
    if isinstance(value, list):
        value = {"all_of": value}
    if not isinstance(value, dict):
        raise RiskmlError(
            "not a condition",
            where="--when",
            mend='Write "separation, stalking" (all of them) or YAML such as "{at_least: 2, of: [a, b, c]}".',
        )
    return value


class Criteria:
    """The file of critical patterns and who is changing it.

    Parameters
    ----------
    path : path of `models/critical.yml`
    catalogue : Catalogue    that the patterns have to load with
    by : str                 code of who decides, such as FGJ-07; never a name
    today : date
    language : str           of what the change log says

    Raises
    ------
    RiskmlError    not a code; the file does not read
    """

    def __init__(self, path, catalogue, *, by, today, language="es"):
        self.path, self.catalogue, self.language = path, catalogue, language
        self.by, self.today = check_code(by, where="--by"), f"{today:%Y-%m-%d}"
        self.document, self._read = read_document(path)

    def add(self, name, *, when, label=None, relationships=(), evidence=(), defined_in=None):
        """Write a pattern of the team's own as a proposal: CriticalPatterns.

        Parameters
        ----------
        name : str                   its id
        when : dict                  its condition
        label : dict or None         words in es and en; None: of its factors' labels
        relationships : sequence     to whom it applies; empty: all
        evidence : list of dict      study, effect, tag
        defined_in : str or None     content hash of the reviews that its authors had read; None: it is
            pre-specified, of which at most five may wait at a time

        Raises
        ------
        RiskmlError    the id is taken, five pre-specified proposals wait, or the file would not load
        """
        if name in self.document["patterns"]:
            raise self._refused(name, "stands written already", "`riskml fatality criteria edit` changes it.")
        if defined_in is None and len(self._waiting()) >= _NEW:
            raise self._refused(
                name,
                f"would be one more than {_NEW} proposals written beforehand",
                f"Decide first on one of: {', '.join(self._waiting())}. More looks find more by chance.",
            )
        pattern = {"label": label or self._label(when), "when": when, "status": "proposed"}
        if relationships:
            pattern["relationships"] = list(relationships)
        if evidence:
            pattern["evidence"] = list(evidence)
        if defined_in is not None:
            pattern["defined_in"] = [defined_in]
        kind = "added_prespecified" if defined_in is None else "added_after_review"
        return self._written(name, pattern, kind, reviews=(defined_in or "")[:12])

    def add_proposal(self, name, proposals):
        """Write a pattern of a proposal with its evidence; of one that stands written, the evidence alone.

        Parameters
        ----------
        name : str          the id of a row
        proposals : dict    of `propose`

        Returns
        -------
        CriticalPatterns

        Raises
        ------
        RiskmlError    no such row, a pattern that was rejected, one of which no case may be counted, or
            simulated reviews beside a real registry

        Notes
        -----
        What is kept as n of N reviewed cases are never cases that defined the pattern: of one that the search
        found, those that it caught without having seen them.
        """
        row = next((r for r in proposals["rows"] if r["id"] == name), None)
        if row is None:
            known = [r["id"] for r in proposals["rows"]]
            raise RiskmlError(
                f'no proposal "{name}"',
                where="patterns.json",
                mend=did_you_mean(name, known) or "`riskml fatality criteria propose` lists them.",
            )
        if proposals["synthetic"] and not proposals["synthetic_history"]:
            raise self._refused(
                name, "was judged on simulated reviews", "They stand behind no pattern of a real registry."
            )
        searched = row["origin"] == "searched"
        pattern = dict(self.document["patterns"].get(name, {}))
        if pattern and (searched or pattern["status"] == "rejected"):
            raise self._refused(
                name,
                f"stands written already ({pattern['status']})",
                "`riskml fatality criteria edit` proposes it anew.",
            )
        if pattern and pattern["when"] != row["when"]:
            raise self._refused(
                name, "was changed since it was judged", "`riskml fatality criteria propose` judges it anew."
            )
        counted = row["left_out"]
        if not searched and not counted["of"]:
            raise self._refused(
                name, "has no case to be judged on: they all defined it", "New reviewed cases will tell."
            )
        if not pattern:
            pattern = {key: row[key] for key in ("label", "when")} | {"status": "proposed"}
            pattern["defined_in"] = [proposals["reviews"]]
        pattern["cases"] = {"caught": counted["n"], "of": counted["of"]}
        finding = self._finding(row, proposals)
        kept = [e for e in pattern.get("evidence", ()) if e["study"] != finding["study"]]
        pattern["evidence"] = [*kept, finding]
        kind = "added_searched" if searched else "evidence_added"
        return self._written(name, pattern, kind, reviews=proposals["reviews"][:12])

    def edit(self, name, *, when=None, label=None, defined_in=None):
        """Change a pattern's condition or words: CriticalPatterns.

        A new condition is a new proposal: approvals and what was counted of the old one fall away (the former
        version keeps them), and it is never validated on the reviews that its authors had read.

        Parameters
        ----------
        name : str
        when : dict or None
        label : dict or None        language -> words, one or both
        defined_in : str or None    content hash of the reviews that had been read; None: none were
        """
        pattern = dict(self._pattern(name))
        if when is None and not label:
            raise self._refused(name, "would stay as it is", "Give --when, --label-es or --label-en.")
        if when is not None:
            for key in ("approved_by", "rejected_by", "reasons", "cases"):
                pattern.pop(key, None)
            pattern |= {"when": when, "status": "proposed"}
            kept = [e for e in pattern.pop("evidence", []) if e["tag"] != "D"]
            pattern |= {"evidence": kept} if kept else {}
            if defined_in is not None:
                pattern["defined_in"] = list(dict.fromkeys([*pattern.get("defined_in", ()), defined_in]))
        words = label or {}
        if set(words) != set(LANGUAGES):
            words = (pattern["label"] if when is None else self._label(when)) | words
        pattern["label"] = words
        return self._written(name, pattern, "condition_edited" if when is not None else "label_edited")

    def approve(self, name, *, role, reason, checklist):
        """Approve a pattern: the first approval waits for a second, by another person with another role.

        Parameters
        ----------
        name : str
        role : str             of the checklist
        reason : str
        checklist : Checklist

        Returns
        -------
        CriticalPatterns

        Raises
        ------
        RiskmlError    it is not proposed; the person or the role has approved it already; nothing outside the
            cases that defined it supports it; a reason that is too short or tells of a person
        """
        pattern = dict(self._pattern(name))
        if pattern["status"] != "proposed":
            raise self._refused(
                name,
                f"is {pattern['status']}: there is nothing to approve",
                "`riskml fatality criteria edit` proposes it anew, with another condition.",
            )
        self._check_support(name, pattern)
        given = pattern.get("approved_by", [])
        for key, value in (("by", self.by), ("role", checklist.check_role(role))):
            if value in [approval[key] for approval in given]:
                raise self._refused(
                    name,
                    f"was approved by {value} already",
                    "It takes two people with different roles.",
                )
        approval = self._decision(role, reason)
        pattern["approved_by"] = given = [*given, approval]
        if len(given) < APPROVALS:
            return self._written(name, pattern, "approved_first", role=role)
        pattern["status"] = "approved"
        pattern["reasons"] = " | ".join(f"{a['by']}: {a.get('reason', '-')}" for a in given)
        return self._written(name, pattern, "approved", role=role)

    def reject(self, name, *, role, reason, checklist):
        """Reject a pattern, or withdraw its approval; one is enough: CriticalPatterns."""
        pattern = dict(self._pattern(name))
        if pattern["status"] == "rejected":
            raise self._refused(
                name, "is rejected already", "`riskml fatality criteria show` gives the reasons."
            )
        decision = self._decision(checklist.check_role(role), reason)
        pattern |= {"status": "rejected", "rejected_by": decision, "reasons": decision["reason"]}
        return self._written(name, pattern, "rejected", role=role)

    def _check_support(self, name, pattern):
        """Refuse what only the cases that defined it speak for."""
        tags = [finding["tag"] for finding in pattern.get("evidence", ())]
        cases = pattern.get("cases")
        literature = any(tag.startswith("S:") for tag in tags)
        derived = "D" in tags and not pattern.get("defined_in")
        if literature or derived or (cases and cases["caught"]):
            return
        counted = "no case was counted"
        if cases:
            counted = f"left out, it caught {share_in_words(cases['caught'], cases['of'], language='en')}"
        raise self._refused(
            name,
            f"has nothing behind it but the cases that defined it ({counted})",
            "Approval takes evidence tagged S:n, or cases caught that did not define it.",
        )

    def _decision(self, role, reason):
        text = " ".join((reason or "").split())
        if not SHORTEST_REASON <= len(text) <= LONGEST_REASON:
            raise RiskmlError(
                f"a reason of {len(text)} characters: {SHORTEST_REASON} to {LONGEST_REASON} are expected",
                where="--reason",
                mend="Say in a sentence or two what was looked at and what follows.",
            )
        return {
            "role": role,
            "by": self.by,
            "date": self.today,
            "reason": check_text(text, where="--reason"),
        }

    def _finding(self, row, proposals):
        fields = {
            "caught": share_in_words(row["caught"]["n"], row["caught"]["of"], language=self.language),
            "left_out": share_in_words(row["left_out"]["n"], row["left_out"]["of"], language=self.language),
            "flagged": f"{row['living']['flagged']}/{row['living']['of']}",
            "searched": proposals["searched"],
        }
        key = "finding_searched" if row["origin"] == "searched" else "finding_prespecified"
        study = "study_synthetic" if proposals["synthetic"] else "study"
        return {
            "study": message(f"fatality_criteria.{study}", self.language, reviews=proposals["reviews"][:12]),
            "effect": message(f"fatality_criteria.{key}", self.language, **fields),
            "tag": "D",
        }

    def _waiting(self):
        """Proposals that nobody had read a case for."""
        return [
            name
            for name, pattern in self.document["patterns"].items()
            if pattern["status"] == "proposed" and "defined_in" not in pattern
        ]

    def _label(self, when):
        members, known = members_of(when), self.catalogue.factors
        if not members or not all(isinstance(m, str) and m in known for m in members):
            raise RiskmlError(
                "the words of this condition cannot be made of its factors' labels",
                where="--label-es, --label-en",
                mend="Give both, and check the factors' codes: `riskml features list` has them.",
            )
        return label_of(when, known)

    def _pattern(self, name):
        known = self.document["patterns"]
        if name not in known:
            mend = did_you_mean(name, known) or f"There are: {', '.join(known) or 'none'}."
            raise RiskmlError(f'no critical pattern "{name}"', where="models/critical.yml", mend=mend)
        return known[name]

    def _refused(self, name, said, mend):
        return RiskmlError(f'pattern "{name}" {said}', where="models/critical.yml", mend=mend)

    def _written(self, name, pattern, what, **fields):
        change = {
            "date": self.today,
            "by": self.by,
            "change": message(f"fatality_criteria.change_{what}", self.language, name=name, **fields),
        }
        document = self.document | {"patterns": self.document["patterns"] | {name: pattern}}
        return written(self.path, document, change, read=self._read, catalogue=self.catalogue)
