"""Parts of a gap add up, and their intervals are as wide as repeated draws."""

from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iesoresearch.data import published
from iesoresearch.errors import DataError, ParameterError
from iesoresearch.models.inequality import NOT_ONE_COHORT, STAGES, pathway

A = dict(zip(STAGES, (1000, 700, 350, 150), strict=True))
B = dict(zip(STAGES, (5000, 4000, 2500, 1300), strict=True))


def values(estimates):
    return np.array([e.value for e in estimates])


def test_two_steps_by_hand():
    """.8 × .5 against .6 × .4: Das Gupta's .2 × .45 and .1 × .7, which add up to .16."""
    found = pathway(
        {"in": 100, "on": 80, "out": 40}, {"in": 50, "on": 30, "out": 12}, ("in", "on", "out"),
        nested=True,
    )  # fmt: skip
    assert values(found.points) == pytest.approx([9.0, 7.0])
    assert found.gap.value == pytest.approx(16.0)
    assert values(found.ratios) == pytest.approx([0.8 / 0.6, 0.5 / 0.4])
    assert found.ratio.value == pytest.approx(0.4 / 0.24)
    assert found.steps == ("on of in", "out of on")
    assert found.caution == ""


def test_three_steps_by_das_guptas_formula():
    found = pathway(A, B, nested=True)
    s, t = np.array([0.7, 0.5, 150 / 350]), np.array([0.8, 0.625, 0.52])
    for k in range(3):
        i, j = (x for x in range(3) if x != k)
        others = (s[i] * s[j] + t[i] * t[j]) / 3 + (s[i] * t[j] + t[i] * s[j]) / 6
        assert found.points[k].value == pytest.approx(100 * (s[k] - t[k]) * others)
    assert found.overall_a == pytest.approx(15)
    assert found.overall_b == pytest.approx(26)


def test_england_by_hand():
    """Most against least deprived decile, 2023-24: referred, finished, at caseness, recovered."""
    rows = published.load().filter(
        pl.col("breakdown") == "deprivation decile",
        pl.col("period") == "2023-24",
        pl.col("org") == "England",
        pl.col("statistic") == "count",
    )
    counts = {
        decile: dict(rows.filter(pl.col("group") == decile).select("measure", "value").iter_rows())
        for decile in ("1", "10")
    }
    stages = ("referrals", "finished", "counted", "reliable recovery")
    for one in counts.values():
        one["counted"] = one["finished"] - one["not at caseness"]
    found = pathway(counts["1"], counts["10"], stages, nested=(False, True, True))
    most, least = (
        np.array([one[b] / one[a] for a, b in pairwise(stages)]) for one in counts.values()
    )
    assert found.rates_a == pytest.approx(100 * most)
    assert found.gap.value == pytest.approx(100 * (most.prod() - least.prod()))
    assert values(found.points).sum() == pytest.approx(found.gap.value)
    assert np.log(values(found.ratios)) == pytest.approx(np.log(most / least))
    # finishing, not recovering, is where most of the gap arises
    assert np.argmin(values(found.points)) == 0
    assert found.caution == NOT_ONE_COHORT.format(steps="finished of referrals")


counts = st.lists(st.integers(1, 400), min_size=4, max_size=4).map(
    lambda x: sorted(x, reverse=True)
)


@settings(max_examples=50, deadline=None)
@given(counts, counts, st.tuples(*[st.booleans()] * 3))
def test_parts_add_up_and_change_their_sign(a, b, nested):
    a, b = (dict(zip(STAGES, x, strict=True)) for x in (a, b))
    found, back = pathway(a, b, nested=nested), pathway(b, a, nested=nested)
    assert values(found.points).sum() == pytest.approx(found.gap.value, abs=1e-9)
    assert values(found.ratios).prod() == pytest.approx(found.ratio.value)
    assert values(found.points) == pytest.approx(-values(back.points), abs=1e-9)
    for one in (*found.points, *found.ratios, found.gap, found.ratio):
        assert one.low <= one.value <= one.high


def draw(random, counts, nested):
    """Poisson where a step is not nested, else binomial of those drawn before."""
    people = list(counts.values())
    drawn = [random.poisson(people[0])]
    for (before, after), within in zip(pairwise(people), nested, strict=True):
        again = random.binomial(drawn[-1], after / before) if within else random.poisson(after)
        drawn.append(again)
    return dict(zip(counts, drawn, strict=True))


NESTED = [
    (True, True, True),
    (False, True, True),  # published counts of a year
    (True, False, True),
    (False, False, False),
]


@pytest.mark.parametrize("nested", NESTED)
def test_intervals_are_as_wide_as_repeated_draws(nested):
    random = np.random.default_rng(3)
    found = pathway(A, B, nested=nested)
    again = [
        pathway(draw(random, A, nested), draw(random, B, nested), nested=nested) for _ in range(600)
    ]
    for k in range(3):
        spread = np.std([one.points[k].value for one in again])
        width = found.points[k].high - found.points[k].low
        assert width == pytest.approx(2 * 1.96 * spread, rel=0.1)
        spread = np.std([np.log(one.ratios[k].value) for one in again])
        width = np.log(found.ratios[k].high / found.ratios[k].low)
        assert width == pytest.approx(2 * 1.96 * spread, rel=0.1)
    spread = np.std([one.gap.value for one in again])
    assert found.gap.high - found.gap.low == pytest.approx(2 * 1.96 * spread, rel=0.1)


def thinned(random, counts, people):
    """Some of so many people, each of whom goes on by chance."""
    drawn = [people]
    for before, after in pairwise(counts.values()):
        drawn.append(random.binomial(drawn[-1], after / before))
    return dict(zip(counts, drawn, strict=True))


def test_nested_steps_are_narrower_and_the_others_as_they_were():
    """England by deprivation, 2023-24: at caseness moves by .05 points of chance, not .28."""
    independent, nested = (pathway(A, B, nested=answer) for answer in (False, (False, True, True)))
    half = [np.array([e.high - e.low for e in one.points]) for one in (independent, nested)]
    assert half[1][0] == pytest.approx(half[0][0], rel=0.1)
    assert (half[1][1:] < 0.8 * half[0][1:]).all()


def test_small_groups_are_covered():
    """60 referred, of whom about 9 recover, against many; 600 draws, Monte Carlo error .9 %."""
    random = np.random.default_rng(4)
    small = {stage: count * 0.06 for stage, count in A.items()}
    truth = pathway(small, B, nested=True)
    inside = np.zeros(4)
    for _ in range(600):
        one = pathway(thinned(random, small, 60), B, nested=True)
        pairs = zip((*one.points, one.gap), (*truth.points, truth.gap), strict=True)
        inside += [e.low <= t.value <= e.high for e, t in pairs]
    assert (inside / 600 > 0.925).all()
    assert (inside / 600 < 0.985).all()


def test_nobody_recovered_leaves_a_part_in_points_but_no_ratio():
    found = pathway(A | {"recovered": 0}, B, nested=True)
    assert found.gap.value == pytest.approx(-26)
    assert found.points[2].low < found.points[2].value < found.points[2].high
    assert np.isnan(found.ratios[2].value)
    assert np.isnan(found.ratio.value)
    assert found.ratios[0].value == pytest.approx(0.7 / 0.8)
    row = found.to_frame().row(2, named=True)
    assert row["ratio"] is None
    assert row["rate_a"] == 0


def test_everybody_going_on_is_not_certainty():
    found = pathway({"in": 12, "out": 12}, {"in": 400, "out": 300}, ("in", "out"), nested=True)
    assert found.rates_a[0] == 100
    assert found.gap.high - found.gap.low > 20


def test_what_cannot_be_had_is_refused():
    with pytest.raises(ParameterError, match="not counted: recovered"):
        pathway({"referred": 5, "started": 4, "finished": 3}, B, nested=True)
    with pytest.raises(ParameterError, match="each named once"):
        pathway(A, B, ("referred", "referred"), nested=True)
    with pytest.raises(DataError, match="at the stage 'finished'"):
        pathway(A | {"finished": 0, "recovered": 0}, B, nested=True)
    with pytest.raises(DataError, match="A nested stage grows, 'finished'"):
        pathway(A | {"finished": 800}, B, nested=True)
    with pytest.raises(DataError, match="negative, suppressed"):
        pathway(A | {"finished": float("nan")}, B, nested=False)
    with pytest.raises(ParameterError, match="3 answers for 4 stages, not 2"):
        pathway(A, B, nested=(False, True))
    with pytest.raises(ParameterError, match="level of 95 is not between 0 and 1"):
        pathway(A, B, nested=True, level=95)
    pathway(A | {"finished": 800}, B, nested=(True, False, True))
