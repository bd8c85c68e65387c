"""Narratives in the style of police reports: capitals, shorthand, typos, negations, things heard from others.

They say what the factor rows say, and nothing that the rows deny; each ends with a visible mark.
"""

import numpy as np

from riskml.simulation.people import MARK

__all__ = ["incident_narratives"]

_HEADS = (
    ("SE RECIBE LLAMADA AL 911, ", "REPORTE 911: ", "C5 INFORMA QUE "),
    ("AL ARRIBAR AL LUGAR ", "EN RECORRIDO DE VIGILANCIA, ", "SE ACUDE AL DOM Y "),
    ("EN SOLICITUD DE MEDIDA, ", "PARA EFECTOS DE LA MEDIDA, "),
    ("EN ENTREVISTA, ", "EN SU DENUNCIA, ", "QUE COMPARECE Y "),
    ("EN AUDIENCIA, ", "SEGUN LA EVALUACION, "),
    ("FICHA BANEVIM: ", "AL MOMENTO DEL REGISTRO, "),
)
_TELLERS = (
    "LA FEM REFIERE QUE ",
    "LA C. MANIFIESTA QUE ",
    "REFIERE VECINA QUE ",
    "REFIERE HIJA DE LA AFECTADA QUE ",
    "LA VICTIMA SEÑALA QUE ",
)
_ACTS = (
    (
        "{who} LA INSULTA EN SU DOM",
        "{who} LA OFENDE CON PALABRAS ALTISONANTES",
        "{who} LLEGO GRITANDO Y DISCUTIENDO",
    ),
    ("{who} LA AMENAZA", "{who} ROMPIO COSAS DE LA CASA", "{who} LA HUMILLA Y LE QUITA EL DINERO"),
    (
        "{who} LA EMPUJO",
        "{who} LE DIO UNA CACHETADA",
        "{who} LA JALO DEL CABELLO",
        "{who} SE PRESENTO EN SU TRABAJO",
    ),
    (
        "{who} LA GOLPEO CON EL PUÑO EN EL ROSTRO",
        "{who} LE CAUSO LESIONES QUE TARDAN MENOS DE 15 DIAS",
        "{who} LA TIRO AL SUELO Y LA PATEO",
    ),
    ("{who} LA LESIONO DE GRAVEDAD, FUE TRASLADADA AL HOSPITAL", "{who} LA AGREDIO CAUSANDOLE FRACTURA"),
    (
        "{who} LE CAUSO LESIONES QUE PUSIERON EN PELIGRO SU VIDA",
        "{who} LA DEJO INCONSCIENTE, INGRESA A TERAPIA INTENSIVA",
    ),
    ("SE LOCALIZA A LA FEM SIN SIGNOS VITALES EN EL DOM DE {who}", "LA FEM PERDIO LA VIDA A MANOS DE {who}"),
)
_RELATIONS = {
    "partner": ("SU PAREJA", "SU CONCUBINO", "SU ESPOSO"),
    "ex-partner": ("SU EX PAREJA", "SU EXPAREJA", "SU EX ESPOSO"),
    "son": ("SU HIJO",),
    "brother": ("SU HNO", "SU HERMANO"),
    "father": ("SU PADRE", "SU PAPA"),
    "in-law": ("SU CUÑADO", "SU SUEGRO"),
}
_TAILS = (
    "",
    " NO PRESENTA LESIONES VISIBLES.",
    " NO DESEA PROCEDER.",
    " SE LE BRINDA ORIENTACION.",
    " EL MASC SE RETIRO DEL LUGAR.",
    " SE CANALIZA AL AREA DE PSICOLOGIA.",
    " SOLO SOLICITA QUE SE RETIRE.",
    " SE REALIZA RONDIN S/N.",
)
_GRAVE = 3  # severity from which an incident may consist of a grave act
_UNHURT = 1  # position in _TAILS of what cannot be said after an injury
_TYPOS = (
    ("QUE", "Q"),
    ("CON ", "C/"),
    ("AGREDIO", "AGREDIÓ"),
    ("GOLPEO", "GOLPIO"),
    ("HASTA", "ASTA"),
    ("HIJO", "IJO"),
    (" DOM ", " DOMICILO "),
    ("LLAMADA", "LLAMDA"),
)


def _picked(options, draw):
    return options[int(draw * len(options))]


def incident_narratives(source, severity, relationship, name, quoted, count, rng):
    """One narrative per incident.

    Parameters
    ----------
    source, severity : arrays of int, shape (n,)
    relationship, name : sequences of str, shape (n,)    of and about the aggressor
    quoted : (incident numbers, quotes, whether of a grave act), arrays of equal length    what the factor
        rows say
    count : int    number of incidents, n

    Returns
    -------
    list of str, shape (n,)
    """
    quotes = [[] for _ in range(count)]
    light = np.asarray(severity) < _GRAVE
    for number, quote, act in zip(*quoted, strict=True):
        quotes[number].append(f"EN OTRA OCASION {quote}" if act and light[number] else quote)
    draws = rng.random((count, 7))
    texts = []
    for row, (at, level, relation, person, said) in enumerate(
        zip(source, severity, relationship, name, quotes, strict=True)
    ):
        draw = draws[row]
        who = _picked(_RELATIONS[relation], draw[0])
        if draw[1] < 0.35:
            who = f"{who} DE NOMBRE {person.upper()}"
        tail = int(draw[2] * len(_TAILS))
        if tail == _UNHURT and level >= 3:
            tail = 0
        teller = _picked(_TELLERS, draw[3]) if level < 6 else ""
        text = f"{_picked(_HEADS[at], draw[4])}{teller}{_picked(_ACTS[level], draw[5]).format(who=who)}"
        if said:
            text = f"{text}; {', '.join(said)}"
        text = f"{text}.{_TAILS[tail]}"
        if draw[6] < 0.30:
            right, wrong = _TYPOS[int(draw[6] / 0.30 * len(_TYPOS))]
            text = text.replace(right, wrong, 1)
        texts.append(f"{text} {MARK}")
    return texts
