"""Figures of `subtypes`."""

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter

from iesoresearch.figures.style import MARKERS, PALETTE, ordered_colours, styled
from iesoresearch.results import Table


@styled
def plot_criteria(table: Table, ax: Axes) -> None:
    """Each criterion above its own best value, all random starts as dots."""
    frame = table.frame.drop_nulls("value")
    for place, (name,) in enumerate(frame.select("criterion").unique(maintain_order=True).rows()):
        rows = frame.filter(criterion=name)
        best = rows.filter(start=1)
        lowest = best["value"].min()
        colour, shift = PALETTE[place], 0.06 * (place - 1.5)
        ax.plot(
            best["n_states"] + shift,
            best["value"] - lowest,
            color=colour,
            marker=MARKERS[place],
            label=name,
            zorder=3,
        )
        others = rows.filter(pl.col("start") > 1)
        ax.scatter(
            others["n_states"] + shift,
            others["value"] - lowest,
            s=14,
            color=colour,
            alpha=0.7,
            lw=0,
        )
    ax.set_yscale("symlog", linthresh=10)
    ax.set_ylim(bottom=-4)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel("Number of states")
    ax.set_ylabel("Above the criterion's best value\n(linear to 10, then logarithmic)")
    ax.legend(title="Criterion")


@styled
def plot_item_profiles(table: Table, ax: Axes) -> None:
    """Expected score of every item, one line per state, with 95 % intervals."""
    items = table.frame["item"].unique(maintain_order=True).to_list()
    states = table.frame["state"].unique(maintain_order=True).to_list()
    for place, (state, colour) in enumerate(zip(states, ordered_colours(len(states)), strict=True)):
        rows = table.frame.filter(state=state)
        x = np.arange(len(items)) + 0.06 * (place - (len(states) - 1) / 2)
        score, low, high = (
            rows[c].cast(float).to_numpy() for c in ("score", "score_low", "score_high")
        )
        # a percentile interval need not contain the estimate
        errors = np.maximum([score - low, high - score], 0.0)
        ax.errorbar(
            x,
            score,
            yerr=errors,
            color=colour,
            marker=MARKERS[place % len(MARKERS)],
            markersize=5,
            capsize=2,
            elinewidth=1,
            label=f"State {state}",
        )
    ax.set_xticks(range(len(items)), items, rotation=30, ha="right", rotation_mode="anchor")
    ax.set_ylim(-0.08, 3.08)
    ax.set_yticks(range(4))
    ax.set_ylabel("Expected item score (0–3 points)")
    ax.set_xlabel("PHQ-9 item")
    handles, labels = ax.get_legend_handles_labels()
    ax.legend(handles[::-1], labels[::-1], loc="upper left", bbox_to_anchor=(1.01, 1.0))


@styled
def plot_transitions(table: Table, ax: Axes) -> None:
    """Matrix of the probabilities of moving, a row per origin."""
    states = table.frame["origin"].unique(maintain_order=True).to_list()
    k = len(states)
    matrix = table.frame["probability"].cast(float).to_numpy().reshape(k, k)
    image = ax.imshow(matrix, cmap="cividis", vmin=0.0, vmax=1.0, aspect="auto")
    for (i, j), p in np.ndenumerate(matrix):
        shown = "–" if np.isnan(p) else f"{p:.2f}"
        colour = "black" if p > 0.47 else "white"  # contrast of at least 4.5 to 1 on cividis
        ax.text(j, i, shown, ha="center", va="center", color="black" if np.isnan(p) else colour)
    ax.grid(False)
    ax.set_xticks(range(k), states)
    ax.set_yticks(range(k), states)
    ax.set_xlabel("State at the next session")
    ax.set_ylabel("State at this session")
    ax.figure.colorbar(image, ax=ax, label="Probability")


@styled
def plot_state_shares(table: Table, ax: Axes) -> None:
    """Share of each state among those still in therapy, by session, with their number."""
    states = table.frame["state"].unique(maintain_order=True).to_list()
    for place, (state, colour) in enumerate(zip(states, ordered_colours(len(states)), strict=True)):
        rows = table.frame.filter(state=state)
        ax.plot(
            rows["session"],
            rows["share"].cast(float),
            color=colour,
            marker=MARKERS[place % len(MARKERS)],
            markersize=4,
            label=f"State {state}",
        )
        low, high = (rows[c].cast(float).to_numpy() for c in ("share_low", "share_high"))
        ax.fill_between(rows["session"].to_numpy(), low, high, color=colour, alpha=0.15, lw=0)
    people = table.frame.filter(state=states[0]).drop_nulls("n").select("session", "n").rows()
    shown = people[:: 1 if len(people) <= 10 else 2]
    ax.set_xticks([s for s, _ in shown], [f"{s}\n({n:,})" for s, n in shown])
    ax.set_ylim(bottom=0.0)
    ax.yaxis.set_major_formatter(PercentFormatter(xmax=1.0, decimals=0))
    ax.set_xlabel("Session (people with a session)")
    ax.set_ylabel("Share of people still in therapy")
    handles, labels = ax.get_legend_handles_labels()
    ax.legend(handles[::-1], labels[::-1], loc="upper left", bbox_to_anchor=(1.01, 1.0))
