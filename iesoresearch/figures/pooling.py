"""Figures of `pooling`."""

import numpy as np
import polars as pl
from matplotlib.axes import Axes

from iesoresearch.figures.style import MARKERS, PALETTE, ordered_colours, styled
from iesoresearch.results import Table

GREY, DARK = "#777777", "#222222"
POOLED, FURTHER = "all sites", "a further site"
#: Values at which a measure of a model is ideal.
IDEAL = {"Calibration slope": 1.0, "Observed / expected": 1.0}


def _numbers(frame: pl.DataFrame, *columns: str) -> list[np.ndarray]:
    return [frame[c].cast(float).to_numpy() for c in columns]


@styled
def plot_forest(table: Table, ax: Axes) -> None:
    """Rate of each site with its interval, n and weight; the average; and a further site."""
    frame = table.frame
    labels = [_told(row) for row in frame.to_dicts()]
    _forest(ax, frame, "rate", frame["weight"].cast(float).to_numpy(), labels)
    ax.set_xlabel(table.values["rate"].label)
    ax.set_ylabel("Site, n of patients, weight")
    ax.figure.set_size_inches(7.6, 1.6 + 0.36 * frame.height)


def _told(row: dict) -> str:
    """Label of a row: site, people as far as is known, weight."""
    if row["n_least"] is None:
        return row["label"]
    low, high = int(row["n_least"]), int(row["n_most"])
    n = f"{low:,}" if low == high else f"{low:,} to {high:,}"
    weight = "" if row["weight"] is None else f" ({row['weight']:.0f} %)"
    return f"{row['label']}, n = {n}{weight}"


def _forest(ax: Axes, frame: pl.DataFrame, name: str, weights, labels: list[str]) -> None:
    """Points with intervals from top to bottom; a diamond for all, a thin line for a further."""
    value, low, high = _numbers(frame, name, f"{name}_low", f"{name}_high")
    for y, label in enumerate(frame["label"]):
        if label == FURTHER:
            ax.hlines(y, low[y], high[y], color=DARK, lw=1.2)
            ax.plot([low[y], high[y]], [y, y], "|", color=DARK, ms=8)
        elif label == POOLED:
            ax.hlines(y, low[y], high[y], color=PALETTE[1], lw=3)
            ax.plot(value[y], y, "D", color=PALETTE[1], ms=8)
            ax.axvline(value[y], color=PALETTE[1], lw=0.8, ls=":")
        else:
            ax.hlines(y, low[y], high[y], color=PALETTE[0], lw=1.6)
            size = 3 + 0.9 * np.sqrt(weights[y]) if np.isfinite(weights[y]) else 3
            ax.plot(value[y], y, "s", color=PALETTE[0], ms=size)
    ax.set_yticks(np.arange(len(labels)), labels)
    ax.set_ylim(len(labels) - 0.4, -0.6)


@styled
def plot_performance(table: Table, ax: Axes) -> None:
    """Every measure of the model at each site, in panels side by side."""
    measures = table.frame["measure"].unique(maintain_order=True).to_list()
    figure = ax.figure
    # the first row is for the title of all
    place = ax.get_subplotspec().subgridspec(2, len(measures), wspace=0.08, height_ratios=[1, 12])
    ax.set_axis_off()
    names = table.frame["label"].unique(maintain_order=True).to_list()
    rows = pl.DataFrame({"label": names})
    for i, measure in enumerate(measures):
        panel = figure.add_subplot(place[1, i])
        part = rows.join(
            table.frame.filter(measure=measure), on="label", how="left", maintain_order="left"
        )
        weights = part["weight"].cast(float).fill_null(float("nan")).to_numpy()
        _forest(panel, part, "value", weights, names if i == 0 else [""] * len(names))
        if measure in IDEAL:
            panel.axvline(IDEAL[measure], color=GREY, lw=1)
        panel.set_xlabel(measure)
        if i == 0:
            panel.set_ylabel("Site")
    figure.set_size_inches(9.2, 1.8 + 0.34 * len(names))


@styled
def plot_cost(table: Table, ax: Axes) -> None:
    """Interval of every rate by what is known of the counts, each rate on an axis of its own."""
    questions = table.frame["question"].unique(maintain_order=True).to_list()
    ways = table.frame["way"].unique(maintain_order=True).to_list()
    place = ax.get_subplotspec().subgridspec(len(questions), 1, hspace=0.12)
    figure = ax.figure
    ax.set_axis_off()
    for i, question in enumerate(questions):
        panel = figure.add_subplot(place[i])
        _cost_of(panel, table.frame.filter(question=question), ways)
        panel.set_title(question, fontsize=9, loc="left", pad=2)
        if i == 0:
            panel.legend(loc="lower right", bbox_to_anchor=(1.0, 1.12), ncols=len(ways), fontsize=8)
    panel.set_xlabel(table.values["rate"].label)
    figure.supylabel("What is known of the counts", fontsize=9.5)
    figure.set_size_inches(7.6, 0.9 + 1.0 * len(questions))


def _cost_of(panel: Axes, rows: pl.DataFrame, ways: list[str]) -> None:
    for y, way in enumerate(ways):
        (rate,), (low,), (high,), (k,) = _numbers(
            rows.filter(way=way), "rate", "rate_low", "rate_high", "k"
        )
        panel.errorbar(
            rate, y, xerr=[[max(rate - low, 0)], [max(high - rate, 0)]], color=PALETTE[y],
            marker=MARKERS[y], ls="none", capsize=3, label=f"{way[0].upper()}{way[1:]}",
        )  # fmt: skip
        panel.annotate(
            f"{k:.0f} site{'' if k == 1 else 's'}", (1.0, y), xycoords=("axes fraction", "data"),
            xytext=(4, 0), textcoords="offset points", va="center", fontsize=7.5, color=PALETTE[y],
        )  # fmt: skip
    panel.set_yticks([])
    panel.set_ylim(len(ways) - 0.4, -0.6)


@styled
def plot_profiles(table: Table, ax: Axes) -> None:
    """Profile of each matched state: a colour for the state, a line for each site."""
    items, states, sites = (
        table.frame[c].unique(maintain_order=True).to_list() for c in ("item", "state", "label")
    )
    for state, colour in zip(states, ordered_colours(len(states)), strict=True):
        for i, site in enumerate(sites):
            rows = table.frame.filter(state=state, label=site)
            if rows.height:
                (score,) = _numbers(rows, "score")
                ax.plot(
                    score, color=colour, lw=1.1, marker=MARKERS[i % len(MARKERS)], ms=4, alpha=0.85
                )
        told = table.frame.filter(pl.col("score").is_not_null(), state=state)
        if told.height:  # beside the first item whose score is shown
            first = told.row(0, named=True)
            ax.annotate(
                f"State {state}", (items.index(first["item"]), first["score"]), xytext=(-9, 0),
                textcoords="offset points", ha="right", va="center", color=colour,
            )  # fmt: skip
    for i, site in enumerate(sites):
        ax.plot([], [], color=GREY, marker=MARKERS[i % len(MARKERS)], ms=4, lw=1.1, label=site)
    ax.set_xlim(-1.1, len(items) - 0.7)
    ax.set_xticks(range(len(items)), items, rotation=30, ha="right", rotation_mode="anchor")
    ax.set_ylim(-0.08, 3.08)
    ax.set_yticks(range(4))
    ax.set_xlabel("PHQ-9 item")
    ax.set_ylabel(table.values["score"].label)
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0))
