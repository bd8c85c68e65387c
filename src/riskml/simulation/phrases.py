"""How police records say a factor is there, or is not; shorthand and spelling as officers type them."""

import numpy as np

__all__ = ["ACTS", "DENIED", "PRESENT", "evidence_of"]

PRESENT = {
    "strangulation": (
        "LA TOMO DEL CUELLO",
        "LA AHORCO",
        "LE APRETO EL CUELLO HASTA DEJARLA SIN AIRE",
        "INTENTO DE ESTRANGULAMIENTO",
    ),
    "weapon_threat": ("LA AMENAZO CON UN CUCHILLO", "LA AMAGO CON ARMA BLANCA", "LA AMENAZO CON UN MACHETE"),
    "weapon_used": ("LA AGREDIO CON UN CUCHILLO", "LA GOLPEO CON UN TUBO", "LA HIRIO CON ARMA BLANCA"),
    "death_threat": (
        "LA AMENAZO DE MUERTE",
        'LE DIJO "TE VOY A MATAR"',
        "LE DIJO QUE LA VA A DESAPARECER",
    ),
    "firearm_access": ("CUENTA CON ARMA DE FUEGO", "TIENE UNA ESCUADRA", "SE LE CONOCE UN RIFLE .22"),
    "jealousy": ("ES MUY CELOSO", "PRESENTA CELOTIPIA", "POR CELOS"),
    "control": ("LE REVISA EL CELULAR", "NO LA DEJA SALIR", "NO LA DEJA VER A SU FLIA"),
    "alcohol": ("EN ESTADO DE EBRIEDAD", "ESTABA TOMADO", "BAJO LOS EFECTOS DEL ALCOHOL"),
    "drugs": ("BAJO LOS EFECTOS DE ALGUNA DROGA", "ES ADICTO", "CONSUME DROGAS"),
    "methamphetamine": ("CONSUME CRISTAL", "FUMA CRISTAL CON FOCO", "ES CRISTALERO"),
    "separation": ("YA NO VIVEN JUNTOS", "SE SEPARARON HACE POCO", "ESTA EN TRAMITE DE DIVORCIO"),
    "suicidality": ("AMENAZA CON QUITARSE LA VIDA", "DICE QUE SE QUIERE MATAR"),
    "pregnancy": ("SE ENCUENTRA EMBARAZADA", "CON 5 MESES DE EMBARAZO"),
    "forced_sex": ("LA OBLIGO A TENER RELACIONES", "REFIERE VIOLENCIA SEXUAL"),
    "prior_other_victim": ("AGREDIO TAMBIEN A SU EX PAREJA", "TIENE DENUNCIA DE PAREJA ANTERIOR"),
    "stalking": ("LA SIGUE A SU TRABAJO", "RONDA SU DOM", "LE MANDA MSJS TODO EL DIA", "LA ACOSA"),
    "unemployed": ("NO TRABAJA", "DESEMPLEADO", "SIN OCUPACION"),
    "confinement": ("LA ENCERRO EN EL CUARTO", "NO LA DEJABA SALIR DE LA CASA"),
    "escalation_reported": ("CADA VEZ ES MAS VIOLENTO", "ANTES NO ERA ASI", "YA VAN VARIAS VECES"),
    "victim_fear": ("TEME POR SU VIDA", "REFIERE TENER MIEDO"),
    "children_threatened": ("AMENAZA CON QUITARLE A LOS NIÑOS", "AMENAZA CON DAÑAR A SUS HIJOS"),
    "stepchild": ("TIENE HIJOS DE RELACION ANTERIOR", "EL MENOR NO ES HIJO DE EL"),
    "breach": ("INCUMPLIO LA MEDIDA DE PROTECCION", "CON MEDIDA VIGENTE SE PRESENTO EN EL DOM"),
    "economic_dependence": ("EL ES EL QUE MANTIENE", "DEPENDE ECONOMICAMENTE DE EL"),
    "isolation": ("SIN RED DE APOYO", "NO TIENE FAMILIARES EN LA CIUDAD"),
    "prior_violence_others": ("ANTECEDENTE POR LESIONES EN RIÑA", "ANTECEDENTE POR VIOLENCIA CON TERCEROS"),
}
DENIED = {
    "strangulation": ("NIEGA HABER SIDO TOMADA DEL CUELLO", "SIN MARCAS EN CUELLO"),
    "weapon_threat": ("NIEGA AMENAZAS CON ARMA", "NO MOSTRO ARMA ALGUNA"),
    "weapon_used": ("NO SE UTILIZO ARMA", "NIEGA USO DE ARMA"),
    "death_threat": ("NIEGA AMENAZAS DE MUERTE", "NO LA AMENAZO DE MUERTE"),
    "firearm_access": ("NO CUENTA CON ARMA DE FUEGO", "NIEGA QUE TENGA ARMAS"),
    "jealousy": ("NIEGA CELOS", "NO ES CELOSO"),
    "control": ("NIEGA QUE LA CONTROLE", "NO LE PROHIBE SALIR"),
    "alcohol": ("NIEGA CONSUMO DE ALCOHOL", "NO SE ENCONTRABA EN ESTADO DE EBRIEDAD"),
    "drugs": ("NIEGA CONSUMO DE DROGAS", "NO CONSUME DROGAS"),
    "methamphetamine": ("NIEGA CONSUMO DE CRISTAL", "NO CONSUME CRISTAL"),
    "separation": ("SIGUEN VIVIENDO JUNTOS", "NO SE HAN SEPARADO"),
    "suicidality": ("SIN IDEACION SUICIDA", "NIEGA AMENAZAS DE QUITARSE LA VIDA"),
    "pregnancy": ("NO SE ENCUENTRA EMBARAZADA", "NIEGA EMBARAZO"),
    "forced_sex": ("NIEGA VIOLENCIA SEXUAL",),
    "prior_other_victim": ("SIN DENUNCIAS DE OTRAS PAREJAS",),
    "stalking": ("NO LA SIGUE NI LA BUSCA", "NIEGA ACOSO"),
    "unemployed": ("CUENTA CON TRABAJO", "TRABAJA DE PLANTA"),
    "confinement": ("NO LA ENCERRO", "NIEGA HABER SIDO ENCERRADA"),
    "escalation_reported": ("ES LA PRIMERA VEZ QUE OCURRE",),
    "victim_fear": ("REFIERE NO TENER MIEDO", "NO TEME POR SU VIDA"),
    "children_threatened": ("NO HA AMENAZADO A LOS HIJOS",),
    "stepchild": ("LOS HIJOS SON DE AMBOS",),
    "breach": ("NO HA INCUMPLIDO LA MEDIDA",),
    "economic_dependence": ("CUENTA CON INGRESOS PROPIOS",),
    "isolation": ("CUENTA CON RED DE APOYO", "VIVE CERCA DE SU FLIA"),
    "prior_violence_others": ("SIN ANTECEDENTES DE VIOLENCIA CON TERCEROS",),
}

# Acts that a light incident cannot consist of: told there, they happened on another occasion.
ACTS = ("strangulation", "weapon_used", "weapon_threat", "forced_sex", "confinement")


def evidence_of(codes, factor, state, rng):
    """The words that a row quotes: array of str.

    Parameters
    ----------
    codes : tuple of str                 factors by position
    factor, state : arrays, shape (n,)   position of the factor; 1 present, 0 denied
    """
    draw = rng.random(len(factor))
    quotes = np.empty(len(factor), dtype=object)
    for position, code in enumerate(codes):
        for value, phrases in ((1, PRESENT[code]), (0, DENIED[code])):
            chosen = (factor == position) & (state == value)
            table = np.array(phrases, dtype=object)
            quotes[chosen] = table[(draw[chosen] * len(phrases)).astype(int)]
    return quotes
