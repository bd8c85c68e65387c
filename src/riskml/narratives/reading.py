"""Factors that a narrative speaks of, each present or denied, with the words that say so."""

from dataclasses import dataclass, replace
from functools import cache

import pandas as pd

from riskml.errors import RiskmlError
from riskml.narratives.context import Context
from riskml.narratives.matching import Finder
from riskml.narratives.quoting import Quoting
from riskml.narratives.rules import starting_rules

__all__ = ["COLUMNS", "Mention", "Reader", "read_narrative", "read_narratives"]

COLUMNS = ("factor", "state", "quote", "about", "reported_by", "when", "start", "end", "rule")
_MOST_WORDS = 300_000  # different words kept in memory; then the finder is made anew
_LONGEST = 20_000  # characters that are read at once: what stands around a match is looked for among all
# Factors that speak of earlier events whatever the tense.
_PAST = ("prior_",)
_SAYING = ("present", "implied")


@dataclass(frozen=True)
class Mention:
    """One place of a text that speaks of a factor.

    Attributes
    ----------
    factor, state : str          code; "present" or "denied"
    quote : str                  the words, masked
    about : str                  "aggressor" or "victim"
    reported_by : str or None    "victim", "aggressor", "third_party", "officer"; None: the text does not say
    when : str                   "current" or "past"
    start, end : int             characters of the text
    rule : str                   the pattern that matched
    """

    factor: str
    state: str
    quote: str
    about: str
    reported_by: str | None
    when: str
    start: int
    end: int
    rule: str

    @property
    def length(self):
        """Characters, int."""
        return self.end - self.start


class Reader:
    """Reads narratives by a set of rules. Making one compiles the rules; reading is then fast.

    Parameters
    ----------
    rules : Rules
    """

    def __init__(self, rules):
        self.rules = rules
        self.finder = Finder(rules)
        self.quoting = Quoting(rules)

    def _bounded_finder(self):
        """The finder; a new one where the words that it has seen would fill the memory."""
        if len(self.finder.nlp.vocab) > _MOST_WORDS:
            self.finder = Finder(self.rules)
        return self.finder

    def mentions(self, narrative):
        """Every place of a narrative that speaks of a factor: list of Mention, in the text's order."""
        mentions, start = [], 0
        for piece in _pieces(narrative):
            said = self._mentions(piece)
            mentions += (
                [replace(m, start=m.start + start, end=m.end + start) for m in said] if start else said
            )
            start += len(piece)
        return mentions

    def _mentions(self, narrative):
        text, found = self._bounded_finder()(narrative)
        by_factor = {}
        for match in found:
            if match.rule.kind == "factor":
                by_factor.setdefault(match.rule.name, []).append(match)
        if not by_factor:
            return []
        context = Context(text, found, self.rules)
        mentions = []
        for factor, matches in by_factor.items():
            for match in _standing(matches, context):
                mentions += self._read(factor, match, text, context)
        return sorted(mentions, key=lambda m: (m.start, m.end, m.factor))

    def _read(self, factor, match, text, context):
        """What one match says: no mention, one, or two when it is said of both."""
        if context.is_open(match) or context.is_broken(match):
            return
        cue = None
        state = match.rule.wording
        if state in _SAYING:
            cue = context.denial(match)
            if cue and state == "implied":
                return
            state = "denied" if cue else "present"
        dimension = self.rules.factors[factor].dimension
        if dimension == "acts" and not context.acts_himself(match):
            return
        persons = ["victim" if dimension == "victim" else "aggressor"]
        if factor in self.rules.of_victim:
            subject = context.subject(match)
            persons = ["aggressor", "victim"] if subject == "both" else [subject or "aggressor"]
        start, end = match.start, match.end
        spans = [(start, end)]
        if cue and cue.end <= start:
            near = start - cue.end <= 6
            spans = [(cue.start, end)] if near else [(cue.start, cue.end), (start, end)]
            start = cue.start
        elif cue:
            spans, end = [(start, cue.end)], cue.end

        def own(place):
            if match.start <= place < match.end:
                return match.rule.pattern.says(text.words[place])
            return cue is not None and cue.start <= place < cue.end

        for person in persons:
            code = self.rules.of_victim.get(factor, factor) if person == "victim" else factor
            past = code.startswith(_PAST) or (code not in self.rules.lasting and context.is_past(match))
            yield Mention(
                code,
                state,
                self.quoting(text, spans, own),
                person,
                context.speaker(match),
                "past" if past else "current",
                text.starts[start],
                text.ends[end - 1],
                match.rule.pattern.text,
            )


def _pieces(text):
    """A text in pieces that are read one by one, cut after a full stop: one, unless it is a book."""
    while len(text) > _LONGEST:
        end = max(text.rfind(". ", 0, _LONGEST), text.rfind("\n", 0, _LONGEST)) + 1
        end = end or text.rfind(" ", 0, _LONGEST) + 1 or _LONGEST
        yield text[:end]
        text = text[end:]
    yield text


def _standing(matches, context):
    """The matches of one factor that stand: not covered by what is none, the longer of two."""
    none = [m for m in matches if m.rule.wording == "not"]
    said = [m for m in matches if m.rule.wording != "not"]
    said = [m for m in said if not any(m.overlaps(n) and not _covers(m, n) for n in none)]
    said = [m for m in said if not (m.rule.wording == "denied" and context.is_harmless(m))]
    standing = []
    for match in sorted(said, key=lambda m: (-m.length, m.rule.wording, m.start)):
        rivals = [s for s in standing if s.overlaps(match)]
        if any(_says(s) != _says(match) or _covers(s, match) or _same(s, match) for s in rivals):
            continue
        standing.append(match)
    return standing


def _says(match):
    """Whether a wording says its factor, not its denial."""
    return match.rule.wording in _SAYING


def _covers(first, second):
    return first.start <= second.start and second.end <= first.end and first.length > second.length


def _same(first, second):
    return (first.start, first.end) == (second.start, second.end)


def chosen(mentions):
    """One mention for each factor: present before denied, then the first of the longest."""
    best = {}
    for mention in mentions:
        rank = (mention.state != "present", -mention.length, mention.start)
        if mention.factor not in best or rank < best[mention.factor][0]:
            best[mention.factor] = (rank, mention)
    return sorted((m for _, m in best.values()), key=lambda m: (m.start, m.factor))


@cache
def starting_reader():
    """A reader by the rules that riskml comes with: Reader."""
    return Reader(starting_rules())


def _text(value):
    """A narrative as text; nothing where it is missing."""
    if value is None or value is pd.NA or (isinstance(value, float) and value != value):
        return ""
    if not isinstance(value, str):
        raise RiskmlError("a narrative is a text", mend="Give one str, or `read_narratives` for many.")
    return value


def _frame(mentions, index=None):
    columns = {name: [getattr(m, name) for m in mentions] for name in COLUMNS}
    frame = pd.DataFrame(columns, columns=list(COLUMNS), index=index)
    text = [name for name in COLUMNS if name not in ("start", "end")]
    return frame.astype({**dict.fromkeys(text, "str"), "start": "int64", "end": "int64"})


def read_narrative(text, *, reader=None):
    """Read the factors that a Spanish narrative speaks of.

    Parameters
    ----------
    text : str or None              None and NaN: nothing is said
    reader : Reader or None         None: the rules that riskml comes with

    Returns
    -------
    DataFrame    one row per factor found, in the text's order: factor, state ("present", "denied"), quote
        (masked), about ("aggressor", "victim"), reported_by ("victim", "aggressor", "third_party", "officer",
        missing), when ("current", "past"), start and end (characters of the text), rule. A factor both said
        and denied is present. What the text leaves open or does not mention has no row.

    Raises
    ------
    RiskmlError    not a text

    >>> read_narrative("NIEGA CONSUMO DE ALCOHOL")[["factor", "state", "quote"]].values.tolist()
    [['alcohol', 'denied', 'NIEGA CONSUMO DE ALCOHOL']]
    """
    reader = reader or starting_reader()
    return _frame(chosen(reader.mentions(_text(text))))


def _read_one(reader, value):
    return chosen(reader.mentions(_text(value)))


def read_narratives(texts, *, reader=None, processes=None):
    """Read many narratives, where they are thousands on all processors.

    Parameters
    ----------
    texts : Series or sequence of str
    reader : Reader or None    None: the rules that riskml comes with
    processes : int or None    None: as many as there are processors; few texts are read by this one alone

    Returns
    -------
    DataFrame    the rows of `read_narrative`; its index is that of `texts` (a Series' own, else positions),
        named "text" where it has no name. A narrative without factors has no row.
    """
    from riskml.narratives.crew import Crew

    reader = reader or starting_reader()
    texts = texts if isinstance(texts, pd.Series) else pd.Series(list(texts), dtype="object")
    mentions, labels, each = [], [], iter(texts.index)
    with Crew(reader, processes) as crew:
        for part in crew.parts(_read_one, texts.tolist()):
            for found in part:
                label = next(each)
                mentions += found
                labels += [label] * len(found)
    names = texts.index.names if texts.index.nlevels > 1 else [texts.index.name or "text"]
    if texts.index.nlevels > 1:
        index = pd.MultiIndex.from_tuples(labels, names=names) if labels else texts.index[:0]
    else:
        index = pd.Index(labels, name=names[0], dtype=texts.index.dtype)
    return _frame(mentions, index)
