"""Figures of the decision when therapy should start."""

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, PercentFormatter

from iesoresearch.figures.panels import (
    GREY,
    conditions,
    heading,
    named,
    numbers,
    panels,
    pounds,
)
from iesoresearch.figures.style import MARKERS, PALETTE, styled
from iesoresearch.results import Table

MEAN = "mean"
_DASHES = ("-", (0, (6, 4)), (0, (2, 3)), "-.", (0, (1, 1.5)))  # lines that coincide stay visible


@styled
def plot_plane(table: Table, ax: Axes) -> None:
    """Differences in cost and QALYs, some draws and the mean of all; below, at once by itself."""
    shown = conditions(table)
    names = table.frame["strategy"].unique(maintain_order=True).to_list()
    grid = panels(ax, 2, len(shown), 9.2, 7.6)
    for column, condition in enumerate(shown):
        rows = table.frame.filter(condition=condition)
        near = rows.filter(strategy=names[0])
        for panel, frame in zip(grid[:, column], (rows, near), strict=True):
            for i, name in enumerate(names):
                _cloud(panel, frame.filter(strategy=name), i + (i > 0))  # the usual is second
            _axes(panel, rows["wtp"][0])
        named(grid[0, column], heading(condition))
        named(grid[1, column], f"{heading(names[0])}: {_ratio(near)}")
        grid[1, column].set_xlabel("QALYs more than after the usual wait")
    for panel in grid[:, 0]:
        panel.set_ylabel("NHS cash more than after the usual wait")
    grid[0, 0].legend(fontsize=8, loc="lower left")


def _cloud(panel: Axes, rows: pl.DataFrame, i: int) -> None:
    """Draws of a strategy, and its mean."""
    if rows.is_empty():
        return
    qaly, cost = numbers(rows.filter(pl.col("draw") != MEAN), "qaly", "cost")
    panel.plot(qaly, cost, ls="none", marker=".", ms=3, alpha=0.35, color=PALETTE[i])
    qaly, cost = numbers(rows.filter(draw=MEAN), "qaly", "cost")
    panel.plot(
        qaly, cost, ls="none", marker=MARKERS[i], ms=9, mec="white", color=PALETTE[i],
        label=rows["strategy"][0], zorder=4,
    )  # fmt: skip


def _axes(panel: Axes, wtp: float) -> None:
    """The line of willingness to pay within what the draws reach, and both zeros."""
    low, high = panel.get_xlim()
    limits = panel.get_ylim()
    ends = np.array([low, high])
    panel.plot(ends, wtp * ends, color=GREY, lw=1, ls="--")
    panel.set_xlim(low, high)
    panel.set_ylim(limits[0], limits[1] + 0.12 * (limits[1] - limits[0]))
    panel.axhline(0, color=GREY, lw=0.8)
    panel.axvline(0, color=GREY, lw=0.8)
    panel.xaxis.set_major_locator(MaxNLocator(5))
    pounds(panel.yaxis)


def _ratio(rows: pl.DataFrame) -> str:
    """Of mean cost to mean QALYs, where both are more than after the usual wait."""
    ((qaly,), (cost,)) = numbers(rows.filter(draw=MEAN), "qaly", "cost")
    if cost > 0 and qaly > 0:
        return f"£{cost / qaly:,.0f} per QALY gained"
    return "no price of a QALY: not both dearer and better"


@styled
def plot_acceptability(table: Table, ax: Axes) -> None:
    """Acceptability curves of every strategy, the best on average marked."""
    shown = conditions(table)
    names = table.frame["strategy"].unique(maintain_order=True).to_list()
    for panel, condition in zip(panels(ax, 1, len(shown), 9.2, 4.4).flat, shown, strict=True):
        rows = table.frame.filter(condition=condition)
        for wtp in rows.filter(rule="threshold")["wtp"].unique(maintain_order=True):
            panel.axvline(wtp, color=GREY, lw=0.8, ls="--")
        for i, name in enumerate(names):
            one = rows.filter(strategy=name)
            x, y = numbers(one, "wtp", "probability")
            panel.plot(x, y, color=PALETTE[i], ls=_DASHES[i % len(_DASHES)], label=name)
            x, y = numbers(one.filter(best="best"), "wtp", "probability")
            panel.plot(x, y, color=PALETTE[i], ls="none", marker="o", ms=4.5)
        panel.set_ylim(-2, 114)
        panel.yaxis.set_major_locator(FixedLocator(range(0, 101, 20)))
        panel.margins(x=0)
        named(panel, heading(condition))
        panel.set_xlabel("£ per QALY")
        panel.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"£{x / 1000:,.0f}k"))
        panel.yaxis.set_major_formatter(PercentFormatter(decimals=0))
    ax.figure.axes[1].set_ylabel("Best in so many draws")
    ax.figure.axes[-1].legend(fontsize=8, loc="center right")
