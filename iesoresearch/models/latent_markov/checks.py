"""Checks of what a caller hands to an estimator. Messages count; they never quote an answer."""

import os
from collections.abc import Mapping

import numpy as np

from iesoresearch.errors import DataError, ParameterError

COEFS = ("initial_coefs", "transition_coefs")  # any finite numbers
SHARES = ("stayer_shares", "dropout_probs")  # start values that are no rows of probabilities


def check_items(items) -> np.ndarray:
    """`items` as an int8 array of shape (rows, items); an int8 array is returned as it is."""
    array = np.asarray(items)
    if array.ndim != 2 or array.shape[1] == 0:
        raise DataError(
            f"items has shape {array.shape}; it must have one row per session and one column per "
            "item. Pass a two-dimensional integer array."
        )
    if len(array) == 0:
        raise DataError(
            "items has no rows, so there is nobody to fit. Check the filters that made it."
        )
    if array.dtype != np.int8:
        if array.dtype.kind not in "iu":
            raise DataError(
                f"items holds {array.dtype} values; answers must be whole numbers from 0 with -1 "
                "for missing. Replace NaN by -1 and convert with .astype('int8')."
            )
        if array.max() > 127 or array.min() < -128:
            raise DataError("items holds numbers that no questionnaire has; codes end at 127.")
        array = array.astype(np.int8)
    return array


def check_levels(items: np.ndarray, n_categories) -> np.ndarray:
    """Number of levels of each item, with every answer inside them."""
    n_items = items.shape[1]
    if n_categories is None:
        n_categories = max(int(items.max()) + 1, 2)
    try:
        levels = np.asarray(n_categories)
    except ValueError:  # a ragged list
        levels = np.empty(0)
    if levels.ndim == 0:
        levels = np.full(n_items, n_categories)
    whole = levels.shape == (n_items,) and levels.dtype.kind in "iu"
    if not whole or levels.min() < 2 or levels.max() > 128:  # int8 codes end at 127
        raise ParameterError(
            f"n_categories={n_categories!r} does not fit {n_items} items; give one number from "
            f"2 to 128, or {n_items} of them."
        )
    outside = ((items < -1) | (items >= levels)).sum(axis=0)
    if outside.any():
        columns = ", ".join(
            f"{n} in column {j} (0 … {levels[j] - 1})" for j, n in enumerate(outside) if n
        )
        raise DataError(
            f"{outside.sum()} answers lie outside their item's levels: {columns}; columns count "
            "from 0, -1 is missing. Recode them, or set them to -1, before fitting."
        )
    return levels.astype(np.int64)


def check_lengths(items: np.ndarray, lengths) -> np.ndarray:
    """First row of each person and, last, the number of rows."""
    if lengths is None:
        return np.arange(len(items) + 1, dtype=np.int64)
    array = np.asarray(lengths)
    if array.ndim != 1 or array.dtype.kind not in "iu" or len(array) == 0 or array.min() < 1:
        raise DataError(
            "lengths must hold one whole number of sessions, at least 1, for every person."
        )
    if array.sum() != len(items):
        raise DataError(
            f"lengths add up to {array.sum()} sessions but items has {len(items)} rows. Sort both "
            "by person and session, and give one length per person."
        )
    return np.concatenate([[0], np.cumsum(array, dtype=np.int64)])


def check_answered(items: np.ndarray, bounds: np.ndarray) -> None:
    """Refuse people who answered nothing at all."""
    answered = (items >= 0).any(axis=1)
    empty = int((~np.logical_or.reduceat(answered, bounds[:-1])).sum())
    if empty:
        raise DataError(
            f"{empty} of {len(bounds) - 1} people answered no item in any session and say nothing "
            "about the states. Leave them out before fitting, and report how many they were."
        )


def check_weights(weights, n_people: int) -> np.ndarray | None:
    """Weights of people: finite, none negative, some positive."""
    if weights is None:
        return None
    array = np.asarray(weights)
    if array.shape != (n_people,) or array.dtype.kind not in "iuf":
        raise DataError(
            f"weights has shape {array.shape}; it must hold one number for each of the {n_people} "
            "people."
        )
    array = array.astype(float)
    bad = int((~np.isfinite(array) | (array < 0)).sum())
    if bad or array.sum() <= 0:
        raise DataError(
            f"{bad} of {n_people} weights are negative or not finite, or all are zero. Weights "
            "must be at least 0; leave people without a weight out and report how many they were."
        )
    return array


def check_dropped_out(dropped_out, n_people: int) -> np.ndarray:
    """How people's sessions ended: 1 dropped out, 0 completed, -1 not known."""
    array = np.asarray(dropped_out)
    if array.dtype.kind == "b":
        array = array.astype(np.int8)
    if array.shape != (n_people,) or array.dtype.kind not in "iu":
        raise DataError(
            f"dropped_out has shape {array.shape}; it must hold one whole number for each of the "
            f"{n_people} people: 1 dropped out, 0 completed, -1 not known."
        )
    bad = int((~np.isin(array, (-1, 0, 1))).sum())
    if bad:
        raise DataError(
            f"dropped_out holds {bad} values other than 1 (dropped out), 0 (completed) and -1 (not "
            "known). Recode them."
        )
    return array.astype(np.int8)


def check_whole(name: str, value, lowest: int, highest: int | None = None) -> int:
    """A whole number of at least `lowest` and, if given, at most `highest`."""
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or value < lowest:
        raise ParameterError(f"{name}={value!r} must be a whole number of at least {lowest}.")
    if highest is not None and value > highest:
        raise ParameterError(f"{name}={value!r} must be a whole number of at most {highest}.")
    return int(value)


def check_tol(tol) -> None:
    """A relative tolerance."""
    if not isinstance(tol, int | float | np.floating) or not 0 <= tol < 1:
        raise ParameterError(f"tol={tol!r} must be a number of at least 0 and below 1.")


def check_threads(n_jobs) -> int:
    """Number of threads; -1 asks for all, None for one."""
    if n_jobs is None:
        return 1
    if n_jobs == -1:
        return (os.process_cpu_count() if hasattr(os, "process_cpu_count") else os.cpu_count()) or 1
    return check_whole("n_jobs", n_jobs, 1)


def check_capacity(n_states: int, n_parameters: int, records, n_slopes: int = 0) -> None:
    """Refuse more states than people, or more parameters than answers or answer patterns.

    `n_slopes` of the parameters are of covariates, whose values make cells of their own.
    """
    items, bounds, levels = records.items, records.bounds, records.levels
    n_people = len(bounds) - 1
    n_answers = int((items >= 0).sum())
    advice = "Ask for fewer states or bring more data."
    if n_states > n_people:
        raise DataError(f"There are fewer people than the {n_states} states asked for. {advice}")
    if n_parameters > n_answers:
        raise DataError(
            f"{n_states} states need {n_parameters} parameters but the data hold only {n_answers} "
            f"answers. {advice}"
        )
    log_patterns = np.log(levels).sum()  # of the table of all items, which may be huge
    patterns = np.exp(min(log_patterns, 100.0)) - 1
    if np.all(np.diff(bounds) == 1) and n_parameters - n_slopes > round(patterns):
        raise DataError(
            f"{n_states} states need {n_parameters} parameters but one occasion of these items "
            f"has only {patterns:.0f} free cells, so the model is not identified. "
            "Ask for fewer states."
        )


def check_init(init: Mapping, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """Start values of these `shapes`: probabilities, `SHARES` of states, `COEFS`."""
    if not isinstance(init, Mapping) or set(init) != set(shapes):
        raise ParameterError(f"init must be a dict with the keys {', '.join(shapes)}.")
    try:
        arrays = {name: np.asarray(init[name], dtype=float) for name in shapes}
    except (TypeError, ValueError):
        raise ParameterError("init must hold arrays of numbers.") from None
    for name, expected in shapes.items():
        array = arrays[name]
        if array.shape != expected:
            raise ParameterError(f"init[{name!r}] has shape {array.shape}; it must be {expected}.")
        if name in COEFS:
            if not np.isfinite(array).all():
                raise ParameterError(f"init[{name!r}] must hold finite numbers.")
        elif name in SHARES:
            if not np.all((array >= 0) & (array <= 1)):
                raise ParameterError(f"init[{name!r}] must hold shares from 0 to 1.")
        elif np.any(array < 0) or not np.allclose(array.sum(axis=-1), 1.0, rtol=0, atol=1e-8):
            raise ParameterError(f"init[{name!r}] must hold probabilities whose rows sum to one.")
    return arrays
