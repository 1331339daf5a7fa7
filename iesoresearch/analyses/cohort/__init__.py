"""Who was referred, how complete the records are, and what came of it, beside published figures.

From patients' records: flow, Table 1, missing data, outcomes by the official rules, waits, safety
signals and a control chart. From the published figures of NHS England: outcomes by year and by
deprivation.
"""

from typing import Literal

from pydantic import Field

from iesoresearch.params import AnalysisParams

__all__ = ["Params"]


class Params(AnalysisParams):
    """Parameters of `cohort`. The defaults are a demonstration that takes seconds."""

    source: Literal["synthetic", "published", "folder"] = Field(
        "synthetic",
        description="synthetic, published (figures of NHS England only), or folder (--data DIR)",
    )
    profile: Literal["england", "ieso"] = Field(
        "england", description="published figures to compare with, and to draw like"
    )
    n_referrals: int = Field(
        2000, ge=1, le=1_000_000, description="referrals to draw, synthetic only (1 to 1,000,000)"
    )
    n_likeness: int = Field(
        20_000,
        ge=2000,
        le=1_000_000,
        description="referrals drawn to compare with published figures, synthetic only",
    )
    published_year: str | None = Field(
        None,
        pattern=r"^\d{4}-\d{2}$",
        description="financial year such as 2023-24; None: the latest",
    )
    n_imputations: int = Field(20, ge=2, le=1000, description="imputations of missing last scores")
    seed: int = Field(1, ge=0, description="seed of every random draw")

    @property
    def reads_patients(self) -> bool:
        """Only a folder may hold patients' records."""
        return self.source == "folder"
