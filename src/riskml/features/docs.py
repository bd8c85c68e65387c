"""`docs/catalogue.md`, rendered by `python -m riskml.features.docs features docs/catalogue.md`."""

import re
import sys
from pathlib import Path

from riskml.features.catalogue import load_catalogue
from riskml.vocabulary import AUDIT_ONLY, DIMENSIONS

__all__ = ["catalogue_page", "plain_condition"]

_DIMENSIONS = {
    "aggressor": "Dangerousness of the aggressor (peligrosidad del agresor)",
    "victim": "Vulnerability of the victim (vulnerabilidad de la víctima)",
    "acts": "Characteristics of the violent acts (características de los hechos violentos)",
    "relationship": "Relationship between both (dinámica de la relación)",
    "response": "Institutional response (respuesta institucional): exposures, never a risk of the person",
}
_RECORDED = {
    "structured": "a field of the registry",
    "narrative": "narratives",
    "file": "the prosecutor's or forensic file",
    "other_register": "other registers",
    "question": "nowhere until somebody asks",
}
_AGGREGATES = {
    "count": "how many",
    "any": "whether there is any (0 or 1)",
    "sum": "total of `{column}` over",
    "mean": "mean of `{column}` over",
    "max": "highest `{column}` among",
    "distinct": "how many different `{column}` among",
    "days_since": "days since the last of the",
    "days_since_first": "days since the first of the",
    "days_since_second": "days since the last but one (episodes a day apart) of the",
    "days_since_third": "days since the last but two (episodes a day apart) of the",
    "days_since_expiry": "days since the last expired without being ended of the",
    "latest": "last known `{column}` of the",
    "in_force": "whether any is in force (0 or 1) of the",
    "days_to_expiry": "days until the first expires of the",
}
_OVER = {"case": "", "aggressor": ", in all cases of the aggressor", "victim": ", in all cases of the victim"}
_DIRECTIONS = {"increasing": "raises", "decreasing": "lowers", None: ""}
_INTRODUCTION = """# The catalogue: what the models see

Rendered from the files of `features/`; edit those, then render this page again (`make docs`).

{features} features give {columns} columns. Each is computed as of the moment of an assessment, from what
the registry had recorded by then and from nothing else; [spec.md](spec.md) shows by examples what that
means. A column is named `<feature>_<window>` where the feature looks back over windows (`incidents_90d`:
the last 90 days; `ever`: the whole record), and `<feature>` where it does not.

**What no model sees.** For audits only, so that a catalogue that reads one of them is refused: {audit}.
Neither is any text read (what a narrative says enters as factors), nor the level that an analyst gave (a
second opinion would repeat it), nor anything that may be filled in after a row was recorded (it would
leak the future).

**Silence.** A factor is present, denied, or not mentioned; what is not mentioned is missing, never
denied.

**Direction.** Where the evidence gives one, the feature *raises* or *lowers* the risk, and a model may
not learn the opposite. Responses have none: they may lower the risk that they were given for.

**How sure the literature is.** Every finding carries a tag:

| tag | the figure was | use |
| --- | --- | --- |
| S:n | seen in the text of source n of the project's list of sources (mostly abstracts) | may be cited |
| M | remembered from a well-known publication | to be verified; never the only ground of a rule |
| M? | remembered without certainty | not a fact: a starting value for a model until somebody looks it up |
| D | derived from tagged figures | with them |
| A | assumed | in simulations only |
| none | no finding behind it | the data decide |
| factors | that of the factors it names, below | |
"""


def catalogue_page(catalogue):
    """The page on a catalogue, in Markdown: every feature, every factor, and the evidence for them.

    Parameters
    ----------
    catalogue : Catalogue

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
            audit=", ".join(audit),
        ),
        "\n## Features\n",
    ]
    for dimension in DIMENSIONS:
        features = [f for f in catalogue.features if f.dimension == dimension]
        if features:
            parts.append(_feature_table(dimension, features))
    parts.append("\n## Factors\n\nThe words of the registry, of narratives, of reviews and of reasons.\n")
    for dimension in DIMENSIONS:
        factors = [f for f in catalogue.factors if f.dimension == dimension]
        if factors:
            parts.append(f"\n### {_DIMENSIONS[dimension]}\n")
            parts += [_factor_entry(factor, catalogue) for factor in factors]
    return "".join(parts)


def _feature_table(dimension, features):
    lines = [
        f"\n### {_DIMENSIONS[dimension]}\n",
        "| feature | Spanish | English | what it is | windows | risk | evidence |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for feature in features:
        evidence = [feature.evidence] if isinstance(feature.evidence, str) else feature.evidence
        cells = (
            f"`{feature.name}`",
            feature.label["es"],
            feature.label["en"],
            _meaning(feature),
            ", ".join(feature.windows),
            _DIRECTIONS[feature.direction],
            "; ".join(evidence),
        )
        lines.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |")
    return "\n".join(lines) + "\n"


def _meaning(feature):
    """What a feature computes, in words."""
    if feature.is_formula:
        return f"`{plain_condition(feature.formula)}`"
    over = "" if feature.table in ("aggressors", "victims") else _OVER[feature.over]
    words = f"{_AGGREGATES[feature.aggregate].format(column=feature.column)} {feature.table}{over}"
    if feature.where:
        words += f", where `{plain_condition(feature.where)}`"
    return words


def plain_condition(sql):
    """A canonical condition without the quotes and the outer parentheses that only a machine needs."""
    plain = re.sub(r'"(\w+)"', r"\1", sql)
    plain = re.sub(r"\((\w+ (?:=|<>|<|<=|>|>=) (?:'[^']*'|[\w.]+))\)", r"\1", plain)
    return plain[1:-1] if plain.startswith("(") and _closes(plain) == len(plain) - 1 else plain


def _closes(text):
    """Position of the parenthesis that closes the first one."""
    depth = 0
    for position, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 0:
            return position
    return -1


def _factor_entry(factor, catalogue):
    readers = [
        f.name for f in catalogue.features if f.table == "factors" and f"'{factor.code}'" in (f.where or "")
    ]
    lines = [f"\n**{factor.label['es']}** / {factor.label['en']} (`{factor.code}`)\n"]
    lines.append(f"- Applies to: {', '.join(factor.relationships) or 'every relationship'}.")
    if factor.recorded_in:
        lines.append(f"- Usually in: {', '.join(_RECORDED[place] for place in factor.recorded_in)}.")
    if factor.phrases:
        lines.append(f"- In records: {', '.join(f'«{phrase}»' for phrase in factor.phrases)}.")
    lines.append(f"- Features: {', '.join(f'`{name}`' for name in readers) or 'none of its own'}.")
    if not factor.evidence:
        lines.append("- Evidence: none.")
    for finding in factor.evidence:
        doubt = " Not checked: a starting value, not a fact." if finding.prior_only else ""
        lines.append(f"- Evidence [{finding.tag}]: {finding.study}: {finding.effect}.{doubt}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    folder, target = sys.argv[1:]
    Path(target).write_text(catalogue_page(load_catalogue(folder)), encoding="utf-8")
