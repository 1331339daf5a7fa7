"""What every function of decision analysis asks of its arrays."""

import numpy as np

from iesoresearch.errors import ParameterError

AXES = {1: ("place",), 2: ("row", "column"), 3: ("draw", "group", "strategy")}


def numbers(values, label: str, ndim: int) -> np.ndarray:
    """`values` as finite floats with `ndim` axes; `label` names them in errors.

    Raises
    ------
    ParameterError
        Not numbers, another number of axes, empty, NaN or infinite; the place is named.
    """
    try:
        array = np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise ParameterError(f"{label} must be numbers: {error}.") from error
    if array.ndim != ndim:
        raise ParameterError(
            f"{label} must have {ndim} {'axis' if ndim == 1 else 'axes'}, not {array.ndim} "
            f"(shape {array.shape})."
        )
    if array.size == 0:
        raise ParameterError(f"{label} are empty (shape {array.shape}).")
    if not np.isfinite(array).all():
        place = np.argwhere(~np.isfinite(array))
        where = ", ".join(f"{axis} {i}" for axis, i in zip(AXES[ndim], place[0], strict=True))
        raise ParameterError(
            f"{label} hold {len(place):,} values that are NaN or infinite, the first in {where} "
            "(counted from 0). Mend the model or the draws; leaving draws out would bias the "
            "result."
        )
    return array


def strategies(array: np.ndarray, label: str) -> np.ndarray:
    """Raise a `ParameterError` unless the last axis has two strategies or more."""
    if array.shape[-1] < 2:
        raise ParameterError(f"{label} are of one strategy; a decision needs two or more.")
    return array


def outcomes(costs, effects) -> tuple[np.ndarray, np.ndarray]:
    """Costs and effects (D draws, K strategies), checked and of one shape."""
    cost, effect = numbers(costs, "costs", 2), numbers(effects, "effects", 2)
    if cost.shape != effect.shape:
        raise ParameterError(
            f"costs have shape {cost.shape}, effects {effect.shape}; both must be (draws, "
            "strategies), row by row from the same draw."
        )
    return strategies(cost, "costs"), effect


def willingness(wtps) -> np.ndarray:
    """Values of willingness to pay (W,), finite and not negative."""
    grid = numbers(np.atleast_1d(wtps), "willingness to pay (wtp)", 1)
    if (grid < 0).any():
        raise ParameterError(
            f"Willingness to pay must not be negative, but {grid.min():g} was given. "
            "It is money per unit of effect."
        )
    return grid


def labels(names, n: int, what: str) -> tuple[str, ...]:
    """`n` different names as a tuple, or a `ParameterError` that says what is amiss."""
    if isinstance(names, str):
        raise ParameterError(f"names of {what} must be a list, not one text {names!r}.")
    names = tuple(str(name) for name in names)
    if len(names) != n:
        raise ParameterError(f"{len(names)} names for {n} {what}.")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ParameterError(f"Names of {what} must differ; given twice: {', '.join(twice)}.")
    return names
