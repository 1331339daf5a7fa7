"""Intervals against their equations."""

import numpy as np
import pytest
from scipy import stats

from iesoresearch.models.evaluation import intervals

NORMAL = np.random.default_rng(1).normal(size=4000)


def test_many_units_leave_out_two_and_a_half_percent():
    assert intervals.tail_of(10**7) == pytest.approx(0.025, abs=1e-6)


def test_few_units_leave_out_less():
    """Of 20: Student's t of 2.093 (tables), times the root of 20 / 19."""
    assert intervals.tail_of(20) == pytest.approx(stats.norm.cdf(-2.093024 * np.sqrt(20 / 19)))
    found = intervals.from_resamples(0.0, NORMAL, 20, "clusters")
    assert (found.low, found.high) == pytest.approx((-2.147, 2.147), abs=0.15)


def test_an_interval_of_few_resamples_is_not_too_short():
    """Limits are the resamples that leave out 2.5 %: of 199, the fifth from either end."""
    replicates = np.random.default_rng(2).permutation(199).astype(float)
    low, high = intervals.percentile(replicates, 10**9)
    assert (low, high) == pytest.approx((4, 194), abs=1e-6)


def test_of_an_average():
    found = intervals.of_average(5.0, 5 + NORMAL, 20, "clusters")
    assert found.value - found.low == pytest.approx(found.high - found.value)
    assert found.high - 5 == pytest.approx(2.093024 * np.sqrt(20 / 19) * NORMAL.std(ddof=1))


@pytest.mark.parametrize(
    ("replicates", "units", "reason"),
    [
        (NORMAL, 1, "1 clusters: there is nothing to resample"),
        (np.where(np.arange(4000) % 5, NORMAL, np.nan), 9, "only 3200 of 4000 resamples have"),
        (np.full(200, 0.25), 9, "the same in every resample"),
    ],
)
@pytest.mark.parametrize("method", [intervals.from_resamples, intervals.of_average])
def test_without_an_interval_there_is_a_reason(method, replicates, units, reason):
    found = method(0.25, replicates, units, "clusters")
    assert found.value == 0.25
    assert np.isnan([found.low, found.high]).all()
    assert reason in found.reason


def hanley_mcneil(area, events, others):
    """Variance of an area, with the mean of both numbers in place of either (Newcombe 2006)."""
    one, two = area / (2 - area), 2 * area**2 / (1 + area)
    star = (events + others) / 2 - 1
    parts = area * (1 - area) + star * (one - area**2) + star * (two - area**2)
    return parts / (events * others)


@pytest.mark.parametrize("value", [0.55, 0.8, 0.99])
@pytest.mark.parametrize("spread", [1e-4, 0.05])
def test_limits_of_an_area_are_as_far_off_as_their_own_variance_allows(value, spread):
    events, others, units = 20, 60, 80
    replicates = value + spread * NORMAL
    found = intervals.of_auc(value, replicates, events, others, units, "patients")
    resampled = replicates.var(ddof=1) * 20 / 19
    scale = max(0.5, resampled / hanley_mcneil(value, events, others))
    for limit in (found.low, found.high):
        off = abs(value - limit) / np.sqrt(scale * hanley_mcneil(limit, events, others))
        assert off == pytest.approx(stats.t.ppf(0.975, 79), rel=1e-4)
    mirrored = intervals.of_auc(1 - value, 1 - replicates, others, events, units, "patients")
    assert (mirrored.low, mirrored.high) == pytest.approx((1 - found.high, 1 - found.low))


def test_an_area_of_one_has_a_lower_limit():
    found = intervals.of_auc(1.0, np.ones(200), 10, 30, 40, "patients")
    assert found.high == 1
    assert 0.8 < found.low < 0.97
    more = intervals.of_auc(1.0, np.ones(200), 100, 300, 400, "patients")
    assert found.low < more.low < 1


@pytest.mark.parametrize(("events", "others", "units"), [(1, 30, 31), (30, 1, 31), (9, 9, 1)])
def test_an_area_of_next_to_nobody_has_no_interval(events, others, units):
    found = intervals.of_auc(0.7, np.full(200, 0.7), events, others, units, "clusters")
    assert np.isnan(found.low)
    assert f"{events} with the event and {others} without, {units} clusters" in found.reason


def test_a_distance_reaches_zero_where_the_curve_may_be_the_diagonal():
    replicates = 0.05 + 0.01 * NORMAL
    sure = intervals.of_distance(0.04, replicates, 500, "patients", on_diagonal=False)
    unsure = intervals.of_distance(0.04, replicates, 500, "patients", on_diagonal=True)
    assert sure.high == unsure.high == pytest.approx(0.07, abs=0.002)
    assert sure.low == pytest.approx(0.08 - sure.high)
    assert unsure.low == 0
