"""Groups below each other, each grouping under its heading, as most figures of the audit show."""

import numpy as np
import polars as pl
from matplotlib.axes import Axes

from iesoresearch.figures.panels import GREY, numbers, panels, reach
from iesoresearch.figures.style import PALETTE, say_nothing_is_shown

ROW = 0.2  # inches of a row
REFERENCE, DIFFERS = "compared with", ("lower", "higher")


def shown(frame: pl.DataFrame, column: str) -> list[tuple[str, pl.DataFrame]]:
    """Groupings with those of their rows that have a value of `column`."""
    frame = frame.drop_nulls(column)
    return [
        (grouping, frame.filter(grouping=grouping))
        for grouping in frame["grouping"].unique(maintain_order=True)
    ]


def columns(
    groupings: list[tuple[str, pl.DataFrame]], ax: Axes, width: float = 5.4
) -> list[tuple[Axes, list, np.ndarray]]:
    """Panels for two columns of about equal length: axes, groupings and places of their rows."""
    sizes = [rows.height + 2 for _, rows in groupings]
    cuts = range(len(sizes) + 1)
    cut = min(cuts, key=lambda i: max(sum(sizes[:i]), sum(sizes[i:])))
    parts = [part for part in (groupings[:cut], groupings[cut:]) if part]
    height = max((sum(rows.height + 2 for _, rows in part) for part in parts), default=1)
    n = max(len(parts), 1)
    made = panels(ax, 1, n, width * n, ROW * height + 1.5)[0]
    if not parts:
        say_nothing_is_shown(made[0])
    found = []
    for panel, part in zip(made, parts, strict=False):
        found.append((panel, part, _named(panel, part)))
        panel.set_ylim(height - 0.5, -1.0)
    return found


def _named(panel: Axes, part: list[tuple[str, pl.DataFrame]]) -> np.ndarray:
    """Write groupings and levels at the axis; places of the rows."""
    ticks, names, y = [], [], 0
    for grouping, rows in part:
        panel.text(
            0.0, y, grouping, transform=panel.get_yaxis_transform(), weight="bold",
            va="center", fontsize=9,
        )  # fmt: skip
        ticks += range(y + 1, y + 1 + rows.height)
        names += rows["named"].to_list() if "named" in rows.columns else rows["level"].to_list()
        y += rows.height + 2
    panel.set_yticks(ticks, names, fontsize=8)
    panel.grid(visible=False, axis="y")
    return np.array(ticks)


def with_count(frame: pl.DataFrame, *counts: str) -> pl.DataFrame:
    """Levels with the counts behind them, as they are written at the axis."""
    texts = [pl.col(c).map_elements(lambda n: f"{n:,}", pl.String).fill_null("–") for c in counts]
    return frame.with_columns(
        named=pl.concat_str(
            "level", pl.lit(" ("), pl.concat_str(texts, separator=" of "), pl.lit(")")
        )
    )


def dots(
    panel: Axes, part: list[tuple[str, pl.DataFrame]], places: np.ndarray, base: str = "rate"
) -> None:
    """A dot with its interval for every group, filled where found to differ; references dashed."""
    rows = pl.concat([rows for _, rows in part])
    value, low, high = numbers(rows, base, f"{base}_low", f"{base}_high")
    panel.errorbar(
        value, places, xerr=reach(value, low, high), ls="none", color=PALETTE[0], capsize=2, lw=1.2
    )
    differs = rows["finding"].is_in(DIFFERS).fill_null(False).to_numpy()
    for marked, face in ((differs, PALETTE[0]), (~differs, "white")):
        panel.plot(
            value[marked], places[marked], "o", ms=5, mfc=face, mec=PALETTE[0], ls="none", zorder=3
        )
    start = 0
    for _, group in part:
        end = start + group.height
        reference = group.filter(finding=REFERENCE)[base]
        if len(reference):
            panel.plot([reference[0]] * 2, [places[start] - 0.5, places[end - 1] + 0.5], "--",
                       color=GREY, lw=1, zorder=1)  # fmt: skip
        start = end


def share_x(made: list[tuple[Axes, list, np.ndarray]]) -> None:
    """Give all columns one scale, so that groupings can be compared."""
    ends = [panel.get_xlim() for panel, _, _ in made]
    for panel, _, _ in made:
        panel.set_xlim(min(low for low, _ in ends), max(high for _, high in ends))
