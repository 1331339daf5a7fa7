"""How `fairness` is computed: load, audit by parts, put together."""

from collections.abc import Callable

import polars as pl

from iesoresearch.analyses.fairness import (
    Params,
    access_audit,
    intersections,
    mitigation,
    model_audit,
    outcome_audit,
    statement,
)
from iesoresearch.analyses.fairness.data import Audited
from iesoresearch.analyses.fairness.data import load as load
from iesoresearch.results import Result, Table, Value

__all__ = ["load", "run", "summary"]

TITLE = "Fairness: for whom does it work less well"
Part = Callable[[Audited, Params], Result]
#: Of referrals; the second are of predictions, which may come without referrals.
OF_REFERRALS: tuple[Part, ...] = (
    *(outcome_audit.audit, intersections.intersections, access_audit.audit),
)
OF_PREDICTIONS: tuple[Part, ...] = (*(model_audit.audit, mitigation.compare, statement.statement),)


def summary(data: Audited) -> Table:
    """How many referrals there are at each stage."""
    rows = {"referrals": data.rows.height}
    if data.cohort is not None:
        rows |= {
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
    parts = OF_PREDICTIONS if data.cohort is None else (*OF_REFERRALS, *OF_PREDICTIONS)
    return merged([part(data, params) for part in parts], data)


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
