"""Numbers, checks and sentences of `subtypes_transfer`: templates filled after release."""

import numpy as np

from iesoresearch.analyses.subtypes_transfer.fitted import CERTAIN, LOSS_TOLERATED, Fitted
from iesoresearch.models import LatentMarkov
from iesoresearch.models.selection import DISTANCE_IN_KIND
from iesoresearch.results import Check, FigureSpec, Number

SAME_MODE = 0.05  # nats below the best within which a start counts as having reached it

FIGURES = {
    "item_profiles": FigureSpec(
        table="item_profiles",
        title="Item profiles, fitted and refitted",
        caption="Expected score of every PHQ-9 item in each state: filled markers and solid lines "
        "as fitted (n = {n_fit} people), open markers and dashed lines as refitted in the new "
        "sample (n = {n_new}), matched by optimal assignment; 95 % bootstrap intervals. Profiles "
        "that hold lie on top of each other.",
    ),
    "class_shares": FigureSpec(
        table="class_shares",
        title="Class shares in both samples",
        caption="Share of people in each state in the fitted sample (n = {n_fit} people) and in "
        "the new one (n = {n_new}), there once with the profiles carried over and once with those "
        "refitted; 95 % bootstrap intervals. Unweighted.",
    ),
}

_HOLD = (
    "Compared with a refit in the new sample, the {n_states} states carried over predict new "
    "people worse by {loss} per person (95 % {loss_low} to {loss_high}; below zero they predict "
    f"better, up to {LOSS_TOLERATED:g} is tolerated). Matched profiles lie {{distance}} apart "
    f"beyond chance ({{distance_low}} to {{distance_high}}; less than {DISTANCE_IN_KIND:g} is "
    "wanted)."
)
_RULE = {
    "passed": " Both intervals lie inside: the states hold.",
    "failed": " At least one interval lies outside as a whole: the states do not hold.",
    "inconclusive": " One of these intervals holds its limit, so these people do not decide it.",
}


def numbers(fitted: Fitted) -> dict[str, Number]:
    """The numbers that sentences quote and `verify` compares."""
    data, far = fitted.data, fitted.distances
    n_fit, n_new = len(data.fit_items), len(data.new_items)
    moved = fitted.new_shares - fitted.carried.shares
    unsure = fitted.uncertain.row(1, named=True)

    def number(value, digits=0, unit="", kind="model"):
        return Number(value, n_new, unit, digits, kind, data.sensitivity)

    return {
        "n_fit": number(n_fit, kind="count"),
        "n_new": number(n_new, kind="count"),
        "n_states": number(fitted.chosen),
        "max_states": number(max(fitted.models)),
        "n_starts": number(len(fitted.model.starts_)),
        "starts_at_best": number(_reached(fitted.model)),
        "refit_starts_at_best": number(_reached(fitted.refit)),
        "log_likelihood": number(fitted.new_scores.mean(), 3, "nats"),
        "loss": number(fitted.loss.estimate, 3, "nats"),
        "loss_low": number(fitted.loss.low, 3),
        "loss_high": number(fitted.loss.high, 3),
        "rungs": number(fitted.rungs),
        "lead": number(fitted.lead.estimate, 3, "nats"),
        "lead_low": number(fitted.lead.low, 3),
        "lead_high": number(fitted.lead.high, 3),
        "raw_distance": number(float(far.raw[-1]), 2, "SD"),
        "chance_distance": number(float(far.chance[-1]), 2, "SD"),
        "distance": number(float(far.beyond[-1]), 2, "SD"),
        "distance_low": number(float(far.low[-1]), 2),
        "distance_high": number(float(far.high[-1]), 2),
        "most_moved": number(100 * float(np.abs(moved).max()), 1),
        "uncertain": number(100 * unsure["rate"], 1, "%"),
        "uncertain_low": number(100 * unsure["low"], 1),
        "uncertain_high": number(100 * unsure["high"], 1),
        "verdict": number(fitted.verdict),
    }


def _reached(model: LatentMarkov) -> int:
    """Random starts that ended as high as the best."""
    starts = model.starts_["log_likelihood"]
    return int(np.sum(starts > starts.max() - SAME_MODE))


def checks(fitted: Fitted) -> list[Check]:
    """Questions the analysis asks of itself."""
    return [
        Check("the states hold in the new sample", fitted.verdict, _HOLD + _RULE[fitted.verdict]),
        _beats_the_ladder(fitted),
        _starts(fitted),
        _convergence(fitted),
        _inside(fitted),
    ]


def _beats_the_ladder(fitted: Fitted) -> Check:
    name = "claim: carried over, the states predict better than a ladder of severity"
    if fitted.chosen < 3:
        return Check(
            name, "not applicable", "One or two states always lie on a line; three are needed."
        )
    status = "inconclusive"
    if fitted.lead.low > 0:
        status = "passed"
    elif fitted.lead.high < 0:
        status = "failed"
    return Check(
        name,
        status,
        "In the new sample the states gain {lead} per person over the ladder of the fitted sample "
        "(95 % {lead_low} to {lead_high}), of the ladders tried the one that does best there.",
    )


def _starts(fitted: Fitted) -> Check:
    name = "best start reached more than once"
    if len(fitted.model.starts_) == 1:
        return Check(name, "not applicable", "There was one start only; raise n_starts.")
    fine = min(_reached(fitted.model), _reached(fitted.refit)) > 1
    sentence = (
        "Of {n_starts} random starts {starts_at_best} ended within 0.05 nats of the best in the "
        "fitted sample, {refit_starts_at_best} in the new one."
    )
    return Check(name, "passed" if fine else "failed", sentence)


def _convergence(fitted: Fitted) -> Check:
    models = [*fitted.models.values(), *fitted.ladders.values(), fitted.refit]
    n = sum(not model.converged_ for model in models)
    sentence = f"{len(models) - n} of {len(models)} models and ladders converged."
    return Check("EM converged", "failed" if n else "passed", sentence)


def _inside(fitted: Fitted) -> Check:
    inner = fitted.chosen < max(fitted.models)
    more = "" if inner else " More might fit better. Raise max_states."
    return Check(
        "number of states inside the range tried",
        "passed" if inner else "inconclusive",
        f"{{n_states}} states; the largest number tried was {{max_states}}.{more}",
    )


def text(fitted: Fitted) -> dict[str, str]:
    """Plain-language summary, how to read the results, and what they cannot say."""
    data = fitted.data
    if data.halved:
        samples = (
            f"The people of {data.new_name} were split at random into halves: "
            f"{'one is' if data.fit_name == data.new_name else 'one, with the other cycles, is'} "
            "fitted, the other assigned."
        )
    else:
        samples = f"States were fitted in {data.fit_name} and assigned in {data.new_name}."
    limits = [
        "Both samples are unweighted and come from a general population: these are not patients, "
        "and shares are not estimates for the country.",
        "Everybody was seen once, so nothing here speaks about moves between states.",
        "Intervals take people as drawn one by one; in truth they were drawn in clusters, so that "
        "the intervals are somewhat too narrow.",
        "States that hold in another sample of the same survey are not thereby kinds of illness.",
    ]
    if data.halved:
        limits.insert(
            0,
            "Random halves of one cycle differ by chance only: this shows how far chance goes, and "
            "says nothing about other people or years.",
        )
    plain = [
        samples,
        "{n_fit} people were fitted and {n_new} assigned.",
        _PLAIN[fitted.verdict],
        "For {uncertain} of the new people ({uncertain_low} to {uncertain_high}) no state has a "
        f"probability of at least {CERTAIN:g}: their answer is uncertain.",
    ]
    return {
        "plain": " ".join(plain),
        "reading": "The states are carried over unchanged, sizes of the classes included. They are "
        "compared on the new people with states fitted to those people themselves, each person "
        "being scored by a fit that left her out, and with the severity ladder of the fitted "
        "sample that does best on the new one. Class shares of the new sample are estimated anew "
        "with the profiles as they were; the share that moved most moved by {most_moved} points of "
        "100. Two samples of one population lie apart by chance, here by about {chance_distance}: "
        "what counts is the distance beyond it.",
        "limits": " ".join(limits),
    }


_PLAIN = {
    "passed": "The groups found in the first sample are found again in the second.",
    "failed": "The groups found in the first sample are not those of the second.",
    "inconclusive": "Whether the groups found in the first sample are those of the second cannot "
    "be said with so few people.",
}
