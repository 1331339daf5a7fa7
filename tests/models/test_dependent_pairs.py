"""Items that depend on one another within a state, and ordinal items, against slow formulas."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.models import LatentMarkov, SeverityLadder
from iesoresearch.models.ladder import LadderItems
from iesoresearch.models.latent_markov.blocks import Blocks
from iesoresearch.models.latent_markov.emissions import OrdinalItems, PairedItems, thresholds_of
from iesoresearch.models.latent_markov.packing import pack

examples = settings(max_examples=12, deadline=None, derandomize=True)
seeds = st.integers(0, 2**32 - 1)
LEVELS = np.array([3, 2, 3, 3, 3])
PAIRS = ((0, 1), (1, 3), (4, 2))  # blocks 0-1-3 and 2-4; with [0] item alone in `LONER`
SCORES = np.arange(3)


def weights_of(random, n_states, levels=LEVELS):
    weights = random.dirichlet([2.0] * levels.max(), (n_states, len(levels)))
    weights[:, np.arange(levels.max()) >= levels[:, None]] = 0.0
    return weights / weights.sum(axis=2, keepdims=True)


CELLS = np.array(list(product(*(range(n) for n in LEVELS))))
CENTRED = CELLS - (LEVELS - 1) / 2
PRODUCTS = np.stack([CENTRED[:, one] * CENTRED[:, other] for one, other in PAIRS], axis=1)


def full_table(weights, associations):
    """Joint probability of all items in every state, cell by cell as in the formula."""
    table = np.exp(PRODUCTS @ associations) * np.ones((len(weights), 1))
    for j in range(len(LEVELS)):
        table = table * weights[:, j, CELLS[:, j]]
    return table / table.sum(axis=1, keepdims=True)


def probability(table, row):
    """Of the answers of one session in every state, summed over what is missing."""
    fits = np.all((row < 0) | (row == CELLS), axis=1)
    return table[:, fits].sum(axis=1)


def survey(seed, n=60, missing=0.25):
    """Rows of answers, some missing, everybody with an answer to the first item."""
    random = np.random.default_rng(seed)
    items = (random.random((n, len(LEVELS))) * LEVELS).astype(np.int8)
    items[random.random(items.shape) < missing] = -1
    items[:, 0] = np.maximum(items[:, 0], 0)
    return items


# ---- probabilities


def test_blocks_are_what_pairs_connect():
    blocks = Blocks(np.full(7, 2), ((5, 1), (2, 3), (1, 0)))
    assert blocks.together == ((0, 1, 5), (2, 3))
    assert blocks.all == ((0, 1, 5), (2, 3), (4,), (6,))


@examples
@given(seeds)
def test_tables_are_sums_over_what_is_missing(seed):
    random = np.random.default_rng(seed)
    weights, associations = weights_of(random, 3), random.normal(0, 0.7, 3)
    table = full_table(weights, associations)
    items = survey(seed)
    blocks = Blocks(LEVELS, PAIRS)
    packed = pack(items, 3, blocks.together)
    by_code = PairedItems(weights, associations, blocks).tables(packed)
    for row, codes in zip(items, packed.codes, strict=True):
        found = np.prod(by_code[packed.offsets + codes], axis=0)
        np.testing.assert_allclose(found, probability(table, row), rtol=1e-12)


@examples
@given(seeds)
def test_marginals_and_two_way_tables_are_sums_of_the_joint(seed):
    random = np.random.default_rng(seed)
    weights, associations = weights_of(random, 2), random.normal(0, 0.7, 3)
    table = full_table(weights, associations)
    items = PairedItems(weights, associations, Blocks(LEVELS, PAIRS))
    for one, other in product(range(5), repeat=2):
        if one == other:
            continue
        found = items.two_way(one, other)
        for c, d in product(range(LEVELS[one]), range(LEVELS[other])):
            here = (CELLS[:, one] == c) & (CELLS[:, other] == d)
            np.testing.assert_allclose(found[:, c, d], table[:, here].sum(axis=1), rtol=1e-12)
        np.testing.assert_allclose(found.sum(axis=2), items.item_probs[:, one], atol=1e-14)


@examples
@given(seeds)
def test_margins_and_associations_are_all_there_is_to_know(seed):
    random = np.random.default_rng(seed)
    items = PairedItems(weights_of(random, 3), random.normal(0, 1, 3), Blocks(LEVELS, PAIRS))
    again = PairedItems.of(items.item_probs, items.associations, items.blocks)
    np.testing.assert_allclose(again.weights, items.weights, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(again.item_probs, items.item_probs, rtol=0, atol=1e-13)


# ---- the M-step, against a general optimiser


def positive(x, shape):
    logits = x.reshape(shape)
    weights = np.exp(logits - logits.max(axis=2, keepdims=True))
    weights[:, np.arange(3) >= LEVELS[:, None]] = 0.0
    return weights


def unpack_free(x):
    return positive(x[:30], (2, 5, 3)), x[30:]


def unpack_ordinal(x):
    logits = x[:10].reshape(5, 2).T[:, :, None] * SCORES + x[10:25].reshape(5, 3)
    return positive(logits.ravel(), (2, 5, 3)), x[25:]


def unpack_ladder(x):
    logits = np.multiply.outer(x[:2], np.abs(x[2:7]))[:, :, None] * SCORES + x[7:22].reshape(5, 3)
    return positive(logits.ravel(), (2, 5, 3)), x[22:]


def start_of(kind, blocks, items, random):
    if kind == "free":
        return PairedItems(weights_of(random, 2), np.zeros(3), blocks)
    if kind == "ordinal":
        return OrdinalItems.start(items, blocks, 2, random)
    return LadderItems.start(items, blocks, np.array([-1.0, 1.0]))


@pytest.mark.parametrize("kind", ["free", "ordinal", "ladder"])
def test_steps_lead_to_the_maximum_that_a_general_optimiser_finds(kind):
    unpack = {"free": unpack_free, "ordinal": unpack_ordinal, "ladder": unpack_ladder}[kind]
    random = np.random.default_rng(5)
    blocks = Blocks(LEVELS, PAIRS)
    items = survey(5, n=400, missing=0.0)
    packed = pack(items, 3, blocks.together)
    # expected counts of complete sessions: more in the first state where answers are low
    share = 1 / (1 + np.exp(items.sum(axis=1) - 4 + random.normal(size=len(items))))
    by_row = np.stack([share, 1 - share], axis=1)
    counts = np.zeros((packed.offsets[-1] + len(packed.digits[-1]), 2))
    for g, offset in enumerate(packed.offsets):
        np.add.at(counts, offset + packed.codes[:, g].astype(int), by_row)

    def loss(x):
        table = full_table(*unpack(x))
        place = np.ravel_multi_index(items.T, LEVELS)
        return -(by_row * np.log(table[:, place].T)).sum()

    size = {"free": 33, "ordinal": 28, "ladder": 25}[kind]
    x = random.normal(0, 0.3, size)
    best = optimize.minimize(loss, x, method="BFGS", options={"gtol": 1e-3, "maxiter": 400})
    found = start_of(kind, blocks, items, random)
    for _ in range(150):
        found = found.step(packed, counts)
    table = full_table(found.weights, found.associations)
    value = (by_row * np.log(table[:, np.ravel_multi_index(items.T, LEVELS)].T)).sum()
    assert value == pytest.approx(-best.fun, rel=1e-7)


# ---- fits


MODELS = {
    "free": (LatentMarkov, {}),
    "ordinal": (LatentMarkov, {"items": "ordinal"}),
    "ladder": (SeverityLadder, {}),
}
every_kind = pytest.mark.parametrize("kind", MODELS)


def fit(kind, items, lengths=None, n_states=2, pairs=PAIRS, **parameters):
    made, more = MODELS[kind]
    usual = {"n_categories": LEVELS, "n_starts": 1, "max_iter": 12, "tol": 0, "random_state": 0}
    model = made(n_states, dependent_pairs=pairs, **usual | more | parameters)
    return model.fit(items, lengths)


@every_kind
@settings(max_examples=6, deadline=None, derandomize=True)
@given(seed=seeds, n_states=st.integers(1, 3), pairs=st.sampled_from([(), PAIRS]))
def test_log_likelihood_never_falls(kind, seed, n_states, pairs):
    items, lengths = survey(seed, 80), [4] * 20
    path = [
        fit(kind, items, lengths, n_states, pairs, random_state=seed, max_iter=n).log_likelihood_
        for n in range(1, 12)
    ]
    assert (np.diff(path) >= -1e-12 * np.abs(path[1:])).all()  # rounding of sums


@every_kind
@pytest.mark.parametrize("pairs", [(), PAIRS])
def test_a_fitted_model_scores_what_it_was_fitted_to(kind, pairs):
    items = survey(3)
    model = fit(kind, items, [3] * 20, pairs=pairs)
    assert model.score(items, [3] * 20) == pytest.approx(model.log_likelihood_, rel=1e-12)
    assert model.item_probs_.sum(axis=2) == pytest.approx(1.0)


@every_kind
def test_log_likelihood_is_that_of_the_formula(kind):
    items = survey(4)
    model = fit(kind, items)
    table = full_table(model._model.emission.weights, model.pair_associations_)
    by_person = [np.log(probability(table, row) @ model.initial_probs_) for row in items]
    np.testing.assert_allclose(model.score_samples(items), by_person, rtol=1e-10)


@examples
@given(seed=seeds, n_states=st.integers(1, 3), pairs=st.sampled_from([(), PAIRS]))
def test_ladder_is_nested_in_ordinal_and_ordinal_in_free(seed, n_states, pairs):
    items, lengths = survey(seed, 80), [4] * 20
    lower = fit("ladder", items, lengths, n_states, pairs, random_state=seed)
    for kind in ("ordinal", "free"):
        names = ["initial_probs", "transition_matrix", "item_probs"]
        names += ["pair_associations"] if pairs else []
        init = {name: getattr(lower, f"{name}_") for name in names}
        # the first E-step is taken at the lower model itself: it is one of the higher kind
        same = fit(kind, items, lengths, n_states, pairs, init=init, max_iter=1)
        assert same.log_likelihood_ == pytest.approx(lower.log_likelihood_, rel=1e-9)
        higher = fit(kind, items, lengths, n_states, pairs, init=init)
        assert higher.log_likelihood_ >= lower.log_likelihood_ * (1 + 1e-9)
        lower = higher


@pytest.mark.parametrize(
    ("kind", "n_states", "expected"),
    # first shares + positions, slopes or probabilities + thresholds + pairs; 9 steps of 5 items
    [
        ("free", 1, 0 + 9 + 3), ("free", 3, 2 + 27 + 3),
        ("ordinal", 1, 0 + 0 + 9 + 3), ("ordinal", 3, 2 + 2 * 5 + 9 + 3),
        ("ladder", 1, 0 + 0 + 9 + 3), ("ladder", 3, 2 + (3 + 5 - 2) + 9 + 3),
    ],
)  # fmt: skip
def test_number_of_parameters_by_hand(kind, n_states, expected):
    assert fit(kind, survey(6), None, n_states).n_parameters_ == expected
    assert fit(kind, survey(6), None, n_states, ()).n_parameters_ == expected - 3


@pytest.mark.parametrize(
    ("unpack", "size", "kind"),
    [(unpack_free, 33, "free"), (unpack_ordinal, 28, "ordinal"), (unpack_ladder, 25, "ladder")],
)
def test_number_of_parameters_is_the_rank_of_what_they_move(unpack, size, kind):
    at = np.random.default_rng(8).normal(0, 0.7, size)
    steps = 1e-5 * np.eye(size)

    def table(x):
        return full_table(*unpack(x)).ravel()

    jacobian = [(table(at + h) - table(at - h)) / 2e-5 for h in steps]
    rank = np.linalg.matrix_rank(np.array(jacobian), tol=1e-7)
    assert rank == fit(kind, survey(6)).n_parameters_ - 1  # less the share of the first state


# ---- planted pairs


@pytest.fixture(scope="module")
def planted():
    """Answers of 2,000 people drawn from a model, and that model."""
    random = np.random.default_rng(11)
    init = {
        "initial_probs": np.array([0.6, 0.4]),
        "item_probs": weights_of(random, 2),
        "pair_associations": np.array([0.8, -0.6, 1.0]),
    }
    truth = LatentMarkov(
        2, n_categories=LEVELS, init=init, max_iter=1, tol=0, dependent_pairs=PAIRS
    ).fit(survey(0))
    return truth, truth.sample([1] * 2000, random_state=5)[0]


def test_drawn_answers_have_the_two_way_tables_of_the_model(planted):
    truth, _ = planted
    items, states = truth.sample([1] * 20_000, random_state=1)
    emission = truth._model.emission
    for one, other in (*PAIRS, (0, 3), (0, 4)):
        for k in range(2):
            here = items[states == k]
            observed = np.zeros((3, 3))
            np.add.at(observed, (here[:, one], here[:, other]), 1)
            expected = len(here) * emission.two_way(one, other)[k]
            seen = expected > 0
            assert (observed[~seen] == 0).all()
            chi = ((observed - expected)[seen] ** 2 / expected[seen]).sum()
            assert chi < stats.chi2(seen.sum() - 1).ppf(1 - 1e-4)


def test_the_planted_model_lies_in_the_confidence_region_of_the_fit(planted):
    truth, items = planted
    items = items.copy()
    missing = np.random.default_rng(1).random(items.shape) < 0.1
    items[missing & (np.arange(5) > 0)] = -1
    model = fit("free", items, n_starts=3, max_iter=2000, tol=1e-9)
    gain = 2 * (model.log_likelihood_ - truth.score(items))
    low, high = stats.chi2(model.n_parameters_).ppf([1e-4, 1 - 1e-4])  # Wilks (1938)
    assert low < gain < high
    np.testing.assert_allclose(model.pair_associations_, truth.pair_associations_, atol=0.35)


def test_pairs_in_another_order_are_the_same_pairs():
    items = survey(9)
    until = {"n_states": 1, "tol": 1e-12, "max_iter": 5000}
    one = fit("free", items, pairs=PAIRS, **until)
    other = fit("free", items, pairs=((2, 4), (3, 1), (1, 0)), **until)
    np.testing.assert_allclose(
        one.pair_associations_, other.pair_associations_[::-1], rtol=0, atol=1e-3
    )
    assert one.log_likelihood_ == pytest.approx(other.log_likelihood_, rel=1e-9)


def test_ordinal_items_of_two_levels_are_free():
    items = np.minimum(survey(12), 1)
    models = [
        fit(kind, items, n_categories=2, pairs=(), n_starts=5, max_iter=3000, tol=1e-10)
        for kind in ("ordinal", "free")
    ]
    assert models[0].n_parameters_ == models[1].n_parameters_
    assert models[0].log_likelihood_ == pytest.approx(models[1].log_likelihood_, abs=0.05)


def test_pairs_go_with_drop_out_and_stayers():
    items, lengths = survey(13, 120), [4] * 30
    model = LatentMarkov(
        2, n_categories=LEVELS, dependent_pairs=PAIRS, stayers=True, n_starts=1, random_state=0,
        max_iter=30, tol=0,
    )  # fmt: skip
    left = np.arange(30) % 3 - 1
    model.fit(items, lengths, dropped_out=left)
    score = model.score(items, lengths, dropped_out=left)
    assert score == pytest.approx(model.log_likelihood_, rel=1e-12)
    assert model.sample(lengths, random_state=0)[0].shape == items.shape


def test_thresholds_give_the_shares_of_answers_at_position_zero():
    items = np.array([[0], [0], [1], [-1]], dtype=np.int8)
    found = thresholds_of(items, np.array([2]))
    np.testing.assert_allclose(np.exp(found), [[1, 1.5 / 2.5]])  # half an answer each is added


# ---- what cannot be asked for


@pytest.mark.parametrize(
    "pairs", [((0, 0),), ((0, 5),), ((0, 1), (1, 0)), ((0, 1, 2),), 3, (("a", "b"),), ((0.5, 1),)]
)
def test_pairs_must_be_pairs_of_columns(pairs):
    with pytest.raises(ParameterError, match="must name pairs of different columns from 0 to 4"):
        fit("free", survey(1), pairs=pairs)


def test_a_block_that_fits_no_code_is_refused():
    items = np.tile(np.arange(4, dtype=np.int8)[:, None], (10, 4))
    chained = LatentMarkov(1, n_categories=4, dependent_pairs=((0, 1), (1, 2), (2, 3)))
    with pytest.raises(ParameterError, match=r"4 items that depend on one another .* Name fewer"):
        chained.fit(items)


def test_items_are_free_or_ordinal():
    with pytest.raises(ParameterError, match="items='monotone' must be 'free' or 'ordinal'"):
        LatentMarkov(2, items="monotone").fit(survey(1))


def test_start_values_of_pairs_are_one_number_each():
    init = {"initial_probs": [0.5, 0.5], "item_probs": weights_of(np.random.default_rng(0), 2)}
    with pytest.raises(ParameterError, match="one finite number for each of the 3 dependent"):
        fit("free", survey(1), init=init | {"pair_associations": [0.1, 0.2]})


def test_more_parameters_than_cells_are_refused():
    with pytest.raises(DataError, match="the model is not identified"):
        fit("free", survey(1, 400)[:, :2], n_states=2, pairs=((0, 1),), n_categories=[3, 2])
