"""Distributions of parameters: what may be written, whether it can exist, and draws from it.

A distribution is a text such as ``beta(mean=0.2, sd=0.02)`` or ``gamma(shape=30, rate=200)``, by
any of the sets of keywords in `FORMS`. Where ``mean`` (``median``) is left out, it is the value of
the parameter.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from iesoresearch.data.health_economics.moments import (
    Z95,
    beta_shapes,
    gamma_shape_and_scale,
    log_sd,
    most_beta_sd,
)
from iesoresearch.errors import ParameterError
from iesoresearch.models.cases.document import suggestion
from iesoresearch.models.cases.expressions import compile_expression, evaluate
from iesoresearch.models.cases.functions import FUNCTIONS

Draw = Callable[[np.random.Generator, int], np.ndarray]


@dataclass(frozen=True, eq=False)
class Distribution:
    """A distribution that exists.

    Attributes
    ----------
    text
        As written.
    mean
        Its own mean.
    centres
        Mean, and median or mode where it is written by one: what the value of the parameter may be.
    draw
        (generator, n) → (n,) array.
    """

    text: str
    mean: float
    centres: tuple[float, ...]
    draw: Draw


def _beta(a: float, b: float) -> tuple[float, Draw]:
    _above_zero(a=a, b=b)
    return a / (a + b), lambda rng, n: rng.beta(a, b, n)


def _beta_moments(mean: float, sd: float) -> tuple[float, Draw]:
    if not 0 < mean < 1:
        raise ParameterError(f"a beta distribution has a mean between 0 and 1, not {mean:g}")
    _above_zero(sd=sd)
    most = most_beta_sd(mean)
    if sd >= most:
        raise ParameterError(
            f"a beta distribution with mean {mean:g} has a standard deviation below {most:g}, "
            f"not {sd:g}"
        )
    return _beta(*beta_shapes(mean, sd))


def _gamma(shape: float, scale: float) -> tuple[float, Draw]:
    _above_zero(shape=shape, scale=scale)
    return shape * scale, lambda rng, n: rng.gamma(shape, scale, n)


def _gamma_moments(mean: float, sd: float) -> tuple[float, Draw]:
    _above_zero(mean=mean, sd=sd)
    return _gamma(*gamma_shape_and_scale(mean, sd))


def _lognormal(meanlog: float, sdlog: float) -> tuple[float, Draw]:
    _above_zero(sdlog=sdlog)
    mean = math.exp(meanlog + sdlog**2 / 2)
    return mean, lambda rng, n: rng.lognormal(meanlog, sdlog, n)


def _lognormal_moments(mean: float, sd: float) -> tuple[float, Draw]:
    _above_zero(mean=mean, sd=sd)
    variance = math.log1p((sd / mean) ** 2)
    return _lognormal(math.log(mean) - variance / 2, math.sqrt(variance))


def _sdlog(low: float, high: float) -> float:
    if not 0 < low < high:
        raise ParameterError(f"low must be above 0 and below high, not {low:g} and {high:g}")
    return log_sd(low, high)


def _lognormal_median(median: float, low: float, high: float) -> tuple[float, Draw]:
    _above_zero(median=median)
    return _lognormal(math.log(median), _sdlog(low, high))


def _lognormal_mean(mean: float, low: float, high: float) -> tuple[float, Draw]:
    _above_zero(mean=mean)
    sdlog = _sdlog(low, high)
    return _lognormal(math.log(mean) - sdlog**2 / 2, sdlog)


def _lognormal_sdlog(median: float, sdlog: float) -> tuple[float, Draw]:
    _above_zero(median=median)
    return _lognormal(math.log(median), sdlog)


def _normal(mean: float, sd: float) -> tuple[float, Draw]:
    _above_zero(sd=sd)
    return mean, lambda rng, n: rng.normal(mean, sd, n)


def _normal_interval(mean: float, low: float, high: float) -> tuple[float, Draw]:
    _ordered(low, high)
    return _normal(mean, (high - low) / (2 * Z95))


def _uniform(low: float, high: float) -> tuple[float, Draw]:
    _ordered(low, high)
    return (low + high) / 2, lambda rng, n: rng.uniform(low, high, n)


def _triangular(low: float, mode: float, high: float) -> tuple[float, Draw]:
    _ordered(low, high)
    if not low <= mode <= high:
        raise ParameterError(f"mode must lie between low and high, not at {mode:g}")
    return (low + mode + high) / 3, lambda rng, n: rng.triangular(low, mode, high, n)


def _fixed(value: float) -> tuple[float, Draw]:
    return value, lambda _, n: np.full(n, value)


#: Name: the sets of keywords it can be written with, and what makes it from them.
FORMS: dict[str, dict[tuple[str, ...], Callable]] = {
    "beta": {("a", "b"): _beta, ("mean", "sd"): _beta_moments},
    "gamma": {
        ("shape", "scale"): _gamma,
        ("shape", "rate"): lambda shape, rate: _gamma(shape, _inverse(rate)),
        ("mean", "sd"): _gamma_moments,
    },
    "lognormal": {
        ("meanlog", "sdlog"): _lognormal,
        ("mean", "sd"): _lognormal_moments,
        ("mean", "low", "high"): _lognormal_mean,
        ("median", "low", "high"): _lognormal_median,
        ("median", "sdlog"): _lognormal_sdlog,
    },
    "normal": {("mean", "sd"): _normal, ("mean", "low", "high"): _normal_interval},
    "uniform": {("low", "high"): _uniform},
    "triangular": {("low", "mode", "high"): _triangular},
    "fixed": {(): lambda value: _fixed(value)},
}
# An interval of a ratio is one around its median, so that this is tried first.
_FROM_VALUE = ("median", "mean", "mode")


def parse_distribution(text: str, value: float | None) -> Distribution:
    """Check a distribution.

    Parameters
    ----------
    text
        Such as ``"beta(sd=0.006)"``, ``"lognormal(meanlog=log(3), sdlog=0.01)"`` or ``"fixed"``;
        `se` is read as `sd`.
    value
        Of the parameter, for what is left out; None if that is not a number.

    Raises
    ------
    ParameterError
        An unknown name, keywords that fit no form, or moments that no such distribution has.
    """
    name, given = _call(text)
    if name not in FORMS:
        raise ParameterError(f"{name!r} is no distribution{suggestion(name, FORMS)}")
    if name == "fixed" and not given:
        given = {"value": value} if value is not None else given
    forms = {tuple(sorted(keys or ("value",))): make for keys, make in FORMS[name].items()}
    for filled in (given, *({**given, key: value} for key in _FROM_VALUE if key not in given)):
        make = forms.get(tuple(sorted(filled)))
        if make is not None and None not in filled.values():
            if not all(math.isfinite(x) for x in filled.values()):
                raise ParameterError(f"{text!r} has a number that is not finite")
            mean, draw = make(**filled)
            centres = [mean, *(filled[key] for key in ("median", "mode") if key in filled)]
            if "meanlog" in filled:
                centres.append(math.exp(filled["meanlog"]))
            return Distribution(text, mean, tuple(centres), draw)
    ways = " or ".join(f"{name}({', '.join(f'{k}=' for k in keys)})" for keys in FORMS[name])
    raise ParameterError(f"{text!r} is not complete: write {ways}")


def _call(text: str) -> tuple[str, dict[str, float]]:
    try:
        node = ast.parse(text.strip(), mode="eval").body if len(text) <= 500 else None
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        node = None
    if isinstance(node, ast.Name):
        return node.id, {}
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.args):
        raise ParameterError(f"{text[:60]!r} is not written like beta(mean=0.2, sd=0.02)")
    given = {}
    for word in node.keywords:
        if word.arg is None:
            raise ParameterError(f"{text!r} is not written like beta(mean=0.2, sd=0.02)")
        key = {"se": "sd"}.get(word.arg, word.arg)
        expression = compile_expression(ast.unparse(word.value))
        functions = {name: function.of for name, function in FUNCTIONS.items()}
        given[key] = float(evaluate(expression, {}, functions))
    return node.func.id, given


def _above_zero(**values: float) -> None:
    for name, value in values.items():
        if not value > 0:
            raise ParameterError(f"{name} must be above 0, not {value:g}")


def _ordered(low: float, high: float) -> None:
    if not low < high:
        raise ParameterError(f"low must be below high, not {low:g} and {high:g}")


def _inverse(rate: float) -> float:
    _above_zero(rate=rate)
    return 1 / rate
