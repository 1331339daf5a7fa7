"""Suppress what small groups of people stand behind, and round counts.

Rules: counts below a threshold are suppressed, and rates with fewer people than that in or out of
the numerator; other statistics go with the number of people behind them; suppressed parts of a
known whole take neighbours with them; remaining counts are rounded, other values to one digit more
than is shown. Not protected is the number of *all* people of a run: its information criteria tell
it. Threshold and rounding follow common practice of secure data environments (Griffiths et al.
2019, Handbook on Statistical Disclosure Control for Outputs, doi:10.6084/m9.figshare.9958520).
"""

from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl
import yaml

from iesoresearch.errors import DisclosureError, ParameterError
from iesoresearch.results import RELEASED, STATUS, Number, Result, Table, Value

PROTECTS = "suppressed (protects another cell)"


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
            type(v) is int and v >= 1 for v in (policy.min_count, policy.round_to)
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

    Raises
    ------
    DisclosureError
        Fewer people than may be shown stand behind the whole result: then neither its sentences
        nor the outcomes of its checks may be seen.
    """
    if "disclosure" in result.provenance:
        return result
    _refuse_few(result, policy)
    applied = {"min_count": policy.min_count, "round_to": policy.round_to}
    tables = {name: _release_table(table, policy) for name, table in result.tables.items()}
    return replace(
        result,
        tables=tables,
        numbers={name: _release_number(n, tables, policy) for name, n in result.numbers.items()},
        provenance=result.provenance | {"disclosure": applied},
    )


def _refuse_few(result: Result, policy: Policy) -> None:
    guarded = [x for x in result.numbers.values() if x.sensitivity != "open" and x.n is not None]
    if guarded and max(x.n for x in guarded) < policy.min_count:
        raise DisclosureError(
            f"Fewer than {policy.min_count} people stand behind this result, so nothing of it can "
            "be shown. Bring more data."
        )


def _release_number(number: Number, tables: dict[str, Table], policy: Policy) -> Number:
    if number.derive is not None:
        return number.derive(tables)
    if number.sensitivity == "open":
        return number
    behind = number.value if number.kind == "count" else number.n
    if behind is not None and behind < policy.min_count:
        return replace(number, value=None, n=None, status=_small(policy))
    n = None if number.n is None else _rounded(number.n, policy)
    value = number.value
    if number.kind == "count":
        value = _rounded(value, policy)
    elif isinstance(value, float):
        value = round(value, number.digits + 1)
    return replace(number, value=value, n=n)


def _release_table(table: Table, policy: Policy) -> Table:
    guarded = {name: v for name, v in table.values.items() if v.sensitivity != "open"}
    small = {name: _small_cells(table.frame, name, v, policy) for name, v in guarded.items()}
    hidden = {
        name: _with_complement(table.frame, name, v, small[name], policy)
        for name, v in guarded.items()
    }
    for name, value in guarded.items():
        if value.follows is not None:
            hidden[name] = hidden[name] | hidden[value.follows]
    columns = [
        _blurred(table.frame[name], value, policy).set(hidden[name], None).alias(name)
        for name, value in guarded.items()
    ]
    frame = table.frame.with_columns(columns)
    derived = {name: v.derive(frame) for name, v in guarded.items() if v.derive is not None}
    frame = frame.with_columns(column.alias(name) for name, column in derived.items())
    for name, column in derived.items():
        hidden[name] = column.is_null() & table.frame[name].is_not_null()
    status = pl.Series(STATUS, [RELEASED] * len(table.frame), dtype=pl.String)
    for marks, reason in ((hidden, PROTECTS), (small, _small(policy))):
        if marks:
            rows = pl.DataFrame([m.alias(name) for name, m in marks.items()])
            status = status.set(rows.select(pl.any_horizontal(pl.all())).to_series(), reason)
    values = {name: replace(v, derive=None) for name, v in table.values.items()}
    return replace(table, frame=frame.with_columns(status), values=values)


def _small_cells(frame: pl.DataFrame, name: str, value: Value, policy: Policy) -> pl.Series:
    """Which cells of a column have too few people behind them."""
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


def _with_complement(
    frame: pl.DataFrame, name: str, value: Value, small: pl.Series, policy: Policy
) -> pl.Series:
    """Small cells, and of every whole as many more as keep them from being worked out.

    The hidden parts of a whole are known together, as the rest. So there must be at least two of
    them, with at least the smallest number of people that may be shown among them; the smallest
    other parts are hidden until that is so.
    """
    if value.parts_of is None:
        return small
    people = frame[name]
    if value.kind == "rate":
        people = people * frame[value.denominator]
    keys = list(value.parts_of)
    marked = pl.DataFrame({"people": people, "small": small}).with_row_index("row")
    marked = marked.with_columns(frame[key] for key in keys)
    hidden = small.to_list()
    wholes = marked.partition_by(keys, maintain_order=True) if keys else [marked]
    for whole in wholes:
        parts = whole.sort("small", "people", "row", descending=[True, False, False])
        n_small = int(parts["small"].sum())
        if n_small == 0:
            continue
        sums = parts["people"].cum_sum().to_list()
        n_hidden = max(n_small, 2)
        while n_hidden < len(sums) and sums[n_hidden - 1] < policy.min_count:
            n_hidden += 1
        for row in parts["row"][:n_hidden]:
            hidden[row] = True
    return pl.Series(hidden, dtype=pl.Boolean)


def _blurred(column: pl.Series, value: Value, policy: Policy) -> pl.Series:
    """Counts to the base of the policy; all else to one digit more than is shown.

    A mean or rate in full would give away the number of people it was computed from.
    """
    if value.kind == "count":
        rounded = (column / policy.round_to).round() * policy.round_to
        return rounded.cast(column.dtype)
    return column.round(value.digits + 1) if column.dtype.is_float() else column


def _rounded(value: float, policy: Policy) -> int:
    return policy.round_to * round(value / policy.round_to)


def _small(policy: Policy) -> str:
    return f"suppressed (fewer than {policy.min_count} people)"
