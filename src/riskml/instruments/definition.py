"""An instrument as a file of `models/instruments/` states it: items, points, bands, scope, and its evidence.

An instrument needs an interview; the registry has records. So what is scored here is a proxy, named so: every
item is a paraphrased concept beside the factors that speak of it, and what nobody recorded is unobserved.
"""

import re
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from riskml.errors import RiskmlError
from riskml.parts import Line, Part, Relationship, Words, known_word, read_part
from riskml.vocabulary import did_you_mean

__all__ = [
    "Band",
    "ColumnAtLeast",
    "Figure",
    "Instrument",
    "Item",
    "instrument_names",
    "load_instrument",
]


def _tag(tag):
    if tag == "M?":
        raise ValueError("a figure tagged M? was not checked: it may stand behind no item, point or cut")
    if not re.fullmatch(r"S:[0-9]+b?|M|D", str(tag)):
        raise ValueError(f'unknown tag "{tag}": S:n, M or D')
    return tag


Tag = Annotated[str, BeforeValidator(_tag)]
Count = Annotated[int, Field(ge=1, strict=True)]


class ColumnAtLeast(Part):
    """A column of the catalogue that shows an item present from some value on; below it says nothing."""

    column: Line
    at_least: float


def _source(entry):
    if isinstance(entry, ColumnAtLeast):
        return entry
    if isinstance(entry, dict):
        if set(entry) != {"column", "at_least"} or isinstance(entry["at_least"], str):
            raise ValueError("a column is written {column: NAME, at_least: NUMBER}")
        return ColumnAtLeast(**entry)
    codes = tuple(entry) if isinstance(entry, list | tuple) else (entry,)
    if not codes or not all(isinstance(code, str) for code in codes):
        raise ValueError("a source is a factor, a list of factors, or {column: NAME, at_least: NUMBER}")
    return codes


def _sources(value):
    if not isinstance(value, list | tuple):
        raise ValueError("sources are a list")
    return tuple(_source(entry) for entry in value)


class Item(Part):
    """One item: a paraphrased concept, its points, and what of the registry speaks of it.

    Attributes
    ----------
    label : dict                  the concept, in Spanish and English; no form's wording
    points : int                  added where it is present
    tag : str                     how far the item was checked; `points_tag`: how far its points were
    sources : tuple               tuples of factor codes that say the same thing, and ColumnAtLeast
    at_least : int                so many of the sources have to be present
    note : dict or None           how the proxy differs from the item
    left_out : dict or None       why it is not scored at all
    """

    label: Words
    points: int = 1
    tag: Tag
    points_tag: Tag = "M"
    sources: Annotated[tuple[Any, ...], BeforeValidator(_sources)] = ()
    at_least: Count = 1
    note: Words | None = None
    left_out: Words | None = None

    @model_validator(mode="after")
    def _coherent(self):
        if not self.sources and self.note is None and self.left_out is None:
            raise ValueError("an item that nothing speaks of needs a note that says why")
        if self.left_out is not None and self.sources:
            raise ValueError("an item that is left out has no sources")
        if self.sources and self.at_least > len(self.sources):
            raise ValueError(f"at_least {self.at_least} of {len(self.sources)} sources can never be met")
        return self

    @property
    def factor_groups(self):
        """The sources that are factors, each as the codes that say it: tuple of tuples of str."""
        return tuple(source for source in self.sources if isinstance(source, tuple))

    @property
    def columns(self):
        """The sources that are columns: tuple of ColumnAtLeast."""
        return tuple(source for source in self.sources if isinstance(source, ColumnAtLeast))


class SomeOf(Part):
    """At least so many of some items."""

    items: Annotated[tuple[Line, ...], Field(min_length=1)]
    at_least: Count


class Band(Part):
    """A published category: from a score on, or where one of its rules is met; the lowest has neither."""

    name: Line
    label: Words
    from_score: int | None = None
    when: tuple[SomeOf, ...] = ()


class Figure(Part):
    """A published figure on the instrument as its authors use it; never one on the proxy."""

    study: Line
    figure: Line
    tag: Tag


class Instrument(Part):
    """An instrument as a proxy.

    Attributes
    ----------
    name : str                    the file's name, which begins with proxy_
    label : dict                  the name that is shown, which begins with proxy-
    about : dict                  what it was made for
    citation : str
    licence : dict                the caution that goes with it
    relationships : tuple of str  its scope: whoever else is assessed, it does not apply; empty: all
    scope_tag : str               how far that was checked
    bands : tuple of Band         from the lowest up
    bands_tag : str
    figures : tuple of Figure
    items : dict of name -> Item
    """

    name: Annotated[str, StringConstraints(pattern=r"^proxy_[a-z0-9_]+$")]
    label: Words
    about: Words
    citation: Line
    licence: Words
    relationships: tuple[Relationship, ...] = ()
    scope_tag: Tag
    bands: Annotated[tuple[Band, ...], Field(min_length=2)]
    bands_tag: Tag
    figures: tuple[Figure, ...] = ()
    items: Annotated[dict[str, Item], Field(min_length=1)]

    @model_validator(mode="after")
    def _coherent(self):
        for words in self.label.values():
            if not words.startswith("proxy-"):
                raise ValueError(f'"{words}" is scored from records: its name begins with proxy-')
        first, *higher = self.bands
        if first.from_score is not None or first.when:
            raise ValueError("the lowest band is what is left: it has neither from_score nor when")
        cuts = [band.from_score for band in higher if band.from_score is not None]
        if cuts != sorted(set(cuts)):
            raise ValueError("bands stand from the lowest cut to the highest")
        for band in higher:
            if (band.from_score is None) == (not band.when):
                raise ValueError(f'band "{band.name}" needs either from_score or when')
            for rule in band.when:
                for item in rule.items:
                    known_word(item, self.scored)
        return self

    @property
    def scored(self):
        """The items that are scored: dict of name -> Item."""
        return {name: item for name, item in self.items.items() if item.left_out is None}

    @property
    def factors(self):
        """Codes of the factors that its items read, in order: tuple of str."""
        codes = (code for item in self.scored.values() for group in item.factor_groups for code in group)
        return tuple(dict.fromkeys(codes))

    @property
    def columns(self):
        """Names of the columns that its items read, in order: tuple of str."""
        names = (source.column for item in self.scored.values() for source in item.columns)
        return tuple(dict.fromkeys(names))

    @property
    def range(self):
        """Lowest and highest score that can be had, (int, int)."""
        points = [item.points for item in self.scored.values()]
        return sum(min(p, 0) for p in points), sum(max(p, 0) for p in points)


def _shipped():
    folder = files("riskml") / "_workspace" / "models" / "instruments"
    inside = Path(str(folder))
    return inside if inside.is_dir() else Path(__file__).parents[3] / "models" / "instruments"


def instrument_names(folder=None):
    """Names of the instruments in a folder, sorted: tuple of str.

    Parameters
    ----------
    folder : path or None    such as a workspace's `models/instruments`; None: those shipped with riskml
    """
    return tuple(sorted(path.stem for path in Path(folder or _shipped()).glob("*.yml")))


def load_instrument(source, *, factors=None):
    """Read an instrument.

    Parameters
    ----------
    source : path of `<name>.yml`, or name of one that riskml is shipped with, such as "proxy_epv_r"
    factors : FactorVocabulary or None    to check the codes that its items name

    Returns
    -------
    Instrument

    Raises
    ------
    RiskmlError    no such instrument; or file, line and key of what is wrong with it
    """
    path = Path(source)
    if path.suffix != ".yml":
        known = instrument_names()
        if str(source) not in known:
            near = did_you_mean(source, known) or f"Known: {', '.join(known)}."
            raise RiskmlError(f'unknown instrument "{source}"', where="instrument", mend=near)
        path = _shipped() / f"{source}.yml"
    instrument = read_part(Instrument, path, name=path.stem)
    if factors is not None:
        _check_factors(instrument, factors, path)
    return instrument


def _check_factors(instrument, factors, path):
    for name, item in instrument.scored.items():
        for group in item.factor_groups:
            for code in group:
                if code not in factors:
                    raise RiskmlError(
                        f'item "{name}": unknown factor "{code}"',
                        where=f"{path.parent.name}/{path.name}",
                        mend=did_you_mean(code, factors.codes),
                    )
