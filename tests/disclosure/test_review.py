"""Every output gets a finding: what proves it, what to look at, or why it cannot go out."""

import json
from dataclasses import replace

import polars as pl
import pytest

from iesoresearch import stored
from iesoresearch.disclosure import Policy, derived, release, review
from iesoresearch.disclosure.findings import worst
from iesoresearch.results import Check, FigureSpec, Number, Result, Table, Value

POLICY = Policy()
KEYS = {"grouping": "Grouping", "level": "Group"}


def groups(finished=(60, 40, 36, 52, 12), recovered=(30, 20, 14, 26, 10)):
    frame = pl.DataFrame(
        {
            "grouping": ["Gender"] * 2 + ["Age"] * 3,
            "level": ["female", "male", "18-25", "26-64", "65+"],
            "finished": finished,
            "recovered": recovered,
        }
    )
    values = {
        "finished": Value("count", "Finished", 0, parts_of=("grouping",)),
        "recovered": Value("count", "Recovered", 0, parts_of=("grouping",), within="finished"),
    }
    table = Table("Groups", frame, KEYS, values, population="courses")
    table = derived.with_rate(table, "rate", "recovered", "finished", "Rate, %")
    reference = {"Gender": "male", "Age": "26-64"}
    return derived.with_gap(table, "gap", "recovered", "finished", "Gap", reference=reference)


def result(**more):
    made = Result(
        tables={"groups": groups()},
        numbers={"n": Number(100, kind="count"), "mean": Number(12.25, n=100, digits=1)},
        checks=[Check("enough", "passed", "{n} courses are enough.")],
        text={"plain": "Of {n} courses."},
        figures={"groups": FigureSpec("groups", "Groups", "Rates of {n} courses.")},
        provenance={"data_fingerprint": "x"},
    )
    return replace(made, **more)


def judged(found, policy=POLICY):
    return review.outputs({"run": found}, policy)


def of(findings, output, status):
    return {
        one.rule: one.evidence for one in findings if (one.output, one.status) == (output, status)
    }


@pytest.fixture(scope="module")
def released():
    return release(result(), POLICY)


def test_every_output_of_a_released_result_passes_with_its_proof(released):
    found = judged(released)
    assert worst(found) == "pass"
    assert {one.output for one in found} == {
        "run", "table:groups", "number:n", "number:mean", "figure:groups", "caption:groups",
        "check:enough", "text:plain",
    }  # fmt: skip
    counts = of(found, "table:groups", "pass")["counts"]
    assert counts["smallest count shown"] >= 10
    assert counts["all multiples of"] == 5
    assert counts["rates given by released counts"] == {
        "rate": ["recovered", "finished"], "gap": ["recovered", "finished"],
    }  # fmt: skip
    attacked = of(found, "table:groups", "pass")["suppressed counts"]
    assert attacked["narrowest range"] == [0, 9]
    assert attacked["attacked"] >= counts["cells suppressed"] // 8 >= 1


def test_files_alone_give_the_same_findings(released, tmp_path):
    stored.write_result(released, tmp_path)
    assert judged(stored.read_result(tmp_path)) == judged(released)


def changed(released, **columns):
    """The released result with other cells in its table."""
    table = released.tables["groups"]
    frame = table.frame.with_columns(pl.Series(n, x) for n, x in columns.items())
    return replace(released, tables={"groups": replace(table, frame=frame)})


@pytest.mark.parametrize(
    ("counts", "rule"),
    [([60, 40, 5, 50, 10], "small counts"), ([60, 41, 35, 50, 10], "unrounded counts")],
)
def test_counts_that_the_policy_does_not_show_are_refused(released, counts, rule):
    found = judged(changed(released, finished=counts))
    assert of(found, "table:groups", "refuse")[rule] == {"cells by column": {"finished": 1}}
    assert of(found, "figure:groups", "refuse") == {"its table": {"table": "groups"}}


def test_a_suppressed_count_that_can_be_worked_out_is_refused():
    frame = pl.DataFrame({"level": ["a", "b", "c"], "n": [None, 30, 15]})
    whole = pl.DataFrame({"who": ["all"], "n": [50]})
    n = {"n": Value("count", "n", 0, parts_of=())}
    few = "suppressed (fewer than 10 people)"
    frame = frame.with_columns(status=pl.Series([few, "released", "released"]))
    tables = {
        "parts": Table("Parts", frame, {"level": ""}, n, "people"),
        "all": Table(
            "All", whole.with_columns(status=pl.lit("released")), {"who": ""}, n, "people"
        ),
    }
    applied = {"disclosure": POLICY.applied}
    found = judged(Result(tables=tables, provenance=applied))
    assert "stands alone" in of(found, "table:parts", "refuse")
    # 48 to 52 of all, less 28 to 32 and 13 to 17, leave at most 9 and at least 0: nothing is told
    assert "suppressed counts" in of(found, "table:parts", "pass")
    tables["all"] = replace(
        tables["all"], frame=tables["all"].frame.with_columns(n=pl.lit(45, pl.Int64))
    )
    found = judged(Result(tables=tables, provenance=applied))
    told = of(found, "table:parts", "refuse")["suppressed counts"]
    assert told["fewest values left possible"] == 7  # 43 to 47 of all: 0 to 6
    assert "a" not in json.dumps(told["cells by column"])


def statistics(**columns):
    values = {"n": Value("count", "n", 0), "mean": Value("mean", "Mean PHQ-9", 1, "n")}
    frame = pl.DataFrame({"level": ["a", "b"], **columns})
    return Result(tables={"t": Table("T", frame, {"level": ""}, values)})


def test_a_mean_that_tells_the_number_of_people_is_refused():
    """13 patients are shown as 15; a mean of 187 / 13 with two decimals says it is 13 or 16.

    A mean of 12.50 excludes 99 and 101 of 100.
    """
    found = statistics(n=[15, 100], mean=[14.38, 12.5]).tables["t"]
    found = replace(found, frame=found.frame.with_columns(status=pl.lit("released")))
    applied = {"disclosure": POLICY.applied}
    told = judged(Result(tables={"t": found}, provenance=applied))
    assert of(told, "table:t", "refuse")["rounding undone"] == {"rows by column": {"mean": 2}}
    shorter = found.frame.with_columns(mean=pl.Series([14.4, 12.5]))
    told = judged(Result(tables={"t": replace(found, frame=shorter)}, provenance=applied))
    assert worst(told) == "pass"


def test_rows_of_people_and_identifiers_are_refused():
    frame = pl.DataFrame({"patient_id": [f"{i:032x}" for i in range(6_000)], "n": [15] * 6_000})
    table = Table("T", frame, {"patient_id": ""}, {"n": Value("count", "n", 0)})
    found = of(judged(release(Result(tables={"t": table}), POLICY)), "table:t", "refuse")
    assert found["rows of people"] == {"columns": ["patient_id"]}
    names = pl.DataFrame({"level": ["anna@example.org", "other"], "n": [15, 15]})
    table = Table("T", names, {"level": ""}, {"n": Value("count", "n", 0)})
    found = judged(release(Result(tables={"t": table}), POLICY))
    assert of(found, "table:t", "refuse")["identifiers"] == {"columns": ["level"]}
    assert "anna" not in json.dumps([one.to_json() for one in found])


def test_the_largest_value_of_anybody_is_refused():
    values = {"n": Value("count", "n", 0), "max_score": Value("model", "Score", 1, "n")}
    frame = pl.DataFrame({"level": ["a"], "n": [100], "max_score": [27.0]})
    found = judged(release(Result(tables={"t": Table("T", frame, {"level": ""}, values)}), POLICY))
    assert of(found, "table:t", "refuse")["extremes"] == {"columns": ["max_score"]}


def test_what_no_count_is_behind_is_to_be_looked_at():
    values = {"estimate": Value("model", "Estimate", 1)}
    frame = pl.DataFrame({"part": ["a"], "estimate": [0.5]})
    made = Result(
        tables={"t": Table("T", frame, {"part": ""}, values)},
        numbers={"phi": Number(1.37, digits=2), "all": Number(100, kind="count")},
    )
    found = judged(release(made, POLICY))
    assert of(found, "table:t", "review")["no count behind it"] == {"columns": ["estimate"]}
    assert "no count behind it" in of(found, "number:phi", "review")


def test_documents_and_numbers_in_words_are_to_be_looked_at(released):
    def write(_, path):
        raise AssertionError(path)

    made = replace(
        released,
        documents={"model.json": write, "model.pkl": write},
        text={"plain": "Of {n} courses, 7 were odd.", "limits": "Ask ann.other@example.org"},
    )
    found = judged(made)
    assert of(found, "file:model.json", "review") == {"document": {"type": ".json"}}
    assert of(found, "file:model.pkl", "refuse") == {"type of file": {"type": ".pkl"}}
    assert of(found, "text:plain", "review") == {"free text": {"numbers": ["n"]}}
    assert "identifiers" in of(found, "text:limits", "refuse")


def test_what_was_not_released_or_under_a_looser_policy_is_refused(released):
    found = judged(result())
    assert {"not released"} == set(of(found, "run", "refuse")) | set(
        of(found, "table:groups", "refuse")
    )
    loose = release(result(), Policy(5, 5))
    assert of(judged(loose), "run", "refuse")["policy"]["rules"] == ["min_count"]
    frames = {"rows": pl.DataFrame({"x": [1]})}
    assert "rows of people" in of(judged(replace(released, private=frames)), "run", "refuse")
    named = replace(released, provenance=released.provenance | {"data": "file in /home/ann/x"})
    assert "paths" in of(judged(named), "run", "refuse")


def test_small_numbers_and_unrounded_ones_are_refused(released):
    numbers = {"few": Number(4, kind="count"), "odd": Number(3.5, n=101)}
    found = judged(replace(released, numbers=released.numbers | numbers))
    assert "small counts" in of(found, "number:few", "refuse")
    assert "unrounded counts" in of(found, "number:odd", "refuse")


def standing_alone(number):
    told = judged(Result(numbers={"x": number}, provenance={"disclosure": POLICY.applied}))
    return {one.rule for one in told if one.output == "number:x" and one.status == "refuse"}


def test_a_rate_beside_the_fewer_of_those_in_and_out_is_refused():
    """51.73 % and 50.29 % of people shown as 345 have one solution: 179 and 174 of 346."""
    assert standing_alone(Number(51.73, 165, "%", 1, "rate")) == {"rounding undone"}
    assert standing_alone(Number(51.73, 345, "%", 1, "rate")) == {"rounding undone"}
    assert standing_alone(Number(14.38, 15, "", 1, "mean")) == {"rounding undone"}
    assert not standing_alone(Number(100 * 180 / 345, 345, "%", 1, "rate"))
    assert not standing_alone(Number(14.4, 15, "", 1, "mean"))


def shares(exact, derive=None, kind="model"):
    """Counts by level with their share in 1003, given or derived."""
    n = [513, 341, 91, 55, 3]
    values = {"n": Value("count", "n", 0, parts_of=()),
              "share": Value(kind, "Share", 3, follows="n", derive=derive)}  # fmt: skip
    frame = pl.DataFrame({"level": list("abcde"), "n": n, "share": [x / exact for x in n]})
    return judged(release(Result(tables={"t": Table("T", frame, {"level": ""}, values)}), POLICY))


def test_shares_of_exact_counts_are_refused():
    """1 less those shown is what is hidden, to the person."""
    told = of(shares(1003), "table:t", "refuse")["shares of exact counts"]
    assert told == {"columns": ["share"]}
    told = of(shares(1003, lambda f: f["n"] / 1003), "table:t", "refuse")
    assert "shares of exact counts" in told  # of an exact total


@pytest.mark.parametrize("kind", ["rate", "model"])
def test_shares_of_released_counts_pass(kind):
    found = shares(1003, lambda frame: frame["n"] / 1005, kind)
    assert {one.status for one in found if one.output == "table:t"} == {"pass"}
