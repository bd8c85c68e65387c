"""Personal data in what people write: masked in free text, and named wherever it is found.

What can be told by its shape is found: telephone and file numbers, e-mail and web addresses, CURP and RFC,
postal addresses, names that stand behind a title or a word such as "alias", two capitalised words that are no
institution's. Nobody's name standing alone can be told from any other word: the instructions forbid it.
"""

import re
from functools import cache, partial

from riskml.messages import all_messages
from riskml.registry.masking import MASK, plain_words

__all__ = ["masked_text"]

_CAPITAL = r"[A-ZÁÉÍÓÚÜÑ]"
_NAME = rf"{_CAPITAL}[\w'-]*(?:\s+(?:(?:de|del|la|las|los|y)\s+)*{_CAPITAL}[\w'-]*){{0,4}}"
_DATE = re.compile(
    r"(?<!\d)(?:(?:19|20)\d\d[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:19|20)?\d\d|"
    r"(?:19|20)\d\d\s*-\s*(?:19|20)\d\d)(?!\d)"
)
_STREET = (
    r"(?:calle|avenida|av\.?|colonia|col\.|fraccionamiento|fracc\.?|privada|priv\.|boulevard|blvd\.?|calzada|"
    r"andador|callej[oó]n|carretera)"
)
# In order: what is masked by one is not looked at by the next.
_PATTERNS = (
    ("web", re.compile(r"\S*@\S+|(?:https?://|www\.)\S+", re.IGNORECASE)),
    ("number", re.compile(r"\b[A-ZÑ&]{3,4}\d{6}[A-Z0-9]{3,8}\b", re.IGNORECASE)),
    (
        "address",
        re.compile(rf"\b{_STREET}\s+(?:\S+\s+){{0,6}}?(?:#|n[uú]m\.?\s*|no\.?\s*)?\d+\w*", re.IGNORECASE),
    ),
    ("address", re.compile(rf"\b(?i:{_STREET})\s+{_CAPITAL}[a-záéíóúüñ]+(?:\s+{_CAPITAL}[a-záéíóúüñ]+)*")),
    ("address", re.compile(r"\b(?:c\.?\s?p\.?|c[oó]digo postal)\s*\d{5}\b", re.IGNORECASE)),
    ("number", re.compile(r"\+?\(?\d(?:[\s().-]*\d){6,}|\b\w*\d{5,}\w*")),
    (
        "name",
        re.compile(
            r"\b(?i:de nombre|nombre|llamad[oa]|se llama|apodad[oa]|alias|señora?|sra?\.|lic\.|dra?\.|c\.|"
            rf"ciudadan[oa]|doctora?|licenciad[oa])\s*:?\s*[\"“']?({_NAME})"
        ),
    ),
    ("name", re.compile(rf"\b{_CAPITAL}[a-záéíóúüñ]+(?:\s+{_CAPITAL}[a-záéíóúüñ]+)+\b")),
)
_SET_ASIDE = "\0"
# Capitalised words that name an office and not a person.
_OFFICE_TEXT = """
fiscalia ministerio publico policia poder judicial secretaria seguridad guardia nacional cruz roja seguro
social hospital general clinica centro instituto juzgado tribunal superior supremo protocolo alerta
codigo penal ley emergencias estado municipio presidencia desarrollo integral comision derechos humanos
sistema servicio servicios salud justicia mujeres mujer consejo comite proteccion civil orden medida
medidas numero unico padron registro escuela primaria preparatoria universidad banco redes zacatecas
mexico primero segundo tercero lunes martes miercoles jueves viernes sabado domingo facebook whatsapp
refugio casa visita domiciliaria women secretariat police state municipal court office prosecutor
emergency line health social services
"""


@cache
def _office_words():
    """Words that stand in the form itself or name an office: frozenset of folded words."""
    texts = [
        text
        for key, entry in all_messages().items()
        if key.startswith("fatality_form.value_")
        for text in entry.values()
    ]
    return frozenset(_OFFICE_TEXT.split()) | {word for text in texts for word in plain_words(text)}


def _is_office(words):
    return any(word in _office_words() for word in plain_words(words))


def masked_text(text):
    """A free text with the personal data that were found masked, and what was found.

    Parameters
    ----------
    text : str

    Returns
    -------
    str, and a tuple of kinds: "web", "number", "address", "name"; empty where nothing was masked

    >>> masked_text("Llamó al 492 123 4567 desde el trabajo")
    ('Llamó al […] desde el trabajo', ('number',))
    """
    found = []

    def instead(kind, match):
        if kind == "name" and _is_office(match[match.lastindex or 0]):
            return match[0]
        found.append(kind)
        return match[0].replace(match[1], MASK) if match.lastindex else MASK

    # Dates are digits too, and wanted: they are set aside while the rest is looked at.
    dates = [match[0] for match in _DATE.finditer(text)]
    masked = _DATE.sub(_SET_ASIDE, text)
    for kind, pattern in _PATTERNS:
        masked = pattern.sub(partial(instead, kind), masked)
    if not found:
        return text, ()
    for date in dates:
        masked = masked.replace(_SET_ASIDE, date, 1)
    return masked, tuple(dict.fromkeys(found))
