"""Figures of `cohort`."""

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch
from matplotlib.ticker import MaxNLocator, PercentFormatter
from matplotlib.transforms import ScaledTranslation

from iesoresearch.figures.style import MARKERS, PALETTE, styled
from iesoresearch.results import SUPPRESSED, Table

_GREY = "#555555"
_PERCENT = PercentFormatter(xmax=1.0, decimals=0)


def _heighten(ax: Axes, inches: float) -> None:
    """Give a figure of its own the height its rows need; axes that were handed over keep theirs."""
    if len(ax.figure.axes) == 1:
        ax.figure.set_figheight(inches)


def _errors(frame: pl.DataFrame, value="rate", low="rate_low", high="rate_high") -> np.ndarray:
    """Distances from the value to the ends of its interval, as `errorbar` takes them."""
    middle, below, above = (frame[c].cast(float).to_numpy() for c in (value, low, high))
    return np.maximum([middle - below, above - middle], 0.0)


def _percent(share: float) -> str:
    """A share as text, with a decimal where it would look like none."""
    if np.isnan(share):
        return SUPPRESSED
    return f"{share:.1%}" if 0 < share < 0.01 else f"{share:.0%}"


@styled
def plot_flow(table: Table, ax: Axes) -> None:
    """Flow diagram: who stays goes down, who is left out goes to the side, with the reason."""
    steps = table.frame["step"].unique(maintain_order=True).sort().to_list()
    _heighten(ax, 0.95 * len(steps) + 0.5)
    ax.set_axis_off()
    ax.set_xlim(0, 10)
    ax.set_ylim(-len(steps) + 0.45, 0.5)
    for place, step in enumerate(steps):
        rows = table.frame.filter(step=step)
        kept = rows.filter(box="kept").row(0, named=True)
        _box(ax, 0.1, 4.9, -place, 0.56, [kept], "#e8f0f7", bold=True)
        left = rows.filter(box="left out").rows(named=True)
        if place:
            ax.annotate("", (2.5, -place + 0.28), (2.5, -place + 0.72), arrowprops=_ARROW)
        if left:
            middle = -place + 0.5
            ax.annotate("", (5.35, middle), (2.5, middle), arrowprops=_ARROW)
            _box(ax, 5.35, 4.6, middle, 0.24 * len(left) + 0.2, left, "#f6f1ea")


_ARROW = {"arrowstyle": "-|>", "color": _GREY, "lw": 1.2, "shrinkA": 0, "shrinkB": 0}


def _box(ax: Axes, x, width, y, height, rows, colour, *, bold=False) -> None:
    ax.add_patch(
        FancyBboxPatch(
            (x, y - height / 2), width, height, boxstyle="round,pad=0,rounding_size=0.08",
            facecolor=colour, edgecolor=_GREY, lw=0.8,
        )
    )  # fmt: skip
    shown = [SUPPRESSED if row["n"] is None else f"{row['n']:,}" for row in rows]
    text = "\n".join(f"{row['what']}: {n}" for row, n in zip(rows, shown, strict=True))
    weight = "bold" if bold else "normal"
    ax.text(x + width / 2, y, text, ha="center", va="center", fontsize=9, weight=weight)


@styled
def plot_differences(table: Table, ax: Axes) -> None:
    """Standardised differences, largest on top, beside what chance alone would give."""
    frame = table.frame.drop_nulls("difference").sort("difference")
    _heighten(ax, 0.28 * max(len(frame), 4) + 1.6)
    y = np.arange(len(frame))
    ax.scatter(frame["difference"], y, color=PALETTE[0], zorder=3, label="difference")
    ax.scatter(
        frame["chance"],
        y,
        color=_GREY,
        marker="|",
        s=90,
        zorder=2,
        label="expected by chance alone",
    )
    ax.axvline(0.1, color=PALETTE[1], ls="--", lw=1, label="0.1, often called negligible below")
    ax.set_yticks(y, frame["characteristic"].to_list())
    ax.set_xlim(left=0)
    ax.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 5, 10]))
    ax.set_xlabel("Standardised difference, finished against not finished")
    ax.set_ylabel("Characteristic")
    _legend_below(ax)


@styled
def plot_missing_variables(table: Table, ax: Axes) -> None:
    """Share missing of every variable, by table."""
    frame = table.frame.reverse()
    _heighten(ax, 0.24 * len(frame) + 1.2)
    abouts = table.frame["about"].unique(maintain_order=True).to_list()
    y = np.arange(len(frame))
    shares = frame["missing"].cast(float).to_numpy()
    for about, colour in zip(abouts, PALETTE, strict=False):
        mine = (frame["about"] == about).to_numpy()
        ax.barh(y[mine], np.nan_to_num(shares[mine]), color=colour, label=about, height=0.7)
    for place, share in zip(y, shares, strict=True):
        ax.text(np.nan_to_num(share) + 0.008, place, _percent(share), va="center", fontsize=8)
    ax.set_yticks(y, frame["variable"].to_list())
    ax.set_ylim(-0.6, len(frame) - 0.4)
    ax.grid(axis="y", visible=False)
    ax.set_xlim(0, min(1.0, max(0.1, np.nanmax(shares, initial=0.0) * 1.15)))
    ax.xaxis.set_major_formatter(_PERCENT)
    ax.set_xlabel("Share missing, not known or not stated")
    ax.set_ylabel("Variable")
    ax.legend(title="Share of", loc="upper left", bbox_to_anchor=(1.01, 1.0))


@styled
def plot_missing_forms(table: Table, ax: Axes) -> None:
    """Heat map: whole questionnaires and single items missing, by appointment."""
    frame = table.frame
    names = frame["form"].unique(maintain_order=True).to_list()
    visits = frame["visit"].unique().sort().to_list()
    labels, matrix = [], []
    for column, what in (("whole", "no form"), ("some", "form with gaps")):
        for name in names:
            found = dict(frame.filter(form=name).select("visit", column).iter_rows())
            labels.append(f"{name}: {what}")
            matrix.append([np.nan if found.get(v) is None else found[v] for v in visits])
    matrix = np.array(matrix, dtype=float)
    top = max(0.05, np.nanmax(matrix, initial=0.0))
    image = ax.imshow(matrix, cmap="cividis", vmin=0.0, vmax=top, aspect="auto")
    for (i, j), share in np.ndenumerate(matrix):
        hidden = np.isnan(share)
        # contrast of at least 4.5 to 1 on cividis
        colour = "black" if hidden or share > 0.47 * top else "white"
        shown = SUPPRESSED if hidden else f"{100 * share:.0f}"
        ax.text(j, i, shown, ha="center", va="center", color=colour, fontsize=8.5)
    ax.grid(False)
    ax.set_xticks(range(len(visits)), visits)
    ax.set_yticks(range(len(labels)), labels)
    ax.set_xlabel("Appointment attended")
    ax.set_ylabel("Questionnaire")
    ax.figure.colorbar(image, ax=ax, label="Share missing", format=_PERCENT)


@styled
def plot_outcome_rates(table: Table, ax: Axes) -> None:
    """Rates by both rules with intervals, and the published ones."""
    measures = table.frame["measure"].unique(maintain_order=True).to_list()
    place = {measure: -i for i, measure in enumerate(measures)}
    _heighten(ax, 0.36 * len(measures) + 1.9)
    for number, (rule,) in enumerate(table.frame.select("rule").unique(maintain_order=True).rows()):
        rows = table.frame.filter(rule=rule)
        y = rows["measure"].replace_strict(place, return_dtype=pl.Float64) + 0.12 - 0.24 * number
        for hidden in y.filter(rows["rate"].is_null()):
            ax.text(0.01, hidden, SUPPRESSED, color=PALETTE[number], va="center", size=13)
        ax.errorbar(
            rows["rate"].cast(float), y, xerr=_errors(rows), fmt=MARKERS[number],
            color=PALETTE[number], capsize=2, elinewidth=1, markersize=5, lw=0, label=rule,
        )  # fmt: skip
    known = table.frame.drop_nulls("published").unique("measure", maintain_order=True)
    y = known["measure"].replace_strict(place, return_dtype=pl.Float64)
    ax.scatter(known["published"], y, marker="|", s=220, color="black", zorder=4, label=_who(table))
    ax.set_yticks(list(place.values()), measures)
    ax.set_xlim(0, 1)
    ax.xaxis.set_major_formatter(_PERCENT)
    ax.set_xlabel("Share of finished courses\n(of recovery: of those not below caseness)")
    ax.set_ylabel("Measure")
    _legend_below(ax, below=0.65)


def _legend_below(ax: Axes, columns: int = 3, below: float = 0.5) -> None:
    """Legend `below` inches under the axes: under the x label, above the note on simulated data."""
    down = ScaledTranslation(0, -below, ax.figure.dpi_scale_trans)
    ax.legend(
        loc="upper right", bbox_to_anchor=(1.0, 0.0), bbox_transform=ax.transAxes + down,
        ncols=columns, columnspacing=1.2, borderaxespad=0,
    )  # fmt: skip


def _who(table: Table) -> str:
    """Whose published figures a table holds, from the heading of their column."""
    return table.values["published"].label.partition(" (–")[0]


@styled
def plot_waits(table: Table, ax: Axes) -> None:
    """Shares by wait, published shares as marks, and the two standards as lines."""
    bands = table.frame["band"].unique(maintain_order=True).to_list()
    x = np.arange(len(bands))
    kinds = table.frame["wait"].unique(maintain_order=True).to_list()
    for number, wait in enumerate(kinds):
        rows = table.frame.filter(wait=wait)
        shift = 0.4 * (number - 0.5)
        shares, published = (rows[c].cast(float).to_numpy() for c in ("share", "published"))
        ax.bar(x + shift, np.nan_to_num(shares), 0.38, color=PALETTE[number], label=wait)
        tops = np.fmax(np.nan_to_num(shares), np.nan_to_num(published))
        for place, share, top in zip(x + shift, shares, tops, strict=True):
            ax.text(place, top + 0.015, _percent(share), ha="center", va="bottom", fontsize=8)
        label = _who(table) if number == 0 else None
        ax.scatter(x + shift, published, marker="_", s=240, color="black", zorder=4, label=label)
    for name, text in (("29–42", "6 weeks"), ("91–126", "18 weeks")):
        if name in bands:
            edge = bands.index(name) + 0.5
            ax.axvline(edge, color=_GREY, ls="--", lw=1)
            ax.text(edge - 0.05, 0.97, text, transform=ax.get_xaxis_transform(), ha="right",
                    va="top", fontsize=8.5, color=_GREY)  # fmt: skip
    ax.set_xticks(x, [band.replace(" or ", "\nor ") for band in bands])
    ax.set_ylim(0, 1.1)
    ax.set_yticks(np.arange(0, 1.1, 0.2))
    ax.grid(axis="x", visible=False)
    ax.yaxis.set_major_formatter(_PERCENT)
    ax.set_xlabel("Days waited")
    ax.set_ylabel("Share of finished courses")
    _legend_below(ax, below=0.65)


def _dots(table: Table, ax: Axes, key: str) -> None:
    """One dot with its interval per row, from the top down; a dash where it may not be shown."""
    frame = table.frame
    y = -np.arange(len(frame))
    _heighten(ax, 0.42 * len(frame) + 1.3)
    rates = frame["rate"].cast(float).to_numpy()
    ax.errorbar(
        rates, y, xerr=_errors(frame), fmt="o", color=PALETTE[0], capsize=3, elinewidth=1.2, lw=0
    )
    for place, rate in zip(y, rates, strict=True):
        if np.isnan(rate):
            ax.text(0.01, place, SUPPRESSED, transform=ax.get_yaxis_transform(), va="center")
    ax.set_yticks(y, frame[key].to_list())
    ax.set_ylim(-len(frame) + 0.4, 0.6)
    if np.isnan(rates).all():
        ax.set_xlim(0, 1)
    ax.xaxis.set_major_formatter(_PERCENT)


@styled
def plot_sensitivity(table: Table, ax: Axes) -> None:
    """Recovery rate by what is done about missing last scores."""
    _dots(table, ax, "method")
    ax.set_xlabel("Recovery rate, 95 % interval")
    ax.set_ylabel("Missing last scores")


@styled
def plot_safety(table: Table, ax: Axes) -> None:
    """Safety signals with intervals."""
    _dots(table, ax, "signal")
    ax.set_xlim(left=0)
    ax.set_xlabel("Share, 95 % interval")
    ax.set_ylabel("Signal")


@styled
def plot_control_chart(table: Table, ax: Axes) -> None:
    """Rate by period between the limits of the p chart and of the p' chart."""
    frame = table.frame
    x = np.arange(len(frame))
    columns = {c: frame[c].cast(float).to_numpy() for c in frame.columns if c in _LINES}
    ax.fill_between(
        x, columns["lower_limit"], columns["upper_limit"], step="mid", color=PALETTE[4], alpha=0.25,
        lw=0, label="limits of chance (p chart)",
    )  # fmt: skip
    for end in ("lower_adjusted", "upper_adjusted"):
        label = "adjusted limits (p' chart)" if end == "lower_adjusted" else None
        ax.step(x, columns[end], where="mid", color=PALETTE[1], ls="--", lw=1.2, label=label)
    ax.plot(x, columns["centre"], color=_GREY, lw=1, label="centre")
    ax.plot(x, columns["rate"], color=PALETTE[0], marker="o", markersize=4, label="rate")
    shown = x[:: 1 if len(x) <= 12 else 3]
    ax.set_xticks(shown, [frame["period"][int(i)] for i in shown], rotation=30, ha="right")
    ax.yaxis.set_major_formatter(_PERCENT)
    ax.set_xlabel(f"{table.keys['period']} of discharge")
    ax.set_ylabel("Reliable recovery")
    _legend_below(ax, columns=4, below=0.85)


_LINES = ("rate", "centre", "lower_limit", "upper_limit", "lower_adjusted", "upper_adjusted")


@styled
def plot_by_year(table: Table, ax: Axes) -> None:
    """Published rates by year."""
    years = table.frame["year"].unique(maintain_order=True).to_list()
    _lines(table, ax, "year", years)
    ax.set_xticks(range(len(years)), years, rotation=30, ha="right", rotation_mode="anchor")
    ax.set_xlabel("Financial year of discharge")
    ax.set_ylabel("Share of finished courses\n(of recovery: not below caseness)")


@styled
def plot_by_deprivation(table: Table, ax: Axes) -> None:
    """Published rates by decile of deprivation."""
    deciles = list(range(1, 11))
    _lines(table, ax, "decile", deciles)
    ends = {1: "1\nmost", 10: "10\nleast"}
    ax.set_xticks(range(len(deciles)), [ends.get(d, str(d)) for d in deciles])
    ax.set_xlabel("Index of Multiple Deprivation, decile (1 = most deprived)")
    ax.set_ylabel("Share of finished courses\n(of recovery: not below caseness)")


def _lines(table: Table, ax: Axes, key: str, order: list) -> None:
    """A line per measure over an ordered key, with intervals."""
    measures = table.frame["measure"].unique(maintain_order=True).to_list()
    every = pl.DataFrame({key: order}, schema={key: table.frame.schema[key]})
    for number, measure in enumerate(measures):
        # a line has a gap where nothing was published
        rows = every.join(table.frame.filter(measure=measure), on=key, how="left")
        ax.errorbar(
            range(len(order)), rows["rate"].cast(float).to_numpy(), yerr=_errors(rows),
            color=PALETTE[number], marker=MARKERS[number], markersize=4.5, capsize=2,
            elinewidth=1, label=measure,
        )  # fmt: skip
    ax.set_ylim(0, 1)
    ax.yaxis.set_major_locator(MaxNLocator(6))
    ax.yaxis.set_major_formatter(_PERCENT)
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0))


_KINDS = {
    "share of finished": "who they are",
    "mean": "mean scores",
    "sd": "spread of scores",
    "effect size": "effect sizes",
    "correlation": "item correlations",
}


@styled
def plot_likeness(table: Table, ax: Axes) -> None:
    """Distance of every drawn figure from the published one, in tolerances."""
    told = pl.col("measure").replace(_KINDS)
    kind = pl.when(told != pl.col("measure")).then(told).otherwise(
        pl.col("statistic").replace(_KINDS)
    )  # fmt: skip
    rates = pl.lit("rates: ") + pl.col("breakdown").replace({"total": "all"})
    kind = pl.when(kind == "percentage").then(rates).otherwise(kind)
    frame = table.frame.drop_nulls("distance").with_columns(kind=kind)
    kinds = frame["kind"].unique(maintain_order=True).to_list()[::-1]
    _heighten(ax, 0.42 * len(kinds) + 1.7)
    ax.axvspan(-1, 1, color="#e8f0f7", zorder=0)
    ax.axvline(0, color=_GREY, lw=0.8)
    for number, role in enumerate(("drawn", "fitted", "emergent")):
        ax.plot([], [], MARKERS[number], color=PALETTE[number], markersize=4, label=role)
    for place, name in enumerate(kinds):
        rows = frame.filter(kind=name)
        spread = np.linspace(-0.34, 0.34, len(rows) + 2)[1:-1]
        for row, y in zip(rows.iter_rows(named=True), place + spread, strict=True):
            number = ("drawn", "fitted", "emergent").index(row["role"])
            colour = PALETTE[number]
            ax.errorbar(
                row["distance"], y, xerr=2 * row["distance_error"], fmt=MARKERS[number],
                color=colour, markersize=3.5, elinewidth=0.5, lw=0,
                markerfacecolor=colour if row["claimed"] == "yes" else "white",
            )  # fmt: skip
    ax.set_yticks(range(len(kinds)), kinds)
    ax.set_xlabel("Drawn less published, in tolerances (shaded: within)")
    _legend_below(ax, below=0.5)
