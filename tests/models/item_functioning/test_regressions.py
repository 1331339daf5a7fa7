"""Comparison of an item against statsmodels, hand calculation and copies of people."""

import dataclasses

import numpy as np
import pytest
from scipy import stats
from statsmodels.miscmodels.ordinal_model import OrderedModel

from iesoresearch.models.item_functioning import Answers, Design
from iesoresearch.models.item_functioning.regressions import regress


def compared(data, item=2, design=None):
    total = data.items.sum(axis=1).astype(float)
    return regress(data, item, total, design)


def test_it_is_three_regressions_of_statsmodels(shifted):
    found = compared(shifted)
    people = shifted.row
    answers = shifted.items[people, 2]
    score = shifted.items[people].sum(axis=1).astype(float)
    score -= score.mean()
    group = shifted.groups[people].astype(float)
    columns = [[score, score**2], [score, score**2, group], [score, score**2, group, group * score]]
    models = [OrderedModel(answers, np.column_stack(x), distr="logit") for x in columns]
    known = [model.fit(method="bfgs", disp=0, gtol=1e-6) for model in models]
    values = np.array([fit.llf for fit in known])
    assert found.total.statistic == pytest.approx(2 * (values[2] - values[0]), abs=1e-5)
    assert found.uniform.statistic == pytest.approx(2 * (values[1] - values[0]), abs=1e-5)
    assert found.nonuniform.statistic == pytest.approx(2 * (values[2] - values[1]), abs=1e-5)
    assert (found.total.df, found.uniform.df, found.nonuniform.df) == (2, 1, 1)
    assert found.total.p == pytest.approx(stats.chi2.sf(found.total.statistic, 2))
    assert found.log_odds[1] == pytest.approx(known[1].params[2], abs=1e-4)
    assert found.log_odds_se[1] == pytest.approx(known[1].bse[2], rel=1e-3)
    n, shares = len(answers), np.bincount(answers) / len(answers)
    null = n * (shares @ np.log(shares))
    cox_snell = 1 - np.exp(2 * (null - values) / n)
    np.testing.assert_allclose(found.nagelkerke, cox_snell / (1 - np.exp(2 * null / n)), atol=1e-7)
    np.testing.assert_allclose(found.mcfadden, 1 - values / null, atol=1e-7)
    levels = np.arange(4)
    moved = np.column_stack(columns[2])[group == 1]
    still = moved * [1, 1, 0, 0]
    apart = (known[2].predict(moved) - known[2].predict(still)) @ levels
    assert found.points[1] == pytest.approx(apart.mean(), abs=1e-5)
    assert found.points[0] == found.log_odds[0] == 0


def test_sizes_have_the_published_bounds(shifted):
    """Jodoin & Gierl (2001): 0.035 and 0.070."""
    found = compared(shifted)
    for change, size in ((0.0349, "negligible"), (0.035, "moderate"), (0.07, "large")):
        changed = dataclasses.replace(found, nagelkerke=np.array([0.0, 0.0, change]))
        assert changed.change == change
        assert changed.size == size


def test_too_few_answers_are_not_tested(drawn):
    items, groups = drawn(1, n=60)
    items[:, 2] = 0
    items[:5, 2] = 1
    assert compared(Answers.of(items, groups)) is None


def test_a_design_without_clusters_is_the_plain_test(drawn):
    """Everybody a unit of her own: the Rao-Scott test is that of the plain likelihood ratio."""
    items, groups = drawn(4, n=1500, shift={2: 0.25})
    data = Answers.of(items, groups, reference=0)
    design = Design(np.zeros(len(items)), np.arange(len(items)))
    plain, survey = compared(data), compared(data, design=design)
    assert survey.total.statistic == plain.total.statistic
    assert np.log(survey.total.p) == pytest.approx(np.log(plain.total.p), rel=0.1)
    np.testing.assert_allclose(survey.log_odds_se, plain.log_odds_se, rtol=0.1)


def test_copies_within_a_sampling_unit_tell_nothing_new(drawn):
    items, groups = drawn(5, n=500, shift={2: 0.3})
    n = len(items)
    once = Answers.of(items, groups, reference=0)
    twice = Answers.of(items.repeat(2, axis=0), groups.repeat(2), reference=0)
    a = compared(once, design=Design(np.zeros(n), np.arange(n)))
    b = compared(twice, design=Design(np.zeros(2 * n), np.arange(n).repeat(2)))
    assert b.total.p == pytest.approx(a.total.p, rel=1e-6)
    np.testing.assert_allclose(a.log_odds_se, b.log_odds_se, rtol=1e-8)
    naive = compared(twice)
    assert naive.total.p < 0.5 * b.total.p


def test_false_alarms_with_clusters(drawn):
    """Groups made of whole clusters with effects of their own: only the design keeps the level."""
    plain, survey = [], []
    for seed in range(60):
        random = np.random.default_rng(seed)
        items, _ = drawn(1000 + seed, n=400, mean=0.0)
        unit = np.arange(800) // 20
        moved = random.normal(0, 0.9, 40)[unit] > random.logistic(size=800)
        items[:, 2] = np.clip(items[:, 2] + moved, 0, 3)
        groups = unit % 2
        data = Answers.of(items, groups, reference=0)
        design = Design(np.zeros(800), unit)
        plain.append(compared(data).uniform.p < 0.05)
        survey.append(compared(data, design=design).uniform.p < 0.05)
    assert np.mean(survey) < 0.15
    assert np.mean(plain) > np.mean(survey)
