"""Look of all figures: legible, colour-blind safe, the same bytes on every run."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from iesoresearch.results import SIMULATED, Table

RC = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so text is equal on every machine
    "font.size": 9.5,
    "axes.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e3e3e3",
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.w_pad": 0.1,  # inches
    "figure.constrained_layout.h_pad": 0.1,
    "svg.hashsalt": "iesoresearch",
    "svg.fonttype": "path",
    "pdf.fonttype": 42,
    "savefig.dpi": 150,
}

#: Okabe & Ito's palette, without yellow (too faint for lines) and black.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*")

FORMATS = ("png", "svg", "pdf")
NOTHING = "Too few people: nothing of it can be shown."


def new_axes(width: float = 7.2, height: float = 4.3) -> Axes:
    """Axes of a new figure in the project's style, free of pyplot's global state."""
    with mpl.rc_context(RC):
        figure = Figure(figsize=(width, height))
        FigureCanvasAgg(figure)
        return figure.add_subplot()


def styled(plot):
    """Draw in the project's style, on new axes if none are given, and mark simulated data."""

    def drawn(table: Table, ax: Axes | None = None) -> Axes:
        with mpl.rc_context(RC):
            ax = new_axes() if ax is None else ax
            if _all_suppressed(table):
                say_nothing_is_shown(ax)
            else:
                plot(table, ax)
            if any(value.sensitivity == "synthetic" for value in table.values.values()):
                ax.figure.supxlabel(SIMULATED, fontsize=8, color="#8a2c02", x=0.01, ha="left")
        return ax

    drawn.__name__, drawn.__doc__ = plot.__name__, plot.__doc__
    return drawn


def say_nothing_is_shown(ax: Axes) -> None:
    """A sentence in the place of empty axes."""
    ax.text(0.5, 0.5, NOTHING, ha="center", va="center", transform=ax.transAxes)
    ax.set_axis_off()


def _all_suppressed(table: Table) -> bool:
    """Whether no number of a table is left: its axes would be empty and say nothing."""
    numbers = [name for name in table.values if table.frame.schema[name].is_numeric()]
    return bool(numbers) and all(table.frame[name].is_null().all() for name in numbers)


def ordered_colours(n: int) -> list[tuple]:
    """`n` colours from dark to light in which order is readable (cividis, colour-blind safe)."""
    return [tuple(c) for c in mpl.colormaps["cividis"](np.linspace(0.0, 0.8, n))]


def save(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Write a figure as PNG, SVG and PDF, without dates, so that equal figures are equal files."""
    written = []
    for suffix in FORMATS:
        path = folder / f"{name}.{suffix}"
        dateless = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(suffix, {})
        with mpl.rc_context(RC):
            figure.savefig(path, metadata=dateless)
        written.append(path)
    return written
