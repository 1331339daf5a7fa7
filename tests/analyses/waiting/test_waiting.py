"""The sentence under test: laws of the tables, a verdict that can be either, what is said of it."""

import string
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from iesoresearch import analyses
from iesoresearch.analyses.waiting import (
    Params,
    break_even,
    catarino,
    declared,
    oneway,
    perspectives,
    sentence,
    setting,
    study,
)
from iesoresearch.analyses.waiting.computed import Computed, Data
from iesoresearch.analyses.waiting.england import BOTH, FIRST, SECOND, England
from iesoresearch.analyses.waiting.equity import by_decile, whole
from iesoresearch.analyses.waiting.strategies import AT_ONCE, USUAL, decisions
from iesoresearch.analyses.waiting.text import answer
from iesoresearch.data.health_economics import load_inputs
from iesoresearch.disclosure import Policy, release
from iesoresearch.errors import DataError, ParameterError
from iesoresearch.params import Settings

SMALL = {"n_draws": 800, "queue_referrals": 500, "queue_replications": 2}


def computed(change=lambda x: x, n_jobs=1, **params):
    """The base case with inputs that `change` may alter."""
    inputs = tuple(change(x) for x in load_inputs())
    return Computed(Data(inputs, England.read(inputs), {}, 1, n_jobs), Params(**SMALL | params))


def fixed(x, value):
    """An input that is `value` in every draw."""
    return replace(
        x, value=value, low=value, high=value, distribution="fixed", parameters={}, together=None
    )


@pytest.fixture(scope="module")
def base():
    return computed()


@pytest.fixture(scope="module")
def result():
    params = Params(**SMALL)
    found = study.run(study.load(params, Settings(n_jobs=2)), params)
    return release(found, Policy())


# Laws of the tables


def test_no_wait_costs_nothing(result):
    rows = result.tables["by_week"].frame.filter(week=0)
    assert len(rows) == 4 * 5 + 3 * 4
    assert not rows.select("cost", "cost_low", "cost_high").to_numpy().any()


def test_care_and_therapy_make_cash(result):
    wide = result.tables["by_week"].frame.pivot(
        "part", index=["condition", "band", "week"], values="cost"
    )
    made = wide["NHS care besides therapy"] + wide["NHS therapy"]
    assert made.to_numpy() == pytest.approx(wide["NHS cash, both together"].to_numpy(), abs=1.01)


@pytest.mark.parametrize("condition", ["depression", "anxiety"])
def test_what_is_counted_is_the_sum_of_its_parts(base, condition):
    one = base.base[condition]
    parts = sentence.components(one)
    for perspective in one.perspectives:
        added = sum(
            parts[part] * (perspective.wtp / one.thresholds[0] if part == "health" else 1.0)
            for part in perspective.parts
        )
        np.testing.assert_allclose(added, one.by_week(perspective), atol=1e-7)


def test_a_qaly_is_valued_and_never_cash(base):
    """Ten times the value of a QALY changes health ten times, and cash not at all."""
    dear = computed(thresholds=[200_000.0])
    for name, one in base.base.items():
        ours, other = (sentence.components(x) for x in (one, dear.base[name]))
        np.testing.assert_array_equal(ours["cash"], other["cash"])
        np.testing.assert_allclose(10 * ours["health"], other["health"], rtol=1e-9, atol=1e-9)


def test_work_is_not_made_up_for_anxiety(result):
    parts = result.tables["patient_week"].frame.filter(condition="anxiety")["part"].unique()
    assert not [part for part in parts if "work" in part]
    anxiety = pl.col("condition").str.starts_with("anxiety")
    counted = result.tables["verdict"].frame.filter(anxiety)["perspective"]
    assert not [name for name in counted if "work" in name]


def test_both_waits_cost_more_health_than_the_first(base):
    first, both = base.waits[:2]
    for one in base.base.values():
        assert (one.lost(both).mean(0) > one.lost(first).mean(0)).all()


def test_results_do_not_depend_on_threads(base):
    other = computed(n_jobs=2)
    for make in (sentence.usual, sentence.by_week):
        assert make(base).frame.equals(make(other).frame)


def test_no_cell_is_empty(result):
    for name, table in result.tables.items():
        if not name.startswith("queue") and name != "break_even":
            assert not table.frame.null_count().sum_horizontal().item(), name


# The verdict can be either


def verdicts(found, wait="wait_0"):
    """Of the base case at the first wait, as the table has them after the chances."""
    columns = sentence.usual(found).frame.filter(effect=found.params.effect)
    return {
        (c, perspective): said.split(": ")[1]
        for c, perspective, said in columns.select("condition", "perspective", wait).rows()
    }


def test_at_the_usual_waits_the_sentence_is_not_supported(base):
    """What the published inputs say, of the first wait and of both; not of a year."""
    for wait in ("wait_0", "wait_1"):
        assert set(verdicts(base, wait).values()) == {perspectives.NOT_SUPPORTED}
    assert perspectives.OPEN in verdicts(base, "wait_3").values()


def test_one_service_is_less_certain_than_the_average_one(base):
    """Its mean is the same but for what is not linear, its spread holds that between trials."""
    average, one = (x["depression"] for x in base.by_effect.values())
    whole = sentence.headline(average)[-1]
    both = [x.cost(whole, base.waits[1])[:, x.place] for x in (average, one)]
    assert both[1].std() > 1.5 * both[0].std()
    shown = sentence.usual(base).frame
    assert shown["effect"].unique(maintain_order=True).to_list() == list(base.by_effect)
    assert list(base.by_effect) == ["average service", "one service"]


def test_recovery_is_ordered_from_slowest_and_fast_recovery_costs_less(base):
    found = base.by_recovery["depression"]
    assert next(iter(found)) == "severity-specific"
    assert list(found)[-1] == "waiting list"
    assert found["waiting list"] is base.base["depression"]
    whole = sentence.headline(base.base["depression"])[-1]
    slow, *_, fast = (x.cost(whole, base.waits[1])[:, x.place].mean() for x in found.values())
    assert slow > fast


def test_if_nobody_leaves_less_cash_is_saved(base):
    for name, one in base.staying.items():
        cash = sentence.headline(one)[0]
        stays, leaves = (
            x.cost(cash, base.waits[0])[:, x.place].mean() for x in (one, base.base[name])
        )
        assert leaves < stays < 0, "recovery on the list still saves courses"


def test_utilities_that_do_not_differ_lose_no_health():
    def equal(x):
        return fixed(x, 0.6) if x.unit == "utility" else x

    found = computed(equal)
    for one in found.base.values():
        assert np.abs(sentence.components(one)["health"]).max() < 1e-6
        health = next(p for p in one.perspectives if p.parts == ("cash", "health"))
        cash = one.perspectives[0]
        np.testing.assert_allclose(one.by_week(health), one.by_week(cash), atol=1e-6)
    assert set(verdicts(found).values()) == {perspectives.NOT_SUPPORTED}


def cheap(x):
    """A course costs £1, and therapy works at the mean of trials plus their SD."""
    if x.name.startswith("course_"):
        return fixed(x, 1.0)
    known = {"effect_place": 1.0, "rr_nonresponse_anxiety": 0.3}
    return fixed(x, known[x.name]) if x.name in known else x


def test_three_weeks_cost_more_than_a_course_for_a_pound():
    found = computed(cheap)
    health = {v for (_, counted), v in verdicts(found).items() if "health" in counted}
    assert health == {perspectives.SUPPORTED}


@pytest.mark.parametrize(
    ("probability", "said"),
    [(0.95, "supported"), (0.949, "not settled"), (0.051, "not settled"), (0.05, "not supported")],
)
def test_what_a_probability_says(probability, said):
    assert perspectives.verdict(probability, Params()) == said


@pytest.mark.parametrize(
    ("p", "n", "shown"),
    [(0.0, 3000, "< 0.1%"), (0.0, 1000, "< 0.3%"), (0.0, 600, "< 0.5%"), (0.004, 1000, "< 1%"),
     (0.015, 1000, "2%"), (0.56, 1000, "56%"), (0.996, 1000, "> 99%"), (1.0, 3000, "> 99.9%")],
)  # fmt: skip
def test_no_draw_is_not_zero(p, n, shown):
    """The rule of three: 3 / n."""
    assert declared.percent(p, n) == shown
    assert str(declared.chance_number(p, n)) == shown


# England, print, and the decision


def test_waits_and_severity_are_those_published(base):
    """Classes 2024-25 by hand: 81.4, 13.6, 2.7, 2.2 % at 2, 6, 10, 20 weeks; 15.9 and 13.7."""
    england = base.data.england
    assert england.mean_weeks(FIRST) == pytest.approx(3.17, abs=0.02)
    assert england.mean_weeks(SECOND) == pytest.approx(8.29, abs=0.02)
    assert england.typical == 3
    assert england.usual_band("depression") == "moderately severe"
    assert england.usual_band("anxiety") == "moderate"
    assert england.courses == {"depression": 288_049, "anxiety": 176_280}


def test_how_many_wait_longer_is_bounded_by_classes(base):
    """Classes of 2024-25 in %, by hand: first 81.4, 13.6, 2.7, 2.2."""
    england = base.data.england
    first, second = england.shares(FIRST), england.shares(SECOND)
    assert england.longer(FIRST, 0) == pytest.approx((1 - first[0], 1.0))
    assert england.longer(FIRST, 4) == pytest.approx((1 - first[0], 1 - first[0]))
    assert england.longer(FIRST, 9) == pytest.approx((first[3], first[2] + first[3]))
    assert england.longer(FIRST, 52) == pytest.approx((0.0, 0.022), abs=5e-4)
    # the sum of both: no two classes below the last make more than 180 days
    most = 1 - (1 - first[3]) * (1 - second[3])
    assert england.longer(BOTH, 30) == pytest.approx((0.0, most))
    assert england.longer(BOTH, 25.9)[0] == pytest.approx(first[3] * second[3])


def test_the_break_even_wait_is_laid_beside_the_waits_of_england(base):
    frame = break_even.break_even(base).frame
    cash = frame.filter(perspective="NHS cash")
    assert set(cash["week"]) == {"not within 52"}
    assert set(cash["first"]) == {"at most 2%"}
    one = base.base["depression"]
    whole = sentence.headline(one)[-1]
    week = break_even.week(one, whole)[one.place]
    mean = one.by_week(whole)[:, one.place].mean(0)
    assert mean[week - 1] < one.course[:, one.place].mean() <= mean[week]


def test_print_is_met_and_a_misprint_is_seen(base):
    assert catarino.agrees(catarino.month(base.data.inputs))
    assert catarino.agrees(catarino.net_benefits())
    wrong = [
        fixed(x, 0.7) if x.name == "utility_sf6d_depression_moderate" else x
        for x in base.data.inputs
    ]
    assert catarino.month(tuple(wrong)).frame["same"].to_list().count("DIFFERS") == 1
    assert not replace(catarino.PRINTED[0], net_benefit=900).consistent
    assert not replace(catarino.PRINTED[3], gained="0.010").consistent


def test_price_and_costs_of_strategies_by_hand(base):
    decision = decisions(base)["depression"]
    one, typical = decision.one, decision.typical
    course = one.course[:, one.place]
    nhs = one.outcome.nhs[:, one.place]
    np.testing.assert_allclose(decision.costs[:, AT_ONCE], nhs[:, 0] + typical * course / 104)
    np.testing.assert_allclose(decision.costs[:, USUAL], nhs[:, typical])
    np.testing.assert_allclose(decision.costs[:, -1], nhs[:, -1])
    assert not one.outcome.treated[:, :, -1].any(), "the last strategy is no therapy"


def test_what_a_week_sooner_is_worth_is_the_price_at_which_it_is_even(base):
    decision = decisions(base)["anxiety"]
    worth = decision.worth_sooner(20_000.0).mean()
    at = replace(decision, spread_weeks=decision.one.course[:, decision.one.place].mean() / worth)
    gain = at.benefit(20_000.0)[:, AT_ONCE] - at.benefit(20_000.0)[:, USUAL]
    assert gain.mean() == pytest.approx(0.0, abs=1e-6)


def test_learning_is_worth_no_more_than_knowing_all(result):
    frame = result.tables["evppi"].frame
    assert ((frame["value"] >= 0) & (frame["value"] <= frame["evpi"] + 1e-9)).all()
    columns = result.tables["studies"].frame.select("value", "most", "error", "most_error")
    value, most, error, most_error = columns.to_numpy().T
    assert (value <= most + 3 * np.hypot(error, most_error) + 1e-9).all()


def test_one_way_starts_from_the_values_and_ends_at_the_ends(base):
    analysis = oneway.OneWay(base, decisions(base)["depression"])
    cost, qaly = analysis.evaluate({"dropout_per_week": np.array([-1.0, 0.0, 1.0])})
    model = base.base["depression"]
    value = {x.name: np.full(3, x.value) for x in base.data.inputs}
    value["dropout_per_week"] = np.array([0.0, 0.01, 0.02])
    direct = oneway.model_of("depression", base.params).evaluate(value, [0, 3])
    np.testing.assert_allclose(qaly, direct.qaly["SF-6D"][:, model.place])
    np.testing.assert_allclose(cost[:, 1], direct.nhs[:, model.place, 1])


def test_gains_by_deprivation_by_hand(base):
    """Everybody referred gains alike; what it costs is forgone by a tenth in every decile."""
    decision = decisions(base)["anxiety"]
    found = by_decile(base, decision)
    more = decision.effects[:, AT_ONCE].mean() - decision.effects[:, USUAL].mean()
    paid = (decision.costs[:, AT_ONCE].mean() - decision.costs[:, USUAL].mean()) / 20_000
    share = base.data.england.deciles()["referrals"].to_numpy()
    share = share / share.sum()
    np.testing.assert_allclose(found.gain, more - paid * 0.1 / share)
    assert found.total == pytest.approx(more - paid)


def test_weights_favour_the_deprived_who_gain_more(base):
    """Equal weights change nothing; more for the deprived, of whom more are referred, adds."""
    plain, weighted = (
        whole(replace(base, params=Params(**SMALL, equity_ratio=ratio)), decisions(base)).frame
        for ratio in (1.0, 4.0)
    )
    assert plain["weighted"].to_list() == pytest.approx(plain["total"].to_list())
    assert weighted["total"].to_list() == pytest.approx(plain["total"].to_list())
    assert (weighted["weighted"] > plain["weighted"]).all()


# What is said, and what is refused


def names(template):
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def test_every_number_that_a_sentence_quotes_is_there(result):
    templates = [*result.text.values(), *(c.sentence for c in result.checks)]
    templates += [spec.caption for spec in result.figures.values()]
    for template in templates:
        assert names(template) <= result.numbers.keys()
        assert "None" not in result.render(template)
    assert "no money of the NHS" in result.text["plain"]
    assert "medicines only" in result.text["reading"]


def test_the_answer_follows_the_verdicts(base):
    assert answer(base) == (
        "the sentence is not supported, whichever of these costs are counted, for the first wait "
        "alone and for both"
    )
    mixed = {
        ("depression", "cash", "3 weeks"): perspectives.NOT_SUPPORTED,
        ("anxiety", "all", "both"): perspectives.SUPPORTED,
    }
    assert answer(base, mixed) == (
        "it depends on what is counted and on the wait: supported for anxiety, cash, work and "
        "health lost, both, and not supported for depression, cash of the NHS, 3 weeks"
    )


def test_the_summary_has_short_paragraphs_and_says_both_sides(result):
    paragraphs = result.render(result.text["plain"]).split("\n\n")
    assert len(paragraphs) == 6, "the last is of the queue"
    assert max(len(p.split()) for p in paragraphs) < 120
    assert paragraphs[2].startswith("What speaks for the sentence")
    assert paragraphs[3].startswith("What speaks against it")


def test_the_setting_stands_with_every_number(result):
    said = "£ of 2019-20; recovery: waiting list; SF-6D; 260 weeks; 800 draws; average service"
    assert f"[{said}]" in result.tables["break_even_wait"].title
    assert f"[{said}]" in result.figures["against_course"].caption
    for name, table in result.tables.items():
        assert ("[" in table.title) != (name in setting.GIVEN), name


def test_what_differs_for_anxiety_is_said():
    found = setting.setting(computed(recovery="declining", instrument="EQ-5D"), {setting.DRAWS})
    assert found == (
        "£ of 2019-20; recovery: declining (anxiety waiting list); EQ-5D (anxiety SF-6D); "
        "260 weeks; average service"
    )


def test_evidence_names_what_is_there(result):
    assert result.checklist == "cheers"
    held = {
        "table": result.tables,
        "figure": result.figures,
        "text": result.text,
        "param": Params.model_fields,
        "check": {c.name for c in result.checks},
        "provenance": result.provenance,
    }
    for references in result.evidence.values():
        for reference in references:
            kind, _, name = reference.partition(":")
            assert kind in ("notebook", "not done") or name in held[kind], reference


def test_all_is_open_and_nothing_is_suppressed(result):
    assert {n.sensitivity for n in result.numbers.values()} == {"open"}
    assert {v.sensitivity for t in result.tables.values() for v in t.values.values()} == {"open"}
    assert "no waits" in result.not_applicable["waits_by_deprivation"]


def test_the_claim_is_no_check_and_all_others_hold(result):
    assert not [c.name for c in result.checks if c.name.startswith("claim")]
    assert not [c.name for c in result.checks if c.status == "failed"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"thresholds": [30_000.0, 20_000.0]}, "they must rise, from above zero"),
        ({"thresholds": [0.0]}, "they must rise, from above zero"),
        ({"recovery": "fast"}, "recovery='fast' should be 'waiting list'"),
        ({"horizon_weeks": 52}, "horizon_weeks=52 should be greater than or equal to 56"),
        ({"treshold": 1.0}, r"treshold is not a parameter \(did you mean thresholds\?\)"),
        ({"sure": 0.5}, "sure=0.5 should be greater than 0.5"),
        ({"source": "folder"}, "source='folder' should be 'published'"),
    ],
)
def test_bad_parameters_are_refused(values, message):
    with pytest.raises(ParameterError, match=message):
        analyses.get("waiting").Params.check(values, "test")


def test_a_damaged_file_of_effects_is_refused(monkeypatch):
    monkeypatch.setattr(study, "_content", lambda name: b"cases: {base: {trials: 3}}")
    with pytest.raises(DataError, match=r"effect\.yaml lacks its cases.*Write it again"):
        study.load(Params(), Settings())


def test_a_scenario_that_says_nothing_of_anxiety_leaves_its_base_case():
    found = computed(recovery="declining")
    ours, other = (x.base["anxiety"].outcome.nhs for x in (found, computed()))
    np.testing.assert_array_equal(ours, other)
