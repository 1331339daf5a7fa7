"""What studies/planted_gaps.py found: no bias, intervals that hold, few false alarms, power."""

import numpy as np
import pytest
from scipy import stats

DESIGNS = ("none", "small", "larger")
GAPS = (0, 1)


@pytest.fixture(scope="module")
def rows(reported):
    """Replicates by design."""
    found = reported("planted_gaps")
    return {design: [r for r in found if r["design"] == design] for design in DESIGNS}


@pytest.fixture(scope="module")
def truth(load_study):
    return load_study("planted_gaps").TRUTH


def column(rows, name):
    return np.array([row[name] for row in rows], dtype=float)


def holds(rows, name, number, value):
    low, high = (column(rows, f"{name}_{end}_{number}") for end in ("low", "high"))
    return (low <= value) & (value <= high)


def found(rows, number):
    return np.array([r[f"finding_{number}"] in ("lower", "higher") for r in rows])


def test_planted_are_nothing_one_to_two_points_and_more(truth, rows):
    assert truth["none"] == (0.0, 0.0)
    assert all(1 <= -gap <= 2 for gap in truth["small"])
    assert all(-gap > 5 for gap in truth["larger"])
    assert all(len(found) >= 200 for found in rows.values())


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("number", GAPS)
def test_gaps_are_without_bias_and_their_intervals_hold(rows, truth, design, number):
    gap, true = column(rows[design], f"gap_{number}"), truth[design][number]
    error = gap.std(ddof=1) / np.sqrt(len(gap))
    assert abs(gap.mean() - true) < 3 * error
    inside = holds(rows[design], "gap", number, true)
    assert stats.binomtest(int(inside.sum()), len(inside), 0.95).pvalue > 0.01


def test_false_alarms_of_a_grouping_are_one_in_twenty_at_most(rows):
    """Nothing is planted: joint intervals of a grouping miss zero somewhere in at most 5 %."""
    false = sum(row["groupings_found"] for row in rows["none"])
    asked = sum(row["groupings"] for row in rows["none"])
    assert asked >= 600
    assert stats.binomtest(false, asked, 0.05, "greater").pvalue > 0.01
    alone = sum(r["missed"] for r in rows["none"]) / sum(r["compared"] for r in rows["none"])
    assert 0.03 < alone < 0.07


@pytest.mark.parametrize("number", GAPS)
def test_one_to_two_points_are_rarely_found_and_six_often(rows, number):
    """What 8,000 referrals can show: said, so that nobody takes silence for equality."""
    small, larger = (found(rows[design], number).mean() for design in ("small", "larger"))
    assert small < 0.12
    assert larger > 0.15
    assert larger > 3 * small


@pytest.mark.parametrize("number", GAPS)
def test_adjusted_gaps_of_nothing_are_nothing(rows, number):
    inside = holds(rows["none"], "adjusted", number, 0.0)
    assert stats.binomtest(int(inside.sum()), len(inside), 0.95).pvalue > 0.01


def test_it_can_be_computed_again(assert_again):
    assert_again("planted_gaps", rel=1e-6, abs=1e-6)
