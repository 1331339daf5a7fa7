"""What is said of each grouping in absolute numbers, all of it worked out from released tables."""

from collections.abc import Mapping
from functools import partial

import polars as pl

from iesoresearch.analyses.fairness.data import Audited
from iesoresearch.analyses.fairness.derive import HIGHER, LOWER, OPEN, REFERENCE
from iesoresearch.analyses.fairness.outcomes import DENOMINATORS, WORDS
from iesoresearch.analyses.fairness.pathway import DEPRIVATION, ENDS, slope, stages_of
from iesoresearch.data.groups import NOT_RECORDED, QUINTILES
from iesoresearch.results import Number, Table

SHOWN = {
    LOWER: "found to be fewer",
    HIGHER: "found to be more",
    OPEN: "not found to differ: among the comparisons made, chance can make such a gap",
}
#: Of a level, who they are; "{}" stands for the level in small letters as it is in tables.
_PHRASES = {
    "Gender": "patients whose gender is {}",
    "Age band": "patients aged {}",
    "Ethnic group": "patients of the group {}",
    "Ethnicity": "{} patients",
    "Deprivation quintile": "patients of deprivation fifth {}",
    "Orientation": "{} patients",
    "Long-term condition": "patients with a long-term condition: {}",
}
_BETTER = {
    ("Gender", "female"): "women",
    ("Gender", "male"): "men",
    ("Age band", "under 18"): "patients under 18",
    ("Age band", "90 and over"): "patients of 90 and over",
    ("Ethnic group", "White"): "White patients",
    ("Ethnic group", "Asian or Asian British"): "Asian or Asian British patients",
    ("Ethnic group", "Black or Black British"): "Black or Black British patients",
    ("Ethnic group", "Mixed"): "patients of mixed ethnicity",
    ("Ethnic group", "Other"): "patients of other ethnic groups",
    ("Ethnicity", "any other ethnic group"): "patients of any other ethnic group",
    ("Ethnicity", "any other White background"): "patients of any other White background",
    ("Ethnicity", "any other mixed background"): "patients of any other mixed background",
    ("Ethnicity", "any other Asian background"): "patients of any other Asian background",
    ("Ethnicity", "any other Black background"): "patients of any other Black background",
    ("Deprivation quintile", "1 (most deprived)"): "patients of the most deprived fifth",
    ("Deprivation quintile", "5 (least deprived)"): "patients of the least deprived fifth",
    ("Orientation", "other"): "patients of another orientation",
    ("Long-term condition", "yes"): "patients with a long-term condition",
    ("Long-term condition", "no"): "patients without a long-term condition",
}


def phrase(grouping: str, level: str) -> str:
    """Who the patients of a level are, in words."""
    return _BETTER.get((grouping, level), _PHRASES[grouping].format(level))


def slug(grouping: str) -> str:
    """A grouping as part of the name of a number."""
    return grouping.lower().replace(" ", "_").replace("-", "_")


def chosen(frame: pl.DataFrame, grouping: str) -> dict | None:
    """The group to speak of: the one that stands out most, by its gap in widths of the interval."""
    rows = frame.filter(
        pl.col("grouping") == grouping,
        pl.col("finding").is_in([LOWER, HIGHER, OPEN]),
        pl.col("level") != NOT_RECORDED,
    )
    if rows.is_empty():
        return None
    clear = pl.col("gap").abs() / (pl.col("gap_high") - pl.col("gap_low"))
    return rows.sort(clear, descending=True, maintain_order=True).row(0, named=True)


def numbers(data: Audited, outcome: str) -> dict[str, Number]:
    """What is said of each grouping, and of deprivation along the way, as sentences.

    A sentence is one text, for what can be said at all depends on what is shown.
    """
    made = {f"told_{slug(g)}": partial(_of_grouping, g, outcome) for g in data.groupings}
    if DEPRIVATION in data.groupings:
        made["told_pathway"] = partial(_of_pathway, outcome)
        made["told_gradient"] = partial(_of_gradient, outcome)
    return {
        name: Number(None, derive=partial(_number, tell=tell, sensitivity=data.sensitivity))
        for name, tell in made.items()
    }


def _number(tables: Mapping[str, Table], tell, sensitivity) -> Number:
    return Number(tell(tables), sensitivity=sensitivity)


def _of_grouping(grouping: str, outcome: str, tables: Mapping[str, Table]) -> str:
    frame = tables["gaps"].frame
    row = chosen(frame, grouping)
    if row is None:
        return f"{grouping}: too few patients are shown in any two groups to compare them."
    other = frame.filter(grouping=grouping, finding=REFERENCE).row(0, named=True)
    did, who = WORDS[outcome], WORDS[DENOMINATORS[outcome]]
    return (
        f"{grouping}, the group that stands out most: of 100 {phrase(grouping, row['level'])} "
        f"{who}, {row['rate']:.0f} {did}; of 100 {phrase(grouping, other['level'])}, "
        f"{other['rate']:.0f} ({SHOWN[row['finding']]}). The gap is {row['gap']:.1f} points as "
        f"counted (95 % {row['gap_low']:.1f} to {row['gap_high']:.1f})"
        f"{_adjusted(tables['adjusted'].frame, grouping, row['level'])}."
    )


def _adjusted(frame: pl.DataFrame, grouping: str, level: str) -> str:
    row = frame.filter(grouping=grouping, level=level).row(0, named=True)
    name = "service" if "gap_service" in row else "step"
    found = [row[f"gap_{name}{end}"] for end in ENDS]
    if None in found:
        return "; it cannot be adjusted for case mix"
    alike = "severity, problem and step of care" + (
        ", seen by the same service" if name == "service" else ""
    )
    gap, low, high = found
    return f", and {gap:.1f} ({low:.1f} to {high:.1f}) between patients alike in {alike}"


def _of_pathway(outcome: str, tables: Mapping[str, Table]) -> str:
    frame = tables["pathway"].frame.filter(grouping=DEPRIVATION)
    rows = {row["level"]: row for row in frame.to_dicts()}
    most, least = (rows.get(level) for level in (QUINTILES[0], QUINTILES[-1]))
    if most is None or least is None or most["gap"] is None or least["per_100"] is None:
        return "Where on the way a gap by deprivation arises cannot be shown: groups are too small."
    start, finish, judged, end = (most[f"from_{stage}"] for stage in stages_of(outcome)[1:])
    return (
        "Where on the way a gap arises: of 100 patients referred from the most deprived fifth, "
        f"{most['per_100']:.1f} finished and {WORDS[outcome]}; of 100 from the least deprived, "
        f"{least['per_100']:.1f}. Of the gap to the group compared with, {most['gap']:.1f} points "
        f"(95 % {most['gap_low']:.1f} to {most['gap_high']:.1f}), {start:.1f} arise at starting, "
        f"{finish:.1f} at finishing, {judged:.1f} at who can be judged, and {end:.1f} at the "
        "outcome itself. A rate among those who finished shows the last of these only."
    )


def _of_gradient(outcome: str, tables: Mapping[str, Table]) -> str:
    told = [
        f"of those who {_WHO[event]}, by {index.sii.value:.1f} points (95 % "
        f"{index.sii.low:.1f} to {index.sii.high:.1f}), a ratio of {index.rii.value:.2f} "
        f"({index.rii.low:.2f} to {index.rii.high:.2f})"
        for event in ("started", "finished", outcome)
        if (index := slope(tables["deprivation"].frame, event)) is not None
    ]
    if not told:
        return "How steep the gradient by deprivation is cannot be shown: groups are too small."
    return (
        "From the least to the most deprived end of the ranking shares change (slope index of "
        f"inequality; relative index): {'; '.join(told)}."
    )


_WHO = {
    "started": "were referred, the share who start",
    "finished": "started, the share who finish",
    "reliable_recovery": "finished, at caseness, the share who reliably recover",
    "reliable_improvement": "finished, the share who reliably improve",
}


def findings() -> dict[str, Number]:
    """How many groups are compared, and found lower and higher, from the released table."""
    return {name: Number(None, derive=partial(_found, name=name))
            for name in ("n_compared", "n_lower", "n_higher")}  # fmt: skip


def _found(tables: Mapping[str, Table], name: str) -> Number:
    counts = dict(tables["gaps"].frame["finding"].drop_nulls().value_counts().iter_rows())
    lower, higher = counts.get(LOWER, 0), counts.get(HIGHER, 0)
    every = lower + higher + counts.get(OPEN, 0)
    value = {"n_compared": every, "n_lower": lower, "n_higher": higher}[name]
    return Number(value, sensitivity=tables["gaps"].values["rate"].sensitivity)
