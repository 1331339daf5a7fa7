"""Doubly robust scores and their tests against hand calculations and known truth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from iesoresearch.errors import DataError
from iesoresearch.models import balance
from iesoresearch.models import heterogeneity as het


def people(n, seed=1, propensity=None, outcome=None, effect=None):
    """Three features; by default linear outcomes, logistic choice and an effect of -1 for all."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(n, 3))
    chance = 1 / (1 + np.exp(-x[:, 0])) if propensity is None else propensity(x)
    treatment = (random.random(n) < chance).astype(int)
    base = 2 * x[:, 0] + x[:, 1] if outcome is None else outcome(x)
    y = base + treatment * (-1.0 if effect is None else effect(x)) + random.normal(size=n)
    return x, treatment, y


# Least squares


def test_hc3_is_the_jackknife_of_leaving_one_out():
    """MacKinnon & White 1985: refit without each person, sum the squared moves."""
    random = np.random.default_rng(2)
    x, y = random.normal(size=(30, 3)), random.normal(size=30) ** 3
    fit = het.least_squares(x, y)
    moves = [
        np.linalg.lstsq(np.delete(x, i, 0), np.delete(y, i), rcond=None)[0] - fit.estimate
        for i in range(30)
    ]
    assert fit.covariance == pytest.approx(np.einsum("ij,ik->jk", moves, moves))


def test_effects_by_group_are_means_with_their_errors():
    effect, group = np.array([1.0, 2, 6, 4, 8]), np.array([0, 0, 0, 1, 1])
    fit = het.effects_by_group(effect, np.eye(2)[group])
    assert fit.estimate == pytest.approx([3, 6])
    # squares about the mean: 14 and 8, over the square of one less than the number
    assert fit.error == pytest.approx([np.sqrt(14) / 2, np.sqrt(8)])
    low, high = fit.interval()
    assert (high - low) / 2 == pytest.approx(1.959964 * fit.error, rel=1e-6)


def test_probabilities_of_groups_give_the_effects_in_the_groups():
    """Each person is of one of two groups, only the probability is known."""
    random = np.random.default_rng(3)
    p = random.random(20_000)
    effect = np.where(random.random(20_000) < p, -2.0, 1.0)
    fit = het.effects_by_group(effect, np.column_stack([p, 1 - p]))
    assert fit.estimate == pytest.approx([-2, 1], abs=4 * fit.error.max())


def test_equality_of_two_groups_is_the_square_of_a_z_value():
    fit = het.Fit(np.array([1.0, 2.5]), np.diag([0.25, 0.5]), 42)
    found = het.equality(fit)
    assert found.value == pytest.approx(1.5**2 / 0.75)
    assert found.df == 1
    assert found.p == pytest.approx(2 * stats.t.sf(1.5 / np.sqrt(0.75), 40))


@given(st.permutations(range(4)))
def test_the_order_of_groups_does_not_matter(order):
    estimate, variance = np.array([0.1, -0.4, 0.9, 0.3]), np.array([0.1, 0.2, 0.3, 0.4])
    one = het.equality(het.Fit(estimate, np.diag(variance), 100))
    order = list(order)
    other = het.equality(het.Fit(estimate[order], np.diag(variance[order]), 100))
    assert other.value == pytest.approx(one.value)


def test_pairs_by_hand():
    found = het.pairs(het.Fit(np.array([1.0, 3, 4]), np.diag([1.0, 2, 3]), 10))
    assert found.estimate.tolist() == [2, 3, 1]
    assert found.error**2 == pytest.approx([3, 4, 5])


def test_holm():
    """Example of R's p.adjust(c(0.01, 0.02, 0.03, 0.04), "holm"), in another order."""
    assert het.holm([0.03, 0.01, 0.04, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert het.holm([0.7, 0.8]) == pytest.approx([1, 1])


# Scores


def test_scores_by_hand_where_nothing_is_known():
    """Without information expected outcomes are means, and chances shares, of the other folds."""
    random = np.random.default_rng(4)
    treatment = np.repeat([0, 1], [150, 100])
    y = random.normal(size=250)
    scores = het.cross_fit(np.ones((250, 1)), treatment, y, n_folds=5, seed=1)
    for i in (0, 80, 160, 249):
        others = scores.fold != scores.fold[i]
        share = treatment[others].mean()
        assert scores.propensity[i] == pytest.approx(share, abs=1e-4)
        for a, chance in ((0, 1 - share), (1, share)):
            mean = y[others & (treatment == a)].mean()
            given = (y[i] - mean) / chance if treatment[i] == a else 0.0
            assert scores.arms[i, a] == pytest.approx(mean + given, abs=1e-3)


@pytest.mark.parametrize(
    ("propensity", "outcome"),
    [
        # outcomes are modelled badly, the choice of treatment well
        (None, lambda x: 3 * np.sin(3 * x[:, 0]) + 2 * np.abs(x[:, 1])),
        # the choice is modelled badly, outcomes well
        (lambda x: np.where(np.abs(x[:, 0]) < 0.7, 0.25, 0.75), None),
    ],
)
def test_one_good_model_is_enough(propensity, outcome):
    x, treatment, y = people(6000, propensity=propensity, outcome=outcome)
    scores = het.cross_fit(x, treatment, y, seed=1)
    fit = het.effects_by_group(scores.effect, np.ones((6000, 1)))
    assert fit.estimate[0] == pytest.approx(-1, abs=3.5 * fit.error[0])


def test_a_plain_comparison_would_mislead_there():
    _, treatment, y = people(6000)
    assert y[treatment == 1].mean() - y[treatment == 0].mean() > 0.5


def test_nothing_of_a_fold_reaches_its_own_models():
    x, treatment, y = people(600)
    before = het.cross_fit(x, treatment, y, seed=1)
    moved = y.copy()
    here = before.fold == 4
    moved[here] += 100
    after = het.cross_fit(x, treatment, moved, seed=1)
    moved_by_one_weight = (after.arms - before.arms)[here]
    others = treatment[here] != np.arange(2)[:, None]
    assert (moved_by_one_weight.T[others] == 0).all()
    # and nothing of a later fold reaches what is predicted from earlier ones
    until = before.fold <= 4
    for name in ("advantage", "better"):
        np.testing.assert_array_equal(getattr(before, name)[until], getattr(after, name)[until])
    later = before.fold > 4
    assert (before.advantage[later] != after.advantage[later]).all()
    np.testing.assert_array_equal(before.predicted, before.fold >= 2)
    np.testing.assert_array_equal(np.isfinite(before.advantage), before.predicted)


def test_folds_hold_the_same_mix_of_treatments():
    x, treatment, y = people(1003)
    scores = het.cross_fit(x, treatment, y, n_folds=4, seed=1)
    for a in (0, 1):
        sizes = np.bincount(scores.fold[treatment == a])
        assert sizes.max() - sizes.min() <= 1


def test_propensities_are_clipped_and_counted():
    x, treatment, y = people(2000, propensity=lambda x: 1 / (1 + np.exp(-4 * x[:, 0])))
    scores = het.cross_fit(x, treatment, y, seed=1)
    assert (scores.propensity.min(), scores.propensity.max()) == het.CLIP
    at_a_bound = np.isin(scores.propensity, het.CLIP).mean()
    assert scores.share_clipped == pytest.approx(at_a_bound)
    # a chance of 1 / (1 + exp(-4 x)) is beyond the bounds where |x| > log(19) / 4
    assert scores.share_clipped == pytest.approx(2 * stats.norm.sf(np.log(19) / 4), abs=0.05)


def test_predicted_advantages_follow_the_true_ones():
    x, treatment, y = people(4000, effect=lambda x: 1.5 * x[:, 1])
    scores = het.cross_fit(x, treatment, y, seed=1)
    there = scores.predicted
    assert np.corrcoef(scores.advantage[there], x[there, 1])[0, 1] > 0.95
    slope = het.calibration(scores).slope
    assert slope.estimate[0] == pytest.approx(1, abs=3.5 * slope.error[0])


def test_too_few_people_with_a_treatment():
    treatment = np.repeat([0, 1], [500, 99])
    with pytest.raises(DataError, match=r"99 people .* one of the two treatments; .* at least 100"):
        het.cross_fit(np.ones((599, 1)), treatment, np.ones(599), seed=1)


# Beyond the groups


def test_an_effect_of_a_feature_is_found_beyond_groups_that_miss_it():
    x, treatment, y = people(2000, effect=lambda x: x[:, 1])
    scores = het.cross_fit(x, treatment, y, seed=1)
    groups = np.eye(2)[(x[:, 2] > 0).astype(int)]
    assert het.beyond_groups(scores, groups).p < 1e-4


def test_an_effect_of_the_groups_alone_is_not_found_beyond_them():
    """Mean z value of 20 draws, standard normal each."""
    values = []
    for seed in range(20):
        x, treatment, y = people(500, seed, effect=lambda x: 3.0 * (x[:, 1] > 0))
        scores = het.cross_fit(x, treatment, y, seed=seed)
        values.append(het.beyond_groups(scores, np.eye(2)[(x[:, 1] > 0).astype(int)]).value)
    assert abs(np.mean(values)) < 3.5 / np.sqrt(20)


def test_one_prediction_for_all_says_nothing():
    n = 400
    fold = np.arange(n) % 4
    arms = np.random.default_rng(1).normal(size=(n, 2))
    advantage = np.where(fold > 0, 0.3, np.nan)
    scores = het.Scores(arms, np.full(n, 0.5), 0.0, advantage, np.zeros(n), fold)
    found = het.beyond_groups(scores, np.ones((n, 1)))
    assert (found.value, found.p) == (0.0, 0.5)


# Rules


def tiny():
    """Four people, and one of the first fold, for whom there is no prediction."""
    arms = np.array([[50.0, 50], [1, 2], [3, 1], [2, 2], [4, 0]])
    advantage = np.array([np.nan, 0.5, -1.0, 0.2, -0.1])
    better, fold = np.array([0, 1, 1, 0, 0]), np.array([0, 1, 1, 2, 2])
    return het.Scores(arms, np.full(5, 0.5), 0.0, advantage, better, fold)


def test_rules_by_hand():
    found = het.rules(tiny(), np.array([50.0, 1, 3, 2, 0]))
    assert found.chosen.tolist() == [0, 1, 0, 1]
    values = {name: fit.estimate[0] for name, fit in found.values.items()}
    assert values == pytest.approx({"first": 2.5, "second": 1.25, "usual": 1.5, "personal": 1.0})
    # the better single treatment of the earlier folds scores 2, 1, 2, 4
    assert found.saved["single"].estimate[0] == pytest.approx(2.25 - 1.0)
    assert found.saved["usual"].estimate[0] == pytest.approx(0.5)
    # differences 1, 0, 0, 4: squares about the mean 1.25 sum to 10.75
    assert found.saved["single"].error[0] == pytest.approx(np.sqrt(10.75) / 3)


def test_right_predictions_are_calibrated():
    random = np.random.default_rng(5)
    fold = np.arange(200) % 5
    advantage = np.where(fold > 0, random.normal(size=200), np.nan)
    arms = np.column_stack([np.zeros(200), np.nan_to_num(advantage, nan=9.0)])
    scores = het.Scores(arms, np.full(200, 0.5), 0.0, advantage, np.zeros(200), fold)
    found = het.calibration(scores)
    assert found.slope.estimate[0] == pytest.approx(1)
    assert found.found.estimate == pytest.approx(found.predicted)
    assert np.all(np.diff(found.predicted) > 0)
    for k in range(1, 5):
        assert np.bincount(found.group[fold[fold > 0] == k]).tolist() == [8] * 5


def test_equal_chances_leave_the_balance_as_it_is():
    random = np.random.default_rng(6)
    values, treatment = random.normal(size=80), np.repeat([0, 1], 40)
    found = het.weighted_difference(values, treatment, np.full(80, 0.5))
    assert found == pytest.approx(balance.difference_of_means(values[:40], values[40:]))


def test_weights_balance_by_hand():
    """Of six with value 1 four had treatment 1, of six with 0 two: weights 3/2 and 3."""
    values = np.repeat([1.0, 0.0], 6)
    treatment = np.array([1, 1, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0])
    propensity = np.where(values == 1, 4 / 6, 2 / 6)
    assert het.weighted_difference(values, treatment, propensity) == pytest.approx(0, abs=1e-12)
    assert np.isnan(het.weighted_difference(np.ones(12), treatment, propensity))


@pytest.mark.parametrize(("ratio", "published"), [(3.9, 7.26), (10.73, 20.94777)])
def test_e_values_of_published_risk_ratios(ratio, published):
    """Examples of VanderWeele & Ding 2017 and of the R package EValue."""
    found = het.e_value(-2 * np.log(ratio) / 0.91, sd=2)
    assert found == pytest.approx(published, abs=0.005)
    assert het.e_value(0, 1) == 1
