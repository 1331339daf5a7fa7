"""Figures of `recovery_transfer`."""

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from iesoresearch.figures.recovery import PERIODS, plot_groups
from iesoresearch.figures.style import MARKERS, PALETTE, styled
from iesoresearch.results import Table

__all__ = [
    "plot_calibration",
    "plot_cusum",
    "plot_differences",
    "plot_drift",
    "plot_groups",
    "plot_local",
]

_GREY = "#555555"
#: The model as shipped and updated keep colour and marker in all figures.
_MODELS = {"as shipped": 1, "updated": 0}
_METHODS = {"closed test": 0, "intercept": 2, "intercept and slope": 3}
SHOWN = 15  # differences


def _numbers(frame: pl.DataFrame, *columns: str) -> list[np.ndarray]:
    return [frame[c].cast(float).to_numpy() for c in columns]


@styled
def plot_differences(table: Table, ax: Axes) -> None:
    """The largest differences of means and of shares, in standard deviations."""
    frame = table.frame.with_columns(by=pl.coalesce("apart", "shifted")).drop_nulls("by")
    frame = frame.sort(pl.col("by").abs(), descending=True, maintain_order=True).head(SHOWN)
    place = np.arange(len(frame))
    (value,) = _numbers(frame, "by")
    number = frame["apart"].is_not_null().to_numpy()
    for rows, face, label in ((number, PALETTE[0], "mean"), (~number, "white", "share")):
        ax.plot(value[rows], place[rows], ls="none", marker="o", color=PALETTE[0],
                markerfacecolor=face, label=label)  # fmt: skip
    ax.hlines(place, 0, value, color=PALETTE[4], lw=1)
    ax.axvline(0.0, color=_GREY, lw=1)
    names = [
        name if of_number else f"{name}: {level}"
        for name, level, of_number in zip(frame["name"], frame["level"], number, strict=True)
    ]
    if len(ax.figure.axes) == 1:
        ax.figure.set_figheight(0.3 * len(frame) + 1.4)
    ax.set_yticks(place, names)
    ax.tick_params(axis="y", labelsize=7.5)
    ax.set_ylim(len(frame) - 0.5, -0.5)
    ax.set_xlabel("Here minus where the model was made (SD there)")
    ax.legend(loc="lower right")


@styled
def plot_calibration(table: Table, ax: Axes) -> None:
    """Observed share against predicted chance, smoothed, with pointwise 95 % bands."""
    ax.plot([0, 1], [0, 1], color=_GREY, lw=1, ls="--", label="predictions are right")
    for model, number in _MODELS.items():
        rows = table.frame.filter(model=model).drop_nulls()
        x, y, low, high = _numbers(rows, "predicted", "observed", "observed_low", "observed_high")
        if len(rows):
            ax.fill_between(x, low, high, color=PALETTE[number], alpha=0.2, lw=0)
            ax.plot(x, y, color=PALETTE[number], label=model)
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1)
    ax.set_xlabel("Predicted chance")
    ax.set_ylabel("Observed share (smoothed)")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    ax.legend(loc="upper left")


@styled
def plot_local(table: Table, ax: Axes) -> None:
    """Gain of every way to update by the number of local patients, mean and range of draws."""
    sizes = table.frame["size"].unique(maintain_order=True).to_list()
    ax.axhline(0.0, color=_GREY, lw=1, label="as shipped")
    for i, (method, number) in enumerate(_METHODS.items()):
        rows = table.frame.filter(method=method)
        place = np.array([sizes.index(s) for s in rows["size"]]) + 0.16 * (i - 1)
        value, low, high = _numbers(rows, "gain", "gain_low", "gain_high")
        ax.errorbar(
            place, value, yerr=np.maximum([value - low, high - value], 0), color=PALETTE[number],
            marker=MARKERS[i], ls="none", capsize=2.5, label=method,
        )  # fmt: skip
    ax.set_xticks(range(len(sizes)), sizes)
    ax.set_xlabel("Local patients")
    ax.set_ylabel("Gain in log-loss (thousandths)")
    ax.legend(loc="upper left", bbox_to_anchor=(0.0, -0.14), ncols=4)


@styled
def plot_drift(table: Table, ax: Axes) -> None:
    """Observed minus expected by quarter or year, in standard deviations of chance."""
    frame, key = table.frame.drop_nulls("z"), list(table.keys)[-1]
    periods = sorted(frame[key].unique())
    ax.axhline(0.0, color=_GREY, lw=1)
    for limit in (-3, 3):
        ax.axhline(limit, color=_GREY, lw=1, ls="--", label="limits (3 SD)" if limit > 0 else None)
    for i, (model, number) in enumerate(_MODELS.items()):
        rows = frame.filter(model=model)
        place = [periods.index(q) for q in rows[key]]
        ax.plot(place, rows["z"], color=PALETTE[number], marker=MARKERS[i], label=model)
    _periods(ax, periods, PERIODS[key])
    ax.set_ylabel("Observed minus expected (SD)")


@styled
def plot_cusum(table: Table, ax: Axes) -> None:
    """Running sums as a share of their limits, for more upwards, for fewer downwards."""
    frame = table.frame.drop_nulls("more")
    quarters = sorted(frame["quarter"].unique())
    ax.axhline(0.0, color=_GREY, lw=1)
    for limit in (-1, 1):
        ax.axhline(limit, color=_GREY, lw=1, ls="--", label="alarm" if limit > 0 else None)
    for i, (model, number) in enumerate(_MODELS.items()):
        rows = frame.filter(model=model)
        place = [quarters.index(q) for q in rows["quarter"]]
        more, fewer = _numbers(rows, "more", "fewer")
        ax.plot(place, more, color=PALETTE[number], marker=MARKERS[i], label=model)
        ax.plot(place, -fewer, color=PALETTE[number], marker=MARKERS[i])
    ax.set_yscale("symlog", linthresh=1.0)
    ticks = [t for t in (-100, -10, -3, -1, 0, 1, 3, 10, 100) if _inside(ax, t)]
    ax.set_yticks(ticks, [f"{abs(t)}" for t in ticks])
    ax.minorticks_off()
    _periods(ax, quarters, PERIODS["quarter"])
    ax.set_ylabel("Running sum / limit:\nfewer (down), more (up)")


def _inside(ax: Axes, value: float) -> bool:
    low, high = ax.get_ylim()
    return low <= value <= high


def _periods(ax: Axes, periods: list[str], heading: str) -> None:
    ax.set_xticks(range(len(periods)), periods, rotation=45, ha="right")
    ax.set_xlabel(heading)
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0))
