"""What a check found: pass, concern or fail, in words and with the figures behind it."""

from dataclasses import dataclass, field

import numpy as np

from riskml.messages import LANGUAGES, in_every_language, message
from riskml.models.bundle import plain

__all__ = ["VERDICTS", "Check", "every_language", "worst"]

VERDICTS = ("pass", "concern", "fail")  # from good to bad


def every_language(key, **fields):
    """A sentence of `validation.<key>` in every language: dict of language -> str."""
    return in_every_language(f"validation.{key}", **fields)


@dataclass(frozen=True)
class Check:
    """One check with its verdict.

    Attributes
    ----------
    code : str        which check
    verdict : str     of VERDICTS
    words : dict      language -> what was found and what it means
    figures : dict    the numbers behind it, each estimate with its interval; plain JSON once `document` is
        asked
    """

    code: str
    verdict: str
    words: dict
    figures: dict = field(default_factory=dict)

    def title(self, language="es"):
        """The check and its verdict in words, str."""
        name = message(f"validation.check_{self.code}", language)
        return f"{name}: {message(f'validation.verdict_{self.verdict}', language)}"

    def document(self):
        """Plain JSON: code, verdict, title and words by language, figures."""
        return plain(
            {
                "code": self.code,
                "verdict": self.verdict,
                "title": {language: self.title(language) for language in LANGUAGES},
                "words": self.words,
                "figures": self.figures,
            }
        )


def worst(checks):
    """The worst verdict of several checks, str; pass where there is none."""
    ranks = [VERDICTS.index(check.verdict) for check in checks]
    return VERDICTS[int(np.max(ranks, initial=0))]
