"""Figures of `waiting_effect` show the numbers of their tables."""

import numpy as np
import polars as pl
import pytest

from iesoresearch.analyses.waiting_effect import course
from iesoresearch.figures import waiting_effect as figures
from iesoresearch.results import Table, Value

MEAN, LOW, HIGH = [0.9, 0.6, 0.5], [0.8, 0.5, 0.3], [1.0, 0.7, 0.7]
COLUMNS = {
    "forest": {
        "control": ["Waiting list", "Waiting list", "Care as usual"],
        "analysis": ["all comparisons", "CBT only", "all comparisons"],
        "n": [162, 93, 182],
        "trials": [118, 72, 159],
        "mean": MEAN,
        "mean_low": LOW,
        "mean_high": HIGH,
        "new_low": [-0.3, -0.2, -0.4],
        "new_high": [2.1, 1.9, 1.7],
    },
    "funnel": {
        "comparison": [0, 1, 2],
        "g": [None, 0.5, 1.5],
        "error": [0.0, 0.2, 0.6],
        "mean": [0.7, 0.7, 0.7],
        "by_error": [0.1, 0.5, 1.3],
        "by_variance": [0.3, 0.4, 1.2],  # 0.3 + 2.5 * error²
    },
    "predictive": {
        "model": ["prior", "prior", "fitted", "fitted"],
        "statistic": ["mean of g", "largest g"] * 2,
        "found": [0.9, 3.0] * 2,
        "drawn": [0.0, 2.0, 0.9, 2.5],
        "drawn_low": [-2.0, -1.0, 0.7, 2.0],
        "drawn_high": [2.0, 6.0, 1.1, 3.5],
    },
}
KEYS = {
    "forest": ("control", "analysis"),
    "funnel": ("comparison",),
    "predictive": ("model", "statistic"),
}


def draw(name, sensitivity="open"):
    if name == "remission":
        return figures.plot_remission(course.curves())
    frame = pl.DataFrame(COLUMNS[name])
    values = {
        c: Value("model", c.title(), sensitivity=sensitivity)
        for c in frame.columns
        if c not in KEYS[name]
    }
    table = Table("T", frame, {key: key.title() for key in KEYS[name]}, values)
    return getattr(figures, f"plot_{name}")(table)


@pytest.mark.parametrize("name", [*KEYS, "remission"])
def test_axes_are_labelled_and_drawn(name):
    ax = draw(name)
    ax.figure.canvas.draw()
    assert ax.get_xlabel()
    assert ax.get_ylabel()


def test_forest_shows_both_intervals_and_how_many():
    ax = draw("forest")
    intervals = [[line[:, 0].tolist() for line in c.get_segments()] for c in ax.collections[:2]]
    assert intervals == [
        [[-0.3, 2.1], [-0.2, 1.9], [-0.4, 1.7]],
        [list(pair) for pair in zip(LOW, HIGH, strict=True)],
    ]
    np.testing.assert_array_equal(ax.collections[2].get_offsets()[:, 0], MEAN)
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels[1] == "CBT only, n = 93 (72)"
    assert [text.get_text() for text in ax.texts] == ["Waiting list", "Care as usual"]


def test_funnel_has_precise_trials_on_top_and_lines_to_their_limits():
    ax = draw("funnel")
    bottom, top = ax.get_ylim()
    assert bottom > top == 0
    shown = {line.get_label(): line for line in ax.lines}
    edge = shown["p = 0.05"]
    np.testing.assert_allclose(edge.get_xdata(), 1.96 * np.array(edge.get_ydata()))
    for name, column in (("By_Error", "by_error"), ("By_Variance", "by_variance")):
        x, y = shown[name].get_data()
        at = np.interp(COLUMNS["funnel"]["error"], y, x)
        np.testing.assert_allclose(at, COLUMNS["funnel"][column], atol=2e-3)
    ends = [line.get_xdata()[0] for line in ax.lines if line.get_marker() == "D"]
    assert ends == [0.7, 0.1, 0.3]


def test_predictive_check_marks_what_was_found():
    ax = draw("predictive")
    found = [c for c in ax.collections if c.get_label() == "found"]
    np.testing.assert_array_equal(found[0].get_offsets(), [[0.9, 0], [3.0, 1]])
    ends = [s[:, 0].tolist() for c in ax.containers for s in c[2][0].get_segments()]
    assert ends == [[-2.0, 2.0], [-1.0, 6.0], [0.7, 1.1], [2.0, 3.5]]


def test_remission_goes_through_what_was_published():
    ax = draw("remission")
    points = [container[0].get_xydata() for container in ax.containers]
    assert len(points) == len(course.SOURCES)
    np.testing.assert_allclose(points[0][:, 1], [23, 32, 53])
    curve = next(line for line in ax.lines if len(line.get_xdata()) > 50)
    at = np.interp(points[0][:, 0], *curve.get_data())
    np.testing.assert_allclose(at, [23, 32, 53], atol=0.5)
    colours = [container[0].get_color() for container in ax.containers]
    assert len(set(colours)) == len(colours)


def test_drawn_trials_are_marked_as_such():
    assert "SIMULATED" in draw("forest", "synthetic").figure.get_supxlabel()
    assert not draw("forest").figure.get_supxlabel()
