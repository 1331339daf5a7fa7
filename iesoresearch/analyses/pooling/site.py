"""What one site gives to a pool, beside what its other runs release: a regression.

All terms are numbers that everybody has; none marks a small group, so that the covariance matrix,
which is nearly a table of counts of such marks, tells no count.
"""

import numpy as np
import polars as pl

from iesoresearch.analyses.fairness.data import Audited
from iesoresearch.data.groups import NOT_RECORDED
from iesoresearch.errors import DataError
from iesoresearch.hashes import digest
from iesoresearch.measures.outcomes import OFFICIAL
from iesoresearch.models.case_mix import logit
from iesoresearch.models.case_mix.design import design
from iesoresearch.models.pooling.multivariate import Coefficients
from iesoresearch.results import Result, Table, Value

OUTCOME = "reliable_recovery"
CONSTANT = "constant"
#: Term -> heading, column, centre, unit. What is not recorded counts as the centre.
TERMS = {
    "phq9": ("PHQ-9 at the start, per 5 points", "first_phq9", 15.0, 5.0),
    "gad7": ("GAD-7 at the start, per 5 points", "first_gad7", 14.0, 5.0),
    "age": ("Age, per 10 years", "age", 40.0, 10.0),
    "deprivation": ("Deprivation, per quintile towards less", "Deprivation quintile", 3.0, 1.0),
}
FEWEST = 20  # with, and without the outcome, for each term; the project's own
DIGITS = {"estimate": 5, "covariance": 9}


def of_site(data: Audited) -> Result:
    """Coefficients and covariance of the regression of this site, or why there is none."""
    provenance = {
        "data_fingerprint": "a file" if data.cohort is None else data.cohort.fingerprint,
        "definitions": definitions(),
        "sensitivity": data.sensitivity,
    }
    try:
        found = regression(data)
    except DataError as error:
        why = f"Not applicable: {error}"
        return Result(
            not_applicable={"coefficients": why, "covariance": why}, provenance=provenance
        )
    people = int(data.closed[OUTCOME].is_not_null().sum())
    return Result(tables=tables_of(found, people, data.sensitivity), provenance=provenance)


def definitions() -> str:
    """Hash of the official rules and of the terms: what is pooled must mean the same everywhere."""
    rules = sorted(str(row) for row in OFFICIAL.rows)
    return digest(repr((rules, sorted(TERMS.items()), OUTCOME)).encode())


def regression(data: Audited) -> Coefficients:
    """Logistic regression of reliable recovery among those at caseness at the start.

    Raises
    ------
    DataError
        Fewer than `FEWEST` with or without the outcome for each term, or no finite maximum.
    """
    rows = data.closed.filter(pl.col(OUTCOME).is_not_null())
    y = rows[OUTCOME].cast(pl.Float64).to_numpy()
    needed = FEWEST * (len(TERMS) + 1)
    if min(y.sum(), len(y) - y.sum()) < needed:
        raise DataError(
            f"A regression of {len(TERMS)} terms needs {needed} patients with and {needed} without "
            "reliable recovery; there are fewer."
        )
    made = design(terms(rows), y, np.ones(len(y)), None)
    values = logit.fit(made)
    return Coefficients(made.names, values, covariance_of(made, values))


def terms(rows: pl.DataFrame) -> pl.DataFrame:
    """(patients, terms) as the regression takes them."""
    columns = {}
    for name, (_, column, centre, unit) in TERMS.items():
        value = pl.col(column)
        if column == "Deprivation quintile":
            value = value.replace(NOT_RECORDED, None).str.head(1)
        columns[name] = (value.cast(pl.Float64).fill_null(centre) - centre) / unit
    return rows.select(**columns)


def covariance_of(made, values: np.ndarray) -> np.ndarray:
    """Inverse of the information: what adds up over sites."""
    mean = 1 / (1 + np.exp(-made.x @ values))
    return np.linalg.inv((made.x * (made.n * mean * (1 - mean))[:, None]).T @ made.x)


def tables_of(found: Coefficients, people: int, sensitivity) -> dict[str, Table]:
    """The tables that a site releases of its regression."""
    headings = {CONSTANT: "Constant"} | {name: TERMS[name][0] for name in TERMS}
    shared = {"sensitivity": sensitivity, "denominator": "n", "parameters": len(found.names)}
    n = Value("count", "Patients", 0, sensitivity=sensitivity)
    frame = pl.DataFrame(
        {
            "term": found.names,
            "words": [headings[name] for name in found.names],
            "estimate": found.values,
            "error": np.sqrt(found.covariance.diagonal()),
            "n": [people] * len(found.names),
        }
    )
    values = {
        "words": Value("model", "Term in words", 0, sensitivity="open"),
        "estimate": Value("model", "Log odds ratio", DIGITS["estimate"], **shared),
        "error": Value("model", "Standard error", DIGITS["estimate"], **shared),
        "n": n,
    }
    pairs = [(a, b) for i, a in enumerate(found.names) for b in found.names[: i + 1]]
    lower = np.tril_indices(len(found.names))
    matrix = pl.DataFrame(pairs, schema=["term", "other"], orient="row").with_columns(
        covariance=found.covariance[lower], n=pl.lit(people)
    )
    title = "Regression of reliable recovery"
    return {
        "coefficients": Table(title, frame, {"term": "Term"}, values),
        "covariance": Table(
            f"{title}: covariance", matrix, {"term": "Term", "other": "With"},
            {"covariance": Value("model", "Covariance", DIGITS["covariance"], **shared), "n": n},
        ),
    }  # fmt: skip


def read(result: Result) -> Coefficients | None:
    """The regression in a released result; None where it has none, or not all of it is shown."""
    if "coefficients" not in result.tables:
        return None
    rows, pairs = (result.tables[name].frame for name in ("coefficients", "covariance"))
    if rows["estimate"].has_nulls() or pairs["covariance"].has_nulls():
        return None
    names = tuple(rows["term"].to_list())
    covariance = np.zeros((len(names),) * 2)
    for a, b, value in pairs.select("term", "other", "covariance").iter_rows():
        i, j = names.index(a), names.index(b)
        covariance[i, j] = covariance[j, i] = value
    return Coefficients(names, rows["estimate"].to_numpy(), covariance)
