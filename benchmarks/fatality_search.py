"""What searched patterns are worth for other cases: known truth, 10, 25 and 100 reviewed cases.

    python benchmarks/fatality_search.py
    python benchmarks/fatality_search.py --replicates 10 --json
    python benchmarks/fatality_search.py --page docs/fatality_evaluation.md      # into that page

Reviewed cases, other cases and living cases are drawn from the population of `fatality_recovery.py`, and of
one in which no factor has any effect. `riskml fatality criteria propose` searches the reviewed ones; its set
is then held against cases that nobody reviewed. Everything is made up: it says what the method can do.
"""

import numpy as np
from fatality_recovery import CASES, PREVALENCE, UNKNOWN_PRESENT, World
from marked_page import run_replicates

from riskml.fatality.patterns.held_out import held_out
from riskml.fatality.patterns.search import search, triple_counts
from riskml.progress import progress

LIVING, OTHERS = 4000, 2000
CAP = 5000  # as `riskml fatality criteria propose` has it
MEASURES = ("patterns", "reviewed", "left_out", "others", "living")
TITLES = ("cases", "patterns", "reviewed %", "left out %", "other cases %", "living %", "others : living")


def shown(log_odds, people, rng):
    """Who is known to show what: bool array (people, factors). A factor that is not recorded is not shown."""
    share = np.resize(PREVALENCE, len(log_odds))
    odds = share / (1 - share) * np.exp(log_odds)
    known = rng.random((people, len(log_odds))) >= UNKNOWN_PRESENT
    return known & (rng.random(known.shape) < odds / (1 + odds))


def searched(log_odds, cases, rng):
    """One replicate: dict of MEASURES -> number of patterns, and shares that the set catches or flags."""
    reviewed, others = (shown(log_odds, people, rng) for people in (cases, OTHERS))
    living = shown(np.zeros(len(log_odds)), LIVING, rng)
    found = search(reviewed, living, cap=CAP, living_counts=triple_counts(living))

    def share(people):
        held = [combination.holds(people) for combination in found.selected]
        return np.any(held, axis=0).mean() if held else 0.0

    return {
        "patterns": len(found.selected),
        "reviewed": share(reviewed),
        "left_out": held_out(reviewed, living, cap=CAP).caught.mean(),
        "others": share(others),
        "living": share(living),
    }


def results(replicates, seed):
    """Both worlds at every number of cases: dict."""
    real = World.of("holds", 1.0).truth
    worlds = {"as published and assumed": real, "no factor has any effect": np.zeros(len(real))}
    rows = []
    with progress("search", total=len(worlds) * len(CASES) * replicates) as step:
        for number, (name, log_odds) in enumerate(worlds.items()):
            for cases in CASES:
                rng = np.random.default_rng([seed, number, cases])
                each = []
                for _ in range(replicates):
                    each.append([searched(log_odds, cases, rng)[measure] for measure in MEASURES])
                    step()
                mean = dict(zip(MEASURES, np.mean(each, axis=0).tolist(), strict=True))
                error = 1.96 * np.std(each, axis=0, ddof=1) / np.sqrt(replicates)
                errors = {f"{m}_error": e for m, e in zip(MEASURES, error.tolist(), strict=True)}
                rows.append({"world": name, "cases": cases, **mean, **errors})
    return {"replicates": replicates, "seed": seed, "factors": len(real), "rows": rows}


def _percent(row, measure):
    return f"{100 * row[measure]:.1f} ± {100 * row[f'{measure}_error']:.1f}"


def page(found):
    """The section of the page: str."""
    lines = [
        "`python benchmarks/fatality_search.py --page docs/fatality_evaluation.md`: "
        f"{found['replicates']} replicates of each row, seed {found['seed']}; the population above, "
        f"{found['factors']} factors, at most {CAP:,} combinations; means with ± 1.96 standard errors of the "
        "mean. *Patterns*: in the chosen set. *Reviewed*: share of the reviewed cases that the set catches. "
        "*Left out*: the same with search and choice repeated without each case. *Other cases*: of "
        f"{OTHERS:,} that nobody reviewed. *Living*: of {LIVING:,} who are flagged.",
    ]
    for world in dict.fromkeys(row["world"] for row in found["rows"]):
        lines += ["", f"**{world[0].upper()}{world[1:]}**", ""]
        lines += [f"| {' | '.join(TITLES)} |", "|" + " --- |" * len(TITLES)]
        for row in found["rows"]:
            if row["world"] == world:
                shares = " | ".join(_percent(row, measure) for measure in MEASURES[1:])
                ratio = f"{row['others'] / row['living']:.1f}" if row["living"] else "-"
                lines.append(f"| {row['cases']} | {row['patterns']:.1f} | {shares} | {ratio} |")
    return "\n".join(lines)


if __name__ == "__main__":
    run_replicates(__file__, __doc__.splitlines()[0], results, page)
