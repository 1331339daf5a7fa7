"""The future that came true is one draw from the law of the futures, and the past stays."""

import hashlib
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy.stats import chi2
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from iesoresearch.data import synthetic
from iesoresearch.data.synthetic import futures as module
from iesoresearch.data.synthetic.futures import OUTCOMES, ends, futures
from iesoresearch.errors import DataError, ParameterError
from iesoresearch.measures.outcomes import landmarks, referral_outcomes
from iesoresearch.measures.outcomes.years import STORED

LATER = 3  # a landmark in the midst of treatment
N = 30  # futures


@pytest.fixture(scope="module")
def cohort():
    return synthetic.make(12_000, seed=5)


@pytest.fixture(scope="module")
def at_risk(cohort):
    """By landmark the referrals at risk, with what became of them."""
    rows = landmarks(cohort.referrals, cohort.contacts, fallback=True).rows
    return {landmark: rows.filter(landmark=landmark) for landmark in (0, 1, LATER)}


@pytest.fixture(scope="module")
def twice(cohort, at_risk):
    """By landmark the true probabilities, from two independent sets of futures."""
    return {
        landmark: [
            futures(cohort, rows["ref"], rows["session"], n_futures=N, seed=seed).probability
            for seed in (1, 2)
        ]
        for landmark, rows in at_risk.items()
    }


# The cohort


def test_the_cohort_is_what_it_was_before_futures_could_be_drawn():
    """Hash of all tables before the draw was taken apart into steps; expected numbers rest on it.

    It changes with the population: then all expected numbers do.
    """
    made = synthetic.make(3000, seed=3)
    found = hashlib.sha256()
    for table in ("patients", "referrals", "contacts", "scores", "content"):
        drawn = getattr(made, table).drop(STORED, strict=False)  # no column of a synthetic cohort
        found.update(drawn.write_csv().encode())
    for name in ("states", "initial_probs", "transition_matrix"):
        found.update(np.ascontiguousarray(made.truth[name]).tobytes())
    before = "521ce01f489f28c29485d8dc8824a0a6d99ad997b2d48b552d1994bf55983d3a"
    assert found.hexdigest() == before


# The law


@pytest.mark.parametrize("landmark", [0, 1, LATER])
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_what_came_true_is_one_draw_from_the_futures(at_risk, twice, landmark, outcome):
    """Ten bins by one set of futures, expected numbers from the other: no error of selection."""
    y = at_risk[landmark][outcome].to_numpy()
    by, p = (probability[outcome] for probability in twice[landmark])
    variance = p * (1 - p) * N / (N - 1) * (1 + 1 / N)  # of the draw and of the share of futures
    bins = np.searchsorted(np.quantile(by, np.arange(1, 10) / 10), by)
    kept = np.bincount(bins, variance, minlength=10) > 2  # enough for a normal approximation
    z2 = np.bincount(bins, y - p, minlength=10)[kept] ** 2
    z2 = z2 / np.bincount(bins, variance, minlength=10)[kept]
    assert kept.sum() >= 3
    assert chi2.sf(z2.sum(), kept.sum()) > 1e-4


@pytest.mark.parametrize("outcome", OUTCOMES[:4])
def test_the_brier_score_is_the_mean_variance(at_risk, twice, outcome):
    """Of a true probability; two sets of futures keep the error of the shares out of it."""
    y = at_risk[LATER][outcome].to_numpy()
    one, other = (probability[outcome] for probability in twice[LATER])
    excess = (y - one) * (y - other) - (one * (1 - other) + other * (1 - one)) / 2
    assert abs(excess.mean()) < 4 * excess.std() / np.sqrt(len(y))


def test_no_model_of_the_scores_does_better(at_risk, twice, cohort):
    known = landmarks(cohort.referrals, cohort.contacts, fallback=True).known()
    scores = known.filter(landmark=LATER).group_by("ref", maintain_order=True)
    scores = scores.agg(pl.col("phq9", "anxiety").drop_nulls().last().fill_null(0))
    rows = at_risk[LATER].join(scores, on="ref", how="left", maintain_order="left")
    x = rows.select("phq9", "anxiety", "phq9_first", "anxiety_first").to_numpy()
    for outcome in OUTCOMES[:4]:
        y = rows[outcome].to_numpy()
        fitted = LogisticRegression(max_iter=1000).fit(x, y).predict_proba(x)[:, 1]
        assert roc_auc_score(y, twice[LATER][0][outcome]) > roc_auc_score(y, fitted) + 0.02


@pytest.mark.parametrize("changes", [{}, {"item_missing": 0.12, "missed": 0.3, "seen_only": 0.3}])
def test_scores_visits_and_ends_follow_the_law_of_those_drawn(changes):
    """Also where many first scores lie after the landmark, and many assessed are not treated."""
    made = synthetic.make(6000, seed=8, **changes)
    outcomes = referral_outcomes(made.referrals, made.contacts, fallback=True)
    seen = np.flatnonzero(outcomes["n_attended"].to_numpy() > 0)
    n_futures = 20
    drawn = ends(made, seen, np.ones_like(seen), n_futures=n_futures, seed=3)
    came = outcomes[seen].with_columns(
        ended=made.referrals["end_reason"].cast(pl.String).gather(seen),
        after=pl.col("n_attended") - 1,
    )
    names = {"phq9_first": "phq9_first", "phq9_last": "phq9_last"}
    names |= {"gad7_first": "anxiety_first", "gad7_last": "anxiety_last"}
    pairs = [(came["n_treatment"], drawn["n_treatment"]), (came["after"], drawn["n_attended"])]
    for observed, name in names.items():
        pairs.append((came[observed].is_null(), drawn[name].is_null()))
        pairs.append((came[observed].fill_null(0), drawn[name].fill_null(0)))
    closed = came["ended"].is_not_null()
    left = came["ended"] == "treated: ended early by the patient"
    by_patient = drawn["ended"] == "by patient"
    pairs.append((left.filter(closed), by_patient.filter(closed.gather(drawn["landmark"]))))
    for observed, futures_of in pairs:
        table = futures_of.cast(pl.Float64).to_numpy().reshape(-1, n_futures)
        excess = observed.cast(pl.Float64).to_numpy() - table.mean(axis=1)
        variance = table.var(axis=1, ddof=1).sum() * (1 + 1 / n_futures)
        assert abs(excess.sum()) <= 4 * np.sqrt(variance) + 1e-9


# Where all is certain

CERTAIN = {
    "transition": [[1.0, 0, 0, 0, 0, 0, 0]] * 7,  # all are well at the second appointment
    "mobility": 1.0,
    "stayers": 0.0,
    "phq9_slope": [200.0] * 9,  # answers are none or all
    "gad7_slope": 200.0,
    "item_missing": 0.0,
    "form_missing": 1e-12,
    "never_answers": 0.0,
    "seen_only": 0.0,
    "turned_away": 0.0,
    "missed": 0.0,
    "goes_on": 0.0,
    "goes_on_by_severity": 1e7,  # who begins treatment unwell does not come back
    "goes_on_by_deprivation": 0.0,
    "leaves": -1e7,
    "leaves_by_severity": 0.0,
    "finishes_early": 0.0,
    "stays_low": 0.0,
    "still_open": 0.0,
}


@pytest.mark.parametrize("landmark", [0, 1, 2])
def test_a_certain_future_has_certain_probabilities(landmark):
    made = synthetic.make(3000, seed=2, **CERTAIN)
    rows = landmarks(made.referrals, made.contacts, fallback=True).rows.filter(landmark=landmark)
    found = futures(made, rows["ref"], rows["session"], n_futures=3, seed=1).probability
    for outcome in OUTCOMES:
        assert found[outcome].tolist() == rows[outcome].cast(pl.Float64).to_list(), outcome
    # both kinds occur before the second treatment: with an assessment apart, and without
    assert rows["reliable_recovery"].n_unique() == (2 if landmark < 2 else 1)


def test_who_never_moves_keeps_the_state():
    still = CERTAIN | {"mobility": 0.0, "goes_on_by_severity": 0.0, "goes_on": 1e7}
    made = synthetic.make(1000, seed=2, **still)
    rows = landmarks(made.referrals, made.contacts, fallback=True).rows.filter(landmark=0)
    drawn = ends(made, rows["ref"], rows["session"], n_futures=2, seed=1)
    assert drawn.filter(pl.col("phq9_first") != pl.col("phq9_last")).is_empty()
    assert set(drawn["ended"]) == {"completed"}
    assert drawn["later_score"].all()


# What a draw depends on


def test_a_future_does_not_depend_on_the_others(cohort, at_risk):
    refs, sessions = at_risk[LATER]["ref"][:300], at_risk[LATER]["session"][:300]
    whole = ends(cohort, refs, sessions, n_futures=7, seed=4)
    fewer = ends(cohort, refs.reverse(), sessions.reverse(), n_futures=3, seed=4)
    turned = fewer.with_columns(landmark=299 - pl.col("landmark")).sort("landmark", "future")
    assert turned.equals(whole.filter(pl.col("future") < 3))
    assert not ends(cohort, refs, sessions, n_futures=7, seed=5).equals(whole)


def test_blocks_change_nothing(cohort, at_risk, monkeypatch):
    rows = at_risk[0][:100]
    whole = futures(cohort, rows["ref"], rows["session"], n_futures=9, seed=4)
    monkeypatch.setattr(module, "BLOCK", 70)
    parts = futures(cohort, rows["ref"], rows["session"], n_futures=9, seed=4)
    assert whole.n_futures == 9
    for outcome in OUTCOMES:
        assert np.array_equal(whole.probability[outcome], parts.probability[outcome])


def test_the_past_is_in_every_future(cohort, at_risk):
    rows = at_risk[LATER]
    drawn = ends(cohort, rows["ref"], rows["session"], n_futures=4, seed=4)
    before = rows[drawn["landmark"]]
    for scale in ("phq9_first", "anxiety_first"):
        assert (drawn[scale] == before[scale]).mean() > 0.999  # but for a first score still to come
    assert (drawn["n_treatment"] == drawn["n_attended"] + LATER).all()


def test_no_landmarks_no_probabilities(cohort):
    found = futures(cohort, [], [], n_futures=5, seed=1)
    assert all(found.probability[outcome].shape == (0,) for outcome in OUTCOMES)


# Bad input


@pytest.mark.parametrize(
    ("change", "arguments", "error", "message"),
    [
        ({}, {"n_futures": 0}, ParameterError, "n_futures=0: at least one future must be drawn"),
        (
            {},
            {"appointment": [1, 1]},
            ParameterError,
            r"shape \(3,\), appointment \(2,\)\. Hand over two columns of equal length",
        ),
        (
            {},
            {"referral": [0, 10**6, -1], "appointment": [50, 1, 1]},
            DataError,
            "3 of 3 landmarks are appointments that the referral does not have",
        ),
        ({"truth": {}}, {}, DataError, "futures can be drawn only for a cohort of"),
        ({"seed": 6}, {}, DataError, "its courses are not those of its seed"),
        ({"contacts": 5}, {}, DataError, "leave it unchanged"),
    ],
)
def test_bad_landmarks(cohort, at_risk, change, arguments, error, message):
    if "seed" in change:
        change = {"truth": cohort.truth | change}
    if "contacts" in change:
        change = {"contacts": cohort.contacts.head(cohort.contacts.height - 5)}
    rows = at_risk[0].head(3)
    landmark = {"referral": rows["ref"], "appointment": rows["session"]} | arguments
    with pytest.raises(error, match=message):
        futures(replace(cohort, **change), **{"n_futures": 2, "seed": 1} | landmark)
