"""Figures of `subtypes_matching`."""

import numpy as np
from matplotlib.axes import Axes

from iesoresearch.figures.style import PALETTE, styled
from iesoresearch.results import Table

TRUE = {"marker": "D", "s": 42, "facecolors": "none", "edgecolors": PALETTE[1], "zorder": 4}


def _numbers(table: Table, *columns: str) -> list[np.ndarray]:
    return [table.frame[c].cast(float).to_numpy() for c in columns]


def _forest(table: Table, ax: Axes, names: list[str], true_label: str) -> None:
    """Estimates with intervals, one named row each from above, and true values where known."""
    estimate, low, high = _numbers(table, "estimate", "estimate_low", "estimate_high")
    place = np.arange(len(estimate))
    ax.errorbar(
        estimate, place, xerr=[estimate - low, high - estimate], color=PALETTE[0], marker="o",
        ls="none", capsize=3, label="Estimate, 95 % interval",
    )  # fmt: skip
    if "true" in table.values:
        (true,) = _numbers(table, "true")
        ax.scatter(true, place, label=true_label, **TRUE)
    ax.set_yticks(place, names)
    ax.set_ylim(len(place) - 0.5, -0.5)
    ax.legend(loc="upper left", bbox_to_anchor=(0.0, -0.16), ncols=2)


@styled
def plot_effects(table: Table, ax: Axes) -> None:
    """Effect by subtype and over all, with 95 % intervals."""
    ax.axvline(0.0, color="#555555", lw=1)
    names = [
        name if n is None else f"{name}\n(n = {n:,})"
        for name, n in table.frame.select("group", "n").rows()
    ]
    _forest(table, ax, names, "Planted")
    ax.set_ylabel("Subtype at the first session")
    ax.set_xlabel("Difference of the last PHQ-9 total, second therapy minus first (points)")


@styled
def plot_rules(table: Table, ax: Axes) -> None:
    """Mean last total under every rule, with 95 % intervals."""
    _forest(table, ax, table.frame["rule"].to_list(), "True")
    ax.set_ylabel("Everybody has …")
    ax.set_xlabel("Mean last PHQ-9 total (points; lower is better)")


@styled
def plot_calibration(table: Table, ax: Axes) -> None:
    """Effects found against effects predicted, by fifths of the prediction."""
    predicted, found, low, high = _numbers(
        table, "predicted", "estimate", "estimate_low", "estimate_high"
    )
    ends = [np.nanmin(predicted), np.nanmax(predicted)]
    ax.axhline(0.0, color="#bbbbbb", lw=1)
    ax.plot(ends, ends, color="#555555", lw=1, ls="--", label="Predictions are right")
    ax.errorbar(
        predicted, found, yerr=[found - low, high - found], color=PALETTE[0], marker="o",
        ls="none", capsize=3, label="Found, 95 % interval",
    )  # fmt: skip
    if "true" in table.values:
        (true,) = _numbers(table, "true")
        ax.scatter(predicted, true, label="Planted", **TRUE)
    ax.set_xlabel("Predicted difference of the last PHQ-9 total (points)")
    ax.set_ylabel("Difference found (points)")
    ax.legend(loc="upper left")
