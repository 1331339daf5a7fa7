"""Rates are given as released counts give them, so that they tell no more than these do."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iesoresearch.disclosure import Policy, release, review
from iesoresearch.models import proportions
from iesoresearch.results import Number, Result, Table, Value

POLICIES = [Policy(), Policy(8, 5), Policy(10, 10), Policy(10, 6, rounding="midpoint")]


def released(rows, policy=None, **declared):
    frame = pl.DataFrame(
        [(f"g{i}", k / n, max(k / n - 0.05, 0), min(k / n + 0.05, 1), n) for i, (k, n) in
         enumerate(rows)], ["g", "rate", "rate_low", "rate_high", "n"], orient="row",
    )  # fmt: skip
    ends = {f"rate_{end}": Value("model", end, 3, "n", follows="rate") for end in ("low", "high")}
    values = {"rate": Value("rate", "Rate", 3, "n", **declared)} | ends
    values |= {"n": Value("count", "People", 0)}
    table = Table("T", frame, {"g": "Group"}, values)
    k, n = rows[0]
    numbers = {"rate": Number(100 * k / n, n, "%", 1, "rate")}
    return release(Result(tables={"t": table}, numbers=numbers), policy or Policy())


def test_a_rate_is_that_of_the_rounded_counts():
    found = released([(483, 1001), (17, 52)])
    assert found.tables["t"].frame.rows() == [
        ("g0", 485 / 1000, 0.435, 0.535, 1000, "released"),
        ("g1", 15 / 50, 0.25, 0.35, 50, "released"),
    ]
    assert found.numbers["rate"].value == 48.5


def test_wilsons_interval_is_that_of_the_rounded_counts():
    """Its width would tell the counts: 344 of 366, whatever the rate is rounded to."""
    low, high = proportions.wilson(np.array([344.0]), np.array([366.0]))
    frame = pl.DataFrame({"g": ["a"], "x": [344 / 366], "x_low": low, "x_high": high, "n": [366]})
    values = {"x": Value("rate", "Rate", 3, "n"), "x_low": Value("model", "", 3, "n"),
              "x_high": Value("model", "", 3, "n"), "n": Value("count", "People", 0)}  # fmt: skip
    result = Result(tables={"t": Table("T", frame, {"g": "Group"}, values)})
    shown = release(result, Policy()).tables["t"].frame
    expected = proportions.wilson(np.array([345.0]), np.array([365.0]))
    assert shown["x"].item() == 345 / 365
    np.testing.assert_allclose(shown.select("x_low", "x_high").row(0), np.ravel(expected))


def test_what_a_model_estimated_stays_as_it_is():
    estimate = released([(483, 1001)], counted=False).tables["t"].frame
    assert estimate["rate"].to_list() == [round(483 / 1001, 4)]


def test_an_imputed_rate_is_that_of_the_nearest_count():
    frame = pl.DataFrame({"g": ["a"], "rate": [0.4321], "n": [1001]})  # 432.5, so 433 people
    values = {"rate": Value("rate", "Rate", 3, "n"), "n": Value("count", "People", 0)}
    imputed = Result(tables={"t": Table("T", frame, {"g": "Group"}, values)})
    assert release(imputed, Policy()).tables["t"].frame["rate"].to_list() == [435 / 1000]


@pytest.mark.parametrize("policy", POLICIES)
@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_people_who_cannot_be_told_apart_by_counts_cannot_by_rates(policy, data):
    """The rate is a function of the two counts as they are shown, whatever they were."""
    n = data.draw(st.integers(60, 3000))
    k = data.draw(st.integers(policy.min_count, n - policy.min_count))
    low, high = policy.shown_as(policy.rounded(n))
    other_n = data.draw(st.integers(low, high))
    low, high = policy.shown_as(policy.rounded(k))
    least, most = policy.min_count, other_n - policy.min_count
    other_k = data.draw(st.integers(max(low, least), max(min(high, most), max(low, least))))
    one, other = released([(k, n)], policy), released([(other_k, other_n)], policy)
    if None not in (*one.tables["t"].frame["rate"], *other.tables["t"].frame["rate"]):
        assert one.tables["t"].frame["rate"][0] == other.tables["t"].frame["rate"][0]
        assert one.numbers["rate"].value == other.numbers["rate"].value


@pytest.mark.parametrize("policy", POLICIES)
def test_the_review_lets_it_pass(policy):
    rows = [(483, 1001), (17, 52), (40, 67), (333, 999)]
    found = review.outputs({"run": released(rows, policy)}, policy)
    assert {one.status for one in found if one.output == "table:t"} == {"pass"}


def mean_of(total, n):
    frame = pl.DataFrame({"g": ["a", "b"], "mean": [total / n, 12.3456], "n": [n, 3000]})
    values = {"mean": Value("mean", "Mean", 2, "n"), "n": Value("count", "People", 0)}
    numbers = {"mean": Number(total / n, n, digits=2, kind="mean")}
    return Result(tables={"t": Table("T", frame, {"g": "Group"}, values)}, numbers=numbers)


@pytest.mark.parametrize("policy", POLICIES)
def test_a_mean_of_few_people_has_no_digits_that_tell_how_many(policy):
    """187 / 13 = 14.38 is of 13 or 16 people, though 15 are shown."""
    found = release(mean_of(187, 13), policy)
    assert found.tables["t"].frame["mean"].to_list() == [14.4, 12.3]
    assert found.numbers["mean"].value == 14.4
    assert {one.status for one in review.outputs({"run": found}, policy)} == {"pass"}


def test_a_mean_of_many_people_keeps_its_digits():
    found = release(mean_of(187 * 1000, 13_000), Policy())
    assert found.tables["t"].frame["mean"].to_list() == [14.385, 12.346]
    assert found.numbers["mean"].value == 14.385


@pytest.mark.parametrize("inside", [4, 96])
def test_a_number_hides_few_people_in_it_and_few_that_are_not(inside):
    found = release(Result(numbers={"x": Number(1.0 * inside, 100, "%", 1, "rate")}), Policy())
    assert (found.numbers["x"].value, found.numbers["x"].n) == (None, None)
