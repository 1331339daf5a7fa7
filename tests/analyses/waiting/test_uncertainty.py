"""What matters, other assumptions, the price of removing a wait, and the model beside England."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from iesoresearch.analyses.waiting import Params, inputs, learning, oneway, strategies, study
from iesoresearch.analyses.waiting.computed import Computed, model_of
from iesoresearch.analyses.waiting.perspectives import CASH, HEALTH, STANDARD, WORK
from iesoresearch.analyses.waiting.scenarios import MOST_DRAWS
from iesoresearch.analyses.waiting.sentence import headline
from iesoresearch.analyses.waiting.strategies import AT_ONCE, USUAL
from iesoresearch.analyses.waiting.validity import Validity
from iesoresearch.analyses.waiting.whole import Whole
from iesoresearch.models.waiting import finished_course
from iesoresearch.params import Settings

SMALL = {"n_draws": 800, "queue_referrals": 500, "queue_replications": 2}


def analysed(**changes):
    params = Params(**SMALL | changes)
    return Whole(Computed(study.load(params, Settings(n_jobs=2)), params))


@pytest.fixture(scope="module")
def found():
    return analysed()


@pytest.fixture(scope="module")
def service():
    return analysed(effect="one service")


# What matters


def test_inputs_explain_shares_of_the_cost_and_not_of_a_decision(found):
    frame = learning.shares(found.learning).frame
    assert frame["share"].is_between(0, 100).all()
    single = frame.filter(pl.col("rests_on") != "group")
    sums = single.group_by("condition", maintain_order=True).agg(pl.col("share").sum())["share"]
    assert ((sums > 70) & (sums < 115)).all(), "no strong interactions, so about 100"
    work = "Value of a week's work"
    assert single.filter(condition="depression", input=work)["share"].item() > 1
    assert single.filter(condition="anxiety", input=work).is_empty()


def test_assumptions_have_their_part_of_the_value_of_information(found):
    worth = {name: learnt.by_input for name, learnt in found.learning.items()}
    shown = inputs.assumptions(found.computed.data.inputs, found.computed.params, worth).frame
    evppi = learning.partial(found.learning).frame.filter(view=learning.NHS)
    for condition in found.learning:
        row = evppi.filter(condition=condition, input=inputs.ASSUMED).row(0, named=True)
        part = 100 * row["value"] / row["evpi"]
        assert shown[f"evppi_{condition}"][0] == f"{part:.0f}", "all of them, in the first row"
        single = evppi.filter(condition=condition, rests_on="assumption").to_dicts()
        expected = {r["input"]: f"{100 * r['value'] / r['evpi']:.0f}" for r in single}
        here = shown.filter(pl.col("condition").is_in([condition, "both"]))
        seen = dict(here.select("label", f"evppi_{condition}").iter_rows())
        both = expected.keys() & seen.keys()
        assert len(both) > 5
        assert {label: seen[label] for label in both} == {label: expected[label] for label in both}


def test_what_explains_most_is_the_first_of_the_table(found):
    for condition, learnt in found.learning.items():
        rows = learning.shares(found.learning).frame.filter(condition=condition)
        top = rows.filter(pl.col("rests_on") != "group")["input"][0]
        assert oneway.label(learnt.inputs[learnt.first]) == top


def test_the_place_of_a_service_is_learnt_only_where_it_is_drawn(found, service):
    assert "effect_place" not in found.learning["depression"].inputs
    learnt = service.learning["depression"]
    assert learnt.inputs["effect_place"][0].status == "derived"
    assert learnt.share("effect_place") > 20


def test_no_sum_over_england_of_what_one_service_would_learn(found):
    patients = found.computed.data.england.courses
    for one_service, summed in ((False, True), (True, False)):
        frame = strategies.worth(found.decisions, patients, one_service).frame
        assert ("all" in frame.columns) is summed


def test_the_pair_is_the_decision_without_the_other_strategies(found):
    for decision in found.decisions.values():
        both = decision.benefit(20_000.0)[:, [AT_ONCE, USUAL]]
        np.testing.assert_allclose(decision.pair(), both, atol=1e-6)
    one = found.decisions["depression"]
    work = one.pair((CASH, WORK, HEALTH)) - one.pair()
    lost = one.one.outcome.productivity[:, one.one.place, [0, one.typical]]
    np.testing.assert_allclose(work, -lost, atol=1e-6)


# One and two inputs at a time


def test_the_cost_of_the_wait_by_one_input_is_that_of_the_model(found):
    analysis = found.oneway["depression"]
    bar = next(b for b in analysis.of_waiting if b.name == "dropout_per_week")
    value = {x.name: np.array([x.value] * 2) for x in found.computed.data.inputs}
    value["dropout_per_week"] = np.array([0.0, 0.02])
    one = found.computed.base["depression"]
    outcome = model_of("depression", found.computed.params).evaluate(value, [0, STANDARD])
    total = headline(one)[-1].total(outcome, one.instrument)[:, one.place]
    np.testing.assert_allclose(bar.cost, total[:, 1] - total[:, 0])


def test_two_inputs_at_once_meet_one_at_a_time_in_the_middle(found):
    rows = oneway.together(found.oneway).frame.filter(condition="depression")
    bars = {b.name: b for b in found.oneway["depression"].of_waiting}
    drop, effect = bars["dropout_per_week"], bars["therapy effect"]
    middle = rows.row(2, named=True)
    assert (middle["drop_0"], middle["drop_4"]) == pytest.approx(drop.cost)
    assert (rows["drop_2"][0], rows["drop_2"][4]) == pytest.approx(effect.cost)
    assert middle["drop_2"] == pytest.approx(drop.base_cost)


def test_drop_out_has_one_range(found):
    (x,) = (x for x in found.computed.data.inputs if x.name == "dropout_per_week")
    assert (x.low, x.high) == (x.parameters["low"], x.parameters["high"]) == (0.0, 0.02)


# Other assumptions


def test_scenarios_hold_every_wait_and_one_base_case_each(found):
    frame = found.scenarios.table.frame
    assert frame.filter(base="base case")["condition"].to_list() == ["depression", "anxiety"]
    row = frame.filter(base="base case", condition="depression").row(0, named=True)
    one = found.computed.base["depression"]
    for wait, name in zip(found.computed.waits, ("typical", "both", "", "standard", "year"),
                          strict=True):  # fmt: skip
        if not name:
            continue
        cost = one.cost(headline(one)[-1], wait)[:MOST_DRAWS, one.place]
        shown = row["cost" if name == "standard" else f"cost_{name}"]
        assert shown == pytest.approx(cost.mean(), abs=0.5)
        course = one.course[:MOST_DRAWS, one.place]
        assert row[name] == pytest.approx(100 * (cost > course).mean(), abs=1e-9)
        assert row[f"far_{name}"] == pytest.approx(100 * (cost > 2 * course).mean(), abs=1e-9)


def test_attrition_makes_the_savings_of_waiting(found):
    """Nobody leaves and all are treated: next to no course is saved."""
    rows = found.scenarios.table.frame.filter(condition="depression", instrument="SF-6D")
    cash = dict(
        rows.filter(pl.col("other") != "as in the base case").select("other", "cash").rows()
    )
    base = rows.filter(base="base case")["cash"].item()
    assert cash["3 % a week leave the list"] < base < cash["nobody leaves the list"]
    assert base < cash["therapy also for who recovered"]
    cost = dict(rows.select("other", "cost").rows())
    assert cost["52 % go on after the first session"] < rows.filter(base="base case")["cost"].item()


# The price of removing a wait


def test_a_week_is_even_with_its_price_at_the_spread_that_is_said(found):
    frame = strategies.removing(found.decisions, found.computed.params).frame
    for condition, decision in found.decisions.items():
        rows = frame.filter(pl.col("condition").str.starts_with(condition))
        whole = rows.row(-1, named=True)
        course = decision.one.course[:, decision.one.place].mean()
        assert course / float(whole["even"]) == pytest.approx(whole["sooner"], rel=0.05)
        assert whole["at_26"] <= whole["at_52"] <= whole["pays"] <= whole["at_208"]
        assert rows["even"][0] == "never", "cash alone is saved by waiting"


def test_a_strategy_is_laid_against_the_usual_wait(found):
    decision = found.decisions["depression"]
    assert decision.against_usual(USUAL) == "–"
    qaly = (decision.effects[:, AT_ONCE] - decision.effects[:, USUAL]).mean()
    cost = (decision.costs[:, AT_ONCE] - decision.costs[:, USUAL]).mean()
    assert decision.against_usual(AT_ONCE) == f"£{cost / qaly:,.0f} per QALY gained"
    free = replace(decision, spread_weeks=1e9)
    assert ("cheaper and better" in free.against_usual(AT_ONCE)) == (
        (free.costs[:, AT_ONCE] - free.costs[:, USUAL]).mean() < 0
    )


# The model beside England


def test_the_base_case_recovers_as_many_as_england_publishes(found):
    """49.6 % of finished courses for depression, 2024-25 annual report."""
    validity = found.validity
    assert validity.published == 49.6
    assert validity.base == ("waiting list", "average service")
    check = validity.check()
    assert check.status == "passed"
    assert "points above the 49.6 % published" in check.sentence
    assert "GAD-7 must be below caseness as well" in check.sentence


def test_slow_recovery_falls_short_and_the_check_says_so():
    validity = Validity(analysed(recovery="severity-specific").computed)
    check = validity.check()
    assert check.status == "failed"
    assert "points below the 49.6 % published" in check.sentence


def test_recovery_in_the_table_is_that_of_the_model(found):
    validity = found.validity
    row = validity.table.frame.filter(base="base case").row(0, named=True)
    one = found.computed.base["depression"]
    draws = {name: x[:500] for name, x in one.draws.items()}
    course = finished_course(model_of("depression", found.computed.params), draws, 3)
    assert row["treated"] == pytest.approx(100 * course.treated.mean())
    assert row["apart"] == pytest.approx(row["treated"] - 49.6)
    assert row["untreated"] == pytest.approx(100 * course.untreated.mean())
    assert len(validity.table.frame) == 5 * (2 + len(found.computed.data.effects))
