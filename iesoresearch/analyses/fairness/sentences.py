"""What is said of each grouping in absolute numbers, all of it worked out from released tables."""

from collections.abc import Mapping
from functools import partial

import polars as pl

from iesoresearch.analyses.fairness import alongside
from iesoresearch.analyses.fairness.data import Audited
from iesoresearch.analyses.fairness.derive import HIGHER, LOWER, OPEN, POINTS, REFERENCE, people
from iesoresearch.analyses.fairness.names import phrase
from iesoresearch.analyses.fairness.outcomes import DENOMINATORS, WORDS
from iesoresearch.analyses.fairness.pathway import DEPRIVATION, ENDS
from iesoresearch.data.groups import NOT_RECORDED
from iesoresearch.models import proportions
from iesoresearch.results import Number, Table

FOUND = {LOWER: "found to be fewer", HIGHER: "found to be more"}
#: A pair always told where both are shown, whatever they are compared with.
PAIR = ("Ethnicity", "Pakistani", "White British")


def slug(grouping: str) -> str:
    """A grouping as part of the name of a number."""
    return grouping.lower().replace(" ", "_").replace("-", "_")


def numbers(data: Audited, outcome: str) -> dict[str, Number]:
    """What is said of each grouping, of deprivation along the way and of years, as sentences.

    A sentence is one text, for what can be said at all depends on what is shown.
    """
    made = {f"told_{slug(g)}": partial(_of_grouping, g, outcome) for g in data.groupings}
    if DEPRIVATION in data.groupings:
        made["told_pathway"] = partial(alongside.of_pathway, outcome)
        made["told_gradient"] = alongside.of_gradient
    if not data.no_years:
        made["told_trends"] = partial(alongside.of_years, outcome)
    return {
        name: Number(None, derive=partial(_number, tell=tell, sensitivity=data.sensitivity))
        for name, tell in made.items()
    }


def _number(tables: Mapping[str, Table], tell, sensitivity) -> Number:
    return Number(tell(tables), sensitivity=sensitivity)


def _of_grouping(grouping: str, outcome: str, tables: Mapping[str, Table]) -> str:
    """How many groups differ, and all of these by name; else the one that stands out most."""
    frame = tables["gaps"].frame.filter(grouping=grouping)
    other = frame.filter(finding=REFERENCE).row(0, named=True)
    compared = frame.filter(pl.col("finding").is_in([LOWER, HIGHER, OPEN]))
    named = compared.filter(pl.col("level") != NOT_RECORDED)
    if other["rate"] is None:
        said = (
            f"{grouping}: the reference group is withheld, as it is too small or to protect a "
            "small one, so no group is compared with it."
        )
    elif named.is_empty():
        said = (
            f"{grouping}: the groups are too small, or withheld to protect a small one, so none "
            f"is compared with {phrase(grouping, other['level'])}."
        )
    else:
        said = _compared(grouping, outcome, named, other, tables["adjusted"].frame)
    unknown = compared.filter(level=NOT_RECORDED)
    if unknown.height:
        said += _of_unknown(unknown.row(0, named=True), other)
    return said + _of_pair(grouping, outcome, frame, named["level"].to_list())


def _compared(grouping: str, outcome: str, named: pl.DataFrame, other: dict, adjusted) -> str:
    found = named.filter(pl.col("finding") != OPEN).sort("gap", "level")
    counts = dict(named["finding"].value_counts().iter_rows())
    did, who = WORDS[outcome], WORDS[DENOMINATORS[outcome]]
    groups = "group" if named.height == 1 else "groups"
    lead = (
        f"{grouping}: of {named.height} {groups} compared with "
        f"{phrase(grouping, other['level'])}, {counts.get(LOWER, 0)} found to have fewer who "
        f"{did}, and {counts.get(HIGHER, 0)} more. "
    )
    rows = found.to_dicts() or [_clearest(named)]
    digits = decimals([(row["rate"], other["rate"]) for row in rows])
    if found.is_empty():
        lead += "The one that stands out most, by a gap that chance can make: "
    told = "; ".join(
        f"of 100 {phrase(grouping, row['level'])}, {row['rate']:.{digits}f}: "
        f"{row['gap']:.1f} points (95 % {row['gap_low']:.1f} to {row['gap_high']:.1f}) as counted"
        f"{_adjusted(adjusted, grouping, row['level'])}"
        for row in rows
    )
    start = "of" if found.is_empty() else "Of"
    return (
        f"{lead}{start} 100 {phrase(grouping, other['level'])} {who}, "
        f"{other['rate']:.{digits}f} {did}; {told}."
    )


def _clearest(named: pl.DataFrame) -> dict:
    """The group that stands out most, by its gap in widths of the interval."""
    clear = pl.col("gap").abs() / (pl.col("gap_high") - pl.col("gap_low"))
    return named.sort(clear, descending=True, maintain_order=True).row(0, named=True)


def decimals(pairs: list[tuple[float, float]]) -> int:
    """1 where whole numbers would make a gap a quarter larger or smaller than it is, else 0.

    So 50.4 beside 49.6 is not told as 50 beside 50.
    """
    gaps = [(abs(a - b), abs(round(a) - round(b) - (a - b))) for a, b in pairs]
    return int(any(gap >= 0.05 and off > gap / 4 for gap, off in gaps))


def _of_unknown(row: dict, other: dict) -> str:
    digits = decimals([(row["rate"], other["rate"])])
    finding = FOUND.get(row["finding"], "not found to differ")
    return (
        f" Counted apart: of 100 for whom it is not recorded, {row['rate']:.{digits}f} ({finding})."
    )


def _of_pair(grouping: str, outcome: str, frame: pl.DataFrame, told: list[str]) -> str:
    """The pair that is always told, from its counts; nothing where one of them is not shown."""
    if grouping != PAIR[0]:
        return ""
    pair = [frame.filter(level=level) for level in PAIR[1:]]
    counts = [
        people(row, name).tolist() for row in pair for name in (outcome, DENOMINATORS[outcome])
    ]
    events_a, n_a, events_b, n_b = (value[0] if value else float("nan") for value in counts)
    gap, low, high = (POINTS * float(x) for x in proportions.newcombe(events_a, n_a, events_b, n_b))
    if not (low == low and high == high):
        return ""
    rates = (POINTS * events_a / n_a, POINTS * events_b / n_b)
    digits = decimals([rates])
    first, second = (phrase(grouping, level) for level in PAIR[1:])
    return (
        f" Always told: of 100 {first} {WORDS[DENOMINATORS[outcome]]}, {rates[0]:.{digits}f} "
        f"{WORDS[outcome]}; of 100 {second}, {rates[1]:.{digits}f}: a gap of {gap:.1f} points "
        f"(95 %, looked at alone, {low:.1f} to {high:.1f})."
    )


def _adjusted(frame: pl.DataFrame, grouping: str, level: str) -> str:
    row = frame.filter(grouping=grouping, level=level).row(0, named=True)
    name = "service" if "gap_service" in row else "step"
    found = [row[f"gap_{name}{end}"] for end in ENDS]
    if None in found:
        return ", not to be adjusted for case mix"
    alike = "severity, problem and step of care" + (" at one service" if name == "service" else "")
    gap, low, high = found
    return f", {gap:.1f} ({low:.1f} to {high:.1f}) between patients alike in {alike}"


#: What `findings` counts; "not recorded" is no group, and apart.
_COUNTED = ("n_compared", "n_lower", "n_higher", "n_unrecorded", "n_unrecorded_apart")


def findings() -> dict[str, Number]:
    """How many groups are compared, and found lower and higher, from the released table."""
    return {name: Number(None, derive=partial(_found, name=name)) for name in _COUNTED}


def _found(tables: Mapping[str, Table], name: str) -> Number:
    frame = tables["gaps"].frame.filter(pl.col("finding").is_in([LOWER, HIGHER, OPEN]))
    unknown = frame["level"] == NOT_RECORDED
    known, unknown = frame.filter(~unknown)["finding"], frame.filter(unknown)["finding"]
    value = {
        "n_compared": len(known),
        "n_lower": (known == LOWER).sum(),
        "n_higher": (known == HIGHER).sum(),
        "n_unrecorded": len(unknown),
        "n_unrecorded_apart": (unknown != OPEN).sum(),
    }[name]
    return Number(int(value), sensitivity=tables["gaps"].values["rate"].sensitivity)
