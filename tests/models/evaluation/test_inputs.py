"""What is refused, and what is taken."""

import numpy as np
import polars as pl
import pytest

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.models.evaluation import evaluate
from iesoresearch.models.evaluation.inputs import checked

Y, P = [0, 1, 0, 1], [0.1, 0.8, 0.4, 0.6]


@pytest.mark.parametrize(
    ("y", "p", "message"),
    [
        (Y, [0.1, 1.2, -0.1, 0.6], "2 of 4 predictions are outside 0 to 1"),
        (Y, [0.1, np.inf, 0.4, 0.6], "1 of 4 predictions are outside 0 to 1"),
        (Y, [0.1, np.nan, 0.4, 0.6], "1 of 4 predictions are missing"),
        (Y, pl.Series([0.1, None, None, 0.6]), "2 of 4 predictions are missing"),
        ([0, 1, 2, np.nan], P, "2 of 4 outcomes are missing or neither 0 nor 1"),
        (pl.Series([True, None, False, True]), P, "1 of 4 outcomes are missing"),
        ([0, 1, 1], P, "differ in length: y has 3, p has 4"),
        ([], [], "nobody to evaluate"),
        (["yes", "no", "no", "yes"], P, "outcomes are not numbers"),
        (Y, ["high", "low", "low", "high"], "predictions are not numbers"),
        (Y, np.column_stack([P, P]), "shape"),
    ],
)
def test_refused(y, p, message):
    with pytest.raises(DataError, match=message) as raised:
        evaluate(y, p)
    assert "0.8" not in str(raised.value)  # nobody's value


def test_groups_and_clusters_that_do_not_fit_are_refused():
    with pytest.raises(DataError, match=r"groups\['sex'\] has 3, clusters has 5"):
        evaluate(Y, P, groups={"sex": [1, 2, 1]}, clusters=[1, 2, 3, 4, 5])
    with pytest.raises(DataError, match="2 of 4 patients have no cluster"):
        evaluate(Y, P, clusters=["a", None, "b", None])
    with pytest.raises(DataError, match="1 of 4 patients have no cluster"):
        evaluate(Y, P, clusters=[1.0, np.nan, 2.0, 3.0])


@pytest.mark.parametrize("thresholds", [(0.0, 0.5), (1.0,), (0.5, 0.5), (np.nan,)])
def test_thresholds_are_different_probabilities(thresholds):
    with pytest.raises(ParameterError, match="strictly between 0 and 1"):
        evaluate(Y, P, thresholds=thresholds)


@pytest.mark.parametrize(
    ("options", "message"), [({"n_boot": 99}, "at least 100"), ({"n_jobs": 0}, "1 or more")]
)
def test_too_few(options, message):
    with pytest.raises(ParameterError, match=message):
        evaluate(Y, P, **options)


@pytest.mark.parametrize(
    "y",
    [
        [False, True, False, True],
        np.array([0, 1, 0, 1], dtype=np.int8),
        np.array([0.0, 1.0, 0.0, 1.0]),
        pl.Series([False, True, False, True]),
    ],
)
def test_outcomes_may_be_truths_or_numbers(y):
    assert checked(y, P, None, None).y.tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize(
    ("values", "levels", "codes"),
    [
        (["b", "a", "b", "c"], ["a", "b", "c"], [1, 0, 1, 2]),
        (np.array(["b", "a", "b", "c"]), ["a", "b", "c"], [1, 0, 1, 2]),
        (np.array(["b", "a", None, "c"], dtype=object), ["a", "b", "c", "missing"], [1, 0, 3, 2]),
        (np.array(["b", np.nan, "b", "c"], dtype=object), ["b", "c", "missing"], [0, 2, 0, 1]),
        (np.array(["b", 1, "b", 2], dtype=object), ["1", "2", "b"], [2, 0, 2, 1]),
        (pl.Series(["b", None, "b", "c"]), ["b", "c", "missing"], [0, 2, 0, 1]),
        (pl.Series(["b", "a", "b", "c"], dtype=pl.Categorical), ["a", "b", "c"], [1, 0, 1, 2]),
        (np.array([10, 9, 10, 7]), [7, 9, 10], [2, 1, 2, 0]),
        ([10.0, np.nan, 10.0, 7.0], ["10", "7", "missing"], [0, 2, 0, 1]),
        ([True, False, True, True], ["false", "true"], [1, 0, 1, 1]),
    ],
)
def test_levels_are_in_order_and_the_missing_one_has_a_name(values, levels, codes):
    found = checked(Y, P, values, None).groups
    assert list(found) == ["group"]
    assert found["group"][0] == levels
    assert found["group"][1].tolist() == codes


def test_clusters_may_be_texts_or_numbers():
    for clusters in (["p9", "p1", "p9", "p3"], [9, 1, 9, 3], np.array([9.0, 1, 9, 3])):
        assert len(set(checked(Y, P, None, clusters).clusters.tolist())) == 3
