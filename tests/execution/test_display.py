"""What a dash in a table of a notebook says."""

import polars as pl
import pytest

from iesoresearch.execution.display import TableView
from iesoresearch.results import RELEASED, STATUS, Table, Value

SMALL = "suppressed (fewer than 10 people)"


def view(values, status) -> TableView:
    frame = pl.DataFrame({"group": list("ab"), "n": values, STATUS: status})
    return TableView.of(Table("T", frame, {"group": "Group"}, {"n": Value("count", "n", 0)}))


@pytest.mark.parametrize(
    ("values", "status", "note"),
    [
        ([20, 30], [RELEASED, RELEASED], ""),
        ([20, None], [RELEASED, SMALL], "–: suppressed, too few people"),
        ([20, None], [RELEASED, RELEASED], "–: no value"),
        ([None, None], [SMALL, RELEASED], "–: suppressed, too few people; no value"),
    ],
)
def test_a_dash_is_suppressed_or_no_value(values, status, note):
    assert view(values, status).note == note


def test_a_row_that_is_suppressed_elsewhere_has_no_dash_of_its_own():
    assert view([20, 30], [RELEASED, SMALL]).note == ""
