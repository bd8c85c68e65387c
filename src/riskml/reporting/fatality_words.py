"""The page of a fatality review in its reader's language: codes in words, counts with intervals or marks."""

from dataclasses import dataclass, field

from riskml.messages import all_messages, message
from riskml.reporting.blocks import missing
from riskml.reporting.document import part
from riskml.reporting.fatality_disclosure import NEAR_ALL
from riskml.reporting.fatality_grouped import OTHERS
from riskml.reporting.fatality_places import DOCUMENTS
from riskml.reporting.numbers import count, percent, whole_or_tenth
from riskml.validation.intervals import exact_interval

__all__ = ["Page", "is_number"]

_DAYS = {"0-1": (0, 1), "2-7": (2, 7), "8-30": (8, 30), "31-90": (31, 90), "91-365": (91, 365)}
_NONE = "\N{EN DASH}"


def is_number(value):
    """Whether a count is there and printed as it is: bool."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


@dataclass(frozen=True)
class Page:
    """The documents of a review, and how its page says what stands in them.

    Attributes
    ----------
    documents : dict           findings, patterns, replay: dict or None
    language : "es" or "en"
    internal : bool            for the team alone: single cases are shown
    images : dict of figure -> Markup
    """

    documents: dict
    language: str
    internal: bool = False
    images: dict = field(default_factory=dict)

    def t(self, name, /, **fields):
        """A message of `fatality_report`."""
        return message(f"fatality_report.{name}", self.language, **fields)

    def part(self, *path):
        """A part of the documents, or None."""
        return part(self.documents, *path)

    def words(self, found):
        """Words by language, in the reader's: str."""
        return found.get(self.language, "") if isinstance(found, dict) else ""

    def absent(self, document, *path):
        """A block that says why something is missing: not made yet, too small, or the document's reason."""
        if self.documents.get(document) is None:
            return missing(self.t("not_made", command=DOCUMENTS[document][2]))
        found = self.documents
        for key in (document, *path):
            found = found.get(key) if isinstance(found, dict) and "missing" not in found else found
        why = self.words(found["missing"]) if isinstance(found, dict) and "missing" in found else ""
        return missing(why or self.t("nothing_there" if self.internal else "nothing_published"))

    def code(self, name):
        """A code of the form in words: str; several rare ones together are the others."""
        if name == OTHERS:
            return self.t("others")
        key = f"fatality_form.value_{name}"
        return message(key, self.language) if key in all_messages() else str(name)

    def band(self, bands):
        """Bands of days that stand together, in words: str."""
        bands = [bands] if isinstance(bands, str) else list(bands)
        if bands == ["none"]:
            return self.t("band_none")
        timed = [band for band in bands if band != "none"]
        first = _DAYS.get(timed[0], (366, None))[0]
        last = _DAYS.get(timed[-1], (None, None))[1]
        words = self.t("band_over") if last is None and first > 365 else ""
        if not words:
            words = (
                self.t("band_from", first=first) if last is None else self.t("band", first=first, last=last)
            )
        return self.t("band_or_none", band=words) if "none" in bands else words

    def n(self, value):
        """A count, or the mark that stands for it: str."""
        if is_number(value):
            return count(value)
        if not isinstance(value, dict):
            return _NONE
        if value["mark"] == "hidden":
            return self.t("hidden")
        return f">{value['than']}" if value["mark"] == NEAR_ALL else f"<{value['than']}"

    def of(self, value, total):
        """n/N, or one mark where so many is suppressed itself: str."""
        return f"{self.n(value)}/{count(total)}" if is_number(total) else self.n(total)

    def share(self, value, total):
        """A cell of n/N with its percentage and exact interval; the mark alone where n is suppressed."""
        if not (is_number(value) and is_number(total) and total):
            return {"value": self.of(value, total) if total else _NONE, "interval": ""}
        low, high = exact_interval(int(value), int(total))
        words = f"{percent(value / total)}; {percent(low)} – {percent(high)}"
        return {"value": self.of(value, total), "interval": words}

    def share_words(self, value, total):
        """n/N with its exact interval in one line: str."""
        found = self.share(value, total)
        return f"{found['value']} ({found['interval']})" if found["interval"] else found["value"]

    def quarter(self, deadline):
        """A deadline: the day for the team, the quarter (2027-T1) for all others; str."""
        if not deadline:
            return _NONE
        year, _, quarter = str(deadline).partition("-T")
        return self.t("quarter", quarter=quarter, year=year) if quarter else str(deadline)

    def days(self, value):
        """A number of days: str."""
        return whole_or_tenth(value) if is_number(value) else _NONE

    def ratio(self, found):
        """An odds ratio with its interval as a cell: an empty upper or lower end is printed as such."""
        if not part(found) or (found.get("odds_ratio") is None and found.get("low") is None):
            return {"value": _NONE, "interval": ""}
        ends = f"{_ratio(found.get('low'), '0')} – {_ratio(found.get('high'), '∞')}"
        return {"value": _ratio(found.get("odds_ratio"), "∞"), "interval": ends}

    def sections(self, makers):
        """Sections in order, each made by a function of the page: list of {"code", "title", "blocks"}."""
        return [
            {"code": code, "title": self.t(f"section_{code}"), "blocks": of(self)}
            for code, of in makers.items()
        ]

    def figure(self, name, document, *path):
        """A figure with its three texts; why there is none where it could not be drawn."""
        if name not in self.images:
            return self.absent(document, *path)
        return self._shown(name, name, self.t(f"figure_{name}"))

    def case_figure(self, name):
        """The timeline of one case, `case_<review id>`, with its three texts."""
        return self._shown(name, "case", self.t("figure_case", case=name.removeprefix("case_")))

    def _shown(self, name, texts, title):
        return {
            "kind": "figure",
            "name": name,
            "title": title,
            "image": self.images[name],
            "useful": self.t(f"{texts}_useful"),
            "read": self.t(f"{texts}_read"),
            "do": self.t(f"{texts}_do"),
        }


def _ratio(value, otherwise):
    if not is_number(value) or value != value or value in (float("inf"), float("-inf")):
        return otherwise
    return f"{value:.2f}" if value < 10 else f"{value:,.0f}"
