"""What flags do: counted by hand, by scikit-learn, by laws, and in simulated patients."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix
from statsmodels.stats.proportion import proportion_confint

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.models import signals
from iesoresearch.models.signals import InTreatment, benefit, compare, flags_at, flags_like, safety
from iesoresearch.models.signals.counting import OF_SESSIONS

# Five patients, sessions in treatment, whether flagged there, and the bad outcome:
#   A 1 2 3   flag at 2, 3   bad     last session 6   lead 4
#   B 1 2     flag at 1      bad     last session 2   lead 1
#   C 1 2 3   flag at 3      good
#   D 1       never          bad
#   E 1 2     never          good
COURSE = np.array(list("AAABBCCCDEE"))
SESSION = np.array([1, 2, 3, 1, 2, 1, 2, 3, 1, 1, 2])
FLAG = np.array([0, 1, 1, 1, 0, 0, 0, 1, 0, 0, 0], dtype=bool)
Y = np.isin(COURSE, list("ABD")).astype(int)
LAST = np.select([COURSE == "A", COURSE == "C", COURSE == "D"], [6, 3, 1], 2)
GROUP = np.where(np.isin(COURSE, list("ABC")), "x", "y")


def five(**changes):
    given_ = {"last_session": LAST, "groups": {"side": GROUP}} | changes
    return InTreatment.of(COURSE, SESSION, Y, **given_)


def patients(n, seed=1, sessions=5):
    """Patients who leave at random, a risk that shows better and better, and its outcome."""
    random = np.random.default_rng(seed)
    risk = random.normal(size=n)
    y = random.random(n) < 1 / (1 + np.exp(-risk))
    last = random.integers(1, sessions + 1, n)
    course = np.repeat(np.arange(n), last)
    session = np.concatenate([np.arange(1, k + 1) for k in last])
    p = 1 / (1 + np.exp(-risk[course] - random.normal(size=len(course)) / session))
    return InTreatment.of(course, session, y[course]), p


# By hand


def test_five_patients_counted_by_hand():
    found = signals.measure(five(), FLAG)
    expected = {
        "workload": 400 / 11,
        "new_flags": 300 / 11,
        "ppv": 3 / 4,  # A twice, B; C is good
        "npv": 4 / 7,  # C twice, E twice of: A, B, C twice, D, E twice
        "sensitivity": 3 / 6,
        "specificity": 4 / 5,
        "needed_to_review": 4 / 3,
        "ever_flagged": 60,
        "ever_caught": 40,
        "ever_ppv": 2 / 3,
        "ever_npv": 1 / 2,
        "ever_sensitivity": 2 / 3,
        "ever_specificity": 1 / 2,
        "false_reassurance": 1 / 2,
        "ever_needed_to_review": 3 / 2,
        "lead_lower_quartile": 1,
        "lead_median": 1,  # the shortest lead that half do not exceed
        "lead_upper_quartile": 4,
        "lead_mean": 2.5,
    }
    assert {name: e.value for name, e in found.overall.estimates.items()} == pytest.approx(expected)


def test_one_session_counted_by_hand():
    second = signals.measure(five(), FLAG).sessions[2]
    assert set(second.estimates) == {*OF_SESSIONS, "needed_to_review"}
    # A flagged and bad, first flag; B bad, C and E good, not flagged
    assert second["workload"].value == second["new_flags"].value == 25
    assert second["ppv"].value == 1
    assert second["npv"].value == pytest.approx(2 / 3)
    assert second.counts["sessions"] == 4
    third = signals.measure(five(), FLAG).sessions[3]
    assert (third["workload"].value, third["new_flags"].value) == (100, 50)
    assert third["npv"].reason == "a flag at all of 2 sessions"


def test_groups_and_what_cannot_be_had():
    side = signals.measure(five(), FLAG).groups["side"]
    assert side["x"]["ever_ppv"].value == pytest.approx(2 / 3)
    reasons = {name: e.reason for name, e in side["y"].estimates.items() if np.isnan(e.value)}
    assert reasons == {
        "ppv": "no flag at 3 sessions",
        "needed_to_review": "no flag at 3 sessions",
        "ever_ppv": "none of 2 patients is ever flagged",
        "ever_needed_to_review": "none of 2 patients is ever flagged",
    } | dict.fromkeys((*signals.counting.LEADS, "lead_mean"), "none of 2 patients is ever flagged")
    assert side["y"]["false_reassurance"].value == 1 / 2
    assert side["x"]["false_reassurance"].reason == "all of 3 patients are flagged"


def test_nobody_with_the_bad_outcome():
    treated = InTreatment.of(COURSE, SESSION, 0 * Y)
    found = signals.measure(treated, FLAG).overall
    assert found["ppv"].value == 0
    assert found["needed_to_review"].reason == "the bad outcome follows none of 4 flags"
    assert found["sensitivity"].reason == "the bad outcome follows none of 11 sessions"
    assert found["lead_median"].reason == "none of 3 patients flagged has the bad outcome"
    assert found["false_reassurance"].value == 0
    assert found["false_reassurance"].high > 0.5


def test_wilson_where_patients_count_once_and_a_bootstrap_elsewhere():
    treated, p = patients(400)
    found = signals.measure(treated, flags_at(p, 0.6))
    for one, name in ((found.overall, "ever_ppv"), (found.sessions[2], "sensitivity")):
        numerator, denominator, _ = signals.counting.RATIOS[name]
        k, n = one.counts[numerator], one.counts[denominator]
        limits = proportion_confint(k, n, method="wilson")
        assert (one[name].low, one[name].high) == pytest.approx(limits)
    pooled = found.overall
    k, n = pooled.counts["flagged_bad"], pooled.counts["flagged"]
    low, high = proportion_confint(k, n, method="wilson")
    # sessions of a patient have one outcome, so they tell less than as many patients would
    assert pooled["ppv"].high - pooled["ppv"].low > 1.2 * (high - low)
    reviews = found.overall["ever_needed_to_review"]
    assert reviews.low == pytest.approx(1 / found.overall["ever_ppv"].high)


def test_courses_of_one_patient_are_resampled_together():
    treated, p = patients(300)
    flag = flags_at(p, 0.6)
    course, n = treated.course, 300
    # everybody's course happens three times over: no new information
    thrice = InTreatment.of(
        np.concatenate([course + k * n for k in range(3)]), np.tile(treated.session, 3),
        np.tile(treated.y[course], 3), patient=np.tile(course, 3),
    )  # fmt: skip
    once = signals.measure(treated, flag).overall["ever_ppv"]
    again = signals.measure(thrice, np.tile(flag, 3)).overall["ever_ppv"]
    assert again.value == pytest.approx(once.value)
    assert again.high - again.low == pytest.approx(once.high - once.low, rel=0.15)


def test_intervals_cover_what_is_true():
    """Predictive value of sessions in 100 samples; truth from a large one.

    0.066: three standard errors.
    """
    treated, p = patients(100_000, seed=99)
    flag = flags_at(p, 0.6)
    truth = treated.y[treated.course][flag].mean()
    covered = 0
    for seed in range(100):
        treated, p = patients(150, seed=seed)
        found = signals.measure(treated, flags_at(p, 0.6), n_boot=100, random_state=seed)
        covered += found.overall["ppv"].low <= truth <= found.overall["ppv"].high
    assert abs(covered / 100 - 0.95) < 0.066


# Laws

rows = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 4), st.floats(0, 1)), min_size=1)
bad = st.lists(st.booleans(), min_size=8, max_size=8)


def drawn(rows, bad):
    """At most one row per patient and session."""
    kept = {(course, session): p for course, session, p in rows}
    course, session = np.array(list(kept)).T
    return InTreatment.of(course, session, np.array(bad)[course]), np.array(list(kept.values()))


@given(rows, bad, st.floats(0, 1))
@settings(deadline=None, max_examples=25)
def test_counts_are_those_of_the_confusion_matrix(rows, bad, threshold):
    treated, p = drawn(rows, bad)
    flag = flags_at(p, threshold)
    found = signals.measure(treated, flag, n_boot=100).overall
    table = confusion_matrix(treated.y[treated.course], flag, labels=[False, True])
    (tn, fp), (fn, tp) = table.tolist()
    counts = found.counts
    assert (counts["flagged_bad"], counts["unflagged_good"]) == (tp, tn)
    assert (counts["flagged"], counts["bad"], counts["sessions"]) == (tp + fp, tp + fn, len(p))
    assert counts["first"] == counts["ever"] <= counts["flagged"]
    value = {name: e.value for name, e in found.estimates.items()}
    if counts["never"]:
        assert value["false_reassurance"] + value["ever_npv"] == pytest.approx(1)
    if counts["flagged_bad"]:
        assert value["needed_to_review"] * value["ppv"] == pytest.approx(1)
        prevalence = counts["bad"] / counts["sessions"]
        assert value["ppv"] * value["workload"] == pytest.approx(
            100 * value["sensitivity"] * prevalence
        )
    for e in found.estimates.values():
        assert e.reason or not np.isnan([e.value, e.low]).any()
        assert np.isnan(e.low) or e.low <= e.value * (1 + 1e-9) + 1e-12


@given(rows, bad, st.floats(0, 1), st.floats(0, 1))
@settings(deadline=None, max_examples=25)
def test_a_lower_threshold_means_more_work_and_earlier_flags(rows, bad, one, two):
    treated, p = drawn(rows, bad)
    low, high = (flags_at(p, t) for t in sorted((one, two)))
    more, fewer = (signals.measure(treated, f, n_boot=100).overall for f in (low, high))
    for name in ("workload", "ever_flagged", "ever_caught"):
        assert more[name].value >= fewer[name].value
    if more.counts["patients_bad"]:
        assert more["ever_sensitivity"].value >= fewer["ever_sensitivity"].value
    earlier, later = treated.first_flag(low), treated.first_flag(high)
    assert (earlier[later >= 0] <= later[later >= 0]).all()


@given(rows, bad, st.floats(0, 1), st.integers(0, 4))
@settings(deadline=None, max_examples=25)
def test_flags_do_not_depend_on_later_rows(rows, bad, threshold, until):
    treated, p = drawn(rows, bad)
    kept = treated.session <= until
    if not kept.any():
        return
    flag = flags_at(np.random.default_rng(3).random(len(p)), threshold)
    before = InTreatment.of(
        treated.names[treated.course][kept], treated.session[kept], treated.y[treated.course][kept]
    )
    p = p.round(1)  # ties
    chosen = flags_like(treated, p, flag, random_state=1)
    assert np.array_equal(chosen[kept], flags_like(before, p[kept], flag[kept], random_state=1))
    whole, part = (signals.measure(t, f, n_boot=100) for t, f in (
        (treated, chosen), (before, chosen[kept])
    ))  # fmt: skip
    for session, found in part.sessions.items():
        assert found.counts == whole.sessions[session].counts


@given(rows, bad)
@settings(deadline=None, max_examples=25)
def test_equal_workload_is_equal_at_every_session(rows, bad):
    treated, p = drawn(rows, bad)
    flag = np.arange(len(p)) % 3 == 0
    chosen = flags_like(treated, p.round(1), flag, random_state=1)
    for session in np.unique(treated.session):
        here = treated.session == session
        assert chosen[here].sum() == flag[here].sum()
        if chosen[here].any() and not chosen[here].all():
            assert p.round(1)[here & chosen].min() >= p.round(1)[here & ~chosen].max()


# Two rules


def test_the_better_rule_is_found_better_at_equal_workload():
    treated, p = patients(2000)
    worse = np.random.default_rng(4).random(len(p)) < 0.3
    better = flags_like(treated, p, worse, random_state=1)
    found = compare(treated, better, worse)
    assert found["workload"].value == 0
    assert found["ppv"].low > 0.1
    assert found["false_reassurance"].high < 0
    one, two = (signals.measure(treated, f).overall for f in (better, worse))
    for name, e in found.items():
        assert e.value == pytest.approx(one[name].value - two[name].value)
    # pairs: closer than the two intervals together would say
    alone = np.hypot(
        one["ever_sensitivity"].high - one["ever_sensitivity"].low,
        two["ever_sensitivity"].high - two["ever_sensitivity"].low,
    )
    assert found["ever_sensitivity"].high - found["ever_sensitivity"].low < alone


def test_a_rule_does_not_differ_from_itself():
    treated, p = patients(200)
    found = compare(treated, flags_at(p, 0.5), flags_at(p, 0.5))
    assert {e.value for e in found.values()} == {0.0}
    assert {e.reason for e in found.values()} == {"it is the same in every resample"}


def test_a_rule_without_flags_cannot_be_compared():
    found = compare(five(), FLAG, np.zeros_like(FLAG))
    assert found["ever_sensitivity"].value == pytest.approx(2 / 3)
    assert found["ppv"].reason == "no flag at 11 sessions"


# An assumed effect, safety, tables


def test_benefit_under_an_assumption():
    overall = signals.measure(five(), FLAG).overall
    half, none = benefit(overall, [0.5, 1.0])
    # 2 of 5 patients flagged and bad, 2 of 3 flagged: half of them averted
    assert half.per_100_patients.value == pytest.approx(20)
    assert half.per_100_reviews.value == pytest.approx(100 / 3)
    assert half.per_100_patients.low < 20 < half.per_100_patients.high
    assert half.assumption.startswith("Assumed, not estimated:")
    assert none.per_100_reviews.value == none.per_100_patients.high == 0
    unflagged = signals.measure(five(), np.zeros_like(FLAG)).overall
    (nobody,) = benefit(unflagged, [0.5])
    assert nobody.per_100_patients.value == 0
    assert nobody.per_100_reviews.reason == "none of 5 patients is ever flagged"


def test_safety_by_group():
    rates = safety(
        {"worse": [1, 0, 0, np.nan, np.nan], "item 9": [0, 0, 1, 1, 0]},
        {"side": ["x", "x", "x", "y", "y"]},
    )
    found = {(r.signal, r.grouping, r.level): r for r in rates}
    worse = found["worse", "overall", ""]
    assert (worse.events, worse.n, worse.n_missing) == (1, 3, 2)
    assert (worse.rate.low, worse.rate.high) == pytest.approx(
        proportion_confint(1, 3, method="wilson")
    )
    assert found["worse", "side", "y"].rate.reason == "not known of any of 2 patients"
    assert found["item 9", "side", "x"].rate.value == pytest.approx(1 / 3)
    assert len(rates) == 6


def test_all_estimates_in_one_table():
    found = signals.measure(five(), FLAG)
    frame = found.to_frame()
    assert frame["view"].unique(maintain_order=True).to_list() == ["overall", "session", "side"]
    row = frame.row(by_predicate=(pl.col("level") == "x") & (pl.col("measure") == "ever_ppv"))
    assert row[-2:] == (2, 3)
    assert frame.height == 19 + 3 * 7 + 2 * 19


def test_seeds_and_order_of_rows():
    treated, p = patients(150)
    flag = flags_at(p, 0.6)
    order = np.random.default_rng(1).permutation(len(p))
    turned = InTreatment.of(
        treated.course[order], treated.session[order], treated.y[treated.course][order]
    )
    one = signals.measure(treated, flag, random_state=5).to_frame()
    assert one.equals(signals.measure(turned, flag[order], random_state=5).to_frame())
    assert not one.equals(signals.measure(treated, flag, random_state=6).to_frame())


# Bad input


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"course": COURSE[:3]}, "differ in length: course has 3, session has 11"),
        ({"y": np.where(SESSION == 3, np.nan, Y)}, "2 of 11 outcomes are not 0 or 1"),
        ({"y": FLAG.astype(int)}, "y changes within a course in 4 row"),
        ({"session": np.ones(11)}, "6 row.s. repeat a course and session"),
        ({"session": SESSION - 2}, "5 row.s. have a number below 0"),
        ({"last_session": np.full(11, 2)}, "2 course.s. have rows after their last session"),
        ({"groups": {"side": [None] * 11}}, "missing are group side in 11 row"),
    ],
)
def test_bad_rows(changes, message):
    arguments = {"course": COURSE, "session": SESSION, "y": Y} | changes
    with pytest.raises(DataError, match=message):
        InTreatment.of(**arguments)


def test_nobody_in_treatment():
    with pytest.raises(DataError, match="Nobody is in treatment: there are no rows"):
        InTreatment.of([], [], [])


def test_bad_flags():
    with pytest.raises(DataError, match=r"Flags have the shape \(2,\) and type bool; there are 11"):
        signals.measure(five(), FLAG[:2])
    with pytest.raises(DataError, match="type int64; there are 11 rows in treatment"):
        signals.measure(five(), FLAG.astype(np.int64))
    with pytest.raises(DataError, match="1 of 2 predictions are missing"):
        flags_at([0.2, np.nan], 0.5)
    with pytest.raises(DataError, match=r"p has the shape \(2,\); there are 11 rows"):
        flags_like(five(), [0.1, 0.2], FLAG, random_state=1)


def test_bad_settings():
    with pytest.raises(ParameterError, match="n_boot=20: intervals need at least 100 resamples"):
        signals.measure(five(), FLAG, n_boot=20)
    found = signals.measure(five(), FLAG)
    with pytest.raises(ParameterError, match=r"each must lie between 0 .* and 1"):
        benefit(found.overall, [1.5])
    with pytest.raises(ParameterError, match="one session does not tell who was flagged before"):
        benefit(found.sessions[2], [0.5])


def test_bad_safety_columns():
    with pytest.raises(DataError, match="the columns differ in length: worse has 2, side has 1"):
        safety({"worse": [0, 1]}, {"side": ["x"]})
    with pytest.raises(DataError, match=r"worse has 1 value.s. other than 0, 1 and missing"):
        safety({"worse": [0, 2]})
