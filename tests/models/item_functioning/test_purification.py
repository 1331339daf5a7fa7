"""Planted differences are found, and none where there are none."""

import dataclasses

import numpy as np
import pytest

from iesoresearch.errors import ParameterError
from iesoresearch.models.item_functioning import Answers, freest, functioning
from iesoresearch.models.item_functioning.purification import _freed


def test_a_uniform_difference_is_found(shifted):
    found = functioning(shifted)
    assert found.differing == found.free == (2,)
    assert found.settled
    assert found.rounds == 2
    item = found.items[2]
    assert item.uniform.p < 1e-6 < item.nonuniform.p
    assert item.log_odds[1] == pytest.approx(0.9, abs=0.3)
    assert item.points[1] > 0.2


def test_a_non_uniform_difference_is_found(drawn):
    found = functioning(Answers.of(*drawn(11, n=1500, tilt={3: 1.5}), reference=0))
    assert 3 in found.differing
    assert found.items[3].nonuniform.p < 1e-4


def test_without_a_difference_hardly_any_is_found(drawn):
    found = [functioning(Answers.of(*drawn(s, n=400), reference=0)).differing for s in range(12)]
    assert sum(bool(x) for x in found) <= 3


def test_the_total_finds_it_too(shifted):
    found = functioning(shifted, matching="total")
    assert 2 in found.differing


def test_names_of_groups_change_nothing(drawn):
    items, groups = drawn(12, n=500, groups=3, shift={1: 0.9})
    one = functioning(Answers.of(items, groups, reference=0))
    other = functioning(Answers.of(items, np.array([1, 2, 0])[groups], reference=1))
    assert one.differing == other.differing
    np.testing.assert_allclose(one.adjusted, other.adjusted, rtol=0.02, atol=1e-12)
    np.testing.assert_allclose(
        one.items[1].points[[0, 1, 2]], other.items[1].points[[1, 2, 0]], atol=2e-3
    )


def test_anchors_are_left(shifted):
    """Of items that all differ, the two of six with the smallest change stay common."""
    found = functioning(shifted)
    items = [
        dataclasses.replace(found.items[2], nagelkerke=np.array([0.0, 0.0, 0.01 * (i + 1)]))
        for i in range(6)
    ]
    assert _freed(items, (0, 1, 2, 3, 4, 5)) == (2, 3, 4, 5)
    assert _freed(items, (0, 5)) == (0, 5)
    model = freest(found)
    assert len(model.free) == 4
    assert 2 in model.free
    assert model.log_likelihood >= found.trait.log_likelihood - 1e-3


def test_what_cannot_be_compared_is_refused(drawn):
    items, groups = drawn(13, n=50)
    with pytest.raises(ParameterError, match="There is one group only"):
        functioning(Answers.of(items, np.zeros(len(items), dtype=int)))
    with pytest.raises(ParameterError, match="matching='rest' must be 'trait' or 'total'"):
        functioning(Answers.of(items, groups), matching="rest")
