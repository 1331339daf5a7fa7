"""The part of the audit that compares ways to narrow gaps, with what each costs and whom."""

import polars as pl

from iesoresearch.analyses.fairness import Params, model_words
from iesoresearch.analyses.fairness.data import Audited
from iesoresearch.analyses.fairness.judged import Judged
from iesoresearch.analyses.fairness.model_audit import judged
from iesoresearch.analyses.recovery.columns import cells, declared
from iesoresearch.errors import DataError, NotApplicable
from iesoresearch.models import mitigation
from iesoresearch.models.mitigation import Comparison
from iesoresearch.results import Check, Number, Result, Table, Value
from iesoresearch.seeds import derive

RULE = {"rule": "Rule"}
#: Column -> heading, decimals, metric and what it is multiplied by: of everybody.
_COSTS = {
    "cost": ("Net benefit gained per 100", 1, "cost", 100),
    "accuracy": ("Decided rightly, %", 1, "accuracy", 100),
    "tpr": ("TPR, %", 1, "tpr", 100),
    "fpr": ("FPR, %", 1, "fpr", 100),
    "ppv": ("PPV, %", 1, "ppv", 100),
}
_PLAIN = {
    "otherwise": ("Decided otherwise, per 1,000", "otherwise", 1000),
    "more": ("newly flagged", "more", 1000),
    "fewer": ("no longer flagged", "fewer", 1000),
    "lots": ("Of two alike, decided differently by lot, per 1,000", "lots", 1000),
}
_GAPS = {"tpr": "TPR", "fpr": "FPR", "selection": "flagged", "ppv": "PPV"}
#: The same of each group.
_OF_GROUPS = ("tpr", "fpr", "ppv", "cost")


def compare(data: Audited, params: Params) -> Result:
    """Rules fitted on half of the patients, judged on the other half.

    Raises
    ------
    DataError
        A file of predictions that cannot be used, or that lacks the grouping to mitigate.
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
        checks=[_check(compared)],
        text=model_words.mitigation(found),
        figures=model_words.MITIGATION,
    )


def _compared(found: Judged) -> Comparison:
    name = found.params.mitigate
    if name in found.found.left_out:
        raise NotApplicable(f"{name} has nothing to make alike: {found.found.left_out[name]}.")
    if name not in found.one_way:
        raise DataError(
            f"mitigate={name!r}: there is no such grouping among the predictions; there are "
            f"{', '.join(found.one_way)}. Name one of them with -p mitigate=…"
        )
    try:
        return mitigation.compare(
            found.found.y, found.found.risk, found.one_way[name], clusters=found.found.patient,
            threshold=found.threshold, n_boot=found.params.n_bootstrap,
            random_state=derive(found.params.seed, "fairness", "mitigation"),
        )  # fmt: skip
    except DataError as error:
        raise NotApplicable(f"{name}: {error}") from None


def costs(found: Judged, compared: Comparison) -> Table:
    """What each rule does to everybody."""
    rows = []
    for name, rule in compared.rules.items():
        overall = rule.overall
        row = {"rule": name, "needs": "yes" if rule.needs_group else "no", "fewer_n": _fewer(rule)}
        for column, (_, _, metric, scale) in _COSTS.items():
            row |= _scaled(column, overall[metric], scale)
        row |= {c: scale * overall[m].value for c, (_, m, scale) in _PLAIN.items()}
        rows.append(row)
    kind = {"denominator": "fewer_n", "sensitivity": found.sensitivity}
    values = {
        "needs": Value("model", "Has to know the group", 0, **kind),
        "fewer_n": _fewest(found),
    }
    for column, (heading, digits, _, _) in _COSTS.items():
        values |= declared(column, heading, digits, **kind)
    values |= {c: Value("model", heading, 0, **kind) for c, (heading, _, _) in _PLAIN.items()}
    frame = pl.DataFrame(rows, schema=_types(RULE, values, "needs"))
    return Table("What each rule does to everybody", frame, RULE, values)


def gaps(found: Judged, compared: Comparison) -> Table:
    """Gaps that each rule leaves, in points."""
    rows = []
    for name, rule in compared.rules.items():
        row = {"rule": name, "fewer_n": _fewer(rule)}
        for metric in _GAPS:
            row |= _scaled(f"{metric}_gap", rule.gaps[metric], 100)
            row |= _scaled(f"{metric}_change", rule.changes[metric], 100)
            row[f"{metric}_widest"] = 100 * rule.widest[metric]
        off = rule.widest.get("off")
        row["off_widest"] = None if off is None else 100 * off
        row |= _scaled("cost", rule.overall["cost"], 100)
        rows.append(row)
    kind = {"denominator": "fewer_n", "sensitivity": found.sensitivity}
    values = {"fewer_n": _fewest(found)}
    for metric, heading in _GAPS.items():
        values |= declared(f"{metric}_gap", f"Gap in {heading}, points", 1, **kind)
        values |= declared(f"{metric}_change", "change", 1, **kind)
        values[f"{metric}_widest"] = Value("model", "widest", 1, **kind)
    values["off_widest"] = Value("model", "Widest gap in observed minus predicted", 1, **kind)
    values |= declared("cost", *_COSTS["cost"][:2], **kind)
    title = f"What each rule makes of the gaps by: {found.params.mitigate}"
    return Table(title, pl.DataFrame(rows, schema=_types(RULE, values)), RULE, values)


def groups(found: Judged, compared: Comparison) -> Table:
    """What each rule does to each of the groups compared."""
    rows = []
    for name, rule in compared.rules.items():
        for level in compared.compared:
            mine = rule.groups[level]
            row = {"rule": name, "level": str(level)}
            row["fewer_n"] = min(mine.events, mine.n - mine.events)
            for column in _OF_GROUPS:
                row |= _scaled(column, mine[_COSTS[column][2]], _COSTS[column][3])
            rows.append(row | {c: scale * mine[m].value for c, (_, m, scale) in _PLAIN.items()})
    kind = {"denominator": "fewer_n", "sensitivity": found.sensitivity}
    values = {"fewer_n": _fewest(found)}
    for column in _OF_GROUPS:
        values |= declared(column, *_COSTS[column][:2], **kind)
    values |= {c: Value("model", heading, 0, **kind) for c, (heading, _, _) in _PLAIN.items()}
    keys = RULE | {"level": "Group"}
    title = f"What each rule does to each group by: {found.params.mitigate}"
    return Table(title, pl.DataFrame(rows, schema=_types(keys, values)), keys, values)


def _scaled(column: str, estimate, scale: float) -> dict[str, float | None]:
    found = cells(column, estimate).items()
    return {name: None if value is None else scale * value for name, value in found}


def _fewer(rule) -> int:
    return min(rule.overall.events, rule.overall.n - rule.overall.events)


def _fewest(found: Judged) -> Value:
    return Value("count", "Judged on: the fewer of those with and without the outcome", 0,
                 sensitivity=found.sensitivity)  # fmt: skip


def _types(keys, values, *words: str) -> dict:
    numbers = {name: pl.Int64 if v.kind == "count" else pl.Float64 for name, v in values.items()}
    return dict.fromkeys(keys, pl.String) | numbers | dict.fromkeys(words, pl.String)


def _numbers(found: Judged, compared: Comparison) -> dict[str, Number]:
    first = compared.rules[mitigation.NOTHING]
    n = min(_fewer(rule) for rule in compared.rules.values())
    kind = {"n": n, "sensitivity": found.sensitivity}
    by_chance = compared.by_chance["tpr"]
    wide = {name: rule.overall["cost"].value for name, rule in compared.rules.items()}
    dearest = min(wide, key=wide.get)
    numbers = {
        "mitigation_n": Number(compared.n_judged, kind="count", sensitivity=found.sensitivity),
        "mitigation_grouping": Number(model_words.plain(found.params.mitigate), **kind),
        "mitigation_groups_compared": Number(len(compared.compared), **kind),
        "mitigation_widest": Number(100 * first.widest["tpr"], digits=1, **kind),
        "mitigation_chance": Number(100 * by_chance[0], digits=1, **kind),
        "mitigation_chance_high": Number(100 * by_chance[1], digits=1, **kind),
        "mitigation_narrowed": Number(_narrowed(compared), **kind),
        "mitigation_rules": Number(len(compared.rules) - 1, **kind),
        "mitigation_dearest": Number(dearest, **kind),
        "mitigation_dearest_cost": Number(-100 * wide[dearest], digits=1, **kind),
        "mitigation_dearest_otherwise": Number(
            1000 * compared.rules[dearest].overall["otherwise"].value, **kind
        ),
    }
    for end in ("", "_low", "_high"):
        value = cells("x", first.gaps["tpr"])[f"x{end}"]
        numbers[f"mitigation_before{end}"] = Number(
            None if value is None else 100 * value, digits=1, **kind
        )
    return numbers


def _narrowed(compared: Comparison) -> int:
    """Rules that narrow the gap in TPR by more than chance."""
    return sum(rule.changes["tpr"].high < 0 for rule in compared.rules.values())


def _check(compared: Comparison) -> Check:
    """Whether any rule narrows the gap without a loss of net benefit for everybody."""
    rules = [rule for rule in compared.rules.values() if rule.changes["tpr"].high < 0]
    status = "inconclusive"
    if any(rule.overall["cost"].low >= 0 for rule in rules):
        status = "passed"
    elif rules and all(rule.overall["cost"].high < 0 for rule in rules):
        status = "failed"
    return Check("A gap narrowed at no cost", status, model_words.FREE)
