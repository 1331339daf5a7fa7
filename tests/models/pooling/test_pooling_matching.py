"""States that were shuffled are found again; others are said to be none."""

import numpy as np
import pytest

from iesoresearch.errors import DataError
from iesoresearch.models.pooling import matching

RANDOM = np.random.default_rng(3)
STATES = np.array([np.roll([0.7, 0.15, 0.1, 0.05], k) for k in range(4)])[:, None].repeat(9, 1)


def near(order):
    drawn = STATES[list(order)] + RANDOM.uniform(0, 0.05, (len(order), 9, 4))
    return drawn / drawn.sum(axis=2, keepdims=True)


def test_distances_by_hand():
    """Between (1, 0) and (0, 1) 1, between equal ones 0, between (1, 0) and halves 0.541."""
    found = matching.hellinger(
        np.array([[[1.0, 0.0]]]), np.array([[[0.0, 1]], [[1, 0]], [[0.5] * 2]])
    )
    np.testing.assert_allclose(found, [[1, 0, np.sqrt(1 - np.sqrt(0.5))]], atol=1e-12)


def test_shuffled_states_are_found():
    found = matching.match(STATES, near([2, 0, 3, 1]))
    assert found.place.tolist() == [2, 0, 3, 1]
    assert found.lacking == ()
    assert found.distance.max() < 0.15


def test_a_state_fewer_is_lacking_and_one_more_is_none():
    fewer = matching.match(STATES, near([3, 0]))
    assert (fewer.place.tolist(), fewer.lacking) == ([3, 0], (1, 2))
    more = matching.match(STATES[:2], near([1, 3, 0]))
    assert more.place.tolist() == [1, -1, 0]


def test_items_that_are_not_shown_are_passed_over():
    hidden = near([1, 0])
    hidden[0, 2:] = np.nan
    hidden[1] = np.nan
    found = matching.match(STATES[:2], hidden)
    assert found.place.tolist() == [1, -1]
    assert np.isnan(found.distance[1])


def test_what_is_found_depends_on_no_order():
    sites = [near([0, 1, 2]), near([2, 1, 0]), near([1, 2])]
    forth, back = matching.match_all(sites), matching.match_all(sites[::-1])[::-1]
    pairs = [(a.place, b.place) for a, b in zip(forth, back, strict=True)]
    same = {tuple(a) == tuple(b) for a, b in pairs}
    assert same == {True}
    assert [len(one.lacking) for one in forth] == [0, 0, 1]


def test_other_items_are_refused():
    with pytest.raises(DataError, match="other items or answers"):
        matching.match(STATES, STATES[:, :5])
