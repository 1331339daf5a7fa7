"""Predictions to audit: made here, or a file that is refused by name where it cannot be used."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from iesoresearch.analyses.fairness import Params, predictions
from iesoresearch.analyses.fairness.data import Audited, load
from iesoresearch.analyses.recovery.data import AUDITED, GROUPS
from iesoresearch.analyses.recovery_transfer.site import at_risk
from iesoresearch.errors import DataError, NotApplicable, ParameterError
from iesoresearch.params import Settings

ROWS = 200


def frame(**columns):
    """A file as any model may give it."""
    random = np.random.default_rng(1)
    base = {
        "y": random.integers(2, size=ROWS),
        "p": random.random(ROWS),
        "patient_id": [f"P{i // 2}" for i in range(ROWS)],
        "Gender": ["female", "male"] * (ROWS // 2),
    }
    return pl.DataFrame({k: v for k, v in (base | columns).items() if v is not None})


def asked(name="predictions.parquet", **more):
    return Params(source="predictions", predictions=name, **more)


@pytest.fixture
def read(tmp_path):
    """Read a frame as a file of predictions."""

    def call(table, name="predictions.parquet", **more):
        path = tmp_path / name
        table.write_csv(path) if name.endswith(".csv") else table.write_parquet(path)
        data = Audited(None, pl.DataFrame(), (), {}, (tmp_path,))
        return predictions.of(data, asked(name, **more))

    return call


def test_a_file_is_read_and_acts_on_the_risk_of_not_reaching_the_outcome(read):
    table = frame()
    found = read(table)
    np.testing.assert_array_equal(found.y, 1 - table["y"].to_numpy())
    np.testing.assert_array_equal(found.risk, 1 - table["p"].to_numpy())
    assert len(np.unique(found.patient)) == ROWS / 2
    assert found.levels("Gender") == ["female", "male"]
    assert "predictions.parquet" in found.source
    assert found.predicted == "the outcome"  # the file does not say which, nor when


def test_csv_and_parquet_are_the_same(read):
    one, other = read(frame()), read(frame(), "predictions.csv")
    np.testing.assert_allclose(one.risk, other.risk)
    np.testing.assert_array_equal(one.groups["Gender"], other.groups["Gender"])


def test_other_columns_of_words_are_groups_and_missing_levels_are_not_recorded(read):
    site = ["urban", None, "rural", "Not known"] * (ROWS // 4)
    found = read(frame(site=site, note=[f"free text {i}" for i in range(ROWS)]))
    assert list(found.groups) == ["Gender", "site"]
    assert found.levels("site") == ["rural", "urban", "not recorded"]


def test_constant_groups_are_left_out_with_the_reason(read):
    found = read(frame(Orientation=["heterosexual"] * ROWS, site=[None] * ROWS,
                       area=["north"] * ROWS), groupings=[])  # fmt: skip
    assert list(found.groups) == ["Gender"]
    assert found.left_out == {"Orientation": "one group only", "area": "one group only"}


def test_without_patients_every_row_counts_as_one(read):
    assert read(frame(patient_id=None)).patient is None


def test_the_model_the_landmark_and_the_outcome_asked_for_are_taken(read):
    parts = [
        frame().with_columns(
            model=pl.lit(model), landmark=pl.lit(landmark), outcome=pl.lit(outcome),
            p=pl.lit(0.1 * landmark + (0.5 if model == "logistic" else 0.0)),
            referral_id=pl.Series([f"R{i}" for i in range(ROWS)]),
        )
        for model in ("logistic", "xgboost")
        for landmark in (2, 4)
        for outcome in ("reliable_recovery", "drop_out")
    ]  # fmt: skip
    found = read(pl.concat(parts), model="xgboost", landmark=2)
    assert len(found.y) == ROWS
    np.testing.assert_allclose(found.risk, 0.8)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"y": None}, "has no column y; its columns are p, patient_id, Gender"),
        ({"y": None, "p": None}, "has no column y and no column p"),
        ({"Gender": None}, "has no column with groups of patients"),
        ({"y": [2] + [0, 1] * 99 + [1]}, "1 of 200 outcomes are missing or neither 0 nor 1"),
        ({"p": [1.5] + [0.5] * 199}, "1 of 200 predictions are outside 0 to 1"),
        ({"p": [None] * 3 + [0.5] * 197}, "3 of 200 predictions are missing"),
        ({"p": [float("nan")] + [0.5] * 199}, "1 of 200 predictions are missing"),
        ({"Gender": ["female"] * 200}, "no groups to compare: Gender: one group only"),
        (
            {"Gender": [None, "Not known"] * 100},
            "no groups to compare: Gender: recorded for nobody",
        ),
        ({"patient_id": [None] + ["P"] * 199}, "1 of 200 rows have no patient_id"),
        ({"referral_id": ["R"] * 200}, "199 of 200 rows repeat a referral_id"),
        ({"landmark": [0, 2] * 100}, "holds no predictions of landmark 4; it holds 0, 2"),
        ({"outcome": ["drop_out"] * 200}, "no predictions of outcome reliable_recovery; it holds"),
        ({"model": ["mine", "yours"] * 100}, "of model logistic; it holds mine, yours"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_paragraph(read, columns, message):
    with pytest.raises(DataError, match=message) as refused:
        read(frame(**columns))
    assert "\n" not in str(refused.value)
    assert "predictions.parquet" in str(refused.value)


def test_a_single_model_of_another_name_needs_no_choice(read):
    assert len(read(frame(model=["mine"] * ROWS)).y) == ROWS


def test_a_file_that_is_no_table_is_refused_without_quoting_it(tmp_path):
    data = Audited(None, pl.DataFrame(), (), {}, (tmp_path,))
    (tmp_path / "predictions.parquet").write_text("Mrs Secret, 12 Hidden Street")
    with pytest.raises(DataError, match="cannot be read as a table") as refused:
        predictions.of(data, asked())
    assert "Secret" not in str(refused.value)
    (tmp_path / "predictions.xlsx").write_text("x")
    with pytest.raises(DataError, match=r"neither \.parquet nor \.csv"):
        predictions.of(data, asked("predictions.xlsx"))
    with pytest.raises(DataError, match=r"No folder with absent\.csv was found"):
        predictions.of(data, asked("absent.csv"))


def test_references_are_asked_for_or_the_least_deprived_or_the_largest(read):
    fifths = ["1 (most deprived)"] * 120 + ["5 (least deprived)"] * 80
    found = read(frame(**{"Gender": ["female"] * 120 + ["male"] * 80,
                          "Deprivation quintile": fifths}))  # fmt: skip
    usual = {"Gender": "female", "Deprivation quintile": "5 (least deprived)"}
    assert found.references([]) == usual
    assert found.references(["Gender=male"])["Gender"] == "male"
    with pytest.raises(ParameterError, match=r"Gender=other: nobody .* female, male: name one"):
        found.references(["Gender=other"])


def test_a_file_is_part_of_what_a_run_depends_on():
    assert asked().files_beside == ("predictions.parquet",)
    assert asked().reads_patients


@pytest.fixture(scope="module")
def drawn():
    params = Params(n_referrals=2500, landmark=2, seed=5)
    return params, load(params, Settings())


def test_a_file_as_recovery_writes_it_gives_the_same_as_predictions_made_here(drawn, tmp_path):
    params, data = drawn
    made = predictions.made(replace(data, left_out={"Site": "one group only"}), params)
    assert made.left_out["Site"] == "one group only"
    at = at_risk(data.cohort, params.landmark)
    assert len(made.y) == at.n
    kept = at.rows.select("referral_id", "patient_id", "service_id", *GROUPS, *AUDITED)
    kept.with_columns(
        landmark=pl.lit(2), outcome=pl.lit("reliable_recovery"), model=pl.lit("logistic"),
        fold=pl.lit(0), y=pl.Series(1 - made.y), p=pl.Series(1 - made.risk),
    ).write_parquet(tmp_path / "predictions.parquet")  # fmt: skip
    beside = Audited(None, pl.DataFrame(), (), {}, (tmp_path,))
    found = predictions.of(beside, asked(landmark=2))
    np.testing.assert_array_equal(found.y, made.y)
    np.testing.assert_allclose(found.risk, made.risk, atol=1e-15)
    same = np.unique(made.patient, return_inverse=True)[1]
    other = np.unique(found.patient, return_inverse=True)[1]
    assert len(set(zip(same, other, strict=True))) == same.max() + 1 == other.max() + 1
    assert found.predicted == made.predicted == "reliable recovery at the landmark “session 2”"
    assert set(found.groups) == set(made.groups)  # ethnicity and orientation from their codes
    for name in made.groups:
        np.testing.assert_array_equal(found.groups[name], made.groups[name])


def test_they_are_made_once_and_by_models_of_other_services(drawn):
    params, data = drawn
    assert predictions.of(data, params) is predictions.of(data, params)
    found = predictions.of(data, params)
    assert "each service predicted by models that never saw it" in found.source
    assert set(np.unique(found.y)) == {0.0, 1.0}


def test_too_few_patients_to_make_a_model_of_are_said(drawn):
    _, data = drawn
    rows = data.cohort.referrals.head(200)
    few = replace(data, cohort=replace(data.cohort, referrals=rows))
    with pytest.raises(NotApplicable, match="Bring more data, an earlier landmark"):
        predictions.made(few, Params(landmark=8))
