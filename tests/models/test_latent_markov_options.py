"""Weights, transitions by occasion, stayers and drop-out: oracles in plain numpy, known truth."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iesoresearch.errors import DataError, NotFittedError, ParameterError
from iesoresearch.models import LatentMarkov

from . import general_oracle as general
from . import oracle

examples = settings(max_examples=8, deadline=None, derandomize=True)
seeds = st.integers(0, 2**32 - 1)


def survey(seed, n_people=60, n_states=3, missing=0.15):
    random = np.random.default_rng(seed)
    lengths = random.integers(1, 5, n_people)
    lengths[0] = 4
    model = oracle.random_model(random, n_states, [3] * 4)
    items, _ = oracle.simulate(model, lengths, seed, missing)
    firsts = np.cumsum(lengths) - lengths
    items[firsts, 0] = np.maximum(items[firsts, 0], 0)
    return items, lengths


def fit(items, lengths, n_states=2, *, weights=None, dropped_out=None, **parameters):
    usual = {"n_categories": 3, "n_starts": 1, "max_iter": 8, "tol": 0, "random_state": 0}
    model = LatentMarkov(n_states, **usual | parameters)
    return model.fit(items, lengths, weights=weights, dropped_out=dropped_out)


def emissions_of(model, items, rows):
    return [general.emission(model.item_probs_, row) for row in items[rows]]


# ---- weights


@examples
@given(seeds)
def test_whole_weights_are_copies_of_people(seed):
    items, lengths = survey(seed)
    times = np.random.default_rng(seed).integers(1, 4, len(lengths))
    rows = oracle.people(lengths)
    copies = np.repeat(np.arange(len(lengths)), times)
    weighted = fit(items, lengths, weights=times)
    copied = fit(np.concatenate([items[rows[p]] for p in copies]), lengths[copies])
    for name in ("log_likelihood_", "bic_", "bic_observations_", "aic_", "n_people_", "icl_",
                 "n_observations_", "entropy_", "n_parameters_"):  # fmt: skip
        assert getattr(weighted, name) == pytest.approx(getattr(copied, name), rel=1e-9), name
    for name in ("initial_probs_", "transition_matrix_", "item_probs_", "state_counts_",
                 "answer_counts_"):  # fmt: skip
        np.testing.assert_allclose(getattr(weighted, name), getattr(copied, name), rtol=1e-8)


@examples
@given(seeds)
def test_people_of_weight_zero_are_left_out(seed):
    items, lengths = survey(seed)
    weights = np.random.default_rng(seed).integers(0, 2, len(lengths)).astype(float)
    weights[0] = 1.5  # the longest, so that nobody is missed by the number of occasions
    kept = weights > 0
    by_row = np.repeat(kept, lengths)
    with_them = fit(items, lengths, weights=weights)
    without = fit(items[by_row], lengths[kept], weights=weights[kept])
    assert with_them.log_likelihood_ == without.log_likelihood_
    np.testing.assert_array_equal(with_them.item_probs_, without.item_probs_)
    assert with_them.n_people_ == without.n_people_ == weights.sum()


@examples
@given(seeds, st.booleans())
def test_one_weighted_step_of_em_is_that_of_the_enumeration(seed, by_occasion):
    items, lengths = survey(seed)
    weights = np.random.default_rng(seed).gamma(1.0, 1.0, len(lengths)) + 0.01
    transitions = "by_occasion" if by_occasion else "homogeneous"
    start = fit(items, lengths, max_iter=1, transitions=transitions)
    matrices = start.transition_matrix_.reshape(-1, 2, 2)
    matrices = matrices if by_occasion else np.repeat(matrices, 3, axis=0)
    first, moves, total = np.zeros(2), np.zeros((3, 2, 2)), 0.0
    answers = np.zeros((2, 4, 3))
    for weight, rows in zip(weights, oracle.people(lengths), strict=True):
        n = rows.stop - rows.start
        paths, joint = general.enumerated(
            start.initial_probs_, matrices[: n - 1], emissions_of(start, items, rows)
        )
        total += weight * np.log(joint.sum())
        chance = weight * joint / joint.sum()
        np.add.at(first, paths[:, 0], chance)
        for t in range(1, n):
            np.add.at(moves[t - 1], (paths[:, t - 1], paths[:, t]), chance)
        for t, row in enumerate(items[rows]):
            for item, answer in enumerate(row):
                if answer >= 0:
                    np.add.at(answers[:, item, answer], paths[:, t], chance)
    weighted = {"weights": weights, "transitions": transitions}
    before = fit(items, lengths, max_iter=1, **weighted)  # the same start
    assert before.log_likelihood_ == pytest.approx(total, rel=1e-11)
    np.testing.assert_allclose(before.state_counts_, first, rtol=1e-10)
    after = fit(items, lengths, max_iter=2, **weighted)
    order = np.argsort(
        (answers / answers.sum(axis=2, keepdims=True) @ np.arange(3)).sum(axis=1), kind="stable"
    )
    moves = moves if by_occasion else moves.sum(axis=0)
    moves = moves / moves.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(after.initial_probs_, (first / first.sum())[order], rtol=1e-9)
    np.testing.assert_allclose(
        after.transition_matrix_, moves[..., order[:, None], order[None]], rtol=1e-9
    )
    np.testing.assert_allclose(
        after.item_probs_, (answers / answers.sum(axis=2, keepdims=True))[order], rtol=1e-9
    )


def test_information_criteria_count_weights():
    items, lengths = survey(1)
    weights = np.linspace(0.1, 2.0, len(lengths))
    model = fit(items, lengths, weights=weights)
    answered = (items >= 0).any(axis=1)
    assert model.n_people_ == pytest.approx(weights.sum())
    assert model.n_observations_ == pytest.approx(np.repeat(weights, lengths)[answered].sum())
    deviance = -2 * model.log_likelihood_
    assert model.bic_ == pytest.approx(deviance + model.n_parameters_ * np.log(weights.sum()))
    assert model.bic_observations_ == pytest.approx(
        deviance + model.n_parameters_ * np.log(model.n_observations_)
    )


def test_the_unit_of_weights_does_not_matter():
    items, lengths = survey(2)
    weights = np.linspace(0.1, 2.0, len(lengths))
    one, other = (fit(items, lengths, weights=unit * weights) for unit in (1.0, 5000.0))
    np.testing.assert_allclose(one.item_probs_, other.item_probs_, rtol=1e-10)
    assert other.log_likelihood_ == pytest.approx(5000 * one.log_likelihood_, rel=1e-11)


@pytest.mark.parametrize("weights", [np.ones(59), np.ones((60, 1)), ["a"] * 60, True])
def test_weights_of_another_shape_or_kind(weights):
    items, lengths = survey(3)
    with pytest.raises(DataError, match=r"weights has shape .*; it must hold one number for each "):
        fit(items, lengths, weights=weights)


@pytest.mark.parametrize("value", [-1.0, np.nan, np.inf])
def test_weights_that_cannot_be(value):
    items, lengths = survey(3)
    weights = np.ones(60)
    weights[[4, 9]] = value
    message = r"2 of 60 weights are negative or not finite, or all are zero\. Weights must be at le"
    with pytest.raises(DataError, match=message):
        fit(items, lengths, weights=weights)
    with pytest.raises(DataError, match=message.replace("2 of", "0 of")):
        fit(items, lengths, weights=np.zeros(60))


# ---- transitions by occasion


@pytest.mark.parametrize(
    ("n_states", "expected"),
    # LMest's formula worked out by hand: nine four-level items, six sessions
    [(2, 65), (3, 113), (4, 171), (5, 239), (6, 317), (7, 405), (8, 503), (9, 611), (10, 729),
     (14, 1301)],
)  # fmt: skip
def test_number_of_parameters_by_occasion(n_states, expected):
    items = np.random.default_rng(0).integers(0, 4, (60 * 6, 9)).astype(np.int8)
    model = fit(
        items, np.full(60, 6), n_states, n_categories=4, transitions="by_occasion", max_iter=1
    )
    assert model.n_parameters_ == expected
    assert model.transition_matrix_.shape == (5, n_states, n_states)


def test_with_two_sessions_there_is_one_matrix_either_way():
    items, _ = survey(4, n_people=80)
    items = items[:120]
    items[items[:, 0] < 0] = 0
    lengths = np.full(60, 2)
    plain = fit(items, lengths)
    model = fit(items, lengths, transitions="by_occasion")
    assert model.n_parameters_ == plain.n_parameters_
    assert model.log_likelihood_ == pytest.approx(plain.log_likelihood_, rel=1e-12)
    np.testing.assert_allclose(model.transition_matrix_[0], plain.transition_matrix_, rtol=1e-10)


def clear(n_states=2):
    """Item probabilities that leave little doubt: (states, 6 items, 3 levels)."""
    usual = (np.arange(n_states)[:, None] + np.zeros(6, dtype=int)) % 3
    return 0.06 + 0.82 * np.eye(3)[usual]


def simulated(random, initial, matrices, lengths, item_probs):
    """States and answers of people whose move t follows ``matrices[t]``."""
    states = []
    for n in lengths:
        state = random.choice(len(initial), p=initial)
        states.append(state)
        for t in range(n - 1):
            state = random.choice(len(initial), p=matrices[t][state])
            states.append(state)
    states = np.array(states)
    return oracle.draw(random, item_probs[states]).astype(np.int8), states


def test_matrices_that_differ_are_found():
    random = np.random.default_rng(11)
    truth = np.array([[[0.9, 0.1], [0.2, 0.8]], [[0.4, 0.6], [0.7, 0.3]], [[0.5, 0.5], [0.1, 0.9]]])
    lengths = random.integers(2, 5, 1500)
    items, states = simulated(random, [0.6, 0.4], truth, lengths, clear())
    model = fit(
        items, lengths, transitions="by_occasion", n_starts=3, max_iter=500, tol=1e-9
    )  # fmt: skip
    at = np.concatenate([np.arange(n) for n in lengths])
    for t in range(3):
        leaving = np.bincount(states[np.flatnonzero(at == t + 1) - 1], minlength=2)
        error = np.sqrt(truth[t] * (1 - truth[t]) / leaving[:, None])
        # six cells of two; states are all but seen, so at most a tenth is added to the error
        assert np.abs((model.transition_matrix_[t] - truth[t]) / error).max() < 1.1 * 4.0
    plain = fit(items, lengths, n_starts=3, max_iter=500, tol=1e-9)
    assert model.log_likelihood_ > plain.log_likelihood_ + 100
    assert model.bic_ < plain.bic_


@examples
@given(seeds)
def test_by_occasion_is_never_worse_than_one_matrix(seed):
    items, lengths = survey(seed)
    plain = fit(items, lengths, max_iter=30)
    init = {
        "initial_probs": plain.initial_probs_, "item_probs": plain.item_probs_,
        "transition_matrix": np.repeat(plain.transition_matrix_[None], 3, axis=0),
    }  # fmt: skip
    same = fit(items, lengths, transitions="by_occasion", init=init, max_iter=1)
    assert same.log_likelihood_ == pytest.approx(plain.log_likelihood_, rel=1e-12)
    free = fit(items, lengths, transitions="by_occasion", init=init, max_iter=20)
    assert free.log_likelihood_ >= plain.log_likelihood_ - 1e-9


def test_predictions_by_occasion_are_those_of_the_enumeration():
    items, lengths = survey(5)
    model = fit(items, lengths, transitions="by_occasion")
    posterior, path = model.predict_proba(items, lengths), model.predict(items, lengths)
    scores = model.score_samples(items, lengths)
    for p, rows in enumerate(oracle.people(lengths)):
        paths, joint = general.enumerated(
            model.initial_probs_, model.transition_matrix_[: lengths[p] - 1],
            emissions_of(model, items, rows),
        )  # fmt: skip
        assert scores[p] == pytest.approx(np.log(joint.sum()), rel=1e-11)
        np.testing.assert_allclose(posterior[rows], general.of_states(paths, joint, 2), atol=1e-11)
        taken = joint[(paths == path[rows]).all(axis=1)].item()
        assert taken == pytest.approx(joint.max(), rel=1e-11)


def test_more_sessions_than_the_matrices_know():
    items, lengths = survey(5)
    model = fit(items, lengths, transitions="by_occasion")
    message = r"Somebody has 5 sessions but the transitions of this model are known for 4 only\."
    with pytest.raises(DataError, match=message):
        model.predict(items[:5], [5])
    with pytest.raises(DataError, match=message):
        model.sample([5])


def test_samples_by_occasion_follow_each_matrix():
    items, lengths = survey(5)
    model = fit(items, lengths, transitions="by_occasion")
    _, states = model.sample(np.full(8000, 3), random_state=1)
    paths = states.reshape(-1, 3)
    for t in (1, 2):
        counts = np.zeros((2, 2))
        np.add.at(counts, (paths[:, t - 1], paths[:, t]), 1)
        p, n = model.transition_matrix_[t - 1], counts.sum(axis=1, keepdims=True)
        assert np.abs((counts - n * p) / np.sqrt(n * p * (1 - p) + 1e-12)).max() < 4.5


@pytest.mark.parametrize("transitions", ["free", None, 1, ("by_occasion",)])
def test_transitions_of_an_unknown_kind(transitions):
    items, lengths = survey(5)
    with pytest.raises(ParameterError, match=r"transitions=.* must be 'homogeneous' or 'by_occas"):
        fit(items, lengths, transitions=transitions)


# ---- movers and stayers


def of_both_kinds(model, emissions):
    """Probability of one person's answers as a mover and as a stayer in each state."""
    initial, shares = model.initial_probs_, model.stayer_shares_
    moves = [model.transition_matrix_] * (len(emissions) - 1)
    _, joint = general.enumerated(initial * (1 - shares), moves, emissions)
    return joint.sum(), initial * shares * np.prod(emissions, axis=0)


@examples
@given(seeds)
def test_likelihood_and_stayers_are_those_of_the_enumeration(seed):
    items, lengths = survey(seed)
    model = fit(items, lengths, stayers=True)
    assert model.n_parameters_ == 1 + 2 + 2 * 4 * 2 + 2
    scores, chance = model.score_samples(items, lengths), model.stayer_proba(items, lengths)
    posterior = model.predict_proba(items, lengths)
    total = 0.0
    for p, rows in enumerate(oracle.people(lengths)):
        emissions = emissions_of(model, items, rows)
        mover, stayer = of_both_kinds(model, emissions)
        every = mover + stayer.sum()
        assert scores[p] == pytest.approx(np.log(every), rel=1e-10)
        assert chance[p] == pytest.approx(stayer.sum() / every, abs=1e-10)
        moves = [model.transition_matrix_] * (len(emissions) - 1)
        paths, joint = general.enumerated(
            model.initial_probs_ * (1 - model.stayer_shares_), moves, emissions
        )
        states = mover * general.of_states(paths, joint, 2) + stayer
        np.testing.assert_allclose(posterior[rows], states / every, atol=1e-10)
        total += np.log(every)
    assert model.log_likelihood_ == pytest.approx(total, rel=1e-11)
    assert model.state_counts_.sum() == pytest.approx(len(lengths))


def test_stayers_are_found():
    random = np.random.default_rng(3)
    matrix, shares = np.array([[0.4, 0.6], [0.5, 0.5]]), np.array([0.5, 0.2])
    n, n_sessions = 2000, 6
    start = random.choice(2, size=n, p=[0.55, 0.45])
    stays = random.random(n) < shares[start]
    states = np.empty((n, n_sessions), dtype=int)
    states[:, 0] = start
    for t in range(1, n_sessions):
        moved = oracle.draw(random, matrix[states[:, t - 1]])
        states[:, t] = np.where(stays, start, moved)
    items = oracle.draw(random, clear()[states.ravel()]).astype(np.int8)
    lengths = np.full(n, n_sessions)
    model = fit(items, lengths, stayers=True, n_starts=4, max_iter=1000, tol=1e-10)
    # about 1,000 people start in either state: standard errors near 0.016 for shares, were kinds
    # seen; a mover who never moves (at most 1 in 32) adds doubt
    np.testing.assert_allclose(model.stayer_shares_, shares, rtol=0, atol=4 * 0.02)
    np.testing.assert_allclose(model.transition_matrix_, matrix, rtol=0, atol=4 * 0.015)
    chance = model.stayer_proba(items, lengths)
    assert chance.mean() == pytest.approx(stays.mean(), abs=4 * np.sqrt(0.25 / n))
    sure = chance > 0.8
    assert stays[sure].mean() == pytest.approx(chance[sure].mean(), abs=0.05)
    plain = fit(items, lengths, n_starts=4, max_iter=1000, tol=1e-10)
    assert model.log_likelihood_ > plain.log_likelihood_ + 50
    assert np.diag(plain.transition_matrix_).mean() > np.diag(matrix).mean() + 0.1  # stays too much


@examples
@given(seeds)
def test_stayers_never_lower_the_likelihood(seed):
    items, lengths = survey(seed)
    plain = fit(items, lengths, max_iter=30)
    names = ("initial_probs", "transition_matrix", "item_probs")
    init = {name: getattr(plain, f"{name}_") for name in names}
    none = fit(items, lengths, stayers=True, init=init | {"stayer_shares": np.zeros(2)}, max_iter=1)
    assert none.log_likelihood_ == pytest.approx(plain.log_likelihood_, rel=1e-12)
    model = fit(
        items, lengths, stayers=True, init=init | {"stayer_shares": np.full(2, 1e-9)}, max_iter=40
    )
    assert model.log_likelihood_ >= plain.log_likelihood_ - 1e-6


def test_order_of_states_takes_the_stayers_along():
    items, lengths = survey(6)
    model = fit(items, lengths, stayers=True)
    names = ("initial_probs", "stayer_shares", "item_probs")
    init = {name: getattr(model, f"{name}_")[::-1] for name in names}
    init["transition_matrix"] = model.transition_matrix_[::-1, ::-1]
    other = fit(items, lengths, stayers=True, init=init, max_iter=1)
    for name in (*names, "transition_matrix"):
        np.testing.assert_allclose(
            getattr(other, f"{name}_"), getattr(model, f"{name}_"), rtol=1e-12
        )
    assert other.log_likelihood_ == pytest.approx(model.log_likelihood_, rel=1e-12)


def test_stayers_of_the_wrong_kind():
    items, lengths = survey(6)
    with pytest.raises(ParameterError, match=r"stayers='yes' must be True or False"):
        fit(items, lengths, stayers="yes")
    with pytest.raises(NotFittedError, match=r"fitted without stayers\. Fit with stayers=True"):
        fit(items, lengths).stayer_proba(items, lengths)
    init = {
        "initial_probs": np.full(2, 0.5), "transition_matrix": np.full((2, 2), 0.5),
        "item_probs": np.full((2, 4, 3), 1 / 3), "stayer_shares": [0.5, 1.5],
    }  # fmt: skip
    with pytest.raises(ParameterError, match=r"init\['stayer_shares'\] must hold shares from 0 to"):
        fit(items, lengths, stayers=True, init=init)


# ---- drop-out


def with_absorbing_state(model, emissions, left):
    """Likelihood by a chain with one more state, that of being gone, which is seen."""
    k, leaves = len(model.initial_probs_), model.dropout_probs_
    matrix = np.zeros((k + 1, k + 1))
    matrix[:k, :k] = (1 - leaves)[:, None] * model.transition_matrix_
    matrix[:k, k], matrix[k, k] = leaves, 1.0
    seen = [np.append(chance, 0.0) for chance in emissions]  # present, and answering
    if left == 1:
        seen.append(np.append(np.zeros(k), 1.0))  # gone
    elif left == 0:
        seen.append(np.append(np.ones(k), 0.0))  # still there
    initial = np.append(model.initial_probs_, 0.0)
    return general.forward(initial, [matrix] * (len(seen) - 1), seen)


@examples
@given(seeds, st.sampled_from(["all known", "some known", "bool"]))
def test_drop_out_is_an_absorbing_state(seed, kind):
    items, lengths = survey(seed)
    random = np.random.default_rng(seed)
    left = random.integers(-1 if kind == "some known" else 0, 2, len(lengths))
    left[:2] = 0, 1
    given_ = left.astype(bool) if kind == "bool" else left
    model = fit(items, lengths, dropped_out=given_)
    assert model.n_parameters_ == 1 + 2 + 2 * 4 * 2 + 2
    scores = model.score_samples(items, lengths, dropped_out=given_)
    for p, rows in enumerate(oracle.people(lengths)):
        expected = with_absorbing_state(model, emissions_of(model, items, rows), left[p])
        assert scores[p] == pytest.approx(np.log(expected), rel=1e-10)
    assert model.log_likelihood_ == pytest.approx(scores.sum(), rel=1e-11)
    # not known of anybody: they went on to their last session and no more is said
    scores = model.score_samples(items, lengths)
    for p, rows in list(enumerate(oracle.people(lengths)))[:20]:
        expected = with_absorbing_state(model, emissions_of(model, items, rows), -1)
        assert scores[p] == pytest.approx(np.log(expected), rel=1e-10)


def test_everything_at_once_is_that_of_the_oracle():
    """Weights, a matrix per occasion and drop-out; stayers too."""
    items, lengths = survey(7)
    random = np.random.default_rng(7)
    left, weights = random.integers(-1, 2, len(lengths)), random.gamma(1.0, 1.0, len(lengths))
    model = fit(
        items, lengths, weights=weights, dropped_out=left, transitions="by_occasion", stayers=True
    )
    assert model.n_parameters_ == 1 + 2 + 2 * 4 * 2 + 2 + 3 * 2
    total = 0.0
    for p, rows in enumerate(oracle.people(lengths)):
        after = np.array([0] * (lengths[p] - 1) + [left[p]])
        ends = np.where(
            after[:, None] == 1, model.dropout_probs_,
            np.where(after[:, None] == 0, 1 - model.dropout_probs_, 1.0),
        )  # fmt: skip
        emissions = np.array(emissions_of(model, items, rows)) * ends
        stayer = (model.initial_probs_ * model.stayer_shares_ * emissions.prod(axis=0)).sum()
        mover = general.forward(
            model.initial_probs_ * (1 - model.stayer_shares_),
            model.transition_matrix_[: lengths[p] - 1], emissions,
        )  # fmt: skip
        total += weights[p] * np.log(mover + stayer)
    assert model.log_likelihood_ == pytest.approx(total, rel=1e-10)


def leaving(seed, n=4000, longest=6):
    """Two states with few, vague items; from the second one half leave after every session."""
    random = np.random.default_rng(seed)
    matrix, leaves = np.array([[0.8, 0.2], [0.3, 0.7]]), np.array([0.05, 0.5])
    probs = np.array([[[0.7, 0.3]] * 4, [[0.3, 0.7]] * 4])
    rows, lengths, left = [], [], []
    for _ in range(n):
        state, gone = random.choice(2), 0
        for t in range(longest):
            rows.append(state)
            gone = int(random.random() < leaves[state] and t < longest - 1)
            if gone or t == longest - 1:
                break
            state = random.choice(2, p=matrix[state])
        lengths.append(t + 1)
        left.append(gone if t < longest - 1 else -1)  # the end of the study tells nothing
    items = oracle.draw(random, probs[np.array(rows)]).astype(np.int8)
    return items, np.array(lengths), np.array(left), matrix, leaves


@pytest.mark.parametrize("seed", [1, 2])
def test_drop_out_that_depends_on_the_state_is_found_and_its_bias_removed(seed):
    """As in Speekenbrink & Visser (2025, doi:10.1017/psy.2024.3): ignored, it biases the moves."""
    items, lengths, left, matrix, leaves = leaving(seed)
    settings_ = {"n_categories": 2, "n_starts": 3, "max_iter": 2000, "tol": 1e-9}
    model = fit(items, lengths, dropped_out=left, **settings_)
    # of about 5,000 sessions in either state, known with an error that doubles the standard error
    np.testing.assert_allclose(model.dropout_probs_, leaves, rtol=0, atol=0.05)
    ignored = fit(items, lengths, **settings_)
    off, off_ignored = (np.abs(m.transition_matrix_ - matrix).max() for m in (model, ignored))
    assert off < 0.06
    assert off_ignored > 2 * off
    # those in the second state who were still there seem to have got better
    assert ignored.transition_matrix_[1, 0] > matrix[1, 0] + 0.05


@pytest.mark.parametrize("left", [np.zeros(59, int), np.zeros((60, 1), int), np.zeros(60), "no"])
def test_drop_out_of_another_shape_or_kind(left):
    items, lengths = survey(8)
    message = (
        r"dropped_out has shape .*; it must hold one whole number for each of the 60 people: 1"
    )
    with pytest.raises(DataError, match=message):
        fit(items, lengths, dropped_out=left)


def test_drop_out_with_other_codes_or_of_nobody():
    items, lengths = survey(8)
    left = np.zeros(60, dtype=int)
    left[[1, 5]] = 2
    with pytest.raises(DataError, match=r"dropped_out holds 2 values other than 1 \(dropped out\)"):
        fit(items, lengths, dropped_out=left)
    with pytest.raises(DataError, match=r"dropped_out is not known \(-1\) of anybody, so drop-out"):
        fit(items, lengths, dropped_out=np.full(60, -1))
    with pytest.raises(DataError, match=r"dropped_out was given but this model was fitted without"):
        fit(items, lengths).score(items, lengths, dropped_out=np.zeros(60, int))


def test_a_refit_forgets_the_options_of_the_earlier_one():
    items, lengths = survey(9)
    model = fit(items, lengths, stayers=True, dropped_out=np.ones(60, int))
    assert {"stayer_shares_", "dropout_probs_"} <= set(vars(model))
    model.set_params(stayers=False).fit(items, lengths)
    assert not {"stayer_shares_", "dropout_probs_"} & set(vars(model))
