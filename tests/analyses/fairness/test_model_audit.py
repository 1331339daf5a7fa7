"""The model audit beside fairlearn and scikit-learn, planted faults, and what may be released."""

import warnings
from functools import cache

import numpy as np
import polars as pl
import pytest
from fairlearn.metrics import MetricFrame, false_positive_rate, true_positive_rate
from sklearn.metrics import precision_score, roc_auc_score

from iesoresearch.analyses.fairness import Params, model_audit, model_words
from iesoresearch.analyses.fairness.data import Audited
from iesoresearch.analyses.fairness.judged import EVERYBODY, REST, Judged
from iesoresearch.analyses.fairness.model_estimates import BANDS, difference
from iesoresearch.analyses.fairness.predictions import Predictions
from iesoresearch.analyses.fairness.study import merged
from iesoresearch.disclosure import Policy, attack, release
from iesoresearch.models.evaluation.results import Estimate

THRESHOLD = 0.4


def predicted(n=1500, off=0.0, harder=0.0, seed=1, small=0):
    """Risks that are right, but for a shift in group "b", whose outcome may be rarer."""
    random = np.random.default_rng(seed)
    group = np.where(random.random(n) < 0.5, "a", "b").astype("<U5")
    group[:small] = "small"
    in_b = group == "b"
    logit = random.normal(0, 1, n) + harder * in_b
    y = (random.random(n) < 1 / (1 + np.exp(-logit))).astype(float)
    risk = 1 / (1 + np.exp(-(logit - off * in_b)))
    fifth = random.choice(["1 (most deprived)", "5 (least deprived)"], n)
    groups = {"Gender": group, "Deprivation quintile": fifth}
    return Predictions(y, risk, np.arange(n), groups, {}, "file {x}.csv", "the outcome")


def judged(found, **params):
    given = {"source": "predictions", "predictions": "x.csv", "threshold": THRESHOLD,
             "n_bootstrap": 200, "mitigate": "Gender"}  # fmt: skip
    return Judged(found, Params(**(given | params)), "synthetic", 1)


@cache
def audited():
    """A result of the audit, as computed and as released."""
    found = judged(predicted(harder=0.8, small=8))
    tables = {name: make(found) for name, make in model_audit.TABLES.items()}
    return found, tables


@pytest.fixture
def result(monkeypatch):
    found, _ = audited()
    monkeypatch.setattr(model_audit, "judged", lambda data, params: found)
    return model_audit.audit(DATA, found.params)


DATA = Audited(None, pl.DataFrame(), (), {})


def row(table, grouping, level):
    return table.frame.filter(grouping=grouping, level=level).row(0, named=True)


def test_rates_are_those_of_fairlearn_and_auc_that_of_scikit_learn():
    found, tables = audited()
    y, group = found.found.y, found.found.groups["Gender"]
    flagged = (found.found.risk >= 1 - THRESHOLD).astype(float)
    metrics = {"tpr": true_positive_rate, "fpr": false_positive_rate, "ppv": precision_score}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fairlearn's own, about pandas
        frame = MetricFrame(metrics=metrics, y_true=y, y_pred=flagged, sensitive_features=group)
    for level in ("a", "b"):
        mine = row(tables["model_rates"], "Gender", level)
        for name in metrics:
            assert mine[name] == pytest.approx(100 * frame.by_group.loc[level, name], abs=1e-10)
        who = group == level
        auc = roc_auc_score(y[who], found.found.risk[who])
        assert mine["auc"] == round(auc, 2)
        assert mine["auc_low"] < auc < mine["auc_high"]
    gap = row(tables["model_gaps"], "Gender", "b")
    a, b = (frame.by_group.loc[level, "tpr"] for level in "ab")
    assert abs(gap["tpr_gap"]) == pytest.approx(100 * abs(a - b), abs=1e-10)


def test_everybody_is_the_sum_of_each_grouping():
    _, tables = audited()
    frame = tables["model_rates"].frame
    whole = frame.filter(grouping=EVERYBODY[0])
    for name in ("events", "others", "caught", "alarms"):
        sums = frame.group_by("grouping").agg(pl.col(name).sum())[name]
        assert set(sums) == {whole[name].item()}


def test_levels_that_are_too_small_have_a_row_by_their_name_and_are_not_estimated():
    found, tables = audited()
    assert found.found.levels("Gender") == ["a", "b", "small"]
    mine = row(tables["model_performance"], "Gender", "small")
    assert mine["reason"].startswith("not estimable: fewer than 10")
    assert mine["in_the_large"] is None
    assert row(tables["model_rates"], "Gender", "small")["auc"] is None
    assert row(tables["model_calibration"], "Gender", "small")["at_50"] is None


def test_net_benefit_by_hand():
    found, tables = audited()
    y, flagged = found.found.y, found.found.risk >= 1 - THRESHOLD
    odds = (1 - THRESHOLD) / THRESHOLD
    hand = 100 * ((flagged & (y == 1)).sum() - odds * (flagged & (y == 0)).sum()) / len(y)
    mine = row(tables["model_performance"], *EVERYBODY)["net_benefit"]
    assert mine == pytest.approx(hand, abs=1e-9)


def test_criteria_that_conflict_by_hand():
    found, tables = audited()
    reference = found.references["Gender"]
    other = "b" if reference == "a" else "a"
    one, two = (row(tables["model_rates"], "Gender", x) for x in (other, reference))
    prevalence = one["events"] / (one["events"] + one["others"])
    ppv, tpr = two["ppv"] / 100, two["tpr"] / 100
    # Chouldechova 2017, equation 2.6
    hand = prevalence / (1 - prevalence) * (1 - ppv) / ppv * tpr
    mine = row(tables["model_criteria"], "Gender", other)
    assert mine["fpr_needed"] == pytest.approx(100 * hand, abs=1e-9)
    assert mine["prevalence"] == pytest.approx(100 * prevalence, abs=1e-9)
    assert row(tables["model_criteria"], "Gender", reference)["fpr_needed"] == pytest.approx(
        two["fpr"], abs=1e-9
    )


def test_difference_of_estimates_with_the_same_error_is_the_usual_one():
    one, other = Estimate(0.8, 0.7, 0.9), Estimate(0.6, 0.5, 0.7)
    gap = difference(one, other)
    assert gap.value == pytest.approx(0.2)
    assert (gap.low, gap.high) == pytest.approx((0.2 - 0.1 * 2**0.5, 0.2 + 0.1 * 2**0.5))


def test_a_group_whose_risks_are_wrong_is_found():
    found = judged(predicted(off=0.8))
    groups, alone, together = model_audit.miscalibrated(found)
    assert groups == 4
    assert together >= 1
    assert alone >= together
    checks = {check.name: check.status for check in model_audit._checks(found, {})}
    assert checks["claim: predictions are off in some group"] == "passed"
    mine = found.performances["Gender", "b"]["calibration_intercept"]
    assert mine.low < 0.8 < mine.high
    assert model_audit.comparisons(found)[2] >= 1  # who is taken for safer is flagged less often


def test_a_model_that_is_right_raises_no_alarms_beyond_chance():
    alarms = np.zeros(2)
    for seed in range(25):
        found = judged(predicted(n=400, seed=seed))
        alarms += [model_audit.miscalibrated(found)[2] > 0, model_audit.comparisons(found)[2] > 0]
    assert (alarms <= 5).all()  # 5 % of 25; more than 5 has a chance of 0.1 %


def test_intersections_tell_no_counts():
    found, tables = audited()
    assert found.params.intersect[0] == "Gender"
    table = tables["model_intersections"]
    assert all(value.kind == "model" for value in table.values.values())
    assert set(table.frame["at_least"]) <= set(BANDS)
    assert table.frame["level"].to_list() == sorted(table.frame["level"])
    assert not table.frame["level"].str.contains(f"small|{REST}").any()
    column = found.two_way["Gender × Deprivation quintile"]
    y = found.found.y
    for mine in table.frame.iter_rows(named=True):
        who = column == mine["level"]
        fewest = min(np.bincount((2 * y + found.flagged)[who].astype(int), minlength=4))
        assert mine["at_least"] <= fewest
        hand = 100 * (found.flagged & (y == 1))[who].sum() / y[who].sum()
        assert mine["tpr"] == 5 * round(hand / 5)


def test_released_sentences_say_nothing_that_is_suppressed(result):
    free = release(merged([result], DATA), Policy())
    said = free.render(free.text["plain"])
    assert "Of 100 patients in the group" in said
    assert "file x.csv" in said  # braces of a file's name are no template
    frame = free.tables["model_rates"].frame
    counts = frame.select("events", "others", "caught", "alarms").to_numpy()
    assert not ((counts > 0) & (counts < 10)).any()
    for check in free.checks:
        assert "{" not in free.render(check.sentence)
    strict = release(merged([result], DATA), Policy(min_count=1000))
    said = strict.render(strict.text["plain"])
    assert "Too much of the groups is suppressed" in said
    assert "“a”" not in said
    assert strict.tables["model_intersections"].frame["tpr"].null_count() == 4
    assert strict.tables["model_calibration"].frame["at_50"].null_count() == 6


def test_an_attacker_learns_nothing_of_small_counts(result):
    free = release(merged([result], DATA), Policy())
    proved = attack.ranges(free.tables, Policy())
    small = proved.filter(pl.col("row").str.contains("small"))
    counts = {"events", "others", "caught", "alarms"}
    assert set(small["column"]) == counts | {
        f"{kind}_{outcome}" for kind in ("held", "each") for outcome in ("events", "others")
    }
    assert (small["low"] <= 1).all()
    assert (small["high"] >= 9).all()


def test_estimates_go_with_both_counts(result):
    free = release(merged([result], DATA), Policy()).tables
    for name in ("model_performance", "model_calibration", "model_sets", "model_performance_gaps"):
        frame = free[name].frame
        hidden = frame.filter(pl.any_horizontal(pl.col("events", "others").is_null()))
        estimates = [c for c, v in free[name].values.items()
                     if v.kind == "model" and not c.startswith("each_")]  # fmt: skip
        assert hidden.height
        assert hidden.select(estimates).null_count().sum_horizontal().item() == (
            hidden.height * len(estimates)
        )


def test_who_is_who_and_what_is_left_out_is_said():
    found = predicted(n=200)
    unknown = Predictions(
        found.y, found.risk, None, found.groups, {"Age {x}": "none"}, "file", "it"
    )
    limits = model_words.text(judged(unknown))["limits"]
    assert "each counts as a patient" in limits
    assert "Not audited here: Age x (none)." in limits
    assert model_audit._repeated(judged(unknown)) == 0.0
    twice = Predictions(found.y, found.risk, np.arange(200) // 2, found.groups, {}, "file", "it")
    assert model_audit._repeated(judged(twice)) == 100.0
