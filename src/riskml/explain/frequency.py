"""Risks as natural frequencies: what became of similar cases, out of so many, and on how many it rests."""

import math

from riskml.messages import message

__all__ = ["frequency_words", "is_lethal", "natural_frequency", "relative_words", "risk_words"]

_BASES = (100, 1_000, 10_000)
_SMALLEST = 2  # of the base: rarer outcomes are told out of more cases


def natural_frequency(low, high):
    """An interval of shares as whole numbers out of 100, or of more where it is rare.

    Parameters
    ----------
    low, high : float in [0, 1]

    Returns
    -------
    (low, high, base) : ints    rounded outwards
    """
    base = next((b for b in _BASES if high * b >= _SMALLEST), _BASES[-1])
    return math.floor(round(low * base, 6)), math.ceil(round(high * base, 6)), base


def frequency_words(low, high, language="es"):
    """Such as "de 8 a 14 de cada 100"."""
    first, last, base = natural_frequency(low, high)
    kind = "single" if first == last else "range"
    count = message(f"reasons.frequency_{kind}", language, low=first, high=last)
    return message("reasons.frequency_short", language, count=count, base=f"{base:,}")


def is_lethal(model):
    """Whether a model predicts a femicide or an attempt: then no one's risk is shown as a probability."""
    events = (model.card.get("outcome") or {}).get("event") or ()
    return "lethal" in ([events] if isinstance(events, str) else events)


def relative_words(risk, mean_risk, language="es"):
    """A risk relative to the registry's average, in words; empty where the average is not known."""
    if not mean_risk:
        return ""
    times = risk / mean_risk
    if 0.9 <= times <= 1.1:
        return message("reasons.relative_average", language)
    if times < 1:
        return message("reasons.relative_below", language, share=f"{100 * times:.0f}")
    return message("reasons.relative", language, times=f"{times:.1f}")


def risk_words(model, row, language="es"):
    """One model's part of a second opinion in one sentence.

    Parameters
    ----------
    model : Model
    row : Series    one case of `Opinion.cases`
    language : str

    Returns
    -------
    str    the outcome's frequency among similar cases with n/N, interval, relative risk, and the model's
        version; of a lethal outcome only the relative risk
    """
    name, label = model.name, (model.card.get("label") or {}).get(language, model.name)
    relative = relative_words(row[f"{name}_risk"], model.reference.get("mean_risk"), language)
    about = {"label": label, "relative": relative, "model": name, "version": model.version}
    if is_lethal(model):
        return message("reasons.relative_only", language, **about)
    low, high, base = natural_frequency(row[f"{name}_low"], row[f"{name}_high"])
    kind = "single" if low == high else "range"
    return message(
        "reasons.frequency",
        language,
        count=message(f"reasons.frequency_{kind}", language, low=low, high=high),
        base=f"{base:,}",
        events=f"{int(row[f'{name}_events']):,}",
        n=f"{int(row[f'{name}_n']):,}",
        **about,
    )
