"""What studies/maihda.py found: honest intervals, few false alarms, and what shrinking gains."""

import numpy as np
import pytest
from scipy import stats

NOTHING, MAIN, SMALL, SMALL_MANY, LARGE = (
    *("nothing", "main effects only"),
    *("1 to 2 points", "1 to 2 points, many patients", "5 points"),
)
SERVICES, SERVICES_MANY = (
    *("main effects only, services", "main effects only, services, many patients"),
)
TUNED = 40  # draws on which the rule was chosen by which an interval begins at zero


@pytest.fixture(scope="module")
def rows(reported):
    """Replicates by design."""
    found = {}
    for row in reported("maihda"):
        found.setdefault(row["design"], []).append(row)
    assert min(map(len, found.values())) >= 200
    return found


def column(rows, name):
    return np.array([row[name] for row in rows], dtype=float)


@pytest.mark.parametrize("design", [NOTHING, MAIN, SMALL, SMALL_MANY, LARGE])
@pytest.mark.parametrize("name", ["vpc", "vpc_interaction", "pcv"])
def test_intervals_cover_what_was_planted_zero_included(rows, design, name):
    """At least as often as 95 %, within Monte Carlo error: in all draws and in untouched ones."""
    if (design, name) == (NOTHING, "pcv"):
        return  # no variance that could change
    for first in (0, TUNED):
        found = [row for row in rows[design] if row[name] is not None and row["draw"] >= first]
        covered = int(column(found, f"{name}_covered").sum())
        assert stats.binomtest(covered, len(found), 0.95, "less").pvalue > 0.01


@pytest.mark.parametrize("design", [MAIN, SMALL, SMALL_MANY, LARGE])
def test_the_share_of_variance_is_hardly_biased(rows, design):
    found = column(rows[design], "vpc")
    assert found.mean() == pytest.approx(column(rows[design], "vpc_true").mean(), rel=0.12)


def test_the_change_in_variance_is_hardly_biased(rows):
    for design in (MAIN, SMALL, SMALL_MANY, LARGE):
        found = [row for row in rows[design] if row["pcv"] is not None]
        assert len(found) >= 0.9 * len(rows[design])
        off = column(found, "pcv") - column(found, "pcv_true")
        assert abs(off.mean()) < 0.03, design


def test_where_there_is_no_variance_intervals_begin_at_zero(rows):
    """A false alarm: the interval excludes zero."""
    for design, name in ((NOTHING, "vpc"), (NOTHING, "vpc_interaction"), (MAIN, "vpc_interaction")):
        alarms = int((column(rows[design], f"{name}_low") > 0).sum())
        assert stats.binomtest(alarms, len(rows[design]), 0.05, "greater").pvalue > 0.01


def test_what_it_takes_to_see_that_strata_are_more_than_their_parts(rows):
    """Differences of 5 points are seen in 12,000 patients, of 1 to 2 points in 100,000 only."""

    def power(design):
        return (column(rows[design], "vpc_interaction_low") > 0).mean()

    assert power(SMALL) < 0.5
    assert power(SMALL_MANY) > 0.7
    assert power(LARGE) > 0.8


@pytest.mark.parametrize("design", [NOTHING, MAIN, SMALL, SMALL_MANY, LARGE])
def test_intervals_of_shrunken_rates_cover(rows, design):
    found = column(rows[design], "means_covered")
    error = found.std(ddof=1) / np.sqrt(len(found))
    assert found.mean() > 0.93 - 2 * error
    small, covered = (int(column(rows[design], f"small{x}").sum()) for x in ("", "_covered"))
    assert stats.binomtest(covered, small, 0.93, "less").pvalue > 0.01


@pytest.mark.parametrize("design", [NOTHING, MAIN, SMALL, SMALL_MANY, LARGE])
def test_shrunken_rates_have_less_error_than_raw_ones(rows, design):
    raw, mean, null = (
        column(rows[design], f"{x}_mse").mean() for x in ("raw", "mean", "null_mean")
    )
    assert mean < 0.4 * raw
    assert null < raw
    if design != NOTHING:  # there main effects are nothing but noise
        assert mean < null


def test_hardly_any_stratum_is_flagged_where_nothing_is(rows):
    """Raw intervals flag about as many as chance would."""
    for design in (NOTHING, MAIN):
        strata = column(rows[design], "strata").sum()
        assert column(rows[design], "flagged").sum() / strata < 0.005
        assert column(rows[design], "flagged_raw").sum() / strata > 0.02


def test_flags_have_the_right_sign(rows):
    for design in (SMALL, SMALL_MANY, LARGE):
        flagged, right, expected = (
            column(rows[design], name).sum() for name in ("flagged", "right", "wrong_expected")
        )
        assert flagged - right <= 3 + 3 * expected, design
    strata = column(rows[LARGE], "strata").sum()
    assert 0.01 < column(rows[LARGE], "right").sum() / strata < 0.2  # power is low for each


def test_services_that_the_model_does_not_know_make_intervals_too_narrow(rows):
    """And with many patients alarms false, as `maihda.fit` says."""
    narrow = {}
    for design in (SERVICES, SERVICES_MANY):
        covered = column(rows[design], "means_covered").mean()
        narrow[design] = stats.norm.isf(0.025) / stats.norm.isf((1 - covered) / 2)
    assert narrow[SERVICES] == pytest.approx(1.2, abs=0.1)
    assert narrow[SERVICES_MANY] == pytest.approx(1.8, abs=0.15)
    alarms = [
        (column(rows[design], "vpc_interaction_low") > 0).mean()
        for design in (SERVICES, SERVICES_MANY)
    ]
    assert alarms[0] == pytest.approx(0.05, abs=0.04)
    assert alarms[1] == pytest.approx(0.6, abs=0.1)


def test_chains_agree(rows):
    found = [row for part in rows.values() for row in part]
    assert sum(row["divergences"] for row in found) == 0
    assert np.quantile(column(found, "r_hat"), 0.95) < 1.02


def test_it_can_be_computed_again(assert_again):
    """Within the Monte Carlo error of the chains: on another machine they are other chains."""
    assert_again("maihda", rel=0.1, abs=0.05, counts=1)
