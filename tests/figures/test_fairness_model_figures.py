"""Figures of the model audit show the numbers of their tables, and nothing that is suppressed."""

import numpy as np
import polars as pl
import pytest

from iesoresearch.figures.fairness import model as figures
from iesoresearch.results import Table, Value

GROUPS = {
    "grouping": ["Everybody", "Gender", "Gender", "Gender", "Orientation"],
    "level": ["all", "female", "male", "not recorded", "bisexual"],
}


def table(columns, keys, sensitivity="synthetic"):
    frame = pl.DataFrame(columns)
    values = {
        name: Value("model", name, sensitivity=sensitivity) for name in columns if name not in keys
    }
    return Table("A table", frame, dict.fromkeys(keys, ""), values)


def interval(name, value, width=2.0):
    ends = [[None if x is None else x + w for x in value] for w in (-width, width)]
    return {name: value, f"{name}_low": ends[0], f"{name}_high": ends[1]}


def rates():
    columns = GROUPS | {"events": [90, 50, 40, None, None], "others": [90, 50, 40, None, None]}
    for name in ("tpr", "fpr", "ppv"):
        columns |= interval(name, [50.0, 60.0, 40.0, None, None])
    return table(columns | interval("auc", [0.7, 0.8, 0.6, None, None], 0.1), ("grouping", "level"))


def calibration():
    columns = GROUPS | {"n": [180.0, 100.0, 80.0, 30.0, None], "events": [90, 50, 40, 15, None]}
    for risk in (10, 50, 90):
        columns |= interval(f"at_{risk}", [risk + 0.0, risk + 5.0, risk - 5.0, risk + 0.0, None])
    return table(columns, ("grouping", "level"))


def mitigation():
    columns = {"rule": ["one threshold for all", "equal share flagged"]}
    columns |= interval("tpr_gap", [10.0, 1.0]) | interval("fpr_gap", [5.0, -1.0])
    for name in ("tpr", "fpr"):
        columns |= {f"{name}_between": ["“a” and “b”"] * 2, f"{name}_widest": [12.0, 8.0]}
        columns[f"{name}_chance"] = [6.0, 6.0]
    columns |= interval("cost", [0.0, -3.0], 1.0)
    columns["cost_low"][0] = columns["cost_high"][0] = None  # nothing to resample
    return table(columns, ("rule",))


def words(axes):
    return " ".join(text.get_text() for text in axes.figure.findobj(match=lambda x: hasattr(
        x, "get_text")))  # fmt: skip


def test_rates_are_drawn_beside_those_of_everybody_and_suppressed_groups_are_not_named():
    drawn = figures.plot_model_rates(rates())
    panels = drawn.figure.axes[1:]
    assert [panel.get_xlabel() for panel in panels] == ["TPR, %", "FPR, %", "PPV, %", "AUC"]
    first = panels[0]
    assert [t.get_text() for t in first.get_yticklabels()] == ["female (50 / 50)", "male (40 / 40)"]
    np.testing.assert_allclose(first.lines[0].get_xdata(), [60, 40])
    assert any(set(line.get_xdata()) == {50.0} for line in first.lines)  # everybody
    said = words(drawn)
    assert "bisexual" not in said
    assert "not recorded" not in said
    assert "SIMULATED" in said


def test_calibration_has_a_panel_for_each_grouping_with_something_to_show():
    drawn = figures.plot_model_calibration(calibration())
    panels = [panel for panel in drawn.figure.axes[1:] if panel.axison]
    assert [panel.get_title() for panel in panels] == ["Gender"]
    labels = [text.get_text() for text in panels[0].get_legend().get_texts()]
    assert labels == ["female (100; 50)", "male (80; 40)"]
    curve = panels[0].lines[1]
    np.testing.assert_allclose(curve.get_xdata(), [10, 50, 90])
    np.testing.assert_allclose(curve.get_ydata(), [15, 55, 95])


def test_of_many_groups_the_largest_are_drawn():
    frame = calibration().frame
    many = pl.concat(
        [frame.filter(level="female").with_columns(level=pl.lit(f"group {i}"), n=pl.lit(10.0 * i))
         for i in range(8)]
    )  # fmt: skip
    columns = {name: many[name].to_list() for name in many.columns}
    drawn = figures.plot_model_calibration(table(columns, ("grouping", "level")))
    labels = [t.get_text() for t in drawn.figure.axes[1].get_legend().get_texts()]
    assert [label.split(" (")[0] for label in labels] == [f"group {i}" for i in range(2, 8)]


def test_mitigation_sets_what_is_left_of_a_gap_against_its_cost():
    drawn = figures.plot_mitigation(mitigation())
    one, other = drawn.figure.axes[1:]
    points = [line for line in one.lines if line.get_marker() not in ("None", "|", "_", None)]
    found = [(float(x.get_xdata()[0]), float(x.get_ydata()[0])) for x in points]
    assert {(10.0, 0.0), (1.0, -3.0)} <= set(found)
    # the widest of all groups, empty, beside what chance makes of it
    assert {(12.0, 0.0), (8.0, -3.0)} <= set(found)
    empty = [x.get_xdata()[0] for x in points if x.get_markerfacecolor() == "none"]
    assert empty == [12.0, 8.0]
    assert one.patches[0].get_extents().transformed(one.transData.inverted()).x1 == (
        pytest.approx(6.0)
    )
    assert "between “a” and “b”" in one.get_xlabel().replace("\n", " ")
    assert "FPR" in other.get_xlabel()
    labels = [text.get_text() for text in drawn.figure.legends[0].get_texts()]
    assert labels == mitigation().frame["rule"].to_list()


@pytest.mark.parametrize("plot", [figures.plot_model_rates, figures.plot_model_calibration])
def test_nothing_to_show_draws_empty_panels(plot):
    make = rates if plot is figures.plot_model_rates else calibration
    full = make()
    none = pl.lit(None, pl.Float64)
    hidden = full.frame.with_columns(none.alias(name) for name in full.values)
    columns = {name: hidden[name] for name in hidden.columns}
    drawn = plot(table(columns, ("grouping", "level")))
    assert "female" not in words(drawn)
