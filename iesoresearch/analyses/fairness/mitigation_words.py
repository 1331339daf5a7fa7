"""What is said of mitigation: numbers, sentences, captions and a check, as the results have it."""

from collections.abc import Iterable, Mapping
from functools import partial

import polars as pl

from iesoresearch.disclosure import derived
from iesoresearch.models.mitigation import METRICS, NOTHING, Comparison
from iesoresearch.results import TO, Check, FigureSpec, Number, Table

_ENDS = ("", "_low", "_high")
_WIDEST = "highest and the lowest of {mitigation_groups_compared} groups"


class Found:
    """Rules by what came of them, each shown by an interval of 95 %.

    Attributes
    ----------
    narrowing, widening
        Of those with a rule: what they do to the gap in TPR.
    paid
        Of `narrowing`: those that take net benefit from everybody, or widen another gap.
    costly, free
        Of `narrowing`: those that are shown to lose net benefit, and to lose none.
    dearest
        The rule with the least net benefit; None where none has less than without mitigation.
    """

    def __init__(self, compared: Comparison):  # an interval that is not there, NaN, shows nothing
        rules = {name: rule for name, rule in compared.rules.items() if name != NOTHING}
        others = [metric for metric in METRICS if metric != "tpr"]
        cost = {name: rule.overall["cost"] for name, rule in rules.items()}
        change = {name: rule.changes["tpr"] for name, rule in rules.items()}
        self.narrowing = [name for name in rules if change[name].high < 0]
        self.widening = [name for name in rules if change[name].low > 0]
        self.costly = [name for name in self.narrowing if cost[name].high < 0]
        self.free = [name for name in self.narrowing if cost[name].low >= 0]
        self.paid = [
            name
            for name in self.narrowing
            if name in self.costly or any(rules[name].changes[m].low > 0 for m in others)
        ]
        worst = min(cost, key=lambda name: cost[name].value)
        self.dearest = worst if cost[worst].value < 0 else None


def numbers(compared: Comparison, n: int, sensitivity) -> dict[str, Number]:
    """Those of the sentences: cells of the released tables, and how many rules do what.

    Parameters
    ----------
    n
        Patients behind them.
    """
    found = Found(compared)
    counts = {
        "rules": len(compared.rules) - 1,
        "narrowed": len(found.narrowing),
        "costly": len(found.costly),
        "free": len(found.free),
    }
    cells = {
        "between": ("mitigation_gaps", "tpr_between", NOTHING),
        "widest": ("mitigation_gaps", "tpr_widest", NOTHING),
        **_interval("before", "mitigation_gaps", "tpr_gap", NOTHING),
    }
    if found.dearest:
        cells |= _interval("dearest", "mitigation", "cost", found.dearest)
        cells["dearest_otherwise"] = ("mitigation", "otherwise", found.dearest)
    shown = {name: Number(x, n, sensitivity=sensitivity) for name, x in counts.items()}
    shown |= {
        name: derived.number(table, column, rule=rule)
        for name, (table, column, rule) in cells.items()
    }
    if found.narrowing:
        shown["left"] = Number(None, derive=partial(_left, rules=found.narrowing))
    if found.widening:
        shown["widened"] = Number(None, derive=partial(_widened, rules=found.widening))
    return {f"mitigation_{name}": number for name, number in shown.items()}


def _interval(name: str, table: str, column: str, rule: str) -> dict[str, tuple[str, str, str]]:
    return {f"{name}{end}": (table, f"{column}{end}", rule) for end in _ENDS}


def _left(tables: Mapping[str, Table], rules: list[str]) -> Number:
    """Widest gaps that some rules leave, in numbers that are shown."""
    table = tables["mitigation_gaps"]
    kind = {"sensitivity": table.values["tpr_widest"].sensitivity}
    widest = table.frame.filter(pl.col("rule").is_in(rules))["tpr_widest"].drop_nulls()
    if widest.is_empty():
        return Number("a number that is not shown of", **kind)
    ends = dict.fromkeys(f"{x:.0f}" for x in (widest.min(), widest.max()))
    return Number(TO.join(ends), **kind)


def _widened(tables: Mapping[str, Table], rules: list[str]) -> Number:
    """By how much some rules widen the gap, where this is shown."""
    table, said = tables["mitigation_gaps"], []
    for row in table.frame.filter(pl.col("rule").is_in(rules)).iter_rows(named=True):
        change, low, high = (row[f"tpr_change{end}"] for end in _ENDS)
        much = f"by {change:.0f} points ({low:.0f}{TO}{high:.0f})" if change is not None else ""
        few = "by how much is not shown, as it decides too few otherwise"
        said.append(f"“{row['rule']}” widens it, {much or few}.")
    return Number(" ".join(said), sensitivity=table.values["tpr_change"].sensitivity)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"“{name}”" for name in names)


def plain(compared: Comparison, ends: bool) -> str:
    """In plain words.

    Parameters
    ----------
    ends
        Whether the groups compared are the ends of an order.
    """
    what = Found(compared)
    chosen = "the ends of the order" if ends else "the two furthest apart in the other half"
    parts = [
        f"By {{mitigation_grouping}}, {{mitigation_between}}, {chosen}, are {{mitigation_before}} "
        f"points ({{mitigation_before_low}}{TO}{{mitigation_before_high}}) apart in TPR on "
        f"{{mitigation_n}} referrals that no rule was fitted on; "
        f"the {_WIDEST} are {{mitigation_widest}} apart, where chance alone would make "
        "{mitigation_chance} on average, and up to {mitigation_chance_high}.",
        _closing(what),
        "{mitigation_widened}" if what.widening else "",
        price(compared),
        _dearest(what),
        "None is a cure: the outcome stays as unequal as it was, only who is flagged changes.",
    ]
    return " ".join(part for part in parts if part)


def _closing(what: Found) -> str:
    if not what.narrowing:
        return (
            "None of {mitigation_rules} rules to close such gaps narrows that of the two by more "
            "than chance."
        )
    return (
        "Of {mitigation_rules} rules to close such gaps, {mitigation_narrowed} narrow that of the "
        f"two by more than chance ({_listed(what.narrowing)}); with these the {_WIDEST} are still "
        "{mitigation_left} points apart."
    )


def price(compared: Comparison) -> str:
    """Whether rules that narrow the gap are shown to give up something; empty without any."""
    what = Found(compared)
    if not what.narrowing:
        return ""
    if len(what.paid) == len(what.narrowing):
        return (
            "Every rule that narrows it is shown to take net benefit from everybody, or to widen "
            "the gap in FPR, in PPV or in who is flagged."
        )
    unpaid = [name for name in what.narrowing if name not in what.paid]
    return (
        "No loss of net benefit for everybody, and no wider gap in FPR, in PPV or in who is "
        f"flagged, is shown for {_listed(unpaid)}, which is no proof that there is none."
    )


def _dearest(what: Found) -> str:
    if what.dearest is None:
        return "In these patients no rule has less net benefit than one threshold for all."
    return (
        f"The dearest, “{what.dearest}”, changes net benefit by {{mitigation_dearest}} true "
        f"positives per 100 patients ({{mitigation_dearest_low}}{TO}{{mitigation_dearest_high}}) "
        "and decides {mitigation_dearest_otherwise} of 1,000 patients otherwise."
    )


def figures(compared: Comparison) -> dict[str, FigureSpec]:
    """The figure, whose caption asserts what these results show only."""
    caption = (
        "Each rule judged on {mitigation_n} referrals that it was not fitted on. Across, filled: "
        "gap in TPR, and in FPR, that is left between the two groups named; empty: between the "
        f"{_WIDEST}, which chance alone leaves inside the grey area in 39 of 40 audits. Up: "
        "net benefit per 100 patients gained or lost for everybody, beside one threshold for all. "
        f"95 % intervals; rules that are suppressed are left out. {price(compared)}"
    )
    title = "What closing a gap costs"
    return {"mitigation": FigureSpec("mitigation_gaps", title, caption.strip())}


def check(compared: Comparison) -> Check:
    """Whether any rule narrows the gap without a loss of net benefit for everybody."""
    return Check(
        "claim: a gap is narrowed at no cost to everybody",
        "passed" if Found(compared).free else "inconclusive",
        "Of {mitigation_rules} rules, {mitigation_narrowed} narrow the gap in TPR by "
        "{mitigation_grouping} by more than chance, on patients they were not fitted on. Of "
        "these, {mitigation_costly} lose net benefit for everybody, and {mitigation_free} are "
        "shown to lose none.",
    )
