"""Figures of `pooling` show what their tables hold."""

import numpy as np
import polars as pl
import pytest

from iesoresearch.figures import pooling
from iesoresearch.results import SIMULATED, Table, Value


def table(rows, keys, words=()):
    frame = pl.DataFrame(rows)
    values = {
        name: Value("model", f"{name}, %", 1, sensitivity="synthetic")
        for name in frame.columns
        if name not in keys
    }
    return Table("Title", frame, {key: key.title() for key in keys}, values)


FOREST = [
    ("North", 50.0, 45.0, 55.0, 40.0, 98.0, 102.0),
    ("Site A", None, None, None, 0.0, 60.0, 60.0),
    ("all sites", 47.0, 41.0, 53.0, 100.0, 158.0, 162.0),
    ("a further site", 47.0, 20.0, 75.0, None, None, None),
]


@pytest.fixture
def forest():
    names = ["label", "rate", "rate_low", "rate_high", "weight", "n_least", "n_most"]
    frame = pl.DataFrame(FOREST, schema=names, orient="row")
    return table(frame.to_dict(as_series=False), ["label"])


def test_the_forest_names_every_row_with_n_and_weight(forest):
    ax = pooling.plot_forest(forest)
    shown = [label.get_text() for label in ax.get_yticklabels()]
    assert shown[0] == "North, n = 98 to 102 (40 %)"
    assert shown[2] == "all sites, n = 158 to 162 (100 %)"
    assert shown[3] == "a further site"
    assert SIMULATED in ax.figure.get_supxlabel()
    marks = [line for line in ax.lines if line.get_marker() == "D"]
    assert [float(line.get_xdata()[0]) for line in marks] == [47.0]


def test_a_site_that_says_nothing_has_a_row_and_no_weight(forest):
    ax = pooling.plot_forest(forest)
    assert ax.get_yticklabels()[1].get_text() == "Site A, n = 60 (0 %)"


def test_every_measure_has_a_panel_with_its_ideal():
    rows = {
        "measure": [],
        "label": [],
        "value": [],
        "value_low": [],
        "value_high": [],
        "weight": [],
    }
    for measure, value in (("AUC", 0.7), ("Calibration slope", 0.9)):
        for label in ("North", "all sites", "a further site"):
            cells = (measure, label, value, value - 0.1, value + 0.1, 50.0)
            for name, cell in zip(rows, cells, strict=True):
                rows[name].append(cell)
    figure = pooling.plot_performance(table(rows, ["measure", "label"])).figure
    panels = [ax for ax in figure.axes if ax.get_xlabel()]
    assert [ax.get_xlabel() for ax in panels] == ["AUC", "Calibration slope"]
    assert [label.get_text() for label in panels[0].get_yticklabels()] == [
        *("North", "all sites", "a further site")
    ]
    vertical = [line.get_xdata()[0] for line in panels[1].lines if np.ptp(line.get_xdata()) == 0]
    assert 1.0 in vertical


def test_what_suppression_costs_is_shown_for_every_rate_with_the_sites_that_tell():
    rows = {
        "question": ["Recovery", "Recovery", "Rare"], "way": ["released", "exact", "released"],
        "rate": [50.0, 51.0, 5.0], "rate_low": [40.0, 45.0, None], "rate_high": [60.0, 57.0, None],
        "k": [3.0, 4.0, 1.0],
    }  # fmt: skip
    rows["question"].append("Rare")
    for name, cell in zip(list(rows)[1:], ("exact", None, None, None, 0.0), strict=True):
        rows[name].append(cell)
    figure = pooling.plot_cost(table(rows, ["question", "way"])).figure
    panels = [ax for ax in figure.axes if ax.get_title(loc="left")]
    assert [ax.get_title(loc="left") for ax in panels] == ["Recovery", "Rare"]
    assert [text.get_text() for text in panels[0].texts] == ["3 sites", "4 sites"]
    assert [text.get_text() for text in panels[1].texts] == ["1 site", "0 sites"]


def test_profiles_have_a_line_for_each_site_and_state():
    rows = {"state": [], "label": [], "item": [], "score": []}
    for state in "12":
        for label in ("North", "Site A"):
            for item in ("interest", "low mood"):
                for name, cell in zip(rows, (state, label, item, float(state)), strict=True):
                    rows[name].append(cell)
    ax = pooling.plot_profiles(table(rows, ["state", "label", "item"]))
    assert len([line for line in ax.lines if len(line.get_xdata())]) == 4
    assert [text.get_text() for text in ax.texts] == ["State 1", "State 2"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["North", "Site A"]
    rows["score"][0] = None  # state 1 at North, the first item: suppressed
    rows["score"][2] = None
    texts = pooling.plot_profiles(table(rows, ["state", "label", "item"])).texts
    assert [(text.get_text(), text.xy) for text in texts] == [
        *(("State 1", (1, 1.0)), ("State 2", (0, 2.0)))
    ]
