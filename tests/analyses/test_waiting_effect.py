"""`waiting_effect` end to end, on drawn trials and, where it is here, on the published table."""

import math
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from iesoresearch import analyses, figures
from iesoresearch.analyses.waiting_effect import cases, checks, course, effect, study, tables
from iesoresearch.analyses.waiting_effect.cases import BASE, CASES, OTHER, USUAL, WAITING
from iesoresearch.analyses.waiting_effect.fitted import fit
from iesoresearch.data import health_economics, metapsy
from iesoresearch.disclosure import Policy, release
from iesoresearch.errors import DataError, NotApplicable, ParameterError
from iesoresearch.models.evidence_synthesis.posterior import SCALE
from iesoresearch.params import Settings

analysis = analyses.get("waiting_effect")
SMALL = {"n_trials": 60, "n_draws": 250, "n_tune": 200}
EFFECT = Path(health_economics.__file__).parent / "effect.yaml"


def parameters(**changes):
    return analysis.Params.check(SMALL | changes, "test")


@pytest.fixture(scope="module")
def fitted():
    params = parameters()
    return fit(study.load(params, Settings()), params)


@pytest.fixture(scope="module")
def result(fitted):
    return release(study.result(fitted), Policy())


def published():
    folders = os.environ.get("IESORESEARCH_DATA", "").split(os.pathsep)
    try:
        return metapsy.load(tuple(Path(folder) for folder in folders if folder))
    except NotApplicable:
        pytest.skip("the table of trials is not here")


# The result


def test_every_table_and_figure_is_there(result):
    assert {spec.table for spec in result.figures.values()} <= set(result.tables)
    for name, table in result.tables.items():
        assert table.frame.select(list(table.keys)).is_unique().all(), name
    for name, spec in result.figures.items():
        assert "{" not in result.render(spec.caption)
        figures.draw(result, name, "waiting_effect").canvas.draw()
    assert {v.sensitivity for v in result.tables["estimates"].values.values()} == {
        "open",
        "synthetic",
    }
    assert {v.sensitivity for v in result.tables["course"].values.values()} == {"open"}


def test_estimates_have_intervals_around_them(result):
    for name, table in result.tables.items():
        for column in table.values:
            if f"{column}_low" in table.values:
                rows = table.frame.drop_nulls(f"{column}_low")
                inside = rows[f"{column}_low"] <= rows[column]
                inside &= rows[column] <= rows[f"{column}_high"]
                assert inside.all(), f"{name}.{column}"


def test_sentences_are_filled_and_say_what_data_they_are_about(result):
    said = {name: result.render(template) for name, template in result.text.items()}
    assert said["plain"].startswith("Of drawn trials with a known truth: ")
    assert "The trials were drawn" in said["limits"]
    assert (
        "0.0200 in the first three months, 0.0095 in the next three and 0.0142" in said["reading"]
    )
    assert "from 15% (severe depression, Catarino) to 53% (Whiteford)" in said["plain"]
    for check in result.checks:
        assert "{" not in result.render(check.sentence)


def test_numbers_are_those_of_the_tables(result, fitted):
    rows = {(r["control"], r["analysis"]): r for r in result.tables["estimates"].frame.to_dicts()}
    for case in CASES:
        row = rows[cases.CONTROLS[case.control], case.label]
        assert row["mean"] == pytest.approx(fitted.mean(case.name).x, abs=5e-4)
        assert row["reml"] == pytest.approx(fitted.likely[case.name].mean, abs=5e-4)
    base = rows["Waiting list", "all comparisons"]
    assert result.numbers["base"].value == base["mean"]
    assert result.numbers["n_trials"].value == str(base["trials"]) == "60"
    funnel = result.tables["funnel"].frame
    limit = rows["Waiting list", "limit at SE 0, by SE (PET)"]["mean"]
    assert funnel.row(0, named=True)["by_error"] == pytest.approx(limit, abs=1e-3)
    assert funnel.height == base["n"] + 1


def test_checks_judge_what_they_say(fitted):
    found = {check.name: check for check in checks.checks(fitted)}
    assert found["restricted maximum likelihood finds the same"].status == "passed"
    assert found["the priors allow such effects"].status == "passed"
    assert found["the table of trials is the one that was described"].status == "not applicable"
    planted = found["what was planted is found"]
    assert (planted.status == "passed") == (not checks.outside(fitted))
    other = replace(fitted, params=fitted.params.model_copy(update={"planted_mean": 5.0}))
    assert "mean" in checks.outside(other)
    assert checks.checks(other)[2].status == "failed"
    evidence = replace(fitted.evidence, sensitivity="open")
    real = {c.name: c for c in checks.checks(replace(fitted, evidence=evidence))}
    assert real["what was planted is found"].status == "not applicable"
    assert real["the table of trials is the one that was described"].status == "failed"


def test_claims_are_open_where_an_interval_holds_zero(fitted):
    mean = fitted.mean("limit_error")
    through = {"mean": replace(mean, x_low=-0.1), "small_study": replace(mean, x_low=-0.1)}
    doubted = replace(fitted, coefficients=fitted.coefficients | {"limit_error": through})
    found = {check.name: check for check in checks.checks(doubted)}
    claim = found["claim: therapy does better than a waiting list, whichever trials are used"]
    assert claim.status == "inconclusive"
    assert "limit at SE 0, by SE (PET)" in claim.sentence
    small = found["claim: small trials report larger effects than large ones"]
    assert small.status == "inconclusive"
    assert "is not shown" in study.result(doubted).text["plain"]


def test_the_same_again(fitted):
    again = fit(replace(fitted.evidence, n_jobs=2), fitted.params)
    for name, posterior in fitted.posteriors.items():
        np.testing.assert_array_equal(posterior.flat("mean"), again.posteriors[name].flat("mean"))


# Which comparisons


def table():
    rows = {
        "g": [0.5, 2.5, 0.4, 0.3, 2.0],
        "n_intervention": [10, 20, 20, 5, 7],
        "n_control": [10, 20, 20, 5, 7],
        "type": ["Cognitive Behavior Therapy", "Other", "Other", "Other", "Other"],
        "format": ["Individual", "Group", "Group", "Individual", "Group"],
        "quality_criteria": [4, 3, 3, 4, 0],
        "control_type": [WAITING] * 4 + [USUAL],
        "trial": ["a", "a", "a", "b", "c"],
    }
    return pl.DataFrame(rows)


@pytest.mark.parametrize(
    ("name", "effects"),
    [
        ("base", [0.5, 2.5, 0.4, 0.3]),
        ("without_large", [0.5, 0.4, 0.3]),
        ("cbt", [0.5]),
        ("low_risk", [0.5, 0.3]),
        ("individual", [0.5, 0.3]),
        ("one_per_trial", [2.5, 0.3]),
        ("care_as_usual", [2.0]),
        ("care_as_usual_without_large", [2.0]),
        ("other_controls", []),
    ],
)
def test_cases_choose_comparisons(name, effects):
    (case,) = [case for case in CASES if case.name == name]
    assert cases.rows(table(), case)["g"].to_list() == effects


def test_too_few_trials_for_a_case_are_named():
    small = table().with_columns(SE=pl.lit(0.2))
    with pytest.raises(DataError, match=r"Waiting list, CBT only: .* at least three trials"):
        cases.comparisons(small, next(c for c in CASES if c.name == "cbt"))


def test_drawn_trials_are_what_was_planted():
    params = parameters(n_trials=2000, planted_between=0.0, planted_within=0.0, planted_rise=0.0)
    drawn = study.load(params, Settings()).trials.table
    for control, part in ((WAITING, 1.0), (USUAL, 0.7), (OTHER, 0.6)):
        rows = drawn.filter(control_type=control)
        z = (rows["g"] - part * params.planted_mean) / rows["SE"]
        assert abs(z.mean()) < 4 / math.sqrt(rows.height)
        assert z.std() == pytest.approx(1, abs=0.05)
    assert drawn.filter(control_type=OTHER)["trial"].n_unique() == 1000


# Sources


def test_without_the_table_it_does_not_apply(tmp_path):
    params = parameters(source="metapsy")
    with pytest.raises(NotApplicable, match="The table of trials of psychotherapy"):
        analysis.load(params, Settings((tmp_path,)))
    with pytest.raises(NotApplicable, match="was not found"):
        analysis.fingerprint(params, Settings())
    assert analysis.fingerprint(parameters(), Settings()) == "drawn"
    with pytest.raises(ParameterError, match="n_trials=10"):
        parameters(n_trials=10)
    assert not params.reads_patients


def test_summary_counts_trials(fitted):
    evidence = replace(fitted.evidence, trials=replace(fitted.evidence.trials, unknown_control=3))
    found = {row["control"]: row for row in tables.summary(evidence).frame.to_dicts()}
    assert found["waiting list"]["trials"] == found["care as usual"]["trials"] == 60
    assert found["other controls"]["trials"] == 30
    assert found["control not recorded, left out"] == {
        "control": "control not recorded, left out",
        "comparisons": 3,
        "trials": None,
    }


def test_recovery_without_treatment_is_that_of_the_sources():
    """The facts: averages from the start and interval hazards, to four digits."""
    rows = course.hazards().frame
    whole = rows["whole"].round(4).to_list()
    assert whole == [0.02, 0.0148, 0.0145, 0.0167, 0.0111, 0.0086, 0.0048, 0.0051, 0.0031]
    assert rows["interval"].round(4).to_list()[:3] == [0.02, 0.0095, 0.0142]
    assert course.WHITEFORD.by(course.WHITEFORD.weeks[1]) == pytest.approx(0.32)


# What the model of waiting reads


def test_the_joint_posterior_is_written_and_read(fitted, tmp_path):
    path = tmp_path / "effect.yaml"
    content = effect.content(fitted.evidence.trials, fitted.posteriors, "a command")
    effect.write(path, content)
    text = path.read_text(encoding="utf-8")
    assert yaml.safe_load(text) == content
    assert text.startswith("# Effect of psychotherapy")
    base = fitted.posteriors["base"]
    read = health_economics.load_effect(text)
    assert read.mean == pytest.approx(base.flat("mean").mean(), abs=1e-4)
    assert read.heterogeneity == pytest.approx(base.total.mean(), abs=1e-4)
    joint = content["cases"]["base"]["joint"]
    np.testing.assert_allclose(joint["sd"], base.joint().sd, atol=1e-4)
    assert content["joint_parameters"] == list(SCALE)


def test_what_is_shipped_has_every_case():
    shipped = yaml.safe_load(EFFECT.read_text(encoding="utf-8"))
    assert list(shipped["cases"]) == [case.name for case in CASES]
    assert shipped["data"]["sha256"] == metapsy.SHA256
    base = shipped["cases"]["base"]
    assert (base["comparisons"], base["trials"]) == (162, 118)
    assert all(case["converged"] for case in shipped["cases"].values())
    assert {name: shipped[name] for name in ("mu", "tau")} == {n: base[n] for n in ("mu", "tau")}


def test_what_is_shipped_is_what_the_published_table_gives():
    """Within Monte Carlo error, for the plain mean and for a limit."""
    trials = published()
    shipped = yaml.safe_load(EFFECT.read_text(encoding="utf-8"))["cases"]
    some = (BASE, next(case for case in CASES if case.name == "limit_error"))
    for name, found in effect.fits(trials, 1, draws=800, cases=some).items():
        joint, told = found.joint(), shipped[name]
        error = joint.sd / math.sqrt(800)  # of both runs, chains not quite independent
        np.testing.assert_array_less(abs(joint.mean - told["joint"]["mean"]), 4 * error)
        np.testing.assert_allclose(joint.sd, told["joint"]["sd"], rtol=0.15)
        np.testing.assert_allclose(joint.correlation, told["joint"]["correlation"], atol=0.15)
        assert (found.data.n, found.data.n_trials) == (told["comparisons"], told["trials"])
