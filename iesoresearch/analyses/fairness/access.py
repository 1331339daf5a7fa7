"""Access audit: who comes, beside the population; who waits; who leaves early."""

from dataclasses import replace
from functools import partial

import numpy as np
import polars as pl
from scipy import stats

from iesoresearch.analyses.fairness import Params
from iesoresearch.analyses.fairness.data import Audited, references
from iesoresearch.analyses.fairness.denominators import read
from iesoresearch.analyses.fairness.derive import Columns, people, with_derived
from iesoresearch.analyses.fairness.outcomes import STAGES, counted, table_of, with_comparison
from iesoresearch.disclosure import derived
from iesoresearch.errors import DataError
from iesoresearch.measures.outcomes.rates import EIGHTEEN_WEEKS, SIX_WEEKS
from iesoresearch.models import proportions
from iesoresearch.results import Table, Value

PER = 1000
BESIDE = 10  # patients on either side of a quantile and of its limits
WAITS = {"within_6": SIX_WEEKS, "within_18": EIGHTEEN_WEEKS}
QUANTILES = {"median": 0.5, "p90": 0.9}
TAILS = (0.025, 0.975)  # of the binomial distribution, outside an interval of 95 %
NO_POPULATION = (
    "Representation: not applicable. Whether a group is under-represented shows only beside the "
    "people there are: name a CSV file with the columns grouping, level, people (parameter "
    "population). None is made up here."
)


def waits(data: Audited) -> Table:
    """Days to the first treatment: of those who started, and by the official rules of finishers.

    A wait counts from the referral. Median and 90th percentile have the 95 % interval of order
    statistics, which assumes nothing about the waits.
    """
    with_waits = replace(
        data,
        rows=data.rows.with_columns(
            (pl.col("finished") & (pl.col("wait_days") <= days)).fill_null(False).alias(name)
            for name, days in WAITS.items()
        ),
    )
    headings = {name: STAGES[name] for name in ("started", "finished")}
    headings |= {"within_6": "Within 6 weeks", "within_18": "Within 18 weeks"}
    table = table_of(with_waits, "Days from referral to first treatment", headings)
    for name in WAITS:
        table = derived.with_rate(table, f"{name}_rate", name, "finished", f"{headings[name]}, %")
    days = pl.DataFrame(
        [_days(data.closed, *row) for row in table.frame.select("grouping", "level").iter_rows()],
        schema={name + end: pl.Float64 for name in QUANTILES for end in ("", "_low", "_high")},
        orient="row",
    )
    values = {}
    for name, heading in (("median", "Median days"), ("p90", "90th percentile, days")):
        share = QUANTILES[name]
        levels = (share, *((share, tail) for tail in TAILS))
        ends = (("", heading), ("_low", "from"), ("_high", "to"))
        for (end, label), level in zip(ends, levels, strict=True):
            values[name + end] = Value(
                "quantile", label, 0, "started", follows="started", level=level,
                sensitivity=data.sensitivity,
            )  # fmt: skip
    return replace(
        table, frame=pl.concat([table.frame, days], how="horizontal"), values=table.values | values
    )


def _days(rows: pl.DataFrame, grouping: str, level: str) -> list[float | None]:
    """Median and 90th percentile of a group, each with its interval."""
    found = rows.filter(pl.col(grouping) == level, pl.col("started"))["wait_days"].drop_nulls()
    days = np.sort(found.to_numpy())
    return [x for share in QUANTILES.values() for x in _quantile(days, share)]


def _quantile(days: np.ndarray, share: float) -> tuple[float | None, ...]:
    """Quantile and the 95 % interval of order statistics; nulls of few patients."""
    n = len(days)
    low, high = (int(stats.binom.ppf(tail, n, share)) for tail in TAILS)
    # a wait with fewer people on one side of it would be nearly that of one of them
    if n == 0 or low - 1 < BESIDE or n - high - 1 < BESIDE:
        return None, None, None
    # a day that somebody waited: one between two days would tell how many there are
    middle = float(np.quantile(days, share, method="inverted_cdf"))
    return middle, float(days[low - 1]), float(days[high])


def leaving(data: Audited, params: Params) -> Table:
    """Of those who started and whose ending is known: who ended early, with gaps."""
    known = pl.col("ended_early").is_not_null()
    marked = replace(data, rows=data.rows.with_columns(ending_known=known))
    headings = {"ending_known": "Started, ending known", "ended_early": "Ended early"}
    table = table_of(marked, "Ended early by the patient", headings)
    columns = ("ended_early", "ending_known")
    table = derived.with_rate(table, "rate", *columns, "Rate, %")
    reference = references(data, params)
    table = derived.with_gap(table, "gap", *columns, "Gap, points", reference=reference)
    return with_comparison(table, *columns, reference, data.sensitivity)


def representation(data: Audited, params: Params) -> Table:
    """Referred, started and finished per 1,000 people of the population.

    Raises
    ------
    DataError
        The file of the population is absent or cannot be used, or has a group of fewer people than
        were referred.
    """
    people_of = read(params.population, data.search_path, data.groupings)
    shown = {name: STAGES[name] for name in ("referred", "started", "finished")}
    table = table_of(data, "Beside the population", shown)
    frame = counted(data, tuple(shown)).join(
        people_of, on=["grouping", "level"], how="inner", maintain_order="left"
    )
    _refuse_more_than_people(frame, params.population)
    # rows that the file does not have are left out, so these do not add up
    counts = {name: replace(value, parts_of=None) for name, value in table.values.items()}
    values = counts | {"people": Value("count", "People in the population", 0, sensitivity="open")}
    table = replace(table, frame=frame, values=values, broader={})
    rates = {}
    for name, heading in shown.items():
        per = f"{heading} per 1,000, all years of the data"
        for end, label in (("", per), ("_low", "from"), ("_high", "to")):
            rates[f"{name}_per{end}"] = Value("model", label, 1, sensitivity=data.sensitivity)
    for end, label in (("", "Referred, beside all groups"), ("_low", "from"), ("_high", "to")):
        rates[f"relative{end}"] = Value("model", label, 2, sensitivity=data.sensitivity)
    return with_derived(table, rates, partial(_per, names=tuple(shown)))


def _refuse_more_than_people(frame: pl.DataFrame, name: str) -> None:
    more = frame.filter(pl.col("referred") > pl.col("people"))["grouping"].unique()
    if len(more):
        raise DataError(
            f"{name}: a group of {', '.join(sorted(more))} has fewer people than referrals. Is "
            "this the population the services are there for? Supply its numbers, for all the "
            "years of the data together if it changes."
        )


def _per(frame: pl.DataFrame, names: tuple[str, ...]) -> Columns:
    """Rates per 1,000 with Wilson intervals, and referrals relative to all groups of a grouping."""
    n = people(frame, "people")
    columns: Columns = {}
    for name in names:
        events = np.minimum(people(frame, name), n)  # rounding may exceed a population just enough
        low, high = proportions.wilson(events, n)
        for end, share in (("", events / n), ("_low", low), ("_high", high)):
            columns[f"{name}_per{end}"] = PER * share
    whole = frame.select(
        (pl.col("referred").sum() / pl.col("people").sum()).over("grouping").alias("share")
    )["share"]
    hidden = frame.select(pl.col("referred").is_null().any().over("grouping")).to_series()
    share = np.where(hidden.to_numpy(), np.nan, whole.cast(pl.Float64).to_numpy())
    for end in ("", "_low", "_high"):
        columns[f"relative{end}"] = columns[f"referred_per{end}"] / (PER * share)
    return columns
