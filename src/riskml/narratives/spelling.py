"""Words as officers type them, brought to the words that the rules know: case, accents, shorthand, slips."""

import re
import unicodedata
from functools import cached_property

__all__ = ["Spelling", "folded"]

_SHORTEST_TYPO = 7  # letters; a shorter word is too easily another word
_EMPTY_LINE = re.compile(r"\n\s*\n")
_SPACES = "\n-/_\u00a0\u200b\u200c\u200d\ufeff\t\r"


class _Fold(dict):
    """One character without case and accent, for `str.translate`: always one character for one."""

    def __missing__(self, code):
        character = chr(code)
        plain = unicodedata.normalize("NFKD", character)[:1].lower()
        plain = plain if len(plain) == 1 and not unicodedata.combining(plain) else character
        self[code] = plain
        return plain


_FOLD = _Fold({ord(c): " " for c in _SPACES} | {ord("«"): '"', ord("»"): '"', ord("“"): '"', ord("”"): '"'})


def folded(text):
    """A text without case, accents and the tilde of the ñ, and the place of each character in the original.

    Hyphens and slashes become spaces: "EX-PAREJA" and "C/ARMA" are two words. An empty line ends a sentence.

    Parameters
    ----------
    text : str

    Returns
    -------
    str, and None where every character kept its place, or a list of int: the place of each one in `text`

    >>> folded("AMENAZÓ C/ARMA")
    ('amenazo c arma', None)
    """
    text = _EMPTY_LINE.sub(lambda gap: " " * (len(gap[0]) - 1) + ".", text)
    if unicodedata.is_normalized("NFC", text):
        return text.translate(_FOLD), None
    places = [i for i, c in enumerate(text) if not unicodedata.combining(c)]
    return "".join(text[i] for i in places).translate(_FOLD), places


def _shortened(word):
    """The word, and the word without any one of its letters."""
    return {word} | {word[:i] + word[i + 1 :] for i in range(1, len(word))}


def _one_slip(word, other):
    """Whether one letter missing, doubled, added or swapped with the next inside a word makes it the other.

    A changed letter is no slip here ("entierra" is not "encierra"; what sounds alike is known by its
    sound), nor is another ending ("persona" is not "personal").
    """
    start = 0
    while start < min(len(word), len(other)) and word[start] == other[start]:
        start += 1
    a, b = word[start:], other[start:]
    if len(a) == len(b):
        return len(a) > 1 and a[0] == b[1] and a[1] == b[0] and a[2:] == b[2:]
    if abs(len(a) - len(b)) != 1 or min(len(a), len(b)) < 1:
        return False
    return a[1:] == b if len(a) > len(b) else a == b[1:]


def _sound(word):
    """The word as it sounds in Mexico: b for v, s for z and soft c, no h, y for ll."""
    for letters, sound in (
        ("ch", "X"),
        ("qu", "k"),
        ("ce", "se"),
        ("ci", "si"),
        ("ge", "je"),
        ("gi", "ji"),
        ("h", ""),
        ("v", "b"),
        ("z", "s"),
        ("ll", "y"),
    ):
        word = word.replace(letters, sound)
    return word


class Spelling:
    """The words that the rules know, and what a word in a narrative means among them.

    Parameters
    ----------
    words : iterable of str        whole words
    stems : iterable of str        beginnings of words
    shorthand : dict of str to str what officers abbreviate
    not_typos : iterable of str    beginnings of words that look like a slip and are none
    """

    def __init__(self, words, stems, shorthand=None, not_typos=()):
        self.words, self.stems = frozenset(words), tuple(sorted(set(stems), key=len, reverse=True))
        self.shorthand = dict(shorthand or {})
        self.not_typos = tuple(not_typos)
        self._seen = {}

    def __call__(self, word):
        """The word that is meant, str; the word itself where nothing is known of it.

        Parameters
        ----------
        word : str    folded

        >>> Spelling(["estado"], ["estrangul"], {"q": "que"})("estrangulo")
        'estrangulo'
        >>> Spelling([], ["estrangul"])("estragulo")
        'estrangulo'
        """
        if len(self._seen) > 200_000:  # one process may read millions of narratives
            self._seen.clear()
        if word not in self._seen:
            self._seen[word] = self._meant(word)
        return self._seen[word]

    def _meant(self, word):
        short = self.shorthand.get(word) or self.shorthand.get(word.rstrip("."))
        if short is not None:
            return short
        if word in self.words or not word.isalpha() or len(word) < 4:
            return word
        if word.startswith(self.stems) or word.startswith(self.not_typos):
            return word
        return self._as_it_sounds(word) or self._mended(word) or word

    def _as_it_sounds(self, word):
        sound = _sound(word)
        if sound in self._sounds:
            return self._sounds[sound]
        for stem, written in self._stem_sounds:
            if len(sound) >= 5 and sound.startswith(stem):
                return written + sound[len(stem) :]
        return None

    def _mended(self, word):
        if len(word) < _SHORTEST_TYPO:
            return None
        near = {w for short in _shortened(word) for w in self._short_words.get(short, ())}
        for known in sorted(near):
            if known[0] == word[0] and _one_slip(word, known):
                return known
        for length in self._stem_lengths:
            for taken in (length, length - 1, length + 1):
                if taken > len(word):
                    continue
                start, rest = word[:taken], word[taken:]
                for stem in sorted(
                    {s for short in _shortened(start) for s in self._short_stems.get(short, ())}
                ):
                    if stem[0] == word[0] and stem[-1] == start[-1] and _one_slip(start, stem):
                        return stem + rest
        return None

    @cached_property
    def _sounds(self):
        return {_sound(word): word for word in sorted(self.words) if len(word) >= 5}

    @cached_property
    def _stem_sounds(self):
        return [(_sound(stem), stem) for stem in self.stems if len(stem) >= 5]

    @cached_property
    def _short_words(self):
        return self._index(word for word in self.words if len(word) >= _SHORTEST_TYPO)

    @cached_property
    def _short_stems(self):
        return self._index(stem for stem in self.stems if len(stem) >= _SHORTEST_TYPO - 1)

    @cached_property
    def _stem_lengths(self):
        return sorted({len(stem) for stem in self.stems if len(stem) >= _SHORTEST_TYPO - 1}, reverse=True)

    def _index(self, words):
        index = {}
        for word in words:
            for short in _shortened(word):
                index.setdefault(short, []).append(word)
        return index
