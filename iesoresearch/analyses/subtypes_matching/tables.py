"""Tables of `subtypes_matching`: the numbers behind every figure, with n and uncertainty."""

import itertools

import numpy as np
import polars as pl

from iesoresearch.analyses.subtypes_matching.fitted import GROUPS, Fitted
from iesoresearch.analyses.subtypes_matching.patients import Patients
from iesoresearch.models import balance, heterogeneity
from iesoresearch.results import Table, Value

ALL = "all patients"
#: Bounds of the bands of propensity; the outer ones hold whoever was clipped.
BANDS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
#: Rules of treatment, as `heterogeneity.rules` names them, and what they are.
RULES = {
    "first": "{first}",
    "second": "{second}",
    "usual": "the therapy that was given",
    "personal": "the therapy predicted to be better",
}
SAVED = {
    "single": "the better single therapy for everybody",
    "usual": "the therapy that was given",
}


def summary(patients: Patients) -> Table:
    """How many patients there are, with which therapy, and who was left out."""
    rows = {"patients compared": patients.n}
    for number, therapy in enumerate(patients.therapies):
        rows[f"… of them given {therapy}"] = int((patients.treatment == number).sum())
    rows |= {f"left out: {why}": n for why, n in patients.left_out.items()}
    frame = pl.DataFrame({"what": list(rows), "count": list(rows.values())})
    count = Value("count", "Number", digits=0, sensitivity=patients.sensitivity)
    return Table(f"The data: {patients.name}", frame, {"what": ""}, {"count": count})


def all_tables(fitted: Fitted) -> dict[str, Table]:
    """All tables of the result, by name."""
    return {
        "overlap": _overlap(fitted),
        "balance": _balance(fitted),
        "subtypes": _subtypes(fitted),
        "effects": _effects(fitted),
        "tests": _tests(fitted),
        "calibration": _calibration(fitted),
        "rules": _rules(fitted),
        "saved": _saved(fitted),
    }


def _value(fitted: Fitted, kind, label, digits, denominator=None, **more) -> Value:
    sensitivity = fitted.patients.sensitivity
    return Value(kind, label, digits, denominator, sensitivity=sensitivity, **more)


def _count(fitted: Fitted, label="Patients", whole=()) -> Value:
    """A count of people who add up to all of them; with `whole` None, to nothing known."""
    return _value(fitted, "count", label, 0, parts_of=whole)


def _estimates(fitted, fit, label, digits=2):
    """Columns of estimates with their 95 % intervals, and their declarations."""
    low, high = fit.interval()
    columns = {"estimate": fit.estimate, "estimate_low": low, "estimate_high": high}
    values = {
        "estimate": _value(fitted, "model", label, digits, "n"),
        "estimate_low": _value(fitted, "model", "95 % from", digits, "n"),
        "estimate_high": _value(fitted, "model", "to", digits, "n"),
    }
    return columns, values


def _overlap(fitted: Fitted) -> Table:
    """How many patients with each therapy had which chance of the second."""
    band = np.digitize(fitted.scores.propensity, BANDS[1:-1])
    counts = np.array(
        [np.bincount(band[fitted.patients.treatment == a], minlength=10) for a in (0, 1)]
    )
    names = [f"{low:.1f} to {high:.1f}" for low, high in itertools.pairwise(BANDS)]
    frame = pl.DataFrame({"band": names, "first": counts[0], "second": counts[1]})
    first, second = fitted.patients.therapies
    values = {"first": _count(fitted, f"Given {first}"),
              "second": _count(fitted, f"Given {second}")}  # fmt: skip
    title = "Overlap: patients by their estimated chance of the second therapy"
    return Table(title, frame, {"band": "Chance"}, values)


def imbalance(fitted: Fitted) -> tuple[np.ndarray, np.ndarray]:
    """Standardised differences of all features, before and after weighting."""
    patients, second = fitted.patients, fitted.patients.treatment == 1
    before = [
        balance.difference_of_means(x[~second], x[second]) for x in patients.features.values()
    ]
    after = [
        heterogeneity.weighted_difference(x, patients.treatment, fitted.scores.propensity)
        for x in patients.features.values()
    ]
    return np.array(before), np.array(after)


def _balance(fitted: Fitted) -> Table:
    before, after = imbalance(fitted)
    frame = pl.DataFrame(
        {"feature": list(fitted.patients.features), "before": before, "after": after}
    ).with_columns(pl.col("before", "after").fill_nan(None), n=pl.lit(fitted.patients.n))
    values = {
        "before": _value(fitted, "model", "As treated, SD", 2, "n"),
        "after": _value(fitted, "model", "Weighted, SD", 2, "n"),
        "n": _count(fitted, whole=None),
    }
    title = "Balance: standardised differences at the start, second therapy minus first"
    return Table(title, frame, {"feature": "Known at the start"}, values)


def _subtypes(fitted: Fitted) -> Table:
    frame = pl.DataFrame(
        {
            "subtype": range(1, fitted.k + 1),
            "description": fitted.descriptions,
            "total": fitted.totals,
            "lean": fitted.lean,
            "first": fitted.cells[:, 0],
            "second": fitted.cells[:, 1],
            "n": fitted.cells.sum(axis=1),
        }
    )
    first, second = fitted.patients.therapies
    values = {
        "total": _value(fitted, "model", "Expected first PHQ-9 total", 1, "n"),
        "lean": _value(fitted, "model", "Somatic minus cognitive-affective, per item", 2, "n"),
        "first": _count(fitted, f"Given {first}"),
        "second": _count(fitted, f"Given {second}"),
        "n": _count(fitted),
    }
    keys = {"subtype": "Subtype", "description": "What it is like"}
    return Table("Subtypes at the first session, by severity", frame, keys, values)


def _effects(fitted: Fitted) -> Table:
    columns, values = _estimates(fitted, fitted.effects, "Difference of the last total, points")
    low, high = fitted.overall.interval()
    whole = {"estimate": fitted.overall.estimate, "estimate_low": low, "estimate_high": high}
    names = [f"{g + 1}: {what}" for g, what in enumerate(fitted.descriptions)]
    n = [*fitted.cells.sum(axis=1).tolist(), fitted.patients.n]
    frame = pl.DataFrame({"group": [*names, ALL]}).with_columns(
        *(pl.Series(name, np.append(x, whole[name])) for name, x in columns.items()),
        n=pl.Series(n),
    )
    if fitted.patients.truth is not None:
        frame = frame.with_columns(true=pl.Series(np.append(*true_effects(fitted))))
        values["true"] = _value(fitted, "model", "Planted", 2, "n")
    values["n"] = _count(fitted)
    title = "Effects by subtype: second therapy minus first; below zero favours the second"
    return Table(title, frame, {"group": "Subtype"}, values)


def true_effects(fitted: Fitted) -> tuple[np.ndarray, float]:
    """Planted effects of the simulated patients in each subtype, and of all."""
    effect = fitted.patients.truth.effect
    sums = np.bincount(fitted.subtype, weights=effect, minlength=fitted.k)
    return sums / fitted.cells.sum(axis=1), float(effect.mean())


def _tests(fitted: Fitted) -> Table:
    found = (fitted.by_subtype, fitted.beyond)
    frame = pl.DataFrame(
        {
            "test": ["the effect is the same in all subtypes",
                     "the effect depends on nothing beyond the subtype"],
            "statistic": [t.value for t in found],
            "df": [t.df for t in found],
            "p": [t.p for t in found],
            "adjusted": fitted.adjusted,
            "n": [fitted.patients.n] * 2,
        }
    )  # fmt: skip
    values = {
        "statistic": _value(fitted, "model", "Statistic", 2, "n"),
        "df": _value(fitted, "model", "Degrees of freedom", 0, "n"),
        "p": _value(fitted, "model", "p", 3, "n"),
        "adjusted": _value(fitted, "model", "p, adjusted for two tests", 3, "n"),
        "n": _count(fitted, whole=None),
    }
    return Table("Tests of the two hypotheses", frame, {"test": "Hypothesis"}, values)


def _calibration(fitted: Fitted) -> Table:
    found = fitted.calibration
    columns, values = _estimates(fitted, found.found, "Found, points")
    frame = pl.DataFrame({"group": range(1, GROUPS + 1), "predicted": found.predicted} | columns)
    frame = frame.with_columns(n=pl.Series(np.bincount(found.group, minlength=GROUPS)))
    values = {"predicted": _value(fitted, "model", "Predicted, points", 2, "n")} | values
    if fitted.patients.truth is not None:
        true = fitted.patients.truth.effect[fitted.scores.predicted]
        sums = np.bincount(found.group, weights=true, minlength=GROUPS)
        frame = frame.with_columns(true=pl.Series(sums) / pl.col("n"))
        values["true"] = _value(fitted, "model", "Planted", 2, "n")
    values["n"] = _count(fitted, whole=None)
    title = "Predicted advantages, by fifths: second therapy minus first"
    return Table(title, frame, {"group": "Fifth of patients"}, values)


def _rules(fitted: Fitted) -> Table:
    found = fitted.rules
    first, second = fitted.patients.therapies
    names = [RULES[name].format(first=first, second=second) for name in found.values]
    given = {
        "first": 0.0,
        "second": 1.0,
        "usual": fitted.patients.treatment[fitted.scores.predicted].mean(),
        "personal": found.chosen.mean(),
    }
    joint = _stacked(found.values)
    columns, values = _estimates(fitted, joint, "Mean last PHQ-9 total")
    frame = pl.DataFrame({"rule": names, "share": [given[name] for name in found.values]} | columns)
    frame = frame.with_columns(n=pl.lit(len(found.chosen)))
    values = {"share": _value(fitted, "model", f"Share given {second}", 2, "n")} | values
    if fitted.patients.truth is not None:
        frame = frame.with_columns(true=pl.Series(list(true_values(fitted).values())))
        values["true"] = _value(fitted, "model", "True", 2, "n")
    values["n"] = _count(fitted, whole=None)
    return Table("What rules of treatment are worth", frame, {"rule": "Everybody has …"}, values)


def true_values(fitted: Fitted) -> dict[str, float]:
    """True expected last total of the simulated patients under each rule."""
    valued = fitted.scores.predicted
    expected, everyone = fitted.patients.truth.expected[valued], np.arange(valued.sum())
    return {
        "first": float(expected[:, 0].mean()),
        "second": float(expected[:, 1].mean()),
        "usual": float(expected[everyone, fitted.patients.treatment[valued]].mean()),
        "personal": float(expected[everyone, fitted.rules.chosen].mean()),
    }


def _saved(fitted: Fitted) -> Table:
    found = fitted.rules.saved
    columns, values = _estimates(fitted, _stacked(found), "Points saved")
    frame = pl.DataFrame({"instead": [SAVED[name] for name in found]} | columns)
    frame = frame.with_columns(n=pl.lit(len(fitted.rules.chosen)))
    values["n"] = _count(fitted, whole=None)
    title = "What giving each patient the therapy predicted to be better saves"
    return Table(title, frame, {"instead": "Compared with"}, values)


def _stacked(fits: dict[str, heterogeneity.Fit]) -> heterogeneity.Fit:
    """Fits of one coefficient each as one, for their estimates and errors."""
    estimate = np.concatenate([fit.estimate for fit in fits.values()])
    variance = np.concatenate([fit.covariance[0] for fit in fits.values()])
    return heterogeneity.Fit(estimate, np.diag(variance), next(iter(fits.values())).n)
