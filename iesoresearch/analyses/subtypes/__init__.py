"""Which depressive states exist, and how people move between them.

A latent Markov model of the nine PHQ-9 items over sessions (one occasion: a latent class model)
for every number of states up to a limit, beside the ladder on which states differ in severity only.
"""

from typing import Any, Literal

from pydantic import Field, model_validator

from iesoresearch.analyses._states import states_within_range
from iesoresearch.params import AnalysisParams

__all__ = ["Params"]


class Params(AnalysisParams):
    """Parameters of `subtypes`. The defaults are a demonstration that takes seconds."""

    source: Literal["nhanes", "synthetic", "folder"] = Field(
        "nhanes", description="nhanes (real, one occasion), synthetic, or folder (--data DIR)"
    )
    n_patients: int = Field(
        2000, ge=1, le=1_000_000, description="patients to draw, synthetic only (1 to 1,000,000)"
    )
    cycles: list[str] | None = Field(
        None,
        min_length=1,
        description="NHANES cycles such as 2017-2018 or J, with survey weights, from CDC's files "
        "(--data DIR); None: 2017-2018, unweighted",
    )
    max_states: int = Field(4, ge=1, le=20, description="largest number of states (1 to 20)")
    n_states: int | None = Field(
        None, ge=1, le=20, description="states shown in detail; None: lowest criterion"
    )
    criterion: Literal["bic", "bic_observations", "icl", "aic", "held_out"] = Field(
        "bic",
        description="bic (n = people), bic_observations (n = occasions), icl, aic or held_out; "
        "with survey weights always held_out",
    )
    n_starts: int = Field(10, ge=1, le=1000, description="random starts per number of states")
    n_folds: int = Field(5, ge=2, le=20, description="folds of people for held-out likelihood")
    n_bootstrap: int = Field(40, ge=20, le=10_000, description="bootstrap samples of people")
    n_splits: int = Field(5, ge=1, le=1000, description="times people are dealt into two halves")
    n_likelihood_ratio: int = Field(
        0, ge=0, le=10_000, description="draws of the test against one state fewer; 0: no test"
    )
    seed: int = Field(1, ge=0, description="seed of every random draw")

    @property
    def reads_patients(self) -> bool:
        """Only a folder may hold patients' records."""
        return self.source == "folder"

    @property
    def survey(self) -> dict[str, Any]:
        """Cycles that are named are read with their weights."""
        return {} if self.cycles is None else {"cycles": tuple(self.cycles), "weighted": True}

    _states_within_range = model_validator(mode="after")(states_within_range)

    @model_validator(mode="after")
    def _cycles_of_nhanes(self):
        if self.cycles is not None and self.source != "nhanes":
            raise ValueError(
                f"cycles are those of NHANES, not of source={self.source}: leave them out"
            )
        return self
