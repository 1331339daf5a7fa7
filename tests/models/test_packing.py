"""Packing loses nothing, and its tables and counts are those of the items one by one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from iesoresearch.models.latent_markov.packing import pack

from . import oracle

examples = settings(max_examples=40, deadline=None, derandomize=True)


@st.composite
def packs(draw):
    """Answers with their number of levels, up to the 128 that int8 can hold."""
    n_levels = draw(st.sampled_from([2, 3, 4, 5, 7, 15, 16, 127, 128]))
    shape = draw(st.tuples(st.integers(1, 12), st.integers(1, 10)))
    items = draw(arrays.arrays(np.int8, shape, elements=st.integers(-1, n_levels - 1)))
    return items, n_levels, pack(items, n_levels)


def decoded(packed):
    """Answers of every row again, read off the digits of its codes."""
    columns = []
    for g, digits in enumerate(packed.digits):
        columns.append(digits[packed.codes[:, g]])
    answers = np.concatenate(columns, axis=1)
    return np.where(answers == packed.n_levels, -1, answers)


@examples
@given(packs())
def test_codes_can_be_unpacked(case):
    items, n_levels, packed = case
    np.testing.assert_array_equal(decoded(packed), items)
    assert packed.codes.dtype == np.uint8
    assert (packed.n_items, packed.n_levels) == (items.shape[1], n_levels)
    assert [j for group in packed.items for j in group] == list(range(items.shape[1]))


@examples
@given(packs(), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_product_over_groups_is_the_product_over_items(case, n_states, seed):
    items, n_levels, packed = case
    lanes = 8 * -(-n_states // 8)
    random = np.random.default_rng(seed)
    model = {
        "initial_probs": np.ones(n_states),
        "item_probs": random.dirichlet([1.0] * n_levels, (n_states, items.shape[1])),
    }
    tables = packed.tables(model["item_probs"], lanes)
    assert tables.shape == (sum(map(len, packed.digits)), lanes)
    assert tables.flags.c_contiguous
    assert not tables[:, n_states:].any()
    for row, codes in zip(items, packed.codes, strict=True):
        product = tables[packed.offsets + codes].prod(axis=0)[:n_states]
        # at most ten factors, each rounded once
        np.testing.assert_allclose(product, oracle.emission(model, row), rtol=1e-14)


@examples
@given(packs(), st.integers(0, 2**32 - 1))
def test_counts_per_code_become_counts_per_answer(case, seed):
    items, n_levels, packed = case
    weights = np.random.default_rng(seed).random((len(items), 3))
    by_code = np.zeros((sum(map(len, packed.digits)), 3))
    for weight, codes in zip(weights, packed.codes, strict=True):
        by_code[packed.offsets + codes] += weight
    counts = packed.item_counts(by_code)
    expected = np.zeros((3, items.shape[1], n_levels))
    for weight, row in zip(weights, items, strict=True):
        for item, answer in enumerate(row):
            if answer >= 0:  # missing answers are counted nowhere
                expected[:, item, answer] += weight
    np.testing.assert_allclose(counts, expected, rtol=1e-13, atol=1e-14)


def test_nine_four_level_items_need_three_look_ups():
    packed = pack(np.zeros((2, 9), np.int8), 4)
    assert [list(group) for group in packed.items] == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    assert packed.offsets.tolist() == [0, 125, 250]
    assert sum(map(len, packed.digits)) == 375


@pytest.mark.parametrize(
    ("n_levels", "per_group"), [(2, 5), (3, 4), (4, 3), (5, 3), (6, 2), (15, 2), (16, 1), (128, 1)]
)
def test_groups_are_as_large_as_a_byte_allows(n_levels, per_group):
    packed = pack(np.zeros((1, 6), np.int8), n_levels)
    assert len(packed.items[0]) == per_group
    assert max(len(digits) for digits in packed.digits) <= 256 < (n_levels + 1) ** (per_group + 1)


def test_a_wholly_missing_session_has_probability_one_in_every_state():
    packed = pack(np.full((1, 9), -1, np.int8), 4)
    item_probs = np.random.default_rng(0).dirichlet([1.0] * 4, (5, 9))
    rows = packed.tables(item_probs, 8)[packed.offsets + packed.codes[0]]
    np.testing.assert_array_equal(rows, [[1.0] * 5 + [0.0] * 3] * 3)
