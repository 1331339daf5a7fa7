"""Figures of `recovery`."""

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from iesoresearch.figures.style import MARKERS, PALETTE, styled
from iesoresearch.results import Table

_GREY = "#555555"
#: Models keep their colour and marker in all figures.
_MODELS = {"current score": 2, "logistic": 0, "xgboost": 1}
BEST = "best attainable"


def _numbers(frame: pl.DataFrame, *columns: str) -> list[np.ndarray]:
    return [frame[c].cast(float).to_numpy() for c in columns]


def _heighten(ax: Axes, inches: float) -> None:
    """Give a figure of its own the height its rows need; axes that were handed over keep theirs."""
    if len(ax.figure.axes) == 1:
        ax.figure.set_figheight(inches)


def _below(ax: Axes, **options) -> None:
    """Legend below the axes, clear of the data."""
    ax.legend(loc="upper left", bbox_to_anchor=(0.0, -0.14), **options)


@styled
def plot_performance(table: Table, ax: Axes) -> None:
    """AUC of every model by landmark, with 95 % intervals, and the best attainable."""
    frame = table.frame
    marks = frame["landmark"].unique(maintain_order=True).to_list()
    for model, number in _MODELS.items():
        rows = frame.filter(model=model)
        place = np.array([marks.index(m) for m in rows["landmark"]], dtype=float)
        value, low, high = _numbers(rows, "auc", "auc_low", "auc_high")
        ax.errorbar(
            place + (number - 1) * 0.12, value, yerr=np.maximum([value - low, high - value], 0),
            color=PALETTE[number], marker=MARKERS[number], ls="none", capsize=2.5, label=model,
        )  # fmt: skip
    best = frame.filter(model=BEST)
    if best.height:
        place = [marks.index(m) for m in best["landmark"]]
        ax.plot(place, best["auc"], color=_GREY, marker="_", ms=16, ls=":", label=BEST)
    ax.set_xticks(range(len(marks)), marks)
    ax.set_xlabel("Landmark: what is known up to")
    ax.set_ylabel("AUC (0.5 = chance, 1 = perfect)")
    _below(ax, ncols=4)


@styled
def plot_calibration(table: Table, ax: Axes) -> None:
    """Observed share against predicted chance, smoothed, with pointwise 95 % bands."""
    ax.plot([0, 1], [0, 1], color=_GREY, lw=1, ls="--", label="predictions are right")
    for model, number in _MODELS.items():
        rows = table.frame.filter(model=model).drop_nulls()
        x, y, low, high = _numbers(rows, "predicted", "observed", "observed_low", "observed_high")
        ax.fill_between(x, low, high, color=PALETTE[number], alpha=0.15, lw=0)
        ax.plot(x, y, color=PALETTE[number], label=model)
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1)
    ax.set_xlabel("Predicted chance")
    ax.set_ylabel("Observed share (smoothed)")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    _below(ax, ncols=4)


@styled
def plot_net_benefit(table: Table, ax: Axes) -> None:
    """Net benefit of every model by threshold, beside acting on everybody and on nobody."""
    threshold = np.array([float(t) for t in table.frame["threshold"]])
    ax.axhline(0.0, color=_GREY, lw=1, label="act on nobody")
    (everybody,) = _numbers(table.frame, "treat_all")
    ax.plot(threshold, everybody, color=_GREY, ls="--", label="act on everybody")
    for model, number in _MODELS.items():
        name = model.replace(" ", "_")
        value, low, high = _numbers(table.frame, name, f"{name}_low", f"{name}_high")
        ax.errorbar(
            threshold + (number - 1) * 0.006, value, yerr=[value - low, high - value], capsize=2.5,
            color=PALETTE[number], marker=MARKERS[number], label=model,
        )  # fmt: skip
    ax.set_xlabel("Risk of not reaching the outcome from which one acts")
    ax.set_ylabel("Net benefit per patient")
    ax.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    bottom = min(0.0, float(np.nanmin(table.frame["act"].to_numpy())) if "act" in
                 table.frame.columns else 0.0)  # fmt: skip
    ax.set_ylim(bottom=min(bottom, -0.1))
    _below(ax, ncols=3)
