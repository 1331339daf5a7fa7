"""What two releases tell together: linked where the data are the same, cell by cell where not."""

import json
from dataclasses import replace

import polars as pl
import pytest

from iesoresearch.disclosure import Policy, changes, differencing, nested, release
from iesoresearch.disclosure.differencing import Earlier
from iesoresearch.disclosure.findings import worst
from iesoresearch.measures.outcomes import FLAGS
from iesoresearch.results import Result, Table, Value

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
