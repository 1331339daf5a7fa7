"""Integer programmes over counts, solved exactly (HiGHS, through scipy)."""

from collections.abc import Sequence

import numpy as np
from scipy import optimize, sparse

_DONE, _INFEASIBLE, _UNBOUNDED = 0, 2, 3


def least(
    cost: np.ndarray, bounds: tuple[np.ndarray, np.ndarray], rows: Sequence[tuple]
) -> np.ndarray | None:
    """Whole numbers within bounds and rows at the least cost; null where there are none.

    Parameters
    ----------
    cost
        Of a unit of each unknown.
    bounds
        Lowest and highest value of each, infinite allowed.
    rows
        ``(positions, coefficients, low, high)``: sums that stay within low and high.

    Raises
    ------
    ValueError
        The cost has no least value.
    """
    constraints = []
    if rows:
        lengths = [len(row[0]) for row in rows]
        matrix = sparse.csr_array(
            (
                np.concatenate([row[1] for row in rows]).astype(float),
                np.concatenate([row[0] for row in rows]).astype(np.int64),
                np.cumsum([0, *lengths]),
            ),
            shape=(len(rows), len(cost)),
        )
        constraints = [
            optimize.LinearConstraint(matrix, [row[2] for row in rows], [row[3] for row in rows])
        ]
    found = optimize.milp(
        cost,
        integrality=np.ones(len(cost)),
        bounds=optimize.Bounds(*bounds),
        constraints=constraints,
        options={"mip_rel_gap": 0.0},
    )
    if found.status == _INFEASIBLE:
        return None
    if found.status != _DONE:
        raise ValueError(f"The integer programme has no answer: {found.message}")
    return np.rint(found.x).astype(np.int64)
