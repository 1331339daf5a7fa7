"""Prediction sets: the guarantee in simulations, small cases by hand."""

import numpy as np
import pytest
from scipy.special import expit, logit
from statsmodels.stats.proportion import proportion_confint

from iesoresearch.models.evaluation.conformal import conformal


def drawn(n, seed, slope=1.0):
    random = np.random.default_rng(seed)
    x = random.normal(size=n) - 0.5
    return (random.random(n) < expit(x)).astype(float), expit(slope * x)


def by_hand(y, p, half, by_outcome):
    """Sets as pairs (holds no event, holds the event), one patient after the other."""
    found = []
    for i in range(len(y)):
        others = half != half[i]
        holds = []
        for c in (0, 1):
            mine = others & ((y == c) if by_outcome else np.ones(len(y), bool))
            misfits = np.where(y == 1, 1 - p, p)[mine]
            misfit = 1 - p[i] if c == 1 else p[i]
            # a p value of conformal prediction: how many fit no better
            rank = (np.sum(misfits >= misfit) + 1) / (len(misfits) + 1)
            holds.append(rank > 0.1)
        found.append(holds)
    return np.array(found)


@pytest.mark.parametrize("kind", ["marginal", "by outcome"])
def test_the_sets_are_those_whose_p_value_is_above_a_tenth(kind):
    y, p = drawn(120, 1)
    found = conformal(y, p, {}, None, 3)[kind].overall
    # which half is which is random: the numbers must be those of one split into equal halves
    from iesoresearch.seeds import rng

    half = rng(3, "evaluation", "halves").permutation(120) % 2
    assert half.sum() == 60
    holds = by_hand(y, p, half, kind == "by outcome")
    right = holds[np.arange(120), y.astype(int)]
    assert found.coverage.value == pytest.approx(right.mean())
    assert found.size == pytest.approx(holds.sum(axis=1).mean())
    assert found.undecided == pytest.approx(holds.all(axis=1).mean())


@pytest.mark.parametrize("slope", [1.0, 3.0])
def test_the_guarantee_holds_whether_or_not_the_model_is_right(slope):
    """Mean coverage of 400 draws, in [0.9, 0.9 + 1 / 76): 75 patients are ranked against."""
    shares, events, others = [], [], []
    for seed in range(400):
        y, p = drawn(150, seed, slope)
        outcome = ["without", "with"], y.astype(int)
        found = conformal(y, p, {"outcome": outcome}, None, seed)
        shares.append(found["marginal"].overall.coverage.value)
        levels = found["by outcome"].groups["outcome"]
        events.append(levels["with"].coverage.value)
        others.append(levels["without"].coverage.value)
    error = np.std(shares) / 20
    assert 0.9 - 3 * error < np.mean(shares) < 0.9 + 1 / 76 + 3 * error
    for among in (events, others):
        assert np.mean(among) > 0.9 - 3 * np.std(among) / 20


def test_marginal_sets_may_miss_one_outcome_and_sets_by_outcome_do_not():
    """Few have the event: marginal sets hold it for next to nobody."""
    random = np.random.default_rng(1)
    p = expit(random.normal(size=20_000) * 0.5 - 3)
    y = (random.random(20_000) < p).astype(float)
    found = conformal(y, p, {"outcome": (["without", "with"], y.astype(int))}, None, 1)
    assert found["marginal"].overall.coverage.value > 0.89
    assert found["marginal"].groups["outcome"]["with"].coverage.value < 0.3
    assert found["by outcome"].groups["outcome"]["with"].coverage.value > 0.87


def test_the_guarantee_is_not_one_of_groups():
    random = np.random.default_rng(2)
    hard = random.integers(0, 2, 20_000)
    x = random.normal(size=20_000) * 2
    y = (random.random(20_000) < np.where(hard, 0.5, expit(x))).astype(float)
    found = conformal(y, expit(x), {"kind": (["easy", "hard"], hard)}, None, 1)["marginal"]
    assert found.overall.coverage.value == pytest.approx(0.9, abs=0.01)
    assert found.groups["kind"]["hard"].coverage.high < 0.88


def test_wilson_intervals_of_patients_are_those_of_statsmodels():
    y, p = drawn(500, 4)
    found = conformal(y, p, {"g": ([1, 2], np.arange(500) % 2)}, None, 1)["marginal"]
    for sets in (found.overall, *found.groups["g"].values()):
        right = round(sets.coverage.value * sets.n)
        expected = proportion_confint(right, sets.n, method="wilson")
        assert (sets.coverage.low, sets.coverage.high) == pytest.approx(expected)


def test_patients_of_a_cluster_are_not_taken_for_several():
    """Everybody ten times: the interval is about that of one time."""
    y, p = drawn(300, 5)
    once = conformal(y, p, {}, None, 1)["marginal"].overall.coverage
    clusters = np.repeat(np.arange(300), 10)
    many = conformal(np.repeat(y, 10), np.repeat(p, 10), {}, clusters, 1)["marginal"].overall
    assert many.n == 3000
    assert many.coverage.value == pytest.approx(once.value, abs=0.02)
    ratio = (many.coverage.high - many.coverage.low) / (once.high - once.low)
    assert ratio == pytest.approx(1, abs=0.1)
    naive = proportion_confint(round(many.coverage.value * 3000), 3000, method="wilson")
    assert many.coverage.high - many.coverage.low > 2.5 * (naive[1] - naive[0])


def test_clusters_are_halved_whole():
    """Clusters of one outcome each; patients of a cluster get the same set."""
    y, p = np.repeat([0.0, 1.0] * 50, 20), np.repeat(expit(np.linspace(-2, 2, 100)), 20)
    found = conformal(y, p, {"c": (list(range(100)), np.repeat(np.arange(100), 20))},
                      np.repeat(np.arange(100), 20), 1)  # fmt: skip
    for sets in found["marginal"].groups["c"].values():
        assert sets.size in (0, 1, 2)
        assert sets.coverage.value in (0, 1)
        assert "nothing to compare" in sets.coverage.reason


def test_more_patients_than_can_be_ranked_have_both_outcomes_in_their_sets():
    y, p = np.array([0, 1] * 4, dtype=float), np.linspace(0.2, 0.8, 8)
    for seed in range(20):
        found = conformal(y, p, {}, None, seed)["marginal"]
        if found.overall is not None:
            assert found.overall.undecided == 1


def test_one_outcome_has_no_sets_and_a_reason():
    found = conformal(np.zeros(50), np.full(50, 0.3), {}, None, 1)
    for kind in ("marginal", "by outcome"):
        assert found[kind].overall is None
        assert found[kind].rows() == []
        assert "one outcome only" in found[kind].reason


def test_the_model_behind_the_logit_does_not_matter_to_ranks():
    """Sets by outcome depend on the order of the predictions only."""
    y, p = drawn(400, 6)
    one = conformal(y, p, {}, None, 2)["by outcome"].overall
    other = conformal(y, expit(2 * logit(p) + 1), {}, None, 2)["by outcome"].overall
    assert one == other
