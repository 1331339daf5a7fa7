"""Questions that `waiting_effect` asks of itself."""

from iesoresearch.analyses._chains import chains
from iesoresearch.analyses.waiting_effect.cases import CASES, WAITING
from iesoresearch.analyses.waiting_effect.fitted import Fitted
from iesoresearch.analyses.waiting_effect.words import farthest
from iesoresearch.models.evidence_synthesis import Predicted
from iesoresearch.results import Check

AGREE = 0.5  # standard errors by which priors may move a mean


def checks(fitted: Fitted) -> list[Check]:
    """All checks, those of the sampler first."""
    return [
        chains(fitted.diagnostics),
        _file(fitted),
        _planted(fitted),
        _prior(fitted),
        _posterior(fitted, "base", "a model in which small trials are like large ones fits"),
        _posterior(fitted, "limit_error", "a model in which effects rise with SE fits"),
        _agree(fitted),
        _better(fitted),
        _small(fitted),
    ]


def _file(fitted: Fitted) -> Check:
    name = "the table of trials is the one that was described"
    if fitted.evidence.simulated:
        return Check(name, "not applicable", "The trials were drawn.")
    if fitted.evidence.trials.is_the_known:
        return Check(name, "passed", "The SHA-256 of the file is the one on record.")
    return Check(name, "failed", "The SHA-256 of the file is not the one on record: another table.")


def outside(fitted: Fitted) -> list[str]:
    """What was planted and is not in its 95 % interval."""
    params, coefficients = fitted.params, fitted.coefficients["limit_error"]
    found = coefficients | {
        name: fitted.posteriors["limit_error"].summary()[name] for name in ("between", "within")
    }
    truth = {
        "mean": params.planted_mean,
        "small_study": params.planted_rise,
        "between": params.planted_between,
        "within": params.planted_within,
    }
    return [n for n, x in truth.items() if not found[n].x_low <= x <= found[n].x_high]


def _planted(fitted: Fitted) -> Check:
    name = "what was planted is found"
    if not fitted.evidence.simulated:
        return Check(name, "not applicable", "The truth of published trials is not known.")
    missed = outside(fitted)
    sentence = (
        "The 95 % interval of the limit at SE 0 is {limit_error_low} to {limit_error_high}, "
        f"planted was {fitted.params.planted_mean:g}; of the rise {{rise_low}} to {{rise_high}}, "
        f"planted {fitted.params.planted_rise:g}. "
    )
    if missed:
        return Check(name, "failed", f"{sentence}Not in their intervals: {', '.join(missed)}.")
    return Check(name, "passed", f"{sentence}Both standard deviations are in theirs, too.")


def _told(found: tuple[Predicted, ...]) -> tuple[bool, str]:
    bad = [check.name for check in found if not check.inside]
    if bad:
        return False, f"Outside the central 95 % of what is drawn: {', '.join(bad)}."
    return True, f"All {len(found)} statistics are in the central 95 % of what is drawn."


def _prior(fitted: Fitted) -> Check:
    good, sentence = _told(fitted.before)
    return Check("the priors allow such effects", "passed" if good else "failed", sentence)


def _posterior(fitted: Fitted, case: str, name: str) -> Check:
    good, sentence = _told(fitted.after[case])
    return Check(name, "passed" if good else "failed", sentence)


def _agree(fitted: Fitted) -> Check:
    good = farthest(fitted) <= AGREE
    return Check(
        "restricted maximum likelihood finds the same",
        "passed" if good else "failed",
        f"Of {len(CASES)} means, the farthest from that of restricted maximum likelihood, which "
        f"has no priors, is {{farthest}} of its standard errors away (at most {AGREE:g}).",
    )


def _better(fitted: Fitted) -> Check:
    open_cases = [
        case.label
        for case in CASES
        if case.control == WAITING and fitted.mean(case.name).x_low <= 0
    ]
    name = "claim: therapy does better than a waiting list, whichever trials are used"
    if not open_cases:
        return Check(name, "passed", "No interval of the means holds zero.")
    return Check(
        name,
        "inconclusive",
        f"The interval holds zero for: {'; '.join(open_cases)}. For all others it does not.",
    )


def _small(fitted: Fitted) -> Check:
    rises = fitted.coefficients["limit_error"]["small_study"].x_low > 0
    return Check(
        "claim: small trials report larger effects than large ones",
        "passed" if rises else "inconclusive",
        "Against a waiting list g rises by {rise} (95 % {rise_low} to {rise_high}) per unit of the "
        "standard error.",
    )
