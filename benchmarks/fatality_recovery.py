"""Which effects a comparison with the living recovers from 10, 25 and 100 reviewed cases: known truth.

    python benchmarks/fatality_recovery.py
    python benchmarks/fatality_recovery.py --replicates 20 --json
    python benchmarks/fatality_recovery.py --page docs/fatality_evaluation.md      # into that page

In the population every factor multiplies the rate of lethal events by a known odds ratio. Cases are drawn
from it by their rate, five controls beside each, and each factor is recorded or not: presence more readily
than absence, of cases as of controls. Then the sets are analysed as `riskml fatality analyse` does.
Everything is made up: it says what the method can do, not what is so in any registry.
"""

from dataclasses import dataclass

import numpy as np
from marked_page import run_replicates
from scipy.stats import spearmanr

from riskml.fatality.comparison.exact_conditional import exact_conditional, tables_of_sets
from riskml.fatality.comparison.shrinkage import common_spread, posterior_odds
from riskml.models.priors import load_priors
from riskml.progress import progress
from riskml.validation.multiplicity import false_discovery_rates

CASES, CONTROLS = (10, 25, 100), 5
# [A]: how many of the 41 factors have which odds ratio, beside those of the published priors.
OTHERS = ((7.0, 3), (4.0, 4), (2.0, 4), (1.0, 20))
PREVALENCE = (0.10, 0.20, 0.30)  # [A]: of the factors in turn
UNKNOWN_PRESENT, UNKNOWN_ABSENT = 0.25, 0.45  # [A]


@dataclass(frozen=True)
class World:
    """Which effects are true, and which of them were published: log-odds, and places of the priors."""

    name: str
    truth: np.ndarray
    published: int
    mean: np.ndarray
    sd: np.ndarray

    @classmethod
    def of(cls, name, published_holds):
        priors = load_priors("lethal")
        others = np.repeat(np.log([ratio for ratio, _ in OTHERS]), [n for _, n in OTHERS])
        truth = np.concatenate([priors.mean * published_holds, others])
        return cls(name, truth, len(priors.mean), priors.mean, priors.sd)

    @property
    def groups(self):
        """Factors that are told of together: dict of label -> places."""
        place = np.arange(len(self.truth))
        told = {"published": place[: self.published]}
        for ratio, _ in OTHERS:
            alike = np.isclose(self.truth, np.log(ratio)) & (place >= self.published)
            told[f"{ratio:g}"] = place[alike]
        return told


def drawn(world, cases, rng):
    """Risk sets of a population with these effects: states (rows, factors) with NaN, outcome, sets.

    Factors are independent and rates multiply, so that a case's factors are drawn as a control's, each with
    its odds times its odds ratio: a population without end, of which nobody runs out.
    """
    share = np.resize(PREVALENCE, len(world.truth))
    outcome = np.tile([1] + [0] * CONTROLS, cases)
    odds = share / (1 - share) * np.exp(np.outer(outcome, world.truth))
    state = (rng.random(odds.shape) < odds / (1 + odds)).astype(float)
    hidden = rng.random(state.shape) < np.where(state == 1, UNKNOWN_PRESENT, UNKNOWN_ABSENT)
    return np.where(hidden, np.nan, state), outcome, np.repeat(np.arange(cases), CONTROLS + 1)


def analysed(world, cases, rng):
    """One replicate: for each factor what was found, dict of float arrays; NaN where nothing was."""
    state, outcome, sets = drawn(world, cases, rng)
    found = {}
    for name, exposed in (("recorded", np.where(np.isnan(state), 0.0, state)), ("known", state)):
        exact = [exact_conditional(tables_of_sets(column, outcome, sets)) for column in exposed.T]
        ends = [
            (np.nan, np.nan) if one is None else np.log(np.maximum(one.interval(), 1e-9)) for one in exact
        ]
        found[f"{name}_low"], found[f"{name}_high"] = np.array(ends).T
        p = [np.nan if one is None else one.p_value(mid_p=True) for one in exact]
        found[f"{name}_q"] = false_discovery_rates(p)
    best = [np.nan if one is None else np.log(np.clip(one.estimate, 1e-9, 1e9)) for one in exact]
    new = [one for one in exact[world.published :] if one is not None]
    spread, _ = common_spread(new, sets=cases)
    mean = np.append(world.mean, np.zeros(len(world.truth) - world.published))
    sd = np.append(world.sd, np.full(len(world.truth) - world.published, spread))
    joined = [posterior_odds(*one) for one in zip(exact, mean, sd, strict=True)]
    found["estimate"] = np.array(best)
    for name in ("odds_ratio", "low", "high"):
        found[f"posterior_{name}"] = np.log([getattr(one, name) for one in joined])
    return found


def _beside(low, high, truth):
    """Whether an interval leaves out no effect, on the side of the truth, or at all where there is none."""
    above, below = low > 0, high < 0
    return np.where(truth > 0, above, np.where(truth < 0, below, above | below))


def judged(world, found):
    """What one replicate recovered: dict of measure -> float array (factors,)."""
    truth = world.truth
    posterior = found["posterior_low"], found["posterior_high"]
    return {
        "recorded": _beside(found["recorded_low"], found["recorded_high"], truth),
        "known": _beside(found["known_low"], found["known_high"], truth),
        "q": found["known_q"] < 0.05,
        "posterior": _beside(*posterior, truth),
        "sign": np.where(truth == 0, np.nan, np.sign(found["posterior_odds_ratio"]) == np.sign(truth)),
        "exact_holds": np.where(
            np.isnan(found["known_low"]),
            np.nan,
            (found["known_low"] <= truth) & (truth <= found["known_high"]),
        ),
        "posterior_holds": (posterior[0] <= truth) & (truth <= posterior[1]),
    }


def _ranked(estimate, truth):
    """Rank correlation with the truth; what could not be estimated stands at no effect."""
    estimate = np.nan_to_num(estimate)
    return spearmanr(estimate, truth).statistic if np.ptp(estimate) else 0.0


def recovery(replicates, seed):
    """Every world at every number of cases: dict."""
    worlds = (World.of("holds", 1.0), World.of("fails", 0.0))
    rows, ranks = [], []
    with progress("recovery", total=len(worlds) * len(CASES) * replicates) as step:
        for number, world in enumerate(worlds):
            for cases in CASES:
                rng = np.random.default_rng([seed, number, cases])
                each, order = [], []
                for _ in range(replicates):
                    found = analysed(world, cases, rng)
                    each.append(judged(world, found))
                    order.append(
                        [_ranked(found[k], world.truth) for k in ("estimate", "posterior_odds_ratio")]
                    )
                    step()
                for label, places in world.groups.items():
                    rows.append(_row(world, cases, label, places, each))
                exact, posterior = np.mean(order, axis=0)
                ranks.append({"world": world.name, "cases": cases, "exact": exact, "posterior": posterior})
    return {"replicates": replicates, "seed": seed, "rows": rows, "ranks": ranks}


def _row(world, cases, label, places, each):
    measures = {}
    for name in each[0]:
        of_factor = np.array([one[name][places] for one in each], dtype=float)
        known = ~np.isnan(of_factor)
        measures[name] = float(of_factor[known].mean()) if known.any() else None
        # Factors of one replicate share their cases: the replicate is the unit.
        means = [row[k].mean() for row, k in zip(of_factor, known, strict=True) if k.any()]
        measures[f"{name}_error"] = float(1.96 * np.std(means) / np.sqrt(len(means))) if means else None
    return {"world": world.name, "cases": cases, "group": label, "factors": len(places), **measures}


def _share(row, name):
    return "-" if row[name] is None else f"{100 * row[name]:.0f}"


_TITLES = ("cases", "true odds ratio", "factors", "recorded", "known", "q", "posterior", "sign")
_TITLES += ("exact holds", "posterior holds")
_COLUMNS = ("recorded", "known", "q", "posterior", "sign", "exact_holds", "posterior_holds")


def _header(titles):
    return f"| {' | '.join(titles)} |\n|{' --- |' * len(titles)}"


def page(result):
    """The section of the page: str."""
    error = max(row[f"{name}_error"] or 0 for row in result["rows"] for name in _COLUMNS)
    factors, published = len(World.of("holds", 1.0).truth), World.of("holds", 1.0).published
    lines = [
        "",
        "### Which effects are recovered from 10, 25 and 100 cases (simulated, known truth)",
        "",
        "`python benchmarks/fatality_recovery.py --page docs/fatality_evaluation.md`: "
        f"{result['replicates']} replicates of each row, seed {result['seed']}; {CONTROLS} controls for each "
        f"case; {factors} factors, independent of each other, present in "
        f"{', '.join(f'{100 * p:.0f}' for p in PREVALENCE)} % of the population in turn; unknown of "
        f"{100 * UNKNOWN_PRESENT:.0f} % of those who have one and of {100 * UNKNOWN_ABSENT:.0f} % of those "
        "who do not, cases and controls alike. All of it is assumed [A]. Shares are per cent of factors and "
        f"replicates, to within {100 * error:.0f} points or less (95 %, the replicate as unit). *Published*: "
        f"the {published} factors of `models/priors/lethal.yml`, whose priors are used.",
        "",
        "- *recorded*, *known*: the exact 95 % interval of that reading leaves out 1, on the side of the "
        "truth (of factors without effect: on either side, wrongly).",
        "- *q*: q below 0.05 among all factors (known). *posterior*: its interval leaves out 1, likewise. "
        "*sign*: the posterior is on the right side of 1.",
        "- *holds*: the interval holds the true odds ratio (exact, known; posterior).",
    ]
    for world, title in (
        ("holds", "The published figures are true here"),
        ("fails", "The published factors have no effect here: their priors mislead"),
    ):
        lines += ["", f"**{title}**", "", _header(_TITLES)]
        for row in result["rows"]:
            if row["world"] == world:
                label = row["group"]
                if label == "published":
                    label = "published" if world == "holds" else "1, published otherwise"
                shown = " | ".join(_share(row, name) for name in _COLUMNS)
                lines.append(f"| {row['cases']} | {label} | {row['factors']} | {shown} |")
    lines += [
        "",
        "Mean rank correlation of estimated and true odds ratios over all factors:",
        "",
        _header(("cases", "published figures", "exact, known", "posterior")),
    ]
    for row in result["ranks"]:
        held = "true" if row["world"] == "holds" else "no effect"
        lines.append(f"| {row['cases']} | {held} | {row['exact']:.2f} | {row['posterior']:.2f} |")
    return "\n".join([*lines, "", *_read(result["rows"]), ""])


def _read(rows):
    """What the tables say, in sentences with their figures: list of str."""

    def of(world, cases, group, name):
        row = next(r for r in rows if (r["world"], r["cases"], r["group"]) == (world, cases, group))
        return f"{_share(row, name)} %"

    shown = "; ".join(
        f"with {cases} cases " + ", ".join(of("holds", cases, ratio, "known") for ratio in ("7", "4", "2"))
        for cases in CASES
    )
    few, many = CASES[0], CASES[-1]
    wrongly = of("holds", many, "1", "known"), of("holds", many, "1", "q")
    misled = [of("fails", cases, "published", "posterior") for cases in (few, many)]
    beside = [of("fails", cases, "published", "known") for cases in (few, many)]
    return [
        f"- **What the data alone show**, of the factors whose odds ratio is 7, 4 and 2: {shown}. Of the "
        f"factors without effect the exact interval leaves out 1 in {wrongly[0]} with {many} cases; "
        f"{wrongly[1]} have a q below 0.05.",
        "- **With few cases the posterior of a published factor repeats what was published.** Where the "
        f"published figures are wrong, its interval still leaves out 1 in {misled[0]} with {few} cases and "
        f"in {misled[1]} with {many}; the exact interval beside it in {beside[0]} and {beside[1]}. That is "
        "why prior, data and posterior are shown side by side, with the share that came from the data.",
        "- **Shrinkage is paid for by what stands far out.** The common prior is right on average over "
        "factors, not for each: of the few factors of odds ratio 7 its interval holds the truth less often.",
        "- A q below 0.05 is a strict bar for ten cases: what fails it is not shown to be without effect.",
    ]


if __name__ == "__main__":
    run_replicates(__file__, __doc__.splitlines()[0], recovery, page)
