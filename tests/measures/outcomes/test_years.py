"""Financial years, and rules that hold for what was true before dates were shifted."""

from datetime import date

import polars as pl
import pytest

from iesoresearch.measures.outcomes import OFFICIAL, Threshold, Thresholds, referral_outcomes
from iesoresearch.measures.outcomes.years import financial_year, first_day


@pytest.mark.parametrize(
    ("day", "year"),
    [
        (date(2024, 3, 31), "2023-24"),
        (date(2024, 4, 1), "2024-25"),
        (date(2000, 1, 1), "1999-00"),
        (date(2009, 12, 31), "2009-10"),
        (None, None),
    ],
)
def test_financial_years(day, year):
    assert pl.select(financial_year(pl.lit(day, pl.Date))).item() == year


def test_first_days():
    years = pl.DataFrame({"y": ["1999-00", "2024-25", "words", None]})
    found = years.select(first_day(pl.col("y"))).to_series().to_list()
    assert found == [date(1999, 4, 1), date(2024, 4, 1), None, None]


def rule(caseness, start):
    return Threshold(
        scale="pcl5", caseness=caseness, reliable_change=10, valid_from=start, source="made up"
    )


RULES = Thresholds((*OFFICIAL.rows, rule(30, date(2020, 1, 1)), rule(40, date(2023, 9, 1))))


@pytest.mark.parametrize(
    ("stored", "at_caseness"),
    [
        ({}, True),  # by the shifted dates alone
        ({"discharge_year": "2023-24"}, True),
        ({"discharge_year": "2024-25", "rules_version": "2023-04-01"}, True),
        ({"discharge_year": "2023-24", "rules_version": "2023-09-01"}, False),
        ({"discharge_year": "2024-25"}, False),
        ({"referral_year": "2024-25"}, False),
    ],
)
def test_stored_versions_go_before_shifted_dates(stored, at_caseness):
    # a PCL-5 of 35 is at caseness by the rule until September 2023 alone
    referrals = pl.DataFrame(
        {
            "referral_id": ["r"],
            "patient_id": ["p"],
            "discharge_date": [date(2023, 5, 1)],
            "problem": ["post-traumatic stress disorder"],
            **{name: [value] for name, value in stored.items()},
        }
    )
    contacts = pl.DataFrame(
        {"referral_id": ["r", "r"], "session": [1, 2], "phq9_total": [4, 4],
         "date": [date(2023, 1, 1), date(2023, 2, 1)]}
    )  # fmt: skip
    scores = pl.DataFrame(
        {"referral_id": "r", "instrument": "pcl5", "item": 0, "value": [35.0, 20.0],
         "date": [date(2023, 1, 1), date(2023, 2, 1)]}
    )  # fmt: skip
    found = referral_outcomes(referrals, contacts, scores, thresholds=RULES)
    assert found["caseness"].to_list() == [at_caseness]
