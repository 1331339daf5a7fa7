"""Extrapolation finds what EM finds, in fewer E-steps, and never goes down."""

from dataclasses import dataclass

import numpy as np
import pytest

from iesoresearch.errors import ParameterError
from iesoresearch.models import LatentMarkov
from iesoresearch.models.latent_markov import accelerated, em
from iesoresearch.models.latent_markov.chains import Chain
from iesoresearch.models.latent_markov.emissions import FreeItems
from iesoresearch.models.latent_markov.packing import pack
from iesoresearch.models.latent_markov.sessions import Sessions

from . import oracle


def as_model(arrays):
    return em.Model(
        Chain(arrays["initial_probs"][None], arrays["transition_matrix"][None]),
        FreeItems(arrays["item_probs"]),
    )


def blurred(seed, n_states=3, n_items=5):
    """Sessions whose states overlap so much that EM is slow, and a start."""
    random = np.random.default_rng(seed)
    truth = oracle.random_model(random, n_states, [3] * n_items, sharpness=3.0)
    lengths = random.integers(1, 8, 300)
    items, _ = oracle.simulate(truth, lengths, seed, missing=0.1)
    sessions = Sessions(pack(items, 3), np.concatenate([[0], np.cumsum(lengths)]))
    return sessions, as_model(oracle.random_model(random, n_states, [3] * n_items, sharpness=3.0))


def fit(seed, *, accelerate=True, **settings):
    usual = {"max_iter": 20_000, "tol": 1e-10}
    return em.run(*blurred(seed), **usual | settings, accelerate=accelerate)


@pytest.mark.parametrize("seed", range(4))
def test_the_same_maximum_in_fewer_e_steps(seed):
    """Both stop short of it: by a gain g and rate r, EM by g r / (1 - r)."""
    plain = fit(seed, accelerate=False, tol=1e-13)
    fast = fit(seed)
    assert fast.converged
    assert fast.n_iter < plain.n_iter / 2
    assert fast.log_likelihood == pytest.approx(plain.log_likelihood, rel=1e-7, abs=0)
    assert fast.log_likelihood >= fit(seed, accelerate=False).log_likelihood


def test_the_log_likelihood_never_falls_and_is_that_of_the_model():
    sessions, start = blurred(1)
    fits = [
        em.run(sessions, start, max_iter=n, tol=0, accelerate=True) for n in [*range(1, 60), 200]
    ]
    assert [f.n_iter for f in fits] == [*range(1, 60), 200]
    assert (np.diff([f.log_likelihood for f in fits]) >= 0).all()
    assert not any(f.converged for f in fits)
    for f in fits[::10]:
        assert em.e_step(sessions, f.model).log_likelihood == f.log_likelihood


def test_impossible_answers_stop_it():
    sessions, start = blurred(2)
    item_probs = start.emission.item_probs.copy()
    item_probs[:, 0] = [1.0, 0.0, 0.0]
    found = em.run(
        sessions, em.Model(start.chain, FreeItems(item_probs)), max_iter=9, tol=0, accelerate=True
    )
    assert (found.n_iter, found.converged, found.log_likelihood) == (1, False, -np.inf)


def test_an_estimator_can_be_asked_for_it():
    random = np.random.default_rng(3)
    truth = oracle.random_model(random, 2, [3] * 5, sharpness=3.0)
    lengths = np.full(80, 4)
    items, _ = oracle.simulate(truth, lengths, seed=3)
    settings = {"n_categories": 3, "n_starts": 3, "random_state": 0, "tol": 1e-9}
    plain = LatentMarkov(2, **settings).fit(items, lengths)
    fast = LatentMarkov(2, accelerate=True, **settings).fit(items, lengths)
    assert fast.n_iter_ < plain.n_iter_
    assert fast.log_likelihood_ == pytest.approx(plain.log_likelihood_, rel=1e-7, abs=0)
    with pytest.raises(ParameterError, match="accelerate='yes' must be True or False"):
        LatentMarkov(2, accelerate="yes").fit(items, lengths)


# ---- the extrapolation itself


def line(weights, direction, at):
    """One state with one item, `at` times a direction away from these weights."""
    probs = np.array(weights) + at * np.array(direction)
    return em.Model(Chain(np.ones((1, 1)), np.ones((1, 1, 1))), FreeItems(probs[None, None]))


@pytest.mark.parametrize("rate", [0.5, 0.9, 0.99])
def test_a_path_that_converges_at_one_rate_is_followed_to_its_end(rate):
    """Errors c, rate c, rate^2 c: the step of length 1 / (1 - rate) leaves no error."""
    path = [line([0.4, 0.3, 0.3], [0.1, -0.1, 0.0], rate**n) for n in range(3)]
    ahead, length = accelerated.extrapolated(*path, longest=1e6)
    assert length == pytest.approx(1 / (1 - rate), rel=1e-9)
    np.testing.assert_allclose(ahead.emission.item_probs[0, 0], [0.4, 0.3, 0.3], atol=1e-12)


def test_a_step_of_length_one_is_the_second_step_of_em():
    path = [line([0.4, 0.3, 0.3], [0.1, -0.1, 0.0], 0.9**n) for n in range(3)]
    ahead, length = accelerated.extrapolated(*path, longest=1.0)
    assert length == 1.0
    np.testing.assert_allclose(
        ahead.emission.item_probs, path[2].emission.item_probs, rtol=0, atol=1e-15
    )


def test_no_probability_loses_more_than_nine_tenths():
    path = [line([0.2, 0.5, 0.3], [0.1, -0.1, 0.0], -at) for at in (0.0, 1.0, 1.9)]
    np.testing.assert_allclose(path[2].emission.item_probs[0, 0], [0.01, 0.69, 0.3])
    ahead, _ = accelerated.extrapolated(*path, longest=1e6)
    np.testing.assert_allclose(ahead.emission.item_probs[0, 0], [0.001, 0.699, 0.3], rtol=1e-9)


def test_where_em_stands_still_there_is_no_direction():
    here = line([0.4, 0.3, 0.3], [0.0, 0.0, 0.0], 0.0)
    assert accelerated.extrapolated(here, here, here, longest=4.0)[0] is None


@dataclass(frozen=True)
class Positions:
    """An emission that EM moves on the whole line: no rows of probabilities to stay within."""

    position: np.ndarray

    @property
    def arrays(self):
        return (self.position,)

    def with_arrays(self, position):
        return Positions(position)

    @property
    def item_probs(self):
        share = self.position[0] / 10
        return np.array([[[share, 1 - share]]])


@pytest.mark.parametrize(("end", "is_model"), [(3.0, True), (-3.0, False)])
def test_what_is_no_model_is_refused(end, is_model):
    chain = Chain(np.ones((1, 1)), np.ones((1, 1, 1)))
    path = [em.Model(chain, Positions(np.array([end + 8 * 0.8**n]))) for n in range(3)]
    ahead, _ = accelerated.extrapolated(*path, longest=1e6)
    assert (ahead is not None) == is_model
    if is_model:
        np.testing.assert_allclose(ahead.emission.position, end)


@dataclass(frozen=True)
class Value:
    log_likelihood: float


@pytest.mark.parametrize("bad", [-11.0, np.nan, -np.inf])
def test_a_step_that_leads_down_is_taken_back(bad):
    """EM halves the distance and loses as much as is left; every extrapolation is worse."""
    ways = [line([0.4, 0.3, 0.3], [0.1, -0.1, 0.0], 0.5**n) for n in range(40)]

    def place(model):
        return np.flatnonzero([model is way for way in ways])

    def expect(model):
        (n,) = place(model) if len(place(model)) else (None,)
        return Value(bad if n is None else -10.0 - 1e-6 * 0.5**n)

    def maximise(model, counts):
        return ways[place(model)[0] + 1]

    model, counts, n_iter, converged = accelerated.climb(
        ways[0], expect, maximise, max_iter=15, tol=0
    )
    assert (n_iter, converged) == (15, False)
    assert counts.log_likelihood == expect(model).log_likelihood > -10.0 - 1e-6 / 2**6
