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

    Parameters
    ----------
    rules : Rules    the words that may be shown are theirs
    """

    def __init__(self, rules):
        self.words = rules.words | QuoteMask.of(rules.factors).words
        self.stems = tuple(stem for stem in rules.stems if len(stem) >= _SHORTEST_STEM)

    def _may_show(self, word):
        if not word.isalpha():
            return False
        if word in self.words:
            return True
        return word.startswith(self.stems) and word not in _names()

    def __call__(self, text, spans):
        """The words of some tokens, masked.

        Parameters
        ----------
        text : Text
        spans : list of (start, end)    tokens, in order; what lies between two spans is left out

        Returns
        -------
        str
        """
        shown = []
        for position, (start, end) in enumerate(spans):
            if position:
                shown.append(MASK)
            for place in range(start, min(end, start + _LONGEST)):
                word = text.words[place]
                if not any(c.isalnum() for c in word):
                    continue
                shown.append(self._as_typed(text, place, word) if self._may_show(word) else MASK)
        kept = [w for i, w in enumerate(shown) if w != MASK or i == 0 or shown[i - 1] != MASK]
        return " ".join(kept[:_LONGEST])

    def _as_typed(self, text, place, word):
        """The word as typed; the word that is meant where a slip was mended, lest the slip be a name."""
        typed = text.original[text.starts[place] : text.ends[place]]
        return typed if folded(typed)[0] == word else word
