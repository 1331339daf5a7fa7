"""What is done about those without a last score, and how much hangs on it."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from iesoresearch.analyses.recovery.data import AtLandmark
from iesoresearch.errors import DataError
from iesoresearch.measures.outcomes import OFFICIAL
from iesoresearch.measures.outcomes.flags import flags
from iesoresearch.models import imputation
from iesoresearch.models.evaluation import Evaluation
from iesoresearch.models.evaluation.results import Estimate

OFFICIAL_RULE = "no second score: not recovered"
IMPUTED = "last score imputed"
FINISHERS = "two or more treatments"
MEASURES = ("phq9", "anxiety")
#: What imputation may use beside the first scores.
USED = ("phq9_now", "gad7_now", "wsas_now", "age", "deprivation_decile")
POOLED = ("auc", "observed_expected", "calibration_slope")
OF_NOTE = 0.01  # share without a second score below which nothing can hang on it
_NORMAL = 1.959964  # standard errors from an estimate to the end of its interval


@dataclass(frozen=True)
class Handled:
    """The same predictions, judged by outcomes that treat missing last scores in another way.

    Attributes
    ----------
    way
        `OFFICIAL_RULE`, `IMPUTED` or `FINISHERS`.
    n
        Referrals.
    share
        With the outcome.
    changed
        Referrals whose outcome is not known and was filled in.
    estimates
        By metric of `POOLED`.
    reason
        Why there is nothing to show; else empty.
    """

    way: str
    n: int
    share: float
    changed: int
    estimates: dict[str, Estimate]
    reason: str = ""


def imputed_outcomes(at: AtLandmark, outcome: str, p, n_imputations: int, seed: int) -> np.ndarray:
    """Outcomes with missing last scores imputed: (imputations, referrals) of 0 and 1.

    Given the first and current scores, age, deprivation and the log-odds of `p` (which all other
    predictors enter by), those without a last score are taken to be like those with one.

    Raises
    ------
    DataError
        Too few have last scores to impute from.
    """
    firsts = at.rows.select(pl.col([f"{m}_first" for m in MEASURES]).cast(pl.Float64))
    odds = np.log(np.clip(p, 1e-6, 1 - 1e-6)) - np.log1p(-np.clip(p, 1e-6, 1 - 1e-6))
    x = pl.concat([firsts, at.X.select(USED)], how="horizontal")
    x = x.with_columns(odds=pl.Series(odds).fill_nan(None))
    x = x.with_columns(pl.all().fill_null(pl.all().median())).fill_null(0.0)
    targets = at.rows.select(pl.col([f"{m}_last" for m in MEASURES]).cast(pl.Float64))
    drawn = imputation.impute(
        targets.fill_null(np.nan).to_numpy(), x.to_numpy(), n_imputations, seed
    )
    rules = {row.scale: row for row in OFFICIAL.rows}
    scales = dict(zip(MEASURES, (rules["phq9"], rules["gad7"]), strict=True))
    lits = {
        f"{m}_{field}": pl.lit(float(getattr(rule, field)))
        for m, rule in scales.items()
        for field in ("caseness", "reliable_change")
    }
    out = []
    for last in drawn:
        scores = {f"{m}_last": last[:, i] for i, m in enumerate(MEASURES)}
        frame = x.select([f"{m}_first" for m in MEASURES]).with_columns(
            **{name: pl.Series(values) for name, values in scores.items()}, **lits
        )
        out.append(frame.select(flags()[outcome].cast(pl.Float64)).to_series().to_numpy())
    return np.array(out)


def handled(at: AtLandmark, outcome, p, evaluate, n_imputations: int, seed: int) -> list[Handled]:
    """The three ways at one landmark, or why they are one and the same.

    Parameters
    ----------
    at
        The landmark.
    outcome
        Its name.
    p
        (referrals,) predictions, NaN where there is none.
    evaluate
        Called as ``evaluate(y, rows)``; an `Evaluation` of these rows' predictions.
    n_imputations, seed
        Of the imputations.
    """
    there = np.flatnonzero(np.isfinite(p))
    y = at.y(outcome)
    missing = int((~at.rows["second_score"]).sum())
    if missing < OF_NOTE * at.n:
        return [Handled(IMPUTED, 0, np.nan, missing, {}, "hardly anybody lacks a second score")]
    found = [_plain(OFFICIAL_RULE, y, there, 0, evaluate)]
    finished = there[at.rows["finished"].to_numpy()[there]]
    try:
        drawn = imputed_outcomes(at, outcome, p, n_imputations, seed)
        found.append(_pooled(drawn, there, missing, evaluate))
    except DataError as error:
        found.append(Handled(IMPUTED, 0, np.nan, missing, {}, str(error)))
    found.append(_plain(FINISHERS, y, finished, 0, evaluate))
    return found


def _plain(way: str, y, rows, changed: int, evaluate) -> Handled:
    evaluation: Evaluation = evaluate(y[rows], rows)
    overall = evaluation.overall
    estimates = {name: overall[name] for name in POOLED}
    return Handled(way, overall.n, overall.events / max(overall.n, 1), changed, estimates)


def _pooled(drawn: np.ndarray, rows, changed: int, evaluate) -> Handled:
    """Estimates over imputations by Rubin's rules, errors taken from the width of intervals."""
    each = [evaluate(y[rows], rows).overall for y in drawn]
    estimates = {}
    for name in POOLED:
        values = np.array([e[name].value for e in each])
        errors = np.array([e[name].high - e[name].low for e in each]) / (2 * _NORMAL)
        if not np.isfinite([values, errors]).all():
            estimates[name] = Estimate(np.nan, np.nan, np.nan, "not estimable in an imputation")
            continue
        pooled = imputation.pool(values, errors**2, complete_df=len(rows) - 1)
        estimates[name] = Estimate(pooled.estimate, pooled.low, pooled.high)
    return Handled(IMPUTED, len(rows), float(drawn[:, rows].mean()), changed, estimates)
