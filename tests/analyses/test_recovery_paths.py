"""`recovery_paths` end to end on simulated patients, and the parts it is made of."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from iesoresearch import analyses, figures
from iesoresearch.analyses.recovery_paths import (
    class_tables,
    flags,
    growth_tables,
    patients,
    signal_tables,
    study,
)
from iesoresearch.analyses.recovery_paths import fitted as fitting
from iesoresearch.data import synthetic
from iesoresearch.disclosure import Policy, release
from iesoresearch.errors import DataError, ParameterError
from iesoresearch.results import Result

paths = analyses.get("recovery_paths")
SMALL = {
    "n_referrals": 4000,
    "landmarks": [2, 4],
    "n_sessions": 6,
    "n_growth": 120,
    "n_draws": 100,
    "max_classes": 2,
    "n_starts": 2,
    "n_outer": 3,
    "n_inner": 2,
    "n_bootstrap": 100,
    "seed": 5,
}


def parameters(**changes):
    return paths.Params.check(SMALL | changes, "test")


@pytest.fixture(scope="module")
def cohort():
    return synthetic.make(SMALL["n_referrals"], SMALL["seed"])


@pytest.fixture(scope="module")
def fitted(cohort):
    params = parameters()
    return fitting.Fitted(patients.of(cohort, params, 2), params)


@pytest.fixture(scope="module")
def result(fitted):
    return study.result(fitted)


def load(cohort, **changes):
    return patients.of(cohort, parameters(**changes), 1)


def frame(result, name):
    return result.tables[name].frame


# Patients and their scores


def test_sessions_are_counted_from_the_first_score():
    visits = pl.DataFrame(
        {
            "ref": [1, 1, 1, 1, 2, 2],
            "attended": [True, True, False, True, True, True],
            "phq9": [None, 15.0, 14.0, 12.0, 20.0, None],
        }
    )
    found = patients.timed(visits)
    assert found["time"].to_list() == [-1, 0, 1, 0, 1]


def test_rare_levels_are_joined_and_named():
    levels = pl.Series("g", ["a"] * 300 + ["b"] * 120 + ["c"] * 30 + ["d"] * 2)
    joined = patients._pooled(levels)
    assert joined.value_counts(sort=True).rows() == [("a", 300), ("b / c / d", 152)]
    plenty = pl.Series("g", ["a"] * 300 + ["b"] * 120)
    assert patients._pooled(plenty).equals(plenty)


def test_patients_are_followed_from_the_second_session(fitted, cohort):
    found = fitted.patients
    assert found.people["ref"].is_sorted()
    assert found.people["person"].to_list() == list(range(found.n))
    first = found.scores.group_by("person", maintain_order=True).first()
    assert (first["time"] == 0).all()
    assert found.scores["time"].max() == SMALL["n_sessions"]
    attended = (pl.col("attendance") == "attended") & (pl.col("purpose") == "treatment")
    counts = cohort.contacts.filter(attended).group_by("referral_id").len()
    ids = cohort.referrals["referral_id"].gather(found.people["ref"])
    mine = pl.DataFrame({"referral_id": ids, "n": found.people["n_treatment"]})
    both = mine.join(counts, on="referral_id")
    assert both.height == found.n
    assert (both["n"] == both["len"]).all()
    assert both["n"].min() >= patients.ENTRY


def test_who_goes_on_beyond_the_sessions_shown_has_not_left():
    people = pl.DataFrame({"ref": [1, 2, 3, 4], "drop_out": [True, True, None, False]})
    visits = pl.DataFrame({"ref": [1, 2, 2, 3, 4], "time": [3.0, 1.0, 8.0, 2.0, 1.0]})
    found = patients._left(people, visits, 8)
    assert found.to_list() == [True, False, None, False]


def test_nothing_later_is_known_at_a_landmark(fitted):
    for landmark in SMALL["landmarks"]:
        known = fitted.patients.known_at(landmark)
        assert known["time"].max() <= landmark
        at = fitted.patients.at(landmark)
        assert set(at.rows["ref"]) <= set(fitted.patients.people["ref"])


def test_therapists_of_the_growth_model_treat_nobody_who_is_judged(fitted):
    therapist, chosen = fitted.patients.people["therapist"], pl.Series(fitted.sampled)
    assert chosen.sum() >= SMALL["n_growth"]
    assert not set(therapist.filter(chosen)) & set(therapist.filter(~chosen))
    again = fitted.patients.sample(SMALL["n_growth"], SMALL["seed"])
    np.testing.assert_array_equal(again, fitted.sampled)
    other = fitted.patients.sample(SMALL["n_growth"], SMALL["seed"] + 1)
    assert (other != fitted.sampled).any()


# Flags


def test_nobody_is_flagged_by_what_was_learnt_from_them(fitted):
    judged = fitted.flags.rows["person"].to_numpy()
    assert not fitted.sampled[judged].any()
    assert len(np.unique(judged)) == len(fitted.flags.treated.y)


def test_later_scores_change_no_flag_of_the_band(fitted, cohort):
    """Of every second referral all answers after two treatment sessions become the highest."""
    came = (pl.col("attendance") == "attended") & (pl.col("purpose") == "treatment")
    later = (came.cum_sum() - came.cast(pl.Int64)).over("referral_id") >= 2
    later &= pl.col("referral_id").rank("dense") % 2 == 0
    contacts = cohort.contacts.sort("referral_id", "session").with_columns(
        pl.when(later).then(3).otherwise(pl.col(f"phq9_{i}")).cast(pl.Int8).alias(f"phq9_{i}")
        for i in range(1, 10)
    )
    changed = load(replace(cohort, contacts=contacts))
    before, after = (flagged_by_the_band(fitted, p, 2) for p in (fitted.patients, changed))
    both = before.join(after, on="ref")
    assert both.height > 500
    assert (both["flag"] == both["flag_right"]).all()
    before, after = (flagged_by_the_band(fitted, p, 4) for p in (fitted.patients, changed))
    assert after["flag"].mean() > before["flag"].mean() + 0.25  # there they do count


def flagged_by_the_band(fitted, followed, landmark):
    fit, known = fitted.growth[fitting.RANDOM], followed.known_at(landmark)
    found = flags.beyond(known, fit, fitted.params.band).join(followed.people, on="person")
    return found.select("ref", flag=f"flag: {flags.BAND}")


def test_a_flag_of_the_band_is_a_score_above_what_the_first_lets_expect(fitted):
    known = fitted.patients.known_at(4)
    found = flags.beyond(known, fitted.growth[fitting.RANDOM], fitted.params.band)
    ends = known.group_by("person").agg(first=pl.col("phq9").first(), now=pl.col("phq9").last(),
                                        time=pl.col("time").last())  # fmt: skip
    first, time = 16.0, 4.0
    alike = found.join(ends, on="person").filter(first=first, time=time)
    band = fitted.expected(first, [time])
    flag = alike[f"flag: {flags.BAND}"]
    assert alike.height > 10
    assert flag.equals((alike["now"] > band.high[0]).rename(flag.name))
    assert (flag == (alike[f"risk: {flags.BAND}"] > 1)).all()


def test_rules_compared_raise_as_many_flags_at_every_landmark(fitted):
    flag = fitted.flags.like(flags.CURRENT, flags.MODEL, 1)
    for landmark in SMALL["landmarks"]:
        here = (fitted.flags.rows["landmark"] == landmark).to_numpy()
        assert flag[here].sum() == fitted.flags.flag(flags.MODEL)[here].sum()


# The result


def test_every_table_and_figure_is_there(result):
    assert {spec.table for spec in result.figures.values()} <= set(result.tables)
    for table in result.tables.values():
        keys = table.frame.select(list(table.keys))
        assert keys.is_unique().all(), f"{table.title}: rows share their keys"
        assert {v.sensitivity for v in table.values.values()} == {"synthetic"}


def test_every_sentence_can_be_filled(result):
    templates = [c.sentence for c in result.checks] + list(result.text.values())
    templates += [spec.caption for spec in result.figures.values()]
    for template in templates:
        assert "{" not in result.render(template)
    assert "SIMULATED" in result.text["limits"]
    assert "only a trial can tell" in result.text["limits"]
    assert "not kinds of patients" in result.text["limits"]


def test_flagged_patients_recover_less(result):
    status = {check.name: check.status for check in result.checks}
    for rule in flags.RULES:
        assert status[f"claim: flags of the {rule} tell who misses it"] == "passed"
    rules = frame(result, "rules")
    assert (rules["ppv"] > rules["missed"]).all()


def test_numbers_of_patients_add_up(result, fitted):
    assert frame(result, "classes")["n"].sum() == fitted.patients.n
    rules = frame(result, "rules")
    assert (rules["flagged"] + rules["unflagged"] == rules["n"]).all()
    n_judged = result.numbers["n_judged"].value
    assert set(rules.filter(when="at any of them")["n"]) == {n_judged}
    for name in ("groups", "groups_band", "groups_current"):
        assert set(frame(result, name).group_by("group").agg(pl.sum("n"))["n"]) == {n_judged}
    safety = frame(result, "safety")
    sums = safety.group_by("signal", "group").agg(pl.sum("n"))
    for signal in safety["signal"].unique():
        assert sums.filter(signal=signal)["n"].n_unique() == 1


def test_the_band_holds_on_patients_it_was_not_fitted_to(result, fitted):
    """Within 10 points: the model is fitted to about 120 patients by 400 draws here."""
    for share in frame(result, "coverage")["rate"]:
        assert share == pytest.approx(fitted.params.band, abs=0.1)


def test_worse_scores_of_those_who_left_raise_the_curve(fitted):
    ends = [curve.mean[-1] for curve in fitted.curves.values()]
    at_random, _, two, four = ends
    share = fitted.growth_data.left.mean()
    assert two - at_random == pytest.approx(2 * share, abs=0.05)
    assert four - at_random == pytest.approx(4 * share, abs=0.1)


def test_assumed_gains_are_arithmetic(result):
    found = frame(result, "benefit").filter(rule=flags.MODEL).sort("ratio")
    hits = frame(result, "rules").filter(rule=flags.MODEL, when="at any of them")["ppv"][0]
    assert found["reviews"].to_list() == pytest.approx([20 * hits, 10 * hits, 5 * hits])


def test_deterioration_is_counted_by_hand(result, fitted):
    shown = frame(result, "safety").filter(signal=fitting.DETERIORATED, group="overall")
    assert shown["rate"][0] == pytest.approx(
        fitted.patients.people["reliable_deterioration"].mean()
    )


def test_a_path_in_words():
    assert class_tables.describe(20, 4) == "severe to minimal"
    assert class_tables.describe(21, 20.5) == "severe, level"
    assert class_tables.describe(14, 10.5) == "moderate, falling"
    assert class_tables.describe(10.5, 14) == "moderate, rising"


def cells(n, flagged, hits, misses):
    """One row of a table of a rule, without intervals."""
    return {
        "n": n, "bad": hits + misses, "flagged": flagged, "unflagged": n - flagged, "hits": hits,
        "misses": misses, "share": flagged / n, "ppv": hits / flagged if flagged else None,
        "missed": misses / (n - flagged),
    }  # fmt: skip


def shown_groups(fitted, **rows):
    rows = [{"group": "G", "level": level} | cells(*row) for level, row in rows.items()]
    keys = {"group": "Group", "level": "Level"}
    table = signal_tables._measures(fitted, "T", rows, keys, ("group",))
    tables = {"groups": replace(table, population="those judged")}
    return release(Result(tables=tables), Policy()).tables["groups"]


def test_few_people_are_hidden_with_what_tells_them(fitted):
    """The rate is hidden of a group with few missed among those not flagged, and of one more."""
    a, b, c = (200, 80, 60, 30), (300, 100, 70, 50), (150, 60, 50, 4)
    frame = shown_groups(fitted, a=a, b=b, c=c).frame
    hidden = {name: frame[name].is_null().to_list() for name in ("misses", "missed")}
    assert all(rows == [True, False, True] for rows in hidden.values())
    assert frame["ppv"].is_null().sum() < 3


def test_a_group_without_flags_is_a_dash(fitted):
    shown = shown_groups(fitted, a=(200, 80, 48, 60), b=(40, 0, 0, 20), c=(90, 40, 24, 25))
    row = shown.frame.filter(level="b").row(0, named=True)
    assert [row[name] for name in ("flagged", "share", "hits", "ppv", "review")] == [None] * 5


def test_who_was_not_asked_gave_no_such_answer(fitted):
    people = fitted.patients.people.head(4).with_columns(
        harm_first=pl.Series([True, False, False, None]),
        harm_later=pl.Series([None, True, None, None], dtype=pl.Boolean),
    )
    watched = fitting.Fitted(replace(fitted.patients, people=people), fitted.params).watched
    assert watched[fitting.HARM].tolist() == [1, 0, 0, 0]
    assert np.isnan(watched[fitting.NEW_HARM][0])
    assert watched[fitting.NEW_HARM][1:].tolist() == [1, 0, 0]


# What the tables tell together

DETERIORATED = "reliable deterioration by the last score"
HARM = "thoughts of self-harm reported at the first answer to item 9"
NEW_HARM = "such thoughts reported at a later answer, not at the first"
EVER, RULES = "at any of them", ("landmark model", "expected-response band", "current scores")
BY_GROUP = dict(zip(RULES, ("groups", "groups_band", "groups_current"), strict=True))


def counts_of(tables, name, column, /, **keys):
    rows = tables[name].frame.filter(**keys).select(list(tables[name].keys)).rows()
    return tuple((name, column, row) for row in rows)


def known_by_hand(tables):
    """What anybody can tell of the counts: which are the same, add up, or are part of another."""
    for name in ("rules", *BY_GROUP.values()):
        for _, _, row in counts_of(tables, name, "n"):
            n, bad, flagged, unflagged, hits, misses = (
                (name, column, row)
                for column in ("n", "bad", "flagged", "unflagged", "hits", "misses")
            )
            yield n, (flagged, unflagged), True
            yield bad, (hits, misses), True
            yield n, (bad,), False
            yield flagged, (hits,), False
            yield unflagged, (misses,), False
    for rule in RULES:
        yield from known_of_rule(tables, rule)
    yield from known_of_signals(tables)
    everybody = ("safety", "n", (DETERIORATED, "overall", ""))
    yield everybody, counts_of(tables, "classes", "n"), True
    for _, _, row in counts_of(tables, "classes", "n"):
        yield ("classes", "n", row), (("classes", "events", row),), False
        for one in counts_of(tables, "class_curves", "n", **{"class": row[0]}):
            yield ("classes", "n", row), (one,), True
    for _, _, row in counts_of(tables, "curve", "n", way="scores that were seen"):
        yield ("prior_check", "n", ("mean",)), (("curve", "n", row),), row[1] == 0
        for one in counts_of(tables, "predictive", "n", session=row[1]):
            yield ("curve", "n", row), (one,), True


def known_of_rule(tables, rule):
    name = BY_GROUP[rule]
    for when in ("after session 2", "after session 4", EVER):
        for column in ("n", "bad"):
            yield ("rules", column, (when, RULES[0])), (("rules", column, (when, rule)),), True
        for column in ("n", "bad", "flagged", "hits") if when != EVER else ():
            yield ("rules", column, (EVER, rule)), (("rules", column, (when, rule)),), False
    for group in tables[name].frame["group"].unique():
        for column in ("n", "bad", "flagged", "unflagged", "hits", "misses"):
            parts = counts_of(tables, name, column, group=group)
            yield ("rules", column, (EVER, rule)), parts, True
    for column in ("n", "bad"):
        for _, _, row in counts_of(tables, name, column):
            yield ("groups", column, row), ((name, column, row),), True
    flags = [("rules", "flagged", (f"after session {s}", RULES[0])) for s in (2, 4)]
    yield ("equal_work", "flags", (rule,)), tuple(flags), True
    for one in counts_of(tables, "benefit", "flagged", rule=rule):
        yield ("rules", "flagged", (EVER, rule)), (one,), True
    for signal, whole, part in (
        (DETERIORATED, "bad", "hits"),
        (NEW_HARM, "n", "flagged"),
    ):
        n, flagged = (("safety_flags", column, (signal, rule)) for column in ("n", "flagged"))
        yield ("safety_flags", "n", (signal, RULES[0])), (n,), True
        yield n, (flagged,), False
        yield ("rules", whole, (EVER, rule)), (n,), False
        yield ("rules", part, (EVER, rule)), (flagged,), False
        yield ("safety", "events", (signal, "overall", "")), (n,), False


def known_of_signals(tables):
    for name, _, row in counts_of(tables, "safety", "n"):
        yield (name, "n", row), ((name, "events", row), (name, "without", row)), True
        if row[0] == DETERIORATED:
            yield (name, "n", row), ((name, "n", (HARM, *row[1:])),), True
            unburdened = (name, "n", (NEW_HARM, *row[1:]))
            yield (name, "without", (HARM, *row[1:])), (unburdened,), True
        if row[1] != "overall" and row[0] == DETERIORATED:
            yield (name, "n", row), (("groups", "n", row[1:]),), False
    frame = tables["safety"].frame.filter(pl.col("group") != "overall")
    for signal, group in frame.select("signal", "group").unique().rows():
        for column in ("n", "events", "without"):
            parts = counts_of(tables, "safety", column, signal=signal, group=group)
            yield ("safety", column, (signal, "overall", "")), parts, True


def test_no_small_count_follows_from_all_tables_together(result, proved):
    released = release(result, Policy())
    relations = list(known_by_hand(result.tables))
    assert proved(result.tables, released.tables, Policy(), relations) == []


def test_what_the_attacker_knows_would_tell_counts_of_tables_that_are_not_linked(result, proved):
    alone = {name: replace(t, related=()) for name, t in result.tables.items()}
    released = release(Result(tables=alone), Policy())
    assert proved(result.tables, released.tables, Policy(), list(known_by_hand(result.tables)))


# Parameters and bad input


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"landmarks": [4, 2]}, r"landmarks=\[4, 2\]: they must rise"),
        ({"landmarks": [0, 2]}, "each between 2 and 8"),
        ({"n_sessions": 4, "landmarks": [2, 6]}, "n_sessions=4: curves must reach .* 6"),
        ({"first_scores": [30]}, "PHQ-9 totals are from 0 to 27"),
        ({"assumed_risk_ratios": [1.2]}, "each must be from 0 to 1"),
        ({"n_growht": 100}, "did you mean n_growth"),
    ],
)
def test_parameters_that_cannot_be(changes, message):
    with pytest.raises(ParameterError, match=message):
        parameters(**changes)


def test_only_a_folder_holds_records_of_patients():
    assert not parameters().reads_patients
    assert parameters(source="folder").reads_patients


def test_without_scores_there_is_no_path(cohort):
    items = pl.col("^phq9_.*$")
    bare = replace(cohort, contacts=cohort.contacts.with_columns(items * None))
    with pytest.raises(DataError, match="no PHQ-9 is recorded of anybody at caseness"):
        load(bare)


def test_with_one_score_each_there_is_no_path(cohort):
    first = pl.col("session") == pl.col("session").min().over("referral_id")
    items = [c for c in cohort.contacts.columns if c.startswith("phq9_")]
    once = cohort.contacts.with_columns(pl.when(first).then(pl.col(c)).alias(c) for c in items)
    with pytest.raises(DataError, match="nobody has a second PHQ-9"):
        load(replace(cohort, contacts=once))


def test_too_few_patients_for_the_growth_model(fitted):
    with pytest.raises(DataError, match=r"judged on 0; each needs 50.* \(n_growth\)"):
        fitted.patients.sample(100_000, 1)


def test_levels_that_are_not_recorded_are_left_out(cohort):
    gone = replace(
        cohort,
        contacts=cohort.contacts.with_columns(therapist_id=pl.lit(None, pl.String)),
        referrals=cohort.referrals.with_columns(service_id=pl.lit(None, pl.String)),
    )
    found = load(gone)
    assert not found.has_therapists
    assert not found.has_services
    some = fitting.Fitted(found, parameters())
    assert some.growth_data.n_therapists == some.growth_data.n_services == 0
    assert some.sampled.sum() == SMALL["n_growth"]
    said = " ".join(some.notes)
    assert "No therapists" in said
    assert "No services" in said


def test_where_ends_are_not_recorded_drop_out_is_taken_as_at_random(cohort):
    ends = cohort.referrals["end_reason"].dtype
    unknown = cohort.referrals.with_columns(end_reason=pl.lit("treated: not known", ends))
    found = fitting.Fitted(load(replace(cohort, referrals=unknown)), parameters())
    assert not found.patients.knows_who_left
    assert found.growth_data.dropped_out is None
    assert "How treatment ended" in " ".join(found.notes)


@pytest.fixture(scope="module")
def bare(cohort):
    """Records of a site that names no therapist, service or end, and keeps no item answers."""
    ends = cohort.referrals["end_reason"].dtype
    items = [f"phq9_{i}" for i in range(1, 10)]
    total = pl.sum_horizontal(items).cast(pl.Float64)
    everything = pl.all_horizontal(pl.col(items).is_not_null())
    contacts = cohort.contacts.with_columns(
        phq9_total=pl.when(everything).then(total), therapist_id=pl.lit(None, pl.String)
    ).with_columns(pl.lit(None, pl.Int8).alias(item) for item in items)
    poor = replace(
        cohort,
        contacts=contacts,
        referrals=cohort.referrals.with_columns(
            service_id=pl.lit(None, pl.String),
            end_reason=pl.lit("treated: not known", ends),
        ),
    )
    params = parameters(max_classes=1, landmarks=[4])
    return release(study.result(fitting.Fitted(patients.of(poor, params, 2), params)), Policy())


def test_what_is_not_recorded_is_left_out_and_said(bare):
    limits = bare.text["limits"]
    for said in ("No therapists are told apart", "No services are", "How treatment ended is not"):
        assert said in limits
    status = {check.name: check.status for check in bare.checks}
    assert status["what is assumed of those who left hardly matters"] == "not applicable"
    assert status["planted therapists are told apart"] == "not applicable"
    assert frame(bare, "leaving").is_empty()
    assert set(frame(bare, "curve")["way"]) == {fitting.RANDOM, growth_tables.SEEN}
    assert set(frame(bare, "variance")["between"]) == {
        "patients of a therapist",
        "scores of a patient",
    }
    harm = frame(bare, "safety").filter(signal=fitting.HARM)
    assert harm.height > 10
    assert harm["rate"].is_null().all()
    for template in [*bare.text.values(), *(check.sentence for check in bare.checks)]:
        assert "{" not in bare.render(template)


def test_all_figures_can_be_drawn_of_it(bare):
    for name, spec in bare.figures.items():
        ax = figures.draw(bare, name, "recovery_paths").axes[0]
        assert ax.get_xlabel()
        assert ax.get_ylabel() or name == "groups"
        assert ax.get_title(loc="left") == spec.title


def test_too_few_patients_to_be_judged(fitted, monkeypatch):
    monkeypatch.setattr(flags, "FEWEST", 10_000)
    with pytest.raises(DataError, match=r"after session 2, \d+ patients .* \(landmarks\)"):
        flags.flagged(fitted.patients, fitted.growth[fitting.RANDOM], fitted.sampled, fitted.params)
