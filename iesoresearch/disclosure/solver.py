"""Linear and integer programmes over counts (HiGHS, through scipy)."""

from collections.abc import Sequence

import numpy as np
from scipy import optimize, sparse

_INFEASIBLE = 2
#: ``(positions, coefficients, low, high)``: a sum that stays within low and high.
Row = tuple[np.ndarray, np.ndarray, float, float]
Bounds = tuple[np.ndarray, np.ndarray]


def relaxed(cost: np.ndarray, bounds: Bounds, rows: Sequence[Row]) -> np.ndarray | None:
    """Numbers within bounds and rows at the least cost, whole or not; null where there are none.

    Parameters
    ----------
    cost
        Of a unit of each unknown.
    bounds
        Lowest and highest value of each.
    rows
        Relations between them.

    Raises
    ------
    ValueError
        The cost has no least value.
    """
    return _solved(cost, bounds, rows, whole=False)


def least(cost: np.ndarray, bounds: Bounds, rows: Sequence[Row]) -> np.ndarray | None:
    """Whole numbers within bounds and rows at the least cost; null where there are none.

    A relaxed solution in whole numbers is the answer; else the integer programme is solved.
    Parameters and errors as of `relaxed`.
    """
    found = relaxed(cost, bounds, rows)
    if found is not None and not whole(found, bounds, rows):
        found = _solved(cost, bounds, rows, whole=True)
    return None if found is None else np.rint(found).astype(np.int64)


def whole(found: np.ndarray, bounds: Bounds, rows: Sequence[Row]) -> bool:
    """Whether a solution is one in whole numbers, by reckoning with them."""
    near = np.rint(found)
    if np.abs(found - near).max(initial=0) > 1e-6:
        return False
    within = ((near >= bounds[0]) & (near <= bounds[1])).all()
    return bool(
        within and all(low <= factors @ near[at] <= high for at, factors, low, high in rows)
    )


def _solved(cost, bounds, rows, whole: bool) -> np.ndarray | None:
    ends = np.cumsum([0, *(len(row[0]) for row in rows)])
    matrix = sparse.csr_array(
        (
            np.concatenate([[], *(row[1] for row in rows)]),
            np.concatenate([[], *(row[0] for row in rows)]).astype(np.int64),
            ends,
        ),
        shape=(len(rows), len(cost)),
    )
    limits = [row[2] for row in rows], [row[3] for row in rows]
    found = optimize.milp(
        cost,
        integrality=np.full(len(cost), int(whole)),
        bounds=optimize.Bounds(*bounds),
        constraints=[optimize.LinearConstraint(matrix, *limits)] if rows else (),
        options={"mip_rel_gap": 0.0},
    )
    if found.status == _INFEASIBLE:
        return None
    if not found.success:
        raise ValueError(f"The programme has no answer: {found.message}")
    return found.x
