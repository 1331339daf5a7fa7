"""Figures of the cost of waiting itself."""

import numpy as np
import polars as pl
from matplotlib.axes import Axes

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

_PARTS = ("NHS cash", "work lost", "health lost")  # beginnings of names that are drawn
_DASHES = ("-", "--", "-.", (0, (1, 1)))
_INTERVALS = (12, 24, 36, 48)  # weeks


@styled
def plot_against_course(table: Table, ax: Axes) -> None:
    """Cost of waiting by week, a panel for each way of counting, and the cost of a course."""
    shown = conditions(table)
    names = table.frame["perspective"].unique(maintain_order=True).to_list()
    width, height = 2.5 * len(names) + 0.6, 2.7 * len(shown) + 0.5
    grid = panels(ax, len(shown), len(names), width, height)
    for condition, row in zip(shown, grid, strict=True):
        found = table.frame.filter(condition=condition)
        for name, panel in zip(names, row, strict=True):
            _counted(panel, found.filter(perspective=name), PALETTE[_colour(name)])
            what = name.replace(" at £", "\nat £")
            named(panel, f"{heading(condition)}:\n{what}")
            panel.set_ylim(_limits(found))
            if panel is not row[0]:
                panel.set_yticklabels([])
        row[0].set_ylabel("Cost per patient")
    for panel in grid[-1]:
        panel.set_xlabel("Weeks to the first session")


def _counted(panel: Axes, rows: pl.DataFrame, colour: str) -> None:
    """One way of counting, or that it is not known."""
    pounds(panel.yaxis)
    if rows.is_empty():
        panel.text(0.5, 0.4, "not known", transform=panel.transAxes, ha="center", color=GREY)
        panel.set_xticks([])
        return
    x, y, low, high = numbers(rows, "week", "cost", "cost_low", "cost_high")
    panel.fill_between(x, low, high, color=colour, alpha=0.2, lw=0)
    panel.plot(x, y, color=colour, label="waiting")
    _course(panel, rows)
    _marked(panel, rows)
    at, both, low, high = numbers(rows[:1], "both_weeks", "both", "both_low", "both_high")
    panel.errorbar(
        at, both, yerr=reach(both, low, high), color="black", marker="D", ms=4.5, ls="none",
        capsize=2, zorder=4, label="both waits",
    )  # fmt: skip
    panel.axhline(0, color=GREY, lw=0.8)
    panel.margins(x=0)


def _limits(rows: pl.DataFrame) -> tuple[float, float]:
    """The same for all ways of counting of a condition, with room for what panels are called."""
    ends = [rows[f"{x}_{end}"].cast(float) for x in ("cost", "course") for end in ("low", "high")]
    low, high = min(x.min() for x in ends), max(x.max() for x in ends)
    return low - 0.05 * (high - low), high + 0.35 * (high - low)


def _colour(name: str) -> int:
    """One colour for one way of counting, in every panel."""
    return {(False, False): 0, (True, False): 1, (False, True): 2, (True, True): 3}[
        "work" in name, "health" in name
    ]


def _course(panel: Axes, rows: pl.DataFrame) -> None:
    course, low, high = (rows[f"course{end}"][0] for end in ("", "_low", "_high"))
    panel.axhspan(low, high, color="#999999", alpha=0.2, lw=0)
    panel.axhline(course, color=GREY, ls="--", lw=1.3, label="a course")


def _marked(panel: Axes, rows: pl.DataFrame) -> None:
    found = rows.filter(pl.col("mark") != "").unique("week", maintain_order=True)
    for week, mark in found.select("week", "mark").rows():
        panel.axvline(week, color=GREY, lw=0.8, ls=":")
        panel.annotate(
            mark, (week, 0.01), xycoords=("data", "axes fraction"), xytext=(2, 0),
            textcoords="offset points", rotation=90, fontsize=6, color=GREY, va="bottom",
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.6, "pad": 0.5},
        )  # fmt: skip


@styled
def plot_patient_week(table: Table, ax: Axes) -> None:
    """Parts of the cost of a patient-week by severity, with 95 % intervals."""
    shown = conditions(table)
    bands = {c: table.frame.filter(condition=c)["band"].unique(maintain_order=True) for c in shown}
    if len(ax.figure.axes) == 1:
        ax.figure.set_figheight(0.52 * sum(map(len, bands.values())) + 1.6)
    place, ticks = [], []
    for condition in shown:
        for band in bands[condition]:
            place.append(place[-1] + 1 + 0.5 * (band == bands[condition][0]) if place else 0.0)
            ticks.append((condition, band))
    for i, part in enumerate(_PARTS):
        rows = table.frame.filter(pl.col("part").str.starts_with(part))
        at = [
            place[ticks.index(key)] + 0.22 * (i - 1)
            for key in rows.select("condition", "band").rows()
        ]
        value, low, high = numbers(rows, "cost", "cost_low", "cost_high")
        ax.errorbar(
            value, at, xerr=reach(value, low, high), color=PALETTE[i], marker=MARKERS[i], ms=4.5,
            ls="none", capsize=2, label=_legend(rows["part"][0]),
        )  # fmt: skip
    ax.axvline(0, color=GREY, lw=0.8)
    ax.set_yticks(place, [f"{condition}, {band}" for condition, band in ticks])
    ax.set_ylim(max(place) + 0.6, -0.6)
    ax.set_ylabel("Severity at referral")
    ax.set_xlabel("£ per patient-week of waiting")
    pounds(ax.xaxis)
    ax.legend(loc="upper left", bbox_to_anchor=(0.0, -0.16), ncols=3, fontsize=8)


def _legend(part: str) -> str:
    return part.replace(", both together", "").replace(", no cost", ",\nno cost")


@styled
def plot_by_week(table: Table, ax: Axes) -> None:
    """Parts of the cost by week, a line for each severity, with 95 % intervals at some weeks."""
    shown = conditions(table)
    grid = panels(ax, len(shown), len(_PARTS), 9.6, 2.9 * len(shown) + 0.3)
    for i, condition in enumerate(shown):
        for j, part in enumerate(_PARTS):
            rows = table.frame.filter(pl.col("part").str.starts_with(part), condition=condition)
            _severities(grid[i, j], rows)
            named(grid[i, j], f"{heading(condition)}: {part}")
            if i == len(shown) - 1:
                grid[i, j].set_xlabel("Weeks of waiting")
        grid[i, 0].set_ylabel("Cost per patient")
        grid[i, 0].legend(fontsize=7, loc="lower left")


def _severities(panel: Axes, rows: pl.DataFrame) -> None:
    if rows.is_empty():
        panel.text(0.5, 0.5, "not known", transform=panel.transAxes, ha="center", color=GREY)
        panel.set_xticks([])
        panel.set_yticks([])
        return
    bands = rows["band"].unique(maintain_order=True).to_list()
    colours = ordered_colours(len(bands))[::-1]
    for i, (band, colour) in enumerate(zip(bands, colours, strict=True)):
        x, y, low, high = numbers(rows.filter(band=band), "week", "cost", "cost_low", "cost_high")
        # lines that coincide are told apart by dashes, their intervals by standing side by side
        panel.plot(x, y, color=colour, ls=_DASHES[i % len(_DASHES)], label=band)
        some = np.isin(x, _INTERVALS)
        panel.errorbar(
            x[some] + 1.6 * (i - (len(bands) - 1) / 2), y[some],
            yerr=reach(y, low, high)[:, some], color=colour, marker=MARKERS[i], ms=3, lw=0.9,
            ls="none", capsize=1.5,
        )  # fmt: skip
    panel.axhline(0, color=GREY, lw=0.8)
    panel.margins(x=0)
    pounds(panel.yaxis)
    low, high = panel.get_ylim()
    panel.set_ylim(low, high + 0.12 * (high - low))
