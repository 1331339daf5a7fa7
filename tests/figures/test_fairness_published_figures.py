"""Figures of `fairness_published` show the numbers of their tables."""

import numpy as np
import polars as pl
import pytest

from iesoresearch.figures import fairness_published as figures
from iesoresearch.results import Table, Value

NAMES = ["gaps", "deprivation", "trends", "stages", "funnel"]
REFERENCE = "– (the others with this one)"
COLUMNS = {
    "gaps": {
        "grouping": ["Ethnicity"] * 3 + ["Deprivation"] * 3,
        "level": ["White British", "Pakistani", "Irish", "1 (most deprived)", "2", "10"],
        "compared": [REFERENCE, "White British", "White British", "10", "10", REFERENCE],
        "counted": [1000, 100, None, 300, 300, 300],
        "rate": [51.0, 40.0, 53.0, 42.0, 45.0, 56.0],
        "rate_low": [50.0, 35.0, None, 40.0, 43.0, 54.0],
        "rate_high": [52.0, 45.0, None, 44.0, 47.0, 58.0],
        "unknown": [5.36, 5.36, 5.36, None, None, None],
    },
    "deprivation": {
        "decile": ["1 (most deprived)", "2", "3 (least deprived)"],
        "rate": [42.0, 48.0, 56.0],
        "rate_low": [41.0, 47.0, 55.0],
        "rate_high": [43.0, 49.0, 57.0],
        "ridit": [0.2, 0.5, 0.8],
        "line": [43.0, 49.0, 55.0],
    },
    "trends": {
        "grouping": ["Gender"] * 4,
        "level": ["male", "male", "other", "other"],
        "year": ["2022-23", "2023-24"] * 2,
        "compared": ["female"] * 4,
        "counted": [50, 60, 5, None],
        "gap": [1.0, 2.0, -9.0, -10.0],
        "gap_low": [0.5, 1.5, -12.0, None],
        "gap_high": [1.5, 2.5, -6.0, None],
    },
    "stages": {
        "grouping": ["Ethnicity", "Deprivation"],
        "level": ["Pakistani", "1 (most deprived)"],
        "gap": [-6.0, -10.0],
        "gap_low": [-7.0, -10.5],
        "gap_high": [-5.0, -9.5],
        "finishing": [-3.0, -6.0],
        "counting": [0.5, 1.0],
        "recovering": [-3.5, -5.0],
    },
    "funnel": {
        "place": ["provider", "provider", "limits", "limits"],
        "provider": ["X1", "X2", "n = 100", "n = 900"],
        "n": [100, 900, 100, 900],
        "rate": [51.0, 70.0, None, None],
        "target": [None, None, 50.0, 50.0],
        "additive_outside": [0, 2, None, None],
    }
    | {
        f"{method}_{end}{level}": [None, None, 50 + side * wide, 50 + side * wide / 3]
        for method in ("exact", "additive")
        for level, wide in (("95", 9.0), ("998", 15.0))
        for end, side in (("low", -1), ("high", 1))
    },
}
WORDS = {"grouping", "level", "compared", "decile", "year", "place", "provider"}


def draw(name, **changes):
    frame = pl.DataFrame(COLUMNS[name] | changes)
    values = {
        c: Value("model", c.title(), sensitivity="open") for c in frame.columns if c not in WORDS
    }
    table = Table("T", frame, {c: c.title() for c in frame.columns if c in WORDS}, values)
    ax = getattr(figures, f"plot_{name}")(table)
    ax.figure.canvas.draw()
    return ax


def panels(ax):
    return [axes for axes in ax.figure.axes if axes.axison]


@pytest.mark.parametrize("name", NAMES)
def test_axes_are_labelled(name):
    shown = panels(draw(name))
    assert any(axes.get_ylabel() or axes.get_yticklabels() for axes in shown)
    assert any(axes.get_xlabel() for axes in shown) or name == "trends"  # years speak


def test_groups_are_sorted_and_the_reference_is_marked():
    (left, right) = panels(draw("gaps"))
    labels = [label.get_text() for label in left.get_yticklabels()]
    assert labels == ["Irish", "White British, n = 1,000", "Pakistani, n = 100"]  # by rate
    ordered = [label.get_text().split(",")[0] for label in right.get_yticklabels()]
    assert ordered == ["1 (most deprived)", "2", "10"]  # in their order
    diamonds = [line for line in left.lines if line.get_marker() == "D"]
    assert [line.get_xdata().tolist() for line in diamonds] == [[51.0]]
    assert left.get_xlim() == right.get_xlim()
    segments = [s[:, 0].tolist() for s in left.containers[0][2][0].get_segments()]
    assert [50.0, 52.0] in segments
    assert [35.0, 45.0] in segments
    assert [53.0, 53.0] in segments  # published without counts: no interval


def test_the_line_of_the_slope_index_is_drawn_to_both_ends():
    (ax,) = panels(draw("deprivation"))
    line = next(line for line in ax.lines if line.get_label() == "line of the slope index")
    np.testing.assert_allclose(line.get_ydata(), [39, 59])
    np.testing.assert_array_equal(line.get_xdata(), [0, 1])
    assert [text.get_text() for text in ax.texts] == ["39.0", "59.0"]


def test_without_counts_there_is_no_line():
    (ax,) = panels(draw("deprivation", ridit=[None] * 3, line=[None] * 3))
    assert not [line for line in ax.lines if line.get_label() == "line of the slope index"]


def test_trends_name_what_zero_is():
    ax = draw("trends")
    (panel,) = panels(ax)
    assert panel.get_title(loc="left") == "Gender: gap to female"
    drawn = {c.get_label(): c[0].get_ydata().tolist() for c in panel.containers}
    assert drawn == {"male": [1.0, 2.0], "other": [-9.0, -10.0]}


def test_parts_of_a_gap_end_where_the_gap_is():
    (ax,) = panels(draw("stages"))
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        "Pakistani",
        "1 (most deprived)",
    ]
    widths = sum(patch.get_width() for patch in ax.patches)
    assert widths == pytest.approx(-16)
    dots = [line.get_xdata().tolist() for line in ax.lines if line.get_marker() == "o"]
    assert dots == [[-6.0], [-10.0]]


def test_providers_outside_are_marked_between_both_limits():
    (ax,) = panels(draw("funnel"))
    shown = {line.get_label(): line for line in ax.lines}
    assert shown["outside 99.8 % with over-dispersion"].get_ydata().tolist() == [70.0]
    assert shown["provider"].get_ydata().tolist() == [51.0]
    np.testing.assert_allclose(shown["99.8 %, chance alone"].get_ydata(), [35, 45])
    assert ax.get_xscale() == "log"


def test_headings_say_how_much_of_everybody_is_not_among_the_dots():
    texts = [text.get_text() for ax in panels(draw("gaps")) for text in ax.texts]
    assert texts == [
        "Ethnicity (5.4 % not recorded)",
        "Deprivation (an unknown share not recorded)",
    ]


def test_a_line_stands_where_the_data_set_changed():
    years = ["2019-20", "2020-21", "2021-22", "2022-23"]
    (panel,) = panels(draw("trends", year=years))
    assert [line.get_xdata()[0] for line in panel.lines if line.get_linestyle() == ":"] == [1]
    (without,) = panels(draw("trends"))
    assert not [line for line in without.lines if line.get_linestyle() == ":"]


def test_providers_of_whom_all_recover_are_crosses():
    places = ["provider", "0 % or 100 %", "limits", "limits"]
    (ax,) = panels(draw("funnel", place=places, rate=[51.0, 100.0, None, None]))
    shown = {line.get_label(): line for line in ax.lines}
    assert shown["0 % or 100 %: recording?"].get_ydata().tolist() == [100.0]
    assert shown["provider"].get_ydata().tolist() == [51.0]
