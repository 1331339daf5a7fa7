"""Standardised differences by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iesoresearch.models import balance


def test_numbers_by_hand():
    """Means 2 and 4, variances 1 and 1."""
    assert balance.difference_of_means([1, 2, 3], [3, 4, 5]) == pytest.approx(2.0)
    assert balance.difference_of_means([3, 4, 5], [1, 2, 3]) == pytest.approx(-2.0)
    assert np.isnan(balance.difference_of_means([1, 1], [2, 2]))


@given(*[st.integers(1, 500)] * 4)
def test_two_levels_are_austins_difference_of_proportions(a, b, c, d):
    p, q = a / (a + b), c / (c + d)
    expected = abs(p - q) / np.sqrt((p * (1 - p) + q * (1 - q)) / 2)
    assert balance.difference_of_levels([a, b], [c, d]) == pytest.approx(expected, abs=1e-9)


def test_three_levels_by_hand():
    """Difference (.1, -.2), mean covariance [[.21, -.12], [-.12, .24]]… inverted by hand."""
    first, second = [30, 30, 40], [40, 40, 20]
    p, q = np.array([0.3, 0.4]), np.array([0.4, 0.2])
    a = (p[0] * (1 - p[0]) + q[0] * (1 - q[0])) / 2
    d = (p[1] * (1 - p[1]) + q[1] * (1 - q[1])) / 2
    b = -(p[0] * p[1] + q[0] * q[1]) / 2
    x, y = q - p
    expected = np.sqrt((d * x * x - 2 * b * x * y + a * y * y) / (a * d - b * b))
    assert balance.difference_of_levels(first, second) == pytest.approx(expected)


@given(st.permutations([(5, 9), (7, 2), (12, 12), (0, 4), (0, 0)]))
def test_the_order_of_levels_does_not_matter(pairs):
    first, second = zip(*pairs, strict=True)
    expected = balance.difference_of_levels([5, 7, 12, 0], [9, 2, 12, 4])
    assert balance.difference_of_levels(first, second) == pytest.approx(expected)


def test_equal_groups_and_a_single_level_do_not_differ():
    assert balance.difference_of_levels([3, 6, 9], [1, 2, 3]) == pytest.approx(0.0, abs=1e-7)
    assert balance.difference_of_levels([3, 0], [4, 0]) == 0.0


def test_what_chance_gives():
    """Mean squared difference of equal groups over many draws."""
    random = np.random.default_rng(1)
    shares = [0.5, 0.3, 0.2]
    squares = [
        balance.difference_of_levels(
            random.multinomial(200, shares), random.multinomial(400, shares)
        )
        ** 2
        for _ in range(1500)
    ]
    assert np.sqrt(np.mean(squares)) == pytest.approx(
        balance.expected_by_chance(200, 400, 3), rel=0.05
    )
