"""95 % intervals cover the truth as often as they should, in 500 simulated cohorts each.

A family of parameters: 93 to 97 %, give or take one Monte Carlo error (at most 0.9 points). A
parameter alone: no further from 95 % than four errors (3.9 points).
"""

import numpy as np
import pytest

FAMILIES = ("initial", "transition", "item_score", "total")
REPLICATES = 100  # of the bootstrap, in the study


@pytest.fixture(scope="module")
def coverage(reported):
    """Give coverage of a family of parameters, its Monte Carlo error, and that of each alone."""

    def of(study, name):
        flags = np.array([[sign == "1" for sign in record[name]] for record in reported(study)])
        by_cohort = flags.mean(axis=1)  # intervals of one cohort are not independent
        error = by_cohort.std(ddof=1) / np.sqrt(len(by_cohort))
        return by_cohort.mean(), error, flags.mean(axis=0)

    return of


def test_there_are_enough_cohorts(reported):
    for study in ("interval_coverage", "coefficient_coverage"):
        assert len(reported(study)) >= 500


@pytest.mark.parametrize("family", FAMILIES)
def test_bootstrap_intervals_cover_as_often_as_they_say(coverage, family):
    found, error, each = coverage("interval_coverage", f"{family} i_of_b_plus_1")
    assert error < 0.01
    assert 0.93 - error < found < 0.97 + error
    # no parameter alone, the rare move among them: 500 draws, four errors of one proportion
    assert abs(each - 0.95).max() < 4 * np.sqrt(0.95 * 0.05 / 500)


@pytest.mark.parametrize("family", FAMILIES)
def test_with_numpy_s_own_quantiles_they_are_too_narrow(coverage, family):
    """Of 100 draws they lie 0.95 * 99 places apart; a new draw falls between with 1 in 101 each."""
    foreseen = 0.95 * (REPLICATES - 1) / (REPLICATES + 1)
    assert foreseen == pytest.approx(0.931, abs=5e-4)
    found, error, _ = coverage("interval_coverage", f"{family} numpy")
    assert found == pytest.approx(foreseen, abs=3 * error)
    assert found < 0.935


@pytest.mark.parametrize(("family", "n"), [("initial", 6), ("moves", 18)])
def test_intervals_of_coefficients_cover_as_often_as_they_say(coverage, reported, family, n):
    """One without a standard error, where a logit has no finite maximum, counts as not covered."""
    found, error, each = coverage("coefficient_coverage", family)
    assert len(each) == n
    assert error < 0.01
    assert 0.93 - error < found < 0.97 + error
    assert abs(each - 0.95).max() < 4 * np.sqrt(0.95 * 0.05 / 500)
    without = np.mean([[s == "-" for s in r[family]] for r in reported("coefficient_coverage")])
    assert without < 0.01


@pytest.mark.parametrize("study", ["interval_coverage", "coefficient_coverage"])
def test_replicates_come_out_again(assert_again, study):
    assert_again(study)
