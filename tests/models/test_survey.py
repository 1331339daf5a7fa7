"""Replicate weights against hand calculation and against Taylor linearisation."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iesoresearch.data import cycles, nhanes
from iesoresearch.errors import DataError, ParameterError
from iesoresearch.measures import PHQ9, score
from iesoresearch.models.survey import (
    covariance_of_totals,
    degrees_of_freedom,
    effective_sample_size,
    folds_by_unit,
    rescaling_bootstrap,
)
from iesoresearch.params import Settings
from iesoresearch.seeds import derive


def replicates(strata, units, n, seed=1):
    return np.array([rescaling_bootstrap(strata, units, derive(seed, b)) for b in range(n)])


def linearised_variance(y, weights, strata, units):
    """Of a weighted mean, PSUs with replacement: Taylor, a loop over strata and PSUs."""
    mean = np.average(y, weights=weights)
    z = weights * (y - mean) / weights.sum()
    variance = 0.0
    for stratum in set(strata):
        inside = strata == stratum
        totals = np.array([z[inside & (units == u)].sum() for u in set(units[inside])])
        n = len(totals)
        variance += n / (n - 1) * ((totals - totals.mean()) ** 2).sum()
    return variance


def test_two_units_by_hand():
    """One of two is drawn and counts twice: the multipliers are 0 and 2, each half of the time."""
    found = replicates([5, 5, 5], ["a", "b", "b"], 400)
    assert set(map(tuple, found)) == {(2.0, 0.0, 0.0), (0.0, 2.0, 2.0)}
    assert found[:, 0].mean() == pytest.approx(1.0, abs=4 / np.sqrt(400))


def test_three_units_by_hand():
    """Two draws of three: 9 outcomes, each PSU drawn 0, 1 or 2 times with 4, 4 and 1 of 9."""
    outcomes = [
        np.bincount(pair, minlength=3) * 3 / 2 for pair in itertools.product(range(3), repeat=2)
    ]
    found = replicates([0, 0, 0], [1, 2, 3], 3000)
    assert set(map(tuple, found)) == set(map(tuple, outcomes))
    share = (found[:, 0] == 0).mean()
    assert share == pytest.approx(4 / 9, abs=4 * np.sqrt(20 / 81 / 3000))


def test_the_same_label_in_two_strata_is_two_units():
    found = replicates(["x", "x", "y", "y"], [1, 2, 1, 2], 50)
    assert (found[:, :2].sum(axis=1) == 2).all()
    assert (found[:, 2:].sum(axis=1) == 2).all()
    assert (found[:, 0] != found[:, 2]).any()


def test_variance_of_a_total_exactly():
    """Over all outcomes of a small design the variance is that of the textbook, n / (n - 1) …"""
    y = np.array([1.0, 4.0, 6.0])
    outcomes = [np.bincount(p, minlength=3) * 1.5 for p in itertools.product(range(3), repeat=2)]
    exact = np.var([m @ y for m in outcomes])
    assert exact == pytest.approx(3 / 2 * ((y - y.mean()) ** 2).sum())
    totals = replicates([0, 0, 0], [1, 2, 3], 4000) @ y
    assert np.var(totals) == pytest.approx(exact, rel=0.15)


def survey(seed=3, n_strata=25):
    random = np.random.default_rng(seed)
    strata, units, y = [], [], []
    for s in range(n_strata):
        for u in range(random.integers(2, 4)):
            n = random.integers(20, 60)
            strata += [s] * n
            units += [u] * n
            y += (random.normal(s / 10 + random.normal(0, 0.7), 1.0, n)).tolist()
    weights = random.gamma(2.0, 1000.0, len(y))
    return np.array(y), weights, np.array(strata), np.array(units)


def test_standard_error_of_a_weighted_mean_against_linearisation():
    y, weights, strata, units = survey()
    means = [np.average(y, weights=weights * m) for m in replicates(strata, units, 1000)]
    expected = np.sqrt(linearised_variance(y, weights, strata, units))
    # the relative standard error of a standard deviation from 1,000 draws is 1 / sqrt(2000)
    assert np.std(means) == pytest.approx(expected, rel=4 / np.sqrt(2000) + 0.03)
    assert np.std(means) > 1.5 * np.sqrt(np.var(y) / len(y))  # ignoring the PSUs would mislead


@pytest.mark.parametrize(
    ("strata", "joined"),
    [([0, 1, 1], [0, 0, 0]), ([0, 0, 1], [0, 0, 0]), ([0, 1, 2], [0, 0, 0]),
     ([0, 1, 2, 3], [0, 0, 1, 1]), ([0, 0, 1, 2, 2], [0, 0, 1, 1, 1])],
)  # fmt: skip
def test_a_single_unit_is_joined_to_its_neighbour(strata, joined):
    units = list(range(len(strata)))
    assert (replicates(strata, units, 20) == replicates(joined, units, 20)).all()


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=2, max_size=60),
    st.integers(0, 2**31),
)
def test_laws_of_the_multipliers(people, seed):
    strata, units = np.array(people).T
    if len(set(people)) < 2:
        with pytest.raises(DataError, match="at least two sampling units; there is 1"):
            rescaling_bootstrap(strata, units, seed)
        return
    found = rescaling_bootstrap(strata, units, seed)
    per_unit = dict(zip(people, found, strict=True))
    assert all(per_unit[who] == m for who, m in zip(people, found, strict=True))
    assert sum(per_unit.values()) == pytest.approx(len(per_unit))  # the number of PSUs is kept
    named = [f"stratum {s}" for s in strata]  # labels of any kind
    assert (rescaling_bootstrap(named, units, seed) == found).all()


@settings(max_examples=50, deadline=None)
@given(st.integers(2, 12), st.integers(2, 6), st.integers(0, 2**31))
def test_folds_hold_whole_units_and_like_parts_of_every_stratum(n_strata, n_folds, seed):
    strata = np.repeat(np.arange(n_strata), 12)
    units = np.tile(np.repeat([1, 2, 3], 4), n_strata)
    fold = folds_by_unit(strata, units, n_folds, seed)
    per_unit = {}
    for s, u, f in zip(strata, units, fold, strict=True):
        assert per_unit.setdefault((s, u), f) == f
    counts = np.bincount(list(per_unit.values()), minlength=n_folds)
    assert counts.max() - counts.min() <= 1
    for s in range(n_strata):
        within = np.bincount([per_unit[s, u] for u in (1, 2, 3)], minlength=n_folds)
        assert within.max() - within.min() <= 1


def test_folds_are_random_and_follow_the_seed():
    strata, units = np.repeat(np.arange(10), 2), np.tile([1, 2], 10)
    first = folds_by_unit(strata, units, 5, 1)
    assert (folds_by_unit(strata, units, 5, 1) == first).all()
    assert (folds_by_unit(strata, units, 5, 2) != first).any()


@pytest.mark.parametrize("n_folds", [1, 5])
def test_folds_that_cannot_be(n_folds):
    with pytest.raises(ParameterError, match="4 sampling units cannot be dealt into"):
        folds_by_unit([1, 1, 2, 2], [1, 2, 1, 2], n_folds, 1)


def test_lists_that_do_not_match():
    with pytest.raises(ParameterError, match="two lists of one label per person"):
        rescaling_bootstrap([1, 1], [1, 2, 3], 1)
    with pytest.raises(DataError, match="there is 0"):
        rescaling_bootstrap([], [], 1)


def test_effective_sample_size_by_hand():
    assert effective_sample_size([3.0] * 7) == pytest.approx(7)
    assert effective_sample_size([1, 1, 2]) == pytest.approx(16 / 6)
    assert effective_sample_size([0, 1e200]) == 1


@pytest.mark.parametrize("weights", [[1.0, -1.0], [0.0, 0.0], [1.0, np.nan], []])
def test_weights_that_are_none(weights):
    with pytest.raises(DataError, match="must be finite and not negative"):
        effective_sample_size(weights)


def test_standard_error_of_the_published_prevalence():
    """2013-2016: 8.1 % (CDC, Data Brief 303); its standard error by linearisation."""
    path = Settings.from_environment().search_path
    try:
        cycles.find(["H", "I"], path, True)
    except DataError:
        pytest.skip("the files of NHANES 2013-14 and 2015-16 are not in IESORESEARCH_DATA")
    cohort = nhanes.load(("H", "I"), path, weighted=True)
    people = cohort.patients[cohort.sequences(PHQ9).people]
    total = score(cohort.contacts, PHQ9)["phq9_total"].fill_null(0).to_numpy()
    adult = (people["age"] >= 20).to_numpy()
    y, weights = (total >= 10).astype(float), people["weight"].to_numpy() * adult
    strata, units = people["stratum"].to_numpy(), people["sampling_unit"].to_numpy()
    assert 100 * np.average(y, weights=weights) == pytest.approx(8.1, abs=0.1)
    found = np.std([np.average(y, weights=weights * m) for m in replicates(strata, units, 400)])
    expected = np.sqrt(linearised_variance(y, weights, strata, units))
    assert found == pytest.approx(expected, rel=4 / np.sqrt(800))
    assert 5000 < effective_sample_size(weights) < adult.sum()


def test_covariance_of_totals_is_linearisation():
    y, weights, strata, units = survey()
    apart = weights * (y - np.average(y, weights=weights)) / weights.sum()
    found = covariance_of_totals(np.column_stack([apart, 2 * apart]), strata, units)
    known = linearised_variance(y, weights, strata, units)
    np.testing.assert_allclose(found, known * np.array([[1, 2], [2, 4]]), rtol=1e-10)
    assert degrees_of_freedom(strata, units) == len({*zip(strata, units, strict=True)}) - 25


def test_a_single_unit_joins_its_neighbour_in_a_total_too():
    values = np.array([[1.0], [2.0], [6.0]])
    found = covariance_of_totals(values, [1, 1, 2], ["a", "b", "a"])
    assert found.item() == pytest.approx(3 / 2 * ((values - 3) ** 2).sum())
    assert degrees_of_freedom([1, 1, 2], ["a", "b", "a"]) == 2
