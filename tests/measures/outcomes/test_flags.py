"""Every pair of PHQ-9 and GAD-7 scores against rules written a second time, in another style."""

from itertools import product

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from iesoresearch.measures.outcomes import FLAGS, referral_outcomes
from iesoresearch.measures.outcomes.flags import RULES, SCORES, with_flags

OFFICIAL_RULES = dict(zip(RULES, (10.0, 6.0, 8.0, 4.0), strict=True))


def movement(before, after, least):
    """better, worse or same."""
    if abs(before - after) < least:
        return "same"
    return "better" if after < before else "worse"


def by_definition(p0, p1, g0, g1):
    """The six flags of one person with all four scores, straight from the wording of the rules."""
    ill_at_start = not (p0 <= 9 and g0 <= 7)
    well_at_end = p1 <= 9 and g1 <= 7
    moves = {movement(p0, p1, 6), movement(g0, g1, 4)}
    verdict = "unchanged"
    if "better" in moves and "worse" not in moves:
        verdict = "improved"
    if "worse" in moves and "better" not in moves:
        verdict = "deteriorated"
    recovered = ill_at_start and well_at_end
    return (
        ill_at_start,
        recovered,
        verdict == "improved",
        verdict == "deteriorated",
        verdict == "unchanged",
        recovered and verdict == "improved",
    )


def judged(rows):
    frame = pl.DataFrame(rows, schema=dict.fromkeys(SCORES, pl.Float64), orient="row")
    rules = [pl.lit(value).alias(name) for name, value in OFFICIAL_RULES.items()]
    return with_flags(frame.lazy().with_columns(*rules, finished=pl.lit(True))).collect()


def test_every_combination_of_scores():
    combinations = list(product(range(28), range(28), range(22), range(22)))
    assert len(combinations) == 379_456
    scores = pl.DataFrame(combinations, schema=["p0", "p1", "g0", "g1"], orient="row")
    scores = scores.with_row_index("row").with_columns(referral_id=pl.col("row").cast(pl.String))
    contacts = pl.concat(
        scores.select(
            "referral_id",
            session=pl.lit(number),
            phq9_total=f"p{number - 1}",
            gad7_total=f"g{number - 1}",
        )
        for number in (1, 2)
    )
    referrals = scores.select(
        "referral_id", patient_id="referral_id", discharge_date=pl.date(2024, 3, 31)
    )
    ours = referral_outcomes(referrals, contacts)
    expected = [by_definition(*combination) for combination in combinations]
    assert ours.select(FLAGS).rows() == expected
    assert ours["reason"].null_count() == 379_456


def test_just_at_the_limits():
    # PHQ-9 first, last, GAD-7 first, last -> the six flags
    cases = {
        (10, 4, 7, 7): (True, True, True, False, False, True),
        (9, 3, 7, 7): (False, False, True, False, False, False),
        (9, 9, 8, 7): (True, True, False, False, True, False),
        (10, 5, 8, 5): (True, True, False, False, True, False),
        (15, 10, 12, 8): (True, False, True, False, False, False),
        (16, 9, 7, 8): (True, False, True, False, False, False),
        (4, 10, 7, 7): (False, False, False, True, False, False),
        (4, 9, 0, 4): (False, False, False, True, False, False),
        (16, 4, 3, 7): (True, True, False, False, True, False),  # one down, one up
    }
    assert judged(list(cases)).select(FLAGS).rows() == list(cases.values())


def test_missing_scores_by_hand():
    cases = {
        # what is known decides
        (10, 4, None, None): (True, None, None, False, None, None),
        (None, None, 8, 4): (True, None, None, False, None, None),
        (12, 10, None, 3): (True, False, None, None, None, False),
        (12, None, 9, 8): (True, False, None, None, None, False),
        (None, 10, 7, 7): (None, False, None, None, None, False),
        (None, 9, 7, 7): (None, None, None, None, None, None),
        (9, None, 7, None): (False, False, None, None, None, False),
        (10, 16, 8, None): (True, False, False, None, None, False),
        (10, 16, None, 2): (True, False, False, None, None, False),
        (20, None, 15, 9): (True, False, None, False, None, False),
        (None, None, None, None): (None,) * 6,
    }
    done = judged(list(cases))
    assert done.select(FLAGS).rows() == list(cases.values())
    assert done["reason"].to_list() == [
        "no first score",
        "no first score",
        "no first score",
        "no last score",
        "no first score",
        "no first score",
        "no last score",
        "no last score",
        "no first score",
        "no last score",
        "no first score",
    ]


scores = st.tuples(*(st.none() | st.integers(0, high) for high in (27, 27, 21, 21)))


@given(scores)
def test_a_flag_is_known_only_if_no_missing_score_could_change_it(row):
    ours = judged([row]).select(FLAGS).row(0)
    ranges = [
        [score] if score is not None else [0, 3, 4, 7, 8, 9, 10, 15, 16, 21, high]
        for score, high in zip(row, (27, 27, 21, 21), strict=True)
    ]
    possible = [by_definition(*completed) for completed in product(*ranges)]
    for i, flag in enumerate(ours):
        assert flag is None or {flags[i] for flags in possible} == {flag}
    assert (judged([row])["reason"][0] is None) == (None not in ours)
