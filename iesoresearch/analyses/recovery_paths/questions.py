"""Questions that `recovery_paths` asks of itself. Sentences are filled after release."""

from iesoresearch.analyses.recovery_paths.class_tables import ambiguous
from iesoresearch.analyses.recovery_paths.fitted import RANDOM, SHARED, Fitted
from iesoresearch.analyses.recovery_paths.flags import BAND, CURRENT, MODEL, RULES
from iesoresearch.analyses.recovery_paths.numbers import SHORT, covered
from iesoresearch.results import Check

#: Points of the PHQ-9 by which two ways may differ without mattering: the least reduction that
#: patients notice (Kounali et al. 2022, doi:10.1017/S0033291720003700).
MARGIN = 1.7
NEAR = 0.05  # by which the coverage of the band may differ from its level


def checks(fitted: Fitted) -> list[Check]:
    """All questions, with their answers."""
    return [
        _converged(fitted),
        _priors(fitted),
        _replicated(fitted),
        _drop_out(fitted),
        _coverage(fitted),
        _planted(fitted),
        _classes(fitted),
        *(_finds(fitted, rule) for rule in RULES),
        _beats(fitted, BAND),
        _beats(fitted, CURRENT),
    ]


def _converged(fitted: Fitted) -> Check:
    failures = [f"{way}: {text}" for way, d in fitted.diagnosed.items() for text in d.failures()]
    sentence = "Largest R-hat {rhat}, {divergences} divergences."
    status = "failed" if failures else "passed"
    return Check("the chains of the growth models converged", status,
                 " ".join([sentence, *failures]))  # fmt: skip


def _priors(fitted: Fitted) -> Check:
    name = "the priors let expect such scores"
    if fitted.prior_check.passed:
        sentence = "Mean and SD of the scores seen are nothing unusual under the priors."
        return Check(name, "passed", sentence)
    return Check(name, "failed", "Scores drawn from the priors are unlike those seen.")


def _replicated(fitted: Fitted) -> Check:
    name = "the growth model gives such scores"
    found = fitted.posterior_check
    parts = {"mean": found.mean, "SD": found.sd, "share at caseness": found.caseness}
    off = {
        what: [f"{t:g}" for t, ok in zip(found.occasions, part.inside, strict=True) if not ok]
        for what, part in parts.items()
    }
    said = [f"{what} at session {', '.join(times)}" for what, times in off.items() if times]
    if not said:
        sentence = "Mean, SD and share at caseness of the scores seen are at every session within "
        return Check(name, "passed", sentence + "95 % of those of replicated scores.")
    sentence = f"Outside 95 % of those of replicated scores: {'; '.join(said)}."
    return Check(name, "failed", sentence)


def _drop_out(fitted: Fitted) -> Check:
    name = "what is assumed of those who left hardly matters"
    if SHARED not in fitted.growth:
        return Check(name, "not applicable", "How treatment ended is not recorded.")
    apart = abs(fitted.curves[SHARED].mean[-1] - fitted.curves[RANDOM].mean[-1])
    worst = abs(list(fitted.curves.values())[-1].mean[-1] - fitted.curves[RANDOM].mean[-1])
    status = "passed" if max(apart, worst) < MARGIN else "failed"
    sentence = (
        "At the last session {end} if missing at random, {end_shared} by the shared-parameter "
        "model, {end_worst} if those who left are {delta_worst} worse; less than "
        f"{MARGIN} points apart is wanted."
    )
    return Check(name, status, sentence)


def _coverage(fitted: Fitted) -> Check:
    level = fitted.params.band
    near = [low - NEAR <= level <= high + NEAR for low, _, high in fitted.coverage.values()]
    sentence = (
        f"Of the scores of patients it was not fitted to, {covered(fitted)} lie within the "
        f"{{band}} band; its level must be within the interval, give or take {100 * NEAR:.0f} "
        "points."
    )
    name = "the band holds on patients it was not fitted to"
    return Check(name, "passed" if all(near) else "failed", sentence)


def _planted(fitted: Fitted) -> Check:
    name = "planted therapists are told apart"
    if fitted.planted is None:
        return Check(name, "not applicable", "What is true of therapists here is not known.")
    status = (
        "passed" if fitted.planted.x_low > 0
        else "failed" if fitted.planted.x_high < 0 else "inconclusive"
    )  # fmt: skip
    sentence = (
        "Correlation of the fitted with the planted therapist effects {planted} (95 % "
        "{planted_low} to {planted_high}). They are planted in the chance of getting better from "
        "one session to the next, not in points, so their size cannot be compared."
    )
    return Check(name, status, sentence)


def _classes(fitted: Fitted) -> Check:
    name = "the number of classes is settled"
    chosen = fitted.classes.chosen
    if chosen.n_best_ < 2 and chosen.n_classes > 1:
        sentence = (
            "Only one start of {n_classes} classes found the best solution: take more starts."
        )
        return Check(name, "inconclusive", sentence)
    if ambiguous(fitted):
        sentence = "BIC falls up to {n_classes} classes, the most that were tried, so their number "
        return Check(name, "inconclusive", sentence + "is a choice, not a finding.")
    return Check(name, "passed", "BIC is lowest with {n_classes} classes; more were tried.")


def _finds(fitted: Fitted, rule: str) -> Check:
    measured, short = fitted.measured[rule].overall, SHORT[rule]
    hits, misses = measured["ever_ppv"], measured["false_reassurance"]
    status = (
        "passed" if hits.low > misses.high
        else "failed" if hits.high < misses.low else "inconclusive"
    )  # fmt: skip
    sentence = (
        f"{{{short}_share}} of {{n_judged}} patients are ever flagged; of those {{{short}_ppv}} "
        f"(95 % {{{short}_ppv_low}} to {{{short}_ppv_high}}) missed {{outcome}}, of the others "
        f"{{{short}_missed}} (95 % {{{short}_missed_low}} to {{{short}_missed_high}})."
    )
    return Check(f"claim: flags of the {rule} tell who misses it", status, sentence)


def _beats(fitted: Fitted, rule: str) -> Check:
    less = fitted.equal_work[rule][1]["ppv"]
    status = "passed" if less.high < 0 else "failed" if less.low > 0 else "inconclusive"
    short = SHORT[rule]
    sentence = (
        f"Share of flags before a missed {{outcome}}, {rule} minus {MODEL}, with as many flags: "
        f"{{{short}_ppv_less}} percentage points (95 % {{{short}_ppv_less_low}} to "
        f"{{{short}_ppv_less_high}}); below zero favours the {MODEL}."
    )
    return Check(f"claim: the {MODEL} finds more than the {rule}", status, sentence)
