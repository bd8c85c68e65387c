"""Where rules match in a text: spaCy's blank Spanish tokeniser and its matcher, no trained model."""

from dataclasses import dataclass

import spacy
from spacy.attrs import NORM
from spacy.matcher import Matcher
from spacy.tokens import Doc

from riskml.narratives.spelling import folded

__all__ = ["Finder", "Match", "Text"]

_ENDS = (".", "..", "...", "…", "?", "!", ";")

# Too frequent to tell where a rule might match.
_COMMON = frozenset(
    """a al ante con contra de del desde el ella en entre es esta este fue ha habia han la las le les lo los mas me no o para
    pero por que se si sin sobre su sus te tiene un una y ya era sido haber ser . , :""".split()
)


@dataclass(frozen=True)
class Match:
    """A rule that matched: tokens `start` to `end` (exclusive)."""

    start: int
    end: int
    rule: object

    @property
    def length(self):
        """How many tokens, int."""
        return self.end - self.start

    def overlaps(self, other):
        """Whether both share a token."""
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True)
class Text:
    """A text in tokens: the words that are meant, and where each stands in the original."""

    original: str
    words: tuple
    starts: tuple
    ends: tuple
    sentence: tuple  # number of the sentence of each token


class Finder:
    """Finds every rule of a set in texts.

    A rule is tried only around the words that it cannot do without, so that hundreds of rules cost little.

    Parameters
    ----------
    rules : Rules
    """

    def __init__(self, rules):
        self.rules = rules
        self.nlp = spacy.blank("es")
        self.nlp.vocab.lex_attr_getters[NORM] = rules.spelling
        for lexeme in self.nlp.vocab:
            lexeme.norm_ = rules.spelling(lexeme.orth_)
        self._single, self._matchers = [], []
        self._by_word, self._by_stem = {}, {}
        self._candidates = {}
        for number, rule in enumerate(rules.rules):
            self._add(number, rule)
        self._stems = tuple(self._by_stem)

    def _add(self, number, rule):
        variants = rule.pattern.variants
        single = all(len(v) == 1 for v in variants)
        matcher = None
        if not single:
            matcher = Matcher(self.nlp.vocab)
            matcher.add("rule", rule.pattern.tokens())
        self._single.append(single)
        self._matchers.append(matcher)
        for element in rule.pattern.anchors(_COMMON):
            for word in element.words:
                self._by_word.setdefault(word, set()).add(number)
            for stem in element.stems:
                self._by_stem.setdefault(stem, set()).add(number)

    def _of_word(self, word):
        """Numbers of the rules that a word calls for."""
        known = self._candidates.get(word)
        if known is None:
            known = set(self._by_word.get(word, ()))
            if word.startswith(self._stems):
                for stem, numbers in self._by_stem.items():
                    if word.startswith(stem):
                        known |= numbers
            known = tuple(sorted(known))
            if len(self._candidates) > 100_000:
                self._candidates.clear()
            self._candidates[word] = known
        return known

    def __call__(self, original):
        """Find the rules in one text.

        Parameters
        ----------
        original : str

        Returns
        -------
        Text, list of Match
        """
        plain, places = folded(original)
        made = self.nlp.make_doc(plain)
        tokens = [token for token in made if not token.is_space]
        places = places or range(len(plain))
        starts = tuple(places[token.idx] for token in tokens)
        ends = tuple(places[token.idx + len(token) - 1] + 1 for token in tokens)
        typed = [token.text for token in tokens]
        document = made if len(tokens) == len(made) else Doc(self.nlp.vocab, words=typed)
        words = tuple(token.norm_ for token in document)
        text = Text(original, words, starts, ends, _sentences(typed, words))
        called = {}
        for position, word in enumerate(words):
            for number in self._of_word(word):
                called.setdefault(number, []).append(position)
        found = []
        for number, positions in called.items():
            rule = self.rules.rules[number]
            if self._single[number]:
                found += [Match(p, p + 1, rule) for p in positions]
            else:
                found += self._around(document, rule, self._matchers[number], positions)
        return text, found

    def _around(self, document, rule, matcher, positions):
        """The shortest matches of a rule around some positions, none overlapping another."""
        reach, spans, windows = rule.pattern.longest, set(), []
        for position in positions:
            left, right = max(0, position - reach), min(len(document), position + reach)
            if windows and left <= windows[-1][1]:
                windows[-1][1] = right
            else:
                windows.append([left, right])
        for left, right in windows:
            spans.update((left + s, left + e) for _, s, e in matcher(document[left:right]))
        chosen = []
        for start, end in sorted(spans, key=lambda s: (s[1] - s[0], s[0])):
            if not any(start < e and s < end for s, e in chosen):
                chosen.append((start, end))
        return [Match(start, end, rule) for start, end in chosen]


def _sentences(typed, words):
    """Number of the sentence of each token. The full stop of an abbreviation ends none."""
    number, numbers = 0, []
    for position, word in enumerate(words):
        numbers.append(number)
        if word in _ENDS and not (word == "." and position and typed[position - 1] != words[position - 1]):
            number += 1
    return tuple(numbers)
