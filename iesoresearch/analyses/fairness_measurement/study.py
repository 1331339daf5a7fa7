"""How `fairness_measurement` is computed: load, group, compare items and classes."""

from iesoresearch.analyses.fairness_measurement import Params
from iesoresearch.analyses.fairness_measurement.checks import checks
from iesoresearch.analyses.fairness_measurement.data import Data
from iesoresearch.analyses.fairness_measurement.fitted import Fitted, fit
from iesoresearch.analyses.fairness_measurement.tables import all_tables, summary
from iesoresearch.analyses.fairness_measurement.words import FIGURES, numbers, text
from iesoresearch.data import sources
from iesoresearch.params import Settings
from iesoresearch.results import Result

__all__ = ["load", "run", "summary"]

TITLE = "Does the PHQ-9 behave alike across groups?"


def load(params: Params, settings: Settings) -> Data:
    """First PHQ-9 answers of the source that `params` name.

    Raises
    ------
    DataError
        The source is absent, breaks the schema, or holds no PHQ-9 answer.
    """
    cohort = sources.load(
        params.source, settings.search_path, params.n_patients, params.seed, **params.survey
    )
    return Data.of(cohort)


def run(data: Data, params: Params) -> Result:
    """Compare items and classes between groups.

    Raises
    ------
    DataError
        There are no two groups with enough people.
    """
    return result(fit(data, params))


def result(fitted: Fitted) -> Result:
    """What the analysis hands over."""
    cohort = fitted.data.cohort
    tables, none = all_tables(fitted), {}
    if fitted.weighted:
        del tables["class_items"]
        none = {"class_items": "Which item differs between classes: not said with survey weights."}
    return Result(
        tables=tables,
        numbers=numbers(fitted),
        checks=checks(fitted),
        text=text(fitted),
        figures=FIGURES,
        not_applicable=none,
        provenance={
            "title": TITLE,
            "data": cohort.name,
            "data_fingerprint": cohort.fingerprint,
            "sensitivity": cohort.sensitivity,
            "licence": cohort.licence,
        },
    )
