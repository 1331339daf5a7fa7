"""Newton steps of log-linear items, with partners or without: coordinate by coordinate.

`structure` is `Blocks.structure`. Weights (states, items, levels) are those of items alone;
`answers` (states, items, levels) and `products` (pairs,) are expected counts (`Blocks.completed`).
With the rest of its block held fixed an item is an item alone whose weights are tilted: level c in
state k by the sum, over the answers of its partners, of their weights and associations. Every step
is halved until the expected log-likelihood does not fall, and given up if it still does. Those of
ladders are in `ladder_steps`.
"""

import numpy as np
from numba import njit

SWEEPS = 2
HALVINGS = 4  # of a step before it is given up; EM only needs a step that does not go down
LIMIT = 30.0  # of any logit: beyond it a probability is zero to double precision
MOST_ASSOCIATION = 5.0  # of one pair; an odds ratio of exp(5) between neighbouring levels


@njit(nogil=True, cache=True, error_model="numpy")
def set_associations(products, associations, out):
    """Factor of every cell by its associations, into `out` (cells,)."""
    for cell in range(len(products)):
        value = 0.0
        for p in range(len(associations)):
            value += products[cell, p] * associations[p]
        out[cell] = np.exp(value)


@njit(nogil=True, cache=True, error_model="numpy")
def cell_weight(structure, b, cell, weights, factors, spare):
    """Weight of one cell in one state, the item at place `spare` left out (-1 for none)."""
    items, _, digits, _, _ = structure
    value = factors[cell]
    for place in range(items.shape[1]):
        item = items[b, place]
        if item >= 0 and place != spare:
            value *= weights[item, digits[cell, place]]
    return value


@njit(nogil=True, cache=True, error_model="numpy")
def set_log_tilt(structure, b, place, weights, factors, tilt):
    """Logarithm of what tilts the item at `place` of block `b`, into `tilt` (states, levels)."""
    items, first, digits, _, _ = structure
    tilt[:] = 0.0
    if items.shape[1] == 1 or items[b, 1] < 0:
        return
    for k in range(len(weights)):
        for cell in range(first[b], first[b + 1]):
            tilt[k, digits[cell, place]] += cell_weight(
                structure, b, cell, weights[k], factors, place
            )
        for c in range(tilt.shape[1]):
            tilt[k, c] = np.log(tilt[k, c])


@njit(nogil=True, cache=True, error_model="numpy")
def set_weights(position, slope, thresholds, weights):
    """Weights of one item alone at one position, summing to one."""
    highest = -np.inf
    for c in range(len(weights)):
        weights[c] = c * slope * position + thresholds[c]
        highest = max(highest, weights[c])
    total = 0.0
    for c in range(len(weights)):
        weights[c] = np.exp(weights[c] - highest)
        total += weights[c]
    weights /= total


@njit(nogil=True, cache=True, error_model="numpy")
def log_likelihood(counts, position, slope, thresholds, tilt, probs):
    """Expected log-likelihood of one item at one position; its probabilities go into `probs`."""
    set_weights(position, slope, thresholds + tilt, probs)
    value = 0.0
    for c in range(len(probs)):
        if counts[c] > 0.0:
            value += counts[c] * np.log(probs[c])
    return value


@njit(nogil=True, cache=True, error_model="numpy")
def solved(curvature, gradient):
    """Newton step by Cholesky factors; what has no curvature stays where it is, for the ridge."""
    n = len(gradient)
    ridge = 1e-9 * (1.0 + np.trace(curvature))
    factor = np.zeros((n, n))
    out = gradient.copy()
    for i in range(n):
        for j in range(i + 1):
            value = curvature[i, j] + (ridge if i == j else 0.0)
            for c in range(j):
                value -= factor[i, c] * factor[j, c]
            factor[i, j] = value / factor[j, j] if j < i else np.sqrt(max(value, ridge))
        for c in range(i):
            out[i] -= factor[i, c] * out[c]
        out[i] /= factor[i, i]
    for i in range(n - 1, -1, -1):
        for c in range(i + 1, n):
            out[i] -= factor[c, i] * out[c]
        out[i] /= factor[i, i]
    return out


@njit(nogil=True, cache=True, error_model="numpy")
def thresholds_after(thresholds, move, share):
    """Thresholds with `share` of their step made; those of levels that do not exist stay -inf."""
    moved = thresholds.copy()
    for c in range(1, len(thresholds)):
        if np.isfinite(moved[c]):
            moved[c] = min(max(moved[c] + share * move[c - 1], -LIMIT), LIMIT)
    return moved


# ---- ordinal items: c * position of the item in the state + threshold


@njit(nogil=True, cache=True, error_model="numpy")
def _ordinal_value(counts, positions, thresholds, tilt, probs):
    """Expected log-likelihood of one item; its probabilities go into `probs` (states, levels)."""
    value = 0.0
    for k in range(len(positions)):
        value += log_likelihood(counts[k], positions[k], 1.0, thresholds, tilt[k], probs[k])
    return value


@njit(nogil=True, cache=True, error_model="numpy")
def _step_ordinal_item(counts, positions, thresholds, tilt):
    """One joint Newton step of an item's positions (states,) and thresholds (levels,)."""
    n_states, n_levels = counts.shape
    probs = np.empty((n_states, n_levels))
    before = _ordinal_value(counts, positions, thresholds, tilt, probs)
    gradient = np.zeros(n_states + n_levels - 1)
    curvature = np.zeros((len(gradient), len(gradient)))
    for k in range(n_states):
        n = counts[k].sum()
        mean = 0.0
        square = 0.0
        for c in range(n_levels):
            mean += c * probs[k, c]
            square += c * c * probs[k, c]
        curvature[k, k] = n * (square - mean * mean)
        for c in range(n_levels):
            gradient[k] += c * (counts[k, c] - n * probs[k, c])
            if c > 0:
                at = n_states + c - 1
                gradient[at] += counts[k, c] - n * probs[k, c]
                curvature[k, at] = n * probs[k, c] * (c - mean)
                curvature[at, k] = curvature[k, at]
                curvature[at, at] += n * probs[k, c]
                for d in range(1, n_levels):
                    curvature[at, n_states + d - 1] -= n * probs[k, c] * probs[k, d]
    move = solved(curvature, gradient)
    share = 1.0
    for _ in range(HALVINGS):
        shifted = np.minimum(np.maximum(positions + share * move[:n_states], -LIMIT), LIMIT)
        moved = thresholds_after(thresholds, move[n_states:], share)
        if _ordinal_value(counts, shifted, moved, tilt, probs) >= before:
            positions[:] = shifted
            thresholds[:] = moved
            return
        share *= 0.5


@njit(nogil=True, cache=True, error_model="numpy")
def step_ordinal(answers, products, structure, positions, thresholds, associations):
    """Raise the expected log-likelihood of ordinal items; their arrays are changed in place.

    `positions` is (items, states).
    """
    items = structure[0]
    n_states, _, n_levels = answers.shape
    weights = np.empty(answers.shape)
    factors = np.empty(structure[1][-1])
    tilt = np.empty((n_states, n_levels))
    set_associations(structure[3], associations, factors)
    for j in range(len(positions)):
        for k in range(n_states):
            set_weights(positions[j, k], 1.0, thresholds[j], weights[k, j])
    for _ in range(SWEEPS):
        for b in range(len(items)):
            for place in range(items.shape[1]):
                j = items[b, place]
                if j < 0:
                    continue
                set_log_tilt(structure, b, place, weights, factors, tilt)
                _step_ordinal_item(answers[:, j], positions[j], thresholds[j], tilt)
                for k in range(n_states):
                    set_weights(positions[j, k], 1.0, thresholds[j], weights[k, j])
        step_associations(answers, products, structure, weights, associations, factors)


# ---- free items


@njit(nogil=True, cache=True, error_model="numpy")
def step_free(answers, products, structure, weights, associations):
    """Raise the expected log-likelihood of free weights and associations, in place.

    Given its partners the best weights of an item are known: one round of iterative proportional
    fitting.
    """
    items = structure[0]
    n_states, _, n_levels = answers.shape
    factors = np.empty(structure[1][-1])
    tilt = np.empty((n_states, n_levels))
    set_associations(structure[3], associations, factors)
    for _ in range(SWEEPS):
        for b in range(len(items)):
            for place in range(items.shape[1]):
                j = items[b, place]
                if j < 0:
                    continue
                set_log_tilt(structure, b, place, weights, factors, tilt)
                for k in range(n_states):
                    if answers[k, j].sum() > 0.0:
                        raised = answers[k, j] * np.exp(-tilt[k])
                        weights[k, j] = raised / raised.sum()
        step_associations(answers, products, structure, weights, associations, factors)


# ---- associations


@njit(nogil=True, cache=True, error_model="numpy")
def _association(answers, products, structure, weights, associations, p, factors):
    """Value, gradient and information of the association of pair `p`; sets `factors`."""
    items, first, _, scores, homes = structure
    b = homes[p]
    for cell in range(first[b], first[b + 1]):
        logarithm = 0.0
        for q in range(len(associations)):
            logarithm += scores[cell, q] * associations[q]
        factors[cell] = np.exp(logarithm)
    value = associations[p] * products[p]
    gradient = products[p]
    curvature = 0.0
    for k in range(len(weights)):
        n = answers[k, items[b, 0]].sum()
        if n <= 0.0:
            continue
        total = 0.0
        mean = 0.0
        square = 0.0
        for cell in range(first[b], first[b + 1]):
            weight = cell_weight(structure, b, cell, weights[k], factors, -1)
            total += weight
            mean += weight * scores[cell, p]
            square += weight * scores[cell, p] ** 2
        mean /= total
        value -= n * np.log(total)
        gradient -= n * mean
        curvature += n * (square / total - mean * mean)
    return value, gradient, curvature


@njit(nogil=True, cache=True, error_model="numpy")
def step_associations(answers, products, structure, weights, associations, factors):
    """One Newton step per pair; `factors` become those of the new associations."""
    for p in range(len(associations)):
        before, gradient, curvature = _association(
            answers, products, structure, weights, associations, p, factors
        )
        start = associations[p]
        move = gradient / max(curvature, 1e-9 * (1.0 + answers.sum()))
        share = 1.0
        for _ in range(HALVINGS):
            moved = start + share * move
            associations[p] = min(max(moved, -MOST_ASSOCIATION), MOST_ASSOCIATION)
            value, _, _ = _association(
                answers, products, structure, weights, associations, p, factors
            )
            if value >= before:
                break
            share *= 0.5
        else:
            associations[p] = start
            _association(answers, products, structure, weights, associations, p, factors)
