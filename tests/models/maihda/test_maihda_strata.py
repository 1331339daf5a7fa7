"""What strata are refused, and how dimensions are coded."""

import numpy as np
import polars as pl
import pytest

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.models.maihda import fit
from iesoresearch.models.maihda.strata import Strata, contrasts

FRAME = pl.DataFrame({"gender": ["f", "f", "f", "m", "m", "m"], "age": ["1", "2", "3"] * 2})
N = [50, 40, 30, 50, 40, 30]
EVENTS = [20, 20, 10, 30, 10, 15]


@pytest.mark.parametrize("n", [2, 3, 7])
def test_contrasts_are_orthonormal_and_treat_levels_alike(n):
    found = contrasts(n)
    np.testing.assert_allclose(found.T @ found, np.eye(n - 1), atol=1e-12)
    np.testing.assert_allclose(found.sum(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(np.diag(found @ found.T), 1 - 1 / n)  # prior variance of a level


def test_the_design_spans_main_effects():
    found = Strata.of(EVENTS, N, FRAME)
    assert found.names == ("intercept", "gender, contrast 1", "age, contrast 1", "age, contrast 2")
    assert np.linalg.matrix_rank(found.design) == 4
    additive = np.array([1.0, 2, 4, 3, 4, 6])  # gender adds 2
    rest = additive - found.design @ np.linalg.lstsq(found.design, additive)[0]
    np.testing.assert_allclose(rest, 0, atol=1e-12)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (FRAME.with_columns(gender=pl.lit("f")), "dimension 'gender' is constant"),
        (
            FRAME.with_columns(age=pl.Series(["1", "2", None] * 2)),
            "Some strata have no level of 'age'",
        ),
        (FRAME.with_columns(age=pl.Series(["1", "1", "3"] * 2)), "strata are there twice"),
        (
            FRAME.with_columns(finer=pl.Series(["a", "b", "c"] * 2)),
            "dimensions 'age', 'finer' tell each other",
        ),
    ],
)
def test_strata_that_are_refused(frame, message):
    with pytest.raises(DataError, match=message):
        fit(EVENTS, N, frame)


@pytest.mark.parametrize(
    ("events", "n", "message"),
    [
        ([-1, *EVENTS[1:]], N, "whole numbers from 0"),
        ([0.5, *EVENTS[1:]], N, "whole numbers from 0"),
        ([np.nan, *EVENTS[1:]], N, "whole numbers from 0"),
        ([60, *EVENTS[1:]], N, "more people have the outcome than there are people"),
        ([0] * 6, N, "Everybody or nobody has the outcome"),
        (N, N, "Everybody or nobody has the outcome"),
        ([20, 20, 10, 30, 0, 0], [50, 40, 30, 50, 0, 0], "4 strata have people, and main effects"),
    ],
)
def test_counts_that_are_refused(events, n, message):
    with pytest.raises(DataError, match=message):
        fit(events, n, FRAME)


def test_arguments_that_are_refused():
    with pytest.raises(ParameterError, match="6 strata, but the events have the shape"):
        fit(EVENTS[:5], N, FRAME)
    with pytest.raises(ParameterError, match="needs two dimensions or more"):
        fit(EVENTS[:3], N[:3], FRAME[:3].select("age"))
    with pytest.raises(ParameterError, match="chains=1: at least 100, 100 and 2"):
        fit(EVENTS, N, FRAME, chains=1)
