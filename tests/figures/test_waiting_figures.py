"""Figures of `waiting` show the numbers of their tables."""

import numpy as np
import polars as pl
import pytest

from iesoresearch import figures as drawing
from iesoresearch.figures import waiting as figures
from iesoresearch.results import FigureSpec, Result, Table, Value

LOW, MIDDLE, HIGH = [-30.0, 10.0], [5.0, 50.0], [40.0, 90.0]
COST = {"cost": MIDDLE, "cost_low": LOW, "cost_high": HIGH}
COURSE = {"course": [700.0] * 2, "course_low": [500.0] * 2, "course_high": [900.0] * 2}
COURSE |= {"both": [30.0] * 2, "both_low": [20.0] * 2, "both_high": [60.0] * 2}
COURSE |= {"both_weeks": [11.3] * 2}
PARTS = ("NHS cash, both together", "work lost", "health lost at £1 per QALY, no cost to the NHS")


def both(*frames):
    """For depression and anxiety, of which the latter knows no work."""
    frame = pl.concat(map(pl.DataFrame, frames))
    conditions = [frame.with_columns(condition=pl.lit(c)) for c in ("depression", "anxiety")]
    return pl.concat(conditions)


def by_part(**columns):
    frame = both(*({"part": [part] * 2} | columns | COST for part in PARTS))
    return frame.filter(~((pl.col("condition") == "anxiety") & (pl.col("part") == "work lost")))


FRAMES = {
    "against_course": both(
        *(
            {"perspective": [name] * 2, "week": [0, 52], "mark": ["", "a year"]} | COST | COURSE
            for name in ("NHS cash", "NHS cash + work")
        )
    ),
    "patient_week": by_part(band=["mild", "severe"]),
    "by_week": by_part(band=["mild"] * 2, week=[0, 52]),
    "plane": both(
        *(
            {"strategy": [s] * 2, "draw": ["0", "mean"], "cost": [10.0, -5.0], "qaly": [0.1, 0.2],
             "wtp": [20_000.0] * 2}
            for s in ("at once", "no therapy")
        )
    ),
    "acceptability": both(
        *(
            {"strategy": [s] * 2, "wtp": [0.0, 20_000.0], "probability": [p, 100 - p],
             "best": ["best", ""], "rule": ["", "threshold"]}
            for s, p in (("at once", 30.0), ("no therapy", 70.0))
        )
    ),
    "tornado": both(
        *(
            {"outcome": [o] * 2, "input": ["A", "B"], "low": LOW, "high": HIGH, "base": [5.0, 5.0]}
            for o in ("cost", "benefit")
        )
    ),
    "explained": both(
        {"input": ["A", "B"], "rests_on": ["assumption", "sourced"], "error": [1.0, 0.1],
         "share": [90.0, 0.5]}
    ),
    "scenarios": both(
        {"recovery": ["none", "constant"], "horizon": ["52 weeks"] * 2, "instrument": ["SF-6D"] * 2,
         "other": ["as in the base case"] * 2} | COST
    ),
}  # fmt: skip


def table(name):
    frame = FRAMES[name]
    values = {c: Value("model", c, sensitivity="open") for c in frame.columns if c != "condition"}
    return Table("T", frame, {"condition": "Condition"}, values)


def draw(name):
    ax = getattr(figures, f"plot_{name}")(table(name))
    ax.figure.canvas.draw()
    return [panel for panel in ax.figure.axes if panel.axison]


def lines(panel):
    return [line.get_ydata() for line in panel.lines if line.get_label()[0] != "_"]


@pytest.mark.parametrize("name", FRAMES)
def test_they_are_drawn_with_labels_and_a_title(name):
    spec = FigureSpec(name, "A title", "caption")
    found = drawing.draw(Result(tables={name: table(name)}, figures={name: spec}), name, "waiting")
    assert "A title" in [ax.get_title(loc="left") for ax in found.axes]
    panels = [ax for ax in found.axes if ax.axison]
    assert any(panel.get_xlabel() for panel in panels)
    assert all(len(panel.get_title(loc="left")) == 0 for panel in panels[1:])


def test_lines_are_those_of_the_table():
    counted = draw("against_course")
    assert len(counted) == 4, "two conditions, two ways of counting"
    for panel in counted:
        np.testing.assert_array_equal(lines(panel)[0], MIDDLE)
        assert panel.texts[0].get_text() == "a year"
        both = panel.containers[0]
        assert both[0].get_xydata().tolist() == [[11.3, 30.0]]
        assert both[2][0].get_segments()[0][:, 1].tolist() == [20.0, 60.0]
    assert counted[3].texts[1].get_text() == "Anxiety:\nNHS cash + work"
    panels = draw("by_week")
    np.testing.assert_array_equal(lines(panels[0])[0], MIDDLE)


def test_what_is_not_known_is_said_and_not_drawn():
    panels = draw("by_week")
    assert [t.get_text() for t in panels[4].texts] == ["not known", "Anxiety: work lost"]
    assert not panels[4].lines


def test_error_bars_are_those_of_the_table():
    (panel,) = draw("patient_week")
    ends = panel.containers[0][2][0].get_segments()
    assert [segment[:, 0].tolist() for segment in ends] == 2 * [[-30.0, 40.0], [10.0, 90.0]]


def test_bars_run_from_the_base_to_the_ends():
    panel = draw("tornado")[0]
    low = [(bar.get_x(), bar.get_width()) for bar in panel.containers[0]]
    assert low == [(5.0, -35.0), (5.0, 5.0)]
    assert [p.texts[0].get_text() for p in draw("tornado")] == [
        f"{condition}: {outcome}"
        for condition in ("Depression", "Anxiety")
        for outcome in ("cost", "benefit")
    ]


def test_what_explains_next_to_nothing_is_left_out():
    assert [t.get_text() for t in draw("explained")[0].get_yticklabels()] == ["A"]


def test_where_nothing_matters_by_itself_it_says_so():
    found = table("explained")
    none = Table(found.title, found.frame.with_columns(share=pl.lit(0.0)), found.keys, found.values)
    figure = figures.plot_explained(none).figure
    figure.canvas.draw()
    said = [t.get_text() for panel in figure.axes for t in panel.texts]
    assert said.count("no input matters by itself") == 2


def test_at_once_has_a_panel_of_its_own_with_its_price():
    """Mean cost -5 at 0.2 QALYs is no price; 5 at 0.2 are £25 per QALY, by hand."""
    panels = draw("plane")
    assert len(panels) == 4
    assert "no price of a QALY" in panels[2].texts[0].get_text()
    found = table("plane")
    frame = found.frame.with_columns(cost=pl.col("cost").abs())
    figure = figures.plot_plane(Table("T", frame, found.keys, found.values)).figure
    figure.canvas.draw()
    said = [t.get_text() for panel in figure.axes for t in panel.texts]
    assert said.count("At once: £25 per QALY gained") == 2


def test_the_best_is_marked_and_thresholds_are_drawn():
    panel = draw("acceptability")[0]
    assert panel.lines[0].get_xdata()[0] == 20_000
    marks = [line for line in panel.lines if line.get_marker() == "o"]
    assert [line.get_ydata().tolist() for line in marks] == [[30.0], [70.0]]
