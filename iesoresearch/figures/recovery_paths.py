"""Figures of `recovery_paths`."""

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from iesoresearch.figures.style import MARKERS, PALETTE, ordered_colours, styled
from iesoresearch.results import Table

SESSIONS = "Sessions attended since the first score"
POINTS = "PHQ-9 (points)"
CASENESS = 10  # PHQ-9, official rule


def _numbers(frame: pl.DataFrame, *columns: str) -> list[np.ndarray]:
    return [frame[c].cast(float).to_numpy() for c in columns]


def _parts(table: Table, key: str) -> list[tuple[str, pl.DataFrame]]:
    """Rows of each value of `key`, in the order of the table."""
    parts = table.frame.partition_by(key, maintain_order=True)
    return [(part[key][0], part) for part in parts]


def _scale(ax: Axes, last: float) -> None:
    ax.set_ylim(0, 27)
    ax.set_xlim(-0.2, last + 0.2)
    ax.set_xticks(range(int(last) + 1))
    ax.axhline(CASENESS - 0.5, color="#777777", lw=1, ls=":", zorder=1,
               label=f"caseness: {CASENESS} and above")  # fmt: skip
    ax.set_xlabel(SESSIONS)
    ax.set_ylabel(POINTS)


@styled
def plot_class_curves(table: Table, ax: Axes) -> None:
    """Mean curve of each class with its 95 % interval; width by share."""
    parts = _parts(table, "class")
    for (name, part), colour, marker in zip(
        parts, ordered_colours(len(parts)), MARKERS, strict=False
    ):
        time, mean, low, high, share = _numbers(
            part, "session", "mean", "mean_low", "mean_high", "share"
        )
        shown = "hidden" if np.isnan(share[0]) else f"{share[0]:.0%}"
        ax.plot(time, mean, color=colour, marker=marker, ms=4, label=f"{name} ({shown})")
        ax.fill_between(time, low, high, color=colour, alpha=0.2, lw=0)
    _scale(ax, table.frame["session"].max())
    ax.set_ylabel("Mean PHQ-9 (points)")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=2, fontsize=8)


@styled
def plot_rules(table: Table, ax: Axes) -> None:
    """Share flagged against what flags find, for each rule after each landmark."""
    whens = [name for name, _ in _parts(table, "when")]
    for (rule, part), colour in zip(_parts(table, "rule"), PALETTE, strict=False):
        for when, marker in zip(whens, MARKERS, strict=False):
            columns = ("share", "share_low", "share_high", "ppv", "ppv_low", "ppv_high")
            x, x_low, x_high, y, y_low, y_high = _numbers(part.filter(when=when), *columns)
            ax.errorbar(
                x, y, xerr=[x - x_low, x_high - x], yerr=[y - y_low, y_high - y], color=colour,
                marker=marker, ms=6, lw=1, ls="none",
            )  # fmt: skip
        ax.plot([], [], color=colour, lw=3, label=rule)
    for when, marker in zip(whens, MARKERS, strict=False):
        ax.plot([], [], color="#555555", marker=marker, ls="none", label=f"flagged {when}")
    share, ppv, missed = _numbers(table.frame, "share", "ppv", "missed")
    everybody = share * ppv + (1 - share) * missed
    if np.isfinite(everybody).any():
        ends = np.nanmin(everybody), np.nanmax(everybody)
        ax.axhspan(*ends, color="#dddddd", lw=0, label="flagged by chance")
    ax.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    ax.set_xlabel("Workload: share of patients flagged (95 % interval)")
    ax.set_ylabel("Of those flagged, share who\nmissed the outcome (95 % interval)")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=3, fontsize=8)


@styled
def plot_groups(table: Table, ax: Axes) -> None:
    """What came of those flagged and of those not flagged, by level of every group."""
    frame = table.frame
    ax.figure.set_size_inches(7.2, 1.6 + 0.3 * frame.height)
    place = np.arange(frame.height)
    for column, label, colour, marker, shift in (
        ("ppv", "Flagged (positive predictive value)", PALETTE[1], "s", -0.14),
        ("missed", "Not flagged (false reassurance)", PALETTE[0], "o", 0.14),
    ):
        x, low, high = _numbers(frame, column, f"{column}_low", f"{column}_high")
        ax.errorbar(
            x, place + shift, xerr=[x - low, high - x], color=colour, marker=marker, ms=5, lw=1,
            ls="none", label=label,
        )  # fmt: skip
    rows = frame.select("group", "level", "n").rows()
    ax.set_yticks(place, [_level(*row) for row in rows])
    ax.set_ylim(frame.height - 0.5, -0.5)
    ax.set_xlim(0, 1)
    ax.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    starts = [i for i in range(1, len(rows)) if rows[i][0] != rows[i - 1][0]]
    for start in starts:
        ax.axhline(start - 0.5, color="#999999", lw=0.8)
    ax.set_xlabel("Share who missed the outcome (95 % interval)")
    below = -0.55 / (0.3 * frame.height)  # inches below the axes, whatever their height
    ax.legend(loc="upper center", bbox_to_anchor=(0.3, below), ncols=2, fontsize=8)


def _level(group: str, level: str, n: int | None) -> str:
    """Name of a row, long ones in two lines."""
    name = f"{group}: {level}"
    if len(name) > 44:
        cut = name.rfind(" ", 0, 44)
        name = f"{name[:cut]}\n{name[cut + 1 :]}"
    return name if n is None else f"{name} (n = {n:,})"


@styled
def plot_curve(table: Table, ax: Axes) -> None:
    """Mean curve under each assumption on drop-out, and the scores that were seen."""
    parts = _parts(table, "way")
    apart = 0.12 * (np.arange(len(parts)) - (len(parts) - 1) / 2)  # or intervals would overlap
    for (way, part), colour, marker, shift in zip(
        parts, (*PALETTE[: len(parts) - 1], "#333333"), MARKERS, apart, strict=False
    ):
        time, mean, low, high = _numbers(part, "session", "mean", "mean_low", "mean_high")
        last = part is parts[-1][1]
        ax.errorbar(
            time + shift, mean, yerr=[mean - low, high - mean], color=colour, elinewidth=1, ms=4,
            marker="x" if last else marker, ls="none" if last else "-", lw=0.8, label=way,
        )  # fmt: skip
    _scale(ax, table.frame["session"].max())
    ax.set_xlim(-0.5, table.frame["session"].max() + 0.5)
    ax.set_ylabel("Mean PHQ-9 (points)")
    ax.legend(loc="upper right", fontsize=8)


@styled
def plot_expected(table: Table, ax: Axes) -> None:
    """Expected response of a new patient and its band, by first score."""
    parts = _parts(table, "first")
    for (first, part), colour, marker in zip(
        parts, ordered_colours(len(parts)), MARKERS, strict=False
    ):
        time, mean, low, high = _numbers(part, "session", "mean", "lower", "upper")
        ax.plot(time, mean, color=colour, marker=marker, ms=4, label=f"first score {first}")
        ax.fill_between(time, low, high, color=colour, alpha=0.13, lw=0)
        for limit in (low, high):
            ax.plot(time, limit, color=colour, lw=0.8, ls="--")
    _scale(ax, table.frame["session"].max())
    ax.legend(loc="upper right", ncols=2, fontsize=8)
