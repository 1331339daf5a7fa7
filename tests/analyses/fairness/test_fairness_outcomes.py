"""The audit of outcomes and access beside statsmodels, the outcome rules, and planted truth."""

import json
import re
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from iesoresearch.analyses.fairness import (
    Params,
    access,
    access_audit,
    names,
    outcome_audit,
    pathway,
    planted,
    sentences,
    services,
    study,
)
from iesoresearch.analyses.fairness import outcomes as tables
from iesoresearch.analyses.fairness.adjusted import adjusted
from iesoresearch.analyses.fairness.data import (
    Audited,
    levels_of,
    load,
    of_cohort,
    references,
)
from iesoresearch.data import synthetic
from iesoresearch.data.groups import NOT_RECORDED
from iesoresearch.disclosure import Policy, release
from iesoresearch.errors import NotApplicable, ParameterError
from iesoresearch.measures.outcomes import rates, referral_outcomes
from iesoresearch.models.funnel import funnel
from iesoresearch.params import Settings
from iesoresearch.results import Result

PARAMS = Params(n_referrals=4000, groupings=[], seed=3)


@pytest.fixture(scope="module")
def data() -> Audited:
    return load(PARAMS, Settings())


@pytest.fixture(scope="module")
def released(data):
    parts = [outcome_audit.audit(data, PARAMS), access_audit.audit(data, PARAMS)]
    return release(study.merged(parts, data), Policy())


def row(frame: pl.DataFrame, **keys) -> dict:
    return frame.filter(**keys).row(0, named=True)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"groupings": ["Religion"]}, "groupings: 'Religion' is no grouping; there are Gender"),
        ({"intersect": ["Gender", "Gender"]}, "name each grouping once"),
        ({"reference": ["Gender"]}, "'Gender' is not of the form Grouping=Level"),
        ({"reference": ["Sex=male"]}, "'Sex=male' is not of the form Grouping=Level"),
        ({"source": "predictions"}, "source='predictions' with predictions='here'"),
        ({"predictions": "mine.csv"}, "drawn patients are predicted here"),
    ],
)
def test_parameters_that_cannot_be(values, message):
    with pytest.raises(ParameterError, match=message):
        Params.check(values, "test")


def test_stages_are_those_of_the_outcome_rules(data):
    """`measures.outcomes.rates` counts the same, on the referrals that have ended."""
    cohort = data.cohort
    ended = cohort.referrals.filter(pl.col("discharge_date").is_not_null())
    judged = referral_outcomes(ended, cohort.contacts, cohort.scores)
    judged = judged.join(cohort.patients.select("patient_id", "gender"), on="patient_id")
    counted = {r[:2]: r[2:4] for r in rates(judged, "gender").iter_rows()}
    frame = tables.counted(data)
    for outcome, denominator in tables.DENOMINATORS.items():
        for level in ("female", "male"):
            found = row(frame, grouping="Gender", level=level)
            measure = outcome.replace("_", " ")
            assert (found[outcome], found[denominator]) == counted[level, measure]


def test_every_grouping_counts_everybody_once(data):
    frame = tables.stages(data).frame
    totals = frame.group_by("grouping").agg(pl.col("referred", "finished").sum())
    assert set(totals["referred"]) == {data.closed.height}
    assert set(totals["finished"]) == {int(data.closed["finished"].sum())}
    assert set(frame["level"]) <= {x for v in levels_of().values() for x in v} | {NOT_RECORDED}


def test_gaps_and_joint_intervals_are_newcombes(data):
    """statsmodels' Newcombe interval, at 95 % and at the level shared by four comparisons."""
    frame = tables.gaps(data, PARAMS).frame
    fifths = frame.filter(grouping="Deprivation quintile")
    other = row(fifths, finding="compared with")
    assert other["level"] == "5 (least deprived)"
    compared = fifths.drop_nulls("gap")
    for found in compared.iter_rows(named=True):
        counts = [x for r in (found, other) for x in (r["reliable_recovery"], r["at_caseness"])]
        each = confint_proportions_2indep(*counts, method="newcomb", compare="diff")
        joint = confint_proportions_2indep(
            *counts, method="newcomb", compare="diff", alpha=0.05 / compared.height
        )
        np.testing.assert_allclose([found["gap_low"], found["gap_high"]], 100 * np.array(each))
        np.testing.assert_allclose([found["joint_low"], found["joint_high"]], 100 * np.array(joint))
        low, high = found["joint_low"], found["joint_high"]
        verdict = "lower" if high < 0 else "higher" if low > 0 else "not shown to differ"
        assert found["finding"] == verdict
        wilson = proportion_confint(*counts[:2], method="wilson")
        np.testing.assert_allclose([found["rate_low"], found["rate_high"]], 100 * np.array(wilson))
        assert found["ratio"] == pytest.approx(found["rate"] / other["rate"])
        assert found["ratio_low"] < found["ratio"] < found["ratio_high"]


def test_parts_of_the_pathway_add_up(data):
    frame = pathway.pathway(data, PARAMS).frame.drop_nulls("gap")
    assert frame.height > 5
    parts = frame.select(pl.sum_horizontal(
        *(f"from_{stage}" for stage in pathway.stages_of("reliable_recovery")[1:])
    )).to_series()  # fmt: skip
    np.testing.assert_allclose(parts, frame["gap"], atol=1e-9)
    whole = 100 * frame["reliable_recovery"] / frame["referred"]
    np.testing.assert_allclose(frame["per_100"], whole)


def test_slope_index_by_hand(data):
    """Weighted least squares over ridits, from numpy; most minus least deprived."""
    fifths = pathway.deprivation(data, PARAMS.outcome).frame.filter(pl.col("level") != NOT_RECORDED)
    n, events = (fifths[c].to_numpy().astype(float) for c in ("referred", "started"))
    ridit = (np.cumsum(n) - n / 2) / n.sum()
    slope, _ = np.polyfit(ridit, 100 * events / n, 1, w=np.sqrt(n))
    table = pathway.deprivation(data, PARAMS.outcome)
    told = pathway.indices(PARAMS.outcome)["sii_started"].derive({"deprivation": table})
    assert told.value == pytest.approx(-slope)


def test_adjusted_gaps_stand_only_beside_counts_that_are_shown(data, released):
    frame = released.tables["adjusted"].frame
    hidden = frame.filter(pl.col("gap").is_null())
    names = [n for n in frame.columns if n.startswith(("gap_", "odds"))]
    assert hidden.height
    assert all(hidden[name].is_null().all() for name in names)
    assert adjusted(data, PARAMS).frame["gap_service"].is_not_null().sum() > 5
    one = replace(data, rows=data.rows.with_columns(service_id=pl.lit("S1")))
    assert "gap_service" not in adjusted(one, PARAMS).frame.columns
    result = outcome_audit.audit(one, PARAMS)
    assert result.not_applicable == {"services": outcome_audit.ONE_SERVICE}
    assert "services" not in result.figures


def test_names_of_small_groups_are_said_nowhere(data, released):
    """A group without anything shown is in no sentence, check or number."""
    frame = released.tables["gaps"].frame
    small = frame.filter(pl.col("gap").is_null(), pl.col("finding").is_null())
    phrases = {names.phrase(g, x) for g, x in small.select("grouping", "level").iter_rows()
               if x != NOT_RECORDED}  # fmt: skip
    assert names.phrase("Age band", "90 and over") in phrases
    said = [released.render(x) for x in released.text.values()]
    said += [released.render(c.sentence) for c in released.checks]
    said += [str(n) for n in released.numbers.values()] + [c.name for c in released.checks]
    assert not [p for p in phrases for x in said if re.search(rf"\b{re.escape(p)}\b", x)]


def test_what_cannot_be_compared_is_said(data):
    few = of_cohort(synthetic.make(150, 1), PARAMS)
    tables_ = {
        "gaps": tables.gaps(few, PARAMS),
        "adjusted": adjusted(few, PARAMS),
        "pathway": pathway.pathway(few, PARAMS),
        "outcomes": tables.outcomes(few),
        "deprivation": pathway.deprivation(few, PARAMS.outcome),
        "years": services.years(few, PARAMS),
        "trends": services.trends(few, PARAMS),
    }
    numbers = sentences.numbers(few, "reliable_recovery") | sentences.findings()
    found = release(Result(tables=tables_, numbers=numbers), Policy())
    withheld = "too small, or withheld to protect a small one"
    assert "the reference group is withheld" in str(found.numbers["told_ethnicity"])
    assert str(found.numbers["told_pathway"]).endswith(f"cannot be shown: groups are {withheld}.")
    assert withheld in str(found.numbers["told_gradient"])
    assert withheld in str(found.numbers["told_trends"])
    assert found.tables["adjusted"].frame["gap_service"].is_null().all()


def test_planted_gaps_are_those_of_these_profiles(data):
    """The file is of the profiles as they are; a fresh draw of 40,000 agrees with it."""
    path = planted.__file__.replace("planted.py", planted.FILE)
    with open(path, encoding="utf-8") as file:
        stored = json.load(file)
    for profile in stored:
        assert stored[profile]["profile"] == planted.fingerprint(profile), (
            f"{profile}.yaml has changed: run studies/planted_truth.py"
        )
    fresh = tables.counted(of_cohort(synthetic.make(40_000, 77), PARAMS))
    true = planted.expected("england")
    for grouping, level in (("Gender", "male"), ("Deprivation quintile", "1 (most deprived)")):
        at = {"grouping": grouping, "level": level}
        a, b = row(fresh, **at), row(true, **at)
        share = b["reliable_recovery"] / b["at_caseness"]
        error = np.sqrt(share * (1 - share) / a["at_caseness"])
        assert abs(a["reliable_recovery"] / a["at_caseness"] - share) < 4 * error


def test_planted_check(data, released):
    check = next(c for c in released.checks if c.name == planted.NAME)
    assert check.status == "passed"
    inside, n = planted.counts(released.tables["gaps"].frame)
    assert (released.numbers["planted_inside"].value, released.numbers["planted_gaps"].value) == (
        inside, n,
    )  # fmt: skip
    table = tables.gaps(data, PARAMS)
    far = replace(table, frame=table.frame.with_columns(planted=pl.col("planted") + 60))
    assert planted.check(far, known=True).status == "failed"
    assert planted.check(table, known=False).status == "not applicable"


def test_labels_turned_round_are_noticed(data):
    """Deciles counted the other way: the more deprived would finish and recover more often."""
    large = of_cohort(synthetic.make(12_000, 5), PARAMS)
    assert outcome_audit._direction(large).status == "passed"
    levels = levels_of()["Deprivation quintile"]
    turned = dict(zip(levels, levels[::-1], strict=True)) | {NOT_RECORDED: NOT_RECORDED}
    rows = large.rows.with_columns(pl.col("Deprivation quintile").replace(turned))
    check = outcome_audit._direction(replace(large, rows=rows))
    assert check.status == "failed"
    assert "Is the label reversed?" in check.sentence


def test_groupings_absent_or_constant_are_named(data):
    cohort = data.cohort
    patients = cohort.patients.with_columns(
        gender=pl.lit("female").cast(cohort.patients.schema["gender"]),
        orientation=pl.lit(None, cohort.patients.schema["orientation"]),
    )
    changed = replace(cohort, patients=patients)
    found = of_cohort(changed, PARAMS)
    assert found.left_out == {
        "Gender": "everybody recorded is in one group",
        "Orientation": "recorded for nobody",
    }
    assert "Gender" not in found.groupings
    check = outcome_audit._recorded(found)
    assert "Not audited: Gender (everybody recorded is in one group)" in check.sentence
    with pytest.raises(NotApplicable, match=r"no groups to compare .Gender: everybody recorded"):
        of_cohort(changed, Params(groupings=["Gender", "Orientation"]))


@pytest.mark.parametrize(
    ("level", "message"),
    [
        ("Ethnicity=Welsh", "Ethnicity=Welsh: there is no such level. The levels of Ethnicity"),
        ("Orientation=other", "Orientation=other: nobody is in it"),
    ],
)
def test_references_that_cannot_be(data, level, message):
    with pytest.raises(ParameterError, match=message):
        references(data, Params(groupings=[], reference=[level]))


def test_references_asked_for(data):
    params = Params(groupings=[], reference=["Ethnicity=Indian"])
    assert references(data, params) | {"Ethnicity": "Indian", "Gender": "female"} == references(
        data, params
    )


def test_a_group_without_the_outcome(data):
    """Nobody of a group recovers: its gap stands, nothing breaks, and nothing of it is shown."""
    lost = (pl.col("Ethnicity") == "Pakistani") & pl.col("reliable_recovery").is_not_null()
    rows = data.rows.with_columns(
        pl.when(lost).then(False).otherwise("reliable_recovery").alias("reliable_recovery"),
        pl.when(lost).then(False).otherwise("recovery").alias("recovery"),
    )
    result = outcome_audit.audit(replace(data, rows=rows), PARAMS)
    found = row(result.tables["gaps"].frame, grouping="Ethnicity", level="Pakistani")
    assert found["rate"] == 0
    assert found["gap_low"] < found["gap"] < 0
    shown = release(result, Policy()).tables["gaps"].frame
    assert row(shown, grouping="Ethnicity", level="Pakistani")["rate"] is None


def test_waits_are_quantiles_with_order_statistics(data):
    frame = access.waits(data).frame
    found = row(frame, grouping="Gender", level="female")
    days = data.closed.filter(pl.col("Gender") == "female", "started")["wait_days"].drop_nulls()
    assert found["median"] == np.sort(days.to_numpy())[(len(days) + 1) // 2 - 1]
    assert found["median_low"] <= found["median"] <= found["median_high"]
    # how often the interval of order statistics holds the median of 1,001 evenly spread waits
    random = np.random.default_rng(1)
    draws = (access._quantile(np.sort(random.random(301)), 0.5) for _ in range(400))
    assert np.mean([low <= 0.5 <= high for _, low, high in draws]) == pytest.approx(0.95, abs=0.035)
    assert access._quantile(np.arange(60.0), 0.9) == (None, None, None)
    assert access._quantile(np.array([]), 0.5) == (None, None, None)


def test_services_and_years_count_everybody(data):
    n = int(data.closed["at_caseness"].sum())
    assert services.services(data, PARAMS).frame["at_caseness"].sum() == n
    assert services.years(data, PARAMS).frame["at_caseness"].sum() == n
    totals = services.trends(data, PARAMS).frame.group_by("grouping").agg(
        pl.col("at_caseness").sum()
    )  # fmt: skip
    assert set(totals["at_caseness"]) == {n}


def test_where_a_service_lies_does_not_come_from_rounding(data):
    table = services.services(data, PARAMS)
    numbers = services.spread(data, PARAMS)
    events, n = (table.frame[c].to_numpy() for c in ("reliable_recovery", "at_caseness"))
    exact = funnel(events, n)
    assert numbers["services_phi"].value == pytest.approx(exact.phi)
    released = release(Result({"services": table}, numbers), Policy())
    frame = released.tables["services"].frame
    shown = frame["position"].is_not_null()
    assert shown.any()
    assert shown.equals(frame["rate"].is_not_null())
    words = [services.POSITIONS[int(i)] for i in exact.additive.outside(exact.rates)]
    assert frame["position"].to_list() == [
        word if there else None for word, there in zip(words, shown, strict=True)
    ]
    limits = exact.limits("additive", frame.filter(shown)["at_caseness"].to_numpy())
    np.testing.assert_allclose(frame["low95"].drop_nulls(), 100 * limits.low95, atol=0.051)
    outside = released.numbers["services_outside"].value
    assert outside == (frame["position"].drop_nulls() != "inside").sum()
    assert frame["service_id"].is_sorted(), "an order by size would tell more than rounded counts"


def test_a_grouping_of_many_levels_is_followed_if_it_is_the_only_one(data):
    one = replace(data, groupings=("Age band",))
    assert set(services.trends(one, PARAMS).frame["grouping"]) == {"Age band"}


def test_no_gap_that_is_shown_is_no_proof(data):
    table = tables.gaps(data, PARAMS)
    none = replace(table, frame=table.frame.with_columns(gap=pl.lit(None, pl.Float64)))
    found = planted.check(none, True)
    assert (found.status, found.sentence) == (
        "inconclusive", "No gap may be shown, so none can be compared."
    )  # fmt: skip


def test_another_outcome(data):
    params = Params(groupings=["Gender"], outcome="reliable_improvement")
    result = outcome_audit.audit(replace(data, groupings=("Gender",)), params)
    assert {"judged", "reliable_improvement"} <= set(result.tables["gaps"].values)
    assert result.not_applicable["deprivation"] == outcome_audit.NO_FIFTHS


def test_a_partners_folder_gives_the_same_counts(tmp_path, data):
    data.cohort.write(tmp_path / "site")
    params = Params(source="folder", groupings=[])
    found = load(params, Settings(search_path=(tmp_path / "site",)))
    assert found.sensitivity == "patient"
    assert not found.planted
    assert tables.counted(found).equals(tables.counted(data))
    table = tables.gaps(found, params)
    assert "planted" not in table.values
    assert planted.check(table, found.planted).status == "not applicable"


def test_parts_share_no_names(data):
    part = access_audit.audit(data, PARAMS)
    with pytest.raises(ValueError, match="use the names"):
        study.merged([part, part], data)


def test_summary(data):
    frame = study.summary(data).frame
    assert row(frame, what="referrals")["count"] == 4000


def test_levels_of_nobody_have_rows():
    """A row that is absent would tell a count of zero."""
    rows = pl.DataFrame({"Gender": ["female", "male"], "ended": True, "referred": True})
    few = Audited(None, rows, ("Gender",), {})
    found = dict(tables.counted(few, ("referred",)).select("level", "referred").iter_rows())
    assert found == dict.fromkeys(levels_of()["Gender"], 0) | {"female": 1, "male": 1}
