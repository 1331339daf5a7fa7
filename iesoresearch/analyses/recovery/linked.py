"""What counts of `recovery` are made of, over all its tables: they are protected together.

All tables are about the referrals at risk at the landmarks, so what is hidden in one must not
follow from the others.
"""

from collections.abc import Iterable, Mapping
from itertools import pairwise

import polars as pl

from iesoresearch.analyses._linked import cells, rows_of, same, together
from iesoresearch.analyses.recovery.described import MISSING, RECORDED
from iesoresearch.analyses.recovery.explained import LEVELS
from iesoresearch.analyses.recovery.fitted import Fitted
from iesoresearch.analyses.recovery.sensitivity import FINISHERS, IMPUTED, OFFICIAL_RULE
from iesoresearch.analyses.recovery.tables import (
    EVERYBODY,
    LANDMARK_LAST,
    NEITHER,
    NO_SECOND,
    OUTCOME_NAMES,
    landmark_name,
)
from iesoresearch.data.groups import NOT_RECORDED
from iesoresearch.measures.outcomes.landmarks import AT_RISK
from iesoresearch.results import At, Related, Table

_IMPROVED, _WORSE = (
    OUTCOME_NAMES[name] for name in ("reliable_improvement", "reliable_deterioration")
)


def linked(tables: Mapping[str, Table], fitted: Fitted) -> dict[str, Table]:
    """The tables with what their counts are made of."""
    relations = [
        *_at_risk(tables, fitted),
        *_outcomes(tables, fitted),
        *_nested(tables, fitted),
        *_groups(tables, fitted),
        *_sets(tables),
        *_predictors(tables, fitted),
    ]
    return together(tables, relations)


def _everybody(landmark: int) -> At:
    return "sample_size", "n", (landmark_name(landmark),)


def _with(landmark: int, outcome: str, column: str = "events") -> At:
    return "outcomes", column, (landmark_name(landmark), outcome)


def _at_risk(tables: Mapping[str, Table], fitted: Fitted) -> Iterable[Related]:
    """Everybody at a landmark, in every table; the same with the outcome that is predicted."""
    for s in fitted.courses.marks:
        at, name = _everybody(s), landmark_name(s)
        yield from same(at, ("flow", name, (AT_RISK,)))
        events = _with(s, OUTCOME_NAMES[fitted.outcome])
        for table in ("outcomes", "performance", "other_outcomes"):
            yield from same(at, *cells(tables, table, "n", landmark=name))
        yield from same(events, *cells(tables, "performance", "events", landmark=name))
        for outcome in OUTCOME_NAMES.values():
            yield from same(_with(s, outcome), ("other_outcomes", "events", (outcome, name)))
        official, imputed, finishers = (
            [("missing_scores", column, (name, way)) for column in ("n", "events")]
            for way in (OFFICIAL_RULE, IMPUTED, FINISHERS)
        )
        yield from same(at, official[0], imputed[0])
        yield from same(events, official[1])
        yield at, (finishers[0],), False
        yield events, (finishers[1],), False
    detail = fitted.params.detail
    for whole, column in (
        (_everybody(detail), "n"),
        (_with(detail, OUTCOME_NAMES[fitted.outcome]), "events"),
    ):
        yield whole, tuple(cells(tables, "services", column)), True
    yield _everybody(detail), tuple(cells(tables, "instability", "n")), True


def _outcomes(tables: Mapping[str, Table], fitted: Fitted) -> Iterable[Related]:
    """They got better, worse or neither; who recovered got better, who has one score neither."""
    for s in fitted.courses.marks:
        parts = tuple(_with(s, name) for name in (_IMPROVED, _WORSE, NEITHER))
        yield _with(s, _IMPROVED, "n"), parts, True
        yield _with(s, _IMPROVED), (_with(s, OUTCOME_NAMES["reliable_recovery"]),), False
        yield _with(s, NEITHER), (_with(s, NO_SECOND),), False


def _nested(tables: Mapping[str, Table], fitted: Fitted) -> Iterable[Related]:
    """Those at risk at a landmark were at the one before, where that is so of all."""
    outcomes = {row[1] for row in rows_of(tables["outcomes"])} - {LANDMARK_LAST}
    for s, after in pairwise(fitted.courses.marks):
        before, later = (set(fitted.courses.at[i].rows["ref"]) for i in (s, after))
        if later <= before:
            yield _everybody(s), (_everybody(after),), False
            for outcome in sorted(outcomes):
                yield _with(s, outcome), (_with(after, outcome),), False


def _groups(tables: Mapping[str, Table], fitted: Fitted) -> Iterable[Related]:
    """Groups add up to everybody; groups that are predictors are levels of these."""
    detail = fitted.params.detail
    frame = tables["groups"].frame
    for grouping in frame["grouping"].unique(maintain_order=True):
        for whole, column in (
            (_everybody(detail), "n"),
            (_with(detail, OUTCOME_NAMES[fitted.outcome]), "events"),
        ):
            yield whole, tuple(cells(tables, "groups", column, grouping=grouping)), True
        known = frame.filter(pl.col("grouping") == grouping, pl.col("level") != NOT_RECORDED)
        parts = tuple(("groups", "n", (grouping, level)) for level in known["level"])
        if grouping in _CUT:
            yield ("characteristics", "n", (fitted.meanings[_CUT[grouping]], RECORDED)), parts, True
        if grouping in LEVELS:
            for level in frame.filter(grouping=grouping)["level"]:
                known = MISSING if level == NOT_RECORDED else level
                row = (fitted.meanings[LEVELS[grouping]], known)
                yield from same(("groups", "n", (grouping, level)), ("characteristics", "n", row))


#: Groups -> the predictor that is cut into them.
_CUT = {"Age band": "age", "Deprivation quintile": "deprivation_decile"}


def _sets(tables: Mapping[str, Table]) -> Iterable[Related]:
    """Prediction sets of every group, and of everybody."""
    frame = tables["sets"].frame
    for kind, grouping in frame.select("kind", "grouping").unique(maintain_order=True).rows():
        rows = cells(tables, "sets", "n", kind=kind, grouping=grouping)
        for name, column, row in rows:
            yield from same(("groups", "n", row[1:]), (name, column, row))
        if grouping != EVERYBODY[0]:
            for column in ("n", "covered", "undecided"):
                whole = "sets", column, (kind, *EVERYBODY)
                parts = cells(tables, "sets", column, kind=kind, grouping=grouping)
                yield whole, tuple(parts), True


def _predictors(tables: Mapping[str, Table], fitted: Fitted) -> Iterable[Related]:
    """Levels of a predictor add up to everybody."""
    frame = tables["characteristics"].frame
    everybody = _everybody(fitted.params.detail)
    yield from same(everybody, *cells(tables, "characteristics", "all"))
    for name in frame["name"].unique(maintain_order=True):
        levels = cells(tables, "characteristics", "n", name=name)
        numbers = levels[0][2][1] == RECORDED
        # where a number is recorded of all, no group of those without it is shown anywhere
        yield everybody, tuple(levels), not numbers or _is_full(frame, name)
    yield from _dependence(tables, fitted, everybody)


def _is_full(frame: pl.DataFrame, name: str) -> bool:
    return frame.filter(pl.col("name") == name, pl.col("n") == pl.col("all")).height > 0


def _dependence(tables: Mapping[str, Table], fitted: Fitted, everybody: At) -> Iterable[Related]:
    """Groups that show what a predictor does add up to everybody; they may be its levels."""
    patients = fitted.detail.patient
    if len(set(patients)) < len(patients):
        return  # these count patients, the others referrals
    for meaning in tables["dependence"].frame["meaning"].unique(maintain_order=True):
        groups = cells(tables, "dependence", "n", meaning=meaning)
        yield everybody, tuple(groups), True
        recorded = "characteristics", "n", (meaning, RECORDED)
        yield recorded, tuple(at for at in groups if at[2][1] != MISSING), True
        for at in groups:
            yield from same(("characteristics", "n", at[2]), at)
