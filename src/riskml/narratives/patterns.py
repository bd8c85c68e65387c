"""The small language in which rules are written, and its translation for spaCy's matcher.

    la|le amenaz* .. con .. <weapon>

A word stands for itself, without case and accents. `a|b` is one or the other, `amenaz*` every word that
begins so, `word?` may be absent, `..` is up to three words in between (`..6`: up to six) that do not cross
the end of a clause; from `..5` on they may cross a comma. `<weapon>` is any entry of that word list, whose
entries may be several words long.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from itertools import product

__all__ = ["Element", "Pattern", "PatternError", "parse_pattern"]

GAP = 3
GAP_OVER_COMMAS = 5
LONGEST_GAP = 14
# A gap does not step over these.
CLAUSE_ENDS = (".", ";", ":", "?", "!", "…")
_TOKEN = re.compile(r"(\.\.[0-9]{0,2})|([^\s?]+)(\?)?")
_WORD = re.compile(r"[^\W_]+\*?|[,.:?\"()=]")
_MOST = 4_000  # spaCy patterns of one rule


class PatternError(ValueError):
    """A pattern that cannot be read; the message says why."""


@dataclass(frozen=True)
class Element:
    """One place of a pattern: the words that may stand there, or a gap."""

    words: frozenset = frozenset()
    stems: tuple = ()
    optional: bool = False
    gap: int = 0
    over_commas: bool = False

    def fits(self, word):
        """Whether a word may stand here."""
        return word in self.words or (bool(self.stems) and word.startswith(self.stems))

    def token(self):
        """The place as spaCy's matcher wants it: dict."""
        if self.gap:
            ends = CLAUSE_ENDS if self.over_commas else (*CLAUSE_ENDS, ",")
            return {"NORM": {"NOT_IN": list(ends)}, "OP": f"{{0,{self.gap}}}"}
        if self.stems:
            parts = [re.escape(w) + "$" for w in sorted(self.words)] + [
                re.escape(s) for s in sorted(self.stems)
            ]
            norm = {"REGEX": f"^(?:{'|'.join(parts)})"}
        elif len(self.words) == 1:
            (norm,) = self.words
        else:
            norm = {"IN": sorted(self.words)}
        return {"NORM": norm, "OP": "?"} if self.optional else {"NORM": norm}


@dataclass(frozen=True)
class Pattern:
    """One rule's wording.

    Attributes
    ----------
    text : str                       as it is written
    variants : tuple of tuples of Element
    """

    text: str
    variants: tuple

    def says(self, word):
        """Whether the wording itself holds a word, not one of its gaps."""
        return any(e.fits(word) for variant in self.variants for e in variant if not e.gap)

    def tokens(self):
        """Lists of tokens for spaCy's matcher, one per variant."""
        return [[element.token() for element in variant] for variant in self.variants]

    @cached_property
    def longest(self):
        """The most words that it can span, int."""
        return max(sum(e.gap or 1 for e in variant) for variant in self.variants)

    def anchors(self, common):
        """The rarest place of each variant: pairs of (words, stems). A text without any of them cannot match.

        Parameters
        ----------
        common : set of str    words too frequent to tell anything
        """
        for variant in self.variants:
            required = [e for e in variant if not e.gap and not e.optional]
            yield max(required, key=lambda e: _rarity(e, common))


def _rarity(element, common):
    shortest = min(len(w) for w in (*element.words, *element.stems))
    return (not (element.words & common), shortest, -len(element.words) - len(element.stems))


def _element(alternatives, optional):
    words = frozenset(w for w in alternatives if not w.endswith("*"))
    stems = tuple(sorted(w[:-1] for w in alternatives if w.endswith("*")))
    return Element(words, stems, optional)


def _choices(token, optional, lists, fold):
    """The ways to fill one place: a list of tuples of Element."""
    singles, phrases = [], []
    for part in token.split("|"):
        name = re.fullmatch(r"<([a-z_]+)>", part)
        if name and name[1] not in lists:
            raise PatternError(f'no word list "{name[1]}"')
        for entry in lists[name[1]] if name else [part]:
            words = fold(entry).split()
            if not words or not all(_WORD.fullmatch(w) and w != "*" for w in words):
                raise PatternError(f'"{entry}" is no word')
            if len(words) == 1:
                singles.append(words[0])
            else:
                phrases.append(tuple(_element([w], False) for w in words))
    choices = [(_element(singles, optional and not phrases),)] if singles else []
    choices += phrases
    if optional and phrases:
        choices.append(())
    return choices


def parse_pattern(text, lists, fold):
    """Read one pattern.

    Parameters
    ----------
    text : str
    lists : dict of name -> list of str    what `<name>` stands for
    fold : callable                        str -> str without case and accents

    Returns
    -------
    Pattern

    Raises
    ------
    PatternError    an unknown word list, a sign that means nothing, nothing but gaps, too many variants
    """
    places = []
    for match in _TOKEN.finditer(text):
        gap, token, optional = match.groups()
        if gap:
            width = int(gap[2:] or GAP)
            if not 0 < width <= LONGEST_GAP:
                raise PatternError(f"a gap spans 1 to {LONGEST_GAP} words")
            places.append([(Element(gap=width, over_commas=width >= GAP_OVER_COMMAS),)])
        else:
            places.append(_choices(token, bool(optional), lists, fold))
    count = 1
    for place in places:
        count *= len(place)
    if count > _MOST:
        raise PatternError(f"{count} variants; split it, or take a shorter word list")
    variants = tuple(tuple(e for part in chosen for e in part) for chosen in product(*places))
    if not variants or any(not any(not e.gap and not e.optional for e in v) for v in variants):
        raise PatternError("needs a word that may not be absent")
    return Pattern(text, variants)
