"""Denominators by hand, intervals against scipy, published percentages, effect sizes."""

from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from iesoresearch.errors import DataError
from iesoresearch.measures.outcomes import (
    FLAGS,
    effect_size,
    percentages_from_counts,
    rates,
    wait_band,
    wilson,
)

T, F, N = True, False, None


def outcomes(*rows):
    """Rows of: group, finished, flags, reason, last scores there, wait, second wait."""
    names = ["group", "finished", *FLAGS, "reason", "paired", "wait_days", "second_wait_days"]
    frame = pl.DataFrame(
        rows,
        schema=dict.fromkeys(names, pl.Boolean)
        | {"group": pl.String, "reason": pl.String, "wait_days": pl.Int32}
        | {"second_wait_days": pl.Int32},
        orient="row",
    )
    score = pl.when(pl.col("paired").fill_null(False)).then(5.0)
    return frame.with_columns(phq9_last=score, anxiety_last=score)


RECOVERED = (T, T, T, F, F, T)
WORSE = (T, F, F, T, F, F)
WELL = (F, F, F, F, T, F)
TABLE = outcomes(
    ("a", T, *RECOVERED, N, T, 42, 90),
    ("a", T, *WORSE, N, T, 43, 91),
    ("a", T, *WELL, N, T, 126, 28),
    ("a", T, N, N, N, N, N, N, "no first score", F, 127, N),
    ("a", F, N, N, N, N, N, N, "not finished", F, 1, N),
    ("b", T, T, N, N, F, N, N, "threshold not sourced", T, N, N),
    ("c", F, N, N, N, N, N, N, "not finished", F, N, N),
)


def counted(frame, **where):
    rows = frame.filter(**where)
    return {r["measure"]: (r["numerator"], r["denominator"]) for r in rows.iter_rows(named=True)}


def test_denominators():
    expected = {
        "at caseness": (2, 4),
        "recovery": (1, 3),  # finished less the one who was well; unknown caseness stays
        "reliable recovery": (1, 3),
        "reliable improvement": (1, 4),
        "reliable deterioration": (1, 4),
        "no reliable change": (1, 4),
        "paired": (3, 4),
        "wait <= 6 weeks": (1, 4),
        "wait <= 18 weeks": (3, 4),
        "second wait > 90 days": (1, 4),
    }
    assert counted(rates(TABLE, "group"), group="a") == expected


def test_what_we_cannot_judge_is_left_out_and_counted():
    done = rates(TABLE, ["group"]).filter(group="b")
    assert counted(done)["recovery"] == (0, 0)
    assert counted(done)["paired"] == (1, 1)
    not_judged = dict(done.select("measure", "not_judged").rows())
    assert (not_judged["recovery"], not_judged["paired"]) == (1, 0)
    assert done.filter(measure="recovery").select("rate", "low", "high").row(0) == (N, N, N)
    overall = counted(rates(TABLE))
    assert (overall["recovery"], overall["paired"]) == ((1, 3), (4, 5))


def test_every_group_has_every_measure_in_one_order():
    done = rates(TABLE, "group")
    assert done["group"].unique(maintain_order=True).to_list() == ["a", "b", "c"]
    assert done.columns == [
        *("group", "measure", "numerator", "denominator", "rate", "low", "high", "not_judged")
    ]
    orders = done.group_by("group", maintain_order=True).agg("measure")["measure"].to_list()
    assert orders == [rates(TABLE)["measure"].to_list()] * 3
    without_waits = rates(TABLE.drop("wait_days", "second_wait_days"))
    assert without_waits["measure"].to_list() == orders[0][:7]


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_agrees_with_scipy(pair):
    hit, n = pair
    frame = pl.DataFrame({"hit": [hit], "n": [n]})
    rate, low, high = frame.select(**wilson(pl.col("hit"), pl.col("n"))).row(0)
    reference = binomtest(hit, n).proportion_ci(method="wilson")
    assert rate == hit / n
    assert (low, high) == pytest.approx((reference.low, reference.high), abs=1e-12)
    assert 0 <= low <= rate <= high <= 1


def published(**counts):
    rows = [(m.replace("_", " "), "count", float(v)) for m, v in counts.items()]
    return pl.DataFrame(rows, schema=["measure", "statistic", "value"], orient="row")


@given(st.integers(1, 2000), st.data())
def test_percentages_round_halves_away_from_zero(finished, data):
    improved = data.draw(st.integers(0, finished))
    done = percentages_from_counts(published(finished=finished, reliable_improvement=improved))
    exact = Fraction(100 * improved, finished) * 10
    expected = int(exact) + (exact - int(exact) >= Fraction(1, 2))
    row = done.filter(measure="reliable improvement").row(0, named=True)
    assert (row["numerator"], row["denominator"]) == (improved, finished)
    assert row["percentage"] == expected / 10


def test_absent_counts_and_an_empty_denominator_have_no_percentage():
    done = percentages_from_counts(published(finished=10, not_at_caseness=10, recovery=0))
    row = done.filter(measure="recovery").row(0, named=True)
    assert (row["denominator"], row["percentage"]) == (0, None)
    assert done.filter(measure="reliable improvement")["percentage"].to_list() == [None]


def test_published_counts_need_their_columns():
    with pytest.raises(DataError, match=r"^Published counts: the column\(s\) measure are absent"):
        percentages_from_counts(pl.DataFrame({"statistic": ["count"], "value": [1.0]}))


def test_effect_size():
    first, last = pl.Series([14.0, 10.0, 8.0, None]), pl.Series([8.0, 8.0, None, 3.0])
    assert effect_size(first, last, 6.1) == pytest.approx(4 / 6.1)  # pairs fall by 6 and 2
    assert effect_size(first[2:], last[2:], 6.1) is None
    with pytest.raises(DataError, match=r"needs a reference standard deviation above 0"):
        effect_size(first, last, 0)


def test_bands_of_waits():
    days = pl.DataFrame({"d": [-1, 0, 28, 29, 56, 57, 90, 91, None]})
    bands = days.select(wait_band(pl.col("d")).alias("band"))["band"].to_list()
    assert bands == [
        *(None, "<=28 days", "<=28 days", "29-56 days", "29-56 days"),
        *("57-90 days", "57-90 days", ">90 days", None),
    ]
