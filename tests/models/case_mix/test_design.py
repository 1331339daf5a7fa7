"""Columns, levels, and what cannot be fitted."""

import numpy as np
import polars as pl
import pytest

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.models.case_mix import logit
from iesoresearch.models.case_mix.design import POOLED, design, encoded

N = 2000
random = np.random.default_rng(0)
X = random.normal(size=(N, 2))
Y = (random.random(N) < 1 / (1 + np.exp(-X[:, 0]))).astype(float)
ONES = np.ones(N)


def fit(columns, y=Y):
    return logit.fit(design(pl.DataFrame(columns), y, np.ones(len(y)), None))


def test_equal_rows_are_added_up_and_clusters_lie_together():
    x = pl.DataFrame({"a": [1.0, 0.0, 1.0, 0.0, 1.0]})
    found = design(x, [1, 0, 1, 1, 0], [1, 1, 1, 2, 0], ["q", "q", "q", "p", "p"])
    assert found.names == ("constant", "a")
    assert found.x.tolist() == [[1, 0], [1, 0], [1, 1]]
    assert found.n.tolist() == [2, 1, 2]  # a row of nobody is left out
    assert found.events.tolist() == [1, 0, 2]
    assert found.starts.tolist() == [0, 1, 3]


def test_text_becomes_levels_and_rare_ones_are_taken_together():
    problem = np.repeat(["F32", "F41", "F42", "F43", "F44"], [500, 300, 30, 12, 8])
    events = np.tile([1.0, 0.0], 425)
    frame = pl.DataFrame({"problem": problem, "step": ["low"] * 850, "score": np.arange(850) % 28})
    found = encoded(frame, events, np.ones(850))
    # F43 has 6 and F44 has 4 of either kind: ten together, which is enough
    assert found.columns == ["problem=F41", "problem=F42", f"problem={POOLED}", "score"]
    assert found.select(pl.exclude("score").sum()).row(0) == (300, 30, 20)


def test_levels_too_rare_even_together_join_the_largest():
    problem = np.repeat(["F32", "F43"], [500, 12])
    found = encoded(pl.DataFrame({"problem": problem}), np.tile([1.0, 0.0], 256), np.ones(512))
    assert found.columns == []


def test_large_numbers_are_no_trouble():
    year = 2020 + random.integers(0, 4, N).astype(float)
    plain, shifted = fit({"a": X[:, 0], "y": year - 2020}), fit({"a": X[:, 0] * 1000, "y": year})
    assert shifted[2] == pytest.approx(plain[2], rel=1e-6)
    assert shifted[1] * 1000 == pytest.approx(plain[1], rel=1e-6)
    far = X[:, 0].copy()
    far[0] = 1000  # one implausible value is not separation
    assert np.isfinite(fit({"far": far, "b": X[:, 1]})).all()


@pytest.mark.parametrize(
    ("columns", "y", "name"),
    [
        ({"b": X[:, 1], "score": X[:, 0]}, (X[:, 0] > 0.1) * 1.0, "score"),
        ({"b": X[:, 1], "level=F42": Y * (random.random(N) < 0.1)}, Y, "level"),
        ({"b": X[:, 1], "level=F42": 1 - Y * (random.random(N) < 0.1)}, Y, "level"),
        ({"b": X[:, 1], "level=F42": -Y * (random.random(N) < 0.1)}, Y, "level"),
    ],
)
def test_separation_is_refused_by_the_name_of_the_column(columns, y, name):
    with pytest.raises(DataError, match=f"^The column '{name}' tells .* apart") as refused:
        fit(columns, y)
    assert "F42" not in str(refused.value)


def test_separation_by_two_columns_together_is_found():
    a, b = random.integers(0, 2, (2, N)).astype(float)
    y = np.where(a == b, a, Y)
    with pytest.raises(DataError, match=r"The column '[ab]' tells"):
        fit({"a": a, "b": b}, y)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"a": X[:, 0], "same": ONES}, "The column 'same' is the same for everybody"),
        ({"a": X[:, 0], "b": X[:, 1], "sum": X.sum(axis=1)}, "The column 'sum' follows from"),
        ({"a": X[:, 0], "sex=1": 1 - Y, "sex=2": Y}, "The column 'sex' follows from"),
    ],
)
def test_columns_that_say_nothing_new_are_refused(columns, message):
    with pytest.raises(DataError, match=message):
        fit(columns)


def test_bad_rows_are_refused():
    x = pl.DataFrame({"a": [1.0, 2.0, None]})
    with pytest.raises(DataError, match="empty cells in the column 'a'"):
        design(x, [1, 0, 1], [1, 1, 1], None)
    x = pl.DataFrame({"a": [1.0, 2.0, 4.0]})
    with pytest.raises(DataError, match="everybody is the same"):
        design(x, [1, 1, 1], [1, 1, 1], None)
    with pytest.raises(ParameterError, match="as many rows"):
        design(x, [1, 1], [1, 1], None)
    with pytest.raises(ParameterError, match="The column 'a' has no numbers"):
        design(pl.DataFrame({"a": ["x", "y", "z"]}), [1, 0, 1], [1, 1, 1], None)
