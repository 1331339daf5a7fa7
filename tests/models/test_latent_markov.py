"""Laws of the estimator, recovery of a known truth, and its manners towards scikit-learn."""

import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
import sklearn.base
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from iesoresearch.models import LatentMarkov

from . import oracle

examples = settings(max_examples=15, deadline=None, derandomize=True)
seeds = st.integers(0, 2**32 - 1)
numbers_of_states = st.integers(1, 5)


def survey(seed, n_people=40, n_items=6, missing=0.15):
    """Answers drawn from a model of three states; people who answered nothing get one answer."""
    random = np.random.default_rng(seed)
    lengths = random.integers(1, 6, n_people)
    lengths[0] = 5
    model = oracle.random_model(random, 3, [4] * n_items)
    items, _ = oracle.simulate(model, lengths, seed, missing)
    firsts = np.cumsum(lengths) - lengths
    items[firsts, 0] = np.maximum(items[firsts, 0], 0)
    return items, lengths


def fit(items, lengths=None, n_states=3, **parameters):
    """Unless told otherwise 10 E-steps from one start, so that no test waits for convergence."""
    usual = {"n_categories": 4, "n_starts": 1, "max_iter": 10, "tol": 0, "random_state": 0}
    return LatentMarkov(n_states, **usual | parameters).fit(items, lengths)


def start_at(model, order=(0, 1, 2)):
    """A fitted model as `init` for the next one, with its states in this order."""
    return {
        "initial_probs": model.initial_probs_[list(order)],
        "transition_matrix": model.transition_matrix_[np.ix_(order, order)],
        "item_probs": model.item_probs_[list(order)],
    }


# ---- laws


@examples
@given(seeds, numbers_of_states)
def test_probabilities_add_up_to_one(seed, n_states):
    items, lengths = survey(seed)
    model = fit(items, lengths, n_states, random_state=seed)
    posterior = model.predict_proba(items, lengths)
    for rows in (model.initial_probs_, model.transition_matrix_, model.item_probs_, posterior):
        assert (rows >= 0).all()
        # a sum of at most five terms
        np.testing.assert_allclose(rows.sum(axis=-1), 1.0, rtol=0, atol=1e-14 * n_states)
    assert model.state_counts_.sum() == pytest.approx(len(lengths), rel=1e-12)
    assert 0 <= model.entropy_ <= 1


@examples
@given(seeds, numbers_of_states)
def test_log_likelihood_never_falls_from_step_to_step(seed, n_states):
    items, lengths = survey(seed)
    path = [
        fit(items, lengths, n_states, random_state=seed, max_iter=n).log_likelihood_
        for n in range(1, 16)
    ]
    assert (np.diff(path) >= -1e-12 * np.abs(path[1:])).all()  # rounding of sums


@examples
@given(seeds, numbers_of_states)
def test_score_of_the_training_data_is_the_log_likelihood(seed, n_states):
    items, lengths = survey(seed)
    model = fit(items, lengths, n_states, random_state=seed)
    # the same terms in another order
    assert model.score(items, lengths) == pytest.approx(model.log_likelihood_, rel=1e-12, abs=0)
    assert model.score_samples(items, lengths).shape == lengths.shape


@examples
@given(seeds)
def test_the_order_of_people_does_not_matter(seed):
    items, lengths = survey(seed)
    order = np.random.default_rng(seed).permutation(len(lengths))
    rows = oracle.people(lengths)
    shuffled = np.concatenate([items[rows[p]] for p in order])
    one = fit(items, lengths, random_state=seed)
    other = fit(shuffled, lengths[order], random_state=seed)
    assert one.log_likelihood_ == pytest.approx(other.log_likelihood_, rel=1e-12)
    np.testing.assert_allclose(one.item_probs_, other.item_probs_, rtol=0, atol=1e-9)
    np.testing.assert_allclose(one.transition_matrix_, other.transition_matrix_, rtol=0, atol=1e-9)


@examples
@given(seeds, st.integers(2, 5))
def test_states_ascend_in_expected_total(seed, n_states):
    items, lengths = survey(seed)
    model = fit(items, lengths, n_states, random_state=seed)
    assert (np.diff((model.item_probs_ @ np.arange(4)).sum(axis=1)) >= 0).all()


@examples
@given(seeds)
def test_states_ascend_also_when_the_start_is_given(seed):
    items, lengths = survey(seed)
    one = fit(items, lengths, random_state=seed)
    init = start_at(one, order=[2, 0, 1])
    other = fit(items, lengths, init=init, max_iter=1)
    assert other.log_likelihood_ == pytest.approx(one.log_likelihood_, rel=1e-12)
    for name in init:
        np.testing.assert_array_equal(getattr(other, f"{name}_"), getattr(one, f"{name}_"))
    np.testing.assert_array_equal(
        other.predict(items, lengths), one.predict(items, lengths)
    )  # the public numbering, not that of the start
    np.testing.assert_allclose(other.state_counts_, one.state_counts_, rtol=1e-10)


@examples
@given(seeds)
def test_more_starts_move_no_earlier_start(seed):
    items, lengths = survey(seed)
    few = fit(items, lengths, random_state=seed, n_starts=2).starts_
    many = fit(items, lengths, random_state=seed, n_starts=5).starts_
    assert len(many) == 5
    assert set(few.tolist()) <= set(many.tolist())
    assert seed in few["seed"]  # the first start is the seed itself
    assert (np.diff(many["log_likelihood"]) <= 0).all()


@examples
@given(seeds)
def test_every_row_of_starts_can_be_run_again(seed):
    items, lengths = survey(seed)
    starts = fit(items, lengths, random_state=seed, n_starts=3).starts_
    for start in starts:
        (again,) = fit(items, lengths, random_state=int(start["seed"])).starts_
        assert again == start


def test_the_best_start_is_the_model():
    items, lengths = survey(1)
    model = fit(items, lengths, n_starts=6, random_state=1)
    assert model.log_likelihood_ == model.starts_["log_likelihood"].max()
    assert (model.n_iter_, model.converged_) == (10, False)
    assert len(set(model.starts_["seed"])) == 6


def test_without_a_seed_the_starts_differ_and_are_recorded():
    items, lengths = survey(2)
    one, other = (fit(items, lengths, random_state=None) for _ in range(2))
    assert one.starts_["seed"] != other.starts_["seed"]
    again = fit(items, lengths, random_state=int(one.starts_["seed"][0]))
    assert again.starts_ == one.starts_


# ---- counting


@pytest.mark.parametrize("max_iter", [1, 2, 17])
def test_zero_tolerance_runs_exactly_max_iter_e_steps(max_iter):
    items, lengths = survey(3)
    model = fit(items, lengths, max_iter=max_iter)
    assert model.n_iter_ == max_iter
    assert not model.converged_


def test_stops_at_the_first_gain_below_the_tolerance():
    items, lengths = survey(4)
    tol = 1e-5
    model = fit(items, lengths, tol=tol, max_iter=1000)
    path = [fit(items, lengths, max_iter=n).log_likelihood_ for n in range(1, model.n_iter_ + 1)]
    gains = np.diff(path) / np.abs(path[1:])
    assert model.converged_
    assert (gains[:-1] >= tol).all()
    assert gains[-1] < tol
    assert model.log_likelihood_ == path[-1]


def test_answers_that_are_all_the_same_converge_at_log_likelihood_zero():
    model = fit(np.zeros((30, 5), "int8"), n_states=1, tol=1e-8, max_iter=50)
    assert (model.log_likelihood_, model.converged_) == (0.0, True)


@pytest.mark.parametrize(
    ("n_states", "expected"),
    # LMest's formula worked out by hand for nine four-level items
    [(2, 57), (3, 89), (4, 123), (5, 159), (6, 197), (7, 237), (8, 279), (9, 323), (10, 369),
     (14, 573)],
)  # fmt: skip
def test_number_of_parameters(n_states, expected):
    items, lengths = survey(5, n_people=100, n_items=9)
    model = fit(items, lengths, n_states, max_iter=1)
    assert model.n_parameters_ == expected
    assert fit(items, None, n_states, max_iter=1).n_parameters_ == expected - n_states * (
        n_states - 1
    )


def test_items_with_fewer_levels_have_fewer_parameters_and_no_probability_beyond_them():
    items, lengths = survey(6, n_items=3)
    items[:, 0] = np.minimum(items[:, 0], 1)
    for max_iter in (1, 10):  # the random start, and where it leads
        model = fit(items, lengths, 2, n_categories=[2, 4, 4], max_iter=max_iter)
        assert model.n_parameters_ == 1 + 2 * (1 + 3 + 3) + 2
        assert (model.item_probs_[:, 0, 2:] == 0).all()
        np.testing.assert_allclose(model.item_probs_.sum(axis=2), 1.0, rtol=0, atol=1e-14)


def test_number_of_levels_defaults_to_the_largest_answer():
    items, lengths = survey(7)
    shape = fit(items, lengths, n_categories=None).item_probs_.shape
    assert shape == (3, 6, items.max() + 1)


def test_information_criteria_by_hand():
    items, lengths = survey(8)
    items[1] = -1  # the first person has five sessions
    model = fit(items, lengths)
    deviance, p = -2 * model.log_likelihood_, 2 + 3 * 6 * 3 + 3 * 2
    assert model.n_parameters_ == p
    assert model.n_people_ == len(lengths) == 40
    assert model.n_observations_ == (items >= 0).any(axis=1).sum() < len(items)
    assert model.aic_ == pytest.approx(deviance + 2 * p)
    assert model.bic_ == pytest.approx(deviance + p * np.log(40))
    assert model.bic_observations_ == pytest.approx(deviance + p * np.log(model.n_observations_))
    assert model.icl_ >= model.bic_


def test_one_session_each_has_no_transitions():
    items, _ = survey(9)
    model = fit(items)
    assert model.one_occasion_
    assert np.isnan(model.transition_matrix_).all()
    assert model.transition_matrix_.shape == (3, 3)
    same = fit(items, np.ones(len(items), dtype=int))
    np.testing.assert_array_equal(model.score_samples(items), same.score_samples(items))


def test_one_state_is_the_table_of_answers():
    items, lengths = survey(10)
    model = fit(items, lengths, 1)
    counts = np.stack([(items == c).sum(axis=0) for c in range(4)], axis=1)
    shares = counts / counts.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.item_probs_[0], shares, rtol=1e-12)
    assert model.transition_matrix_.tolist() == [[1.0]]
    assert model.entropy_ == 1.0


def test_impossible_answers_have_log_likelihood_minus_infinity():
    sure = {"initial_probs": [1.0], "item_probs": [[[1.0, 0.0]] * 3]}
    model = LatentMarkov(1, n_categories=2, init=sure, max_iter=1, tol=0)
    model.fit(np.zeros((5, 3), "int8"))
    items = np.array([[0, 0, 0], [0, 1, 0]], dtype="int8")
    assert model.score_samples(items).tolist() == [0.0, -np.inf]
    assert model.score(items) == -np.inf
    assert np.isnan(model.predict_proba(items)).tolist() == [[False], [True]]


def test_unlikely_sessions_do_not_underflow():
    # Answers of probability 1e-7: 20 of them make a session of 1e-140, 30 one of 1e-210. Neither
    # two sessions in a row nor any five sessions of a person have a product that a double holds.
    rare = {
        "initial_probs": [0.5, 0.5],
        "transition_matrix": np.full((2, 2), 0.5),
        "item_probs": np.tile([1e-7, 1 - 1e-7], (2, 30, 1)),
    }
    items = np.zeros((300, 30), np.int8)
    items[::2, 20:] = -1
    for n_people in (60, 100):  # begin with either kind of session
        lengths = np.full(n_people, 300 // n_people)
        model = fit(items, lengths, 2, n_categories=2, init=rare, max_iter=1)
        expected = (items >= 0).sum() * np.log(1e-7)
        assert model.log_likelihood_ == pytest.approx(expected, rel=1e-12)
        assert model.score(items, lengths) == pytest.approx(expected, rel=1e-12)
        np.testing.assert_allclose(model.predict_proba(items, lengths), 0.5, rtol=1e-12)


def test_what_nothing_is_known_about_stays_as_it_was():
    """A state that cannot be reached, an item that nobody answers."""
    items, lengths = survey(15)
    items[:, 2] = -1
    init = start_at(fit(items, lengths))
    init["initial_probs"] = np.array([0.6, 0.4, 0.0])
    init["transition_matrix"] = np.array([[0.7, 0.3, 0.0], [0.2, 0.8, 0.0], [0.1, 0.2, 0.7]])
    init["item_probs"][:, 2] = [[0.4, 0.3, 0.2, 0.1], [0.1, 0.4, 0.4, 0.1], [0.1, 0.2, 0.3, 0.4]]
    model = fit(items, lengths, init=init, max_iter=3)
    lost = np.flatnonzero(model.initial_probs_ == 0)  # wherever the order has put it
    np.testing.assert_array_equal(model.item_probs_[lost], init["item_probs"][[2]])
    np.testing.assert_array_equal(np.sort(model.transition_matrix_[lost])[0], [0.1, 0.2, 0.7])
    kept = {tuple(row) for row in model.item_probs_[:, 2]}
    assert kept == {tuple(row) for row in init["item_probs"][:, 2]}


def test_of_equally_likely_paths_the_lower_states_are_taken():
    twins = {
        "initial_probs": [0.5, 0.5],
        "transition_matrix": np.full((2, 2), 0.5),
        "item_probs": np.full((2, 6, 4), 0.25),
    }
    items, lengths = survey(16)
    model = fit(items, lengths, 2, init=twins, max_iter=1)
    assert not model.predict(items, lengths).any()


# ---- recovery of a known truth


def truth():
    """Four states with different usual answers, far enough apart for a short fit."""
    usual = (np.arange(4)[:, None] + np.arange(9)) % 4
    return {
        "initial_probs": np.array([0.4, 0.3, 0.2, 0.1]),
        "transition_matrix": 0.1 + 0.6 * np.eye(4),
        "item_probs": 0.1 + 0.6 * np.eye(4)[usual],
    }


@pytest.fixture(scope="module")
def cohort():
    lengths = np.random.default_rng(20).integers(2, 9, 1000)
    return (*oracle.simulate(truth(), lengths, seed=21, missing=0.05), lengths)


@pytest.fixture(scope="module")
def recovered(cohort):
    items, _, lengths = cohort
    return LatentMarkov(4, n_categories=4, tol=1e-10, random_state=0).fit(items, lengths)


def test_best_of_twenty_starts_is_as_good_as_the_truth(cohort, recovered):
    items, _, lengths = cohort
    gain = 2 * (recovered.log_likelihood_ - oracle.log_likelihood(truth(), items, lengths))
    # Wilks (1938): chi-squared with as many degrees of freedom as there are parameters
    low, high = stats.chi2(recovered.n_parameters_).ppf([1e-4, 1 - 1e-4])
    assert low < gain < high


def test_parameters_lie_within_sampling_error_of_the_truth(cohort, recovered):
    """|z| below the normal quantile that one of them exceeds with probability 1e-4.

    Were the states seen, a share would have the standard error sqrt(p (1 - p) / n). Hidden states
    cost at most the largest share of missing information, which is the rate at which EM converges
    (Dempster, Laird & Rubin 1977), here about 0.2: the standard error grows by 1 / sqrt(1 - rate).
    """
    items, states, lengths = cohort
    lasts = np.cumsum(lengths) - 1
    moving = np.delete(states, lasts)
    answers = np.stack([(items[states == k] >= 0).sum(axis=0) for k in range(4)])
    numbers = {
        "initial_probs": np.full(4, len(lengths)),
        "transition_matrix": np.bincount(moving, minlength=4)[:, None],
        "item_probs": answers[:, :, None],
    }
    path = [fit(items, lengths, 4, init=truth(), max_iter=n).log_likelihood_ for n in (6, 7, 8)]
    rate = np.sqrt((path[2] - path[1]) / (path[1] - path[0]))
    assert 0 < rate < 0.5
    limit = stats.norm.isf(1e-4 / 2 / sum(p.size for p in truth().values()))
    for name, p in truth().items():
        standard_error = np.sqrt(p * (1 - p) / numbers[name] / (1 - rate))
        z = (getattr(recovered, f"{name}_") - p) / standard_error
        assert np.abs(z).max() < limit, name


def test_states_are_right_as_often_as_their_probabilities_say(cohort, recovered):
    items, states, lengths = cohort
    posterior = recovered.predict_proba(items, lengths)
    expected = posterior.max(axis=1)
    found = (posterior.argmax(axis=1) == states).mean()
    error = np.sqrt((expected * (1 - expected)).sum()) / len(states)
    # if sessions were independent; at most eight of one person can multiply the variance by eight
    assert abs(found - expected.mean()) < 4.5 * np.sqrt(8) * error


# ---- sample


def test_a_sample_has_the_shape_and_range_that_was_asked_for(recovered):
    items, states = recovered.sample([3, 1, 4], random_state=5)
    assert items.dtype == np.int8
    assert items.shape == (8, 9)
    assert states.shape == (8,)
    assert set(np.unique(items)) <= {0, 1, 2, 3}
    assert set(states) <= {0, 1, 2, 3}


def test_a_sample_follows_its_seed(recovered):
    one, same, other = (recovered.sample([9] * 20, random_state=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(one[0], same[0])
    np.testing.assert_array_equal(one[1], same[1])
    assert (one[0] != other[0]).any()


def test_a_large_sample_has_the_frequencies_of_the_model(recovered):
    lengths = np.full(5000, 4)
    items, states = recovered.sample(lengths, random_state=3)
    paths = states.reshape(5000, 4)
    observed = {
        "initial_probs": np.bincount(paths[:, 0], minlength=4),
        "transition_matrix": np.stack([
            np.bincount(paths[:, 1:][paths[:, :-1] == k], minlength=4) for k in range(4)
        ]),
        "item_probs": np.stack([
            [np.bincount(items[states == k, j], minlength=4) for j in range(9)] for k in range(4)
        ]),
    }  # fmt: skip
    for name, counts in observed.items():
        p, n = getattr(recovered, f"{name}_"), counts.sum(axis=-1, keepdims=True)
        z = (counts - n * p) / np.sqrt(n * p * (1 - p))
        # independent draws, so 164 binomials; one exceeds this with probability 1e-4
        assert np.abs(z).max() < stats.norm.isf(1e-4 / 2 / 164), name


def test_a_model_of_one_session_samples_people_with_one_session():
    model = fit(survey(9)[0])
    items, states = model.sample([1] * 10, random_state=0)
    assert items.shape == (10, 6)
    assert states.shape == (10,)


def test_levels_an_item_does_not_have_are_never_drawn():
    items, lengths = survey(6, n_items=3)
    items[:, 0] = np.minimum(items[:, 0], 1)
    drawn, _ = fit(items, lengths, n_categories=[2, 4, 4]).sample([5] * 400, random_state=0)
    assert drawn[:, 0].max() == 1


# ---- manners


def test_clone_copies_parameters_and_nothing_fitted():
    items, lengths = survey(11)
    init = start_at(fit(items, lengths))
    model = LatentMarkov(3, n_categories=[4] * 6, max_iter=3, tol=0, n_jobs=2, init=init)
    twin = sklearn.base.clone(model.fit(items, lengths))
    assert not hasattr(twin, "item_probs_")
    assert twin.get_params().keys() == model.get_params().keys()
    assert twin.fit(items, lengths).log_likelihood_ == model.log_likelihood_


def test_get_params_and_set_params():
    model = LatentMarkov(3, tol=1e-6)
    assert model.get_params() == {
        "n_states": 3, "n_categories": None, "n_starts": 20, "max_iter": 5000, "tol": 1e-6,
        "random_state": None, "n_jobs": None, "init": None, "transitions": "homogeneous",
        "stayers": False, "items": "free", "dependent_pairs": (), "accelerate": False,
    }  # fmt: skip
    assert model.set_params(n_states=5, n_starts=2) is model
    assert (model.n_states, model.n_starts, model.tol) == (5, 2, 1e-6)
    assert repr(model) == "LatentMarkov(n_states=5, n_starts=2, tol=1e-06)"


def test_an_unknown_parameter_is_named():
    with pytest.raises(ValueError, match=r"no parameter 'n_sttaes'; its parameters are n_states,"):
        LatentMarkov(3).set_params(n_sttaes=4)


def test_fit_leaves_its_parameters_alone():
    items, lengths = survey(12)
    model = LatentMarkov(2, n_starts=2, max_iter=2, tol=0)
    before = model.get_params()
    model.fit(items, lengths)
    assert model.get_params() == before


def test_importing_the_models_does_not_import_scikit_learn():
    code = "import sys, iesoresearch.models; sys.exit('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_int8_answers_are_neither_copied_wider_nor_written_to():
    items, lengths = survey(13, n_people=60_000, n_items=9)
    items.flags.writeable = False
    fit(items[:500], np.full(100, 5), max_iter=1)  # compile before measuring
    tracemalloc.start()
    fit(items, lengths, max_iter=1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # Three masks of one byte per answer while levels are checked; a copy as int64 would be eight.
    assert peak < 4 * items.nbytes


@pytest.mark.parametrize("dtype", ["int16", "int64", "uint8"])
def test_other_whole_numbers_give_the_same_model(dtype):
    items, lengths = survey(14, missing=0.0)
    one = fit(items, lengths)
    other = fit(items.astype(dtype), lengths.tolist())
    np.testing.assert_array_equal(one.item_probs_, other.item_probs_)
