"""What was found where, as one offline HTML page. It holds the narratives: keep it where they may be read."""

from importlib.resources import files
from itertools import pairwise

from jinja2 import Environment

from riskml.messages import check_language, message
from riskml.narratives.stated import stated

__all__ = ["check_page", "segments", "words_of"]

_PAGE_WORDS = (
    "title",
    "caution",
    "factor",
    "state",
    "about",
    "reported_by",
    "when",
    "enters",
    "quote",
    "rule",
    "nothing",
    "legend",
    "present",
    "denied",
    "enters_note",
)


def segments(text, mentions):
    """A text cut where mentions begin and end.

    Parameters
    ----------
    text : str
    mentions : list of Mention

    Returns
    -------
    list of (str, list of Mention)    the pieces in order, each with the mentions it is part of
    """
    cuts = sorted({0, len(text), *(m.start for m in mentions), *(m.end for m in mentions)})
    pieces = []
    for start, end in pairwise(cuts):
        pieces.append((text[start:end], [m for m in mentions if m.start <= start and end <= m.end]))
    return pieces


def words_of(mention, enters, factors, language):
    """A mention in the analyst's words: dict.

    Parameters
    ----------
    mention : Mention
    enters : bool    whether it becomes a factor row of a history
    factors : FactorVocabulary
    language : str
    """
    return {
        "label": factors[mention.factor].label[language],
        "entering": enters,
        "enters": message(f"narratives.enters_{'yes' if enters else 'no'}", language),
        "state": mention.state,
        "state_words": message(f"narratives.{mention.state}", language),
        "about": message(f"narratives.about_{mention.about}", language),
        "by": message(f"narratives.by_{mention.reported_by or 'nobody'}", language),
        "when": message(f"narratives.{mention.when}", language),
        "quote": mention.quote,
        "rule": mention.rule,
    }


def check_page(narratives, rules, *, language="es"):
    """Render the page.

    Parameters
    ----------
    narratives : list of (str, str, list of Mention)    name, text and mentions of each narrative
    rules : Rules
    language : str

    Returns
    -------
    str    HTML; every word of a narrative is escaped
    """
    check_language(language)
    factors, shown = rules.factors, []
    for name, text, mentions in narratives:
        pieces = []
        for piece, over in segments(text, mentions):
            states = {m.state for m in over}
            state = "present" if "present" in states else "denied" if states else ""
            title = "; ".join(
                f"{factors[m.factor].label[language]}: {message(f'narratives.{m.state}', language)}"
                for m in over
            )
            pieces.append({"text": piece, "state": state, "title": title})
        entering = stated(mentions, rules)
        rows = [words_of(m, m in entering, factors, language) for m in mentions]
        shown.append({"name": name, "pieces": pieces, "rows": rows})
    words = {name: message(f"narratives.{name}", language) for name in _PAGE_WORDS}
    template = (files("riskml.narratives") / "page.html.j2").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(template).render(language=language, narratives=shown, words=words)
