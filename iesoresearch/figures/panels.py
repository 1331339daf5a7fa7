"""Several panels in the place of one: conditions side by side, or below each other."""

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from iesoresearch.results import Table

GREY = "#555555"
CONDITIONS = ("depression", "anxiety")


def panels(
    ax: Axes, rows: int, columns: int, width: float, height: float, heights=None
) -> np.ndarray:
    """Axes (rows, columns) in the place of `ax`, which stays as a strip that holds the title.

    A figure of its own gets the size in inches; axes that were handed over keep theirs. `heights`
    are those of the rows, relative to each other.
    """
    if len(ax.figure.axes) == 1:
        ax.figure.set_size_inches(width, height)
    strip, rest = ax.get_subplotspec().subgridspec(2, 1, height_ratios=(0.001, 1.0))
    ax.set_subplotspec(strip)
    ax.set_axis_off()
    grid = rest.subgridspec(rows, columns, height_ratios=heights)
    made = [ax.figure.add_subplot(grid[i, j]) for i in range(rows) for j in range(columns)]
    return np.array(made).reshape(rows, columns)


def conditions(table: Table) -> list[str]:
    """Those that a table holds, in their order."""
    held = set(table.frame["condition"])
    return [name for name in CONDITIONS if name in held]


def named(ax: Axes, text: str, *, right: bool = False, low: bool = False) -> None:
    """What a panel is of, in one of its corners."""
    x, y = (0.98, "right") if right else (0.02, "left")
    ax.text(
        x, 0.03 if low else 0.97, text, transform=ax.transAxes, ha=y, va="bottom" if low else "top",
        weight="bold", fontsize=9, zorder=5,
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.5},
    )  # fmt: skip


def numbers(frame: pl.DataFrame, *columns: str) -> list[np.ndarray]:
    """Columns as floats."""
    return [frame[c].cast(float).to_numpy() for c in columns]


def pounds(axis) -> None:
    """Ticks in pounds."""
    axis.set_major_formatter(FuncFormatter(lambda x, _: f"{'−' if x < 0 else ''}£{abs(x):,.0f}"))


def reach(value: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Lengths of error bars to both sides (2, n)."""
    return np.maximum([value - low, high - value], 0)


def heading(name: str) -> str:
    """A name with a capital letter."""
    return name[0].upper() + name[1:]
