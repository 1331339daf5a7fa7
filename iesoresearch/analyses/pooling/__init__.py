"""What several sites find together, from their released results only.

Rates and gaps by their likelihood, rounded and suppressed counts as ranges; regressions; states of
depression matched across sites; how good a prediction model is. No record of a patient is read.
"""

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from iesoresearch.params import AnalysisParams

__all__ = ["Params"]

MANIFEST = "manifest.json"  # of a bundle: it holds the hash of every other file
ZIP = ".zip"


def hashed(bundle: str) -> str:
    """The file of a bundle that changes with every other: the zip file, or its manifest."""
    return bundle if bundle.endswith(ZIP) else f"{bundle}/{MANIFEST}"


class Params(AnalysisParams):
    """Parameters of `pooling`. The defaults are a demonstration that takes seconds."""

    #: Bundles are called after sites, and some of these are only in the pool.
    private: ClassVar[frozenset[str]] = frozenset({"bundles", "trusted"})

    source: Literal["synthetic", "folder", "bundles"] = Field(
        "synthetic",
        description="synthetic (drawn sites), folder (what this site gives; --data), or bundles",
    )
    n_sites: int = Field(3, ge=2, le=20, description="sites to draw, synthetic only (2 to 20)")
    n_referrals: int = Field(
        1500, ge=600, le=100_000, description="referrals of the largest drawn site; others fewer"
    )
    spread: float = Field(
        0.3, ge=0, le=1.5, description="planted SD between sites, log odds of reliable recovery"
    )
    sharing: Literal["named", "mixed"] = Field(
        "named", description="of drawn sites; mixed: one is a letter, three are only in the pool"
    )
    bundles: list[str] = Field([], description="bundles only: their folders or zip files")
    trusted: str = Field("", description="bundles only: file of the keys that are trusted")
    grouping: Literal["Gender", "Age band", "Ethnic group", "Deprivation quintile"] = Field(
        "Gender", description="groups whose rates are pooled"
    )
    seed: int = Field(1, ge=0, description="seed of every random draw")

    @property
    def reads_patients(self) -> bool:
        """Only a folder may hold patients' records; bundles hold what was released."""
        return self.source == "folder"

    @property
    def shows_patients(self) -> bool:
        """What real sites released comes from their patients, so that it is not committed."""
        return self.source != "synthetic"

    @property
    def files_beside(self) -> tuple[str, ...]:
        """Bundles, by the file that holds the hashes of all others, and the keys that sign them."""
        if self.source != "bundles":
            return ()
        return (*map(hashed, self.bundles), self.trusted)

    @model_validator(mode="after")
    def _possible(self):
        if self.source == "bundles" and (len(self.bundles) < 2 or not self.trusted):
            raise ValueError(
                "source='bundles' needs at least two folders in bundles, and in trusted the file "
                "of the keys that are trusted"
            )
        if self.source != "bundles" and (self.bundles or self.trusted):
            raise ValueError(f"bundles and trusted are not of source={self.source!r}")
        if self.sharing == "mixed" and self.n_sites < 5:
            raise ValueError("sharing='mixed' needs five sites: one named, a letter, three hidden")
        return self
