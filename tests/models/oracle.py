"""What the models must equal, in plain numpy: shares no line with the package.

A model is a dict of `initial_probs` (K,), `transition_matrix` (K, K) and `item_probs`
(K, items, levels), which is also what `LatentMarkov(init=...)` takes.
"""

from itertools import product

import numpy as np


def random_model(random, n_states, levels, sharpness=1.0):
    """A model with Dirichlet rows; item j has ``levels[j]`` levels, the rest of its row is 0."""
    item_probs = np.zeros((n_states, len(levels), max(levels)))
    for j, n in enumerate(levels):
        item_probs[:, j, :n] = random.dirichlet([sharpness] * n, n_states)
    return {
        "initial_probs": random.dirichlet([1.0] * n_states),
        "transition_matrix": random.dirichlet([1.0] * n_states, n_states),
        "item_probs": item_probs,
    }


def draw(random, probs):
    """One category per row of `probs` (..., categories), by inversion."""
    below = probs.cumsum(axis=-1)[..., :-1]  # the last category takes what rounding leaves over
    return (random.random((*probs.shape[:-1], 1)) >= below).sum(axis=-1)


def simulate(model, lengths, seed, missing=0.0):
    """Answers (rows, items) as int8 and states (rows,) of people with these `lengths`."""
    random = np.random.default_rng(seed)
    states = []
    for n in lengths:
        state = draw(random, model["initial_probs"])
        states.append(state)
        for _ in range(n - 1):
            state = draw(random, model["transition_matrix"][state])
            states.append(state)
    states = np.array(states)
    items = draw(random, model["item_probs"][states])
    items[random.random(items.shape) < missing] = -1
    return items.astype(np.int8), states


def people(lengths):
    """Slice of the rows of each person."""
    ends = np.cumsum(lengths)
    return [slice(end - n, end) for n, end in zip(lengths, ends, strict=True)]


def emission(model, row):
    """Probability of the answers of one session in every state."""
    out = np.ones(len(model["initial_probs"]))
    for item, answer in enumerate(row):
        if answer >= 0:
            out = out * model["item_probs"][:, item, answer]
    return out


def log_likelihood(model, items, lengths):
    """Forward algorithm as in a textbook, one scale per session."""
    total = 0.0
    for rows in people(lengths):
        ahead = model["initial_probs"]
        for row in items[rows]:
            joint = ahead * emission(model, row)
            total += np.log(joint.sum())
            ahead = joint / joint.sum() @ model["transition_matrix"]
    return total


class Enumeration:
    """Every path of states of one person with its probability: K ** sessions of them."""

    def __init__(self, model, answers):
        n_states, n = len(model["initial_probs"]), len(answers)
        self.paths = np.array(list(product(range(n_states), repeat=n)))
        joint = model["initial_probs"][self.paths[:, 0]]
        for t in range(1, n):
            joint = joint * model["transition_matrix"][self.paths[:, t - 1], self.paths[:, t]]
        for t, row in enumerate(answers):
            joint = joint * emission(model, row)[self.paths[:, t]]
        self.joint = joint
        self.log_likelihood = np.log(joint.sum())
        self.posterior = joint / joint.sum()  # of paths
        #: (sessions, K): of states
        self.states = np.array(
            [[self.posterior[self.paths[:, t] == k].sum() for k in range(n_states)]
             for t in range(n)]
        )  # fmt: skip

    def probability_of(self, path):
        """Joint probability of one path and the answers."""
        return self.joint[(self.paths == path).all(axis=1)].item()

    def transitions(self):
        """Expected number of moves from state to state: (K, K)."""
        counts = np.zeros((self.states.shape[1],) * 2)
        for t in range(1, self.paths.shape[1]):
            np.add.at(counts, (self.paths[:, t - 1], self.paths[:, t]), self.posterior)
        return counts


def entropy(probs):
    """Entropy in nats of everything in `probs`."""
    positive = probs[probs > 0]
    return float(-(positive * np.log(positive)).sum())
