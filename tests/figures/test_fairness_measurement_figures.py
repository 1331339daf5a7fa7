"""Figures of `fairness_measurement` show the released numbers and survive suppression."""

import numpy as np
import polars as pl
import pytest

from iesoresearch.figures import fairness_measurement
from iesoresearch.results import SIMULATED, Table, Value

ITEMS = ["interest", "sleep"]
GROUPS = [("Gender", "male", "female"), ("Age band", "18–25", "26–64")]


def table(name, sensitivity="patient", hidden=False):
    if name == "items":
        frame = pl.DataFrame({
            "grouping": ["Gender"] * 2 + ["Age band"] * 2, "item": ITEMS * 2,
            "verdict": ["differs", "no difference shown"] * 2, "change": [0.01, 0.002, 0.04, None],
        })  # fmt: skip
        keys = ["grouping", "item"]
    elif name == "shifts":
        rows = [(*group, item, 0.1 * i) for group in GROUPS for i, item in enumerate(ITEMS)]
        keys = ["grouping", "group", "reference", "item"]
        frame = pl.DataFrame(rows, [*keys, "points"], orient="row")
    elif name == "impact":
        keys = ["grouping", "group", "reference"]
        frame = pl.DataFrame(GROUPS, keys, orient="row").with_columns(n=pl.Series([300, 250]))
        for i, column in enumerate(fairness_measurement.SERIES):
            ends = {f"{column}{end}": [i + d, i - d] for end, d in
                    (("", 0.0), ("_low", -0.5), ("_high", 0.5))}  # fmt: skip
            frame = frame.with_columns(pl.Series(c, sorted(v)) for c, v in ends.items())
    else:
        keys = ["grouping", "group", "total"]
        rows = [(*g[:2], t, 0.1 * t, 0.1 * t - 0.3, 0.1 * t + 0.3) for g in GROUPS for t in (1, 5)]
        frame = pl.DataFrame(rows, [*keys, "apart", "apart_low", "apart_high"], orient="row")
    if hidden:
        first = pl.int_range(pl.len()) == 0
        frame = frame.with_columns(pl.when(~first).then(pl.exclude(keys)))
    values = {c: Value("model", c, sensitivity=sensitivity) for c in frame.columns if c not in keys}
    return Table("T", frame, dict.fromkeys(keys, ""), values)


def draw(name, **options):
    return getattr(fairness_measurement, f"plot_{name}")(table(name, **options))


NAMES = ["items", "shifts", "impact", "curves"]


@pytest.mark.parametrize("name", NAMES)
def test_axes_are_labelled_and_marked(name):
    ax = draw(name, sensitivity="synthetic")
    assert ax.get_xlabel()
    assert ax.get_ylabel()
    assert ax.figure.get_supxlabel() == SIMULATED
    assert not draw(name).figure.get_supxlabel()


def marks(ax):
    """How many numbers are drawn: in lines, or as words in cells."""
    drawn = [line.get_ydata() for line in ax.lines] + [line.get_xdata() for line in ax.lines]
    points = sum(np.isfinite(np.asarray(values, dtype=float)).sum() for values in drawn)
    return int(points) + len(ax.texts)


@pytest.mark.parametrize("name", NAMES)
def test_suppressed_cells_are_gaps(name):
    shown, hidden = draw(name), draw(name, hidden=True)
    hidden.figure.canvas.draw()
    assert marks(hidden) < marks(shown)
    labels = [[t.get_text() for t in ax.get_yticklabels()] for ax in (hidden, shown)]
    assert len(labels[0]) == len(labels[1])  # the row is there, with nothing in it


def test_what_differs_is_filled_and_the_bounds_are_drawn():
    ax = draw("items")
    bounds = [line.get_xdata()[0] for line in ax.lines[:2]]
    assert bounds == [0.035, 0.07]
    empty, filled = ax.lines[2:4]
    assert (empty.get_xdata().tolist(), filled.get_xdata().tolist()) == ([0.002], [0.01])
    assert empty.get_markerfacecolor() == "white" != filled.get_markerfacecolor()


def test_points_are_written_in_their_cells():
    assert [text.get_text() for text in draw("shifts").texts] == ["0.00", "+0.10"] * 2


def test_intervals_are_those_of_the_table():
    containers = draw("impact").containers
    assert [c.get_label() for c in containers] == list(fairness_measurement.SERIES.values())
    assert containers[1][0].get_xdata().tolist() == [1.0, 1.0]


def test_what_is_sure_is_thick():
    thick = [line for line in draw("curves").lines if line.get_linewidth() == 3]
    for line in thick:
        np.testing.assert_allclose(line.get_ydata(), [np.nan, 0.5])


def test_no_two_curves_look_alike():
    rows = [(f"Grouping {i}", f"group {j}", t, 0.1 * j, -1.0, 1.0)
            for i in range(3) for j in range(8) for t in (1, 5)]  # fmt: skip
    columns = ["grouping", "group", "total", "apart", "apart_low", "apart_high"]
    frame = pl.DataFrame(rows, columns, orient="row")
    values = {c: Value("model", c) for c in columns[3:]}
    ax = fairness_measurement.plot_curves(Table("T", frame, dict.fromkeys(columns[:3], ""), values))
    lines = [line for line in ax.lines if line.get_label().startswith("Grouping")]
    looks = {(line.get_color(), str(line._unscaled_dash_pattern)) for line in lines}
    assert len(looks) == len(lines) == 24


def test_legends_are_inside_the_figure():
    for name in ("items", "curves"):
        ax = draw(name)
        ax.figure.canvas.draw()
        box = ax.get_legend().get_window_extent()
        assert ax.figure.bbox.x0 <= box.x0
        assert box.x1 <= ax.figure.bbox.x1
