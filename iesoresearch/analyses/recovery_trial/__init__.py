"""How patients of a real trial respond over time, and who leaves before its end.

The growth model and the two ways of handling drop-out, on open data of real patients who gave
scores again and again. The trials are of a computer program and of a drug: they say nothing about
therapy delivered by a therapist.
"""

from typing import Literal

from pydantic import Field, model_validator

from iesoresearch.params import AnalysisParams

__all__ = ["Params"]


class Params(AnalysisParams):
    """Parameters of `recovery_trial`. The defaults are a demonstration with fewer draws."""

    source: Literal["btheb", "lshtm"] = Field(
        "btheb", description="btheb (computer program, BDI-II), or lshtm (drug, HAMD-17; --data)"
    )
    months: Literal["later release", "as named"] = Field(
        "later release",
        description="btheb only: scores at 2, 3, 5, 8 months, or as named 2, 4, 6, 8",
    )
    n_draws: int = Field(2000, ge=200, le=20_000, description="draws per chain of every model")
    n_tune: int = Field(1000, ge=200, le=5000, description="draws of warm-up per chain")
    n_chains: int = Field(2, ge=2, le=16, description="chains of every model")
    n_folds: int = Field(2, ge=2, le=20, description="folds of patients for expected responses")
    deltas: list[float] = Field(
        [0.0, 2.0, 4.0, 6.0, 8.0, 10.0],
        min_length=2,
        max_length=12,
        description="points by which patients may be worse after they left, rising from 0",
    )
    max_classes: int = Field(4, ge=1, le=8, description="largest number of trajectory classes")
    n_starts: int = Field(20, ge=1, le=1000, description="random starts per number of classes")
    seed: int = Field(1, ge=0, description="seed of every random draw")

    @property
    def reads_patients(self) -> bool:
        """Both trials are open data."""
        return False

    @model_validator(mode="after")
    def _deltas_rise(self):
        if self.deltas[0] != 0 or sorted(set(self.deltas)) != self.deltas:
            raise ValueError(f"deltas={self.deltas}: they must start at 0.0 and rise")
        return self
