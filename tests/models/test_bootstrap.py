"""The bootstrap against binomial standard errors, and its bookkeeping."""

import numpy as np
import pytest
from scipy import stats

from iesoresearch.errors import ParameterError
from iesoresearch.models import LatentMarkov, SeverityLadder
from iesoresearch.models.bootstrap import bootstrap

from . import oracle


def planted_kinds():
    """Between well and unwell two states of equal severity, each with one half of the items."""
    few, many = [0.7, 0.2, 0.07, 0.03], [0.07, 0.13, 0.3, 0.5]
    return states_with(
        np.array([[few] * 6, [many] * 3 + [few] * 3, [few] * 3 + [many] * 3, [many] * 6])
    )


def states_with(item_probs):
    return {
        "initial_probs": np.full(4, 1 / 4),
        "transition_matrix": 0.1 + 0.6 * np.eye(4),
        "item_probs": item_probs,
    }


@pytest.fixture(scope="module")
def separated():
    """Two states that no answer confuses: 30 of 100 people always say 1, the others 0."""
    items = np.repeat(np.array([[1], [0]], dtype=np.int8), [30, 70], axis=0).repeat(6, axis=1)
    init = {
        "initial_probs": [0.5, 0.5],
        "item_probs": np.array([[[0.9, 0.1]] * 6, [[0.1, 0.9]] * 6]),
    }
    model = LatentMarkov(2, n_categories=2, init=init).fit(items)
    assert model.initial_probs_ == pytest.approx([0.7, 0.3], abs=1e-9)
    return model, items, np.ones(100, dtype=int)


def shares(refit, order, people):
    return {"share": refit.initial_probs_[order], "items": refit.item_probs_[order]}


def test_bootstrap_spread_is_the_standard_error_of_a_share(separated):
    draws = bootstrap(*separated, n_bootstrap=400, seed=0, statistics=shares)
    assert draws["share"].shape == (400, 2)
    assert draws["items"].shape == (400, 2, 6, 2)
    # The number of people in a state is binomial (100, 0.3). Its standard deviation as estimated
    # from n replicates has a relative standard error of 1 / sqrt(2 (n - 1)) = 3.5 %, the mean
    # one of sd / sqrt(n); four of each.
    share = draws["share"][:, 1]
    sd = np.sqrt(0.3 * 0.7 / 100)
    assert share.std(ddof=1) == pytest.approx(sd, rel=4 / np.sqrt(2 * 399))
    assert share.mean() == pytest.approx(0.3, abs=4 * sd / np.sqrt(400))


def test_bootstrap_follows_its_seed_and_not_its_number(separated):
    few, many, other = (
        bootstrap(*separated, n_bootstrap=n, seed=seed, statistics=shares)["share"]
        for n, seed in ((3, 5), (6, 5), (6, 6))
    )
    np.testing.assert_array_equal(few, many[:3])
    assert (many != other).any()


def test_bootstrap_draws_people_with_all_their_sessions():
    lengths = np.random.default_rng(0).integers(1, 5, 150)
    items, _ = oracle.simulate(planted_kinds(), lengths, seed=4)
    model = LatentMarkov(4, n_categories=4, n_starts=3, random_state=0).fit(items, lengths)

    def sizes(refit, order, people):
        return {"people": refit.n_people_, "sessions": refit.n_observations_, "order": order}

    draws = bootstrap(model, items, lengths, n_bootstrap=40, seed=0, statistics=sizes)
    assert (draws["people"] == 150).all()
    # Sessions of 150 people drawn with replacement: their sum has this mean and standard
    # deviation, and 40 of them lie within 5 with probability 1 - 2e-5.
    z = (draws["sessions"] - lengths.sum()) / (lengths.std() * np.sqrt(150))
    assert np.abs(z).max() < 5
    assert stats.kstest(z, "norm").pvalue > 1e-4
    np.testing.assert_array_equal(np.sort(draws["order"], axis=1), np.tile(np.arange(4), (40, 1)))


def test_a_ladder_is_not_bootstrapped():
    with pytest.raises(ParameterError, match="bootstrap takes a LatentMarkov"):
        bootstrap(SeverityLadder(2), None, n_bootstrap=20, seed=0, statistics=None)
