"""Value of information: closed forms, sampled ones within error, laws, coverage, heormodel."""

import numpy as np
import pandas as pd
import pytest
from heormodel import voi
from heormodel.models import Outcomes
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from iesoresearch.errors import ParameterError
from iesoresearch.models import decision
from iesoresearch.models.decision.basis import group_terms, input_basis

# Closed forms: textbook identities of normal theory, worked out apart from this package

EVPI, EVPPI_1, EVPPI_2 = 576.0970924, 395.5931148, 226.6794707  # of 1000 + 2000 x1 + 1500 x2


def test_closed_forms():
    assert decision.normal_evpi(1000, 2500) == pytest.approx(EVPI, abs=1e-6)
    assert decision.normal_evpi(-1000, 2000) == pytest.approx(EVPPI_1, abs=1e-6)
    assert decision.normal_evpi(1000, 1500) == pytest.approx(EVPPI_2, abs=1e-6)
    assert decision.normal_probability_best(1000, 2500) == pytest.approx(0.6554217416, abs=1e-9)


def test_closed_form_of_a_study():
    """Prior N(0.05, 0.1²), 100 observations of sd 0.5, 20,000 per unit, cost 500."""
    sd = decision.preposterior_sd(0.10, 0.5, 100)
    mean = 20_000 * 0.05 - 500
    assert sd == pytest.approx(0.0894427191, abs=1e-9)
    assert decision.normal_evpi(mean, 20_000 * sd) == pytest.approx(491.3465033, abs=1e-6)
    assert decision.normal_evpi(mean, 20_000 * 0.10) == pytest.approx(572.6893964, abs=1e-6)


def test_closed_form_is_the_integral():
    for mean, sd in ((0.0, 1.0), (0.3, 2.0), (-4.0, 1.5)):
        gain, _ = integrate.quad(
            lambda x, m=mean, s=sd: x * stats.norm.pdf(x, m, s), 0, mean + 12 * sd
        )
        assert decision.normal_evpi(mean, sd) == pytest.approx(gain - max(mean, 0), abs=1e-7)


def test_closed_forms_without_uncertainty():
    assert decision.normal_evpi(3, 0) == 0
    assert [decision.normal_probability_best(m, 0) for m in (-1, 0, 1)] == [0, 0.5, 1]
    assert decision.preposterior_sd(1, 2, 0) == decision.preposterior_sd(0, 2, 9) == 0
    assert decision.preposterior_sd(3, 0, 5) == 3


def test_closed_forms_refuse():
    with pytest.raises(ParameterError, match="sd is -1; a standard deviation is not negative"):
        decision.normal_evpi(0, -1)
    with pytest.raises(ParameterError, match="mean is nan; a finite number is wanted"):
        decision.normal_probability_best(np.nan, 1)
    with pytest.raises(ParameterError, match="n is -3; a study has no fewer than 0"):
        decision.preposterior_sd(1, 1, -3)


# Sampled


def linear(n, seed, mean=1000.0, slopes=(2000.0, 1500.0)):
    x = np.random.default_rng(seed).normal(size=(n, 2))
    return np.column_stack([np.zeros(n), mean + x @ np.array(slopes)]), x


def near(estimate, truth, errors=4):
    assert abs(estimate.value - truth) < errors * estimate.standard_error, (estimate, truth)


def test_one_input_and_both_of_the_linear_problem():
    nb, x = linear(10_000, 1)
    near(decision.evppi(nb, x[:, 0]), EVPPI_1)
    near(decision.evppi(nb, x[:, 1]), EVPPI_2)
    both = decision.evppi(nb, x)
    near(both, EVPI)
    assert both.value == pytest.approx(decision.evpi(nb), rel=1e-3)


def test_study_of_the_normal_problem():
    """The mean of 100 observations tells less than the parameter: EVSI below its EVPPI."""
    n, random = 20_000, np.random.default_rng(2)
    theta = random.normal(0.05, 0.10, n)
    other = random.normal(0, 0.05, n)
    nb = np.column_stack([np.zeros(n), 20_000 * (theta + other) - 500])
    study = decision.evsi(nb, random.normal(theta, 0.5 / np.sqrt(100)))
    near(study, 491.3465033)
    parameter = decision.evppi(nb, theta)
    near(parameter, 572.6893964)
    assert study.value < parameter.value < decision.evpi(nb)


def test_more_observations_are_worth_more():
    n, random = 20_000, np.random.default_rng(3)
    theta = random.normal(0.05, 0.10, n)
    nb = np.column_stack([np.zeros(n), 20_000 * theta - 500])
    noise = random.normal(size=n)
    values = [decision.evsi(nb, theta + noise * 0.5 / np.sqrt(m)) for m in (10, 100, 1000)]
    for m, found in zip((10, 100, 1000), values, strict=True):
        sd = decision.preposterior_sd(0.10, 0.5, m)
        near(found, decision.normal_evpi(500, 20_000 * sd))
    assert values[0].value < values[1].value < values[2].value


def crooked(n, seed):
    """Four inputs, six strategies: a line, an exponential, a product, a wave; one input is idle."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(n, 4))
    weight = np.random.default_rng(99).normal(size=(4, 6))
    return x, weight, np.random.default_rng(98).normal(size=6) / 2


def shapes(x):
    parts = (x[:, 0], np.exp(x[:, 1] / 2), x[:, 0] * x[:, 1], np.sin(2 * x[:, 2]))
    return np.column_stack(parts)


def known(part, weight, base):
    """Worth of knowing `part`, expected values of the shapes, from many points."""
    means = part @ weight + base
    return means.max(axis=1).mean() - means.mean(axis=0).max()


def test_groups_with_curves_and_interactions():
    x, weight, base = crooked(300_000, 7)
    full = shapes(x)
    truth = {
        (0, 1): known(full * [1, 1, 1, 0], weight, base),
        (0, 1, 2): known(full, weight, base),
        (0, 1, 2, 3): known(full, weight, base),
    }
    x, weight, base = crooked(5000, 8)
    nb = shapes(x) @ weight + base + np.random.default_rng(9).normal(size=(5000, 6))
    for group, value in truth.items():
        near(decision.evppi(nb, x[:, group]), value)


def test_an_interaction_is_seen_by_the_pair_only():
    """x1 x2 alone: each input tells nothing of the mean, both tell all: E[max(x1 x2, 0)] = 1/π."""
    x = np.random.default_rng(10).normal(size=(8000, 3))
    nb = np.column_stack([np.zeros(8000), x[:, 0] * x[:, 1] + np.sqrt(2) * x[:, 2]])
    near(decision.evppi(nb, x[:, :2]), 1 / np.pi)
    for single in (x[:, 0], x[:, 1]):
        found = decision.evppi(nb, single)
        assert found.value <= 2 * found.standard_error


def test_nothing_learned_is_worth_nothing():
    """Upward bias: the plain estimate has it, what is handed over mostly not."""
    values, plain = [], []
    for seed in range(30):
        random = np.random.default_rng(seed)
        nb = np.column_stack([np.zeros(600), random.normal(200, 2000, 600)])
        found = decision.evppi(nb, random.normal(size=(600, 3)))
        values.append(found.value)
        plain.append(found.value + found.bias)
    assert np.mean(values) < np.mean(plain) / 2
    assert np.mean(values) < 0.01 * 2000


@pytest.mark.parametrize("columns", [[0], [0, 1]])
def test_standard_error_covers(columns):
    """200 samples of 1,000 draws: 95 % intervals cover the truth in 90 to 99 %."""
    truth = EVPPI_1 if columns == [0] else EVPI
    found = []
    for seed in range(200):
        nb, x = linear(1000, 1000 + seed)
        found.append(decision.evppi(nb, x[:, columns]))
    value, error = (np.array([getattr(e, k) for e in found]) for k in ("value", "standard_error"))
    covered = (np.abs(value - truth) < 1.96 * error).mean()
    assert 0.90 <= covered <= 0.99
    assert error.mean() == pytest.approx(value.std(), rel=0.15)
    assert value.mean() == pytest.approx(truth, abs=4 * value.std() / np.sqrt(200))


def test_few_values_get_their_own_means():
    """An input of 0 or 1: the means of the two halves, by hand."""
    random = np.random.default_rng(12)
    x = random.integers(0, 2, 400).astype(float)
    nb = np.column_stack([np.zeros(400), 2 * x - 0.7 + random.normal(size=400)])
    means = [nb[x == value].mean(axis=0) for value in (0, 1)]
    by_hand = (1 - x.mean()) * max(means[0]) + x.mean() * max(means[1]) - max(nb.mean(axis=0))
    found = decision.evppi(nb, x)
    assert found.value + found.bias == pytest.approx(by_hand)


def test_inputs_that_add_up_to_one():
    random = np.random.default_rng(13)
    shares = random.dirichlet([1, 2, 3], size=2000)
    nb = np.column_stack([np.zeros(2000), shares @ [10, 0, -4]])
    found = decision.evppi(nb, shares)
    assert found.value == pytest.approx(decision.evpi(nb), rel=1e-2)


def test_strategies_that_are_mixtures_of_few_lose_nothing():
    """Net benefit s (1000 + 2000 x1 + 1500 x2), s from 0 to 1 in 50 steps: the ends matter."""
    nb, x = linear(4000, 21)
    steps = np.linspace(0, 1, 50)
    many = nb[:, [1]] * steps
    for columns in (0, [0, 1]):
        two, fifty = (decision.evppi(values, x[:, columns]) for values in (nb, many))
        assert fifty.value == pytest.approx(two.value, rel=1e-6)
        assert fifty.standard_error == pytest.approx(two.standard_error, rel=1e-3)


def test_a_hopeless_strategy_of_huge_uncertainty_hides_nothing():
    nb, x = linear(2000, 22)
    wild = -1e13 + 1e9 * np.random.default_rng(22).normal(size=(2000, 3))
    plain, beside = (decision.evppi(v, x[:, 0]) for v in (nb, np.hstack([nb, wild])))
    assert beside.value == pytest.approx(plain.value, rel=0.01)


def test_agrees_with_heormodel_on_a_smooth_input():
    nb, x = linear(4000, 14)
    zero = np.zeros_like(nb)
    outcomes = Outcomes.from_wide(
        pd.DataFrame(zero, columns=["a", "b"]), pd.DataFrame(nb, columns=["a", "b"])
    )
    frame = pd.DataFrame({"x": x[:, 0]}, index=pd.RangeIndex(4000, name="iteration"))
    found = decision.evppi(nb, x[:, 0])
    theirs = voi.evppi(outcomes, frame, "x", wtp=1.0)
    assert abs(found.value - theirs) < found.standard_error


# Laws

laws = settings(deadline=None, max_examples=25)


@laws
@given(st.integers(0, 10_000), st.integers(2, 5), st.floats(0, 3))
def test_worth_lies_between_nothing_and_everything(seed, k, noise):
    random = np.random.default_rng(seed)
    x = random.gamma(2, size=(400, 3))
    nb = np.log(x) @ random.normal(size=(3, k)) + noise * random.normal(size=(400, k))
    everything = decision.evpi(nb)
    one, pair, all_three = (decision.evppi(nb, x[:, :p]) for p in (1, 2, 3))
    for found in (one, pair, all_three):
        assert 0 <= found.value <= everything
        assert found.standard_error >= 0
    for less, more in ((one, pair), (pair, all_three)):
        slack = 4 * np.hypot(less.standard_error, more.standard_error)
        assert more.value >= less.value - slack


@laws
@given(st.integers(0, 10_000), st.floats(0.01, 1e6))
def test_worth_is_in_the_unit_of_net_benefit_and_ignores_what_all_share(seed, unit):
    nb, x = linear(300, seed)
    shared = np.random.default_rng(seed).normal(0, 3000, (300, 1))
    plain = decision.evppi(nb, x[:, 0])
    moved = decision.evppi((nb + shared) * unit, x[:, 0])
    assert moved.value == pytest.approx(plain.value * unit, rel=1e-6, abs=1e-6 * unit)
    assert moved.standard_error == pytest.approx(plain.standard_error * unit, rel=1e-6)


@laws
@given(st.integers(0, 10_000))
def test_worth_does_not_depend_on_the_scale_of_the_input(seed):
    nb, x = linear(300, seed)
    assert decision.evppi(nb, np.exp(3 * x[:, 0])) == decision.evppi(nb, x[:, 0])


# All at once


def test_all_parameters_and_groups():
    nb, x = linear(1000, 15)
    parameters = {"a": x[:, 0], "b": x[:, 1], "both at once": x, "fixed": np.ones(1000)}
    found = decision.evppi_all(nb, parameters, {"a and b": ["a", "b"], "b alone": ("b",)})
    assert list(found) == [*parameters, "a and b", "b alone"]
    assert found["a"] == decision.evppi(nb, x[:, 0])
    assert found["a and b"] == found["both at once"] == decision.evppi(nb, x)
    assert found["b alone"] == found["b"]
    assert found["fixed"] == decision.Estimate(0.0, 0.0)


def test_population():
    """1,000 people a year over 3 years at 3.5 %: 1000 (1 + 1/1.035 + 1/1.035²)."""
    by_hand = 2.5 * 1000 * (1 + 1 / 1.035 + 1 / 1.035**2)
    assert decision.population(2.5, 1000, 3, 0.035) == pytest.approx(by_hand)
    assert decision.population(2.0, [10, 20], 2, 0.0) == 60
    assert decision.population(np.array([1.0, 2.0]), 5, 1, 0.5) == pytest.approx([5, 10])


# The functions that are regressed on


@pytest.mark.parametrize(
    "draw",
    [
        lambda r: r.normal(size=1000),
        lambda r: r.standard_cauchy(1000),
        lambda r: r.poisson(20, 1000).astype(float),
        lambda r: r.gamma(1, size=1000) * (r.random(1000) < 0.3),
        lambda r: r.integers(0, 4, 1000).astype(float),
        lambda r: r.normal(size=60),
    ],
    ids=["normal", "Cauchy", "counts", "mostly zero", "four values", "few draws"],
)
def test_functions_of_an_input_are_orthonormal_and_start_with_constant_and_line(draw):
    x = draw(np.random.default_rng(16))
    functions, roughness = input_basis(x)
    assert functions.T @ functions == pytest.approx(np.eye(functions.shape[1]), abs=1e-5)
    assert functions[:, 0] == pytest.approx(np.full(len(x), len(x) ** -0.5))
    scores = stats.norm.ppf((stats.rankdata(x) - 0.5) / len(x))
    assert np.corrcoef(functions[:, 1], scores)[0, 1] == pytest.approx(1)
    assert (np.diff(roughness) >= 0).all()


def test_terms_of_a_group():
    """Three inputs: 4 functions of each and 3 products of lines are sure; more where allowed."""
    random = np.random.default_rng(17)
    bases = [input_basis(column)[0] for column in random.normal(size=(3, 500))]
    terms, inputs, order = group_terms(bases, 0)
    assert terms.shape == (500, 1 + 12 + 3)
    assert np.bincount(inputs).tolist() == [1, 12, 3]
    assert sorted(order[inputs == 1]) == sorted([1, 2, 3, 4] * 3)
    # total order 3: 6 products of a line and a curve, 1 product of three lines
    assert group_terms(bases, 16 + 7)[0].shape[1] == 16 + 7
    assert np.bincount(group_terms(bases, 16 + 6)[1]).tolist() == [1, 12 + 6, 3]
    assert (terms[1:] ** 2).mean() == pytest.approx(1, rel=0.2)


# What is refused


def test_what_cannot_be_valued():
    nb, x = linear(200, 18)
    broken = x[:, 0].copy()
    broken[7] = np.nan
    for wrong, message in (
        (broken, "inputs hold 1 values that are NaN or infinite, the first in row 7"),
        (x[:100, 0], "inputs: 100 draws, but 200 of net benefit"),
        (np.zeros((2, 2, 2)), "inputs must have 2 axes, not 3"),
    ):
        with pytest.raises(ParameterError, match=message):
            decision.evppi(nb, wrong)
    with pytest.raises(ParameterError, match="net benefits are of one strategy"):
        decision.evppi(nb[:, :1], x[:, 0])
    with pytest.raises(ParameterError, match="summaries: 100 draws"):
        decision.evsi(nb, x[:100])


def test_too_few_draws():
    nb, x = linear(49, 19)
    with pytest.raises(ParameterError, match=r"49 draws are too few .* wants 50"):
        decision.evppi(nb, x[:, 0])
    nb, _ = linear(400, 19)
    wide = np.random.default_rng(19).normal(size=(400, 10))
    # 5 for each of 1 + 40 functions of one input + 45 pairs
    with pytest.raises(ParameterError, match=r"400 draws .* value all \(10 inputs\).* wants 430"):
        decision.evppi_all(nb, {"all": wide})


def test_groups_that_make_no_sense():
    nb, x = linear(100, 20)
    for groups, message in (
        ({"g": ["a", "nobody"]}, "Group 'g' must list parameters; there are none called nobody"),
        ({"g": []}, "Group 'g' must list parameters."),
        ({"g": "a"}, "Group 'g' must list parameters."),
        ({"a": ["a"]}, "Group 'a' is called like a parameter"),
    ):
        with pytest.raises(ParameterError, match=message):
            decision.evppi_all(nb, {"a": x[:, 0]}, groups)


@pytest.mark.parametrize(
    ("people", "years", "discount", "message"),
    [
        (1, 0, 0.03, "years is 0; a whole number"),
        (1, 2.5, 0.03, "years is 2.5; a whole number"),
        ([1, 2, 3], 2, 0.03, "one number or one for each of 2 years"),
        (-1, 2, 0.03, "one number or one for each of 2 years"),
        (1, 2, np.nan, "discount hold 1 values that are NaN"),
    ],
)
def test_populations_that_make_no_sense(people, years, discount, message):
    with pytest.raises(ParameterError, match=message):
        decision.population(1.0, people, years, discount)
