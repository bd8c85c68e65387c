"""Proposals of critical patterns: those that stand written and those that a search finds, judged alike."""

from functools import partial

import numpy as np

from riskml.errors import RiskmlError
from riskml.fatality.patterns.case_facts import RegistryPart, case_facts
from riskml.fatality.patterns.held_out import EACH_UP_TO, FOLDS, held_out
from riskml.fatality.patterns.living_flags import living_cases
from riskml.fatality.patterns.pattern_rows import Flags, codes_of, pattern_row, share, tradeoff
from riskml.fatality.patterns.search import SUPPORT, search
from riskml.features.factor_states import PRESENT, UNKNOWN, factor_states, state_codes
from riskml.features.formulas import named_columns
from riskml.messages import LANGUAGES, in_every_language, message
from riskml.models.bundle import plain
from riskml.models.critical import CriticalPattern, CriticalPatterns
from riskml.outcomes.facts import aggressor_codes
from riskml.outcomes.timeline import moment_us
from riskml.progress import progress
from riskml.scoring.score import no_open_case
from riskml.vocabulary import OUTCOME_KINDS

__all__ = ["FORMAT", "NEW_PRESPECIFIED", "condition_of", "label_of", "members_of", "propose"]

FORMAT = "riskml fatality patterns 1"
NEW_PRESPECIFIED = 5  # proposals written down beforehand that are judged at a time (EVIDENCE 6.5)
_RECORDED = 0.01  # of the living of whom the registry has to know a factor, for it to be compared at all
_FRONT = 15  # of the front that are shown, evenly spaced with both its ends
_RESPONSE = "response"  # what institutions did is no risk of the person
_STEPS = 3


def propose(
    reviews, history, catalogue, patterns, *, as_of=None, cap=5000, seed=0, earlier=None, language="es"
):
    """Propose critical patterns, each with what it catches and what it asks.

    Parameters
    ----------
    reviews : Reviews
    history : History
    catalogue : Catalogue
    patterns : CriticalPatterns    those that stand written; rejected ones are not judged again
    as_of : Timestamp or None      of the living cases; None: the end of observation
    cap : int                      combinations that the search looks at, at most
    seed : int                     of the folds, where more than 100 cases are left out by tenths
    earlier : dict of hash -> Reviews
        reviews in which standing patterns were found (`defined_in`); where one is not given, nobody can tell
        which cases are others, and the pattern is judged on none
    language : str                 of the progress bar

    Returns
    -------
    dict    docs/levels.md lists its keys

    Raises
    ------
    RiskmlError    no femicide and no attempt among the reviews, no open case, a factor without a column
    """
    as_of = history.observed_until if as_of is None else as_of
    cases = reviews.cases[reviews.cases["kind"].isin(OUTCOME_KINDS).to_numpy()]
    if not len(cases):
        raise RiskmlError(
            f"no femicide and no attempt among {len(reviews)} reviewed cases",
            where="reviews",
            mend="`riskml fatality load` reads more of them.",
        )
    standing, waiting = _standing(patterns)
    asked = {code for name in standing for code in codes_of(patterns.patterns[name])}
    searchable = _searchable(catalogue)
    part_of = partial(_part, history, catalogue, [patterns.patterns[name] for name in standing])
    with progress(message("fatality_criteria.proposing", language), total=_STEPS) as step:
        of_cases = part_of(dict.fromkeys((*searchable, *asked)))
        facts = case_facts(reviews, cases, of_cases)
        shown = factor_states(facts.before, searchable) == PRESENT
        codes = [code for code, n in zip(searchable, shown.sum(axis=0), strict=True) if n >= SUPPORT]
        step()
        linked = cases["case_id"].dropna()
        living = living_cases(part_of(dict.fromkeys((*codes, *asked))), as_of, without=linked)
        if not len(living.today):
            raise no_open_case(history, as_of)
        step()
        known = (factor_states(living.today, codes) != UNKNOWN).mean(axis=0) >= _RECORDED
        not_recorded = [code for code, enough in zip(codes, known, strict=True) if not enough]
        codes = [code for code, enough in zip(codes, known, strict=True) if enough]
        present = factor_states(facts.before, codes) == PRESENT
        alive = factor_states(living.today, codes) == PRESENT
        found = search(present, alive, cap=cap)
        groups = _aggressors(of_cases, cases)
        apart = held_out(present, alive, cap=cap, groups=groups, seed=seed)
        step()
    named = _named(found, codes, patterns, catalogue.factors)
    judged = CriticalPatterns(
        patterns.version,
        {name: patterns.patterns[name] for name in standing}
        | {name: pattern for name, pattern, _ in named.values() if name not in standing},
    ).on(catalogue)
    flags = Flags(judged, living)
    excluded = _excluded(facts.cases, judged, earlier or {})
    rows = [
        pattern_row(
            name, "prespecified", judged, facts, flags, patterns.patterns[name].status, excluded[name]
        )
        for name in standing
    ]
    for combination in _shown(found):
        name, _, status = named[combination]
        if name in standing:
            continue  # stands written: it has its row
        row = pattern_row(name, "searched", judged, facts, flags, status, np.zeros(len(facts.cases), bool))
        row["left_out"] = share(apart.catches(combination, present).sum(), len(present))
        rows.append(row)
    selected = [named[c][0] for c in found.selected]
    caught = np.zeros(len(present), bool)
    for combination in found.selected:
        caught |= combination.holds(present)
    return plain(
        {
            "format": FORMAT,
            "reviews": reviews.hash,
            "history": history.hash,
            "synthetic": bool(reviews.about.get("synthetic", False)),
            "synthetic_history": bool(history.manifest.get("synthetic", False)),
            "as_of": f"{as_of:%Y-%m-%dT%H:%M}",
            "cases": len(cases),
            "other_kinds": len(reviews.cases) - len(cases),
            "in_registry": int(facts.in_registry.sum()),
            "cap": cap,
            "support": SUPPORT,
            "factors_combined": [codes[place] for place in found.pool],
            "not_recorded": not_recorded,
            "searched": found.searched,
            "front": len(found.front),
            "kept": sum(row["origin"] == "searched" for row in rows),
            "prespecified": len(standing),
            "not_judged": waiting,
            "folds": apart.folds,
            "seed": seed,
            "patterns_version": patterns.version,
            "selected": {
                "patterns": selected,
                "caught": share(caught.sum(), len(present)),
                "left_out": share(apart.caught.sum(), len(present)),
            },
            "words": _words(cases, facts, found, apart, len(living.today), (codes, not_recorded), waiting),
            "rows": rows,
            "tradeoff": tradeoff(selected, judged, facts, flags),
        }
    )


def _aggressors(part, cases):
    """A number for each case's aggressor, as the registry tells them apart; its own where it does not."""
    place = part.ids.get_indexer(cases["case_id"])
    until = moment_us(part.history.observed_until)
    codes = np.append(aggressor_codes(part.history, part.ids, until), -1)[place]
    return np.where(place >= 0, codes, -1 - np.arange(len(cases)))


def condition_of(combination, codes):
    """A combination as `models/critical.yml` writes it: dict."""
    named = [codes[place] for place in combination.factors]
    if combination.wanted == len(named):
        return {"all_of": named}
    return {"at_least": combination.wanted, "of": named}


def members_of(when):
    """What a condition counts, as `models/critical.yml` writes it; nothing where it is a formula: list."""
    return when.get("all_of") or when.get("any_of") or when.get("of") or []


def label_of(when, factors):
    """Words of a condition of factors, from their labels: dict of language -> str."""
    words = {}
    for language in LANGUAGES:
        labels = [factors[code].label[language] for code in members_of(when)]
        if "all_of" in when:
            words[language] = " + ".join(labels)
        else:
            words[language] = message(
                "fatality_criteria.label_at_least",
                language,
                wanted=when.get("at_least", 1),
                of="; ".join(labels),
            )
    return words


def _standing(patterns):
    """The written patterns that are judged, and the proposals beyond the first five: two lists of ids."""
    judged, waiting, new = [], [], 0
    for name, pattern in patterns.patterns.items():
        if pattern.status == "rejected":
            continue
        beforehand = pattern.status == "proposed" and not pattern.defined_in
        new += beforehand
        (waiting if beforehand and new > NEW_PRESPECIFIED else judged).append(name)
    return judged, waiting


def _searchable(catalogue):
    """Factors that are combined: those with a column of their state that are no response, in order."""
    states = set(state_codes(catalogue))
    return [f.code for f in catalogue.factors if f.dimension != _RESPONSE and f.code in states]


def _part(history, catalogue, patterns, codes):
    """The part of the registry that some factors and the patterns' formulas read: RegistryPart."""
    named = [
        name
        for pattern in patterns
        for kind, text in pattern.when.leaves()
        if kind == "formula"
        for name in named_columns(text)
    ]
    always = [c.name for c in catalogue.columns if c.name == "relationship"]
    return RegistryPart(history, catalogue.part(*codes, *named, *always), codes)


def _shown(found):
    """What of a search is shown: of a long front, some evenly spaced, and all of the set."""
    places = np.unique(np.linspace(0, len(found.front) - 1, _FRONT).round().astype(int))
    front = found.front if len(found.front) <= _FRONT else [found.front[p] for p in places]
    return tuple(dict.fromkeys((*front, *found.selected)))


def _named(found, codes, patterns, factors):
    """Each kept combination with its id, pattern and status; one that stands written keeps its own."""
    written = {
        _canonical(p.when.model_dump(exclude_none=True)): (name, p, p.status)
        for name, p in patterns.patterns.items()
        if not p.relationships
    }
    named, taken = {}, set(patterns.patterns)
    for combination in found.kept:
        when = condition_of(combination, codes)
        if _canonical(when) in written:
            named[combination] = written[_canonical(when)]
            continue
        name = "_and_".join(when["all_of"]) if "all_of" in when else f"two_of_{'_'.join(when['of'])}"
        while name in taken:
            name += "_searched"
        taken.add(name)
        named[combination] = (name, CriticalPattern(label=label_of(when, factors), when=when), "new")
    return named


def _canonical(when):
    """A condition of plain factors in an order that does not matter; others as they are written."""
    members = members_of(when)
    if members and all(isinstance(member, str) for member in members):
        wanted = 1 if when.get("any_of") else when.get("at_least", len(members))
        return frozenset(members), wanted
    return repr(when)


def _excluded(cases, judged, earlier):
    """Of each pattern, the cases that it may not be validated on: dict of id -> bool array."""
    found = {}
    for name, pattern in judged.patterns.items():
        excluded = (cases["defined_critical"] == "yes").to_numpy(bool)
        for reviews in pattern.defined_in:
            if reviews not in earlier:
                excluded = np.ones(len(cases), bool)
                continue
            before = earlier[reviews].cases
            same = cases["review_id"].isin(before["review_id"])
            same |= cases["case_id"].isin(before["case_id"].dropna())
            excluded = excluded | same.to_numpy(bool)
        found[name] = excluded
    return found


def _words(cases, facts, found, apart, living, able, waiting):
    codes, not_recorded = able

    def said(name, **fields):
        key = f"fatality_criteria.{name}"
        return in_every_language(key, **fields)

    tenths = len(cases) > EACH_UP_TO and apart.folds == FOLDS
    several = "left_out_tenths" if tenths else "left_out_each"
    words = [
        said("known_before", cases=len(cases), linked=int(facts.in_registry.sum())),
        said(
            "searched", searched=f"{found.searched:,}", pool=len(found.pool), able=len(codes), support=SUPPORT
        ),
        said(several, folds=apart.folds),
        said("living", living=f"{living:,}"),
        said("never_validated"),
    ]
    if not_recorded:
        words.append(said("not_recorded", count=len(not_recorded), least=f"{100 * _RECORDED:g}"))
    if waiting:
        words.append(said("waiting", count=len(waiting), most=NEW_PRESPECIFIED))
    return words
