"""`fairness_measurement` end to end: open data, drawn patients, weights, and groups too small."""

import dataclasses

import numpy as np
import polars as pl
import pytest

from iesoresearch import analyses, figures
from iesoresearch.analyses.fairness_measurement import checks, data, study, tables, words
from iesoresearch.analyses.fairness_measurement.data import Data, groupings
from iesoresearch.analyses.fairness_measurement.fitted import Gain, fit
from iesoresearch.data import nhanes, synthetic
from iesoresearch.disclosure import Policy, release
from iesoresearch.errors import DataError, ParameterError
from iesoresearch.params import Settings

analysis = analyses.get("fairness_measurement")
SMALL = {"n_classes": 2, "n_starts": 2, "n_draws": 19, "n_folds": 2}
POLICY = Policy()


def parameters(**changes):
    return analysis.Params.check(SMALL | changes, "test")


@pytest.fixture(scope="module")
def survey():
    return study.load(parameters(), Settings())


@pytest.fixture(scope="module")
def fitted(survey):
    return fit(survey, parameters())


@pytest.fixture(scope="module")
def result(fitted):
    return release(study.result(fitted), POLICY)


@pytest.fixture(scope="module")
def drawn():
    """Patients of whom men answer the fifth item higher, one point for every second man."""
    cohort = synthetic.make(2500, 4)
    men = cohort.patients.filter(pl.col("gender") == "male")["patient_id"]
    odd = (pl.col("patient_id").hash(1) % 2 == 0) & pl.col("patient_id").is_in(men.implode())
    higher = pl.when(odd).then((pl.col("phq9_5") + 1).clip(upper_bound=3)).otherwise("phq9_5")
    contacts = cohort.contacts.with_columns(phq9_5=higher.cast(cohort.contacts["phq9_5"].dtype))
    return Data.of(dataclasses.replace(cohort, contacts=contacts))


@pytest.fixture(scope="module")
def of_patients(drawn):
    return fit(drawn, parameters(source="synthetic", n_patients=2500))


# The result


def test_every_table_and_figure_is_there(result):
    assert {spec.table for spec in result.figures.values()} <= set(result.tables)
    for name, table in result.tables.items():
        assert table.frame.select(list(table.keys)).is_unique().all(), name
        assert {v.sensitivity for v in table.values.values()} == {"open"}
    for name, spec in result.figures.items():
        assert "{" not in result.render(spec.caption)
        figures.draw(result, name, "fairness_measurement").canvas.draw()


def test_sentences_are_filled_and_say_whom_they_are_about(result):
    said = {name: result.render(template) for name, template in result.text.items()}
    assert "PHQ-9 of 5,093 interviewed adults in the US, unweighted" in said["plain"]
    assert "of 100, 7.6 reach the cut-off of 10" in said["plain"]
    assert "not patients of talking therapy" in said["limits"]
    assert not any("{" in text for text in said.values())
    assert not any("{" in result.render(check.sentence) for check in result.checks)


def test_a_risk_item_is_told_apart_from_totals(result, fitted):
    """Men have about twice the odds, though the change in R² is called negligible."""
    odds = result.tables["shifts"].frame.filter(group="male", item="self-harm thoughts")
    assert odds["odds_low"].item() > 1.5
    for end in ("", "_low", "_high"):
        assert result.numbers[f"gender_risk_0{end}"].value == odds[f"odds{end}"].item()
    said = result.render(result.text["plain"])
    assert "the group “male” has 2.14 times (1.53\u00a0to\u00a03.01) the odds" in said
    assert said.count("self-harm thoughts") == 1  # by age and ethnic group it is not found
    gender = fitted.compared[0]
    others = tuple(i for i in gender.functioning.differing if i != tables.RISK)
    without = dataclasses.replace(gender.functioning, differing=others)
    assert words._on_risk(dataclasses.replace(gender, functioning=without)) == ""


@pytest.mark.parametrize(
    ("mean", "said"),
    [(-0.5, "share predict unseen people better"), (0.5, "own predict unseen people better"),
     (0.0, "is undecided")],
)  # fmt: skip
def test_which_classes_predict_better_is_said_only_where_it_is_known(fitted, mean, said):
    changed = dataclasses.replace(fitted.compared[0], gain=Gain(mean, 0.01))
    assert said in words._shared(changed)
    assert "nats" not in words._shared(changed)


def test_gains_are_ratios_of_probabilities():
    # log 1.02, and 1.96 errors below and above
    one, low, high = Gain(np.log(1.02), np.log(1.01) / 1.96).ends
    assert (one, low, high) == pytest.approx((2.0, 100 * (1.02 / 1.01 - 1), 3.02))


def test_p_values_by_draws_are_never_below_what_draws_can_give(fitted):
    gender = fitted.compared[0]
    most = gender.draws.statistic.max()
    for statistic, said in ((most + 1, "p is at most {gender_p}, the smallest that"),
                            (most, "exactly the same p = {gender_p}.")):  # fmt: skip
        shown = dataclasses.replace(gender.shown, statistic=statistic)
        invariance = gender.invariance | {max(gender.invariance): shown}
        assert said in words._shared(dataclasses.replace(gender, invariance=invariance))
    assert tables._p(0.00005) == "<0.0001"
    assert tables._p(0.0423) == "0.0423"


def test_items_differ_in_population_by_a_negligible_amount(result):
    """As published for NHANES: 3 items by gender and 5 by ethnicity in 2009-10, all negligible
    (Rasch and Mantel-Haenszel; aahperd.confex.com/aahperd/2013/webprogram/Paper18662.html).
    """
    items = result.tables["items"].frame
    assert set(items["size"]) == {"negligible"}
    for grouping, n in (("Gender", 3), ("Ethnic group", 5)):
        found = items.filter(grouping=grouping, verdict=tables.DIFFERS).height
        assert abs(found - n) <= 2


def test_numbers_are_those_of_the_tables(result, fitted):
    impact = result.tables["impact"].frame.filter(group="male").row(0, named=True)
    assert result.numbers["gender_otherwise"].value == impact["otherwise"]
    assert result.numbers["gender_points_low"].value == impact["points_low"]
    assert impact["more"] == pytest.approx(impact["passing"] - impact["as_reference"])
    least = result.tables["impact"].frame.filter(grouping="Ethnic group")["cautious_low"].min()
    assert result.numbers["ethnicity_least"].value == least
    shifts = result.tables["shifts"].frame.filter(group="male", item="energy").row(0, named=True)
    gender = fitted.compared[0].functioning
    assert shifts["points"] == gender.items[3].points[1]
    assert shifts["odds_low"] < shifts["odds"] < shifts["odds_high"] < 1


def test_estimates_lie_in_their_intervals(result):
    for name, table in result.tables.items():
        for column in [c for c in table.values if f"{c}_low" in table.values]:
            rows = table.frame.drop_nulls([column, f"{column}_low"])
            inside = rows[f"{column}_low"] <= rows[column] + 1e-9
            assert (inside & (rows[column] <= rows[f"{column}_high"] + 1e-9)).all(), (name, column)


def test_claims_are_judged_by_what_may_be_not_by_what_was_found(fitted):
    """Nobody is said to be measured alike because little was found in few people."""
    found = {c.name: c.status for c in checks.checks(fitted)}
    assert found["claim: PHQ-9 totals mean the same by gender"] == "passed"
    assert found["claim: PHQ-9 totals mean the same by ethnic group"] == "inconclusive"
    gender = fitted.compared[0]
    wide = {"at_cutoff": (np.array([0.0, -3.0]), np.array([0.0, 3.0]))}
    beyond = {"at_cutoff": (np.array([0.0, 1.5]), np.array([0.0, 3.0]))}
    for ends, status in ((wide, "inconclusive"), (beyond, "failed")):
        changed = dataclasses.replace(gender, cautious_ends=ends)
        assert checks._alike(changed, fitted).status == status
    low, high = (dataclasses.replace(gender.gain, mean=x) for x in (-1.0, 1.0))
    assert checks._classes(dataclasses.replace(gender, gain=low)).status == "passed"
    assert checks._classes(dataclasses.replace(gender, gain=high)).status == "failed"
    unsettled = dataclasses.replace(gender.functioning, settled=False, free=())
    other = dataclasses.replace(
        fitted, compared=[dataclasses.replace(gender, functioning=unsettled)]
    )
    assert [c.status for c in checks.checks(other)[:2]] == ["failed", "inconclusive"]


# Patients


def test_what_was_planted_is_found_and_marked(of_patients):
    gender = of_patients.compared[0]
    assert gender.grouping.name == "Gender"
    assert 4 in gender.functioning.differing
    men = gender.grouping.levels.index("male")
    assert gender.functioning.items[4].points[men] > 0.2
    released = release(study.result(of_patients), POLICY)
    assert "SIMULATED" in released.render(released.text["limits"])
    assert "first PHQ-9 of" in released.render(released.text["plain"])
    drawn = figures.draw(released, "impact", "fairness_measurement")
    assert "SIMULATED" in drawn.get_supxlabel()


def test_small_groups_are_suppressed_and_in_no_sentence(of_patients):
    released = release(study.result(of_patients), POLICY)
    groups = released.tables["groups"].frame
    few = groups.filter(pl.col("use") == data.TOO_FEW)
    assert "other" in few["group"].to_list()
    assert few.filter(group="other")["n"].item() is None
    said = [released.render(text) for text in released.text.values()]
    said += [released.render(check.sentence) for check in released.checks]
    for group in ("Bangladeshi", "Mixed", "“other”"):
        assert not any(group in text for text in said)
    compared = groups.filter(pl.col("use").is_in([data.COMPARED, data.REFERENCE]))
    assert compared["n"].min() >= 200
    assert set(released.tables["impact"].frame["group"]) <= set(compared["group"])


def test_the_first_session_only(drawn):
    contacts = drawn.cohort.contacts
    first = contacts.filter(pl.col("session") == pl.col("session").min().over("patient_id"))
    assert drawn.n <= first["patient_id"].n_unique()
    assert drawn.n + drawn.n_left_out == drawn.cohort.patients.height


# Groups


def test_small_bands_join_their_neighbour_and_other_groups_are_left_out():
    counts = {"18–25": 90, "26–64": 900, "65–74": 150, "75 and over": 70}
    into = data._joined(counts, 200)
    assert into == {
        "18–25": "18–25, 26–64",
        "26–64": "18–25, 26–64",
        "65–74": "65–74, 75 and over",
        "75 and over": "65–74, 75 and over",
    }
    assert data._joined(counts, 50) == {band: band for band in counts}


def test_groups_are_as_recorded_and_the_largest_is_the_reference(survey):
    gender, age, ethnicity = groupings(survey, 200)
    assert gender.levels == ("female", "male")
    assert age.levels == ("18–25", "26–64", "65–74", "75 and over")
    assert age.levels[age.reference] == "26–64"
    assert ethnicity.levels[ethnicity.reference] == "Non-Hispanic White"
    assert np.bincount(ethnicity.member).sum() == survey.n
    assert len(groupings(survey, 300)[2].levels) == 5


def test_nothing_to_compare_is_refused(survey):
    with pytest.raises(DataError, match="hold no two groups of 4000 people with answers"):
        groupings(survey, 4000)


def test_cycles_of_another_source_are_refused():
    with pytest.raises(ParameterError, match="not of source=synthetic: leave them out"):
        parameters(cycles=["J"], source="synthetic")
    assert parameters(cycles=["J"]).survey == {"cycles": ("J",), "weighted": True}
    assert parameters(source="folder").reads_patients


# Weights


@pytest.fixture(scope="module")
def weighted():
    """Every fourth person of the survey, with weights and a made-up design."""
    cohort = nhanes.load()
    kept = cohort.patients.gather_every(4)
    n = kept.height
    kept = kept.with_columns(
        weight=pl.Series(1.0 + np.arange(n) % 3),
        stratum=pl.Series([str(i % 15) for i in range(n)]),
        sampling_unit=pl.Series([str(i // 15 % 2) for i in range(n)]),
    )
    contacts = cohort.contacts.filter(pl.col("patient_id").is_in(kept["patient_id"].implode()))
    return Data.of(dataclasses.replace(cohort, patients=kept, contacts=contacts))


def test_with_weights_nothing_is_said_that_needs_a_likelihood(weighted):
    found = release(study.run(weighted, parameters()), POLICY)
    classes = found.tables["classes"].frame
    assert (
        classes.select("statistic", "df", "p", "bic").null_count().row(0) == (classes.height,) * 4
    )
    assert classes["gain"].null_count() == 0
    assert "class_items" in found.not_applicable
    assert "gender_p" not in found.numbers
    assert "weighted to stand for the population" in found.render(found.text["plain"])
    assert "Rao–Scott" in found.text["reading"]


def test_weights_and_design_reach_the_tests(weighted):
    params = parameters()
    gender = fit(weighted, params).compared[0]
    plain = fit(dataclasses.replace(weighted, weights=None, design=None), params).compared[0]
    a, b = gender.functioning.items[3], plain.functioning.items[3]
    assert a.total.statistic != b.total.statistic
    assert gender.cautious.points[1] != plain.cautious.points[1]
    assert gender.draws is None
    assert plain.draws is not None
