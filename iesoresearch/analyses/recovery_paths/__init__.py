"""The path that scores usually take, who leaves it, and what flagging those patients is worth.

A growth model says how scores are expected to go and how far single patients stray; classes
describe the ways they take; three rules that flag a patient as not on track are judged on patients
whom no model was fitted to.
"""

from typing import Literal

from pydantic import Field, model_validator

from iesoresearch.params import AnalysisParams

__all__ = ["Params"]


class Params(AnalysisParams):
    """Parameters of `recovery_paths`. The defaults are a demonstration of about a minute."""

    source: Literal["synthetic", "folder"] = Field(
        "synthetic", description="synthetic, or folder (--data DIR)"
    )
    profile: Literal["england", "ieso"] = Field(
        "england", description="population to draw, synthetic only"
    )
    n_referrals: int = Field(
        6000, ge=1000, le=1_000_000, description="referrals to draw, synthetic only"
    )
    outcome: Literal["reliable_recovery", "reliable_improvement"] = Field(
        "reliable_recovery", description="what a patient on track reaches"
    )
    stand_in: bool = Field(
        False, description="judge disorders whose thresholds are not sourced by the GAD-7"
    )
    landmarks: list[int] = Field(
        [2, 4, 6],
        min_length=1,
        max_length=7,
        description="treatment sessions after which patients may be flagged (2 to 8, rising)",
    )
    n_sessions: int = Field(
        8, ge=4, le=20, description="last session after the first score that curves show"
    )
    n_growth: int = Field(
        200, ge=100, le=5000, description="patients whom the growth model is fitted to, at least"
    )
    n_draws: int = Field(500, ge=100, le=5000, description="posterior draws per chain, four chains")
    deltas: list[float] = Field(
        [2.0, 4.0],
        min_length=1,
        max_length=4,
        description="points by which those who left may be worse than scores before say",
    )
    first_scores: list[int] = Field(
        [12, 16, 20],
        min_length=1,
        max_length=4,
        description="first PHQ-9 totals whose expected response is drawn (0 to 27)",
    )
    band: float = Field(
        0.8, ge=0.5, le=0.98, description="share of patients whose score is within the band"
    )
    flag_below: float = Field(
        0.35, gt=0, lt=1, description="chance of the outcome below which a patient is flagged"
    )
    assumed_risk_ratios: list[float] = Field(
        [0.95, 0.9, 0.8],
        min_length=1,
        max_length=5,
        description="ASSUMED: what a review multiplies the risk of missing the outcome by",
    )
    max_classes: int = Field(5, ge=1, le=8, description="largest number of trajectory classes")
    n_starts: int = Field(3, ge=1, le=100, description="random starts per number of classes")
    n_outer: int = Field(5, ge=2, le=20, description="folds of services, each left out once")
    n_inner: int = Field(3, ge=2, le=10, description="folds of patients that choose the tuning")
    n_bootstrap: int = Field(500, ge=100, le=10_000, description="bootstrap samples of intervals")
    seed: int = Field(1, ge=0, description="seed of every random draw")

    @property
    def reads_patients(self) -> bool:
        """Only a folder may hold patients' records."""
        return self.source == "folder"

    @model_validator(mode="after")
    def _possible(self):
        marks = self.landmarks
        if any(not 2 <= s <= 8 for s in marks) or sorted(set(marks)) != marks:
            raise ValueError(f"landmarks={marks}: they must rise, each between 2 and 8")
        if marks[-1] > self.n_sessions:
            raise ValueError(
                f"n_sessions={self.n_sessions}: curves must reach the last landmark, {marks[-1]}"
            )
        if any(not 0 <= score <= 27 for score in self.first_scores):
            raise ValueError(f"first_scores={self.first_scores}: PHQ-9 totals are from 0 to 27")
        ratios = self.assumed_risk_ratios
        if any(not 0 <= ratio <= 1 for ratio in ratios):
            raise ValueError(f"assumed_risk_ratios={ratios}: each must be from 0 to 1")
        return self
