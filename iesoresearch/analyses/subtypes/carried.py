"""The model as a file that can be carried elsewhere, made of released tables only."""

from pathlib import Path

import numpy as np
import polars as pl

from iesoresearch.analyses.subtypes.cells import grid, value
from iesoresearch.analyses.subtypes.fitted import ITEM_NAMES, Fitted
from iesoresearch.measures import PHQ9
from iesoresearch.models import LatentMarkov
from iesoresearch.models.latent_markov import saved
from iesoresearch.results import Result, Table


def answer_probabilities(fitted: Fitted) -> Table:
    """Probability of every answer to every item in each state."""
    k, levels = fitted.chosen, PHQ9.n_categories
    frame = grid(state=range(1, k + 1), item=ITEM_NAMES, answer=range(levels)).with_columns(
        probability=pl.Series(fitted.model.item_probs_.ravel()),
        n=pl.Series(np.repeat(fitted.model.answer_counts_.ravel(), levels)),
    )
    values = {
        "probability": value(fitted, "rate", "Probability", 3, "n", parts_of=("state", "item")),
        "n": value(fitted, "count", "Expected answers", 0),
    }
    keys = {"state": "State", "item": "PHQ-9 item", "answer": "Answer (0–3)"}
    return Table("Probability of every answer in each state", frame, keys, values)


def write_model(result: Result, path: Path) -> None:
    """Write the model of a released result as JSON (see `models.latent_markov.saved`).

    It is built from the tables, so it says no more than they do. What was suppressed in a row of
    probabilities shares equally what the others leave over.
    """
    tables, numbers = result.tables, result.numbers
    k = numbers["n_states"].value
    model = LatentMarkov(k, n_categories=PHQ9.n_categories)
    model.initial_probs_ = _rows(tables["states"], "share", (k,))
    model.item_probs_ = _rows(
        tables["answer_probabilities"], "probability", (k, len(ITEM_NAMES), PHQ9.n_categories)
    )
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
    saved.save(path, model, items=PHQ9.columns, fitted_to=result.provenance["data"])


def _rows(table: Table, column: str, shape: tuple[int, ...]) -> np.ndarray:
    """Rows of probabilities that sum to one; what is not there shares what the others leave."""
    found = table.frame[column].cast(pl.Float64).to_numpy().reshape(shape)
    unknown = np.isnan(found)
    rest = np.maximum(1.0 - np.nansum(found, axis=-1, keepdims=True), 0.0)
    share = rest / np.maximum(unknown.sum(axis=-1, keepdims=True), 1)
    filled = np.where(unknown, share, found)
    return filled / filled.sum(axis=-1, keepdims=True)
