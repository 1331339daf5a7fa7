"""Figures of what is not known: tornado, value of information, scenarios."""

import textwrap

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from iesoresearch.figures.style import MARKERS, PALETTE, ordered_colours, styled
from iesoresearch.figures.waiting.panels import (
    GREY,
    conditions,
    heading,
    named,
    numbers,
    panels,
    pounds,
    reach,
)
from iesoresearch.results import Table

BARS = 10  # of a tornado
LEAST = 1.0  # % of the EVPI
_COLOURS = {"assumption": 1, "derived": 0, "sourced": 2, "group": 3}


def _wrapped(names) -> list[str]:
    return ["\n".join(textwrap.wrap(heading(name), 44)) for name in names]


@styled
def plot_tornado(table: Table, ax: Axes) -> None:
    """Net benefit at the low and high end of each input, widest on top."""
    shown = conditions(table)
    for panel, condition in zip(panels(ax, len(shown), 1, 8.4, 7.6).flat, shown, strict=True):
        rows = table.frame.filter(condition=condition).head(BARS)
        low, high, base = numbers(rows, "low", "high", "base")
        place = np.arange(len(rows), dtype=float)
        for ends, colour, label in ((low, PALETTE[4], "at its low end"),
                                    (high, PALETTE[0], "at its high end")):  # fmt: skip
            panel.barh(place, ends - base, left=base, color=colour, height=0.62, label=label)
        panel.axvline(base[0], color=GREY, lw=1)
        panel.axvline(0, color="#222222", lw=1, ls=":")
        panel.set_yticks(place, _wrapped(rows["input"]), fontsize=8)
        panel.set_ylim(len(rows) - 0.4, -0.6)
        named(panel, heading(condition), right=True, low=True)
        pounds(panel.xaxis)
    ax.figure.axes[1].legend(fontsize=8, loc="center right")
    ax.figure.axes[-1].set_xlabel("Net benefit of at once over the usual wait, per patient")


@styled
def plot_evppi(table: Table, ax: Axes) -> None:
    """Value of learning an input or a group of them, with two standard errors."""
    shown = conditions(table)
    frame = table.frame.filter(pl.col("share") >= LEAST)
    counts = [max(1, frame.filter(condition=c).height) for c in shown]
    grid = panels(ax, len(shown), 1, 8.0, 0.42 * sum(counts) + 2.0)
    for panel, condition in zip(grid.flat, shown, strict=True):
        _worths(panel, frame.filter(condition=condition))
        named(panel, heading(condition), right=True, low=True)
        panel.xaxis.set_major_locator(MaxNLocator(7, integer=True))
        pounds(panel.xaxis)
        if panel.containers:
            panel.legend(fontsize=8, loc="center right")
    ax.figure.axes[-1].set_xlabel("EVPPI per patient")


def _worths(panel: Axes, rows: pl.DataFrame) -> None:
    """A bar each, by what the input rests on; a sentence where there is none."""
    if rows.is_empty():
        panel.text(0.5, 0.5, "no input is worth learning", transform=panel.transAxes, ha="center",
                   color=GREY)  # fmt: skip
        panel.set_yticks([])
        return
    value, error = numbers(rows, "value", "error")
    place = np.arange(len(rows), dtype=float)
    for rests_on, number in _COLOURS.items():
        of = np.array([name == rests_on for name in rows["rests_on"]], dtype=bool)
        if of.any():
            panel.barh(
                place[of], value[of], color=PALETTE[number], height=0.6, label=rests_on,
                xerr=2 * error[of], ecolor="#222222", capsize=2.5,
            )  # fmt: skip
    panel.set_yticks(place, _wrapped(rows["input"]), fontsize=8)
    panel.set_ylim(len(rows) - 0.4, -0.6)
    panel.set_xlim(0, 1.35 * float((value + 2 * error).max(initial=1.0)))


@styled
def plot_scenarios(table: Table, ax: Axes) -> None:
    """Cost of a wait by scenario of recovery, horizon and utilities, with 95 % intervals."""
    shown = conditions(table)
    frame = table.frame.filter(other="as in the base case")
    horizons = frame["horizon"].unique(maintain_order=True).to_list()
    named_as = {c: frame.filter(condition=c)["recovery"].unique(maintain_order=True) for c in shown}
    counts = [len(names) for names in named_as.values()]
    grid = panels(ax, len(shown), 1, 8.2, 0.75 * sum(counts) + 1.4, heights=counts).ravel()
    for panel, condition in zip(grid, shown, strict=True):
        _by_recovery(panel, frame.filter(condition=condition), horizons)
        panel.axvline(0, color=GREY, lw=0.8)
        panel.set_yticks(range(len(named_as[condition])), named_as[condition])
        panel.set_ylim(len(named_as[condition]) - 0.5, -0.5)
        panel.set_xlim(*_ends(frame))
        named(panel, heading(condition), right=True, low=True)
        panel.set_ylabel("Natural recovery")
        pounds(panel.xaxis)
    grid[-1].set_xlabel("Cost of the wait, all parts")
    grid[0].legend(fontsize=7, loc="center right")


def _ends(frame: pl.DataFrame) -> tuple[float, float]:
    low, high = frame["cost_low"].min(), frame["cost_high"].max()
    return low - 0.05 * (high - low), high + 0.25 * (high - low)


def _by_recovery(panel: Axes, rows: pl.DataFrame, horizons: list[str]) -> None:
    """Horizons by colour, utilities by marker, within each scenario of recovery."""
    names = rows["recovery"].unique(maintain_order=True).to_list()
    kinds = rows["instrument"].unique(maintain_order=True).to_list()
    step = 0.8 / (len(horizons) * len(kinds))
    for h, (horizon, colour) in enumerate(
        zip(horizons, ordered_colours(len(horizons)), strict=True)
    ):
        for k, kind in enumerate(kinds):
            one = rows.filter(horizon=horizon, instrument=kind)
            value, low, high = numbers(one, "cost", "cost_low", "cost_high")
            shift = (h * len(kinds) + k) * step - 0.4 + step / 2
            at = np.array([names.index(name) for name in one["recovery"]]) + shift
            panel.errorbar(
                value, at, xerr=reach(value, low, high), color=colour, marker=MARKERS[k], ms=4,
                ls="none", capsize=1.5, lw=1, label=f"{horizon}, {kind}",
            )  # fmt: skip
