"""Totals and cut-offs against enumeration and draws."""

import itertools

import numpy as np
import pytest

from iesoresearch.errors import ParameterError
from iesoresearch.models.item_functioning import (
    Answers,
    Design,
    functioning,
    impact,
    intervals,
    kernels,
    trait,
)
from iesoresearch.models.item_functioning.totals import STATISTICS


def test_chances_of_totals_by_enumeration():
    random = np.random.default_rng(1)
    answers = random.dirichlet(np.ones(3), (4, 2)).transpose(0, 2, 1)  # items, levels, points
    scores = np.array([[0, 1, 2], [0, 1, 3], [0, 2, 3], [1, 2, 3]])
    for cutoff in (1, 5, 9):
        known = np.zeros(2)
        for levels in itertools.product(range(3), repeat=4):
            if scores[np.arange(4), levels].sum() >= cutoff:
                known += np.prod([answers[i, c] for i, c in enumerate(levels)], axis=0)
        np.testing.assert_allclose(kernels.chance_of_total(answers, scores, cutoff), known)


def test_impact_is_that_of_draws(drawn):
    """Both groups as planted, drawn by the million."""
    data = Answers.of(*drawn(21, n=1000, shift={2: 1.0, 4: 0.5}), reference=0)
    model = trait.fit(data, (2, 4))
    found = impact(model, data, 6)
    random = np.random.default_rng(2)
    severity = model.mean[1] + model.sd[1] * random.normal(size=300_000)
    uniform = random.random((len(severity), 6, 1))
    totals = []
    for group in (0, 1):
        slope = (model.slopes + model.tilt[group]) * severity[:, None] + model.shift[group]
        logits = slope[:, :, None] + model.thresholds
        totals.append((uniform < 1 / (1 + np.exp(-logits))).sum(axis=(1, 2)))
    assert found.points[1] == pytest.approx((totals[1] - totals[0]).mean(), abs=0.01)
    assert found.passing[1] == pytest.approx((totals[1] >= 6).mean(), abs=0.003)
    assert found.passing_as_reference[1] == pytest.approx((totals[0] >= 6).mean(), abs=0.003)
    assert found.more[1] == pytest.approx(found.otherwise[1], abs=0.005)
    assert found.points[0] == found.otherwise[0] == 0
    assert found.gap[0] == pytest.approx(0, abs=1e-12)


def test_the_gap_is_that_of_the_data(drawn):
    items, groups = drawn(22, n=3000, shift={2: 1.0})
    data = Answers.of(items, groups, reference=0)
    found = impact(functioning(data).trait, data, 6)
    totals = items.sum(axis=1)
    gap = totals[groups == 1].mean() - totals[groups == 0].mean()
    assert found.gap[1] == pytest.approx(gap, abs=0.15)
    assert found.passing[1] == pytest.approx((totals[groups == 1] >= 6).mean(), abs=0.02)


def test_without_a_difference_there_is_no_impact(drawn):
    data = Answers.of(*drawn(23, n=300), reference=0)
    model = trait.fit(data)
    found, ends = impact(model, data, 6), intervals(model, data, 6, seed=1)
    np.testing.assert_allclose(found.points, 0, atol=1e-12)
    np.testing.assert_allclose(ends["points"], 0, atol=1e-12)
    assert ends["gap"][0][1] < found.gap[1] < ends["gap"][1][1]
    assert set(ends) == set(STATISTICS)


def test_intervals_hold_the_truth_and_clusters_widen_them(drawn):
    items, groups = drawn(24, n=800, shift={2: 0.9})
    data = Answers.of(items, groups, reference=0)
    model = trait.fit(data, (2,))
    plain = intervals(model, data, 6, seed=1)["points"]
    found = impact(model, data, 6).points[1]
    assert plain[0][1] < found < plain[1][1]
    twice = Answers.of(items.repeat(2, axis=0), groups.repeat(2), reference=0)
    n = len(items)
    design = Design(np.zeros(2 * n), np.arange(n).repeat(2))
    wide = intervals(model, twice, 6, 1, design)["points"]
    narrow = intervals(model, twice, 6, 1)["points"]
    width = [float(high[1] - low[1]) for low, high in (plain, wide, narrow)]
    assert width[1] == pytest.approx(width[0], rel=0.15)
    assert width[2] == pytest.approx(width[0] / np.sqrt(2), rel=0.1)


@pytest.mark.parametrize("cutoff", [0, 19])
def test_a_cutoff_that_tells_nobody_apart_is_refused(shifted, cutoff):
    with pytest.raises(ParameterError, match="must be a total from 1 to 18"):
        impact(trait.fit(shifted), shifted, cutoff)
