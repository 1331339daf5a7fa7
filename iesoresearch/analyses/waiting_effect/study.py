"""How `waiting_effect` is computed: load, synthesise, describe."""

from iesoresearch.analyses.waiting_effect import Params, drawn
from iesoresearch.analyses.waiting_effect.checks import checks
from iesoresearch.analyses.waiting_effect.fitted import Evidence, Fitted, fit
from iesoresearch.analyses.waiting_effect.tables import all_tables
from iesoresearch.analyses.waiting_effect.tables import summary as summary
from iesoresearch.analyses.waiting_effect.text import text
from iesoresearch.analyses.waiting_effect.words import FIGURES, numbers
from iesoresearch.data import metapsy
from iesoresearch.params import Settings
from iesoresearch.results import Result

__all__ = ["load", "result", "run", "summary"]

TITLE = "Therapy against waiting"


def load(params: Params, settings: Settings) -> Evidence:
    """The trials that `params` name.

    Raises
    ------
    NotApplicable
        The published table is not here.
    DataError
        It is damaged.
    """
    if params.source == "synthetic":
        name = f"Simulated trials ({params.n_trials} with a waiting list)"
        return Evidence(name, "MIT", "synthetic", drawn.trials(params), settings.n_jobs)
    found = metapsy.load(settings.search_path)
    name = "Published trials of psychotherapy for depression"
    return Evidence(name, metapsy.LICENCE, "open", found, settings.n_jobs)


def run(evidence: Evidence, params: Params) -> Result:
    """Everything that is computed.

    Raises
    ------
    DataError
        Too few trials for one of the cases.
    """
    return result(fit(evidence, params))


def result(fitted: Fitted) -> Result:
    """What was found, for release."""
    evidence = fitted.evidence
    return Result(
        tables=all_tables(fitted),
        numbers=numbers(fitted),
        checks=checks(fitted),
        text=text(fitted),
        figures=FIGURES,
        provenance={
            "title": TITLE,
            "data": evidence.name,
            "data_fingerprint": evidence.trials.fingerprint,
            "sensitivity": evidence.sensitivity,
            "licence": evidence.licence,
        },
    )
