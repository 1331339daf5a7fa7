"""Standardised rates beside statsmodels, repeated draws, integration and sums by hand."""

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from scipy import integrate, stats
from scipy.special import expit

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.models.case_mix import direct, fit_mixed, standardise
from iesoresearch.models.case_mix.standardising import EMPTY_STRATUM, ONE_CLUSTER, TOO_FEW
from iesoresearch.models.proportions import newcombe, wilson

SMALL = 700


def draw(seed=1, n=SMALL, clusters=20, tau=0.0):
    """Patients of two groups, b with more severe first scores and lower odds."""
    random = np.random.default_rng(seed)
    group = np.where(random.random(n) < 0.3, "b", "a")
    score = random.normal(14, 5, n) + 3 * (group == "b")
    step = random.choice(["low", "high"], n)
    cluster = random.integers(0, clusters, n)
    eta = 1 - 0.08 * score - 0.4 * (group == "b") + 0.3 * (step == "high")
    p = expit(eta + random.normal(0, tau, clusters)[cluster])
    frame = pl.DataFrame({"score": score, "step": step})
    return frame, group, cluster, p, (random.random(n) < p).astype(float)


def columns(frame, group):
    """As the model should have made them, for statsmodels; the group last."""
    step = frame["step"].to_numpy()
    larger = "low" if (step == "low").sum() >= (step == "high").sum() else "high"
    parts = (np.ones(len(step)), frame["score"].to_numpy(), step != larger, group == "b")
    return np.column_stack(parts).astype(float)


def numbers(found, level, *names):
    return found.frame.filter(level=level).select(*names).row(0)


def test_without_case_mix_rates_are_those_observed():
    _, group, _, _, y = draw()
    found = standardise(y, group)
    a, b = (y[group == g] for g in "ab")
    assert found.reference == "a"
    assert numbers(found, "a", "n", "events", "rate") == (
        len(a),
        a.sum(),
        pytest.approx(100 * a.mean()),
    )
    (points,) = numbers(found, "b", "points")
    assert points == pytest.approx(100 * (b.mean() - a.mean()))
    # robust and with one group's rate per parameter: the variance of a difference of proportions
    error = np.sqrt(a.var() / len(a) + b.var() / len(b))
    assert numbers(found, "b", "points_low", "points_high") == pytest.approx(
        (points - 196 * error, points + 196 * error), abs=0.02
    )
    (odds,) = numbers(found, "b", "odds_ratio")
    assert odds == pytest.approx((b.mean() / (1 - b.mean())) / (a.mean() / (1 - a.mean())))
    assert numbers(found, "a", "points", "odds_ratio", "reason") == (None, None, "")


def test_the_gap_is_the_average_marginal_effect_of_statsmodels():
    frame, group, _, _, y = draw()
    found = standardise(y, group, frame)
    fitted = sm.Logit(y, columns(frame, group)).fit(disp=0, cov_type="HC0")
    margins = fitted.get_margeff(at="overall", method="dydx", dummy=True)
    gap, error = 100 * margins.margeff[-1], 100 * margins.margeff_se[-1]
    points, low, high = numbers(found, "b", "points", "points_low", "points_high")
    assert points == pytest.approx(gap, abs=1e-6)
    assert (high - low) / (2 * 1.959964) == pytest.approx(error, rel=2e-3)
    odds, low, high = numbers(found, "b", "odds_ratio", "odds_ratio_low", "odds_ratio_high")
    assert odds == pytest.approx(np.exp(fitted.params[-1]))
    assert np.log([low, high]) == pytest.approx(fitted.conf_int()[-1], abs=1e-3)  # N / (N − 1)


def test_rates_are_averages_of_predictions():
    frame, group, _, _, y = draw()
    found = standardise(y, group, frame)
    x = columns(frame, group)
    fitted = sm.Logit(y, x).fit(disp=0, cov_type="HC0")
    for level, value in (("a", 0.0), ("b", 1.0)):
        as_level = x.copy()
        as_level[:, -1] = value
        rate = fitted.predict(as_level).mean()
        gradient = (expit(as_level @ fitted.params) * (1 - expit(as_level @ fitted.params))) @ (
            as_level / len(x)
        )
        error = np.sqrt(gradient @ fitted.cov_params() @ gradient) / (rate * (1 - rate))
        middle = np.log(rate / (1 - rate))
        expected = [100 * expit(middle + k * 1.959964 * error) for k in (0, -1, 1)]
        assert numbers(found, level, "rate", "rate_low", "rate_high") == pytest.approx(
            expected, abs=0.02
        )


def test_intervals_are_as_wide_as_repeated_draws():
    """Outcomes drawn anew from the fitted chances, the case mix staying: 200 draws."""
    frame, group, _, p, _ = draw(n=800)
    random = np.random.default_rng(2)
    found = [standardise((random.random(800) < p) * 1.0, group, frame) for _ in range(200)]
    gaps = np.array([numbers(one, "b", "points", "points_low", "points_high") for one in found])
    assert (gaps[:, 2] - gaps[:, 1]).mean() == pytest.approx(3.92 * gaps[:, 0].std(), rel=0.15)
    truth = _truth(frame, p, group)
    assert np.mean((gaps[:, 1] <= truth) & (truth <= gaps[:, 2])) > 0.91  # Monte Carlo error 1.5


def _truth(frame, p, group):
    eta = np.log(p / (1 - p)) + 0.4 * (group == "b")
    return 100 * (expit(eta - 0.4) - expit(eta)).mean()


def test_clusters_are_those_of_statsmodels():
    frame, group, cluster, _, y = draw(tau=0.5)
    found = standardise(y, group, frame, cluster=cluster)
    fitted = sm.Logit(y, columns(frame, group)).fit(
        disp=0,
        cov_type="cluster",
        cov_kwds={"groups": cluster, "use_correction": False},
    )
    error = fitted.bse[-1] * np.sqrt(20 / 19)
    low, high = numbers(found, "b", "odds_ratio_low", "odds_ratio_high")
    assert np.log(high / low) == pytest.approx(2 * stats.t.ppf(0.975, 19) * error, rel=1e-6)


def test_few_clusters_with_a_level_widen_its_interval_and_one_gives_none():
    frame, group, cluster, _, y = draw(n=900)
    group = np.where(cluster < 3, group, "a")
    wide = standardise(y, group, frame, cluster=cluster)
    plain = sm.Logit(y, columns(frame, group)).fit(
        disp=0, cov_type="cluster", cov_kwds={"groups": cluster, "use_correction": False}
    )
    low, high = numbers(wide, "b", "odds_ratio_low", "odds_ratio_high")
    error = plain.bse[-1] * np.sqrt(20 / 19)
    assert np.log(high / low) == pytest.approx(2 * stats.t.ppf(0.975, 2) * error, rel=1e-6)
    group = np.where(cluster == 0, "b", "a")
    single = standardise(y, group, frame, cluster=cluster)
    points, low, high, reason = numbers(
        single, "b", "points", "points_low", "points_high", "reason"
    )
    assert points is not None
    assert (low, high, reason) == (None, None, ONE_CLUSTER)
    everybody = standardise(y, group, frame, cluster=np.zeros(900))
    assert numbers(everybody, "b", "points_low", "reason") == (None, ONE_CLUSTER)
    assert numbers(everybody, "b", "points") == pytest.approx((points,))
    assert numbers(everybody, "a", "rate_high", "reason") == (None, ONE_CLUSTER)


def test_intervals_of_clusters_cover():
    """Services that differ, 30 of them; the gap is within services. 150 draws, error 1.8 %."""
    covered = []
    for seed in range(150):
        random = np.random.default_rng(seed)
        cluster = np.repeat(np.arange(30), 40)
        group = np.where(random.random(1200) < 0.3, "b", "a")
        slope = random.normal(-0.4, 0.3, 30)  # and the gap differs between services as well
        p = expit(random.normal(0, 0.5, 30)[cluster] + slope[cluster] * (group == "b"))
        found = standardise((random.random(1200) < p) * 1.0, group, cluster=cluster)
        low, high = numbers(found, "b", "odds_ratio_low", "odds_ratio_high")
        # the average odds ratio over such services, by integration
        covered.append(low < MARGINAL < high)
    assert np.mean(covered) > 0.89


def _marginal():
    def rate(mean, sd):
        return integrate.quad(lambda z: expit(mean + sd * z) * stats.norm.pdf(z), -9, 9)[0]

    a, b = rate(0, 0.5), rate(-0.4, np.hypot(0.5, 0.3))
    return (b / (1 - b)) / (a / (1 - a))


MARGINAL = _marginal()


def test_rates_with_random_intercepts_are_integrals():
    frame, group, cluster, _, y = draw(n=1500, tau=0.8)
    found = standardise(y, group, frame, cluster=cluster, mixed=True)
    x = columns(frame, group)
    model = fit_mixed(x[:, 1:], y, np.ones(len(y)), cluster)
    assert found.tau == pytest.approx(model.tau, rel=1e-5)
    assert found.tau > 0.3
    for level, value in (("a", 0.0), ("b", 1.0)):
        as_level = x.copy()
        as_level[:, -1] = value
        expected = 100 * _by_grid(as_level @ model.coefficients, model.tau)
        assert numbers(found, level, "rate") == pytest.approx((expected,), abs=1e-4)
    odds, low, high = numbers(found, "b", "odds_ratio", "odds_ratio_low", "odds_ratio_high")
    error = np.sqrt(model.covariance[-1, -1])
    assert np.log([odds, low, high]) == pytest.approx(
        model.coefficients[-1] + np.array([0, -1.959964, 1.959964]) * error, abs=1e-4
    )


def _by_grid(eta, tau):
    """Mean chance over patients and Normal intercepts, by the trapezoid rule."""
    b = np.linspace(-8, 8, 801) * tau
    return (expit(eta[:, None] + b) * stats.norm.pdf(b, scale=tau)).sum(axis=1).mean() * (
        b[1] - b[0]
    )


def test_the_delta_method_of_random_intercepts_is_as_wide_as_repeated_draws():
    """Services and outcomes drawn anew; 120 draws of 40 services."""
    found = []
    for seed in range(120):
        random = np.random.default_rng(seed)
        cluster = np.repeat(np.arange(40), 30)
        group = np.where(random.random(1200) < 0.3, "b", "a")
        eta = random.normal(0, 0.8, 40)[cluster] - 0.5 * (group == "b")
        y = (random.random(1200) < expit(eta)).astype(float)
        found.append(standardise(y, group, cluster=cluster, mixed=True))
    for name, scale in (("points", 1.0), ("rate", 1.0)):
        values = np.array([numbers(one, "b", name, f"{name}_low", f"{name}_high") for one in found])
        width = (values[:, 2] - values[:, 1]).mean() * scale
        assert width == pytest.approx(3.92 * values[:, 0].std(), rel=0.2)
    gaps = np.array([numbers(one, "b", "points") for one in found])
    truth = 100 * (_by_grid(np.array([-0.5]), 0.8) - _by_grid(np.array([0.0]), 0.8))
    assert gaps.mean() == pytest.approx(truth, abs=3 * gaps.std() / np.sqrt(120))


def test_counts_are_as_good_as_patients():
    frame, group, cluster, _, y = draw(n=2000)
    frame = frame.with_columns((pl.col("score") / 10).round() * 10)
    cells = frame.with_columns(group=pl.Series(group), c=pl.Series(cluster), y=pl.Series(y))
    cells = cells.group_by("score", "step", "group", "c", maintain_order=True)
    cells = cells.agg(pl.col("y").sum(), n=pl.len())
    one = standardise(y, group, frame, cluster=cluster)
    other = standardise(
        cells["y"], cells["group"], cells.select("score", "step"), n=cells["n"], cluster=cells["c"]
    )
    assert one.frame.select(pl.selectors.numeric()).to_numpy() == pytest.approx(
        other.frame.select(pl.selectors.numeric()).to_numpy(), abs=1e-6, nan_ok=True
    )


def test_small_levels_are_left_out_and_say_why():
    frame, group, _, _, y = draw()
    group = np.where(np.arange(SMALL) < 9, "tiny", group)
    found = standardise(y, group, frame, reference="b")
    assert found.frame["level"].to_list() == ["b", "a", "tiny"]
    assert numbers(found, "tiny", "n", "rate", "points", "reason") == (9, None, None, TOO_FEW)
    assert (found.n_used, found.n_left_out) == (SMALL - 9, 9)
    without = standardise(y[9:], group[9:], frame[9:], reference="b")
    assert found.frame[:2].equals(without.frame)


def test_direct_standardisation_by_hand():
    """Rates .2 and .6, .3 and .5 in two strata that hold 3/8 and 5/8 of everybody."""
    counts = [("a", "x", 20, 100), ("a", "y", 60, 100), ("b", "x", 15, 50), ("b", "y", 75, 150)]
    group, stratum, events, n = zip(*counts, strict=True)
    found = direct(events, group, stratum, n=n, reference="a")
    assert numbers(found, "a", "rate") == pytest.approx((100 * (0.2 * 3 + 0.6 * 5) / 8,))
    assert numbers(found, "b", "rate") == pytest.approx((100 * (0.3 * 3 + 0.5 * 5) / 8,))
    points, low, high = numbers(found, "b", "points", "points_low", "points_high")
    assert points == pytest.approx(100 * (0.1 * 3 - 0.1 * 5) / 8)
    rates, weights = np.array([0.3, 0.5, 0.2, 0.6]), np.array([3, 5, 3, 5]) / 8
    error = np.sqrt((weights**2 * rates * (1 - rates) / [50, 150, 100, 100]).sum())
    assert high - low == pytest.approx(2 * 196 * error, rel=0.02)


def test_intervals_of_direct_standardisation_cover():
    """Three strata of another mix in each group, the smallest of 12; 300 draws, error 1.3 %."""
    n = np.array([60, 80, 30, 12, 40, 50])
    group, stratum = np.repeat(["a", "b"], 3), np.tile(["x", "y", "z"], 2)
    rates = np.array([0.3, 0.5, 0.7, 0.2, 0.45, 0.6])
    weights = (n[:3] + n[3:]) / n.sum()
    truth = {"rate": 100 * weights @ rates[3:], "points": 100 * weights @ (rates[3:] - rates[:3])}
    random = np.random.default_rng(4)
    found = [
        direct(random.binomial(n, rates), group, stratum, n=n, reference="a") for _ in range(300)
    ]
    for name, value in truth.items():
        limits = np.array([numbers(one, "b", f"{name}_low", f"{name}_high") for one in found])
        assert 0.91 < np.mean((limits[:, 0] <= value) & (value <= limits[:, 1])) < 0.99


def test_direct_standardisation_with_one_stratum_is_newcombes():
    found = direct([30, 12], ["a", "b"], ["all", "all"], n=[60, 40])
    low, high = wilson(12, 40)
    assert numbers(found, "b", "rate_low", "rate_high") == pytest.approx((100 * low, 100 * high))
    gap = [100 * float(x) for x in newcombe(12, 40, 30, 60)]
    assert numbers(found, "b", "points", "points_low", "points_high") == pytest.approx(gap)


def test_direct_standardisation_needs_everybody_in_every_stratum():
    group = ["a", "a", "b", "c", "c"]
    counts = {"events": [30, 30, 30, 20, 20], "n": [60, 60, 60, 50, 50]}
    found = direct(counts["events"], group, ["x", "y", "x", "x", "y"], n=counts["n"])
    assert numbers(found, "b", "rate", "points", "reason") == (None, None, EMPTY_STRATUM)
    assert numbers(found, "c", "reason") == ("",)
    with pytest.raises(DataError, match="nobody of the reference group"):
        direct(counts["events"], group, ["x", "y", "x", "x", "y"], n=counts["n"], reference="b")


def test_what_cannot_be_had_is_refused():
    frame, group, _, _, y = draw()
    with pytest.raises(ParameterError, match="reference group 'c'"):
        standardise(y, group, frame, reference="c")
    with pytest.raises(ParameterError, match="Random intercepts need clusters"):
        standardise(y, group, frame, mixed=True)
    with pytest.raises(ParameterError, match="differ in length"):
        standardise(y, group, frame[:9])
    with pytest.raises(DataError, match="need two groups"):
        standardise(y, ["a"] * SMALL, frame)
    with pytest.raises(DataError, match="there are empty cells"):
        standardise(y, [None, *group[1:]], frame)
    with pytest.raises(DataError, match="The column 'group' follows"):
        standardise(y, group, frame.with_columns(again=pl.Series(group)))
    with pytest.raises(DataError, match="The column 'result' tells"):
        standardise(y, group, frame.with_columns(result=pl.Series(y)))


@pytest.fixture(scope="module")
def drawn():
    return draw()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"level": 95}, "level of 95 is not between 0 and 1"),
        ({"level": 1}, "level of 1 is not between 0 and 1"),
        ({"events": ["yes", "no"] * 350}, "events and people are numbers or booleans"),
        ({"events": 2.0 * np.ones(SMALL)}, "more events than people"),
        ({"events": 0.5 * np.ones(SMALL)}, "no whole number"),
        ({"events": np.ones((SMALL, 2))}, "two columns of the same length"),
        ({"n": np.full(SMALL, np.inf)}, "below 0 or infinite"),
        ({"n": np.full(SMALL, -1)}, "below 0 or infinite"),
        ({"n": np.full(9, 1)}, "two columns of the same length"),
        ({"n": ["many"] * SMALL}, "events and people are numbers or booleans"),
        ({"group": [1, "a"] * 350}, "'group' takes one label for each row"),
        ({"group": [[1]] * SMALL}, "'group' takes one label for each row"),
        ({"cluster": 5}, "'cluster' takes one label for each row"),
        ({"cluster": [1, 2]}, "differ in length"),
        ({"reference": 5}, "no patient of the reference group '5'"),
        ({"x": list(range(SMALL))}, r"a polars\.DataFrame, .* this is a list"),
        ({"x": pl.DataFrame({"a": [[1]] * SMALL})}, "column 'a' holds no single values"),
        ({"x": pl.DataFrame({"a": [np.inf, *range(1, SMALL)]})}, "column 'a' has infinite numbers"),
    ],
)
def test_arguments_that_are_none_are_refused(drawn, changed, message):
    frame, group, _, _, y = drawn
    with pytest.raises(ParameterError, match=message):
        standardise(**{"events": y, "group": group, "x": frame, **changed})


@pytest.mark.parametrize("hole", [None, np.nan])
@pytest.mark.parametrize("name", ["event", "n", "score", "cluster"])
def test_empty_cells_are_refused_by_the_name_of_the_column(drawn, name, hole):
    frame, group, cluster, _, y = drawn
    given = {"event": y, "n": np.ones(SMALL), "score": frame["score"], "cluster": cluster * 1.0}
    given = {column: list(values) for column, values in given.items()}
    given[name][3] = hole
    x = pl.DataFrame({"score": given.pop("score")})
    with pytest.raises(DataError, match=f"empty cells in the column '{name}'"):
        standardise(given.pop("event"), group, x, **given)


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"stratum": ["all"]}, ParameterError, "differ in length"),
        ({"stratum": ["all", None]}, DataError, "empty cells in the column 'stratum'"),
        ({"stratum": 5}, ParameterError, "'stratum' takes one label for each row"),
        ({"events": [30, 45]}, ParameterError, "more events than people"),
        ({"n": [60, -40]}, ParameterError, "below 0 or infinite"),
        ({"events": ["30", "many"]}, ParameterError, "numbers or booleans"),
        ({"events": [30, None]}, DataError, "empty cells in the column 'event'"),
        ({"level": 95}, ParameterError, "level of 95 is not between 0 and 1"),
    ],
)
def test_arguments_of_direct_standardisation_are_refused(changed, error, message):
    given = {"events": [30, 12], "group": ["a", "b"], "stratum": ["all", "all"], "n": [60, 40]}
    with pytest.raises(error, match=message):
        direct(**given | changed)
