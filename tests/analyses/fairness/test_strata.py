"""An attacker of the table of intersections: estimates tell her no more than the counts shown."""

import itertools
import re
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from iesoresearch.analyses.fairness import Params
from iesoresearch.analyses.fairness.data import Audited, levels_of
from iesoresearch.analyses.fairness.intersections import intersections
from iesoresearch.analyses.fairness.outcomes import gaps
from iesoresearch.analyses.fairness.strata import TOO_FEW
from iesoresearch.data.groups import QUINTILES
from iesoresearch.disclosure import Policy, attack, release
from iesoresearch.figures.fairness import intersections as figures
from iesoresearch.results import RELEASED

DIMENSIONS = ("Gender", "Deprivation quintile")
PARAMS = Params(intersect=list(DIMENSIONS), groupings=list(DIMENSIONS), draws=300)
POLICY = Policy()
STRATA = list(itertools.product(levels_of()["Gender"], QUINTILES))
#: People and recoveries; two intersections are too small to be shown.
COUNTS = dict(
    zip(
        STRATA,
        [
            *((40, 20), (55, 20), (7, 2), (65, 35), (80, 30)),
            *((45, 25), (60, 20), (70, 35), (8, 5), (90, 45)),
            *((50, 25), (60, 25), (40, 15), (45, 20), (60, 35)),
        ],
        strict=True,
    )
)
SMALL = [s for s in STRATA if COUNTS[s][0] < POLICY.min_count]
OPEN = ("male", QUINTILES[4])
ESTIMATES = [name + end for name in ("mean", "interaction") for end in ("", "_low", "_high")]


def found(counts):
    """The result of the analysis, before release, with the table of groups beside it."""
    rows = [
        pl.DataFrame({"reliable_recovery": np.arange(n) < k}).with_columns(
            **{d: pl.lit(level) for d, level in zip(DIMENSIONS, stratum, strict=True)},
            ended=pl.lit(value=True),
            at_caseness=pl.lit(value=True),
        )
        for stratum, (n, k) in counts.items()
    ]
    data = Audited(None, pl.concat(rows), DIMENSIONS, {})
    result = intersections(data, PARAMS)
    return replace(result, tables=result.tables | {"gaps": gaps(data, PARAMS)})


@pytest.fixture(scope="module")
def inside():
    return found(COUNTS)


@pytest.fixture(scope="module")
def released(inside):
    return release(inside, POLICY)


def rows_of(table, strata):
    frame = table.frame.with_columns(pl.col(DIMENSIONS).cast(pl.String))
    return frame.join(
        pl.DataFrame(strata, schema=list(DIMENSIONS), orient="row"), on=list(DIMENSIONS)
    )


def test_what_is_suppressed_has_no_estimate_and_no_name(inside, released):
    estimated = rows_of(inside.tables["strata"], SMALL)["mean"]
    assert estimated.null_count() == 0  # inside they have one
    table = released.tables["strata"]
    hidden = table.frame.filter(pl.col("at_caseness").is_null() | pl.col("status").ne(RELEASED))
    assert set(hidden.select(DIMENSIONS).iter_rows()) >= set(SMALL)
    for name in (*ESTIMATES, "raw", "raw_low", "raw_high", "finding"):
        assert hidden[name].is_null().all(), name
    names = [", ".join(row) for row in hidden.select(DIMENSIONS).iter_rows()]
    said = [released.render(x) for x in released.text.values()]
    said += [t.get_text() for t in figures.plot_interactions(table).get_yticklabels()]
    said += [t.get_text() for t in figures.plot_shrinkage(table).texts]
    # a male one is no part of the name of a female one
    assert not [n for n in names for text in said if re.search(rf"\b{re.escape(n)}", text)]
    cells = figures.plot_intersections(table)
    assert len(cells.texts) == table.frame["mean"].is_not_null().sum()


@pytest.mark.parametrize("stratum", SMALL)
def test_the_range_of_a_suppressed_count_is_as_wide_as_before(released, stratum):
    """From none to as many as are too few at least, over all tables released together."""
    ranges = attack.ranges(released.tables, POLICY)
    parts = sorted(f"{d} {level}" for d, level in zip(DIMENSIONS, stratum, strict=True))
    of = ranges.filter(pl.col("row") == ", ".join(parts))
    assert set(of["column"]) == {"at_caseness", "reliable_recovery"}
    assert (of["low"] == POLICY.fewest).all()
    assert (of["high"].fill_null(POLICY.min_count) >= POLICY.min_count - 1).all()


def others():
    """Counts that round to the same: of one intersection that is shown, or of those suppressed."""
    (n_low, n_high), (k_low, k_high) = (POLICY.shown_as(x) for x in COUNTS[OPEN])
    for n, k in itertools.product((n_low, n_high), (k_low, k_high)):
        yield COUNTS | {OPEN: (n, k)}
    for n, k in ((7, 1), (7, 4), (6, 3)):
        yield COUNTS | {SMALL[0]: (n, k)}


def test_exact_counts_behind_the_same_released_counts_cannot_be_told_apart(inside, released):
    """Estimates of the exact counts would tell; one that is released is that of all of them."""
    base, n_same, n_told = ["at_caseness", "reliable_recovery", "status"], 0, 0
    ours, exact = (x.tables["strata"].frame for x in (released, inside))
    for counts in others():
        other = found(counts)
        theirs = release(other, POLICY).tables["strata"].frame
        if theirs.select(base).equals(ours.select(base)):  # else other cells are hidden for it
            n_same += 1
            assert theirs.equals(ours)
            shown = ours["mean"].is_not_null()
            changed = other.tables["strata"].frame.select(ESTIMATES).filter(shown)
            n_told += not changed.equals(exact.select(ESTIMATES).filter(shown))
    assert n_told == n_same >= 5


def test_estimates_of_released_counts_are_near_those_of_exact_ones(inside, released):
    """Off by less than their intervals are wide, though the table is small."""
    shown = released.tables["strata"].frame.filter(pl.col("mean").is_not_null())
    strata = shown.select(DIMENSIONS).rows()
    exact = rows_of(inside.tables["strata"], strata)
    width = shown["mean_high"] - shown["mean_low"]
    assert shown.height >= 5
    assert ((shown["mean"] - exact["mean"]).abs() < width / 4).all()


def test_too_few_are_shown_to_fit_a_model(inside):
    """Four intersections, of which main effects alone take more."""
    column = inside.tables["strata"].values["finding"].derive
    frame = inside.tables["strata"].frame
    few = frame.with_columns(
        pl.when(pl.int_range(pl.len()) < 4).then(pl.col("at_caseness")).alias("at_caseness")
    )
    assert column(few).to_list() == [TOO_FEW] * 4 + [None] * (len(STRATA) - 4)
    assert inside.tables["strata"].values["mean"].derive(few).null_count() == len(STRATA)
