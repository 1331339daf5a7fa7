"""Counting of answers, and joining of rare ones, by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.models.item_functioning import Answers

ITEMS = [[0, 1], [0, 1], [3, -1], [1, 0], [0, 1]]
GROUPS = [0, 0, 0, 1, 1]


def test_equal_answers_of_a_group_are_one_row():
    found = Answers.of(ITEMS, GROUPS)
    assert found.items.tolist() == [[0, 1], [2, -1], [0, 1], [1, 0]]
    assert found.groups.tolist() == [0, 0, 1, 1]
    assert found.weights.tolist() == [2, 1, 1, 1]
    assert found.row.tolist() == [0, 0, 1, 3, 2]
    assert found.scores[0].tolist()[:3] == [0, 1, 3]
    assert found.reference == 0
    assert found.by_group.tolist() == [3, 2]


def test_weights_have_mean_one_and_choose_the_reference():
    found = Answers.of(ITEMS, GROUPS, weights=[1, 1, 1, 6, 6])
    assert found.weights.sum() == pytest.approx(5)
    assert found.people.tolist() == [2, 1, 1, 1]
    assert found.reference == 1
    np.testing.assert_allclose(found.level_counts(0), [8 / 3, 2, 1 / 3])


def test_rare_levels_are_joined_from_the_top_down():
    one = [0] * 50 + [1] * 20 + [2] * 12 + [3] * 3
    other = [0] * 40 + [1] * 4 + [2] * 15 + [3] * 9
    items = np.array([one + other, [0, 1] * 76 + [0]]).T
    groups = np.repeat([0, 1], [len(one), len(other)])
    data = Answers.of(items, groups)
    # 3 joins 2; then 1, given 4 times in the second group, joins 0
    assert data.joined(0).tolist() == [0, 0, 1, 1]
    assert data.joined(0, least=1).tolist() == [0, 1, 2, 3]
    assert data.joined(0, least=60).max() == 0


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 3), min_size=30, max_size=120), st.integers(1, 15))
def test_joined_levels_are_in_order_and_large_enough(answers, least):
    items = np.array([[*answers, 0, 3], [0, 1, *[0] * len(answers)]]).T
    groups = np.arange(len(items)) % 2
    data = Answers.of(items, groups)
    stands = data.joined(0, least)
    assert (np.diff(stands) >= 0).all()
    assert set(stands) == set(range(stands.max() + 1))
    if stands.max() > 0:
        levels = stands[np.searchsorted(np.unique(items[:, 0]), items[:, 0])]
        counts = np.zeros((2, stands.max() + 1), dtype=int)
        np.add.at(counts, (groups, levels), 1)
        assert counts.min() >= least


def test_what_cannot_be_counted_is_refused():
    with pytest.raises(DataError, match="1 people gave no answer at all"):
        Answers.of([[0, 1], [-1, -1], [1, 0]], [0, 0, 1])
    with pytest.raises(DataError, match="same answer to item 2"):
        Answers.of([[0, 1], [1, 1]], [0, 1])
    with pytest.raises(ParameterError, match="numbered from 0, each with somebody"):
        Answers.of(ITEMS, [0, 0, 0, 2, 2])
    with pytest.raises(ParameterError, match="one whole number for each of 5 people"):
        Answers.of(ITEMS, [0.5] * 5)
    with pytest.raises(ParameterError, match="reference=4 is none of the 2 groups"):
        Answers.of(ITEMS, GROUPS, reference=4)
