"""Figures of `subtypes`."""

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.patches import Polygon
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
def plot_residuals(table: Table, ax: Axes) -> None:
    """Residual correlation of every pair of items, as a triangle."""
    items = pl.concat([table.frame["item"], table.frame["other"]]).unique(maintain_order=True)
    order = {item: place for place, item in enumerate(_in_order(table.frame, items.to_list()))}
    matrix = np.full((len(order), len(order)), np.nan)
    for one, other, value in table.frame.select("item", "other", "residual").iter_rows():
        matrix[max(order[one], order[other]), min(order[one], order[other])] = value
    reach = max(0.1, np.nanmax(np.abs(matrix), initial=0.0))
    image = ax.imshow(matrix[1:, :-1], cmap="PuOr_r", vmin=-reach, vmax=reach, aspect="auto")
    for (i, j), value in np.ndenumerate(matrix[1:, :-1]):
        if np.isfinite(value):
            colour = "white" if abs(value) > 0.7 * reach else "black"
            shown = f"{round(value, 2) + 0.0:.2f}".replace("-", "−")  # no minus before a zero
            ax.text(j, i, shown, ha="center", va="center", color=colour)
    ax.grid(False)
    names = list(order)
    ax.set_xticks(
        range(len(names) - 1), names[:-1], rotation=30, ha="right", rotation_mode="anchor"
    )
    ax.set_yticks(range(len(names) - 1), names[1:])
    ax.figure.colorbar(image, ax=ax, label="Residual correlation")


def _in_order(frame: pl.DataFrame, items: list[str]) -> list[str]:
    """Items in the order of the questionnaire: the first of all pairs comes first in most."""
    firsts = dict(frame["item"].value_counts().iter_rows())
    return sorted(items, key=lambda item: -firsts.get(item, 0))


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
    shown = people[:: max(1, -(-len(people) // 8))]
    ax.set_xticks([s for s, _ in shown], [f"{s}\n({n:,})" for s, n in shown])
    ax.set_ylim(bottom=0.0)
    ax.yaxis.set_major_formatter(PercentFormatter(xmax=1.0, decimals=0))
    ax.set_xlabel("Session (people with a session)")
    ax.set_ylabel("Share of people still in therapy")
    handles, labels = ax.get_legend_handles_labels()
    ax.legend(handles[::-1], labels[::-1], loc="upper left", bbox_to_anchor=(1.01, 1.0))


@styled
def plot_people(table: Table, ax: Axes) -> None:
    """Share with each characteristic, one mark per starting state, with 95 % intervals."""
    states = table.frame["state"].unique(maintain_order=True).to_list()
    shown = table.frame.drop_nulls("share")
    labels = shown["characteristic"].unique(maintain_order=True).to_list()
    height = 0.7 / len(states)
    for place, (state, colour) in enumerate(zip(states, ordered_colours(len(states)), strict=True)):
        rows = table.frame.filter(pl.col("characteristic").is_in(labels), state=state)
        y = np.arange(len(labels)) + height * (place - (len(states) - 1) / 2)
        share, low, high = (
            rows[c].cast(float).to_numpy() for c in ("share", "share_low", "share_high")
        )
        errors = np.maximum([share - low, high - share], 0.0)
        ax.errorbar(
            share, y, xerr=errors, color=colour, marker=MARKERS[place % len(MARKERS)],
            markersize=4, lw=0, elinewidth=1, label=f"State {state}",
        )  # fmt: skip
    for edge in np.arange(len(labels) - 1) + 0.5:
        ax.axhline(edge, color="0.85", lw=0.6)
    ax.set_yticks(range(len(labels)), labels)
    ax.set_ylim(len(labels) - 0.4, -0.6)
    ax.set_xlim(0.0, 1.0)
    ax.grid(False, axis="y")
    ax.xaxis.set_major_formatter(PercentFormatter(xmax=1.0, decimals=0))
    ax.set_xlabel("Share of those for whom it is known")
    ax.legend(title="At the start", loc="upper left", bbox_to_anchor=(1.01, 1.0))


@styled
def plot_flow(table: Table, ax: Axes) -> None:
    """People in every state session by session, and where they go next, as ribbons."""
    frame = table.frame.with_columns(pl.col("n").cast(float).fill_null(0.0))
    sessions = frame["session"].unique(maintain_order=True).to_list()
    states = frame["origin"].unique(maintain_order=True).to_list()
    colours = dict(zip(map(str, states), ordered_colours(len(states)), strict=True))
    n = len(states)
    # (sessions, origins, destinations), the last destination being to leave
    moves = frame["n"].to_numpy().reshape(len(sessions), n, n + 1)
    # what was suppressed is missing on one side or the other: a block is as high as its higher side
    out = np.vstack([moves.sum(axis=2), np.zeros(n)])
    into = np.vstack([np.zeros(n), moves[:, :, :n].sum(axis=1)])
    sizes = np.maximum(out, into)
    edges = np.cumsum(sizes, axis=1) - sizes
    for place, session in enumerate([*sessions, sessions[-1] + 1]):
        ax.bar([session] * n, sizes[place], 0.12, edges[place], color=colours.values(), zorder=3)
    for place, session in enumerate(sessions):
        _ribbons(ax, session, moves[place], edges[place : place + 2], list(colours.values()))
    for state, colour in reversed(colours.items()):
        ax.bar(sessions[0], 0, color=colour, label=f"State {state}")
    ax.bar(sessions[0], 0, color="0.8", label="then leaves")
    ax.grid(False)
    ax.set_xticks([*sessions, sessions[-1] + 1])
    ax.set_xlabel("Session")
    ax.set_ylabel("People, expected number")
    ax.legend(loc="upper right")


def _ribbons(ax, session, moves, edges, colours) -> None:
    """Ribbons from the blocks of one session to those of the next; who leaves falls off in grey."""
    out, into = (edge.copy() for edge in edges)
    curve = np.linspace(0.0, 1.0, 30)
    ease = curve**2 * (3 - 2 * curve)
    for i, colour in enumerate(colours):
        for j in range(len(colours)):
            size = moves[i, j]
            lower = out[i] + (into[j] - out[i]) * ease
            x = session + 0.06 + 0.88 * curve
            shape = np.concatenate([np.c_[x, lower], np.c_[x, lower + size][::-1]])
            ax.add_patch(Polygon(shape, color=colour, alpha=0.45, lw=0))
            out[i] += size
            into[j] += size
        ax.bar(session + 0.1, moves[i, -1], 0.08, bottom=out[i], color="0.8", zorder=2)
