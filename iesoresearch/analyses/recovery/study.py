"""How `recovery` is computed: load, predict, judge."""

from iesoresearch.analyses.recovery import Params
from iesoresearch.analyses.recovery.data import Courses, of_cohort
from iesoresearch.data import sources, synthetic
from iesoresearch.params import Settings

TITLE = "Who recovers, along which path, and who needs more support"


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
