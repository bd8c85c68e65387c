"""`docs/fatality_form.md`, by `python -m riskml.fatality.coding.form_page docs/fatality_form.md`."""

import sys
from pathlib import Path

from riskml.fatality.coding.form_words import sheet_title, value_words
from riskml.fatality.form import SHEETS
from riskml.messages import message

__all__ = ["form_page"]

_INTRODUCTION = """# The review form

Rendered from `riskml.fatality.form` and the messages; render this page again with `make docs`.

`riskml fatality template` writes the form twice: `review.xlsx`, a workbook with instructions, drop-downs and
an example row on each sheet, and `review.yml`, the same form as a text; `riskml fatality load` reads either.
Spanish and English headings, answers and codes are all understood, whatever the language of the file; case
and accents do not matter. With `--cases FORM` the workbook holds what that form holds and lays out every
factor of every case; for cases that name the registry's id, a sheet beside them shows what their narratives
suggest, with the quoted words masked: whoever codes decides, and that sheet is never read back.

## How to code

"""

_LOADING = """
## Loading

    riskml fatality load coder_1.xlsx coder_2.xlsx

- **Give all files of a review together.** Each load makes one set of reviews, kept under `reviews/` by its
  content hash; nothing is added to an earlier set. Two coders may fill in one file or one each: rows that
  two files say alike count once, a case that one file leaves empty in places is completed by the other, and
  what two files say otherwise of one case is refused on both sides. One file may hold the cases and another
  the factors alone.
- **Every mistake is named with its cell** (with its line, in a text), what is wrong, and how to mend it. A
  message never repeats what was written.
- **Nothing is lost.** Rows with a mistake, and the rows that hang on a rejected case, go to `rejected.xlsx`
  beside the first file, as they were written, with the reason and the cell. Correct them there, then load
  it together with the files that it came from: its rows stand for theirs, and a row that was deleted there
  is gone. Loaded alone it looks for those files beside itself. Where they have been changed in the meantime
  it is refused: correct in one place. A `rejected.xlsx` that is there already is never written over: the
  next is `rejected-2.xlsx`.
- **Two rows of one coder for one factor**: to the letter alike, the second is rejected; otherwise both are,
  for nobody can tell which is meant. Likewise two victims of one case, which has one: the others are coded
  as other victims.
- **A factor row without anything but its case, coder and factor** waits to be coded. It is counted and
  said, and never taken as absent.
- **Where coders differ** the state is unknown until the team has decided: `adjudication.xlsx` holds both
  codings and the columns to decide in; load it together with the forms.
- **Cases that name the registry's id** are linked by a keyed hash; the id itself is not kept. With
  `--unlinked` nothing is looked up. Confirmed femicides and attempts of linked cases are staged for the
  registry's owner (`riskml_outcomes_staging`), who accepts or refuses them.
- **Another register's table** is read through a mapping file:
  `riskml fatality load deaths.csv --mapping deaths.yml`.

What is refused of a file as a whole: no workbook or text at all, a password, the old .xls format, none of
the form's sheets in it. Formulas, merged cells and errors of the spreadsheet are refused where they stand.
A column of the team's own is left in the file and said; one that looks like a column of the form is refused
until its heading is mended.

Dates are days: real dates, `dd/mm/yyyy` or `yyyy-mm-dd`, with the full year. None lies in the future but a
deadline; no event lies before 1990; no contact or missed opportunity after the event, no deadline before
it. A factor known "before" with a later date, or "only after" with an earlier one, is refused. What was known
on the day of the event itself does not count as known before.

Said and not refused: a row of a log that repeats another to the letter, a second aggressor of a case (of the
ages the first one's counts), and a factor that is unknown and yet was known before.

## Personal data

Free text is masked where what it holds can be told by its shape: telephone and file numbers, e-mail and web
addresses, CURP and RFC, postal addresses, names behind a title or a word such as *alias*, and two
capitalised words that name no office. Each masked cell is said. Ids, coders' codes and short categories are
not masked but refused. **A name that stands alone cannot be told from any other word**, nor can one written
all in capitals without a title: the instructions forbid it, and the team's reading is what keeps it out.
Texts are never published unless a recommendation is cleared for it. `rejected.xlsx` and `adjudication.xlsx`
hold rows as they were written: keep them as the case files are kept.
"""

_CODING = ("known", "states", "personal", "closed", "count", "coders", "missed")


def form_page():
    """The page on the form, in Markdown: str."""
    lines = [f"- **{_say(f'{name}_title')}** {_say(name)}" for name in _CODING]
    sheets = "".join(_section(sheet) for sheet in SHEETS.values())
    return _INTRODUCTION + "\n".join(lines) + "\n" + _LOADING + "\n## Sheets and columns\n" + sheets


def _say(name):
    return message(f"fatality_load.instruction_{name}", "en")


def _section(sheet):
    lines = [
        f"\n### {sheet_title(sheet.name, 'en')} / {sheet_title(sheet.name, 'es')} (`{sheet.name}`)\n",
        f"{message(f'fatality_form.sheet_{sheet.name}_help', 'en')}\n",
        "| column | Spanish | required | what it asks for | answers |",
        "| --- | --- | --- | --- | --- |",
        *(_row(sheet.name, field) for field in sheet.fields),
    ]
    if sheet.key:
        lines.append(f"\nNo two rows have the same {', '.join(f'`{name}`' for name in sheet.key)}.")
    return "\n".join(lines) + "\n"


_KINDS = {
    "factor": "a factor of `features/factors.yml`",
    "factors": "factors of `features/factors.yml`, divided by `;`",
    "date": "a date",
    "age": "years, or a span",
    "id": "an id",
    "person": "a code with a number",
    "text": "free text, masked",
    "category": "a word or two",
}


def _row(name, field):
    answers = ", ".join(f"`{code}` ({value_words(code, 'es')})" for code in field.values)
    answers = answers or _KINDS[field.kind]
    if field.missing:
        answers += f"; empty: `{field.missing}`"
    heading, asks = (message(f"fatality_form.{name}_{field.name}{end}", "en") for end in ("", "_help"))
    cells = [
        f"`{field.name}` {heading}",
        message(f"fatality_form.{name}_{field.name}", "es"),
        "yes" if field.required else "",
        asks,
        answers,
    ]
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(form_page(), encoding="utf-8")
