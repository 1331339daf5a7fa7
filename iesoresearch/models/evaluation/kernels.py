"""Compiled resampling: how often each unit is drawn, and one pass over the people with that.

A resample is a vector of counts, which for a million units fits the cache of a core. Every resample
has a stream of its own, made of key and number (SplitMix64, Steele, Lea & Flood 2014,
doi:10.1145/2660193.2660195), so that it is the same whoever draws it, and in whatever order.
"""

import numba
import numpy as np

from iesoresearch.models.evaluation.logistic import newton

# Columns of what one resample of one view gives.
EVENTS, OTHERS, AUC, EXPECTED, SQUARES, LOSS, ICI, E50, E90 = range(9)
N_SUMS = 9

_GAP, _FIRST, _SECOND = (
    np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
)  # fmt: skip
_LOWER = np.uint64(0xFFFFFFFF)
_BATCH = 512  # numbers of 64 bits made at a time, two places from each


@numba.njit(cache=True)
def _mixed(z):
    z = (z ^ (z >> np.uint64(30))) * _FIRST
    z = (z ^ (z >> np.uint64(27))) * _SECOND
    return z ^ (z >> np.uint64(31))


@numba.njit(cache=True, nogil=True)
def draw(key, number, counts):
    """Draw as many units as there are, with replacement: multinomial counts, exactly.

    Each half of a 64-bit number is a place by multiplication, the few halves that would favour some
    places thrown away (Lemire 2019, doi:10.1145/3230636).

    Parameters
    ----------
    key
        Of all resamples, uint64.
    number
        Of this one.
    counts
        (units,) uint8, overwritten; at most 2**31 units. A count beyond 255 has no chance.
    """
    n = np.uint64(len(counts))
    favoured = (np.uint64(2**32) - n) % n
    state = _mixed(np.uint64(key) + _GAP * np.uint64(number + 1))
    places = np.empty(2 * _BATCH, dtype=np.int64)
    counts[:] = 0
    left = len(counts)
    while left > 0:
        for i in range(_BATCH):
            z = _mixed(state + _GAP * np.uint64(i + 1))
            first, second = (z & _LOWER) * n, (z >> np.uint64(32)) * n
            places[2 * i] = (
                np.int64(first >> np.uint64(32)) if first & _LOWER >= favoured else np.int64(-1)
            )
            places[2 * i + 1] = (
                np.int64(second >> np.uint64(32)) if second & _LOWER >= favoured else np.int64(-1)
            )
        state += _GAP * np.uint64(_BATCH)
        for i in range(2 * _BATCH):
            if places[i] >= 0:
                counts[places[i]] += np.uint8(1)
                left -= 1
                if left == 0:
                    break


@numba.njit(cache=True, nogil=True)
def _pass(counts, rows, edges, first, last, ties, tie_first, tie_last, cells, out):
    """Sums over the people of one view, in order of prediction, and of each of its cells."""
    unit, event, p, loss = rows
    below, won = np.int64(0), np.int64(0)  # others so far; pairs won, ties counted as won
    expected, squares, losses = 0.0, 0.0, 0.0
    events = np.int64(0)
    for c in range(first, last):
        before, events_before = below, events
        for i in range(edges[c], edges[c + 1]):
            w = np.int64(counts[unit[i]])
            with_event = w * event[i]
            events += with_event
            below += w - with_event
            won += with_event * below
            weight, off = np.float64(w), p[i] - event[i]
            expected += weight * p[i]
            squares += weight * (off * off)
            losses += weight * loss[i]
        cells[c - first, 0], cells[c - first, 1] = events - events_before, below - before
    tied = np.int64(0)
    for t in range(tie_first, tie_last):
        without, have = np.int64(0), np.int64(0)
        for i in range(ties[t, 0], ties[t, 1]):
            without += counts[unit[i]]
        for i in range(ties[t, 1], ties[t, 2]):
            have += counts[unit[i]]
        tied += without * have
    pairs = events * below
    out[EVENTS], out[OTHERS] = events, below
    out[AUC] = (2 * won - tied) / (2 * pairs) if pairs > 0 else np.nan
    out[EXPECTED], out[SQUARES], out[LOSS] = expected, squares, losses


@numba.njit(cache=True, nogil=True)
def weighted_quantile(values, order, weights, total, share):
    """Quantile of values repeated `weights` times, interpolated as numpy does by default.

    `order` sorts the values; `total` is the sum of the weights, above zero.
    """
    place = share * (total - 1.0)
    lower = np.floor(place)
    seen, low = 0.0, np.nan
    for j in order:
        seen += weights[j]
        if np.isnan(low) and seen > lower:
            low = values[j]
        if seen > min(lower + 1.0, total - 1.0):
            return low + (place - lower) * (values[j] - low)
    return low


@numba.njit(cache=True, nogil=True)
def _distances(cells, n_cells, p, basis, start, out):
    """Refit the smoother to the cells; distance of its curve from the predictions."""
    weights, events = np.empty(n_cells), np.empty(n_cells)
    total = 0.0
    for c in range(n_cells):
        events[c] = cells[c, 0]
        weights[c] = cells[c, 0] + cells[c, 1]
        total += weights[c]
    out[ICI:] = np.nan
    beta = start.copy()
    if total == 0.0 or not newton(basis, weights, events, np.zeros(n_cells), beta, 1e-8):
        return
    far = np.empty(n_cells)
    mean = 0.0
    for c in range(n_cells):
        eta = 0.0
        for j in range(len(beta)):
            eta += basis[c, j] * beta[j]
        # certain predictions came true, or there would be no smoother
        far[c] = abs(1.0 / (1.0 + np.exp(-eta)) - p[c]) if 0.0 < p[c] < 1.0 else 0.0
        mean += weights[c] * far[c]
    order = np.argsort(far)
    out[ICI] = mean / total
    out[E50] = weighted_quantile(far, order, weights, total, 0.5)
    out[E90] = weighted_quantile(far, order, weights, total, 0.9)


@numba.njit(cache=True, nogil=True)
def resample(key, first, last, n_units, rows, views, cells_of, ties, smoothers, sums, above):
    """Resamples `first` to `last`, of every view.

    Parameters
    ----------
    key, n_units
        As in `draw`.
    rows
        (unit, event, p, loss) of all views one after the other, each in order of prediction, those
        without the event first where predictions are equal.
    views
        (views, 4): first cell and one past the last, first tie and one past the last.
    cells_of
        (edges, p, at): first row of every cell, with one more edge at the end; mean prediction of
        every cell; (views, thresholds) first cell at or above each threshold, counted in the view.
    ties
        (ties, 3): first row of a run of equal predictions, its first with the event, its end.
    smoothers
        (basis, start, columns): (cells, most columns), (views, most columns) coefficients to start
        from, (views,) columns used, 0 where there is no smoother.
    sums
        (resamples, views, `N_SUMS`), written.
    above
        (resamples, views, thresholds, 2), written: events and others at or above each threshold.
    """
    edges, cell_p, at = cells_of
    basis, start, columns = smoothers
    counts = np.empty(n_units, dtype=np.uint8)
    most = 0
    for v in range(len(views)):
        most = max(most, views[v, 1] - views[v, 0])
    cells = np.empty((most, 2))
    for r in range(first, last):
        draw(key, r, counts)
        for v in range(len(views)):
            begin, end = views[v, 0], views[v, 1]
            out = sums[r, v]
            _pass(counts, rows, edges, begin, end, ties, views[v, 2], views[v, 3], cells, out)
            k = columns[v]
            out[ICI:] = np.nan
            if k > 0:
                mine = np.ascontiguousarray(basis[begin:end, :k])
                _distances(cells, end - begin, cell_p[begin:end], mine, start[v, :k], out)
            _from_the_top(cells, end - begin, at[v], above[r, v])


@numba.njit(cache=True, nogil=True)
def _from_the_top(cells, n_cells, at, above):
    """Events and others at or above thresholds, which ascend."""
    c, events, others = n_cells, 0.0, 0.0
    for t in range(len(at) - 1, -1, -1):
        while c > at[t]:
            c -= 1
            events += cells[c, 0]
            others += cells[c, 1]
        above[t, 0], above[t, 1] = events, others
