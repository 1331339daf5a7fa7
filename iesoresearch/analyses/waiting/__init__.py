"""What waiting for talking therapy costs, against what therapy costs.

"Waiting costs far more than therapy" is put under test, not assumed: cash of the NHS, work that is
lost and health that is lost are kept apart, every input is sourced or called an assumption, and the
answer may be that the sentence is not supported. No patient's record is read.
"""

from typing import Literal

from pydantic import Field, model_validator

from iesoresearch.params import AnalysisParams

__all__ = ["Params"]


class Params(AnalysisParams):
    """Parameters of `waiting`. The defaults are a demonstration that takes seconds."""

    source: Literal["published"] = Field(
        "published", description="published figures, and assumptions where there are none"
    )
    recovery: Literal["waiting list", "severity-specific", "constant", "declining", "none"] = Field(
        "waiting list", description="who recovers while waiting: scenario of the base case"
    )
    effect: Literal["average service", "one service"] = Field(
        "average service",
        description="effect of therapy on depression: the mean of trials, or one draw among them",
    )
    instrument: Literal["SF-6D", "EQ-5D"] = Field(
        "SF-6D", description="utilities of depression in the base case; anxiety has SF-6D only"
    )
    horizon_weeks: int = Field(
        260, ge=56, le=520, description="weeks from referral that are counted, the same for all"
    )
    thresholds: list[float] = Field(
        [20_000.0, 25_000.0, 30_000.0, 35_000.0],
        min_length=1,
        max_length=8,
        description="£ per QALY at which health is valued, rising; the first is the base case",
    )
    far_more: float = Field(
        2.0, ge=1, le=100, description="how many times the cost of a course is far more than it"
    )
    sure: float = Field(
        0.95, gt=0.5, lt=1, description="probability from which the sentence counts as supported"
    )
    spread_weeks: float = Field(
        104.0,
        ge=1,
        le=1000,
        description="assumed: a week of waiting is cleared for a week's courses, paid once and "
        "shared by the referrals of so many weeks",
    )
    equity_ratio: float = Field(
        1.0, gt=0, le=100, description="worth of health, most over least deprived decile; 1: alike"
    )
    n_cohort: int = Field(
        300, ge=20, le=100_000, description="patients of a study whose value is computed (EVSI)"
    )
    cohort_weeks: int = Field(
        18, ge=1, le=52, description="weeks for which a cohort on a waiting list is followed"
    )
    queue_referrals: int = Field(
        2000, ge=500, le=1_000_000, description="patients who join the list of a service in a year"
    )
    queue_weeks: int = Field(104, ge=52, le=520, description="weeks for which a queue is followed")
    queue_replications: int = Field(
        5, ge=2, le=1000, description="times that every scenario of the queue is simulated"
    )
    queue_fixed_share: float = Field(
        0.0, ge=0, le=1, description="cost of more capacity that comes with no session, share"
    )
    n_draws: int = Field(1000, ge=800, le=100_000, description="draws of all inputs")
    seed: int = Field(1, ge=0, description="seed of every random draw")

    @property
    def reads_patients(self) -> bool:
        """There is no patient in it."""
        return False

    @model_validator(mode="after")
    def _thresholds_rise(self):
        if sorted(set(self.thresholds)) != self.thresholds or self.thresholds[0] <= 0:
            raise ValueError(f"thresholds={self.thresholds}: they must rise, from above zero")
        return self
