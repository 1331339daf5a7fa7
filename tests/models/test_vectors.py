"""The vector type does what numpy does, lane by lane and whatever the number of lanes."""

from functools import reduce

import numpy as np
import pytest
from numba import njit

from iesoresearch.models.vectors import (
    add,
    add_scaled,
    fill,
    load,
    multiply,
    number,
    scale,
    store,
    total,
)


@njit(error_model="numpy")
def every_operation(x, y, scale, at, lanes, out):
    """One row of `out` per operation; both operands start at index `at`."""
    a, b = load(x, at, lanes), load(y, at, lanes)
    n = len(lanes)
    store(out, 0, a)
    store(out, n, fill(scale, lanes))
    store(out, 2 * n, multiply(a, b))
    store(out, 3 * n, add(a, b))
    store(out, 4 * n, add_scaled(a, scale, b))
    return total(a)


def run(x, y, scale, n, at=0):
    out = np.full(6 * n, -7.0)
    return every_operation(x, y, scale, at, (0,) * n, out), out.reshape(6, n)


@pytest.fixture(scope="module", params=[1, 3, 8, 12, 16])
def lanes(request):
    return request.param


def test_operations_are_numpys(lanes):
    # an odd offset: rows of a table are aligned to a double, not to a vector
    x, y = np.random.default_rng(lanes).normal(size=(2, lanes + 3))
    a, b = x[3:], y[3:]
    _, out = run(x, y, 0.3, lanes, at=3)
    np.testing.assert_array_equal(out[0], a)
    np.testing.assert_array_equal(out[1], np.full(lanes, 0.3))
    np.testing.assert_array_equal(out[2], a * b)
    np.testing.assert_array_equal(out[3], a + b)
    # the processor may round the product or leave it exact, so within one rounding of it
    error = np.abs(out[4] - (a + 0.3 * b))
    assert (error <= np.finfo(float).eps * (np.abs(0.3 * b) + np.abs(a + 0.3 * b))).all()
    np.testing.assert_array_equal(out[5], np.full(lanes, -7.0))  # nothing written past the end


def test_sum_adds_halves_to_halves(lanes):
    x = np.random.default_rng(lanes).normal(size=lanes) * 10.0 ** np.arange(lanes)
    parts = x
    while len(parts) > 1 and len(parts) % 2 == 0:
        parts = parts[: len(parts) // 2] + parts[len(parts) // 2 :]
    # equal bits: only a fixed order makes results equal on every machine
    assert run(x, x, 0.0, lanes)[0] == reduce(lambda a, b: a + b, parts)


def test_infinities_and_nan_keep_their_meaning(lanes):
    x, y = np.full(lanes, np.inf), np.zeros(lanes)
    sum_of_x, out = run(x, y, np.inf, lanes)
    assert sum_of_x == np.inf
    assert np.isnan(out[2]).all()  # inf * 0
    assert (out[3] == np.inf).all()
    assert np.isnan(out[4]).all()  # inf + inf * 0


@njit(error_model="numpy")
def every_operation_abreast(x, y, lanes, out):
    """As `every_operation`, of three vectors at a time, with `y` shared where it can be."""
    n = len(lanes)
    at = (0, n, 2 * n)
    a, b = load(x, at, lanes), load(y, 0, lanes)
    factors = number(y, (0, 1, 2))
    store(out, at, multiply(a, b))
    store(out, (3 * n, 4 * n, 5 * n), add(a, a))
    store(out, (6 * n, 7 * n, 8 * n), scale(factors, a))
    store(out, (9 * n, 10 * n, 11 * n), add_scaled(a, factors, b))
    store(out, (12 * n, 13 * n), 0.5)  # the same number in two places
    return total(a)


def test_tuples_are_done_member_by_member(lanes):
    random = np.random.default_rng(lanes)
    x, y = random.normal(size=3 * lanes), random.normal(size=max(lanes, 3))
    out = np.full(15 * lanes, -7.0)
    sums = every_operation_abreast(x, y, (0,) * lanes, out)
    a, b, out = x.reshape(3, -1), y[:lanes], out.reshape(5, 3, -1)
    np.testing.assert_array_equal(out[0], a * b)
    np.testing.assert_array_equal(out[1], a + a)
    np.testing.assert_array_equal(out[2], a * y[:3, None])
    np.testing.assert_allclose(out[3], a + y[:3, None] * b, rtol=1e-14, atol=1e-15)
    assert (out[4, 0, 0], out[4, 1, 0]) == (0.5, 0.5)
    assert (np.delete(out[4].ravel(), [0, lanes]) == -7).all()
    for found, row in zip(sums, a, strict=True):
        assert found == every_operation(
            row.copy(), row.copy(), 0.0, 0, (0,) * lanes, np.empty(6 * lanes)
        )


def test_a_single_lane_is_not_taken_for_a_tuple():
    """`lanes` is a tuple as well, but only says how wide a vector is."""
    x = np.arange(4.0)
    assert every_operation_abreast(x, x, (0,), np.empty(15)) == (0.0, 1.0, 2.0)


def test_four_numbers_are_operated_on_like_vectors():
    @njit(error_model="numpy")
    def product(x, y):
        return multiply(x, y)

    assert product((1.5, 2.0), (3.0, -1.0)) == (4.5, -2.0)
