"""How `cohort` is computed: load, count, compare, say."""

import polars as pl

from iesoresearch.analyses.cohort import Params
from iesoresearch.analyses.cohort import published as figures_of_nhs
from iesoresearch.analyses.cohort.characteristics import baseline, characteristics, differences
from iesoresearch.analyses.cohort.checks import checks
from iesoresearch.analyses.cohort.completeness import forms, variables
from iesoresearch.analyses.cohort.flow import flow
from iesoresearch.analyses.cohort.likeness import likeness
from iesoresearch.analyses.cohort.linked import linked
from iesoresearch.analyses.cohort.missing_scores import sensitivity
from iesoresearch.analyses.cohort.monitoring import control_chart, no_chart, safety
from iesoresearch.analyses.cohort.numbers import numbers
from iesoresearch.analyses.cohort.outcomes import outcome_rates, unknown, waits
from iesoresearch.analyses.cohort.people import Data
from iesoresearch.analyses.cohort.words import figures, text
from iesoresearch.data import sources, synthetic
from iesoresearch.params import Settings
from iesoresearch.results import Result, Table, Value

TITLE = "The cohort: who is counted, how complete, with what outcomes"
#: Tables made of patients' records -> what they are called where there are none.
OF_RECORDS = {
    "flow": "Flow of referrals",
    "characteristics": "Table 1",
    "baseline": "Age and first scores",
    "differences": "Differences between finished and not finished",
    "missing_variables": "Missing values by variable",
    "missing_forms": "Missing questionnaires by appointment",
    "outcome_rates": "Outcomes beside the published ones",
    "unknown": "Outcomes that are not known",
    "waits": "Waits",
    "sensitivity": "Sensitivity to missing last scores",
    "safety": "Safety signals",
    "control_chart": "Control chart",
    "likeness": "Published and drawn figures",
}
NO_RECORDS = "not applicable, published figures hold no records of patients"
_EMPTY = {
    "differences": "nobody finished, or everybody did",
    "missing_forms": "nobody was seen",
    "outcome_rates": "nobody finished a course of treatment",
    "unknown": "nobody finished a course of treatment",
    "waits": "nobody finished a course of treatment",
    "sensitivity": "nobody finished a course at caseness with earlier scores",
    "safety": "nobody answered the item on self-harm thoughts or finished a course",
}


def load(params: Params, settings: Settings) -> Data:
    """Records and published figures that `params` name.

    Raises
    ------
    DataError
        The source is absent or breaks the schema, or nothing was published for that year.
    """
    published = figures_of_nhs.load(params.profile, params.published_year)
    cohort = None
    if params.source == "synthetic":
        cohort = synthetic.make(params.n_referrals, params.seed, profile=params.profile)
    elif params.source == "folder":
        cohort = sources.from_folder(settings.search_path)
    return Data(cohort, published)


def summary(data: Data) -> Table:
    """How many people, referrals and appointments there are, or figures."""
    cohort = data.cohort
    if cohort is None:
        rows = data.published.counted()
    else:
        rows = {
            "patients": cohort.patients.height,
            "referrals": cohort.referrals.height,
            "appointments": cohort.contacts.height,
            "appointments attended, without follow-up": data.visits.height,
            "scores of other scales": cohort.scores.height,
        }
    frame = pl.DataFrame({"what": list(rows), "count": list(rows.values())})
    count = Value("count", "Number", digits=0, sensitivity=data.sensitivity)
    return Table(f"The data: {data.name}", frame, {"what": ""}, {"count": count})


def run(data: Data, params: Params) -> Result:
    """Every table that the data allow, and what is to be said about them."""
    published = data.published
    tables = {"by_year": published.by_year(), "by_deprivation": published.by_deprivation()}
    absent = {name: f"{title}: {NO_RECORDS}." for name, title in OF_RECORDS.items()}
    if data.cohort is not None:
        made = _of_records(data, params)
        absent = {
            name: f"{OF_RECORDS[name]}: not applicable, {_EMPTY[name]}."
            for name in _EMPTY
            if _nobody(made[name])
        }
        if _nobody(made["control_chart"]):
            absent["control_chart"] = f"{OF_RECORDS['control_chart']}: not applicable. "
            absent["control_chart"] += no_chart(data)
        made = linked({name: t for name, t in made.items() if name not in absent})
        tables = made | tables
        if params.source == "synthetic":
            tables["likeness"] = likeness(params.profile, params.n_likeness, params.seed)
        else:
            absent["likeness"] = f"{OF_RECORDS['likeness']}: not applicable, nothing was drawn."
    found = numbers(data, tables)
    cohort = data.cohort
    return Result(
        tables=tables,
        numbers=found,
        checks=checks(data, tables, found),
        text=text(data, tables, found),
        figures={name: spec for name, spec in figures(data).items() if name in tables},
        not_applicable=absent,
        provenance={
            "title": TITLE,
            "data": data.name,
            "data_fingerprint": published.fingerprint if cohort is None else cohort.fingerprint,
            "sensitivity": data.sensitivity,
            "licence": published.licence if cohort is None else cohort.licence,
            "published": published.attribution,
        },
    )


def _nobody(table: Table) -> bool:
    """Whether no count of a table is above zero."""
    counts = [name for name, value in table.values.items() if value.kind == "count"]
    return not any(table.frame[name].sum() for name in counts)


def _of_records(data: Data, params: Params) -> dict[str, Table]:
    return {
        "flow": flow(data),
        "characteristics": characteristics(data),
        "baseline": baseline(data),
        "differences": differences(data),
        "missing_variables": variables(data),
        "missing_forms": forms(data),
        "outcome_rates": outcome_rates(data),
        "unknown": unknown(data),
        "waits": waits(data),
        "sensitivity": sensitivity(data, params.n_imputations, params.seed),
        "safety": safety(data),
        "control_chart": control_chart(data),
    }
