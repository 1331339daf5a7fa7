"""Which numbers of people a mean or a rate leaves possible, by counting all sums."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iesoresearch.disclosure import solving


def by_counting(value, decimals, people):
    """All numbers of people of whom some whole sum has this mean."""
    return [n for n in people if any(round(s / n, decimals) == value for s in range(28 * n))]


@given(st.integers(10, 60), st.data())
def test_all_numbers_that_fit_are_found(n, data):
    total = data.draw(st.integers(0, 27 * n))
    value = round(total / n, 2)
    people = range(max(n - 2, 1), n + 3)
    found = solving.fitting(value, 2, people)
    assert n in found
    # halves of a hundredth are rounded to even by one and away from it by others
    assert set(by_counting(value, 2, people)) <= set(found)


def test_a_mean_with_two_decimals_tells_a_small_number_of_people():
    """PHQ-9 of 13 patients with a mean of 14.38: of all that are rounded to 15 only 13 fits."""
    assert solving.fitting(14.38, 2, range(13, 18)) == [13, 16]
    assert solving.fitting(14.38, 2, range(13, 16)) == [13]
    assert solving.fitting(14.4, 1, range(13, 18)) == [13, 14, 15, 16, 17]


def test_a_rate_in_per_cent():
    assert solving.fitting(33.33, 2, range(13, 18), 100) == [15]


@given(st.integers(10, 4000), st.integers(0, 27), st.sampled_from([1.0, 100.0]))
def test_with_safe_decimals_every_number_from_there_on_fits(n, value, scale):
    decimals = solving.safe_decimals(n, scale)
    shown = round(value + 1 / 3, max(decimals, 0)) if scale == 1.0 else round(100 / 3, decimals)
    people = range(n, n + 5)
    assert solving.fitting(shown, decimals, people, scale) == list(people)


@pytest.mark.parametrize(("values", "decimals"), [([3.0, 4.0], 0), ([0.25, 1.5], 2), ([1 / 3], 9)])
def test_decimals_of_numbers(values, decimals):
    assert solving.decimals_of(values) == decimals
