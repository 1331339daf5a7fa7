"""The part of the audit that asks who comes, who waits and who leaves early."""

from iesoresearch.analyses.fairness import Params, captions
from iesoresearch.analyses.fairness.access import NO_POPULATION, leaving, representation, waits
from iesoresearch.analyses.fairness.data import Audited
from iesoresearch.results import Result, Table


def audit(data: Audited, params: Params) -> Result:
    """Waits, early endings, and referrals beside a population if one is supplied.

    Raises
    ------
    ParameterError
        A reference level that a grouping does not have.
    DataError
        The file of the population is absent or cannot be used.
    """
    tables: dict[str, Table] = {"waits": waits(data), "leaving": leaving(data, params)}
    absent = {}
    if params.population:
        tables["representation"] = representation(data, params)
    else:
        absent["representation"] = NO_POPULATION
    figures = captions.access(params)
    return Result(
        tables=tables,
        text={"reading": _READING, "limits": _LIMITS},
        figures={name: spec for name, spec in figures.items() if spec.table in tables},
        not_applicable=absent,
    )


_READING = (
    "Waits count from the referral to the first treatment: median and 90th percentile of all who "
    "started; the shares within 6 and 18 weeks are the official ones, of those who finished. Ended "
    "early is what the service recorded as the patient's decision, of those who started and whose "
    "ending is known."
)
_LIMITS = (
    "Who waited and never started has no wait here. Referrals say nothing about need: a group may "
    "be under-represented beside the population and yet have fewer or more people who would gain. "
    "Ending early is not failing: some leave because they are better."
)
