"""What studies/evidence_synthesis.py found: no bias, honest intervals, and what ignoring costs."""

import numpy as np
import pytest
from scipy import stats

TRUTH = {"mean": 0.6, "between": 0.4, "within": 0.2}


@pytest.fixture(scope="module")
def rows(reported):
    """Replicates by design."""
    found = {}
    for row in reported("evidence_synthesis"):
        found.setdefault(row["design"], []).append(row)
    assert all(len(part) >= 100 for part in found.values())
    return found


def column(rows, name):
    return np.array([row[name] for row in rows])


@pytest.mark.parametrize("design", ["alike", "small trials differ"])
@pytest.mark.parametrize("name", ["mean", "between", "within", "small_study", "reml"])
def test_intervals_cover_what_was_planted(rows, design, name):
    found = rows[design]
    if f"{name}_covered" not in found[0]:
        assert design == "alike"
        return
    covered = column(found, f"{name}_covered").sum()
    assert stats.binomtest(int(covered), len(found), 0.95).pvalue > 0.01


@pytest.mark.parametrize("design", ["alike", "small trials differ"])
def test_the_mean_is_not_biased(rows, design):
    for name in ("mean", "reml"):
        off = column(rows[design], name) - TRUTH["mean"]
        assert abs(off.mean()) < 3 * off.std(ddof=1) / np.sqrt(len(off)), name


@pytest.mark.parametrize("name", ["between", "within"])
def test_the_spread_is_nearly_not_biased(rows, name):
    """Priors and a bound at zero move it, by less than a tenth of the planted value."""
    for design in ("alike", "small trials differ"):
        assert column(rows[design], name).mean() == pytest.approx(TRUTH[name], rel=0.12), design


def test_ignoring_that_small_trials_differ_misleads(rows):
    found = rows["small trials differ, ignored"]
    assert column(found, "mean").mean() > TRUTH["mean"] + 0.2
    assert column(found, "mean_covered").mean() < 0.05


def test_no_transition_diverged(rows):
    assert sum(row["divergences"] for part in rows.values() for row in part) <= 3


def test_it_can_be_computed_again(assert_again):
    assert_again("evidence_synthesis", rel=0.02, abs=0.02)
