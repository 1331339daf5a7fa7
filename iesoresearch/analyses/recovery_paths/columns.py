"""Declarations of columns that all tables of `recovery_paths` share."""

import math

import polars as pl

from iesoresearch.results import Value


def value(fitted, label: str, digits: int, denominator=None, kind="model", **more) -> Value:
    """A column; hidden where few are in its denominator."""
    sensitivity = fitted.sensitivity
    return Value(kind, label, digits, denominator, sensitivity=sensitivity, **more)


def interval(
    fitted, name: str, label: str, digits: int, denominator="n", **more
) -> dict[str, Value]:
    """An estimate and both ends of its 95 % interval."""
    return {
        name: value(fitted, label, digits, denominator, **more),
        f"{name}_low": value(fitted, "95 % from", digits, denominator, **more),
        f"{name}_high": value(fitted, "to", digits, denominator, **more),
    }


def count(fitted, label="Patients", whole=(), **more) -> Value:
    """A count of patients who add up to a known whole; with `whole` None, to nothing known."""
    return value(fitted, label, 0, kind="count", parts_of=whole, **more)


def rate(fitted, name: str, label: str, denominator: str, **more) -> dict[str, Value]:
    """A share of people with the ends of its interval, which are hidden with it."""
    return {
        name: value(fitted, label, 3, denominator, "rate", **more),
        f"{name}_low": value(fitted, "95 % from", 3, denominator, follows=name),
        f"{name}_high": value(fitted, "to", 3, denominator, follows=name),
    }


def ends(name: str, estimate) -> dict[str, float | None]:
    """Cells of an estimate and the ends of its interval; None where not estimable.

    `estimate` has ``x``, ``x_low`` and ``x_high``, or ``value``, ``low`` and ``high``, or is None.
    """
    if estimate is None:
        found = (None, None, None)
    elif hasattr(estimate, "value"):
        found = (estimate.value, estimate.low, estimate.high)
    else:
        found = (estimate.x, estimate.x_low, estimate.x_high)
    return dict(zip((name, f"{name}_low", f"{name}_high"), map(finite, found), strict=True))


def types(keys, values) -> dict:
    """Types of the columns: words, counts and numbers."""
    kinds = dict.fromkeys(keys, pl.String)
    return kinds | {c: pl.Int64 if v.kind == "count" else pl.Float64 for c, v in values.items()}


def finite(number: float | None) -> float | None:
    """`number`, None where it is not estimable."""
    return None if number is None or not math.isfinite(number) else float(number)
