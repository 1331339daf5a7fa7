"""Figures of intersections show the released numbers, and nothing of what is suppressed."""

import itertools
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from iesoresearch.data.groups import NOT_RECORDED
from iesoresearch.figures import style
from iesoresearch.figures.fairness import intersections as figures
from iesoresearch.results import SIMULATED, Table, Value

LEVELS = {
    "Gender": ["female", "male"],
    "Age band": ["18–25", "26–64"],
    "Deprivation quintile": ["1 (most deprived)", "2", "5 (least deprived)"],
}
DIMENSIONS = list(LEVELS)


def table(hidden=(), sensitivity="patient", dimensions=DIMENSIONS):
    """Rates 40, 41, …; `hidden` are rows whose values are suppressed; the last is not recorded."""
    rows = [*itertools.product(*(LEVELS[d] for d in dimensions))]
    rows.append((NOT_RECORDED, *rows[0][1:]))
    i = np.arange(len(rows), dtype=float)
    shown = pl.Series([k not in hidden and k < len(rows) - 1 for k in range(len(rows))])
    values = {"at_caseness": 10 * i + 100, "raw": 2 * i + 30}
    for name, middle in (("mean", 40 + i), ("interaction", 3 - i)):
        values |= {name: middle, f"{name}_low": middle - 5, f"{name}_high": middle + 5}
    frame = pl.DataFrame(rows, schema=dimensions, orient="row").with_columns(
        **{name: pl.Series(x) for name, x in values.items()},
        finding=pl.Series(np.where(np.abs(3 - i) > 5, "less than its parts", "adds up")),
    )
    columns = [c for c in frame.columns if c not in dimensions]
    frame = frame.with_columns(pl.when(shown).then(pl.col(c)).alias(c) for c in columns)
    frame = frame.with_columns(pl.col("at_caseness").cast(pl.Int64))
    made = {c: Value("model", c, sensitivity=sensitivity) for c in columns}
    made["mean"] = Value("model", "mean", sensitivity=sensitivity, denominator="at_caseness")
    return Table("T", frame, {d: d for d in dimensions}, made)


@pytest.mark.parametrize("name", ["intersections", "shrinkage", "interactions"])
def test_axes_are_labelled_and_simulated_data_marked(name):
    ax = getattr(figures, f"plot_{name}")(table(sensitivity="synthetic"))
    assert ax.get_xlabel()
    assert ax.figure.get_supxlabel() == SIMULATED
    assert not getattr(figures, f"plot_{name}")(table()).figure.get_supxlabel()


def test_every_cell_says_rate_and_interval_or_is_hatched():
    ax = figures.plot_intersections(table(hidden={1, 4}))
    texts = [t.get_text() for t in ax.texts]
    shown = [i for i in range(12) if i not in {1, 4}]
    assert texts == [f"{40 + i}\n({35 + i}–{45 + i})\nn = {100 + 10 * i}" for i in shown]
    hatched = [p for p in ax.patches if p.get_hatch()]
    assert len(hatched) == 2
    assert len(ax.patches) == 12  # none for those not recorded
    assert "suppressed" in [t.get_text() for t in ax.figure.legends[0].get_texts()]
    named = [t.get_text() for t in (*ax.get_xticklabels(), *ax.get_yticklabels())]
    assert not any(NOT_RECORDED in name for name in named)


def test_levels_keep_their_order_where_some_are_absent():
    whole = table()
    some = whole.frame.filter(~pl.Series([i in {0, 2} for i in range(whole.frame.height)]))
    ax = figures.plot_intersections(Table("T", some, whole.keys, whole.values))
    columns = [t.get_text() for t in ax.get_xticklabels()]
    ages, fifths = LEVELS["Age band"], LEVELS["Deprivation quintile"]
    assert columns == [f"{a}, {f}" for a in ages for f in fifths]
    assert ax.get_xlabel() == "Age band, Deprivation quintile"
    assert ax.get_ylabel() == "Gender"


def test_two_dimensions():
    ax = figures.plot_intersections(table(dimensions=DIMENSIONS[:2]))
    assert [t.get_text() for t in ax.get_yticklabels()] == LEVELS["Gender"]
    assert [t.get_text() for t in ax.get_xticklabels()] == LEVELS["Age band"]


def test_raw_and_shrunken_rates():
    ax = figures.plot_shrinkage(table(hidden={0}))
    (points,) = [c for c in ax.collections if len(c.get_offsets()) == 11 and len(c.get_sizes()) > 1]
    np.testing.assert_allclose(points.get_offsets(), [[2 * i + 30, 40 + i] for i in range(1, 12)])


def test_the_largest_differences_are_shown_with_their_patients():
    ax = figures.plot_interactions(table(hidden={11}))
    names = [t.get_text() for t in ax.get_yticklabels()]
    assert names[0] == "male, 26–64, 2 (n = 200)"  # -7: the last but one
    assert names[-1] == "female, 18–25, 1 (most deprived) (n = 100)"
    assert len(names) == 11
    drawn = sorted(float(x) for c in ax.containers for x in c[0].get_xdata())
    assert drawn == [3.0 - i for i in range(10, -1, -1)]


def without(column):
    """The table with nothing in one column."""
    whole = table()
    kind = whole.frame.schema[column]
    return replace(whole, frame=whole.frame.with_columns(pl.lit(None, kind).alias(column)))


@pytest.mark.parametrize("name", ["intersections", "shrinkage", "interactions"])
def test_where_all_is_suppressed_it_is_said(name):
    ax = getattr(figures, f"plot_{name}")(table(hidden=set(range(13))))
    assert [t.get_text() for t in ax.texts] == [style.NOTHING]


@pytest.mark.parametrize(
    ("name", "column"), [("shrinkage", "raw"), ("interactions", "interaction")]
)
def test_where_what_is_drawn_is_suppressed_it_is_said(name, column):
    ax = getattr(figures, f"plot_{name}")(without(column))
    assert [t.get_text() for t in ax.texts] == [style.NOTHING]


def test_a_heat_map_without_rates_is_all_hatched():
    ax = figures.plot_intersections(without("mean"))
    assert not ax.texts
    assert all(p.get_hatch() for p in ax.patches)
