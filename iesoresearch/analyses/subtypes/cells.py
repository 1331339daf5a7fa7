"""What the tables of `subtypes` share: grids of keys, declared values, intervals."""

import polars as pl

from iesoresearch.analyses.subtypes.fitted import Fitted
from iesoresearch.results import Value


def grid(**axes) -> pl.DataFrame:
    """Every combination of the keys, the last one running fastest."""
    frame = pl.DataFrame({"": [0]})
    for name, values in axes.items():
        frame = frame.join(pl.DataFrame({name: list(values)}), how="cross", maintain_order="left")
    return frame.drop("")


def value(fitted: Fitted, kind, label, digits, denominator=None, **more) -> Value:
    """A value column with the sensitivity of the data."""
    return Value(kind, label, digits, denominator, sensitivity=fitted.data.sensitivity, **more)


def with_interval(
    fitted, frame, name, estimate, label, digits, statistic, kind="model", whole=None, of="n",
    parameters=None,
):  # fmt: skip
    """Columns of an estimate and its bootstrap interval, and their declarations.

    Estimates of the `kind` "rate" are parts of a `whole`: a small share is a small group of people.
    `of` is the column with the people behind them, from whom so many `parameters` were estimated.
    """
    low, high = fitted.interval(statistic)
    columns = {name: estimate, f"{name}_low": low, f"{name}_high": high}
    frame = frame.with_columns(pl.Series(c, x.ravel()).fill_nan(None) for c, x in columns.items())
    follows, shared = name if kind == "rate" else None, {"parameters": parameters}
    values = {
        name: value(fitted, kind, label, digits, of, parts_of=whole, counted=False, **shared),
        f"{name}_low": value(fitted, "model", "95 % from", digits, of, follows=follows, **shared),
        f"{name}_high": value(fitted, "model", "to", digits, of, follows=follows, **shared),
    }
    return frame, values
