"""What it is worth to learn some inputs (EVPPI), or to run a study (EVSI), by regression.

The expected net benefit of each strategy given what would be learned is a regression of net benefit
on it (Strong, Oakley, Brennan 2014, doi:10.1177/0272989X13505910; for studies Strong, Oakley,
Brennan, Breeze 2015, doi:10.1177/0272989X15575286). heormodel 0.7.4 does this too, with splines of
five knots that add up over inputs (no interactions) and are not penalised, one by one, without a
standard error or a correction of the upward bias; its studies are simulated draw by draw. Ours:
`smoothing`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from iesoresearch.errors import ParameterError
from iesoresearch.models.decision import basis
from iesoresearch.models.decision.acceptability import evpi
from iesoresearch.models.decision.checks import numbers, strategies
from iesoresearch.models.decision.smoothing import smooth
from iesoresearch.seeds import rng

FEWEST = 50  # draws
PER_TERM = 5  # draws for each term of a regression on a group


@dataclass(frozen=True)
class Estimate:
    """An estimate and its uncertainty, in the unit of net benefit per decision.

    Attributes
    ----------
    value
        Within 0 and the EVPI of the same draws. Where two strategies tie on average it is on
        average a little low: the draws decide which of them counts as the best without learning.
    standard_error
        By linearisation: of the draws and of the regression, the best strategy being taken for
        known. Too small where the value is so near 0 that hardly a draw changes the decision.
    bias
        What was taken off the plain estimate: the highest of several uncertain means is on average
        too high.
    """

    value: float
    standard_error: float
    bias: float = 0.0


def evppi(nb, x) -> Estimate:
    """Expected value of learning the inputs `x` exactly, all else staying unknown.

    One input: a penalised cubic spline. Several: functions of each input and products of up to
    three (`smoothing.smooth`). The bias of the plain estimate is estimated by adding to the
    fitted means as much error as they have, and taken off.

    Parameters
    ----------
    nb : (D, K)
        Net benefit per draw and strategy, at one willingness to pay.
    x : (D,) or (D, p)
        The inputs, row by row of the same draws. Constant ones are left out: nothing to learn.

    Raises
    ------
    ParameterError
        NaN, shapes that differ, one strategy, too few draws for the number of inputs.
    """
    values = strategies(numbers(nb, "net benefits", 2), "net benefits")
    return _estimate(values, input_columns(x, len(values), "inputs"))


def evppi_all(
    nb,
    parameters: Mapping[str, np.ndarray],
    groups: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Estimate]:
    """`evppi` of every parameter, and of every group of them.

    Parameters
    ----------
    nb : (D, K)
    parameters
        Draws (D,) by name, or (D, p) where several numbers make one parameter.
    groups
        Names of parameters that would be learned together, by name of the group.

    Returns
    -------
    dict
        Parameters first, then groups, each in the order given.

    Raises
    ------
    ParameterError
        As `evppi`, naming the parameter; a group of unknown parameters, a group called like one.
    """
    values = strategies(numbers(nb, "net benefits", 2), "net benefits")
    groups = {} if groups is None else groups
    columns = {name: input_columns(x, len(values), repr(name)) for name, x in parameters.items()}
    for name, members in groups.items():
        unknown = sorted(set(members) - set(columns))
        if unknown or not members or isinstance(members, str):
            raise ParameterError(
                f"Group {name!r} must list parameters"
                + (f"; there are none called {', '.join(unknown)}." if unknown else ".")
            )
        if name in columns:
            raise ParameterError(
                f"Group {name!r} is called like a parameter; give it another name."
            )
    jobs = columns | {
        name: np.hstack([columns[member] for member in members]) for name, members in groups.items()
    }
    return {name: _estimate(values, x, name) for name, x in jobs.items()}


def evsi(nb, summaries) -> Estimate:
    """Expected value of a study, from what it would report in each draw.

    Parameters
    ----------
    nb : (D, K)
        Net benefit per draw and strategy.
    summaries : (D,) or (D, s)
        One simulated report of the study per draw: data drawn given the parameters of that draw,
        summed up in few numbers (a mean difference, a count). Draw all at once, with numpy.

    Raises
    ------
    ParameterError
        As `evppi`.
    """
    values = strategies(numbers(nb, "net benefits", 2), "net benefits")
    return _estimate(values, input_columns(summaries, len(values), "summaries"))


def population(value, people_per_year, years: int, discount: float):
    """Worth to all who face the decision: ``value × Σ people ÷ (1 + discount)^t``, t = 0, 1, ….

    Parameters
    ----------
    value
        Per decision; a number or an array.
    people_per_year
        One number, or one for each of the `years`.
    years
        For how many years the decision stands; the first is not discounted.
    discount
        Per year, such as 0.035.

    Raises
    ------
    ParameterError
        Years not a whole number above 0, people or discount negative or NaN.
    """
    if years != int(years) or years < 1:
        raise ParameterError(f"years is {years}; a whole number of at least 1 is wanted.")
    people = numbers(np.atleast_1d(people_per_year), "people per year", 1)
    rate = float(numbers(np.atleast_1d(discount), "discount", 1)[0])
    if len(people) not in (1, years) or (people < 0).any() or rate < 0:
        raise ParameterError(
            f"People per year must be one number or one for each of {years} years, and neither "
            "they nor the discount negative."
        )
    return value * float((people / (1 + rate) ** np.arange(years)).sum())


def input_columns(x, n: int, label: str) -> np.ndarray:
    """(n, p) inputs to be learned, without those that are constant.

    Raises
    ------
    ParameterError
        NaN, or another number of draws.
    """
    array = np.asarray(x)
    columns = numbers(array if array.ndim != 1 else array[:, None], label, 2)
    if len(columns) != n:
        raise ParameterError(f"{label}: {len(columns):,} draws, but {n:,} of net benefit.")
    return columns[:, np.ptp(columns, axis=0) > 0]


def enough(n: int, p: int, label: str) -> None:
    """Raise a `ParameterError` where draws are too few for a regression on `p` inputs."""
    need = max(FEWEST, PER_TERM * basis.fewest_terms(p) if p > 1 else 0)
    if n < need:
        raise ParameterError(
            f"{n:,} draws are too few to value {label or 'them'} ({p} inputs): the regression "
            f"wants {need:,}. Make more draws or smaller groups."
        )


def _estimate(nb, x, label=""):
    """Value, standard error and bias; `x` (D, p) without constant columns."""
    n, p = x.shape
    top = int(nb.mean(axis=0).argmax())
    gain = np.delete(nb - nb[:, [top]], top, axis=1)
    gain = gain[:, np.ptp(gain, axis=0) > 0]
    if p == 0 or gain.shape[1] == 0:
        return Estimate(0.0, 0.0)
    enough(n, p, label)
    fit = smooth(x, gain, _chosen, min(basis.MOST_TERMS, n // PER_TERM))
    better = np.maximum(fit.fitted.max(axis=1), 0)
    bias = _bias(fit)
    value = float(np.clip(better.mean() - bias, 0, evpi(nb)))
    influence = better + (fit.smoothed * fit.left).sum(axis=1)
    return Estimate(value, float(influence.std(ddof=1) / np.sqrt(n)), bias)


def _chosen(fitted):
    """1 where a column is the best and better than staying with the best on average, else 0."""
    best = fitted.argmax(axis=1)[:, None] == np.arange(fitted.shape[1])
    return (best & (fitted > 0)).astype(float)


def _bias(fit):
    """How much the mean of maxima rises when the fitted values get their own error once more.

    Each draw by itself (the mean of maxima is a sum over draws), with errors that go together
    between strategies as the residuals do, and each with its mirror image.
    """
    n, parts = fit.left.shape
    scale = np.sqrt(n / np.maximum(n - fit.freedom, 1))
    values, vectors = np.linalg.eigh(np.cov(fit.left * scale, rowvar=False).reshape(parts, parts))
    root = (vectors * np.sqrt(np.maximum(values, 0))).T
    error = rng(0, "bias", n, parts).normal(size=(n, parts)) @ root
    error = (error * np.sqrt(np.maximum(fit.leverage, 0))) @ fit.directions.T
    plain = np.maximum(fit.fitted.max(axis=1), 0)
    up = np.maximum((fit.fitted + error).max(axis=1), 0)
    down = np.maximum((fit.fitted - error).max(axis=1), 0)
    return float(((up + down) / 2 - plain).mean())
