"""Figures of what is not known: tornado, what explains the variance, scenarios."""

import textwrap

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter

from iesoresearch.figures.panels import (
    GREY,
    conditions,
    heading,
    named,
    numbers,
    panels,
    pounds,
    reach,
)
from iesoresearch.figures.style import MARKERS, PALETTE, ordered_colours, styled
from iesoresearch.results import Table

BARS = 8  # of a tornado
LEAST = 1.0  # % of the variance
_COLOURS = {"assumption": 1, "derived": 0, "sourced": 2, "group": 3}
_MEANING = {
    "assumption": "assumption",
    "derived": "derived from a source",
    "sourced": "printed in a source",
    "group": "several inputs together",
}


def _wrapped(names) -> list[str]:
    return ["\n".join(textwrap.wrap(heading(name), 44)) for name in names]


@styled
def plot_tornado(table: Table, ax: Axes) -> None:
    """Cost of a wait, and net benefit, at both ends of each input, widest on top."""
    pairs = [(c, o) for c in conditions(table) for o in _outcomes(table)]
    sizes = [min(BARS, table.frame.filter(condition=c, outcome=o).height) for c, o in pairs]
    grid = panels(ax, len(pairs), 1, 8.6, 0.27 * sum(sizes) + 0.95 * len(pairs), heights=sizes)
    for panel, (condition, outcome) in zip(grid.flat, pairs, strict=True):
        rows = table.frame.filter(condition=condition, outcome=outcome).head(BARS)
        low, high, base = numbers(rows, "low", "high", "base")
        place = np.arange(len(rows), dtype=float)
        for ends, colour, label in ((low, PALETTE[4], "at its low end"),
                                    (high, PALETTE[0], "at its high end")):  # fmt: skip
            panel.barh(place, ends - base, left=base, color=colour, height=0.62, label=label)
        panel.axvline(base[0], color=GREY, lw=1)
        panel.axvline(0, color="#222222", lw=1, ls=":")
        panel.set_yticks(place, _wrapped(rows["input"]), fontsize=7)
        panel.set_ylim(len(rows) + 0.3, -0.6)  # below the bars, what the panel shows
        panel.set_xlim(*_wider(np.r_[low, high, 0.0]))
        named(panel, f"{heading(condition)}: {outcome}", right=True, low=True)
        pounds(panel.xaxis)
    ax.figure.axes[1].legend(fontsize=8, loc="center right")
    ax.figure.axes[-1].set_xlabel("£ per patient; solid: all inputs at their values")


def _outcomes(table: Table) -> list[str]:
    return table.frame["outcome"].unique(maintain_order=True).to_list()


def _wider(ends: np.ndarray) -> tuple[float, float]:
    """Limits with room for words on the right."""
    low, high = ends.min(), ends.max()
    return low - 0.05 * (high - low), high + 0.3 * (high - low)


@styled
def plot_explained(table: Table, ax: Axes) -> None:
    """Share of the variance that an input or a group explains, with two standard errors."""
    shown = conditions(table)
    frame = table.frame.filter(pl.col("share") >= LEAST)
    counts = [max(1, frame.filter(condition=c).height) for c in shown]
    grid = panels(ax, len(shown), 1, 8.0, 0.34 * sum(counts) + 1.6, heights=counts)
    for panel, condition in zip(grid.flat, shown, strict=True):
        _shares(panel, frame.filter(condition=condition))
        named(panel, heading(condition), right=True, low=True)
        panel.xaxis.set_major_formatter(PercentFormatter(decimals=0))
    ax.figure.axes[1].legend(
        handles=[Patch(color=PALETTE[n], label=_MEANING[name]) for name, n in _COLOURS.items()],
        fontsize=8, loc="center right",
    )  # fmt: skip
    ax.figure.axes[-1].set_xlabel("Share of the variance of the cost of the wait")


def _shares(panel: Axes, rows: pl.DataFrame) -> None:
    """A bar each, by what the input rests on; a sentence where there is none."""
    if rows.is_empty():
        panel.text(0.5, 0.5, "no input matters by itself", transform=panel.transAxes, ha="center",
                   color=GREY)  # fmt: skip
        panel.set_yticks([])
        return
    share, error = numbers(rows, "share", "error")
    colours = [PALETTE[_COLOURS[name]] for name in rows["rests_on"]]
    place = np.arange(len(rows), dtype=float)
    panel.barh(
        place, share, color=colours, height=0.6, xerr=2 * error, ecolor="#222222", capsize=2.5
    )
    panel.set_yticks(place, _wrapped(rows["input"]), fontsize=8)
    panel.set_ylim(len(rows) - 0.4, -0.6)
    panel.set_xlim(0, 118)


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
    grid[-1].set_xlabel("Cost of 18 weeks, all parts")
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
