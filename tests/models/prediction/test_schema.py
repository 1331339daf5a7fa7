"""What a model may see: the matrix by hand, and every refusal in words."""

import numpy as np
import polars as pl
import pytest

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.models.prediction.schema import Categorical, Numeric, Schema

from .drawn import SCHEMA, draw

SMALL = Schema(
    (Numeric("phq9", 0, 27, "points"), Numeric("age", 16, 100, "years")),
    (Categorical("gender", ("female", "male"), "Gender"),),
    ("phq9",),
)


def table(phq9=(3.0, None), age=(30.0, 40.0), gender=("male", None)):
    return pl.DataFrame(
        {"phq9": phq9, "age": age, "gender": gender},
        schema={"phq9": pl.Float64, "age": pl.Float64, "gender": pl.String},
    )


def test_the_matrix_by_hand():
    X = table((3, None, 5), (30, 40, 50), ("male", None, "robot"))
    nan = np.nan
    expected = [[3, 30, 0, 1, 0], [nan, 40, 0, 0, 1], [5, 50, 0, 0, 0]]
    np.testing.assert_array_equal(SMALL.encode(X), expected)
    names = [name for name, _ in SMALL.columns]
    assert names == ["phq9", "age", "gender = female", "gender = male", "gender missing"]
    # the order of the columns of the table does not matter
    np.testing.assert_array_equal(SMALL.encode(X.select("gender", "age", "phq9")), expected)


def test_columns_that_are_all_missing_or_whole_numbers():
    nothing = pl.DataFrame({"phq9": [None, None], "age": [30, 40], "gender": [None, None]})
    expected = [[np.nan, 30, 0, 0, 1], [np.nan, 40, 0, 0, 1]]
    np.testing.assert_array_equal(SMALL.encode(nothing), expected)


def test_what_is_outside_is_counted_and_never_quoted():
    X = table((28.5, 3, None, np.nan), (15, 30, 40, 50), ("male", "robot", None, "female"))
    found = SMALL.outside(X)
    assert {reason: rows.tolist() for reason, rows in found.items()} == {
        "phq9 is not from 0 to 27": [True, False, False, True],
        "age is not from 16 to 100": [True, False, False, False],
        "gender has a category that is not known": [False, True, False, False],
    }
    with pytest.raises(DataError, match=r"phq9 is not from 0 to 27 in 2 of 4 rows; age is") as e:
        SMALL.check(X)
    assert "28" not in str(e.value)
    assert "robot" not in str(e.value)
    assert SMALL.outside(table()) == {}
    SMALL.check(table(gender=("robot", "male")))  # not known, and no reason to refuse


def test_columns_and_types_are_refused_by_name():
    with pytest.raises(DataError, match="lacks age and has wage, which the schema does not know"):
        SMALL.check(table().rename({"age": "wage"}))
    with pytest.raises(DataError, match=r"another type than they should: phq9 \(a number\)"):
        SMALL.check(table().with_columns(phq9=pl.lit("3")))
    with pytest.raises(DataError, match=r"gender \(text\)"):
        SMALL.check(table().with_columns(gender=pl.lit(1.0)))
    with pytest.raises(DataError, match="must be a polars DataFrame"):
        SMALL.check({"phq9": [1]})


def test_all_features_are_looked_at():
    X, *_ = draw(50)
    SCHEMA.check(X)
    assert SCHEMA.encode(X).shape == (50, len(SCHEMA.columns)) == (50, 4 + 4 + 3)


@pytest.mark.parametrize(
    ("numeric", "categorical", "current", "message"),
    [
        ((), (), (), "at least one feature"),
        ((Numeric("a", 0, 1, ""), Numeric("a", 0, 2, "")), (), (), "a name of its own"),
        ((Numeric("a", 1, 1, ""),), (), (), "wrong about a: a numeric feature needs low < high"),
        ((Numeric("a", 0, np.inf, ""),), (), (), "wrong about a"),
        ((Numeric("a", 0, 1, "", 2),), (), (), "a sign of -1, 0 or 1"),
        ((Numeric("a", 0, 1, "", 0, "dunno"),), (), (), "modifiable, not modifiable, care process"),
        ((), (Categorical("b", (), ""),), (), "wrong about b"),
        ((), (Categorical("b", ("x", "x"), ""),), (), "different categories"),
        ((Numeric("a", 0, 1, ""),), (), ("c",), "wrong about c.*current scores are numeric"),
    ],
)
def test_schemas_that_are_none(numeric, categorical, current, message):
    with pytest.raises(ParameterError, match=message):
        Schema(numeric, categorical, current)
