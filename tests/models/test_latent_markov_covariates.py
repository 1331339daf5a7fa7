"""Covariates: LMest's fits, an oracle in plain numpy, and laws (see tests/parity)."""

import json
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from iesoresearch.errors import ConvergenceWarning, DataError, NotFittedError, ParameterError
from iesoresearch.models import LatentMarkov, SeverityLadder
from iesoresearch.models.latent_markov import information
from iesoresearch.models.latent_markov.logits import Logits

from . import general_oracle as oracle

FOLDER = Path(__file__).parents[1] / "parity"


# ---- parity with LMest and with an independent Newton run


@pytest.fixture(scope="module", params=["covariates3", "covariates3_timevarying"])
def case(request):
    reference = json.loads((FOLDER / f"{request.param}.json").read_text(encoding="utf-8"))
    rows = np.genfromtxt(FOLDER / f"{request.param}.csv", delimiter=",", skip_header=1)
    _, lengths = np.unique(rows[:, 0], return_counts=True)
    firsts, covariates = np.cumsum(lengths) - lengths, rows[:, 11:]
    return SimpleNamespace(
        reference=reference,
        items=rows[:, 2:11].astype(np.int8),
        lengths=lengths,
        firsts=firsts,
        covariates=covariates,
        known={"initial_covariates": covariates[firsts], "transition_covariates": covariates},
        start=named(reference["start_values"]),
    )


def named(values):
    return {
        "initial_coefs": np.array(values["initial_coefficients"]),
        "transition_coefs": np.array(values["transition_coefficients"]),
        "item_probs": np.array(values["item_category"]),
    }


def fit(case, **parameters):
    model = LatentMarkov(3, **{"n_categories": 4, "init": case.start, **parameters})
    return model.fit(case.items, case.lengths, **case.known)


@pytest.fixture(scope="module")
def fitted(case):
    return fit(case)


def test_the_start_values_have_the_reference_log_likelihood(case):
    model = fit(case, max_iter=1, tol=0)
    expected = case.reference["log_likelihood_at_start_values"]
    assert model.log_likelihood_ == pytest.approx(expected, rel=1e-10, abs=0)
    assert np.isnan(model.initial_coefs_se_).all()  # not of a maximum


def test_one_em_step_is_the_reference_step(case):
    model = fit(case, max_iter=2, tol=0)
    expected = case.reference["lmest"]["log_likelihood_after_1_iteration"]
    # LMest's M-step stops at a tolerance of its own
    assert model.log_likelihood_ == pytest.approx(expected, rel=1e-9, abs=0)


def test_reaches_the_reference_maximum_from_the_given_start(case, fitted):
    expected = case.reference["maximum"]["log_likelihood"]
    assert fitted.log_likelihood_ == pytest.approx(expected, rel=1e-12, abs=0)
    assert fitted.score(case.items, case.lengths, **case.known) == pytest.approx(
        fitted.log_likelihood_, rel=1e-12, abs=0
    )


def test_estimates_are_those_at_the_reference_maximum(case, fitted):
    expected = named(case.reference["estimates_polished"])
    for name, values in expected.items():
        np.testing.assert_allclose(getattr(fitted, f"{name}_"), values, rtol=0, atol=1e-8)
    for name, values in named(case.reference["estimates"]).items():  # of LMest
        np.testing.assert_allclose(getattr(fitted, f"{name}_"), values, rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    ("source", "tolerance"),
    # LMest's own are up to 2.2e-5 off those of the exact information
    [("standard_errors_observed_information", 1e-6), ("standard_errors", 1e-4)],
)
def test_standard_errors_are_the_reference_ones(case, fitted, source, tolerance):
    expected = case.reference[source]
    np.testing.assert_allclose(
        fitted.initial_coefs_se_, expected["initial_coefficients"], rtol=tolerance
    )
    np.testing.assert_allclose(
        fitted.transition_coefs_se_, expected["transition_coefficients"], rtol=tolerance
    )


def test_the_truth_is_as_far_as_standard_errors_say(case, fitted):
    """24 coefficients the data were simulated with: the sum of squared z is about chi-squared."""
    truth = named(case.reference["simulated_with"])
    z = np.concatenate([
        ((fitted.initial_coefs_ - truth["initial_coefs"]) / fitted.initial_coefs_se_).ravel(),
        ((fitted.transition_coefs_ - truth["transition_coefs"])
         / fitted.transition_coefs_se_).ravel(),
    ])  # fmt: skip
    assert np.abs(z).max() < stats.norm.isf(1e-4 / 2 / 24)
    low, high = stats.chi2(24).ppf([1e-4, 1 - 1e-4])
    assert low < (z**2).sum() < high


@pytest.mark.parametrize("case", ["covariates3"], indirect=True)
def test_acceleration_does_not_change_the_answer(case, fitted):
    model = fit(case, accelerate=True)
    assert model.log_likelihood_ == pytest.approx(fitted.log_likelihood_, rel=1e-12, abs=0)
    np.testing.assert_allclose(model.transition_coefs_, fitted.transition_coefs_, atol=1e-8)
    np.testing.assert_allclose(model.transition_coefs_se_, fitted.transition_coefs_se_, rtol=1e-6)


def test_counts_parameters_and_people_like_the_reference(case, fitted):
    assert fitted.n_parameters_ == case.reference["n_parameters"] == 105
    tolerance = 2e-9 * abs(case.reference["log_likelihood"])
    assert fitted.bic_ == pytest.approx(case.reference["bic_n_subjects"], rel=0, abs=tolerance)


def test_state_shares_at_the_first_session(case, fitted):
    first = fitted.predict_proba(case.items, case.lengths, **case.known)[case.firsts]
    expected = case.reference["posterior_mean_state_shares_t1"]
    # LMest's estimates are 3e-5 from the maximum in the logits
    np.testing.assert_allclose(first.mean(axis=0), expected, rtol=0, atol=1e-5)
    # the score of the intercepts is zero: fitted and expected shares are the same
    np.testing.assert_allclose(fitted.initial_probs_, first.mean(axis=0), rtol=0, atol=1e-9)


@pytest.mark.parametrize("case", ["covariates3_timevarying"], indirect=True)
def test_covariates_of_the_session_left_would_show(case):
    estimates = fit(case, init=named(case.reference["estimates"]), max_iter=1, tol=0)
    known = {**case.known, "transition_covariates": np.roll(case.covariates, 1, axis=0)}
    expected = case.reference["wrong_log_likelihoods_at_the_estimates"]
    score = estimates.score(case.items, case.lengths, **known)
    assert score == pytest.approx(
        expected["covariates_of_row_of_origin_used_for_transitions"], rel=1e-10, abs=0
    )


def test_twenty_random_starts_reach_the_best_mode(case):
    model = fit(case, init=None, random_state=11, tol=1e-5)
    best = case.reference["maximum"]["log_likelihood"]
    assert len(model.starts_) == 20
    # tol, 0.5 nats a step, stops on the way to the mode; the best start goes on to the maximum
    assert (model.starts_["log_likelihood"] > best - 20).all()
    assert model.log_likelihood_ == pytest.approx(best, rel=1e-12, abs=0)


# ---- an oracle in plain numpy: unequal lengths, missing answers, weights


def draw(random, n_people=150, levels=3):
    """Two states, three items, covariates of very different scales; some answers missing."""
    params = {
        "initial_coefs": np.array([[0.2], [0.7]]),
        "transition_coefs": np.array([[[-0.9], [0.6]], [[-0.7], [-0.8]]]),
        "item_probs": np.array([[[0.6, 0.3, 0.1]] * 3, [[0.1, 0.2, 0.7]] * 3])[:, :, :levels],
    }
    params["item_probs"] /= params["item_probs"].sum(axis=2, keepdims=True)
    lengths = random.integers(1, 5, n_people)
    first = random.normal(size=(n_people, 1))
    moves = random.normal(size=(lengths.sum(), 1))
    items = []
    for p, rows in enumerate(oracle.slices(lengths)):
        initial, matrices = oracle.chain_of(params, rows, p, first, moves)
        state = random.choice(2, p=initial)
        for matrix in [None, *matrices]:
            state = state if matrix is None else random.choice(2, p=matrix[state])
            items.append([random.choice(levels, p=row) for row in params["item_probs"][state]])
    items = np.array(items, dtype=np.int8)
    items[random.random(items.shape) < 0.1] = -1
    firsts = np.cumsum(lengths) - lengths
    items[firsts, 0] = np.maximum(items[firsts, 0], 0)
    return items, lengths, first, moves


@pytest.fixture(scope="module")
def small():
    random = np.random.default_rng(5)
    items, lengths, first, moves = draw(random)
    # age-like and year-like: nothing may depend on the scale
    return SimpleNamespace(
        items=items,
        lengths=lengths,
        known={
            "initial_covariates": 45 + 14 * first,
            "transition_covariates": 2015 + 3 * moves,
        },
        weights=random.uniform(0.2, 3.0, len(lengths)),
    )


def unpacked(theta):
    """Coefficients at covariates of mean 0 and spread 1, item logits against the first level."""
    coefs, logits = theta[:6], np.zeros((2, 3, 3))
    logits[:, :, 1:] = theta[6:].reshape(2, 3, 2)
    weights = np.exp(logits)
    return {
        "initial_coefs": coefs[:2].reshape(2, 1),
        "transition_coefs": coefs[2:].reshape(2, 2, 1),
        "item_probs": weights / weights.sum(axis=2, keepdims=True),
    }


def packed(model):
    """The same of a fitted model."""
    initial, transition = model.initial_coefs_.copy(), model.transition_coefs_.copy()
    initial[0] += 45 * initial[1]
    initial[1] *= 14
    transition[:, 0] += 2015 * transition[:, 1]
    transition[:, 1] *= 3
    logits = np.log(model.item_probs_[:, :, 1:] / model.item_probs_[:, :, :1])
    return np.concatenate([initial.ravel(), transition.ravel(), logits.ravel()])


def slow(small):
    """Log-likelihood of everybody as a function of the parameters."""
    first = (small.known["initial_covariates"] - 45) / 14
    moves = (small.known["transition_covariates"] - 2015) / 3
    return lambda theta: oracle.with_covariates(
        unpacked(theta), small.items, small.lengths, first, moves
    )


@pytest.fixture(scope="module", params=["everybody once", "weighted"])
def compared(request, small):
    weights = None if request.param == "everybody once" else small.weights
    model = LatentMarkov(2, n_categories=3, n_starts=5, random_state=1)
    model.fit(small.items, small.lengths, weights=weights, **small.known)
    people = slow(small)
    by_person = np.ones(len(small.lengths)) if weights is None else weights
    at = packed(model)
    information = -oracle.hessian(lambda theta: people(theta) @ by_person, at)
    return SimpleNamespace(
        model=model, weights=weights, people=people, by_person=by_person, at=at,
        covariance=np.linalg.inv(information),
    )  # fmt: skip


def test_log_likelihood_of_every_person_is_that_of_the_oracle(small, compared):
    expected = compared.people(compared.at)
    scores = compared.model.score_samples(small.items, small.lengths, **small.known)
    np.testing.assert_allclose(scores, expected, rtol=1e-11)
    assert compared.model.log_likelihood_ == pytest.approx(expected @ compared.by_person, rel=1e-12)


def test_no_parameter_can_be_moved_to_a_higher_log_likelihood(compared):
    slope = oracle.gradient(lambda theta: compared.people(theta) @ compared.by_person, compared.at)
    np.testing.assert_allclose(slope, 0, atol=1e-5)  # rounding of differences
    assert np.linalg.eigvalsh(compared.covariance).min() > 0


def test_standard_errors_of_information_are_those_of_the_oracle(small, compared):
    errors = compared.model.standard_errors(
        small.items, small.lengths, weights=compared.weights, robust=False, **small.known
    )
    check_errors(errors, compared.covariance, compared.model)


def test_weights_give_the_sandwich_of_the_oracle(small, compared):
    people = oracle.gradient(compared.people, compared.at).T * compared.by_person[:, None]
    sandwich = compared.covariance @ people.T @ people @ compared.covariance
    errors = compared.model.standard_errors(
        small.items, small.lengths, weights=compared.weights, robust=True, **small.known
    )
    check_errors(errors, sandwich, compared.model)
    if compared.weights is not None:  # and it is what the fit itself reports
        np.testing.assert_allclose(
            compared.model.transition_coefs_se_, errors["transition_coefs"], rtol=1e-10
        )


def check_errors(errors, covariance, model):
    """Slopes per unit of the covariates as they are; items by the delta method."""
    expected = np.sqrt(np.diagonal(covariance))
    np.testing.assert_allclose(errors["initial_coefs"][1, 0], expected[1] / 14, rtol=1e-4)
    np.testing.assert_allclose(errors["transition_coefs"][:, 1, 0], expected[[3, 5]] / 3, rtol=1e-4)
    # an intercept is the value at covariate zero, 45 / 14 spreads away
    away = np.array([1.0, -45 / 14])
    at_zero = np.sqrt(away @ covariance[:2, :2] @ away)
    np.testing.assert_allclose(errors["initial_coefs"][0, 0], at_zero, rtol=1e-4)
    probs = model.item_probs_[1, 2]
    block = covariance[-2:, -2:]
    slope = np.diag(probs)[:, 1:] - np.outer(probs, probs[1:])
    item = np.sqrt(np.diagonal(slope @ block @ slope.T))
    np.testing.assert_allclose(errors["item_probs"][1, 2], item, rtol=1e-4)


def test_states_and_paths_are_those_of_the_enumeration(small, compared):
    model, params = compared.model, unpacked(compared.at)
    first = (small.known["initial_covariates"] - 45) / 14
    moves = (small.known["transition_covariates"] - 2015) / 3
    posterior = model.predict_proba(small.items, small.lengths, **small.known)
    path = model.predict(small.items, small.lengths, **small.known)
    for p, rows in list(enumerate(oracle.slices(small.lengths)))[:40]:
        emissions = [oracle.emission(params["item_probs"], row) for row in small.items[rows]]
        chain = oracle.chain_of(params, rows, p, first, moves)
        paths, joint = oracle.enumerated(*chain, emissions)
        np.testing.assert_allclose(posterior[rows], oracle.of_states(paths, joint, 2), atol=1e-10)
        taken = joint[(paths == path[rows]).all(axis=1)].item()
        assert taken == pytest.approx(joint.max(), rel=1e-10)


def test_whole_weights_are_copies_of_people(small):
    times = np.random.default_rng(1).integers(0, 3, len(small.lengths))
    rows = oracle.slices(small.lengths)
    copies = np.repeat(np.arange(len(times)), times)
    by_row = np.concatenate([np.arange(rows[p].start, rows[p].stop) for p in copies])
    settings_ = {"n_categories": 3, "n_starts": 2, "random_state": 1}
    weighted = LatentMarkov(2, **settings_).fit(
        small.items, small.lengths, weights=times, **small.known
    )
    copied = LatentMarkov(2, **settings_).fit(
        small.items[by_row], small.lengths[copies],
        initial_covariates=small.known["initial_covariates"][copies],
        transition_covariates=small.known["transition_covariates"][by_row],
    )  # fmt: skip
    assert weighted.log_likelihood_ == pytest.approx(copied.log_likelihood_, rel=1e-12)
    np.testing.assert_allclose(weighted.transition_coefs_, copied.transition_coefs_, rtol=1e-6)
    np.testing.assert_allclose(weighted.initial_probs_, copied.initial_probs_, rtol=1e-7)
    np.testing.assert_allclose(weighted.transition_matrix_, copied.transition_matrix_, rtol=1e-7)
    errors = weighted.standard_errors(
        small.items, small.lengths, weights=times, robust=False, **small.known
    )
    np.testing.assert_allclose(errors["initial_coefs"], copied.initial_coefs_se_, rtol=1e-5)


# ---- laws


def test_another_order_of_states_ends_in_the_same_model(case):
    """Initial logits are taken anew against the first state, transition ones change places."""
    order = [2, 0, 1]  # of the start, undone by the fit
    place = np.argsort(order)
    initial = np.column_stack([np.zeros(3), case.start["initial_coefs"] + [[0.3, 0.5]] * 3])
    moved = initial[:, order]
    given = np.zeros((3, 3, 3))
    for origin in range(3):
        others = [state for state in range(3) if state != origin]
        given[origin][:, others] = case.start["transition_coefs"][origin] - 0.1 * origin
    given = given[order][:, :, order]
    init = {
        "initial_coefs": (moved - moved[:, :1])[:, 1:],
        "transition_coefs": np.array([
            given[origin][:, [s for s in range(3) if s != origin]] for origin in range(3)
        ]),
        "item_probs": case.start["item_probs"][order],
    }  # fmt: skip
    model = fit(case, init=init, max_iter=1, tol=0)
    np.testing.assert_allclose(model.initial_coefs_, initial[:, 1:], rtol=0, atol=1e-12)
    for origin in range(3):
        np.testing.assert_allclose(
            model.transition_coefs_[origin],
            case.start["transition_coefs"][origin] - 0.1 * origin,
            rtol=0,
            atol=1e-12,
        )
    np.testing.assert_array_equal(model.item_probs_, init["item_probs"][place])
    for_a_while = {"max_iter": 6, "tol": 0}
    again, straight = (
        fit(case, init=init, **for_a_while),
        fit(case, init=start_of(model), **for_a_while),
    )
    assert again.log_likelihood_ == pytest.approx(straight.log_likelihood_, rel=1e-11)
    np.testing.assert_allclose(again.initial_coefs_, straight.initial_coefs_, rtol=0, atol=1e-6)


def start_of(model):
    names = ("initial_coefs", "transition_coefs", "item_probs")
    return {name: getattr(model, f"{name}_") for name in names}


def occasions(lengths, longest):
    """Columns of 0 and 1 for the sessions from the third."""
    at = np.concatenate([np.arange(n) for n in lengths])
    return (at[:, None] == np.arange(2, longest)).astype(float)


def test_columns_for_occasions_are_transitions_by_occasion(small):
    settings_ = {"n_categories": 3, "n_starts": 3, "random_state": 3, "tol": 1e-13}
    free = LatentMarkov(2, transitions="by_occasion", **settings_).fit(small.items, small.lengths)
    columns = occasions(small.lengths, 4)
    model = LatentMarkov(2, **settings_).fit(
        small.items, small.lengths, transition_covariates=columns
    )
    assert model.n_parameters_ == free.n_parameters_ == 1 + 3 * 2 + 2 * 3 * 2
    assert model.log_likelihood_ == pytest.approx(free.log_likelihood_, rel=1e-10)
    for t, columns_then in enumerate(([0, 0], [1, 0], [0, 1])):
        np.testing.assert_allclose(
            oracle.matrix_of(model.transition_coefs_, columns_then),
            free.transition_matrix_[t], rtol=0, atol=1e-4,
        )  # fmt: skip


def test_initial_covariates_go_with_transitions_by_occasion(small):
    known = {"initial_covariates": small.known["initial_covariates"]}
    model = LatentMarkov(
        2, n_categories=3, n_starts=2, random_state=3, transitions="by_occasion"
    ).fit(small.items, small.lengths, **known)
    assert model.n_parameters_ == 2 + 3 * 2 + 2 * 3 * 2
    assert model.transition_matrix_.shape == (3, 2, 2)
    params = {"initial_coefs": model.initial_coefs_, "item_probs": model.item_probs_}
    total = 0.0
    for p, rows in enumerate(oracle.slices(small.lengths)):
        initial = oracle.initial_of(params["initial_coefs"], known["initial_covariates"][p])
        emissions = [oracle.emission(model.item_probs_, row) for row in small.items[rows]]
        matrices = model.transition_matrix_[: len(emissions) - 1]
        total += np.log(oracle.forward(initial, matrices, emissions))
    assert model.log_likelihood_ == pytest.approx(total, rel=1e-11)


@pytest.mark.parametrize("kind", ["initial_covariates", "transition_covariates"])
def test_one_kind_of_covariates_alone(small, kind):
    known = {kind: small.known[kind]}
    model = LatentMarkov(2, n_categories=3, n_starts=2, random_state=3).fit(
        small.items, small.lengths, **known
    )
    plain = LatentMarkov(2, n_categories=3, n_starts=2, random_state=3).fit(
        small.items, small.lengths
    )
    assert model.log_likelihood_ > plain.log_likelihood_  # nested in it, and maximised exactly
    assert model.n_parameters_ == plain.n_parameters_ + (1 if kind[0] == "i" else 2)
    assert hasattr(model, "initial_coefs_") == (kind[0] == "i")
    assert hasattr(model, "transition_coefs_") == (kind[0] == "t")
    assert len(model.coefficients()) == (2 if kind[0] == "i" else 4)
    assert set(model.coefficients()["origin"]) == ({-1} if kind[0] == "i" else {0, 1})


def test_coefficients_are_listed_with_wald_intervals(fitted):
    table = fitted.coefficients()
    assert len(table) == 3 * 2 + 3 * 3 * 2
    row = table[(table["origin"] == 2) & (table["destination"] == 0) & (table["covariate"] == 1)]
    assert row["estimate"] == fitted.transition_coefs_[2, 1, 0]
    assert row["standard_error"] == fitted.transition_coefs_se_[2, 1, 0]
    assert row["z"] == row["estimate"] / row["standard_error"]
    np.testing.assert_allclose(
        row["high"] - row["low"], 2 * 1.959963984540054 * row["standard_error"], rtol=1e-12
    )
    first = table[table["origin"] == -1]
    assert first["destination"].tolist() == [1, 1, 1, 2, 2, 2]
    np.testing.assert_array_equal(first["estimate"], fitted.initial_coefs_.T.ravel())


def test_latent_classes_with_covariates(small):
    """One session each: a regression on classes."""
    firsts = np.cumsum(small.lengths) - small.lengths
    known = {"initial_covariates": small.known["initial_covariates"]}
    items = np.where(small.items[firsts] < 0, 1, small.items[firsts]).astype(np.int8)
    model = LatentMarkov(2, n_categories=3, n_starts=5, random_state=3).fit(items, **known)
    assert model.one_occasion_
    assert np.isnan(model.transition_matrix_).all()
    params = {"initial_coefs": model.initial_coefs_, "item_probs": model.item_probs_}
    params["transition_matrix"] = np.eye(2)
    ones = np.ones(len(items), dtype=int)
    expected = oracle.with_covariates(params, items, ones, known["initial_covariates"], None)
    np.testing.assert_allclose(model.score_samples(items, **known), expected, rtol=1e-10)
    start = {name: params[name] for name in ("initial_coefs", "item_probs")}
    again = LatentMarkov(2, n_categories=3, init=start).fit(items, **known)
    assert again.log_likelihood_ == pytest.approx(model.log_likelihood_, rel=1e-5)


def test_refit_without_covariates_forgets_the_coefficients(small):
    model = LatentMarkov(2, n_categories=3, n_starts=1, random_state=3)
    model.fit(small.items, small.lengths, **small.known)
    assert model.transition_coefs_.shape == model.transition_coefs_se_.shape == (2, 2, 1)
    model.fit(small.items, small.lengths)
    assert not hasattr(model, "transition_coefs_")
    with pytest.raises(NotFittedError, match=r"fitted without covariates and has no coefficients"):
        model.coefficients()


def test_drop_out_and_covariates_together(small):
    """The likelihood has one more factor per session: stayed or left."""
    random = np.random.default_rng(2)
    left = random.integers(0, 2, len(small.lengths))
    model = LatentMarkov(2, n_categories=3, n_starts=1, random_state=3).fit(
        small.items, small.lengths, dropped_out=left, **small.known
    )
    ends = np.cumsum(small.lengths) - 1
    after = np.zeros(len(small.items), dtype=int)
    after[ends] = left
    stays = np.column_stack([1 - model.dropout_probs_, model.dropout_probs_])
    probs = np.zeros((2, 4, 3))
    probs[:, :3], probs[:, 3, :2] = model.item_probs_, stays
    params = {
        "initial_coefs": model.initial_coefs_,
        "transition_coefs": model.transition_coefs_,
        "item_probs": probs,
    }
    expected = oracle.with_covariates(
        params, np.column_stack([small.items, after]), small.lengths, *small.known.values()
    ).sum()
    assert model.log_likelihood_ == pytest.approx(expected, rel=1e-10)


def test_a_sample_has_the_frequencies_of_its_covariates(fitted):
    n = 6000
    first = np.tile([[0.0, 0.5], [1.0, -1.0]], (n // 2, 1))
    moves = np.repeat(first, 2, axis=0)
    known = {"initial_covariates": first, "transition_covariates": moves}
    lengths = np.full(n, 2)
    items, states = fitted.sample(lengths, random_state=1, **known)
    same = fitted.sample(lengths, random_state=1, **known)
    np.testing.assert_array_equal(states, same[1])
    assert items.shape == (2 * n, 9)
    paths = states.reshape(n, 2)
    for kind in range(2):
        mine = paths[kind::2]
        initial = oracle.initial_of(fitted.initial_coefs_, first[kind])
        matrix = oracle.matrix_of(fitted.transition_coefs_, first[kind])
        expected = initial[:, None] * matrix
        observed = np.zeros((3, 3))
        np.add.at(observed, tuple(mine.T), 1)
        p = stats.chisquare(observed.ravel(), len(mine) * expected.ravel()).pvalue
        assert p > 1e-4


# ---- the M-step


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.integers(2, 4), st.sampled_from([0.1, 1.0, 30.0]))
def test_the_step_of_logits_maximises_and_never_lowers(seed, k, scale):
    random = np.random.default_rng(seed)
    n_classes = 12
    design = np.column_stack([np.ones(n_classes), random.normal(size=(n_classes, 2))])
    counts = random.dirichlet(np.ones(k), n_classes) * random.gamma(1.0, scale, (n_classes, 1))
    reference = int(random.integers(k))
    start = Logits.of(design, random.normal(size=(1, 3, k - 1)), np.array([reference]))

    def value(theta):
        full = np.insert(theta.reshape(3, k - 1), reference, 0.0, axis=1)
        eta = design @ full
        return (counts * (eta - np.logaddexp.reduce(eta, axis=1, keepdims=True))).sum()

    moved = start.step(counts[:, None])
    found = value(moved.others.ravel())
    assert found >= value(start.others.ravel())
    best = optimize.minimize(lambda t: -value(t), moved.others.ravel(), method="BFGS")
    assert found >= -best.fun - 1e-7 * counts.sum()
    np.testing.assert_allclose(moved.probs[:, 0].sum(axis=1), 1.0, rtol=0, atol=1e-14)
    np.testing.assert_allclose(moved.gradient(counts[:, None]), 0, atol=1e-3 * counts.sum())


def test_a_state_nobody_is_in_keeps_its_coefficients():
    design = np.column_stack([np.ones(4), np.arange(4.0)])
    start = Logits.of(design, np.array([[[0.3], [0.1]], [[0.2], [-0.4]]]), np.arange(2))
    counts = np.zeros((4, 2, 2))
    counts[:, 0] = [[3, 1], [2, 2], [1, 3], [2, 4]]
    moved = start.step(counts)
    np.testing.assert_array_equal(moved.others[1], start.others[1])


# ---- separation


def separated():
    """Clear states; from the first one nobody moves where the covariate is 1."""
    random = np.random.default_rng(8)
    n = 300
    x = np.repeat(random.integers(0, 2, n), 2)[:, None]
    start = random.integers(0, 2, n)
    moves = np.where(
        start == 1, random.random(n) < 0.5, (random.random(n) < 0.4) & (x[::2, 0] == 0)
    )
    states = np.column_stack([start, np.where(moves, 1 - start, start)]).ravel()
    answers = np.array([[0.97, 0.03], [0.03, 0.97]])[states]
    items = (random.random((2 * n, 6)) < answers[:, 1:]).astype(np.int8)
    return items, np.full(n, 2), x


def test_separation_is_said_and_has_no_standard_error():
    items, lengths, x = separated()
    model = LatentMarkov(2, n_categories=2, n_starts=2, random_state=0)
    with pytest.warns(ConvergenceWarning, match=r"\(separation\): state 0 to state 1\."):
        model.fit(items, lengths, transition_covariates=x)
    assert model.separated_ == ((0, 1),)
    assert np.isnan(model.transition_coefs_se_[0]).all()
    assert np.isfinite(model.transition_coefs_se_[1]).all()
    assert model.transition_coefs_[0, 1, 0] < -10
    # the rest is as good as without: from state 1 a table of two rows
    assert np.isnan(model.coefficients()["z"]).sum() == 2


def test_a_maximum_that_is_not_found_is_said(small, monkeypatch):
    monkeypatch.setattr(information, "_NEWTON_STEPS", 0)
    model = LatentMarkov(2, n_categories=3, n_starts=1, random_state=1)
    with pytest.warns(ConvergenceWarning, match=r"^Newton's method found no point where the gradi"):
        model.fit(small.items, small.lengths, **small.known)
    assert model.converged_  # EM did


def test_slopes_do_not_count_against_the_free_cells_of_one_session():
    """Three items of two levels have seven free cells; two classes take seven without slopes."""
    items = np.random.default_rng(1).integers(0, 2, (200, 3)).astype(np.int8)
    x = np.random.default_rng(2).normal(size=(200, 1))
    model = LatentMarkov(2, n_categories=2, n_starts=1, max_iter=2, tol=0, random_state=1)
    assert model.fit(items, initial_covariates=x).n_parameters_ == 8
    with pytest.raises(DataError, match=r"has only 7 free cells, so the model is not identified"):
        model.set_params(n_states=3).fit(items, initial_covariates=x)


# ---- what is refused


def assert_refused(message, small, error=DataError, model=None, **known):
    model = model or LatentMarkov(2, n_categories=3, n_starts=1, max_iter=2, tol=0, random_state=0)
    with pytest.raises(error, match=message):
        model.fit(small.items, small.lengths, **known)


def test_covariates_of_another_shape(small):
    first = small.known["initial_covariates"]
    assert_refused(
        r"initial_covariates has shape \(150,\); it must have one row for each of the 150 p",
        small,
        initial_covariates=first[:, 0],
    )
    assert_refused(
        r"transition_covariates has shape \(150, 1\); it must have one row for each of the \d+ "
        r"rows of items",
        small,
        transition_covariates=first,
    )
    assert_refused(r"it must have one row", small, initial_covariates=first[:, :0])
    assert_refused(
        r"initial_covariates holds <U\d+ values; covariates must be numbers\. Code categories",
        small,
        initial_covariates=first.astype(str),
    )


def test_missing_covariates_are_counted_not_filled_in(small):
    first = np.column_stack([small.known["initial_covariates"]] * 2)
    first[[3, 7], 0] = np.nan
    first[7, 1] = np.inf
    message = (
        r"2 of 150 rows of initial_covariates that are used have a covariate that is missing or "
        r"not finite: 2 in column 0, 1 in column 1\. Impute them or leave these people out"
    )
    assert_refused(message, small, initial_covariates=first)


def test_a_first_session_needs_no_transition_covariate(small):
    moves = small.known["transition_covariates"].copy()
    moves[np.cumsum(small.lengths) - small.lengths] = np.nan
    settings_ = {"n_categories": 3, "n_starts": 1, "max_iter": 5, "tol": 0, "random_state": 0}
    one = LatentMarkov(2, **settings_).fit(small.items, small.lengths, transition_covariates=moves)
    other = LatentMarkov(2, **settings_).fit(
        small.items, small.lengths, transition_covariates=small.known["transition_covariates"]
    )
    np.testing.assert_array_equal(one.transition_coefs_, other.transition_coefs_)
    moves[np.cumsum(small.lengths)[small.lengths > 1][0] - 1] = np.nan
    n_moves = (small.lengths - 1).sum()
    assert_refused(
        rf"1 of {n_moves} rows of transition_covariates", small, transition_covariates=moves
    )


@pytest.mark.parametrize("kind", ["initial_covariates", "transition_covariates"])
def test_redundant_covariates(small, kind):
    column = small.known[kind]
    message = rf"{kind} has 2 columns of which only 1 say something of their own: a column is const"
    assert_refused(message, small, **{kind: np.column_stack([column, 3 * column + 1])})
    assert_refused(message, small, **{kind: np.column_stack([column, np.full(len(column), 7.0)])})


def test_combinations_there_is_no_model_for(small):
    assert_refused(
        r"There are no covariates in a model with stayers\. Drop either",
        small,
        ParameterError,
        LatentMarkov(2, n_categories=3, stayers=True),
        **small.known,
    )
    assert_refused(
        r"transition_covariates go with transitions='homogeneous'\. For transitions that also",
        small,
        ParameterError,
        LatentMarkov(2, n_categories=3, transitions="by_occasion"),
        **small.known,
    )
    firsts = np.cumsum(small.lengths) - small.lengths
    with pytest.raises(DataError, match=r"transition_covariates were given but everybody has one"):
        LatentMarkov(2, n_categories=3).fit(
            small.items[firsts], transition_covariates=small.known["transition_covariates"][firsts]
        )


def test_start_values_of_covariates(small):
    init = {
        "initial_coefs": np.zeros((2, 1)), "transition_coefs": np.zeros((2, 2, 1)),
        "item_probs": np.full((2, 3, 3), 1 / 3),
    }  # fmt: skip
    model = LatentMarkov(2, n_categories=3, init=init | {"initial_coefs": np.zeros((1, 1))})
    assert_refused(
        r"init\['initial_coefs'\] has shape \(1, 1\); it must be \(2, 1\)",
        small,
        ParameterError,
        model,
        **small.known,
    )
    model = LatentMarkov(2, n_categories=3, init=init | {"transition_coefs": [[[np.nan]] * 2] * 2})
    assert_refused(
        r"init\['transition_coefs'\] must hold finite numbers",
        small,
        ParameterError,
        model,
        **small.known,
    )
    assert_refused(
        r"init must be a dict with the keys initial_probs, transition_matrix, item_probs",
        small,
        ParameterError,
        LatentMarkov(2, n_categories=3, init=init),
    )


def test_predictions_want_the_covariates_of_the_fit(small, compared):
    model, (first, moves) = compared.model, small.known.values()
    both = {"initial_covariates": first, "transition_covariates": moves}
    data = small.items, small.lengths
    for name in both:
        message = rf"This model was fitted with {name}, which decide what it says about people"
        with pytest.raises(DataError, match=message):
            model.predict(*data, **{k: v for k, v in both.items() if k != name})
    with pytest.raises(DataError, match=r"initial_covariates has 2 columns but the model was fitt"):
        model.score(*data, **both | {"initial_covariates": np.column_stack([first, first])})
    with pytest.raises(DataError, match=r"This model was fitted with initial_covariates"):
        model.sample([2, 2])
    plain = LatentMarkov(2, n_categories=3, n_starts=1, max_iter=2, tol=0).fit(*data)
    with pytest.raises(DataError, match=r"initial_covariates were given but this model was fitted"):
        plain.predict_proba(*data, **both)


def test_a_ladder_takes_covariates_without_standard_errors(small):
    model = SeverityLadder(2, n_categories=3, n_starts=2, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(small.items, small.lengths, **small.known)
    params = {name: getattr(model, f"{name}_") for name in ("initial_coefs", "transition_coefs")}
    params["item_probs"] = model.item_probs_
    expected = oracle.with_covariates(params, small.items, small.lengths, *small.known.values())
    assert model.log_likelihood_ == pytest.approx(expected.sum(), rel=1e-10)
    assert np.isnan(model.transition_coefs_se_).all()
