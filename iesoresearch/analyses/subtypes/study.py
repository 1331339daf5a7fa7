"""How `subtypes` is computed: load, fit, choose, compare."""

from dataclasses import replace

from iesoresearch.analyses.subtypes import Params, fitting
from iesoresearch.analyses.subtypes.captions import figures
from iesoresearch.analyses.subtypes.carried import write_model
from iesoresearch.analyses.subtypes.data import Data
from iesoresearch.analyses.subtypes.fitted import Fitted
from iesoresearch.analyses.subtypes.tables import all_tables, summary
from iesoresearch.analyses.subtypes.variants import variants
from iesoresearch.analyses.subtypes.words import checks, numbers, text
from iesoresearch.data import sources
from iesoresearch.measures import PHQ9
from iesoresearch.params import Settings
from iesoresearch.results import Result

__all__ = ["load", "run", "summary"]

#: Figures and tables that need repeated sessions.
_REPEATED = {
    "transitions": "Moves from one session to the next",
    "flow": "From session to session",
    "state_shares": "States over sessions",
    "other_assumptions": "Other assumptions about moves",
}
TITLE = "Depressive states and moves between them"


def load(params: Params, settings: Settings) -> Data:
    """Cohort and PHQ-9 answers of the source that `params` name.

    Raises
    ------
    DataError
        The source is absent, breaks the schema, or holds no PHQ-9 answer.
    """
    cohort = sources.load(
        params.source, settings.search_path, params.n_patients, params.seed, **params.survey
    )
    return Data(cohort, cohort.sequences(PHQ9), settings.n_jobs)


def run(data: Data, params: Params) -> Result:
    """Fit every number of states, choose, question and describe the model chosen.

    Raises
    ------
    DataError
        More states than the data can carry.
    """
    fitted = fitting.fit(data, params)
    others = () if fitted.model.one_occasion_ else tuple(variants(fitted.model, data))
    return _result(replace(fitted, quality=fitting.quality(fitted, params), variants=others))


def _result(fitted: Fitted) -> Result:
    tables, cohort = all_tables(fitted), fitted.data.cohort
    return Result(
        tables=tables,
        numbers=numbers(fitted),
        checks=checks(fitted),
        text=text(fitted),
        figures={n: spec for n, spec in figures(fitted).items() if spec.table in tables},
        not_applicable={
            name: f"{title}: not applicable, everybody was seen once."
            for name, title in _REPEATED.items()
            if fitted.model.one_occasion_
        },
        documents={"model.json": write_model},
        provenance={
            "title": TITLE,
            "data": cohort.name,
            "data_fingerprint": cohort.fingerprint,
            "sensitivity": cohort.sensitivity,
            "licence": cohort.licence,
        },
    )
