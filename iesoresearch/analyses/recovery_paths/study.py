"""How `recovery_paths` is computed: load, follow scores, find who leaves the path, judge flags."""

import polars as pl

from iesoresearch.analyses.recovery_paths import Params, class_tables, growth_tables, signal_tables
from iesoresearch.analyses.recovery_paths.fitted import Fitted
from iesoresearch.analyses.recovery_paths.linked import linked
from iesoresearch.analyses.recovery_paths.numbers import numbers
from iesoresearch.analyses.recovery_paths.patients import ENTRY, Patients, of
from iesoresearch.analyses.recovery_paths.questions import checks
from iesoresearch.analyses.recovery_paths.words import FIGURES, text
from iesoresearch.data import sources, synthetic
from iesoresearch.params import Settings
from iesoresearch.results import Result, Table, Value

__all__ = ["load", "run", "summary"]

TITLE = "The usual path, who leaves it, and what flagging is worth"


def load(params: Params, settings: Settings) -> Patients:
    """Patients in treatment of the source that `params` name.

    Raises
    ------
    DataError
        The source is absent or breaks the schema, or too few patients have scores to follow.
    """
    if params.source == "synthetic":
        cohort = synthetic.make(params.n_referrals, params.seed, params.profile)
    else:
        cohort = sources.load(params.source, settings.search_path, 0, params.seed)
    return of(cohort, params, settings.n_jobs)


def summary(patients: Patients) -> Table:
    """How many patients are followed, and how many scores they gave."""
    rows = {
        "referrals": patients.cohort.referrals.height,
        f"patients at caseness who attended {ENTRY} treatment sessions": patients.n,
        "PHQ-9 scores": patients.scores.height,
        "left out: no PHQ-9 at all": patients.without_scores,
        "left out: a later referral of a patient": patients.later_referrals,
    }
    frame = pl.DataFrame({"what": list(rows), "count": list(rows.values())})
    count = Value("count", "Number", 0, sensitivity=patients.cohort.sensitivity)
    return Table(f"The data: {patients.cohort.name}", frame, {"what": ""}, {"count": count})


def run(patients: Patients, params: Params) -> Result:
    """Everything that is computed.

    Raises
    ------
    DataError
        Too few patients for the growth model, or for flags to be judged on.
    """
    return result(Fitted(patients, params))


def result(fitted: Fitted) -> Result:
    """What is handed over of all that is computed."""
    cohort = fitted.patients.cohort
    return Result(
        tables=linked(
            growth_tables.all_tables(fitted)
            | class_tables.all_tables(fitted)
            | signal_tables.all_tables(fitted)
        ),
        numbers=numbers(fitted),
        checks=checks(fitted),
        text=text(fitted),
        figures=FIGURES,
        provenance={
            "title": TITLE,
            "data": cohort.name,
            "data_fingerprint": cohort.fingerprint,
            "sensitivity": cohort.sensitivity,
            "licence": cohort.licence,
        },
    )
