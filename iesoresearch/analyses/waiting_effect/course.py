"""What is known of remission from depression without treatment: different people, not pooled.

Only published figures. A month is a twelfth of 365.25 days.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from iesoresearch.models.hazards import interval_hazards
from iesoresearch.results import Table, Value

WEEKS_OF_MONTH = 365.25 / 7 / 12
YEAR = 52  # weeks that are shown


@dataclass(frozen=True)
class Source:
    """Shares of people in remission by then, from one source.

    Attributes
    ----------
    name, whom
        Source, and the people it is about.
    weeks, shares
        (k,) times and cumulative shares at them.
    low, high
        95 % interval of the last share, where one was published.
    repeats
        Whether the share is of every further month, too, so that there is a curve.
    """

    name: str
    whom: str
    weeks: tuple[float, ...]
    shares: tuple[float, ...]
    low: float | None = None
    high: float | None = None
    repeats: bool = False

    @property
    def hazards(self) -> np.ndarray:
        """(k,) a week, constant within each interval."""
        return interval_hazards(self.weeks, self.shares)

    @property
    def reaches_a_year(self) -> bool:
        """Whether it says something of a whole year."""
        return self.repeats or self.weeks[-1] >= YEAR

    def by(self, week: float) -> float:
        """Share in remission by a week, hazards constant within intervals and after the last."""
        edges = np.array([0.0, *self.weeks])
        spent = np.clip(week - edges[:-1], 0, None)
        spent[:-1] = np.minimum(spent[:-1], np.diff(edges)[:-1])
        return float(-np.expm1(-(spent * self.hazards).sum()))


WHITEFORD = Source(
    "Whiteford 2013",
    "adults in primary care, untreated; 19 studies",
    tuple(months * WEEKS_OF_MONTH for months in (3, 6, 12)),
    (0.23, 0.32, 0.53),
)
#: Monthly shares are midpoints of the ranges of the published tornado diagrams.
_MONTHLY = {"mild": 0.0367, "moderate": 0.0208, "moderately severe": 0.0218, "severe": 0.0133}
_MEKONEN = "16 waiting-list arms of trials"
SOURCES = (
    WHITEFORD,
    Source("Mekonen 2022", f"{_MEKONEN}; read as 8 weeks", (8.0,), (0.125,), 0.078, 0.18),
    Source("Mekonen 2022", f"{_MEKONEN}; read as 12 weeks", (12.0,), (0.125,), 0.078, 0.18),
    *(
        Source("Catarino 2023", f"model input, {band}", (WEEKS_OF_MONTH,), (share,), repeats=True)
        for band, share in _MONTHLY.items()
    ),
)
REFERENCES = (
    "Whiteford et al. 2013, doi:10.1017/S0033291712001717; Mekonen et al. 2022, Journal of "
    "Affective Disorders 296:17-25; Catarino et al. 2023, doi:10.1038/s44220-023-00106-z"
)


def _open(label: str, digits: int) -> Value:
    return Value("model", label, digits, sensitivity="open")


def hazards() -> Table:
    """Every published share, with the hazard from the start and since the share before."""
    rows = []
    for source in SOURCES:
        starts = (0.0, *source.weeks)
        for i, (week, share) in enumerate(zip(source.weeks, source.shares, strict=True)):
            whole = interval_hazards([week], [share])[0]
            last = i == len(source.weeks) - 1
            ends = (source.low, source.high) if last else (None, None)
            percent = [None if x is None else 100 * x for x in (share, *ends)]
            when = f"{starts[i]:.0f} to {week:.0f}"
            rows.append((source.name, source.whom, when, *percent, whole, source.hazards[i]))
    values = {
        "share": _open("In remission by then, %", 1),
        "share_low": _open("95 % from", 1),
        "share_high": _open("to", 1),
        "whole": _open("Hazard a week, from the start", 4),
        "interval": _open("Hazard a week, in the interval", 4),
    }
    keys = {"source": "Source", "whom": "People", "weeks": "Weeks"}
    frame = pl.DataFrame(rows, [*keys, *values], orient="row", infer_schema_length=None)
    return Table("Remission without treatment: different people, not pooled", frame, keys, values)


def curves() -> Table:
    """Shares in remission by week: published ones, and curves of constant hazards between them."""
    rows = []
    for source in SOURCES:
        label = f"{source.name}: {source.whom}"
        for week, share in zip(source.weeks, source.shares, strict=True):
            at_end = week == source.weeks[-1]
            ends = (source.low, source.high) if at_end else (None, None)
            rows.append((label, "published", week, share, *ends))
        if source.reaches_a_year:
            rows += [(label, "curve", float(w), source.by(w), None, None) for w in range(YEAR + 1)]
    keys = {"source": "Source", "what": "What", "week": "Weeks"}
    columns = [*keys, "share", "share_low", "share_high"]
    frame = pl.DataFrame(rows, columns, orient="row", infer_schema_length=None)
    frame = frame.with_columns(pl.col(columns[3:]) * 100)
    values = {
        "share": _open("In remission, %", 1),
        "share_low": _open("95 % from", 1),
        "share_high": _open("to", 1),
    }
    return Table("Remission without treatment by week", frame, keys, values)
