"""States grouped to subtypes: planted kinds and severities, pure ladders, hand calculations."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from sklearn.metrics import adjusted_rand_score

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.models import LatentMarkov, SeverityLadder
from iesoresearch.models.grouping import (
    THRESHOLD,
    TYPICAL,
    group_states,
    moves_within,
    sensitivity,
)
from iesoresearch.models.selection import departures, match_states, profile_distances

from . import oracle

SCORES = np.arange(4)
SLOPES = np.array([1.0, 1.2, 0.9, 1.1, 0.8, 1.1, 0.9, 0.8, 1.0])
SOMATIC = np.array([0, 0, 1, 1, 1, 0, 0, 0, 0])
COGNITIVE = np.array([1, 1, 0, 0, 0, 1, 0, 0, 1])


def planted(kinds, shift=0.9):
    """States by severity and kind: +1 more somatic, -1 more cognitive, 0 neither."""
    severities, signs = np.array(kinds, dtype=float).T
    tilt = shift * (SOMATIC / SOMATIC.sum() - COGNITIVE / COGNITIVE.sum()) * 3
    ease = severities[:, None] * SLOPES + signs[:, None] * tilt
    weights = np.exp(ease[..., None] * SCORES + np.array([0.4, 0.2, -0.1, -0.5]))
    k = len(severities)
    return {
        "initial_probs": np.full(k, 1 / k),
        "transition_matrix": 0.7 * np.eye(k) + 0.3 / k,
        "item_probs": weights / weights.sum(axis=2, keepdims=True),
    }


def fitted_deviations(truth, seed):
    """Deviations, and which planted state each is of.

    From a model started at the truth, a ladder from a random start, and 1,200 people.
    """
    lengths = np.full(1200, 3)
    items, _ = oracle.simulate(truth, lengths, seed)
    k = len(truth["initial_probs"])
    model = LatentMarkov(k, n_categories=4, init=truth, tol=1e-7).fit(items, lengths)
    ladder = SeverityLadder(8, n_categories=4, n_starts=1, tol=1e-6, random_state=0)
    ladder.fit(items, lengths)
    sd = items.std(axis=0)
    found = departures(model.item_probs_, ladder, sd)
    np.testing.assert_allclose(
        np.sqrt((found**2).mean(axis=1)), profile_distances(model.item_probs_, ladder, sd)
    )
    return found, match_states(model.item_probs_, truth["item_probs"])


KINDS = [(-1.6, 0), (-0.4, 0), (0.4, 0), (1.6, 0), (-0.4, 1), (0.4, 1), (-0.4, -1), (0.4, -1)]


@pytest.mark.parametrize("seed", [0, 1])
def test_planted_kinds_are_grouped_across_severities(seed):
    found, order = fitted_deviations(planted(KINDS), seed)
    truth = np.array([sign for _, sign in KINDS])[order]
    groups = group_states(found)
    assert adjusted_rand_score(groups, truth) == 1
    assert (groups[truth == 0] == TYPICAL).all()


def test_a_pure_ladder_is_one_group():
    rungs = [(severity, 0) for severity in (-1.6, -0.8, 0, 0.8, 1.6)]
    found, _ = fitted_deviations(planted(rungs), seed=2)
    assert (group_states(found) == TYPICAL).all()
    assert (sensitivity(found, [0.15, 0.2, 0.3]).n_groups == 1).all()


def test_the_threshold_is_that_of_the_verdict():
    assert THRESHOLD == 0.2


# ---- the rule


def test_deviation_by_hand():
    item_probs = np.array([[[1, 0, 0], [0, 0, 1], [1, 0, 0]]], dtype=float)
    ladder = SimpleNamespace(profile_at=lambda totals: np.outer(totals, [0.5, 0.5, 0.0]))
    # profile (0, 2, 0) against (1, 1, 0) at a total of 2; the last item does not vary
    found = departures(item_probs, ladder, np.array([0.5, 2.0, 0.0]))
    np.testing.assert_allclose(found, [[-2.0, 0.5, 0.0]])


def test_groups_by_hand():
    # on one item the root mean square is the absolute value
    deviation = np.array([[0.3], [0.0], [-0.5], [0.19], [0.45], [-0.35], [0.62], [-0.19]])
    # 0.3, 0.45 and 0.62 do not fit into 0.2: the closest two, 0.15 apart, go together
    assert group_states(deviation, 0.2).tolist() == [1, 0, 2, 0, 1, 2, 3, 0]
    assert group_states(deviation, 0.7).tolist() == [0] * 8
    assert group_states(deviation[:1], 0.2).tolist() == [1]


def test_at_the_threshold_states_differ():
    assert group_states(np.array([[0.5], [0.0]]), 0.5).tolist() == [1, 0]
    assert group_states(np.array([[0.5], [1.0]]), 0.5).tolist() == [1, 2]
    assert group_states(np.array([[0.5], [0.999]]), 0.5).tolist() == [1, 1]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(1, 14), st.integers(0, 2**32 - 1), st.floats(0.05, 1.0))
def test_no_group_is_wider_than_the_threshold(n_states, seed, threshold):
    deviation = np.random.default_rng(seed).normal(0, 0.3, (n_states, 9))
    groups = group_states(deviation, threshold)
    size = np.sqrt((deviation**2).mean(axis=1))
    np.testing.assert_array_equal(groups == TYPICAL, size < threshold)
    apart = np.sqrt(((deviation[:, None] - deviation) ** 2).mean(axis=2))
    for group in set(groups.tolist()) - {TYPICAL}:
        members = groups == group
        assert apart[np.ix_(members, members)].max() < threshold
    firsts = [np.flatnonzero(groups == g)[0] for g in range(1, groups.max() + 1)]
    assert firsts == sorted(firsts)


@pytest.mark.parametrize("threshold", [0, -0.1, float("nan")])
def test_a_threshold_is_positive(threshold):
    with pytest.raises(ParameterError, match="must be above 0"):
        group_states(np.zeros((2, 3)), threshold)


def test_sensitivity_by_hand():
    deviation = np.array([[0.0], [0.3], [0.4], [-0.3]])
    found = sensitivity(deviation, [0.05, 0.2, 0.25, 0.5])
    assert found.groups.tolist() == [[0, 1, 2, 3], [0, 1, 1, 2], [0, 1, 1, 2], [0, 0, 0, 0]]
    assert found.n_groups.tolist() == [4, 3, 3, 1]
    assert found.ari.tolist() == [0, 1, 0]


# ---- moves


def test_moves_within_by_hand():
    moves = np.array([[6.0, 2, 0], [2, 4, 2], [0, 2, 2]])
    found = moves_within(moves, np.array([0, 0, 1]))
    assert found.share == pytest.approx((6 + 2 + 2 + 4 + 2) / 20)
    # margins 8, 8, 4 both ways: (16 / 20) ** 2 + (4 / 20) ** 2
    assert found.expected == pytest.approx(0.68)
    assert found.share_of_changes == pytest.approx(4 / 8)


def test_quasi_independence_is_found_where_it_holds():
    # a table that is a product off its diagonal: what is expected of it is itself
    table = np.outer([1.0, 2, 3, 4], [2.0, 1, 1, 3])
    groups = np.array([0, 0, 1, 1])
    found = moves_within(table, groups)
    assert found.expected_of_changes == pytest.approx(found.share_of_changes, rel=1e-9)
    assert found.expected == pytest.approx(found.share, rel=1e-12)
    assert found.share_of_changes == pytest.approx(
        (1 + 4 + 9 + 4) / (1 * 5 + 2 * 6 + 3 * 6 + 4 * 4)
    )


def test_quasi_independent_table_is_the_maximum_of_its_likelihood():
    """Against a general optimiser over row and column effects."""
    random = np.random.default_rng(0)
    moves = random.integers(1, 50, (4, 4)).astype(float)
    off = ~np.eye(4, dtype=bool)

    def loss(effects):
        log_mean = effects[:4, None] + effects[None, 4:]
        return (np.exp(log_mean) - moves * log_mean)[off].sum()

    best = minimize(loss, np.full(8, 1.0), tol=1e-12).x
    expected = np.exp(best[:4, None] + best[None, 4:]) * off
    groups = np.array([0, 1, 0, 1])
    same = groups[:, None] == groups
    found = moves_within(moves, groups)
    assert found.expected_of_changes == pytest.approx(
        expected[same].sum() / expected.sum(), rel=1e-4
    )


def test_moves_where_nobody_changes_or_nobody_moves():
    found = moves_within(np.diag([2.0, 3.0]), np.array([0, 1]))
    assert found.share == 1
    assert found.expected == pytest.approx(0.4**2 + 0.6**2)
    assert np.isnan(found.share_of_changes)
    with pytest.raises(DataError, match="There are no moves"):
        moves_within(np.zeros((2, 2)), np.array([0, 1]))
