"""What reviews would gain if they had an effect: an assumption, never an estimate."""

from collections.abc import Sequence
from dataclasses import dataclass

from iesoresearch.errors import ParameterError
from iesoresearch.models.evaluation.results import Estimate
from iesoresearch.models.signals.counting import Measured, times

ASSUMPTION = (
    "Assumed, not estimated: reviewing a patient when she is first flagged multiplies her risk of "
    "the bad outcome by {ratio:g}; nobody else changes."
)


@dataclass(frozen=True)
class Benefit:
    """Bad outcomes averted under an assumed effect.

    Attributes
    ----------
    assumed_risk_ratio
        Risk of the bad outcome after a review over that without.
    per_100_patients, per_100_reviews
        Bad outcomes averted per 100 patients in treatment and per 100 of them reviewed. The
        intervals say how far the patients at hand leave this open, not how far the assumption does.
    assumption
        In words.
    """

    assumed_risk_ratio: float
    per_100_patients: Estimate
    per_100_reviews: Estimate
    assumption: str


def benefit(measured: Measured, assumed_risk_ratios: Sequence[float]) -> tuple[Benefit, ...]:
    """Bad outcomes averted for a grid of assumed effects of a review.

    Predictions say who will do badly under care as it is, not who would do better with a review:
    only a trial tells. Where the bad outcome is no recovery, those averted are recoveries gained.

    Parameters
    ----------
    measured
        `Signals.overall`, or that of a group.
    assumed_risk_ratios
        Between 0 (a review always helps) and 1 (it never does).

    Raises
    ------
    ParameterError
        A ratio outside 0 to 1.
    """
    ratios = [float(ratio) for ratio in assumed_risk_ratios]
    if not all(0 <= ratio <= 1 for ratio in ratios):
        raise ParameterError(
            f"assumed_risk_ratios={ratios}: each must lie between 0 (a review averts every bad "
            "outcome) and 1 (it averts none)."
        )
    if "ever_flagged" not in measured.estimates:
        raise ParameterError(
            "benefit needs patients with all their sessions, as in Signals.overall or a group; "
            "one session does not tell who was flagged before."
        )
    return tuple(_benefit(measured, ratio) for ratio in ratios)


def _benefit(measured: Measured, ratio: float) -> Benefit:
    return Benefit(
        ratio,
        times(1 - ratio, measured["ever_caught"]),
        times(100 * (1 - ratio), measured["ever_ppv"]),
        ASSUMPTION.format(ratio=ratio),
    )
