"""Data that the growth model cannot be fitted to are named, and the rest is counted right."""

import numpy as np
import pytest

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.models.growth import GrowthData, GrowthModel, Priors


def rows(n=12, sessions=3):
    """Arguments of valid data: scores, times, patients."""
    patient = np.repeat(np.arange(n), sessions)
    time = np.tile(np.arange(sessions), n)
    return {"score": (patient * 7 + time * 3) % 11, "time": time, "patient": patient}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"score": np.ones(36)}, "All scores are the same"),
        ({"score": np.ones(35)}, "same length, one row per score"),
        ({"score": np.full(36, np.nan)}, "leave the rows of scores out that were not seen"),
        (rows(36, 1), "None of the 36 patients has more than one score"),
        (rows(9), "9 patients are too few"),
        ({"patient": rows()["patient"] + 1}, r"Codes of patients must be the integers 0 … n - 1"),
        ({"time": rows()["time"] + 1}, "Occasions must start at 0"),
        ({"time": np.zeros(36)}, "Occasions must start at 0"),
        ({"time": np.where(np.arange(36) == 2, 1, rows()["time"])}, "two scores at one time"),
        ({"occasions": [0, 1]}, "not among the occasions"),
        ({"therapist": np.arange(12)}, "Every therapist has one patient only"),
        ({"therapist": np.arange(12) // 2 * 2}, "Codes of therapists must be"),
        ({"service": np.repeat([0, 1], 18)}, "36 services for 12 patients"),
        ({"covariates": np.ones((12, 1)), "names": ("age",)}, "age is the same for all"),
        ({"covariates": np.ones((12, 2)), "names": ("age",)}, r"shape \(12, 2\); with 12"),
        ({"covariates": np.full((12, 1), np.nan), "names": ("age",)}, "age is missing for some"),
        (
            {"covariates": np.arange(12)[:, None], "names": ("age",), "rate_only": ("arm",)},
            "No covariate is called arm",
        ),
        (
            {"covariates": rows()["score"][::3, None] / 3.0, "names": ("first",)},
            "first is the first score, which is among the scores",
        ),
        ({"dropped_out": np.ones(36, dtype=bool)}, "each of the 12 patients"),
    ],
)
def test_data_that_cannot_be_used(change, sentence):
    with pytest.raises(DataError, match=sentence):
        GrowthData.of(**(rows() | change))


def test_too_many_occasions():
    given = rows(10, 2)
    time = np.linspace(1, 2, 10)
    given["time"] = np.column_stack([np.zeros(10), time]).ravel()
    many = np.concatenate([[0.0], time, np.arange(3, 600)])
    with pytest.raises(DataError, match="at 608 different times: round them"):
        GrowthData.of(**given, occasions=many)


def test_units_of_which_little_can_be_said():
    data = GrowthData.of(
        **rows(), therapist=np.repeat([0, 1, 2], [1, 5, 6]), service=np.zeros(12, dtype=int)
    )
    assert data.service is None
    assert data.notes == (
        "1 of 3 therapists have one patient only; they say little about how therapists differ.",
        "With 3 therapists, how much therapists differ rests largely on its prior.",
        "All patients have the same service: what services add is not estimable.",
    )


def test_who_left_when():
    """Patient 0 leaves after session 1, 1 ends as planned then, 2 stays, 3 comes to all."""
    seen = {0: [0, 1], 1: [0, 1], 2: [0, 2, 3], 3: [0, 1, 2, 3]} | {i: [0, 3] for i in range(4, 10)}
    patient = np.repeat(np.arange(10), [len(times) for times in seen.values()])
    time = np.concatenate(list(seen.values()))
    dropped_out = np.array([True, False, False, True] + 6 * [False])
    data = GrowthData.of(time + patient, time, patient, dropped_out=dropped_out)
    assert data.left.tolist() == [True] + 9 * [False]  # nobody can leave after the last
    assert data.end[:4].tolist() == [1, 1, 3, 3]
    stays, leaves = data.course
    assert stays[:4].tolist() == [1, 1, 3, 3]
    assert leaves.tolist() == [1] + 9 * [0]
    assert data.since_leaving[0].tolist() == [0, 0, 1, 2]
    assert not data.since_leaving[1:].any()
    assert data.growth([0, 3]).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("dropped_out", "sentence"),
    [
        (None, "Nothing says who dropped out"),
        (np.zeros(12), "None of the 12 patients dropped out"),
        (np.ones(12), "All of the 12 patients dropped out"),
    ],
)
def test_drop_out_that_cannot_be_modelled(dropped_out, sentence):
    data = GrowthData.of(**rows(), dropped_out=dropped_out, occasions=[0, 1, 2, 3])
    with pytest.raises(DataError, match=sentence):
        GrowthModel((0, 27)).fit(data, dropout="shared", seed=1)


@pytest.mark.parametrize(
    ("model", "dropout", "kind", "sentence"),
    [
        (GrowthModel((0, 27)), "none", ParameterError, 'must be "random" or "shared", not "none"'),
        (GrowthModel((0, 27), draws=0), "random", ParameterError, "must be at least 1"),
        (GrowthModel((0, 5)), "random", DataError, "outside the scale, 0 to 5"),
        (GrowthModel((27, 0)), "random", ParameterError, "scale goes from 27 to 0"),
    ],
)
def test_options_that_are_none(model, dropout, kind, sentence):
    with pytest.raises(kind, match=sentence):
        model.fit(GrowthData.of(**rows()), dropout=dropout, seed=1)


def test_priors_are_shares_of_the_range():
    priors = Priors(0, 27)
    assert (priors.middle, priors.level, priors.rate) == (13.5, 4.5, 6.75)
    # half-normal: 95 % below 1.96 of its scale, a third of the range
    assert 1.96 * priors.patient_level_sd == pytest.approx(27 / 3, rel=0.02)
    table = priors.table()
    assert table[0] == {
        "parameter": "level",
        "prior": "Normal(13.5, 4.5)",
        "why": "middle third of the scale",
    }
    assert len(table) == 13
