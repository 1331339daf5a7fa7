"""Whole models against the same models written out in plain Python."""

import math

import numpy as np
import pytest

from iesoresearch.models.cases import parse, run
from iesoresearch.project import find

EXAMPLES = find().params / "cases" / "examples"


def text_of(name: str) -> str:
    return (EXAMPLES / f"{name}.yaml").read_text(encoding="utf-8")


def last_at_or_below(points, age):
    return [value for at, value in points if at <= age][-1]


def hip(cycles: int, ratio: float, price: float) -> tuple[float, float]:
    """Cost and QALYs of the example, step by step."""
    men, shape = 0.35, 1.5
    rates = [[(50, 0.006), (60, 0.014), (70, 0.035)], [(50, 0.004), (60, 0.009), (70, 0.022)]]
    hazard = math.exp(-6 - 0.02 * 59 + 0.6 * men) * ratio
    well, revision, first, later = 1.0, 0.0, 0.0, 0.0
    cost, qaly = price, 0.0
    for time in range(1, cycles + 1):
        dying = [1 - math.exp(-last_at_or_below(each, 58 + time)) for each in rates]
        alive = 1 - (men * dying[0] + (1 - men) * dying[1])
        p = 1 - math.exp(hazard * ((time - 1) ** shape - time**shape))
        after = (
            well * alive * (1 - p),
            alive * (well * p + first * 0.04 + later * 0.02),
            revision * alive * 0.98,
            alive * (first * 0.96 + later * 0.98),
        )
        mean = [(a + b) / 2 for a, b in zip((well, revision, first, later), after, strict=True)]
        factor = 1.035 ** -(time - 1)
        cost += factor * 5000 * mean[1]
        qaly += factor * (0.85 * mean[0] + 0.3 * mean[1] + 0.75 * (mean[2] + mean[3]))
        well, revision, first, later = after
    return cost, qaly


@pytest.mark.parametrize("cycles", [3, 25])
def test_a_hip_model_is_its_own_arithmetic(cycles):
    case = parse(text_of("hip").replace("cycles: 3", f"cycles: {cycles}"), "hip.yaml")
    totals = run(case).totals
    for name, ratio, price in (("standard", 1.0, 500), ("new", 0.4, 900)):
        cost, qaly = hip(cycles, ratio, price)
        assert totals[name]["cost"] == pytest.approx(cost, rel=1e-12)
        assert totals[name]["qaly"] == pytest.approx(qaly, rel=1e-12)


SICK = """
format: 1
id: sick
title: Worse with every year of being sick
kind: markov_cohort
source: {note: invented, licence: not applicable}
currency: USD
cycle: 1 year
cycles: 12
states: [H, S1, S2, D]
clocks: {sick: {states: [S1, S2], cycles: 12}}
start: {H: 1}
count: all
discount: {rate: 0.03, per: year}
parameters:
  modifier: 1
  r_S1: rate_to_probability(0.015 * (1 + 0.2 * time_in_state))
  r_S2: rate_to_probability(0.05 * (1 + 0.2 * time_in_state))
individuals: {modifier: "uniform(low=0.95, high=1.05)"}
transitions:
  H: {H: rest, S1: 0.15, D: 0.005}
  S1: {H: 0.5, S1: rest, S2: 0.105, D: r_S1}
  S2: {S2: rest, D: r_S2}
  D: stay
rewards:
  cost: {kind: cost, values: {H: 2000, S1: 16000, S2: 27000 + 100 * time_in_state, D: 0}}
  qaly:
    kind: effect
    values: {H: 1, S1: 0.95 * modifier - 0.03 * time_in_state, S2: 0.5, D: 0}
strategies: {only: }
microsimulation: {individuals: 20000, seed: 3}
expected: {tolerance: {cost: 1e9}, totals: {only: {cost: 0}}}
"""


def test_people_who_remember_and_differ_are_their_own_arithmetic():
    """A loop over (state, years of being sick), a dictionary of probabilities."""
    alive = {("H", 0): 1.0}
    cost = qaly = 0.0
    for t in range(13):
        for (state, k), p in alive.items():
            factor = p * 1.03**-t
            cost += factor * {"H": 2000, "S1": 16000, "S2": 27000 + 100 * k}[state]
            qaly += factor * {"H": 1.0, "S1": 0.95 - 0.03 * k, "S2": 0.5}[state]
        after: dict = {}
        for (state, k), p in alive.items():
            dying = {"H": 0.005, "S1": 1 - math.exp(-0.015 * (1 + 0.2 * k))}
            dying["S2"] = 1 - math.exp(-0.05 * (1 + 0.2 * k))
            moves = {"H": {"S1": 0.15}, "S1": {"H": 0.5, "S2": 0.105}, "S2": {}}[state]
            stay = 1 - sum(moves.values()) - dying[state]
            for to, share in {**moves, state: stay}.items():
                years = 0 if to == "H" else min(k + 1, 12)
                after[to, years] = after.get((to, years), 0.0) + p * share
        alive = after
    report = run(parse(SICK, "sick.yaml"))
    assert report.totals["only"]["cost"] == pytest.approx(cost, rel=1e-12)
    assert report.totals["only"]["qaly"] == pytest.approx(qaly, rel=1e-12)
    twins = [row for row in report.rows if row.quantity.startswith("microsimulation against")]
    assert len(twins) == 3  # cost, qaly, and effect, which is the same
    assert all(row.ok and row.tolerance < 0.05 * row.expected for row in twins)


def test_a_report_says_what_was_computed():
    report = run(parse(text_of("starts"), "starts.yaml"))
    assert report.totals["usual"] == {"cost": 73000, "effect": 590, "qaly": 590}
    assert [(s.name, s.status) for s in report.incremental] == [
        ("early", "on frontier"),
        ("usual", "dominated"),
    ]
    assert report.undiscounted == report.totals
    assert report.findings == ()
    row = report.rows[0]
    assert (row.quantity, row.expected, row.tolerance, row.ok) == (
        "cost of usual",
        73000,
        1e-6,
        True,
    )


def test_draws_are_repeated_and_another_seed_gives_others():
    case = parse(text_of("counts_drawn"), "x.yaml")
    once, again, other = ([row.computed for row in run(case, seed=seed).rows] for seed in (0, 0, 1))
    assert once == again
    assert once != other


def test_draws_of_a_parameter_do_not_depend_on_the_others():
    case = parse(text_of("probabilistic"), "x.yaml")
    fewer = parse(
        text_of("probabilistic").replace('distribution: "uniform(low=1, high=3)"', "note: x"), "x"
    )
    wanted, found = ([r for r in run(c).rows if "sd" in r.quantity] for c in (case, fewer))
    assert [r.computed for r in wanted] == [r.computed for r in found]


def test_strategies_do_not_depend_on_their_order():
    text = text_of("starts")
    first, second = "  usual:\n", "  early: {start: {mild: 0.5, severe: 0.5}}\n"
    assert first + second in text
    turned = text.replace(first + second, second + first)
    assert run(parse(turned, "x")).totals == run(parse(text, "x")).totals


def test_a_threshold_that_is_not_between_the_ends_is_no_number():
    text = text_of("thresholds").replace("between: [0, 5000]", "between: [0, 10]", 1)
    rows = {row.quantity: row for row in run(parse(text, "x")).rows}
    assert np.isnan(rows["threshold worth its price"].computed)
    assert not rows["threshold worth its price"].ok


DRUG = """
format: 1
id: drug
title: A drug whose price is not known
kind: decision_tree
source: {note: invented, licence: not applicable}
currency: GBP
wtp: 20000
parameters:
  price: {value: 1000, distribution: normal(sd=500)}
  gain: {value: 0.05, distribution: fixed}
rewards: {cost: {kind: cost}, qaly: {kind: effect}}
strategies:
  none: {tree: {payoffs: {cost: 0, qaly: 0}}}
  drug: {tree: {payoffs: {cost: price, qaly: gain}}}
psa: {draws: 40000, seed: 5}
expected:
  tolerance: {probability: 0.01, cost: 10, icer: 200}
  psa:
    # Net benefit is normal with mean 0 and standard deviation 500: EVPI 500 / sqrt(2 pi).
    evpi: {wtp: 20000, value: 199.471140, tolerance: 6}
    incremental: {drug: {versus: none, cost: 1000, icer: 20000, verdict: ratio}}
    probability_best: {drug: {wtp: 20000, value: 0.5}}
    # Cheaper than nothing: Phi(-2)
    probability_dominant: {drug: {versus: none, value: 0.022750}}
    probability_less_costly: {drug: {versus: none, value: 0.022750}}
    probability_more_effective: {drug: {versus: none, value: 1}}
"""


def test_a_probabilistic_analysis_meets_its_closed_forms():
    report = run(parse(DRUG, "drug.yaml"))
    assert len(report.rows) == 8
    assert report.ok
