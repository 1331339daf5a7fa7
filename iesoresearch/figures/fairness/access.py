"""Figures of the audit of access."""

import polars as pl
from matplotlib.axes import Axes
from matplotlib.ticker import StrMethodFormatter

from iesoresearch.figures.fairness.rows import columns, dots, share_x, shown, with_count
from iesoresearch.figures.panels import GREY, numbers, reach
from iesoresearch.figures.style import PALETTE, styled
from iesoresearch.results import Table

__all__ = ["plot_leaving", "plot_representation", "plot_waits"]
SIX_WEEKS = 42  # days


@styled
def plot_waits(table: Table, ax: Axes) -> None:
    """Median and 90th percentile of the wait, with intervals."""
    frame = with_count(table.frame, "started")
    for column, (panel, part, places) in enumerate(columns(shown(frame, "median"), ax)):
        rows = pl.concat([rows for _, rows in part])
        for name, marker, colour in (("median", "o", PALETTE[0]), ("p90", "^", PALETTE[1])):
            value, low, high = numbers(rows, name, f"{name}_low", f"{name}_high")
            panel.errorbar(
                value, places, xerr=reach(value, low, high), ls="none", marker=marker, ms=4.5,
                color=colour, capsize=2, label={"median": "Median", "p90": "90th percentile"}[name],
            )  # fmt: skip
        panel.axvline(SIX_WEEKS, color=GREY, lw=1, ls=":", label="Six weeks")
        panel.set_xlim(left=0)
        panel.set_xlabel("Days from referral to first treatment")
        if column == 0:
            panel.legend(loc="upper left", bbox_to_anchor=(0.0, -0.1), ncols=3, fontsize=8)


@styled
def plot_leaving(table: Table, ax: Axes) -> None:
    """Share that ended early, with intervals and references."""
    frame = with_count(table.frame, "ended_early", "ending_known")
    made = columns(shown(frame, "rate"), ax)
    for panel, part, places in made:
        dots(panel, part, places)
        panel.set_xlabel("Of 100 patients who started")
    share_x(made)


@styled
def plot_representation(table: Table, ax: Axes) -> None:
    """Referrals per person relative to all groups of the grouping."""
    for panel, part, places in columns(shown(table.frame, "relative"), ax):
        rows = pl.concat([rows for _, rows in part])
        value, low, high = numbers(rows, "relative", "relative_low", "relative_high")
        panel.errorbar(value, places, xerr=reach(value, low, high), ls="none", marker="o", ms=4.5,
                       color=PALETTE[0], capsize=2)  # fmt: skip
        panel.axvline(1.0, color=GREY, lw=1, ls="--")
        panel.set_xscale("log")
        for ticks in (panel.xaxis.set_major_formatter, panel.xaxis.set_minor_formatter):
            ticks(StrMethodFormatter("{x:g}"))
        panel.set_xlabel("Referrals per person, beside all groups (log scale)")
