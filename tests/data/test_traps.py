"""Ten slips found in official scripts and metadata: each test fails if ours made the same one."""

from datetime import date, timedelta

import polars as pl
import pytest

from iesoresearch.data import codes, published
from iesoresearch.data.schema import Referrals
from iesoresearch.measures import WSAS
from iesoresearch.measures.outcomes import percentages_from_counts, referral_outcomes, wait_band
from iesoresearch.measures.problems import PROBLEMS

FIGURES = published.load()


def finished(breakdown, *groups):
    rows = FIGURES.filter(
        pl.col("group").is_in(groups),
        period="2024-25",
        org="England",
        breakdown=breakdown,
        measure="finished",
        statistic="count",
    )
    assert rows.height == len(groups)
    return rows["value"].sum()


def applied(expression, values, dtype):
    """What an expression of the column x makes of values."""
    return pl.DataFrame({"x": values}, schema={"x": dtype}).select(expression)["x"].to_list()


def course(*contacts):
    """Outcome of a finished referral with these contacts, a week apart."""
    rows = [
        {"referral_id": "r", "session": i, "date": date(2024, 1, 1) + timedelta(7 * i)} | contact
        for i, contact in enumerate(contacts, start=1)
    ]
    referrals = pl.DataFrame(
        {"referral_id": ["r"], "patient_id": ["p"], "discharge_date": [date(2024, 12, 31)]}
    )
    return referral_outcomes(referrals, pl.DataFrame(rows)).row(0, named=True)


def test_1_no_ethnic_group_is_lost():
    """A missing comma in a dashboard script drops the groups L and M."""
    assert set(codes.ETHNICITIES) == set("ABCDEFGHJKLMNPRSZ")
    assert all(len(code) == 1 for code in codes.ETHNICITIES)
    assert {"L", "M"} <= set(codes.MINORITY_ETHNICITIES)
    assert codes.ETHNICITIES["L"][0].startswith("Asian")
    assert codes.ETHNICITIES["M"][0].startswith("Black")


def test_2_minority_means_all_but_white_british_and_unknown():
    """The published "BME" includes Irish and other White: 161,353 finished courses."""
    assert set(codes.ETHNICITIES) - set(codes.MINORITY_ETHNICITIES) == {"A", "Z"}
    whole = 670_419 - finished("ethnicity", "A", "Z")
    groups = finished("ethnic group", "Mixed", "Asian or Asian British", "Black or Black British")
    white = [c for c in codes.MINORITY_ETHNICITIES if codes.ETHNICITIES[c][0] == "White"]
    parts = groups + finished("ethnic group", "Other") + finished("ethnicity", *white)
    assert whole == parts == 161_353


def test_3_the_published_deciles_count_the_other_way():
    assert codes.PUBLISHED_DECILES["01 Least deprived"] == 10
    assert codes.PUBLISHED_DECILES["10 Most deprived"] == 1
    assert all(int(label[:2]) + ours == 11 for label, ours in codes.PUBLISHED_DECILES.items())
    rates = {
        decile: FIGURES.filter(
            period="2024-25",
            org="England",
            breakdown="deprivation decile",
            group=decile,
            measure="reliable recovery",
        )["value"].item()
        for decile in ("1", "10")
    }
    assert rates == {"1": 40.5, "10": 52.4}  # people in the poorest places recover less


def test_4_age_at_referral_is_not_age_at_the_end_of_the_period():
    """Annual tables band the one, other official averages the other."""
    assert {"age_at_referral", "age_at_period_end"} <= set(Referrals.columns())
    ages = pl.DataFrame({"age_at_referral": [17, 25, 64], "age_at_period_end": [18, 26, 65]})
    bands = ages.with_columns(codes.age_band(pl.col(name)).alias(name) for name in ages.columns)
    assert bands["age_at_referral"].to_list() == ["<18", "18-25", "26-64"]
    assert bands["age_at_period_end"].to_list() == ["18-25", "26-64", "65-74"]


def test_5_codes_that_the_metadata_swap():
    """K58 is irritable bowel syndrome in ICD-10, G93.3 chronic fatigue."""
    assert PROBLEMS["irritable bowel syndrome"].codes == ("K58",)
    assert PROBLEMS["irritable bowel syndrome"].anxiety_scale == "ibs_sss"
    assert PROBLEMS["chronic fatigue syndrome"].codes == ("G933",)
    assert PROBLEMS["chronic fatigue syndrome"].anxiety_scale == "cfq11"


@pytest.mark.parametrize("changed", range(1, 6))
def test_6_the_start_of_the_wsas_rests_on_first_answers_only(changed):
    """The metadata take the last answers to two items for the start."""
    assert [item.name for item in WSAS.items][2:4] == ["social leisure", "private leisure"]
    start = dict.fromkeys(WSAS.columns, 4)
    row = course(start, start | {f"wsas_{changed}": 0})
    assert (row["wsas_first"], row["wsas_last"]) == (20, 16)


def test_7_every_wait_has_one_band():
    """The text of two measures has the limits "29 <= … >= 90"."""
    bands = applied(wait_band(pl.col("x")).alias("x"), list(range(200)), pl.Int32)
    assert [bands.count(b) for b in dict.fromkeys(bands)] == [29, 28, 34, 109]
    names = {28: "<=28 days", 29: "29-56 days", 57: "57-90 days", 90: "57-90 days", 91: ">90 days"}
    assert {day: bands[day] for day in names} == names


def test_8_who_did_not_attend_was_not_treated_and_nobody_of_18_is_lost():
    assert codes.ATTENDANCE_CODES["3"] == "did not attend"
    assert {c for c, word in codes.ATTENDANCE_CODES.items() if word == "attended"} == {"5", "6"}
    row = course({"attendance": "attended"}, {"attendance": "did not attend"})
    assert (row["n_attended"], row["n_treatment"], row["finished"]) == (1, 1, False)
    bands = applied(codes.age_band(pl.col("x")).alias("x"), list(range(121)), pl.UInt8)
    assert None not in bands
    edges = [0, *(age for age in range(1, 121) if bands[age] != bands[age - 1])]
    assert edges == [0, 18, 26, 65, 75, 90]


def test_9_one_code_in_many_spellings():
    spellings = ["1", "01", " 1", "1 ", " 01", "001", "1.0", None]
    same = applied(codes.normalised(pl.col("x"), 2), spellings, pl.String)
    assert same == ["01"] * 7 + [None]
    assert set(same[:-1]) <= set(codes.PURPOSE_CODES)
    letters = applied(codes.normalised(pl.col("x"), 2), ["zz", " a1", "ZZ"], pl.String)
    assert letters == ["ZZ", "A1", "ZZ"]
    assert applied(codes.normalised(pl.col("x")), ["0", "05"], pl.String) == ["0", "5"]


@pytest.mark.parametrize(
    # published for England: Buddhists 2019-20; Pagans, Jains 2020-21
    ("numerator", "denominator", "percentage"),
    [(902, 1760, 51.3), (737, 1072, 68.8), (59, 80, 73.8), (5, 80, 6.3)],
)
def test_10_halves_of_percentages_round_away_from_zero(numerator, denominator, percentage):
    """51.25 and 6.25 show it: Python's own rounding gives 51.2 and 6.2."""
    counts = {"finished": denominator, "reliable improvement": numerator}
    frame = pl.DataFrame(
        [("x", m, "count", float(v)) for m, v in counts.items()],
        schema=["group", "measure", "statistic", "value"],
        orient="row",
    )
    done = percentages_from_counts(frame).filter(measure="reliable improvement")
    assert done["percentage"].item() == percentage
