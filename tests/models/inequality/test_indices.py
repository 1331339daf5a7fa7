"""Indices of inequality by hand, on England's published counts, and in repeated draws."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iesoresearch.data import published
from iesoresearch.errors import DataError, ParameterError
from iesoresearch.models.inequality import slope_index


@pytest.fixture(scope="module")
def england():
    """Reliable recovery of England 2023-24 by decile of deprivation, 1 the most deprived."""
    rows = published.load().filter(
        pl.col("breakdown") == "deprivation decile",
        pl.col("period") == "2023-24",
        pl.col("org") == "England",
        pl.col("statistic") == "count",
        pl.col("group").str.contains(r"^\d+$"),
    )
    wide = rows.pivot("measure", index="group", values="value")
    return wide.select(
        pl.col("group").cast(int).alias("decile"),
        pl.col("reliable recovery").alias("events"),
        (pl.col("finished") - pl.col("not at caseness")).alias("n"),
    )


def test_three_groups_by_hand():
    """Rates .2, .4, .6 at ridits 1/8, 1/2, 7/8: the slope is 1.5 / 2.8125."""
    found = slope_index([2, 8, 6], [10, 20, 10])
    slope = 1.5 / 2.8125
    assert found.ridits == pytest.approx([0.125, 0.5, 0.875])
    assert found.sii.value == pytest.approx(-100 * slope)
    assert found.most == pytest.approx(100 * (0.4 - slope / 2))
    assert found.least == pytest.approx(100 * (0.4 + slope / 2))
    assert found.rii.value == pytest.approx((0.4 - slope / 2) / (0.4 + slope / 2))
    assert found.misfit == pytest.approx(0, abs=1e-9)


def test_england_by_hand(england):
    """Least squares by numpy on ridits summed up by hand, from decile 1 (most deprived) on."""
    rows = england.sort("decile")
    assert rows["decile"].to_list() == list(range(1, 11))
    n, events = rows["n"].to_numpy(), rows["events"].to_numpy()
    before, ridits = 0.0, []
    for size in n:
        ridits.append((before + size / 2) / n.sum())
        before += size
    slope, start = np.polyfit(ridits, events / n, 1, w=np.sqrt(n))
    found = slope_index(england["events"], england["n"], order=england["decile"])
    assert found.sii.value == pytest.approx(-100 * slope)
    assert found.rii.value == pytest.approx(start / (start + slope))
    # of 100 patients of the most deprived end some 41 recover reliably, of the least deprived 54
    assert round(found.most) == 41
    assert round(found.least) == 54
    # standard error of a sum of independent rates, by its textbook formula
    weight = n * (np.array(ridits) - 0.5)
    weight /= weight @ ridits
    rate = events / n
    error = np.sqrt((weight**2 * rate * (1 - rate) / n).sum())
    assert found.sii.high - found.sii.low == pytest.approx(2 * 1.95996 * 100 * error, rel=1e-3)


def test_intervals_are_as_wide_as_repeated_draws(england):
    """Counts drawn anew from the observed rates of 1 in 200 patients; 600 draws."""
    rows = england.sort("decile")
    n = (rows["n"] // 200).to_numpy()
    rate = (rows["events"] / rows["n"]).to_numpy()
    random = np.random.default_rng(2)
    drawn = [slope_index(random.binomial(n.astype(int), rate), n) for _ in range(600)]
    exact = slope_index(rate * n, n)
    for name, scale in (("sii", lambda x: x), ("rii", np.log)):
        spread = np.std([scale(getattr(one, name).value) for one in drawn])
        widths = [scale(getattr(one, name).high) - scale(getattr(one, name).low) for one in drawn]
        assert np.mean(widths) == pytest.approx(2 * 1.96 * spread, rel=0.1)
        truth = getattr(exact, name).value
        covered = [getattr(one, name).low <= truth <= getattr(one, name).high for one in drawn]
        assert 0.93 < np.mean(covered) < 0.975  # 95 %, Monte Carlo error 0.9


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(5, 30), st.integers(31, 90)), min_size=3, max_size=8))
def test_reversing_the_order_changes_the_sign_and_inverts_the_ratio(counts):
    events, n = np.array(counts).T
    there = slope_index(events, n)
    back = slope_index(events, n, order=-np.arange(len(n)))
    for a, b in (("value", "value"), ("low", "high"), ("high", "low")):
        assert getattr(there.sii, a) == pytest.approx(-getattr(back.sii, b), abs=1e-6)
        turned = getattr(back.rii, b)
        if 0 < turned < np.inf:
            assert getattr(there.rii, a) == pytest.approx(1 / turned, rel=1e-6)
    assert there.sii.low <= there.sii.value <= there.sii.high


def test_equal_rates_have_no_slope():
    found = slope_index([5, 10, 20, 30], [10, 20, 40, 60])
    assert found.sii.value == pytest.approx(0, abs=1e-9)
    assert found.rii.value == pytest.approx(1)
    assert found.rii.low < 1 < found.rii.high


def test_a_line_below_zero_has_no_ratio():
    assert np.isnan(slope_index([0, 1, 8], [10, 10, 10]).rii.value)


def test_a_ratio_may_have_no_upper_limit():
    found = slope_index([3, 2, 1], [5, 5, 5])
    assert found.rii.high == np.inf
    assert 0 < found.rii.low < found.rii.value


def test_groups_of_nobody_do_not_count():
    found = slope_index([2, 0, 8, 6], [10, 0, 20, 10], order=[1, 2, 3, 4])
    assert np.isnan(found.ridits[1])
    assert found.sii.value == pytest.approx(slope_index([2, 8, 6], [10, 20, 10]).sii.value)


def test_what_cannot_be_had_is_refused():
    with pytest.raises(DataError, match="at least three groups"):
        slope_index([1, 2], [4, 4])
    with pytest.raises(DataError, match="with and without"):
        slope_index([0, 0, 0], [4, 4, 4])
    with pytest.raises(ParameterError, match="two have the same"):
        slope_index([1, 2, 3], [4, 4, 4], order=[1, 2, 2])
    with pytest.raises(ParameterError, match="as many events"):
        slope_index([1, 2, 3], [4, 4])
    with pytest.raises(ParameterError, match="level of 95 is not between 0 and 1"):
        slope_index([1, 2, 3], [4, 4, 4], level=95)


@pytest.mark.parametrize(
    ("events", "n"),
    [
        ([1, np.nan, 3], [4, 4, 4]),
        ([1, 2, 3], [4, np.nan, 4]),
        ([1, 2, 3], [4, 4, np.inf]),
        ([1, 5, 3], [4, 4, 4]),
        ([1, -2, 3], [4, 4, 4]),
    ],
)
def test_counts_that_are_absent_or_impossible_are_called_that(events, n):
    with pytest.raises(ParameterError, match="a count that is absent, or events that are not"):
        slope_index(events, n)


@pytest.mark.parametrize("order", [["1", "2", "10"], [1, 2, np.nan], [1, None, 3], [1, 2, np.inf]])
def test_places_are_numbers(order):
    with pytest.raises(ParameterError, match="takes the places of groups as numbers"):
        slope_index([1, 2, 3], [4, 4, 4], order=order)
