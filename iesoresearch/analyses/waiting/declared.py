"""Declarations of columns and numbers of `waiting`; there is no patient in them, all are open."""

import math

import numpy as np

from iesoresearch.results import Number, Value

ENDS = (0.025, 0.975)


def value(label: str, digits: int = 0) -> Value:
    """Declaration of a column that the model computes."""
    return Value("model", label, digits, sensitivity="open")


def count(label: str) -> Value:
    """Declaration of a count."""
    return Value("count", label, 0, sensitivity="open")


def words(label: str) -> Value:
    """Declaration of a column of words."""
    return Value("model", label, 0, sensitivity="open")


def interval(name: str, label: str, digits: int = 0) -> dict[str, Value]:
    """Declarations of a mean and the ends of its 95 % interval."""
    return {
        name: value(label, digits),
        f"{name}_low": value("95 % from", digits),
        f"{name}_high": value("to", digits),
    }


def spread(draws: np.ndarray, digits: int | None = None) -> tuple[float, float, float]:
    """Mean of draws, and their 2.5 and 97.5 % points.

    With `digits`, what would be shown as 0 is 0: never "-0".
    """
    found = np.array([draws.mean(), *np.quantile(draws, ENDS)])
    if digits is not None:
        found[np.abs(found) < 0.5 * 10.0**-digits] = 0.0
    return tuple(found.tolist())


def named(name: str, found: tuple[float, float, float]) -> dict[str, float]:
    """`spread` under the names of the columns of `interval`."""
    return dict(zip((name, f"{name}_low", f"{name}_high"), found, strict=True))


def percent(p: float, n_draws: int) -> str:
    """A probability estimated from draws: never 0 or 100 %, where no draw was seen.

    What no draw shows is below 3 / n_draws with a confidence of 95 % (the rule of three).
    """
    if 0.01 <= p <= 0.99:
        return f"{100 * p:.0f}%"
    sign, rest, whole = ("<", p, 0) if p < 0.5 else (">", 1 - p, 100)
    least = 300 / n_draws if rest <= 0 else 1.0
    digits = max(0, -math.floor(math.log10(least)))
    return f"{sign} {abs(whole - least):.{digits}f}%"


def chance_number(p: float, n_draws: int) -> Number:
    """`percent` as a number that sentences quote."""
    p = float(p)
    return number(100 * p, 0, "%") if 0.01 <= p <= 0.99 else number(percent(p, n_draws))


def number(x, digits: int = 0, unit: str = "") -> Number:
    """A number that sentences quote."""
    return Number(x, unit=unit, digits=digits, sensitivity="open")


def three(name: str, found: tuple[float, float, float], digits=0, unit="") -> dict[str, Number]:
    """A mean with its unit, and the ends of its interval without."""
    plain = {key: number(x, digits) for key, x in named(name, found).items()}
    return plain | {name: number(found[0], digits, unit)}
