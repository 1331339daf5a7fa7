"""The synthetic cohort is what its truth says."""

import importlib.util
import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import chisquare, kstest

from iesoresearch.data import codes, synthetic
from iesoresearch.data.sources import from_folder
from iesoresearch.data.synthetic import Profile, answers, kernels, people, profile
from iesoresearch.errors import DataError, ParameterError
from iesoresearch.measures import GAD7, PHQ9, WSAS, score
from iesoresearch.measures.outcomes import referral_outcomes
from iesoresearch.project import find


@pytest.fixture(scope="module")
def cohort():
    return synthetic.make(6000, seed=3)


@pytest.fixture(scope="module")
def outcomes(cohort):
    return referral_outcomes(cohort.referrals, cohort.contacts, fallback=True)


def test_asked_for_n_referrals_one_gets_n(cohort):
    assert cohort.referrals.height == cohort.patients.height == 6000
    assert cohort.sensitivity == "synthetic"
    assert synthetic.make(7, seed=1).referrals.height == 7


def test_equal_seeds_equal_cohorts(cohort):
    again = synthetic.make(6000, seed=3)
    for table in ("patients", "referrals", "contacts", "scores", "content"):
        assert getattr(again, table).equals(getattr(cohort, table)), table
    assert not synthetic.make(6000, seed=4).contacts.equals(cohort.contacts)


def test_another_therapist_variance_moves_no_patient(cohort):
    changed = synthetic.make(6000, seed=3, therapist_sd=0.0)
    assert changed.patients.equals(cohort.patients)
    assert changed.referrals["referral_date"].equals(cohort.referrals["referral_date"])
    assert changed.fingerprint != cohort.fingerprint
    assert not changed.truth["therapist_effects"].any()


@pytest.mark.parametrize("name", synthetic.PROFILES)
@pytest.mark.parametrize("instrument", [PHQ9, GAD7, WSAS])
def test_true_probabilities_sum_to_one(instrument, name):
    probs = answers.item_probs(instrument, Profile.load(name))
    assert probs.shape == (7, len(instrument.items), instrument.n_categories)
    assert probs.min() >= 0
    assert probs.sum(axis=2) == pytest.approx(np.ones(probs.shape[:2]))


@pytest.mark.parametrize("name", synthetic.PROFILES)
def test_every_parameter_says_what_it_stands_on(name):
    loaded = Profile.load(name)
    assert set(loaded.basis.values()) == set(profile.BASES)
    moves = np.array(loaded["transition"])
    assert moves.sum(axis=1) == pytest.approx(np.ones(7))
    lists = {"problem": 16, "ethnicity": len(codes.ETHNICITIES), "age": len(people.AGE_BANDS)}
    for group, n in lists.items():
        for effect in ("severity", "response"):
            assert len(loaded[f"{group}_{effect}"]) == n


def test_what_is_called_calibrated_is_what_the_study_fits():
    path = find().root / "studies" / "calibrate_synthetic.py"
    spec = importlib.util.spec_from_file_location("calibrate_synthetic", path)
    study = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(study)
    fitted = {name.split(".")[0] for name in study.ENGLAND} | {"problem_anxiety"}
    groups = (*study.GROUPS, *study.TWO, "problem")
    fitted |= {f"{group}_{effect}" for group in groups for effect in ("severity", "response")}
    basis = Profile.load("england").basis
    assert {name for name in basis if basis[name] == "calibrated"} == fitted


def test_average_moves_are_probabilities(cohort):
    assert cohort.truth["initial_probs"].sum() == pytest.approx(1.0)
    assert cohort.truth["transition_matrix"].sum(axis=1) == pytest.approx(np.ones(7))


def test_average_moves_are_those_made(cohort):
    """The expected moves kept by the draw against a count of the moves made."""
    states, contacts = cohort.truth["states"], cohort.contacts
    same = contacts["referral_id"].eq_missing(contacts["referral_id"].shift(-1)).to_numpy()[:-1]
    origin, destination = states[:-1][same], states[1:][same]
    for state in range(7):
        made = np.bincount(destination[origin == state], minlength=7)
        expected = cohort.truth["transition_matrix"][state] * made.sum()
        assert np.all(np.abs(made - expected) < 4.5 * np.sqrt(expected + 1.0))


def test_answers_follow_their_state(cohort):
    states = cohort.truth["states"]
    probs = cohort.truth["item_probs"]
    for item, column in enumerate(PHQ9.columns):
        for state in (1, 3, 5):
            given_here = cohort.contacts[column].filter(pl.Series(states == state)).drop_nulls()
            found = np.bincount(given_here.to_numpy(), minlength=4)
            expected = probs[state, item] * found.sum()
            usable = expected > 5
            scale = found[usable].sum() / expected[usable].sum()
            assert chisquare(found[usable], expected[usable] * scale).pvalue > 1e-5


def test_missing_answers(cohort):
    attended = cohort.contacts.filter(attendance="attended")
    silent = attended.group_by("referral_id").agg(
        pl.all_horizontal(pl.col(PHQ9.columns).is_null()).all().alias("silent"), n=pl.len()
    )
    share = silent.filter(pl.col("n") > 1)["silent"].mean()
    assert share == pytest.approx(Profile.load("england")["never_answers"], abs=0.012)
    given_forms = attended.filter(~pl.all_horizontal(pl.col(PHQ9.columns).is_null()))
    lost = given_forms.select(PHQ9.columns).null_count().sum_horizontal().item()
    n = given_forms.height * 9
    assert lost / n == pytest.approx(0.01, abs=5 * (0.01 * 0.99 / n) ** 0.5)
    missed = cohort.contacts.filter(attendance="did not attend").select(PHQ9.columns)
    assert missed.null_count().sum_horizontal().item() == 9 * missed.height > 0


def test_dates_are_in_order(cohort, outcomes):
    dates = cohort.contacts.join(
        cohort.referrals.select("referral_id", "referral_date", "discharge_date"), on="referral_id"
    )
    assert dates.filter(pl.col("date") < pl.col("referral_date")).is_empty()
    assert dates.filter(pl.col("date") > pl.col("discharge_date")).is_empty()
    steps = dates.select(pl.col("date").diff().over("referral_id").dt.total_days().min())
    assert steps.item() >= 0
    assert outcomes["wait_days"].drop_nulls().min() >= 1


def test_a_measure_of_ones_own_lies_within_its_range(cohort):
    from iesoresearch.measures import SCALES

    for code, values in cohort.scores.group_by("instrument"):
        scale = SCALES[code[0]]
        assert values["value"].is_between(scale.low, scale.high).all(), code
    assert cohort.scores["instrument"].n_unique() >= 5


def test_content_is_that_of_typed_sessions(cohort):
    typed = cohort.contacts.filter(mechanism="typed, live", attendance="attended")
    keys = ["referral_id", "session"]
    assert cohort.content.select(keys).unique().join(typed, on=keys, how="anti").is_empty()
    assert (cohort.content.group_by(keys).len()["len"] == 6).all()


def test_ieso_is_typed_and_of_the_higher_step():
    cohort = synthetic.make(500, seed=1, profile="ieso")
    assert cohort.contacts["mechanism"].unique().to_list() == ["typed, live"]
    assert cohort.contacts["therapy"].drop_nulls().unique().to_list() == [
        "cognitive behaviour therapy"
    ]


@given(
    arrays(float, (3, 4), elements=st.floats(0.1, 5.0)),
    arrays(float, 3, elements=st.floats(0.1, 5.0)),
    arrays(float, 4, elements=st.floats(0.1, 5.0)),
)
def test_fitted_table_has_the_margins_and_the_odds_ratios(association, rows, columns):
    table = people.fitted_table([rows, columns], association)
    assert table.sum(axis=1) == pytest.approx(rows / rows.sum(), rel=1e-6)
    assert table.sum(axis=0) == pytest.approx(columns / columns.sum(), rel=1e-6)
    assert table[0, 0] * table[1, 1] / table[0, 1] / table[1, 0] == pytest.approx(
        association[0, 0] * association[1, 1] / association[0, 1] / association[1, 0], rel=1e-6
    )


def test_truth_is_saved_beside_the_tables(cohort, tmp_path):
    cohort.write(tmp_path / "made")
    truth = json.loads((tmp_path / "made" / "truth.json").read_text())
    assert np.allclose(truth["transition_matrix"], cohort.truth["transition_matrix"])
    assert truth["profile"]["therapist_sd"] == Profile.load("england")["therapist_sd"]
    states = pl.read_parquet(tmp_path / "made" / "truth_states.parquet")
    assert states["state"].to_list() == cohort.truth["states"].tolist()
    assert from_folder((tmp_path / "made",)).truth == {}  # an analysis of a folder knows no truth


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"n": 0, "seed": 1}, DataError, "n=0: a cohort needs at least one referral"),
        (
            {"n": 5, "seed": 1, "profile": "wales"},
            ParameterError,
            "There is no synthetic population called 'wales'; it is england or ieso",
        ),
        (
            {"n": 5, "seed": 1, "therapist_SD": 0.1},
            ParameterError,
            r"therapist_SD is no parameter .* \(did you mean therapist_sd\?\)",
        ),
    ],
)
def test_bad_input(arguments, error, message):
    with pytest.raises(error, match=message):
        synthetic.make(**arguments)


def test_draws_by_place_are_uniform_and_unrelated():
    draws = np.array(
        [[kernels.uniform(np.uint64(9), p, a, 3) for a in range(40)] for p in range(500)]
    )
    assert kstest(draws.ravel(), "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(draws[:, :-1].ravel(), draws[:, 1:].ravel())[0, 1]) < 0.03
    assert abs(np.corrcoef(draws[:-1].ravel(), draws[1:].ravel())[0, 1]) < 0.03
    assert len(np.unique(draws)) == draws.size


def test_who_is_below_caseness_at_first_is_seldom_treated():
    """Foreseen from the same places of the draw as the answers that are given later."""
    kept = synthetic.make(6000, seed=3, turned_away=0.0, separate_assessment=1.0, severity=0.0)
    gone = synthetic.make(6000, seed=3, turned_away=1.0, separate_assessment=1.0, severity=0.0)
    for made, expected in ((kept, True), (gone, False)):
        first = made.contacts.filter(session=1)
        totals = first.select(
            "referral_id",
            phq9=score(first, PHQ9)["phq9_total"],
            gad7=score(first, GAD7)["gad7_total"],
        )
        complete = first.select([*PHQ9.columns, *GAD7.columns]).null_count().sum_horizontal().item()
        assert complete > 0  # single items are missing, and such totals are left out below
        below = totals.filter((pl.col("phq9") < 10) & (pl.col("gad7") < 8))
        below = below.filter(pl.col("phq9") == pl.col("phq9").round())
        treated = referral_outcomes(made.referrals, made.contacts).filter(pl.col("n_treatment") > 0)
        assert below.height > 100
        found = below.join(treated, on="referral_id", how="semi").height / below.height
        assert (found > 0.9) if expected else (found < 0.03)
