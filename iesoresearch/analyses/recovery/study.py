"""How `recovery` is computed: load, predict, judge."""

import polars as pl

from iesoresearch.analyses.recovery import Params, explained, scrutiny, tables
from iesoresearch.analyses.recovery.captions import figures
from iesoresearch.analyses.recovery.data import AUDITED, GROUPS, Courses, of_cohort
from iesoresearch.analyses.recovery.evidence import EVIDENCE
from iesoresearch.analyses.recovery.fitted import Fitted
from iesoresearch.analyses.recovery.linked import linked
from iesoresearch.analyses.recovery.tables import summary
from iesoresearch.analyses.recovery.text import text
from iesoresearch.analyses.recovery.words import checks, no_time, numbers
from iesoresearch.data import sources, synthetic
from iesoresearch.params import Settings
from iesoresearch.results import Result, Table

__all__ = ["load", "run", "summary"]

TITLE = "Who recovers: prediction at the assessment and after each session"
PREDICTIONS = "predictions"  # rows handed to the audit of fairness
#: Tables and figures that need two services.
BY_SERVICE = {"services": "There are not two services to tell apart.",
              "services_pooled": "There are not two services to tell apart."}  # fmt: skip


def load(params: Params, settings: Settings) -> Courses:
    """Courses of the source that `params` name.

    Raises
    ------
    DataError
        The source is absent or breaks the schema, or too few patients are at risk.
    """
    if params.source == "synthetic":
        cohort = synthetic.make(params.n_referrals, params.seed, params.profile)
    else:
        cohort = sources.load(params.source, settings.search_path, 0, params.seed)
    return of_cohort(cohort, params, settings.n_jobs)


def run(courses: Courses, params: Params) -> Result:
    """Everything that is computed.

    Raises
    ------
    DataError
        Too few patients at the landmark looked at closely.
    """
    fitted = Fitted(courses, params)
    missing = _not_applicable(fitted)
    cohort = courses.cohort
    return Result(
        tables=linked(_tables(fitted, missing), fitted),
        numbers=numbers(fitted),
        checks=checks(fitted),
        text=text(fitted),
        figures={name: spec for name, spec in figures(fitted.days_shifted) if name not in missing},
        not_applicable=missing,
        documents={explained.MODEL_FILE: explained.write_model(fitted)},
        evidence=EVIDENCE,
        private={PREDICTIONS: predictions(fitted)},
        provenance={
            "title": TITLE,
            "data": cohort.name,
            "data_fingerprint": cohort.fingerprint,
            "sensitivity": cohort.sensitivity,
            "licence": cohort.licence or "of the site",
        },
    )


def _not_applicable(fitted: Fitted) -> dict[str, str]:
    missing = {}
    if fitted.validation.services is None:
        missing |= BY_SERVICE
    if fitted.drift is None:
        missing["later"] = no_time(fitted)
    return missing


def _tables(fitted: Fitted, missing: dict[str, str]) -> dict[str, Table]:
    makers = {
        "flow": tables.flow,
        "outcomes": tables.outcomes,
        "performance": tables.performance,
        "other_outcomes": tables.other_outcomes,
        "groups": tables.groups,
        "calibration": tables.calibration,
        "net_benefit": tables.net_benefit,
        "sets": tables.sets,
        "sample_size": scrutiny.sample_size,
        "optimism": scrutiny.optimism,
        "instability": scrutiny.instability,
        "services": scrutiny.services,
        "services_pooled": scrutiny.pooled,
        "learning": scrutiny.learning,
        "missing_scores": scrutiny.missing_scores,
        "later": scrutiny.later,
        "characteristics": explained.characteristics,
        "importance": explained.importance,
        "dependence": explained.dependences,
        "patient": explained.patient,
    }
    return {name: make(fitted) for name, make in makers.items() if name not in missing}


def predictions(fitted: Fitted) -> pl.DataFrame:
    """Every out-of-fold prediction with its outcome and groups: for the audit of fairness alone.

    Columns: referral_id, patient_id, service_id, landmark, outcome, model, fold, y, p, and groups.
    """
    parts = []
    everything = [(s, k, fitted.outcome, j) for (s, k), j in fitted.judged.items()]
    everything += [(s, fitted.params.model, o, j) for (s, o), j in fitted.others.items()]
    for s, kind, outcome, judged in everything:
        rows = fitted.courses.at[s].rows[judged.rows]
        found = judged.found
        kept = rows.select("referral_id", "patient_id", "service_id", *GROUPS, *AUDITED)
        parts.append(
            kept.with_columns(
                landmark=pl.lit(s),
                outcome=pl.lit(outcome),
                model=pl.lit(kind),
                fold=pl.Series(found.fold[found.p == found.p]),
                y=pl.Series(judged.y),
                p=pl.Series(judged.p),
            )
        )
    return pl.concat(parts)
