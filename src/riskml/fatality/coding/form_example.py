"""The example row of each sheet: shown in the form, and left out when the form is read."""

from datetime import date

__all__ = ["EXAMPLE_IDS", "example_row"]

EXAMPLE_IDS = {"es": "EJEMPLO", "en": "EXAMPLE"}

_ROWS = {
    "cases": {
        "kind": "femicide",
        "event_on": date(2024, 5, 17),
        "relationship": "ex-partner",
        "municipality": {"es": "Municipio", "en": "Municipality"},
        "method": "blade",
        "place": "victims_home",
        "children_present": "yes",
        "homicide_suicide": "no",
        "living_together": "no",
        "earlier_report": "yes",
        "measure_in_force": "unknown",
        "status": "closed",
        "defined_critical": "no",
        "quality": "partial",
    },
    "people": {
        "role": "victim",
        "age": "31-40",
        "sex": "female",
        "occupation": {"es": "comerciante", "en": "trader"},
    },
    "contacts": {
        "contact_on": date(2024, 3, 2),
        "institution": "municipal_police",
        "known_factors": 2,
        "what_was_known": {
            "es": "Refirió amenazas y que él la seguía desde la separación",
            "en": "She told of threats, and that he had followed her since they parted",
        },
        "level_then": "medium",
        "action": {
            "es": "Se levantó reporte y se le orientó",
            "en": "A report was taken and she was advised",
        },
        "next_step_not_done": {
            "es": "No se dio aviso para solicitar una medida de protección",
            "en": "Nobody passed it on so that a protection measure could be asked for",
        },
    },
    "factors": {
        "coder": "REV-01",
        "factor": 1,
        "state": "present",
        "evidence": {
            "es": "Certificado médico y dicho de la hermana",
            "en": "Medical certificate; her sister's word",
        },
        "known_on": date(2024, 3, 2),
        "known_by": "health",
        "known": "before",
    },
    "missed": {
        "missed_on": date(2024, 3, 2),
        "institution": "health",
        "how": "not_linked",
        "note": {
            "es": "El certificado no llegó al padrón",
            "en": "The certificate never reached the registry",
        },
    },
    "recommendations": {
        "recommendation": {
            "es": "Avisar el mismo día de las lesiones atendidas en urgencias",
            "en": "Pass on the same day what injuries were treated in emergency rooms",
        },
        "addressee": "health",
        "deadline_on": date(2025, 1, 31),
        "progress": "in_progress",
        "publish": "no",
    },
}


def example_row(name, vocabulary, language):
    """The example of a sheet: dict of column -> value, codes as codes, texts in the language.

    Parameters
    ----------
    name : str    of SHEETS
    vocabulary : FactorVocabulary
    language : "es" or "en"
    """
    row = {"review_id": EXAMPLE_IDS[language]}
    for column, value in _ROWS[name].items():
        if isinstance(value, dict):
            value = value[language]
        elif isinstance(value, int):  # so many factors of the vocabulary
            value = "; ".join(vocabulary.codes[:value])
        row[column] = value
    return row
