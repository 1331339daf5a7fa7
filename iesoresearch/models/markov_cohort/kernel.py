"""The inner loops: 16 draws side by side, in vectors of doubles.

Draws are the lanes, so a draw's sums are the same, term by term, whatever its neighbours, the size
of a chunk or the number of threads. A strategy of a block is a table of columns, packed as
``packed[entry * DRAWS + lane]``: one column per state (the probabilities of moving into it) and one
per flow (its value in each state). One product of the membership with that table gives the next
membership and what this point earns. Where many moves are impossible, only the entries that occur
are packed; leaving out products with zero changes no bit of a sum.
"""

import numba
import numpy as np

from iesoresearch.models.vectors import add, add_scaled, fill, load, multiply, number, store

HALF = 8
DRAWS = 2 * HALF
LANES = (0.0,) * HALF
TOLERANCE = 1e-9  # of a sum of probabilities from one


@numba.njit(cache=True, nogil=True)
def scan(p):
    """Whether all rows of a (D, K, M, S, C) array are distributions, and which cells are not zero.

    Returns
    -------
    bool, (S, C) bool
    """
    n_draws, n_strategies, n_matrices, size, n_columns = p.shape
    sound = True
    low, high = np.zeros((size, n_columns)), np.zeros((size, n_columns))
    for d in range(n_draws):
        for k in range(n_strategies):
            for m in range(n_matrices):
                for i in range(size):
                    row, least, most = p[d, k, m, i], low[i], high[i]
                    total = 0.0
                    for j in range(n_columns):
                        x = row[j]
                        least[j] = x if x < least[j] else least[j]
                        most[j] = x if x > most[j] else most[j]
                        total += x
                    sound &= abs(total - 1.0) <= TOLERANCE  # false for NaN too
    return sound and low.min() >= 0.0, high > 0.0


@numba.njit(cache=True)
def _pack_matrix(packed, p, draws, k, m, cells):
    """These cells of the matrices of these draws."""
    if p.shape[1] == 1:
        k = 0
    if p.shape[0] == 1:
        for e in range(len(cells)):
            packed[e * DRAWS : (e + 1) * DRAWS] = p[0, k, m, cells[e]]
        return
    for lane in range(DRAWS):
        one = p[draws[lane], k, m]
        for e in range(len(cells)):
            packed[e * DRAWS + lane] = one[cells[e]]


@numba.njit(cache=True)
def _pack_values(packed, first, values, base, stride, draws, size):
    """A flow's values of all states, from entry `first` on."""
    for s in range(size):
        for lane in range(DRAWS):
            packed[(first + s) * DRAWS + lane] = values[base + draws[lane] * stride + s]


@numba.njit(cache=True)
def _room(n):
    """Empty vector on a boundary of 64 bytes: a load that straddles one takes twice as long."""
    wide = np.empty(n + HALF)
    first = (-(wide.ctypes.data // 8)) % HALF
    return wide[first : first + n]


@numba.njit(cache=True)
def _four(at, step):
    return (at, at + step, at + 2 * step, at + 3 * step)


@numba.njit(cache=True)
def _multiply_full(x, packed, into, size, n_columns, lanes):
    """``into[c] = Σ_s x[s] packed[c, s]``: four columns at a time, so that sums do not wait.

    The last four may begin among those that are done already, and do them again.
    """
    zero = fill(0.0, lanes)
    step = size * DRAWS
    for block in range(0, n_columns, 4):
        c = min(block, n_columns - 4)
        low, high = (zero, zero, zero, zero), (zero, zero, zero, zero)
        for s in range(size):
            at = c * step + s * DRAWS
            here = load(x, s * DRAWS, lanes)
            low = add(low, multiply(here, load(packed, _four(at, step), lanes)))
            here = load(x, s * DRAWS + HALF, lanes)
            high = add(high, multiply(here, load(packed, _four(at + HALF, step), lanes)))
        store(into, _four(c * DRAWS, DRAWS), low)
        store(into, _four(c * DRAWS + HALF, DRAWS), high)


@numba.njit(cache=True)
def _multiply_some(x, packed, into, bounds, rows, n_columns, lanes):
    """The same of the entries that occur: those of column c are bounds[c] … bounds[c + 1]."""
    zero = fill(0.0, lanes)
    for c in range(n_columns):
        low, high = zero, zero
        for e in range(bounds[c], bounds[c + 1]):
            at, s = e * DRAWS, number(rows, e) * DRAWS
            low = add(low, multiply(load(x, s, lanes), load(packed, at, lanes)))
            high = add(high, multiply(load(x, s + HALF, lanes), load(packed, at + HALF, lanes)))
        store(into, c * DRAWS, low)
        store(into, c * DRAWS + HALF, high)


@numba.njit(cache=True)
def _product(x, packed, into, size, n_columns, bounds, rows, lanes):
    if len(rows) == size * n_columns and n_columns >= 4:
        _multiply_full(x, packed, into, size, n_columns, lanes)
    else:
        _multiply_some(x, packed, into, bounds, rows, n_columns, lanes)


@numba.njit(cache=True)
def _lanes_of(block, n_draws):
    """Draws of a block; lanes beyond the last repeat it."""
    return np.minimum(np.arange(block * DRAWS, (block + 1) * DRAWS), n_draws - 1)


@numba.njit(cache=True)
def _changes(at, t, before):
    """Whether what is packed must be packed anew at `t`, coming from `before`."""
    return not 0 <= before < len(at) or at[t] != at[before]


@numba.njit(cache=True)
def _begin(now, start, draws, k):
    if start.shape[1] == 1:
        k = 0
    for s in range(start.shape[2]):
        for lane in range(DRAWS):
            d = draws[lane] if start.shape[0] > 1 else 0
            now[s * DRAWS + lane] = start[d, k, s]


@numba.njit(cache=True)
def _earn(earned, after, weights, t, size, lanes):
    for f in range(weights.shape[0]):
        for half in range(2):
            at = f * DRAWS + half * HALF
            more = load(after, size * DRAWS + at, lanes)
            store(earned, at, add_scaled(load(earned, at, lanes), weights[f, t], more))


@numba.njit(cache=True, nogil=True)
def forward(start, p, at, cells, bounds, rows, values, layout, value_at, weights, out, lanes):
    """Totals of all flows.

    Parameters
    ----------
    start : (D|1, K|1, S) array
    p : (D|1, K|1, M, S × S) array
    at : (K, T) array
        Entry of the third axis of `p`.
    cells : array
        Cells of a matrix that are packed, column by column.
    bounds, rows : arrays
        Entries of the table by column, and their rows: those of the matrix, then S for each flow.
    values : array
        All values of all flows, one after the other.
    layout : (F, 3) array
        Of each flow: where it begins, and how far apart draws and strategies are.
    value_at : (F, K, T+1) array
        How far on from there the point is.
    weights : (F, T+1) array
    out : (F, D, K) array
        Filled.
    lanes
        `LANES`.
    """
    n_flows, n_draws, n_strategies = out.shape
    size, n_cycles = start.shape[2], at.shape[1]
    n_columns = size + n_flows
    packed = _room(len(rows) * DRAWS)
    now, after = _room(n_columns * DRAWS), _room(n_columns * DRAWS)
    earned = np.empty(n_flows * DRAWS)
    for block in range((n_draws + DRAWS - 1) // DRAWS):
        draws = _lanes_of(block, n_draws)
        for k in range(n_strategies):
            _begin(now, start, draws, k)
            earned[:] = 0.0
            for t in range(n_cycles + 1):
                if t < n_cycles and _changes(at[k], t, t - 1):
                    _pack_matrix(packed, p, draws, k, at[k, t], cells)
                for f in range(n_flows):
                    if _changes(value_at[f, k], t, t - 1):
                        base = layout[f, 0] + k * layout[f, 2] + value_at[f, k, t]
                        first = len(cells) + f * size
                        _pack_values(packed, first, values, base, layout[f, 1], draws, size)
                _product(now, packed, after, size, n_columns, bounds, rows, lanes)
                _earn(earned, after, weights, t, size, lanes)
                now, after = after, now
            for lane in range(min(DRAWS, n_draws - block * DRAWS)):
                out[:, block * DRAWS + lane, k] = earned[lane::DRAWS]


@numba.njit(cache=True)
def _add_values(here, values, base, stride, draws, weight):
    for s in range(len(here) // DRAWS):
        for lane in range(DRAWS):
            here[s * DRAWS + lane] += weight * values[base + draws[lane] * stride + s]


@numba.njit(cache=True, nogil=True)
def backward(p, at, cells, bounds, rows, values, layout, value_at, weights, out, lanes):
    """Values to go of the flows together, into `out`, (D, K, T+1, S).

    `cells` are listed row by row, and `rows` are their columns; the rest as in `forward`.
    """
    n_draws, n_strategies, n_points, size = out.shape
    packed = _room(len(rows) * DRAWS)
    here, later = _room(size * DRAWS), _room(size * DRAWS)
    for block in range((n_draws + DRAWS - 1) // DRAWS):
        draws = _lanes_of(block, n_draws)
        for k in range(n_strategies):
            later[:] = 0.0
            for t in range(n_points - 1, -1, -1):
                # nothing comes after the end: any table does there
                cycle = min(t, n_points - 2)
                if _changes(at[k], cycle, cycle + 1):
                    _pack_matrix(packed, p, draws, k, at[k, cycle], cells)
                _product(later, packed, here, size, size, bounds, rows, lanes)
                for f in range(len(layout)):
                    base = layout[f, 0] + k * layout[f, 2] + value_at[f, k, t]
                    _add_values(here, values, base, layout[f, 1], draws, weights[f, t])
                for lane in range(min(DRAWS, n_draws - block * DRAWS)):
                    out[block * DRAWS + lane, k, t] = here[lane::DRAWS]
                here, later = later, here


@numba.njit(cache=True, nogil=True)
def trace(start, p, at, out):
    """Membership of one draw under one strategy at all points.

    Parameters
    ----------
    start : (S,) array
    p : (M, S, S) array
    at : (T,) array
    out : (T+1, S) array
        Filled.
    """
    out[:] = 0.0
    out[0] = start
    for t in range(len(at)):
        for i in range(len(start)):
            for j in range(len(start)):
                out[t + 1, j] += out[t, i] * p[at[t], i, j]
