"""What the outcome audit makes of planted gaps: bias, coverage, power and false alarms.

About ten minutes on one core. 8,000 drawn referrals per cohort. In "none" no group differs from any
other in truth; in "small" two gaps of one to two points are planted, in "larger" two of five to
seven, all else as in "none". What is planted acts on the response to therapy; the gaps that follow
were counted by `truth` over 1.6 million referrals (`TRUTH`). Gaps are judged as they are worked out
from rounded counts, of groups large enough to be shown; what would be suppressed to protect other
groups is judged too, or many cohorts would have little.
"""

from dataclasses import replace

import polars as pl
from _study import SEED, Study

from iesoresearch.analyses.fairness import Params
from iesoresearch.analyses.fairness.adjusted import adjusted
from iesoresearch.analyses.fairness.data import Audited, of_cohort
from iesoresearch.analyses.fairness.outcomes import counted, gaps
from iesoresearch.data import synthetic
from iesoresearch.data.synthetic import Profile
from iesoresearch.disclosure import Policy
from iesoresearch.results import Table
from iesoresearch.seeds import derive

N = 8000
FEWEST = Policy().min_count  # with the outcome, and without: below, a group is not shown
GROUPED = ("Gender", "Ethnic group", "Deprivation quintile", "Orientation")
#: Planted: shift of the response to therapy of men, and of the two most deprived deciles.
DESIGNS = {"none": (0.0, 0.0), "small": (-0.055, -0.055), "larger": (-0.25, -0.25)}
#: Gaps in points that follow, in the order of `PLANTED`.
TRUTH = {"none": (0.0, 0.0), "small": (-1.212, -1.271), "larger": (-5.666, -5.839)}
DRAWS = {"none": 200, "small": 200, "larger": 200}
#: The two comparisons in which gaps are planted: grouping, level, reference.
PLANTED = (
    ("Gender", "male", "female"),
    ("Deprivation quintile", "1 (most deprived)", "5 (least deprived)"),
)


def equal() -> dict:
    """Changes to the profile that leave no group different from another."""
    profile = Profile.load("england")
    characteristics = ("age", "gender", "ethnicity", "orientation", "ltc", "disability",
                       "deprivation")  # fmt: skip
    changes = {
        f"{name}_{what}": [0.0] * len(profile[f"{name}_{what}"])
        for name in characteristics
        for what in ("severity", "response")
    }
    by = ("seen_by_deprivation", "goes_on_by_deprivation", "leaves_by_deprivation", "leaves_young")
    return changes | dict.fromkeys(by, 0.0)


def cohort(seed: int, design: str, n: int) -> Audited:
    """Referrals of one draw."""
    men, deprived = DESIGNS[design]
    changes = equal() | {
        "gender_response": [0.0, men, 0.0, 0.0],
        "deprivation_response": [deprived] * 2 + [0.0] * 9,
    }
    drawn = synthetic.make(n, seed, "england", **changes)
    return of_cohort(drawn, Params(groupings=list(GROUPED)))


def truth(design: str, draws: int = 8, n: int = 200_000) -> list[float]:
    """Planted gaps in points: of `draws` cohorts, less those of the same ones without any."""
    seeds = [derive(SEED, "truth", d) for d in range(draws)]
    with_gaps, without = (_rates([cohort(seed, d, n) for seed in seeds]) for d in (design, "none"))
    return [
        (with_gaps[g, a] - with_gaps[g, b]) - (without[g, a] - without[g, b]) for g, a, b in PLANTED
    ]


def _rates(cohorts: list[Audited]) -> dict[tuple[str, str], float]:
    keys = ["grouping", "level"]
    total = pl.concat([counted(c) for c in cohorts]).group_by(keys).agg(pl.exclude(keys).sum())
    rate = 100 * pl.col("reliable_recovery") / pl.col("at_caseness")
    return {row[:2]: row[2] for row in total.select(*keys, rate).iter_rows()}


def replicate(seed: int, design: str, draw: int) -> dict:
    """Gaps of one cohort, and what the audit finds."""
    data = cohort(seed, design, N)
    params = Params(groupings=list(GROUPED), seed=seed % 2**31)
    table = gaps(data, params)
    frame = rounded(table)
    models = adjusted(replace(data, groupings=tuple(row[0] for row in PLANTED)), params).frame
    recovered, others = (
        table.frame["reliable_recovery"],
        table.frame["at_caseness"] - table.frame["reliable_recovery"],
    )
    large = (recovered >= FEWEST) & (others >= FEWEST)
    compared = frame.filter(large, pl.col("gap").is_not_null())
    groupings = compared.group_by("grouping").agg(
        pl.col("finding").is_in(["lower", "higher"]).any()
    )
    found = {
        "compared": compared.height,
        "missed": int((~_holds(compared, 0.0)).sum()),
        "groupings": groupings.height,
        "groupings_found": int(groupings["finding"].sum()),
    }
    for number, (grouping, level, _) in enumerate(PLANTED):
        at = {"grouping": grouping, "level": level}
        row = frame.filter(**at).row(0, named=True)
        model = models.filter(**at).row(0, named=True)
        for end in ("", "_low", "_high"):
            found[f"gap{end}_{number}"] = row[f"gap{end}"]
            found[f"adjusted{end}_{number}"] = model[f"gap_service{end}"]
        found[f"finding_{number}"] = row["finding"]
    return found


def rounded(table: Table) -> pl.DataFrame:
    """The table with rounded counts, and all that is worked out from them."""
    base = Policy().round_to
    counts = [name for name, value in table.values.items() if value.kind == "count"]
    frame = table.frame.with_columns(
        ((pl.col(name) / base).round() * base).cast(pl.Int64) for name in counts
    )
    made = {n: v.derive for n, v in table.values.items() if v.derive is not None}
    return frame.with_columns(derived(frame).alias(name) for name, derived in made.items())


def _holds(frame: pl.DataFrame, value: float) -> pl.Series:
    return frame.select((pl.col("gap_low") <= value) & (pl.col("gap_high") >= value)).to_series()


PLAN = [{"design": name, "draw": i} for name, n in DRAWS.items() for i in range(n)]
STUDY = Study(__file__, __doc__, PLAN, replicate)

if __name__ == "__main__":
    STUDY.main()
