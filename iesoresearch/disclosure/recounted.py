"""Rates that were counted, given again as released counts give them.

An exact rate beside a rounded number of people often tells the exact count. So at release the
people in it and the people it is of are rounded as counts are, and the rate is their ratio. So is
Wilson's interval, whose width would tell the counts as well; the ends of an interval that is no
function of them, such as that of a bootstrap, move with the rate, so that their middle does not
tell what it was. A rate that is no whole number of people, such as an imputed one, counts as the
nearest.
"""

import numpy as np
import polars as pl

from iesoresearch.disclosure import solving
from iesoresearch.disclosure.policy import Policy
from iesoresearch.models import proportions
from iesoresearch.results import Number, Value

_WHOLE = 1e-6  # from a whole number of people, after a division and a multiplication
_SAME = 1e-4  # of the ends of an interval that are rounded or clipped by an analysis


def columns(frame: pl.DataFrame, values: dict[str, Value], policy: Policy) -> dict[str, pl.Series]:
    """Rates of a table and the ends of their intervals, as they are released.

    Parameters
    ----------
    frame
        Before release.
    values
        Declarations of the columns that are guarded.
    policy
        Says how counts are rounded.

    Returns
    -------
    dict of polars.Series
        Of columns that change; estimates of a model (`Value.counted`) do not.
    """
    found = {}
    for name, value in values.items():
        people = values.get(value.denominator)
        if value.kind != "rate" or not value.counted or value.derive is not None:
            continue
        if people is None or people.kind != "count":
            continue
        rate, n = frame[name].cast(pl.Float64), frame[value.denominator].cast(pl.Float64)
        inside, whole = policy.rounded((rate * n).round()), policy.rounded(n)
        given = pl.select(pl.when(whole > 0).then(inside / whole).otherwise(rate)).to_series()
        found[name] = given
        ends = [f"{name}_low", f"{name}_high"]
        if all(end in values and values[end].derive is None for end in ends):
            anew = _ends(frame.select(ends), given - rate, (rate, n), (inside, whole))
            found |= dict(zip(ends, anew, strict=True))
    return found


def _ends(given: pl.DataFrame, moved: pl.Series, exact: tuple, shown: tuple) -> list[pl.Series]:
    """Both ends of an interval: Wilson's of the rounded counts, where it was that of the exact."""
    rate, n = (column.fill_null(float("nan")).to_numpy() for column in exact)
    inside, whole = (column.fill_null(float("nan")).to_numpy() for column in shown)
    found = []
    for column, was, anew in zip(
        given, proportions.wilson(rate * n, n), proportions.wilson(inside, whole), strict=True
    ):
        ends = column.cast(pl.Float64).fill_null(float("nan")).to_numpy()
        are_wilson = np.isclose(ends, was, rtol=0, atol=_SAME)
        ends = np.where(are_wilson, anew, np.clip(ends + moved.to_numpy(), 0.0, 1.0))
        found.append(pl.Series(column.name, ends).fill_nan(None))
    return found


def safe_decimals(people: int, policy: Policy) -> int:
    """Decimals at which a mean fits every number of people that is shown as this one is."""
    low, _ = policy.shown_as(policy.rounded(people))
    return solving.safe_decimals(max(low, policy.min_count))


def number(number: Number, policy: Policy) -> float | None:
    """A rate that stands alone, as released counts give it; None if it is none of whole people."""
    inside, n = people_in(number), policy.rounded(number.n or 0)
    if inside is None or not n:
        return None
    return (100.0 if number.unit == "%" else 1.0) * policy.rounded(inside) / n


def people_in(number: Number) -> int | None:
    """How many people a rate that stands alone is of; None if it is none of whole people."""
    if number.kind != "rate" or not isinstance(number.value, float) or not number.n:
        return None
    inside = number.value / (100.0 if number.unit == "%" else 1.0) * number.n
    # a rate that was adjusted or weighted is no whole number of people
    if abs(inside - round(inside)) > _WHOLE or not -_WHOLE <= inside <= number.n + _WHOLE:
        return None
    return round(inside)
