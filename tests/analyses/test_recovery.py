"""`recovery`: what a model may know, and the analysis end to end on referrals whose truth is known.

Expected values are worked out by hand, or are properties that must hold whatever the numbers are.
"""

import re
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from iesoresearch import analyses
from iesoresearch.analyses.recovery import leakage, predictors, sensitivity, study, words
from iesoresearch.analyses.recovery.data import of_cohort
from iesoresearch.analyses.recovery.fitted import Fitted
from iesoresearch.analyses.recovery.schemas import schema
from iesoresearch.data import synthetic
from iesoresearch.data.cohort import Cohort
from iesoresearch.disclosure import Policy, model_files, release
from iesoresearch.errors import DataError, ParameterError
from iesoresearch.measures.outcomes import landmarks
from iesoresearch.models.prediction import saved
from iesoresearch.params import Settings
from iesoresearch.results import Result

recovery = analyses.get("recovery")
SMALL = {
    **{"n_referrals": 3000, "landmarks": [0, 4], "detail": 4, "n_bootstrap": 100, "n_refits": 5},
    **{"n_outer": 3, "n_inner": 2, "n_futures": 100, "n_imputations": 3, "seed": 5},
}
START = date(2024, 1, 1)


def parameters(**changes):
    return recovery.Params.check(SMALL | changes, "test")


# What a model may know


@pytest.fixture(scope="module")
def by_hand():
    """One referral: an assessment, then four appointments, the third of which was missed."""
    n = 5
    contacts = {
        "referral_id": ["R1"] * n,
        "session": range(1, n + 1),
        "patient_id": ["P1"] * n,
        "date": [START + timedelta(days=7 * i) for i in range(n)],
        "attendance": ["attended", "attended", "did not attend", "attended", "attended"],
        "purpose": ["assessment"] + ["treatment"] * (n - 1),
        "mechanism": ["telephone", "telephone", "video", "video", "video"],
        "therapy": [None] + ["cognitive behaviour therapy"] * (n - 1),
        "phq9_total": [20.0, 16.0, None, 17.0, 8.0],
        "gad7_total": [15.0, 12.0, None, 10.0, 4.0],
        "wsas_total": [24.0, None, None, 20.0, 12.0],
    }
    tables = {
        "patients": pl.DataFrame({"patient_id": ["P1"], "age": [40], "gender": ["female"]}),
        "referrals": pl.DataFrame(
            {
                "referral_id": ["R1"],
                "patient_id": ["P1"],
                "referral_date": [START - timedelta(days=10)],
                "discharge_date": [START + timedelta(days=100)],
                "age_at_referral": [40],
                "end_reason": ["treated: completed"],
            }
        ),
        "contacts": pl.DataFrame(contacts),
    }
    return Cohort.checked("by hand", "synthetic", tables, "x")


def known(cohort, landmark):
    found = landmarks(cohort.referrals, cohort.contacts)
    frame = predictors.predictors(cohort, found)
    return frame.row(by_predicate=pl.col("landmark") == landmark, named=True)


def test_predictors_by_hand(by_hand):
    at = known(by_hand, 2)  # the second treatment attended is the fourth appointment
    expected = {
        **{"phq9_first": 20, "phq9_now": 17, "phq9_change": -3, "phq9_lowest": 16, "phq9_step": 1},
        **{"gad7_first": 15, "gad7_now": 10, "wsas_first": 24, "wsas_now": 20},
        **{"missed": 1, "assessed": 1, "forms_missing": 0, "wait_days": 10, "weeks": 3, "age": 40},
        "phq9_spread": np.std([20, 16, 17], ddof=1),
    }
    assert {name: at[name] for name in expected} == pytest.approx(expected)
    assert (at["mechanism"], at["therapy"]) == ("video", "cognitive behaviour therapy")


def test_at_the_assessment_only_its_own_scores_are_known(by_hand):
    at = known(by_hand, 0)
    assert (at["phq9_now"], at["phq9_change"], at["weeks"]) == (20, 0, 0)
    assert at["phq9_step"] is None
    assert at["therapy"] is None


def test_slips_of_dates_do_no_harm(by_hand):
    early = by_hand.referrals.with_columns(referral_date=pl.lit(date(1999, 1, 1)))
    assert known(replace(by_hand, referrals=early), 0)["wait_days"] == predictors.LONGEST_WAIT


@pytest.fixture(scope="module")
def courses():
    params = parameters()
    return recovery.load(params, Settings(n_jobs=2))


def test_every_table_of_predictors_fits_its_schema(courses):
    for s, at in courses.at.items():
        for outcome in study.tables.OUTCOMES:
            schema(s, outcome).check(at.features(outcome))


def test_a_model_never_sees_ethnicity_orientation_or_the_end():
    for s in (0, 4):
        names = set(schema(s, "reliable_recovery").names)
        forbidden = {*predictors.AUDITED, "end_reason", "discharge_date", "employment_last"}
        assert not names & forbidden


def test_nothing_later_is_known(courses):
    assert leakage.nothing_later(courses, 4)


@pytest.mark.parametrize("column", ["age_at_period_end", "employment_last", "medication_last"])
def test_a_planted_leak_is_found(courses, monkeypatch, column):
    monkeypatch.setattr(predictors, "OF_REFERRAL", (*predictors.OF_REFERRAL, column))
    leaky = replace(courses, marks=(4,))
    assert not leakage.nothing_later(leaky, 4)


# Missing last scores


def test_imputed_outcomes_of_those_with_scores_are_their_own(courses):
    at = courses.at[0]
    p = np.full(at.n, 0.5)
    drawn = sensitivity.imputed_outcomes(at, "reliable_recovery", p, 3, seed=1)
    there = at.rows["judged"].to_numpy()
    y = at.y("reliable_recovery")
    assert there.sum() > 100
    for imputed in drawn:
        np.testing.assert_array_equal(imputed[there], y[there])
    # among those without a last score some would have recovered
    assert 0.05 < drawn[:, ~at.rows["second_score"].to_numpy()].mean() < 0.95


def test_more_recover_if_missing_scores_are_imputed(fitted):
    official, imputed, finishers = fitted.handled[0]
    assert official.share < imputed.share < finishers.share
    assert imputed.changed == (~fitted.courses.at[0].rows["second_score"]).sum()


def test_where_hardly_anybody_lacks_a_score_nothing_hangs_on_it(fitted):
    (way,) = fitted.handled[4]
    assert way.changed <= 0.01 * fitted.courses.at[4].n
    assert way.reason == "hardly anybody lacks a second score"


# End to end


@pytest.fixture(scope="module")
def fitted(courses):
    return Fitted(courses, parameters())


@pytest.fixture(scope="module")
def result(courses):
    return recovery.run(courses, parameters())


@pytest.fixture(scope="module")
def released(result):
    return release(result, Policy())


def test_out_of_fold_predictions_are_judged_as_scikit_learn_judges_them(fitted):
    for judged in fitted.judged.values():
        overall = judged.evaluation.overall
        assert overall["auc"].value == pytest.approx(roc_auc_score(judged.y, judged.p), abs=1e-12)
        assert overall["log_loss"].value == pytest.approx(log_loss(judged.y, judged.p), abs=1e-12)


def test_no_service_is_in_two_folds(fitted):
    for (s, _), judged in fitted.judged.items():
        service = fitted.courses.at[s].service
        folds = {(name, fold) for name, fold in zip(service, judged.found.fold, strict=True)}
        assert len(folds) == len(set(service))


def test_nobody_beats_the_best_attainable(fitted):
    """The true chances order patients better than any model, and more so later in the course."""
    best = {
        s: roc_auc_score(fitted.courses.at[s].y("reliable_recovery"), p)
        for s, p in fitted.best.items()
    }
    for (s, _), judged in fitted.judged.items():
        assert judged.evaluation.overall["auc"].value < best[s]
    assert best[0] < best[4]


def test_the_gain_over_the_current_score_by_hand(fitted):
    gain = fitted.gain(4, "logistic")
    first, second = fitted.judged[4, "current score"], fitted.judged[4, "logistic"]
    expected = 1000 * (log_loss(first.y, first.p) - log_loss(second.y, second.p))
    assert gain.value == pytest.approx(expected, rel=1e-9)
    assert gain.low < gain.value < gain.high


def test_decisions_are_about_not_reaching_the_outcome(fitted):
    judged = fitted.judged[4, "logistic"]
    risk, bad = 1 - judged.p, 1 - judged.y
    acted = risk >= 0.5
    by_hand = ((acted & (bad == 1)).sum() - (acted & (bad == 0)).sum()) / len(bad)
    found = fitted.decisions["logistic"].overall["net_benefit_0.5"].value
    assert found == pytest.approx(by_hand, abs=1e-12)


def test_flow_adds_up(result, courses):
    frame = result.tables["flow"].frame
    at_risk = frame.filter(step="at risk").drop("step").row(0)
    assert list(at_risk) == [at.n for at in courses.at.values()]
    assert {frame[c].sum() for c in frame.columns[1:]} == {courses.cohort.referrals.height}


def test_every_sentence_is_filled_and_nothing_says_nan(released):
    sentences = [c.sentence for c in released.checks] + list(released.text.values())
    sentences += [spec.caption for spec in released.figures.values()]
    sentences += [spec.title for spec in released.figures.values()]
    for sentence in map(released.render, sentences):
        assert not re.search(r"[{}]|\bnan\b|None|\(suppressed\)", sentence), sentence


def test_checks_that_hold_by_construction_pass(released):
    found = {check.name: check.status for check in released.checks}
    assert found["nothing later than the landmark is known"] == "passed"
    assert found["below the best attainable"] == "passed"


def test_groups_of_few_are_hidden(released):
    frame = released.tables["groups"].frame
    assert frame["n"].drop_nulls().min() >= 10
    hidden = frame.filter(pl.col("share").is_null())
    assert hidden.height
    assert hidden["auc"].null_count() == hidden.height


def test_all_evidence_is_in_the_result(released):
    for references in released.evidence.values():
        for reference in references:
            kind, _, name = reference.partition(":")
            there = {
                "table": released.tables,
                "figure": released.figures,
                "text": released.text,
                "file": released.documents,
                "param": recovery.Params.model_fields,
                "provenance": released.provenance,
            }
            assert kind in ("not done", "not applicable") or name in there[kind], reference


def test_rows_for_the_audit_of_fairness(result, fitted):
    rows = result.private["predictions"]
    assert rows["p"].is_between(0, 1).all()
    one = rows.filter(model="logistic", landmark=4, outcome="reliable_recovery")
    assert one.height == fitted.judged[4, "logistic"].evaluation.overall.n
    assert {"referral_id", "fold", "y", "p", "Ethnic group", "orientation"} <= set(rows.columns)


def test_the_shared_model_predicts_what_the_model_predicts(released, fitted, tmp_path):
    released.documents["model.json"](released, tmp_path / "model.json")
    model = saved.read(tmp_path / "model.json")
    X = fitted.detail.features("reliable_recovery")
    p = model.predict(X, outcome="reliable_recovery", landmark=4).p
    np.testing.assert_allclose(p, fitted.final.predict_proba(X)[:, 1], atol=1e-12)
    assert model.training["n_detail"] == released.numbers["n_detail"].value
    found = model_files.check(tmp_path / "model.json", Policy())
    assert {f.sentence for f in found if f.status != "pass"} == set()


def test_the_same_seed_gives_the_same_numbers_for_any_jobs(released, courses):
    again = replace(courses, n_jobs=1)
    other = release(recovery.run(again, parameters()), Policy())
    assert {k: n.value for k, n in other.numbers.items()} == {
        k: n.value for k, n in released.numbers.items()
    }


# What the tables tell together


def counts_of(tables, name, column, /, **keys):
    rows = tables[name].frame.filter(**keys).select(list(tables[name].keys)).rows()
    return tuple((name, column, row) for row in rows)


EVERYBODY = ("sample_size", "n", ("session 4",))
RECOVERED = ("outcomes", "events", ("session 4", "reliable recovery"))


def known_by_hand(tables):
    """What anybody can tell of the counts: which are the same, add up, or are part of another."""
    for at in ("assessment", "session 4"):
        yield from known_at(tables, at)
    yield ("sample_size", "n", ("assessment",)), (EVERYBODY,), False
    yield ("outcomes", "events", ("assessment", "reliable recovery")), (RECOVERED,), False
    yield from known_of_groups(tables)
    for kind in ("marginal", "by outcome"):
        yield from known_of_sets(tables, kind)
    yield from known_of_predictors(tables)


def known_at(tables, at):
    n, won = ("sample_size", "n", (at,)), ("outcomes", "events", (at, "reliable recovery"))
    yield n, (("flow", at, ("at risk",)),), True
    for table in ("outcomes", "performance", "other_outcomes"):
        for name, _, row in counts_of(tables, table, "n", landmark=at):
            yield n, ((name, "n", row),), True
            yield (name, "n", row), ((name, "events", row),), False
    for one in counts_of(tables, "performance", "events", landmark=at):
        yield won, (one,), True
    better, worse = "reliable improvement", "reliable deterioration"
    kinds = (better, worse, "neither improved nor deteriorated")
    yield n, tuple(("outcomes", "events", (at, kind)) for kind in kinds), True
    yield ("outcomes", "events", (at, better)), (won,), False
    for outcome in (better, worse):
        for one in counts_of(tables, "other_outcomes", "events", outcome=outcome, landmark=at):
            yield ("outcomes", "events", (at, outcome)), (one,), True


def known_of_groups(tables):
    for whole, column in ((EVERYBODY, "n"), (RECOVERED, "events")):
        yield whole, counts_of(tables, "services", column), True
        for grouping in tables["groups"].frame["grouping"].unique():
            yield whole, counts_of(tables, "groups", column, grouping=grouping), True
    yield EVERYBODY, counts_of(tables, "instability", "n"), True
    for table in ("services", "groups"):
        for _, _, row in counts_of(tables, table, "events"):
            yield (table, "n", row), ((table, "events", row),), False


def known_of_sets(tables, kind):
    yield EVERYBODY, (("sets", "n", (kind, "overall", "all")),), True
    for grouping in tables["groups"].frame["grouping"].unique():
        for column in ("n", "covered", "undecided"):
            parts = counts_of(tables, "sets", column, kind=kind, grouping=grouping)
            yield ("sets", column, (kind, "overall", "all")), parts, True
    for name, _, row in counts_of(tables, "sets", "n", kind=kind):
        if row[1] != "overall":
            yield ("groups", "n", row[1:]), ((name, "n", row),), True
        yield (name, "n", row), ((name, "covered", row),), False
        yield (name, "covered", row), ((name, "undecided", row),), False


def known_of_predictors(tables):
    frame = tables["characteristics"].frame
    for name in frame.filter(pl.col("level") != "recorded")["name"].unique():
        yield EVERYBODY, counts_of(tables, "characteristics", "n", name=name), True
    both = {"Gender": "Gender", "Long-term condition": "Long-term physical condition"}
    for grouping, name in both.items():
        for one in counts_of(tables, "characteristics", "n", name=name):
            yield ("groups", "n", (grouping, one[2][1])), (one,), True
    quintiles = counts_of(tables, "groups", "n", grouping="Deprivation quintile")
    recorded = tuple(one for one in quintiles if one[2][1] != "not recorded")
    decile = "Decile of deprivation, 1 = most deprived", "recorded"
    yield ("characteristics", "n", decile), recorded, True
    yield EVERYBODY, (("characteristics", "n", decile),), False
    for meaning in tables["dependence"].frame["meaning"].unique():
        yield EVERYBODY, counts_of(tables, "dependence", "n", meaning=meaning), True


def test_no_small_count_follows_from_all_tables_together(result, released, proved):
    relations = list(known_by_hand(result.tables))
    assert proved(result.tables, released.tables, Policy(), relations) == []


def test_what_the_attacker_knows_would_tell_counts_of_tables_that_are_not_linked(result, proved):
    alone = {name: replace(t, related=()) for name, t in result.tables.items()}
    released = release(Result(tables=alone), Policy())
    assert proved(result.tables, released.tables, Policy(), list(known_by_hand(result.tables)))


def test_the_file_of_the_model_tells_no_more_than_the_tables(released, tmp_path):
    released.documents["model.json"](released, tmp_path / "model.json")
    told = saved.read(tmp_path / "model.json").training
    frame = released.tables["characteristics"].frame.filter(name="Gender")
    assert frame["share"].null_count()
    for level, share in frame.select("level", "share").rows():
        assert told.get(f"gender = {level}") == share


# What can go wrong


def test_too_few_with_the_outcome():
    cohort = synthetic.make(300, seed=1)
    with pytest.raises(DataError, match="at the assessment fewer than 100 of the patients at risk"):
        of_cohort(cohort, parameters(), 1)


def test_too_few_at_the_landmark_looked_at(courses):
    early = courses.cohort.contacts.filter(pl.col("session") <= 3)
    cohort = replace(courses.cohort, contacts=early)
    with pytest.raises(DataError, match=r"after session 4 fewer than 40 .* an earlier landmark"):
        of_cohort(cohort, parameters(), 1)


def test_a_landmark_that_few_reach_is_named_and_left_out(courses):
    params = parameters(landmarks=[0, 4, 8])
    late = courses.found.rows.filter(pl.col("landmark") == 4)["referral_id"].unique()
    short = ~pl.col("referral_id").is_in(late.implode()) | (pl.col("session") <= 6)
    cohort = replace(courses.cohort, contacts=courses.cohort.contacts.filter(short))
    found = of_cohort(cohort, params, 1)
    assert found.marks == (0, 4)
    check = words._reached(Fitted(found, params))
    assert check.status == "failed"
    assert "fewer than 40 patients with the outcome and 40 without: session 8" in check.sentence


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"landmarks": [0, 4, 2]}, "they must rise, each between 0"),
        ({"landmarks": [0, 9]}, "they must rise, each between 0"),
        ({"landmarks": [1, 4]}, "the first must be 0, the assessment"),
        ({"detail": 3}, r"detail=3 is none of the landmarks \[0, 4\]"),
        ({"outcome": "happiness"}, "outcome='happiness' "),
    ],
)
def test_parameters_that_make_no_sense(changes, message):
    with pytest.raises(ParameterError, match=message):
        parameters(**changes)


def test_the_assessment_may_be_looked_at_closely(courses):
    params = parameters(detail=0, model="logistic")
    result = release(recovery.run(courses, params), Policy())
    for template in [*result.text.values(), *(c.sentence for c in result.checks)]:
        assert "(suppressed)" not in result.render(template)
    numbers = result.numbers
    assert numbers["best_auc"].value == numbers["best_first_auc"].value


def test_names_of_groups_are_in_no_check(released):
    sentences = " ".join(check.sentence for check in released.checks)
    for level in released.tables["groups"].frame["level"]:
        assert f" {level}" not in sentences or level in ("no", "yes", "1", "2", "3", "4")


def test_a_site_with_one_service_no_ends_and_new_categories(courses, tmp_path):
    """What cannot be estimated is left out, with a reason; the rest is there."""
    cohort = courses.cohort
    referrals = cohort.referrals.with_columns(
        service_id=pl.lit("S01"), end_reason=pl.lit(None, cohort.referrals.schema["end_reason"])
    )
    site = replace(cohort, referrals=referrals, truth={}, sensitivity="patient")
    params = parameters()
    found = recovery.run(of_cohort(site, params, 2), params)
    assert found.not_applicable["services"] == "There are not two services to tell apart."
    assert "services" not in found.figures
    assert "services" not in found.render(found.text["reading"])
    others = found.tables["other_outcomes"].frame
    assert "drop-out" not in others["outcome"].to_list()
    statuses = {check.name: check.status for check in found.checks}
    assert statuses["holds from service to service"] == "not applicable"
    assert statuses["below the best attainable"] == "not applicable"
    for template in [*found.text.values(), *(c.sentence for c in found.checks)]:
        found.render(template)
