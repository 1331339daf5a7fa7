"""Tables of the growth model: the expected response, its band, and whether to believe in it."""

import numpy as np
import polars as pl

from iesoresearch.analyses.recovery_paths.columns import count, ends, interval, rate, types, value
from iesoresearch.analyses.recovery_paths.fitted import CASENESS, RANDOM, SHARED, Fitted
from iesoresearch.models.growth.estimator import Estimate
from iesoresearch.models.growth.shares import variance_shares
from iesoresearch.results import Table

SEEN = "scores that were seen"
_NORMAL = 1.959964  # standard errors from an estimate to the end of its interval
_UNITS = {
    "service": "services",
    "therapist": "therapists of a service",
    "patient": "patients of a therapist",
    "residual": "scores of a patient",
}

#: Priors that several parameters of drop-out share.
_HAZARDS = {
    "hazard by time and covariates": {"hazard by time": "hazard_time"},
    "hazard by patient level and rate": {
        "hazard by patient level": "hazard_level",
        "hazard by patient rate": "hazard_rate",
    },
}


def all_tables(fitted: Fitted) -> dict[str, Table]:
    """Tables of the growth model, by name."""
    return {
        "curve": curve(fitted),
        "expected": expected(fitted),
        "variance": variance(fitted),
        "leaving": leaving(fitted),
        "priors": priors(fitted),
        "sampling": sampling(fitted),
        "prior_check": prior_check(fitted),
        "predictive": predictive(fitted),
        "predictive_cases": predictive_cases(fitted),
        "coverage": coverage(fitted),
    }


def _table(fitted: Fitted, title: str, rows, keys, values, **key_types) -> Table:
    """A table about the patients of the growth model; ``n`` of them where a row does not say."""
    n = fitted.growth_data.n_patients
    values = values | {"n": count(fitted, whole=None)}
    frame = pl.DataFrame([{"n": n} | row for row in rows], schema=types(keys, values) | key_types)
    return Table(title, frame, keys, values)


def curve(fitted: Fitted) -> Table:
    """Mean curves under each assumption on drop-out, beside the scores that were seen."""
    rows = [
        {"way": way, "session": int(t), "mean": m, "mean_low": low, "mean_high": high}
        for way, c in fitted.curves.items()
        for t, m, low, high in zip(c.time, c.mean, c.low, c.high, strict=True)
    ]
    data = fitted.growth_data
    for j, t in enumerate(data.occasions):
        scores = data.score[data.occasion == j]
        mean, n = scores.mean() if len(scores) else None, len(scores)
        half = _NORMAL * scores.std(ddof=1) / np.sqrt(n) if n > 1 else None
        row = {"way": SEEN, "session": int(t), "mean": mean, "n": n}
        if half is not None:
            row |= {"mean_low": mean - half, "mean_high": mean + half}
        rows.append(row)
    keys = {"way": "Those who left", "session": "Session"}
    values = interval(fitted, "mean", "Mean PHQ-9, points", 1)
    return _table(fitted, "Expected response by session", rows, keys, values, session=pl.Int64)


def expected(fitted: Fitted) -> Table:
    """Expected scores of a new patient and the band around them, by first score."""
    params, rows = fitted.params, []
    times = np.arange(params.n_sessions + 1.0)[1:]
    for first in params.first_scores:
        found = fitted.expected(first, times)
        rows.append({"first": first, "session": 0, "mean": first, "lower": first, "upper": first})
        rows += [
            {"first": first, "session": int(t), "mean": m, "lower": low, "upper": high}
            for t, m, low, high in zip(times, found.mean, found.low, found.high, strict=True)
        ]
    keys = {"first": "First PHQ-9", "session": "Session"}
    values = {
        "mean": value(fitted, "Expected PHQ-9, points", 1, "n"),
        "lower": value(fitted, f"{params.band:.0%} band from", 1, "n"),
        "upper": value(fitted, "to", 1, "n"),
    }
    title = "Expected response of a new patient, by the first score"
    kinds = {"first": pl.Int64, "session": pl.Int64}
    return _table(fitted, title, rows, keys, values, **kinds)


def variance(fitted: Fitted) -> Table:
    """What scores differ by: services, therapists, patients, and from day to day."""
    fit = fitted.growth[RANDOM]
    shares, summary = variance_shares(fit), fit.summary()
    rows = []
    for what, label, found in (
        ("level", "a score at the first session", shares.level),
        ("rate", f"the change until session {fitted.params.n_sessions}", shares.rate),
    ):
        for unit, between in _UNITS.items():
            name = "residual_sd" if unit == "residual" else f"{unit}_{what}_sd"
            if unit in found and name in summary:
                row = {"what": label, "between": between}
                row |= ends("sd", summary[name]) | ends("share", found[unit])
                rows.append(row)
    many = {"parameters": len(summary)}
    values = interval(fitted, "sd", "SD, points", 1, **many)
    values |= interval(fitted, "share", "Share", 2, **many)
    keys = {"what": "Differences of", "between": "Between"}
    return _table(fitted, "What scores differ by (missing at random)", rows, keys, values)


def leaving(fitted: Fitted) -> Table:
    """How leaving depends on where a patient starts and which way the patient goes."""
    rows, n_parameters = [], 0
    if SHARED in fitted.growth:
        fit = fitted.growth[SHARED]
        n_parameters = len(fit.summary())
        for name, what in (
            ("hazard_level", "one SD of patients higher at the first score"),
            ("hazard_rate", "one SD of patients less of a fall"),
        ):
            odds = Estimate.of(np.exp(fit.flat(name)))
            rows.append({"what": what} | ends("odds", odds))
    values = interval(
        fitted, "odds", "Odds ratio of leaving after a session", 1, parameters=n_parameters
    )
    title = "Who leaves: shared-parameter model"
    return _table(fitted, title, rows, {"what": "Patient with"}, values)


def priors(fitted: Fitted) -> Table:
    """Priors, why, and what the data made of them."""
    fit = fitted.growth[RANDOM]
    found = fitted.growth.get(SHARED, fit).summary() | fit.summary()
    rows = []
    for prior in fit.priors.table():
        name = prior["parameter"]
        for shown, posterior in _HAZARDS.get(name, {name: name.replace(" ", "_")}).items():
            if posterior in found:
                rows.append(prior | {"parameter": shown} | ends("posterior", found[posterior]))
    keys = {"parameter": "Parameter", "prior": "Prior", "why": "Why"}
    values = interval(fitted, "posterior", "Posterior mean", 1)
    return _table(fitted, "Priors of the growth model, and what came of them", rows, keys, values)


def sampling(fitted: Fitted) -> Table:
    """Whether the chains can be relied on."""
    rows = [
        {
            "way": way,
            "rhat": float(found.r_hat.max()),
            "bulk": float(found.ess_bulk.min()) / fitted.growth[way].energy.size,
            "tail": float(found.ess_tail.min()) / fitted.growth[way].energy.size,
            "divergences": found.divergences,
            "bfmi": float(found.bfmi.min()),
            "draws": fitted.growth[way].energy.size,
        }
        for way, found in fitted.diagnosed.items()
    ]
    values = {
        "rhat": value(fitted, "Largest R-hat", 2),
        "bulk": value(fitted, "Least ESS, bulk, per draw", 1),
        "tail": value(fitted, "Least ESS, tails, per draw", 1),
        "divergences": value(fitted, "Divergences", 0),
        "bfmi": value(fitted, "Least BFMI", 1),
        "draws": value(fitted, "Draws", 0),
    }
    return _table(fitted, "Sampling", rows, {"way": "Those who left"}, values)


def prior_check(fitted: Fitted) -> Table:
    """What the priors let expect of scores before any was seen."""
    found = fitted.prior_check
    rows = [
        {"what": "mean", "observed": found.observed_mean, "drawn": found.mean,
         "drawn_low": found.mean_low, "drawn_high": found.mean_high},
        {"what": "standard deviation", "observed": found.observed_sd, "drawn": found.sd,
         "drawn_low": found.sd_low, "drawn_high": found.sd_high},
    ]  # fmt: skip
    values = {
        "observed": value(fitted, "Seen, points", 1, "n"),
        **interval(fitted, "drawn", "Drawn from the priors, points", 0),
    }
    title = "Prior predictive check: scores that the priors let expect"
    return _table(fitted, title, rows, {"what": "Of all scores"}, values)


def predictive(fitted: Fitted) -> Table:
    """Mean and SD of scores beside those that the model would give to the same patients."""
    found = fitted.posterior_check
    rows = [
        {"what": what} | row
        for what, part in (("mean", found.mean), ("SD", found.sd))
        for row in _replicated(fitted, part)
    ]
    title = "Posterior predictive check: scores seen and replicated (missing at random)"
    values = _seen(fitted, "points", 1)
    keys = {"what": "Of scores", "session": "Session"}
    return _table(fitted, title, rows, keys, values, session=pl.Int64)


def predictive_cases(fitted: Fitted) -> Table:
    """Share at caseness beside that among replicated scores."""
    rows = _replicated(fitted, fitted.posterior_check.caseness, 100.0)
    title = f"Posterior predictive check: scores of {CASENESS} and above"
    values = _seen(fitted, "%", 0)
    return _table(fitted, title, rows, {"session": "Session"}, values, session=pl.Int64)


def _seen(fitted: Fitted, unit: str, digits: int) -> dict:
    return {
        "observed": value(fitted, f"Seen, {unit}", digits, "n"),
        **interval(fitted, "drawn", f"Replicated, {unit}", digits),
    }


def _replicated(fitted: Fitted, part, factor: float = 1.0) -> list[dict]:
    """A statistic by session, seen and replicated, times `factor`."""
    check = fitted.posterior_check
    columns = zip(part.observed, part.x, part.x_low, part.x_high, strict=True)
    return [
        {"session": int(session), "n": int(n), "observed": factor * seen, "drawn": factor * x,
         "drawn_low": factor * low, "drawn_high": factor * high}
        for session, n, (seen, x, low, high) in zip(
            check.occasions, check.n, columns, strict=True
        )
    ]  # fmt: skip


def coverage(fitted: Fitted) -> Table:
    """How many scores of patients it was not fitted to lie within the band."""
    n = dict(fitted.flags.rows["landmark"].value_counts().rows())
    rows = [
        {"landmark": s, "n": n[s], "inside": round(share * n[s]), "rate": share, "rate_low": low,
         "rate_high": high}
        for s, (low, share, high) in fitted.coverage.items()
    ]  # fmt: skip
    band = f"Within the {fitted.params.band:.0%} band"
    values = {
        "n": count(fitted, whole=None),
        "inside": count(fitted, band, None, within="n", follows="n"),
        **rate(fitted, "rate", "Share", "n", follows="inside"),
    }
    keys = {"landmark": "After session"}
    frame = pl.DataFrame(rows, schema=types(keys, values) | {"landmark": pl.Int64})
    return Table("Coverage of the band on patients it was not fitted to", frame, keys, values)
