"""Rates, means and other statistics of released tables: whether released counts give them.

What released counts give tells no more than they do. What they do not give may undo their rounding
(`iesoresearch.disclosure.solving`), or has nothing behind it that could be looked at.
"""

import re
from collections.abc import Iterator

import numpy as np
import polars as pl

from iesoresearch.disclosure import solving
from iesoresearch.disclosure.policy import Policy
from iesoresearch.results import Number, Table, Value

_SCALES = (1.0, 100.0, 1000.0)
_NEAR = 1e-6
_ROWS = 3  # of fewer counts a total is found by chance
#: Words for one person's value, and words that may be about something else, such as parameters.
ENDS = re.compile(r"min|max|minimum|maximum|youngest|oldest")
PERHAPS_ENDS = re.compile(r"smallest|largest|lowest|highest|shortest|longest")
_WORDS = re.compile(r"[^a-z0-9]+")


def guarded(table: Table) -> dict[str, Value]:
    """Columns that are not of open data."""
    return {name: value for name, value in table.values.items() if value.sensitivity != "open"}


def extremes(table: Table, words: re.Pattern) -> list[str]:
    """Columns that are the least or largest value of anybody, by words of their names."""
    return [
        name
        for name, value in guarded(table).items()
        if value.kind != "count"
        and table.frame.schema[name].is_numeric()
        and any(words.fullmatch(word) for word in _WORDS.split(f"{name} {value.label}".lower()))
    ]


def given_by_counts(table: Table, name: str) -> tuple[str, str] | None:
    """Numerator and denominator whose released counts give a rate, or its gap to a group's."""
    column = _numbers(table, name)
    there = np.isfinite(column)
    for part, whole in _pairs(table):
        with np.errstate(divide="ignore", invalid="ignore"):
            share = _numbers(table, part) / _numbers(table, whole)
        for scale in _SCALES:
            rate = scale * share
            if np.isfinite(rate[there]).all() and (
                np.allclose(column[there], rate[there], rtol=0, atol=_NEAR)
                or _are_gaps(table, column, rate)
            ):
                return part, whole
    return None


def given_by_rounded(table: Table, name: str, policy: Policy) -> bool:
    """Whether a rate is that of a rounded count, shown or not, to the count beside it."""
    value = table.values[name]
    if value.denominator not in table.values:
        return False
    inside = _numbers(table, name) * _numbers(table, value.denominator)
    inside = inside[np.isfinite(inside)]
    near = np.abs(inside - [policy.rounded(round(count)) for count in inside]) <= _NEAR
    return bool(near.all())


def undone(table: Table, name: str, policy: Policy) -> int:
    """Rows in which a mean or rate tells more of the number of people than its count shows.

    None does where the values of some row are no mean of whole numbers of anybody.
    """
    value = table.values[name]
    people = value.denominator
    if people is None or people not in guarded(table) or table.values[people].kind != "count":
        return 0
    if value.kind == "rate" and (not value.counted or given_by_rounded(table, name, policy)):
        return 0
    rows = table.frame.select(name, people).drop_nulls().rows()
    if not rows:
        return 0
    decimals = solving.decimals_of(np.array([row[0] for row in rows], dtype=float))
    scale = 100.0 if value.kind == "rate" and max(row[0] for row in rows) > 1 else 1.0
    told = 0
    for shown, count in rows:
        low, high = policy.shown_as(int(count))
        candidates = range(max(low, policy.min_count), high + 1)
        fits = solving.fitting(shown, decimals, candidates, scale)
        if not fits and len(candidates):
            return 0
        told += len(fits) < len(candidates)
    return told


def undone_number(number: Number, policy: Policy) -> bool:
    """Whether a mean or rate that stands alone tells more of its people than their count shows.

    So does a rate that is none of so many people: it is of others, whom its digits tell.
    """
    if number.kind not in ("rate", "mean") or number.n is None:
        return False
    scale = 100.0 if number.unit == "%" else 1.0
    if number.kind == "rate":
        inside = number.value / scale * number.n
        if abs(inside - policy.rounded(round(inside))) <= _NEAR:
            return False
    low, high = policy.shown_as(int(number.n))
    candidates = range(max(low, policy.min_count), high + 1)
    decimals = solving.decimals_of(np.array([number.value], dtype=float))
    fits = solving.fitting(number.value, decimals, candidates, scale)
    return len(fits) < len(candidates) and (bool(fits) or number.kind == "rate")


def of_total(table: Table, name: str, policy: Policy) -> str | None:
    """Whether a column is the share of a count in the total of a whole, and of which counts.

    Returns
    -------
    str or None
        "released": of counts as they are shown; "exact": of others, so that it tells them.
    """
    column = _numbers(table, name)
    is_end = name.endswith(("_low", "_high"))  # of an interval: no share of anything
    if is_end or table.values[name].kind == "count" or not np.isfinite(column).any():
        return None
    half = 0.5 * 10.0 ** -solving.decimals_of(column[np.isfinite(column)])
    for count, value in guarded(table).items():
        if value.kind == "count" and value.parts_of is not None:
            shown = _numbers(table, count)
            for scale in _SCALES[:2]:
                found = {
                    _in_whole(column[rows] / scale, shown[rows], half / scale, policy)
                    for rows in _wholes(table, value)
                } - {None}
                if found and "other" not in found:
                    return "exact" if "exact" in found else "released"
    return None


def _wholes(table: Table, value: Value) -> list[np.ndarray]:
    """Rows of every whole that a count adds up to."""
    keys = list(value.parts_of or ())
    rows = table.frame.with_row_index("_row").select("_row", *keys)
    groups = rows.partition_by(keys, maintain_order=True) if keys else [rows]
    return [group["_row"].to_numpy() for group in groups]


def _in_whole(share: np.ndarray, shown: np.ndarray, half: float, policy: Policy) -> str | None:
    """Of the rows of a whole whether one total makes shares of the counts; None if too few."""
    there = np.isfinite(share) & np.isfinite(shown) & (share > half) & (shown > 0)
    share, shown = share[there], shown[there]
    if len(np.unique(shown)) < _ROWS:
        return None
    if share.sum() > 1 + half * len(share):
        return "other"
    totals = shown / share
    if np.ptp(totals) <= _NEAR * totals.max() and policy.rounded(total := totals.mean()) == round(
        total
    ):
        return "released"
    low, high = np.array([policy.shown_as(int(count)) for count in shown]).T
    return "exact" if (low / (share + half)).max() <= (high / (share - half)).min() else "other"


def without_people(table: Table) -> list[str]:
    """Statistics of a table that shows no count of people at all."""
    counts = [name for name, value in table.values.items() if value.kind == "count"]
    if counts or any(column in table.keys for column in ("n", "people", "patients")):
        return []
    return [
        name
        for name, value in guarded(table).items()
        if value.denominator is None
        and table.frame.schema[name].is_numeric()
        and table.frame[name].is_not_null().any()
    ]


def _numbers(table: Table, name: str) -> np.ndarray:
    return table.frame[name].cast(pl.Float64).fill_null(np.nan).to_numpy()


def _pairs(table: Table) -> Iterator[tuple[str, str]]:
    counts = [
        name
        for name, value in table.values.items()
        if value.kind == "count" and table.frame.schema[name].is_numeric()
    ]
    pairs = [(a, b) for a in counts for b in counts if a != b]
    # declared parts first: a single row is a rate of many a pair
    yield from sorted(pairs, key=lambda pair: pair[1] not in table.values[pair[0]].wholes)


def _are_gaps(table: Table, column: np.ndarray, rate: np.ndarray) -> bool:
    """Whether all rows that differ in one key only are apart from the same of their rates."""
    there = np.isfinite(column)
    for key in table.keys:
        others = [other for other in table.keys if other != key]
        groups = table.frame.select(pl.struct(others) if others else pl.lit(0).alias("all"))
        of = groups.to_series().to_list() if groups.height == len(rate) else [0] * len(rate)
        apart: dict = {}
        for i in np.flatnonzero(there):
            apart.setdefault(str(of[i]), []).append(rate[i] - column[i])
        rates: dict = {}
        for i in np.flatnonzero(np.isfinite(rate)):
            rates.setdefault(str(of[i]), []).append(rate[i])
        if there.any() and all(
            np.ptp(found) <= _NEAR and np.abs(np.array(rates[group]) - found[0]).min() <= _NEAR
            for group, found in apart.items()
        ):
            return True
    return False
