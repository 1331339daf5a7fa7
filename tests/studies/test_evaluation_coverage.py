"""What studies/evaluation_coverage.py found: 95 % intervals hold the truth in 93 to 97 %."""

import numpy as np
import pytest
from scipy import stats

from iesoresearch.models.evaluation import metrics

DESIGNS = (
    "500",
    "2000",
    "500 in 100 clusters",
    "2000 in 100 clusters",
    "1000, one in ten with the event",
)


#: Their truth of 0 is the least they can be: intervals reach it rather too often than too rarely.
DISTANCES = ("ici", "e50", "e90")


@pytest.fixture(scope="module")
def found(reported, load_study):
    """By design and name of a number: data sets, intervals below and above the truth."""
    study = load_study("evaluation_coverage")
    out = {}
    for row in reported("evaluation_coverage"):
        design = out.setdefault(row["design"], {})
        for name in study.truth(study.DESIGNS[row["design"]]):
            missed = [study.BLOCK, row["below"].get(name, 0), row["above"].get(name, 0)]
            design[name] = design.get(name, 0) + np.array(missed)
    return out


@pytest.mark.parametrize("design", DESIGNS)
def test_intervals_hold_the_truth_in_93_to_97_percent(found, design):
    assert len(found[design]) == 16
    for name, (n, below, above) in found[design].items():
        assert n >= 1000
        covered = stats.binomtest(int(n - below - above), int(n))
        limits = covered.proportion_ci(0.95)
        said = f"{name}: {covered.statistic:.3f}, Monte Carlo {limits.low:.3f} to {limits.high:.3f}"
        assert limits.high - limits.low < 0.03, said
        assert covered.statistic >= 0.93, said
        if name not in DISTANCES:
            assert covered.statistic <= 0.97, said
            assert limits.low < 0.96, said
            assert limits.high > 0.94, said


@pytest.mark.parametrize("design", DESIGNS)
def test_intervals_miss_on_both_sides(found, design):
    """2.5 % are due to each, but of a distance, whose truth of 0 nothing can lie below."""
    for name, (n, below, above) in found[design].items():
        if name in DISTANCES:
            assert below == 0
        else:
            assert max(below, above) / n < 0.05, (name, below, above)


def test_true_values_are_those_of_many_people(load_study):
    """By counting among 400,000 drawn, whose standard errors are below 0.002."""
    study = load_study("evaluation_coverage")
    many = study.Design(400_000, 80_000, -1.0, 0.5, (0.25, 0.5))
    y, p, _ = study.draw(np.random.default_rng(1), many)
    true = study.truth(many)
    for name in ("auc", "brier", "scaled_brier", "log_loss"):
        assert getattr(metrics, name)(y, p) == pytest.approx(true[name], abs=0.006), name
    assert metrics.observed_expected(y, p) == pytest.approx(1, abs=0.02)
    found = metrics.calibration(y, p)
    assert (found.in_the_large, found.slope) == pytest.approx((0, 1), abs=0.02)
    for t in many.thresholds:
        benefit = metrics.net_benefit(y, p, t)
        assert benefit == pytest.approx(true[f"net_benefit_{t:g}"], abs=0.006)
        everybody = metrics.net_benefit_treat_all(y, t)
        assert everybody == pytest.approx(true[f"treat_all_{t:g}"], abs=0.006)


def test_it_can_be_computed_again(assert_again):
    assert_again("evaluation_coverage")
