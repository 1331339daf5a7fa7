"""Whether states fitted in some cycles of a survey hold in another one.

States are fitted to the people of some cycles of NHANES and carried over, unchanged, to those of
another: how well they predict the new answers beside states fitted there and beside a ladder of
severity, how the sizes of the classes move, and how far the profiles lie apart.
"""

from typing import Any, Literal

from pydantic import Field, model_validator

from iesoresearch.analyses._states import states_within_range
from iesoresearch.data import cycles
from iesoresearch.params import AnalysisParams

__all__ = ["Params"]


class Params(AnalysisParams):
    """Parameters of `subtypes_transfer`. The defaults are a demonstration that takes seconds."""

    source: Literal["nhanes"] = Field(
        "nhanes", description="nhanes: real, one occasion, unweighted"
    )
    fit_cycles: list[str] = Field(
        ["2017-2018"],
        min_length=1,
        description="NHANES cycles to fit the states in, such as 2015-2016 or I (--data DIR)",
    )
    assign_cycle: str = Field(
        "2017-2018", description="cycle to assign them in; if fitted too, its people are halved"
    )
    max_states: int = Field(4, ge=1, le=20, description="largest number of states (1 to 20)")
    n_states: int | None = Field(
        None, ge=1, le=20, description="states carried over; None: lowest criterion"
    )
    criterion: Literal["bic", "icl", "aic"] = Field(
        "bic", description="bic, icl or aic, where the states are fitted"
    )
    n_starts: int = Field(10, ge=1, le=1000, description="random starts per number of states")
    n_bootstrap: int = Field(
        40, ge=20, le=10_000, description="bootstrap samples of people, of either sample"
    )
    seed: int = Field(1, ge=0, description="seed of every random draw")

    @property
    def reads_patients(self) -> bool:
        """A published survey is no patients' record."""
        return False

    @property
    def survey(self) -> dict[str, Any]:
        """All cycles that are read, each once, however they are called."""
        by_year = {cycles.named(name).likely_year: name for name in self.fit_cycles}
        by_year.setdefault(cycles.named(self.assign_cycle).likely_year, self.assign_cycle)
        return {"cycles": tuple(by_year.values())}

    _states_within_range = model_validator(mode="after")(states_within_range)
