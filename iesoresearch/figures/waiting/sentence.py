"""Figures of the cost of waiting itself."""

import polars as pl
from matplotlib.axes import Axes

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

_LEGEND = {"loc": "upper left", "fontsize": 8}
_PARTS = ("NHS cash", "work lost", "health lost")  # beginnings of names that are drawn


@styled
def plot_against_course(table: Table, ax: Axes) -> None:
    """Cost of waiting by week and by what is counted, and the cost of a course."""
    shown = conditions(table)
    for panel, condition in zip(panels(ax, 1, len(shown), 9.2, 4.6).flat, shown, strict=True):
        rows = table.frame.filter(condition=condition)
        for i, name in enumerate(rows["perspective"].unique(maintain_order=True)):
            x, y, low, high = numbers(
                rows.filter(perspective=name), "week", "cost", "cost_low", "cost_high"
            )
            colour = PALETTE[_colour(name, i)]
            panel.fill_between(x, low, high, color=colour, alpha=0.1, lw=0)
            panel.plot(x, y, color=colour, label=name.replace(" at £", "\nat £"))
        _course(panel, rows)
        _marked(panel, rows)
        panel.axhline(0, color=GREY, lw=0.8)
        named(panel, heading(condition), right=True, low=True)
        panel.set_xlabel("Weeks from referral to the first session")
        pounds(panel.yaxis)
        panel.legend(**_LEGEND)
        panel.margins(x=0)
    ax.figure.axes[1].set_ylabel("Cost per patient")


def _colour(name: str, i: int) -> int:
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
            mark, (week, 0.02), xycoords=("data", "axes fraction"), xytext=(2, 0),
            textcoords="offset points", rotation=90, fontsize=7, color=GREY, va="bottom",
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
    """Parts of the cost by week, a line for each severity, with 95 % bands."""
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
    for band, colour in zip(bands, ordered_colours(len(bands))[::-1], strict=True):
        x, y, low, high = numbers(rows.filter(band=band), "week", "cost", "cost_low", "cost_high")
        panel.plot(x, y, color=colour, label=band)
        for end in (low, high):
            panel.plot(x, end, color=colour, lw=0.7, ls="--", alpha=0.8)
    panel.axhline(0, color=GREY, lw=0.8)
    panel.margins(x=0)
    pounds(panel.yaxis)
    low, high = panel.get_ylim()
    panel.set_ylim(low, high + 0.12 * (high - low))
