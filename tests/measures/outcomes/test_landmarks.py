"""Landmarks: who is at risk, what is known, what follows. Expected values are worked out by hand,
or are those of `referral_outcomes`, which has tests of its own."""

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iesoresearch.data import synthetic
from iesoresearch.errors import ParameterError
from iesoresearch.measures.outcomes import landmarks, referral_outcomes
from iesoresearch.measures.outcomes.landmarks import OUTCOMES

START = date(2024, 1, 1)


def course(scores, *, attended=None, ends=90, reason="treated: completed", anxiety=None):
    """One referral with an appointment a week: PHQ-9 totals, and GAD-7 totals (5 unless given)."""
    n = len(scores)
    referrals = pl.DataFrame(
        {
            "referral_id": ["r"],
            "patient_id": ["p"],
            "referral_date": [START],
            "discharge_date": [None if ends is None else START + timedelta(days=ends)],
            "end_reason": [reason],
        },
        schema_overrides={"discharge_date": pl.Date},
    )
    contacts = pl.DataFrame(
        {
            "referral_id": ["r"] * n,
            "session": range(1, n + 1),
            "date": [START + timedelta(days=7 * i) for i in range(n)],
            "attendance": attended or ["attended"] * n,
            "purpose": ["assessment"] + ["treatment"] * (n - 1),
            "phq9_total": scores,
            "gad7_total": anxiety or [5 if s is not None else None for s in scores],
        },
        schema_overrides={"phq9_total": pl.Float64, "gad7_total": pl.Float64},
    )
    return referrals, contacts


def at(found, landmark):
    return found.rows.row(by_predicate=pl.col("landmark") == landmark, named=True)


def test_by_hand():
    found = landmarks(*course([18, 15, 12, 8]), last=3)
    assert found.rows["landmark"].to_list() == [0, 1, 2, 3]
    for landmark in range(4):
        row = at(found, landmark)
        assert (row["reliable_recovery"], row["reliable_improvement"]) == (True, True)
        assert row["later_score"] is (landmark < 3)
        assert row["session"] == landmark + 1
    known = found.known().filter(pl.col("landmark") == 2)
    assert known["phq9"].to_list() == [18, 15, 12]


def test_who_has_no_second_score_has_not_recovered():
    found = landmarks(*course([18]), last=1)
    row = at(found, 0)
    assert not any(row[name] for name in OUTCOMES)
    assert (row["judged"], row["second_score"], row["later_score"]) == (False, False, False)


def test_the_last_score_may_be_the_one_of_the_landmark():
    found = landmarks(*course([18, 8, None]), last=2)
    row = at(found, 1)
    assert row["reliable_recovery"]
    assert not row["later_score"]


@pytest.mark.parametrize(
    ("made", "landmark", "step"),
    [
        ({"scores": [18, 9], "attended": ["attended", "did not attend"]}, 1, "did not attend it"),
        ({"scores": [18, 9], "ends": 6}, 1, "did not attend it"),
        ({"scores": [18, 9], "ends": 7}, 1, "at risk"),
        ({"scores": [None, 18]}, 0, "no score by then"),
        ({"scores": [9, 3]}, 0, "not at caseness at the start"),
        ({"scores": [18, 3], "ends": None}, 0, "still in care: outcome not known yet"),
        ({"scores": [18, 3]}, 0, "at risk"),
    ],
)
def test_why_not_at_risk(made, landmark, step):
    found = landmarks(*course(**made), last=1)
    flow = found.flow.filter(pl.col("landmark") == landmark)
    assert flow.filter(pl.col("n") > 0)["step"].to_list() == [step]


def test_a_problem_without_a_sourced_threshold_is_not_judged():
    referrals, contacts = course([18, 3])
    referrals = referrals.with_columns(problem=pl.lit("obsessive-compulsive disorder"))
    assert landmarks(referrals, contacts, last=0).rows.is_empty()
    row = at(landmarks(referrals, contacts, fallback=True, last=0), 0)
    assert row["basis"] == "not official: GAD-7 stands in"
    assert row["reliable_recovery"]


@pytest.mark.parametrize(
    ("reason", "left"),
    [
        ("treated: ended early by the patient", True),
        ("not treated: declined", True),
        ("treated: ended early by the professional", False),
        ("treated: not known", None),
        (None, None),
    ],
)
def test_drop_out(reason, left):
    assert at(landmarks(*course([18, 3], reason=reason), last=0), 0)["drop_out"] is left


def test_case_by_one_scale_only_and_judged_by_both():
    referrals, contacts = course([8, 5], anxiety=[12, 4])
    assert at(landmarks(referrals, contacts, last=0), 0)["reliable_recovery"]
    referrals, contacts = course([12, 5], anxiety=[None, None])
    row = at(landmarks(referrals, contacts, last=0), 0)
    assert (row["reliable_recovery"], row["judged"]) == (False, False)


def test_negative_landmark():
    with pytest.raises(ParameterError, match="last=-1: the last landmark must be 0"):
        landmarks(*course([18, 3]), last=-1)


@pytest.fixture(scope="module")
def cohort():
    return synthetic.make(1500, seed=3)


def test_finishers_agree_with_the_outcomes_of_referrals(cohort):
    found = landmarks(cohort.referrals, cohort.contacts, cohort.scores, last=2).rows
    outcomes = referral_outcomes(cohort.referrals, cohort.contacts, cohort.scores)
    both = found.filter("finished").join(outcomes, on="referral_id", suffix="_official")
    assert both.height > 500
    for name in OUTCOMES[:3]:
        official = both[f"{name}_official"].fill_null(False)
        assert both[name].to_list() == official.to_list()
    assert both["judged"].to_list() == both["reliable_recovery_official"].is_not_null().to_list()


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 8), st.integers(0, 2**32 - 1))
def test_nothing_later_is_known(cohort, landmark, seed):
    """A leak planted after the landmark, in every column, never reaches what is known at it."""
    before = landmarks(cohort.referrals, cohort.contacts, cohort.scores)
    wanted = before.rows.filter(pl.col("landmark") == landmark)
    at_day = wanted.select("referral_id", at="session")
    changed = cohort.contacts.join(at_day, on="referral_id", how="left", maintain_order="left")
    later = (pl.col("session") > pl.col("at")).fill_null(False)
    items = [c for c in changed.columns if c.startswith(("phq9_", "gad7_", "wsas_"))]
    items = [c for c in items if not c.endswith("total")]
    answer = pl.lit(seed % 3, pl.Int8)
    words = {name: pl.col(name).cast(pl.String) for name in ("attendance", "therapy")}
    changed = changed.with_columns(
        *(pl.when(later).then(answer).otherwise(pl.col(c)).alias(c) for c in items),
        attendance=pl.when(later).then(pl.lit("did not attend")).otherwise(words["attendance"]),
        therapy=pl.when(later).then(pl.lit("mindfulness")).otherwise(words["therapy"]),
    ).drop("at")
    after = landmarks(cohort.referrals, changed)
    without = landmarks(cohort.referrals, cohort.contacts)

    def known(found):
        rows = found.known().filter(pl.col("landmark") == landmark)
        return rows.filter(pl.col("session") > 0).drop("phq9_first", strict=False)

    assert known(after).equals(known(without))
    assert known(after).height > 0
    same = before.rows.filter(pl.col("landmark") == landmark)["ref"]
    assert after.rows.filter(pl.col("landmark") == landmark)["ref"].to_list() == (
        without.rows.filter(pl.col("landmark") == landmark)["ref"].to_list()
    )
    assert same.len() > 0


def test_flow_counts_everybody_at_every_landmark(cohort):
    flow = landmarks(cohort.referrals, cohort.contacts, cohort.scores).flow
    assert (flow.group_by("landmark").agg(pl.col("n").sum())["n"] == cohort.referrals.height).all()
