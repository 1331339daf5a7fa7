"""Tables of `fairness_measurement`: the numbers behind every figure, with n and uncertainty."""

import numpy as np
import polars as pl

from iesoresearch.analyses.fairness_measurement.data import Data
from iesoresearch.analyses.fairness_measurement.fitted import Compared, Fitted
from iesoresearch.disclosure import derived
from iesoresearch.measures import PHQ9
from iesoresearch.models.item_functioning import LEAST_ANSWERS
from iesoresearch.results import Table, Value

ITEMS = [item.name for item in PHQ9.items]
DIFFERS, NOT_SHOWN = "differs", "no difference shown"
NOT_TESTED = "not tested: too few answers"
#: The item that asks about risk, whatever it adds to a total.
RISK = ITEMS.index("self-harm thoughts")
_KEYS = {"grouping": "Grouping"}
_SMALLEST = 1e-4  # p below it are shown as being so


def summary(data: Data) -> Table:
    """How many people there are, and who was left out."""
    rows = {"people": data.n, "left out: no answer at the first session": data.n_left_out}
    frame = pl.DataFrame({"what": list(rows), "count": list(rows.values())})
    count = Value("count", "Number", digits=0, sensitivity=data.sensitivity)
    return Table(f"The data: {data.cohort.name}", frame, {"what": ""}, {"count": count})


def all_tables(fitted: Fitted) -> dict[str, Table]:
    """All tables of the result, by name."""
    return {
        "groups": _groups(fitted),
        "items": _items(fitted),
        "shifts": _shifts(fitted),
        "impact": _impact(fitted),
        "curves": _curves(fitted),
        "classes": _classes(fitted),
        "class_items": _class_items(fitted),
    }


def _value(fitted: Fitted, kind, label, digits, denominator="n", **more) -> Value:
    sensitivity = fitted.data.sensitivity
    return Value(kind, label, digits, denominator, sensitivity=sensitivity, **more)


def _people(fitted: Fitted, label="People", **more) -> Value:
    return _value(fitted, "count", label, 0, None, **more)


def _estimate(fitted: Fitted, name: str, label: str, digits: int) -> dict[str, Value]:
    """An estimate with its 95 % interval."""
    return {
        name: _value(fitted, "model", label, digits),
        f"{name}_low": _value(fitted, "model", "95 % from", digits),
        f"{name}_high": _value(fitted, "model", "to", digits),
    }


def _frame(rows: list[tuple], keys: dict, values: dict) -> pl.DataFrame:
    frame = pl.DataFrame(rows, [*keys, *values], orient="row", infer_schema_length=None)
    return frame.with_columns(pl.selectors.float().fill_nan(None))


def _p(p: float) -> str:
    """As words, as no p is 0."""
    return f"<{_SMALLEST:.4f}" if p < _SMALLEST else f"{p:.4f}"


def _groups(fitted: Fitted) -> Table:
    """Everybody, in groups that are compared and others; people are counted, not weighted."""
    data, cutoff, rows = fitted.data, fitted.params.cutoff, []
    scored, case = np.isfinite(data.total), data.total >= cutoff
    for compared in fitted.compared:
        grouping = compared.grouping
        recorded = _recorded(fitted, compared)
        for level, use in grouping.rows:
            inside = recorded == level
            total = data.total[inside & scored]
            mean = float(total.mean()) if len(total) else None
            counts = (int(inside.sum()), len(total), int((inside & case).sum()))
            rows.append((grouping.name, level, use, *counts, mean))
    keys = _KEYS | {"group": "Group", "use": "What is done with it"}
    values = {
        "n": _people(fitted, parts_of=("grouping",)),
        "scored": _people(fitted, "… with a total", within="n"),
        "cases": _people(fitted, f"… of {cutoff} or more", within="scored"),
        "mean": _value(fitted, "mean", "Mean total", 1, "scored"),
    }
    table = Table(
        "Groups", _frame(rows, keys, values), keys, values, population="people with answers"
    )
    label = f"{cutoff} or more, %"
    return derived.with_rate(table, "share", "cases", "scored", label)


def _recorded(fitted: Fitted, compared: Compared) -> np.ndarray:
    """Name of the group of each person in the words of the table."""
    grouping = compared.grouping
    recorded = fitted.data.people[grouping.name].to_numpy().astype(object)
    inside = grouping.member >= 0
    recorded[inside] = np.array(grouping.levels, dtype=object)[grouping.member[inside]]
    return recorded


def verdict(compared: Compared, item: int) -> str:
    """Whether an item differs, in words."""
    if compared.functioning.items[item] is None:
        return NOT_TESTED
    return DIFFERS if item in compared.functioning.differing else NOT_SHOWN


def _items(fitted: Fitted) -> Table:
    rows = []
    for c in fitted.compared:
        for i, name in enumerate(ITEMS):
            test, beside = c.functioning.items[i], c.by_total.items[i]
            n = int((fitted.data.items[c.grouping.member >= 0, i] >= 0).sum())
            found = [None] * 7
            if test is not None:
                found = [
                    test.total.statistic, _p(c.functioning.adjusted[i]), _p(test.uniform.p),
                    _p(test.nonuniform.p), test.change, test.mcfadden[2] - test.mcfadden[0],
                    test.size,
                ]  # fmt: skip
            change = None if beside is None else beside.change
            rows.append((c.grouping.name, name, verdict(c, i), *found, change, n))
    keys = _KEYS | {"item": "PHQ-9 item"}
    values = {
        "verdict": _value(fitted, "model", "At equal severity", 0),
        "statistic": _value(fitted, "model", "Likelihood ratio", 1),
        "p": _value(fitted, "model", "p, adjusted for nine items", 4),
        "p_uniform": _value(fitted, "model", "p, uniform", 4),
        "p_nonuniform": _value(fitted, "model", "p, non-uniform", 4),
        "change": _value(fitted, "model", "Change in R² (Nagelkerke)", 4),
        "mcfadden": _value(fitted, "model", "Change in R² (McFadden)", 4),
        "size": _value(fitted, "model", "Size, by R²", 0),
        "change_total": _value(fitted, "model", "Change in R², matched on totals", 4),
        "n": _people(fitted, "Answers"),
    }
    return Table("Items at equal severity", _frame(rows, keys, values), keys, values)


def _shifts(fitted: Fitted) -> Table:
    rows = []
    for c in fitted.compared:
        for i, name in enumerate(ITEMS):
            test = c.functioning.items[i]
            for g in c.others:
                found = [None] * 4
                if test is not None:
                    ends = test.log_odds[g] + np.array([0.0, -1.96, 1.96]) * test.log_odds_se[g]
                    found = [test.points[g], *np.exp(ends)]
                n = int((fitted.data.items[c.grouping.member == g, i] >= 0).sum())
                levels = c.grouping.levels
                row = (c.grouping.name, levels[g], levels[c.grouping.reference], name, *found, n)
                rows.append(row)
    keys = _KEYS | {"group": "Group", "reference": "Compared with", "item": "PHQ-9 item"}
    values = {
        "points": _value(fitted, "model", "Points of the item", 3),
        **_estimate(fitted, "odds", "Odds ratio of higher answers", 2),
        "n": _people(fitted, "Answers"),
    }
    title = "How each group answers at equal severity"
    return Table(title, _frame(rows, keys, values), keys, values)


def _impact(fitted: Fitted) -> Table:
    rows = []
    for c in fitted.compared:
        for g in c.others:
            own, hundred = [], (100 * c.impact.passing[g], 100 * c.impact.passing_as_reference[g])
            for name, factor in (
                ("points", 1),
                ("at_cutoff", 1),
                ("more", 100),
                ("otherwise", 100),
            ):
                low, high = c.ends[name]
                own += [factor * x[g] for x in (getattr(c.impact, name), low, high)]
            levels, mean = c.grouping.levels, c.functioning.trait.mean[g]
            low, high = c.cautious_ends["at_cutoff"]
            cautious = (c.cautious.at_cutoff[g], low[g], high[g])
            rows.append((
                c.grouping.name, levels[g], levels[c.grouping.reference], c.impact.gap[g],
                *own[:6], *cautious, *hundred, *own[6:], mean, int(c.people[g]),
            ))  # fmt: skip
    keys = _KEYS | {"group": "Group", "reference": "Compared with"}
    cutoff = fitted.params.cutoff
    values = {
        "gap": _value(fitted, "model", "Difference of the mean total", 2),
        **_estimate(fitted, "points", "… from answering differently", 2),
        **_estimate(fitted, "at_cutoff", f"… of people near a total of {cutoff}", 2),
        **_estimate(fitted, "cautious", "… if all but three items may differ", 2),
        "passing": _value(fitted, "model", f"Of 100 reach {cutoff}", 1),
        "as_reference": _value(fitted, "model", "… answering as those compared with", 1),
        **_estimate(fitted, "more", "More of 100 by answering differently", 2),
        **_estimate(fitted, "otherwise", "Of 100 classified otherwise, at least", 2),
        "severity": _value(fitted, "model", "Difference in severity, SD", 2),
        "n": _people(fitted),
    }
    title = f"What it does to totals and to a cut-off of {cutoff}"
    return Table(title, _frame(rows, keys, values), keys, values)


def _curves(fitted: Fitted) -> Table:
    """Total at equal severity, every group against those it is compared with."""
    rows = []
    for c in fitted.compared:
        same = c.impact.expected[c.grouping.reference]
        for total in range(1, 25):
            for g in c.others:
                curves = (c.impact.apart, *c.ends["apart"])
                found = [float(np.interp(total, same, curve[g])) for curve in curves]
                level = c.grouping.levels[g]
                rows.append((c.grouping.name, level, total, *found, int(c.people[g])))
    keys = _KEYS | {"group": "Group", "total": "Expected total of those compared with"}
    values = {
        **_estimate(fitted, "apart", "Difference at equal severity, points", 2),
        "n": _people(fitted),
    }
    return Table("Totals at equal severity", _frame(rows, keys, values), keys, values)


def digits_of(fitted: Fitted) -> int:
    """Decimals of p values by draws, which are multiples of one in one more than the draws."""
    return 3 if fitted.params.n_draws < 1000 else 4


def _classes(fitted: Fitted) -> Table:
    """Common against separate classes."""
    rows = []
    for c in fitted.compared:
        for k, found in c.invariance.items():
            last = found is c.shown
            plain = fitted.data.weights is None
            ratio = (found.statistic, found.df) if plain else (None, None)
            bic = found.bic_common - found.bic_separate if plain else None
            share = 100 * float(c.people @ found.otherwise) / c.n
            drawn = [None] * 3
            if last and c.draws is not None:
                chance = (c.draws.largest, 100 * c.draws.otherwise)
                drawn = [c.draws.p_value(found), *(float(np.quantile(x, 0.95)) for x in chance)]
            gain = [None] * 3
            if last:
                gain = list(c.gain.ends)
            rows.append((c.grouping.name, k, *ratio, drawn[0], bic, *gain, found.largest, drawn[1],
                         share, drawn[2], c.n))  # fmt: skip
    keys = _KEYS | {"classes": "Classes"}
    least = f"{1 / (1 + fitted.params.n_draws):.{digits_of(fitted)}f}"
    values = {
        "statistic": _value(fitted, "model", "Likelihood ratio", 1),
        "df": _value(fitted, "model", "Degrees of freedom", 0),
        "p": _value(fitted, "model", f"p, by draws (never below {least})", digits_of(fitted)),
        "bic": _value(fitted, "model", "BIC of common less separate", 0),
        **_estimate(fitted, "gain", "Gain of separate in unseen people, %", 2),
        "largest": _value(fitted, "model", "Largest difference of an answer’s probability", 2),
        "largest_chance": _value(fitted, "model", "… 95 % of draws below", 2),
        "otherwise": _value(fitted, "model", "Of 100 in another class", 1),
        "otherwise_chance": _value(fitted, "model", "… 95 % of draws below", 1),
        "n": _people(fitted),
    }
    title = "Classes that all groups share, or each its own"
    return Table(title, _frame(rows, keys, values), keys, values)


def _class_items(fitted: Fitted) -> Table:
    """Every item set free in turn; empty with survey weights."""
    rows = []
    for c in fitted.compared:
        for i, name in enumerate(ITEMS if c.partial is not None else []):
            p = c.partial
            found = (p.statistic[i], p.df, _p(p.adjusted[i]), p.bic[i])
            rows.append((c.grouping.name, name, *found, c.n))
    keys = _KEYS | {"item": "PHQ-9 item"}
    values = {
        "statistic": _value(fitted, "model", "Likelihood ratio", 1),
        "df": _value(fitted, "model", "Degrees of freedom", 0),
        "p": _value(fitted, "model", "p, adjusted for nine items", 4),
        "bic": _value(fitted, "model", "BIC above common classes", 0),
        "n": _people(fitted),
    }
    return Table("Which item differs between classes", _frame(rows, keys, values), keys, values)


#: Said where items are.
RULES = (
    f"Answers that fewer than {LEAST_ANSWERS} people of a group gave are joined to the next lower "
    "one; an item of which one answer is left is not tested. "
)
