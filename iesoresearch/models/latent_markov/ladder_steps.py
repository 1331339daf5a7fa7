"""Newton steps of a ladder, whose levels c weigh exp(c * slope * position + threshold).

`structure`, `weights`, `answers` and `products` are as in `newton`.
"""

import numpy as np
from numba import njit

from iesoresearch.models.latent_markov.newton import (
    HALVINGS,
    LIMIT,
    SWEEPS,
    cell_weight,
    log_likelihood,
    set_associations,
    set_log_tilt,
    set_weights,
    solved,
    step_associations,
    thresholds_after,
)


@njit(nogil=True, cache=True, error_model="numpy")
def _item_derivatives(counts, positions, slope, thresholds, tilt, probs, gradient, curvature):
    """Gradient and information of slope and thresholds of one item; returns its value.

    Level c at rung k has the features position * c and one indicator per level above 0.
    """
    n_levels = len(probs)
    gradient[:] = 0.0
    curvature[:] = 0.0
    value = 0.0
    for k in range(len(positions)):
        value += log_likelihood(counts[k], positions[k], slope, thresholds, tilt[k], probs)
        n = counts[k].sum()
        mean = 0.0
        square = 0.0
        for c in range(n_levels):
            mean += c * probs[c]
            square += c * c * probs[c]
        x = positions[k]
        curvature[0, 0] += n * x * x * (square - mean * mean)
        for c in range(n_levels):
            surplus = counts[k, c] - n * probs[c]
            gradient[0] += x * c * surplus
            if c > 0:
                gradient[c] += surplus
                curvature[0, c] += n * x * probs[c] * (c - mean)
                curvature[c, c] += n * probs[c]
                for d in range(1, n_levels):
                    curvature[c, d] -= n * probs[c] * probs[d]
    for c in range(1, n_levels):
        curvature[c, 0] = curvature[0, c]
    return value


@njit(nogil=True, cache=True, error_model="numpy")
def _step_ladder_item(counts, positions, slopes, thresholds, j, tilt):
    """One Newton step of slope and thresholds of item `j`."""
    n_levels = counts.shape[1]
    probs = np.empty(n_levels)
    gradient = np.empty(n_levels)
    curvature = np.empty((n_levels, n_levels))
    before = _item_derivatives(
        counts, positions, slopes[j], thresholds[j], tilt, probs, gradient, curvature
    )
    move = solved(curvature, gradient)
    share = 1.0
    for _ in range(HALVINGS):
        slope = min(max(slopes[j] + share * move[0], 0.0), LIMIT)
        moved = thresholds_after(thresholds[j], move[1:], share)
        value = 0.0
        for k in range(len(positions)):
            value += log_likelihood(counts[k], positions[k], slope, moved, tilt[k], probs)
        if value >= before:
            slopes[j] = slope
            thresholds[j] = moved
            return
        share *= 0.5


@njit(nogil=True, cache=True, error_model="numpy")
def _rung(counts, position, slopes, thresholds, structure, factors, weights):
    """Value, gradient and information of one rung's position; sets its `weights`."""
    items = structure[0]
    value = 0.0
    gradient = 0.0
    curvature = 0.0
    for j in range(len(slopes)):
        set_weights(position, slopes[j], thresholds[j], weights[j])
        for c in range(counts.shape[1]):
            if counts[j, c] > 0.0:
                gradient += slopes[j] * c * counts[j, c]
                value += counts[j, c] * np.log(weights[j, c])
    for b in range(len(items)):
        n = counts[items[b, 0]].sum()
        if n > 0.0:
            total, mean, variance = _block_score(structure, b, slopes, weights, factors)
            curvature += n * variance
            gradient -= n * mean
            value -= n * np.log(total)
    return value, gradient, curvature


@njit(nogil=True, cache=True, error_model="numpy")
def _block_score(structure, b, slopes, weights, factors):
    """Sum of weights of a block in one state; mean and variance of its sum of slope * answer."""
    items, first, digits, _, _ = structure
    total = 0.0
    mean = 0.0
    square = 0.0
    for cell in range(first[b], first[b + 1]):
        weight = cell_weight(structure, b, cell, weights, factors, -1)
        score = 0.0
        for place in range(items.shape[1]):
            if items[b, place] >= 0:
                score += slopes[items[b, place]] * digits[cell, place]
        total += weight
        mean += weight * score
        square += weight * score * score
    mean /= total
    return total, mean, square / total - mean * mean


@njit(nogil=True, cache=True, error_model="numpy")
def _step_positions(answers, positions, slopes, thresholds, structure, factors, weights):
    """One Newton step per rung; `weights` become those of the new positions."""
    for k in range(len(positions)):
        before, gradient, curvature = _rung(
            answers[k], positions[k], slopes, thresholds, structure, factors, weights[k]
        )
        move = gradient / max(curvature, 1e-9 * (1.0 + answers[k].sum()))
        share = 1.0
        for _ in range(HALVINGS):
            position = min(max(positions[k] + share * move, -LIMIT), LIMIT)
            value, _, _ = _rung(
                answers[k], position, slopes, thresholds, structure, factors, weights[k]
            )
            if value >= before:
                positions[k] = position
                break
            share *= 0.5
        else:
            for j in range(len(slopes)):
                set_weights(positions[k], slopes[j], thresholds[j], weights[k, j])


@njit(nogil=True, cache=True, error_model="numpy")
def step_ladder(answers, products, structure, positions, slopes, thresholds, associations):
    """Raise the expected log-likelihood of a ladder; its four arrays are changed in place."""
    items = structure[0]
    weights = np.empty(answers.shape)
    factors = np.empty(structure[1][-1])
    tilt = np.empty((len(positions), answers.shape[2]))
    set_associations(structure[3], associations, factors)
    for k in range(len(positions)):
        for j in range(len(slopes)):
            set_weights(positions[k], slopes[j], thresholds[j], weights[k, j])
    for _ in range(SWEEPS):
        for b in range(len(items)):
            for place in range(items.shape[1]):
                j = items[b, place]
                if j < 0:
                    continue
                set_log_tilt(structure, b, place, weights, factors, tilt)
                _step_ladder_item(answers[:, j], positions, slopes, thresholds, j, tilt)
                for k in range(len(positions)):
                    set_weights(positions[k], slopes[j], thresholds[j], weights[k, j])
        _step_positions(answers, positions, slopes, thresholds, structure, factors, weights)
        step_associations(answers, products, structure, weights, associations, factors)
