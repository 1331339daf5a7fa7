"""Intersections of the audit: what is planted is found, what is small or bad does not pass."""

import itertools
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from iesoresearch.analyses.fairness import Params
from iesoresearch.analyses.fairness.data import Audited, levels_of
from iesoresearch.analyses.fairness.intersections import BY_CHANCE, intersections
from iesoresearch.analyses.fairness.outcomes import gaps
from iesoresearch.analyses.fairness.strata import ADDS_UP, UNPLACED
from iesoresearch.data.groups import NOT_RECORDED, QUINTILES
from iesoresearch.disclosure import Policy, release
from iesoresearch.models.maihda import TOO_SMALL
from iesoresearch.seeds import rng

DIMENSIONS = ["Gender", "Deprivation quintile"]
GENDERS = levels_of()["Gender"]
PARAMS = Params(intersect=DIMENSIONS, groupings=DIMENSIONS, draws=1000)
WORSE = ("male", QUINTILES[0])
FEW = ("male", QUINTILES[3])


def audited(rows):
    return Audited(None, rows, tuple(DIMENSIONS), {})


@pytest.fixture(scope="module")
def data():
    """Everybody recovers in half of the cases but one intersection, 25 points less; one is tiny."""
    random, parts = rng(1, "rows"), []
    for gender, quintile in itertools.product(GENDERS, (*QUINTILES, NOT_RECORDED)):
        n = {FEW: 4, ("male", NOT_RECORDED): 60}.get((gender, quintile), 900)
        p = 0.25 if (gender, quintile) == WORSE else 0.5
        parts.append(
            pl.DataFrame({"reliable_recovery": random.random(n) < p}).with_columns(
                **{"Gender": pl.lit(gender), "Deprivation quintile": pl.lit(quintile)},
                ended=pl.lit(value=True),
                at_caseness=pl.lit(value=True),
            )
        )
    return audited(pl.concat(parts))


@pytest.fixture(scope="module")
def found(data):
    return intersections(data, PARAMS)


@pytest.fixture(scope="module")
def released(data, found):
    return release(replace(found, tables=found.tables | {"gaps": gaps(data, PARAMS)}), Policy())


def of(table, gender, quintile):
    rows = table.frame.filter(
        pl.col("Gender") == gender, pl.col("Deprivation quintile") == quintile
    )
    return rows.row(0, named=True)


def test_the_planted_intersection_is_found(data, found):
    worse = of(found.tables["strata"], *WORSE)
    assert worse["interaction"] < -5  # half of it is in the main effects of its groups
    assert worse["interaction"] == found.tables["strata"].frame["interaction"].min()
    assert worse["mean_low"] <= 25 <= worse["mean_high"]
    counts = data.rows.filter(Gender="male").filter(pl.col("Deprivation quintile") == WORSE[1])
    assert worse["at_caseness"] == counts.height
    assert worse["raw"] == pytest.approx(100 * counts["reliable_recovery"].mean())
    by_name = {check.name: check.status for check in found.checks}
    assert by_name["claim: intersections differ"] == "passed"
    assert by_name["the chains agree and are long enough"] == "passed"


def test_rates_lie_near_the_raw_ones_of_many_patients(found):
    frame = found.tables["strata"].frame.filter(at_caseness=900)
    known = frame.filter(pl.col("Deprivation quintile") != NOT_RECORDED)
    assert (known["finding"] == ADDS_UP).sum() >= 5
    off = (known["mean"] - known["raw"]).abs()
    assert off.max() < 4


def test_who_is_not_recorded_is_counted_and_not_estimated(found):
    unplaced = of(found.tables["strata"], "female", NOT_RECORDED)
    assert unplaced["finding"] == UNPLACED
    assert unplaced["mean"] is None
    assert unplaced["at_caseness"] == 900
    assert found.numbers["n_not_intersected"].value == 2 * 900 + 60
    assert found.numbers["n_intersected"].value == 14 * 900 + 4


def test_too_small_is_a_value_inside_and_does_not_pass(found, released):
    inside = of(found.tables["strata"], *FEW)
    assert inside["finding"] == TOO_SMALL
    assert inside["mean"] is None
    outside = of(released.tables["strata"], *FEW)
    hidden = set(outside) - {*DIMENSIONS, "status"}
    assert all(outside[name] is None for name in hidden)
    assert "fewer than 10" in outside["status"]


def test_estimates_that_pass_are_coarse_and_counts_rounded(released):
    shown = released.tables["strata"].frame.filter(pl.col("mean").is_not_null())
    assert shown.height >= 5
    assert (shown["at_caseness"] % 5 == 0).all()
    for name in ("mean", "mean_low", "mean_high"):
        assert (shown[name] == shown[name].round()).all()
    assert (2 * shown["interaction"] == (2 * shown["interaction"]).round()).all()


def test_sentences_speak_of_what_is_shown_only(released):
    shown = released.tables["strata"].frame.filter(pl.col("mean").is_not_null())
    plain = released.render(released.text["plain"])
    assert f"Of {shown.height} intersections" in plain
    assert f"{BY_CHANCE * shown.height:.1f} by chance" in plain
    told = released.numbers["told_strata"].value
    assert f"25 of 100 who are {', '.join(WORSE)}" in told or shown["mean"].min() != 25
    assert ", ".join(FEW) not in plain
    sentences = [c.sentence for c in released.checks] + [
        f.caption for f in released.figures.values()
    ]
    for sentence in (*released.text.values(), *sentences):
        assert "{" not in released.render(sentence)


def test_nothing_shown_is_said(data):
    strict = Policy(min_count=1000, round_to=5)
    result = intersections(data, PARAMS)
    tight = release(replace(result, tables=result.tables | {"gaps": gaps(data, PARAMS)}), strict)
    assert tight.numbers["strata_shown"].value == 0
    assert "Too few patients are in any two intersections" in tight.render(tight.text["plain"])


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (lambda r: r.filter(pl.col("Gender") == "male"), "dimension 'Gender' is constant"),
        (lambda r: r.with_columns(reliable_recovery=False), "Everybody or nobody has the outcome"),
    ],
)
def test_where_it_cannot_be_made_the_reason_is_named(data, rows, why):
    result = intersections(audited(rows(data.rows)), PARAMS)
    assert not result.tables
    assert not result.figures
    for reason in result.not_applicable.values():
        assert reason.startswith("Intersections of Gender, Deprivation quintile: ")
        assert why in reason


def test_where_nobody_is_there_is_a_row_that_does_not_say_so(data):
    nobody = (pl.col("Gender") == "female") & (pl.col("Deprivation quintile") == QUINTILES[1])
    some = replace(data, rows=data.rows.filter(~nobody))
    result = intersections(some, PARAMS)
    row = {"Gender": "female", "Deprivation quintile": QUINTILES[1]}
    strata = result.tables["strata"].frame
    assert strata.height == len(GENDERS) * (len(QUINTILES) + 1)
    assert strata.filter(**row)["at_caseness"].item() == 0
    linked = replace(result, tables=result.tables | {"gaps": gaps(some, PARAMS)})
    shown = release(linked, Policy()).tables["strata"].frame.filter(**row)
    assert shown["at_caseness"].item() is None
    assert shown["status"].item().startswith("suppressed")


def test_a_grouping_that_was_left_out_is_named(data):
    absent = replace(data, left_out={"Gender": "recorded for nobody"})
    without = intersections(absent, PARAMS).not_applicable
    assert {"strata", "intersections", "shrinkage", "interactions"} <= set(without)
    (reason,) = set(without.values())
    assert "Gender makes no strata (recorded for nobody)" in reason


def test_the_same_again_with_two_jobs(data, found):
    again = intersections(replace(data, n_jobs=2), PARAMS)
    assert again.tables["strata"].frame.equals(found.tables["strata"].frame)
    np.testing.assert_equal(again.numbers["strata_vpc"].value, found.numbers["strata_vpc"].value)
