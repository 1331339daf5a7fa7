"""Fitting a shipped model's predictions to a new place, as little as needed.

Only outcomes and predictions are wanted, not the model: its linear predictor gets a new intercept,
or a new intercept and slope. `recalibrate` also tests how much of that the data ask for.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
from scipy import special, stats

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.models.evaluation import logistic
from iesoresearch.models.evaluation.metrics import recalibration_data

AS_IS, INTERCEPT, BOTH = "as is", "intercept", "intercept and slope"
CLOSED_TEST = "closed test"
METHODS = (CLOSED_TEST, AS_IS, INTERCEPT, BOTH)
LEVEL = 0.05  # of the tests
#: Patients with, and patients without the outcome, for every parameter estimated. A rule of thumb
#: of this package; with fewer the new intercept is hardly better than the old one.
PER_PARAMETER = 10
_PARAMETERS = {AS_IS: 0, INTERCEPT: 1, BOTH: 2, CLOSED_TEST: 2}
_Z95 = float(stats.norm.ppf(0.975))


@dataclass(frozen=True)
class Comparison:
    """Likelihood-ratio test of a smaller update against `BOTH`."""

    smaller: str
    statistic: float
    df: int
    p: float


@dataclass(frozen=True)
class Update:
    """What turns old predictions into new ones: logit⁻¹(intercept + slope · logit(p)).

    Attributes
    ----------
    method
        What was done: `AS_IS`, `INTERCEPT` or `BOTH`.
    asked
        What was asked for, one of `METHODS`.
    n, events
        Patients used, and how many of them had the outcome.
    intercept, slope
        With standard error and 95 % interval (Wald), of width 0 where the value was not estimated.
    tests
        Of the closed testing procedure, in its order; empty where it was not asked for.
    warning
        A sentence if the predictions should not be used even so; otherwise empty.
    """

    method: str
    asked: str
    n: int
    events: int
    intercept: float
    intercept_error: float
    intercept_low: float
    intercept_high: float
    slope: float
    slope_error: float
    slope_low: float
    slope_high: float
    tests: tuple[Comparison, ...] = ()
    warning: str = ""

    def apply(self, p) -> np.ndarray:
        """Updated predictions.

        Parameters
        ----------
        p : (people,) array_like
            Predictions of the old model, in 0 … 1.

        Raises
        ------
        DataError
            A prediction is missing or outside 0 … 1.
        """
        p = _probabilities(p)
        if self.method == AS_IS:
            return p
        return special.expit(self.intercept + self.slope * special.logit(p))

    def to_dict(self) -> dict:
        """Plain numbers and text, for JSON."""
        return asdict(self) | {"tests": [asdict(test) for test in self.tests]}

    @classmethod
    def from_dict(cls, values: Mapping) -> "Update":
        """The update that `to_dict` wrote."""
        tests = tuple(Comparison(**test) for test in values["tests"])
        return cls(**{**values, "tests": tests})


def recalibrate(y, p, method: str = CLOSED_TEST, *, level: float = LEVEL) -> Update:
    """Update predictions to where they are used.

    The closed test asks first whether intercept and slope together improve on the old model (two
    degrees of freedom); if so, whether they improve on a new intercept alone (one). The smallest
    update that is not rejected is made, and the chance to touch a model that is right is `level`.
    It is the procedure of Vergouwe et al. 2017 (doi:10.1002/sim.7179) without their largest step,
    new coefficients for all predictors, for which predictions do not suffice.

    Patients are taken for independent: give one row for each.

    Parameters
    ----------
    y : (people,) array_like
        Outcomes, bool or 0/1.
    p : (people,) array_like
        Predictions of the old model, in 0 … 1. Those of exactly 0 or 1 that came true have no
        bearing on the update and are left out.
    method
        One of `METHODS`.
    level
        Of the tests.

    Raises
    ------
    ParameterError
        Another method, or a level outside 0 … 1.
    DataError
        Outcomes or predictions that are none, of different lengths, or too few of either outcome
        for what is to be estimated.
    """
    if method not in METHODS or not 0 < level < 1:
        raise ParameterError(
            f"method must be one of {', '.join(METHODS)}, and level between 0 and 1; they are "
            f"{method!r} and {level:g}."
        )
    y, x = _usable(y, p, method)
    tests = _tests(y, x) if method == CLOSED_TEST else ()
    kept = [test.smaller for test in tests if test.p > level]
    chosen = (kept[0] if kept else BOTH) if tests else method
    estimate, error = _estimate(y, x, chosen)
    low, high = estimate - _Z95 * error, estimate + _Z95 * error
    return Update(
        chosen, method, len(y), int(y.sum()),
        *(float(values[0]) for values in (estimate, error, low, high)),
        *(float(values[1]) for values in (estimate, error, low, high)),
        tests=tests, warning=_warning(estimate[1]),
    )  # fmt: skip


def _estimate(y: np.ndarray, x: np.ndarray, method: str) -> tuple[np.ndarray, np.ndarray]:
    """Intercept and slope, and their model-based standard errors."""
    estimate, error = np.array([0.0, 1.0]), np.zeros(2)
    if method == INTERCEPT:
        estimate[0] = logistic.shift(x, y)
        mean = special.expit(estimate[0] + x)
        error[0] = 1 / np.sqrt((mean * (1 - mean)).sum())
    elif method == BOTH:
        estimate = logistic.line(x, y)
        if estimate is None:
            raise DataError(
                "The slope of these predictions cannot be estimated: they all but separate the "
                "outcomes. Ask for method='intercept'."
            )
        mean = special.expit(estimate[0] + estimate[1] * x)
        design = np.column_stack([np.ones(len(x)), x])
        information = (design * (mean * (1 - mean))[:, None]).T @ design
        error = np.sqrt(np.diag(np.linalg.inv(information)))
    return estimate, error


def _tests(y: np.ndarray, x: np.ndarray) -> tuple[Comparison, ...]:
    likelihood = {}
    for method in (AS_IS, INTERCEPT, BOTH):
        (a, b), _ = _estimate(y, x, method)
        eta = a + b * x
        likelihood[method] = float(np.sum(y * eta - np.logaddexp(0, eta)))
    found = []
    for smaller, df in ((AS_IS, 2), (INTERCEPT, 1)):
        statistic = max(2 * (likelihood[BOTH] - likelihood[smaller]), 0.0)
        found.append(Comparison(smaller, statistic, df, float(stats.chi2.sf(statistic, df))))
    return tuple(found)


def _usable(y, p, method: str) -> tuple[np.ndarray, np.ndarray]:
    p, y = _probabilities(p), np.asarray(y, dtype=float)
    if y.shape != p.shape or not np.isin(y, (0.0, 1.0)).all():
        raise DataError("Outcomes must be 0 or 1, one for each prediction.")
    y, x, reason, slope_reason = recalibration_data(y, p)
    k = _PARAMETERS[method]
    if k == 0:
        return y, x
    events = int(y.sum())
    fewer = min(events, len(y) - events)
    if fewer < k * PER_PARAMETER:
        raise DataError(
            f"Updating by {method!r} estimates {k} parameter{'s' * (k > 1)} and needs "
            f"{k * PER_PARAMETER} patients with and as many without the outcome; there are "
            f"{events} and {len(y) - events}. Wait for more, or ask for a smaller update."
        )
    if reason or (k > 1 and slope_reason):
        raise DataError(
            f"These predictions cannot be updated by {method!r}: {reason or slope_reason}. A new "
            "model is needed here."
        )
    return y, x


def _probabilities(p) -> np.ndarray:
    p = np.asarray(p, dtype=float)
    if p.ndim != 1 or not ((p >= 0) & (p <= 1)).all():
        raise DataError("Predictions must be a list of probabilities, 0 to 1, none missing.")
    return p


def _warning(slope: float) -> str:
    if slope > 0:
        return ""
    return (
        "The slope is not above zero: here the model ranks patients no better than by chance, or "
        "the wrong way round. A new model is needed."
    )
