"""Suppress what small groups of people stand behind, and round counts.

Rules: counts below a threshold are suppressed, and rates with fewer people than that in or out of
the numerator; other statistics go with the number of people behind them; a single suppressed part
of a known whole takes its smallest neighbour with it; remaining counts are rounded. Threshold and
rounding follow common practice of secure data environments (Griffiths et al. 2019, Handbook on
Statistical Disclosure Control for Outputs, doi:10.6084/m9.figshare.9958520).
"""

from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl
import yaml

from iesoresearch.errors import ParameterError
from iesoresearch.results import RELEASED, STATUS, Number, Result, Table, Value


@dataclass(frozen=True)
class Policy:
    """Smallest number of people that may be shown, and the base counts are rounded to."""

    min_count: int = 10
    round_to: int = 5

    @classmethod
    def read(cls, path: Path) -> "Policy":
        """Read params/disclosure.yaml.

        Raises
        ------
        ParameterError
            Not the two positive whole numbers ``min_count`` and ``round_to``.
        """
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
            policy = cls(**content)
        except (OSError, TypeError, yaml.YAMLError):
            policy = None
        if policy is None or not all(
            isinstance(v, int) and v >= 1 for v in (policy.min_count, policy.round_to)
        ):
            raise ParameterError(
                f"{path} must hold the whole numbers min_count and round_to, both at least 1. "
                "Without a disclosure policy nothing is computed."
            )
        return policy


def release(result: Result, policy: Policy) -> Result:
    """What may be seen of `result`: the same shape, suppressed cells null, a status column.

    Open data pass unchanged; synthetic data are treated as patients'. Releasing twice changes
    nothing.
    """
    if "disclosure" in result.provenance:
        return result
    applied = {"min_count": policy.min_count, "round_to": policy.round_to}
    return replace(
        result,
        tables={name: _release_table(table, policy) for name, table in result.tables.items()},
        numbers={name: _release_number(n, policy) for name, n in result.numbers.items()},
        provenance=result.provenance | {"disclosure": applied},
    )


def _release_number(number: Number, policy: Policy) -> Number:
    if number.sensitivity == "open":
        return number
    behind = number.value if number.kind == "count" else number.n
    if behind is not None and behind < policy.min_count:
        return replace(number, value=None, n=None, status=_reason(policy))
    n = None if number.n is None else _rounded(number.n, policy)
    value = _rounded(number.value, policy) if number.kind == "count" else number.value
    return replace(number, value=value, n=n)


def _release_table(table: Table, policy: Policy) -> Table:
    guarded = {name: v for name, v in table.values.items() if v.sensitivity != "open"}
    hidden = {name: _hidden(table.frame, name, v, policy) for name, v in guarded.items()}
    for name, value in guarded.items():
        if value.parts_of is not None:
            hidden[name] = _with_complement(table.frame, name, value, hidden[name])
    for name, value in guarded.items():
        if value.follows is not None:
            hidden[name] = hidden[name] | hidden[value.follows]
    columns = []
    for name, value in guarded.items():
        column = table.frame[name]
        if value.kind == "count":
            column = (column / policy.round_to).round() * policy.round_to
            column = column.cast(table.frame[name].dtype)
        columns.append(column.set(hidden[name], None))
    marks = pl.DataFrame([series.alias(name) for name, series in hidden.items()])
    status = pl.Series(STATUS, [RELEASED] * len(table.frame), dtype=pl.String)
    if hidden:
        any_hidden = marks.select(pl.any_horizontal(pl.all())).to_series()
        status = status.set(any_hidden, _reason(policy))
    return replace(table, frame=table.frame.with_columns(columns).with_columns(status))


def _hidden(frame: pl.DataFrame, name: str, value: Value, policy: Policy) -> pl.Series:
    """Which cells of a column are suppressed in their own right."""
    column = frame[name]
    if value.kind == "count":
        small = column < policy.min_count
    elif value.denominator is None:
        small = pl.Series([False] * len(frame))
    else:
        people = frame[value.denominator]
        small = people < policy.min_count
        if value.kind == "rate":
            inside = column * people
            small = small | (inside < policy.min_count) | (people - inside < policy.min_count)
    return small.fill_null(False)


def _with_complement(frame: pl.DataFrame, name: str, value: Value, hidden: pl.Series) -> pl.Series:
    """Hide the smallest other part wherever exactly one part of a whole is hidden."""
    whole = list(value.parts_of)
    marked = frame.select(*whole, size=name).with_columns(hidden=hidden).with_row_index("row")
    if not whole:
        marked, whole = marked.with_columns(all=0), ["all"]
    alone = marked.filter(pl.col("hidden").sum().over(whole) == 1)
    partners = (
        alone.filter(~pl.col("hidden")).sort("size", "row").group_by(whole, maintain_order=True)
        .first()["row"]
    )  # fmt: skip
    return hidden | marked["row"].is_in(partners.implode())


def _rounded(value: float, policy: Policy) -> int:
    return policy.round_to * round(value / policy.round_to)


def _reason(policy: Policy) -> str:
    return f"suppressed (fewer than {policy.min_count} people)"
