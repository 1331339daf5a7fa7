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
        *(model.start, _matrices(model), schedules(model), *_entries(occurs, len(every))),
        *(*laid_out(model, every), out, kernel.LANES),
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
            *(_matrices(model), schedules(model), cells, bounds, columns),
            *(*laid_out(model, flows), out, kernel.LANES),
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
    at = schedules(model)
    for a, d in enumerate(draws):
        for b, k in enumerate(strategies):
            start, p = _of(model.start, d, k), _of(model.transitions, d, k)
            kernel.trace(start, p, at[k], out[a, b])
    return out


def _of(array, d: int, k: int):
    return array[d if array.shape[0] > 1 else 0, k if array.shape[1] > 1 else 0]


def schedules(model) -> np.ndarray:
    """(K, T): which matrix holds in each cycle."""
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


def laid_out(model, flows: list[Flow]):
    """Values of all flows in one vector, where each begins, and weights: for `kernel.forward`."""
    n, points = len(flows), (len(model.strategies), model.n_cycles + 1)
    layout, value_at = np.empty((n, 3), dtype=np.int64), np.empty((n, *points), dtype=np.int64)
    begin = 0
    for f, flow in enumerate(flows):
        draws, strategies, entries, size = flow.values.shape
        stride = entries * size
        layout[f] = begin, strategies * stride * (draws > 1), stride * (strategies > 1)
        value_at[f] = np.broadcast_to(flow.schedule, points) * size
        begin += flow.values.size
    values = np.concatenate([np.zeros(0), *(flow.values.ravel() for flow in flows)])
    weights = np.array([flow.weights for flow in flows]).reshape(n, points[1])
    return values, layout, value_at, weights
