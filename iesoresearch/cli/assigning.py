"""``iesoresearch data assign``: patients of a folder to the states of a saved model."""

from pathlib import Path

import polars as pl

from iesoresearch.data import sources
from iesoresearch.disclosure import Policy
from iesoresearch.errors import DataError, OutputError
from iesoresearch.measures import PHQ9
from iesoresearch.models.assignment import UNCERTAIN, Assignment, assign
from iesoresearch.models.latent_markov import saved
from iesoresearch.project import find


def write(model: Path, folder: Path, out: Path, certain: float) -> str:
    """Write a row for each patient with answers; returns what may be said of them.

    Raises
    ------
    DataError
        The model or the tables cannot be used, or the model is not one of PHQ-9 items.
    OutputError
        The file cannot be written.
    """
    carried = saved.load(model)
    if carried.items != PHQ9.columns:
        raise DataError(
            f"{model.name} is a model of other answers than the nine of the PHQ-9, in their order. "
            "Name the model.json of a run of subtypes."
        )
    cohort = sources.load("folder", (folder,), 0, 0)
    sequences = cohort.sequences(PHQ9)
    found = assign(carried.model, sequences.items, sequences.lengths, certain=certain)
    frame = cohort.patients[sequences.people].select("patient_id").hstack(_columns(found))
    try:
        frame.write_csv(out)
    except OSError as error:
        raise OutputError(f"{out} cannot be written ({error.strerror}).") from None
    return _said(found, out, Policy.read(find().params / "disclosure.yaml"))


def _columns(found: Assignment) -> pl.DataFrame:
    columns = {}
    for name, state, probs in (
        ("first", found.first, found.first_probs),
        ("current", found.current, found.current_probs),
    ):
        words = ["uncertain" if s == UNCERTAIN else str(s + 1) for s in state]
        columns[f"{name}_state"] = pl.Series(words)
        columns |= {
            f"{name}_probability_{k}": pl.Series(column).round(4)
            for k, column in enumerate(probs.T, start=1)
        }
    return pl.DataFrame(columns)


def _said(found: Assignment, out: Path, policy: Policy) -> str:
    counts = {
        name: f"fewer than {policy.min_count}" if n < policy.min_count else f"{n:,}"
        for name, n in found.counts.items()
    }
    return (
        f"{out}: {counts['people']} patients; currently assigned {counts['assigned']}, uncertain "
        f"{counts['uncertain']}. The file holds a row for each patient: keep it where their "
        "records are kept."
    )
