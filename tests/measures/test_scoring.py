"""Totals by hand, and laws every total obeys."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iesoresearch.errors import DataError
from iesoresearch.measures import GAD7, PHQ9, WSAS, score


def scored(instrument, answers):
    frame = pl.DataFrame([answers], schema=dict.fromkeys(instrument.columns, pl.Int8), orient="row")
    return score(frame, instrument).row(0)


@pytest.mark.parametrize(
    ("instrument", "answers", "expected"),
    [
        (PHQ9, [1, 2, 3, 0, 1, 2, 3, 0, 1], (13.0, "moderate", "complete")),
        (PHQ9, [None, 2, 3, 0, 1, 2, 3, 0, 1], (13.5, "moderate", "prorated")),  # 12 * 9 / 8
        (PHQ9, [None, None, 3, 0, 1, 2, 3, 0, 1], (90 / 7, "moderate", "prorated")),
        (PHQ9, [None, None, None, 0, 1, 2, 3, 0, 1], (None, None, "too many missing")),
        (PHQ9, [None] * 9, (None, None, "too many missing")),
        (PHQ9, [1, 2, 3, 0, 1, 2, 3, 0, 4], (None, None, "out of range")),
        (PHQ9, [-1, 2, 3, 0, 1, 2, 3, 0, 1], (None, None, "out of range")),
        # 13 * 9 / 8 = 14.625 rounds to 15
        (PHQ9, [None, 2, 3, 0, 1, 2, 3, 1, 1], (14.625, "moderately severe", "prorated")),
        (GAD7, [1, 1, 1, 1, 1, 0, 0], (5.0, "mild", "complete")),
        (GAD7, [1, 1, 1, 1, 1, 0, None], (None, None, "too many missing")),
        (WSAS, [8, 8, 8, 8, 8], (40.0, None, "complete")),
        (WSAS, [9, 4, 4, 4, 4], (20.0, None, "prorated")),  # 9: work not applicable, no score
        (WSAS, [9, 4, 4, 4, None], (None, None, "too many missing")),
        (WSAS, [4, 9, 4, 4, 4], (None, None, "out of range")),  # only work may be 9
        (WSAS, [10, 4, 4, 4, 4], (None, None, "out of range")),
    ],
)
def test_by_hand(instrument, answers, expected):
    assert scored(instrument, answers) == pytest.approx(expected)


@given(st.lists(st.integers(0, 3), min_size=9, max_size=9))
def test_complete_total_is_the_sum(answers):
    total, band, status = scored(PHQ9, answers)
    assert (total, status) == (sum(answers), "complete")
    assert band in {b.name for b in PHQ9.bands}


@given(st.lists(st.one_of(st.none(), st.integers(-3, 12)), min_size=9, max_size=9))
def test_no_total_from_an_answer_out_of_range(answers):
    total, _, status = scored(PHQ9, answers)
    if any(a is not None and not 0 <= a <= 3 for a in answers):
        assert (total, status) == (None, "out of range")
    else:
        assert (total is None) == (sum(a is None for a in answers) > 2)
        assert total is None or 0 <= total <= 27


def test_absent_column_is_named():
    frame = pl.DataFrame({column: [0] for column in PHQ9.columns}).drop("phq9_4", "phq9_7")
    with pytest.raises(DataError, match=r"PHQ-9 cannot be scored: .* phq9_4, phq9_7 are absent"):
        score(frame, PHQ9)
