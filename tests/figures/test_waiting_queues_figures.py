"""Figures of the queue show the numbers of their tables."""

import numpy as np
import polars as pl
import pytest

from iesoresearch.analyses.waiting.queue_shown import MEDIAN, P90, WAITING
from iesoresearch.figures.waiting import queues as figures
from iesoresearch.results import Table, Value

ACCOUNTS = ["between patients", "between services"]


def table(frame, keys):
    values = {c: Value("model", c.title(), sensitivity="open") for c in frame.columns}
    return Table(
        "T", frame, {k: k.title() for k in keys},
        {c: v for c, v in values.items() if c not in keys},
    )  # fmt: skip


def interval(name, middle):
    return {name: middle, f"{name}_low": middle - 1, f"{name}_high": middle + 2}


@pytest.fixture
def course():
    frames = []
    for a, account in enumerate(ACCOUNTS):
        for s, scenario in enumerate(("as it is", "places −10 %")):
            level = np.array([10.0, 20.0, 30.0]) + 5 * a + s
            names = {"account": account, "scenario": scenario}
            for measure, value in (
                (WAITING, level), (MEDIAN, level[1:] / 2), (P90, level[1:]),
            ):  # fmt: skip
                weeks = [0, 8, 16][-len(value) :]
                row = names | {"measure": measure, "week": weeks} | interval("shown", value)
                frames.append(pl.DataFrame(row))
    return table(pl.concat(frames), ("account", "scenario", "measure", "week"))


@pytest.fixture
def steps():
    frames = []
    for account in ACCOUNTS:
        for where in ("all lists alike", "longest list only"):
            net = np.array([3.0, -2.0])
            chance = np.array([0.7, 0.4]) - 0.1 * (where == "all lists alike")
            frames.append(
                pl.DataFrame(
                    {"account": account, "where": where, "added": [5.0, 10.0]}
                    | interval("net", net)
                    | {"pays": chance, "pays_health": chance - 0.1, "pays_cash": chance - 0.2}
                )
            )
    return table(pl.concat(frames), ("account", "where", "added"))


def drawn(ax):
    ax.figure.canvas.draw()
    return [panel for panel in ax.figure.axes if panel.axison]


@pytest.mark.parametrize("name", ["queue", "break_even"])
def test_axes_are_labelled(name, course, steps):
    panels = drawn(getattr(figures, f"plot_{name}")(course if name == "queue" else steps))
    assert len(panels) == 4
    assert all(panel.get_xlabel() for panel in panels)
    assert [panel.get_title(loc="left") for panel in panels[:2]] == [
        f"Waits differ {account}" for account in ACCOUNTS
    ]
    assert panels[0].get_ylabel()
    assert panels[2].get_ylabel()
    assert panels[0].get_ylim() == panels[1].get_ylim()


def test_lists_and_waits_are_those_of_the_table(course):
    top, _, bottom, _ = drawn(figures.plot_queue(course))
    np.testing.assert_array_equal([line.get_ydata() for line in top.lines],
                                  [[10, 20, 30], [11, 21, 31]])  # fmt: skip
    band = top.collections[0].get_paths()[0].vertices
    assert {9, 12, 19, 22, 29, 32} <= set(band[:, 1])
    assert [line.get_ydata().tolist() for line in bottom.lines] == [
        [10, 15], [20, 30], [10.5, 15.5], [21, 31],
    ]  # fmt: skip
    legend = top.figure.legends[0]
    assert [text.get_text() for text in legend.get_texts()] == ["as it is", "places −10 %"]


def test_savings_and_chances_are_those_of_the_table(steps):
    top, _, bottom, _ = drawn(figures.plot_break_even(steps))
    ends = [
        segment[:, 1].tolist()
        for container in top.containers
        for segment in container[2][0].get_segments()
    ]
    assert ends == [[2, 5], [-3, 0]] * 2
    chances = [line.get_ydata().tolist() for line in bottom.lines[:3]]
    np.testing.assert_allclose(chances, [[0.6, 0.3], [0.5, 0.2], [0.4, 0.1]])
    assert len({line.get_linestyle() for line in bottom.lines[:3]}) == 3
