"""Figures of the decision when therapy should start."""

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, PercentFormatter

from iesoresearch.figures.style import MARKERS, PALETTE, styled
from iesoresearch.figures.waiting.panels import (
    GREY,
    conditions,
    heading,
    named,
    numbers,
    panels,
    pounds,
)
from iesoresearch.results import Table

MEAN = "mean"


@styled
def plot_plane(table: Table, ax: Axes) -> None:
    """Differences in cost and QALYs: some draws, and the mean of all."""
    shown = conditions(table)
    names = table.frame["strategy"].unique(maintain_order=True)
    places = {name: i + (i > 0) for i, name in enumerate(names)}  # of colours: the usual is second
    for panel, condition in zip(panels(ax, 1, len(shown), 9.2, 4.6).flat, shown, strict=True):
        rows = table.frame.filter(condition=condition)
        for name, i in places.items():
            one = rows.filter(strategy=name)
            qaly, cost = numbers(one.filter(pl.col("draw") != MEAN), "qaly", "cost")
            panel.plot(qaly, cost, ls="none", marker=".", ms=3, alpha=0.35, color=PALETTE[i])
            qaly, cost = numbers(one.filter(draw=MEAN), "qaly", "cost")
            panel.plot(
                qaly, cost, ls="none", marker=MARKERS[i], ms=9, mec="white", color=PALETTE[i],
                label=name, zorder=4,
            )  # fmt: skip
        low, high = panel.get_xlim()
        limits = panel.get_ylim()
        ends = np.array([low, high])
        panel.plot(ends, rows["wtp"][0] * ends, color=GREY, lw=1, ls="--")
        panel.set_xlim(low, high)
        panel.set_ylim(*limits)
        panel.axhline(0, color=GREY, lw=0.8)
        panel.axvline(0, color=GREY, lw=0.8)
        named(panel, heading(condition))
        panel.set_xlabel("QALYs more than after the usual wait")
        pounds(panel.yaxis)
    ax.figure.axes[1].set_ylabel("NHS cash more than after the usual wait")
    ax.figure.axes[1].legend(fontsize=8, loc="lower left")


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
            panel.plot(x, y, color=PALETTE[i], label=name)
            x, y = numbers(one.filter(best="best"), "wtp", "probability")
            panel.plot(x, y, color=PALETTE[i], ls="none", marker="o", ms=4.5)
        panel.set_ylim(-2, 102)
        panel.margins(x=0)
        named(panel, heading(condition))
        panel.set_xlabel("£ per QALY")
        panel.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"£{x / 1000:,.0f}k"))
        panel.yaxis.set_major_formatter(PercentFormatter(decimals=0))
    ax.figure.axes[1].set_ylabel("Best in so many draws")
    ax.figure.axes[-1].legend(fontsize=8, loc="center right")
