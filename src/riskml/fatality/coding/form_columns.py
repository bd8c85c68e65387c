"""The columns of a filled sheet: which stands where, and what is wrong with their headings."""

from riskml.fatality.coding.cell_values import near_words
from riskml.fatality.coding.form_problems import Both, problem_at
from riskml.fatality.coding.form_words import folded, heading, headings
from riskml.fatality.form import SHEETS
from riskml.messages import LANGUAGES, message

__all__ = ["ADDED_COLUMNS", "Columns", "added_headings"]

# What a workbook of rejected rows adds to the form's columns.
ADDED_COLUMNS = ("reason", "cell")


class Columns:
    """Which column of a sheet stands where, and what is wrong with its headings.

    Attributes
    ----------
    position_of : dict       position -> column of the form
    notices : list of Problem
    """

    def __init__(self, form, sheet):
        self.form, self.sheet = form, sheet
        known = headings(sheet.name)
        self.position_of, self.twice, self.notices, self._added = {}, {}, [], set()
        unknown = []
        for position, written in enumerate(sheet.headings):
            column = known.get(folded(written)) if isinstance(written, str) else None
            if column in self.position_of.values():
                self.twice[position] = column
            elif column:
                self.position_of[position] = column
            elif isinstance(written, str) and folded(written) in added_headings():
                self._added.add(position)
            elif written is not None:
                unknown.append(position)
        self.at = {column: position for position, column in self.position_of.items()}
        self.absent = [f for f in SHEETS[sheet.name].fields if f.name not in self.at]
        self._judge(unknown)

    def _judge(self, unknown):
        """Unknown headings: near to a column that is missing, or of the team's own.

        In a text, where each row has headings of its own, and among rejected rows of several files a column
        may be there for one row and misspelt in the next: any column counts as near.
        """
        every = self.form.in_lines or self.form.sources
        missing = {
            folded(text): f.name
            for f in (SHEETS[self.sheet.name].fields if every else self.absent)
            for text in (f.name, *(heading(self.sheet.name, f, language) for language in LANGUAGES))
        }
        for position in unknown:
            near = near_words(str(self.sheet.headings[position]), missing)
            if near:
                self.sheet.near[position] = near[0]
            elif any(
                len(values) > position and values[position] is not None for _, values in self.sheet.rows
            ):
                self._notice(position, "column_left_out")
        # A row of a text names only what it says.
        for absent in () if self.form.in_lines or not self.sheet.rows else self.absent:
            if not absent.required and absent.name not in self.sheet.near.values():
                self._notice(None, "column_absent", column=self._label(absent.name))

    def _label(self, column):
        field_ = SHEETS[self.sheet.name][column]
        return Both({la: heading(self.sheet.name, field_, la).removesuffix(" *") for la in LANGUAGES})

    def _notice(self, position, name, **fields):
        place = self.sheet.place(self.sheet.heading_row, position)
        written = str(self.sheet.headings[position]) if position is not None else ""
        self.notices.append(problem_at(self.form, self.sheet, place, written, name, fields))

    def value(self, values, column):
        """What a row holds in a column of the form; None where it holds nothing."""
        position = self.at.get(column)
        return values[position] if position is not None and position < len(values) else None

    def filled(self, values):
        """The values of a row that somebody wrote: list."""
        return [v for i, v in enumerate(values) if v is not None and i not in self._added]

    def refuse(self, row):
        """Note on a row what is wrong with the headings that it stands under."""
        for position, value in enumerate(row.values):
            if value is None or position in self._added or position in self.position_of:
                continue
            written = self.sheet.headings[position] if position < len(self.sheet.headings) else None
            own = written is None or self.form.in_lines
            place = self.sheet.place(row.number if own else self.sheet.heading_row, position)
            if written is None:
                row.problems.append(problem_at(self.form, self.sheet, place, "", "no_heading"))
            elif position in self.twice:
                row.problems.append(problem_at(self.form, self.sheet, place, str(written), "column_twice"))
            elif position in self.sheet.near:
                fields = {"near": (self._label(self.sheet.near[position]),)}
                row.problems.append(
                    problem_at(self.form, self.sheet, place, str(written), "column_near", fields)
                )
        for required in (f for f in self.absent if f.required):
            place = row.place() if self.form.in_lines else self.sheet.place(self.sheet.heading_row)
            row.problems.append(
                problem_at(
                    self.form, self.sheet, place, "", "column_missing", {"column": self._label(required.name)}
                )
            )


def added_headings():
    """The headings that a workbook of rejected rows adds, folded, in both languages: set of str."""
    return {
        folded(message(f"fatality_load.column_{name}", language))
        for name in ADDED_COLUMNS
        for language in LANGUAGES
    }
