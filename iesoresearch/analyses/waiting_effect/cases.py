"""Which comparisons are pooled, and how: the base case of every control, and what is varied."""

from dataclasses import dataclass, field

import polars as pl

from iesoresearch.errors import DataError
from iesoresearch.models.evidence_synthesis import Comparisons, SmallStudy

WAITING, USUAL, OTHER = "Waiting List", "Care as Usual", "Other"
#: Controls with the words for them.
CONTROLS = {WAITING: "Waiting list", USUAL: "Care as usual", OTHER: "Other controls"}
LARGE = 2.0  # effects above this are left out in a sensitivity analysis
CRITERIA = 4  # of the risk-of-bias tool, all of them
SHARED = 0.5  # correlation of sampling errors where equal groups share their controls
_EVERY = pl.lit(True)


@dataclass(frozen=True)
class Case:
    """One synthesis.

    Attributes
    ----------
    name, label
        For programs and for readers.
    control
        One of `CONTROLS`.
    keep
        Which of its comparisons.
    small_study, correlation
        As in `Synthesis.fit`.
    one_per_trial
        Of every trial only the comparison with most patients (the first of several).
    """

    name: str
    label: str
    control: str = WAITING
    keep: pl.Expr = field(default=_EVERY, compare=False)
    small_study: SmallStudy = "none"
    correlation: float = 0.0
    one_per_trial: bool = False


_MODERATE = pl.col("g") <= LARGE
_ALL, _WITHOUT = "all comparisons", f"without g above {LARGE:g}"
_PET, _PEESE = "limit at SE 0, by SE (PET)", "limit at SE 0, by SE² (PEESE)"
CASES = (
    Case("base", _ALL),
    Case("without_large", _WITHOUT, keep=_MODERATE),
    Case("limit_variance", _PEESE, small_study="variance"),
    Case("limit_error", _PET, small_study="error"),
    Case("limit_size", "limit at SE 0, by group sizes alone", small_study="size"),
    Case("without_large_limit_error", f"{_PET}, {_WITHOUT}", keep=_MODERATE, small_study="error"),
    Case("cbt", "CBT only", keep=pl.col("type") == "Cognitive Behavior Therapy"),
    Case("low_risk", "low risk of bias only", keep=pl.col("quality_criteria") == CRITERIA),
    Case("individual", "individual format only", keep=pl.col("format") == "Individual"),
    Case("one_per_trial", "one comparison per trial", one_per_trial=True),
    Case("shared_controls", "errors correlated (shared controls)", correlation=SHARED),
    *(
        Case(f"{name}{suffix}", label, control, keep, small_study)
        for control, name in ((USUAL, "care_as_usual"), (OTHER, "other_controls"))
        for suffix, label, keep, small_study in (
            ("", _ALL, _EVERY, "none"),
            ("_without_large", _WITHOUT, _MODERATE, "none"),
            ("_limit_variance", _PEESE, _EVERY, "variance"),
            ("_limit_error", _PET, _EVERY, "error"),
        )
    ),
)
BASE = CASES[0]


def rows(table: pl.DataFrame, case: Case) -> pl.DataFrame:
    """Comparisons of a case, in the order of the table."""
    found = table.filter((pl.col("control_type") == case.control) & case.keep)
    if not case.one_per_trial:
        return found
    size = pl.col("n_intervention") + pl.col("n_control")
    largest = (size == size.max().over("trial")).alias("largest")
    return found.filter(largest).unique("trial", keep="first", maintain_order=True)


def comparisons(table: pl.DataFrame, case: Case) -> Comparisons:
    """The same for the model.

    Raises
    ------
    DataError
        Fewer than three trials.
    """
    found = rows(table, case)
    try:
        groups = found.select("n_intervention", "n_control").to_numpy().T
        return Comparisons.of(found["g"].to_numpy(), found["SE"].to_numpy(), found["trial"], groups)
    except DataError as error:
        words = f"{CONTROLS[case.control]}, {case.label}"
        raise DataError(f"{words}: {error}") from None
