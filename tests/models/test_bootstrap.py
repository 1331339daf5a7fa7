"""The bootstrap against binomial standard errors, a second implementation, and its bookkeeping."""

import numpy as np
import pytest
from scipy import stats

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.models import LatentMarkov, SeverityLadder
from iesoresearch.models.bootstrap import FRESH, Bootstrap, bootstrap, drawn_like, parametric
from iesoresearch.models.selection import match_states
from iesoresearch.seeds import rng

from . import oracle


def planted_kinds():
    """Between well and unwell two states of equal severity, each with one half of the items."""
    few, many = [0.8, 0.15, 0.04, 0.01], [0.01, 0.09, 0.3, 0.6]
    return {
        "initial_probs": np.full(4, 1 / 4),
        "transition_matrix": 0.1 + 0.6 * np.eye(4),
        "item_probs": np.array(
            [[few] * 6, [many] * 3 + [few] * 3, [few] * 3 + [many] * 3, [many] * 6]
        ),
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


@pytest.fixture(scope="module")
def kinds():
    """150 people with 1 to 4 sessions and missing answers, and a model of four states."""
    lengths = np.random.default_rng(0).integers(1, 5, 150)
    items, _ = oracle.simulate(planted_kinds(), lengths, seed=4, missing=0.1)
    firsts = np.cumsum(lengths) - lengths
    items[firsts, 0] = np.maximum(items[firsts, 0], 0)
    model = LatentMarkov(4, n_categories=4, n_starts=3, random_state=0).fit(items, lengths)
    return model, items, lengths


def shares(refit, order, sample):
    return {"share": refit.initial_probs_[order], "items": refit.item_probs_[order]}


def samples(refit, order, sample):
    return {"drawn": sample.weights, "order": order}


# ---- people drawn with replacement


def test_spread_is_the_standard_error_of_a_share(separated):
    draws = bootstrap(*separated, n_bootstrap=200, seed=0, statistics=shares, n_starts=1).statistics
    assert draws["share"].shape == (200, 2)
    assert draws["items"].shape == (200, 2, 6, 2)
    # The number of people in a state is binomial (100, 0.3). Its standard deviation as estimated
    # from n replicates has a relative standard error of 1 / sqrt(2 (n - 1)) = 5 %, the mean
    # one of sd / sqrt(n); four of each.
    share = draws["share"][:, 1]
    sd = np.sqrt(0.3 * 0.7 / 100)
    assert share.std(ddof=1) == pytest.approx(sd, rel=4 / np.sqrt(2 * 199))
    assert share.mean() == pytest.approx(0.3, abs=4 * sd / np.sqrt(200))


def test_a_replicate_is_a_fit_to_copies_of_the_people_drawn(kinds):
    model, items, lengths = kinds
    found = bootstrap(*kinds, n_bootstrap=1, seed=8, statistics=shares, n_starts=1).statistics
    drawn = rng(8, "bootstrap", 0).integers(0, 150, 150)
    ends = np.cumsum(lengths)
    copies = np.concatenate([items[ends[p] - lengths[p] : ends[p]] for p in drawn])
    init = {
        "initial_probs": model.initial_probs_,
        "transition_matrix": model.transition_matrix_,
        "item_probs": model.item_probs_,
    }
    refit = LatentMarkov(4, n_categories=4, init=init).fit(copies, lengths[drawn])
    order = match_states(model.item_probs_, refit.item_probs_)
    np.testing.assert_allclose(found["share"][0], refit.initial_probs_[order], atol=1e-6)
    np.testing.assert_allclose(found["items"][0], refit.item_probs_[order], atol=1e-6)


def test_it_follows_its_seed_and_not_its_number(separated):
    few, many, other = (
        bootstrap(*separated, n_bootstrap=n, seed=seed, statistics=shares, n_starts=1)
        for n, seed in ((3, 5), (6, 5), (6, 6))
    )
    np.testing.assert_array_equal(few.statistics["share"], many.statistics["share"][:3])
    np.testing.assert_array_equal(few.fresh, many.fresh)
    assert (many.statistics["share"] != other.statistics["share"]).any()


def test_people_are_drawn_with_replacement(kinds):
    draws = bootstrap(*kinds, n_bootstrap=40, seed=0, statistics=samples, n_starts=1).statistics
    drawn, lengths = draws["drawn"], kinds[2]
    assert (drawn.sum(axis=1) == 150).all()
    # Sessions of 150 people drawn with replacement: their sum has this mean and standard
    # deviation, and 40 of them lie within 5 with probability 1 - 2e-5.
    z = (drawn @ lengths - lengths.sum()) / (lengths.std() * np.sqrt(150))
    assert np.abs(z).max() < 5
    assert stats.kstest(z, "norm").pvalue > 1e-4
    np.testing.assert_array_equal(np.sort(draws["order"], axis=1), np.tile(np.arange(4), (40, 1)))


# ---- agreement of assignments


def test_states_that_no_answer_confuses_are_always_found_again(separated):
    found = bootstrap(*separated, n_bootstrap=11, seed=0, statistics=shares, n_starts=2)
    np.testing.assert_array_equal(found.ari, 1.0)
    np.testing.assert_array_equal(found.mean_jaccard, 1.0)
    np.testing.assert_array_equal(found.dissolved, 0.0)
    assert found.converged.all()


def test_agreement_is_near_one_for_planted_states_and_falls_for_states_too_many(kinds):
    _, items, lengths = kinds
    right = bootstrap(*kinds, n_bootstrap=10, seed=0, statistics=shares, n_starts=1)
    many = LatentMarkov(8, n_categories=4, n_starts=3, random_state=0).fit(items, lengths)
    wrong = bootstrap(many, items, lengths, n_bootstrap=10, seed=0, statistics=shares, n_starts=1)
    assert right.ari.mean() > 0.9
    assert right.mean_jaccard.min() > 0.85  # "highly stable"
    assert wrong.ari.mean() < right.ari.mean() - 0.1
    assert wrong.mean_jaccard.min() < 0.75


def test_means_of_jaccard_leave_out_replicates_without_the_state():
    jaccard = np.array([[1.0, np.nan], [0.5, np.nan], [0.3, np.nan]])
    found = Bootstrap({}, np.ones(3), jaccard, np.zeros(0, FRESH), np.ones(3, bool))
    assert found.mean_jaccard[0] == pytest.approx(0.6)
    assert np.isnan(found.mean_jaccard[1])
    np.testing.assert_allclose(found.dissolved, [2 / 3, 0])


# ---- random starts


def test_every_tenth_replicate_has_random_starts(separated):
    found = bootstrap(*separated, n_bootstrap=21, seed=0, statistics=shares, n_starts=2)
    assert found.fresh["replicate"].tolist() == [0, 10, 20]
    assert not found.fresh["better"].any()  # there is but one solution
    np.testing.assert_allclose(found.fresh["gain"], 0, atol=0.01)
    np.testing.assert_array_equal(found.fresh["ari"], 1.0)


def test_random_starts_that_beat_a_poor_solution_are_reported(kinds):
    _, items, lengths = kinds
    # EM cannot leave two states with the same profile and the same moves
    planted = planted_kinds()
    stuck = planted | {"item_probs": planted["item_probs"][[0, 3, 3, 3]]}
    poor = LatentMarkov(4, n_categories=4, init=stuck).fit(items, lengths)
    found = bootstrap(poor, items, lengths, n_bootstrap=1, seed=0, statistics=shares, n_starts=5)
    assert found.fresh["better"].all()
    assert found.fresh["gain"][0] > 20
    assert found.fresh["ari"][0] < 0.95


# ---- weights of a survey


def test_multipliers_are_the_weights_of_the_refits(kinds):
    given = rng(3, "test").integers(0, 3, (4, 150))
    found = bootstrap(
        *kinds, n_bootstrap=4, seed=0, statistics=samples, multipliers=given.__getitem__, n_starts=1
    )
    np.testing.assert_array_equal(found.statistics["drawn"], given)


def test_multipliers_need_not_be_whole_numbers(kinds):
    whole, halves = (
        bootstrap(
            *kinds, n_bootstrap=1, seed=0, statistics=shares, n_starts=1,
            multipliers=lambda b, unit=unit: unit * (1.0 + np.arange(150) % 3),
        )
        for unit in (1.0, 0.5)
    )  # fmt: skip
    np.testing.assert_allclose(
        whole.statistics["share"], halves.statistics["share"], rtol=0, atol=1e-6
    )


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.ones(149), "weights has shape"),
        (-np.ones(150), "weights are negative or not finite"),
    ],
)
def test_weights_that_cannot_be_used(kinds, weights, message):
    with pytest.raises(DataError, match=message):
        bootstrap(*kinds, n_bootstrap=1, seed=0, statistics=shares, multipliers=lambda b: weights)


# ---- answers drawn from the model


def test_drawn_answers_keep_sessions_and_missing_answers(kinds):
    model, items, lengths = kinds
    drawn = drawn_like(model, items, lengths, 3)
    np.testing.assert_array_equal(drawn < 0, items < 0)
    assert (drawn != items).any()


def test_parametric_spread_is_the_standard_error_of_a_share(separated):
    draws = parametric(*separated, n_bootstrap=200, seed=0, statistics=shares, n_starts=1)
    share = draws.statistics["share"][:, 1]
    sd = np.sqrt(0.3 * 0.7 / 100)
    assert share.std(ddof=1) == pytest.approx(sd, rel=4 / np.sqrt(2 * 199))
    assert share.mean() == pytest.approx(0.3, abs=4 * sd / np.sqrt(200))
    assert draws.fresh["replicate"].tolist() == list(range(0, 200, 10))


# ---- options of the model


COVARIATE = np.random.default_rng(1).normal(size=(400, 1))
KINDS_OF_MODEL = [
    ({"transitions": "by_occasion"}, {}, ["transition_matrix_"]),
    ({"stayers": True}, {}, ["stayer_shares_"]),
    ({"dependent_pairs": [(0, 1)]}, {}, ["pair_associations_"]),
    ({"items": "ordinal"}, {}, ["item_probs_"]),
    ({}, {"dropped_out": np.arange(150) % 3 - 1}, ["dropout_probs_"]),
    (
        {},
        {"initial_covariates": COVARIATE[:150], "transition_covariates": COVARIATE},
        ["initial_coefs_", "transition_coefs_"],
    ),
]


@pytest.mark.parametrize(("options", "known", "names"), KINDS_OF_MODEL)
def test_every_kind_of_model_is_refitted_with_its_own_parameters(kinds, options, known, names):
    _, items, lengths = kinds
    known = {
        name: values[: len(items)] if name == "transition_covariates" else values
        for name, values in known.items()
    }
    model = LatentMarkov(
        2, n_categories=4, n_starts=2, random_state=0, tol=1e-7, **options
    ).fit(items, lengths, **known)  # fmt: skip

    def of_model(refit, order, sample):
        return {name: getattr(refit, name) for name in names} | {"n": refit.n_iter_}

    usual = {"seed": 0, "statistics": of_model, "n_starts": 1}
    # everybody once: the refit starts where it has to end
    found = bootstrap(
        model, items, lengths, n_bootstrap=1, multipliers=lambda b: np.ones(150), **usual, **known
    ).statistics
    assert found["n"][0] <= 3
    for name in names:
        np.testing.assert_allclose(found[name][0], getattr(model, name), rtol=0, atol=0.01)
    if "dropped_out" in known:
        with pytest.raises(ParameterError, match="draws answers and no drop-out"):
            parametric(model, items, lengths, n_bootstrap=1, **usual)
    else:
        found = parametric(model, items, lengths, n_bootstrap=2, **usual, **known).statistics
        assert all(found[name].shape == (2, *getattr(model, name).shape) for name in names)


# ---- what it refuses


def test_a_ladder_is_not_bootstrapped():
    for scheme in (bootstrap, parametric):
        with pytest.raises(ParameterError, match="bootstrap takes a LatentMarkov"):
            scheme(SeverityLadder(2), None, n_bootstrap=20, seed=0, statistics=None)


def test_no_replicates_are_refused(separated):
    for scheme in (bootstrap, parametric):
        with pytest.raises(ParameterError, match="n_bootstrap=0 must be"):
            scheme(*separated, n_bootstrap=0, seed=0, statistics=shares)
