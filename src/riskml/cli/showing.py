"""Tables that the commands print."""

from textwrap import wrap

from rich.table import Table
from rich.text import Text

from riskml.cli.lethal import print_lethal
from riskml.messages import message
from riskml.models.lethal_bundle import LethalBundle
from riskml.reporting.model_section import model_section
from riskml.vocabulary import DIMENSIONS

__all__ = ["print_columns", "print_counts", "print_training"]

# As many as a terminal of 80 columns holds; the demo's report and MLflow have them all.
METRICS = ("auc", "average_precision", "calibration_slope", "recall_at_capacity")

_WIDTH = 80  # of a terminal


def _table(title, headings, language, *, numbers=()):
    """An empty table; the first column never breaks, so that names can be copied and searched for."""
    table = Table(title=title, title_justify="left")
    for place, heading in enumerate(headings):
        words = message(f"cli.heading_{heading}", language)
        table.add_column(words, no_wrap=place == 0, justify="right" if heading in numbers else "left")
    return table


def print_counts(console, title, counts, language):
    """Print rows by table."""
    table = _table(title, ("table", "rows"), language, numbers=("rows",))
    for name, count in counts.items():
        table.add_row(name, f"{count:,}")
    console.print(table)


def print_columns(console, catalogue, language):
    """Print the columns of a catalogue with their meaning, by dimension; no name is broken."""
    _line(console, message("cli.columns_listed", language, count=len(catalogue.columns)))
    for dimension in DIMENSIONS:
        features = [feature for feature in catalogue.features if feature.dimension == dimension]
        if features:
            _line(console, f"\n{message(f'cli.dimension_{dimension}', language)}", "bold")
        for feature in features:
            direction = "exposure" if feature.exposure else feature.direction
            goes = f" ({message(f'cli.{direction}', language)})" if direction else ""
            _line(console, f"  {feature.label[language]}{goes}")
            names = ", ".join(feature.column_names)
            for line in wrap(names, _WIDTH, initial_indent="    ", subsequent_indent="    "):
                _line(console, line, "cyan")


def _line(console, words, style=""):
    """One line that the terminal breaks only where it has to, so that it can be searched and copied."""
    console.print(Text(words, style), soft_wrap=True)


def _windows(split, language):
    if split["gap_days"] is None:
        title = message("cli.windows_by_person", language)
    else:
        title = message("cli.windows_title", language, days=f"{split['gap_days']:g}")
    headings = ("window", "first", "last", "assessments", "events", "exits")
    table = _table(title, headings, language, numbers=("assessments", "events", "exits"))
    for window in split["windows"]:
        exits = "/".join(f"{window['exits'][kind]:,}" for kind in ("custody", "death", "closed"))
        table.add_row(
            window["label"][language],
            window["first"],
            window["last"],
            f"{window['assessments']:,}",
            f"{window['events']:,}",
            exits,
        )
    return table


def _comparison(section, language):
    table = Table()
    table.add_column(message("reports.candidate", language), overflow="fold")
    for metric in section["metrics"]:
        table.add_column(metric, justify="right", min_width=12)
    for row in section["rows"]:
        cells = [f"{cell['value']}\n{cell['interval'].replace(' – ', '–')}".strip() for cell in row["cells"]]
        # Why a candidate was refused is said below the table, where there is room for it.
        label = row.get("name", row["label"])
        table.add_row(label, *cells, style="bold" if row["kind"] == "main" else None, end_section=True)
    return table


def _chosen(report, language):
    """Who was refused and why, which candidate the bundle holds, one model or two: sentences."""
    for row in report["comparison"]:
        if row.get("refused"):
            yield f"{row['label'][language]}: {row['refused'][language]}"
    for part in ("selection", "relationship"):
        if (report.get(part) or {}).get("words"):
            yield report[part]["words"][language]


def print_training(console, model, folder, language):
    """Print what a training measured: windows with their exits, all candidates with intervals, remarks."""
    if isinstance(model, LethalBundle):
        print_lethal(console, model, folder, language)
        return
    section = model_section(model, {}, language, metrics=METRICS)
    sizes = {name: section[name] for name in ("events", "assessments", "people", "first", "last")}
    console.print(section["label"], style="bold", markup=False)
    console.print(section["estimand"], markup=False, highlight=False)
    console.print(_windows(model.report["split"], language))
    console.print(message("cli.exits_explained", language), markup=False, highlight=False)
    console.print(message("reports.model_sizes", language, **sizes), markup=False, highlight=False)
    console.print(_comparison(section, language))
    for words in _chosen(model.report, language):
        console.print(words, markup=False, highlight=False)
    for note in section["notes"]:
        console.print(f"- {note}", markup=False, highlight=False)
    kept = message("cli.model_kept", language, name=model.name, version=model.version, folder=folder)
    console.print(kept, markup=False, highlight=False)
