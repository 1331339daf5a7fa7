"""An attacker who works out by hand what counts are made of, whatever an analysis declares."""

import numpy as np
import pytest
from scipy import optimize, sparse

from iesoresearch.disclosure.release import PROTECTS
from iesoresearch.results import STATUS


@pytest.fixture(scope="session")
def proved():
    """What integer programmes prove of counts, and of remainders, that are too few to be told."""
    return _proved


def _proved(exact, released, policy, relations):
    """Few people of whom more is proved than that they are few: who, what is proved, the truth.

    Relations are as those of `results.relate`: a count, its parts, and whether they add up to it
    or each leaves a remainder. Counts are named by table, column and keys.
    """
    truth = {at: n for name, table in exact.items() for at, n in _counts(name, table).items()}
    low, high = [], []
    for at in truth:
        bounds = _bounds(released, at, policy)
        low.append(bounds[0])
        high.append(bounds[1])
    where = {at: i for i, at in enumerate(truth)}
    x, rows = list(truth.values()), []
    for whole, parts, adds_up in relations:
        assert not set(parts) - set(where), parts
        for group in [parts] if adds_up else [(part,) for part in parts]:
            if whole in group:  # a count is itself
                continue
            row = {where[whole]: -1.0} | {where[part]: 1.0 for part in group}
            if not adds_up:  # what is left
                where["rest", whole, *group] = len(x)
                row[len(x)] = 1.0
                x.append(truth[whole] - truth[group[0]])
                low.append(0)
                high.append(np.inf)
            assert sum(c * x[i] for i, c in row.items()) == 0, (whole, group)
            rows.append(row)
    few = {at: i for at, i in where.items() if policy.is_small(np.array([x[i]]))[0]}
    return _narrowed(few, x, rows, np.array(low), np.array(high, dtype=float), policy)


def _counts(name, table):
    columns = [
        column
        for column, value in table.values.items()
        if value.kind == "count" and table.frame.schema[column].is_integer()
    ]
    return {
        (name, column, tuple(row[key] for key in table.keys)): row[column]
        for row in table.frame.to_dicts()
        for column in columns
        if row[column] is not None
    }


def _bounds(released, at, policy):
    """All that the release says of a count: about how many, or that it is hidden, and why."""
    name, column, keys = at
    frame = released[name].frame
    for key, value in zip(released[name].keys, keys, strict=True):
        frame = frame.filter(frame[key] == value)
    shown, status = frame[column].item(), frame[STATUS].item()
    if shown is None:
        return (policy.min_count if status == PROTECTS else 0), np.inf
    least, most = policy.shown_as(shown)
    return (max(least, policy.min_count) if shown else 0), most


def _narrowed(few, x, rows, low, high, policy):
    matrix = sparse.lil_matrix((len(rows), len(x)))
    for i, row in enumerate(rows):
        for j, coefficient in row.items():
            matrix[i, j] = coefficient
    constraints = optimize.LinearConstraint(matrix.tocsr(), 0.0, 0.0)

    def world(cost, lower, upper):
        found = optimize.milp(
            cost, constraints=constraints, bounds=optimize.Bounds(lower, upper),
            integrality=np.ones(len(x)),
        )  # fmt: skip
        return None if found.x is None else found.x.round()

    least, most, ends = policy.fewest, policy.min_count - 1, {at: set() for at in few}
    for draw in range(_DRAWS):  # most counts reach both ends in a few worlds
        lower, upper, cost = low.copy(), high.copy(), np.zeros(len(x))
        signs = np.random.default_rng(draw).choice([-1.0, 1.0], len(few))
        for i, sign in zip(few.values(), signs, strict=True):
            lower[i], upper[i], cost[i] = max(low[i], least), min(high[i], most), sign
        found = world(cost, lower, upper)
        for at, i in few.items():
            ends[at] |= set() if found is None else {found[i]} & {least, most}
    for at, i in few.items():
        for end in {least, most} - ends[at]:
            lower, upper = low.copy(), high.copy()
            lower[i], upper[i] = max(low[i], end), min(high[i], end)
            if lower[i] <= upper[i] and world(np.zeros(len(x)), lower, upper) is not None:
                ends[at].add(end)
    return [(at, f"cannot be {end}", x[few[at]]) for at in few for end in {least, most} - ends[at]]


_DRAWS = 6
