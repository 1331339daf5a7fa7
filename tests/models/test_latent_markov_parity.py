"""The fits of LMest, seqHMM, depmixS4 and StepMix from given starts (see tests/parity)."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from iesoresearch.models import LatentMarkov
from iesoresearch.models.latent_markov import em, interleaved

from . import oracle

FOLDER = Path(__file__).parents[1] / "parity"
NAMES = {  # ours: theirs
    "initial_probs": "initial",
    "transition_matrix": "transition",
    "item_probs": "item_category",
}


@pytest.fixture(scope="module", params=["balanced4", "ragged_missing5", "one_occasion3"])
def case(request):
    reference = json.loads((FOLDER / f"{request.param}.json").read_text(encoding="utf-8"))
    rows = np.genfromtxt(
        FOLDER / f"{request.param}.csv", delimiter=",", skip_header=1, filling_values=-1, dtype=int
    )
    _, lengths = np.unique(rows[:, 0], return_counts=True)
    return SimpleNamespace(
        reference=reference,
        items=rows[:, 2:].astype(np.int8),
        lengths=None if (lengths == 1).all() else lengths,
        first_rows=np.cumsum(lengths) - lengths,
        start=named(reference["start_values"]),
    )


@pytest.fixture(scope="module")
def fitted(case):
    return fit(case, init=case.start, tol=1e-12)


def named(values):
    """Parameters of a reference under our names; there are no transitions in `one_occasion3`."""
    return {ours: np.array(values[theirs]) for ours, theirs in NAMES.items() if theirs in values}


def fit(case, **parameters):
    n_states = len(case.start["initial_probs"])
    model = LatentMarkov(n_states, **{"n_categories": 4, "random_state": 11, **parameters})
    return model.fit(case.items, case.lengths)


def assert_same_bits(a, b):
    names = [name for name in vars(a) if name.endswith("_")]
    assert {"starts_", "item_probs_", "transition_matrix_", "log_likelihood_"} <= set(names)
    for name in names:
        one, other = np.asarray(getattr(a, name)), np.asarray(getattr(b, name))
        equal_nan = one.dtype.kind == "f"  # structured arrays cannot be asked about NaN
        assert np.array_equal(one, other, equal_nan=equal_nan), name


def test_the_start_values_have_the_reference_log_likelihood(case):
    model = fit(case, init=case.start, max_iter=1, tol=0)
    expected = case.reference["log_likelihood_at_start_values"]
    assert model.log_likelihood_ == pytest.approx(expected, rel=1e-10, abs=0)


def test_one_em_step_is_the_reference_step(case):
    model = fit(case, init=case.start, max_iter=2, tol=0)
    expected = case.reference["unpadded_em"]["log_likelihood_after_1_iteration"]
    assert model.log_likelihood_ == pytest.approx(expected, rel=1e-10, abs=0)


def test_reaches_the_reference_maximum_from_the_given_start(case, fitted):
    expected = case.reference["maximum"]["log_likelihood"]
    assert fitted.log_likelihood_ == pytest.approx(expected, rel=1e-9, abs=0)


def test_estimates_are_those_at_the_reference_maximum(case, fitted):
    for name, expected in named(case.reference["estimates_polished"]).items():
        np.testing.assert_allclose(getattr(fitted, f"{name}_"), expected, rtol=0, atol=1e-5)


def test_counts_parameters_and_people_like_the_reference(case, fitted):
    assert fitted.n_parameters_ == case.reference["n_parameters"]
    assert fitted.n_people_ == case.reference["data"]["n_subjects"]
    # BIC is twice the log-likelihood away from a constant, and that agrees to 1e-9 relative
    tolerance = 2e-9 * abs(case.reference["log_likelihood"])
    assert fitted.bic_ == pytest.approx(case.reference["bic_n_subjects"], rel=0, abs=tolerance)


def test_states_come_in_the_reference_order(case, fitted):
    totals = (fitted.item_probs_ @ np.arange(4)).sum(axis=1)
    expected = case.reference["expected_total_score_by_state"]
    # nine items, each an average of 0 ... 3 under probabilities that agree to 1e-5
    np.testing.assert_allclose(totals, expected, rtol=0, atol=9 * (0 + 1 + 2 + 3) * 1e-5)


def test_state_shares_at_the_first_session(case, fitted):
    first = fitted.predict_proba(case.items, case.lengths)[case.first_rows]
    expected = case.reference["posterior_mean_state_shares_t1"]
    # at the maximum they are the initial probabilities, which agree to 1e-5
    np.testing.assert_allclose(first.mean(axis=0), expected, rtol=0, atol=1e-5)
    np.testing.assert_allclose(fitted.state_counts_, first.sum(axis=0), rtol=1e-10)


@pytest.mark.parametrize("case", ["ragged_missing5", "one_occasion3"], indirect=True)
def test_typical_mistakes_with_missing_answers_would_show(case):
    estimates = fit(case, init=named(case.reference["estimates"]), max_iter=1, tol=0)
    missing = case.items < 0
    partly = (missing.any(axis=1) & ~missing.all(axis=1))[:, None]
    wrong = {
        "missing_read_as_category_0": np.where(missing, 0, case.items),
        "partly_missing_rows_treated_as_wholly_missing": np.where(partly, -1, case.items),
    }
    for mistake, items in wrong.items():
        expected = case.reference["wrong_log_likelihoods_at_the_estimates"][mistake]
        score = estimates.score(items.astype(np.int8), case.lengths)
        assert score == pytest.approx(expected, rel=1e-10, abs=0)
        assert abs(score - case.reference["log_likelihood"]) > 100


@pytest.mark.parametrize("case", ["ragged_missing5"], indirect=True)
def test_a_session_without_answers_keeps_its_place_in_time(case):
    estimates = fit(case, init=named(case.reference["estimates"]), max_iter=1, tol=0)
    answered = (case.items >= 0).any(axis=1)
    shorter = np.add.reduceat(answered, case.first_rows)
    dropped = estimates.score(case.items[answered], shorter)
    expected = case.reference["wrong_log_likelihoods_at_the_estimates"]
    assert dropped == pytest.approx(
        expected["wholly_missing_rows_dropped_and_neighbours_joined"], rel=1e-10, abs=0
    )
    kept = estimates.score(case.items, case.lengths)
    assert kept == pytest.approx(case.reference["log_likelihood"], rel=1e-10, abs=0)


def test_twenty_random_starts_reach_the_best_mode(case):
    starts = fit(case, tol=1e-8).starts_["log_likelihood"]
    best = case.reference["maximum"]["log_likelihood"]
    assert len(starts) == 20
    # 0.05 as in the reference: a relative tolerance stops short, the next mode is 199 below
    assert starts[0] == pytest.approx(best, rel=0, abs=0.05)
    assert starts.max() <= best + 1e-9 * abs(best)


@pytest.fixture
def few_starts(case):
    return lambda **parameters: fit(case, n_starts=3, max_iter=30, tol=0, **parameters)


def test_two_runs_give_the_same_bits(few_starts):
    assert_same_bits(few_starts(), few_starts())


def test_threads_over_starts_change_no_bit(few_starts):
    assert_same_bits(few_starts(n_jobs=1), few_starts(n_jobs=2))


def test_threads_over_people_change_no_bit(few_starts, monkeypatch):
    monkeypatch.setattr(interleaved, "ROWS", 200)
    monkeypatch.setattr(em, "THREADED_PEOPLE", 50)
    alone = few_starts(n_jobs=1)
    executors = []
    of_one = em.e_step

    def spy(sessions, parameters, executor=None):
        executors.append(executor)
        return of_one(sessions, parameters, executor)

    monkeypatch.setattr(em, "e_step", spy)
    assert_same_bits(alone, few_starts(n_jobs=2))
    assert None not in executors  # the threads did share out the people


def test_the_reference_agrees_with_the_oracle_of_these_tests(case):
    if case.lengths is None:
        start = {**case.start, "transition_matrix": np.eye(3)}
        lengths = np.ones(len(case.items), dtype=int)
    else:
        start, lengths = case.start, case.lengths
    expected = case.reference["log_likelihood_at_start_values"]
    value = oracle.log_likelihood(start, case.items, lengths)
    assert value == pytest.approx(expected, rel=1e-10, abs=0)
