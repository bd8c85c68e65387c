"""How many people a model needs before it is learnt, and before it is judged: the criteria of Riley et al.

Assessments of one person are not independent: count people (one assessment each), or events of different
people, or the verdict is too kind.
"""

from dataclasses import dataclass, replace
from math import asinh, ceil, exp, inf, log, sqrt

import numpy as np
import pandas as pd
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import expit
from scipy.stats import norm

from riskml.errors import RiskmlError
from riskml.messages import message
from riskml.validation.cox_snell import (
    TAIL,
    checked_share,
    cox_snell_from_c,
    linear_predictor_of,
    maximum_cox_snell,
)

__all__ = [
    "Criterion",
    "SampleSize",
    "development_sample_size",
    "evaluation_sample_size",
    "expected_shrinkage",
]

_Z = 1.96  # the papers' own, so that their examples come out to the number
_MOST_PARAMETERS = 30  # the formula for the mean absolute error was fitted on simulations with no more
LEAST_EVENTS = 100  # the traditional rule asks for 100 to 200 events in an evaluation ([M])


@dataclass(frozen=True)
class Criterion:
    """One criterion, and whether a given number of people meets it.

    Attributes
    ----------
    name : str             shrinkage, optimism, overall_risk, absolute_error; observed_expected,
        calibration_slope, c_statistic, events
    n : int                people it asks for
    target : float         the figure that it aims at: a shrinkage, a width, an error, a number of events
    met : bool or None     None until `SampleSize.verdict` was asked
    """

    name: str
    n: int
    target: float
    met: bool | None = None


@dataclass(frozen=True)
class SampleSize:
    """What a model needs, and, after `verdict`, whether it is there.

    Attributes
    ----------
    purpose : str                    development or evaluation
    criteria : tuple of Criterion
    prevalence : float               share with the outcome that was planned with
    parameters : int or None         of a development: every coefficient that is looked at
    cox_snell : float or None        anticipated Cox-Snell R2 of a development
    method : str                     where that R2 or the spread of predictions comes from: given, c_statistic
    had, had_events : int or None    people and events of the verdict
    """

    purpose: str
    criteria: tuple
    prevalence: float
    parameters: int | None = None
    cox_snell: float | None = None
    method: str = "given"
    had: int | None = None
    had_events: int | None = None

    @property
    def n(self):
        """People needed: the most that a criterion asks for, int."""
        return max(criterion.n for criterion in self.criteria)

    @property
    def events(self):
        """Events expected among them, float."""
        return self.n * self.prevalence

    @property
    def events_per_parameter(self):
        """Events for each candidate parameter, float; None for an evaluation."""
        return self.events / self.parameters if self.parameters else None

    @property
    def shrinkage(self):
        """Expected shrinkage of a development with the people at hand; before a verdict, with `n`: float."""
        if self.cox_snell is None:
            return None
        return expected_shrinkage(self.n if self.had is None else self.had, self.parameters, self.cox_snell)

    @property
    def met(self):
        """Whether every criterion is met: bool; None before a verdict."""
        return None if self.had is None else all(criterion.met for criterion in self.criteria)

    def verdict(self, n, events):
        """Whether so many people and events meet the criteria.

        The criteria were planned with a prevalence; where the people at hand show fewer events than it would
        give among `n`, they count as no more than the people in whom that many are expected.

        Parameters
        ----------
        n, events : int    people at hand, and how many of them had the outcome

        Returns
        -------
        SampleSize    with `met` of each criterion and of all

        Raises
        ------
        RiskmlError    not whole numbers, or more events than people
        """
        if n != int(n) or events != int(events) or not 0 <= events <= n:
            raise RiskmlError(f"{events} events among {n} people are no counts", where="n, events")
        worth = min(n, round(events / self.prevalence, 6))
        criteria = tuple(replace(criterion, met=bool(worth >= criterion.n)) for criterion in self.criteria)
        return replace(self, criteria=criteria, had=int(n), had_events=int(events))

    def table(self):
        """The criteria, one a row: DataFrame with criterion, n, events, target and, after a verdict, met."""
        rows = [(c.name, c.n, c.n * self.prevalence, c.target, c.met) for c in self.criteria]
        frame = pd.DataFrame(rows, columns=["criterion", "n", "events", "target", "met"])
        return frame if self.had is not None else frame.drop(columns="met")

    def words(self, language="es"):
        """The verdict (or the need) as analysts and reviewers read it: tuple of str, the sum of it first."""
        fields = {
            "n": f"{self.n:,}",
            "events": f"{ceil(self.events - 1e-9):,}",
            "prevalence": f"{100 * self.prevalence:.3g}",
            "parameters": self.parameters,
            "per_parameter": f"{self.events_per_parameter or 0:.1f}",
            "had": f"{self.had or 0:,}",
            "had_events": f"{self.had_events or 0:,}",
        }
        state = {None: "need", True: "met", False: "not_met"}[self.met]
        lines = [message(f"sample_size.{self.purpose}_{state}", language, **fields)]
        lines += [self._line(criterion, language) for criterion in self.criteria]
        if self.cox_snell is not None:
            shrinkage = f"{self.shrinkage:.2f}"
            lines.append(message("sample_size.shrinkage_expected", language, shrinkage=shrinkage))
            r2 = f"{self.cox_snell:.4f}"
            lines.append(message(f"sample_size.method_{self.method}", language, r2=r2))
        return tuple(lines)

    def _line(self, criterion, language):
        mark = {None: "", True: "mark_met", False: "mark_not_met"}[criterion.met]
        words = message(
            f"sample_size.criterion_{criterion.name}",
            language,
            n=f"{criterion.n:,}",
            target=f"{criterion.target:g}",
        )
        return f"{message(f'sample_size.{mark}', language)}: {words}" if mark else words


def _people_for_shrinkage(shrinkage, parameters, cox_snell):
    return parameters / ((shrinkage - 1) * log(1 - cox_snell / shrinkage))


def expected_shrinkage(n, parameters, cox_snell):
    """Factor by which the coefficients of an unpenalised model would have to be shrunk, in expectation.

    1 is none; below 0.9 a model is overfitted by the usual reading.

    Parameters
    ----------
    n : int               people
    parameters : int      candidate parameters
    cox_snell : float     anticipated (adjusted) Cox-Snell R2

    Returns
    -------
    float between the R2 and 1

    References
    ----------
    Riley et al. (2019), Statistics in Medicine 38:1276, criterion 1 solved for the shrinkage.
    """
    if n <= 0:
        return float(cox_snell)
    low, high = cox_snell * (1 + 1e-12), 1 - 1e-12
    short = [_people_for_shrinkage(edge, parameters, cox_snell) - n for edge in (low, high)]
    if short[0] >= 0:
        return float(low)
    if short[1] <= 0:
        return float(high)
    return float(brentq(lambda s: _people_for_shrinkage(s, parameters, cox_snell) - n, low, high, xtol=1e-14))


def development_sample_size(
    parameters,
    prevalence,
    *,
    cox_snell=None,
    c_statistic=None,
    shrinkage=0.9,
    optimism=0.05,
    overall_margin=0.05,
    absolute_error=0.05,
):
    """People needed to learn an unpenalised model for a binary outcome.

    Parameters
    ----------
    parameters : int             candidate parameters: every coefficient looked at, chosen or not
    prevalence : float in (0, 1)   share with the outcome
    cox_snell : float            anticipated Cox-Snell R2, adjusted for optimism; or
    c_statistic : float          anticipated AUC, turned into R2 by `cox_snell_from_c`
    shrinkage : float            least shrinkage expected (criterion 1)
    optimism : float             most optimism in Nagelkerke's R2 (criterion 2)
    overall_margin : float       half-width of the interval of the overall risk (criterion 3)
    absolute_error : float       mean absolute error of individual risks (criterion 4; left out above 30
        parameters, beyond which its formula was not fitted)

    Returns
    -------
    SampleSize

    Raises
    ------
    RiskmlError    both or none of cox_snell and c_statistic; figures out of range; an R2 above the highest
        that the prevalence allows

    References
    ----------
    Riley et al. (2019), Statistics in Medicine 38:1276 (criteria 1-3). van Smeden et al. (2019), Statistical
    Methods in Medical Research 28:2455 (criterion 4). Riley et al. (2020), BMJ 368:m441.
    """
    if parameters != int(parameters) or parameters < 1:
        raise RiskmlError(f"parameters must be a whole number from 1, not {parameters}", where="parameters")
    if (cox_snell is None) == (c_statistic is None):
        raise RiskmlError("give one of cox_snell and c_statistic", where="cox_snell")
    prevalence, shrinkage = checked_share(prevalence, "prevalence"), checked_share(shrinkage, "shrinkage")
    highest = maximum_cox_snell(prevalence)
    if cox_snell is None:
        r2 = cox_snell_from_c(c_statistic, prevalence)
        if r2 >= shrinkage:
            raise RiskmlError(
                f"a c-statistic of {c_statistic:g} gives R2 {r2:.2f}, over the shrinkage of {shrinkage:g}",
                where="c_statistic",
                mend="The criteria do not apply: anticipate less, or ask for more shrinkage.",
            )
    elif not 0 < cox_snell < min(highest, shrinkage):
        raise RiskmlError(
            f"an R2 of {cox_snell:g}: what is possible here is 0 to {min(highest, shrinkage):.3f}",
            where="cox_snell",
            mend="Cox-Snell's R2 is Nagelkerke's times maximum_cox_snell(prevalence).",
        )
    else:
        r2 = float(cox_snell)
    little = r2 / (r2 + checked_share(optimism, "optimism") * highest)
    margin = checked_share(overall_margin, "overall_margin")
    wanted = [
        ("shrinkage", _people_for_shrinkage(shrinkage, parameters, r2), shrinkage),
        ("optimism", _people_for_shrinkage(little, parameters, r2), optimism),
        ("overall_risk", (_Z / margin) ** 2 * prevalence * (1 - prevalence), margin),
    ]
    if parameters <= _MOST_PARAMETERS:
        error = checked_share(absolute_error, "absolute_error")
        exponent = -0.508 + 0.259 * log(prevalence) + 0.504 * log(parameters) - log(error)
        wanted.append(("absolute_error", exp(exponent / 0.544), error))
    criteria = tuple(Criterion(name, ceil(n), target) for name, n, target in wanted)
    method = "given" if cox_snell is not None else "c_statistic"
    return SampleSize("development", criteria, prevalence, int(parameters), r2, method)


def _information(density, low, high):
    """Expected information on an intercept and a slope in one person: (I00, I01, I11)."""
    return [
        quad(lambda x, power=power: x**power * expit(x) * expit(-x) * density(x), low, high, limit=400)[0]
        for power in range(3)
    ]


def _slope_people(information, error):
    i00, i01, i11 = information
    spread = i00 * i11 - i01**2
    return i00 / (error**2 * spread) if spread > 0 else inf


def _c_people(c, prevalence, error):
    """Smallest number of people with a standard error of the c-statistic (Newcombe's) of at most `error`."""

    def variance(n):
        pairs = 1 + (n / 2 - 1) * ((1 - c) / (2 - c) + c / (1 + c))
        return c * (1 - c) * pairs / (n * n * prevalence * (1 - prevalence))

    return brentq(lambda n: variance(n) - error**2, 2, 1e12)


def evaluation_sample_size(
    prevalence,
    *,
    c_statistic,
    margins=None,
    ratio_width=0.2,
    slope_width=0.2,
    c_width=0.1,
    least_events=LEAST_EVENTS,
):
    """People needed to judge a model for a binary outcome with intervals narrow enough to act on.

    A well-calibrated model is assumed (slope 1, observed to expected 1); widths are those of 95 % intervals.

    Parameters
    ----------
    prevalence : float in (0, 1)      share with the outcome among those judged
    c_statistic : float in (0.5, 1)   anticipated AUC
    margins : float array or None     the model's log-odds on people like them; None: two normals with one
        variance that give the c-statistic and the prevalence (`linear_predictor_of`)
    ratio_width, slope_width, c_width : float    of the observed-to-expected ratio, slope and c-statistic
    least_events : int                the traditional rule, 100 to 200 ([M])

    Returns
    -------
    SampleSize

    Raises
    ------
    RiskmlError    figures out of range, margins that are all the same or not finite

    References
    ----------
    Riley et al. (2021), Statistics in Medicine 40:4230. Newcombe (2006), Statistics in Medicine 25:559.
    """
    prevalence, c = (
        checked_share(prevalence, "prevalence"),
        checked_share(c_statistic, "c_statistic", 0.5, 1.0),
    )
    for name, width in (("ratio_width", ratio_width), ("slope_width", slope_width), ("c_width", c_width)):
        checked_share(width, name, 0.0, inf)
    if margins is None:
        mean, variance = linear_predictor_of(c, prevalence)
        spread, method = sqrt(variance), "c_statistic"
        centres = ((mean, 1 - prevalence), (mean + variance, prevalence))
        information = _information(
            lambda x: sum(share * norm.pdf(x, centre, spread) for centre, share in centres),
            mean - TAIL * spread,
            mean + variance + TAIL * spread,
        )
    else:
        margins, method = np.asarray(margins, float), "given"
        if margins.ndim != 1 or not len(margins) or not np.isfinite(margins).all() or np.ptp(margins) == 0:
            raise RiskmlError("margins must be different finite log-odds", where="margins")
        weight = expit(margins) * expit(-margins)
        information = [float(np.mean(margins**power * weight)) for power in range(3)]
    ratio_error = asinh(ratio_width / 2) / _Z  # of the logarithm of the ratio
    wanted = (
        ("observed_expected", (1 - prevalence) / (prevalence * ratio_error**2), ratio_width),
        ("calibration_slope", _slope_people(information, slope_width / (2 * _Z)), slope_width),
        ("c_statistic", _c_people(c, prevalence, c_width / (2 * _Z)), c_width),
        ("events", least_events / prevalence, least_events),
    )
    criteria = tuple(Criterion(name, ceil(round(n, 6)), target) for name, n, target in wanted)
    return SampleSize("evaluation", criteria, prevalence, method=method)
