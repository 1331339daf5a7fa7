"""The model as a file that can be carried elsewhere, made of released tables only."""

from pathlib import Path

import numpy as np
import polars as pl
from scipy.optimize import brentq

from iesoresearch.analyses.subtypes.cells import grid, value
from iesoresearch.analyses.subtypes.fitted import ITEM_NAMES, Fitted
from iesoresearch.measures import PHQ9
from iesoresearch.models import LatentMarkov
from iesoresearch.models.latent_markov import saved
from iesoresearch.results import Result, Table

_RARE = 1e-4  # probability below which a released one may have been rounded to zero


def answer_probabilities(fitted: Fitted) -> Table:
    """Probability of every answer to every item in each state.

    All four of an item go together: two that are hidden could be worked out of the others and of
    the expected item score.
    """
    k, levels = fitted.chosen, PHQ9.n_categories
    probs, counts = fitted.model.item_probs_, fitted.model.answer_counts_
    frame = grid(state=range(1, k + 1), item=ITEM_NAMES).with_columns(
        fewest=pl.Series((probs * counts[:, :, None]).min(axis=2).ravel()),
        **{f"answer_{c}": pl.Series(probs[:, :, c].ravel()) for c in range(levels)},
        n=pl.Series(counts.ravel()),
    )
    values = {
        f"answer_{c}": value(fitted, "model", f"Answer {c}", 3, "n", follows="fewest",
                               parameters=levels - 1)
        for c in range(levels)
    }  # fmt: skip
    values["fewest"] = value(fitted, "count", "Fewest of an answer, expected", 0)
    values["n"] = value(fitted, "count", "Answers, expected", 0)
    keys = {"state": "State", "item": "PHQ-9 item"}
    return Table("Probability of every answer in each state", frame, keys, values)


def write_model(result: Result, path: Path) -> None:
    """Write the model of a released result as JSON (see `models.latent_markov.saved`).

    It is built from the tables, so it says no more than they do. Moves and shares that were
    suppressed share equally what the others leave over; of an item whose answers were, the answers
    are those of largest entropy with its expected score (Jaynes 1957, doi:10.1103/PhysRev.106.620).
    """
    tables, numbers = result.tables, result.numbers
    k = numbers["n_states"].value
    model = LatentMarkov(k, n_categories=PHQ9.n_categories)
    model.initial_probs_ = _rows(tables["states"], "share", (k,))
    model.item_probs_ = _item_probs(tables, k)
    model.one_occasion_ = "transitions" not in tables
    model.transition_matrix_ = np.full((k, k), np.nan)
    if not model.one_occasion_:
        model.transition_matrix_ = _rows(tables["transitions"], "probability", (k, k))
    model.n_items_ = len(ITEM_NAMES)
    model._levels = np.full(len(ITEM_NAMES), PHQ9.n_categories)
    # how many sessions the longest person had is nobody's business; two are enough to move
    model._longest, model._n_covariates = 1 if model.one_occasion_ else 2, (0, 0)
    for name in ("n_people", "n_parameters", "log_likelihood", "bic"):
        known = numbers.get(name)  # with survey weights there is no BIC
        setattr(model, f"{name}_", known and known.value)
    model.converged_ = True
    saved.save(path, model, items=PHQ9.columns, fitted_to=_fitted_to(result))


def _rows(table: Table, column: str, shape: tuple[int, ...]) -> np.ndarray:
    """Rows of probabilities that sum to one; what is not there shares what the others leave."""
    found = table.frame[column].cast(pl.Float64).to_numpy().reshape(shape)
    unknown = np.isnan(found)
    rest = np.maximum(1.0 - np.nansum(found, axis=-1, keepdims=True), 0.0)
    share = rest / np.maximum(unknown.sum(axis=-1, keepdims=True), 1)
    filled = np.where(unknown, share, found)
    return filled / filled.sum(axis=-1, keepdims=True)


def _fitted_to(result: Result) -> str:
    hidden = result.tables["answer_probabilities"].frame["answer_0"].null_count()
    said = result.provenance["data"]
    if hidden:
        said += f"; answers of {hidden} items in a state, and rare moves, are approximate"
    return said


def _item_probs(tables: dict[str, Table], k: int) -> np.ndarray:
    """Probabilities of answers: (states, items, levels)."""
    levels = range(PHQ9.n_categories)
    frame = tables["answer_probabilities"].frame
    probs = frame.select(f"answer_{c}" for c in levels).cast(pl.Float64).to_numpy()
    scores = tables["item_profiles"].frame["score"].cast(pl.Float64).to_numpy()
    for row in np.flatnonzero(np.isnan(probs).any(axis=1)):
        probs[row] = _of_largest_entropy(scores[row])
    probs = np.clip(probs, _RARE, None)  # rounding must not make an answer impossible
    probs /= probs.sum(axis=1, keepdims=True)
    return probs.reshape(k, len(ITEM_NAMES), len(levels))


def _of_largest_entropy(score: float) -> np.ndarray:
    """Answers 0 … 3 with this mean, as even as they can be; NaN is a state nobody may describe."""
    levels = np.arange(PHQ9.n_categories)
    if np.isnan(score):
        return np.full(len(levels), 1 / len(levels))
    mean = np.clip(score, _RARE, levels[-1] - _RARE)

    def surplus(tilt):
        weights = np.exp(tilt * (levels - levels.mean()))
        return weights @ levels / weights.sum() - mean

    weights = np.exp(brentq(surplus, -30.0, 30.0) * (levels - levels.mean()))
    return weights / weights.sum()
