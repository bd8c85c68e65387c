"""What stands around a match: is it denied, left open, past; of whom is it said, and who says it."""

import re
from dataclasses import dataclass

__all__ = ["Context"]


def _words(text):
    return frozenset(text.split())


_CLITICS = _words("""la lo le les los se me te""")
_OBJECT = _words("""a al contra hacia con sobre de del para""")
_NEW_SUBJECT = _words("""el ella su esta cuenta tiene es fue""")
_LIST_LINKS = _words(
    """o u ni de del haber que otro otra otros otras algun alguna cualquier tipo el los las"""
)
_INFINITIVE = re.compile(r"[a-z]{2,}(ar|er|ir)(la|lo|le|las|los|les|se)?")
_ARTICLES = _words("""la el su una un sus las los dicha dicho""")
_AND = frozenset(("y", "e", ","))
_AFTER_HE = _words("""se la le lo no ya es era esta estaba toma tomaba consume consumia llega llego nunca
    tambien     siempre bebe ingiere niega""")
_ANSWER_MARKS = (":", "?", "=", ")", "(")
_ANSWERS = _words("""no negativo negativa negativos negativas ninguno ninguna ningunos ningunas negado negada
    negados negadas niega nulo nula nunca jamas inexistente inexistentes cero descartado descartada 0 cero""")
_NOT = _words("""no nunca jamas tampoco ni""")
_YES = _words("""si afirmativo afirmativa positivo correcto cierto claro \"""")
_TO_THE_MARK = 4  # words from what is asked to the mark before the answer: "ARMA (DE FUEGO): NO"
_FEMALE = _words("""ebria alcoholizada drogada borracha embriagada adicta drogadicta intoxicada tomada""")
_MALE = _words("""ebrio alcoholizado drogado borracho embriagado adicto drogadicto intoxicado tomado""")
_LINKS = frozenset(("la", "el", "de", "del", "una", "un", "[", "su"))


@dataclass(frozen=True)
class Cue:
    """A word or phrase of the context: tokens `start` to `end` (exclusive)."""

    name: str
    start: int
    end: int


def _longest(cues):
    """The cues that no longer cue of the same list covers."""
    kept = []
    for cue in sorted(cues, key=lambda c: (c.start - c.end, c.start)):
        if not any(k.start <= cue.start and cue.end <= k.end for k in kept):
            kept.append(cue)
    return sorted(kept, key=lambda c: c.start)


class Context:
    """The cues of one text.

    Parameters
    ----------
    text : Text
    found : list of Match
    rules : Rules
    """

    def __init__(self, text, found, rules):
        self.text, self.words, self.reach = text, text.words, rules.reach
        cues = [Cue(m.rule.name, m.start, m.end) for m in found if m.rule.kind == "cue"]
        self.harmless = [c for c in cues if c.name == "not_a_denial"]
        self.unsure = _longest(c for c in cues if c.name == "unsure" and not self._in_harmless(c))
        saying = sorted(m.start for m in found if m.rule.kind == "saying")
        unsaid = [c for c in map(self._unsaid, saying) if c is not None]
        denials = _longest([*(c for c in cues if c.name in ("denies", "not")), *unsaid])
        self.denials = [c for c in denials if not self._is_harmless(c) and not self._in(c, self.unsure)]
        self.after = [c for c in cues if c.name == "after"]
        self.stops = [c for c in cues if c.name == "stops"]
        self.listed = frozenset(c.start for c in cues if c.name == "listed")
        self.past_cues = [c for c in cues if c.name == "past"]
        persons = [Cue(m.rule.name, m.start, m.end) for m in found if m.rule.kind == "person"]
        self.persons = [c for c in _longest(persons) if not self._is_article(c)]
        self.saying = [s for s in saying if not any(c.start <= s < c.end for c in unsaid)]

    def _unsaid(self, saying):
        """A denial that a verb of saying makes with the "no" before it ("no reveló asfixia"), or None."""
        start = saying
        while start and self.words[start - 1] in _CLITICS:
            start -= 1
        if start and self.words[start - 1] in _NOT:
            return Cue("denies", start - 1, saying + 1)
        return None

    # ------------------------------------------------------------------ denied, open, past

    def _in(self, cue, others):
        return any(o.start <= cue.start and cue.end <= o.end for o in others)

    def _is_harmless(self, cue):
        return any(h.start < cue.end and cue.start < h.end and h.start <= cue.start for h in self.harmless)

    def _in_harmless(self, cue):
        """Whether a cue stands in what only looks like one ("no pudo evitar que")."""
        return any(h.start < cue.end and cue.start < h.end for h in self.harmless)

    def is_harmless(self, match):
        """Whether a match that denies begins with what only looks like a denial ("no solo la golpeó")."""
        return any(h.start <= match.start < h.end for h in self.harmless)

    def _same_sentence(self, first, second):
        return self.text.sentence[first] == self.text.sentence[second]

    def _stopped(self, start, end):
        """Whether a stop, a verb of saying or a colon stands between two places."""
        return (
            any(start <= s.start < end for s in self.stops)
            or any(start <= s < end for s in self.saying)
            or ":" in self.words[start:end]
        )

    def _new_statement(self, start, end, match):
        """Whether a denial that reaches over commas ends before a match: a new verb, no list.

        "Niega consumo de alcohol, tabaco y drogas" denies all three.
        """
        places = [place for place in range(start, end) if self.words[place] in _AND]
        for place in places[:-1]:
            following = self.words[place + 1]
            if following in _CLITICS and (following not in _ARTICLES or self._preterite(place + 2)):
                return True
            if following in _NEW_SUBJECT or self._preterite(place + 1):
                return True
        if not places:
            return False
        first = places[-1] + 1
        if self.words[first] in _CLITICS and self.words[first] not in ("los", "las"):
            return True
        while first < match.end - 1 and self.words[first] in _LIST_LINKS:
            first += 1
        return not (first in self.listed or _INFINITIVE.fullmatch(self.words[first]))

    def _preterite(self, place):
        """Whether a word is typed with the accent of "golpeó"."""
        if place >= len(self.words):
            return False
        return self.text.original[: self.text.ends[place]].endswith(("ó", "Ó"))

    def is_broken(self, match):
        """Whether a gap of a match reaches into another denial: "LA QUIERE MATAR, NO TIENE ARMA"."""
        return any(
            cue.name == "denies"
            and match.start < cue.start < match.end
            and self.words[cue.start - 1] == ","
            and not match.rule.pattern.says(self.words[cue.end - 1])
            for cue in self.denials
        )

    def denial(self, match):
        """The cue that denies a match, or None."""
        best = None
        for cue in self.denials:
            if match.start <= cue.start < match.end and not match.rule.pattern.says(self.words[cue.start]):
                return cue
            if cue.start >= match.start or not self._same_sentence(cue.start, match.start):
                continue
            end = min(cue.end, match.start)
            between = self.words[end : match.start]
            if len(between) > self.reach[cue.name] or self._stopped(end, match.start):
                continue
            if cue.name == "denies":
                blocked = self._new_statement(end, match.start, match)
            else:
                ends_in_que = self.words[cue.end - 1] == "que"
                blocked = any(w in _AND or w in ('"', "(", ")") for w in between) or (
                    "que" in between and not ends_in_que
                )
            if not blocked:
                best = cue
        return best or self._denial_after(match)

    def _denial_after(self, match):
        end, words = match.end, self.words
        for mark in range(end, min(end + _TO_THE_MARK, len(words) - 1)):
            if words[mark] in _ANSWER_MARKS:
                # "¿TOMA? NO." is answered; "¿TOMA? NO SABE" is not.
                if words[mark + 1] in _ANSWERS and self._is_answer(mark + 2):
                    return Cue("after", mark, mark + 2)
                if words[mark] not in "()":
                    break
            elif not words[mark].isalpha():
                break
        if (
            end < len(words)
            and words[end] == "no"
            and (end + 1 == len(words) or words[end + 1] in (",", ".", ";"))
        ):
            return Cue("after", end, end + 1)
        for cue in self.after:
            between = words[end : cue.start]
            if (
                cue.start >= end
                and len(between) <= self.reach["after"]
                and self._same_sentence(match.end - 1, cue.start)
                and "pero" not in between
                and (words[cue.end - 1].endswith("s") or not any(w in _AND for w in between))
                and not self._stopped(end, cue.start)
            ):
                return cue
        return None

    def _is_answer(self, place):
        """Whether an answer that ends before a place stands for itself."""
        following = self.words[place] if place < len(self.words) else ""
        return following not in (
            "sabe",
            "se",
            "recuerda",
            "lo",
            "la",
            "es",
            "esta",
            "solo",
            "contesta",
            "responde",
        )

    def is_open(self, match):
        """Whether it is left open if a match is so: "se desconoce si...", or an unanswered question."""
        inside = any(match.start < c.start and c.end < match.end for c in self.unsure)
        return (
            inside
            or self._is_asked(match)
            or any(
                c.end <= match.start
                and match.start - c.end <= self.reach["unsure"]
                and self._same_sentence(c.start, match.start)
                and "," not in self.words[c.end : match.start]
                and not any(c.end <= s.start < match.start for s in self.stops)
                for c in self.unsure
            )
        )

    def _is_asked(self, match):
        """Whether a match stands in a question that is not answered with yes."""
        place = match.end
        while place < len(self.words) and self.text.sentence[place] == self.text.sentence[match.end - 1]:
            if self.words[place] == "?":
                following = self.words[place + 1] if place + 1 < len(self.words) else ""
                return following not in _YES and following not in _ANSWERS
            place += 1
        return False

    def is_past(self, match):
        """Whether words of the past stand in or close to a match."""
        for cue in self.past_cues:
            if cue.start < match.end and match.start < cue.end:
                return True
            near = (cue.end, match.start) if cue.end <= match.start else (match.end, cue.start)
            if (
                near[1] - near[0] <= 5
                and self._same_sentence(cue.start, match.start)
                and not any(w in (",", "y") for w in self.words[near[0] : near[1]])
            ):
                return True
        return False

    # ------------------------------------------------------------------ of whom, by whom

    def _is_article(self, cue):
        """Whether a lone "el" is the article and not "él"."""
        if self.words[cue.start : cue.end] != ("el",):
            return False
        typed = self.text.original[self.text.starts[cue.start] : self.text.ends[cue.start]]
        following = self.words[cue.end] if cue.end < len(self.words) else ""
        return typed.lower() != "él" and following not in _AFTER_HE

    def _is_object(self, cue):
        """Whether a person is what the verb acts on, or whose somebody is."""
        before = tuple(w for w in self.words[max(0, cue.start - 4) : cue.start] if w not in ("[", "]"))[-2:]
        if before and before[-1] in _OBJECT:
            return True
        return len(before) == 2 and before[-1] in _ARTICLES and before[0] in _OBJECT

    def _speaks(self, cue, match):
        """Whether a person only says what is said of another: a verb of saying and "que" part both."""
        near = [s for s in self.saying if s < match.start and min(abs(s - cue.end), abs(cue.start - s)) <= 3]
        return any("que" in self.words[max(s, cue.end - 1) : match.start] for s in near)

    def subject(self, match):
        """Of whom a match is said: "aggressor", "victim", "both" or None when the text does not tell."""
        inside = self.words[match.start : match.end]
        if any(w in _FEMALE for w in inside):
            return "victim"
        if any(w in _MALE for w in inside):
            return "aggressor"
        before = self.words[max(0, match.start - 4) : match.start]
        if "ambos" in before or "ambas" in before:
            return "both"
        for cue in self.persons:
            between = self.words[match.end : cue.start]
            if (
                cue.name in ("victim", "aggressor")
                and match.end <= cue.start <= match.end + 2
                and all(w in _LINKS for w in between)
                and (cue.name == "victim" or not between or between[0] in ("el", "del"))
            ):
                return cue.name
        for cue in reversed(self.persons):
            if cue.end > match.start or cue.name not in ("victim", "aggressor"):
                continue
            if not self._same_sentence(cue.start, match.start):
                break
            if self._is_object(cue) or self._speaks(cue, match):
                continue
            if cue.name == "victim" and any(cue.end <= s.start < match.start for s in self.stops):
                continue  # "la mujer murió, luego se suicidó": the subject has changed
            return cue.name
        return None

    def acts_himself(self, match):
        """False where the words before a match make the victim the one who does it ("ella lo amenazó")."""
        for cue in self.persons:
            if cue.name == "victim" and not self._is_object(cue):
                between = self.words[cue.end : match.start]
                if between in (("lo",), ("los",)) or (
                    not between and self.words[match.start] in ("lo", "los")
                ):
                    return False
        return True

    def speaker(self, match):
        """Who says it: "victim", "aggressor", "third_party", "officer" or None."""
        for saying in reversed([s for s in self.saying if s < match.start]):
            if self.text.sentence[match.start] - self.text.sentence[saying] > 1:
                break
            if self.words[saying].startswith(("observ", "apreci", "percat")):
                return "officer"
            near = [
                c
                for c in self.persons
                if c.end > saying - 5 and c.start <= saying + 3 and c.start < match.start
            ]
            near = [c for c in near if self._same_sentence(c.start, saying) and not self._is_object(c)]
            if near:
                closest = min(near, key=lambda c: c.start - saying if c.start > saying else saying - c.end)
                return closest.name
        return None
