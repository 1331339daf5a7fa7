"""Whether the PHQ-9 behaves alike across groups, asked before outcomes of groups are compared.

Differential item functioning: ordinal logistic regression of every item on a purified severity, the
group and their interaction, and what it does to totals and to who reaches the cut-off. Measurement
invariance of latent classes: the same classes of answers in every group, or each its own.
"""

from typing import Any, Literal

from pydantic import Field, model_validator

from iesoresearch.params import AnalysisParams

__all__ = ["Params"]


class Params(AnalysisParams):
    """Parameters of `fairness_measurement`. The defaults are open data and take seconds."""

    source: Literal["nhanes", "synthetic", "folder"] = Field(
        "nhanes", description="nhanes (real), synthetic, or folder (first sessions; --data DIR)"
    )
    n_patients: int = Field(
        3000, ge=1, le=1_000_000, description="patients to draw, synthetic only (1 to 1,000,000)"
    )
    cycles: list[str] | None = Field(
        None,
        min_length=1,
        description="NHANES cycles such as 2017-2018 or J, with survey weights, from CDC's files "
        "(--data DIR); None: 2017-2018, unweighted",
    )
    cutoff: int = Field(10, ge=1, le=27, description="PHQ-9 total from which people are cases")
    least_people: int = Field(
        200, ge=100, le=100_000, description="people of a group from which it is compared"
    )
    n_classes: int = Field(5, ge=2, le=8, description="latent classes whose answers are compared")
    n_starts: int = Field(5, ge=1, le=1000, description="random starts of the common classes")
    n_draws: int = Field(
        19, ge=19, le=10_000, description="draws of the test of common classes; 19 reach p = 0.05"
    )
    n_folds: int = Field(5, ge=2, le=20, description="folds for the likelihood of unseen people")
    seed: int = Field(1, ge=0, description="seed of every random draw")

    @property
    def reads_patients(self) -> bool:
        """Only a folder may hold patients' records."""
        return self.source == "folder"

    @property
    def survey(self) -> dict[str, Any]:
        """Cycles that are named are read with their weights."""
        return {} if self.cycles is None else {"cycles": tuple(self.cycles), "weighted": True}

    @model_validator(mode="after")
    def _cycles_of_nhanes(self):
        if self.cycles is not None and self.source != "nhanes":
            raise ValueError(
                f"cycles are those of NHANES, not of source={self.source}: leave them out"
            )
        return self
