"""Many draws, a chunk at a time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from iesoresearch.errors import ParameterError
from iesoresearch.models.markov_cohort.model import CohortModel


def evaluate_in_chunks(
    make_model: Callable[[slice], CohortModel],
    n_draws: int,
    chunk: int = 1024,
    *,
    discounted: bool = True,
    n_jobs: int = 1,
) -> dict[str, np.ndarray]:
    """Totals of many draws with the memory of a few.

    Parameters
    ----------
    make_model
        Gives the model of the draws in a slice. What it gives for a draw must not depend on the
        slice: draw parameters once, and slice them.
    n_draws
        How many in all.
    chunk
        Draws at a time. The result is the same to the bit whatever it is.
    discounted
        As in `CohortModel.totals`.
    n_jobs
        Threads, each with a chunk; they call `make_model` at the same time. The result does not
        depend on it.

    Returns
    -------
    dict of (n_draws, K) arrays

    Raises
    ------
    ParameterError
        No draw, chunk or thread; a model with another number of draws than its slice; or what
        `CohortModel.validate` says (its draws are then counted from the first of the chunk, which
        the message names).
    """
    if chunk < 1 or n_draws < 1 or n_jobs < 1:
        raise ParameterError(
            "There must be at least 1 draw in all, 1 per chunk and 1 thread; there are "
            f"{n_draws}, {chunk} and {n_jobs}."
        )
    every = [slice(at, min(at + chunk, n_draws)) for at in range(0, n_draws, chunk)]
    found: dict[str, np.ndarray] = {}
    with ThreadPoolExecutor(n_jobs) as pool:
        # no more chunks in memory than threads: only results wait
        done = pool.map(lambda rows: _evaluate(make_model, rows, discounted), every)
        for rows, totals in zip(every, done, strict=True):
            for name, total in totals.items():
                into = found.setdefault(name, np.empty((n_draws, total.shape[1])))
                into[rows] = total
    return found


def _evaluate(make_model, rows: slice, discounted: bool) -> dict[str, np.ndarray]:
    model = make_model(rows)
    n = rows.stop - rows.start
    if model.n_draws not in (1, n):
        raise ParameterError(
            f"The model of draws {rows.start} to {rows.stop - 1} has {model.n_draws} draws instead "
            f"of {n}: slice every drawn parameter."
        )
    try:
        return model.totals(discounted=discounted)
    except ParameterError as error:
        raise ParameterError(f"In the chunk that begins with draw {rows.start}: {error}") from None
