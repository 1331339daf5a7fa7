"""Ordinal regression against statsmodels' OrderedModel, hand calculation, and its laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from statsmodels.miscmodels.ordinal_model import OrderedModel

from iesoresearch.errors import DataError
from iesoresearch.models.item_functioning import ordinal


def drawn(seed, n=400, p=3, levels=4):
    random = np.random.default_rng(seed)
    design = random.normal(size=(n, p))
    cuts = np.linspace(1.0, -1.5, levels - 1)
    eta = design @ np.linspace(-0.5, 0.8, p)
    answers = (eta[:, None] + cuts + random.logistic(size=(n, 1)) > 0).sum(axis=1)
    return design, answers


def one_hot(answers, levels=4):
    return np.eye(levels)[answers]


@pytest.mark.parametrize("seed", range(2))
def test_it_is_statsmodels(seed):
    design, answers = drawn(seed, n=250)
    found = ordinal.fit(design, one_hot(answers))
    model = OrderedModel(answers, design, distr="logit")
    known = model.fit(method="bfgs", disp=0, gtol=1e-8)
    cuts = -model.transform_threshold_params(known.params)[1:-1]
    np.testing.assert_allclose(found.slopes, known.params[:3], atol=1e-6)
    np.testing.assert_allclose(found.thresholds, cuts, atol=1e-6)
    assert found.log_likelihood == pytest.approx(known.llf, abs=1e-8)
    np.testing.assert_allclose(found.probabilities(design), known.predict(), atol=1e-8)
    errors = np.sqrt(np.diag(np.linalg.inv(found.information)))[3:]
    np.testing.assert_allclose(errors, known.bse[:3], rtol=1e-4)


def test_two_levels_without_covariates_by_hand():
    found = ordinal.fit(np.zeros((1, 0)), [[30.0, 10.0]])
    assert found.thresholds[0] == pytest.approx(np.log(10 / 30))
    assert found.log_likelihood == pytest.approx(30 * np.log(0.75) + 10 * np.log(0.25))
    assert found.information[0, 0] == pytest.approx(40 * 0.75 * 0.25)


def test_cells_are_people():
    random = np.random.default_rng(1)
    design = random.integers(0, 2, (500, 2)).astype(float)
    answers = random.integers(0, 3, 500)
    cells, where = np.unique(design, axis=0, return_inverse=True)
    counts = np.zeros((len(cells), 3))
    np.add.at(counts, (where, answers), 1.0)
    by_cell, by_person = ordinal.fit(cells, counts), ordinal.fit(design, one_hot(answers, 3))
    np.testing.assert_allclose(by_cell.parameters, by_person.parameters, atol=1e-9)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10_000), st.floats(0.1, 50))
def test_laws(seed, factor):
    """More covariates never fit worse; weights scale the likelihood and nothing else."""
    design, answers = drawn(seed, n=150, levels=3)
    counts = one_hot(answers, 3)
    smaller, larger = ordinal.fit(design[:, :2], counts), ordinal.fit(design, counts)
    assert larger.log_likelihood >= smaller.log_likelihood - 1e-9
    heavier = ordinal.fit(design, factor * counts)
    np.testing.assert_allclose(heavier.parameters, larger.parameters, atol=1e-6)
    assert heavier.log_likelihood == pytest.approx(factor * larger.log_likelihood, rel=1e-9)
    assert (np.diff(larger.thresholds) < 0).all()
    np.testing.assert_allclose(larger.scores(design, answers).sum(axis=0), 0.0, atol=1e-3)


def test_scores_are_derivatives():
    design, answers = drawn(4, n=30)
    fit = ordinal.fit(*(x[:30] for x in (design, one_hot(answers))))
    found, step = fit.scores(design, answers), 1e-6
    for j in range(len(fit.parameters)):
        ends = []
        for sign in (1, -1):
            moved = fit.parameters.copy()
            moved[j] += sign * step
            other = ordinal.Ordinal(moved[:3], moved[3:], 0.0, fit.information)
            ends.append(np.log(other.probabilities(design)[np.arange(30), answers]))
        np.testing.assert_allclose(found[:, j], (ends[0] - ends[1]) / (2 * step), atol=1e-6)


def test_a_start_changes_nothing():
    design, answers = drawn(5)
    cold = ordinal.fit(design, one_hot(answers))
    warm = ordinal.fit(design, one_hot(answers), cold)
    np.testing.assert_allclose(warm.parameters, cold.parameters, atol=1e-8)


def test_probabilities_keep_their_digits():
    logits = np.array([[40.0, 38.0], [-38.0, -40.0], [1.0, -np.inf]])
    found = ordinal.level_probabilities(logits)
    np.testing.assert_allclose(found[0, 1], expit(-38.0) - expit(-40.0), rtol=1e-12)
    np.testing.assert_allclose(found[1, 1], expit(-38.0) - expit(-40.0), rtol=1e-12)
    np.testing.assert_allclose(found[2], [expit(-1.0), expit(1.0), 0.0], rtol=1e-12)


def test_a_level_nobody_gave_is_refused():
    with pytest.raises(DataError, match="Of 3 levels of an item 1 were given by nobody"):
        ordinal.fit(np.zeros((2, 1)), [[3.0, 0.0, 2.0], [1.0, 0.0, 4.0]])


def test_what_tells_a_level_for_certain_is_refused():
    with pytest.raises(DataError, match="no finite maximum"):
        ordinal.fit([[0.0], [1.0]], [[10.0, 0.0], [0.0, 10.0]])
