"""`docs/catalogue.md`, rendered by `python -m riskml.features.docs features docs/catalogue.md`."""

import re
import sys
from pathlib import Path

from riskml.features.catalogue import FACTORS_FILE, load_catalogue
from riskml.features.meanings import meaning, plain_condition
from riskml.features.review_items import load_review_items
from riskml.vocabulary import AUDIT_ONLY, DIMENSIONS

__all__ = ["catalogue_page", "plain_condition"]

_DIMENSIONS = {
    "aggressor": "Dangerousness of the aggressor (peligrosidad del agresor)",
    "victim": "Vulnerability of the victim (vulnerabilidad de la víctima)",
    "acts": "Characteristics of the violent acts (características de los hechos violentos)",
    "relationship": "Relationship between both (dinámica de la relación)",
    "response": "Institutional response (respuesta institucional)",
}
_EXAMPLES = {  # the chapters of spec.md
    "aggressor": "catalogue-aggressor",
    "victim": "catalogue-victim",
    "acts": "catalogue-violent-acts",
    "relationship": "catalogue-relationship",
    "response": "catalogue-responses",
}
_EXPOSURES = """
What was done about a case: exposures, never a risk of the person. A case with many responses may be safer
because of them, or may have them because it is worse; so none of them has a direction.
"""
_RECORDED = {
    "structured": "a field of the registry",
    "narrative": "narratives",
    "file": "the prosecutor's or forensic file",
    "other_register": "other registers",
    "question": "nowhere until somebody asks",
}
_DIRECTIONS = {"increasing": "raises", "decreasing": "lowers", None: ""}
_HOW_SURE = {
    "M": "from memory, to be verified",
    "M?": "from memory, not checked",
    "D": "derived",
    "A": "assumed",
}
_INTRODUCTION = """# The catalogue: what the models see

Rendered from the files of `features/`; edit those, then render this page again (`make docs`).

{features} definitions give {columns} columns, {factors} factors are known by a code. Every number is computed
as of the moment of an assessment, from what the registry had recorded by then and from nothing else;
[spec.md](spec.md) shows each definition at work on a small registry. A column is named `<feature>_<window>`
where the feature looks back over windows (`incidents_90d`: the last 90 days; `..._365d_730d`: the year before
the last 365 days; `..._ever`: the whole record), and `<feature>` where it does not.

**Where a number comes from.** One command lists the very facts behind a number on a case, with the day each
happened and the day the registry learnt of it:

```sh
riskml features why CASE --as-of 2026-01-05 --feature incidents_90d
```

**What no model sees.** For audits only, so that a catalogue that reads one of them is refused: {audit}.
Neither is any text read (what a narrative says enters as factors), nor the level that an analyst gave (a
second opinion would repeat it), nor anything that may be filled in after a row was recorded (it would
leak the future). Nor is there a factor for being a migrant or for speaking an indigenous language, although
reviews name them: they would stand for origin.

**Silence.** A factor is present, denied, or not mentioned; what is not mentioned is missing, never
denied. A formula over factors keeps the three states: it is 1 where it holds, 0 where it cannot hold,
and missing where that is not known.

**Direction.** Where the evidence gives one whatever a model predicts, the feature *raises* or *lowers* the
risk, and a model may not learn the opposite. Most features have none: the data decide.

**How sure the literature is.** Every finding carries a tag; [sources.md](sources.md) lists the sources.

| tag | the figure was | use |
| --- | --- | --- |
| S:n | seen in the text of source n (mostly abstracts) | may be cited |
| M | remembered from a well-known publication | to be verified; never the only ground of a rule |
| M? | remembered without certainty | not a fact: a starting value for a model until somebody looks it up |
| D | derived from tagged figures | with them |
| A | assumed | in simulations only |
| none | no finding behind it | the data decide |
| factors | that of the factors it names, below | |

| dimension | definitions | columns | of them formulas |
| --- | --- | --- | --- |
{counts}

On this page: [the features](#features), [the factors and their evidence](#factors), and
[where the items of fatality reviews are kept](#the-41-items-of-fatality-reviews).
"""
_REVIEWS = """
## The 41 items of fatality reviews

The items that a death-review committee codes for every case (Ontario DVDRC: 1 to 8 seen in S:103, the
others from memory, M), as concepts in our own words and no form's, and where each is kept. An item with
several codes is present where any of them is; an item that follows from facts of the case, such as ages,
is a feature. Reviews count as one: {once} (S:103b).

| item | Spanish | English | kept as |
| --- | --- | --- | --- |
"""


def catalogue_page(catalogue, items=()):
    """The page on a catalogue, in Markdown: every feature, every factor, and the evidence for them.

    Parameters
    ----------
    catalogue : Catalogue
    items : sequence of ReviewItem    where the items of fatality reviews are kept; none: no such section

    Returns
    -------
    str
    """
    anywhere = {column for table, column in AUDIT_ONLY if table == "*"}
    audit = sorted(anywhere | {f"{c} (of {t})" for t, c in AUDIT_ONLY if c not in anywhere})
    parts = [
        _INTRODUCTION.format(
            features=len(catalogue.features),
            columns=len(catalogue.columns),
            factors=len(catalogue.factors),
            audit=", ".join(audit),
            counts="\n".join(_counts(catalogue)),
        ),
        "\n## Features\n",
    ]
    for dimension in DIMENSIONS:
        features = [f for f in catalogue.features if f.dimension == dimension]
        if features:
            parts.append(_feature_table(dimension, features, catalogue))
    parts.append("\n## Factors\n\nThe words of the registry, of narratives, of reviews and of reasons.\n")
    for dimension in DIMENSIONS:
        factors = [f for f in catalogue.factors if f.dimension == dimension]
        if factors:
            parts.append(f"\n### Factors: {_DIMENSIONS[dimension]}\n")
            parts += [_factor_entry(factor, catalogue, items) for factor in factors]
    if items:
        parts.append(_review_table(items))
    return "".join(parts)


def _counts(catalogue):
    for dimension in DIMENSIONS:
        features = [f for f in catalogue.features if f.dimension == dimension]
        columns = sum(len(f.columns) for f in features)
        formulas = sum(f.is_formula for f in features)
        yield f"| {_DIMENSIONS[dimension]} | {len(features)} | {columns} | {formulas} |"
    formulas = sum(f.is_formula for f in catalogue.features)
    yield f"| **all** | {len(catalogue.features)} | {len(catalogue.columns)} | {formulas} |"


def _feature_table(dimension, features, catalogue):
    lines = [
        f"\n### {_DIMENSIONS[dimension]}\n{_EXPOSURES if dimension == 'response' else ''}",
        f"Each at work on a small registry: [examples](spec.md#{_EXAMPLES[dimension]}).\n",
        "| feature | Spanish | English | what it is | windows | risk | evidence |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for feature in features:
        evidence = [feature.evidence] if isinstance(feature.evidence, str) else feature.evidence
        cells = (
            f"`{feature.name}`",
            feature.label["es"],
            feature.label["en"],
            meaning(feature, catalogue),
            ", ".join(feature.windows),
            _DIRECTIONS[feature.direction],
            "; ".join(_spelt_out(finding) for finding in evidence),
        )
        lines.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |")
    return "\n".join(lines) + "\n"


def _spelt_out(evidence):
    """A feature's evidence with its tag in words: "S:20 Morgan" -> "[S:20] seen: Morgan"."""
    tag, _, study = evidence.partition(" ")
    if not study:
        return evidence
    return f"[{tag}] {_HOW_SURE.get(tag, 'seen')}: {study}"


def _factor_entry(factor, catalogue, items):
    named = re.compile(rf"'{factor.code}'")
    readers = [f.name for f in catalogue.features if f.table == "factors" and named.search(f.where or "")]
    formulas = [
        f.name
        for f in catalogue.features
        if f.is_formula and re.search(rf"\b{factor.code}\b", plain_condition(f.formula))
    ]
    lines = [f"\n**{factor.label['es']}** / {factor.label['en']} (`{factor.code}`)\n"]
    lines.append(f"- Applies to: {', '.join(factor.relationships) or 'every relationship'}.")
    if factor.recorded_in:
        lines.append(f"- Usually in: {', '.join(_RECORDED[place] for place in factor.recorded_in)}.")
    if factor.phrases:
        lines.append(f"- In records: {', '.join(f'«{phrase}»' for phrase in factor.phrases)}.")
    lines.append(f"- Features: {', '.join(f'`{name}`' for name in readers + formulas) or 'none of its own'}.")
    reviewed = [str(item.number) for item in items if factor.code in item.factors]
    if reviewed:
        lines.append(f"- Item of fatality reviews: {', '.join(reviewed)}.")
    if not factor.evidence:
        lines.append("- Evidence: none.")
    for finding in factor.evidence:
        doubt = " Not checked: a starting value, not a fact." if finding.prior_only else ""
        lines.append(f"- Evidence [{finding.tag}]: {finding.study}: {finding.effect}.{doubt}")
    return "\n".join(lines) + "\n"


def _review_table(items):
    once = sorted({tuple(sorted((item.number, *item.counts_with))) for item in items if item.counts_with})
    lines = [_REVIEWS.format(once=", ".join(" and ".join(map(str, group)) for group in once))]
    for item in items:
        kept = ", ".join(f"`{name}`" for name in (*item.factors, *item.features))
        where = "features " if item.features else ""
        lines.append(f"| {item.number} | {item.concept['es']} | {item.concept['en']} | {where}{kept} |\n")
    return "".join(lines)


if __name__ == "__main__":
    folder, target = sys.argv[1:]
    read = load_catalogue(folder)
    page = catalogue_page(read, load_review_items(Path(folder) / FACTORS_FILE, read))
    Path(target).write_text(page, encoding="utf-8")
