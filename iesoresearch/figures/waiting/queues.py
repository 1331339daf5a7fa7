"""Figures of the queue: lists and waits over time, and where added capacity pays."""

from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from iesoresearch.figures.panels import GREY, numbers, panels, reach
from iesoresearch.figures.style import MARKERS, PALETTE, styled
from iesoresearch.results import Table

_STYLES = ("-", "--", ":")
#: Measure -> row of panels, line, depth of its band.
_OVER_TIME = {
    "patients waiting": (0, "-", 0.12),
    "median wait, weeks": (1, "-", 0.06),
    "90 % wait at most, weeks": (1, "--", 0.06),
}
_CHANCES = {
    "pays": "cash, health and productivity",
    "pays_health": "cash and health",
    "pays_cash": "NHS cash only",
}


def _accounts(table: Table) -> list[str]:
    return table.frame["account"].unique(maintain_order=True).to_list()


def _title(ax: Axes, account: str) -> None:
    ax.set_title(f"Waits differ {account}", fontsize=9.5, loc="left")


@styled
def plot_queue(table: Table, ax: Axes) -> None:
    """Patients waiting, median wait and 90th percentile by week, with 95 % of replications."""
    accounts = _accounts(table)
    grid = panels(ax, 2, len(accounts), 4.6 * len(accounts), 7.4)
    for column, account in zip(grid.T, accounts, strict=True):
        _title(column[0], account)
        rows = table.frame.filter(account=account)
        for i, name in enumerate(rows["scenario"].unique(maintain_order=True)):
            colour = GREY if i == 0 else PALETTE[i - 1]
            style = {"color": colour, "marker": MARKERS[i], "ms": 3.5, "lw": 1.3, "label": name}
            for measure, (place, line, alpha) in _OVER_TIME.items():
                here = rows.filter(scenario=name, measure=measure)
                week, value, low, high = numbers(here, "week", "shown", "shown_low", "shown_high")
                column[place].fill_between(week, low, high, color=colour, alpha=alpha, lw=0)
                column[place].plot(week, value, ls=line, **style)
        for panel in column:
            panel.set_ylim(bottom=0)
            panel.set_xlim(column[0].get_xlim())
            panel.set_xlabel("Weeks since the change")
    grid[0, 0].set_ylabel("Patients waiting\nper 1,000 referrals a year")
    grid[1, 0].set_ylabel("Weeks from referral to second session\n(solid: median; dashed: 90 %)")
    _share_y(grid)
    handles, labels = grid[0, 0].get_legend_handles_labels()
    ax.figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=8)


@styled
def plot_break_even(table: Table, ax: Axes) -> None:
    """Net saving by capacity added, with 95 % intervals, and the chance that it pays for itself."""
    accounts = _accounts(table)
    grid = panels(ax, 2, len(accounts), 4.6 * len(accounts), 7.0)
    for column, account in zip(grid.T, accounts, strict=True):
        _title(column[0], account)
        rows = table.frame.filter(account=account)
        for i, where in enumerate(rows["where"].unique(maintain_order=True)):
            here = rows.filter(where=where)
            added, net, low, high = numbers(here, "added", "net", "net_low", "net_high")
            column[0].errorbar(
                added + 0.5 * (i - 0.5), net, yerr=reach(net, low, high), color=PALETTE[i],
                marker=MARKERS[i], capsize=2.5, label=f"added to {where}",
            )  # fmt: skip
            for (name, counted), line in zip(_CHANCES.items(), _STYLES, strict=True):
                (chance,) = numbers(here, name)
                column[1].plot(
                    added, chance, color=PALETTE[i], marker=MARKERS[i], ms=4, ls=line,
                    label=f"{counted}, {where}",
                )  # fmt: skip
        column[0].axhline(0.0, color=GREY, lw=1)
        column[1].axhline(0.5, color=GREY, lw=1)
        column[1].set_ylim(-0.02, 1.02)
        column[1].yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        for panel in column:
            panel.set_xlabel("Places added, % of all places")
    grid[0, 0].set_ylabel("Net saving, £1,000\nper 1,000 referrals a year")
    grid[1, 0].set_ylabel("Chance that it pays for itself")
    _share_y(grid)
    grid[0, 0].legend(loc="lower left", fontsize=8)
    handles, labels = grid[1, 0].get_legend_handles_labels()
    ax.figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=2,
        fontsize=8,
        handlelength=4.5,  # long enough to tell dashes apart
        title="Lower row: counted as saved, added to",
    )


def _share_y(grid) -> None:
    """The same scale for all panels of a row."""
    for row in grid:
        limits = [panel.get_ylim() for panel in row]
        for panel in row:
            panel.set_ylim(min(low for low, _ in limits), max(high for _, high in limits))
