"""The part of the audit that compares ways to narrow gaps, with what each costs and whom."""

from collections.abc import Iterable

import numpy as np
import polars as pl

from iesoresearch.analyses.fairness import Params, mitigation_words, model_words
from iesoresearch.analyses.fairness.data import Audited
from iesoresearch.analyses.fairness.judged import Judged
from iesoresearch.analyses.fairness.model_audit import judged
from iesoresearch.analyses.recovery.columns import cells, declared, finite
from iesoresearch.data.groups import QUINTILES
from iesoresearch.errors import DataError, NotApplicable
from iesoresearch.models import mitigation
from iesoresearch.models.mitigation import Comparison, Measured
from iesoresearch.results import Number, Result, Table, Value
from iesoresearch.seeds import derive

RULE = {"rule": "Rule"}
LARGE = 40  # caught, missed, alarms and others at least, of a group that is compared
#: Column -> heading, decimals, metric and the step it is rounded to: of everybody. Coarse, as
#: counts that are behind several of them could else be worked out.
_COSTS = {
    "cost": ("Net benefit gained per 100", 1, "cost", 0.1),
    "accuracy": ("Decided rightly, %", 0, "accuracy", 1),
    "tpr": ("TPR, %", 0, "tpr", 1),
    "fpr": ("FPR, %", 0, "fpr", 1),
    "ppv": ("PPV, %", 0, "ppv", 1),
}
#: Per 1,000, in steps of 5.
_PLAIN = {
    "otherwise": ("Decided otherwise, per 1,000", "turned"),
    "more": ("newly flagged", "turned"),
    "fewer": ("no longer flagged", "turned"),
    "lots": ("Of two alike, decided differently by lot, per 1,000", "drawn"),
}
_GAPS = {"tpr": "TPR", "fpr": "FPR", "selection": "flagged", "ppv": "PPV"}
#: Ordered groupings -> the ends of the order, whose gap is the one that is shown.
_ORDERED = {"Deprivation quintile": (QUINTILES[0], QUINTILES[-1])}
#: The same of each group.
_OF_GROUPS = ("tpr", "fpr", "ppv", "cost")


def compare(data: Audited, params: Params) -> Result:
    """Rules fitted on half of the patients, judged on the other half.

    Raises
    ------
    DataError
        A file of predictions that cannot be used.
    """
    try:
        found = judged(data, params)
        compared = _compared(found)
    except NotApplicable as error:
        names = ("mitigation", "mitigation_gaps", "mitigation_groups")
        return Result(not_applicable=dict.fromkeys(names, str(error)))
    return Result(
        tables={
            "mitigation": costs(found, compared),
            "mitigation_gaps": gaps(found, compared),
            "mitigation_groups": groups(found, compared),
        },
        numbers=_numbers(found, compared),
        checks=[mitigation_words.check(compared)],
        text=model_words.mitigation(found)
        | {"plain": mitigation_words.plain(compared, _at_ends(found, compared))},
        figures=mitigation_words.figures(compared),
    )


def _at_ends(found: Judged, compared: Comparison) -> bool:
    """Whether the gap in TPR is that of the ends of an order."""
    ends = _ORDERED.get(found.params.mitigate)
    return ends is not None and set(compared.between["tpr"]) == set(ends)


def _compared(found: Judged) -> Comparison:
    name, others = found.params.mitigate, ", ".join(found.one_way)
    if name not in found.one_way:
        why = found.found.left_out.get(name, "it is not among the groupings of the predictions")
        raise NotApplicable(
            f"{name}: nothing can be made alike by it ({why}). Groupings that there are: {others}. "
            "Name one with -p mitigate=…"
        )
    column = found.one_way[name]
    code = np.unique(column, return_inverse=True)[1]
    kept = (found.least(code) >= LARGE)[code]
    clusters = found.found.patient
    try:
        # without who is in no group compared: all minus these groups would tell of them
        return mitigation.compare(
            found.found.y[kept], found.found.risk[kept], column[kept], threshold=found.threshold,
            clusters=None if clusters is None else clusters[kept],
            ends=_ORDERED.get(name), n_boot=found.params.n_bootstrap,
            random_state=derive(found.params.seed, "fairness", "mitigation"),
        )  # fmt: skip
    except DataError:
        raise NotApplicable(
            f"{name}: no two groups can be made alike, as fewer than two have {LARGE} patients "
            "each of flagged and not flagged, with and without the outcome. Bring more data, or "
            "coarser groups."
        ) from None


def costs(found: Judged, compared: Comparison) -> Table:
    """What each rule does to all who are in a group compared."""
    rows = []
    for name, rule in compared.rules.items():
        overall = rule.overall
        row = {"rule": name, "needs": "yes" if rule.needs_group else "no"}
        row["least"] = least(name, [overall])
        row |= {"turned": None, "drawn": None}  # nobody by definition
        if name != mitigation.NOTHING:
            row["turned"] = int(overall.n * min(overall["more"].value, overall["fewer"].value))
            row["drawn"] = int(overall.n * overall["lots"].value)
        for column in _COSTS:
            row |= _of(column, overall)
        row |= {c: 5.0 * round(200 * overall[c].value) for c in _PLAIN}
        rows.append(row)
    kind = {"sensitivity": found.sensitivity}
    values = {
        "needs": Value("model", "Has to know the group", 0, **kind),
        "least": _least(found),
        "turned": Value("count", "The fewer of newly and no longer flagged", 0, **kind),
        "drawn": Value("count", "Decided by lot", 0, **kind),
    }
    for column, (heading, digits, _, _) in _COSTS.items():
        values |= declared(column, heading, digits, denominator="least", **kind)
    for column, (heading, behind) in _PLAIN.items():
        values[column] = Value("model", heading, 0, behind, **kind)
    frame = pl.DataFrame(rows, schema=_types(RULE, values, "needs"))
    return Table("What each rule does to everybody", frame, RULE, values)


def gaps(found: Judged, compared: Comparison) -> Table:
    """Gaps that each rule leaves, in points."""
    rows = []
    for name, rule in compared.rules.items():
        row = {"rule": name, "least": least(name, rule.groups.values())}
        for metric in _GAPS:
            row[f"{metric}_between"] = " and ".join(f"“{x}”" for x in compared.between[metric])
            row |= _scaled(f"{metric}_gap", rule.gaps[metric], 1)
            row |= _scaled(f"{metric}_change", rule.changes[metric], 1)
            row[f"{metric}_widest"] = _rounded(rule.widest[metric], 1)
            row[f"{metric}_chance"] = _rounded(compared.by_chance.get(metric, (None, None))[1], 1)
        row["off_widest"] = _rounded(rule.widest.get("off"), 1)
        row |= _of("cost", rule.overall)
        rows.append(row)
    kind = {"denominator": "least", "sensitivity": found.sensitivity}
    values = {"least": _least(found)}
    for metric, heading in _GAPS.items():
        between = f"Gap in {heading} is between"
        values[f"{metric}_between"] = Value("model", between, 0, **kind)
        values |= declared(f"{metric}_gap", f"Gap in {heading}, points", 0, **kind)
        values |= declared(f"{metric}_change", "change", 0, **kind)
        values[f"{metric}_widest"] = Value("model", "widest of all groups", 0, **kind)
        values[f"{metric}_chance"] = Value("model", "by chance alone up to", 0, **kind)
    values["off_widest"] = Value("model", "Widest gap in observed minus predicted", 0, **kind)
    values |= declared("cost", *_COSTS["cost"][:2], **kind)
    words = [f"{metric}_between" for metric in _GAPS]
    title = f"What each rule makes of the gaps by: {found.params.mitigate}"
    return Table(title, pl.DataFrame(rows, schema=_types(RULE, values, *words)), RULE, values)


def groups(found: Judged, compared: Comparison) -> Table:
    """What each rule does to each of the groups compared.

    All groups of a rule are shown, or none: one could be worked out from everybody.
    """
    rows = []
    for name, rule in compared.rules.items():
        fewest = least(name, rule.groups.values())
        for level in compared.compared:
            row = {"rule": name, "level": str(level), "least": fewest}
            for column in _OF_GROUPS:
                row |= _scaled(column, rule.groups[level][column], 1)
            rows.append(row)
    kind = {"denominator": "least", "sensitivity": found.sensitivity}
    values = {"least": _least(found)}
    for column in _OF_GROUPS:
        values |= declared(column, _COSTS[column][0], 0, **kind)
    keys = RULE | {"level": "Group"}
    title = f"What each rule does to each group by: {found.params.mitigate}"
    return Table(title, pl.DataFrame(rows, schema=_types(keys, values)), keys, values)


def least(name: str, measured: Iterable[Measured]) -> int:
    """The smallest number of people behind what is told of a rule.

    Of caught, missed, alarms and others of each group, and of those decided otherwise: a rule that
    hardly changes anything would tell of these few.
    """
    found = []
    for one in measured:
        others = one.n - one.events
        for part, whole in ((one["tpr"].value, one.events), (one["fpr"].value, others)):
            found += [part * whole, (1 - part) * whole]
        if name != mitigation.NOTHING:
            found.append(one["otherwise"].value * one.n)
    return int(min(found) + 1e-9)


def _rounded(share: float | None, step: float) -> float | None:
    """In per cent, to a step."""
    shown = finite(share)
    return None if shown is None else round(step * round(100 * shown / step), 1) + 0.0  # no −0


def _scaled(column: str, estimate, step: float) -> dict[str, float | None]:
    return {name: _rounded(value, step) for name, value in cells(column, estimate).items()}


def _of(column: str, measured: Measured) -> dict[str, float | None]:
    _, _, metric, step = _COSTS[column]
    return _scaled(column, measured[metric], step)


def _least(found: Judged) -> Value:
    return Value("count", "Least of caught, missed, alarms, others, decided otherwise", 0,
                 sensitivity=found.sensitivity)  # fmt: skip


def _types(keys, values, *words: str) -> dict:
    numbers = {name: pl.Int64 if v.kind == "count" else pl.Float64 for name, v in values.items()}
    return dict.fromkeys(keys, pl.String) | numbers | dict.fromkeys(words, pl.String)


def _numbers(found: Judged, compared: Comparison) -> dict[str, Number]:
    behind = least(mitigation.NOTHING, compared.rules[mitigation.NOTHING].groups.values())
    kind = {"n": compared.n_judged, "sensitivity": found.sensitivity}
    by_chance = zip(("chance", "chance_high"), compared.by_chance["tpr"], strict=True)
    return {
        "mitigation_n": Number(compared.n_judged, kind="count", sensitivity=found.sensitivity),
        "mitigation_grouping": Number(model_words.plain(found.params.mitigate), **kind),
        "mitigation_groups_compared": Number(len(compared.compared), **kind),
        **{f"mitigation_{name}": Number(_rounded(x, 1), **kind | {"n": behind})
           for name, x in by_chance},
    } | mitigation_words.numbers(compared, compared.n_judged, found.sensitivity)  # fmt: skip
