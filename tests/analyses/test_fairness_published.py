"""`fairness_published` on the figures in the package: rates, gaps, indices, stages, context."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import Table2x2
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from iesoresearch import analyses, figures
from iesoresearch.analyses.fairness_published import rates, study
from iesoresearch.data import published
from iesoresearch.disclosure import Policy, release
from iesoresearch.errors import ParameterError
from iesoresearch.models import proportions
from iesoresearch.params import Settings, load_run
from iesoresearch.project import find

analysis = analyses.get("fairness_published")


def computed(settings=None, **changes):
    params = analysis.Params.check(changes, "test")
    loaded = study.load(params, settings or Settings())
    return loaded, release(study.run(loaded, params), Policy())


@pytest.fixture(scope="module")
def both():
    return computed()


@pytest.fixture(scope="module")
def result(both):
    return both[1]


@pytest.fixture(scope="module")
def found(both):
    return both[0]


def row(table, **where):
    return table.frame.filter(**where).row(0, named=True)


def counts(found, breakdown, group, measure="recovery", year="2023-24"):
    where = {"period": year, "breakdown": breakdown, "group": group, "measure": measure}
    return found.england.filter(**where).select("events", "n").row(0)


# The whole result


def test_open_figures_pass_disclosure_as_they_are(found, result):
    before = study.run(found, analysis.Params())
    for name, table in result.tables.items():
        assert {v.sensitivity for v in table.values.values()} == {"open"}
        assert table.frame.drop("status").equals(before.tables[name].frame), name
    assert all(number.value is not None for number in result.numbers.values())
    assert published.ATTRIBUTION in result.text["reading"]
    assert result.provenance["published"] == published.ATTRIBUTION


def test_every_figure_is_drawn_and_every_sentence_filled(result):
    assert set(result.figures) == {"gaps", "deprivation", "stages", "trends"}
    for name, spec in result.figures.items():
        assert "{" not in result.render(spec.caption)
        figures.draw(result, name, "fairness_published").canvas.draw()
    sentences = [*result.text.values(), *(check.sentence for check in result.checks)]
    assert not any("{" in result.render(sentence) for sentence in sentences)
    assert set(result.not_applicable) == {"regions", "providers", "funnels", "funnel"}


def test_rows_have_keys_of_their_own_and_estimates_lie_in_their_intervals(result):
    for name, table in result.tables.items():
        assert table.frame.select(list(table.keys)).is_unique().all(), name
        for column in table.values:
            if f"{column}_low" in table.values:
                rows = table.frame.drop_nulls([column, f"{column}_low"])
                low, high = rows[f"{column}_low"], rows[f"{column}_high"]
                assert (low <= rows[column] + 1e-9).all(), f"{name}.{column}"
                assert (rows[column] <= high + 1e-9).all(), f"{name}.{column}"


def test_the_printed_inequalities_are_reproduced(result):
    """All 2,449 printed percentages of England that have counts, to half a unit of their digit."""
    table = result.tables["reproduced"].frame
    assert (table["printed"] == table["agree"]).all()
    assert table["printed"].sum() == 2449
    assert table["worst"].max() <= 0.05 + 1e-9
    of = dict(table.select("grouping", "agree").iter_rows())
    assert (of["Deprivation"], of["Ethnicity"], of["Orientation"]) == (385, 560, 80)
    status = {check.name: check.status for check in result.checks}
    assert status["printed percentages of England follow from the counts"] == "passed"
    assert status["counts of England are exact"] == "passed"
    assert status["deprivation counts from the end it says"] == "passed"


def test_a_folder_of_data_changes_nothing_unless_it_is_named(result, tmp_path):
    (tmp_path / "measures_england_region_2017_2024.parquet").write_text("not looked at")
    _, again = computed(Settings((tmp_path,)))
    assert again.numbers == result.numbers
    assert again.provenance == result.provenance
    params = analysis.Params()
    assert analysis.fingerprint(params, Settings((tmp_path,))) == analysis.fingerprint(
        params, Settings()
    )


# Against other programs


def test_rates_have_wilson_intervals(found, result):
    events, n = counts(found, "ethnicity", "J")
    low, high = proportion_confint(events, n, method="wilson")
    shown = row(result.tables["rates"], grouping="Ethnicity", level="Pakistani")
    assert shown["recovered_low"] == pytest.approx(100 * low)
    assert shown["recovered_high"] == pytest.approx(100 * high)
    assert shown["recovered"] == pytest.approx(40.4, abs=0.05)  # as printed


def test_gaps_have_newcombes_interval_and_ratios_a_score_interval(found, result):
    a, b = counts(found, "ethnicity", "J"), counts(found, "ethnicity", "A")
    shown = row(result.tables["gaps"], grouping="Ethnicity", level="Pakistani")
    low, high = confint_proportions_2indep(*a, *b, method="newcomb", compare="diff")
    ends = shown["gap_low"], shown["gap_high"]
    assert ends == pytest.approx((100 * low, 100 * high), rel=1e-6)
    assert shown["gap"] == pytest.approx(100 * (a[0] / a[1] - b[0] / b[1]))
    low, high = confint_proportions_2indep(
        *a, *b, method="score", compare="ratio", correction=False
    )
    assert (shown["ratio_low"], shown["ratio_high"]) == pytest.approx((low, high), rel=1e-4)
    assert shown["compared"] == "White British"


def test_the_slope_index_is_a_weighted_regression_on_the_ranking(found, result):
    events, n = np.array([counts(found, "deprivation decile", str(d)) for d in range(1, 11)]).T
    ranking = (np.cumsum(n) - n / 2) / n.sum()
    fit = sm.WLS(100 * events / n, sm.add_constant(ranking), weights=n).fit()
    shown = row(result.tables["indices"], outcome="Recovered", year="2023-24")
    assert shown["sii"] == pytest.approx(-fit.params[1])
    assert shown["rii"] == pytest.approx(fit.params[0] / fit.params.sum())
    assert shown["most"] < shown["least"]  # the most deprived recover less often


def test_deterioration_rises_and_recovery_falls_with_deprivation_in_every_year(result):
    """The direction of the printed deciles of all seven years."""
    table = result.tables["indices"].frame
    signs = {
        outcome: set(np.sign(table.filter(outcome=outcome)["sii"]))
        for outcome in table["outcome"].unique()
    }
    assert signs.pop("Got reliably worse") == {1.0}
    assert set().union(*signs.values()) == {-1.0}
    assert table.height == 4 * 7


def test_odds_ratios_beside_the_study_are_woolfs(found, result):
    a, b = (
        counts(found, "ethnic group", "Mixed", "reliable deterioration"),
        counts(found, "ethnicity", "A", "reliable deterioration"),
    )
    table = Table2x2([[a[0], a[1] - a[0]], [b[0], b[1] - b[0]]])
    shown = row(result.tables["context"], outcome="Got reliably worse", group="Mixed")
    assert shown["crude"] == pytest.approx(table.oddsratio)
    assert (shown["crude_low"], shown["crude_high"]) == pytest.approx(table.oddsratio_confint())
    # as the abstract prints them
    assert (shown["adjusted"], shown["adjusted_low"], shown["adjusted_high"]) == (1.18, 1.05, 1.34)


def test_parts_of_a_gap_add_up_to_it(result):
    stages = result.tables["stages"].frame
    summed = stages["finishing"] + stages["counting"] + stages["recovering"]
    np.testing.assert_allclose(summed, stages["gap"], atol=1e-9)
    # finished per referral falls from 44 % to 29 % with deprivation
    most = row(result.tables["stages"], grouping="Deprivation", level="1 (most deprived)")
    assert most["finished_share"] == pytest.approx(100 * 71_847 / 243_824)
    assert most["finishing"] < most["recovering"] < 0


def test_changes_are_differences_of_independent_gaps(result):
    trends = result.tables["trends"].frame.filter(grouping="Ethnicity", level="African")
    first, last = (trends.filter(year=year).row(0, named=True) for year in ("2017-18", "2023-24"))
    shown = row(result.tables["changes"], grouping="Ethnicity", level="African")
    assert shown["change"] == pytest.approx(last["gap"] - first["gap"])
    half = np.hypot(last["gap"] - last["gap_low"], first["gap_high"] - first["gap"])
    assert shown["change_low"] == pytest.approx(shown["change"] - half)
    assert shown["years"] == "2017-18 to 2023-24"


def test_ages_are_compared_over_years_in_bands_that_all_years_have(result):
    trends = result.tables["trends"].frame.filter(grouping="Age in three bands")
    assert set(trends["level"]) == {"<18", "65+"}
    assert trends.filter(level="65+").height == 7
    older = row(result.tables["trends"], grouping="Age in three bands", level="65+", year="2017-18")
    # 65 and over, printed as one band until 2020-21
    assert older["counted"] == 34_861


# Years and choices


def test_where_only_percentages_are_published_there_is_no_interval():
    _, result = computed(year="2024-25")
    shown = row(result.tables["gaps"], grouping="Ethnicity", level="Pakistani")
    assert (shown["rate"], shown["gap_low"], shown["counted"]) == (40.2, None, None)
    assert shown["gap"] == pytest.approx(40.2 - 51.8)
    rates_of = row(result.tables["rates"], grouping="Ethnicity", level="Pakistani")
    assert rates_of["made_of"] == rates.FROM_PERCENTAGE
    # of all finished courses, whose number is published: an interval that allows for rounding
    low, high = proportion_confint(0.083 * 13_592, 13_592, method="wilson")
    assert rates_of["worse_low"] < 100 * low
    assert rates_of["worse_high"] > 100 * high
    assert "deprivation" in result.tables
    assert "stages" in result.not_applicable
    plain = result.render(result.text["plain"])
    assert "of 100 by White British patients, 52: a difference of -11.9 points." in plain
    reading = result.render(result.text["reading"])
    assert "gaps" not in reading.split("Koopman")[1].split("The slope")[0]  # of 0 gaps nothing
    for name in ("gaps", "deprivation"):
        figures.draw(result, name, "fairness_published").canvas.draw()


def test_sentences_speak_of_a_hundred_patients(result):
    plain = result.render(result.text["plain"])
    assert (
        "Of 100 courses finished by patients in the most deprived tenth of areas, 42 ended in "
        "recovery; of 100 by patients in the least deprived tenth of areas, 56: a difference of "
        "-13.7 points (95 % -14.3 to -13.2)."
    ) in plain
    assert "Of 100 patients" not in plain
    assert "real intersections are not available" in result.text["limits"]
    assert "not a replication" in result.text["reading"]


def test_another_reference_turns_the_gap_round(result):
    _, other = computed(reference=["Gender=male", "ethnicity=pakistani"])
    turned = row(other.tables["gaps"], grouping="Gender", level="female")
    before = row(result.tables["gaps"], grouping="Gender", level="male")
    assert turned["gap"] == pytest.approx(-before["gap"])
    assert turned["gap_low"] == pytest.approx(-before["gap_high"])
    british = row(other.tables["gaps"], grouping="Ethnicity", level="White British")
    assert british["compared"] == "Pakistani"
    assert "against Pakistani patients" in other.render(other.figures["stages"].caption)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"year": "2015-16"}, "there are no figures of that year; the years are 2017-18, "),
        ({"reference": ["Gender"]}, "is not of the form Grouping=Level with one of the groupings"),
        ({"reference": ["Height=tall"]}, "is not of the form Grouping=Level"),
        ({"reference": ["Gender=tall"]}, "there is no such group with an outcome among .*male"),
        ({"reference": ["age in three bands=65+"]}, "compare years, always with 18-64"),
    ],
)
def test_choices_that_are_not_there_are_refused(changes, message):
    with pytest.raises(ParameterError, match=message):
        study.load(analysis.Params.check(changes, "test"), Settings())


def test_of_several_gaps_it_is_said_how_many_hold_together(found, result):
    numbers = result.numbers
    gaps = result.tables["gaps"].frame.drop_nulls("gap_low")
    apart = gaps.filter((pl.col("gap_low") > 0) | (pl.col("gap_high") < 0))
    assert (numbers["n_gaps"].value, numbers["n_apart"].value) == (gaps.height, apart.height)
    errors = (gaps["gap_high"] - gaps["gap_low"]) / (2 * 1.96)
    z = (gaps["gap"] / errors).abs()
    # 0.05 / 60 is at z = 3.3, and these intervals are nearly symmetric
    assert int((z > 3.6).sum()) <= numbers["n_apart_all"].value <= int((z > 3.1).sum())


# What does not compare, and what is not here


def test_what_the_package_does_not_hold_is_not_said_to_be_unpublished():
    found, result = computed(year="2024-25")
    shown = {row["grouping"]: row for row in result.tables["coverage"].frame.to_dicts()}
    assert (shown["Ethnicity"]["groups"], shown["Ethnicity"]["most"]) == (12, 16)
    for grouping in ("Religion", "Disability", "Gender"):
        assert shown[grouping]["unknown"] is None
        assert shown[grouping]["several"] is None
    assert shown["Age"]["unknown"] == 0  # all bands together are everybody
    assert shown["Long-term condition"]["unknown"] == pytest.approx(74.3, abs=0.05)
    (sentence,) = [c.sentence for c in result.checks if "everybody, once" in c.name]
    assert (
        "Not every group is in this package of: ethnicity (12 of 16 groups), religion (3 of 12 "
        "groups), disability (5 of 12 groups)."
    ) in sentence
    assert "not in this package for: deprivation, gender, religion, disability." in sentence
    assert found.where == "in this package"
    said = [sentence, *result.text.values(), *result.not_applicable.values()]
    assert not any("not published" in result.render(one) for one in said)
    _, early = computed(year="2017-18")
    assert "not in this package for this year" in early.not_applicable["grouping Orientation"]


def test_a_change_of_who_is_recorded_leaves_no_interval_of_change(result):
    changes = result.tables["changes"].frame
    condition = row(result.tables["changes"], grouping="Long-term condition", level="yes")
    assert (condition["a_unknown"], condition["b_unknown"]) == pytest.approx((15.2, 71.6), abs=0.05)
    disabled = changes.filter(grouping="Disability")
    assert disabled["a_unknown"].unique().to_list() == pytest.approx([51.9], abs=0.05)
    assert disabled["b_unknown"].unique().to_list() == pytest.approx([22.5], abs=0.05)
    for rows in (disabled, changes.filter(grouping="Long-term condition")):
        assert rows["change"].null_count() == 0
        assert rows["change_low"].null_count() == rows["change_high"].null_count() == rows.height
    others = changes.filter(~pl.col("grouping").is_in(["Disability", "Long-term condition"]))
    assert others["change_low"].null_count() == 0
    assert changes.filter(grouping="Age in three bands")["a_unknown"].to_list() == [0.0, 0.0]
    limits = result.text["limits"]
    for words in ("Years do not all compare", "15 %", "72 %", "52 %", "23 %", "April 2022", "2019"):
        assert words in limits
    assert "Vertical line, 2020-21" in result.render(result.figures["trends"].caption)


def test_the_first_gap_of_16_and_17_alone_is_wider(found):
    counted = {
        group: counts(found, "age", group, year="2017-18") for group in ("16-17", "18-35", "36-64")
    }
    adults = np.sum([counted["18-35"], counted["36-64"]], axis=0)
    alone = 100 * (counted["16-17"][0] / counted["16-17"][1] - adults[0] / adults[1])
    assert alone == pytest.approx(-7.6, abs=0.05)
    _, result = computed()
    banded = row(
        result.tables["trends"], grouping="Age in three bands", level="<18", year="2017-18"
    )
    assert banded["gap"] == pytest.approx(-5.2, abs=0.05)
    assert (
        "of 16 and 17 alone the first gap in recovery is -7.6 points, not -5.2"
        in (result.text["limits"])
    )


def test_of_changes_it_is_said_how_many_move_by_more_than_chance(result):
    judged = result.tables["changes"].frame.drop_nulls("change_low")
    apart = judged.filter((pl.col("change_low") > 0) | (pl.col("change_high") < 0))
    assert result.numbers["n_changes"].value == judged.height
    assert result.numbers["n_moved"].value == apart.height
    assert "only the first and the last year are compared" in result.text["reading"]


def test_intervals_are_said_to_take_courses_as_independent(found, result):
    reading = result.render(result.text["reading"])
    assert "Every interval takes courses as independent. They are not: patients return" in reading
    assert "so its gap is likely overstated" in reading
    assert "for nothing else" in reading
    events, n = np.array([counts(found, "deprivation decile", str(d)) for d in range(1, 11)]).T
    ranking = (np.cumsum(n) - n / 2) / n.sum()
    fit = sm.WLS(100 * events / n, sm.add_constant(ranking), weights=n).fit()
    shown = row(result.tables["indices"], outcome="Recovered", year="2023-24")
    low, high = -fit.conf_int()[1][::-1]
    assert (shown["sii_line_low"], shown["sii_line_high"]) == pytest.approx((low, high))
    assert (low, high) == pytest.approx((-16.2, -12.4), abs=0.05)
    assert "from the line it is -16.2 to -12.4." in result.render(result.text["plain"])


def test_courses_with_no_recorded_group_are_told_of_beside_the_gaps(result):
    gaps = result.tables["gaps"].frame
    shares = dict(gaps.select("grouping", "unknown").unique().iter_rows())
    expected = {"Long-term condition": 71.6, "Religion": 35.8, "Orientation": 26.3}
    expected |= {"Disability": 22.5}
    assert {name: shares[name] for name in expected} == pytest.approx(expected, abs=0.05)
    caption = result.render(result.figures["gaps"].caption)
    assert "courses with no recorded group are left out, as many as each heading says" in caption
    assert "every patient is in all" not in caption


def test_limits_are_those_of_the_outcome():
    _, harm = computed(outcome="reliable deterioration")
    assert "end more often in reliable deterioration" in harm.text["limits"]
    assert "less often in recovery" not in harm.text["limits"]


# Rounding


@settings(deadline=None, max_examples=50)
@given(st.integers(5, 400), st.integers(0, 400), st.integers(5, 400), st.integers(0, 400))
def test_intervals_hold_those_of_every_count_that_rounds_to_the_same(n, x, m, y):
    """Counts of providers are rounded to 5; whatever they were, its interval lies within."""
    x, y = x % (n + 1), y % (m + 1)

    def cells(a, b, off):
        columns = {"events": a, "n": b, "events_error": off, "n_error": off, "made_of": "counts"}
        about = {"period": "p", "org": "X", "breakdown": "gender", "measure": "m", "stated": None}
        return {**about, **columns}

    def five(count):
        return 5.0 * round(count / 5)

    exact = [cells(float(x), float(n), 0.0), cells(float(y), float(m), 0.0)]
    rounded = [
        cells(min(five(x), five(n)), five(n), 2.0),
        cells(min(five(y), five(m)), five(m), 2.0),
    ]
    shown = []
    for rows in (exact, rounded):
        frame = pl.DataFrame(
            [row | {"group": g} for row, g in zip(rows, ("male", "female"), strict=True)],
            schema_overrides={"stated": pl.Float64},
        )
        rated = rates.with_rates(frame)
        gap = rates.with_gaps(frame, {"gender": "female"})
        shown.append((rated, gap.row(0, named=True)))
    (narrow, gap), (wide, wide_gap) = shown
    assert (wide["low"] <= narrow["low"] + 1e-9).all()
    assert (wide["high"] >= narrow["high"] - 1e-9).all()
    assert wide_gap["gap_low"] <= gap["gap_low"] + 1e-9
    assert wide_gap["gap_high"] >= gap["gap_high"] - 1e-9
    _, low, high = proportions.newcombe(x, n, y, m)
    assert (gap["gap_low"], gap["gap_high"]) == pytest.approx((100 * low, 100 * high))


def test_its_runs_are_files_of_the_project():
    for name in ("fairness-nhs", "fairness-nhs-all"):
        spec = load_run(find().params, name)
        assert analysis.Params.check(spec.parameters, name).source == "published"
    assert all(not Path(file).is_absolute() for file in spec.parameters["figures"])
