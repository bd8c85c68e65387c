"""Published risk instruments as proxies, scored from three-state factors in bounds."""

from riskml.instruments.definition import Instrument, instrument_names, load_instrument
from riskml.instruments.scoring import in_words, score

__all__ = ["Instrument", "in_words", "instrument_names", "load_instrument", "score"]
