"""Pre-specified factors with published odds ratios as priors, as a file of `models/priors/` states them."""

import re
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from riskml.errors import RiskmlError
from riskml.messages import LANGUAGES
from riskml.outcomes.definition import OutcomeDefinition
from riskml.parts import Line, Part, Relationship, Words, read_part
from riskml.vocabulary import did_you_mean

__all__ = ["Prior", "PriorFile", "Share", "load_priors"]

UNCHECKED = "M?"
LEAST_UNCHECKED_SD = 1.0  # a figure that nobody checked may not hold the data back


def _tag(tag):
    if tag == "A":
        raise ValueError("a figure tagged A was assumed for simulations: it is no prior")
    if not re.fullmatch(r"S:[0-9]+b?|M\??|D", str(tag)):
        raise ValueError(f'unknown tag "{tag}": S:n, M, M? or D')
    return tag


def _outcome(value):
    try:
        return OutcomeDefinition.of(value)
    except RiskmlError as error:
        raise ValueError(error.what) from None


Tag = Annotated[str, BeforeValidator(_tag)]
Codes = Annotated[tuple[Line, ...], Field(min_length=2)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Share(Part):
    """In how many of those without the event a factor is present, and who found it."""

    share: Annotated[float, Field(gt=0, lt=1)]
    study: Line
    tag: Tag

    @model_validator(mode="after")
    def _checked(self):
        if self.tag == UNCHECKED:
            raise ValueError("a share tagged M? was not checked: leave it out, the controls give it")
        return self


class Prior(Part):
    """One factor and what is known of its effect before any local case was reviewed.

    Attributes
    ----------
    label : dict or None             of a factor made of several codes, in Spanish and English
    any_of, all_of : tuple of str    codes that make the factor together; neither: its own name is the code
    odds_ratio : float
    sd : float or None               of the normal prior on the log-odds; None: the file's
    study, tag : str                 where the figure comes from, and how far it was checked
    prior_only : bool                it was not checked: a starting value, said so wherever it shows
    without : Share or None
    """

    label: Words | None = None
    any_of: Codes | None = None
    all_of: Codes | None = None
    odds_ratio: Positive
    sd: Positive | None = None
    study: Line
    tag: Tag
    prior_only: bool = False
    without: Share | None = None

    @model_validator(mode="after")
    def _allowed(self):
        if self.any_of and self.all_of:
            raise ValueError("any_of or all_of, not both")
        if (self.any_of or self.all_of) and self.label is None:
            raise ValueError("a factor made of several needs a label of its own")
        if self.tag == UNCHECKED and not self.prior_only:
            raise ValueError("a figure tagged M? was not checked: only with prior_only: true")
        if self.tag == UNCHECKED and (self.sd is None or self.sd < LEAST_UNCHECKED_SD):
            raise ValueError(
                f"a figure tagged M? was not checked: only with an sd of {LEAST_UNCHECKED_SD:g} or more"
            )
        if self.prior_only and self.tag != UNCHECKED:
            raise ValueError(f"prior_only is said of figures tagged {UNCHECKED}")
        return self


class PriorFile(Part):
    """What one file under `models/priors/` says.

    Attributes
    ----------
    name : str                    the file's name without .yml
    label, exclusions, limits : dict    in Spanish and English
    outcome : OutcomeDefinition
    relationships : tuple of str  to whom it applies; empty: all
    prior_sd : float              where a prior gives none
    factors : dict of name -> Prior
    """

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
    label: Words
    outcome: Annotated[Any, BeforeValidator(_outcome)]
    relationships: tuple[Relationship, ...] = ()
    exclusions: Words
    limits: Words
    prior_sd: Positive = 0.5
    factors: Annotated[dict[str, Prior], Field(min_length=1)]

    def definition(self, name):
        """How a factor is made up: (how, codes) with how one of any, all."""
        prior = self.factors[name]
        how: Literal["any", "all"] = "all" if prior.all_of else "any"
        return how, prior.all_of or prior.any_of or (name,)

    def label_of(self, name, factors=None):
        """What a factor is called in each language: dict.

        Parameters
        ----------
        name : str
        factors : FactorVocabulary or None    for factors that are one code; None: their code
        """
        prior = self.factors[name]
        if prior.label is not None:
            return prior.label
        known = factors is not None and name in factors
        return dict(factors[name].label) if known else dict.fromkeys(LANGUAGES, name)

    @property
    def codes(self):
        """Codes of the factors that it reads, in order: tuple of str."""
        return tuple(dict.fromkeys(code for name in self.factors for code in self.definition(name)[1]))

    @property
    def mean(self):
        """Prior log-odds, float array."""
        return np.log([prior.odds_ratio for prior in self.factors.values()])

    @property
    def sd(self):
        """Prior standard deviations, float array."""
        return np.array([prior.sd or self.prior_sd for prior in self.factors.values()])

    @property
    def shares(self):
        """Shares without the event that the file gives, float array; NaN where it gives none."""
        return np.array([p.without.share if p.without else np.nan for p in self.factors.values()])


def load_priors(source, *, factors=None):
    """Read a file of priors.

    Parameters
    ----------
    source : path of `<name>.yml`, or name of one that riskml is shipped with, such as "lethal"
    factors : FactorVocabulary or None    to check the codes that it names, and to refuse responses

    Returns
    -------
    PriorFile

    Raises
    ------
    RiskmlError    file, line and key: unknown keys, a tag that allows no prior, an unknown factor, or one
        that is a response (an exposure)
    """
    path = Path(source)
    if path.suffix != ".yml":
        path = _shipped() / f"{source}.yml"
        known = sorted(file.stem for file in path.parent.glob("*.yml"))
        if str(source) not in known:
            near = did_you_mean(source, known) or f"Known: {', '.join(known)}."
            raise RiskmlError(f'unknown priors "{source}"', where="priors", mend=near)
    priors = read_part(PriorFile, path, name=path.stem)
    for name in priors.factors if factors is not None else ():
        for code in priors.definition(name)[1]:
            where = f"{path.parent.name}/{path.name}, factors.{name}"
            if code not in factors:
                raise RiskmlError(
                    f'unknown factor "{code}"', where=where, mend=did_you_mean(code, factors.codes)
                )
            if factors[code].dimension == "response":
                raise RiskmlError(f'"{code}" is a response: an exposure, and no factor here', where=where)
    return priors


def _shipped():
    inside = Path(str(files("riskml") / "_workspace" / "models" / "priors"))
    return inside if inside.is_dir() else Path(__file__).parents[3] / "models" / "priors"
