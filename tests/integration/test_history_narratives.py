"""What incidents' narratives state enters a history as factors; their words, names and numbers do not."""

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from registries import KEY, PERSONAL, ZONE, fill, registry_rows
from riskml.errors import RiskmlError
from riskml.narratives.crew import Crew
from riskml.narratives.rules import load_rules, starting_rules
from riskml.narratives.stated import StatedFactors
from riskml.registry.take import take_history
from riskml.workspace import init_workspace, open_workspace

RULES = starting_rules()


def taken(engine, folder, *, rules=RULES, **changes):
    settings = {"key": KEY, "factors": rules.factors, "timezone": ZONE, "read": StatedFactors(rules, 1)}
    return take_history(engine, folder, **{**settings, **changes})


def telling(narratives, **changes):
    """A registry whose incidents say what is given, by incident; the others have no narrative."""
    rows = registry_rows()
    for row in rows["incidents"]:
        row["narrative"] = narratives.get(row["incident_id"])
        row.update(changes.get(row["incident_id"].replace("-", "_"), {}))
    return rows


def factors_of(history, incident):
    frame = history.table("factors").to_pandas()
    return frame[frame.incident_id == KEY.pseudonym("incident_id", incident)].set_index("factor")


@pytest.fixture
def histories(tmp_path):
    return tmp_path / "histories"


def test_what_a_narrative_states_becomes_rows_with_the_clocks_of_its_incident(engine, histories):
    rows = telling({"1-3": "LA AMENAZO DE MUERTE CON UN CUCHILLO, NIEGA CONSUMO DE ALCOHOL"})
    rows["incidents"][1]["source"] = "investigation_file"
    history = taken(fill(engine, rows), histories)
    found = factors_of(history, "1-3")
    assert found.state.to_dict() == {
        "death_threat": "present",
        "weapon_threat": "present",
        "alcohol": "denied",
    }
    assert found.evidence["death_threat"] == "LA AMENAZO DE MUERTE"
    assert set(found.source) == {"investigation_file"}
    assert set(found.case_id) == {KEY.pseudonym("case_id", "1")}
    assert set(found.occurred_at) == {pd.Timestamp("2025-03-10 22:15:00")}
    assert set(found.recorded_at) == {pd.Timestamp("2025-03-11 07:00:00")}
    assert found.superseded_at.isna().all()
    said = history.manifest["narratives"]
    assert said["read"] == 1
    assert said["rows"] == {
        "alcohol": {"denied": 1},
        "death_threat": {"present": 1},
        "weapon_threat": {"present": 1},
    }
    assert said["rules"] == RULES.hash


def test_what_the_registry_has_coded_stands_instead(engine, histories):
    # Incident 1-2 is coded on 2025-02-20: strangulation present; its narrative was recorded on 2025-02-11.
    rows = telling({"1-2": "LA TOMO DEL CUELLO"})
    early = factors_of(taken(fill(engine, rows), histories), "1-2")
    assert early.superseded_at.isna().tolist() == [False, True]
    narrated = early[early.superseded_at.notna()].iloc[0]
    assert narrated.recorded_at == pd.Timestamp("2025-02-11 07:00:00")
    assert narrated.superseded_at == pd.Timestamp("2025-02-20 00:00:00")


def test_what_was_coded_at_once_leaves_nothing_to_add(engine, histories):
    rows = telling({"1-2": "LA TOMO DEL CUELLO"})
    rows["factors"][0]["recorded_at"] = "2025-02-11 07:00:00"
    history = taken(fill(engine, rows), histories)
    assert len(factors_of(history, "1-2")) == 1
    assert history.manifest["narratives"]["coded_already"] == {"strangulation": 1}
    assert history.manifest["narratives"]["rows"] == {}


def test_a_corrected_incident_corrects_its_factors(engine, histories):
    rows = telling({"1-3": "LA AMENAZO DE MUERTE"}, **{"1_3": {"superseded_at": "2025-04-01 00:00:00"}})
    correction = {**rows["incidents"][1], "narrative": "NO LA AMENAZO DE MUERTE", "superseded_at": None}
    correction["recorded_at"] = "2025-04-01 00:00:00"
    rows["incidents"].append(correction)
    found = taken(fill(engine, rows), histories).table("factors").to_pandas()
    found = found[found.factor == "death_threat"].sort_values("recorded_at")
    assert found.state.tolist() == ["present", "denied"]
    assert found.superseded_at.isna().tolist() == [False, True]
    assert found.superseded_at.iloc[0] == found.recorded_at.iloc[1] == pd.Timestamp("2025-04-01")


def test_an_incident_that_was_set_aside_states_nothing(engine, histories):
    rows = telling({"1-2": "LA AMENAZO DE MUERTE", "1-3": "LA ACOSA EN SU TRABAJO"})
    rows["incidents"][0]["severity"] = 9
    history = taken(fill(engine, rows), histories, set_aside=True)
    assert set(history.manifest["narratives"]["rows"]) == {"stalking"}


def test_nobodys_name_number_or_address_leaves_a_narrative(engine, histories):
    rows = telling(
        {
            "1-2": "RAMIRO ESCOBEDO LUJAN TEL 492 555 1234 LA AMENAZO DE MUERTE EN PRIVADA ZARAGOZA 118",
            "1-3": "LETICIA QUINTANAR REFIERE QUE LA GOLPEO CON UN MARTILLO Y LA TOMO DEL CUELLO",
            "2-2": "LA AMENAZO ramiro@example.org DE MUERTE Leticia Quintanar 4925551234",
        }
    )
    rows["aggressors"][1]["name"] = "Efraín Martillo Cuello"
    history = taken(fill(engine, rows), histories)
    texts = []
    for path in history.folder.glob("*.parquet"):
        texts += [str(v).casefold() for c in pq.read_table(path).columns for v in c.to_pylist()]
    words = "\n".join(texts) + (history.folder / "manifest.json").read_text().casefold()
    for personal in (*PERSONAL, "martillo", "Lujan", "Ramiro"):
        assert personal.casefold() not in words
    quotes = factors_of(history, "1-3").evidence
    assert quotes["weapon_used"] == "GOLPEO CON UN […]"
    assert (
        quotes["strangulation"] == "LA TOMO DEL CUELLO"
    )  # beside the word it goes with, as in the vocabulary
    assert history.manifest["narratives"]["names_masked"] == 1


def test_either_database_in_any_order_gives_the_same_hash(sqlite_engine, postgresql_engine, tmp_path):
    rows = telling({"1-3": "LA AMENAZO DE MUERTE", "2-2": "LA TOMO DEL CUELLO", "3-2": "ESTABA EBRIO"})
    one = taken(fill(sqlite_engine, rows), tmp_path / "one")
    for entries in rows.values():
        entries.reverse()
    two = taken(fill(postgresql_engine, rows), tmp_path / "two")
    assert one.hash == two.hash
    assert one.table("factors").equals(two.table("factors"))
    assert taken(sqlite_engine, tmp_path / "one").hash == one.hash


def test_other_rules_give_another_history(engine, histories, tmp_path):
    fill(engine, telling({"1-3": "LE HIZO LA CAMPANA CON UNA SOGA"}))
    features = Path(__file__).parents[2] / "features"
    (tmp_path / "factors.yml").write_bytes((features / "factors.yml").read_bytes())
    text = (features / "narratives.yml").read_text(encoding="utf-8")
    commented = tmp_path / "narratives.yml"
    commented.write_text(text + "# a comment changes nothing\n", encoding="utf-8")
    before = taken(engine, histories)
    assert taken(engine, histories, rules=load_rules(tmp_path)).hash == before.hash
    commented.write_text(text.replace("      - estrangul*\n", "      - estrangul*\n      - la campana\n", 1))
    after = taken(engine, histories, rules=load_rules(tmp_path))
    assert after.hash != before.hash
    assert after.manifest["narratives"]["rows"] == {"strangulation": {"present": 1}}


def test_without_rules_no_narrative_is_asked_for(engine, histories, monkeypatch):
    from riskml.registry import take

    fill(engine, telling({"1-3": "LA AMENAZO DE MUERTE"}))
    asked, reading = [], take.read_texts

    def read_texts(connection, table, *, also=()):
        asked.extend(also)
        return reading(connection, table, also=also)

    monkeypatch.setattr(take, "read_texts", read_texts)
    history = taken(engine, histories, read=None)
    assert asked == []
    assert "narratives" not in history.manifest
    assert history.manifest["rows"]["factors"] == 4


def test_processes_read_what_one_reads(sqlite_engine, tmp_path, monkeypatch):
    rows = telling({"1-3": "LA AMENAZO DE MUERTE", "2-2": "LA TOMO DEL CUELLO", "4-2": "NIEGA DROGAS"})
    fill(sqlite_engine, rows)
    alone = taken(sqlite_engine, tmp_path / "one")
    monkeypatch.setattr("riskml.narratives.crew._FEW", 1)
    monkeypatch.setattr("riskml.narratives.crew._PART", 3)
    together = taken(sqlite_engine, tmp_path / "two", read=StatedFactors(RULES, 2))
    assert together.hash == alone.hash


def test_an_error_in_a_process_is_told_and_nothing_is_left(sqlite_engine, histories, monkeypatch):
    def parts(self, task, texts):
        raise RiskmlError("no more memory")
        yield

    monkeypatch.setattr(Crew, "parts", parts)
    with pytest.raises(RiskmlError, match="no more memory"):
        taken(fill(sqlite_engine, registry_rows()), histories)
    assert not list(histories.iterdir())


def test_a_workspace_reads_narratives_where_it_has_rules(tmp_path):
    workspace = init_workspace(tmp_path / "ws")
    rows = telling({"1-3": "LA AMENAZO DE MUERTE"})
    from riskml.registry.database import connect

    fill(connect(workspace.settings.registry_url, create=True), rows)
    history = workspace.take_history()
    assert history.manifest["narratives"]["rows"] == {"death_threat": {"present": 1}}
    (workspace.settings.features / "narratives.yml").unlink()
    again = open_workspace(workspace.settings.folder).take_history()
    assert "narratives" not in again.manifest
