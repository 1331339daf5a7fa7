"""Distributions have the moments that were asked for; impossible ones are told."""

import numpy as np
import pytest
from scipy import stats

from iesoresearch.data.health_economics import Distribution
from iesoresearch.seeds import rng

SOUND = [
    Distribution("beta", {"relative_sd": 0.15}, 0.715),
    Distribution("beta", {"sd": 0.03}, 0.904),
    Distribution("beta", {"ci": [0.67, 0.73]}, 0.70),
    Distribution("beta", {"alpha": 19, "beta": 2}, 19 / 21),
    Distribution("gamma", {"relative_sd": 0.15}, 44.525),
    Distribution("gamma", {"sd": 3.0}, 20.0),
    Distribution("normal", {"mean": 0, "sd": 1}, 0.0),
    Distribution("uniform", {"low": 0.334, "high": 0.53}, 0.432),
    Distribution("triangular", {"low": 430, "mode": 585, "high": 740}, 585.0),
]


@pytest.mark.parametrize("law", SOUND, ids=lambda law: f"{law.kind} {law.value:g}")
def test_draws_and_quantiles_have_the_mean_and_sd(law):
    assert law.problems() == []
    n = 20_000
    for x in (law.draw(rng(1, "law"), n), law.quantile((np.arange(n) + 0.5) / n)):
        assert abs(x.mean() - law.value) < 4 * law.sd / np.sqrt(n)
        assert x.std() == pytest.approx(law.sd, rel=0.03)


def test_a_beta_distribution_of_a_source_keeps_its_parameters():
    # NICE CG113, Table 17: non-response on the waiting list, beta(19, 2)
    assert SOUND[3].frozen().ppf(0.3) == pytest.approx(stats.beta(19, 2).ppf(0.3))


def test_a_lognormal_distribution_has_the_printed_median_and_interval():
    # NICE CG113, Table 17: relative risk 0.41 (0.24 to 0.71)
    law = Distribution("lognormal", {"ci": [0.24, 0.71]}, 0.41)
    assert law.problems() == []
    # The printed interval is not quite symmetric on the log scale, so only its width is kept.
    low, middle, high = law.quantile([0.025, 0.5, 0.975])
    assert middle == pytest.approx(0.41)
    assert high / low == pytest.approx(0.71 / 0.24)


def test_a_fixed_input_does_not_vary():
    law = Distribution("fixed", {}, 3.0)
    assert (law.draw(rng(1, "law"), 4) == 3).all()
    assert (law.quantile(np.array([0.1, 0.9])) == 3).all()
    assert law.sd == 0


@pytest.mark.parametrize(
    ("kind", "parameters", "value", "problem"),
    [
        ("cauchy", {}, 1, '"cauchy" is no distribution known here'),
        ("beta", {"mean": 0.5}, 0.5, "a beta distribution is given by relative_sd or sd or"),
        ("beta", {"sd": 0.5}, 0.5, "no beta distribution has mean 0.5 and standard deviation 0.5"),
        ("beta", {"sd": 0.1}, 1.0, "must lie between 0 and 1"),
        ("beta", {"ci": [0.1, 0.2]}, 0.5, "95 % interval does not hold the value"),
        ("beta", {"alpha": 0, "beta": 1}, 0.5, "alpha and beta must be above zero"),
        ("gamma", {"sd": 0}, 1, "must be above zero"),
        ("gamma", {"relative_sd": 0.1}, 0, "must be above zero"),
        ("gamma", {"sd": float("inf")}, 1, "not a finite number"),
        ("lognormal", {"ci": [0, 1]}, 0.5, "must be above zero and hold the value"),
        ("uniform", {"low": 2, "high": 1}, 1.5, "low, high must be in this order"),
        ("uniform", {"low": 1, "high": 2}, 1.9, "its mean 1.5 is not the value 1.9"),
        ("triangular", {"low": 1, "mode": 3, "high": 2}, 2, "low, mode, high must be in this"),
        ("normal", {"mean": 0, "sd": -1}, 0, "standard deviation must be above zero"),
        ("joint", {"mean": 0, "sd": 1, "correlation": 2}, 0, "correlation lies between"),
        ("dirichlet", {"count": 0}, 0.5, "count must be above zero"),
    ],
)
def test_impossible_distributions_are_told(kind, parameters, value, problem):
    assert problem in Distribution(kind, parameters, value).problems()[0]
