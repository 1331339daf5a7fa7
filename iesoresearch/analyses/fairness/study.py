"""How `fairness` is computed: load, audit by parts, put together."""

from collections.abc import Callable
from dataclasses import replace

import polars as pl

from iesoresearch.analyses.fairness import (
    Params,
    access_audit,
    intersections,
    mitigation,
    model_audit,
    outcome_audit,
    predictions,
    statement,
)
from iesoresearch.analyses.fairness import (
    data as referrals,
)
from iesoresearch.analyses.fairness.data import Audited
from iesoresearch.params import Settings
from iesoresearch.results import Result, Table, Value

__all__ = ["load", "run", "summary"]

TITLE = "Fairness: for whom does it work less well"
Part = Callable[[Audited, Params], Result]
#: Of referrals; the second are of predictions, which may come without referrals.
OF_REFERRALS: tuple[Part, ...] = (
    *(outcome_audit.audit, intersections.intersections, access_audit.audit),
)
OF_PREDICTIONS: tuple[Part, ...] = (*(model_audit.audit, mitigation.compare, statement.statement),)
#: Tables and figures of `OF_REFERRALS`.
NAMES_OF_REFERRALS = (
    *("stages", "outcomes", "gaps", "adjusted", "pathway", "deprivation", "services", "years"),
    *("trends", "rates", "steps", "strata", "strata_shares", "intersections", "shrinkage"),
    *("interactions", "waits", "leaving", "representation"),
)
ONLY_PREDICTIONS = (
    "Not applicable: the data are a file of predictions, without referrals. Outcomes, access and "
    "intersections are audited with source=folder."
)


def load(params: Params, settings: Settings) -> Audited:
    """What `params` name: referrals, or a file of predictions, whose rows stand for them.

    Raises
    ------
    DataError
        The source is absent or breaks its schema, or none of the groupings can be compared.
    """
    data = referrals.load(params, settings)
    if data.cohort is not None:
        return data
    found = predictions.of(data, params)
    rows = {"y": found.y}
    if found.patient is not None:
        rows["patient"] = found.patient
    return replace(data, rows=pl.DataFrame(rows))


def summary(data: Audited) -> Table:
    """How many referrals there are at each stage, or predictions in the file."""
    if data.cohort is None:
        rows = {"predictions": data.rows.height}
        if "patient" in data.rows.columns:
            rows["patients"] = data.rows["patient"].n_unique()
    else:
        rows = {
            "referrals": data.rows.height,
            "patients": data.rows["patient"].n_unique(),
            "started treatment": int(data.rows["started"].sum()),
            "finished a course": int(data.rows["finished"].sum()),
            "of them with an outcome by the official rules": int(data.rows["judged"].sum()),
        }
    frame = pl.DataFrame({"what": list(rows), "count": list(rows.values())})
    count = Value("count", "Number", digits=0, sensitivity=data.sensitivity)
    return Table(f"The data: {data.name}", frame, {"what": ""}, {"count": count})


def run(data: Audited, params: Params) -> Result:
    """Everything the audit finds.

    Raises
    ------
    DataError
        Too few patients for one of the parts, or a reference level that nobody is in.
    """
    parts = (*OF_REFERRALS, *OF_PREDICTIONS)
    if data.cohort is None:
        parts = (_no_referrals, *OF_PREDICTIONS)
    return merged([part(data, params) for part in parts], data)


def _no_referrals(data: Audited, params: Params) -> Result:
    return Result(not_applicable=dict.fromkeys(NAMES_OF_REFERRALS, ONLY_PREDICTIONS))


def merged(parts: list[Result], data: Audited) -> Result:
    """One result of several, which share no names.

    Raises
    ------
    ValueError
        Two parts use the same name.
    """
    found = {
        name: _union([getattr(part, name) for part in parts])
        for name in ("tables", "numbers", "figures", "not_applicable")
    }
    headings = dict.fromkeys(heading for part in parts for heading in part.text)
    text = {
        heading: "\n\n".join(part.text[heading] for part in parts if heading in part.text)
        for heading in headings
    }
    provenance = {
        "title": TITLE,
        "data": data.name,
        "sensitivity": data.sensitivity,
        "licence": (data.cohort.licence if data.cohort else "") or "of the site",
        "data_fingerprint": data.cohort.fingerprint if data.cohort else "a file of predictions",
    }
    checks = [check for part in parts for check in part.checks]
    return Result(**found, checks=checks, text=text, provenance=provenance)


def _union(parts: list[dict]) -> dict:
    whole: dict = {}
    for part in parts:
        if shared := whole.keys() & part.keys():
            raise ValueError(f"Two parts of the audit use the names {sorted(shared)}.")
        whole |= part
    return whole
