"""Which of two therapies suits whom: by subtype, and by anything else known at the start.

Subtypes are latent classes of the PHQ-9 answers at the first session. Therapies were chosen by what
was known of a patient, so effects rest on doubly robust scores that are cross-fitted by patient.
"""

from typing import Literal

from pydantic import Field, model_validator

from iesoresearch.params import AnalysisParams

__all__ = ["Params"]


class Params(AnalysisParams):
    """Parameters of `subtypes_matching`. The defaults are a demonstration that takes seconds."""

    source: Literal["synthetic", "folder"] = Field(
        "synthetic", description="synthetic (effects planted), or folder (--data DIR)"
    )
    n_patients: int = Field(
        5000,
        ge=500,
        le=1_000_000,
        description="patients to draw, synthetic only",
    )
    planted_effect: float = Field(
        0.0, ge=-2, le=2, description="synthetic only: points the second therapy adds for everybody"
    )
    planted_interaction: float = Field(
        2.0, ge=-3, le=3, description="synthetic only: added if somatic, taken off if affective"
    )
    planted_beyond: float = Field(
        0.0, ge=-3, le=3, description="synthetic only: added with a long-term condition"
    )
    first_therapy: str = Field(
        "counselling for depression", description="therapy that the second is compared with"
    )
    second_therapy: str = Field(
        "cognitive behaviour therapy", description="therapy that is compared with the first"
    )
    n_subtypes: int | None = Field(
        None, ge=2, le=10, description="subtypes; None: lowest BIC that leaves none too small"
    )
    max_subtypes: int = Field(7, ge=2, le=10, description="largest number of subtypes (2 to 10)")
    n_starts: int = Field(5, ge=1, le=1000, description="random starts per number of subtypes")
    n_folds: int = Field(10, ge=2, le=20, description="folds of patients for cross-fitting")
    seed: int = Field(1, ge=0, description="seed of every random draw")

    @property
    def reads_patients(self) -> bool:
        """Only a folder may hold patients' records."""
        return self.source == "folder"

    @model_validator(mode="after")
    def _two_therapies(self):
        if self.first_therapy == self.second_therapy:
            raise ValueError(
                f"first_therapy and second_therapy are both {self.first_therapy!r}: name two "
                "different ones"
            )
        return self
