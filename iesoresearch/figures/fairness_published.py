"""Figures of `fairness_published`."""

import numpy as np
import polars as pl
from matplotlib.axes import Axes

from iesoresearch.figures.panels import numbers, panels, reach
from iesoresearch.figures.style import MARKERS, PALETTE, ordered_colours, styled
from iesoresearch.results import Table

_GREY, _DARK = "#8a8a8a", "#222222"
_ORDERED = ("Deprivation", "Age", "Age in three bands")
_REFERENCE = "–"  # how the group starts that others are compared with
_ROW = 0.205  # inches of a row of dots
_MOST_LINES = 6
_BREAK = "2020-21"  # the data set changed within it
_PARTS = {
    "finishing": "finishing, per referral",
    "counting": "being at caseness",
    "recovering": "recovering",
}


def _listed(frame: pl.DataFrame) -> list[tuple[str, pl.DataFrame]]:
    """Groupings with their rows: in their order where they have one, else by rate."""
    found = []
    for grouping in frame["grouping"].unique(maintain_order=True):
        rows = frame.filter(grouping=grouping).drop_nulls("rate")
        if grouping not in _ORDERED:
            rows = rows.sort("rate", descending=True, maintain_order=True)
        found.append((grouping, rows))
    return found


@styled
def plot_gaps(table: Table, ax: Axes) -> None:
    """Dots with intervals, groupings below each other in two columns, references marked."""
    groupings = _listed(table.frame)
    sizes = [len(rows) + 2 for _, rows in groupings]
    left = int(np.argmin([abs(2 * sum(sizes[:i]) - sum(sizes)) for i in range(len(sizes) + 1)]))
    columns = [part for part in (groupings[:left], groupings[left:]) if part]
    height = max(sum(len(rows) + 2 for _, rows in part) for part in columns)
    made = panels(ax, 1, len(columns), 5.4 * len(columns), _ROW * height + 1.3)[0]
    for axes, part in zip(made, columns, strict=True):
        _dots(axes, part, height)
        axes.set_xlabel(table.values["rate"].label)
    ends = [axes.get_xlim() for axes in made]
    for axes in made:
        axes.set_xlim(min(e[0] for e in ends), max(e[1] for e in ends))


def _dots(ax: Axes, groupings, height: int) -> None:
    ticks, labels, y = [], [], 0
    for i, (grouping, rows) in enumerate(groupings):
        colour = PALETTE[i % len(PALETTE)]
        words = grouping + _left_out(rows)
        ax.text(
            0.0, y, words, transform=ax.get_yaxis_transform(), weight="bold", va="center",
            fontsize=9,
        )  # fmt: skip
        places = np.arange(y + 1, y + 1 + len(rows))
        rate, low, high = numbers(rows, "rate", "rate_low", "rate_high")
        error = np.nan_to_num(reach(rate, low, high))
        is_reference = rows["compared"].str.starts_with(_REFERENCE).to_numpy()
        ax.errorbar(rate, places, xerr=error, ls="none", color=colour, lw=1.2)
        for mask, marker in ((~is_reference, "o"), (is_reference, "D")):
            ax.plot(rate[mask], places[mask], ls="none", marker=marker, ms=4.5, color=colour)
        ax.vlines(rate[is_reference], places[0] - 0.5, places[-1] + 0.5, color=colour, ls=":", lw=1)
        ticks += places.tolist()
        counted = rows["counted"].to_list()
        labels += [
            level if n is None else f"{level}, n = {n:,}"
            for level, n in zip(rows["level"], counted, strict=True)
        ]
        y += len(rows) + 2
    ax.set_yticks(ticks, labels, fontsize=7.5)
    ax.set_ylim(height - 1, -1)
    ax.grid(axis="y", visible=False)


def _left_out(rows: pl.DataFrame) -> str:
    """How much of everybody is not among the dots below."""
    unknown = rows["unknown"].first()
    said = "an unknown share" if unknown is None else f"{unknown:.1f} %"
    return f" ({said} not recorded)"


@styled
def plot_deprivation(table: Table, ax: Axes) -> None:
    """Deciles at their place in the ranking, and the line between whose ends the index lies."""
    frame = table.frame
    ridit = numbers(frame, "ridit")[0]
    counted = not np.isnan(ridit).any()
    x = ridit if counted else (np.arange(len(frame)) + 0.5) / len(frame)
    rate, low, high = numbers(frame, "rate", "rate_low", "rate_high")
    ax.errorbar(
        x, rate, yerr=np.nan_to_num(reach(rate, low, high)), ls="none", marker="o", ms=5, capsize=3,
        color=PALETTE[0], label="deciles, 95 % intervals",
    )  # fmt: skip
    if counted:
        slope = np.polyfit(x, numbers(frame, "line")[0], 1)
        ends = np.polyval(slope, [0.0, 1.0])
        ax.plot([0, 1], ends, color=PALETTE[1], label="line of the slope index")
        ax.plot([0, 1], ends, ls="none", marker="s", ms=5, color=PALETTE[1])
        for place, end, up in ((0.0, ends[0], -14), (1.0, ends[1], 8)):
            ax.annotate(
                f"{end:.1f}", (place, end), (0, up), textcoords="offset points", ha="center",
                color=PALETTE[1], weight="bold",
            )  # fmt: skip
    names = [name.replace(" (", "\n(") for name in frame["decile"]]
    ax.set_xticks(x, names)
    ax.set_xlim(-0.03, 1.03)
    ax.set_xlabel("Decile of deprivation, at its place in the ranking of courses")
    ax.set_ylabel(table.values["rate"].label)
    ax.legend(loc="lower right")


@styled
def plot_trends(table: Table, ax: Axes) -> None:
    """Gaps by year, a panel for each grouping, the group compared with as the line at zero."""
    frame = table.frame
    groupings = frame["grouping"].unique(maintain_order=True).to_list()
    years = frame["year"].unique().sort().to_list()
    columns = min(3, len(groupings))
    rows = -(-len(groupings) // columns)
    made = panels(ax, rows, columns, 4.0 * columns, 3.5 * rows).ravel()
    for axes, grouping in zip(made, groupings, strict=False):
        rows = frame.filter(grouping=grouping)
        _lines(axes, rows, years)
        title = f"{grouping}: gap to {rows['compared'][0]}"
        axes.set_title(title, loc="left", fontsize=9, weight="bold")
    for place, axes in enumerate(made):
        if place >= len(groupings):
            axes.set_axis_off()
        elif place % columns == 0:
            axes.set_ylabel(table.values["gap"].label)


def _lines(ax: Axes, frame: pl.DataFrame, years: list[str]) -> None:
    sizes = frame.group_by("level", maintain_order=True).agg(pl.col("counted").max())
    ordered = frame["grouping"][0] == "Deprivation"
    shown = sizes.sort("counted", descending=True, nulls_last=True, maintain_order=True)
    kept = sizes["level"].to_list() if ordered else shown["level"].to_list()[:_MOST_LINES]
    colours = ordered_colours(len(kept)) if ordered else PALETTE
    ax.axhline(0, color=_DARK, lw=1)
    if _BREAK in years[1:-1]:
        ax.axvline(years.index(_BREAK), color=_GREY, ls=":", lw=1.2)
    step = 0.05
    for i, level in enumerate(kept):
        rows = frame.filter(level=level)
        x = np.array([years.index(y) for y in rows["year"]]) + step * (i - (len(kept) - 1) / 2)
        gap, low, high = numbers(rows, "gap", "gap_low", "gap_high")
        ax.errorbar(
            x, gap, yerr=np.nan_to_num(reach(gap, low, high)), color=colours[i], lw=1.1, ms=3.5,
            elinewidth=0.8, marker=MARKERS[i % len(MARKERS)], label=level,
        )  # fmt: skip
    ax.set_xticks(range(len(years)), [y[2:] for y in years], rotation=45, fontsize=7.5)
    ax.legend(
        loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=3 if ordered else 2, fontsize=6.8,
        handlelength=1.2, columnspacing=0.8, labelspacing=0.3,
    )  # fmt: skip


@styled
def plot_stages(table: Table, ax: Axes) -> None:
    """Parts of the gap per 100 referrals, of deprivation and ethnicity."""
    frame = table.frame.filter(pl.col("grouping").is_in(["Deprivation", "Ethnicity"]))
    y, ticks, labels = 0, [], []
    for grouping in frame["grouping"].unique(maintain_order=True):
        rows = frame.filter(grouping=grouping)
        if grouping not in _ORDERED:
            rows = rows.sort("gap", maintain_order=True)
        ax.text(0.0, y, grouping, transform=ax.get_yaxis_transform(), weight="bold", va="center")
        places = np.arange(y + 1, y + 1 + len(rows))
        below, above = np.zeros(len(rows)), np.zeros(len(rows))
        for i, (name, words) in enumerate(_PARTS.items()):
            part = numbers(rows, name)[0]
            start = np.where(part < 0, below, above)
            ax.barh(places, part, left=start, height=0.7, color=PALETTE[i], label=words)
            below, above = below + np.minimum(part, 0), above + np.maximum(part, 0)
        gap, low, high = numbers(rows, "gap", "gap_low", "gap_high")
        ax.errorbar(
            gap, places, xerr=reach(gap, low, high), ls="none", marker="o", ms=4, color=_DARK,
            lw=1.2, label="whole gap, 95 % interval",
        )  # fmt: skip
        ticks += places.tolist()
        labels += rows["level"].to_list()
        y += len(rows) + 2
    ax.axvline(0, color=_DARK, lw=1)
    ax.set_yticks(ticks, labels, fontsize=8)
    ax.set_ylim(y - 1, -1)
    ax.grid(axis="y", visible=False)
    ax.set_xlabel("Recovered per 100 referrals of the year: gap and its parts, points")
    if len(ax.figure.axes) == 1:
        ax.figure.set_size_inches(7.8, 0.24 * y + 1.6)
    handles, names = ax.get_legend_handles_labels()
    once = dict(zip(names, handles, strict=True))
    ax.legend(
        once.values(), once.keys(), loc="upper center", bbox_to_anchor=(0.4, -0.08), ncols=4,
        fontsize=8, columnspacing=1.0, handlelength=1.2,
    )  # fmt: skip


@styled
def plot_funnel(table: Table, ax: Axes) -> None:
    """Providers by size, between limits of chance and limits with over-dispersion."""
    limits = table.frame.filter(place="limits").sort("n")
    size = numbers(limits, "n")[0]
    for method, colour, words in (
        ("exact", _GREY, "chance alone"),
        ("additive", PALETTE[1], "with over-dispersion"),
    ):
        for level, style, percent in (("95", "--", "95 %"), ("998", "-", "99.8 %")):
            ends = numbers(limits, f"{method}_low{level}", f"{method}_high{level}")
            for end, label in zip(ends, (f"{percent}, {words}", None), strict=True):
                ax.plot(size, end, color=colour, ls=style, lw=1.2, label=label)
    ax.axhline(limits["target"][0], color=_DARK, lw=1, label="all providers")
    providers = table.frame.filter(place="provider")
    outside = providers["additive_outside"].abs() == 2
    for mask, colour, marker, words in (
        (~outside, PALETTE[0], "o", "provider"),
        (outside, PALETTE[3], "D", "outside 99.8 % with over-dispersion"),
    ):
        n, rate = numbers(providers.filter(mask), "n", "rate")
        ax.plot(n, rate, ls="none", marker=marker, ms=4, color=colour, alpha=0.8, label=words)
    odd = table.frame.filter(~pl.col("place").is_in(["provider", "limits"]))
    if odd.height:
        n, rate = numbers(odd, "n", "rate")
        ax.plot(n, rate, ls="none", marker="x", ms=6, color=_DARK, label="0 % or 100 %: recording?")
    ax.set_xscale("log")
    ax.set_xlabel(f"{table.values['n'].label} (logarithmic)")
    ax.set_ylabel(table.values["rate"].label)
    if len(ax.figure.axes) == 1:
        ax.figure.set_size_inches(7.6, 5.4)
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.13), ncols=3, fontsize=8)
