"""k and l beside their definitions, counted in plain Python."""

import math
from collections import Counter, defaultdict

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iesoresearch.library.extract import identifiability as ident
from iesoresearch.library.extract.identifiability import Asked

QUASI = ["gender", "deprivation_decile"]
_ROW = st.tuples(
    st.sampled_from("abcdef"),
    st.sampled_from(["female", "male", None]),
    st.sampled_from([1, 2, 9, None]),
    st.sampled_from(["x", "y", "z", None]),
)
ROWS = st.lists(_ROW, min_size=1, max_size=14)


def frame(rows):
    return pl.DataFrame(
        rows,
        schema={
            "patient_id": pl.String,
            "gender": pl.String,
            "deprivation_decile": pl.UInt8,
            "problem": pl.String,
        },
        orient="row",
    )


def people_by_class(rows):
    """Quasi-identifiers -> patients, by the definition."""
    found = defaultdict(set)
    for person, *quasi, _ in rows:
        found[tuple(quasi)].add(person)
    return found


@settings(deadline=None, max_examples=50)
@given(ROWS)
def test_k_is_the_size_of_the_smallest_class_in_patients(rows):
    sizes = {key: len(people) for key, people in people_by_class(rows).items()}
    assert ident.anonymity(frame(rows), QUASI) == min(sizes.values())
    assert ident.classes(frame(rows), QUASI).height == len(sizes)
    below = {p for key, people in people_by_class(rows).items() if sizes[key] < 3 for p in people}
    assert ident.below(frame(rows), QUASI, Asked(3)).to_list() == sorted(below)


@settings(deadline=None, max_examples=50)
@given(ROWS)
def test_l_counts_values_and_their_entropy_in_the_least_varied_class(rows):
    values = defaultdict(set)
    for person, *quasi, value in rows:
        values[tuple(quasi)].add((person, value))
    counts = [Counter(v for _, v in pairs) for pairs in values.values()]
    entropies = []
    for found in counts:
        n = sum(found.values())
        entropies.append(-sum(c / n * math.log(c / n) for c in found.values()))
    got = ident.diversity(frame(rows), QUASI, "problem")
    assert got.distinct == min(len(found) for found in counts)
    assert got.entropy == pytest.approx(math.exp(min(entropies)))
    assert got.entropy <= got.distinct + 1e-9


def poor(rows, asked):
    """Patients in classes that lack something, by the definition."""
    values = defaultdict(set)
    for _, *quasi, value in rows:
        values[tuple(quasi)].add(value)
    return {
        person
        for key, people in people_by_class(rows).items()
        for person in people
        if len(people) < asked.k or (asked.sensitive and len(values[key]) < asked.l)
    }


ASKED = st.builds(Asked, st.integers(2, 4), st.integers(1, 3), st.sampled_from([(), ("problem",)]))


@settings(deadline=None, max_examples=50)
@given(ROWS, ASKED)
def test_what_is_left_after_suppression_has_what_is_asked_and_nobody_went_needlessly(rows, asked):
    out = set(ident.suppressed(frame(rows), QUASI, asked).to_list())
    left = [row for row in rows if row[0] not in out]
    again = rows
    while few := poor(again, asked):
        again = [row for row in again if row[0] not in few]
    assert left == again
    if left:
        assert ident.anonymity(frame(left), QUASI) >= asked.k
        for name in asked.sensitive:
            assert ident.diversity(frame(left), QUASI, name).distinct >= asked.l


@settings(deadline=None, max_examples=25)
@given(ROWS, ASKED)
def test_proposals_end_where_the_limits_are_reached_and_tell_what_they_lead_to(rows, asked):
    table = frame(rows)
    steps = ident.proposals(table, QUASI, asked, {})
    assert (steps == []) == (ident.below(table, QUASI, asked).len() == 0)
    quasi = list(QUASI)
    for step in steps:
        table = ident.generalise.applied(table, {step.column: step.level})
        if step.level == "none":
            quasi.remove(step.column)
        assert step.k == ident.anonymity(table, quasi)
        assert step.below == ident.below(table, quasi, asked).len()
    if steps:
        assert steps[-1].below == 0 or not quasi


def test_the_step_that_leaves_fewest_is_proposed_first():
    rows = [(f"p{i}", "female", 1 + i % 10, "x") for i in range(20)]
    rows += [("q1", "male", 1, "x"), ("q2", "male", 1, "x")]
    first = ident.proposals(frame(rows), QUASI, Asked(5), {})[0]
    # without deciles only the two men are few; without gender nearly everybody still is
    assert (first.column, first.level, first.below) == ("deprivation_decile", "none", 2)


def test_without_quasi_identifiers_everybody_is_alike():
    table = frame([("a", "male", 1, "x"), ("b", "female", 2, "x")])
    assert ident.anonymity(table, []) == 2
    assert ident.below(table, [], Asked(3)).to_list() == ["a", "b"]
    assert ident.diversity(table, [], "problem").distinct == 1
    assert ident.measure(table.clear(), QUASI, Asked(5, 1, ("problem",))).k == 0


def test_the_report_counts_patients_who_are_alone():
    table = frame(
        [("a", "male", 1, "x"), ("a", "male", 1, "y"), ("b", "male", 2, "x"), ("c", "male", 2, "x")]
    )
    report = ident.measure(table, QUASI, Asked(2, 1, ("problem",)))
    assert (report.k, report.unique, report.below, report.n_patients) == (1, 1, 1, 3)
    assert report.alone == {"gender": 0, "deprivation_decile": 1}


def _contacts(rows):
    table = pl.DataFrame(rows, schema=["referral_id", "session", "date"], orient="row")
    return table.with_columns(pl.col("date").str.to_date())


def test_courses_are_equal_where_appointments_lie_equally_far_apart():
    table = _contacts(
        [
            ("a", 2, "2020-01-08"), ("a", 1, "2020-01-01"),
            ("b", 1, "2021-05-03"), ("b", 2, "2021-05-10"),  # shifted, same distances
            ("c", 1, "2020-01-01"), ("c", 2, "2020-01-09"),
            ("d", 1, "2020-01-01"), ("e", 2, "2022-01-01"),
            ("f", 1, None), ("f", 2, "2020-01-09"), ("g", 1, None),
        ]
    )  # fmt: skip
    found = dict(ident.course(table).iter_rows())
    assert found["a"] == found["b"] != found["c"]
    assert found["d"] == found["e"]
    assert len({found[name] for name in "acdfg"}) == 5
    people = pl.DataFrame({"patient_id": list(found), "course": list(found.values())})
    assert ident.alone_in_course(people) == 3  # c, f, g
    without = dict(ident.course(table.drop("date")).iter_rows())
    assert len(set(without.values())) == 2  # one appointment or two
    assert ident.course(table.clear()).is_empty()
