"""Landmarks of a referral: who is at risk after each session, what is known by then, what follows.

Landmark analysis (van Houwelingen 2007, doi:10.1111/j.1467-9469.2006.00529.x): at each landmark
those still in care are taken, with what is known up to and including it, and the outcome comes
from what follows. Nobody is chosen by what happens later.
"""

from dataclasses import dataclass

import polars as pl

from iesoresearch.errors import ParameterError
from iesoresearch.measures.outcomes.appointments import CORE, Frame, appointments, numbered
from iesoresearch.measures.outcomes.course import anxiety_scale, with_rules
from iesoresearch.measures.outcomes.flags import flags
from iesoresearch.measures.outcomes.thresholds import OFFICIAL, Thresholds

ASSESSMENT = 0  # landmark: the first appointment attended, whatever it was for
LAST = 8  # landmark: after the eighth treatment appointment attended
OUTCOMES = ("reliable_recovery", "reliable_improvement", "reliable_deterioration", "drop_out")
#: Ends of a referral that the patient decided on, and ends that say nothing about who decided.
LEFT = ("treated: ended early by the patient", "not treated: declined")
UNCLEAR = ("treated: not known", "not treated: not known", "other")

#: Why a referral is not at risk at a landmark, in the order in which it is asked.
REASONS = (
    "did not attend it",
    "threshold not sourced",
    "no score by then",
    "not at caseness at the start",
    "still in care: outcome not known yet",
)
AT_RISK = "at risk"
_SCORES = (*CORE, "specific")


@dataclass(frozen=True)
class Landmarks:
    """Referrals at risk at each landmark.

    Attributes
    ----------
    rows
        One row per landmark and referral at risk: ``landmark``, ``ref`` (row of the referral),
        ``referral_id``, ``patient_id``, ``day``, ``session``, ``place`` (of the landmark among the
        referral's appointments), the `OUTCOMES` (false where they cannot be judged; ``drop_out``
        null where the end is not known), ``judged`` (whether all of the rule is known),
        ``second_score`` (whether a score follows the first of both scales), ``later_score``
        (whether one follows the landmark), ``finished``, ``basis`` and the first and last scores
        the outcome rests on.
    flow
        ``landmark``, ``step`` (`REASONS` and `AT_RISK`), ``n`` referrals.
    """

    rows: pl.DataFrame
    flow: pl.DataFrame
    _history: pl.DataFrame

    def known(self) -> pl.DataFrame:
        """What is known at each landmark: the appointments up to and including it.

        This is the only way to the scores of a course, so nothing later can become a predictor.

        Returns
        -------
        polars.DataFrame
            One row per row of `rows` and appointment, in order: ``landmark``, ``ref``, ``place``,
            ``day``, ``session``, ``attended``, ``treatment``, ``therapy``, totals.
        """
        at = self.rows.select("ref", "landmark", at="place")
        joined = at.join(self._history, on="ref", how="inner", maintain_order="left_right")
        return joined.filter(pl.col("place") <= pl.col("at")).drop("at")


def landmarks(
    referrals: Frame,
    contacts: Frame,
    scores: Frame | None = None,
    *,
    thresholds: Thresholds = OFFICIAL,
    fallback: bool = False,
    last: int = LAST,
) -> Landmarks:
    """Referrals at risk at the assessment (landmark 0) and after treatments 1 to `last`.

    At risk is whoever was at caseness by the first scores and attended the appointment. An
    appointment after the discharge is none of the referral; a discharge on the same day comes after
    it, or those whose last appointment it is would be left out by their future.

    The outcome is the official rule at the last score of the referral; who has no score after the
    first counts as not recovered, not improved and not deteriorated. Referrals that are still open
    have no outcome yet and are left out.

    Parameters
    ----------
    referrals, contacts, scores, thresholds, fallback
        As in `referral_outcomes`.
    last
        Last landmark.

    Raises
    ------
    ParameterError
        `last` is negative.
    DataError
        A column that is needed is absent, or rows share a referral_id.
    """
    if last < 0:
        raise ParameterError(f"last={last}: the last landmark must be 0 (the assessment) or more.")
    base = numbered(referrals).with_columns(anxiety_scale=anxiety_scale(fallback))
    history = _history(base, contacts, scores)
    course = _courses(base, history, referrals, thresholds)
    reached = _reached(history, last).join(course, on="ref", how="left", maintain_order="left")
    judged = _why_not(reached)
    everybody = base.height
    return Landmarks(_rows(judged), _flow(judged, everybody, last), history)


def _history(base: pl.DataFrame, contacts: Frame, scores: Frame | None) -> pl.DataFrame:
    """Appointments with their place in the referral, and the anxiety score that is judged."""
    rows = appointments(base, contacts, scores)
    scale = base.select("ref", "anxiety_scale")
    rows = rows.join(scale, on="ref", how="left", maintain_order="left")
    own = pl.when(pl.col("anxiety_scale") == "gad7").then("gad7").otherwise("specific")
    return rows.with_columns(anxiety=own, place=pl.int_range(pl.len()).over("ref")).drop(
        "specific", "anxiety_scale"
    )


def _courses(base, history, referrals: Frame, thresholds: Thresholds) -> pl.DataFrame:
    """Per referral the scores, rules, outcomes and how it ended."""
    ends = referrals.lazy().collect_schema().names()
    reason = pl.col("end_reason").cast(pl.String) if "end_reason" in ends else pl.lit(None)
    end = referrals.lazy().select("referral_id", end_reason=reason.cast(pl.String)).collect()
    found = history.group_by("ref", maintain_order=True).agg(
        n_treatment=pl.col("treatment").sum(),
        last_scored=pl.col("place")
        .filter(pl.any_horizontal(pl.col("phq9", "anxiety").is_not_null()))
        .last(),
        **_ends("phq9"),
        **_ends("anxiety"),
    )
    frame = base.join(end, on="referral_id", how="left", maintain_order="left")
    frame = frame.join(found, on="ref", how="left", maintain_order="left")
    closed = pl.col("discharge_date").is_not_null()
    left = pl.when(pl.col("end_reason").is_in(UNCLEAR)).then(None)
    return (
        with_rules(frame.lazy(), thresholds)
        .with_columns(**{name: flag for name, flag in flags().items() if name in OUTCOMES})
        .with_columns(
            drop_out=left.otherwise(pl.col("end_reason").is_in(LEFT)),
            judged=pl.col("reliable_recovery").is_not_null(),
            second_score=pl.col("phq9_last").is_not_null() & pl.col("anxiety_last").is_not_null(),
            finished=closed & (pl.col("n_treatment") >= 2),
        )
        .with_columns(pl.col(OUTCOMES[:3]).fill_null(False))
        .collect()
    )


def _ends(measure: str) -> dict[str, pl.Expr]:
    given = pl.col(measure).drop_nulls()
    return {
        f"{measure}_first": given.first(),
        f"{measure}_last": pl.when(pl.col(measure).count() >= 2).then(given.last()),
        f"{measure}_from": pl.col("place").filter(pl.col(measure).is_not_null()).first(),
    }


def _reached(history: pl.DataFrame, last: int) -> pl.DataFrame:
    """Appointments that are landmarks."""
    shown = ["ref", "landmark", "place", "day", "session"]
    came = history.filter(pl.col("attended"))
    first = came.group_by("ref", maintain_order=True).first()
    treated = history.filter(pl.col("treatment")).with_columns(
        landmark=pl.int_range(1, pl.len() + 1).over("ref").cast(pl.Int64)
    )
    first = first.with_columns(landmark=pl.lit(ASSESSMENT, pl.Int64))
    both = pl.concat([first.select(shown), treated.select(shown)])
    return both.filter(pl.col("landmark") <= last).sort("landmark", "ref")


def _why_not(reached: pl.DataFrame) -> pl.DataFrame:
    """Add ``step``: why a referral is not at risk at a landmark it attended, or `AT_RISK`."""
    at_start = {
        m: pl.when(pl.col(f"{m}_from") <= pl.col("place")).then(f"{m}_first")
        for m in ("phq9", "anxiety")
    }
    case = (at_start["phq9"] >= pl.col("phq9_caseness")) | (
        at_start["anxiety"] >= pl.col("anxiety_caseness")
    )
    return reached.with_columns(
        step=pl.when(pl.col("anxiety_caseness").is_null())
        .then(pl.lit(REASONS[1]))
        .when(case.is_null())
        .then(pl.lit(REASONS[2]))
        .when(~case)
        .then(pl.lit(REASONS[3]))
        .when(pl.col("discharge_date").is_null())
        .then(pl.lit(REASONS[4]))
        .otherwise(pl.lit(AT_RISK)),
        later_score=pl.col("last_scored") > pl.col("place"),
    )


def _rows(judged: pl.DataFrame) -> pl.DataFrame:
    scores = [f"{m}_{end}" for m in ("phq9", "anxiety") for end in ("first", "last")]
    return judged.filter(pl.col("step") == AT_RISK).select(
        "landmark", "ref", "referral_id", "patient_id", "day", "session", "place", *OUTCOMES,
        "judged", "second_score", pl.col("later_score").fill_null(False), "finished", "basis",
        *scores,
    )  # fmt: skip


def _flow(judged: pl.DataFrame, everybody: int, last: int) -> pl.DataFrame:
    steps = pl.DataFrame({"step": [*REASONS, AT_RISK]})
    grid = pl.DataFrame({"landmark": range(last + 1)}, schema={"landmark": pl.Int64})
    grid = grid.join(steps, how="cross")
    counted = judged.group_by("landmark", "step").agg(n=pl.len().cast(pl.Int64))
    flow = grid.join(counted, on=["landmark", "step"], how="left", maintain_order="left")
    flow = flow.with_columns(pl.col("n").fill_null(0))
    absent = everybody - pl.col("n").sum().over("landmark")
    return flow.with_columns(
        n=pl.when(pl.col("step") == REASONS[0]).then(absent).otherwise("n").cast(pl.Int64)
    )
