"""Numbers of `recovery_paths` that sentences quote and `verify` compares."""

import math

from iesoresearch.analyses.recovery_paths.fitted import (
    DETERIORATED,
    NEW_HARM,
    RANDOM,
    SHARED,
    Fitted,
)
from iesoresearch.analyses.recovery_paths.flags import BAND, CURRENT, MODEL
from iesoresearch.analyses.recovery_paths.signal_tables import EVER
from iesoresearch.disclosure import derived
from iesoresearch.models.evaluation.results import Estimate
from iesoresearch.results import Number

#: Rules by the names of their numbers.
SHORT = {MODEL: "model", BAND: "band", CURRENT: "current"}


def numbers(fitted: Fitted) -> dict[str, Number]:
    """All numbers, by name."""
    patients, params = fitted.patients, fitted.params
    upper, n_judged = (1 + params.band) / 2, len(fitted.flags.treated.y)
    found = {
        "n_patients": _count(fitted, patients.n),
        "n_fitted": _count(fitted, fitted.growth_data.n_patients),
        "n_judged": derived.number("rules", "n", value=n_judged, n=n_judged, when=EVER, rule=MODEL),
        "n_not_judged": _count(fitted, sum(fitted.flags.not_judged.values())),
        "n_therapists": _model(fitted, fitted.growth_data.n_therapists),
        "n_services": _model(fitted, fitted.growth_data.n_services),
        "n_sessions": _model(fitted, params.n_sessions),
        "outcome": _model(fitted, fitted.outcome),
        "first_scores": _model(fitted, _listed(params.first_scores)),
        "band": _model(fitted, 100 * params.band, 0, "%"),
        "upper": _model(fitted, 100 * upper, 0, "%"),
        "flag_below": _model(fitted, 100 * params.flag_below, 0, "%"),
        "n_classes": _model(fitted, fitted.classes.chosen.n_classes),
    }
    return found | _paths(fitted) | _rules(fitted) | _safety(fitted)


def _paths(fitted: Fitted) -> dict[str, Number]:
    """Where scores are expected to start and end, and how far they stray."""
    found = {}
    for way, c in fitted.curves.items():
        short = {RANDOM: "end", SHARED: "end_shared"}.get(way)
        if short:
            last = Estimate(c.mean[-1], c.low[-1], c.high[-1])
            found |= _estimate(fitted, short, last, 1)
    start = fitted.curves[RANDOM]
    found |= _estimate(fitted, "start", Estimate(start.mean[0], start.low[0], start.high[0]), 1)
    worst = list(fitted.curves.values())[-1]
    found["end_worst"] = _model(fitted, float(worst.mean[-1]), 1)
    found["delta_worst"] = _model(fitted, max(fitted.params.deltas), 0, "points")
    found["band_width"] = _model(fitted, fitted.band_width, 0)
    diagnosed = fitted.diagnosed.values()
    found["rhat"] = _model(fitted, max(float(d.r_hat.max()) for d in diagnosed), 2)
    found["divergences"] = _model(fitted, sum(d.divergences for d in diagnosed))
    if fitted.planted is not None:
        found |= _estimate(fitted, "planted", _ends(fitted.planted), 1)
    for landmark in fitted.coverage:
        found |= _rate(fitted, f"coverage_{landmark}", "coverage", landmark=landmark)
    return found


def covered(fitted: Fitted) -> str:
    """Template of the coverage of the band after each landmark."""
    return ", ".join(
        f"{{coverage_{s}}} (95 % {{coverage_{s}_low}} to {{coverage_{s}_high}}) after session {s}"
        for s in fitted.coverage
    )


def _ends(posterior) -> Estimate:
    return Estimate(posterior.x, posterior.x_low, posterior.x_high)


def _rules(fitted: Fitted) -> dict[str, Number]:
    """What the rules do over all landmarks, and at equal workload."""
    found = {}
    for rule, short in SHORT.items():
        measured = fitted.measured[rule].overall
        for name in ("share", "ppv", "missed"):
            found |= _rate(fitted, f"{short}_{name}", "rules", name, when=EVER, rule=rule)
        found |= _estimate(fitted, f"{short}_review", measured["ever_needed_to_review"], 2)
        found |= _estimate(fitted, f"{short}_lead", measured["lead_mean"], 1)
    for rule in (BAND, CURRENT):
        _, less = fitted.equal_work[rule]
        name = f"{SHORT[rule]}_ppv_less"
        found |= _estimate(fitted, name, _percent(less["ppv"]), 1)
    return found


def _safety(fitted: Fitted) -> dict[str, Number]:
    """Deterioration and thoughts of self-harm, and how many of them rules had flagged."""
    found = {}
    for signal, short in ((DETERIORATED, "deteriorated"), (NEW_HARM, "new_harm")):
        found |= _rate(fitted, short, "safety", signal=signal, group="overall", level="")
        found |= _rate(fitted, f"{short}_flagged", "safety_flags", signal=signal, rule=MODEL)
    return found


def _rate(fitted, name: str, table: str, column="rate", **keys) -> dict[str, Number]:
    """A share in per cent and the ends of its interval, as its table shows them."""
    return {
        f"{name}{end}": derived.number(
            table, f"{column}{end}", "" if end else "%", digits=0, scale=100.0,
            n=fitted.patients.n, **keys,
        )
        for end in ("", "_low", "_high")
    }  # fmt: skip


def _percent(estimate: Estimate) -> Estimate:
    return Estimate(100 * estimate.value, 100 * estimate.low, 100 * estimate.high, estimate.reason)


def _estimate(fitted, name: str, estimate, digits: int, unit="") -> dict[str, Number]:
    """A number and the ends of its interval."""
    ends = (estimate.value, estimate.low, estimate.high)
    return {
        f"{name}{end}": _model(fitted, float(value), digits, unit if not end else "")
        for end, value in zip(("", "_low", "_high"), ends, strict=True)
    }


def _listed(values) -> str:
    """Numbers as words: "12, 16 or 20"."""
    words = [str(v) for v in values]
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _model(fitted: Fitted, value, digits=0, unit="") -> Number:
    """A number about all patients; what is not estimable has no value."""
    if isinstance(value, float) and not math.isfinite(value):
        value = None
    return Number(value, fitted.patients.n, unit, digits, "model", fitted.sensitivity)


def _count(fitted: Fitted, value: int) -> Number:
    return Number(int(value), int(value), "", 0, "count", fitted.sensitivity)
