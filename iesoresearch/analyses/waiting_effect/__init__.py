"""How much better patients do with therapy than while they wait, from published trials.

A three-level synthesis of randomised comparisons of psychotherapy for depression with a waiting
list, and apart from it with care as usual and with other controls; how far the answer moves with
small trials, large effects and choices of trials; and what is known of recovery without treatment.
"""

from typing import Literal

from pydantic import Field

from iesoresearch.params import AnalysisParams

__all__ = ["Params"]


class Params(AnalysisParams):
    """Parameters of `waiting_effect`. The defaults are drawn trials, with a known truth."""

    source: Literal["synthetic", "metapsy"] = Field(
        "synthetic", description="synthetic (truth planted), or metapsy (published trials; --data)"
    )
    n_trials: int = Field(
        120, ge=40, le=2000, description="synthetic only: trials with a waiting list"
    )
    planted_mean: float = Field(
        0.4, ge=-1, le=2, description="synthetic only: g of an infinitely large trial, waiting list"
    )
    planted_rise: float = Field(
        1.0, ge=0, le=4, description="synthetic only: rise of g per unit of the standard error"
    )
    planted_between: float = Field(
        0.3, ge=0, le=1.5, description="synthetic only: SD of true effects between trials"
    )
    planted_within: float = Field(
        0.15, ge=0, le=1, description="synthetic only: SD of true effects within trials"
    )
    n_draws: int = Field(1000, ge=200, le=20_000, description="draws per chain of every model")
    n_tune: int = Field(300, ge=200, le=5000, description="draws of warm-up per chain")
    n_chains: int = Field(4, ge=2, le=16, description="chains of every model")
    seed: int = Field(1, ge=0, description="seed of every random draw")

    @property
    def reads_patients(self) -> bool:
        """Published results of trials, no patients."""
        return False
