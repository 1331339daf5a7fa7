"""Figures of `waiting_replication` show the numbers of their tables."""

import numpy as np
import polars as pl
import pytest

from iesoresearch.figures import waiting_replication as figures
from iesoresearch.results import Table, Value


def table(frame, keys, *values):
    declared = {name: Value("model", name, sensitivity="open") for name in values}
    return Table("T", pl.DataFrame(frame), dict.fromkeys(keys, ""), declared)


def agreement(*ratios):
    cases = ["one_case", "two_trees"] * len(ratios)
    frame = {
        "case": cases[: len(ratios)],
        "quantity": [f"q{i}" for i in range(len(ratios))],
        "ratio": list(ratios),
    }
    return table(frame, ("case", "quantity"), "ratio")


def trace():
    frame = {
        "state": ["well"] * 3 + ["ill"] * 3,
        "cycle": [0, 1, 2] * 2,
        "share": [1.0, 0.5, 0.25, 0.0, 0.5, 0.75],
    }
    return table(frame, ("state", "cycle"), "share")


def icers():
    frame = {
        "case": ["one_case"] * 3 + ["two"],
        "comparison": ["B beside A", "C beside B", "B beside A", "B beside A"],
        "convention": ["start", "start", "end", "end"],
        "icer": [100.0, 200.0, 110.0, 5.0],
        "change": [0.0, 0.0, 10.0, -3.0],
    }
    return table(frame, ("case", "comparison", "convention"), "icer", "change")


def points(ax):
    """Places of the points of each group, by its name in the legend."""
    return {group.get_label(): np.asarray(group.get_offsets()) for group in ax.collections}


@pytest.mark.parametrize(
    ("plot", "shown"),
    [
        (figures.plot_agreement, agreement(0.5, -0.5)),
        (figures.plot_trace, trace()),
        (figures.plot_icers, icers()),
    ],
)
def test_axes_are_labelled_and_what_is_drawn_is_named(plot, shown):
    ax = plot(shown)
    assert ax.get_xlabel()
    assert ax.get_ylabel()
    legends = [ax.get_legend(), *ax.figure.legends]
    assert [text.get_text() for one in legends if one for text in one.get_texts()]


def test_numbers_that_agree_are_where_they_belong_between_the_lines():
    ax = figures.plot_agreement(agreement(0.5, -0.25, 1.0))
    (name, at), *others = points(ax).items()
    assert (name, others) == ("Agrees", [])
    assert at[:, 0].tolist() == [0.5, -0.25, 1.0]
    assert np.round(at[:, 1]).tolist() == [0, 1, 0], "a row per case"
    assert [text.get_text() for text in ax.get_yticklabels()] == ["one case", "two trees"]


def test_what_differs_has_another_mark_and_stays_in_sight():
    ax = figures.plot_agreement(agreement(0.5, -2.0, 40.0, -1e6))
    found = points(ax)
    assert list(found) == [
        "Agrees",
        "Differs",
        "Differs by more than 3 tolerances",
        "Differs by less than −3 tolerances",
    ]
    assert [at[0, 0] for at in found.values()] == [0.5, -2.0, figures.EDGE, -figures.EDGE]
    low, high = ax.get_xlim()
    assert low < -figures.EDGE < figures.EDGE < high


def test_a_line_per_state_holds_its_shares():
    ax = figures.plot_trace(trace())
    lines = {line.get_label(): line.get_ydata().tolist() for line in ax.lines}
    assert lines == {"well": [1.0, 0.5, 0.25], "ill": [0.0, 0.5, 0.75]}


def test_more_states_than_colours_differ_by_the_kind_of_line():
    states = [f"s{i}" for i in range(14)]
    frame = {"state": states, "cycle": [0] * 14, "share": [1 / 14] * 14}
    ax = figures.plot_trace(table(frame, ("state", "cycle"), "share"))
    assert len({(line.get_color(), line.get_linestyle()) for line in ax.lines}) == 14


def test_changes_are_by_way_of_counting_a_row_per_comparison():
    ax = figures.plot_icers(icers())
    found = points(ax)
    assert found["start"][:, 0].tolist() == [0.0, 0.0]
    assert found["end"][:, 0].tolist() == [10.0, -3.0]
    assert np.round(found["end"][:, 1]).tolist() == [0, 2]
    labels = [text.get_text() for text in ax.get_yticklabels()]
    assert labels == ["one case:\nB beside A", "one case:\nC beside B", "two:\nB beside A"]
