"""Coarser columns: bands, quintiles and groups that the schema and the analyses still read."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iesoresearch.data import codes
from iesoresearch.data.groups import CHARACTERISTICS
from iesoresearch.data.schema import TABLES
from iesoresearch.library.extract import generalise
from iesoresearch.library.extract.quasi import QUASI_IDENTIFIERS


def test_every_quasi_identifier_is_a_column_of_its_table():
    for column, table in QUASI_IDENTIFIERS.items():
        assert column in TABLES[table].column_names()


@settings(deadline=None, max_examples=50)
@given(st.lists(st.one_of(st.none(), st.integers(0, 120)), min_size=1, max_size=20))
def test_ages_stay_in_their_published_band_and_fall_together(ages):
    frame = pl.DataFrame({"age_at_referral": pl.Series(ages, dtype=pl.UInt8), "age": None})
    for level in ("ten years", "published bands"):
        coarse = generalise.applied(frame, {"age_at_referral": level})
        assert coarse.schema == frame.schema
        bands = [
            f.select(codes.age_band(pl.col("age_at_referral"))).to_series().to_list()
            for f in (frame, coarse)
        ]
        assert bands[0] == bands[1]
    values = coarse["age_at_referral"].drop_nulls()
    assert values.n_unique() <= len(codes.AGE_BANDS)
    assert [v is None for v in ages] == coarse["age_at_referral"].is_null().to_list()


@pytest.mark.parametrize(
    ("column", "level", "heading", "values"),
    [
        ("ethnicity", "groups", "Ethnic group", [*codes.ETHNICITIES, None]),
        ("deprivation_decile", "quintiles", "Deprivation quintile", [*range(1, 11), None]),
    ],
)
def test_what_is_written_belongs_to_the_same_group(column, level, heading, values):
    dtype = TABLES["patients"].columns()[column].dtype
    frame = pl.DataFrame({column: pl.Series(values, dtype=dtype)})
    coarse = generalise.applied(frame, {column: level})
    assert coarse.schema == frame.schema
    group = CHARACTERISTICS[heading][0].alias("group")
    before, after = (f.select(group).to_series() for f in (frame, coarse))
    assert before.to_list() == after.to_list()
    assert coarse[column].drop_nulls().n_unique() == before.drop_nulls().n_unique()


def test_none_leaves_the_column_out():
    frame = pl.DataFrame({"gender": ["female"], "age": pl.Series([30], dtype=pl.UInt8)})
    assert generalise.applied(frame, {"gender": "none"}).columns == ["age"]


def test_every_level_says_what_its_values_stand_for():
    for column in QUASI_IDENTIFIERS:
        assert all(generalise.words(level) for level in generalise.levels(column))
