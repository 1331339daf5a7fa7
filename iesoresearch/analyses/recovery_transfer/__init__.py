"""Whether a model made at one site holds at another, and whether updating it there helps.

The model arrives as a file, as a partner would get it, and is applied unchanged: how the patients
differ from those it was made with, whom it refuses, how good its predictions are, what
recalibration makes of them, how many local patients that takes, and whether it lasts.
"""

from typing import Literal

from pydantic import Field, model_validator

from iesoresearch.params import AnalysisParams

__all__ = ["MODEL_FILE", "Params"]

MODEL_FILE = "model.json"  # of a run of `recovery`


class Params(AnalysisParams):
    """Parameters of `recovery_transfer`. The defaults are a demonstration of half a minute."""

    model: Literal["england", "folder"] = Field(
        "england", description="england: made here of drawn referrals; folder: model.json (--data)"
    )
    n_model: int = Field(
        8000, ge=2000, le=1_000_000, description="referrals it is made of, england only"
    )
    kind: Literal["logistic", "xgboost"] = Field("logistic", description="what it is, england only")
    source: Literal["synthetic", "folder"] = Field(
        "synthetic", description="site: synthetic, or folder (--data DIR)"
    )
    profile: Literal["england", "ieso"] = Field(
        "ieso", description="population of the site, synthetic only"
    )
    n_referrals: int = Field(
        6000, ge=100, le=1_000_000, description="referrals of the site to draw, synthetic only"
    )
    outcome: Literal["reliable_recovery", "reliable_improvement"] = Field(
        "reliable_recovery", description="what the model predicts"
    )
    landmark: int = Field(
        4, ge=0, le=8, description="0 = assessment, s = after treatment session s (to 8)"
    )
    stand_in: bool = Field(
        False, description="judge disorders whose thresholds are not sourced by the GAD-7"
    )
    n_local: list[int] = Field(
        [50, 100, 200, 500],
        min_length=1,
        max_length=10,
        description="numbers of local patients to update with (rising)",
    )
    n_draws: int = Field(100, ge=20, le=10_000, description="draws of that many patients each")
    n_bootstrap: int = Field(500, ge=100, le=10_000, description="bootstrap samples of intervals")
    seed: int = Field(1, ge=0, description="seed of every random draw")

    @property
    def reads_patients(self) -> bool:
        """Only a folder may hold patients' records."""
        return self.source == "folder"

    @property
    def files_beside(self) -> tuple[str, ...]:
        """A model that was shipped is part of what a result depends on."""
        return (MODEL_FILE,) if self.model == "folder" else ()

    @model_validator(mode="after")
    def _possible(self):
        if sorted(set(self.n_local)) != self.n_local or self.n_local[0] < 10:
            raise ValueError(f"n_local={self.n_local}: numbers must rise, the first at least 10")
        return self
