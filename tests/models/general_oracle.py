"""A latent Markov model in its most general form, person by person, in plain numpy.

Shares no line with the package. A person is a list of sessions; initial probabilities and
transition matrices may differ between people and sessions.
"""

from itertools import product

import numpy as np


def softmax(logits):
    weights = np.exp(logits - logits.max())
    return weights / weights.sum()


def initial_of(coefs, covariates):
    """First state is the reference; coefs (1 + p, K - 1)."""
    return softmax(np.append(0.0, np.append(1.0, covariates) @ coefs))


def matrix_of(coefs, covariates):
    """The state of origin is the reference; coefs (K, 1 + q, K - 1), columns the other states."""
    rows = []
    for origin, table in enumerate(coefs):
        logits = list(np.append(1.0, covariates) @ table)
        logits.insert(origin, 0.0)
        rows.append(softmax(np.array(logits)))
    return np.array(rows)


def emission(item_probs, answers):
    """Probability of one session's answers in every state; -1 is missing."""
    out = np.ones(len(item_probs))
    for item, answer in enumerate(answers):
        if answer >= 0:
            out = out * item_probs[:, item, answer]
    return out


def forward(initial, matrices, emissions):
    """Likelihood of one person; `matrices` has one fewer than `emissions`."""
    ahead = initial * emissions[0]
    for matrix, chance in zip(matrices, emissions[1:], strict=True):
        ahead = (ahead @ matrix) * chance
    return ahead.sum()


def enumerated(initial, matrices, emissions):
    """All paths of one person (paths, sessions) and their probability with the answers."""
    paths = np.array(list(product(range(len(initial)), repeat=len(emissions))))
    joint = initial[paths[:, 0]] * emissions[0][paths[:, 0]]
    for t, (matrix, chance) in enumerate(zip(matrices, emissions[1:], strict=True), start=1):
        joint = joint * matrix[paths[:, t - 1], paths[:, t]] * chance[paths[:, t]]
    return paths, joint


def of_states(paths, joint, n_states):
    """Probability of every state at every session: (sessions, K)."""
    return np.array([
        [joint[paths[:, t] == k].sum() / joint.sum() for k in range(n_states)]
        for t in range(paths.shape[1])
    ])  # fmt: skip


def slices(lengths):
    ends = np.cumsum(lengths)
    return [slice(end - n, end) for n, end in zip(lengths, ends, strict=True)]


def with_covariates(params, items, lengths, first, moves):
    """Log-likelihood of everybody: (people,), session after session for all people at once.

    `params` holds `item_probs`, and `initial_coefs` or `initial_probs`, `transition_coefs` or
    `transition_matrix`.
    """
    chances = np.ones((len(items), len(params["item_probs"])))
    for item, answers in enumerate(items.T):
        known = answers >= 0
        chances[known] *= params["item_probs"][:, item, answers[known]].T
    lengths = np.asarray(lengths)
    firsts = np.cumsum(lengths) - lengths
    ahead = everybodys(params, "initial", first, len(lengths)) * chances[firsts]
    matrices = everybodys(params, "transition", moves, len(items))
    for t in range(1, lengths.max()):
        still = lengths > t
        rows = firsts[still] + t
        ahead[still] = np.einsum("pi,pij->pj", ahead[still], matrices[rows]) * chances[rows]
    return np.log(ahead.sum(axis=1))


def everybodys(params, kind, covariates, n):
    """`initial_of` or `matrix_of` for every row of covariates at once."""
    if f"{kind}_coefs" not in params:
        same = params["initial_probs" if kind == "initial" else "transition_matrix"]
        return np.repeat(same[None], n, axis=0)
    coefs = params[f"{kind}_coefs"]
    logits = np.column_stack([np.ones(n), covariates]) @ coefs
    if kind == "initial":
        logits = np.column_stack([np.zeros(n), logits])
    else:
        own = [np.insert(logits[origin], origin, 0.0, axis=1) for origin in range(len(coefs))]
        logits = np.stack(own, axis=1)
    weights = np.exp(logits)
    return weights / weights.sum(axis=-1, keepdims=True)


def chain_of(params, rows, p, first, moves):
    """Initial probabilities of person p, and the matrix into each of her rows but the first."""
    if "initial_coefs" in params:
        initial = initial_of(params["initial_coefs"], first[p])
    else:
        initial = params["initial_probs"]
    later = range(rows.start + 1, rows.stop)
    if "transition_coefs" in params:
        return initial, [matrix_of(params["transition_coefs"], moves[row]) for row in later]
    return initial, [params["transition_matrix"]] * len(later)


def gradient(function, at, step=1e-5):
    """Central differences."""
    return np.array([
        (function(at + step * e) - function(at - step * e)) / (2 * step) for e in np.eye(len(at))
    ])  # fmt: skip


def hessian(function, at, step=1e-3):
    """Second differences of a function (n,) -> number, of fourth order along the diagonal."""
    n, base, middle = len(at), np.eye(len(at)) * step, function(at)
    out = np.empty((n, n))
    for i in range(n):
        near = function(at + base[i]) + function(at - base[i])
        far = function(at + 2 * base[i]) + function(at - 2 * base[i])
        out[i, i] = (16 * near - far - 30 * middle) / (12 * step**2)
        for j in range(i):
            out[i, j] = out[j, i] = (
                function(at + base[i] + base[j]) - function(at + base[i] - base[j])
                - function(at - base[i] + base[j]) + function(at - base[i] - base[j])
            ) / (4 * step**2)  # fmt: skip
    return out
