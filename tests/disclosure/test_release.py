"""Nothing with fewer people than the policy wants behind it gets through."""

import math
from dataclasses import replace

import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from iesoresearch.disclosure import Policy, release
from iesoresearch.errors import DisclosureError
from iesoresearch.results import RELEASED, Number, Result, Table, Value

POLICY = Policy(min_count=10, round_to=5)
HIDDEN = "suppressed (fewer than 10 people)"


def table(columns, keys, values, sensitivity="patient"):
    declared = {k: Value(*v[:-1], **v[-1], sensitivity=sensitivity) for k, v in values.items()}
    return Table("T", pl.DataFrame(columns), dict.fromkeys(keys, ""), declared)


def released(made):
    return release(Result(tables={"t": made}), POLICY).tables["t"].frame


RATE = {"p": ("rate", "p", 2, "n", {})}
COUNTS = {"group": ["a", "b", "c"], "n": [9, 12, 23]}


def test_small_counts_go_and_others_are_rounded():
    frame = released(table(COUNTS, ["group"], {"n": ("count", "n", {})}))
    assert frame["n"].to_list() == [None, 10, 25]
    assert frame["status"].to_list() == [HIDDEN, RELEASED, RELEASED]


def test_open_data_pass_unchanged():
    made = table(COUNTS, ["group"], {"n": ("count", "n", {})}, "open")
    assert released(made).drop("status").equals(made.frame)


def test_synthetic_data_are_treated_as_patients():
    made = table(COUNTS, ["group"], {"n": ("count", "n", {})}, "synthetic")
    assert released(made)["n"].to_list() == [None, 10, 25]


def test_statistics_go_with_the_people_behind_them():
    columns = {"group": ["a", "b"], "mean": [3.0, 4.0], "n": [9, 10]}
    made = table(columns, ["group"], {"mean": ("mean", "m", 2, "n", {}), "n": ("count", "n", {})})
    assert released(made)["mean"].to_list() == [None, 4.0]


@pytest.mark.parametrize(
    ("rate", "n", "shown"), [(0.09, 100, False), (0.1, 100, True), (0.91, 100, False)]
)
def test_rates_need_people_inside_and_outside(rate, n, shown):
    made = table({"g": ["a"], "p": [rate], "n": [n]}, ["g", "n"], RATE)
    assert (released(made)["p"][0] is not None) == shown


def test_the_interval_of_a_suppressed_rate_goes_with_it():
    columns = {"g": ["a"], "p": [0.05], "low": [0.02], "n": [100]}
    values = {"p": ("rate", "p", 2, "n", {}), "low": ("model", "l", 2, "n", {"follows": "p"})}
    assert released(table(columns, ["g", "n"], values))["low"].to_list() == [None]


def test_a_single_hidden_part_takes_its_smallest_neighbour_with_it():
    columns = {"s": [1, 1, 1, 2, 2], "k": [1, 2, 3, 1, 2], "p": [0.05, 0.15, 0.8, 0.4, 0.6]}
    values = {"p": ("rate", "p", 2, "n", {"parts_of": ("s",)})}
    frame = released(table(columns | {"n": [100] * 5}, ["s", "k", "n"], values))
    assert frame["p"].to_list() == [None, None, 0.8, 0.4, 0.6]


def test_hidden_parts_together_are_not_few_either():
    columns = {"k": [1, 2, 3, 4], "p": [0.55, 0.40, 0.03, 0.02], "n": [100] * 4}
    values = {"p": ("rate", "p", 2, "n", {"parts_of": ()})}
    frame = released(table(columns, ["k", "n"], values))
    assert frame["p"].to_list() == [0.55, None, None, None]  # 3 + 2 people could be worked out
    assert frame["status"].to_list() == [
        RELEASED,
        "suppressed (protects another cell)",
        HIDDEN,
        HIDDEN,
    ]


def test_full_digits_do_not_give_the_number_of_people_away():
    columns = {"k": [1], "mean": [1 / 17], "n": [17]}
    made = table(columns, ["k"], {"mean": ("mean", "m", 1, "n", {}), "n": ("count", "n", {})})
    assert released(made)["mean"].to_list() == [0.1]


def test_numbers():
    numbers = {
        "few": Number(3.2, n=9),
        "many": Number(3.2, n=12),
        "count": Number(9, kind="count"),
        "large": Number(123, kind="count"),
        "open": Number(3, kind="count", sensitivity="open"),
    }
    found = release(Result(numbers=numbers), POLICY).numbers
    assert {k: v.value for k, v in found.items()} == {
        "few": None,
        "many": 3.2,
        "count": None,
        "large": 125,
        "open": 3,
    }
    assert found["many"].n == 10
    assert found["few"].status == HIDDEN


def test_a_result_of_a_few_people_is_refused_as_a_whole():
    with pytest.raises(DisclosureError, match="Fewer than 10 people stand behind this") as caught:
        release(Result(numbers={"verdict": Number("severity only", n=9)}), POLICY)
    assert caught.value.exit_code == 5
    release(Result(numbers={"verdict": Number("severity only", n=9, sensitivity="open")}), POLICY)


counts = st.lists(st.integers(0, 60), min_size=2, max_size=6)


@settings(deadline=None)
@given(st.lists(counts, min_size=1, max_size=4))
def test_no_hidden_part_can_be_worked_out(groups):
    """In every whole nothing is hidden, or at least two parts with enough people among them."""
    rows = [(s, k, n) for s, parts in enumerate(groups) for k, n in enumerate(parts)]
    frame = pl.DataFrame(rows, schema=["s", "k", "n"], orient="row")
    values = {"n": Value("count", "n", parts_of=("s",))}
    made = Table("T", frame, {"s": "", "k": ""}, values)
    found = released(made)
    for s, parts in enumerate(groups):
        shown = found.filter(s=s)["n"].to_list()
        rest = [a for a, b in zip(parts, shown, strict=True) if b is None]
        assert len(rest) != 1
        assert not rest or sum(rest) >= 10 or len(rest) == len(parts)
        assert all(b is None for a, b in zip(parts, shown, strict=True) if a < 10)
        assert all(b is None or b % 5 == 0 for b in shown)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0, 1), st.integers(1, 500), st.integers(0, 30)), min_size=1, max_size=8
    )
)
def test_releasing_twice_changes_nothing(rows):
    columns = {
        "g": list(range(len(rows))),
        "p": [r[0] for r in rows],
        "n": [r[1] for r in rows],
        "c": [r[2] for r in rows],
    }
    values = {
        "p": ("rate", "p", 2, "n", {"parts_of": ()}),
        "n": ("count", "n", {}),
        "c": ("count", "c", {"parts_of": ()}),
    }
    once = release(Result(tables={"t": table(columns, ["g"], values)}), POLICY)
    assert release(once, POLICY) is once
    assert release(once, Policy(5, 1)).tables["t"].frame.equals(once.tables["t"].frame)


@given(st.floats(0, 1), st.integers(1, 400))
def test_a_shown_rate_never_tells_of_few_people(rate, n):
    assume(not math.isclose(rate * n, 10) and not math.isclose((1 - rate) * n, 10))
    made = table({"g": [0], "p": [rate], "n": [n]}, ["g", "n"], RATE)
    if released(made)["p"][0] is not None:
        assert rate * n >= 10
        assert (1 - rate) * n >= 10


def grouped(**more):
    frame = pl.DataFrame(
        {
            "grouping": ["Gender"] * 2 + ["Age"] * 3,
            "level": ["female", "male", "18-25", "26-64", "65+"],
            "finished": [60, 40, 30, 50, 20],
            "recovered": [30, 20, 16, 30, 4],
        }
    )
    values = {
        "finished": Value("count", "Finished", 0, parts_of=("grouping",)),
        "recovered": Value("count", "Recovered", 0, parts_of=("grouping",), within="finished"),
    }
    keys = {"grouping": "", "level": ""}
    return Table("Groups", frame, keys, values, population="finished courses", **more)


def test_the_remainder_of_a_part_is_protected():
    """Of 60 all but 5 recovered: their number is suppressed, as that of the others would be."""
    frame = grouped().frame.with_columns(recovered=pl.Series([55, 20, 26, 34, 15]))
    found = release(Result(tables={"t": replace(grouped(), frame=frame)}), POLICY).tables["t"]
    assert found.frame.row(0) == ("Gender", "female", 60, None, HIDDEN)
    assert found.frame["finished"].null_count() == 0


def test_the_order_of_rows_and_tables_decides_nothing():
    first, other = grouped(), replace(grouped(), title="Other")
    once = release(Result(tables={"a": first, "b": other}), POLICY).tables["a"].frame
    turned = replace(first, frame=first.frame.reverse())
    again = release(Result(tables={"b": other, "a": turned}), POLICY).tables["a"].frame
    assert again.reverse().equals(once)


def test_one_count_in_two_tables_is_hidden_in_both():
    few = grouped()
    wide = replace(few, values=few.values | {"finished": Value("count", "F", 0)})
    found = release(Result(tables={"a": few, "b": wide}), POLICY).tables
    assert found["a"].frame["recovered"].equals(found["b"].frame["recovered"])


def test_what_does_not_add_up_is_an_error_of_the_program():
    wrong = grouped().frame.with_columns(finished=pl.Series([60, 41, 30, 50, 20]))
    with pytest.raises(ValueError, match=r"Table 'Groups': column 'finished' does not add up"):
        release(Result(tables={"t": replace(grouped(), frame=wrong)}), POLICY)
    more = grouped().frame.with_columns(recovered=pl.Series([61, 20, 16, 30, 35]))
    with pytest.raises(ValueError, match="'recovered' exceeds 'finished'"):
        release(Result(tables={"t": replace(grouped(), frame=more)}), POLICY)
    other = grouped().frame.with_columns(finished=pl.Series([59, 41, 30, 50, 20]))
    tables = {"a": grouped(), "b": replace(grouped(), frame=other, title="Others")}
    with pytest.raises(ValueError, match="'Groups' and 'Others' differ in a count of column"):
        release(Result(tables=tables), POLICY)


def test_declarations_that_name_nothing_are_errors_of_the_program():
    broader = {("Age", "65+"): (("Old", "yes"),)}
    with pytest.raises(ValueError, match=r"no table of its population has the broader row"):
        release(Result(tables={"t": grouped(broader=broader)}), POLICY)
    with pytest.raises(ValueError, match="'year' in its population is none of its keys"):
        release(Result(tables={"t": replace(grouped(), population="of {year}")}), POLICY)
    twice = grouped()
    twice = replace(twice, frame=pl.concat([twice.frame, twice.frame[:1]]))
    with pytest.raises(ValueError, match="two rows of the same keys"):
        release(Result(tables={"t": twice}), POLICY)


def test_a_rate_of_people_above_one_is_an_error_of_the_program():
    made = table({"g": ["a"], "p": [9.0], "n": [100]}, ["g", "n"], RATE)
    with pytest.raises(ValueError, match=r"Column 'p' is a rate of 'n' above 1"):
        released(made)


def chained(**counts):
    """Counts of three groups in two tables: which is part of which is said in one of them."""
    base = {"level": ["a", "b", "c"], **counts}
    inside = {"judged": "finished", "ill": "judged", "well": ("ill", "better"), "better": "judged"}
    inside["worse"] = "judged"

    def made(columns):
        values = {
            name: Value("count", name, 0, parts_of=(), within=inside.get(name),
                        apart_from="better" if name == "worse" else None)
            for name in columns
        }  # fmt: skip
        frame = pl.DataFrame(base).select("level", *columns)
        return Table(f"T {columns}", frame, {"level": ""}, values, "courses")

    return made


def hidden(*tables):
    found = release(Result(tables={str(i): t for i, t in enumerate(tables)}), POLICY).tables
    return {
        (name, row["level"])
        for released_table in found.values()
        for row in released_table.frame.iter_rows(named=True)
        for name in released_table.values
        if row[name] is None
    }


def test_a_part_of_a_part_leaves_a_remainder_of_the_whole():
    made = chained(finished=[100, 200, 300], judged=[96, 180, 280], ill=[94, 150, 250])
    assert ("judged", "a") in hidden(made(["finished", "judged"]))
    # the count between them is in another table, or in none
    assert ("ill", "a") in hidden(made(["finished", "judged"]), made(["judged", "ill"]))
    whole = made(["finished", "ill"])
    assert hidden(whole) == set()  # nobody said that the ill are among the finished
    between = replace(whole.values["ill"], within=("judged", "finished"))
    assert ("ill", "a") in hidden(replace(whole, values=whole.values | {"ill": between}))


def test_a_part_of_two_wholes_leaves_two_remainders():
    made = chained(ill=[100, 200, 300], better=[60, 120, 180], well=[55, 100, 150])
    assert ("well", "a") in hidden(made(["ill", "better", "well"]))
    made = chained(ill=[60, 120, 180], better=[100, 200, 300], well=[55, 100, 150])
    assert ("well", "a") in hidden(made(["ill", "better", "well"]))


def test_what_two_parts_leave_together_is_protected():
    made = chained(judged=[100, 200, 300], better=[60, 120, 180], worse=[36, 40, 60])
    assert ("worse", "a") in hidden(made(["judged", "better", "worse"]))
    alone = made(["judged", "worse"])
    assert hidden(alone) == set()


def test_what_protects_a_small_cell_is_not_said_to_be_small():
    few = grouped()
    values = {n: replace(v, parts_of=None) for n, v in few.values.items()}
    tables = {"a": few, "b": replace(few, title="Overlap", values=values)}
    found = release(Result(tables=tables), POLICY).tables
    assert found["a"].frame["status"].equals(found["b"].frame["status"])
    assert "suppressed (protects another cell)" in found["b"].frame["status"]
