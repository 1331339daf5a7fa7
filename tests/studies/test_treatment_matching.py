"""What studies/treatment_matching.py found: few false findings, power, honest intervals."""

import numpy as np
import pytest
from scipy import stats

NULL = ("equal for everybody", "one better for everybody")
LEVEL = 0.025  # of the claims
FOUND, BEYOND = "response differs by subtype", "response differs beyond the subtype"


@pytest.fixture(scope="module")
def rows(reported):
    """Replicates by design."""
    found = {}
    for row in reported("treatment_matching"):
        found.setdefault(row["design"], []).append(row)
    return found


@pytest.fixture(scope="module")
def null(rows):
    return [row for design in NULL for row in rows[design]]


def column(rows, name):
    return np.array([row[name] for row in rows])


def test_at_most_one_false_finding_in_twenty(null):
    """Any claim is false; the Monte-Carlo interval of their share agrees with the level."""
    assert len(null) >= 200
    false = sum(row["verdict"] == FOUND or row["verdict_beyond"] == BEYOND for row in null)
    assert false / len(null) <= 0.05
    interval = stats.binomtest(false, len(null)).proportion_ci(0.95)
    assert interval.high < 0.06
    assert interval.low < LEVEL


@pytest.mark.parametrize("name", ["p_subtypes", "p_beyond"])
def test_p_values_of_true_hypotheses_are_uniform(null, name):
    assert stats.kstest(column(null, name), "uniform").pvalue > 0.01


def test_confounding_would_mislead(rows):
    """The plain comparison is off by more than a point in every design; the adjusted one is not."""
    for design, found in rows.items():
        off = column(found, "unadjusted") - column(found, "true_overall")
        assert off.mean() > 0.9, design
        z = (column(found, "overall") - column(found, "true_overall")) / column(
            found, "overall_error"
        )
        assert abs(z.mean()) < 0.35, design


def test_planted_differences_are_found(rows):
    """Two points by kind mostly, by a long-term condition one time in three: 2,000 are few."""
    kind, ill = rows["by kind"], rows["by long-term condition"]
    assert len(kind) >= 100
    power = stats.binomtest(int((column(kind, "verdict") == FOUND).sum()), len(kind))
    assert power.proportion_ci(0.95).low > 0.7
    power = stats.binomtest(int((column(ill, "verdict_beyond") == BEYOND).sum()), len(ill))
    assert power.proportion_ci(0.95).low > 0.2


def test_an_effect_of_the_long_term_condition_is_not_taken_for_one_of_the_subtype(rows):
    wrong = (column(rows["by long-term condition"], "verdict") == FOUND).sum()
    assert wrong <= 0.05 * len(rows["by long-term condition"])


def test_intervals_of_effects_cover(rows):
    for design, found in rows.items():
        share = column(found, "covered").sum() / column(found, "subtypes").sum()
        assert 0.92 < share < 0.98, design


def test_intervals_of_what_the_personal_rule_saves_cover(rows):
    """Also where it saves something, which takes rules that are made from earlier folds."""
    for design, found in rows.items():
        off = np.abs(column(found, "saved") - column(found, "true_saved"))
        # where the rule is the single treatment, nothing is saved for sure
        inside = off <= 1.96 * column(found, "saved_error") + 1e-9
        assert stats.binomtest(int(inside.sum()), len(inside), 0.95, "less").pvalue > 0.01, design


def test_the_personal_rule_gains_where_there_is_something_to_gain(rows):
    assert column(rows["by kind"], "true_saved").mean() > 0.1
    assert np.abs(column(rows["equal for everybody"], "true_saved")).max() < 1e-9


def test_it_can_be_computed_again(assert_again):
    assert_again("treatment_matching", rel=1e-3, abs=1e-3)
