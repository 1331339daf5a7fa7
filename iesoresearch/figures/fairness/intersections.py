"""Figures of the intersections: heat map, raw and shrunken rates, what is beside main effects."""

from graphlib import TopologicalSorter

import matplotlib as mpl
import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.patches import Patch, Rectangle

from iesoresearch.data.groups import NOT_RECORDED
from iesoresearch.figures.style import PALETTE, say_nothing_is_shown, styled
from iesoresearch.results import Table

_COLUMNS = 12  # at most, so that an interval fits into a cell
_FOREST = 15  # intersections of which the difference is largest
_GREY, _PAPER = "#555555", "#f2f2f2"
_COLOURS = mpl.colormaps["cividis"]
_WIDEST = 30  # points, from one end of the colours to the other
_DARK = 0.5  # of the colours: white letters below


def _placed(table: Table) -> pl.DataFrame:
    """Intersections of groups that are known."""
    return table.frame.filter(pl.all_horizontal(pl.col(d) != NOT_RECORDED for d in table.keys))


def _shown(table: Table, column: str) -> pl.DataFrame:
    """Intersections of which the shrunken rate and what `column` tells are not suppressed."""
    return _placed(table).drop_nulls(["mean", column])


def _people(table: Table) -> str:
    """The column with the number of patients."""
    return table.values["mean"].denominator


def _levels(frame: pl.DataFrame, dimensions: list[str], wanted: list[str]) -> list[tuple]:
    """Combinations of levels of the `wanted` dimensions, each in the order of the table."""
    order = {d: _order(frame, dimensions[: dimensions.index(d)], d) for d in wanted}
    there = frame.select(wanted).unique(maintain_order=True).rows()
    return sorted(there, key=lambda row: [order[d][x] for d, x in zip(wanted, row, strict=True)])


def _order(frame: pl.DataFrame, before: list[str], dimension: str) -> dict[str, int]:
    """Place of every level, some being absent where the dimensions before it are the same."""
    parts = frame.partition_by(before, maintain_order=True) if before else [frame]
    followed_by = TopologicalSorter()
    for part in parts:
        levels = part[dimension].unique(maintain_order=True).to_list()
        for i, level in enumerate(levels):
            followed_by.add(level, *levels[max(i - 1, 0) : i])
    return {level: i for i, level in enumerate(followed_by.static_order())}


def _split(frame: pl.DataFrame, dimensions: list[str]) -> tuple[list[str], list[str]]:
    """Dimensions of the rows and of the columns of a heat map."""
    across = dimensions[-1:]
    while len(across) + 1 < len(dimensions):
        wider = dimensions[-len(across) - 1 :]
        if frame.select(wider).n_unique() > _COLUMNS:
            break
        across = wider
    return dimensions[: -len(across)], across


@styled
def plot_intersections(table: Table, ax: Axes) -> None:
    """Shrunken rate of every intersection with its interval; suppressed ones hatched."""
    frame = _placed(table)
    dimensions = list(table.keys)
    down, across = _split(frame, dimensions)
    rows, columns = (_levels(frame, dimensions, part) for part in (down, across))
    ax.figure.set_size_inches(3.4 + 0.9 * len(columns), 2.4 + 0.52 * len(rows))
    norm = mpl.colors.Normalize(*_scale(frame["mean"]))
    n = _people(table)
    for row in frame.to_dicts():
        x = columns.index(tuple(row[d] for d in across))
        y = rows.index(tuple(row[d] for d in down))
        _cell(ax, x, y, row, n, norm)
    ax.set_xlim(0, len(columns))
    ax.set_ylim(len(rows), 0)
    ax.set_xticks(
        np.arange(len(columns)) + 0.5, [_name(c) for c in columns], rotation=40, ha="right"
    )
    ax.set_yticks(np.arange(len(rows)) + 0.5, [_name(r) for r in rows])
    ax.set_xlabel(", ".join(across))
    ax.set_ylabel(", ".join(down))
    ax.grid(visible=False)
    bar = ax.figure.colorbar(mpl.cm.ScalarMappable(norm, _COLOURS), ax=ax, pad=0.02, shrink=0.8)
    bar.set_label("Shrunken rate (%)")
    few = Patch(
        facecolor=_PAPER,
        edgecolor=_GREY,
        hatch="///",
        label="suppressed",
    )
    ax.figure.legend(handles=[few], loc="outside lower right", fontsize=8.5)


def _scale(means: pl.Series) -> tuple[float, float]:
    """Ends of the scale: at least `_WIDEST` points, or noise would look like contrast."""
    if means.drop_nulls().is_empty():
        return 0.0, 100.0
    middle = (means.min() + means.max()) / 2
    half = max(_WIDEST, means.max() - means.min()) / 2
    return middle - half, middle + half


def _cell(ax: Axes, x: int, y: int, row: dict, n: str, norm) -> None:
    shown = row["mean"] is not None
    colour = _COLOURS(norm(row["mean"])) if shown else _PAPER
    ax.add_patch(
        Rectangle(
            (x, y), 1, 1, facecolor=colour, edgecolor="white" if shown else _GREY,
            hatch=None if shown else "///", lw=0.6,
        )
    )  # fmt: skip
    if shown:
        text = f"{row['mean']:.0f}\n({row['mean_low']:.0f}–{row['mean_high']:.0f})\nn = {row[n]:,}"
        ink = "white" if norm(row["mean"]) < _DARK else "black"
        ax.text(x + 0.5, y + 0.5, text, ha="center", va="center", fontsize=7, color=ink)


def _name(levels: tuple) -> str:
    return ", ".join(levels)


@styled
def plot_shrinkage(table: Table, ax: Axes) -> None:
    """Shrunken rate by raw rate of the intersections that are shown."""
    frame = _shown(table, "raw")
    if frame.is_empty():
        say_nothing_is_shown(ax)
        return
    n = frame[_people(table)].cast(float).to_numpy()
    raw, mean, low, high = (
        frame[c].cast(float).to_numpy() for c in ("raw", "mean", "mean_low", "mean_high")
    )
    ends = np.array([min(raw.min(), low.min()), max(raw.max(), high.max())])
    ax.plot(ends, ends, color=_GREY, lw=1, ls="--", label="Not shrunken")
    whole = n @ raw / n.sum()
    ax.axhline(whole, color="#bbbbbb", lw=1, label="All that are shown together")
    ax.errorbar(
        raw, mean, yerr=[mean - low, high - mean], ls="none", elinewidth=0.8,
        color=PALETTE[4], label="95 % interval",
    )  # fmt: skip
    ax.scatter(
        raw, mean, s=8 + 90 * n / n.max(), color=PALETTE[0], zorder=3,
        label="An intersection (area: patients)",
    )  # fmt: skip
    ax.set_xlabel("Raw rate (%)")
    ax.set_ylabel("Shrunken rate (%)")
    ax.legend(loc="upper left", bbox_to_anchor=(0.0, -0.14), ncols=2, fontsize=8.5)


@styled
def plot_interactions(table: Table, ax: Axes) -> None:
    """The intersections that differ most from what main effects add up to."""
    frame = _shown(table, "interaction")
    if frame.is_empty():
        say_nothing_is_shown(ax)
        return
    distance = pl.col("interaction").abs()
    frame = frame.sort(distance, descending=True, maintain_order=True).head(_FOREST)
    frame = frame.sort("interaction", maintain_order=True)
    value, low, high = (
        frame[f"interaction{end}"].cast(float).to_numpy() for end in ("", "_low", "_high")
    )
    ax.figure.set_size_inches(9.6, 1.9 + 0.32 * len(value))
    place, stands = np.arange(len(value)), ~frame["finding"].is_in(["adds up"]).to_numpy()
    ax.axvline(0.0, color=_GREY, lw=1)
    for which, colour, label in (
        (~stands, PALETTE[4], "95 % interval holds zero"),
        (stands, PALETTE[1], "… does not"),
    ):
        if which.any():
            ax.errorbar(
                value[which], place[which], color=colour, marker="o", ls="none", capsize=3,
                xerr=[(value - low)[which], (high - value)[which]], label=label,
            )  # fmt: skip
    people = frame[_people(table)].to_list()
    names = [_name(row) for row in frame.select(list(table.keys)).iter_rows()]
    ax.set_yticks(place, [f"{name} (n = {n:,})" for name, n in zip(names, people, strict=True)])
    ax.set_ylim(-0.7, len(value) - 0.3)
    ax.set_xlabel("Beside main effects (points)")
    ax.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2)
