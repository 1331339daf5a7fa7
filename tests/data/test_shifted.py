"""Signs that dates were shifted, and what is said then."""

import polars as pl
import pytest

from iesoresearch.data import shifted

ROWS = pl.DataFrame({"referral_id": ["r1", "r2"], "patient_id": ["p1", "p2"]})


def days(folder, **columns):
    """By how many days a folder with these columns of referrals says its dates may be shifted."""
    frame, path = ROWS.with_columns(**columns), folder / "referrals.csv"
    frame.write_csv(path)
    return shifted.most_days({"referrals": path}, {"referrals": pl.scan_csv(path)})


@pytest.mark.parametrize(
    ("column", "values", "found"),
    [
        ("referral_year", ["2023-24", None], shifted.MOST),
        ("rules_version", [None, "2023-04-01"], shifted.MOST),
        ("discharge_year", [None, None], 0),
        ("discharge_year", ["", "  "], 0),
        ("source", ["gp", "self"], 0),
    ],
)
def test_columns_that_are_filled_only_then_tell(tmp_path, column, values, found):
    assert days(tmp_path, **{column: pl.Series(values, dtype=pl.String)}) == found


def test_what_lies_beside_the_tables_tells(tmp_path):
    assert days(tmp_path) == 0
    (tmp_path / shifted.ABOUT).write_text("{}")
    assert days(tmp_path) == shifted.MOST


def test_the_metadata_of_any_table_tells_and_the_most_days_count(tmp_path):
    paths = {name: tmp_path / f"{name}.parquet" for name in ("patients", "referrals", "contacts")}
    for path, most in zip(paths.values(), (0, 30, 90), strict=True):
        ROWS.write_parquet(path, metadata=shifted.marked(most))
    tables = {name: pl.scan_parquet(path) for name, path in paths.items()}
    assert shifted.most_days(paths, tables) == 90
    assert shifted.most_days(paths, {"referrals": tables["referrals"]}) == 30
    assert shifted.most_days(paths, {"patients": tables["patients"]}) == 0


def test_the_reason_says_how_far_and_what_to_ask_for():
    said = shifted.reason(364, "referral_year", "discharge_year")
    assert "by up to 364 days, differently for each patient" in said
    assert said.endswith(
        "Ask for referral_year and discharge_year, or run it where the true dates are."
    )
    assert shifted.reason(30).endswith("Run it where the true dates are.")
