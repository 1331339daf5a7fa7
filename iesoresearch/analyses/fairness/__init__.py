"""For whom does it work less well: outcomes, access and prediction by group and intersection.

Rates, gaps and waits of groups as counts with their intervals, gaps after each step of adjustment,
where on the way a gap arises, what a prediction model does in each group, and intersections.
"""

from typing import Literal

from pydantic import Field, model_validator

from iesoresearch.params import AnalysisParams

__all__ = ["GROUPINGS", "HERE", "Params"]

HERE = "here"  # predictions are made by the analysis itself
#: What patients are grouped by, in the order shown.
GROUPINGS = (
    *("Gender", "Age band", "Ethnic group", "Ethnicity", "Deprivation quintile", "Orientation"),
    "Long-term condition",
)


class Params(AnalysisParams):
    """Parameters of `fairness`. The defaults are a demonstration that takes seconds."""

    source: Literal["synthetic", "folder", "predictions"] = Field(
        "synthetic",
        description="synthetic (gaps planted), folder (--data DIR), or predictions (only a file)",
    )
    profile: Literal["england", "ieso"] = Field(
        "england", description="population to draw, synthetic only"
    )
    n_referrals: int = Field(
        6000, ge=2000, le=1_000_000, description="referrals to draw, synthetic only"
    )
    outcome: Literal["reliable_recovery", "reliable_improvement"] = Field(
        "reliable_recovery", description="outcome whose gaps are looked at closely"
    )
    stand_in: bool = Field(
        False, description="judge disorders whose thresholds are not sourced by the GAD-7"
    )
    groupings: list[str] = Field(
        ["Gender", "Age band", "Ethnic group", "Deprivation quintile"], description="empty: all"
    )
    reference: list[str] = Field(
        [], description="levels compared with, as Grouping=Level; of the others the largest"
    )
    intersect: list[str] = Field(
        ["Gender", "Ethnic group", "Deprivation quintile"],
        min_length=2,
        description="intersected (few)",
    )
    population: str = Field(
        "", description="CSV file of people in the population: grouping, level, people"
    )
    predictions: str = Field(
        HERE, description="here (made by the analysis), or a file of predictions (.parquet, .csv)"
    )
    landmark: int = Field(
        4, ge=0, le=8, description="predictions: 0 = assessment, s = after treatment session s"
    )
    model: str = Field("logistic", description="predictions: which model of a file with several")
    threshold: float = Field(
        0.4, gt=0, lt=1, description="predicted chance of the outcome below which more is offered"
    )
    mitigate: str = Field(
        "Deprivation quintile", description="grouping whose gaps in decisions are to be narrowed"
    )
    n_bootstrap: int = Field(1000, ge=100, le=10_000, description="bootstrap samples of intervals")
    draws: int = Field(1000, ge=100, le=5000, description="draws per chain of the intersections")
    seed: int = Field(1, ge=0, description="seed of every random draw")

    @property
    def grouped(self) -> tuple[str, ...]:
        """What patients are grouped by."""
        return tuple(self.groupings) or GROUPINGS

    @property
    def reads_patients(self) -> bool:
        """Tables of a folder and files of predictions may be patients' records."""
        return self.source != "synthetic"

    @property
    def files_beside(self) -> tuple[str, ...]:
        """Denominators and predictions that a user supplies."""
        made = () if self.predictions == HERE else (self.predictions,)
        return (*made, self.population) if self.population else made

    @model_validator(mode="after")
    def _possible(self):
        for name in ("groupings", "intersect"):
            _refuse_unknown(name, getattr(self, name))
        if self.predictions == HERE:  # a file may have groupings of its own
            _refuse_unknown("mitigate", [self.mitigate])
        for text in self.reference:
            grouping, _, level = text.partition("=")
            if grouping not in GROUPINGS or not level:
                raise ValueError(
                    f"reference: {text!r} is not of the form Grouping=Level with a grouping of "
                    f"{', '.join(GROUPINGS)}"
                )
        made = self.predictions == HERE
        if self.source == ("predictions" if made else "synthetic"):
            raise ValueError(
                f"source={self.source!r} with predictions={self.predictions!r}: drawn patients are "
                "predicted here; the source predictions needs the name of a file of predictions"
            )
        return self


def _refuse_unknown(name: str, chosen: list[str]) -> None:
    unknown = [repr(x) for x in chosen if x not in GROUPINGS]
    if unknown:
        raise ValueError(
            f"{name}: {', '.join(unknown)} is no grouping; there are {', '.join(GROUPINGS)}"
        )
    if len(set(chosen)) < len(chosen):
        raise ValueError(f"{name}={chosen}: name each grouping once")
