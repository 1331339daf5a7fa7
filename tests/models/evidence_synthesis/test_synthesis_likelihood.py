"""The likelihood with effects integrated out, its maximum and its bookkeeping."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.models.evidence_synthesis import (
    Comparisons,
    draw_effects,
    restricted,
)
from iesoresearch.models.evidence_synthesis.averaged import mixture
from iesoresearch.models.evidence_synthesis.likelihood import log_likelihood, weighted_sums
from iesoresearch.models.pooling.effects import random_effects
from iesoresearch.seeds import rng

#: Konstantopoulos 2011, Research Synthesis Methods 2:61-76: district, then effect and variance of
#: each of its schools.
SCHOOLS = """11 -.18 .118 -.22 .118 .23 .144 -.30 .144|12 .13 .014 -.26 .014 .19 .015 .32 .024
|18 .45 .023 .38 .043 .29 .012|27 .16 .020 .65 .004 .36 .004 .60 .007
|56 .08 .019 .04 .007 .19 .005 -.06 .004|58 -.18 .020 0 .018 0 .019 -.28 .022 -.04 .020 -.30 .021
.07 .006 0 .007 .05 .007 -.08 .007 -.09 .007|71 .30 .015 .98 .011 1.19 .010
|86 -.07 .001 -.05 .001 -.01 .001 .02 .001 -.03 .001 0 .001 .01 .001 -.10 .001
|91 .50 .010 .66 .011 .20 .010 0 .009 .05 .013 .07 .013
|108 -.52 .031 .70 .031 -.03 .030 .27 .030 -.34 .030|644 .12 .087 .61 .082 .04 .067 -.05 .067"""


def schools():
    rows = [[float(x) for x in line.split()] for line in SCHOOLS.split("|")]
    trial = [row[0] for row in rows for _ in row[1::2]]
    effect = [x for row in rows for x in row[1::2]]
    return Comparisons.of(effect, np.sqrt([x for row in rows for x in row[2::2]]), trial)


def some(seed, n_trials=12, most=4):
    random = rng(seed, "some")
    trial = np.repeat(np.arange(n_trials), random.integers(1, most + 1, n_trials))
    order = random.permutation(len(trial))
    error = random.uniform(0.1, 0.6, len(trial))
    effect = draw_effects(random, error, trial, mean=0.5, between=0.4, within=0.3)
    return Comparisons.of(effect[order], error[order], trial[order])


def dense(data, between, within, correlation):
    """Covariance of all effects, written out."""
    same = data.trial[:, None] == data.trial[None, :]
    found = between**2 * same + correlation * np.outer(data.error, data.error) * same
    return found + np.diag(within**2 + (1 - correlation) * data.error**2)


positive = st.floats(0.0, 2.0)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 50), positive, positive, st.floats(0, 0.9), st.floats(-1, 2))
def test_likelihood_is_that_of_the_normal_written_out(seed, between, within, correlation, mean):
    data = some(seed)
    found = log_likelihood(data.padded(), mean, between, within, correlation)
    covariance = dense(data, between, within, correlation)
    expected = stats.multivariate_normal(np.full(data.n, mean), covariance).logpdf(data.effect)
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 50), st.lists(positive, min_size=2, max_size=4), st.floats(0, 0.9))
def test_sums_are_those_of_generalised_least_squares(seed, spreads, correlation):
    data = some(seed)
    design = np.stack([np.ones(data.padded().error.shape), data.padded().error])
    plain = np.stack([np.ones(data.n), data.error], axis=1)
    many = weighted_sums(data.padded(), design, spreads, spreads[::-1], correlation)
    for i, (between, within) in enumerate(zip(spreads, spreads[::-1], strict=True)):
        inverse = np.linalg.inv(dense(data, between, within, correlation))
        one = weighted_sums(data.padded(), design, between, within, correlation)
        for information, projection in (one, [part[i] for part in many]):
            np.testing.assert_allclose(information, plain.T @ inverse @ plain, rtol=1e-8)
            np.testing.assert_allclose(
                projection, plain.T @ inverse @ data.effect, rtol=1e-8, atol=1e-8
            )


def test_restricted_likelihood_gives_what_metafor_prints():
    """rma.mv(yi, vi, random = ~ 1 | district/school) of metafor on the schools."""
    found = restricted(schools())
    assert found.mean == pytest.approx(0.1847, abs=5e-5)
    assert found.error == pytest.approx(0.0846, abs=5e-5)
    assert (found.low, found.high) == pytest.approx((0.0190, 0.3504), abs=5e-5)
    assert found.between**2 == pytest.approx(0.0651, abs=5e-5)
    assert found.within**2 == pytest.approx(0.0327, abs=5e-5)


def test_with_one_comparison_a_trial_it_is_the_two_level_model():
    data = some(3, n_trials=30, most=1)
    found, other = restricted(data), random_effects(data.effect, data.error)
    assert found.mean == pytest.approx(other.estimate, abs=1e-5)
    assert np.hypot(found.between, found.within) == pytest.approx(other.tau, abs=1e-4)


@pytest.mark.parametrize("small_study", ["error", "variance", "size"])
def test_a_planted_line_without_noise_is_found(small_study):
    random = rng(1, "line")
    trial, groups = np.arange(40), random.integers(10, 200, (2, 40))
    error = random.uniform(0.1, 0.6, 40)
    size = np.sqrt((1 / groups).sum(axis=0))
    predictor = {"error": error, "variance": error**2, "size": size}[small_study]
    data = Comparisons.of(0.3 + 1.5 * predictor, error, trial, groups)
    found = restricted(data, small_study=small_study)
    assert (found.mean, found.small_study) == pytest.approx((0.3, 1.5), abs=1e-6)
    assert (found.between, found.within) == pytest.approx((0, 0), abs=1e-4)
    assert np.isfinite(found.small_study_error)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 100))
def test_order_of_comparisons_and_names_of_trials_do_not_matter(seed):
    data = some(5)
    order = rng(seed, "order").permutation(data.n)
    moved = Comparisons.of(
        data.effect[order], data.error[order], [f"t{t}" for t in data.trial[order]]
    )
    args = (0.5, 0.4, 0.2, 0.3)
    assert log_likelihood(moved.padded(), *args) == pytest.approx(
        log_likelihood(data.padded(), *args), rel=1e-12
    )


def test_padding_keeps_every_comparison():
    data = some(7)
    padded = data.padded()
    assert padded.there.sum() == data.n
    np.testing.assert_array_equal(padded.effect[data.places()], data.effect)
    np.testing.assert_array_equal(padded.error[data.places()], data.error)
    half = data.part(data.trial < 6)
    assert (half.n, half.n_trials) == ((data.trial < 6).sum(), 6)


@pytest.mark.parametrize(
    ("lists", "message"),
    [
        (([1, 2], [1, 2, 3], [0, 1, 2]), "lists of the same length"),
        (([1, np.nan, 2], [1, 1, 1], [0, 1, 2]), "An effect is missing or infinite"),
        (
            ([1, 1, 2], [1, 0, 1], [0, 1, 2]),
            "is missing, infinite, zero or negative",
        ),
        (([1, 1, 2], [1, np.nan, 1], [0, 1, 2]), "A standard error is missing"),
        (([1, 1, 2], [1, 1, 1], ["a", "b", "b"]), "at least three trials; there are 2"),
        (([1, 1, 2], [1, 1, 1], [0, 1, 2], [[3, 4, 5], [3, 0, 5]]), "has no patients"),
    ],
)
def test_comparisons_that_cannot_be(lists, message):
    with pytest.raises(DataError, match=message):
        Comparisons.of(*lists)


def test_options_that_cannot_be():
    data = some(1)
    with pytest.raises(ParameterError, match="small_study='egger' is none of none, error"):
        restricted(data, small_study="egger")
    with pytest.raises(DataError, match="sizes of the groups are not known"):
        restricted(data, small_study="size")
    alike = Comparisons.of(data.effect, np.full(data.n, 0.2), data.trial)
    with pytest.raises(DataError, match="cannot be told from the mean"):
        restricted(alike, small_study="error")


def test_quantiles_of_a_mixture():
    """Of one normal they are its own; of two far apart, those of their halves."""
    one = mixture(np.array([0.5]), np.array([0.1]))
    expected = stats.norm(0.5, 0.1).ppf([0.025, 0.975])
    assert (one.x, one.x_low, one.x_high) == pytest.approx((0.5, *expected))
    two = mixture(np.array([-10.0, 10.0]), np.array([1.0, 1.0]))
    assert (two.x, two.x_low) == pytest.approx((0, stats.norm(-10, 1).ppf(0.05)))
