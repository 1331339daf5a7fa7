"""Multiple imputation: Rubin's rules by hand, and a truth that complete cases miss."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iesoresearch.errors import DataError
from iesoresearch.models import imputation
from iesoresearch.models.imputation import impute, pool


def test_pooling_by_hand():
    """W = .01, B = .01, T = .01 + 4/3 * .01; share 4/7; old df 2 / (4/7)**2 = 6.125."""
    found = pool([0.4, 0.5, 0.6], [0.01, 0.01, 0.01], complete_df=100)
    assert found.estimate == pytest.approx(0.5)
    assert found.standard_error == pytest.approx(np.sqrt(0.07 / 3))
    assert found.missing_information == pytest.approx(4 / 7)
    observed = 101 / 103 * 100 * 3 / 7
    assert found.degrees_of_freedom == pytest.approx(6.125 * observed / (6.125 + observed))
    # 97.5 % point of t with 5.346 degrees of freedom lies between those of 5 and 6
    half = found.high - found.estimate
    assert 2.4469 < half / found.standard_error < 2.5706
    assert found.estimate - found.low == pytest.approx(half)


def test_nothing_missing_leaves_the_complete_interval():
    """97.5 % point of t with 98 * 101/103 … degrees of freedom, close to 1.985."""
    found = pool([0.3, 0.3], [0.0004, 0.0004], complete_df=98)
    assert found.missing_information == 0
    assert found.degrees_of_freedom == pytest.approx(99 / 101 * 98)
    assert (found.high - found.low) / 2 / 0.02 == pytest.approx(1.985, abs=0.001)


@given(
    st.lists(st.floats(0, 1), min_size=2, max_size=8),
    st.floats(1e-6, 1),
    st.integers(5, 10_000),
)
def test_pooling_never_gains_information(estimates, variance, df):
    found = pool(estimates, [variance] * len(estimates), df)
    assert found.standard_error >= np.sqrt(variance) * (1 - 1e-12)
    assert 0 <= found.missing_information < 1
    assert found.degrees_of_freedom <= df
    assert found.low <= found.estimate <= found.high


def missing_at_random(random, n=400):
    """Two outcomes of known mean 0 that go missing together, more often where x is high."""
    x = random.standard_normal(n)
    complete = np.column_stack(
        [x + 0.5 * random.standard_normal(n), x + 0.5 * random.standard_normal(n)]
    )
    gone = random.random(n) < 1 / (1 + np.exp(-x))
    observed = complete.copy()
    observed[gone] = np.nan
    return observed, x[:, None]


def test_what_is_missing_at_random_is_recovered():
    """Half the values are gone, complete cases are far off, the intervals still cover 0."""
    off, covered, estimates = [], 0, []
    for number in range(60):
        observed, x = missing_at_random(np.random.default_rng(number))
        off.append(np.nanmean(observed[:, 0]))
        filled = impute(observed, x, 5, seed=number)[:, :, 0]
        pooled = pool(filled.mean(axis=1), filled.var(axis=1, ddof=1) / len(x), len(x) - 1)
        covered += pooled.low <= 0 <= pooled.high
        estimates.append(pooled.estimate)
    assert np.mean(off) < -0.3
    assert abs(np.mean(estimates)) < 0.05
    assert covered >= 52  # 95 % of 60 is 57; 52 or fewer has a chance of 2 in 100


def test_relation_between_two_imputed_outcomes_is_kept():
    observed, x = missing_at_random(np.random.default_rng(1), n=3000)
    filled = impute(observed, x, 1, seed=1)[0]
    residual = filled - x
    assert np.corrcoef(filled.T)[0, 1] == pytest.approx(0.8, abs=0.04)  # 1 / 1.25
    assert np.abs(np.corrcoef(residual.T)[0, 1]) < 0.1


def test_observed_values_stay_and_imputed_ones_are_observed_elsewhere():
    observed, x = missing_at_random(np.random.default_rng(2))
    known = ~np.isnan(observed)
    for filled in impute(observed, x, 3, seed=1):
        assert not np.isnan(filled).any()
        assert (filled[known] == observed[known]).all()
        for j in range(2):
            assert np.isin(filled[:, j], observed[known[:, j], j]).all()


def test_equal_seeds_give_equal_imputations():
    observed, x = missing_at_random(np.random.default_rng(3))
    first = impute(observed, x, 2, seed=4)
    assert (first == impute(observed, x, 2, seed=4)).all()
    assert (first[:1] == impute(observed, x, 1, seed=4)).all(), "one more moves no other"
    assert (first != impute(observed, x, 2, seed=5)).any()


def test_predictors_that_say_the_same_or_nothing():
    observed, x = missing_at_random(np.random.default_rng(5))
    filled = impute(observed, np.column_stack([x, 2 * x, np.ones(len(x))]), 1, seed=1)
    assert not np.isnan(filled).any()


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.integers(5, 40))
def test_donors_are_the_closest(seed, n):
    random = np.random.default_rng(seed)
    offered, wanted = random.normal(size=n), random.normal(size=4)
    found = imputation._closest(wanted, offered)
    for value, places in zip(wanted, found, strict=True):
        expected = np.sort(np.abs(offered - value))[: imputation.DONORS]
        assert np.sort(np.abs(offered[places] - value)) == pytest.approx(expected)


def test_too_few_answers_and_incomplete_predictors_are_refused():
    few = np.full((40, 1), np.nan)
    few[:5] = 1.0
    with pytest.raises(DataError, match=r"at least 12 observed values.*there are 5 of one"):
        impute(few, np.ones((40, 1)), 2, seed=1)
    with pytest.raises(DataError, match="complete predictors"):
        impute(np.ones((40, 1)), np.full((40, 1), np.nan), 2, seed=1)


def test_which_way_axes_point_decides_nothing(monkeypatch):
    """Processors differ in it, in the order of equal axes, and in the last digits."""
    random = np.random.default_rng(3)
    x = random.integers(0, 3, (300, 4)).astype(float)  # many have the same
    y = x @ [1.0, -1.0, 0.5, 0.0] + random.normal(size=300)
    y[random.random(300) < 0.3] = np.nan
    before = impute(y[:, None], x, 3, seed=1)
    eigh = np.linalg.eigh

    def turned(matrix):
        size, axes = eigh(matrix)
        signs = np.where(np.arange(len(size)) % 2, 1.0, -1.0)
        return size * (1 + 1e-15 * signs), axes * signs * (1 - 1e-15)

    monkeypatch.setattr(np.linalg, "eigh", turned)
    assert np.array_equal(impute(y[:, None], x, 3, seed=1), before)
