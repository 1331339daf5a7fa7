"""Standard errors against closed forms and an oracle; the exact maximum by Newton's method."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iesoresearch.errors import DataError, NotFittedError, ParameterError
from iesoresearch.models import LatentMarkov, SeverityLadder
from iesoresearch.models.latent_markov import em, information
from iesoresearch.models.latent_markov.records import Records

from . import general_oracle as general
from . import oracle

examples = settings(max_examples=6, deadline=None, derandomize=True)
seeds = st.integers(0, 2**32 - 1)


def answers(seed, n_people=120, missing=0.1):
    """Answers of people to three items of three levels."""
    random = np.random.default_rng(seed)
    lengths = random.integers(1, 5, n_people)
    lengths[0] = 4
    model = {
        "initial_probs": np.array([0.6, 0.4]),
        "transition_matrix": np.array([[0.8, 0.2], [0.3, 0.7]]),
        "item_probs": np.array([[[0.7, 0.2, 0.1]] * 3, [[0.1, 0.2, 0.7]] * 3]),
    }
    items, states = oracle.simulate(model, lengths, seed, missing)
    firsts = np.cumsum(lengths) - lengths
    items[firsts, 0] = np.maximum(items[firsts, 0], 0)
    return items, lengths, states


def fit(items, lengths, n_states=2, *, weights=None, dropped_out=None, **parameters):
    usual = {"n_categories": 3, "n_starts": 2, "tol": 1e-14, "random_state": 0}
    model = LatentMarkov(n_states, **usual | parameters)
    return model.fit(items, lengths, weights=weights, dropped_out=dropped_out)


# ---- closed forms


@examples
@given(seeds)
def test_one_state_has_the_standard_errors_of_shares(seed):
    items, lengths, _ = answers(seed)
    model = fit(items, lengths, 1)
    errors = model.standard_errors(items, lengths)
    n = (items >= 0).sum(axis=0)[:, None]
    p = model.item_probs_[0]
    np.testing.assert_allclose(errors["item_probs"][0], np.sqrt(p * (1 - p) / n), rtol=1e-6)
    assert np.isnan(errors["initial_probs"]).all()  # a probability of one is not estimated
    assert np.isnan(errors["transition_matrix"]).all()


@examples
@given(seeds)
def test_the_sandwich_of_one_state_is_that_of_a_weighted_ratio(seed):
    """Linearised variance of a ratio of weighted totals over people (Binder 1983)."""
    items, lengths, _ = answers(seed)
    weights = np.random.default_rng(seed).gamma(2.0, 1.0, len(lengths))
    model = fit(items, lengths, 1, weights=weights)
    errors = model.standard_errors(items, lengths, weights=weights)
    firsts = np.cumsum(lengths) - lengths
    for item in range(3):
        answered = np.add.reduceat((items[:, item] >= 0).astype(float), firsts)
        for level in range(3):
            said = np.add.reduceat((items[:, item] == level).astype(float), firsts)
            p = (weights @ said) / (weights @ answered)
            residual = weights * (said - p * answered)
            expected = np.sqrt((residual**2).sum()) / (weights @ answered)
            assert model.item_probs_[0, item, level] == pytest.approx(p, rel=1e-9)
            assert errors["item_probs"][0, item, level] == pytest.approx(expected, rel=1e-6)


def seen(seed, n_people=300):
    """States that are seen: the only item is the state itself."""
    random = np.random.default_rng(seed)
    lengths = random.integers(1, 5, n_people)
    lengths[0] = 4
    model = {
        "initial_probs": np.array([0.5, 0.3, 0.2]),
        "transition_matrix": np.array([[0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.1, 0.3, 0.6]]),
        "item_probs": np.eye(3)[:, None, :],
    }
    items, states = oracle.simulate(model, lengths, seed)
    # twice, so that answers outnumber parameters; zeros of a start stay
    return np.column_stack([items, items]), lengths, states, {
        "initial_probs": np.full(3, 1 / 3), "transition_matrix": np.full((3, 3), 1 / 3),
        "item_probs": np.repeat(np.eye(3)[:, None, :], 2, axis=1),
    }  # fmt: skip


@pytest.mark.parametrize("transitions", ["homogeneous", "by_occasion"])
def test_states_that_are_seen_have_the_standard_errors_of_shares(transitions):
    items, lengths, states, init = seen(1)
    left = np.random.default_rng(1).integers(0, 2, len(lengths))
    if transitions == "by_occasion":
        init["transition_matrix"] = np.repeat(init["transition_matrix"][None], 3, axis=0)
    init["dropout_probs"] = np.full(3, 0.5)
    model = fit(items, lengths, 3, init=init, dropped_out=left, transitions=transitions)
    errors = model.standard_errors(items, lengths, dropped_out=left)
    p = model.initial_probs_
    np.testing.assert_allclose(
        errors["initial_probs"], np.sqrt(p * (1 - p) / len(lengths)), rtol=1e-6
    )
    at = np.concatenate([np.arange(n) for n in lengths])
    for t in range(3 if transitions == "by_occasion" else 1):
        into = np.flatnonzero(at == t + 1 if transitions == "by_occasion" else at > 0)
        counts = np.zeros((3, 3))
        np.add.at(counts, (states[into - 1], states[into]), 1)
        n = counts.sum(axis=1, keepdims=True)
        p = counts / n
        found = errors["transition_matrix"]
        found = found[t] if transitions == "by_occasion" else found
        np.testing.assert_allclose(found, np.sqrt(p * (1 - p) / n), rtol=1e-6)
    n, d = np.bincount(states, minlength=3), model.dropout_probs_
    np.testing.assert_allclose(errors["dropout_probs"], np.sqrt(d * (1 - d) / n), rtol=1e-6)
    assert np.isnan(errors["item_probs"]).all()  # all of them 0 or 1


@examples
@given(seeds)
def test_twice_the_people_divide_standard_errors_by_root_two(seed):
    items, lengths, _ = answers(seed)
    once = fit(items, lengths)
    start = {
        name: getattr(once, f"{name}_")
        for name in ("initial_probs", "transition_matrix", "item_probs")
    }
    twice = fit(np.tile(items, (2, 1)), np.tile(lengths, 2), init=start)
    one = once.standard_errors(items, lengths)
    other = twice.standard_errors(np.tile(items, (2, 1)), np.tile(lengths, 2))
    for name, values in one.items():
        known = ~np.isnan(values)
        assert known.any()
        np.testing.assert_allclose(values[known], np.sqrt(2) * other[name][known], rtol=1e-3)


# ---- an oracle: second differences of the log-likelihood


@pytest.mark.parametrize("robust", [False, True])
def test_movers_and_stayers_have_the_standard_errors_of_the_oracle(robust):
    random = np.random.default_rng(4)
    n, k = 400, 2
    start = random.integers(0, 2, n)
    stays = random.random(n) < np.array([0.5, 0.3])[start]
    states = np.empty((n, 5), dtype=int)
    states[:, 0] = start
    for t in range(1, 5):
        moved = oracle.draw(random, np.array([[0.5, 0.5], [0.6, 0.4]])[states[:, t - 1]])
        states[:, t] = np.where(stays, start, moved)
    probs = np.array([[[0.85, 0.15]] * 5, [[0.15, 0.85]] * 5])
    items = oracle.draw(random, probs[states.ravel()]).astype(np.int8)
    lengths = np.full(n, 5)
    model = fit(items, lengths, n_categories=2, stayers=True)

    def parameters(theta):
        p = 1 / (1 + np.exp(-theta))
        shares, leave, high = p[1:3], p[3:5], p[5:].reshape(k, 5)
        initial = np.array([1 - p[0], p[0]])
        matrix = np.eye(4)
        matrix[:2, :2] = [[1 - leave[0], leave[0]], [leave[1], 1 - leave[1]]]
        emission = np.stack([1 - high, high], axis=2)
        return {
            "initial_probs": np.concatenate([initial * (1 - shares), initial * shares]),
            "transition_matrix": matrix,
            "item_probs": np.concatenate([emission, emission]),
        }

    def people(theta):
        return general.with_covariates(parameters(theta), items, lengths, None, None)

    matrix = model.transition_matrix_
    values = np.concatenate([
        [model.initial_probs_[1]], model.stayer_shares_, [matrix[0, 1], matrix[1, 0]],
        model.item_probs_[:, :, 1].ravel(),
    ])  # fmt: skip
    at = np.log(values / (1 - values))
    assert people(at).sum() == pytest.approx(model.log_likelihood_, rel=1e-11)
    covariance = np.linalg.inv(-general.hessian(lambda theta: people(theta).sum(), at))
    if robust:
        scores = general.gradient(people, at).T
        covariance = covariance @ scores.T @ scores @ covariance
    expected = np.sqrt(np.diagonal(covariance)) * values * (1 - values)
    errors = model.standard_errors(items, lengths, robust=robust)
    np.testing.assert_allclose(errors["initial_probs"], expected[[0, 0]], rtol=1e-3)
    np.testing.assert_allclose(errors["stayer_shares"], expected[1:3], rtol=1e-3)
    np.testing.assert_allclose(
        errors["transition_matrix"][[0, 1], [1, 0]], expected[3:5], rtol=1e-3
    )
    np.testing.assert_allclose(errors["item_probs"][:, :, 1].ravel(), expected[5:], rtol=1e-3)


# ---- Newton's method


def opened(items, lengths, n_steps, n_states=2):
    """Sessions, and EM after this many steps."""
    model = fit(items, lengths, n_states, max_iter=n_steps, tol=0, n_starts=1)
    records = Records.checked(items, lengths, 3)
    sessions = records.sessions()
    start = em.Model(model._chain(None), model._emission())
    return sessions, em.run(sessions, start, max_iter=1, tol=0)


@pytest.mark.parametrize("n_steps", [2, 300])
def test_newton_finds_the_maximum_that_em_crawls_to(n_steps):
    """Also from where the log-likelihood is not concave yet."""
    items, lengths, _ = answers(6, n_people=300)
    sessions, begun = opened(items, lengths, n_steps)
    found = information.maximise(sessions, begun)
    assert found.converged
    crawled = em.run(sessions, begun.model, max_iter=20_000, tol=1e-16)
    assert found.log_likelihood >= crawled.log_likelihood - 1e-9
    assert found.log_likelihood == pytest.approx(crawled.log_likelihood, rel=1e-10)
    np.testing.assert_allclose(
        found.model.emission.item_probs, crawled.model.emission.item_probs, rtol=0, atol=1e-4
    )

    def value(theta):
        logits = np.log(found.model.emission.item_probs).reshape(-1)
        probs = np.exp(logits + theta).reshape(2, 3, 3)
        params = {
            "initial_probs": found.model.chain.initial[0],
            "transition_matrix": found.model.chain.transition[0],
            "item_probs": probs / probs.sum(axis=2, keepdims=True),
        }
        return general.with_covariates(params, items, lengths, None, None).sum()

    assert value(np.zeros(18)) == pytest.approx(found.log_likelihood, rel=1e-12)
    np.testing.assert_allclose(general.gradient(value, np.zeros(18)), 0, atol=1e-5)


def test_a_probability_whose_maximum_is_zero_is_held_there():
    """Nobody in the second state answers 0 to the first item."""
    random = np.random.default_rng(7)
    probs = np.array([[[0.7, 0.2, 0.1]] * 4, [[0.1, 0.2, 0.7]] * 4])
    probs[1, 0] = [0.0, 0.3, 0.7]
    probs[:, 1:] = [[[0.98, 0.01, 0.01]], [[0.01, 0.01, 0.98]]]
    model = {
        "initial_probs": np.array([0.5, 0.5]), "item_probs": probs,
        "transition_matrix": np.array([[0.8, 0.2], [0.3, 0.7]]),
    }  # fmt: skip
    lengths = random.integers(2, 5, 200)
    items, _ = oracle.simulate(model, lengths, 7)
    fitted = fit(items, lengths, tol=1e-10)
    errors = fitted.standard_errors(items, lengths)
    assert np.isnan(errors["item_probs"][1, 0, 0])
    assert np.isfinite(errors["item_probs"][1, 0, 1:]).all()
    assert np.isfinite(errors["transition_matrix"]).all()
    sessions, begun = opened(items, lengths, 30)
    found = information.maximise(sessions, begun)
    assert found.converged
    assert found.model.emission.item_probs.min() == pytest.approx(information.TINY)
    # any more of it would lower the log-likelihood
    more = found.model.emission.item_probs.copy()
    low = np.argwhere(more <= 2 * information.TINY)
    for cell in low:
        raised = more.copy()
        raised[tuple(cell)] = 1e-6
        raised /= raised.sum(axis=2, keepdims=True)
        there = em.Model(found.model.chain, found.model.emission.with_arrays(raised))
        assert em.e_step(sessions, there).log_likelihood < found.log_likelihood


def test_a_small_probability_that_is_not_zero_comes_back():
    """A cell pushed to nothing by the start is found again: zero is no trap."""
    items, lengths, _ = answers(8, n_people=200)
    sessions, begun = opened(items, lengths, 400)
    best = information.maximise(sessions, begun)
    probs = best.model.emission.item_probs.copy()
    probs[0, 0, 2] = 1e-9
    probs /= probs.sum(axis=2, keepdims=True)
    pushed = em.Model(best.model.chain, best.model.emission.with_arrays(probs))
    found = information.maximise(sessions, em.run(sessions, pushed, max_iter=1, tol=0))
    assert found.log_likelihood == pytest.approx(best.log_likelihood, rel=1e-11)
    np.testing.assert_allclose(
        found.model.emission.item_probs, best.model.emission.item_probs, rtol=0, atol=1e-6
    )


# ---- what is refused


def test_standard_errors_want_the_data_of_the_fit():
    items, lengths, _ = answers(9)
    model = fit(items, lengths, tol=1e-8)
    message = (
        r"The log-likelihood of these data is -?\d+\.\d+ but that of the fit was -?\d+\.\d+\. "
    )
    with pytest.raises(DataError, match=message):
        model.standard_errors(items, lengths, weights=np.linspace(1, 2, len(lengths)))
    with pytest.raises(DataError, match=message):
        model.standard_errors(np.maximum(items, 0), lengths)
    with pytest.raises(NotFittedError, match=r"has not been fitted"):
        LatentMarkov(2).standard_errors(items, lengths)


def test_no_standard_errors_before_a_maximum():
    items, lengths, _ = answers(10)
    model = fit(items, lengths, max_iter=1, tol=0, n_starts=1)
    message = (
        r"The information matrix of this fit is not positive definite: EM stopped short of a m"
    )
    with pytest.raises(DataError, match=message):
        model.standard_errors(items, lengths)


@pytest.mark.parametrize(
    "model",
    [
        SeverityLadder(2, n_categories=3, n_starts=1, random_state=0),
        LatentMarkov(2, n_categories=3, n_starts=1, random_state=0, items="ordinal"),
        LatentMarkov(2, n_categories=3, n_starts=1, random_state=0, dependent_pairs=((0, 1),)),
    ],
)
def test_no_standard_errors_of_items_that_are_not_free(model):
    items, lengths, _ = answers(11)
    message = r"Standard errors are known for items with free probabilities and no dependent pairs"
    with pytest.raises(ParameterError, match=message):
        model.fit(items, lengths).standard_errors(items, lengths)
