"""The published table of randomised trials of psychotherapy for depression, one row a comparison.

Collected by Cuijpers and colleagues at the VU Amsterdam, as in the R package metapsyData (commit
f9ae8b7e94bcddee51b565a6b690bd756423ff4c, MIT), written as CSV. Which release of the database it is
was not established. Effects are Hedges' g at the end of treatment, above 0 where the therapy did
better; several comparisons may belong to one trial. ``quality_criteria`` counts, from 0 to 4, the
criteria of the Cochrane risk-of-bias tool (first version) that a trial fulfils (as the package
MetaPsyR, of the same table, describes it).
"""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from iesoresearch.data import locate
from iesoresearch.errors import DataError
from iesoresearch.hashes import file_hash

SHA256 = "f5353c4b1b5d0ef8f54c286c72b09469a3e7ad70400650a6460f038919035fd0"
COMMIT = "f9ae8b7e94bcddee51b565a6b690bd756423ff4c"
LICENCE = (
    "Meta-Analytic Psychotherapy Database for depression (P. Cuijpers, VU Amsterdam), R package "
    f"metapsyData, commit {COMMIT[:7]} (MIT)."
)
CONTROLS = ("Waiting List", "Care as Usual", "Other")
#: Columns that are read, with their types; of the 20 that the table has.
COLUMNS = {
    "study": pl.String,
    "g": pl.Float64,
    "SE": pl.Float64,
    "year": pl.Int64,
    "n_intervention": pl.Int64,
    "n_control": pl.Int64,
    "type": pl.String,
    "format": pl.String,
    "control_type": pl.String,
    "country": pl.String,
    "quality_criteria": pl.Int64,
}
#: A trial is its authors, its year and, where a paper reports several, their Roman number; what
#: follows names the comparison, such as "Brown, 1984 - grp".
_TRIAL = r"^(.*?\b\d{4}[a-z]?(?: I{1,3}\b)?)"


@dataclass(frozen=True)
class Trials:
    """Comparisons of a therapy with a control.

    Attributes
    ----------
    table
        One row per comparison: `COLUMNS`, and `trial`.
    unknown_control
        Comparisons that are not in `table` because their control is not recorded.
    fingerprint
        Of the file.
    is_the_known
        Whether the file is, byte by byte, the one that was described (`SHA256`).
    """

    table: pl.DataFrame
    unknown_control: int
    fingerprint: str
    is_the_known: bool


def load(search_path: tuple[Path, ...]) -> Trials:
    """The table, from ``depression_rct_effects.csv`` in or below a folder of the search path.

    Raises
    ------
    NotApplicable
        The file is nowhere.
    DataError
        It is not the table that is meant, an effect is missing, a standard error cannot be, or a
        control is of a kind that is not known.
    """
    path = locate.metapsy_file(search_path)
    try:
        raw = pl.read_csv(path, null_values="NA", infer_schema=False)
        table = raw.select(pl.col(name).cast(kind) for name, kind in COLUMNS.items())
    except (pl.exceptions.PolarsError, OSError):
        raise DataError(
            f"{path} is not the table that is meant: it needs the columns {', '.join(COLUMNS)}, "
            "with numbers where they belong and NA where there is none. Restore the file."
        ) from None
    table = table.with_columns(trial=trial_of(pl.col("study")))
    _require(table, path)
    known = table.filter(pl.col("control_type").is_not_null())
    found = file_hash(path)
    return Trials(known, table.height - known.height, found, found == SHA256)


def trial_of(study: pl.Expr) -> pl.Expr:
    """Name of the trial of a comparison, null where there is no author and year."""
    return study.str.extract(_TRIAL).str.replace_all(r"\s*,\s*", ", ")


def _require(table: pl.DataFrame, path: Path) -> None:
    """Refuse rows that cannot be used, naming the first of each kind by its line in the file."""
    control = pl.col("control_type")
    tests = {
        "no author and year in study": pl.col("trial").is_null(),
        "no effect g": ~pl.col("g").is_finite().fill_null(False),
        "a standard error SE that is missing, zero, negative or infinite": ~(
            pl.col("SE").is_finite() & (pl.col("SE") > 0)
        ).fill_null(False),
        "a group size that is missing or below 1": ~(
            (pl.col("n_intervention") > 0) & (pl.col("n_control") > 0)
        ).fill_null(False),
        "quality_criteria outside 0 to 4": ~pl.col("quality_criteria").is_between(0, 4),
        f"a control_type that is none of {', '.join(CONTROLS)}": ~control.is_in(CONTROLS),
    }
    if table.is_empty():
        raise DataError(f"{path} has no rows. Restore the file.")
    for what, test in tests.items():
        lines = table.select((test.fill_null(False)).arg_true()).to_series()
        if len(lines):
            raise DataError(
                f"{path}: {len(lines)} row(s) with {what}, the first in line {lines[0] + 2}. "
                "Restore the file."
            )
