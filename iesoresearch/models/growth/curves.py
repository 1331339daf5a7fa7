"""Mean curves of all patients, those who left included, under what one may assume of them."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from iesoresearch.errors import ParameterError
from iesoresearch.models.growth.estimator import GrowthFit
from iesoresearch.seeds import rng

KINDS = ("flat", "step")


@dataclass(frozen=True)
class Curve:
    """Scores over time: expected, and the limits of a central interval of probability `level`."""

    time: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    level: float

    @classmethod
    def of(cls, time, draws, level: float) -> "Curve":
        """From draws (draws, times)."""
        limits = np.quantile(draws, ((1 - level) / 2, (1 + level) / 2), axis=0)
        return cls(np.asarray(time, dtype=float), draws.mean(axis=0), *limits, level)


@dataclass(frozen=True)
class Assumed:
    """What is assumed of patients after they left, beside the model.

    Attributes
    ----------
    delta
        Points by which the unseen scores of those who left are worse (higher) than the model says.
    kind
        "flat": `delta` at every occasion after leaving; "step": `delta` more at each of them.
    worse
        (patients,) whom it is assumed of; by default all who left, in a trial perhaps one arm.
    """

    delta: float = 0.0
    kind: str = "flat"
    worse: np.ndarray | None = None


def mean_curve(
    fit: GrowthFit,
    *,
    among: np.ndarray | None = None,
    minus: np.ndarray | None = None,
    assumed: Assumed | None = None,
    level: float = 0.95,
) -> Curve:
    """Mean score, had all patients given all scores, at the occasions.

    The curve is that of patients with the covariates of `among`, of an average therapist and
    service. `assumed.delta` shifts it by delta times the share that had left, of which the Bayesian
    bootstrap (Rubin 1981, Annals of Statistics 9:130-134) says how sure it is. Whoever ended as
    planned is taken to go on as the model says.

    Parameters
    ----------
    among
        (patients,) whom; by default all.
    minus
        (patients,) the curve of these is subtracted, such as of the other arm.
    assumed
        Of those who left (delta-adjusted sensitivity); by default nothing but the model.
    level
        Probability of the interval.

    Raises
    ------
    ParameterError
        A selection without patients, a `kind` that is not one, a level outside 0 … 1.
    DataError
        A `delta` where nothing says who left.
    """
    return Curve.of(fit.data.occasions, _draws(fit, among, minus, assumed), _level(level))


def _level(level: float) -> float:
    if not 0 < level < 1:
        raise ParameterError(f"The level of an interval must be between 0 and 1, not {level}.")
    return level


def _draws(fit: GrowthFit, among, minus, assumed: Assumed | None) -> np.ndarray:
    """(draws, occasions) of a curve or of a difference of two."""
    assumed = assumed or Assumed()
    if assumed.kind not in KINDS:
        raise ParameterError(f'kind must be "flat" or "step", not "{assumed.kind}".')
    everybody = np.ones(fit.data.n_patients, dtype=bool)
    curve = _curve(fit, everybody if among is None else among, assumed)
    return curve if minus is None else curve - _curve(fit, minus, assumed)


def _curve(fit: GrowthFit, among, assumed: Assumed) -> np.ndarray:
    data, among = fit.data, np.asarray(among, dtype=bool)
    if among.shape != (data.n_patients,) or not among.any():
        raise ParameterError(
            f"A selection of patients must be true or false for each of the {data.n_patients} "
            "patients, and true for some."
        )
    x = data.covariates[among].mean(axis=0)
    level, rate = fit.flat("level"), fit.flat("rate")
    if data.on_level.any():
        level = level + (fit.flat("level_effect") * x[data.on_level]).sum(axis=1)
    if data.names:
        rate = rate + (fit.flat("rate_effect") * x).sum(axis=1)
    curve = level[:, None] + rate[:, None] * data.growth(data.occasions)
    if assumed.delta:
        curve = curve + assumed.delta * _exposure(fit, among, assumed)
    return curve


def _exposure(fit: GrowthFit, among: np.ndarray, assumed: Assumed) -> np.ndarray:
    """(draws, occasions) mean of what `delta` is multiplied by: shares, or mean occasions."""
    since = fit.data.since_leaving.astype(float)
    if assumed.kind == "flat":
        since = np.minimum(since, 1)
    if assumed.worse is not None:
        since = since * np.asarray(assumed.worse, dtype=bool)[:, None]
    since = since[among]
    # the same weights whatever delta is, so that the curves of a grid differ by delta only
    weights = rng(fit.seed, "growth", "bootstrap").exponential(size=(fit.energy.size, len(since)))
    weights /= weights.sum(axis=1, keepdims=True)
    return np.einsum("dn,nj->dj", weights, since)


@dataclass(frozen=True)
class TippingPoint:
    """Least delta at which a conclusion no longer holds.

    Attributes
    ----------
    delta
        NaN where `reason` says why there is none.
    reason
        Empty where there is one.
    """

    delta: float
    reason: str


def tipping_point(
    fit: GrowthFit,
    target: float,
    *,
    among: np.ndarray | None = None,
    minus: np.ndarray | None = None,
    kind: str = "flat",
    worse: np.ndarray | None = None,
    level: float = 0.95,
) -> TippingPoint:
    """How much worse those who left must be for the last mean not to be surely below `target`.

    Surely: the interval of `mean_curve` at the last occasion lies below `target`, which is 0 for a
    difference of two arms, or the score at which caseness begins.

    Parameters
    ----------
    target
        In points of the scale.
    among, minus, kind, worse, level
        As of `mean_curve` and `Assumed`. With `minus`, give as `worse` those of `among`: the
        conclusion that they do better is tested by making them worse only.
    """
    model = _draws(fit, among, minus, None)[:, -1]
    shift = _draws(fit, among, minus, Assumed(1.0, kind, worse))[:, -1] - model
    upper = (1 + _level(level)) / 2

    def excess(delta: float) -> float:
        return float(np.quantile(model + delta * shift, upper)) - target

    largest = fit.priors.high - fit.priors.low
    if excess(0.0) >= 0:
        return TippingPoint(np.nan, "the interval is not below the target to begin with")
    if excess(largest) < 0:
        return TippingPoint(np.nan, f"the interval is below the target up to {largest:g} points")
    return TippingPoint(float(brentq(excess, 0.0, largest, xtol=1e-6)), "")


@dataclass(frozen=True)
class Sensitivity:
    """Mean curves under several assumptions on drop-out, side by side.

    Attributes
    ----------
    at_random
        Missing at random.
    shared
        Of the shared-parameter model.
    deltas
        Points; `adjusted` has a curve for each.
    adjusted
        Missing at random, but worse by delta after leaving.
    """

    at_random: Curve
    shared: Curve
    deltas: tuple[float, ...]
    adjusted: tuple[Curve, ...]


def sensitivity(
    at_random: GrowthFit,
    shared: GrowthFit,
    deltas: tuple[float, ...],
    *,
    among: np.ndarray | None = None,
    minus: np.ndarray | None = None,
    kind: str = "flat",
    worse: np.ndarray | None = None,
    level: float = 0.95,
) -> Sensitivity:
    """`mean_curve` of both fits, and of the first one for each of `deltas`."""
    if (at_random.dropout, shared.dropout) != ("random", "shared"):
        raise ParameterError(
            'The first fit must have dropout="random" and the second dropout="shared".'
        )
    common = {"among": among, "minus": minus, "level": level}
    adjusted = [
        mean_curve(at_random, assumed=Assumed(float(delta), kind, worse), **common)
        for delta in deltas
    ]
    return Sensitivity(
        mean_curve(at_random, **common),
        mean_curve(shared, **common),
        tuple(float(delta) for delta in deltas),
        tuple(adjusted),
    )
