"""Figures of `waiting_replication`."""

import numpy as np
from matplotlib.axes import Axes

from iesoresearch.figures.style import MARKERS, PALETTE, styled
from iesoresearch.results import Table

LINES = ("-", "--", ":", "-.")
EDGE = 3.0  # tolerances; what is beyond is drawn there


@styled
def plot_agreement(table: Table, ax: Axes) -> None:
    """Differences in units of their tolerance, a row per case."""
    names = list(dict.fromkeys(table.frame["case"]))
    ax.figure.set_size_inches(7.2, 1.6 + 0.3 * len(names))
    ratio = table.frame["ratio"].cast(float).to_numpy()
    row = np.array([names.index(name) for name in table.frame["case"]], float)
    x, y = np.clip(ratio, -EDGE, EDGE), row + _spread(row)
    ax.axvspan(-1, 1, color="#eef4f9", zorder=0)
    for edge in (-1, 1):
        ax.axvline(edge, color="#555555", lw=1, ls="--")
    ax.axvline(0, color="#bbbbbb", lw=1)
    right = np.abs(ratio) <= 1
    for which, marker, label in (
        (right, "o", "Agrees"),
        (~right & (np.abs(ratio) <= EDGE), "X", "Differs"),
        (ratio > EDGE, ">", f"Differs by more than {EDGE:g} tolerances"),
        (ratio < -EDGE, "<", f"Differs by less than −{EDGE:g} tolerances"),
    ):
        if which.any():
            colour = PALETTE[0] if marker == "o" else PALETTE[1]
            ax.scatter(x[which], y[which], marker=marker, color=colour, s=20, label=label, zorder=3)
    ax.set_yticks(range(len(names)), [name.replace("_", " ") for name in names])
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.set_xlim(*((-1.15, 1.15) if right.all() else (-EDGE - 0.2, EDGE + 0.2)))
    ax.set_ylabel("Case")
    ax.set_xlabel("(Ours − number that must come out) ÷ tolerance")
    ax.figure.legend(loc="outside lower center", ncols=2)


def _spread(row: np.ndarray) -> np.ndarray:
    """Places around a row for its points, in their order, so that none hides another."""
    places = np.zeros(len(row))
    for value in np.unique(row):
        at = np.flatnonzero(row == value)
        places[at] = np.linspace(-0.3, 0.3, len(at)) if len(at) > 1 else 0.0
    return places


@styled
def plot_trace(table: Table, ax: Axes) -> None:
    """Share of the cohort in each state, cycle by cycle."""
    states = list(dict.fromkeys(table.frame["state"]))
    for k, state in enumerate(states):
        part = table.frame.filter(table.frame["state"] == state)
        line = {"color": PALETTE[k % len(PALETTE)], "ls": LINES[k // len(PALETTE) % len(LINES)]}
        ax.plot(part["cycle"], part["share"].cast(float), label=state, **line)
    ax.set_xlim(left=0)
    ax.set_ylim(0, 1)
    ax.set_xlabel("After cycle")
    ax.set_ylabel("Share of the cohort")
    ax.legend(title="State", loc="center left", bbox_to_anchor=(1.0, 0.5))


@styled
def plot_icers(table: Table, ax: Axes) -> None:
    """Change of every cost per unit of effect, by way of counting."""
    compared = list(dict.fromkeys(table.frame.select("case", "comparison").rows()))
    ways = list(dict.fromkeys(table.frame["convention"]))
    ax.figure.set_size_inches(7.2, 2.0 + 0.42 * len(compared))
    ax.axvline(0, color="#555555", lw=1)
    for k, way in enumerate(ways):
        part = table.frame.filter(table.frame["convention"] == way)
        row = [compared.index(pair) for pair in part.select("case", "comparison").rows()]
        ax.scatter(
            part["change"].cast(float),
            np.array(row) + 0.11 * (k - (len(ways) - 1) / 2),
            marker=MARKERS[k % len(MARKERS)],
            color=PALETTE[k % len(PALETTE)],
            s=22,
            label=way,
            zorder=3,
        )
    names = [f"{case.replace('_', ' ')}:\n{of}" for case, of in compared]
    ax.set_yticks(range(len(names)), names, fontsize=8)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.set_ylabel("Case and comparison")
    ax.set_xlabel("Change of the cost per unit of effect (%)")
    ax.figure.legend(title="Cycles are counted", loc="outside lower center", ncols=2)
