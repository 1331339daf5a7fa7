"""How much the recovery rate depends on what is done about missing last scores."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from iesoresearch.analyses.cohort.people import Data, interval
from iesoresearch.measures.outcomes import OFFICIAL
from iesoresearch.measures.outcomes.appointments import appointments, numbered
from iesoresearch.models import imputation
from iesoresearch.results import Table, Value

BOTH = ("phq9", "gad7")
HIGHEST = np.array([27.0, 21.0])
WORSE_BY = 3.0  # points that imputed scores are made worse by, to see what that does
BELOW = np.array(
    [next(row.caseness for row in OFFICIAL.rows if row.scale == scale) for scale in BOTH]
)

COMPLETE = "only those with last scores"
CARRIED = "last score carried forward"
IMPUTED = "multiple imputation"
IMPUTED_WORSE = f"multiple imputation, {WORSE_BY:.0f} points worse"
WORST = "all without last scores not recovered"
BEST = "all without last scores recovered"


@dataclass(frozen=True)
class Courses:
    """Finished courses at caseness with PHQ-9 and GAD-7 before the last treatment.

    `end` holds the scores of the last treatment appointment, NaN where they are missing;
    `before` the last ones recorded earlier; `predictors` what imputation may use.
    """

    end: np.ndarray
    before: np.ndarray
    predictors: np.ndarray

    @property
    def complete(self) -> np.ndarray:
        """Who has both scores at the end."""
        return ~np.isnan(self.end).any(axis=1)

    @property
    def can_impute(self) -> bool:
        """Whether there are missing scores, and enough observed ones to impute them from."""
        needed = imputation.fewest(self.end.shape[1] + self.predictors.shape[1])
        observed = (~np.isnan(self.end)).sum(axis=0)
        return not self.complete.all() and bool(observed.min() >= needed)


def courses(data: Data) -> Courses:
    """The courses that the comparison is about: problems that PHQ-9 and GAD-7 judge."""
    chosen = data.finishers.filter(pl.col("caseness"), anxiety_scale="gad7")
    cohort = data.cohort
    base = numbered(cohort.referrals.join(chosen, on="referral_id", how="semi"))
    rows = appointments(base, cohort.contacts, cohort.scores)
    place = pl.int_range(pl.len()).over("ref")
    rows = rows.with_columns(place=place)
    last = pl.col("place").filter("treatment").max()
    rows = rows.with_columns(at_end=pl.col("place") >= last.over("ref"))
    columns = {}
    for scale in BOTH:
        given = pl.col(scale)
        columns[f"{scale}_start"] = given.filter(~pl.col("at_end")).drop_nulls().first()
        columns[f"{scale}_before"] = given.filter(~pl.col("at_end")).drop_nulls().last()
        columns[f"{scale}_end"] = given.filter("at_end").drop_nulls().last()
    wide = rows.group_by("ref", maintain_order=True).agg(
        **columns, treatments=pl.col("treatment").sum().log()
    )
    known = [f"{scale}_{time}" for scale in BOTH for time in ("start", "before")]
    wide = wide.drop_nulls(known)
    return Courses(
        end=wide.select(f"{scale}_end" for scale in BOTH).to_numpy().astype(float),
        before=wide.select(f"{scale}_before" for scale in BOTH).to_numpy().astype(float),
        predictors=wide.select(*known, "treatments").to_numpy().astype(float),
    )


def recovered(scores: np.ndarray) -> np.ndarray:
    """Whether both scores are below caseness; the last axis holds PHQ-9 and GAD-7."""
    return (scores < BELOW).all(axis=-1)


def sensitivity(data: Data, n_imputations: int, seed: int) -> Table:
    """Recovery rate by what is done about missing scores at the last treatment."""
    found = courses(data)
    complete, n = found.complete, len(found.end)
    seen = recovered(found.end) & complete
    carried = np.where(np.isnan(found.end), found.before, found.end)
    counted = [
        (COMPLETE, int(seen.sum()), int(complete.sum())),
        (CARRIED, int(recovered(carried).sum()), n),
        (WORST, int(seen.sum()), n),
        (BEST, int((seen | ~complete).sum()), n),
    ]
    numbers = {"numerator": pl.Int64, "n": pl.Int64}
    schema = {"method": pl.String} | numbers
    frame = pl.DataFrame(counted, schema=schema, orient="row")
    frame = frame.with_columns(**interval("numerator", "n"))
    frame = frame.select("method", "rate", "rate_low", "rate_high", "numerator", "n")
    rows = _imputed(found, n_imputations, seed) if found.can_impute else []
    imputed = pl.DataFrame(rows, schema=frame.drop("numerator").schema, orient="row")
    imputed = imputed.with_columns(numerator=pl.lit(None, pl.Int64)).select(frame.columns)
    frame = pl.concat([frame[:2], imputed, frame[2:]])
    without = n - int(complete.sum())
    frame = frame.with_columns(without=pl.lit(without, pl.Int64))
    shared = {"sensitivity": data.sensitivity}
    values = {
        # what became of a few could be told from the difference of two methods
        "rate": Value("rate", "Recovery", 3, "n", follows="numerator", **shared),
        "rate_low": Value("model", "95 % from", 3, "n", follows="rate", **shared),
        "rate_high": Value("model", "to", 3, "n", follows="rate", **shared),
        "numerator": Value("count", "Recovered", 0, within="n", follows="n", **shared),
        "n": Value("count", "Courses", 0, follows="without", **shared),
        "without": Value("count", "Without last scores", 0, **shared),
    }
    title = "Recovery rate and missing scores at the last treatment"
    return Table(title, frame, {"method": "Missing scores"}, values)


def _imputed(found: Courses, n_imputations: int, seed: int) -> list[tuple]:
    filled = imputation.impute(found.end, found.predictors, n_imputations, seed)
    worse = np.where(np.isnan(found.end), np.minimum(filled + WORSE_BY, HIGHEST), filled)
    n = len(found.end)
    rows = []
    for method, scores in ((IMPUTED, filled), (IMPUTED_WORSE, worse)):
        share = recovered(scores).mean(axis=1)
        pooled = imputation.pool(share, share * (1 - share) / n, n - 1)
        low, high = max(pooled.low, 0.0), min(pooled.high, 1.0)
        rows.append((method, pooled.estimate, low, high, n))
    return rows
