"""What a review team might have coded of a simulated registry's lethal events: synthetic, for trying out.

Some facts are made up that no registry holds: what family or neighbours knew, and what came to light only
after the event. That is what real files are like, and what comparisons must not fall for.
"""

import numpy as np
import pandas as pd

from riskml.errors import RiskmlError
from riskml.fatality.form import ACTIONS_MISSED, METHODS, PLACES, SHEETS
from riskml.registry.contract import TABLES
from riskml.registry.database import is_synthetic, reading

__all__ = ["lethal_tables", "simulated_sheets"]

DAY = pd.Timedelta(days=1)
_CODERS = ("REV-01", "REV-02")
_BY_SOURCE = {
    "911": "emergency_911",
    "police_report": "municipal_police",
    "protection_measure": "prosecutor",
    "investigation_file": "prosecutor",
    "precautionary_measure": "court",
    "banevim": "womens_secretariat",
}
_RESPONSE_TEXT = {
    "visit": "Visita domiciliaria",
    "deterrent_message": "Mensaje disuasivo al agresor",
    "referral_aggressor": "Canalización del agresor",
    "referral_victim": "Canalización de la víctima",
    "var_activation": "Activación del protocolo",
    "surveillance": "Vigilancia",
}
# What becomes of each factor that nobody had recorded: [A], made up.
_AFTER, _COMMUNITY, _ABSENT = 0.22, 0.08, 0.30
_DISAGREE = 0.05
_ORDERS = ("protection", "precautionary")
_UNKNOWN = {"state": "unknown", "known": "unknown", "known_on": None, "known_by": None}
_ADVICE = (
    ("Preguntar por estrangulamiento en cada llamada", "emergency_911"),
    ("Compartir las medidas de protección el mismo día", "prosecutor"),
    ("Dar seguimiento a las lesiones atendidas en urgencias", "health"),
)


def simulated_sheets(tables, factors, *, seed=0):
    """The sheets of a review of every lethal event that a registry's `outcomes` hold.

    Parameters
    ----------
    tables : mapping of table name -> DataFrame or pyarrow.Table    the registry's, or a history's
    factors : sequence of str    codes of the vocabulary that are coded
    seed : int

    Returns
    -------
    dict of sheet -> DataFrame    in the form's columns, two coders who differ on about one factor in twenty
    """
    frames = {name: _frame(table) for name, table in tables.items()}
    events = frames["outcomes"][frames["outcomes"]["superseded_at"].isna()].sort_values("occurred_at")
    events = events.drop_duplicates("case_id").reset_index(drop=True)
    grouped = {
        name: dict(list(frames[name][frames[name]["case_id"].isin(events["case_id"])].groupby("case_id")))
        for name in ("cases", "incidents", "factors", "levels", "measures", "responses")
    }
    people = {
        name: frames[f"{name}s"].drop_duplicates(f"{name}_id", keep="last").set_index(f"{name}_id")
        for name in ("aggressor", "victim")
    }
    rows = {name: [] for name in SHEETS}
    rng = np.random.default_rng(seed)
    for number, event in enumerate(events.itertuples(), start=1):
        own = {name: _before(by.get(event.case_id), event.occurred_at) for name, by in grouped.items()}
        case = grouped["cases"][event.case_id].iloc[-1]
        review = f"R{number:04d}"
        _case_rows(rows, review, event, case, own, people, rng)
        _contact_rows(rows, review, own)
        _factor_rows(rows, review, event, own, factors, rng)
        _missed_rows(rows, review, own)
    if len(events):
        rows["recommendations"] = [
            {
                "recommendation": words,
                "addressee": addressee,
                "deadline_on": events["occurred_at"].max().normalize() + 180 * DAY,
                "progress": "open",
                "publish": "yes",
            }
            for words, addressee in _ADVICE
        ]
    return {name: pd.DataFrame(rows[name], columns=list(SHEETS[name].names)) for name in SHEETS}


def lethal_tables(engine):
    """The rows of a synthetic registry that speak of its lethal events: dict of table name -> DataFrame.

    Parameters
    ----------
    engine : Engine

    Raises
    ------
    RiskmlError    the registry is not marked as synthetic: real cases are reviewed by people
    """
    cases = "SELECT case_id FROM outcomes"
    people = {
        table: f"SELECT {entity} FROM cases WHERE case_id IN ({cases})"
        for table, entity in (("aggressors", "aggressor_id"), ("victims", "victim_id"))
    }
    with reading(engine) as connection:
        if not is_synthetic(connection):
            raise RiskmlError(
                "this registry is not synthetic: nothing is made up about real cases",
                where="registry",
                mend="`riskml fatality template` writes the form that a review team fills in.",
            )
        return {
            name: pd.read_sql_query(
                f"SELECT * FROM {name} WHERE {table.entity} IN ({people.get(name, cases)})",
                connection,
                parse_dates=[c.name for c in table.columns if c.name.endswith("_at")],
            )
            for name, table in TABLES.items()
        }


def _frame(table):
    return table if isinstance(table, pd.DataFrame) else table.to_pandas()


def _before(frame, moment):
    """Rows that were recorded before a moment, in order; empty where there are none."""
    if frame is None:
        return pd.DataFrame(columns=["recorded_at"])
    return frame[frame["recorded_at"] < moment.normalize()].sort_values("recorded_at")


def _case_rows(rows, review, event, case, own, people, rng):
    answer = rng.choice(["yes", "no", "unknown"], size=3, p=[0.3, 0.4, 0.3])
    orders = own["measures"]
    if len(orders):
        orders = orders[orders["kind"].isin(_ORDERS)]
        ends = orders[["expires_at", "ended_at"]].min(axis=1)
        orders = orders[~(ends <= event.occurred_at)]
    rows["cases"].append(
        {
            "review_id": review,
            "case_id": event.case_id,
            "kind": event.kind,
            "event_on": event.occurred_at.normalize(),
            "relationship": case["relationship"],
            "municipality": case["municipality"],
            "method": rng.choice(METHODS),
            "place": rng.choice(PLACES),
            "children_present": answer[0],
            "homicide_suicide": answer[1] if event.kind == "femicide" else "no",
            "living_together": answer[2],
            "earlier_report": "yes" if len(own["incidents"]) else "no",
            "measure_in_force": "yes" if len(orders) else "no",
            "status": "closed",
            "defined_critical": "no",
            "quality": "partial",
        }
    )
    for role, frame in people.items():
        person = case[f"{role}_id"]
        born = frame["birth_year"].get(person)
        age = "" if born is None or pd.isna(born) else str(int(event.occurred_at.year - born))
        sex = frame["sex"].get(person)
        rows["people"].append({"review_id": review, "role": role, "age": age, "sex": sex})


def _contact_rows(rows, review, own):
    levels = own["levels"]
    factors = own["factors"]
    for incident in own["incidents"].itertuples():
        then = levels[levels["recorded_at"] <= incident.recorded_at] if len(levels) else levels
        known = factors[factors["recorded_at"] <= incident.recorded_at] if len(factors) else factors
        present = sorted(set(known.loc[known["state"] == "present", "factor"])) if len(known) else []
        rows["contacts"].append(
            {
                "review_id": review,
                "contact_on": incident.recorded_at.normalize(),
                "institution": _BY_SOURCE[incident.source],
                "known_factors": "; ".join(present),
                "level_then": then["level"].iloc[-1] if len(then) else "not_assessed",
            }
        )
    for response in own["responses"].itertuples():
        rows["contacts"].append(
            {
                "review_id": review,
                "contact_on": response.recorded_at.normalize(),
                "institution": "state_police",
                "level_then": "unknown",
                "action": _RESPONSE_TEXT[response.kind],
            }
        )


def _factor_rows(rows, review, event, own, factors, rng):
    recorded = own["factors"]
    last = recorded.drop_duplicates("factor", keep="last").set_index("factor") if len(recorded) else recorded
    day = event.occurred_at.normalize()
    for code in factors:
        coded = {"review_id": review, "factor": code}
        draw = rng.random()
        if len(last) and code in last.index:
            fact = last.loc[code]
            coded |= {"state": "present" if fact["state"] == "present" else "absent", "known": "before"}
            coded |= {"known_on": fact["recorded_at"].normalize()}
            coded |= {"known_by": _BY_SOURCE.get(fact["source"], "state_police")}
        elif draw < _AFTER:
            coded |= {"state": "present", "known": "after", "known_by": "prosecutor"}
            coded |= {"known_on": day + int(rng.integers(5, 120)) * DAY}
        elif draw < _AFTER + _COMMUNITY:
            coded |= {"state": "present", "known": "before"}
            coded |= {"known_by": rng.choice(["family", "neighbours", "social_media"])}
        elif draw < _AFTER + _COMMUNITY + _ABSENT:
            coded |= {"state": "absent", "known": "after", "known_by": "prosecutor"}
            coded |= {"known_on": day + int(rng.integers(5, 120)) * DAY}
        else:
            coded |= _UNKNOWN
        rows["factors"].append(coded | {"coder": _CODERS[0]})
        if rng.random() < _DISAGREE:
            unknown = coded["state"] == "unknown"
            coded = coded | {"state": "absent"} if unknown else coded | _UNKNOWN
        rows["factors"].append(coded | {"coder": _CODERS[1]})


def _missed_rows(rows, review, own):
    incidents, levels, responses = own["incidents"], own["levels"], own["responses"]
    if not len(incidents):
        rows["missed"].append(
            {"review_id": review, "institution": "other_institution", "how": ACTIONS_MISSED[-1]}
        )
        return
    last = incidents.iloc[-1]
    how = "not_graded"
    if len(levels):
        level = levels["level"].iloc[-1]
        how = "graded_low" if level in ("low", "medium") else "no_action"
        if how == "no_action" and len(responses):
            how = "not_completed"
    rows["missed"].append(
        {
            "review_id": review,
            "missed_on": last["recorded_at"].normalize(),
            "institution": _BY_SOURCE[last["source"]],
            "how": how,
        }
    )
