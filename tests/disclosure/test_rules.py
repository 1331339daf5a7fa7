"""Statistics that enough people alone do not make safe have rules of their own."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from iesoresearch.disclosure import Policy, amounts, release, rules
from iesoresearch.results import RELEASED, Number, Result, Table, Value

NONE = Policy(
    1, 1, zeros_disclosive=False, dominance_n=1, dominance_k=1.0, dominance_p=0.0,
    degrees_of_freedom=1, percentile=1, survival=1,
)  # fmt: skip


def released(table, policy=None):
    return release(Result(tables={"t": table}), policy or Policy()).tables["t"]


def of_amounts(*groups, sensitivity="patient"):
    """A mean by group, of amounts of people who contribute one each unless they are named."""
    rows, extra = [], {}
    for i, group in enumerate(groups):
        amount = pl.Series(list(group.values()), dtype=pl.Float64)
        who = pl.Series([name.split("/")[0] for name in group])
        row = {"group": f"g{i}", "mean": amount.mean(), "sd": amount.std(), "n": len(amount)}
        rows.append(row | amounts.largest("mean", amount, who))
    frame = pl.DataFrame(rows, schema_overrides=dict.fromkeys(amounts.columns("mean"), pl.Float64))
    values = {
        "mean": Value("mean", "m", 2, "n", contributions=amounts.columns("mean")),
        "sd": Value("model", "sd", 2, "n", follows="mean"),
        "n": Value("count", "n", 0, parts_of=()),
    }
    values = {name: replace(v, sensitivity=sensitivity) for name, v in values.items()}
    return Table("Amounts", frame, {"group": ""}, values, **extra)


def people(first, second, rest, n=20):
    """Amounts of two people and of others alike."""
    return {"a": first, "b": second} | {f"c{i}": rest / n for i in range(n)}


@pytest.mark.parametrize(
    ("group", "shown"),
    [
        # by hand: two hold 90 of 100, just as much as they may
        (people(45, 45, 10), True),
        (people(46, 45, 10), False),
        # one is 90, the second 0, and the others 8.9: less than a tenth of the largest
        (people(89, 0, 8.8), False),
        (people(50, 30, 20), True),
        ({f"c{i}": 0 for i in range(20)}, True),  # nobody contributes
        # one person with four small courses beside another
        (people(1, 1, 1) | {f"a/{i}": 10 for i in range(4)}, False),
        (people(1, 1, 1) | {f"d{i}": 10 for i in range(4)}, True),
    ],
)
def test_dominance(group, shown):
    found = released(of_amounts(group, people(1, 1, 20)))
    assert (found.frame["mean"][0] is not None) == shown
    assert (found.frame["sd"][0] is not None) == shown
    assert found.frame["status"].to_list() == [RELEASED if shown else rules.DOMINATED, RELEASED]
    # the contributions themselves are never seen
    assert found.frame.columns == ["group", "mean", "sd", "n", "status"]
    assert found.values["mean"].contributions is None


def test_dominance_as_the_policy_says():
    group = people(50, 25, 25)
    assert released(of_amounts(group)).frame["mean"][0] is not None
    for stricter in ({"dominance_k": 0.7}, {"dominance_p": 0.6}, {"dominance_n": 4}):
        shown = released(of_amounts(group), Policy(**stricter)).frame["mean"][0] is not None
        assert shown == ("dominance_n" in stricter)  # four hold 77.5 of 100
    four = Policy(dominance_n=4, dominance_k=0.77)
    assert released(of_amounts(group), four).frame["mean"][0] is None


def test_what_is_below_zero_is_no_amount():
    found = amounts.largest("x", pl.Series([5.0, -1.0]), pl.Series(["a", "b"]))
    assert set(found.values()) == {None}
    change = of_amounts(people(-1, 90, 1))
    assert released(change).frame["mean"][0] is not None


def test_open_amounts_pass():
    table = of_amounts(people(90, 9, 1), sensitivity="open")
    found = released(table).frame
    assert found["mean"][0] == table.frame["mean"][0]
    assert found.columns == ["group", "mean", "sd", "n", "status"]


def test_contributions_that_are_none_are_errors_of_the_program():
    table = of_amounts(people(50, 30, 20))
    first, *others = amounts.columns("mean")
    more = replace(table, frame=table.frame.with_columns(pl.lit(1e3).alias(first)))
    with pytest.raises(ValueError, match="the contributions of 'mean' are not its"):
        released(more)
    unordered = replace(table, frame=table.frame.with_columns(pl.lit(60.0).alias(others[0])))
    with pytest.raises(ValueError, match="the contributions of 'mean' are not its"):
        released(unordered)
    fewer = table.values | {"mean": replace(table.values["mean"], contributions=(first,))}
    frame = table.frame.drop(others)
    with pytest.raises(ValueError, match="must be a mean with 5 contributions"):
        released(replace(table, values=fewer, frame=frame))
    with pytest.raises(ValueError, match=r"lacks \['mean_largest_1'\], the parameters or contrib"):
        replace(table, frame=table.frame.drop(first))


def fitted(n, parameters):
    frame = pl.DataFrame({"m": ["a", "b"], "x": [0.5, 0.6], "p": [parameters, 1], "n": [n, 400]})
    values = {
        "x": Value("model", "x", 2, "n", parameters="p"),
        "p": Value("model", "p", 0),
        "n": Value("count", "n", 0),
    }
    return Table("Models", frame, {"m": ""}, values)


@pytest.mark.parametrize(("n", "p", "shown"), [(40, 30, True), (40, 31, False), (40, 40, False)])
def test_estimates_need_degrees_of_freedom(n, p, shown):
    found = released(fitted(n, p)).frame
    assert found["x"].is_not_null().to_list() == [shown, True]
    assert found["status"].to_list() == [RELEASED if shown else rules.SATURATED, RELEASED]
    assert found["n"].to_list() == [40, 400]
    made = fitted(n, p)
    alone = made.values | {"x": replace(made.values["x"], parameters=p)}
    assert released(replace(made, values=alone)).frame["x"].is_not_null().to_list()[0] == shown
    number = Number(0.5, n, parameters=p)
    number = release(Result(numbers={"x": number}), Policy()).numbers["x"]
    assert (number.value, number.status) == ((0.5, RELEASED) if shown else (None, rules.SATURATED))


def test_of_unknown_people_nothing_is_estimated():
    table = fitted(40, 3)
    frame = table.frame.with_columns(n=pl.Series([None, 400]))
    assert released(replace(table, frame=frame)).frame["x"].to_list() == [None, 0.6]
    alone = table.values | {"x": replace(table.values["x"], denominator=None)}
    with pytest.raises(ValueError, match="'x' needs a denominator for its rule"):
        released(replace(table, values=alone))
    with pytest.raises(ValueError, match="must say its level and how many people"):
        release(Result(numbers={"x": Number(0.5, parameters=2)}), Policy())


def quantile(n, level):
    frame = pl.DataFrame({"g": ["a"], "q": [14.0], "n": [n]})
    values = {"q": Value("quantile", "q", 0, "n", level=level), "n": Value("count", "n", 0)}
    return Table("Waits", frame, {"g": ""}, values)


@pytest.mark.parametrize(
    ("n", "level", "shown"),
    [
        (20, 0.5, True), (19, 0.5, False),
        (100, 0.9, True), (99, 0.9, False), (100, 0.1, True), (99, 0.1, False),
        (10_000, 1.0, False), (10_000, 0.0, False),  # the largest and the smallest: never
    ],
)  # fmt: skip
def test_quantiles_need_people_on_either_side(n, level, shown):
    found = released(quantile(n, level)).frame
    assert (found["q"][0] is not None) == shown
    assert found["status"][0] == (RELEASED if shown else rules.EXTREME)
    number = Number(14.0, n, kind="quantile", level=level)
    number = release(Result(numbers={"x": number}), Policy()).numbers["x"]
    assert (number.value is not None) == shown


@given(st.integers(20, 400), st.sampled_from([0.1, 0.5, 0.9]), st.integers(1, 30))
def test_limits_of_quantiles_too(n, share, least):
    """The limit is an order statistic: count who is beyond it."""
    ordered = np.arange(1, n + 1)
    for tail, step in ((0.025, 0), (0.975, 1)):
        rank = int(stats.binom.ppf(tail, n, share)) + step
        beside = min((ordered < rank).sum(), (ordered > rank).sum()) if 1 <= rank <= n else -1
        found = released(quantile(n, (share, tail)), Policy(percentile=least)).frame
        assert (found["q"][0] is not None) == (beside >= least)


def test_a_quantile_says_its_level():
    with pytest.raises(ValueError, match="the quantile 'q' must say its level"):
        released(quantile(50, None))
    with pytest.raises(ValueError, match="must say its level and how many people"):
        release(Result(numbers={"x": Number(3.0, 50, kind="quantile")}), Policy())


def at_risk(n=25):
    frame = pl.DataFrame({"week": [1, 2], "n": [400, n], "p": [0.5, 0.6], "auc": [0.7, 0.8]})
    values = {
        "n": Value("count", "At risk", 0, at_risk=True),
        "p": Value("rate", "p", 3, "n"),
        "auc": Value("model", "AUC", 3, "n"),
    }
    return Table("At risk", frame, {"week": ""}, values)


@pytest.mark.parametrize(("survival", "shown"), [(10, True), (25, True), (26, False)])
def test_what_is_said_of_those_at_risk_needs_enough_of_them(survival, shown):
    found = released(at_risk(), Policy(survival=survival)).frame
    assert found["n"].to_list() == [400, 25]
    for column in ("p", "auc"):
        assert found[column].is_not_null().to_list() == [True, shown]
    assert found["status"][1] == (RELEASED if shown else rules.AT_RISK)


def test_a_row_with_a_suppressed_count_does_not_tell_of_rules():
    """What is proved of linked counts takes such a row to say that it protects another."""
    frame = pl.DataFrame({"g": ["a", "b", "c"], "n": [4, 30, 60], "x": [0.1, 0.2, 0.3]})
    values = {
        "n": Value("count", "n", 0, parts_of=()),
        "x": Value("model", "x", 2, "n", parameters=55),
    }
    found = released(Table("T", frame, {"g": ""}, values, "people")).frame
    assert found["n"].to_list() == [None, None, 60]
    assert found["x"].to_list() == [None, None, None]
    assert found["status"].to_list() == [
        "suppressed (fewer than 10 people)", "suppressed (protects another cell)", rules.SATURATED
    ]  # fmt: skip


def test_columns_that_are_derived_keep_to_the_rules():
    table = fitted(40, 35)
    derived = replace(table.values["x"], derive=lambda frame: pl.Series([0.5, 0.6]))
    found = released(replace(table, values=table.values | {"x": derived})).frame
    assert found["x"].to_list() == [None, 0.6]


def everything(rng):
    """A table with every kind of statistic, of groups of all sizes."""
    rows = []
    for group in range(6):
        n = int(rng.integers(1, 120))
        amount = pl.Series(rng.exponential(1, n) ** rng.integers(1, 5))
        who = pl.Series(rng.integers(0, n, n))
        row = {"group": group, "n": n, "mean": amount.mean(), "sd": 1.0}
        row |= amounts.largest("mean", amount, who)
        row |= {"p": int(rng.integers(1, 60)), "estimate": 0.5, "rate": rng.random()}
        rows.append(row | {"median": 3.0, "p90": 5.0, "high": 7.0})
    values = {
        "n": Value("count", "n", 0, at_risk=True),
        "mean": Value("mean", "m", 2, "n", contributions=amounts.columns("mean")),
        "sd": Value("model", "sd", 2, "n", follows="mean"),
        "p": Value("model", "p", 0),
        "estimate": Value("model", "x", 2, "n", parameters="p"),
        "rate": Value("rate", "r", 3, "n"),
        "median": Value("quantile", "median", 0, "n", level=0.5),
        "p90": Value("quantile", "p90", 0, "n", level=0.9),
        "high": Value("quantile", "to", 0, "n", level=(0.9, 0.975)),
    }
    frame = pl.DataFrame(rows, infer_schema_length=None)
    return Table("Everything", frame, {"group": ""}, values)


STRICTER = {
    "min_count": st.integers(1, 40),
    "zeros_disclosive": st.booleans(),
    "dominance_n": st.integers(1, 5),
    "dominance_k": st.floats(0, 1),
    "dominance_p": st.floats(0, 1),
    "degrees_of_freedom": st.integers(1, 60),
    "percentile": st.integers(1, 60),
    "survival": st.integers(1, 120),
}


@pytest.mark.parametrize("rule", STRICTER)
@settings(deadline=None, max_examples=12)
@given(data=st.data())
def test_a_stricter_rule_never_shows_more(rule, data):
    table = everything(np.random.default_rng(data.draw(st.integers(0, 10**6))))
    one, other = (replace(NONE, **{rule: data.draw(STRICTER[rule])}) for _ in range(2))
    if one.looser(other):
        one, other = other, one
    strict, loose = (released(table, policy).frame for policy in (one, other))
    assert one.looser(other) == []
    for column in table.values:
        assert not (strict[column].is_not_null() & loose[column].is_null()).any()


def test_every_rule_of_a_policy_hides_something():
    """No option is dead: with each alone set to its strictest, less is shown than without any."""
    table = everything(np.random.default_rng(5))
    zeros = table.frame.with_columns(rate=pl.lit(0.0))
    strictest = {
        "min_count": 200, "zeros_disclosive": True, "dominance_k": 0.0, "dominance_p": 1.0,
        "degrees_of_freedom": 60, "percentile": 60, "survival": 120,
    }  # fmt: skip

    def shown(policy):
        made = replace(table, frame=zeros) if policy.zeros_disclosive else table
        frame = released(made, policy).frame
        return sum(frame[name].count() for name in table.values)

    free = shown(NONE)
    for rule, value in strictest.items():
        assert shown(replace(NONE, **{rule: value})) < free, rule
    few = replace(NONE, dominance_k=0.5)
    assert shown(replace(few, dominance_n=5)) < shown(few)
