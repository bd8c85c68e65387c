"""`riskml narratives check`: what was found where, in the terminal and as a page."""

import re

import pytest
from typer.testing import CliRunner

from riskml.cli.narratives import narratives, narratives_of
from riskml.errors import RiskmlError
from riskml.narratives.page import check_page, segments
from riskml.narratives.reading import starting_reader

HOSTILE = "LA AMENAZO DE MUERTE <script>alert(1)</script> [bold]CON[/bold] UN CUCHILLO"


def run(*arguments):
    return CliRunner().invoke(narratives, ["check", *map(str, arguments)], env={"COLUMNS": "200"})


def test_a_text_file_is_read_line_by_line(tmp_path):
    path = tmp_path / "n.txt"
    path.write_text("NIEGA CONSUMO DE ALCOHOL\n\nSIN NOVEDAD\n", encoding="utf-8")
    result = run(path, "-w", tmp_path)
    assert result.exit_code == 0
    assert "negado" in result.output
    assert "2 narrativas, 1 factores encontrados." in result.output
    assert "Lo que no se menciona no se niega" in result.output


def test_a_spreadsheet_of_another_code_page_is_read(tmp_path):
    path = tmp_path / "n.csv"
    path.write_bytes('id,narrativa\n1,"La amenazó, de muerte"\n2,\n'.encode("cp1252"))
    assert narratives_of(path, "narrativa") == ["La amenazó, de muerte"]


def test_a_misspelt_column_is_said(tmp_path):
    path = tmp_path / "n.csv"
    path.write_text("narrativa\nx\n", encoding="utf-8")
    with pytest.raises(RiskmlError, match='Did you mean "narrativa"'):
        narratives_of(path, "narativa")


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(RiskmlError, match="no such file"):
        narratives_of(tmp_path / "none.txt")


def test_the_page_escapes_what_it_shows(tmp_path):
    path, page = tmp_path / "n.txt", tmp_path / "n.html"
    path.write_text(HOSTILE, encoding="utf-8")
    result = run(path, "--html", page, "--language", "en")
    assert result.exit_code == 0
    assert "[bold]CON[/bold]" in result.output.replace("\n", "")
    html = page.read_text(encoding="utf-8")
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert '<mark class="present"' in html
    assert not re.search(r"https?://", html)


@pytest.mark.parametrize("language", ["es", "en"])
def test_the_page_speaks_the_language(language):
    reader = starting_reader()
    html = check_page([("1", HOSTILE, reader.mentions(HOSTILE))], reader.rules, language=language)
    assert {"es": "Amenaza de muerte", "en": "Threat to kill"}[language] in html


def test_pieces_are_the_whole_text():
    mentions = starting_reader().mentions(HOSTILE)
    assert "".join(piece for piece, _ in segments(HOSTILE, mentions)) == HOSTILE
