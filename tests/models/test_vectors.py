"""The vector type does what numpy does, lane by lane and whatever the number of lanes."""

from functools import reduce

import numpy as np
import pytest
from numba import njit

from iesoresearch.models.vectors import add, add_scaled, fill, load, multiply, store, total


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
