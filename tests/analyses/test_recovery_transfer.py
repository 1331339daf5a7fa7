"""`recovery_transfer`: a model that is right, or wrong by a planted amount, at another site.

Expected values are planted, worked out by hand, or found by another program (scipy).
"""

import re
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy import optimize
from scipy.special import expit, logit
from sklearn.metrics import log_loss, roc_auc_score

from iesoresearch import analyses
from iesoresearch.analyses.recovery import described
from iesoresearch.analyses.recovery_transfer import (
    MODEL_FILE,
    compared,
    local,
    refusal,
    study,
    tables,
    words,
)
from iesoresearch.analyses.recovery_transfer import site as site_module
from iesoresearch.analyses.recovery_transfer.fitted import SHIPPED, UPDATED, Fitted
from iesoresearch.analyses.recovery_transfer.site import (
    Site,
    at_risk,
    features,
    made,
    still_open,
)
from iesoresearch.data import synthetic
from iesoresearch.disclosure import Policy, release
from iesoresearch.errors import DataError, ParameterError
from iesoresearch.figures.recovery_transfer import plot_drift
from iesoresearch.measures.outcomes import financial_year
from iesoresearch.models.prediction import saved
from iesoresearch.models.prediction.schema import Categorical, Numeric, Schema
from iesoresearch.models.updating import AS_IS, BOTH, CLOSED_TEST
from iesoresearch.params import Settings

transfer = analyses.get("recovery_transfer")
SMALL = {
    **{"n_model": 3000, "n_referrals": 2500, "profile": "england", "n_bootstrap": 100},
    **{"n_local": [50, 200], "n_draws": 20, "seed": 5},
}
OUTCOME = "reliable_recovery"


def parameters(**changes):
    return transfer.Params.check(SMALL | changes, "test")


@pytest.fixture(scope="module")
def site():
    """The same population as that of the model, other patients."""
    return transfer.load(parameters(), Settings(n_jobs=2))


def shifted(site, intercept, slope=1.0):
    """The site with a model whose predictions are wrong by a known amount."""
    return replace(site, model=site.model.recalibrated(intercept, slope, "planted"))


def with_rows(site, change, columns=None):
    """The site with other rows, or other features, at the landmark."""
    at = site.at
    X = at.X if columns is None else at.X.with_columns(**columns)
    return replace(site, at=replace(at, rows=change(at.rows), X=change(X)))


@pytest.fixture(scope="module")
def planted(site):
    """One log-odds too low."""
    return Fitted(shifted(site, -1.0), parameters())


@pytest.fixture(scope="module")
def released(planted):
    return release(transfer.run(planted.site, planted.params), Policy())


def status(result):
    return {check.name: check.status for check in result.checks}


def sentences(result):
    found = [c.sentence for c in result.checks] + list(result.text.values())
    found += [t for spec in result.figures.values() for t in (spec.caption, spec.title)]
    return [result.render(sentence) for sentence in found]


# The model, and where it was made


def test_the_model_went_through_a_file(site):
    """What is applied was read from JSON, and says how good it was in services left out."""
    assert site.model.update is None
    assert site.model.training["data"] == "Synthetic cohort of 3,000 referrals (england)"
    assert 0.7 < site.model.performance["auc"] < 0.9
    assert site.model.performance["observed_expected"] == pytest.approx(1, abs=0.05)


def test_what_a_model_tells_of_its_patients_is_of_no_small_group():
    schema = Schema(
        (Numeric("age", 0, 120, "Age"),),
        (Categorical("work", ("a", "b", "c", "d"), "Work"),),
    )
    work = ["a"] * 60 + ["b"] * 26 + ["c"] * 11 + ["d"] * 3
    X = pl.DataFrame({"age": [float(x) for x in range(88)] + [None] * 12, "work": work})
    y, p = np.array([1.0, 0.0] * 50), np.full(100, 0.5)
    told = described.described(schema, X, y, p, np.arange(100)).told(Policy())
    assert (told["n_detail"], told["share"]) == (100, 50.0)
    assert told["age: mean"] == pytest.approx(np.mean(range(88)), abs=1e-3)
    assert told["age: sd"] == pytest.approx(np.std(range(88), ddof=1), abs=1e-3)
    # 88 and 26 of 100 as they would be shown: 90 and 25
    assert told["age: recorded"] == 0.9
    assert (told["work = a"], told["work = b"]) == (0.6, 0.25)
    # "d" is of three, so the next smallest goes too: else it would be what is left
    assert not {"work = d", "work = c", "work = missing"} & set(told)
    # nearly all days of waiting are two patients', one of them in two courses
    waits = [90.0, 80.0, 70.0, *[0.1] * 97]
    X, whose = X.with_columns(age=pl.Series(waits)), np.arange(100).clip(1)
    told = described.described(schema, X, y, p, whose).told(Policy())
    assert not {"age: mean", "age: sd"} & set(told)


def test_differences_are_in_standard_deviations_of_where_it_was_made():
    schema = Schema(
        (Numeric("age", 0, 120, "Age"),), (Categorical("work", ("a", "b", "c"), "Work"),)
    )
    X = pl.DataFrame(
        {"age": [40.0] * 50 + [60.0] * 50, "work": ["a"] * 30 + ["b"] * 40 + ["c"] * 30}
    )
    here = described.described(schema, X, np.ones(100), np.full(100, 0.5), np.arange(100))
    told = {"age: mean": 45.0, "age: sd": 10.0, "work = a": 0.5}
    frame = compared.compared(here, told, schema, "patient").frame
    rows = {(r["name"], r["level"]): r for r in frame.to_dicts()}
    assert rows["Age", "recorded"]["apart"] == pytest.approx(0.5)
    assert rows["Work", "a"]["shifted"] == pytest.approx(-0.4)
    # what the file does not tell of is one level
    other = rows["Work", "any other"]
    assert (other["share"], other["made_share"]) == (pytest.approx(0.7), pytest.approx(0.5))
    assert ("Work", "b") not in rows


def test_a_model_that_tells_nothing_of_its_patients(site):
    few = with_rows(site, lambda frame: frame.head(150))
    silent = replace(few, model=replace(site.model, training={}, performance={}))
    result = release(transfer.run(silent, parameters()), Policy())
    assert "does not tell of the patients" in result.not_applicable["differences"]
    assert "differences" not in result.figures
    name = "claim: patients are told apart as well as where the model was made"
    assert status(result)[name] == "not applicable"
    assert not any("(suppressed)" in sentence for sentence in sentences(result))


# As shipped, and updated


def test_a_model_that_is_right_is_mostly_left_as_it_is(site):
    """Outcomes drawn from its own predictions: a test at 5 % touches it in about 5 % of draws."""
    rng = np.random.default_rng(3)
    p = np.tile(Fitted(site, parameters()).p, 4)
    y = (rng.random(len(p)) < p).astype(float)
    found = {(f.size, f.method): f for f in local.few(y, p, [100, 400], 200, seed=1)}
    for size in (100, 400):
        # 5 % of 200 draws with their Monte Carlo error, more for draws that overlap
        assert found[size, CLOSED_TEST].left.mean() > 0.88
        assert not found[size, BOTH].left.any()
    assert found[100, BOTH].gain.mean() < 0  # noise is all there is to learn
    assert found[100, BOTH].worse > 0.5


def test_a_model_made_of_the_same_population_holds(site):
    fitted = Fitted(site, parameters())
    found = fitted.shipped.overall["observed_expected"]
    assert found.low < 1.05
    assert found.high > 0.95
    assert abs(fitted.gained.value) < 10


def test_a_planted_shift_is_found_and_mended(planted):
    before, after = (e.overall["observed_expected"] for e in (planted.before, planted.after))
    assert before.low > 1.1
    assert after.low < 1 < after.high
    update = planted.update
    assert abs(update.intercept - 1.0) < 3.5 * update.intercept_error + 0.1
    assert planted.gained.low > 0


def test_a_planted_shift_fails_and_passes_the_checks(released):
    found = status(released)
    assert found["predicted chances are right as shipped"] == "failed"
    assert found["claim: better after the update"] == "passed"
    assert found["predicted chances are right after the update"] == "passed"
    assert found["the model refuses what it does not know"] == "passed"
    assert "Recorded" not in released.text["plain"]


def test_a_planted_slope_is_found(site):
    """Predictions that are too extreme by half ask for a slope of one half."""
    fitted = Fitted(shifted(site, 0.0, 2.0), parameters())
    assert fitted.update.method == BOTH
    assert fitted.update.slope == pytest.approx(0.5, abs=0.1)
    assert fitted.shipped.overall["calibration_slope"].high < 0.7


def test_an_update_changes_no_order_and_numbers_agree_with_scikit_learn(planted):
    y = planted.y[planted.judging]
    auc = roc_auc_score(y, planted.p[planted.judging])
    for evaluation in (planted.before, planted.after):
        assert evaluation.overall["auc"].value == pytest.approx(auc, abs=1e-12)
    expected = log_loss(y, planted.p[planted.judging]) - log_loss(y, planted.updated)
    assert planted.gained.value == pytest.approx(1000 * expected, rel=1e-9)


def test_halves_share_no_patient(planted):
    assert not set(planted.patient[planted.learning]) & set(planted.patient[planted.judging])
    assert 0.45 < planted.learning.mean() < 0.55


def test_the_model_made_here_knows_nobody_it_is_judged_on(planted):
    own = planted.own
    assert np.isfinite(own.everybody).all()
    assert np.isnan(own.judged[planted.learning]).all()
    assert np.isfinite(own.judged[planted.judging]).all()


def test_one_draw_by_hand():
    """The intercept that another program finds gives the same gain on all others."""
    rng = np.random.default_rng(1)
    p = rng.uniform(0.1, 0.9, 400)
    y = (rng.random(400) < expit(logit(p) + 0.7)).astype(float)
    rows = local._drawn(400, 120, 9, 0)
    assert rows.sum() == 120
    found = optimize.minimize_scalar(
        lambda a: log_loss(y[rows], expit(logit(p[rows]) + a)), tol=1e-12
    )
    after = expit(logit(p[~rows]) + found.x)
    gain, off, left = local._tried(y, p, rows, "intercept")
    expected = 1000 * (log_loss(y[~rows], p[~rows]) - log_loss(y[~rows], after))
    assert gain == pytest.approx(expected, abs=1e-4)
    assert off == pytest.approx(abs(y[~rows].sum() / after.sum() - 1), abs=1e-6)
    assert not left


def test_more_local_patients_serve_better(planted):
    small, large = (f for f in planted.few if f.method == CLOSED_TEST)
    assert (small.size, large.size) == (50, 200)
    assert large.gain.mean() > small.gain.mean()
    assert large.off.mean() < small.off.mean()
    assert planted.enough in (50, 200)


def test_numbers_of_patients_beyond_half_of_the_site_are_left_out():
    y, p = np.array([0.0, 1.0] * 50), np.full(100, 0.4) + np.arange(100) / 1000
    assert {f.size for f in local.few(y, p, [20, 50, 51], 20, 1)} == {20, 50}


def test_too_few_to_update_stay_as_they_are():
    y, p = np.array([0.0, 1.0] * 50), np.full(100, 0.4) + np.arange(100) / 1000
    found = {f.method: f for f in local.few(y, p, [20], 20, 1)}
    assert found[CLOSED_TEST].left.all()
    assert not found[CLOSED_TEST].gain.any()


def test_time_is_seen_by_the_first_row_of_every_patient(planted):
    """A patient with a second referral counts once, with the earlier one."""
    at = planted.site.at
    again = at.rows.head(50).with_columns(pl.col("day") + pl.duration(days=400))
    twice = replace(at, rows=pl.concat([again, at.rows]), X=pl.concat([at.X.head(50), at.X]))
    fitted = Fitted(replace(planted.site, at=twice), planted.params)
    assert fitted.first.sum() == at.n
    assert not fitted.first[:50].any()
    np.testing.assert_array_equal(fitted.drift[SHIPPED].n, planted.drift[SHIPPED].n)


def test_a_model_that_is_off_raises_the_alarm_and_its_update_does_so_later_if_ever(planted):
    assert planted.drift[SHIPPED].more.alarm.any()
    highest = [planted.drift[m].more.highest.max() for m in (SHIPPED, UPDATED)]
    assert highest[0] > 5 * highest[1]


# What is handed over


def test_every_sentence_is_filled_and_nothing_says_nan(released):
    for sentence in sentences(released):
        assert not re.search(r"[{}]|\bnan\b|None|\(suppressed\)", sentence), sentence


def test_the_updated_model_is_shared_with_its_update(released, planted, tmp_path):
    released.documents[MODEL_FILE](released, tmp_path / MODEL_FILE)
    model = saved.read(tmp_path / MODEL_FILE)
    assert model.update.said.startswith("Closed test (")
    assert "patients of: Synthetic cohort of 2,500 referrals (england)" in model.update.said
    X = planted.site.X[planted.rows[planted.judging]]
    p = model.predict(X, outcome=OUTCOME, landmark=4).p
    np.testing.assert_allclose(p, planted.updated, rtol=0, atol=1e-4)  # four decimals are told
    told = released.numbers["after_observed_expected"].value
    assert model.performance["updated observed_expected"] == told


def test_groups_of_few_are_hidden(released):
    frame = released.tables["groups"].frame
    assert frame["n"].drop_nulls().min() >= 10
    hidden = frame.filter(pl.col("share").is_null())
    assert hidden["auc"].null_count() == hidden.height > 0


def test_the_same_seed_gives_the_same_numbers_for_any_jobs(released, planted):
    again = release(transfer.run(replace(planted.site, n_jobs=1), planted.params), Policy())
    assert {k: n.value for k, n in again.numbers.items()} == {
        k: n.value for k, n in released.numbers.items()
    }


# A site and a model in folders


@pytest.fixture(scope="module")
def folder(site, tmp_path_factory):
    place = tmp_path_factory.mktemp("partner")
    site.cohort.write(place)
    saved.write(place / MODEL_FILE, site.model)
    return place


FOLDERS = {"model": "folder", "source": "folder"}


def test_a_partners_folder_gives_what_the_library_gives(folder, site):
    there = transfer.load(parameters(**FOLDERS), Settings((folder,)))
    assert there.cohort.sensitivity == "patient"
    p = Fitted(there, parameters(**FOLDERS)).p
    np.testing.assert_allclose(p, Fitted(site, parameters()).p, atol=1e-12)
    assert there.fingerprint == transfer.fingerprint(parameters(**FOLDERS), Settings((folder,)))


def test_another_model_is_another_fingerprint(folder, site, tmp_path):
    first, beside = (tmp_path / name for name in ("one", "two"))
    for place, model in ((first, site.model), (beside, shifted(site, 0.3).model)):
        place.mkdir()
        saved.write(place / MODEL_FILE, model)
    params = parameters(**FOLDERS)
    found = [transfer.fingerprint(params, Settings((at, folder))) for at in (first, beside, first)]
    assert found[0] == found[2] != found[1]
    drawn = parameters(model="folder")
    assert transfer.fingerprint(drawn, Settings((first,))) != "drawn"
    assert transfer.fingerprint(parameters(), Settings(())) == "drawn"


def test_no_model_in_any_folder(tmp_path):
    for ask in (transfer.load, transfer.fingerprint):
        with pytest.raises(DataError, match=r"No folder with model.json was found .* with --data"):
            ask(parameters(model="folder"), Settings((tmp_path,)))


@pytest.mark.parametrize("changes", [{"landmark": 2}, {"outcome": "reliable_improvement"}])
def test_a_model_of_something_else(folder, changes):
    with pytest.raises(ParameterError, match=r"predicts reliable_recovery at landmark 4, and not"):
        transfer.load(parameters(**FOLDERS, **changes), Settings((folder,)))


def test_a_damaged_model(folder, tmp_path):
    text = (folder / MODEL_FILE).read_text(encoding="utf-8")
    (tmp_path / MODEL_FILE).write_text(text.replace('"landmark": 4', '"landmark": 3', 1))
    with pytest.raises(DataError, match="changed or damaged after it was written"):
        transfer.load(parameters(**FOLDERS), Settings((tmp_path, folder)))


def test_a_model_that_asks_for_what_is_not_computed_here(site):
    schema = site.model.schema
    other = replace(schema, numeric=(replace(schema.numeric[0], name="iq"), *schema.numeric[1:]),
                    current=())  # fmt: skip
    with pytest.raises(DataError, match="The model asks for iq, which this version"):
        features(replace(site.model, schema=other), site.at)


# Sites that cannot answer everything


def test_a_site_that_never_asked_for_the_wsas(site):
    columns = [c for c in site.cohort.contacts.columns if c.startswith("wsas")]
    contacts = site.cohort.contacts.with_columns(
        pl.lit(None, site.cohort.contacts.schema[c]).alias(c) for c in columns
    )
    cohort = replace(site.cohort, contacts=contacts)
    bare = with_rows(replace(site, cohort=cohort, at=at_risk(cohort, 4)), lambda f: f.head(150))
    result = release(transfer.run(bare, parameters()), Policy())
    assert result.numbers["n_predicted"].value == result.numbers["n_at_risk"].value
    assert status(result)["every predictor is recorded here"] == "failed"
    said = "Not recorded for anybody here: Latest WSAS, points, First WSAS, points"
    assert said in result.render(result.text["plain"])


def test_unseen_categories_and_impossible_numbers_are_refused_and_counted(site):
    strange = pl.Series(["by drone"] * 40 + [None] * (site.at.n - 40))
    columns = {
        "mechanism": pl.coalesce(strange, pl.col("mechanism")),
        "age": pl.when(pl.int_range(pl.len()) < 60).then(500.0).otherwise(pl.col("age")),
    }
    odd = with_rows(site, lambda frame: frame.head(200), columns)
    fitted = Fitted(odd, parameters())
    assert fitted.site.at.n - len(fitted.y) == 60
    result = release(transfer.run(odd, parameters()), Policy())
    found = dict(result.tables["refused"].frame.select("reason", "n").rows())
    assert found == {
        "age is not from 0 to 120": 60,
        "mechanism has a category that is not known": 40,
    }
    assert result.numbers["n_refused"].value == 60
    assert any("refuses 60 referrals" in sentence for sentence in sentences(result))


def test_a_site_whose_patients_are_all_refused(site):
    odd = with_rows(site, lambda frame: frame, {"age": pl.lit(500.0)})
    with pytest.raises(DataError, match=r"the model refuses all .*age is not from 0 to 120"):
        transfer.run(odd, parameters())


def test_nobody_at_the_landmark(site):
    nobody = replace(site.cohort, contacts=site.cohort.contacts.head(0))
    with pytest.raises(DataError, match="nobody is at risk at landmark 4"):
        at_risk(nobody, 4)


def test_too_few_patients_to_update(site):
    result = release(transfer.run(with_rows(site, lambda f: f.head(40)), parameters()), Policy())
    found = status(result)
    assert found["claim: better after the update"] == "not applicable"
    assert found["claim: an updated model serves better than one made here"] == "not applicable"
    assert "too few patients" in result.not_applicable["update"]
    assert not result.documents
    assert "too few patients here to update it" in result.text["plain"]
    for sentence in sentences(result):
        assert not re.search(r"[{}]|\bnan\b|None|\(suppressed\)", sentence), sentence


def test_a_site_with_one_outcome_only(site):
    result = release(transfer.run(with_rows(site, all_recover), parameters()), Policy())
    found = status(result)
    assert found["predicted chances are right as shipped"] == "inconclusive"
    assert found["claim: patients are told apart as well as where the model was made"] == (
        "inconclusive"
    )
    assert not result.documents
    assert result.tables["performance"].frame["auc"].to_list()[1:] == [None]
    for sentence in sentences(result):
        assert not re.search(r"[{}]|\bnan\b|None|\(suppressed\)", sentence), sentence


def all_recover(frame):
    return frame.with_columns(pl.lit(True).alias(OUTCOME)) if OUTCOME in frame.columns else frame


def test_predictions_the_wrong_way_round_are_not_shared(site):
    """Outcomes turned round: the slope is below zero, and no update can mend that."""

    def turned(frame):
        return frame.with_columns(~pl.col(OUTCOME)) if OUTCOME in frame.columns else frame

    odd = with_rows(site, lambda frame: turned(frame).head(180))
    result = release(transfer.run(odd, parameters()), Policy())
    assert status(result)["predicted chances are right after the update"] == "failed"
    assert not result.documents


def test_referrals_that_are_still_open_are_at_risk_too(site):
    """For predictions no outcome is needed; what a model sees of the others does not change."""
    cut = site.cohort.referrals["discharge_date"].quantile(0.7)
    still = pl.when(pl.col("discharge_date") <= cut).then("discharge_date")
    referrals = site.cohort.referrals.with_columns(discharge_date=still)
    half = replace(site.cohort, referrals=referrals)
    closed, everybody = at_risk(half, 4), at_risk(still_open(half), 4)
    ids = [set(at.rows["referral_id"]) for at in (closed, site.at, everybody)]
    assert ids[0] < ids[1] <= ids[2]
    common = everybody.rows["referral_id"].is_in(closed.rows["referral_id"].implode())
    assert everybody.X.filter(common).equals(closed.X)


# Refusal


def test_a_model_that_refuses_nothing_is_found_out(site, monkeypatch):
    assert refusal.refuses(site.model)
    monkeypatch.setattr(Schema, "outside", lambda self, X: {})
    monkeypatch.setattr(Schema, "encode", lambda self, X: self._matrix(X))
    assert not refusal.refuses(site.model)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_local": [100, 50]}, "numbers must rise, the first at least 10"),
        ({"n_local": [5]}, "numbers must rise, the first at least 10"),
        ({"landmark": 9}, "landmark=9"),
        ({"model": "wales"}, "model='wales'"),
    ],
)
def test_parameters_that_make_no_sense(changes, message):
    with pytest.raises(ParameterError, match=re.escape(message)):
        parameters(**changes)


def test_boosted_trees_travel_as_well(monkeypatch):
    monkeypatch.setattr(site_module, "N_OUTER", 2)
    monkeypatch.setattr(site_module, "N_INNER", 2)
    params = parameters(kind="xgboost", landmark=2, n_model=2000)
    model = made(params, 2)
    assert (model.kind, model.landmark) == ("xgboost", 2)
    cohort = synthetic.make(600, 3)
    there = Site(model, cohort, at_risk(cohort, 2), "drawn", 1)
    assert np.isfinite(Fitted(there, params).p).all()
    assert study.summary(there).frame["count"].to_list() == [600, there.at.n]
    assert Fitted(shifted(there, 0.0), params).update.method in (AS_IS, "intercept", BOTH)


# Where dates are shifted


def without_calendar(planted, year):
    """The same site, its dates known to be shifted, with these years stored or none."""
    site = planted.site
    rows = site.at.rows.with_columns(referral_year=year)
    cohort = replace(site.cohort, days_shifted=364)
    return Fitted(replace(site, cohort=cohort, at=replace(site.at, rows=rows)), planted.params)


def test_without_years_nothing_is_told_over_time(planted):
    fitted = without_calendar(planted, pl.lit(None, pl.String))
    assert fitted.drift == {}
    missing = study._not_applicable(fitted)
    for name in ("drift", "cusum"):
        assert "shifted by up to 364 days" in missing[name]
        assert "Ask for referral_year, or run it where the true dates are." in missing[name]
    check = words._time(fitted)
    assert (check.status, check.sentence) == ("not applicable", missing["drift"])


def test_with_years_drift_is_by_year_of_the_referral_and_without_running_sums(planted):
    year = financial_year(pl.col("referral_date"))
    fitted = without_calendar(planted, year)
    rows = planted.site.at.rows[planted.rows[planted.first]]
    counts = rows.group_by(year.alias("year")).agg(pl.len(), pl.col(OUTCOME).mean()).sort("year")
    table = tables.drift(fitted)
    assert table.keys == {"model": "Model", "year": "Referred in"}
    shown = table.frame.filter(model=SHIPPED)
    assert shown.select("year", "n").rows() == counts.select("year", "len").rows()
    np.testing.assert_allclose(shown["observed"], counts[OUTCOME])
    assert set(study._not_applicable(fitted)) - set(study._not_applicable(planted)) == {"cusum"}
    assert not {"more", "fewer"} & set(table.values)
    assert plot_drift(table).get_xlabel() == "Financial year of the referral"
    check = words._time(fitted)
    assert check.status == "passed"
    assert "As shipped: yes; updated: no." in check.sentence
    assert not [name for name in words.numbers(fitted) if name.endswith(("_more", "_fewer"))]
