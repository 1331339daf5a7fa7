"""Figures of `waiting_effect`."""

from textwrap import fill

import numpy as np
import polars as pl
from matplotlib.axes import Axes

from iesoresearch.figures.style import MARKERS, PALETTE, styled
from iesoresearch.results import Table

GREY = "#777777"
SIGNIFICANT = 1.96  # standard errors
#: Lines of the funnel, how they are drawn, and the power of the standard error that they go with.
LINES = (("mean", ":", 1), ("by_error", "-", 1), ("by_variance", "-.", 2))


def _numbers(frame: pl.DataFrame, *columns: str) -> list[np.ndarray]:
    return [frame[c].cast(float).to_numpy() for c in columns]


def _names(frame: pl.DataFrame, key: str) -> list[str]:
    return frame[key].unique(maintain_order=True).to_list()


@styled
def plot_forest(table: Table, ax: Axes) -> None:
    """Mean effects with 95 % intervals, and where the truth of a new trial is expected."""
    place, ticks, labels, at = {}, [], [], 0.0
    for control in _names(table.frame, "control"):
        place[control], at = at, at + 1
        for case, n, trials in (
            table.frame.filter(control=control).select("analysis", "n", "trials").rows()
        ):
            ticks.append(at)
            labels.append(f"{case}, n = {n} ({trials})")
            at += 1
        at += 0.5
    controls = table.frame["control"].to_list()
    colours = [PALETTE[list(place).index(control)] for control in controls]
    mean, low, high, new_low, new_high = _numbers(
        table.frame, "mean", "mean_low", "mean_high", "new_low", "new_high"
    )
    ax.axvline(0.0, color="#555555", lw=1)
    ax.hlines(ticks, new_low, new_high, colors=colours, lw=0.8)
    ax.hlines(ticks, low, high, colors=colours, lw=3.2)
    ax.scatter(mean, ticks, color="white", edgecolors=colours, s=22, zorder=3)
    for control, y in place.items():
        ax.annotate(
            control, (0, y), xycoords=("axes fraction", "data"), xytext=(-6, 0),
            textcoords="offset points", ha="right", va="center", fontweight="bold",
        )  # fmt: skip
    ax.set_yticks(ticks, labels, fontsize=8)
    ax.set_ylim(at - 0.5, -0.7)
    ax.set_ylabel("Control and comparisons used")
    ax.set_xlabel("Hedges' g (right of zero: therapy better)")
    ax.figure.set_size_inches(7.6, 1.4 + 0.235 * at)


@styled
def plot_funnel(table: Table, ax: Axes) -> None:
    """Effects against standard errors, precise ones on top; lines of the models, to SE 0."""
    g, error = _numbers(table.frame, "g", "error")
    edge = np.array([0.0, 1.04 * error.max()])
    for side, label in ((1, "p = 0.05"), (-1, None)):
        ax.plot(side * SIGNIFICANT * edge, edge, color=GREY, ls="--", lw=0.9, label=label)
    ax.axvline(0.0, color="#555555", lw=1)
    ax.scatter(g, error, s=16, color=PALETTE[0], alpha=0.55, lw=0, label="Comparison")
    for i, (column, dash, power) in enumerate(LINES):
        (x,) = _numbers(table.frame, column)
        smooth = np.linspace(0, 1, 50)
        ax.plot(
            x[0] + (x[-1] - x[0]) * smooth**power, error[-1] * smooth, color=PALETTE[(5, 1, 2)[i]],
            ls=dash, label=table.values[column].label,
        )  # fmt: skip
        ax.plot(x[0], 0, color=PALETTE[(5, 1, 2)[i]], marker="D", ms=6, ls="none", clip_on=False)
    ax.set_ylim(edge[1], 0)
    ax.set_xlabel(f"{table.values['g'].label} (right of zero: therapy better)")
    ax.set_ylabel(table.values["error"].label)
    ax.legend(loc="upper left", bbox_to_anchor=(0.0, -0.14), ncols=3)


@styled
def plot_predictive(table: Table, ax: Axes) -> None:
    """Statistics found, and 95 % of those drawn from each model."""
    statistics, models = _names(table.frame, "statistic"), _names(table.frame, "model")
    for i, model in enumerate(models):
        rows = table.frame.filter(model=model)
        mean, low, high = _numbers(rows, "drawn", "drawn_low", "drawn_high")
        y = np.arange(len(mean)) + 0.2 * (i - (len(models) - 1) / 2)
        ax.errorbar(
            mean, y, xerr=[mean - low, high - mean], color=PALETTE[i], marker=MARKERS[i], ls="none",
            capsize=3, label=model,
        )  # fmt: skip
    (found,) = _numbers(table.frame.filter(model=models[0]), "found")
    ax.scatter(found, np.arange(len(found)), marker="|", s=900, color="#222222", label="found")
    ax.set_yticks(np.arange(len(statistics)), [fill(s, 18) for s in statistics])
    ax.set_ylim(len(statistics) - 0.4, -0.6)
    ax.set_ylabel("Statistic of the comparisons")
    ax.set_xlabel("Value")
    ax.legend(
        loc="upper left", bbox_to_anchor=(0.0, -0.14), ncols=2, markerscale=0.6, labelspacing=0.8
    )


@styled
def plot_remission(table: Table, ax: Axes) -> None:
    """Published shares in remission by week, each source by itself."""
    for i, source in enumerate(_names(table.frame, "source")):
        rows = table.frame.filter(source=source)
        colour, marker = (*PALETTE, "#222222")[i], MARKERS[i]
        curve = rows.filter(what="curve")
        ax.plot(*_numbers(curve, "week", "share"), color=colour, lw=1.2)
        shown = rows.filter(what="published")
        week, share, low, high = _numbers(shown, "week", "share", "share_low", "share_high")
        ax.errorbar(
            week, share, yerr=[share - low, high - share], color=colour, marker=marker, ls="none",
            capsize=3, label=source,
        )  # fmt: skip
    ax.set_xlim(0, None)
    ax.set_ylim(0, None)
    ax.set_xlabel("Weeks without treatment")
    ax.set_ylabel(table.values["share"].label)
    ax.legend(loc="upper left", bbox_to_anchor=(0.0, -0.14), ncols=1)
    ax.figure.set_size_inches(7.2, 6.0)
