"""The words quoted as evidence: only words that the rules are written with; everything else is masked."""

from functools import cache

from riskml.narratives.spelling import folded
from riskml.registry.masking import MASK, QuoteMask

__all__ = ["Quoting"]

_LONGEST = 12  # words
_SHORTEST_STEM = 3


@cache
def _names():
    """Names common in Mexico and Spain, folded: such a word is never shown for its beginning alone."""
    from faker.providers.person import es_ES, es_MX

    names = set()
    for provider in (es_MX.Provider, es_ES.Provider):
        for kind in ("first_names", "first_names_male", "first_names_female", "last_names"):
            for entry in getattr(provider, kind, ()):
                names.update(folded(entry)[0].split())
    return frozenset(names)


class Quoting:
    """Makes quotes.

    Shown are the words that a rule itself is written with, and function words; never what lies in a
    gap of the rule, never a number, and a word known by its beginning alone only where it is no name.

    Parameters
    ----------
    rules : Rules
    """

    def __init__(self, rules):
        self.words = rules.words | QuoteMask.of(rules.factors).words
        self.stems = tuple(stem for stem in rules.stems if len(stem) >= _SHORTEST_STEM)
        self.plain = QuoteMask().words

    def _may_show(self, word, own):
        if not word.isalpha():
            return False
        if word in self.plain:
            return True
        if not own:
            return False
        return word in self.words or (word.startswith(self.stems) and word not in _names())

    def __call__(self, text, spans, own):
        """The words of some tokens, masked.

        Parameters
        ----------
        text : Text
        spans : list of (start, end)    tokens, in order; what lies between two spans is left out
        own : callable                  token -> whether the rule or the denial is written with its word

        Returns
        -------
        str    at most twelve words
        """
        shown = []
        for position, (start, end) in enumerate(spans):
            if position:
                shown.append(MASK)
            for place in range(start, end):
                word = text.words[place]
                if any(c.isalnum() for c in word):
                    shown.append(_as_typed(text, place) if self._may_show(word, own(place)) else MASK)
        kept = [word for i, word in enumerate(shown) if word != MASK or i == 0 or shown[i - 1] != MASK]
        if len(kept) > _LONGEST:  # the denial at its beginning and the words that it denies at its end
            kept = [*kept[:4], MASK, *kept[5 - _LONGEST :]]
        return " ".join(kept)


def _as_typed(text, place):
    """The word as typed; the word that is meant where a slip was mended, lest the slip be a name."""
    typed = text.original[text.starts[place] : text.ends[place]]
    return typed if folded(typed)[0] == text.words[place] else text.words[place]
