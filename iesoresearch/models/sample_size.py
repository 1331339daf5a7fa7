"""How many patients a model for a yes-or-no outcome needs before it is worth fitting.

The three criteria of Riley et al. 2020 (BMJ 368:m441, doi:10.1136/bmj.m441), which need a guess at
how much the model will explain: the Cox-Snell R², or the c-statistic (AUC) it is approximated from.
"""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import stats
from scipy.optimize import brentq

from iesoresearch.errors import ParameterError

SHRINKAGE = 0.9  # expected calibration slope in new patients
OPTIMISM = 0.05  # apparent less adjusted share of the largest R² possible
MARGIN = 0.05  # half the width of the 95 % interval of the overall risk
#: The criteria are optimistic above this c-statistic (BMC Med Res Methodol 2024;24:146).
STRONG = 0.8
_Z95 = float(stats.norm.ppf(0.975))
_NODES = 201  # of the quadrature: more change no digit that is shown


@dataclass(frozen=True)
class SampleSize:
    """Patients needed by each criterion, and in all.

    Attributes
    ----------
    prevalence, n_parameters
        As given.
    r2_cs, auc
        Cox-Snell R² and c-statistic: the one given, and the other that goes with it.
    max_r2_cs
        The largest Cox-Snell R² that this prevalence allows.
    n_shrinkage
        Patients for an expected shrinkage of 0.9 or what was asked for.
    n_optimism
        Patients for a small difference between apparent and adjusted Nagelkerke R².
    n_risk
        Patients for a precise overall risk.
    n, events
        The largest of the three, and how many of those are expected to have the outcome.
    events_per_parameter
        Expected, at `n` patients.
    warning
        A sentence where the criteria are known to ask for too few; otherwise empty.
    """

    prevalence: float
    n_parameters: int
    r2_cs: float
    auc: float
    max_r2_cs: float
    n_shrinkage: int
    n_optimism: int
    n_risk: int
    n: int
    events: int
    events_per_parameter: float
    warning: str


def riley(
    prevalence: float,
    n_parameters: int,
    *,
    r2_cs: float | None = None,
    auc: float | None = None,
    shrinkage: float = SHRINKAGE,
    optimism: float = OPTIMISM,
    margin: float = MARGIN,
) -> SampleSize:
    """Fewest patients for a prediction model of a yes-or-no outcome.

    Parameters
    ----------
    prevalence
        Expected share with the outcome, between 0 and 1.
    n_parameters
        Coefficients of the candidate predictors: dummies and spline terms count, the intercept
        does not.
    r2_cs, auc
        What the model is expected to reach in new patients; exactly one of the two.
    shrinkage
        Calibration slope to expect in new patients, between `r2_cs` and 1.
    optimism
        Difference allowed between apparent and adjusted Nagelkerke R².
    margin
        Half the width allowed for the 95 % interval of the overall risk.

    Raises
    ------
    ParameterError
        A value out of its range, or both or neither of `r2_cs` and `auc`.
    """
    r2_cs, auc = _explained(prevalence, r2_cs, auc)
    _check_inside("shrinkage", shrinkage, r2_cs, 1.0)
    _check_inside("optimism", optimism, 0.0, 1.0)
    _check_inside("margin", margin, 0.0, 1.0)
    most = max_r2_cs(prevalence)
    # the slope at which apparent and adjusted R² differ by the optimism allowed
    slope = r2_cs / (r2_cs + optimism * most)
    n_shrinkage = math.ceil(_needed(_whole(n_parameters), r2_cs, shrinkage))
    n_optimism = math.ceil(_needed(n_parameters, r2_cs, slope))
    n_risk = math.ceil((_Z95 / margin) ** 2 * prevalence * (1 - prevalence))
    n = max(n_shrinkage, n_optimism, n_risk)
    return SampleSize(
        prevalence=prevalence,
        n_parameters=n_parameters,
        r2_cs=r2_cs,
        auc=auc,
        max_r2_cs=most,
        n_shrinkage=n_shrinkage,
        n_optimism=n_optimism,
        n_risk=n_risk,
        n=n,
        events=math.ceil(n * prevalence),
        events_per_parameter=n * prevalence / n_parameters,
        warning=_warning(auc),
    )


def expected_shrinkage(
    n: int,
    prevalence: float,
    n_parameters: int,
    *,
    r2_cs: float | None = None,
    auc: float | None = None,
) -> float:
    """Calibration slope to expect in new patients from a model fitted to `n` patients.

    The first criterion of `riley`, solved for the shrinkage. Parameters and errors as there; `n`
    is at least 1.
    """
    r2_cs, _ = _explained(prevalence, r2_cs, auc)
    n, n_parameters = _whole(n, "n"), _whole(n_parameters)

    def too_large(slope: float) -> float:
        return (slope - 1) * math.log1p(-r2_cs / slope) - n_parameters / n

    # from a slope that no n is too small for, up to no shrinkage at all
    least = r2_cs * (1 + 1e-15)
    return float(brentq(too_large, least, 1.0)) if too_large(least) > 0 else least


def max_r2_cs(prevalence: float) -> float:
    """Largest Cox-Snell R² at this prevalence: that of a model which is always certain and right.

    Raises
    ------
    ParameterError
        `prevalence` is not between 0 and 1.
    """
    _check_inside("prevalence", prevalence, 0.0, 1.0)
    return -math.expm1(2 * _null(prevalence))


def r2_of_auc(prevalence: float, auc: float) -> float:
    """Cox-Snell R² of a calibrated model with this c-statistic.

    Riley, Van Calster & Collins 2021 (doi:10.1002/sim.8806) take the linear predictor for normal,
    with equal spread in patients with and without the outcome, and fit a logistic model to a
    million draws. That model is known, so the mean of its log-likelihood is an integral, here by
    Gauss-Hermite quadrature. Their draws add noise: the R package's and its Python copy's 0.1844
    at a prevalence of 0.475 and a c-statistic of 0.75 is 0.18475 here.

    Raises
    ------
    ParameterError
        `prevalence` is not between 0 and 1, or `auc` not between 0.5 and 1.
    """
    _check_inside("prevalence", prevalence, 0.0, 1.0)
    _check_inside("auc", auc, 0.5, 1.0)
    apart = math.sqrt(2) * stats.norm.ppf(auc)
    nodes, weights = _normal()
    odds = math.log(prevalence / (1 - prevalence)) - apart**2 / 2
    with_outcome = -np.logaddexp(0, -(odds + apart * (nodes + apart)))
    without = -np.logaddexp(0, odds + apart * nodes)
    mean = prevalence * weights @ with_outcome + (1 - prevalence) * weights @ without
    return float(-math.expm1(2 * (_null(prevalence) - mean)))


def auc_of_r2(prevalence: float, r2_cs: float) -> float:
    """C-statistic of a calibrated model with this Cox-Snell R²: `r2_of_auc` turned round.

    Raises
    ------
    ParameterError
        `prevalence` is not between 0 and 1, or `r2_cs` not between 0 and `max_r2_cs`.
    """
    _check_inside("r2_cs", r2_cs, 0.0, max_r2_cs(prevalence))
    low, high = 0.5 + 1e-9, 1 - 1e-9
    if r2_cs >= r2_of_auc(prevalence, high):
        return 1.0
    if r2_cs <= r2_of_auc(prevalence, low):
        return 0.5
    return float(brentq(lambda auc: r2_of_auc(prevalence, auc) - r2_cs, low, high))


@cache
def _normal() -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of the mean over a standard normal variable."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    return nodes, weights / weights.sum()


def _needed(n_parameters: int, r2_cs: float, slope: float) -> float:
    """Patients for an expected shrinkage of `slope`."""
    return n_parameters / ((slope - 1) * math.log1p(-r2_cs / slope))


def _null(prevalence: float) -> float:
    """Mean log-likelihood of a model that gives everybody the overall risk."""
    return prevalence * math.log(prevalence) + (1 - prevalence) * math.log1p(-prevalence)


def _explained(prevalence, r2_cs, auc) -> tuple[float, float]:
    if (r2_cs is None) == (auc is None):
        raise ParameterError("Give what the model will explain as r2_cs or as auc: one of the two.")
    if r2_cs is None:
        return r2_of_auc(prevalence, auc), auc
    return r2_cs, auc_of_r2(prevalence, r2_cs)


def _warning(auc: float) -> str:
    if auc <= STRONG:
        return ""
    return (
        f"At a c-statistic of {auc:.2f} these numbers are too small: above {STRONG} the criteria "
        "ask for too few. Add at least 50 % at 0.85 and 100 % at 0.9 (BMC Med Res Methodol "
        "2024;24:146)."
    )


def _check_inside(name: str, value: float, low: float, high: float) -> None:
    if not low < value < high:
        raise ParameterError(f"{name} must lie between {low:g} and {high:g}; it is {value:g}.")


def _whole(value: int, name: str = "n_parameters") -> int:
    if value < 1 or value != int(value):
        raise ParameterError(f"{name} must be a whole number of at least 1; it is {value:g}.")
    return int(value)
