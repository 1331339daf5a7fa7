"""The severity-only null model: a ladder, nested in the free model, and fitted to its maximum."""

import numpy as np
import pytest
import sklearn.base
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from iesoresearch.errors import NotFittedError
from iesoresearch.models import LatentMarkov, SeverityLadder
from iesoresearch.models.ladder import LadderItems
from iesoresearch.models.latent_markov.blocks import Blocks

from . import oracle

examples = settings(max_examples=15, deadline=None, derandomize=True)
seeds = st.integers(0, 2**32 - 1)
SCORES = np.arange(4)
LENGTHS = np.full(500, 4)


def rungs(positions, slopes, thresholds):
    """Generalised partial credit model, written out cell by cell."""
    probs = np.empty((len(positions), *thresholds.shape))
    for k, position in enumerate(positions):
        for j, slope in enumerate(slopes):
            weights = [np.exp(c * slope * position + b) for c, b in enumerate(thresholds[j])]
            probs[k, j] = np.array(weights) / sum(weights)
    return probs


def planted(seed=0, n_items=6):
    """A ladder of four rungs with items of unequal slopes and thresholds."""
    random = np.random.default_rng(seed)
    slopes = random.uniform(0.7, 1.6, n_items)
    thresholds = np.zeros((n_items, 4))
    thresholds[:, 1:] = random.normal([0.3, -0.1, -0.5], 0.2, (n_items, 3))
    return {
        "initial_probs": np.full(4, 1 / 4),
        "transition_matrix": 0.1 + 0.6 * np.eye(4),
        "item_probs": rungs(np.array([-1.5, -0.5, 0.5, 1.5]), slopes, thresholds),
    }


def fit(items, lengths=None, n_states=3, **parameters):
    usual = {"n_categories": 4, "n_starts": 1, "max_iter": 10, "tol": 0, "random_state": 0}
    return SeverityLadder(n_states, **usual | parameters).fit(items, lengths)


@pytest.fixture(scope="module")
def items():
    return oracle.simulate(planted(), LENGTHS, seed=2)[0]


@pytest.fixture(scope="module")
def ladder(items):
    return SeverityLadder(4, n_categories=4, tol=1e-9, random_state=0).fit(items, LENGTHS)


# ---- a planted ladder


def test_the_planted_ladder_lies_in_the_confidence_region_of_the_fit(ladder, items):
    gain = 2 * (ladder.log_likelihood_ - oracle.log_likelihood(planted(), items, LENGTHS))
    # Wilks (1938): chi-squared with one degree of freedom per parameter. Below it the truth was
    # not reached, above it the fit is not a ladder.
    low, high = stats.chi2(ladder.n_parameters_).ppf([1e-4, 1 - 1e-4])
    assert low < gain < high


def test_it_costs_no_more_than_chance_against_the_free_model(ladder, items):
    free = LatentMarkov(4, n_categories=4, tol=1e-9, random_state=0).fit(items, LENGTHS)
    gain = 2 * (free.log_likelihood_ - ladder.log_likelihood_)
    assert 0 <= gain < stats.chi2(free.n_parameters_ - ladder.n_parameters_).ppf(1 - 1e-4)


def test_rungs_follow_the_formula_of_the_model(ladder):
    expected = rungs(ladder.positions_, ladder.slopes_, ladder.thresholds_)
    np.testing.assert_allclose(ladder.item_probs_, expected, rtol=1e-12)
    assert (ladder.slopes_ >= 0).all()
    assert (np.diff(ladder.positions_) > 0).all()
    assert (ladder.thresholds_[:, 0] == 0).all()


def test_every_item_rises_from_rung_to_rung(ladder):
    assert (np.diff(ladder.item_probs_ @ SCORES, axis=0) > 0).all()


def test_score_of_the_training_data_is_the_log_likelihood(ladder, items):
    assert ladder.score(items, LENGTHS) == pytest.approx(ladder.log_likelihood_, rel=1e-12)


@pytest.mark.parametrize("levels", [[4, 4, 4, 4, 4], [2, 4, 3, 4, 2], [2, 2, 2, 2, 2]])
def test_newton_steps_find_the_ladder_behind_exact_counts(levels):
    """Expected counts in the proportions of a ladder have that ladder as their maximum."""
    random = np.random.default_rng(sum(levels))
    beyond = np.arange(max(levels)) >= np.array(levels)[:, None]
    thresholds = random.normal(0, 0.5, beyond.shape)
    thresholds[:, 0] = 0
    thresholds[beyond] = -np.inf
    truth = rungs(np.array([-1.5, 0.0, 2.0]), random.uniform(0.5, 1.5, len(levels)), thresholds)
    counts = truth * np.array([300.0, 500.0, 200.0])[:, None, None]
    answers, _ = oracle.simulate(
        {"initial_probs": np.full(3, 1 / 3), "item_probs": truth}, [1] * 200, seed=1
    )
    ladder = LadderItems.start(answers, Blocks(np.array(levels)), np.array([-1.0, 0.0, 1.0]))
    for _ in range(200):
        ladder = ladder.raised(counts)
    probs = ladder.item_probs
    np.testing.assert_allclose(probs, truth, rtol=0, atol=1e-8)
    assert (probs[:, beyond] == 0).all()


# ---- laws


def survey(seed, n_items=5):
    """Free data, not a ladder: the null model has to cope with what it does not fit."""
    random = np.random.default_rng(seed)
    lengths = random.integers(1, 6, 40)
    lengths[0] = 5
    items, _ = oracle.simulate(oracle.random_model(random, 3, [4] * n_items), lengths, seed, 0.1)
    firsts = np.cumsum(lengths) - lengths
    items[firsts, 0] = np.maximum(items[firsts, 0], 0)
    return items, lengths


@examples
@given(seeds, st.integers(1, 5))
def test_log_likelihood_never_falls_from_step_to_step(seed, n_states):
    items, lengths = survey(seed)
    path = [
        fit(items, lengths, n_states, random_state=seed, max_iter=n).log_likelihood_
        for n in range(1, 16)
    ]
    assert (np.diff(path) >= -1e-12 * np.abs(path[1:])).all()  # rounding of sums


@examples
@given(seeds, st.integers(1, 4))
def test_is_nested_in_the_free_model(seed, n_states):
    items, lengths = survey(seed)
    ladder = fit(items, lengths, n_states, random_state=seed)
    init = {name: getattr(ladder, f"{name}_") for name in
            ("initial_probs", "transition_matrix", "item_probs")}  # fmt: skip
    free = LatentMarkov(n_states, n_categories=4, init=init, max_iter=2, tol=0)
    free.fit(items, lengths)
    # one step of EM from the ladder cannot lead below it
    assert free.log_likelihood_ >= ladder.log_likelihood_ * (1 + 1e-12)


@examples
@given(seeds, st.integers(2, 5))
def test_is_a_ladder_whatever_the_data(seed, n_states):
    items, lengths = survey(seed)
    ladder = fit(items, lengths, n_states, random_state=seed)
    assert (np.diff(ladder.item_probs_ @ SCORES, axis=0) >= -1e-12).all()
    assert (np.diff(ladder.positions_) >= 0).all()
    np.testing.assert_allclose(ladder.item_probs_.sum(axis=2), 1.0, rtol=0, atol=1e-14)


def test_one_rung_is_the_free_model_with_one_state():
    items, lengths = survey(3)
    ladder = fit(items, lengths, 1, tol=1e-12, max_iter=500)
    free = LatentMarkov(1, n_categories=4).fit(items, lengths)
    assert ladder.log_likelihood_ == pytest.approx(free.log_likelihood_, rel=1e-10)
    assert ladder.n_parameters_ == free.n_parameters_ == 5 * 3


def test_items_with_fewer_levels():
    items, lengths = survey(4)
    items[:, 1] = np.minimum(items[:, 1], 1)
    ladder = fit(items, lengths, n_categories=[4, 2, 4, 4, 4])
    assert (ladder.item_probs_[:, 1, 2:] == 0).all()
    assert np.isneginf(ladder.thresholds_[1, 2:]).all()
    assert np.isfinite(ladder.log_likelihood_)


def test_a_level_that_nobody_used_is_as_good_as_none(items):
    merged = items.copy()
    merged[:, 0] = np.minimum(merged[:, 0], 2)
    with_level, without = (
        fit(merged, LENGTHS, 4, n_categories=levels, n_starts=3, tol=1e-9, max_iter=1000)
        for levels in (4, [3, 4, 4, 4, 4, 4])
    )
    assert (with_level.item_probs_[:, 0, 3] < 1e-9).all()
    # both stop at a relative gain of 1e-9, about ten such gains before their maximum
    assert with_level.log_likelihood_ == pytest.approx(without.log_likelihood_, rel=1e-8)
    assert with_level.n_parameters_ == without.n_parameters_ + 1


def test_threads_and_repetition_change_no_bit(items):
    one, same, threads = (fit(items, LENGTHS, n_starts=3, n_jobs=n) for n in (1, 1, 2))
    for other in (same, threads):
        np.testing.assert_array_equal(one.starts_, other.starts_)
        np.testing.assert_array_equal(one.item_probs_, other.item_probs_)
        np.testing.assert_array_equal(one.thresholds_, other.thresholds_)


def test_every_row_of_starts_can_be_run_again(items):
    for start in fit(items, LENGTHS, n_starts=3).starts_:
        again = fit(items, LENGTHS, random_state=int(start["seed"]))
        assert again.starts_[0] == start


def test_clone_knows_the_parameters_of_a_ladder():
    twin = sklearn.base.clone(SeverityLadder(4, n_starts=2))
    assert twin.get_params() == {
        "n_states": 4, "n_categories": None, "n_starts": 2, "max_iter": 5000, "tol": 1e-8,
        "random_state": None, "n_jobs": None, "dependent_pairs": (),
    }  # fmt: skip


# ---- counting


@pytest.mark.parametrize(
    ("n_states", "expected"),
    # rungs + items - 2, thresholds, first shares, transitions
    [(1, 0 + 15 + 0 + 0), (2, 5 + 15 + 1 + 2), (3, 6 + 15 + 2 + 6), (5, 8 + 15 + 4 + 20)],
)
def test_number_of_parameters_by_hand(n_states, expected):
    items, lengths = survey(6)
    assert fit(items, lengths, n_states).n_parameters_ == expected
    without = fit(items, None, n_states).n_parameters_
    assert without == expected - n_states * (n_states - 1)


def test_number_of_parameters_is_the_rank_of_what_they_move():
    """Origin and unit of the ladder move no probability: the Jacobian has two ranks fewer."""
    random = np.random.default_rng(7)
    k, j, c = 3, 5, 4
    at = random.normal(size=k + j + j * (c - 1))

    def probabilities(x):
        thresholds = np.concatenate([np.zeros((j, 1)), x[k + j :].reshape(j, c - 1)], axis=1)
        return rungs(x[:k], x[k : k + j], thresholds).ravel()

    steps = 1e-6 * np.eye(len(at))
    jacobian = [(probabilities(at + h) - probabilities(at - h)) / 2e-6 for h in steps]
    rank = np.linalg.matrix_rank(np.array(jacobian), tol=1e-6)  # differences err by about 1e-10
    items, lengths = survey(7)
    shares_and_transitions = 2 + 6
    assert rank == len(at) - 2 == fit(items, lengths, k).n_parameters_ - shares_and_transitions


# ---- profiles


def test_profile_at_the_total_of_a_rung_is_its_own_profile(ladder):
    profiles = ladder.item_probs_ @ SCORES
    # Linear interpolation on steps h of position errs by at most h ** 2 / 8 times the curvature.
    # That of an item's mean is slope ** 2 times a third central moment, at most
    # 3 ** 3 / (6 * sqrt(3)) on 0 ... 3; that of the total adds up over items.
    curvature = (ladder.slopes_**2 + (ladder.slopes_**2).sum()).max() * 27 / (6 * np.sqrt(3))
    error = (60 / 20_000) ** 2 / 8 * curvature
    assert error < 1e-4
    np.testing.assert_allclose(
        ladder.profile_at(profiles.sum(axis=1)), profiles, rtol=0, atol=error
    )


def test_profile_at_any_total_has_that_total(ladder):
    totals = np.array([0.5, 3.0, 9.0, 17.0])
    profiles = ladder.profile_at(totals)
    assert profiles.shape == (4, 6)
    np.testing.assert_allclose(profiles.sum(axis=1), totals, rtol=1e-12)
    assert (np.diff(profiles, axis=0) > 0).all()


def test_a_total_out_of_reach_gets_the_profile_of_the_end(ladder):
    # at the ends of the ladder every item is at its own end
    np.testing.assert_allclose(ladder.profile_at([-1.0, 99.0]), [[0] * 6, [3] * 6], atol=1e-4)


def test_there_is_no_profile_before_fit():
    with pytest.raises(NotFittedError, match="This SeverityLadder has not been fitted"):
        SeverityLadder(3).profile_at([1.0])
