"""Who is counted, step by step, as RECORD asks for (doi:10.1371/journal.pmed.1001885)."""

import polars as pl

from iesoresearch.analyses.cohort.people import (
    FINISHED,
    NOT_SEEN,
    NOT_TREATED,
    ONE_TREATMENT,
    OPEN,
    Data,
)
from iesoresearch.results import Table, Value

KEPT, LEFT = "kept", "left out"
NOT_CASES = "Not at caseness"


def flow(data: Data) -> Table:
    """Counts at each step: who stays, and who is left out for which reason."""
    rows = list(_rows(data))  # with those of nobody: a box that is absent would tell that
    keys = {"step": "Step", "box": "Box", "what": "Referrals"}
    frame = pl.DataFrame(rows, schema=[*keys, "n"], orient="row")
    n = Value("count", "Number", 0, sensitivity=data.sensitivity)
    return Table("Flow of referrals", frame, keys, {"n": n})


def adds_up(table: Table) -> bool:
    """Whether every step's boxes hold exactly those whom the step before kept."""
    frame = table.frame
    kept = frame.filter(box=KEPT).sort("step")["n"].to_list()
    totals = frame.group_by("step").agg(pl.col("n").sum()).sort("step")["n"].to_list()
    return kept[:-1] == totals[1:]


def _rows(data: Data):
    reached = dict(data.referrals["progress"].value_counts().iter_rows())

    def count(*progress):
        return sum(reached.get(p, 0) for p in progress)

    finishers = data.finishers
    paired = finishers.filter("paired")
    started = (ONE_TREATMENT, OPEN, FINISHED)
    yield 0, KEPT, "Referrals received", data.referrals.height
    yield 1, KEPT, "Seen at least once", count(NOT_TREATED, *started)
    yield 1, LEFT, "Not seen", count(NOT_SEEN)
    yield 2, KEPT, "Started treatment", count(*started)
    yield 2, LEFT, "Seen, not treated", count(NOT_TREATED)
    yield 3, KEPT, "Finished a course of treatment", count(FINISHED)
    yield 3, LEFT, "One treatment, then discharged", count(ONE_TREATMENT)
    yield 3, LEFT, "Still open", count(OPEN)
    yield 4, KEPT, "Paired scores", paired.height
    yield 4, LEFT, "No paired scores", finishers.height - paired.height
    yield 5, KEPT, "At caseness at the start", paired.filter(pl.col("caseness")).height
    yield 5, LEFT, NOT_CASES, paired.filter(~pl.col("caseness")).height
    yield 5, LEFT, "Not known: threshold not sourced", paired["caseness"].null_count()
