"""What studies/red_team.py found: of 210 sets none is disclosed, and the attack is a real one."""

import pytest


@pytest.fixture(scope="module")
def rows(reported):
    return reported("red_team")


def test_no_small_count_of_any_set_loses_a_value(rows):
    assert len(rows) >= 200
    assert sum(row["small"] for row in rows) > 1_000
    assert [row for row in rows if row["narrowed"] or row["shown"]] == []


def test_without_suppression_over_all_tables_many_are_disclosed(rows):
    linked = [row for row in rows if row["design"] in ("three-way", "hierarchy", "national")]
    assert sum(row["without"] > 0 for row in linked) > len(linked) / 4


def test_replicates_come_out_again(assert_again):
    assert_again("red_team")
