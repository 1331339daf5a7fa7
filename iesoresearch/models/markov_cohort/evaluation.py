"""Hands a cohort model to the kernels."""

import numpy as np

from iesoresearch.models.markov_cohort import kernel
from iesoresearch.models.markov_cohort.rewards import Flow

FULL = 0.6  # share of moves that occur, from which on skipping the others costs more than it saves


def totals(model, occurs: np.ndarray, flows: list[list[Flow]]) -> list[np.ndarray]:
    """Totals of rewards, in one forward pass.

    Parameters
    ----------
    model : CohortModel
        A valid one.
    occurs : (S, S) array
        Moves that occur.
    flows
        By reward.

    Returns
    -------
    list of (D, K) arrays
        By reward.
    """
    every = [flow for each in flows for flow in each]
    shape = (model.n_draws, len(model.strategies))
    if not every:
        return [np.zeros(shape) for _ in flows]
    out = np.empty((len(every), *shape))
    kernel.forward(
        *(model.start, _matrices(model), _by_strategy(model), *_entries(occurs, len(every))),
        *(*_laid_out(model, every), out, kernel.LANES),
    )
    ends = np.cumsum([len(each) for each in flows])
    return [out[end - len(each) : end].sum(0) for each, end in zip(flows, ends, strict=True)]


def to_go(model, occurs: np.ndarray, flows: list[Flow]) -> np.ndarray:
    """Values to go of one reward, in a backward pass.

    Parameters
    ----------
    model : CohortModel
        A valid one.
    occurs : (S, S) array
        Moves that occur.
    flows
        Of the reward.

    Returns
    -------
    (D, K, T+1, S) array
    """
    shape = (model.n_draws, len(model.strategies), model.n_cycles + 1, len(model.states))
    out = np.zeros(shape)
    if flows:
        cells, bounds, columns = _entries(occurs.T, 0)
        size = len(occurs)
        cells = cells % size * size + cells // size  # those of the transpose, in the matrix
        kernel.backward(
            *(_matrices(model), _by_strategy(model), cells, bounds, columns),
            *(*_laid_out(model, flows), out, kernel.LANES),
        )
    return out


def traces(model, draws, strategies) -> np.ndarray:
    """Membership at all points.

    Parameters
    ----------
    model : CohortModel
        A valid one.
    draws, strategies
        Indices of those wanted.

    Returns
    -------
    (draws, strategies, T+1, S) array
    """
    out = np.empty((len(draws), len(strategies), model.n_cycles + 1, len(model.states)))
    at = _by_strategy(model)
    for a, d in enumerate(draws):
        for b, k in enumerate(strategies):
            start, p = _of(model.start, d, k), _of(model.transitions, d, k)
            kernel.trace(start, p, at[k], out[a, b])
    return out


def _of(array, d: int, k: int):
    return array[d if array.shape[0] > 1 else 0, k if array.shape[1] > 1 else 0]


def _by_strategy(model) -> np.ndarray:
    shape = (len(model.strategies), model.n_cycles)
    return np.ascontiguousarray(np.broadcast_to(model.schedule, shape), dtype=np.int64)


def _entries(occurs: np.ndarray, n_flows: int):
    """Cells of the matrix column by column; bounds of the table by column, and its rows."""
    if occurs.mean() >= FULL:
        occurs = np.ones_like(occurs)
    columns, rows = np.nonzero(occurs.T)
    size = len(occurs)
    bounds = np.cumsum([0, *occurs.sum(0), *[size] * n_flows])
    cells = (rows * size + columns).astype(np.uint64)  # unsigned: never counted from the end
    return cells, bounds, np.concatenate([rows, np.tile(np.arange(size), n_flows)])


def _matrices(model) -> np.ndarray:
    p = model.transitions
    return p.reshape(*p.shape[:3], -1)


def _laid_out(model, flows: list[Flow]):
    """Values of all flows in one vector, where each begins, and the weights."""
    points = (len(model.strategies), model.n_cycles + 1)
    layout, value_at, at = [], [], 0
    for flow in flows:
        draws, strategies, entries, size = flow.values.shape
        stride = entries * size
        layout.append((at, strategies * stride * (draws > 1), stride * (strategies > 1)))
        value_at.append(np.broadcast_to(flow.schedule, points) * size)
        at += flow.values.size
    values = np.concatenate([flow.values.ravel() for flow in flows])
    weights = np.array([flow.weights for flow in flows])
    return values, np.array(layout, dtype=np.int64), np.array(value_at, dtype=np.int64), weights
