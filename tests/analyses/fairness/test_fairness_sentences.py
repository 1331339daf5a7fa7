"""What is said of groups, of the way and of years: beside hand calculation and statsmodels."""

import re

import numpy as np
import polars as pl
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep

from iesoresearch.analyses.fairness import (
    Params,
    alongside,
    captions,
    names,
    outcome_audit,
    pathway,
    sentences,
    statement,
)
from iesoresearch.analyses.fairness.data import Audited, load
from iesoresearch.analyses.fairness.derive import HIGHER, LOWER, OPEN, REFERENCE
from iesoresearch.data.groups import NOT_RECORDED, QUINTILES
from iesoresearch.models import inequality
from iesoresearch.params import Settings
from iesoresearch.results import Table, Value

OUTCOME = "reliable_recovery"


def told(grouping: str, rows: list[tuple]) -> str:
    """What is said of groups with (level, at caseness, recovered, finding)."""
    schema = ["level", "at_caseness", OUTCOME, "finding"]
    frame = pl.DataFrame(rows, schema=schema, orient="row").with_columns(
        grouping=pl.lit(grouping), rate=100 * pl.col(OUTCOME) / pl.col("at_caseness")
    )
    other = frame.filter(finding=REFERENCE)["rate"][0]
    frame = frame.with_columns(gap=pl.col("rate") - pl.lit(other, pl.Float64))
    frame = frame.with_columns(gap_low=pl.col("gap") - 5, gap_high=pl.col("gap") + 5)
    adjusted = frame.select("grouping", "level").with_columns(
        gap_step=pl.lit(-1.0), gap_step_low=pl.lit(-2.0), gap_step_high=pl.lit(0.5)
    )
    return sentences._of_grouping(
        grouping, OUTCOME, {"gaps": table(frame), "adjusted": table(adjusted)}
    )


def table(frame: pl.DataFrame) -> Table:
    values = {
        name: Value("model", name) for name in frame.columns if name not in ("grouping", "level")
    }
    return Table("t", frame, {"grouping": "", "level": ""}, values)


def test_all_groups_found_to_differ_are_named_and_the_unknown_are_apart():
    said = told(
        "Ethnic group",
        [
            ("White", 1000, 520, REFERENCE),
            ("Mixed", 100, 40, LOWER),
            ("Asian or Asian British", 200, 70, LOWER),
            ("Black or Black British", 200, 140, HIGHER),
            ("Other", 50, 25, OPEN),
            (NOT_RECORDED, 100, 30, LOWER),
        ],
    )
    assert said.startswith(
        "Ethnic group: of 4 groups compared with White patients, 2 found to have fewer who "
        "reliably recovered, and 1 more. Of 100 White patients who finished, at caseness at the "
        "start, 52 reliably recovered; of 100 Asian or Asian British patients, 35: -17.0 points "
        "(95 % -22.0 to -12.0) as counted, -1.0 (-2.0 to 0.5) between patients alike in severity, "
        "problem and step of care; of 100 patients of mixed ethnicity, 40"
    )
    assert "of 100 Black or Black British patients, 70" in said
    assert "Other" not in said
    assert said.endswith(
        "Counted apart: of 100 for whom it is not recorded, 30 (found to be fewer)."
    )


def test_without_a_difference_the_clearest_is_told_as_chance():
    said = told("Gender", [("female", 500, 252, REFERENCE), ("male", 500, 248, OPEN)])
    assert "0 found to have fewer" in said
    assert "by a gap that chance can make: of 100 women" in said
    assert "50.4 reliably recovered; of 100 men, 49.6: -0.8 points" in said  # not 50 beside 50


def test_a_withheld_reference_is_said_and_no_other_group_takes_its_place():
    said = told("Gender", [("female", 500, None, REFERENCE), ("male", 500, 248, None)])
    assert said.startswith("Gender: the reference group is withheld")
    assert "women" not in said
    said = told("Gender", [("female", 500, 250, REFERENCE), ("male", 500, None, None)])
    assert said == (
        "Gender: the groups are too small, or withheld to protect a small one, so none is compared "
        "with women."
    )


def test_pakistani_and_white_british_patients_are_told_whatever_the_reference():
    rows = [
        ("White British", 1000, 500, HIGHER),
        ("Indian", 100, 30, REFERENCE),
        ("Pakistani", 100, 40, OPEN),
    ]
    low, high = confint_proportions_2indep(40, 100, 500, 1000, method="newcomb", compare="diff")
    assert told("Ethnicity", rows).endswith(
        "Always told: of 100 Pakistani patients who finished, at caseness at the start, 40 "
        "reliably recovered; of 100 White British patients, 50: a gap of -10.0 points (95 %, "
        f"looked at alone, {100 * low:.1f} to {100 * high:.1f})."
    )
    hidden = [rows[0], rows[1], ("Pakistani", 100, None, None)]
    assert "Pakistani" not in told("Ethnicity", hidden)
    assert "Always told" not in told("Ethnicity", rows[:2])


@pytest.mark.parametrize(
    ("pairs", "digits"),
    [
        ([(50.4, 49.6)], 1),  # would be no gap
        ([(50.4, 51.6)], 1),  # would be 2 points for 1.2
        ([(50.0, 40.0), (50.0, 49.9)], 1),
        ([(52.0, 35.3)], 0),
        ([(50.0, 50.0)], 0),
    ],
)
def test_decimals_where_rounding_hides_a_gap(pairs, digits):
    assert sentences.decimals(pairs) == digits


def test_other_groups_are_those_recorded_as_other():
    assert names.phrase("Ethnic group", "Other") == "patients recorded as “Other” ethnic group"
    assert names.phrase("Orientation", "bisexual") == "bisexual patients"


def test_findings_count_not_recorded_apart():
    levels = ["a", "b", "c", NOT_RECORDED]
    finding = [REFERENCE, LOWER, OPEN, HIGHER]
    frame = pl.DataFrame({"grouping": "Gender", "level": levels, "finding": finding, "rate": 1.0})
    found = {n: v.derive({"gaps": table(frame)}).value for n, v in sentences.findings().items()}
    assert found == {
        "n_compared": 2, "n_lower": 1, "n_higher": 0, "n_unrecorded": 1, "n_unrecorded_apart": 1
    }  # fmt: skip


# Along the way

STAGES = pathway.stages_of(OUTCOME)
MOST, LEAST = (2000, 1300, 650, 530, 220), (1100, 850, 520, 415, 235)


def way(judged=7424) -> dict[str, Table]:
    frame = pl.DataFrame([MOST, LEAST], schema=[*STAGES], orient="row").with_columns(
        grouping=pl.lit("Deprivation quintile"), level=pl.Series([QUINTILES[0], QUINTILES[-1]])
    )
    outcomes = pl.DataFrame({"grouping": "", "level": "", "finished": 8860, "judged": judged})
    return {"pathway": table(frame), "outcomes": table(outcomes)}


def test_the_pathway_is_of_the_most_beside_the_least_deprived():
    """Nothing in it depends on which group is the reference."""
    said = alongside.of_pathway(OUTCOME, way())
    counts = [dict(zip(STAGES, found, strict=True)) for found in (MOST, LEAST)]
    found = inequality.pathway(*counts, STAGES, nested=True)
    assert "most deprived fifth, 11.0 are known to have finished and reliably recovered" in said
    assert "from the least deprived, 21.4." in said
    assert "Of all 8,860 finishers 1,436 cannot be judged" in said
    parts = [p.value for p in found.points]
    assert sum(parts) == pytest.approx(100 * (220 / 2000 - 235 / 1100))
    assert (
        f"{found.gap.value:.1f} points (95 % {found.gap.low:.1f} to {found.gap.high:.1f})" in said
    )
    assert f"{parts[2]:.1f} at who is at caseness and can be judged" in said
    assert "how many is withheld" in alongside.of_pathway(OUTCOME, way(None))


@pytest.mark.parametrize("fifth", [QUINTILES[0], QUINTILES[2]])
def test_the_pathway_is_said_whatever_the_reference(fifth):
    params = Params(
        n_referrals=4000, groupings=["Deprivation quintile"], seed=3,
        reference=[f"Deprivation quintile={fifth}"],
    )  # fmt: skip
    data = load(params, Settings())
    result = outcome_audit.audit(data, params)
    said = str(result.numbers["told_pathway"].derive(result.tables))
    frame = result.tables["pathway"].frame
    rates = [frame.filter(level=x)["per_100"][0] for x in (QUINTILES[0], QUINTILES[-1])]
    gap = float(re.search(r"Of the gap between the two, (-?[\d.]+) points", said)[1])
    assert gap == pytest.approx(rates[0] - rates[1], abs=0.051)


# Over the years


def years(rows: dict[tuple[str, str], tuple]) -> dict[str, Table]:
    """(level, year) -> recovered, at caseness."""
    frame = pl.DataFrame(
        [("Gender", *key, *counts) for key, counts in rows.items()],
        schema=["grouping", "level", "year", OUTCOME, "at_caseness"],
        orient="row",
    )
    gaps = pl.DataFrame(
        {"grouping": "Gender", "level": ["female", "male"], "finding": [REFERENCE, OPEN]}
    )
    trends = Table(
        "t", frame, {"grouping": "", "level": "", "year": ""},
        {name: Value("count", name) for name in (OUTCOME, "at_caseness")},
    )  # fmt: skip
    return {"trends": trends, "gaps": table(gaps)}


def test_the_largest_change_of_a_gap():
    women = {("female", "2022-23"): (500, 1000), ("female", "2024-25"): (500, 1000)}
    men = {("male", "2022-23"): (500, 1000), ("male", "2024-25"): (350, 1000)}
    said = alongside.of_years(OUTCOME, years(women | men))
    assert "of 1 gaps shown in both 1 found to change" in said
    assert "the gap went from 0.0 to -15.0 points, by -15.0" in said
    # large samples of equal size: MOVER is near the sum of the four binomial variances
    error = 100 * np.sqrt((3 * 0.25 + 0.35 * 0.65) / 1000)
    low, high = (
        float(x) for x in re.search(r"jointly, 95 %, (-[\d.]+) to (-[\d.]+)", said).groups()
    )
    assert [low, high] == pytest.approx([-15 - 1.96 * error, -15 + 1.96 * error], abs=0.15)


def test_no_change_and_nothing_shown():
    rows = {(g, y): (50, 100) for g in ("female", "male") for y in ("2022-23", "2024-25")}
    assert "none is found to change" in alongside.of_years(OUTCOME, years(rows))
    rows["female", "2022-23"] = (None, 100)
    assert "cannot be shown" in alongside.of_years(OUTCOME, years(rows))
    one = {key: counts for key, counts in rows.items() if key[1] == "2024-25"}
    assert "or one year" in alongside.of_years(OUTCOME, years(one))


# Captions and the statement


def test_ended_early_overlaps_with_finished():
    caption = captions.access(Params())["leaving"].caption
    assert "Ended early overlaps with finished" in caption
    assert "what the generator was given" in caption
    site = captions.access(Params(source="folder"))["leaving"].caption
    assert "generator" not in site


def test_the_statement_of_a_model_claims_no_outcomes_and_no_waits():
    only = Audited(None, pl.DataFrame(), (), {})
    params = Params(source="predictions", predictions="mine.csv")
    frame = statement.statement(only, params).tables["statement"].frame
    assert frame["principle"].to_list() == list(statement.PRINCIPLES)
    shows = " ".join(frame["shows"])
    assert "Official outcome" not in shows
    assert "Waits" not in shows
