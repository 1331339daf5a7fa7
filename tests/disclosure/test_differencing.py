"""What two releases tell together: linked where the data are the same, cell by cell where not."""

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from iesoresearch.disclosure import Policy, changes, differencing, nested, release
from iesoresearch.disclosure.differencing import Earlier
from iesoresearch.disclosure.findings import worst
from iesoresearch.measures.outcomes import FLAGS
from iesoresearch.results import Result, Table, Value
from iesoresearch.seeds import rng

POLICY = Policy()
LEVELS = ["18-25", "26-64", "65+"]
AT, RECOVERED = [120, 310, 80], [60, 150, 40]


def table(levels=LEVELS, population="courses", declared=True, **counts):
    frame = pl.DataFrame({"grouping": "Age", "level": levels, **counts})
    within = {"recovery": "at_caseness", "reliable_recovery": "at_caseness"} if declared else {}
    values = {
        name: Value("count", name, 0, parts_of=("grouping",), within=within.get(name))
        for name in counts
    }
    return Table("T", frame, {"grouping": "", "level": ""}, values, population)


def made(of, policy=POLICY, data="x", **more):
    result = Result(tables={"t": of, **more}, provenance={"data_fingerprint": data})
    return release(result, policy)


def compared(new, old, policy=POLICY):
    earlier = [Earlier("first", "2026-01-01", {"run": old})]
    return differencing.compare({"run": new}, earlier, policy)


def rules(found):
    return {(one.output, one.status, one.rule) for one in found}


SAME = {("run", "pass", "differencing")}


def test_the_same_release_again_tells_nothing():
    once = made(table(at_caseness=AT, recovery=RECOVERED))
    assert rules(compared(once, once)) == SAME


@pytest.mark.parametrize(
    ("reliable", "status"),
    [([55, 145, 35], "refuse"), ([50, 140, 30], "review"), ([45, 130, 25], "pass")],
)
def test_two_outcomes_within_each_other_leave_few_patients(reliable, status):
    """60 recovered and 55 reliably so: 1 to 9 patients by group recovered and not reliably."""
    old = made(table(at_caseness=AT, recovery=RECOVERED))
    found = compared(made(table(at_caseness=AT, reliable_recovery=reliable)), old)
    assert worst(found) == status
    if status == "refuse":
        (one,) = (f for f in found if f.status == "refuse")
        assert one.output == "table:t"
        assert one.evidence["cells by column"] == {"recovery − reliable_recovery": 3}
        assert one.evidence["together with"] == ["run of first", "run of this release"]
        assert "26-64" not in json.dumps(one.to_json())


def test_so_do_two_runs_of_one_release():
    runs = {
        "a": made(table(at_caseness=AT, recovery=RECOVERED)),
        "b": made(table(at_caseness=AT, reliable_recovery=[55, 145, 35])),
    }
    found = differencing.compare(runs, (), POLICY)
    assert {one.run for one in found if one.status == "refuse"} == {"a", "b"}
    apart = runs | {"b": made(table(at_caseness=AT, reliable_recovery=[55, 145, 35]), data="y")}
    assert differencing.compare(apart, (), POLICY) == []


def test_a_count_suppressed_in_one_release_and_told_by_another_is_refused():
    """25 protects 5 in the first release; the second shows 25 in a table without the 5."""
    exact, levels = Policy(10, 1), ["18-25", "26-39", "40-64", "65+"]
    two = table(levels, at_caseness=[120, 40, 25, 5])
    old = made(two, exact)
    assert old.tables["t"].frame["at_caseness"].to_list() == [120, 40, None, None]
    value = replace(two.values["at_caseness"], parts_of=None)
    two = replace(two, frame=two.frame[:3], values={"at_caseness": value})
    alone = compared(made(two, exact), old, exact)
    assert worst(alone) == "pass"  # nobody knows the total
    everybody = replace(
        table(["all"], at_caseness=[190]),
        frame=pl.DataFrame({"grouping": "All", "level": ["all"], "at_caseness": [190]}),
    )
    told = replace(everybody, title="All")
    found = compared(made(two, exact, all=told), old, exact)
    assert worst(found) == "refuse"


def test_groups_cut_elsewhere_leave_few_patients():
    old = made(table(["18-64", "65+"], at_caseness=[430, 80]))
    found = compared(made(table(["18-65", "66+"], at_caseness=[434, 76])), old)
    assert ("table:t", "refuse", "groups within groups") in rules(found)
    far = compared(made(table(["18-49", "50+"], at_caseness=[300, 210])), old)
    assert worst(far) == "pass"


@pytest.mark.parametrize(
    ("later", "status"),
    [([120, 310, 80], "pass"), ([120, 310, 85], "refuse"), ([120, 310, 90], "review"),
     ([160, 350, 120], "pass")],
)  # fmt: skip
def test_a_later_extract_tells_of_the_few_who_came(later, status):
    """80 is 78 to 82 and 85 is 83 to 87: 1 to 9 patients more; 90 is 6 to 14 more."""
    old = made(table(at_caseness=AT))
    found = compared(made(table(at_caseness=later), data="y"), old)
    assert worst(found) == status
    if status != "pass":
        (one,) = (f for f in found if f.rule == "changed data")
        assert one.evidence["cells by column"] == {"at_caseness": 1}


def test_a_count_that_is_shown_or_suppressed_only_now_is_looked_at():
    old = made(table(at_caseness=[120, 310, 12]))
    found = compared(made(table(at_caseness=[120, 310, 8]), data="y"), old)
    assert ("table:t", "review", "changed data") in rules(found)
    (one,) = (f for f in found if f.rule == "changed data")
    assert one.evidence["kinds"]["now suppressed"] >= 1


def test_a_mean_that_changed_while_its_count_hardly_did_is_looked_at():
    def mean(value, data):
        values = {"n": Value("count", "n", 0), "mean": Value("mean", "Mean", 1, "n")}
        frame = pl.DataFrame({"level": ["a"], "n": [100], "mean": [value]})
        return made(Table("T", frame, {"level": ""}, values), data=data)

    found = compared(mean(12.5, "y"), mean(12.4, "x"))
    assert ("table:t", "review", "changed data") in rules(found)
    assert worst(compared(mean(12.4, "y"), mean(12.4, "x"))) == "pass"


def test_other_people_of_the_same_data_are_compared_cell_by_cell():
    """Another parameter, the same population: the tables cannot count the same people."""
    old = made(table(at_caseness=AT))
    found = compared(made(table(at_caseness=[120, 310, 85])), old)
    assert ("table:t", "refuse", "changed data") in rules(found)


def test_another_policy_and_a_run_that_is_gone_are_looked_at():
    one = table(at_caseness=AT)
    found = compared(made(one), made(one, Policy(5, 5)))
    assert ("run", "review", "policy changed") in rules(found)
    earlier = [Earlier("first", "2026-01-01", {"run": made(one), "gone": made(one)})]
    found = differencing.compare({"run": made(one)}, earlier, POLICY)
    assert [f.run for f in found if f.rule == "run removed"] == ["gone"]


def test_a_laxer_policy_of_before_tells_what_is_suppressed_now():
    """7 was shown as 5 once, so it is 5 to 7; below ten is said now."""
    counts = table(at_caseness=[120, 310, 7])
    found = compared(made(counts), made(counts, Policy(5, 5)))
    assert ("table:t", "review", "differencing") in rules(found) or worst(found) == "refuse"


def test_every_outcome_flag_has_its_place():
    assert set(FLAGS) <= nested.WITHIN.keys()
    undeclared = table(recovery=RECOVERED, reliable_recovery=[55, 145, 35], declared=False)
    said = nested.declared(undeclared).values["reliable_recovery"]
    assert "recovery" in said.wholes


@pytest.mark.parametrize(
    ("level", "span"),
    [("65+", (65, float("inf"))), ("18-25", (18, 25)), ("66 and over", (66, float("inf"))),
     ("under 18", (float("-inf"), 17)), ("Aged 18 to 25", (18, 25)), ("British", None),
     ("6 weeks or less", None), ("≤ 30", (float("-inf"), 30)), ("> 90", (91, float("inf")))],
)  # fmt: skip
def test_spans_of_levels(level, span):
    assert nested.span(level) == span


def test_changes_between_two_cells():
    now, then = made(table(at_caseness=[200, 310, 80])), made(table(at_caseness=AT), data="y")
    found = changes.same_cells(now.tables["t"], then.tables["t"], POLICY, POLICY)
    (up,) = (c for c in found if c.row == ("Age", "18-25"))
    assert (up.low, up.high, up.status(POLICY)) == (76, 84, "pass")


# A fingerprint is other after one byte


def one_more(counts, by=1):
    """One more patient, where it does not show."""
    return [counts[0] + by, *counts[1:]]


@pytest.mark.parametrize("data", ["x", "y"])
def test_groups_cut_elsewhere_leave_few_patients_of_whatever_data(data):
    """65+ of 80 and 66+ of 76, in other tables and runs of almost the same patients."""
    old = made(table(["18-64", "65+"], at_caseness=[430, 80]))
    new = made(table(["18-65", "66+"], at_caseness=[435, 76]), data=data)
    assert ("table:t", "refuse", "groups within groups") in rules(compared(new, old))
    named = replace(new, tables={"other": new.tables["t"]})
    earlier = [Earlier("first", "2026-01-01", {"elsewhere": old})]
    found = differencing.compare({"run": named}, earlier, POLICY)
    assert ("table:other", "refuse", "groups within groups") in rules(found)


@pytest.mark.parametrize("by", [0, 1, 3])
def test_outcomes_within_each_other_leave_few_patients_of_other_data(by):
    old = made(table(at_caseness=AT, recovery=RECOVERED))
    new = table(at_caseness=one_more(AT, by), reliable_recovery=[55, 145, 35], declared=False)
    found = compared(made(new, data="y"), old)
    assert worst(found) == "refuse"
    assert ("table:t", "refuse", "groups within groups") in rules(found)


@pytest.mark.parametrize(
    ("data", "b", "status"), [("x", 120, "refuse"), ("y", 120, "refuse"), ("y", 123, "review")]
)
def test_a_suppressed_count_told_by_the_union_of_two_groups_of_other_data(data, b, status):
    """13 and 4 are suppressed; then both together are 17, shown as 15: the 4 is at most 7.

    Of 123 for 120 at least one patient came, so that 8 is possible.
    """
    old = made(table(["a", "b", "c", "d"], at_caseness=[200, 120, 13, 4]))
    union = made(table(["a", "b", "c or d"], at_caseness=[201, b, 17]), data=data)
    found = [one for one in compared(union, old) if one.rule == "differencing"]
    assert worst(found) == status


@pytest.mark.parametrize("data", ["x", "y"])
@pytest.mark.parametrize("population", ["courses", None])
@pytest.mark.parametrize(("run", "name"), [("run", "t"), ("run", "other"), ("another", "t")])
def test_another_name_hides_no_difference(data, population, run, name):
    old = made(table(at_caseness=[120, 300, 80], population=population))
    new = made(table(at_caseness=[120, 303, 80], population=population), data=data)
    new = replace(new, tables={name: new.tables["t"]})
    earlier = [Earlier("first", "2026-01-01", {"run": old})]
    found = differencing.compare({run: new}, earlier, POLICY)
    assert (f"table:{name}", "refuse", "changed data") in rules(found)


def quarter(seed, came, policy=POLICY):
    """3,000 patients of 15 groups, and those who came since."""
    drawn = rng(seed, "groups").integers(15, size=3000 + came)
    well = rng(seed, "well").random(3000 + came) < 0.5
    n = np.bincount(drawn, minlength=15)
    counts = {"at_caseness": n, "recovery": np.bincount(drawn[well], minlength=15)}
    levels = [f"group {i}" for i in range(15)]
    return made(table(levels, **{k: v.tolist() for k, v in counts.items()}), policy, str(came))


@pytest.mark.parametrize("seed", range(3))
def test_a_quarter_later_can_be_released(seed):
    found = compared(quarter(seed, 250), quarter(seed, 0))
    assert worst(found) == "review"
    (one,) = (f for f in found if f.rule == "changed data")
    assert "enough people came or left altogether" in one.sentence


def test_exact_counts_of_few_who_came_are_refused_whoever_else_came():
    """Rounded to 5, a change by 5 is of 1 to 9; not rounded, it is of 5: no count may tell that."""
    exact = Policy(10, 1)
    found = compared(quarter(1, 250, exact), quarter(1, 0, exact), exact)
    assert ("table:t", "refuse", "changed data") in rules(found)


def test_the_same_tables_of_other_data_tell_nothing():
    once = made(table(at_caseness=AT, recovery=RECOVERED))
    again = made(table(at_caseness=AT, recovery=RECOVERED), data="y")
    assert rules(compared(again, once)) == SAME
