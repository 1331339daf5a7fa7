"""Figures of `recovery_trial`."""

from textwrap import fill

import numpy as np
from matplotlib.axes import Axes

from iesoresearch.figures.style import MARKERS, PALETTE, ordered_colours, styled
from iesoresearch.results import Table

DASHES = ("-", "--")


def _numbers(frame, *columns: str) -> list[np.ndarray]:
    return [frame[c].cast(float).to_numpy() for c in columns]


def _parts(table: Table, key: str):
    """(number, name, rows) of each value of a key, in the order of the table."""
    names = table.frame[key].unique(maintain_order=True).to_list()
    return [(i, name, table.frame.filter(table.frame[key] == name)) for i, name in enumerate(names)]


def _unit(table: Table) -> str:
    return table.keys["time"]


def _below(ax: Axes, columns: int) -> None:
    ax.legend(loc="upper left", bbox_to_anchor=(0.0, -0.16), ncols=columns)


@styled
def plot_curves(table: Table, ax: Axes) -> None:
    """Expected mean curves by arm with 95 % bands, and the means of those who gave a score."""
    for i, arm, rows in _parts(table, "arm"):
        time, mean, low, high = _numbers(rows, "time", "mean", "mean_low", "mean_high")
        ax.plot(time, mean, color=PALETTE[i], ls=DASHES[i], label=f"{arm}: expected, 95 % band")
        ax.fill_between(time, low, high, color=PALETTE[i], alpha=0.18, lw=0)
        seen = rows.drop_nulls("seen")
        time, mean, low, high = _numbers(seen, "time", "seen", "seen_low", "seen_high")
        aside = (2 * i - 1) * 0.008 * np.ptp(table.frame["time"].to_numpy())
        ax.errorbar(
            time + aside, mean, yerr=[mean - low, high - mean], color=PALETTE[i],
            marker=MARKERS[i], ls="none", capsize=3, label=f"{arm}: who gave a score, 95 %",
        )  # fmt: skip
    ax.set_xlabel(_unit(table))
    ax.set_ylabel(table.values["mean"].label)
    ax.set_ylim(bottom=0)
    _below(ax, 2)


@styled
def plot_drop_out(table: Table, ax: Axes) -> None:
    """Share that gave no later score, by third of the score, with 95 % Wilson intervals."""
    for i, arm, rows in _parts(table, "arm"):
        share, low, high, n = _numbers(rows, "share", "share_low", "share_high", "n")
        place = np.arange(len(share)) + (2 * i - 1) * 0.06
        ax.errorbar(
            place, share, yerr=[share - low, high - share], color=PALETTE[i], marker=MARKERS[i],
            ls="none", capsize=3, label=f"{arm}, 95 % interval",
        )  # fmt: skip
        for x, y, number in zip(place, share, n, strict=True):
            ax.annotate(
                f"n = {number:.0f}", (x, y), xytext=(14 * i - 7, 0), textcoords="offset points",
                ha="left" if i else "right", va="center", fontsize=8, color=PALETTE[i],
            )  # fmt: skip
    names = table.frame["third"].unique(maintain_order=True).to_list()
    ax.set_xticks(np.arange(len(names)), names)
    ax.set_xlim(-0.5, len(names) - 0.5)
    ax.set_ylim(bottom=0)
    ax.set_xlabel(table.keys["third"])
    ax.set_ylabel(table.values["share"].label)
    _below(ax, 2)


@styled
def plot_differences(table: Table, ax: Axes) -> None:
    """Difference between the arms at the last occasion under every assumption."""
    names, n = table.frame["analysis"].to_list(), table.frame["n"].to_list()
    difference, low, high = _numbers(table.frame, "difference", "difference_low", "difference_high")
    place = np.arange(len(names))
    ax.axvline(0.0, color="#555555", lw=1)
    ax.errorbar(
        difference, place, xerr=[difference - low, high - difference], color=PALETTE[0],
        marker="o", ls="none", capsize=3,
    )  # fmt: skip
    labels = [fill(f"{name}, n = {m}", 32) for name, m in zip(names, n, strict=True)]
    ax.set_yticks(place, labels)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.set_xlabel(table.values["difference"].label)
    ax.set_ylabel("What is assumed of those who left")


@styled
def plot_tipping(table: Table, ax: Axes) -> None:
    """Difference by how much worse patients are assumed to be after they left."""
    ax.axhline(0.0, color="#555555", lw=1)
    for i, whom, rows in _parts(table, "whom"):
        delta, mean, low, high = _numbers(
            rows, "delta", "difference", "difference_low", "difference_high"
        )
        ax.plot(
            delta,
            mean,
            color=PALETTE[i],
            ls=DASHES[i],
            marker=MARKERS[i],
            label=f"{whom}, 95 % band",
        )
        ax.fill_between(delta, low, high, color=PALETTE[i], alpha=0.18, lw=0)
    ax.set_xlabel(table.keys["delta"])
    ax.set_ylabel(table.values["difference"].label)
    _below(ax, 1)


@styled
def plot_band(table: Table, ax: Axes) -> None:
    """Where the scores of a new patient are expected, by arm, given the first."""
    for i, arm, rows in _parts(table, "arm"):
        time, mean, low, high = _numbers(rows, "time", "expected", "expected_low", "expected_high")
        ax.plot(time, mean, color=PALETTE[i], ls=DASHES[i], label=f"{arm}: mean, 95 % of patients")
        ax.fill_between(time, low, high, color=PALETTE[i], alpha=0.15, lw=0)
        for edge in (low, high):
            ax.plot(time, edge, color=PALETTE[i], ls=DASHES[i], lw=0.9)
    start = table.frame.filter(table.frame["time"] == 0)
    ax.plot(start["time"], start["expected"], color="#222222", marker="o", ls="none", zorder=4)
    ax.set_xlabel(_unit(table))
    ax.set_ylabel(table.values["expected"].label)
    ax.set_ylim(bottom=0)
    _below(ax, 2)


@styled
def plot_classes(table: Table, ax: Axes) -> None:
    """Mean curves of the trajectory classes with 95 % bands."""
    parts = _parts(table, "class")
    colours = ordered_colours(len(parts))
    for i, name, rows in parts:
        time, mean, low, high = _numbers(rows, "time", "mean", "mean_low", "mean_high")
        label = f"{name} points (n = {rows['n'][0]})"
        ax.plot(time, mean, color=colours[i], marker=MARKERS[i], markevery=6, label=label)
        ax.fill_between(time, low, high, color=colours[i], alpha=0.2, lw=0)
    ax.set_xlabel(_unit(table))
    ax.set_ylabel(table.values["mean"].label)
    ax.set_ylim(bottom=0)
    _below(ax, 2)
