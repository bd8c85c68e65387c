"""The outside sources that a report's sentences cite, by the tags [S:n] of the project's evidence."""

import re

from riskml.messages import message

__all__ = ["SOURCES", "cited_sources", "cited_tags"]

# As they were seen: mostly abstracts or first pages; "secondary" where somebody else quotes the source.
SOURCES = {
    "1": ("Glass et al. 2008, Journal of Emergency Medicine", "abstract"),
    "4": ("Roberts 2009", "secondary"),
    "6b": ("Campbell et al. 2003, university press summary", "secondary"),
    "9": ("Ontario DVDRC 2018, executive summary", ""),
    "14": ("López-Ossorio et al. 2021, Psychosocial Intervention", ""),
    "15": ("Turner, Brown & Medina-Ariza 2022, Psychosocial Intervention", ""),
    "17": ("Thornton 2017, Cambridge Journal of Evidence-Based Policing", "abstract"),
    "18": ("Bland & Ariel 2015", "abstract"),
    "19": ("salamancartvaldia.es Nov-2019, official counts of Spain", "secondary"),
    "23": ("Messing & Thaller 2013", "abstract"),
    "40": ("Belfrage & Strand 2012", "abstract"),
    "41": ("Turner, Medina & Brown 2019", "abstract"),
    "64": ("OxRec, Dutch validation", "abstract"),
    "82": ("ENDIREH, newsweekespanol Nov-2022", "secondary"),
    "83": ("ENDIREH, vanguardia.com.mx Nov-2022", "secondary"),
    "89": ("TRIPOD+AI, BMJ", "abstract"),
    "90": ("TRIPOD+AI, checklist", "secondary"),
    "92": ("Langenhuijsen 2023, meta-review", "secondary"),
    "96": ("EU AI Act, Annex III", "secondary"),
    "97": ("EU AI Act, Art. 5(1)(d), fpf.org", "secondary"),
    "98": ("EU AI Act, law enforcement", "secondary"),
    "100": ("Eticas Foundation, VioGén audit", ""),
}


def cited_tags(words):
    """The numbers n of the tags [S:n] in a text, in ascending order: list of str."""
    return sorted(set(re.findall(r"S:(\d+[a-z]?)", words)), key=lambda tag: (int(tag.rstrip("ab")), tag))


def cited_sources(words, language="es"):
    """The sources that a text cites: list of (tag, citation).

    Parameters
    ----------
    words : str
    language : str

    Returns
    -------
    list of (str, str)    tags of which this page knows no citation are given without one
    """
    listed = []
    for tag in cited_tags(words):
        citation, seen = SOURCES.get(tag, ("", ""))
        note = f" ({message(f'model_review.seen_{seen}', language)})" if seen else ""
        listed.append((f"S:{tag}", f"{citation}{note}"))
    return listed
