"""What people mistype in a case, and what they are told: the place, and what to write instead."""

import pytest

from iesoresearch.errors import ParameterError
from iesoresearch.models.cases import parse, run
from iesoresearch.project import find

EXAMPLES = find().params / "cases" / "examples"
ROW = "{alive: rest, dead: 0.1}"


def changed(old: str, new: str, name: str = "minimal") -> str:
    text = (EXAMPLES / f"{name}.yaml").read_text(encoding="utf-8")
    assert old in text
    return text.replace(old, new, 1)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("  dead: stay", " dead: stay", r"near line 16.*indentation differs"),
        ("  dead: stay", "\tdead: stay", r"near line 16.*indent with spaces"),
        ("title: Two states", "title: Two: states", r"near line 4.*quotes around a text"),
        ("title: Two states", "title: '1", r"a quote or a bracket is not closed"),
        ("{cost: 190}}", "*nothing}", r"no &name stands above for this \*name"),
        ("format: 1", "a: 1\n---\nformat: 1", r"a file holds one case"),
        (ROW, "{alive: rest, dead: 0,1}", r"line 15: '1' has no value.*Decimals have a point"),
        ("alive: 100,", "alive: 1,000,", r"line 18: '000' has no value.*thousands no comma"),
        ("dead: stay", "dead: sty", r"transitions\.dead \(line 16\): 'sty' is no row: write stay"),
        (ROW, "{dead: 0.1}", r"transitions\.alive \(line 15\): the row sums to 0\.1 .* rest for"),
        (ROW, "{alive: 0.95, dead: 0.1}", r"the row sums to 1\.05 instead of 1"),
        (ROW, "{alive: 1 - 0.1 * time, dead: 0.1}", r"the row sums to 0\.9 in cycle 2 instead"),
        (ROW, "{alive: rest, dead: 0.3^2}", r"may not hold \^ \(a power is \*\*\)"),
        (ROW, "{alive: rest, dead: ifelse(time, 0.1, 0)}", r"'ifelse' \(write a if condition"),
        (ROW, "{alive: rest, dead: -ln(0.9)}", r"'ln' \(the natural logarithm is log\)"),
        (ROW, "{alive: rest, dead: exp(-2}", r"'exp\(-2' is not an .*parentheses do not match"),
    ],
)
def test_a_slip_is_named_with_its_place_and_the_remedy(old, new, told):
    with pytest.raises(ParameterError, match=told):
        run(parse(changed(old, new), "case.yaml"))


def test_a_tree_says_where_its_probabilities_do_not_sum_to_one():
    text = changed(
        "        well: {p: rest}\n  test first", "        well: {p: 0.7}\n  test first", "tree"
    )
    with pytest.raises(
        ParameterError, match=r"treat all\.tree .* at the root the prob.* sum to 0\.9"
    ):
        run(parse(text, "tree.yaml"))


def test_a_missing_function_is_one_problem_not_two():
    with pytest.raises(ParameterError, match="has 1 problem,"):
        parse(changed(ROW, "{alive: rest, dead: ifelse(time < 2, 0.1, 0)}"), "case.yaml")


@pytest.mark.parametrize(
    "row",
    [
        "{alive: rest, dead: min(0.1, 0.5)}",
        "{alive: rest, dead: min(max(0.1, 0.05), min(0.2, 0.5))}",
        "{dead: max(0.05, 0.1), alive: rest}",
        "[rest, min(0.1, 0.5)]",
        "[1 - min(0.1, 0.5), 0.1]",
        '{alive: rest, dead: "min(0.1, 0.5)"}',
    ],
)
def test_a_comma_within_parentheses_belongs_to_the_value(row):
    report = run(parse(changed(ROW, row), "case.yaml"))
    assert report.ok
    assert len(report.rows) == 6


def test_a_distribution_between_braces_needs_no_quotes():
    text = changed('"normal(low=1, high=9)"', "normal(low=1, high=9)", "probabilistic")
    text = text.replace("psa: {draws: 20000", "psa: {draws: 200")
    case = parse(text, "case.yaml")
    assert case.parameters["normal_interval"].distribution is not None


def test_what_is_cheaper_can_be_asked_without_an_effect():
    text = """
format: 1
id: costs
title: Costs alone
kind: decision_tree
source: {note: invented, licence: not applicable}
parameters: {price: {value: 5, distribution: uniform(low=0, high=10)}}
rewards: {cost: {kind: cost}}
strategies:
  old: {tree: {payoffs: {cost: 2}}}
  new: {tree: {payoffs: {cost: price}}}
psa: {draws: 4000, seed: 1}
expected:
  tolerance: {probability: 0.03, cost: 0.3}
  psa:
    probability_less_costly: {new: {versus: old, value: 0.2}}  # 2 of 10
    incremental: {new: {versus: old, cost: 3}}
"""
    assert run(parse(text, "costs.yaml")).ok
    with pytest.raises(ParameterError, match="there is no reward of kind effect"):
        parse(text.replace("probability_less_costly", "probability_more_effective"), "costs.yaml")
    with pytest.raises(ParameterError, match="of kind cost and one of kind effect"):
        parse(text.replace("probability_less_costly", "probability_dominant"), "costs.yaml")


def test_each_psa_probability_compares_what_it_says():
    text = """
format: 1
id: both
title: Cost and effect drawn apart
kind: decision_tree
source: {note: invented, licence: not applicable}
parameters:
  price: {value: 5, distribution: uniform(low=0, high=10)}
  gain: {value: 0.5, distribution: uniform(low=0, high=1)}
rewards: {cost: {kind: cost}, gained: {kind: effect}}
strategies:
  old: {tree: {payoffs: {cost: 2, gained: 0.4}}}
  new: {tree: {payoffs: {cost: price, gained: gain}}}
psa: {draws: 20000, seed: 1}
expected:
  tolerance: {probability: 0.015}
  psa:
    probability_less_costly: {new: {versus: old, value: 0.2}}
    probability_more_effective: {new: {versus: old, value: 0.6}}
    probability_dominant: {new: {versus: old, value: 0.12}}  # independent: 0.2 × 0.6
    probability_cost_effective: {new: {versus: old, wtp: 0, value: 0.2}}
"""
    assert run(parse(text, "both.yaml")).ok
