"""The graded response model against integration by scipy, a planted truth, and its laws."""

import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import expit

from iesoresearch.errors import DataError
from iesoresearch.models.item_functioning import Answers
from iesoresearch.models.item_functioning.totals import parameter_covariance
from iesoresearch.models.item_functioning.trait import fit


def by_scipy(model, answers, group):
    """Log-likelihood of one row by adaptive quadrature."""

    def density(severity):
        value = stats.norm.pdf(severity, model.mean[group], model.sd[group])
        for i, level in enumerate(answers):
            if level >= 0:
                slope = model.slopes[i] + model.tilt[group, i]
                logits = model.thresholds[i] + slope * severity + model.shift[group, i]
                reached = np.concatenate([[1.0], expit(logits), [0.0]])
                value *= reached[level] - reached[level + 1]
        return value

    return np.log(integrate.quad(density, -8, 8, epsabs=1e-14, epsrel=1e-12, limit=200)[0])


def test_the_likelihood_is_that_of_adaptive_quadrature(drawn):
    items, groups = drawn(1, n=40, shift={2: 0.8})
    items[::7, 1] = -1
    data = Answers.of(items, groups, reference=0)
    model = fit(data, (2,))
    rows = zip(data.items, data.groups, strict=True)
    known = sum(w * by_scipy(model, *row) for w, row in zip(data.weights, rows, strict=True))
    assert model.log_likelihood == pytest.approx(known, abs=1e-5)


def test_a_planted_truth_is_found(drawn):
    data = Answers.of(*drawn(2, n=6000, shift={2: 0.9}, tilt={4: 0.8}), reference=0)
    model = fit(data, (2, 4))
    assert model.converged
    np.testing.assert_allclose(model.slopes, [1.5, 2.2, 1.2, 1.8, 1.4, 2.0], atol=0.15)
    assert model.mean[1] == pytest.approx(-0.5, abs=0.07)
    assert model.sd[1] == pytest.approx(1.0, abs=0.07)
    np.testing.assert_allclose(model.shift[1, [2, 4]], [0.9, 0.0], atol=0.2)
    np.testing.assert_allclose(model.tilt[1, [2, 4]], [0.0, 0.8], atol=0.25)
    assert not model.shift[0].any()
    assert not model.shift[:, [0, 1, 3, 5]].any()


def test_freer_models_fit_no_worse(drawn):
    data = Answers.of(*drawn(5, n=300), reference=0)
    values = [fit(data, free, tol=1e-11).log_likelihood for free in ((), (0,), (0, 3), (0, 3, 5))]
    assert (np.diff(values) >= -1e-4).all()


def test_names_of_groups_change_nothing(drawn):
    items, groups = drawn(6, n=300, groups=3, shift={1: 0.7})
    one = fit(Answers.of(items, groups, reference=0), (1,), tol=1e-11)
    other = fit(Answers.of(items, np.array([2, 0, 1])[groups], reference=2), (1,), tol=1e-11)
    assert one.log_likelihood == pytest.approx(other.log_likelihood, abs=1e-3)
    np.testing.assert_allclose(one.shift[[0, 1, 2]], other.shift[[2, 0, 1]], atol=0.01)
    np.testing.assert_allclose(one.mean[[0, 1, 2]], other.mean[[2, 0, 1]], atol=0.01)


def test_weights_count_as_copies(drawn):
    items, groups = drawn(7, n=200)
    times = 1 + np.arange(len(items)) % 3
    weighted = Answers.of(items, groups, weights=times, reference=0)
    copies = Answers.of(items.repeat(times, axis=0), groups.repeat(times), reference=0)
    a, b = fit(weighted, (1,)), fit(copies, (1,))
    np.testing.assert_allclose(a.thresholds, b.thresholds, atol=1e-5)
    scale = len(items) / times.sum()
    assert a.log_likelihood == pytest.approx(scale * b.log_likelihood, rel=1e-8)


def test_equal_answers_have_equal_severities_where_items_are_common(drawn):
    items, groups = drawn(8, n=500)
    data = Answers.of(items, groups, reference=0)
    severity = fit(data).severity(data)
    for answers in np.unique(data.items, axis=0):
        same = (data.items == answers).all(axis=1)
        assert np.ptp(severity[same]) < 1e-12
    totals = data.items.sum(axis=1)
    assert np.corrcoef(totals, severity)[0, 1] > 0.9


def test_standard_errors_are_those_of_replicates(drawn):
    """Of the shift of an item, over 60 data sets."""
    found, errors = [], []
    for seed in range(60):
        data = Answers.of(*drawn(100 + seed, n=400, shift={2: 0.9}), reference=0)
        model = fit(data, (2,))
        covariance = parameter_covariance(model, data)
        place = np.isfinite(model.thresholds).sum() + len(model.slopes)
        found.append(model.shift[1, 2])
        errors.append(np.sqrt(covariance[place, place]))
    assert np.mean(found) == pytest.approx(0.9, abs=0.08)
    assert np.mean(errors) == pytest.approx(np.std(found), rel=0.3)


def test_an_anchor_is_needed(drawn):
    data = Answers.of(*drawn(9, n=50))
    with pytest.raises(DataError, match="nothing is left to compare the groups by"):
        fit(data, tuple(range(6)))
