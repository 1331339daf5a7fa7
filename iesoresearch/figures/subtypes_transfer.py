"""Figures of `subtypes_transfer`."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from iesoresearch.figures.style import MARKERS, PALETTE, ordered_colours, styled
from iesoresearch.results import Table


@styled
def plot_item_profiles(table: Table, ax: Axes) -> None:
    """Expected score of every item: filled and solid as fitted, open and dashed as refitted."""
    items, states, samples = (
        table.frame[c].unique(maintain_order=True).to_list() for c in ("item", "state", "sample")
    )
    colours = ordered_colours(len(states))
    for place, (state, colour) in enumerate(zip(states, colours, strict=True)):
        for sample in samples:
            fitted = sample == samples[0]
            rows = table.frame.filter(state=state, sample=sample)
            score, errors = _errors(rows, "score")
            ax.errorbar(
                np.arange(len(items)) + (-0.07 if fitted else 0.07),
                score,
                yerr=errors,
                color=colour,
                marker=MARKERS[place % len(MARKERS)],
                markersize=5,
                markerfacecolor=colour if fitted else "white",
                linestyle="-" if fitted else "--",
                linewidth=1.4,
                capsize=2,
                elinewidth=1,
            )
    ax.set_xticks(range(len(items)), items, rotation=30, ha="right", rotation_mode="anchor")
    ax.set_ylim(-0.08, 3.08)
    ax.set_yticks(range(4))
    ax.set_ylabel("Expected item score (0–3 points)")
    ax.set_xlabel("PHQ-9 item")
    handles = [
        Line2D([], [], color=colour, marker=MARKERS[place % len(MARKERS)], label=f"State {state}")
        for place, (state, colour) in enumerate(zip(states, colours, strict=True))
    ][::-1]
    handles += [
        Line2D([], [], color="black", label=samples[0].capitalize()),
        Line2D([], [], color="black", linestyle="--", label="Refitted in the\nnew sample"),
    ]
    ax.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.01, 1.0))


@styled
def plot_class_shares(table: Table, ax: Axes) -> None:
    """Share of every state in each sample, side by side, with 95 % intervals."""
    states, samples = (
        table.frame[c].unique(maintain_order=True).to_list() for c in ("state", "sample")
    )
    for place, sample in enumerate(samples):
        share, errors = _errors(table.frame.filter(sample=sample), "share")
        ax.errorbar(
            np.arange(len(states)) + 0.18 * (place - (len(samples) - 1) / 2),
            share,
            yerr=errors,
            color=PALETTE[place],
            marker=MARKERS[place],
            linestyle="none",
            capsize=3,
            label=sample.capitalize(),
        )
    ax.set_xticks(range(len(states)), states)
    ax.set_xlim(-0.5, len(states) - 0.5)
    ax.set_ylim(bottom=0.0)
    ax.yaxis.set_major_formatter(PercentFormatter(xmax=1.0, decimals=0))
    ax.set_xlabel("State, by expected total")
    ax.set_ylabel("Share of people")
    ax.legend()


def _errors(rows, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Values, and how far their intervals reach below and above."""
    value, low, high = (
        rows[c].cast(float).to_numpy() for c in (name, f"{name}_low", f"{name}_high")
    )
    # a percentile interval need not contain the estimate
    return value, np.maximum([value - low, high - value], 0.0)
