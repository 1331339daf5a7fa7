"""Linear and integer programmes over counts (HiGHS, through scipy)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize, sparse

_INFEASIBLE = 2
_NEAR = 1e-6  # of a whole number
_NEARLY = 0.1  # of the least cost, above it
_STEP = 1e-3  # cost of any move: few and small moves are mostly whole ones

Bounds = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Rows:
    """Sums of unknowns that stay within limits: ``low <= matrix @ x <= high``."""

    matrix: sparse.csr_array
    low: np.ndarray
    high: np.ndarray

    @classmethod
    def of(cls, rows: Sequence[tuple], n: int) -> "Rows":
        """From ``(positions, coefficients, low, high)`` of each sum over `n` unknowns."""
        matrix = sparse.csr_array(
            (
                np.concatenate([[], *(row[1] for row in rows)]),
                np.concatenate([[], *(row[0] for row in rows)]).astype(np.int64),
                np.cumsum([0, *(len(row[0]) for row in rows)]),
            ),
            shape=(len(rows), n),
        )
        return cls(matrix, *(np.array([row[k] for row in rows], dtype=float) for k in (2, 3)))


def least(cost: np.ndarray, bounds: Bounds, rows: Rows, best: bool = True) -> np.ndarray | None:
    """Whole numbers within bounds and rows at the least cost; null where there are none.

    Where the linear programme has an answer in whole numbers, it is the answer.

    Parameters
    ----------
    cost
        Of a unit of each unknown, a whole number.
    bounds
        Lowest and highest value of each.
    rows
        Relations between them.
    best
        Else any of a cost that is near the least.

    Raises
    ------
    ValueError
        The cost has no least value.
    """
    found = _solved(cost, bounds, rows, whole=False)
    if found is not None and not _whole(found, bounds, rows):
        bound = np.ceil(cost @ found - _NEAR) if best else np.inf  # no whole numbers cost less
        found = _solved(cost, bounds, rows, whole=True, gap=0.0 if best else _NEARLY)
        proven = (
            found is not None and _whole(found, bounds, rows) and cost @ np.rint(found) <= bound
        )
        if not proven:
            # with presolve HiGHS has called a solution the best that was not, see the tests
            found = _solved(cost, bounds, rows, whole=True, presolve=False)
    return None if found is None else np.rint(found).astype(np.int64)


def moves(
    low: np.ndarray, high: np.ndarray, pull: np.ndarray, rows: Rows, thorough: bool = False
) -> np.ndarray | None:
    """Few, small and whole moves within bounds and rows; null where none are found.

    Parameters
    ----------
    low, high
        How far each unknown may move.
    pull
        Cost of each unit upwards, and gain of each downwards.
    rows
        Relations between the moves.
    thorough
        Solve the integer programme where the linear one has no answer in whole numbers.
    """
    none = np.zeros(0)
    found = _moves(low, high, pull, rows, none.astype(int), (none, none), (none, none))
    if found is None:
        return None
    tried = found[0]
    if thorough and not _whole(tried, (low, high), rows):
        tried = _solved(np.zeros(len(low)), (low, high), rows, whole=True)
    # what counts is reckoned, whatever the solver says
    if tried is None or not _whole(tried, (low, high), rows):
        return None
    return np.rint(tried).astype(np.int64)


def beyond(
    low: np.ndarray, high: np.ndarray, rows: Rows, which: np.ndarray, room: Bounds, cost: Bounds
) -> np.ndarray | None:
    """Which unknowns have to move beyond their bounds, at the least cost; null if that is in vain.

    Parameters
    ----------
    low, high, rows
        As of `moves`.
    which
        Unknowns that may move beyond.
    room, cost
        How far they may, downwards and upwards, and what a unit costs.
    """
    found = _moves(low, high, np.zeros(len(low)), rows, which, room, cost)
    return None if found is None else which[found[1] > _NEAR]


def _moves(low, high, pull, rows, which, room, cost) -> tuple[np.ndarray, np.ndarray] | None:
    """Moves, and how much of them is beyond the bounds; ups and downs are unknowns of their own."""
    matrix, far = rows.matrix, rows.matrix[:, which]
    parts = [matrix, -matrix, -far, far]
    ups, downs = np.maximum([low, high], 0), np.maximum([-high, -low], 0)
    zero = np.zeros(len(which))
    found = _solved(
        np.concatenate([pull + _STEP, _STEP - pull, *cost]),
        tuple(
            np.concatenate(ends)
            for ends in ((ups[0], downs[0], zero, zero), (ups[1], downs[1], *room))
        ),
        Rows(sparse.hstack(parts, format="csr"), rows.low, rows.high),
        whole=False,
    )
    if found is None:
        return None
    up, down, beyond_down, beyond_up = np.split(found, np.cumsum([len(low), len(low), len(which)]))
    total = up - down
    total[which] += beyond_up - beyond_down
    return total, beyond_up + beyond_down


def _whole(found: np.ndarray, bounds: Bounds, rows: Rows) -> bool:
    """Whether a solution is one in whole numbers, by reckoning with them."""
    near = np.rint(found)
    sums = rows.matrix @ near
    return bool(
        np.abs(found - near).max(initial=0) <= _NEAR
        and ((near >= bounds[0]) & (near <= bounds[1])).all()
        and ((sums >= rows.low) & (sums <= rows.high)).all()
    )


def _solved(
    cost, bounds: Bounds, rows: Rows, whole: bool, presolve: bool = True, gap: float = 0.0
) -> np.ndarray | None:
    constraints = ()
    if rows.matrix.shape[0]:
        constraints = [optimize.LinearConstraint(rows.matrix, rows.low, rows.high)]
    found = optimize.milp(
        cost,
        integrality=np.full(len(cost), int(whole)),
        bounds=optimize.Bounds(*bounds),
        constraints=constraints,
        options={"mip_rel_gap": gap, "presolve": presolve},
    )
    if found.status == _INFEASIBLE:
        return None
    if not found.success:
        raise ValueError(f"The programme has no answer: {found.message}")
    return found.x
