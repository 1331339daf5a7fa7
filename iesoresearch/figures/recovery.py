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
    ax.set_xticks(range(len(marks)), [m.removeprefix("session ") for m in marks])
    ax.set_xlabel("Landmark: known up to the assessment, or to treatment session …")
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
    (first,) = _numbers(table.frame, "current_score")
    ax.set_ylim(bottom=min(-0.05, float(np.nanmin(first)) - 0.05))
    _below(ax, ncols=3)


@styled
def plot_groups(table: Table, ax: Axes) -> None:
    """Observed over expected by group, with 95 % intervals."""
    frame = table.frame.drop_nulls("observed_expected")
    names = [f"{level} (n = {n:,})" for level, n in frame.select("level", "n").rows()]
    place, ticks = [], []
    for i, grouping in enumerate(frame["grouping"]):
        new = i > 0 and grouping != frame["grouping"][i - 1]
        place.append((place[-1] if place else -1.0) + 1.0 + 0.6 * new)
        ticks.append(names[i])
    _heighten(ax, 0.26 * (place[-1] if place else 1) + 1.6)
    _forest(ax, frame, "observed_expected", np.array(place), ticks)
    ax.axvline(1.0, color=_GREY, lw=1)
    for grouping in frame["grouping"].unique(maintain_order=True):
        first = frame["grouping"].to_list().index(grouping)
        ax.text(1.01, place[first], grouping, transform=ax.get_yaxis_transform(), va="center",
                fontsize=8, color=_GREY)  # fmt: skip
    ax.set_xlabel("Observed / expected (1 = right)")


@styled
def plot_services(table: Table, ax: Axes) -> None:
    """AUC of every service left out, lowest first, with 95 % intervals."""
    frame = table.frame.drop_nulls("auc").sort("auc", descending=True)
    names = [f"{name} (n = {n:,})" for name, n in frame.select("service", "n").rows()]
    _heighten(ax, 0.2 * len(frame) + 1.6)
    _forest(ax, frame, "auc", np.arange(len(frame), dtype=float), names)
    ax.axvline(0.5, color=_GREY, lw=1, ls="--")
    ax.set_xlabel("AUC (dashed: chance)")
    ax.set_ylabel("Service left out")
    ax.tick_params(axis="y", labelsize=7.5)


def _forest(ax: Axes, frame: pl.DataFrame, name: str, place: np.ndarray, names: list[str]) -> None:
    value, low, high = _numbers(frame, name, f"{name}_low", f"{name}_high")
    ax.errorbar(
        value, place, xerr=np.maximum([value - low, high - value], 0), color=PALETTE[0],
        marker="o", ms=4, ls="none", capsize=2,
    )  # fmt: skip
    ax.set_yticks(place, names)
    ax.set_ylim((place.max() if len(place) else 0) + 0.7, -0.7)


@styled
def plot_instability(table: Table, ax: Axes) -> None:
    """Range of refitted predictions by what the model predicts."""
    x, low, high = _numbers(table.frame.drop_nulls(), "predicted", "least", "most")
    ax.fill_between(x, low, high, color=PALETTE[0], alpha=0.25, lw=0, label="refits, 2.5 to 97.5 %")
    ax.plot([0, 1], [0, 1], color=_GREY, lw=1, ls="--", label="as the model says")
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1)
    ax.set_xlabel("Chance that the model predicts")
    ax.set_ylabel("Chance that refits predict")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    ax.legend(loc="upper left")


@styled
def plot_importance(table: Table, ax: Axes) -> None:
    """Mean absolute SHAP values, largest on top, with ranges over refits."""
    frame = table.frame.head(10)
    _heighten(ax, 0.32 * len(frame) + 1.4)
    place = np.arange(len(frame), dtype=float)
    value, low, high = _numbers(frame, "importance", "least", "most")
    ax.barh(place, value, color=PALETTE[4], height=0.6)
    ax.errorbar((low + high) / 2, place, xerr=(high - low) / 2, color="#222222", ls="none",
                capsize=2.5)  # fmt: skip
    ax.set_yticks(place, frame["meaning"].to_list())
    ax.set_ylim(len(frame) - 0.5, -0.5)
    ax.set_xlim(left=0)
    ax.set_xlabel("Mean absolute SHAP value (log-odds)")


#: What periods on an axis are.
PERIODS = {
    "quarter": "Quarter in which predictions were made",
    "year": "Financial year of the referral",
}


@styled
def plot_later(table: Table, ax: Axes) -> None:
    """Observed minus expected by quarter or financial year, with control limits."""
    frame = table.frame.drop_nulls("difference")
    place = np.arange(len(frame))
    difference, limit = _numbers(frame, "difference", "limit")
    ax.axhline(0.0, color=_GREY, lw=1)
    for sign in (-1, 1):
        ax.step(place, sign * limit, where="mid", color=PALETTE[1], ls="--", lw=1.2,
                label="limits (3 SD)" if sign > 0 else None)  # fmt: skip
    ax.plot(place, difference, color=PALETTE[0], marker="o", label="observed minus expected")
    period = next(iter(table.keys))
    ax.set_xticks(place, frame[period].to_list(), rotation=45, ha="right")
    ax.set_xlabel(PERIODS[period])
    ax.set_ylabel("Observed minus expected share")
    ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    ax.legend(loc="best")
