"""Which readings of a narrative state a factor of the case: what becomes a factor row of a history."""

from functools import lru_cache

from riskml.narratives.crew import Crew
from riskml.narratives.reading import chosen

__all__ = ["StatedFactors", "stated"]


def stated(mentions, rules):
    """The factors that a narrative states of the situation that it reports.

    - Of the present: a mention of the past ("la había golpeado antes") states nothing, except for factors
      that are themselves about the past (`prior_...`).
    - Present, whoever says it; but what the aggressor says of the victim (her drinking, her suicide attempts)
      states nothing.
    - Denied, where the victim, an officer or nobody in particular denies it, and the same narrative nowhere
      says it: neither the aggressor's nor a neighbour's denial states anything.
    - The victim's drinking and suicide attempts are factors of their own and become rows of their own.

    Parameters
    ----------
    mentions : list of Mention    all of one narrative
    rules : Rules

    Returns
    -------
    list of Mention    one for each factor stated
    """
    said = {m.factor for m in mentions if m.state == "present"}
    return chosen(m for m in mentions if _states(m, said, rules))


def _states(mention, said, rules):
    if mention.when == "past" and not mention.factor.startswith("prior_"):
        return False
    if mention.state == "denied":
        return mention.factor not in said and mention.reported_by in (None, "victim", "officer")
    of_victim = mention.factor in rules.of_victim.values()
    return not (of_victim and mention.reported_by == "aggressor")


def _read(reader, text):
    if not text:
        return []
    return [(m.factor, m.state, m.quote) for m in stated(reader.mentions(text), reader.rules)]


class StatedFactors:
    """Reads narratives for a history: what `take_history(read=...)` wants.

    Parameters
    ----------
    rules : Rules
    processes : int or None    None: as many as there are processors
    """

    def __init__(self, rules, processes=None):
        self.rules, self.hash = rules, rules.hash
        self._processes, self._crew = processes, None
        self._stems = tuple(rules.stems)
        self.may_show = lru_cache(maxsize=100_000)(self._may_show)

    def _may_show(self, word):
        return word in self.rules.words or word.startswith(self._stems)

    def __enter__(self):
        self._crew = Crew(self.rules, self._processes)
        return self

    def __exit__(self, *raised):
        crew, self._crew = self._crew, None
        return crew.__exit__(*raised)

    def __call__(self, texts, advance):
        """Read texts, in parts: for each its (factor, state, quote); `registry.narrated` says more."""
        for part in self._crew.parts(_read, texts):
            yield part
            advance(len(part))
