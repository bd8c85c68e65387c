"""Two public tables of femicides through the commands' own code, beside what others have published.

    python benchmarks/fatality_evaluation.py --data DIR                                     # the figures
    python benchmarks/fatality_evaluation.py --data DIR --json                              # for programs
    python benchmarks/fatality_evaluation.py --data DIR --page docs/fatality_evaluation.md  # into the page

`DIR` holds spain_2003_2017.csv and chile_2010_2024.csv; they are no part of this repository, and no row and
no word of them is written anywhere. Mappings: fatality_spain.yml and fatality_chile.yml, beside this file.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from marked_page import rewrite

from riskml.fatality.coding.loading import load_reviews
from riskml.fatality.coding.mapping import about_mapping, mapped_narratives, read_mapped
from riskml.fatality.findings.earlier import earlier
from riskml.fatality.findings.item_counts import item_rows
from riskml.fatality.findings.prevalence import counted, prevalence, share, states_by_clock
from riskml.features.catalogue import load_catalogue
from riskml.features.factor_states import DENIED, PRESENT, UNKNOWN
from riskml.features.review_items import load_review_items
from riskml.models.bundle import plain

HERE = Path(__file__).parent
FEATURES = HERE.parent / "features"
TABLES = {"spain": "spain_2003_2017.csv", "chile": "chile_2010_2024.csv"}
OFFICIAL_YEARS = ("2006", "2017")  # of 2006 to 2019, what the table has
# Of what narratives say, what can only have been before the event.
SUGGESTED = ("prior_complaint", "prior_measure", "death_threat", "separation")


def mapped(name, data, vocabulary):
    """One table as reviews, and what became of its rows: (Reviews, dict)."""
    mapping = HERE / f"fatality_{name}.yml"
    sheets, rejected = read_mapped(Path(data) / TABLES[name], mapping, vocabulary)
    why = rejected["why"].value_counts()
    rows = {
        "rows": sheets["cases"]["source_row"].nunique() + len(rejected),
        "taken": sheets["cases"]["source_row"].nunique(),
        "left_out": int(why.get("left_out", 0)),
        "rejected": int(why.get("rejected", 0)),
        "cases": len(sheets["cases"]),
    }
    return load_reviews(sheets, about=about_mapping(mapping)).reviews, rows


def official(reviews):
    """Spain's share with an earlier report in the years of the official figure, as decided and otherwise."""
    years = reviews.cases["event_on"].dt.strftime("%Y").between(*OFFICIAL_YEARS)
    answers = reviews.cases.loc[years, "earlier_report"].map({"yes": PRESENT, "no": DENIED}).fillna(UNKNOWN)
    every = reviews.cases["earlier_report"].eq("yes")
    return {
        "years": counted(answers.to_numpy(np.int8), ("yes", "no", "unknown")),
        # What one gets who takes unknown for "no".
        "unknown_as_no": share(every.sum(), len(reviews)),
    }


def suggested(name, data, reviews):
    """What narratives suggest was there before: at least so many cases, none of it checked by a person."""
    from riskml.narratives.reading import read_narratives

    texts = mapped_narratives(Path(data) / TABLES[name], HERE / f"fatality_{name}.yml")
    found = read_narratives(texts.set_index("review_id")["narrative"], processes=1)
    found = found[found["state"] == "present"]
    unknown = set(reviews.cases.loc[reviews.cases["earlier_report"] == "unknown", "review_id"])
    told = set(found.index[found["factor"].isin(("prior_complaint", "prior_measure"))])
    return {
        "texts": len(texts),
        "rows": [
            {"factor": code} | share(found.index[found["factor"] == code].nunique(), len(reviews))
            for code in SUGGESTED
        ],
        "unknown_told": share(len(unknown & told), len(unknown)),
    }


def evaluated(data):
    """All figures: dict, plain JSON."""
    catalogue = load_catalogue(FEATURES)
    items = load_review_items(FEATURES / "factors.yml", catalogue)
    codes, found = catalogue.factors.codes, {}
    for name in TABLES:
        reviews, rows = mapped(name, data, catalogue.factors)
        clocks = states_by_clock(reviews, codes)
        of_items, _ = item_rows(clocks, reviews, codes, items)
        found[name] = {
            "rows": rows,
            "earlier": [row for row in earlier(reviews) if row["known"]],
            # Spans of ten years leave most couples open, and those that they decide are not like the rest.
            "items": [row for row in of_items if row["item"] in (3, 4)] if name == "chile" else [],
            "ex_partner": share(reviews.cases["relationship"].eq("ex-partner").sum(), len(reviews)),
            "factors": [row for row in prevalence(clocks, catalogue.factors) if row["known"]],
        }
        if name == "spain":
            found[name]["official"] = official(reviews)
        else:
            found[name]["suggested"] = suggested(name, data, reviews)
    return plain(found)


def percent(value):
    return "not estimable" if value is None else f"{100 * value:.1f}"


def interval(row):
    """n/N and the share with its interval, for two cells of a table."""
    if "of" in row:
        n, of = row["n"], row["of"]
    else:
        n, of = row.get("yes", row.get("present")), row["known"]
        if row["share"] is None:
            return f"{n}/{of} | not estimable"
        if row["only_present"]:
            return f'{n}/{of} | never said "no"'
    return f"{n}/{of} | {percent(row['share'])} ({percent(row['low'])}-{percent(row['high'])})"


def bounds(row):
    """Lowest and highest share of all cases, with the outer ends of their intervals."""
    low, high = percent(row["bound_low"]), percent(row["bound_high"])
    return f"{low}-{high} ({percent(row['bound_low_low'])}-{percent(row['bound_high_high'])})"


def table(heading, rows):
    head = f"| {' | '.join(heading)} |\n|{' --- |' * len(heading)}\n"
    return head + "".join(f"| {row} |\n" for row in rows)


_HEADING = ("unknown", "n/N known", "% of known (95 %)", "% of all: bounds (outer 95 %)")
_FIELDS = {
    "earlier_report": "earlier report",
    "measure_in_force": "measure in force",
    "living_together": "living together",
    "homicide_suicide": "homicide-suicide",
}
_REPORTED = (
    "Spain 26.1 % had complained [S:19]; Thames Valley 45 % any police contact [S:17]; Suffolk, gravest "
    "harm: more than half without an earlier contact [S:18]"
)
_SEPARATED = "Ontario 67 % actual or pending separation [S:9]"
_ITEMS = {3: "young couple (both 15 to 24)", 4: "nine or more years between them (couples)"}


def _counted(label, row):
    return f"{label} | {row['unknown']} | {interval(row)} | {bounds(row)}"


def _country(name, found):
    rows, title = found["rows"], {"spain": "Spain, 2003-2017", "chile": "Chile, 2010-2024"}[name]
    yield f"### {title}\n"
    yield (
        f"{rows['rows']} rows: {rows['taken']} taken as {rows['cases']} cases, {rows['left_out']} left out "
        f"by the mapping's stated filter, {rows['rejected']} rejected.\n"
    )
    lines = [_counted(_FIELDS[row["field"]], row) for row in found["earlier"]]
    lines += [_counted(_ITEMS[row["item"]], row) for row in found["items"]]
    lines += [_counted(row["label"]["en"].lower(), row) for row in found["factors"]]
    yield table(("what", *_HEADING), lines)
    for row in found["earlier"]:
        if row["field"] not in ("earlier_report", "measure_in_force"):
            continue
        for by in ("relationship", "year"):
            yield f"{_FIELDS[row['field']].capitalize()}, by {by}:\n"
            groups = [_counted(group["group"], group) for group in row["by"] if group["by"] == by]
            yield table((by, *_HEADING), groups)


def _official(found):
    years, naive = found["years"], found["unknown_as_no"]
    yield "### Spain beside the official figure\n"
    yield table(
        ("what", "n/N", "% (95 %)"),
        [
            f"earlier report, {'-'.join(OFFICIAL_YEARS)}, of known | {interval(years)}",
            f'the same, all years of the table, unknown taken for "no" (wrong) | {interval(naive)}',
            "official, 2006-2019: 73.9 % without a complaint [S:19] | - | 26.1",
        ],
    )
    yield f"Unknown in {'-'.join(OFFICIAL_YEARS)}: {years['unknown']} of {years['n']}.\n"


def _suggested(found):
    yield "### What Chile's narratives suggest\n"
    yield (
        f"{found['texts']} of the cases have a text. Suggestions that nobody has checked, of all cases: "
        "lower bounds, for a text that does not mention something does not deny it.\n"
    )
    yield table(
        ("factor", "n/N", "% at least (95 %)"), [f"`{r['factor']}` | {interval(r)}" for r in found["rows"]]
    )
    told = found["unknown_told"]
    yield (
        "Where the register does not say whether there was an earlier report, the text suggests a complaint "
        f"or a measure in {told['n']} of {told['of']} cases "
        f'({percent(told["low"])}-{percent(told["high"])} %): the unknown are not all "no".\n'
    )


def _beside(found):
    """Each figure beside what others have published, with the tag of EVIDENCE.md."""

    def answered(name, field):
        row = next(row for row in found[name]["earlier"] if row["field"] == field)
        return f"{interval(row)} | {bounds(row)}"

    def at_least(row):
        n_of, figures = interval(row).split(" | ")
        return f"{n_of} | at least {figures} | -"

    separation = next(row for row in found["spain"]["factors"] if row["factor"] == "separation")
    parted = share(separation["present"], separation["n"])
    yield "### Beside published figures\n"
    yield table(
        ("what", "n/N", "% (95 %)", "% of all: bounds (outer 95 %)", "published"),
        [
            f"Spain, earlier report | {answered('spain', 'earlier_report')} | {_REPORTED}",
            f"Chile, earlier report | {answered('chile', 'earlier_report')} | {_REPORTED}",
            f"Chile, measure in force | {answered('chile', 'measure_in_force')} | none in EVIDENCE.md",
            f"Chile, homicide-suicide | {answered('chile', 'homicide_suicide')} | Ontario 34 % [S:9]",
            f"Spain, ex-partner or separating | {at_least(parted)} | {_SEPARATED}",
            f"Chile, ex-partner | {at_least(found['chile']['ex_partner'])} | {_SEPARATED}",
        ],
    )


def page(found):
    """The figures as Markdown."""
    parts = [*_official(found["spain"]["official"]), *_beside(found), *_country("spain", found["spain"])]
    parts += [*_country("chile", found["chile"]), *_suggested(found["chile"]["suggested"])]
    return "\n".join(parts)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the two tables")
    parser.add_argument("--page", type=Path, help="page whose figures are to be replaced by these")
    parser.add_argument("--json", action="store_true", help="all of it, for programs")
    options = parser.parse_args()
    found = evaluated(options.data)
    if options.page:
        rewrite(options.page, Path(__file__).name, page(found))
    print(json.dumps(found, ensure_ascii=False, indent=1) if options.json else page(found))


if __name__ == "__main__":
    main()
