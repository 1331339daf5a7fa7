"""Forward and backward evaluation of a cohort model."""

import numpy as np


def _matrix(model, c):
    at = model.schedule[:, c]
    k = np.arange(len(at)) if model.transitions.shape[1] > 1 else 0
    if len(at) == 1:
        return model.transitions[:, :, at[0]]
    return np.stack(
        [model.transitions[:, k if np.ndim(k) == 0 else k[i], a] for i, a in enumerate(at)], axis=1
    )


def _values(model, flow, t):
    at = flow.schedule[:, t]
    many = flow.values.shape[1] > 1
    if len(at) == 1:
        return flow.values[:, :, at[0]]
    return np.stack([flow.values[:, i if many else 0, a] for i, a in enumerate(at)], axis=1)


def traces(model):
    """(D, K, T+1, S) membership."""
    n, K, S = model.n_draws, len(model.strategies), len(model.states)
    m = np.broadcast_to(model.start, (n, K, S))
    found = [m]
    for c in range(model.n_cycles):
        m = np.einsum("dki,dkij->dkj", m, np.broadcast_to(_matrix(model, c), (n, K, S, S)))
        found.append(m)
    return np.stack(found, axis=2)


def trace(model, draw, strategy):
    """(T+1, S) membership."""
    return traces(model)[draw, strategy]


def totals(model, flows):
    """Totals, (D, K) each."""
    m = traces(model)
    result = []
    for each in flows:
        total = np.zeros(m.shape[:2])
        for flow in each:
            for t in range(model.n_cycles + 1):
                total = total + flow.weights[t] * (m[:, :, t] * _values(model, flow, t)).sum(-1)
        result.append(total)
    return result


def to_go(model, flows):
    """(D, K, T+1, S) values to go."""
    n, K, S = model.n_draws, len(model.strategies), len(model.states)
    v = np.zeros((n, K, S))
    found = []
    for t in range(model.n_cycles, -1, -1):
        if t < model.n_cycles:
            v = np.einsum("dkij,dkj->dki", np.broadcast_to(_matrix(model, t), (n, K, S, S)), v)
        for flow in flows:
            v = v + flow.weights[t] * _values(model, flow, t)
        found.append(v)
    return np.stack(found[::-1], axis=2)
