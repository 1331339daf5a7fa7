"""Who recovers: predicted at the assessment and after each session from what is known by then.

Predictions are judged on patients that no model was fitted to, of other services where there are
several, beside the current scores alone and, where the truth is known, the best attainable.
"""

from typing import Literal

from pydantic import Field, model_validator

from iesoresearch.params import AnalysisParams

__all__ = ["Params"]


class Params(AnalysisParams):
    """Parameters of `recovery`. The defaults are a demonstration that takes about half a minute."""

    source: Literal["synthetic", "folder"] = Field(
        "synthetic", description="synthetic (truth known), or folder (--data DIR)"
    )
    profile: Literal["england", "ieso"] = Field(
        "england", description="population to draw, synthetic only"
    )
    n_referrals: int = Field(
        3000, ge=1000, le=1_000_000, description="referrals to draw, synthetic only"
    )
    outcome: Literal["reliable_recovery", "reliable_improvement"] = Field(
        "reliable_recovery", description="what is predicted; the other outcomes get one table"
    )
    stand_in: bool = Field(
        False, description="judge disorders whose thresholds are not sourced by the GAD-7"
    )
    landmarks: list[int] = Field(
        [0, 2, 4],
        min_length=2,
        max_length=9,
        description="0 = assessment, s = after treatment session s (0 to 8, rising)",
    )
    detail: int = Field(4, ge=0, le=8, description="landmark whose model is looked at closely")
    model: Literal["logistic", "xgboost"] = Field(
        "logistic", description="the model looked at closely; all are reported at every landmark"
    )
    n_outer: int = Field(5, ge=2, le=20, description="folds of services, each left out once")
    n_inner: int = Field(3, ge=2, le=10, description="folds of patients that choose the tuning")
    n_bootstrap: int = Field(200, ge=100, le=10_000, description="bootstrap samples of intervals")
    n_refits: int = Field(
        10, ge=5, le=1000, description="bootstrap refits of the whole model: optimism, instability"
    )
    n_futures: int = Field(
        200, ge=10, le=1000, description="futures drawn per patient for the best attainable AUC"
    )
    n_imputations: int = Field(10, ge=2, le=200, description="imputations of missing last scores")
    seed: int = Field(1, ge=0, description="seed of every random draw")

    @property
    def reads_patients(self) -> bool:
        """Only a folder may hold patients' records."""
        return self.source == "folder"

    @model_validator(mode="after")
    def _possible(self):
        marks = self.landmarks
        if any(not 0 <= s <= 8 for s in marks) or sorted(set(marks)) != marks:
            raise ValueError(
                f"landmarks={marks}: they must rise, each between 0 (the assessment) and 8"
            )
        if marks[0] != 0:
            raise ValueError(f"landmarks={marks}: the first must be 0, the assessment")
        if self.detail not in marks:
            raise ValueError(f"detail={self.detail} is none of the landmarks {marks}")
        return self
