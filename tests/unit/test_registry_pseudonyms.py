import pickle

import pyarrow as pa
import pytest

from registries import KEY
from riskml.errors import RiskmlError
from riskml.registry.pseudonyms import Key, load_key, make_key


def test_a_key_is_made_once_and_only_its_owner_may_read_it(tmp_path):
    path = tmp_path / "riskml.key"
    made = make_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_key(path, environment={}).fingerprint == made.fingerprint
    with pytest.raises(RiskmlError, match="exists already"):
        make_key(path)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o777])
def test_a_key_file_that_others_may_read_is_refused(tmp_path, mode):
    make_key(tmp_path / "riskml.key")
    (tmp_path / "riskml.key").chmod(mode)
    with pytest.raises(RiskmlError, match="chmod 600"):
        load_key(tmp_path / "riskml.key", environment={})


@pytest.mark.parametrize("secret", ["", "short", "a" * 31, " " * 64])
def test_a_short_key_is_refused(secret):
    with pytest.raises(RiskmlError, match="too short"):
        Key(secret)


def test_no_key_is_one_message(tmp_path):
    for path in (None, tmp_path / "absent.key", tmp_path):
        with pytest.raises(RiskmlError, match="no key"):
            load_key(path, environment={})


def test_the_environment_comes_before_the_file(tmp_path):
    make_key(tmp_path / "riskml.key")
    key = load_key(tmp_path / "riskml.key", environment={"RISKML_KEY": "3f1c9a" * 8})
    assert key.fingerprint == KEY.fingerprint


def test_a_key_shows_its_fingerprint_and_nothing_else():
    assert "3f1c9a" not in repr(KEY)
    with pytest.raises(TypeError):
        pickle.dumps(KEY)


def test_case_7_and_victim_7_have_nothing_in_common():
    names = {KEY.pseudonym(kind, "7") for kind in ("case_id", "victim_id", "aggressor_id", "analyst")}
    assert len(names) == 4
    assert all(len(name) == 32 for name in names)


def test_a_pseudonym_stays_what_it_is():
    # Frozen: a change would cut the histories of a later version off from those of an earlier one.
    assert KEY.pseudonym("case_id", "7") == "edeee321129aba5968cd092695282c38"
    assert KEY.fingerprint == "cdeeafe8da6e512f"


def test_a_column_of_ids_keeps_its_order_its_nulls_and_its_repeats():
    ids = pa.chunked_array([["7", None], ["8", "7", " 7 "]])
    seven, eight = KEY.pseudonym("case_id", "7"), KEY.pseudonym("case_id", "8")
    assert KEY.pseudonyms("case_id", ids).to_pylist() == [seven, None, eight, seven, seven]
    assert KEY.pseudonyms("case_id", pa.array([], pa.string())).to_pylist() == []
    assert KEY.pseudonyms("case_id", pa.array([None], pa.string())).to_pylist() == [None]


def test_another_key_gives_other_pseudonyms():
    assert Key("0123456789abcdef" * 2).pseudonym("case_id", "7") != KEY.pseudonym("case_id", "7")
