"""First and last scores, counts, waits and reasons, by hand."""

from datetime import date, timedelta

import polars as pl
import pytest

from iesoresearch.errors import DataError
from iesoresearch.measures import INSTRUMENTS
from iesoresearch.measures.outcomes import (
    FLAGS,
    Threshold,
    Thresholds,
    referral_outcomes,
    therapy_outcomes,
)
from iesoresearch.measures.outcomes.thresholds import OFFICIAL

DAY = date(2024, 1, 1)


def day(n):
    return None if n is None else DAY + timedelta(days=n)


def referral(problem="depression", received=0, discharged=200, name="r"):
    return {
        "referral_id": name,
        "patient_id": f"p{name}",
        "referral_date": day(received),
        "discharge_date": day(discharged),
        "problem": problem,
    }


CONTACT = {
    "referral_id": pl.String,
    "session": pl.UInt16,
    "date": pl.Date,
    "attendance": pl.String,
    "purpose": pl.String,
    "therapy": pl.String,
    "phq9_total": pl.Float64,
    "gad7_total": pl.Float64,
    "wsas_total": pl.Float64,
}


def contacts(*rows, name="r"):
    """Contacts from (day, phq9, gad7) or dictionaries, numbered from 1."""
    table = []
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict):
            row = {"day": row[0], "phq9_total": row[1], "gad7_total": row[2]}
        row = {"referral_id": name, "session": number} | row
        table.append({**row, "date": day(row.pop("day"))})
    return pl.DataFrame(table, schema=CONTACT)


def scores(*rows, name="r"):
    return pl.DataFrame(
        [(name, day(d), instrument, item, float(value)) for d, instrument, item, value in rows],
        schema={
            "referral_id": pl.String,
            "date": pl.Date,
            "instrument": pl.String,
            "item": pl.UInt16,
            "value": pl.Float64,
        },
        orient="row",
    )


def outcome(*rows, problem="depression", received=0, discharged=200, extra=None, **options):
    table = pl.DataFrame([referral(problem, received, discharged)])
    done = referral_outcomes(table, contacts(*rows), extra, **options)
    assert done.height == 1
    return done.row(0, named=True)


def flags_of(row):
    return tuple(row[flag] for flag in FLAGS)


def test_a_whole_course():
    row = outcome(
        {"day": 5, "purpose": "assessment", "phq9_total": 16, "gad7_total": 12, "wsas_total": 20},
        (20, 14, 10),
        {"day": 30, "attendance": "did not attend"},
        (61, 9, 7),
        {"day": 70, "purpose": "employment support", "wsas_total": 11},
    )
    assert row == {
        "referral_id": "r",
        "patient_id": "pr",
        "n_attended": 4,
        "n_treatment": 2,
        "first_contact": day(5),
        "first_treatment": day(20),
        "second_treatment": day(61),
        "last_treatment": day(61),
        "wait_days": 20,
        "second_wait_days": 41,
        "finished": True,
        "phq9_first": 16,
        "phq9_last": 9,
        "gad7_first": 12,
        "gad7_last": 7,
        "wsas_first": 20,
        "wsas_last": 11,
        "anxiety_scale": "gad7",
        "anxiety_first": 12,
        "anxiety_last": 7,
        "caseness": True,
        "recovery": True,
        "reliable_improvement": True,
        "reliable_deterioration": False,
        "no_reliable_change": False,
        "reliable_recovery": True,
        "reason": None,
        "basis": "official",
    }


@pytest.mark.parametrize(
    ("rows", "discharged"),
    [
        ([(1, 16, 12), (9, 4, 4)], None),  # not discharged
        ([(1, 16, 12)], 200),  # one treatment
        ([(1, 16, 12), {"day": 8, "attendance": "did not attend"}], 200),
        ([(1, 16, 12), {"day": 8, "attendance": "other"}], 200),
        ([(1, 16, 12), {"day": 8, "purpose": "assessment"}], 200),
        ([(1, 16, 12), {"day": 8, "purpose": "follow-up"}], 200),
        ([(1, 16, 12), {"day": 8, "purpose": "employment support"}], 200),
        ([(1, 16, 12), {"day": 8, "purpose": "other"}], 200),
        ([(-1, 16, 12), (8, 4, 4)], 200),  # before the referral
        ([(1, 16, 12), (201, 4, 4)], 200),  # after the discharge
    ],
)
def test_unfinished_courses_have_no_flags(rows, discharged):
    row = outcome(*rows, discharged=discharged)
    assert not row["finished"]
    assert flags_of(row) == (None,) * 6
    assert row["reason"] == "not finished"


def test_the_days_of_referral_and_discharge_are_within_the_referral():
    row = outcome((0, 16, 12), (200, 4, 4))
    assert (row["finished"], row["wait_days"], row["second_wait_days"]) == (True, 0, 200)


def test_scores_of_follow_ups_and_outside_the_referral_do_not_count():
    row = outcome(
        (-3, 27, 21),
        (1, 16, 12),
        (9, 10, 9),
        {"day": 150, "purpose": "follow-up", "phq9_total": 1, "gad7_total": 1},
        (230, 2, 2),
    )
    assert (row["phq9_first"], row["phq9_last"]) == (16, 10)
    assert (row["gad7_first"], row["gad7_last"]) == (12, 9)


def test_first_and_last_skip_missing_scores_and_a_single_score_has_no_last():
    row = outcome((1, None, 12), (8, 15, None), (15, 11, None), (22, None, None))
    assert (row["phq9_first"], row["phq9_last"]) == (15, 11)
    assert (row["gad7_first"], row["gad7_last"]) == (12, None)
    assert row["reason"] == "no last score"


def test_order_is_by_day_and_by_number_where_there_is_no_date():
    assert outcome((20, 5, 5), (1, 20, 15))["phq9_first"] == 20
    row = outcome((1, 20, 15), (None, 8, 6), (30, 9, 7))
    assert (row["phq9_first"], row["phq9_last"]) == (20, 9)
    assert (row["n_treatment"], row["second_treatment"], row["second_wait_days"]) == (3, None, None)
    undated = outcome((None, 20, 15), (None, 8, 6))
    assert (undated["phq9_first"], undated["phq9_last"], undated["finished"]) == (20, 8, True)
    assert undated["wait_days"] is None


@pytest.mark.parametrize(
    ("rows", "flags", "reason"),
    [
        # caseness, recovery, improvement, deterioration, no change, reliable recovery
        ([(1, 10, None), (2, 4, None)], (True, None, None, False, None, None), "no first score"),
        ([(1, 9, None), (2, 4, None)], (None, None, None, None, None, None), "no first score"),
        ([(1, 9, None), (2, 10, None)], (None, False, None, None, None, False), "no first score"),
        ([(1, 10, 3), (2, None, 8)], (True, False, False, None, None, False), "no last score"),
        ([(1, 10, 8), (2, None, 4)], (True, None, None, False, None, None), "no last score"),
        ([(1, 3, 3), (2, None, None)], (False, False, None, None, None, False), "no last score"),
        ([(1, None, None), (2, None, None)], (None,) * 6, "no first score"),
    ],
)
def test_what_is_known_when_a_score_is_missing(rows, flags, reason):
    row = outcome(*rows)
    assert (flags_of(row), row["reason"]) == (flags, reason)


def test_items_come_before_totals():
    items = {c: [0] for c in INSTRUMENTS["phq9"].columns}
    first = contacts((1, 27, 9)).with_columns(**{c: pl.lit(2, pl.Int8) for c in items})
    second = contacts((1, None, None), (8, 6, 5))[1:].with_columns(
        **{c: pl.lit(None, pl.Int8) for c in items}
    )
    third = contacts(*[(1, 1, 1)] * 3)[2:].with_columns(
        pl.lit(day(15)).alias("date"), **{c: pl.lit(None, pl.Int8) for c in items}
    )
    third = third.with_columns(phq9_1=pl.lit(1, pl.Int8))  # eight items missing: no total
    done = referral_outcomes(pl.DataFrame([referral()]), pl.concat([first, second, third]))
    row = done.row(0, named=True)
    assert (row["phq9_first"], row["phq9_last"]) == (18, 6)
    assert (row["gad7_first"], row["gad7_last"]) == (9, 1)


def test_a_disorder_measure_without_a_sourced_threshold_is_not_judged():
    extra = scores((1, "pcl5", 0, 50), (9, "pcl5", 0, 20), (9, "pcl5", 3, 4), (9, "oci", 0, 90))
    row = outcome((1, 20, 15), (9, 5, 5), problem="post-traumatic stress disorder", extra=extra)
    assert row["anxiety_scale"] == "pcl5"
    assert (row["anxiety_first"], row["anxiety_last"]) == (50, 20)
    assert flags_of(row) == (True, None, None, False, None, None)
    assert (row["reason"], row["basis"]) == ("threshold not sourced", None)


def test_gad7_stands_in_and_the_result_is_labelled():
    extra = scores((1, "pcl5", 0, 50), (9, "pcl5", 0, 20))
    options = {"problem": "post-traumatic stress disorder", "extra": extra, "fallback": True}
    row = outcome((1, 20, 15), (9, 5, 5), **options)
    assert (row["anxiety_scale"], row["anxiety_first"], row["anxiety_last"]) == ("gad7", 15, 5)
    assert flags_of(row) == (True, True, True, False, False, True)
    assert row["basis"] == "not official: GAD-7 stands in"
    assert outcome((1, 20, 15), (9, 5, 5), fallback=True)["basis"] == "official"


def test_a_sites_own_threshold_holds_from_its_day():
    def rule(caseness, start):
        return Threshold(
            scale="pcl5", caseness=caseness, reliable_change=10, valid_from=start, source="s"
        )

    thresholds = Thresholds((*OFFICIAL.rows, rule(60, day(300)), rule(30, day(100))))
    extra = scores((1, "pcl5", 0, 50), (9, "pcl5", 0, 40))
    cases = {99: None, 100: True, 299: True, 300: False}
    for discharged, expected in cases.items():
        row = outcome(
            (1, 2, 2),
            (9, 2, 2),
            problem="post-traumatic stress disorder",
            extra=extra,
            discharged=discharged,
            thresholds=thresholds,
        )
        assert row["caseness"] is expected
        assert row["basis"] == (None if expected is None else "site")


def test_scores_of_a_core_measure_count_once_a_day():
    extra = scores((0, "phq9", 0, 22), (1, "phq9", 0, 3), (30, "gad7", 0, 2))
    row = outcome((1, 20, 15), (9, 12, 10), extra=extra)
    assert (row["phq9_first"], row["phq9_last"]) == (22, 12)
    assert (row["gad7_first"], row["gad7_last"]) == (15, 2)
    alone = outcome((1, 20, 15), (9, None, 10), extra=scores((1, "phq9", 0, 20)))
    assert (alone["phq9_first"], alone["phq9_last"]) == (20, None)


def test_scores_on_the_day_of_a_follow_up_do_not_count():
    late = {"day": 150, "purpose": "follow-up"}
    row = outcome((1, 20, 15), (9, 12, 10), late, extra=scores((150, "phq9", 0, 1)))
    assert row["phq9_last"] == 12


def test_referrals_keep_their_order_and_those_without_contacts_their_row():
    table = pl.DataFrame([referral(name="b"), referral(name="a"), referral(name="c")])
    rows = pl.concat([contacts((1, 20, 15), (9, 5, 5), name=n) for n in "ab"])
    done = referral_outcomes(table.lazy(), rows.lazy())
    assert done["referral_id"].to_list() == ["b", "a", "c"]
    assert done["n_attended"].to_list() == [2, 2, 0]
    assert done["reason"].to_list() == [None, None, "not finished"]


def test_courses_of_therapy():
    cbt, other = {"therapy": "cognitive behaviour therapy"}, {"therapy": "mindfulness"}
    rows = contacts(
        {"day": 1, "phq9_total": 20, "gad7_total": 15, **cbt},
        {"day": 8, "phq9_total": 25, "gad7_total": 18, **other},
        {"day": 15, "phq9_total": 18, "gad7_total": 14, **cbt},
        {"day": 22, "phq9_total": 2, "gad7_total": 2},
        {"day": 29, "phq9_total": 1, "gad7_total": 1, "purpose": "assessment", **cbt},
    )
    done = therapy_outcomes(rows, pl.DataFrame([referral()]))
    assert done.height == 1  # one appointment of mindfulness is no course
    row = done.row(0, named=True)
    assert (row["referral_id"], row["therapy"], row["n"]) == ("r", cbt["therapy"], 2)
    assert (row["phq9_first"], row["phq9_last"]) == (20, 18)
    assert flags_of(row) == (True, False, False, False, True, False)


def test_a_disorder_measure_of_the_day_belongs_to_the_course():
    rows = contacts(*({"day": d, "therapy": "mindfulness"} for d in (1, 8)))
    extra = scores((1, "oci", 0, 80), (8, "oci", 0, 60), (20, "oci", 0, 10))
    table = pl.DataFrame([referral("obsessive-compulsive disorder")])
    row = therapy_outcomes(rows, table, extra).row(0, named=True)
    assert (row["n"], row["anxiety_first"], row["anxiety_last"]) == (2, 80, 60)


def test_absent_columns_and_doubled_referrals_are_refused():
    table = pl.DataFrame([referral()])
    with pytest.raises(DataError, match=r"^contacts: the column\(s\) session are absent"):
        referral_outcomes(table, contacts((1, 2, 3)).drop("session"))
    with pytest.raises(DataError, match=r"^referrals: rows share their referral_id"):
        referral_outcomes(pl.concat([table, table]), contacts((1, 2, 3)))
