"""Common and separate classes against other ways to fit them, and against planted ones."""

import numpy as np
import pytest

from iesoresearch.errors import DataError
from iesoresearch.models import LatentMarkov
from iesoresearch.models.item_functioning import classes
from iesoresearch.simulate import draw_answers

SHARES = np.array([[0.6, 0.4], [0.75, 0.25], [0.5, 0.5]])
LEVELS = np.array([[0.8, 0.15, 0.05], [0.1, 0.3, 0.6]])


def draw(seed, n=250, moved=0.0, groups=2, items=6):
    """Two classes; in the last group the first item of the second class is answered lower."""
    random = np.random.default_rng(seed)
    probs = np.repeat(LEVELS[:, None], items, axis=1)
    other = probs.copy()
    other[1, 0] += [moved, 0.0, -moved]
    group = np.repeat(np.arange(groups), n)
    states = (random.random(len(group)) > SHARES[group, 0]).astype(int)
    both = [draw_answers(states, each, random) for each in (probs, other)]
    answers = np.where(group[:, None] == groups - 1, both[1], both[0]).astype(np.int8)
    answers[::11, 2] = -1
    return classes.Sample(answers, group, 3)


def test_the_common_model_is_the_one_with_the_group_as_covariate():
    """The group as an item is the group as a covariate, times the shares of the groups."""
    sample = draw(1, groups=3)
    found = classes.compare(sample, 2, seed=1)
    covariates = np.eye(3)[sample.groups][:, 1:]
    known = LatentMarkov(2, n_categories=3, n_starts=3, random_state=1)
    known.fit(sample.items, initial_covariates=covariates)
    conditional = found.common.log_likelihood_ - sample.log_likelihood_of_groups
    assert conditional == pytest.approx(known.log_likelihood_, abs=1e-3)
    assert found.bic_common == pytest.approx(known.bic_, abs=0.01)
    np.testing.assert_allclose(found.common.item_probs_[:, :-1, :3], known.item_probs_, atol=2e-3)


def test_separate_models_are_those_of_the_groups():
    sample = draw(2)
    found = classes.compare(sample, 2, seed=1)
    own = [
        LatentMarkov(2, n_categories=3, n_starts=5, random_state=1).fit(sample.of(g)[0])
        for g in (0, 1)
    ]
    conditional = found.common.log_likelihood_ - sample.log_likelihood_of_groups
    known = 2 * (sum(model.log_likelihood_ for model in own) - conditional)
    assert found.statistic == pytest.approx(known, abs=1e-2)
    assert found.df == 2 * 6 * 2
    assert found.statistic > 0
    assert found.bic_separate == pytest.approx(
        sum(-2 * model.log_likelihood_ for model in own) + np.log(500) * (2 + 2 * 24), abs=0.05
    )
    np.testing.assert_allclose(found.sizes.sum(axis=1), 1)
    np.testing.assert_allclose(found.sizes[:, 0], SHARES[:2, 0], atol=0.1)
    assert found.item_probs(1).shape == (2, 6, 3)


def test_names_of_groups_change_nothing():
    sample = draw(3, moved=0.3)
    swapped = classes.Sample(sample.items, 1 - sample.groups, 3)
    a, b = (classes.compare(x, 2, seed=1) for x in (sample, swapped))
    assert a.statistic == pytest.approx(b.statistic, abs=1e-2)
    assert a.largest == pytest.approx(b.largest, abs=1e-3)
    np.testing.assert_allclose(a.otherwise, b.otherwise[::-1], atol=0.01)


def test_a_planted_difference_is_found_in_its_item():
    sample = draw(4, n=400, moved=0.35)
    found = classes.compare(sample, 2, seed=1)
    drawn = classes.draws(sample, found, 19, seed=1)
    assert drawn.p_value(found) == 0.05
    assert found.largest > np.quantile(drawn.largest, 0.95)
    partial = classes.partial(sample, found)
    assert partial.df == 4
    assert np.flatnonzero(partial.adjusted < 0.05).tolist() == [0]
    assert partial.bic[0] < 0 < partial.bic[1:].min()
    assert classes.held_out(sample, found, 5, seed=1).shape == (800,)


def test_freer_models_fit_no_worse():
    sample = draw(5)
    found = classes.compare(sample, 2, seed=1)
    partial = classes.partial(sample, found)
    assert (partial.statistic >= -1e-2).all()
    assert (partial.statistic <= found.statistic + 1e-2).all()


def test_same_classes_predict_unseen_people_better():
    gains = [
        classes.held_out(sample, classes.compare(sample, 2, seed=1), 5, seed=1).mean()
        for sample in (draw(seed) for seed in range(3))
    ]
    assert max(gains) < 0
    sample = draw(9, n=600, moved=0.5)
    assert classes.held_out(sample, classes.compare(sample, 2, seed=1), 5, seed=1).mean() > 0


def test_draws_have_the_missing_answers_and_groups_of_the_data():
    sample = draw(6)
    found = classes.compare(sample, 2, seed=1)
    drawn = classes._drawn(sample, found, seed=3)
    np.testing.assert_array_equal(drawn.items < 0, sample.items < 0)
    np.testing.assert_array_equal(drawn.groups, sample.groups)
    means = [x.items[x.items[:, 2] >= 0].mean() for x in (sample, drawn)]
    assert means[0] == pytest.approx(means[1], abs=0.06)


def test_with_weights_there_is_nothing_to_draw_from():
    sample = draw(7)
    weighted = classes.Sample(sample.items, sample.groups, 3, np.ones(len(sample.groups)))
    found = classes.compare(weighted, 2, seed=1)
    assert found.statistic == pytest.approx(classes.compare(sample, 2, seed=1).statistic, abs=1e-2)
    with pytest.raises(DataError, match="With survey weights there is no likelihood"):
        classes.draws(weighted, found, 19, seed=1)


def test_weights_count_as_copies():
    sample = draw(8)
    times = 1 + np.arange(len(sample.groups)) % 2
    weights = times / times.mean()
    weighted = classes.Sample(sample.items, sample.groups, 3, weights)
    copies = classes.Sample(sample.items.repeat(times, axis=0), sample.groups.repeat(times), 3)
    a, b = (classes.compare(x, 2, seed=1) for x in (weighted, copies))
    np.testing.assert_allclose(a.sizes, b.sizes, atol=2e-3)
    np.testing.assert_allclose(a.otherwise, b.otherwise, atol=0.01)
