"""Table 1: who was referred, who finished and who did not, and how different the two are."""

from functools import partial

import polars as pl

from iesoresearch.analyses.cohort.people import FINISHED, Data
from iesoresearch.data.groups import CHARACTERISTICS, NOT_RECORDED
from iesoresearch.disclosure import amounts
from iesoresearch.models import balance
from iesoresearch.results import Table, Value

SCORES = {"age": "Age, years"} | {
    f"{code}_first": f"{name}, first score"
    for code, name in (("phq9", "PHQ-9"), ("gad7", "GAD-7"), ("wsas", "WSAS"))
}
ALL = "All"
PEOPLE = "referrals of the cohort"
FIRST, SECOND = "finished", "not_finished"
_WITHIN = dict.fromkeys((FIRST, SECOND), "referred")
GROUPS = {"referred": "Referred", FIRST: "Finished", SECOND: "Not finished"}


def characteristics(data: Data) -> Table:
    """Number and share of referrals at each level, by group; all of them in the first row."""
    everybody = {group: frame.height for group, frame in _groups(data).items()}
    rows = [{"characteristic": ALL, "level": ALL.lower(), **everybody}]
    for heading, counts in _counts(data).items():
        rows += [{"characteristic": heading, **row} for row in counts.iter_rows(named=True)]
    keys = {"characteristic": "Characteristic", "level": "Level"}
    frame = pl.DataFrame(rows)
    values = {}
    for group, label in GROUPS.items():
        values[group] = Value(
            "count", label, 0, parts_of=("characteristic",), within=_WITHIN.get(group),
            sensitivity=data.sensitivity,
        )  # fmt: skip
        values[f"{group}_share"] = Value(
            "rate", "Share", 3, follows=group, sensitivity=data.sensitivity,
            derive=partial(_share, group=group),
        )  # fmt: skip
        frame = frame.with_columns(_share(frame, group).alias(f"{group}_share"))
    frame = frame.select(*keys, *values)
    return Table("Who was referred, and who finished", frame, keys, values, PEOPLE)


def _share(frame: pl.DataFrame, group: str) -> pl.Series:
    """Of all of the group, both as the table has them: exact shares would tell hidden counts."""
    everybody = frame.filter(characteristic=ALL)[group].cast(pl.Float64).item()
    return frame[group].cast(pl.Float64) / (everybody or float("nan"))


def baseline(data: Data) -> Table:
    """Mean and standard deviation of age and first scores, by group."""
    rows = []
    for column, heading in SCORES.items():
        row = {"score": heading}
        for group, frame in _groups(data).items():
            known = frame[column].drop_nulls().cast(pl.Float64)
            row |= {group: known.len(), f"{group}_mean": known.mean(), f"{group}_sd": known.std()}
            row |= amounts.largest(f"{group}_mean", frame[column], frame["patient_id"])
        rows.append(row)
    values = {}
    for group, label in GROUPS.items():
        shared = {"sensitivity": data.sensitivity}
        # the mean stays where few have no score, and their number goes
        values[group] = Value("count", label, 0, **shared)
        mean = f"{group}_mean"
        values[mean] = Value(
            "mean", "Mean", 1, group, contributions=amounts.columns(mean), **shared
        )
        values[f"{group}_sd"] = Value("mean", "SD", 1, group, follows=mean, **shared)
    numbers = {name: pl.Int64 if name in GROUPS else pl.Float64 for name in rows[0]}
    frame = pl.DataFrame(rows, schema=numbers | {"score": pl.String})
    return Table("Age and first scores", frame, {"score": ""}, values)


def differences(data: Data) -> Table:
    """Standardised difference of every characteristic between finished and not finished."""
    rows = []
    for heading, counts in _counts(data).items():
        known = counts.filter(pl.col("level") != NOT_RECORDED)
        first, second = known[FIRST].to_numpy(), known[SECOND].to_numpy()
        if first.sum() and second.sum():
            levels = int((first + second > 0).sum())
            size = balance.difference_of_levels(first, second)
            rows.append(_difference(heading, first.sum(), second.sum(), levels, size))
    groups = _groups(data)
    for column, heading in SCORES.items():
        first, second = (groups[g][column].drop_nulls().to_numpy() for g in (FIRST, SECOND))
        if min(len(first), len(second)) > 1:
            size = abs(balance.difference_of_means(first, second))
            rows.append(_difference(heading, len(first), len(second), 2, size))
    shared = {"sensitivity": data.sensitivity}
    values = {
        "difference": Value("model", "Standardised difference", 2, "n", **shared),
        "chance": Value("model", "Expected by chance alone", 2, "n", **shared),
        "n": Value("count", "Referrals in the smaller group", 0, **shared),
    }
    keys = {"characteristic": "Characteristic"}
    schema = {"characteristic": pl.String, "difference": pl.Float64, "chance": pl.Float64}
    frame = pl.DataFrame(rows, schema=schema | {"n": pl.Int64}, orient="row")
    frame = frame.with_columns(pl.col("difference").fill_nan(None))
    return Table("Finished against not finished", frame, keys, values)


def _difference(heading, n_first, n_second, levels, size):
    chance = balance.expected_by_chance(n_first, n_second, levels)
    return heading, size, chance, int(min(n_first, n_second))


def _groups(data: Data) -> dict[str, pl.DataFrame]:
    frame = data.referrals.with_columns(age=pl.coalesce("age_at_referral", "age"))
    finished = pl.col("progress") == FINISHED
    return {"referred": frame, FIRST: frame.filter(finished), SECOND: frame.filter(~finished)}


def _counts(data: Data) -> dict[str, pl.DataFrame]:
    """Per characteristic, referrals of each group at each level, also where nobody is.

    A row that is absent would tell a count of zero.
    """
    found = {}
    for heading, (expression, levels) in CHARACTERISTICS.items():
        level = expression.cast(pl.String).fill_null(NOT_RECORDED).alias("level")
        frame = data.referrals.select(level, finished=pl.col("progress") == FINISHED)
        counted = frame.group_by("level").agg(
            pl.len().cast(pl.Int64).alias("referred"),
            pl.col("finished").sum().cast(pl.Int64).alias(FIRST),
            (~pl.col("finished")).sum().cast(pl.Int64).alias(SECOND),
        )
        every = pl.DataFrame({"level": [*levels, NOT_RECORDED]})
        joined = every.join(counted, on="level", how="left", maintain_order="left")
        # no level, but a gap in the records: there need not be one
        absent = (pl.col("level") == NOT_RECORDED) & pl.col("referred").is_null()
        found[heading] = joined.filter(~absent).with_columns(pl.col(*GROUPS).fill_null(0))
    return found
