"""Sample sizes against the outputs of pmsampsize and integrals done another way."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from iesoresearch.errors import ParameterError
from iesoresearch.models import sample_size
from iesoresearch.models.sample_size import auc_of_r2, expected_shrinkage, r2_of_auc, riley


def test_given_r2_all_numbers_are_those_of_pmsampsize():
    """Python package pmsampsize 0.1.0."""
    found = riley(0.475, 20, r2_cs=0.15)
    assert (found.n_shrinkage, found.n_optimism, found.n_risk) == (1097, 483, 384)
    assert (found.n, found.events) == (1097, 522)
    assert found.warning == ""


def test_given_a_c_statistic_numbers_are_those_of_pmsampsize_but_for_its_draws():
    """It says 615, 660, 221 here; and for the other R² 0.1844 and 873, from a million draws."""
    found = riley(0.174, 24, auc=0.89)
    assert (found.n_shrinkage, found.n_optimism, found.n_risk) == (615, 660, 221)
    assert found.n == 660
    other = riley(0.475, 20, auc=0.75)
    assert other.r2_cs == pytest.approx(0.1844, abs=0.0006)
    assert other.n == pytest.approx(873, rel=0.003)
    assert riley(0.475, 20, r2_cs=0.1844).n == 873


def test_a_strong_model_needs_more_than_the_criteria_say():
    assert "Add at least 50 % at 0.85 and 100 % at 0.9" in riley(0.174, 24, auc=0.89).warning
    assert riley(0.3, 10, auc=0.8).warning == ""


@pytest.mark.parametrize(("prevalence", "auc"), [(0.475, 0.75), (0.05, 0.6), (0.9, 0.95)])
def test_r2_is_the_likelihood_ratio_of_two_normal_groups(prevalence, auc):
    """The integral by adaptive quadrature over the density, where ours is Gauss-Hermite."""
    apart = np.sqrt(2) * stats.norm.ppf(auc)

    def gain(x):
        own, other = prevalence * stats.norm.pdf(x, apart), (1 - prevalence) * stats.norm.pdf(x)
        return own * np.log(own / (own + other)) + other * np.log(other / (own + other))

    null = prevalence * np.log(prevalence) + (1 - prevalence) * np.log(1 - prevalence)
    mean = integrate.quad(gain, -9, 9 + apart, epsabs=1e-12)[0]
    assert r2_of_auc(prevalence, auc) == pytest.approx(1 - np.exp(2 * (null - mean)), abs=1e-8)


@given(st.floats(0.02, 0.98), st.floats(0.52, 0.97))
@settings(deadline=None, max_examples=30)
def test_auc_and_r2_turn_into_each_other(prevalence, auc):
    assert auc_of_r2(prevalence, r2_of_auc(prevalence, auc)) == pytest.approx(auc, abs=1e-6)


@given(st.integers(60, 100_000), st.floats(0.05, 0.6), st.integers(1, 40))
@settings(deadline=None, max_examples=50)
def test_shrinkage_at_hand_is_the_one_that_would_need_so_many(n, r2_cs, n_parameters):
    slope = expected_shrinkage(n, 0.5, n_parameters, r2_cs=r2_cs)
    assert r2_cs <= slope < 1
    if slope > r2_cs * 1.01:
        needed = n_parameters / ((slope - 1) * np.log(1 - r2_cs / slope))
        assert needed == pytest.approx(n, rel=1e-4)


def test_shrinkage_at_hand_by_example():
    assert expected_shrinkage(1097, 0.475, 20, r2_cs=0.15) == pytest.approx(0.9, abs=1e-4)
    assert expected_shrinkage(300, 0.475, 20, r2_cs=0.15) < 0.75


def test_more_parameters_and_a_narrower_margin_need_more():
    assert riley(0.3, 40, auc=0.7).n_shrinkage > riley(0.3, 20, auc=0.7).n_shrinkage
    assert riley(0.3, 20, auc=0.7, margin=0.025).n_risk > riley(0.3, 20, auc=0.7).n_risk


def test_extremes_of_what_can_be_explained():
    most = sample_size.max_r2_cs(0.5)
    assert most == pytest.approx(0.75)  # 1 - 0.5 ** 2
    assert auc_of_r2(0.5, most * (1 - 1e-12)) == 1.0
    assert auc_of_r2(0.5, 1e-20) == pytest.approx(0.5, abs=1e-8)


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ({"prevalence": 0.0, "auc": 0.7}, "prevalence must lie between 0 and 1"),
        ({"auc": 0.5}, "auc must lie between 0.5 and 1"),
        ({"r2_cs": 0.75}, "r2_cs must lie between 0 and 0.75"),
        ({}, "one of the two"),
        ({"r2_cs": 0.1, "auc": 0.7}, "one of the two"),
        ({"auc": 0.7, "n_parameters": 0}, "n_parameters must be a whole number"),
        ({"auc": 0.7, "shrinkage": 1.0}, "shrinkage must lie between"),
        ({"auc": 0.7, "optimism": 0.0}, "optimism must lie between"),
        ({"auc": 0.7, "margin": 0.0}, "margin must lie between"),
    ],
)
def test_impossible_values_are_refused(values, match):
    with pytest.raises(ParameterError, match=match):
        riley(**{"prevalence": 0.5, "n_parameters": 10} | values)


def test_shrinkage_of_nobody_is_refused():
    with pytest.raises(ParameterError, match="n must be a whole number"):
        expected_shrinkage(0, 0.5, 10, auc=0.7)
