"""Figures of the model audit: rates and calibration by group, and what closing a gap costs."""

from textwrap import fill

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from iesoresearch.figures.panels import GREY, numbers, panels, reach
from iesoresearch.figures.style import MARKERS, PALETTE, styled
from iesoresearch.results import Table

__all__ = ["plot_mitigation", "plot_model_calibration", "plot_model_rates"]

EVERYBODY = "Everybody"
NOT_RECORDED = "not recorded"
MOST = 6  # curves in a panel: colours that can be told apart
_RATES = {"tpr": "TPR, %", "fpr": "FPR, %", "ppv": "PPV, %", "auc": "AUC"}
_GAPS = {"tpr": "TPR", "fpr": "FPR"}


@styled
def plot_model_rates(table: Table, ax: Axes) -> None:
    """TPR, FPR, PPV and AUC of every group with 95 % intervals, beside those of everybody."""
    whole = table.frame.filter(grouping=EVERYBODY)
    there = pl.any_horizontal(pl.col(name).is_not_null() for name in _RATES)
    rows = table.frame.filter(there, pl.col("grouping") != EVERYBODY)
    place = _places(rows["grouping"].to_list())
    grid = panels(ax, 1, len(_RATES), 11.0, 0.2 * (place.max(initial=0) + 1) + 1.5)[0]
    for i, (panel, (name, heading)) in enumerate(zip(grid, _RATES.items(), strict=True)):
        value, low, high = numbers(rows, name, f"{name}_low", f"{name}_high")
        shown = np.isfinite(value)
        panel.errorbar(
            value[shown], place[shown], xerr=reach(value[shown], low[shown], high[shown]),
            color=PALETTE[0], marker="o", ms=4, ls="none", capsize=2,
        )  # fmt: skip
        if whole.height and whole[name].item() is not None:
            panel.axvline(whole[name].item(), color=GREY, lw=1, ls="--")
        panel.set_xlabel(heading)
        panel.set_yticks(place, _names(rows) if i == 0 else [""] * len(place), fontsize=8)
        panel.tick_params(axis="y", length=3 if i == 0 else 0)
        panel.set_ylim(place.max(initial=0) + 0.8, -0.8)
    for grouping, first in _firsts(rows, place):
        grid[-1].text(1.03, first, grouping, transform=grid[-1].get_yaxis_transform(),
                      va="center", fontsize=8, color=GREY)  # fmt: skip


def _places(groupings: list[str]) -> np.ndarray:
    """Heights of the rows, with a gap between groupings."""
    new = [0.6 if i and g != groupings[i - 1] else 0.0 for i, g in enumerate(groupings)]
    return np.arange(len(groupings)) + np.cumsum(new)


def _names(rows: pl.DataFrame) -> list[str]:
    counts = rows.select("level", "events", "others").rows()
    return [f"{level} ({_count(a)} / {_count(b)})" for level, a, b in counts]


def _count(n: int | None) -> str:
    return "–" if n is None else f"{n:,}"


def _firsts(rows: pl.DataFrame, place: np.ndarray):
    groupings = rows["grouping"].to_list()
    return [(g, place[i]) for i, g in enumerate(groupings) if groupings.index(g) == i]


@styled
def plot_model_calibration(table: Table, ax: Axes) -> None:
    """Observed against predicted risk, smoothed, one panel per grouping, with 95 % bands."""
    risks = sorted(int(name[3:]) for name in table.values if name[3:].isdigit())
    drawn = pl.any_horizontal(pl.col(f"at_{risk}").is_not_null() for risk in risks)
    rows = table.frame.filter(
        drawn, pl.col("level") != NOT_RECORDED, pl.col("grouping") != EVERYBODY
    )
    names = rows["grouping"].unique(maintain_order=True).to_list()
    columns = min(max(len(names), 1), 3)
    n_rows = -(-max(len(names), 1) // columns)
    grid = panels(ax, n_rows, columns, 3.6 * columns + 0.4, 4.1 * n_rows + 0.5).flatten()
    for panel, grouping in zip(grid, names, strict=False):
        _calibrated(panel, rows.filter(grouping=grouping), risks)
        panel.set_title(grouping, fontsize=9.5)
    for panel in grid[len(names) :]:
        panel.set_axis_off()


def _calibrated(panel: Axes, rows: pl.DataFrame, risks: list[int]) -> None:
    panel.plot([0, 100], [0, 100], color=GREY, lw=1, ls="--")
    largest = rows.with_row_index().sort("n", descending=True, nulls_last=True).head(MOST)
    for i, row in enumerate(largest.sort("index").iter_rows(named=True)):
        value, low, high = (
            np.array([row[f"at_{risk}{end}"] for risk in risks], dtype=float)
            for end in ("", "_low", "_high")
        )
        n = None if row["n"] is None else int(row["n"])
        panel.fill_between(risks, low, high, color=PALETTE[i], alpha=0.1, lw=0)
        label = f"{row['level']} ({_count(n)}; {_count(row['events'])})"
        panel.plot(risks, value, color=PALETTE[i], marker=MARKERS[i], ms=3.5, lw=1.3, label=label)
    for axis in (panel.xaxis, panel.yaxis):
        axis.set_major_formatter(PercentFormatter(100, decimals=0))
    panel.set_xlim(0, 100)
    panel.set_ylim(0, 100)
    panel.set_xlabel("Predicted risk")
    panel.set_ylabel("Observed share (smoothed)")
    panel.legend(loc="upper left", bbox_to_anchor=(0.0, -0.2), fontsize=7)


@styled
def plot_mitigation(table: Table, ax: Axes) -> None:
    """Gap left by each rule against what it costs everybody, with 95 % intervals.

    Filled: of two groups; empty: largest less smallest of all, beside what chance makes of it.
    """
    rows = table.frame
    grid = panels(ax, 1, len(_GAPS), 9.0, 5.2)[0]
    cost, cost_low, cost_high = numbers(rows, "cost", "cost_low", "cost_high")
    for panel, (name, heading) in zip(grid, _GAPS.items(), strict=True):
        gap, low, high = numbers(rows, f"{name}_gap", f"{name}_gap_low", f"{name}_gap_high")
        widest, chance = numbers(rows, f"{name}_widest", f"{name}_chance")
        panel.axvspan(0, np.nanmax(chance, initial=0.0), color=GREY, alpha=0.15, lw=0)
        panel.axhline(0, color=GREY, lw=1)
        panel.axvline(0, color=GREY, lw=1)
        for i, rule in enumerate(rows["rule"]):
            if not np.isfinite(gap[i]):
                continue
            ends = [[x[0]] for x in reach(gap[i : i + 1], low[i : i + 1], high[i : i + 1])]
            fall = np.array([cost_low[i], cost_high[i]])
            drop = None
            if np.isfinite(fall).all():
                drop = [[max(cost[i] - fall[0], 0)], [max(fall[1] - cost[i], 0)]]
            panel.errorbar(
                gap[i], cost[i], xerr=ends, yerr=drop, color=PALETTE[i % len(PALETTE)],
                marker=MARKERS[i], ms=7, lw=1.1, capsize=2, label=rule,
            )  # fmt: skip
            panel.plot(
                widest[i], cost[i], color=PALETTE[i % len(PALETTE)], marker=MARKERS[i], ms=7,
                ls="none", mfc="none",
            )  # fmt: skip
        between = rows[f"{name}_between"].drop_nulls().to_list()
        two = f" between {between[0]}" if between else ""
        label = f"Gap in {heading} that is left{two}, points (0 = none; empty: widest of all)"
        panel.set_xlabel(fill(label, 52))
    grid[0].set_ylabel("Net benefit gained per 100 patients")
    handles, labels = grid[0].get_legend_handles_labels()
    # of the figure: a legend of one panel would push the other away
    ax.figure.legend(handles, labels, loc="outside upper center", fontsize=8, ncols=2)
