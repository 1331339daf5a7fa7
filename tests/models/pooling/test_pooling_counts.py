"""Ranges of counts by hand and by laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iesoresearch.errors import DataError
from iesoresearch.models.pooling.counts import Count, rate_bounds, total


def test_a_count_is_its_ranges():
    two = Count(((0, 2), (8, 9)))
    assert two.values().tolist() == [0, 1, 2, 8, 9]
    assert (two.low, two.high, two.is_exact) == (0, 9, False)
    assert Count.exact(7).is_exact


def test_what_is_said_to_be_small_or_to_leave_little():
    """Fewer than 10 of 50, or all but fewer than 10; of 15, anything."""
    assert Count.small_or_rest(0, 9, 50, 50).ranges == ((0, 9), (41, 50))
    assert Count.small_or_rest(1, 9, 48, 52).ranges == ((1, 9), (39, 51))
    assert Count.small_or_rest(0, 9, 15, 15).ranges == ((0, 15),)


@given(st.integers(0, 60), st.integers(10, 60), st.integers(2, 12), st.integers(0, 1))
@settings(deadline=None, max_examples=50)
def test_a_small_part_or_rest_is_always_inside(part, whole, least, fewest):
    part = min(part, whole)
    small = [fewest <= x < least for x in (part, whole - part)]
    if any(small):
        found = Count.small_or_rest(fewest, least - 1, max(whole - 2, 0), whole + 2)
        assert part in found.values()


def test_sums_have_exact_bounds():
    sites = [Count.between(3, 7), Count(((0, 2), (8, 9))), Count.exact(4)]
    found = total(sites)
    every = np.add.outer(np.add.outer(*(c.values() for c in sites[:2])), sites[2].values())
    assert (found.low, found.high) == (every.min(), every.max())


def test_bounds_of_a_rate():
    assert rate_bounds(Count.between(3, 5), Count.between(8, 10)) == (0.3, 0.625)
    assert np.isnan(rate_bounds(Count.exact(0), Count.between(0, 5))).all()


@pytest.mark.parametrize("ranges", [(), ((3, 2),), ((-1, 2),), ((4, 6), (1, 2))])
def test_what_is_no_range_is_refused(ranges):
    with pytest.raises(DataError, match="no rising ranges"):
        Count(ranges)
