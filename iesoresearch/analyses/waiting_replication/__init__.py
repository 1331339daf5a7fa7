"""Whether published economic models give their published results on this package's engine.

Models are entered as data, not as code: a file per case, with everything that was published of the
model and the numbers it must give. What cannot be entered in full is listed with what is missing.
"""

from typing import Literal

from pydantic import Field

from iesoresearch.analyses.waiting_replication.files import ALL, find
from iesoresearch.params import AnalysisParams

__all__ = ["Params"]


class Params(AnalysisParams):
    """Parameters of `waiting_replication`. The defaults run every case of the package."""

    source: Literal["published"] = Field("published", description="models as they were published")
    case: str = Field(ALL, description="all, the name of a case in params/cases, or a YAML file")
    n_draws: int | None = Field(
        None, ge=100, le=1_000_000, description="draws of uncertain inputs; None: as the file says"
    )
    seed: int = Field(0, ge=0, description="added to the seeds that the files name")

    @property
    def reads_patients(self) -> bool:
        """There is no patient in a published model."""
        return False

    @property
    def files_beside(self) -> tuple[str, ...]:
        """The files of the cases: whatever is in them, a result depends on."""
        return tuple(str(path) for path in find(self.case))
