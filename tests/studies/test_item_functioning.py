"""What studies/item_functioning.py found: few false alarms, power, honest intervals."""

import numpy as np
import pytest
from scipy import stats

PLANTED = {"shift": [4], "slope": [2], "three": [3, 4, 7]}


@pytest.fixture(scope="module")
def rows(reported):
    """Replicates by design."""
    found = {}
    for row in reported("item_functioning"):
        found.setdefault(row["design"], []).append(row)
    return found


def column(rows, name):
    return np.array([row[name] for row in rows])


def no_more_than(n_false, n, level):
    """Whether a share could be that of tests of this level, by an exact test."""
    return stats.binomtest(int(n_false), n, level, "greater").pvalue > 0.01


def test_there_are_200_draws_and_more(rows):
    assert sum(len(found) for found in rows.values()) >= 200


def test_items_that_work_alike_raise_few_alarms(rows):
    """Of nine items together, where the other group is less ill by half a standard deviation."""
    null = rows["alike"] + rows["alike, many"]
    false = sum(bool(row["differing"]) for row in null)
    assert no_more_than(false, len(null), 0.05)
    assert stats.binomtest(false, len(null)).proportion_ci(0.95).high < 0.12


def test_a_straight_line_for_severity_would_alarm(rows):
    """As in the literature: the bend of the curve is taken for different functioning."""
    line = column(rows["alike"], "false_by_line").mean()
    assert line > 0.15
    assert column(rows["alike, many"], "false_by_line").mean() > max(line, 0.6)


def test_p_values_are_uniform_where_items_are_common(rows):
    p = column(rows["alike"], "p")[:, :6]  # of the last three, answers are too rare to be smooth
    for item in p.T:
        assert stats.kstest(item, "uniform").pvalue > 0.001


def test_what_was_planted_is_found(rows):
    """0.6 in log odds, or 0.8 in the slope, in two groups of 1,000."""
    for design in ("shift", "slope"):
        (item,) = PLANTED[design]
        found = sum(item in row["differing"] for row in rows[design])
        assert stats.binomtest(found, len(rows[design])).proportion_ci(0.95).low > 0.7, design
    share = np.mean([np.isin(PLANTED["three"], row["differing"]).mean() for row in rows["three"]])
    assert share > 0.6


def test_items_beside_a_planted_one_are_seldom_blamed(rows):
    for design, items in PLANTED.items():
        others = [bool(set(row["differing"]) - set(items)) for row in rows[design]]
        assert np.mean(others) < 0.2, design


def test_the_size_of_a_shift_is_that_planted(rows):
    odds = column(rows["shift"], "log_odds")[:, 4]
    assert abs(odds.mean() - 0.6) < 3 * odds.std() / np.sqrt(len(odds)) + 0.06


def test_severity_is_not_taken_for_functioning(rows):
    for design in ("alike", "shift", "slope", "three"):
        assert abs(column(rows[design], "mean").mean() + 0.5) < 0.06, design


def test_cautious_intervals_of_points_hold_the_truth(rows):
    """With all items free but three; those of the items that were found, where all were."""
    for found in (rows[design] for design in ("alike", "shift", "slope", "three")):
        _, low, high, true = np.array([row["at_cutoff_cautious"] for row in found]).T
        inside = ((low <= true) & (true <= high)).sum()
        assert stats.binomtest(int(inside), len(found), 0.95, "less").pvalue > 0.01
    right = [row["at_cutoff"] for row in rows["shift"] if row["differing"] == [4]]
    _, low, high, true = np.array(right).T
    inside = ((low <= true) & (true <= high)).sum()
    assert stats.binomtest(int(inside), len(right), 0.95, "less").pvalue > 0.01


def test_same_classes_raise_few_alarms_and_others_are_found(rows):
    null, planted = rows["same classes"], rows["two items differ"]
    false = (column(null, "p") <= 0.05).sum()
    assert no_more_than(false, len(null), 0.05)
    assert (column(planted, "p") <= 0.05).mean() > 0.5
    blamed = [bool(set(row["items"]) - {0, 1}) for row in planted]
    assert np.mean(blamed) < 0.2
    assert (column(null, "held_out") < 0).mean() > 0.9


def test_it_can_be_computed_again(assert_again):
    assert_again("item_functioning", rel=1e-3, abs=1e-3)
