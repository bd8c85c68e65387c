"""What `riskml features` prints of one feature, of the facts behind a number and of two catalogues."""

import pandas as pd
from rich import box
from rich.table import Table
from rich.text import Text

from riskml.explain.wording import code_words, fact_words
from riskml.features.distribution import named_factors
from riskml.features.docs import plain_condition
from riskml.messages import LANGUAGES, all_messages, message

__all__ = [
    "print_definition",
    "print_differences",
    "print_distribution",
    "print_facts",
    "print_formula",
    "print_no_history",
]

_SHORT = 12  # characters of a pseudonym, enough to ask for that case


def _print(console, text, style=None):
    console.print(Text(text, style or ""), soft_wrap=True)


def _say(key, language, **fields):
    return message(f"explore.{key}", language, **fields)


def _pairs(rows):
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(name, Text(value))
    return table


# One feature


def print_definition(console, feature, catalogue, language):
    """Print what a feature is, what it computes of which facts, and how sure the literature is of it."""
    others = [feature.label[other] for other in LANGUAGES if other != language]
    _print(console, f"{feature.label[language]} ({feature.name}) · {' · '.join(others)}", "bold")
    rows = [
        (_say("dimension", language), _say(f"dimension_{feature.dimension}", language)),
        (
            _say("computes", language),
            _say(f"aggregate_{feature.aggregate}", language, column=feature.column),
        ),
        _of_what(feature, language),
    ]
    if feature.where:
        rows.append((_say("condition", language), plain_condition(feature.where)))
    rows += [
        (_say("columns", language), ", ".join(column.name for column in feature.columns)),
        (_say("direction", language), _say(f"direction_{feature.direction or 'none'}", language)),
        (_say("evidence", language), "\n".join(_evidence(feature, catalogue, language))),
    ]
    console.print(_pairs(rows))
    if feature.exposure:
        _print(console, _say("is_exposure", language))
    if feature.file:
        _print(console, _say("written_in", language, file=feature.file, line=feature.line), "dim")


def _of_what(feature, language):
    """What a feature is computed of: a row of heading and words."""
    if feature.is_formula:
        return _say("formula", language), plain_condition(feature.formula)
    table = _say(f"table_{feature.table}", language)
    if feature.table not in ("aggressors", "victims"):
        table = _say(f"over_{feature.over}", language, table=table)
    return _say("of_facts", language), table


def _evidence(feature, catalogue, language):
    """Every finding behind a feature with how far it was checked: list of lines."""
    given = [feature.evidence] if isinstance(feature.evidence, str) else feature.evidence
    lines = []
    for entry in given:
        tag, _, study = entry.partition(" ")
        if entry == "none":
            lines.append(_say("evidence_none", language))
        elif entry == "factors":
            lines.append(_say("evidence_of_factors", language))
            lines += _evidence_of_factors(feature, catalogue.factors, language)
        else:
            lines.append(f"[{tag}] {study} ({_checked(tag, language)})" if study else entry)
    return lines


def _evidence_of_factors(feature, factors, language):
    for code in named_factors(feature, factors):
        factor = factors[code]
        if not factor.evidence:
            yield _say("evidence_none_of_factor", language, factor=factor.label[language])
        for finding in factor.evidence:
            checked = _checked(finding.tag, language)
            yield f"{factor.label[language]}: [{finding.tag}] {finding.study}: {finding.effect} ({checked})"


def _checked(tag, language):
    """How far a figure was checked, in words."""
    if tag == "M?":
        return _say("tag_doubt", language)
    kind, _, source = tag.partition(":")
    return _say(f"tag_{kind}", language, source=source) if kind in ("S", "M", "D", "A") else tag


def print_no_history(console, language):
    """Say that a distribution needs a history."""
    _print(console, f"\n{_say('no_history', language)}")


def print_distribution(console, spread, feature, history, cohort, every, language, *, factors):
    """Print how a feature's columns are distributed; `spread` of `feature_distribution`, None: nobody."""
    if spread is None:
        _print(console, f"\n{_say('no_assessments', language)}")
        return
    when = (
        _say("moments_every", language, every=every)
        if every
        else _say("moments_one", language, date=f"{cohort['as_of'].iloc[0]:%Y-%m-%d}")
    )
    title = _say(
        "on_history", language, hash=history.hash[:12] or "-", cases=f"{len(cohort):,}", moments=when
    )
    _print(console, f"\n{title}", "bold")
    console.print(_spread_table(spread, language))
    for name, row in spread.iterrows():
        if row["frequent"]:
            listed = ", ".join(
                f"{_word(value, factors, language)}: {n:,}" for value, n in row["frequent"].items()
            )
            _print(console, f"{name}, {_say('frequent', language)}: {listed}")
    about = "formula" if feature.is_formula else "factors" if named_factors(feature, factors) else "facts"
    _print(console, _say(f"unknown_{about}", language), "dim")


def _spread_table(spread, language):
    numbers = spread["maximum"].notna().any()
    shares = ["unknown"] + ["missing"] * bool(spread["missing"].any()) + ["zero"] * bool(numbers)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ["column", *shares] + ["mean", "median", "range", "maximum"] * bool(numbers):
        table.add_column(
            _say(heading, language), no_wrap=True, justify="left" if heading == "column" else "right"
        )
    for name, row in spread.iterrows():
        cells = [name, *(_share(row[part], row["assessments"]) for part in shares)]
        if numbers:
            between = f"{_number(row['p05'])}–{_number(row['p95'])}" if pd.notna(row["p05"]) else ""
            cells += [_number(row["mean"]), _number(row["p50"]), between, _number(row["maximum"])]
        table.add_row(*cells)
    return table


def _share(n, of):
    return f"{n:,} ({n / of:.0%})"


def _number(value):
    return "" if pd.isna(value) else f"{value:,.6g}" if abs(value) >= 1000 else f"{value:.3g}"


def _word(value, factors, language):
    """A value of a column in the words of the vocabulary."""
    if isinstance(value, str):
        state = f"reasons.state_{value}"
        if value in factors:
            return factors[value].label[language]
        return message(state, language) if state in all_messages() else code_words(value, language)
    return _number(float(value)) if not isinstance(value, int) else str(value)


# The facts behind a number


def _print_value(console, column, value, moment, language):
    """Print what a number is, and its sentence."""
    title = _say(
        "why_title",
        language,
        label=column.label(language),
        column=column.name,
        moment=f"{moment:%Y-%m-%d %H:%M}",
    )
    _print(console, title, "bold")
    if pd.isna(value):
        _print(console, _say("value_missing", language))
    else:
        _print(console, _say("value", language, value=value if isinstance(value, str) else f"{value:,.6g}"))
    _print(console, fact_words(column, value, language=language))


def print_formula(console, column, value, moment, language):
    """Print the number of a formula and how it is computed; the facts behind each of its columns follow."""
    _print_value(console, column, value, moment, language)
    _print(console, f"{_say('formula', language)}: {plain_condition(column.feature.formula)}\n")


def print_facts(console, facts, column, value, case_id, moment, language, *, limit, every_fact, factors):
    """Print the number, its sentence, and the facts of `facts_behind`, those that count first."""
    _print_value(console, column, value, moment, language)
    if column.feature.where:
        _print(console, f"{_say('condition', language)}: {plain_condition(column.feature.where)}")
    if facts.empty:
        _print(console, f"\n{_say('no_facts', language)}")
        return
    beside = facts["reason"] == "condition_not_met"
    if beside.any() and not every_fact:
        facts = facts[~beside]
    counted = f"{facts['counted'].sum():,}"
    _print(console, f"\n{_say('why_counts', language, counted=counted, count=f'{len(facts):,}')}")
    if beside.any() and not every_fact:
        _print(console, _say("why_beside", language, count=int(beside.sum())), "dim")
    if not facts.empty:
        first = facts.sort_values(["decides", "counted", "occurred_at"], ascending=False, kind="stable")
        console.print(_facts_table(first.head(limit), case_id, language, factors))
    if len(facts) > limit:
        older = f"{len(facts) - limit:,}"
        _print(console, _say("more_facts", language, count=older, all=len(facts)))


def _facts_table(facts, case_id, language, factors):
    owner = facts.columns[1]
    shown = [
        name for name in facts.columns if name not in ("table", "in_window", "counted", "decides", "reason")
    ]
    if facts["superseded_at"].isna().all():
        shown.remove("superseded_at")
    if (facts[owner] == case_id).all():
        shown.remove(owner)
    ends = [] if facts["counted"].all() else ["reason"]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(_say("counts", language), no_wrap=True)
    for name in shown:
        key = f"explore.{name}" if name != owner else f"explore.owner_{owner}"
        table.add_column(
            message(key, language) if key in all_messages() else name, no_wrap=name.endswith("_at")
        )
    for name in ends:
        table.add_column(_say(name, language), overflow="fold")
    decisive = not facts["decides"].equals(facts["counted"])
    for _, fact in facts.iterrows():
        counts = "decides" if decisive and fact["decides"] else "yes" if fact["counted"] else "no"
        cells = [
            _say(f"counts_{counts}", language),
            *(_cell(fact[n], n, case_id, factors, language) for n in shown),
        ]
        cells += [_say(f"reason_{fact['reason']}", language) if fact["reason"] else "" for _ in ends]
        table.add_row(*map(Text, cells), style=None if fact["counted"] else "dim")
    return table


def _cell(value, name, case_id, factors, language):
    if pd.isna(value):
        return "-"
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d %H:%M}"
    if name.endswith("_id"):
        return _say("this_case", language) if value == case_id else str(value)[:_SHORT]
    return _word(value, factors, language)


# Two catalogues


def print_differences(console, differences, language):
    """Print what sets two catalogues apart; what is only worded anew comes last, under its own heading."""
    if not differences:
        _print(console, _say("diff_same", language))
        return
    for part, sign in (("added", "+"), ("removed", "-")):
        _section(
            console,
            part,
            [
                f"{sign} {f.name}: {f.label[language]} ({', '.join(c.name for c in f.columns)})"
                for f in getattr(differences, part)
            ],
            language,
        )
    _section(console, "renamed", [f"{old} -> {new}" for old, new in differences.renamed], language)
    _section(console, "changed", list(map(_change, differences.changed)), language)
    if not (differences.added or differences.removed or differences.renamed or differences.changed):
        _print(console, _say("diff_same_numbers", language))
    _section(console, "reworded", list(map(_change, differences.reworded)), language)


def _section(console, part, lines, language):
    if lines:
        _print(console, f"{_say(f'diff_{part}', language)} ({len(lines)})", "bold")
        for line in lines:
            _print(console, f"  {line}")


def _change(change):
    return f"{change.feature}, {change.what}: {_plain(change.before)} -> {_plain(change.after)}"


def _plain(value):
    if isinstance(value, dict):
        return "; ".join(f"{key}: {words}" for key, words in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "-" if value is None else str(value)
