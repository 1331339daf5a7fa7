"""The effect of therapy is drawn from the joint posterior that was written down."""

import numpy as np
import pytest

from iesoresearch.data.health_economics import load_effect, load_inputs
from iesoresearch.errors import DataError
from iesoresearch.seeds import rng

TEXT = """
mu: {mean: 0.8, sd: 0.06}
tau: {mean: 0.5, sd: 0.05}
correlation: 0.4
status: derived
source: somewhere
reason: because
cases:
  few: {label: few trials, mu: {mean: 0.5, sd: 0.1}, tau: {mean: 0.2, sd: 0.1}, correlation: 0}
"""


def test_draws_have_the_moments_of_the_posterior():
    n = 40_000
    mu, tau = load_effect(TEXT).draw(rng(1, "effect"), n)
    assert abs(mu.mean() - 0.8) < 4 * 0.06 / np.sqrt(n)
    assert abs(tau.mean() - 0.5) < 4 * 0.05 / np.sqrt(n)
    assert mu.std() == pytest.approx(0.06, rel=0.03)
    assert tau.std() == pytest.approx(0.05, rel=0.03)
    assert np.corrcoef(mu, np.log(tau))[0, 1] == pytest.approx(0.4, abs=4 / np.sqrt(n))


def test_the_table_of_inputs_ends_with_the_effect():
    mean, tau = load_inputs()[-2:]
    effect = load_effect()
    assert (mean.name, mean.value, mean.parameters["sd"]) == (
        "effect_mean",
        effect.mean,
        effect.mean_sd,
    )
    assert (tau.name, tau.value) == ("effect_tau", effect.heterogeneity)
    other = load_inputs(effect=load_effect(TEXT))[-2]
    assert (other.value, other.source) == (0.8, "somewhere")


def test_a_case_is_named():
    few = load_effect(TEXT, case="few")
    assert (few.mean, few.heterogeneity) == (0.5, 0.2)
    assert few.reason == "Case few: few trials."
    assert load_effect(case="without_large").mean < load_effect().mean
    with pytest.raises(DataError, match='for the case "many", mu and tau'):
        load_effect(TEXT, case="many")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("tau:", "tao:", "must hold, for the case"),
        ("0.06", "six", "must hold, for the case"),
        ("mean: 0.5,", "mean: 0,", "impossible number"),
        ("correlation: 0.4", "correlation: 4", "impossible number"),
        ("derived", "known", "impossible number"),
    ],
)
def test_an_unusable_summary_is_refused(old, new, message):
    with pytest.raises(DataError, match=message):
        load_effect(TEXT.replace(old, new, 1))
