"""Tiny models against the enumeration of every path of states.

Items have different numbers of levels, answers and whole sessions are missing, transitions may be
impossible, and up to ten states take the kernels past their eight lanes.
"""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iesoresearch.models import LatentMarkov

from . import oracle

ROUNDING = 1e-11  # a few hundred operations of 2e-16 each, with room
every_number_of_states = pytest.mark.parametrize("n_states", range(1, 11))
examples = settings(max_examples=4, deadline=None, derandomize=True)


@st.composite
def cases(draw):
    """What is left to chance once the number of states is known."""
    return SimpleNamespace(
        levels=draw(st.lists(st.integers(2, 4), min_size=2, max_size=4)),
        missing=draw(st.sampled_from([0.0, 0.3])),
        forbidden=draw(st.sampled_from([0.0, 0.4])),
        seed=draw(st.integers(0, 2**32 - 1)),
    )


def build(n_states, case):
    """Model, answers and lengths: short enough to enumerate, enough for the parameters."""
    random = np.random.default_rng(case.seed)
    model = oracle.random_model(random, n_states, case.levels)
    matrix = model["transition_matrix"]
    matrix[(random.random(matrix.shape) < case.forbidden) & ~np.eye(n_states, dtype=bool)] = 0.0
    matrix /= matrix.sum(axis=1, keepdims=True)
    longest = min(5, int(np.log(1100) / np.log(max(n_states, 2))))  # about 1,000 paths at most
    n_people = 0
    answers = 0
    while answers < n_states * (n_states + sum(case.levels)):  # more than there are parameters
        n_people += 10
        lengths = [longest, *random.integers(1, longest + 1, n_people - 1)]
        items, _ = oracle.simulate(model, lengths, case.seed, case.missing)
        items[random.random(len(items)) < case.missing] = -1
        firsts = np.cumsum(lengths) - lengths
        items[firsts, 0] = np.maximum(items[firsts, 0], 0)  # everybody answers something
        answers = (items >= 0).sum()
    return in_order(model), items, np.array(lengths)


def in_order(model):
    """The same model with its states by expected total."""
    totals = (model["item_probs"] @ np.arange(model["item_probs"].shape[2])).sum(axis=1)
    order = np.argsort(totals)
    return {
        "initial_probs": model["initial_probs"][order],
        "transition_matrix": model["transition_matrix"][np.ix_(order, order)],
        "item_probs": model["item_probs"][order],
    }


def fit(model, case, items, lengths, max_iter=1):
    n_states = len(model["initial_probs"])
    estimator = LatentMarkov(
        n_states, n_categories=case.levels, init=model, max_iter=max_iter, tol=0
    )
    return estimator.fit(items, lengths)


def enumerate_everybody(model, items, lengths):
    return [oracle.Enumeration(model, items[rows]) for rows in oracle.people(lengths)]


@every_number_of_states
@examples
@given(cases())
def test_log_likelihood(n_states, case):
    model, items, lengths = build(n_states, case)
    fitted = fit(model, case, items, lengths)
    expected = [person.log_likelihood for person in enumerate_everybody(model, items, lengths)]
    np.testing.assert_allclose(
        fitted.score_samples(items, lengths), expected, rtol=ROUNDING, atol=ROUNDING
    )
    assert fitted.log_likelihood_ == pytest.approx(sum(expected), rel=ROUNDING)
    for name, given_values in model.items():  # one E-step and no M-step
        np.testing.assert_array_equal(getattr(fitted, f"{name}_"), given_values)


@every_number_of_states
@examples
@given(cases())
def test_state_probabilities_and_entropies(n_states, case):
    model, items, lengths = build(n_states, case)
    fitted = fit(model, case, items, lengths)
    everybody = enumerate_everybody(model, items, lengths)
    expected = np.concatenate([person.states for person in everybody])
    np.testing.assert_allclose(
        fitted.predict_proba(items, lengths), expected, rtol=0, atol=ROUNDING
    )
    firsts = expected[np.cumsum(lengths) - lengths]
    np.testing.assert_allclose(fitted.state_counts_, firsts.sum(axis=0), rtol=ROUNDING, atol=1e-12)
    doubt = oracle.entropy(expected) / (len(items) * np.log(max(n_states, 2)))
    assert fitted.entropy_ == pytest.approx(1 - doubt, abs=ROUNDING)
    paths = sum(oracle.entropy(person.posterior) for person in everybody)
    # the penalty is a difference of numbers as large as the BIC
    assert fitted.icl_ - fitted.bic_ == pytest.approx(2 * paths, abs=1e-12 * fitted.bic_)


@every_number_of_states
@examples
@given(cases())
def test_most_likely_path(n_states, case):
    model, items, lengths = build(n_states, case)
    path = fit(model, case, items, lengths).predict(items, lengths)
    for rows in oracle.people(lengths):
        person = oracle.Enumeration(model, items[rows])
        # of paths that are equally likely any will do
        best = person.joint.max()
        assert person.probability_of(path[rows]) == pytest.approx(best, rel=ROUNDING)


@every_number_of_states
@examples
@given(cases())
def test_one_step_of_em(n_states, case):
    model, items, lengths = build(n_states, case)
    fitted = fit(model, case, items, lengths, max_iter=2)
    everybody = enumerate_everybody(model, items, lengths)
    states = np.concatenate([person.states for person in everybody])
    moves = sum(person.transitions() for person in everybody)
    counts = np.stack([states.T @ (items == c) for c in range(max(case.levels))], axis=2)
    step = in_order({
        "initial_probs": states[np.cumsum(lengths) - lengths].mean(axis=0),
        # a state that nobody leaves, an item that nobody answers: as before
        "transition_matrix": share(moves, model["transition_matrix"]),
        "item_probs": share(counts, model["item_probs"]),
    })  # fmt: skip
    for name, expected in step.items():
        np.testing.assert_allclose(
            getattr(fitted, f"{name}_"), expected, rtol=1e-9, atol=ROUNDING, err_msg=name
        )
    assert fitted.log_likelihood_ == pytest.approx(
        oracle.log_likelihood(step, items, lengths), rel=ROUNDING
    )


def share(counts, otherwise):
    sums = counts.sum(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore"):
        return np.where(sums > 0, counts / sums, otherwise)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.integers(1, 3), st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.2]))
def test_latent_classes_by_bayes_rule(n_states, seed, missing):
    random = np.random.default_rng(seed)
    model = in_order(oracle.random_model(random, n_states, [2, 3, 4, 4]))
    items, _ = oracle.simulate(model, [1] * 60, seed, missing)
    items[:, 0] = np.maximum(items[:, 0], 0)
    init = {name: model[name] for name in ("initial_probs", "item_probs")}
    fitted = LatentMarkov(n_states, n_categories=[2, 3, 4, 4], init=init, max_iter=1, tol=0)
    fitted.fit(items)
    joint = np.array([model["initial_probs"] * oracle.emission(model, row) for row in items])
    total = joint.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(
        fitted.score_samples(items), np.log(total[:, 0]), rtol=ROUNDING, atol=ROUNDING
    )
    np.testing.assert_allclose(fitted.predict_proba(items), joint / total, rtol=0, atol=ROUNDING)
    np.testing.assert_array_equal(fitted.predict(items), joint.argmax(axis=1))
    # with one session each a path is a state
    assert fitted.icl_ - fitted.bic_ == pytest.approx(
        2 * oracle.entropy(joint / total), abs=1e-12 * fitted.bic_
    )
