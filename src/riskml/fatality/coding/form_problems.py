"""What is wrong in a filled form, or worth saying, and where: in the language of whoever reads it."""

from dataclasses import dataclass, field

from riskml.messages import message

__all__ = ["Both", "Problem", "problem_at"]


@dataclass(frozen=True)
class Problem:
    """Something wrong, or worth saying, and where.

    Attributes
    ----------
    file : str      name of the file, without its folder
    sheet : str     title of the sheet, as it stands there
    place : str     cell, row or line
    column : str    heading, as it stands there; empty of a whole row or sheet
    name : str      `fatality_load.wrong_<name>`
    fields : dict   what the message asks for; texts in both languages as dicts
    in_lines : bool whether the place is a line of a YAML form
    """

    file: str
    sheet: str
    place: str
    column: str
    name: str
    fields: dict = field(default_factory=dict)
    in_lines: bool = False

    def reason(self, language):
        """What is wrong and how to mend it, str. It never repeats what was written."""
        fields = {key: _worded(value, language) for key, value in self.fields.items()}
        return message(f"fatality_load.wrong_{self.name}", language, **fields)

    def words(self, language):
        """The place and the reason, str."""
        kind = "line" if self.in_lines else "cell"
        where = message(
            f"fatality_load.at_{kind}", language, file=self.file, sheet=self.sheet, place=self.place
        )
        named = f"{where} ({self.column})" if self.column else where
        return f"{named}: {self.reason(language)}"


def _worded(value, language):
    if isinstance(value, dict):
        return value[language]
    if isinstance(value, list):
        return ", ".join(_worded(entry, language) for entry in value)
    if isinstance(value, tuple):
        divider = " o " if language == "es" else " or "
        return divider.join(f"“{_worded(entry, language)}”" for entry in value)
    return value


class Both(dict):
    """Words in both languages that can stand in a set."""

    def __hash__(self):
        return hash(tuple(sorted(self.items())))


def problem_at(form, sheet, place, column, name, fields=None):
    """A problem at a place of a sheet of a file: Problem."""
    return Problem(form.path.name, sheet.title, place, column, name, fields or {}, form.in_lines)
