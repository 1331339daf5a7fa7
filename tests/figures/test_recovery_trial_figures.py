"""Figures of `recovery_trial` show the numbers of their tables."""

import numpy as np
import polars as pl
import pytest

from iesoresearch.figures import recovery_trial as figures
from iesoresearch.results import Table, Value

ARMS = ["usual care"] * 2 + ["program"] * 2
MIDDLE, LOW, HIGH = [20.0, 12.0, 19.0, 8.0], [18.0, 9.0, 17.0, 5.0], [22.0, 15.0, 21.0, 11.0]


def interval(name):
    return {name: MIDDLE, f"{name}_low": LOW, f"{name}_high": HIGH}


COLUMNS = {
    "curves": {"arm": ARMS, "time": [0.0, 8.0] * 2} | interval("mean") | interval("seen"),
    "drop_out": {"arm": ARMS, "third": ["lowest third", "highest third"] * 2, "n": [40, 30, 20, 50]}
    | interval("share"),
    "differences": {"analysis": ["A", "B", "C", "D"], "n": [52, 100, 100, 100]}
    | interval("difference"),
    "tipping": {"whom": ["both arms"] * 2 + ["program only"] * 2, "delta": [0.0, 5.0] * 2}
    | interval("difference"),
    "band": {"arm": ARMS, "time": [0.0, 8.0] * 2} | interval("expected"),
    "classes": {"class": ["1: 20 to 6"] * 2 + ["2: 30 to 28"] * 2, "time": [0.0, 8.0] * 2,
                "n": [70, 70, 30, 30]} | interval("mean"),
}  # fmt: skip
KEYS = {
    "curves": ("arm", "time"),
    "drop_out": ("arm", "third"),
    "differences": ("analysis",),
    "tipping": ("whom", "delta"),
    "band": ("arm", "time"),
    "classes": ("class", "time"),
}


def table(name, hidden=()):
    frame = pl.DataFrame(COLUMNS[name]).with_columns(
        pl.when(pl.int_range(pl.len()) != 1).then(pl.col(c)).alias(c) for c in hidden
    )
    values = {c: Value("model", c.title(), sensitivity="open") for c in frame.columns}
    keys = {key: key.title() for key in KEYS[name]}
    return Table("T", frame, keys, {c: v for c, v in values.items() if c not in keys})


def draw(name, **options):
    return getattr(figures, f"plot_{name}")(table(name, **options))


@pytest.mark.parametrize("name", KEYS)
def test_axes_are_labelled_and_drawn(name):
    ax = draw(name)
    ax.figure.canvas.draw()
    assert ax.get_xlabel()
    assert ax.get_ylabel()


@pytest.mark.parametrize("name", ["curves", "tipping", "band", "classes"])
def test_lines_and_bands_are_those_of_the_table(name):
    ax = draw(name)
    lines = [line.get_ydata() for line in ax.lines if line.get_label()[0] != "_"]
    np.testing.assert_array_equal(lines, [MIDDLE[:2], MIDDLE[2:]])
    bands = ax.collections if name != "curves" else [c for c in ax.collections if c.get_paths()]
    edges = [np.unique(band.get_paths()[0].vertices[:, 1]) for band in bands[:1]]
    np.testing.assert_array_equal(edges[0], [9, 15, 18, 22])


@pytest.mark.parametrize(("name", "axis"), [("drop_out", 1), ("curves", 1), ("differences", 0)])
def test_error_bars_are_those_of_the_table(name, axis):
    ends = [
        segment[:, axis].tolist()
        for container in draw(name).containers
        for segment in container[2][0].get_segments()
    ]
    assert ends == [list(pair) for pair in zip(LOW, HIGH, strict=True)]


def test_means_that_nobody_gave_are_not_drawn():
    ax = draw("curves", hidden=("seen", "seen_low", "seen_high"))
    assert [len(container[0].get_xdata()) for container in ax.containers] == [1, 2]


def test_numbers_of_patients_are_shown():
    assert [t.get_text() for t in draw("drop_out").texts] == [f"n = {n}" for n in (40, 30, 20, 50)]
    assert draw("differences").get_yticklabels()[0].get_text() == "A, n = 52"
    legend = [t.get_text() for t in draw("classes").get_legend().get_texts()]
    assert legend == ["1: 20 to 6 points (n = 70)", "2: 30 to 28 points (n = 30)"]
