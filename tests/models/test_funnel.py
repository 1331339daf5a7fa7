"""Funnel limits by hand, in repeated draws, and beside a random-effects meta-analysis."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.models.funnel import BY_CHANCE, METHODS, funnel


def test_scores_and_dispersion_by_hand():
    """Ten services of 100, target one half: z = 20 (arcsin √p − π / 4)."""
    events = np.array([50, 52, 48, 55, 45, 50, 60, 40, 50, 90])
    found = funnel(events, np.full(10, 100), target=0.5, corrected=False)
    z = 20 * (np.arcsin(np.sqrt(events / 100)) - np.pi / 4)
    assert found.z == pytest.approx(z)
    ordered = np.sort(z)
    # numpy's tenth percentile of ten: nine tenths of the way to the second smallest
    low = ordered[0] + 0.9 * (ordered[1] - ordered[0])
    high = ordered[8] + 0.1 * (ordered[9] - ordered[8])
    phi = np.mean(np.clip(z, low, high) ** 2)
    assert found.phi == pytest.approx(phi)
    # with equal weights w the moment estimate is (k φ − (k − 1)) / ((k − 1) w), w = 4 n
    assert found.tau2 == pytest.approx((10 * phi - 9) / (9 * 400))
    half = 3.090232 * np.sqrt(1 / 400 + found.tau2)
    assert found.additive.low998[0] == pytest.approx(np.sin(np.pi / 4 - half) ** 2)
    assert found.additive.outside(found.rates).tolist() == [0] * 9 + [2]


def test_exact_limits_by_hand():
    """Ten people, one half: P(X ≤ 1) = 11 / 1024, P(X ≤ 2) = 56 / 1024, and .025 between them."""
    found = funnel([5, 5], [10, 10])
    into = (56 / 1024 - 0.025) / (45 / 1024)
    assert found.exact.low95[0] == pytest.approx((2 - into) / 10)
    assert found.exact.high95[0] == pytest.approx((8 - (1013 / 1024 - 0.975) / (45 / 1024)) / 10)
    many = funnel([4000, 4000], [10_000, 10_000])
    half = 3.090232 * np.sqrt(0.4 * 0.6 / 10_000)
    assert many.exact.high998[0] == pytest.approx(0.4 + half, abs=2e-4)


def test_random_effects_are_those_of_dersimonian_and_laird():
    """Half the services as far above the target as the others below: winsorising does nothing."""
    n = np.full(12, 200)
    events = np.where(np.arange(12) % 2, 120, 80)
    found = funnel(events, n, target=0.5, corrected=False)
    angles = np.arcsin(np.sqrt(events / n))
    expected = combine_effects(angles, 1 / (4 * n), method_re="dl")
    assert found.tau2 == pytest.approx(expected.tau2)
    assert found.phi == pytest.approx(expected.q / 12)


def test_chance_alone_flags_few_and_is_not_called_dispersion():
    random = np.random.default_rng(1)
    n = random.integers(50, 2000, 800)
    found = funnel(random.binomial(n, 0.45), n)
    beyond = np.abs(found.exact.outside(found.rates))
    assert (beyond >= 1).mean() == pytest.approx(0.05, abs=0.02)
    assert (beyond == 2).mean() < 0.01
    assert found.phi == pytest.approx(1, abs=0.1)
    assert np.sqrt(found.tau2) < 0.01
    # never narrower than chance
    chance = np.sin(np.pi / 4 + 1.959964 / (2 * np.sqrt(10))) ** 2
    assert funnel([5, 5], [10, 10]).additive.high95 == pytest.approx([chance] * 2)


def test_what_winsorising_leaves():
    z = np.random.default_rng(2).normal(size=400_000)
    low, high = np.quantile(z, [0.1, 0.9])
    assert (np.clip(z, low, high) ** 2).mean() == pytest.approx(BY_CHANCE, abs=0.005)
    cut = stats.norm.ppf(0.9)
    assert 0.8 - 2 * cut * stats.norm.pdf(cut) + 0.2 * cut**2 == pytest.approx(BY_CHANCE, abs=1e-6)
    counts = ([30, 45, 20], [50, 100, 50])
    assert funnel(*counts).phi == pytest.approx(funnel(*counts, corrected=False).phi / BY_CHANCE)


def test_services_that_differ_anyway_are_not_all_unusual_but_one_far_out_is():
    """Rates with a standard deviation of .04, which on the arcsine scale is .04 around a half."""
    random = np.random.default_rng(3)
    n = random.integers(300, 6000, 600)
    rates = np.clip(random.normal(0.5, 0.04, 600), 0, 1)
    rates[0] = 0.8
    events = random.binomial(n, rates)
    found, published = funnel(events, n), funnel(events, n, corrected=False)
    beyond = np.abs(found.additive.outside(found.rates))
    assert (np.abs(found.exact.outside(found.rates)) >= 1).mean() > 0.4
    assert (beyond >= 1).mean() == pytest.approx(0.05, abs=0.02)
    assert beyond[0] == 2
    assert np.sqrt(found.tau2) == pytest.approx(0.04, abs=0.004)
    # as published, limits are narrower than the services differ
    assert (np.abs(published.additive.outside(found.rates)) >= 1).mean() > 0.08


def test_the_target_may_be_given_and_limits_drawn_at_any_size():
    found = funnel([30, 45], [50, 100], target=0.5)
    assert found.target == 0.5
    assert funnel([30, 45], [50, 100]).target == pytest.approx(0.5)
    for method in METHODS:
        limits = found.limits(method, [10, 100, 1000])
        assert (np.diff(limits.high95) < 0).all()
        assert (limits.low998 <= limits.low95).all()
        assert (limits.low95 < found.target).all()
    assert stats.binom.cdf(found.exact.high95[0] * 50, 50, 0.5) == pytest.approx(0.975, abs=0.02)


def test_the_frame_has_a_row_per_service():
    frame = funnel([30, 45, 0], [50, 100, 20]).to_frame()
    assert frame.height == 3
    assert frame["rate"].to_list() == pytest.approx([0.6, 0.45, 0.0])
    assert {f"{m}_outside" for m in METHODS} <= set(frame.columns)
    assert frame["exact_outside"][2] == -2


def test_what_cannot_be_had_is_refused():
    with pytest.raises(DataError, match="at least two services"):
        funnel([3], [10])
    with pytest.raises(DataError, match="nobody in it"):
        funnel([3, 0], [10, 0])
    with pytest.raises(DataError, match="with and people without"):
        funnel([10, 10], [10, 10])
    with pytest.raises(ParameterError, match="target of 2"):
        funnel([3, 4], [10, 10], target=2)
    with pytest.raises(ParameterError, match="no limits 'foo': exact or additive"):
        funnel([3, 4], [10, 10]).limits("foo", 10)
    with pytest.raises(ParameterError, match="at sizes above zero"):
        funnel([3, 4], [10, 10]).limits("exact", [0, 10])
