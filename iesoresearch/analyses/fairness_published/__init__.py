"""For whom NHS Talking Therapies works less well, by the published figures of NHS England.

Rates and gaps by ethnicity, deprivation, age, gender, orientation, religion, disability and
long-term condition; where on the way from referral to recovery a gap arises; how gaps changed since
2017-18; and, where the long files are, by region and provider.
"""

from pathlib import Path
from typing import Literal

from pydantic import Field

from iesoresearch.params import AnalysisParams

__all__ = ["PACKAGE", "Params"]

PACKAGE = "package"


class Params(AnalysisParams):
    """Parameters of `fairness_published`. The defaults are the figures in the package."""

    source: Literal["published"] = Field("published", description="figures that were published")
    figures: str | list[str] = Field(
        PACKAGE,
        description="package (England), or long file(s): a path, or a name in a folder of --data",
    )
    year: str | None = Field(
        None,
        pattern=r"^\d{4}-\d{2}$",
        description="financial year such as 2022-23; None: the latest with counts by group",
    )
    outcome: Literal[
        "recovery", "reliable recovery", "reliable improvement", "reliable deterioration"
    ] = Field("recovery", description="whose gaps, slopes and funnels are shown")
    reference: list[str] | None = Field(
        None,
        description='groups to compare with, such as ["Ethnic group=White"]; None: the stated ones',
    )

    @property
    def reads_patients(self) -> bool:
        """Published figures, no patients."""
        return False

    @property
    def long_files(self) -> tuple[str, ...]:
        """Names of the long files; none if the figures are those of the package."""
        if self.figures == PACKAGE:
            return ()
        return (self.figures,) if isinstance(self.figures, str) else tuple(self.figures)

    @property
    def files_beside(self) -> tuple[str, ...]:
        """The long files, those of the folder where the command was called as absolute paths."""
        return tuple(
            str(Path(name).absolute()) if Path(name).is_file() else name for name in self.long_files
        )

    @property
    def open_beside(self) -> bool:
        """Without the long files a run that names them has no data; nothing is broken."""
        return True
