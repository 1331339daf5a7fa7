"""Mitigation in the audit: what is said follows what came out, and its absence stops nothing."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from iesoresearch.analyses.fairness import Params, mitigation, mitigation_words
from iesoresearch.analyses.fairness.data import Audited
from iesoresearch.analyses.fairness.judged import Judged
from iesoresearch.analyses.fairness.predictions import Predictions
from iesoresearch.analyses.fairness.study import merged
from iesoresearch.data.groups import QUINTILES
from iesoresearch.disclosure import Policy, release
from iesoresearch.errors import ParameterError
from iesoresearch.models.evaluation.results import Estimate
from iesoresearch.models.mitigation import NOTHING, PARITY, RECALIBRATION

DATA = Audited(None, pl.DataFrame(), (), {})


def predicted(n=4000, off=1.0, small=0):
    """Risks that are right, but for a shift in group "b"; fifths in which they are all right."""
    random = np.random.default_rng(1)
    group = np.where(random.random(n) < 0.5, "a", "b").astype("<U5")
    group[:small] = "small"
    logit = random.normal(0, 1, n)
    y = (random.random(n) < 1 / (1 + np.exp(-logit))).astype(float)
    risk = 1 / (1 + np.exp(-(logit - off * (group == "b"))))
    groups = {"Gender": group, "Deprivation quintile": random.choice(QUINTILES, n)}
    return Predictions(y, risk, np.arange(n), groups, {}, "file", "the outcome")


def judged(found, **params):
    given = {"source": "predictions", "predictions": "x.csv", "threshold": 0.5,
             "n_bootstrap": 200, "mitigate": "Gender"}  # fmt: skip
    return Judged(found, Params(**(given | params)), "synthetic", 1)


@pytest.fixture(scope="module")
def found():
    return judged(predicted(small=5))


@pytest.fixture(scope="module")
def compared(found):
    return mitigation._compared(found)


@pytest.fixture
def free(found, compared, monkeypatch):
    monkeypatch.setattr(mitigation, "judged", lambda data, params: found)
    monkeypatch.setattr(mitigation, "_compared", lambda found: compared)
    return release(merged([mitigation.compare(DATA, found.params)], DATA), Policy())


def with_rule(compared, name, cost=None, **changes):
    """The comparison, with other changes of gaps, or cost, by one rule."""
    rule = compared.rules[name]
    overall = rule.overall
    if cost is not None:
        overall = replace(overall, values=overall.values | {"cost": cost})
    new = replace(rule, changes=rule.changes | changes, overall=overall)
    return replace(compared, rules=compared.rules | {name: new})


def alone(compared, *names):
    """Of all rules only some."""
    kept = {name: rule for name, rule in compared.rules.items() if name in (NOTHING, *names)}
    return replace(compared, rules=kept)


def test_tables_tell_gaps_and_costs(free):
    gaps, costs = free.tables["mitigation_gaps"].frame, free.tables["mitigation"].frame
    assert gaps["rule"].to_list() == costs["rule"].to_list()
    first = gaps.row(0, named=True)
    assert first["tpr_change"] == first["cost"] == 0
    assert first["tpr_between"] == "“a” and “b”"
    assert first["tpr_gap"] == first["tpr_widest"] > first["tpr_chance"]  # of two groups
    equal = gaps.filter(rule="equal TPR and FPR by lots").row(0, named=True)
    assert abs(equal["tpr_gap"]) < first["tpr_gap"]
    levels = free.tables["mitigation_groups"].frame["level"]
    assert set(levels) == {"a", "b"}  # the small one has no rule, and no row


def test_sentences_name_groups_and_the_widest_gap_and_end_without_a_cure(free):
    said = " ".join(free.render(part) for part in free.text.values())
    assert "“a” and “b”, the two furthest apart in the other half, are" in said
    assert "chance alone would make" in said
    assert "the highest and the lowest of 2 groups are still" in said
    assert "None is a cure" in said
    assert not any(word in said for word in ("{", "(suppressed)", "“small”", "at a price"))
    caption = free.render(free.figures["mitigation"].caption)
    assert "No rule closes a gap" not in caption
    assert "grey area" in caption


def test_the_ends_of_an_order_are_compared():
    deprived = judged(predicted(), mitigate="Deprivation quintile")
    compared = mitigation._compared(deprived)
    assert set(compared.between["tpr"]) == {QUINTILES[0], QUINTILES[-1]}
    assert mitigation._at_ends(deprived, compared)
    assert "the ends of the order" in mitigation_words.plain(compared, ends=True)


def test_rules_that_widen_the_gap_are_named_with_how_much(found, compared):
    wider = with_rule(compared, PARITY, tpr=Estimate(0.067, 0.037, 0.096))
    assert mitigation_words.Found(wider).widening == [PARITY]
    table = mitigation.gaps(found, wider)
    said = mitigation_words._widened({"mitigation_gaps": table}, [PARITY]).value
    assert said == f"“{PARITY}” widens it, by 7 points (4\u00a0to\u00a010)."
    hidden = replace(table, frame=table.frame.with_columns(tpr_change=pl.lit(None, pl.Float64)))
    said = mitigation_words._widened({"mitigation_gaps": hidden}, [PARITY]).value
    assert "how much is not shown" in said
    assert "{mitigation_widened}" in mitigation_words.plain(wider, ends=False)
    assert "{mitigation_widened}" not in mitigation_words.plain(alone(compared, PARITY), ends=False)


NARROWER, NO, LOSS = Estimate(-0.1, -0.15, -0.05), Estimate(0.0, -0.1, 0.1), Estimate(-1, -2, -0.5)


@pytest.mark.parametrize(
    ("change", "cost", "fpr", "price", "status"),
    [
        (NARROWER, LOSS, NO, "Every rule that narrows it is shown to", "inconclusive"),
        (NARROWER, NO, Estimate(0.1, 0.05, 0.15), "Every rule that narrows it", "inconclusive"),
        (NARROWER, NO, NO, f"is shown for “{RECALIBRATION}”", "inconclusive"),
        (NARROWER, Estimate(0.1, 0.05, 0.2), NO, f"for “{RECALIBRATION}”", "passed"),
        (NO, LOSS, NO, "", "inconclusive"),
    ],
)
def test_a_price_is_claimed_only_where_it_is_shown(compared, change, cost, fpr, price, status):
    one = with_rule(alone(compared, RECALIBRATION), RECALIBRATION, cost, tpr=change, fpr=fpr,
                    selection=NO, ppv=NO)  # fmt: skip
    said = mitigation_words.price(one)
    assert price in said
    assert bool(price) == bool(said)
    assert said in mitigation_words.figures(one)["mitigation"].caption
    assert mitigation_words.check(one).status == status
    none = "None of {mitigation_rules} rules" in mitigation_words.plain(one, ends=False)
    assert none == (change is NO)


def test_the_dearest_rule_is_never_that_of_no_mitigation(compared):
    gained = with_rule(alone(compared, PARITY), PARITY, cost=Estimate(0.02, 0.01, 0.03))
    assert mitigation_words.Found(gained).dearest is None
    assert "no rule has less net benefit" in mitigation_words.plain(gained, ends=False)
    lost = with_rule(alone(compared, PARITY), PARITY, cost=Estimate(-0.02, -0.03, -0.01))
    assert mitigation_words.Found(lost).dearest == PARITY
    said = mitigation_words.plain(lost, ends=False)
    assert "({mitigation_dearest_low}\u00a0to\u00a0{mitigation_dearest_high})" in said


@pytest.mark.parametrize(
    ("params", "left_out", "message"),
    [
        ({"mitigate": "Orientation"}, {}, "by it (it is not among the groupings"),
        ({"mitigate": "Orientation"}, {"Orientation": "one group only"}, "one group only"),
        ({}, {}, "no two groups can be made alike"),
    ],
)
def test_without_a_grouping_to_mitigate_only_mitigation_is_left_out(
    monkeypatch, params, left_out, message
):
    found = judged(replace(predicted(n=100), left_out=left_out), **params)
    monkeypatch.setattr(mitigation, "judged", lambda data, params: found)
    result = mitigation.compare(DATA, found.params)
    assert set(result.not_applicable) == {"mitigation", "mitigation_gaps", "mitigation_groups"}
    for why in result.not_applicable.values():
        assert message in why


def test_a_grouping_that_is_none_is_refused_unless_a_file_may_have_it():
    with pytest.raises(ParameterError, match="mitigate: 'Religion' is no grouping; there are"):
        Params.check({"mitigate": "Religion"}, "test")
    file = {"source": "predictions", "predictions": "x.csv", "mitigate": "Religion"}
    assert Params.check(file, "test").mitigate == "Religion"
