"""Outcome audit: how far the patients of every group come, what comes of it, and the gaps."""

from dataclasses import replace
from functools import partial

import polars as pl

from iesoresearch.analyses.fairness import Params, planted
from iesoresearch.analyses.fairness.data import ETHNIC_GROUPS, Audited, levels_of, references
from iesoresearch.analyses.fairness.derive import compared, with_derived
from iesoresearch.data.groups import NOT_RECORDED
from iesoresearch.disclosure import derived
from iesoresearch.results import Table, Value

POPULATION = "referrals that have ended"
KEYS = {"grouping": "Grouping", "level": "Group"}
#: Stage -> heading.
STAGES = {
    "referred": "Referred",
    "started": "Started",
    "finished": "Finished",
    "judged": "Judged",
    "at_caseness": "At caseness",
    "recovery": "Recovered",
    "reliable_recovery": "Reliably recovered",
    "reliable_improvement": "Reliably improved",
    "reliable_deterioration": "Reliably deteriorated",
}
#: Outcome -> official denominator.
DENOMINATORS = {
    "recovery": "at_caseness",
    "reliable_recovery": "at_caseness",
    "reliable_improvement": "judged",
    "reliable_deterioration": "judged",
}
#: Count -> the nearest counts that it is a part of.
WITHIN = {
    "started": "referred",
    "finished": "started",
    "judged": "finished",
    "at_caseness": "judged",
    "recovery": "at_caseness",
    "reliable_recovery": ("recovery", "reliable_improvement"),
    "reliable_improvement": "judged",
    "reliable_deterioration": "judged",
    "within_18": "finished",
    "within_6": "within_18",
    "ended_early": "ending_known",
}
#: Count -> one that has nobody in common with it.
APART_FROM = {"reliable_deterioration": "reliable_improvement"}
WORDS = {
    "reliable_recovery": "reliably recovered",
    "reliable_improvement": "reliably improved",
    "at_caseness": "who finished, at caseness at the start",
    "judged": "who finished",
}


def counted(data: Audited, columns=tuple(STAGES)) -> pl.DataFrame:
    """Per grouping and level the true entries of `columns`, levels in their order.

    Also where nobody is: a row that is absent would tell a count of zero. "Not recorded" is no
    level but a gap in the records, and is there only where there is one.
    """
    parts = []
    for grouping in data.groupings:
        levels = pl.DataFrame({"level": [*levels_of()[grouping], NOT_RECORDED]})
        found = data.closed.group_by(level=grouping, maintain_order=True).agg(
            pl.col(column).sum().cast(pl.Int64) for column in columns
        )
        joined = levels.join(found, on="level", how="left", maintain_order="left")
        absent = (pl.col("level") == NOT_RECORDED) & pl.col(columns[0]).is_null()
        joined = joined.filter(~absent).with_columns(
            pl.col(columns).fill_null(0), grouping=pl.lit(grouping)
        )
        parts.append(joined.select("grouping", "level", *columns))
    return pl.concat(parts)


def table_of(data: Audited, title: str, columns: dict[str, str]) -> Table:
    """Counts of every group; `columns` with their headings.

    All such tables count the same referrals, so what may be shown of one depends on the others,
    and which counts are parts of which is declared for all of them.
    """
    frame = counted(data, tuple(columns))
    values = {
        name: Value(
            "count", heading, 0, parts_of=("grouping",), sensitivity=data.sensitivity,
            within=WITHIN.get(name), apart_from=APART_FROM.get(name),
        )
        for name, heading in columns.items()
    }  # fmt: skip
    broader = {
        ("Ethnicity", level): (("Ethnic group", ETHNIC_GROUPS[level]),)
        for level in frame.filter(grouping="Ethnicity")["level"]
        if "Ethnic group" in data.groupings and level in ETHNIC_GROUPS
    }
    return Table(title, frame, KEYS, values, POPULATION, broader)


def stages(data: Audited) -> Table:
    """How far the patients of each group come, with who starts and finishes."""
    shown = {name: STAGES[name] for name in ("referred", "started", "finished")}
    table = table_of(data, "How far the patients of each group come", shown)
    table = derived.with_rate(table, "start_rate", "started", "referred", "Started, %")
    return derived.with_rate(table, "finish_rate", "finished", "started", "Finished of these, %")


def outcomes(data: Audited) -> Table:
    """Every outcome of all patients together, with its official denominator.

    Groups have one outcome only: of two, such as recovery and reliable recovery, the difference is
    a few patients, and to protect these the gaps of most groups would have to be withheld.
    """
    shown = ("finished", *dict.fromkeys(DENOMINATORS.values()), *DENOMINATORS)
    frame = data.closed.select(pl.col(name).sum().cast(pl.Int64) for name in shown)
    values = {
        name: Value(
            "count", STAGES[name], 0, parts_of=(), sensitivity=data.sensitivity,
            within=WITHIN.get(name) if name != "finished" else None,
        )
        for name in shown
    }  # fmt: skip
    frame = frame.select(pl.lit("all patients").alias("who"), *shown)
    title = "What came of it, by the official rules"
    table = Table(title, frame, {"who": "Who"}, values, POPULATION)
    for outcome, denominator in DENOMINATORS.items():
        heading = f"{STAGES[outcome]}, %"
        table = derived.with_rate(table, f"{outcome}_rate", outcome, denominator, heading)
    return table


def gaps(data: Audited, params: Params, outcome: str | None = None) -> Table:
    """Rate, absolute and relative gap of one outcome, each against the reference group."""
    outcome = outcome or params.outcome
    denominator = DENOMINATORS[outcome]
    shown = {name: STAGES[name] for name in (denominator, outcome)}
    reference = references(data, params)
    table = table_of(data, f"Gaps: {STAGES[outcome].lower()}", shown)
    table = derived.with_rate(table, "rate", outcome, denominator, "Rate, %")
    table = derived.with_gap(table, "gap", outcome, denominator, "Gap, points", reference=reference)
    table = with_comparison(table, outcome, denominator, reference, data.sensitivity)
    if not truth_known(data, params):
        return table
    true = planted.gaps(params.profile, outcome, denominator, reference)
    keys = ["grouping", "level"]
    frame = table.frame.join(true, on=keys, how="left", maintain_order="left")
    column = Value("model", "Planted gap", 1, sensitivity="synthetic")
    return replace(table, frame=frame, values=table.values | {"planted": column})


def truth_known(data: Audited, params: Params) -> bool:
    """Whether the gaps that were planted are known: of drawn patients, by the official rules."""
    return data.planted and not params.stand_in


def with_comparison(
    table: Table, numerator: str, denominator: str, reference: dict[str, str], sensitivity
) -> Table:
    """`table` with ratios, joint intervals and findings of every group; see `derive.compared`."""
    kind = {"sensitivity": sensitivity}
    values = {
        "ratio": Value("model", "Ratio", 2, **kind),
        "ratio_low": Value("model", "from", 2, **kind),
        "ratio_high": Value("model", "to", 2, **kind),
        "joint_low": Value("model", "Joint 95 % from", 1, **kind),
        "joint_high": Value("model", "to", 1, **kind),
        "finding": Value("model", "Finding", 0, **kind),
    }
    compute = partial(
        compared, numerator=numerator, denominator=denominator, reference=reference
    )  # fmt: skip
    return with_derived(table, values, compute)
