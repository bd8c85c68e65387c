"""The 41 items of fatality reviews, and where the vocabulary and the catalogue keep each."""

from dataclasses import dataclass
from pathlib import Path

from riskml.documents import read_documents
from riskml.errors import RiskmlError
from riskml.vocabulary import did_you_mean

__all__ = ["REVIEW_ITEMS", "ReviewItem", "load_review_items"]

REVIEW_ITEMS = 41
_KEPT_IN = ("factors", "features")


@dataclass(frozen=True)
class ReviewItem:
    """One item of a fatality review.

    Attributes
    ----------
    number : int               in the order of the reviews, from 1
    concept : dict             language -> what it is about, in our own words
    factors : tuple of str     codes of the vocabulary, any of which makes the item present
    features : tuple of str    features that hold it, where it follows from facts of the case
    counts_with : tuple of int items that count as one with it
    """

    number: int
    concept: dict
    factors: tuple = ()
    features: tuple = ()
    counts_with: tuple = ()


def load_review_items(path, catalogue):
    """Read the second document of `factors.yml`.

    Parameters
    ----------
    path : path of the file
    catalogue : Catalogue    whose factors and features the items name

    Returns
    -------
    tuple of ReviewItem    in order; empty where the file has no second document

    Raises
    ------
    RiskmlError    an item is left out, stands in no place or in two, or names what is not there
    """
    path = Path(path)
    documents = read_documents(path)
    if len(documents) < 2:
        return ()
    document = documents[1]
    entries = document.value.get("review_items") or {}
    known = {"factors": catalogue.factors.codes, "features": [f.name for f in catalogue.features]}
    problems = [f"item {n} is left out" for n in range(1, REVIEW_ITEMS + 1) if str(n) not in entries]
    for number, entry in entries.items():
        line = document.line("review_items", number)
        problems += [f"line {line}, item {number}: {what}" for what in _item_problems(number, entry, known)]
    if problems:
        raise RiskmlError("; ".join(problems), where=f"{path.parent.name}/{path.name}, review_items")
    once = [tuple(int(n) for n in group) for group in document.value.get("count_once") or ()]
    return tuple(
        ReviewItem(
            int(number),
            dict(entries[number]["concept"]),
            tuple(entries[number].get("factors") or ()),
            tuple(entries[number].get("features") or ()),
            tuple(n for group in once if int(number) in group for n in group if n != int(number)),
        )
        for number in sorted(entries, key=int)
    )


def _item_problems(number, entry, known):
    if not number.isdigit() or not 1 <= int(number) <= REVIEW_ITEMS:
        yield f"items are numbered from 1 to {REVIEW_ITEMS}"
    if not isinstance(entry, dict) or set(entry.get("concept") or ()) != {"es", "en"}:
        yield "an item has a concept in es and in en"
        return
    places = [key for key in _KEPT_IN if entry.get(key)]
    if len(places) != 1 or set(entry) != {"concept", *places}:
        yield "an item is kept in `factors` or in `features`"
    for place in places:
        for name in entry[place]:
            if name not in known[place]:
                yield f'unknown {place[:-1]} "{name}". {did_you_mean(name, known[place])}'.strip()
