"""`cohort` on referrals that can be counted by hand, on drawn ones, and on published figures."""

import datetime

import numpy as np
import polars as pl
import pytest

from iesoresearch import analyses, figures
from iesoresearch.analyses.cohort import likeness as cohort_likeness
from iesoresearch.analyses.cohort import missing_scores, monitoring, outcomes, published, words
from iesoresearch.analyses.cohort.flow import adds_up
from iesoresearch.analyses.cohort.people import Data
from iesoresearch.analyses.cohort.study import OF_RECORDS
from iesoresearch.data import codes, synthetic
from iesoresearch.data.cohort import Cohort
from iesoresearch.disclosure import Policy, release, review
from iesoresearch.errors import ParameterError
from iesoresearch.execution.display import MarkdownView
from iesoresearch.execution.session import open_analysis
from iesoresearch.measures import GAD7, PHQ9, score
from iesoresearch.measures.outcomes import referral_outcomes
from iesoresearch.params import Settings
from iesoresearch.results import Result
from iesoresearch.seeds import derive

cohort = analyses.get("cohort")
SMALL = {
    "source": "synthetic", "n_referrals": 1000, "n_likeness": 4000, "n_imputations": 3, "seed": 5
}  # fmt: skip
START = datetime.date(2024, 1, 1)


def params(**changes):
    return cohort.Params.check(SMALL | changes, "test")


def by_hand(referrals, patients=None):
    """Data of referrals given as {id: {"visits": [...], **columns}}.

    A visit is (day, PHQ-9, GAD-7) and, if wanted, more columns; days count from the referral.
    """
    rows, contacts = [], []
    for name, referral in referrals.items():
        columns = {k: v for k, v in referral.items() if k not in ("visits", "days")}
        discharged = START + datetime.timedelta(days=referral.get("days", 300))
        row = {"referral_id": name, "patient_id": name, "referral_date": START}
        rows.append(row | {"discharge_date": discharged} | columns)
        for session, (day, phq9, gad7, *more) in enumerate(referral["visits"], start=1):
            contact = {"referral_id": name, "patient_id": name, "session": session}
            date = START + datetime.timedelta(days=day)
            contact |= {"date": date, "phq9_total": phq9, "gad7_total": gad7}
            contacts.append(contact | (more[0] if more else {}))
    tables = {
        "patients": pl.DataFrame({"patient_id": list(referrals)}) if patients is None else patients,
        "referrals": pl.DataFrame(rows, infer_schema_length=None),
        "contacts": pl.DataFrame(contacts, infer_schema_length=None),
    }
    made = Cohort.checked("By hand", "patient", tables, "none")
    return Data(made, published.load("england", None))


MISSED = {"attendance": "did not attend"}
ASSESSED = {"purpose": "assessment"}
EIGHT = {
    "not seen": {"visits": [(9, None, None, MISSED)]},
    "not treated": {"visits": [(9, 12, 9, ASSESSED)]},
    "once": {"visits": [(9, 12, 9)]},
    "open": {"visits": [(9, 12, 9), (16, 8, 7)], "discharge_date": None},
    "unpaired": {"visits": [(9, 12, 9), (16, None, None)]},
    "recovered": {"visits": [(9, 16, 9), (16, 12, 9), (50, 8, 4)]},
    "not a case": {"visits": [(9, 9, 7), (16, 5, 5)]},
    "no rule": {"visits": [(9, 9, 7), (16, 5, 5)], "problem": "social phobia"},
}


@pytest.fixture(scope="module")
def drawn():
    return cohort.load(params(), Settings())


@pytest.fixture(scope="module")
def result(drawn):
    return cohort.run(drawn, params())


# As a whole


def test_every_table_and_figure_is_there(result):
    assert set(OF_RECORDS) | {"by_year", "by_deprivation"} == set(result.tables)
    assert {spec.table for spec in result.figures.values()} <= set(result.tables)
    assert not result.not_applicable
    for table in result.tables.values():
        assert table.frame.select(list(table.keys)).is_unique().all(), table.title


def templates(result):
    said = [c.sentence for c in result.checks] + list(result.text.values())
    return said + [spec.caption for spec in result.figures.values()]


@pytest.mark.parametrize("profile", ["england", "ieso"])
@pytest.mark.parametrize("source", ["synthetic", "published"])
def test_every_sentence_can_be_filled_before_and_after_release(source, profile):
    chosen = params(source=source, profile=profile, n_referrals=150)
    found = cohort.run(cohort.load(chosen, Settings()), chosen)
    for one in (found, release(found, Policy())):
        for template in templates(one):
            assert "{" not in one.render(template)
            assert "None" not in one.render(template)


def test_simulated_data_say_so_and_published_figures_beside_them_stay_open(result):
    assert "SIMULATED" in result.text["limits"]
    of = {name: {v.sensitivity for v in t.values.values()} for name, t in result.tables.items()}
    assert of["flow"] == {"synthetic"}
    assert of["outcome_rates"] == of["waits"] == {"synthetic", "open"}
    assert of["by_year"] == of["by_deprivation"] == {"open"}


def test_equal_seeds_give_equal_results(drawn, result):
    again = cohort.run(drawn, params())
    assert again.numbers == result.numbers
    for name, table in result.tables.items():
        assert again.tables[name].frame.equals(table.frame), name


def test_the_seed_moves_the_imputations(drawn):
    rows = [missing_scores.sensitivity(drawn, 20, seed).frame.row(2, named=True) for seed in (5, 6)]
    assert rows[0]["method"] == rows[1]["method"] == missing_scores.IMPUTED
    assert rows[0] != rows[1]
    assert rows[0]["rate"] == pytest.approx(rows[1]["rate"], abs=0.02)


# Flow


def test_flow_by_hand():
    table = cohort.run(by_hand(EIGHT), params()).tables["flow"]
    found = {row["what"]: row["n"] for row in table.frame.iter_rows(named=True)}
    assert found == {
        "Referrals received": 8,
        "Seen at least once": 7,
        "Not seen": 1,
        "Started treatment": 6,
        "Seen, not treated": 1,
        "Finished a course of treatment": 4,
        "One treatment, then discharged": 1,
        "Still open": 1,
        "Paired scores": 2,  # no score of the measure that social phobia is paired with
        "No paired scores": 2,
        "At caseness at the start": 1,
        "Not at caseness": 1,
        "Not known: threshold not sourced": 0,  # said all the same: no row would tell as much
    }
    assert adds_up(table)


def test_a_flow_that_does_not_add_up_is_noticed(result):
    from dataclasses import replace

    table = result.tables["flow"]
    assert adds_up(table)
    wrong = table.frame.with_columns(
        pl.when(pl.col("step") == 3).then(pl.col("n") + 1).otherwise("n")
    )
    assert not adds_up(replace(table, frame=wrong))


# Table 1


def test_groups_and_levels_of_table_one_add_up(drawn, result):
    frame = result.tables["characteristics"].frame
    assert (frame["finished"] + frame["not_finished"]).equals(frame["referred"])
    assert frame.row(0)[:3] == ("All", "all", SMALL["n_referrals"])
    sums = frame.group_by("characteristic").agg(
        pl.col("referred").sum(), pl.col("^.*_share$").sum()
    )
    assert sums["referred"].unique().to_list() == [SMALL["n_referrals"]]
    for group in ("referred_share", "finished_share", "not_finished_share"):
        assert sums[group].to_list() == pytest.approx([1.0] * len(sums))


def test_levels_of_table_one_by_hand():
    ages = {"u": 17, "v": 18, "w": 25, "x": 26, "y": 74, "z": 90}
    referrals = {name: EIGHT["not seen"] | {"age_at_referral": age} for name, age in ages.items()}
    patients = pl.DataFrame(
        {
            "patient_id": list(ages),
            "deprivation_decile": [1, 2, 3, 9, 10, None],
            "ethnicity": ["A", "C", "R", "Z", "M", None],
        }
    )
    frame = cohort.run(by_hand(referrals, patients), params()).tables["characteristics"].frame
    found = {
        name: dict(frame.filter(characteristic=name).select("level", "referred").iter_rows())
        for name in ("Age band", "Deprivation quintile", "Ethnic group")
    }
    # levels of nobody have rows too: one that is absent would tell a count of zero
    assert found == {
        "Age band": {
            "under 18": 1, "18–25": 2, "26–64": 1, "65–74": 1, "75–89": 0, "90 and over": 1,
        },
        "Deprivation quintile": {
            "1 (most deprived)": 2, "2": 1, "3": 0, "4": 0, "5 (least deprived)": 2,
            "not recorded": 1,
        },
        "Ethnic group": {
            "White": 2, "Mixed": 0, "Asian or Asian British": 0, "Black or Black British": 1,
            "Other": 1, "Not known": 1, "not recorded": 1,
        },
    }  # fmt: skip


def test_differences_of_two_levels_and_of_numbers_against_the_formula(drawn, result):
    table = result.tables["differences"].frame
    finished = drawn.referrals["progress"] == "finished"
    age = drawn.referrals["age_at_referral"].cast(float).to_numpy()
    a, b = age[finished.to_numpy()], age[~finished.to_numpy()]
    expected = abs(a.mean() - b.mean()) / np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 2)
    found = table.filter(characteristic="Age, years").row(0, named=True)
    assert found["difference"] == pytest.approx(expected)
    assert found["chance"] == pytest.approx(np.sqrt(1 / len(a) + 1 / len(b)))
    assert found["n"] == min(len(a), len(b))


def test_released_table_one_does_not_tell_a_hidden_level(drawn):
    """Where one of the two groups is few the other is hidden too, and never at one level alone."""
    from iesoresearch.analyses.cohort.characteristics import characteristics

    exact = characteristics(drawn).frame
    found = release(Result(tables={"x": characteristics(drawn)}), Policy(10, 5)).tables["x"].frame
    hidden = found.select(pl.col("characteristic"), pl.col("finished", "not_finished").is_null())
    assert hidden["finished"].any()
    few = (exact["finished"] < 10) | (exact["not_finished"] < 10)
    assert (hidden["finished"] & hidden["not_finished"]).filter(few).all()
    counts = hidden.group_by("characteristic").agg(pl.col("finished").sum())["finished"]
    assert 1 not in counts.to_list()
    for group in ("finished", "not_finished"):
        assert exact.filter(found[group].is_not_null())[group].min() >= 10


# Completeness


def test_missing_forms_by_hand():
    items = dict.fromkeys(PHQ9.columns, 1)
    referrals = {
        "complete": {"visits": [(9, None, None, items)]},
        "a gap": {"visits": [(9, None, None, items | {"phq9_3": None})]},
        "total only": {"visits": [(9, 12, None)]},
        "nothing": {"visits": [(9, None, None), (16, 5, None)]},
        "missed": {"visits": [(9, 12, None, MISSED)]},
    }
    frame = cohort.run(by_hand(referrals), params()).tables["missing_forms"].frame
    first, second = frame.filter(form="PHQ-9").rows(named=True)
    assert (first["n"], first["whole"]) == (4, 0.25)
    assert (first["without"], first["gaps"], first["some"]) == (1, 1, 0.25)
    assert (second["n"], second["whole"], second["some"]) == (1, 0.0, 0.0)


def test_what_says_nothing_counts_as_missing():
    names = ["a", "b", "c", "d"]
    patients = pl.DataFrame(
        {
            "patient_id": names,
            "gender": ["female", "not known", None, "male"],
            "ethnicity": ["A", "Z", "Z", None],
            "orientation": ["bisexual"] * 4,
            "deprivation_decile": [3, None, 1, 1],
        }
    )
    data = by_hand(dict.fromkeys(names, EIGHT["not seen"]), patients)
    frame = cohort.run(data, params()).tables["missing_variables"].frame
    found = dict(frame.filter(about="patients").select("variable", "missing").iter_rows())
    assert found == {
        "gender": 0.5,
        "ethnic category": 0.75,
        "deprivation decile": 0.25,
        "orientation": 0.0,
        "long-term condition": 1.0,
        "disability": 1.0,
    }
    assert set(codes.ETHNICITIES) >= {"Z"}


# Outcomes and waits


def test_outcomes_by_hand():
    frame = cohort.run(by_hand(EIGHT), params()).tables["outcome_rates"].frame
    found = {
        (r["measure"], r["rule"]): (r["numerator"], r["denominator"]) for r in frame.to_dicts()
    }
    official, stand_in = outcomes.OFFICIAL, outcomes.STAND_IN
    assert found["recovery", official] == (1, 2)  # unpaired and recovered; one is no case
    assert found["recovery", stand_in] == (1, 2)  # the one without a rule is no case either
    assert found["reliable improvement", official] == (1, 3)
    assert found["reliable improvement", stand_in] == (1, 4)
    assert found["paired scores", official] == (2, 4)
    reasons = cohort.run(by_hand(EIGHT), params()).tables["unknown"].frame
    assert dict(reasons.select("reason", "n").iter_rows()) == {
        "outcome known": 2,
        "no last score": 1,
        "threshold not sourced": 1,
        "no first score": 0,
    }


def test_published_rates_are_those_of_the_annual_report(result):
    """England 2024-25: 321,061 of 635,185, 452,284 of 670,419, 614,104 of 670,419."""
    frame = result.tables["outcome_rates"].frame.filter(rule=outcomes.OFFICIAL)
    stated = dict(frame.select("measure", "published").iter_rows())
    assert stated["recovery"] == pytest.approx(321_061 / 635_185)
    assert stated["reliable improvement"] == pytest.approx(452_284 / 670_419)
    assert stated["reliable deterioration"] == pytest.approx(0.058)
    assert stated["first treatment within 6 weeks"] == pytest.approx(614_104 / 670_419)
    assert stated["paired scores"] is None


def test_waits_at_the_edges_of_the_bands():
    days = [0, 28, 29, 42, 43, 56, 57, 90, 91, 126, 127, 250]
    referrals = {
        str(day): {"visits": [(day, 12, 9), (day + 30, 8, 7)], "days": 400} for day in days
    }
    frame = cohort.run(by_hand(referrals), params()).tables["waits"].frame
    first = frame.filter(wait="referral to first treatment")
    bands = ["0–28", "29–42", "43–56", "57–90", "91–126", "over 126 or not known"]
    assert first["band"].to_list() == bands
    assert first["n"].to_list() == [2] * 6
    second = frame.filter(wait="first to second treatment")
    assert second["n"].to_list() == [0, 12, 0, 0, 0, 0]


def test_published_waits_add_up_where_all_bands_are_known(result):
    frame = result.tables["waits"].frame.filter(wait="referral to first treatment")
    assert frame["published"].sum() == pytest.approx(1.0)
    assert frame["published"][0] == pytest.approx(545_715 / 670_419)
    assert frame["published"][3] == pytest.approx(18_179 / 670_419)
    unknown = result.tables["waits"].frame.filter(wait="first to second treatment")["published"]
    assert unknown.is_null().to_list() == [False, True, True, False, True, True]


def test_reasons_stand_in_one_order_whatever_their_counts():
    """By count the order would tell of counts that are hidden which is the larger."""
    reasons = outcomes.unknown(by_hand(EIGHT)).frame["reason"].to_list()
    assert reasons == list(outcomes.REASONS)


# What a release tells beside itself


@pytest.fixture(scope="module")
def shown(drawn, result):
    return release(result, Policy())


def of_rounded(percent, n):
    """Whether a rate in per cent is that of a multiple of five in a multiple of five."""
    inside = percent * n / 100
    return n % 5 == 0 and abs(inside - 5 * round(inside / 5)) < 1e-6


def test_rates_among_the_numbers_are_those_of_released_counts(shown):
    rows = shown.tables["outcome_rates"].frame.filter(rule=outcomes.OFFICIAL)
    of = {row["measure"]: row for row in rows.to_dicts()}
    for name in ("recovery", "reliable_recovery", "improvement", "within_6"):
        measure = {
            "improvement": "reliable improvement",
            "within_6": "first treatment within 6 weeks",
        }.get(name, name.replace("_", " "))
        row, number = of[measure], shown.numbers[name]
        if number.value is None:
            assert row["rate"] is None
            continue
        assert number.value == pytest.approx(100 * row["numerator"] / row["denominator"])
    assert of_rounded(shown.numbers["finished_share"].value, SMALL["n_referrals"])


def test_the_review_refuses_nothing_of_it(shown):
    refused = [one for one in review.outputs({"cohort": shown}, Policy()) if one.status == "refuse"]
    assert refused == []


def test_a_rate_hides_that_few_courses_tell_from_another():
    """Of 40 who recovered 36 did reliably: four would be told by the difference."""
    reliably, hardly = course((15, 12), (12, 10), (4, 3)), course((10, 8), (10, 8), (9, 7))
    not_at_all = course((15, 12), (15, 12), (15, 12))
    kinds = [reliably] * 36 + [hardly] * 4 + [not_at_all] * 40
    data = by_hand({str(i): kind for i, kind in enumerate(kinds)})
    exact = outcomes.outcome_rates(data).frame.filter(rule=outcomes.OFFICIAL)
    assert dict(exact.select("measure", "numerator").iter_rows())["recovery"] == 40
    found = release(cohort.run(data, params()), Policy())
    frame = found.tables["outcome_rates"].frame
    row = frame.filter(measure="reliable recovery", rule=outcomes.OFFICIAL).row(0, named=True)
    assert (row["rate"], row["numerator"], row["rate_low"]) == (None, None, None)


def test_limits_of_the_chart_are_those_of_released_counts(shown):
    frame = shown.tables["control_chart"].frame.drop_nulls("rate")
    inside = frame["rate"] * frame["n"]
    assert (inside - 5 * (inside / 5).round()).abs().max() < 1e-6
    assert frame["centre"][0] == pytest.approx(inside.sum() / frame["n"].sum())


# Missing last scores


def course(*scores):
    return {"visits": [(9 + 7 * i, phq9, gad7) for i, (phq9, gad7) in enumerate(scores)]}


COURSES = {
    "recovers": course((15, 12), (12, 10), (8, 6)),
    "does not": course((15, 12), (12, 10), (11, 6)),
    "was well before": course((15, 12), (9, 7), (None, None)),
    "was not": course((15, 12), (12, 10), (None, None)),
    "half a form": course((15, 12), (9, 7), (9, None)),
    "no case": course((5, 5), (4, 4), (3, 3)),
    "scored at the end only": course((None, None), (15, 12)),
    "another measure": course((15, 12), (12, 10), (8, 6)) | {"problem": "panic disorder"},
}


def test_what_is_done_about_missing_scores_by_hand():
    table = missing_scores.sensitivity(by_hand(COURSES), 3, 1).frame
    found = {row["method"]: (row["rate"], row["n"]) for row in table.to_dicts()}
    assert found == {
        missing_scores.COMPLETE: (0.5, 2),
        missing_scores.CARRIED: (0.6, 5),
        missing_scores.WORST: (0.2, 5),
        missing_scores.BEST: (0.8, 5),
    }


def test_follow_up_is_not_the_last_treatment():
    late = {"x": {"visits": [(9, 15, 12), (16, 15, 12), (90, 2, 2, {"purpose": "follow-up"})]}}
    found = missing_scores.courses(by_hand(late))
    assert found.end.tolist() == [[15.0, 12.0]]


def test_methods_lie_between_worst_and_best_case(result):
    rates = dict(result.tables["sensitivity"].frame.select("method", "rate").iter_rows())
    worst, best = rates[missing_scores.WORST], rates[missing_scores.BEST]
    for method in (missing_scores.CARRIED, missing_scores.IMPUTED, missing_scores.IMPUTED_WORSE):
        assert worst <= rates[method] <= best
    assert rates[missing_scores.IMPUTED_WORSE] <= rates[missing_scores.IMPUTED]


def test_imputation_recovers_what_was_taken_away():
    """Last scores are removed from those who were worst before; complete cases flatter."""
    random = np.random.default_rng(3)
    n = 1500
    start = random.normal(16, 3, (n, 2))
    before = start - random.normal(4, 4, (n, 1)) + random.normal(0, 2, (n, 2))
    end = before - random.normal(2, 3, (n, 1)) + random.normal(0, 2, (n, 2))
    truth = missing_scores.recovered(end).mean()
    gone = random.random(n) < 1 / (1 + np.exp(-(before[:, 0] - 12) / 3))
    end[gone] = np.nan
    predictors = np.column_stack([start, before, np.zeros(n)])
    found = missing_scores.Courses(end, before, predictors)
    rows = {row[0]: row[1:] for row in missing_scores._imputed(found, 10, 1)}
    rate, low, high, _ = rows[missing_scores.IMPUTED]
    complete = missing_scores.recovered(end[~gone]).mean()
    assert complete - truth > 0.08
    assert low <= truth <= high
    assert abs(rate - truth) < 0.03


# Safety and control chart


def test_safety_signals_by_hand():
    def answers(*given):
        rows = [dict.fromkeys(PHQ9.columns) | {"phq9_9": answer} for answer in given]
        return {"visits": [(9 + 7 * i, None, None, row) for i, row in enumerate(rows)]}

    referrals = {
        "new": answers(0, 1),
        "gone": answers(2, None, 0),
        "same": answers(1, 3, 1),
        "once": answers(3),
        "never": answers(0, 0),
        "unasked": answers(None),
    }
    frame = cohort.run(by_hand(referrals), params()).tables["safety"].frame
    found = [(row["numerator"], row["n"]) for row in frame.to_dicts()][:5]
    assert found == [(3, 5), (2, 4), (1, 2), (1, 2), (1, 4)]


def months(n_months, per_month):
    """Finished courses of which every other recovers, discharged evenly over months."""
    referrals = {}
    for i in range(n_months * per_month):
        last = (4, 3) if i % 2 else (14, 12)
        referrals[str(i)] = course((15, 12), last) | {"days": 30 + 31 * (i // per_month)}
    return by_hand(referrals)


def test_months_with_few_courses_become_quarters():
    few, many = (monitoring.control_chart(months(6, n)) for n in (30, 70))
    assert (few.keys["period"], many.keys["period"]) == ("Quarter", "Month")
    assert many.frame["n"].sum() == 420
    assert many.frame["centre"].unique().to_list() == pytest.approx([0.5])
    assert few.frame["period"][0] == "2024 Q1"


def test_periods_outside_the_limits_are_counted():
    from dataclasses import replace

    table = monitoring.control_chart(months(6, 70))
    assert monitoring.outside(table) == 0
    moved = table.frame.with_columns(
        rate=pl.when(pl.col("period") == table.frame["period"][0]).then(1.0).otherwise("rate"),
        upper_adjusted=pl.lit(0.9),
    )
    assert monitoring.outside(replace(table, frame=moved)) == 1


# Published figures


def test_all_published_percentages_follow_from_the_counts():
    for profile, at_least in (("england", 400), ("ieso", 30)):
        found = published.load(profile, None).reproduced()
        assert found.height >= at_least
        assert found["fine"].all()


@pytest.mark.parametrize(("profile", "by"), [("england", 0.2), ("ieso", 2.0)])
def test_a_percentage_that_does_not_follow_is_noticed(profile, by):
    given = published.load(profile, None)
    wrong = (pl.col("statistic") == "percentage") & (pl.col("measure") == "recovery")
    frame = given.frame.with_columns(pl.when(wrong).then(pl.col("value") + by).otherwise("value"))
    data = Data(None, published.Published(frame, profile, given.years, given.year))
    found = cohort.run(data, params(source="published", profile=profile))
    check = found.checks[-1]
    assert check.status == "failed"
    assert "by more than rounding allows for" in check.sentence


def test_rounded_rates_have_intervals_as_wide_as_the_rounding():
    """ieso 2024-25: 47 % in whole numbers, so at least half a point to either side."""
    frame = published.load("ieso", None).by_year().frame
    row = frame.filter(year="2024-25", measure="reliable recovery").row(0, named=True)
    sampling = 1.96 * np.sqrt(0.47 * 0.53 / 3300)
    assert row["rate"] == pytest.approx(0.47)
    assert (row["rate_high"] - row["rate_low"]) / 2 == pytest.approx(sampling + 0.005, rel=0.01)


def test_years_and_deciles_of_england(result):
    years = result.tables["by_year"].frame.filter(measure="recovery")
    assert years["year"].to_list()[0::7] == ["2017-18", "2024-25"]
    assert years["rate"].round(3).to_list()[0::7] == [0.508, 0.505]
    deciles = result.tables["by_deprivation"].frame.filter(measure="reliable recovery")
    assert deciles["decile"].to_list() == list(range(1, 11))
    assert deciles["rate"].round(3).to_list()[0::9] == [0.405, 0.524]  # most, least deprived


def test_another_year_can_be_compared_with():
    chosen = params(source="published", published_year="2018-19")
    found = cohort.run(cohort.load(chosen, Settings()), chosen)
    assert found.numbers["published_recovery"].value == pytest.approx(52.1, abs=0.05)
    assert found.tables["by_deprivation"].frame["period"].unique().to_list() == ["2018-19"]


def test_a_year_that_was_not_published_is_refused():
    with pytest.raises(ParameterError, match=r"published_year='2031-32'.*2017-18 to 2024-25"):
        cohort.load(params(published_year="2031-32"), Settings())
    with pytest.raises(ParameterError, match="published_year='last'"):
        params(published_year="last")


def test_published_figures_alone_are_open_and_say_what_does_not_apply():
    chosen = params(source="published")
    found = cohort.run(cohort.load(chosen, Settings()), chosen)
    assert set(found.tables) == {"by_year", "by_deprivation"}
    assert set(found.not_applicable) == set(OF_RECORDS)
    assert all("no records of patients" in reason for reason in found.not_applicable.values())
    assert {n.sensitivity for n in found.numbers.values()} == {"open"}
    assert found.provenance["sensitivity"] == "open"
    assert "SIMULATED" not in " ".join(found.text.values())
    assert {c.status for c in found.checks[:-1]} == {"not applicable"}
    assert found.checks[-1].status == "passed"
    assert "Open Government Licence" in found.figures["by_year"].caption
    assert not chosen.reads_patients


def test_a_notebook_shows_the_reason_in_place_of_a_table():
    study = open_analysis("cohort", {"source": "published"})
    study.run()
    shown = study.table("outcome_rates")
    assert isinstance(shown, MarkdownView)
    assert "published figures hold no records of patients" in repr(shown)


# What a result depends on


def test_a_changed_folder_is_other_data(tmp_path):
    by_hand(EIGHT).cohort.write(tmp_path / "site")
    settings, chosen = Settings((tmp_path / "site",)), params(source="folder")
    before = cohort.fingerprint(chosen, settings)
    assert before != cohort.fingerprint(params(), settings)
    pl.DataFrame({"patient_id": ["x"]}).write_parquet(tmp_path / "site" / "patients.parquet")
    assert cohort.fingerprint(chosen, settings) != before


def test_a_folder_of_patients(tmp_path):
    synthetic.make(300, 2).write(tmp_path / "site")
    chosen = params(source="folder")
    assert chosen.reads_patients
    found = cohort.run(cohort.load(chosen, Settings((tmp_path / "site",))), chosen)
    assert {v.sensitivity for v in found.tables["flow"].values.values()} == {"patient"}
    assert "SIMULATED" not in found.text["limits"]
    asked = {c.name: c for c in found.checks}
    assert asked["the drawn population is like the published one"].status == "not applicable"
    assert found.not_applicable["likeness"].endswith("nothing was drawn.")


def test_likeness_by_hand():
    """Shares and rates of the draw, counted again without the tables of the comparison."""
    table = cohort_likeness.likeness("ieso", 3000, 7)
    drawn = synthetic.make(3000, derive(7, "likeness"), "ieso")
    outcomes = referral_outcomes(drawn.referrals, drawn.contacts, fallback=True)
    finished = outcomes.filter("finished")
    row = table.frame.filter(breakdown="total", measure="finished / referred").row(0, named=True)
    assert row["published"] == pytest.approx(100 * 3685 / 6725)  # annual report 2024-25, AM601
    assert row["synthetic"] == pytest.approx(100 * finished.height / 3000)
    assert row["tolerance"] == 1.0
    assert row["distance"] == pytest.approx(row["synthetic"] - row["published"])
    treated = drawn.contacts.filter(purpose="treatment").join(
        finished.select("referral_id"), on="referral_id"
    )
    totals = treated.with_columns(score(treated, PHQ9)["phq9_total"]).drop_nulls("phq9_total")
    first = totals.sort("session").group_by("referral_id").first()["phq9_total"]
    scores = table.frame.filter(measure="phq9 first", statistic="sd").row(0, named=True)
    assert scores["tolerance"] == pytest.approx(0.05 * 6.1)
    assert scores["synthetic"] == pytest.approx(first.std())
    counts = cohort_likeness.counted(table)
    apart = table.frame.filter(claimed="yes")["distance"].to_numpy()
    assert counts["n_figures"] == len(apart) >= 30
    assert counts["n_within"] == (np.abs(apart) <= 1).sum()
    assert counts["n_figures"] + counts["n_known_off"] == len(table.frame)


# Few people


def test_nobody_finished():
    found = cohort.run(by_hand({k: EIGHT[k] for k in ("not seen", "once", "open")}), params())
    absent = ("differences", "outcome_rates", "unknown", "waits", "sensitivity", "control_chart")
    assert set(found.not_applicable) == {*absent, "safety"}
    assert "nobody finished a course" in found.not_applicable["waits"]
    for template in templates(found):
        assert "{" not in found.render(template)


def test_nobody_was_seen():
    found = cohort.run(by_hand({"not seen": EIGHT["not seen"]}), params())
    assert found.not_applicable["missing_forms"].endswith("nobody was seen.")
    assert found.tables["flow"].frame.filter(box="kept")["n"].to_list() == [1, 0, 0, 0, 0, 0]


def test_released_results_of_a_small_cohort_show_no_small_group_and_can_be_drawn():
    chosen = params(n_referrals=120)
    exact = cohort.run(cohort.load(chosen, Settings()), chosen)
    found = release(exact, Policy(10, 5))
    for name, table in found.tables.items():
        for column, value in table.values.items():
            if value.kind == "count" and value.sensitivity != "open":
                shown = exact.tables[name].frame.filter(table.frame[column].is_not_null())
                assert (shown[column] >= 10).all(), (name, column)
    hidden = found.tables["outcome_rates"].frame["rate"].null_count()
    assert 0 < hidden < len(found.tables["outcome_rates"].frame)
    for name in found.figures:
        assert figures.draw(found, name, "cohort").axes


def test_numbers_of_small_groups_are_hidden_in_and_out_of_the_numerator():
    """4 of 4 courses started within 18 weeks: that nobody waited longer must not be told."""
    found = release(cohort.run(by_hand(EIGHT | COURSES), params()), Policy(10, 1))
    assert found.numbers["n_referrals"].value == 16
    assert found.numbers["within_18"].value is None
    assert found.numbers["within_18_low"].value is None
    assert "(suppressed)" in found.render("{within_18}")


def test_totals_only_cohorts_have_no_item_nine():
    found = cohort.run(by_hand(EIGHT), params())
    signals = found.tables["safety"].frame["signal"].to_list()
    assert signals == ["reliable deterioration, finished courses"]
    assert "{self_harm_first}" not in " ".join(found.text.values())


def test_captions_name_what_is_drawn(drawn):
    assert set(words.figures(drawn)) <= set(OF_RECORDS) | {"by_year", "by_deprivation"}
    for name, spec in words.figures(drawn).items():
        assert "n = {" in spec.caption or "{n_" in spec.caption, name


def test_gad_items_do_not_matter_where_totals_are_given():
    """A wide site with items gives the same outcomes as one with totals."""
    items = dict.fromkeys(PHQ9.columns, 2) | dict.fromkeys(GAD7.columns, 2)
    later = dict.fromkeys(PHQ9.columns, 0) | dict.fromkeys(GAD7.columns, 0)
    wide = {"x": {"visits": [(9, None, None, items), (16, None, None, later)]}}
    totals = {"x": {"visits": [(9, 18, 14), (16, 0, 0)]}}
    frames = [
        cohort.run(by_hand(r), params()).tables["outcome_rates"].frame for r in (wide, totals)
    ]
    assert frames[0].equals(frames[1])


def test_few_courses_cannot_be_told_from_the_difference_of_two_rates():
    """Three courses with a rule of their own, or without last scores, would stand out alone."""
    regular = {f"r{i}": course((15, 12), (4, 3) if i % 2 else (14, 12)) for i in range(60)}
    own = {f"o{i}": course((15, 12), (4, 3)) | {"problem": "panic disorder"} for i in range(3)}
    silent = {f"s{i}": course((15, 12), (9, 7), (None, None)) for i in range(3)}
    found = release(cohort.run(by_hand(regular | own | silent), params()), Policy(10, 5))
    frame = found.tables["outcome_rates"].frame.filter(measure="recovery")
    shown = dict(frame.select("rule", "rate").iter_rows())
    assert None in shown.values()
    assert found.numbers["fallback_recovery"].value is None
    assert found.tables["sensitivity"].frame["rate"].null_count() == 6
    assert found.numbers["moved"].value is None
    assert found.numbers["recovery_best"].value is None
