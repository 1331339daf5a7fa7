"""What a feature does to the predictions over its range, and one prediction taken apart.

Aggregates and a made-up patient only: no row of a patient is in what these functions return.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl
from scipy.special import expit

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.models.prediction.explanation import contributions, pipeline_of, words
from iesoresearch.models.prediction.nested import codes
from iesoresearch.models.prediction.pipelines import FEWEST, Schema


@dataclass(frozen=True)
class Dependence:
    """SHAP values of one feature against what the feature is, in groups of patients.

    Attributes
    ----------
    feature
        Name.
    groups
        In words: a range of values, a category, or "missing".
    low, high
        (groups,) the range, with the bounds of the schema at the ends; NaN of other groups.
    n_patients
        (groups,)
    mean, lower, upper
        (groups,) mean SHAP, log-odds, and its quartiles; NaN with fewer than `FEWEST` patients.
    """

    feature: str
    groups: tuple[str, ...]
    low: np.ndarray
    high: np.ndarray
    n_patients: np.ndarray
    mean: np.ndarray
    lower: np.ndarray
    upper: np.ndarray


def dependence(model, X: pl.DataFrame, patient, feature: str, *, n_bins: int = 10) -> Dependence:
    """SHAP values of a feature in bins between its quantiles, or in its categories.

    Parameters
    ----------
    model, X
        As in `contributions`; `X` is a table.
    patient
        (rows,) whose row it is.
    feature
        Name.
    n_bins
        Bins with about as many rows each; fewer where values are equal.

    Raises
    ------
    ParameterError
        The model does not see the feature, or there is no bin.
    """
    shares, schema = contributions(model, X), pipeline_of(model)[0].schema
    if feature not in shares.features or n_bins < 1:
        raise ParameterError(f"The model sees no feature called {feature!r}, or n_bins is below 1.")
    patient = codes(patient, X.height, "patient")
    shap = shares.values[:, shares.features.index(feature)]
    absent = X[feature].is_null().to_numpy()
    bins = [*_bins(schema, X[feature], n_bins), ("missing", np.nan, np.nan, absent)]
    n = np.array([len(np.unique(patient[rows])) for *_, rows in bins])
    described = np.full((len(bins), 3), np.nan)
    for i, (*_, rows) in enumerate(bins):
        if n[i] >= FEWEST:
            described[i] = shap[rows].mean(), *np.quantile(shap[rows], [0.25, 0.75])
    groups, low, high, _ = zip(*bins, strict=True)
    return Dependence(feature, groups, np.array(low), np.array(high), n, *described.T)


def _bins(schema: Schema, column: pl.Series, n_bins: int) -> list[tuple]:
    """Name, low, high and rows of every group but "missing"."""
    for known in schema.categorical:
        if known.name == column.name:
            rows = [(column == c).fill_null(False).to_numpy() for c in known.categories]
            return [(c, np.nan, np.nan, r) for c, r in zip(known.categories, rows, strict=True)]
    known = next(f for f in schema.numeric if f.name == column.name)
    values = column.cast(pl.Float64).to_numpy()
    seen = values[~np.isnan(values)]
    inner = np.unique(np.quantile(seen, np.arange(1, n_bins) / n_bins)) if len(seen) else []
    edges = [known.low, *(e for e in inner if known.low < e <= known.high), known.high]
    found = []
    for i, (low, high) in enumerate(pairwise(edges)):
        last = i == len(edges) - 2
        rows = (values >= low) & ((values <= high) if last else (values < high))
        name = f"{low:g} to {high:g}" if last else f"{low:g} to below {high:g}"
        found.append((name, low, high, rows))
    return found


@dataclass(frozen=True)
class Waterfall:
    """The prediction for one made-up patient as a sum.

    Attributes
    ----------
    features, values, words
        Names, what the made-up patient has, and whether care can change it.
    contributions
        (features,) log-odds, in the order of their size.
    base, total
        Log-odds of the average prediction and of this one: `base` and contributions sum to `total`.
    p
        The prediction.
    """

    features: tuple[str, ...]
    values: tuple[str, ...]
    words: tuple[str, ...]
    contributions: np.ndarray
    base: float
    total: float
    p: float


def made_up_patient(schema: Schema, X: pl.DataFrame, **values) -> pl.DataFrame:
    """One row with the median of every number and the most frequent of every category.

    Nobody's row: every value is typical by itself, whoever has it. A feature with fewer than
    `FEWEST` values is missing.

    Parameters
    ----------
    schema
        Of the table `X`.
    X
        Table of features.
    **values
        To be put in place of the typical ones.

    Raises
    ------
    ParameterError
        A value for a feature that there is not.
    """
    schema.check(X)
    if unknown := [name for name in values if name not in schema.names]:
        raise ParameterError(f"There is no feature called {', '.join(unknown)}.")
    row, types = {}, {}
    for feature in schema.numeric:
        seen = X[feature.name].drop_nulls()
        row[feature.name] = float(seen.median()) if len(seen) >= FEWEST else None
        types[feature.name] = pl.Float64
    for feature in schema.categorical:
        texts = X[feature.name].cast(pl.String)
        counts = {c: int((texts == c).sum()) for c in feature.categories}
        most = max(counts, key=counts.get)  # the first of equals
        row[feature.name] = most if counts[most] >= FEWEST else None
        types[feature.name] = pl.String
    return pl.DataFrame([row | values], schema=types, orient="row")


def waterfall(model, patient: pl.DataFrame) -> Waterfall:
    """How the prediction for a made-up patient comes about.

    Parameters
    ----------
    model
        As in `contributions`.
    patient
        One row, of `made_up_patient`.

    Raises
    ------
    DataError
        Not one row.
    """
    if patient.height != 1:
        raise DataError(f"A waterfall is of one made-up patient; the table has {patient.height}.")
    shares, schema = contributions(model, patient), pipeline_of(model)[0].schema
    order = np.argsort(-np.abs(shares.values[0]), kind="stable")
    names = tuple(shares.features[i] for i in order)
    total = shares.base + shares.values[0].sum()
    return Waterfall(
        features=names,
        values=tuple(_said(patient[name][0]) for name in names),
        words=words(schema, names),
        contributions=shares.values[0][order],
        base=shares.base,
        total=float(total),
        p=float(expit(total)),
    )


def _said(value) -> str:
    if value is None:
        return "missing"
    return value if isinstance(value, str) else f"{value:g}"
