"""Figures of `fairness_measurement`."""

from textwrap import fill

import numpy as np
import polars as pl
from matplotlib.axes import Axes

from iesoresearch.figures.style import MARKERS, PALETTE, styled
from iesoresearch.models.item_functioning import LARGE, MODERATE
from iesoresearch.results import Table

GREY = "#777777"
DIFFERS = "differs"
#: Columns of the figure on totals, with their labels.
SERIES = {
    "points": "on average",
    "at_cutoff": "near the cut-off",
    "cautious": "near the cut-off, all items free but three",
}
DASHES = ("-", (0, (6, 2)), (0, (1, 1)), "-.", (0, (5, 1, 1, 1, 1, 1)), (0, (10, 3)))


def _numbers(frame: pl.DataFrame, *columns: str) -> list[np.ndarray]:
    return [frame[c].cast(float).to_numpy() for c in columns]


def _names(frame: pl.DataFrame, key: str) -> list[str]:
    return frame[key].unique(maintain_order=True).to_list()


def _below(ax: Axes, ncols: int, **more) -> None:
    ax.legend(loc="upper left", bbox_to_anchor=(0.0, -0.14), ncols=ncols, **more)


@styled
def plot_items(table: Table, ax: Axes) -> None:
    """Change in R² of every item by grouping, with the bounds of moderate and large."""
    items, groupings = _names(table.frame, "item"), _names(table.frame, "grouping")
    for bound, name in ((MODERATE, "moderate"), (LARGE, "large")):
        ax.axvline(bound, color=GREY, ls="--", lw=1)
        ax.annotate(
            name, (bound, 1.0), xycoords=("data", "axes fraction"), xytext=(3, -4),
            textcoords="offset points", va="top", fontsize=8, color=GREY,
        )  # fmt: skip
    for i, grouping in enumerate(groupings):
        rows = table.frame.filter(grouping=grouping)
        (change,) = _numbers(rows, "change")
        place = np.array([items.index(item) for item in rows["item"]], dtype=float)
        place += 0.22 * (i - (len(groupings) - 1) / 2)
        found = (rows["verdict"] == DIFFERS).fill_null(False).to_numpy()
        style = {"marker": MARKERS[i], "ls": "none", "color": PALETTE[i], "ms": 7}
        ax.plot(change[~found], place[~found], markerfacecolor="white", **style)
        ax.plot(change[found], place[found], **style)
        ax.plot([], [], label=grouping, **style)
    ax.plot(
        [], [], marker="o", ls="none", ms=7, color=GREY, mfc="white", label="no difference shown"
    )
    ax.set_yticks(np.arange(len(items)), items)
    ax.set_ylim(len(items) - 0.5, -0.5)
    ax.set_xlim(-0.001, max(1.12 * LARGE, 1.1 * float(table.frame["change"].max() or 0)))
    ax.set_ylabel("PHQ-9 item")
    ax.set_xlabel(table.values["change"].label)
    _below(ax, 2)


@styled
def plot_shifts(table: Table, ax: Axes) -> None:
    """Points of every item in every group, in colour and in figures."""
    items = _names(table.frame, "item")
    groups = table.frame.select("grouping", "group", "reference").unique(maintain_order=True)
    cells = np.full((groups.height, len(items)), np.nan)
    for row, (grouping, group, _) in enumerate(groups.rows()):
        rows = table.frame.filter(grouping=grouping, group=group)
        (points,) = _numbers(rows, "points")
        cells[row, [items.index(item) for item in rows["item"]]] = points
    most = max(0.05, float(np.nanmax(np.abs(cells), initial=0.0)))
    ax.grid(visible=False)
    shown = ax.imshow(cells, cmap="PuOr_r", vmin=-most, vmax=most, aspect="auto")
    for row, column in zip(*np.nonzero(np.isfinite(cells)), strict=True):
        value = cells[row, column]
        colour = "white" if abs(value) > 0.7 * most else "#222222"
        said = f"{value:+.2f}" if abs(value) >= 0.005 else "0.00"
        ax.text(column, row, said, ha="center", va="center", fontsize=8, color=colour)
    labels = [fill(f"{group} (v. {other})", 34) for _, group, other in groups.rows()]
    ax.set_yticks(np.arange(len(labels)), labels, fontsize=8)
    ax.set_xticks(np.arange(len(items)), items, rotation=35, ha="right")
    ax.set_xlabel("PHQ-9 item")
    ax.set_ylabel("Group (and whom it is compared with)")
    ax.figure.set_size_inches(8.4, 1.9 + 0.42 * len(labels))
    ax.figure.colorbar(shown, ax=ax, label="Points at equal severity", pad=0.02)


@styled
def plot_impact(table: Table, ax: Axes) -> None:
    """Points added to the total with 95 % intervals: on average, and near the cut-off."""
    rows = table.frame
    labels = [
        fill(f"{group} (v. {other}), n = {n:,}" if n is not None else f"{group} (v. {other})", 40)
        for group, other, n in rows.select("group", "reference", "n").rows()
    ]
    place = np.arange(rows.height, dtype=float)
    ax.axvline(0.0, color="#555555", lw=1)
    for i, (name, label) in enumerate(SERIES.items()):
        x, low, high = _numbers(rows, name, f"{name}_low", f"{name}_high")
        ax.errorbar(
            x, place + 0.26 * (i - 1), xerr=[np.maximum(x - low, 0), np.maximum(high - x, 0)],
            color=PALETTE[i], marker=MARKERS[i], ls="none", capsize=3, label=label,
        )  # fmt: skip
    ax.set_yticks(place, labels, fontsize=8)
    ax.set_ylim(len(labels) - 0.5, -0.5)
    ax.set_xlabel("Points of the PHQ-9 total added by answering differently")
    ax.set_ylabel("Group (and whom it is compared with)")
    ax.figure.set_size_inches(7.8, 1.6 + 0.48 * len(labels))
    _below(ax, 1)


@styled
def plot_curves(table: Table, ax: Axes) -> None:
    """Difference of totals at equal severity, by the total of those compared with."""
    ax.axhline(0.0, color="#555555", lw=1)
    groupings, k = _names(table.frame, "grouping"), 0
    for i, grouping in enumerate(groupings):
        rows = table.frame.filter(grouping=grouping)
        for j, group in enumerate(_names(rows, "group")):
            columns = ("total", "apart", "apart_low", "apart_high")
            total, apart, low, high = _numbers(rows.filter(group=group), *columns)
            # dashes by grouping, colours over all of them: no two lines share both
            dashes = DASHES[(i + len(groupings) * (j // len(PALETTE))) % len(DASHES)]
            style = {"color": PALETTE[k % len(PALETTE)], "ls": dashes}
            ax.plot(total, apart, lw=1.2, label=fill(f"{grouping}: {group}", 34), **style)
            sure = (low > 0) | (high < 0)
            ax.plot(total, np.where(sure, apart, np.nan), lw=3, **style)
            k += 1
    ax.set_xlabel("Severity, as the expected PHQ-9 total of those compared with")
    ax.set_ylabel("Difference at equal severity (points)")
    ax.figure.set_size_inches(7.2, 5.2)
    _below(ax, 2, fontsize=8)
