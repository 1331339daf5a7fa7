"""Figures of the audit of outcomes."""

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.transforms import offset_copy

from iesoresearch.figures.fairness.rows import columns, dots, share_x, shown, with_count
from iesoresearch.figures.panels import GREY, numbers, panels, reach
from iesoresearch.figures.style import MARKERS, PALETTE, styled
from iesoresearch.results import Table

__all__ = [
    "plot_deprivation",
    "plot_pathway",
    "plot_rates",
    "plot_services",
    "plot_steps",
    "plot_trends",
]
REFERENCE, NOT_RECORDED = "compared with", "not recorded"
STEPS = ("gap", "gap_severity", "gap_problem", "gap_step", "gap_service")
MOST = 6  # groups in a panel of lines


def _counts(table: Table) -> list[str]:
    return [name for name, value in table.values.items() if value.kind == "count"]


@styled
def plot_rates(table: Table, ax: Axes) -> None:
    """Rates of all groups with intervals, their references and what was planted."""
    frame = with_count(table.frame, *_counts(table)[1::-1])
    groupings = [(name, _with_truth(rows)) for name, rows in shown(frame, "rate")]
    made = columns(groupings, ax)
    for panel, part, places in made:
        dots(panel, part, places)
        rows = pl.concat([rows for _, rows in part])
        if "true" in rows.columns:
            (true,) = numbers(rows, "true")
            panel.plot(true, places, "D", ms=7, mfc="none", mec=PALETTE[1], ls="none")
        panel.set_xlabel("Of 100 patients")
    share_x(made)


def _with_truth(rows: pl.DataFrame) -> pl.DataFrame:
    """The planted gap added to the rate of the reference."""
    reference = rows.filter(finding=REFERENCE)["rate"]
    if "planted" not in rows.columns:
        return rows
    other = reference[0] if len(reference) else None
    return rows.with_columns(true=pl.col("planted") + pl.lit(other, pl.Float64))


@styled
def plot_steps(table: Table, ax: Axes) -> None:
    """Gaps as counted and after each step, a dot below the other for every group."""
    names = [name for name in STEPS if name in table.values]
    frame = with_count(table.frame, *_counts(table)[1::-1])
    made = columns(shown(frame, "gap"), ax)
    if not made:
        return
    made[0][0].figure.set_size_inches(
        made[0][0].figure.get_figwidth(), 1.35 * made[0][0].figure.get_figheight()
    )
    for panel, part, places in made:
        rows = pl.concat([rows for _, rows in part])
        panel.axvline(0.0, color=GREY, lw=1)
        for i, name in enumerate(names):
            value, low, high = numbers(rows, name, f"{name}_low", f"{name}_high")
            at = places + (i - (len(names) - 1) / 2) * 0.16
            panel.errorbar(
                value, at, xerr=reach(value, low, high), ls="none", marker=MARKERS[i], ms=3.6,
                color=PALETTE[i], lw=1.1, label=table.values[name].label,
            )  # fmt: skip
        panel.set_xlabel("Gap to the reference (points)")
    share_x(made)
    made[0][0].legend(loc="upper left", bbox_to_anchor=(0.0, -0.08), ncols=3, fontsize=8)


@styled
def plot_pathway(table: Table, ax: Axes) -> None:
    """Parts of every gap by step, adding up to it, and the gap itself with its interval."""
    parts = [name for name in table.values if name.startswith("from_") and _is_value(name)]
    made = columns(shown(table.frame, "gap"), ax)
    if not made:
        return
    for panel, part, places in made:
        rows = pl.concat([rows for _, rows in part])
        above, below = np.zeros(rows.height), np.zeros(rows.height)
        for name, colour in zip(parts, PALETTE, strict=False):
            (value,) = numbers(rows, name)
            start = np.where(value >= 0, above, below)
            label = table.values[name].label.removeprefix("at: ")
            panel.barh(places, value, left=start, height=0.7, color=colour, alpha=0.75, label=label)
            above, below = above + np.maximum(value, 0), below + np.minimum(value, 0)
        gap, low, high = numbers(rows, "gap", "gap_low", "gap_high")
        panel.errorbar(
            gap, places, xerr=reach(gap, low, high), ls="none", marker="D", ms=4, color="black",
            lw=1, label="gap, 95 % interval",
        )  # fmt: skip
        panel.axvline(0.0, color=GREY, lw=1)
        panel.set_xlabel("Per 100 referred, beside the reference")
    # in inches below the panel: a share of its height covers what the axis says where rows are few
    below = offset_copy(made[0][0].transAxes, ax.figure, y=-0.5)
    made[0][0].legend(
        loc="upper left", bbox_to_anchor=(0.0, 0.0), bbox_transform=below, fontsize=8,
        ncols=2 if len(made) == 1 else 3,
    )  # fmt: skip
    share_x(made)


def _is_value(name: str) -> bool:
    return not name.endswith(("_low", "_high"))


@styled
def plot_deprivation(table: Table, ax: Axes) -> None:
    """Rates by fifth of deprivation and the lines of the slope indices, a panel each."""
    rows = table.frame.filter(pl.col("level") != NOT_RECORDED)
    made = [name.removesuffix("_rate") for name in table.values if name.endswith("_rate")]
    made = [name for name in made if rows[f"{name}_rate"].is_not_null().any()]
    grid = panels(ax, 1, max(len(made), 1), 2.3 * max(len(made), 1) + 0.6, 3.6)[0]
    places = np.arange(rows.height)
    for panel, name in zip(grid, made, strict=False):
        value, low, high, line = numbers(
            rows, f"{name}_rate", f"{name}_rate_low", f"{name}_rate_high", f"{name}_line"
        )
        panel.errorbar(places, value, yerr=reach(value, low, high), fmt="o", color=PALETTE[0],
                       capsize=2)  # fmt: skip
        panel.plot(places, line, color=PALETTE[1], lw=1.2)
        panel.set_title(table.values[f"{name}_rate"].label.removesuffix(", %"), fontsize=9)
        panel.set_xticks(places, [level.split(" ")[0] for level in rows["level"]])
        panel.set_xlabel("Fifth (1: most deprived)", fontsize=8.5)
    grid[0].set_ylabel("Of 100")


@styled
def plot_services(table: Table, ax: Axes) -> None:
    """Services by size, with funnel limits."""
    whole = _counts(table)[0]
    rows = table.frame.drop_nulls("rate").sort(whole)
    n, rate = numbers(rows, whole, "rate")
    for level, style in (("95", "--"), ("998", ":")):
        for end in ("low", "high"):
            label = f"{'95' if level == '95' else '99.8'} % limits" if end == "low" else None
            (limit,) = numbers(rows, f"{end}{level}")
            ax.plot(n, limit, style, color=GREY, lw=1.1, label=label)
    outside = (rows["position"] != "inside").fill_null(False).to_numpy()
    ax.plot(n[~outside], rate[~outside], "o", color=PALETTE[0], ms=4, label="Service, inside")
    # one that lies behind another of the same rounded counts is seen by its ring
    ring = {"mfc": "none", "mew": 1.4, "alpha": 0.8}
    ax.plot(
        n[outside], rate[outside] + 0.35 * _repeats(n[outside], rate[outside]), "s",
        color=PALETTE[1], ms=6, label="Service, outside 95 %", **ring,
    )  # fmt: skip
    ax.set_xlabel("Referrals of the service")
    ax.set_ylabel(table.values["rate"].label)
    ax.legend(loc="upper left", bbox_to_anchor=(0.0, -0.16), ncols=4, fontsize=8)


def _repeats(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Of every point, how many before it lie at the same place."""
    points = list(zip(x, y, strict=True))
    return np.array([points[:i].count(point) for i, point in enumerate(points)], dtype=float)


@styled
def plot_trends(table: Table, ax: Axes) -> None:
    """Rates by year of referral, a panel for each grouping."""
    groupings = shown(table.frame, "rate")
    n = max(len(groupings), 1)
    grid = panels(ax, -(-n // 2), min(n, 2), 9.2, 3.4 * -(-n // 2) + 0.4).flatten()
    years = sorted(set(table.frame["year"]))
    for panel, (grouping, rows) in zip(grid, groupings, strict=False):
        levels = [x for x in rows["level"].unique(maintain_order=True) if x != NOT_RECORDED][:MOST]
        for i, level in enumerate(levels):
            found = rows.filter(level=level)
            value, low, high = numbers(found, "rate", "rate_low", "rate_high")
            at = np.array([years.index(y) for y in found["year"]]) + (i - len(levels) / 2) * 0.06
            panel.errorbar(
                at, value, yerr=reach(value, low, high), color=PALETTE[i % len(PALETTE)],
                marker=MARKERS[i], ms=4, lw=1.1, label=level,
            )  # fmt: skip
        panel.set_xticks(range(len(years)), years)
        panel.set_title(grouping, fontsize=9.5)
        panel.set_ylabel("Of 100")
        panel.legend(loc="upper left", bbox_to_anchor=(0.0, -0.1), ncols=3, fontsize=7)
    for panel in grid[len(groupings) :]:
        panel.set_axis_off()
