"""Numbers, checks and sentences of `subtypes`. Sentences are templates filled after release."""

import numpy as np
from sklearn.metrics import adjusted_rand_score

from iesoresearch.analyses.subtypes.fitted import ITEM_NAMES, Fitted, item_scores
from iesoresearch.analyses.subtypes.fitting import MOST_RUNGS
from iesoresearch.results import Check, Number

SAME_MODE = 0.05  # nats below the best within which a start counts as having reached it
SMALL_STATE = 50  # expected people below which a state's profile is not to be trusted
OFTEN_BETTER = 0.1  # share of resamples in which random starts may beat the solution at hand
DEPENDENT = 0.05  # residual correlation; the project's own: a twentieth of a perfect one
ORACLE_SHARE = 0.9  # of the adjusted Rand index of the true parameters that recovery must reach

_COMPARED = (
    "The {n_states} states gain {gain} per person over a ladder of severity (95 % {gain_low} "
    "to {gain_high}) and lie {distance} off it on average ({distance_low} to {distance_high} over "
    "{n_splits} splits), the farthest {largest_distance}; items 1–2, 3–4 and 2–6 may depend on one "
    "another in both. Refitted to resamples from this solution, assignments agree to "
    "{resample_ari} ({resample_ari_low} to {resample_ari_high}). "
)
_VERDICTS = {
    "differs in kind": ("passed", _COMPARED + "They differ in kind."),
    "severity only": (
        "failed",
        _COMPARED + "They lie close to the ladder and predict hardly better: read them as steps of "
        "severity, not as subtypes. Kinds no farther off than 0.2 to 0.25 SD would be called so as "
        "well in two of five drawn cohorts of 2,000 people.",
    ),
    "inconclusive": (
        "inconclusive",
        _COMPARED + "To differ in kind they need a gain beyond chance and at least 0.2 SD; to be "
        "steps of severity less than 0.1 SD and surely no gain of note (0.045 nats per session; "
        "here {gain_per_session}), or a loss.",
    ),
    "not applicable": (
        "not applicable",
        "One or two states always lie on a line; the question needs at least three.",
    ),
}


def numbers(fitted: Fitted) -> dict[str, Number]:
    """The numbers that sentences quote and `verify` compares."""
    n, sensitivity = fitted.data.n_people, fitted.data.sensitivity
    model, found = fitted.model, fitted.severity.gain
    total = item_scores(model.item_probs_).sum(axis=1)
    reached = np.sum(model.starts_["log_likelihood"] > model.log_likelihood_ - SAME_MODE)

    def number(value, digits=0, unit="", kind="model"):
        return Number(value, n, unit, digits, kind, sensitivity)

    result = {
        "n_people": number(n, kind="count"),
        "n_left_out": number(fitted.data.sequences.n_without_answers, kind="count"),
        "n_later_referrals": number(fitted.data.sequences.n_later_referrals, kind="count"),
        "n_occasions": number(model.n_observations_, kind="count"),
        "n_states": number(fitted.chosen),
        "max_states": number(max(fitted.models)),
        "n_starts": number(len(model.starts_)),
        "starts_at_best": number(int(reached)),
        "log_likelihood": number(model.log_likelihood_, 1),
        "n_parameters": number(model.n_parameters_),
        "entropy": number(model.entropy_, 2),
        "gain": number(found.estimate, 3, "nats"),
        "gain_low": number(found.low, 3),
        "gain_high": number(found.high, 3),
        "rungs": number(fitted.severity.ladder.n_states),
        "distance": number(fitted.severity.distance, 2, "SD"),
        "distance_low": number(float(fitted.severity.split_distances.min()), 2),
        "distance_high": number(float(fitted.severity.split_distances.max()), 2),
        "n_splits": number(len(fitted.severity.split_distances)),
        "largest_distance": number(float(fitted.severity.state_distances.max()), 2, "SD"),
        "gain_per_session": number(found.estimate / fitted.severity.sessions, 3),
        **_stability(fitted, number),
        **_dependence(fitted, number),
        "verdict": number(fitted.verdict),
        "lowest_total": number(total[0], 1),
        "highest_total": number(total[-1], 1),
        "smallest_state": number(fitted.people_in_state.min(), kind="count"),
    }
    if fitted.data.weights is None:
        result["bic"] = number(model.bic_, 1)
    if not model.one_occasion_:
        result["moves_within"] = number(fitted.moves_within.share_of_changes, 2)
        result["moves_within_by_chance"] = number(fitted.moves_within.expected_of_changes, 2)
    pair = fitted.true_states()
    if pair is not None:
        result["ari"] = number(adjusted_rand_score(*pair), 2)
        result["oracle_ari"] = number(adjusted_rand_score(fitted.oracle_path(), pair[1]), 2)
    return result


def _dependence(fitted: Fitted, number) -> dict[str, Number]:
    """The pair of items that goes together most beyond the states."""
    found = fitted.quality.residuals
    place = int(np.nanargmax(np.abs(found.residual)))
    one, other = (ITEM_NAMES[i] for i in found.pairs[place])
    return {
        "largest_residual": number(float(found.residual[place]), 2),
        "largest_pair": number(f"{one} and {other}"),
    }


def _stability(fitted: Fitted, number) -> dict[str, Number]:
    """Agreement of assignments: in resamples, halves and with another method."""
    quality = fitted.quality
    low, high = np.quantile(quality.replicates.ari, [0.025, 0.975], method="weibull")
    return {
        "resample_ari": number(float(np.median(quality.replicates.ari)), 2),
        "resample_ari_low": number(float(low), 2),
        "resample_ari_high": number(float(high), 2),
        "halves_ari": number(float(np.median(quality.halves.ari)), 2),
        "halves_low": number(float(quality.halves.ari.min()), 2),
        "halves_high": number(float(quality.halves.ari.max()), 2),
        "fresh_ari": number(float(np.median(quality.replicates.fresh["ari"])), 2),
        "k_means_ari": number(float(quality.methods.ari[0, 1]), 2),
        "mixture_ari": number(float(quality.methods.ari[0, 2]), 2),
        "least_jaccard": number(float(np.nanmin(quality.replicates.mean_jaccard)), 2),
        "n_fresh": number(len(quality.replicates.fresh)),
        "n_fresh_better": number(int(quality.replicates.fresh["better"].sum())),
    }


def checks(fitted: Fitted) -> list[Check]:
    """Questions the analysis asks of itself."""
    found = numbers(fitted)
    kind, sentence = _VERDICTS[fitted.verdict]
    small = fitted.people_in_state.min() < SMALL_STATE
    return [
        Check("claim: the states differ in kind, not only in severity", kind, sentence),
        _starts(found),
        _convergence(fitted),
        _inside("states", found["n_states"].value, max(fitted.models), "Raise max_states."),
        _inside("rungs", found["rungs"].value, MOST_RUNGS, "The ladder might be a little better."),
        _degenerate(fitted),
        _stable(found),
        _independent(found),
        Check(
            "no state too small to describe",
            "failed" if small else "passed",
            f"The smallest state holds {{smallest_state}} expected people (at least {SMALL_STATE} "
            "are wanted).",
        ),
        _recovery(found),
    ]


def _starts(found: dict[str, Number]) -> Check:
    name = "best start reached more than once"
    if found["n_starts"].value == 1:
        return Check(name, "not applicable", "There was one start only; raise n_starts.")
    sentence = "{starts_at_best} of {n_starts} random starts ended within 0.05 nats of the best."
    return Check(name, "passed" if found["starts_at_best"].value > 1 else "failed", sentence)


def _degenerate(fitted: Fitted) -> Check:
    n = len(fitted.model.degeneracies_)
    return Check(
        "solution not degenerate",
        "inconclusive" if n else "passed",
        f"Signs of more states than the data tell apart: {n}. Looked for: states without people or "
        "alike, moves that never happen, answers of probability zero.",
    )


def _stable(found: dict[str, Number]) -> Check:
    """Thresholds of Hennig, as in `models.stability`."""
    least, better = found["least_jaccard"].value, found["n_fresh_better"].value
    often = better > OFTEN_BETTER * found["n_fresh"].value
    status = "failed" if least < 0.6 else "inconclusive" if often or least < 0.75 else "passed"
    return Check(
        "every state found again in resamples",
        status,
        "Refitted from this solution, the least stable state is found again with a mean Jaccard "
        "index of {least_jaccard} (0.75 and more is stable, below 0.6 not to be trusted). From "
        "random starts {n_fresh_better} of {n_fresh} resamples found something better (at most a "
        "tenth should); both agree to {fresh_ari}.",
    )


def _independent(found: dict[str, Number]) -> Check:
    dependent = abs(found["largest_residual"].value) >= DEPENDENT
    return Check(
        "items independent within states",
        "failed" if dependent else "passed",
        "The largest residual correlation of a pair of items is {largest_residual} "
        f"({{largest_pair}}); {DEPENDENT} and more is called dependent here.",
    )


def _convergence(fitted: Fitted) -> Check:
    models = [*fitted.models.values(), fitted.severity.states, fitted.severity.ladder]
    n = sum(not model.converged_ for model in models)
    sentence = f"{len(models) - n} of {len(models)} models converged."
    return Check("EM converged", "failed" if n else "passed", sentence)


def _inside(what: str, chosen: int, largest: int, advice: str) -> Check:
    inner = chosen < largest
    more = "" if inner else f" More might fit better. {advice}"
    return Check(
        f"number of {what} inside the range tried",
        "passed" if inner else "inconclusive",
        f"{chosen} {what}; the largest number tried was {largest}.{more}",
    )


def _recovery(found: dict[str, Number]) -> Check:
    name = "planted states recovered"
    if "ari" not in found:
        return Check(name, "not applicable", "The true states of real people are not known.")
    enough = found["ari"].value >= ORACLE_SHARE * found["oracle_ari"].value
    return Check(
        name,
        "passed" if enough else "failed",
        "Adjusted Rand index against the planted states {ari}; the true parameters themselves "
        "reach {oracle_ari}.",
    )


def text(fitted: Fitted) -> dict[str, str]:
    """Plain-language summary, how to read the results, and what they cannot say."""
    once = fitted.model.one_occasion_
    seen = "answered the PHQ-9 once" if once else "answered the PHQ-9 on {n_occasions} occasions"
    limits = [
        "The states describe answers to nine questions. They are no diagnoses, and nothing here "
        "says what causes them or which treatment suits them.",
        "How many states there are depends on the criterion, the sample and the items; a different "
        "number is no contradiction.",
        "Intervals come from refits that start at the estimate: they hold for this solution, not "
        "for the choice among solutions.",
    ]
    if once:
        limits.append(
            "With one occasion nobody is seen to change: a class may be a passing state or a "
            "lasting trait."
        )
    weighted = fitted.data.weights is not None
    who = _WHO["weighted" if weighted else fitted.data.sensitivity]
    plain = [f"{{n_people}} people {seen}.", who]
    plain += [_summarised(fitted), _PLAIN[fitted.verdict], _FOUND_AGAIN]
    if not once and fitted.moves_within.expected_of_changes < 1:  # there are several subtypes
        limits.append(_MOVES)
    better = [v.name for v in fitted.variants if v.bic < 0]
    if better:
        limits.append(f"By BIC the data prefer other assumptions: {', '.join(better)}; {_OTHERS}")
    return {
        "plain": " ".join(sentence for sentence in plain if sentence),
        "reading": "A state is a typical pattern of answers. States are numbered by their expected "
        "total score. If they were only steps on a ladder of severity, the lines of the item "
        "profile would lie above one another without crossing. The test against such a ladder "
        "({rungs} rungs with free positions and sizes) asks two things: does the model with states "
        "predict people it has not seen better, and how far from the ladder do the states lie? "
        "Items 1–2, 3–4 and 2–6 are known to go together whatever the severity, so both sides of "
        "the test may tie them; the states shown do not, and may differ for that reason alone. "
        f"{_GROUPED}"
        "The intervals of what stands out take the ladder as known. A gain of 0.05 nats per person "
        "makes the answers of a typical person 1.05 times as probable. "
        + _LEFT_OUT["survey" if fitted.data.sensitivity == "open" else "records"],
        "limits": " ".join(limits + _LIMITS["weighted" if weighted else fitted.data.sensitivity]),
    }


def _summarised(fitted: Fitted) -> str:
    if fitted.chosen == 1:
        return "They are described as one group, with an average total of {lowest_total} points."
    totals = "from an average total of {lowest_total} to one of {highest_total} points."
    if fitted.by_hand:
        return f"They are described in {{n_states}} groups, as was asked for, {totals}"
    if fitted.chosen == max(fitted.models):
        return (
            "Of the numbers of groups that were tried, the largest, {n_states}, describes their "
            f"answers best: {totals}"
        )
    return f"Their answers are best described by {{n_states}} groups, {totals}"


_LEFT_OUT = {
    "survey": "People without any answer are not in the data.",
    "records": "Left out: {n_left_out} people without any answer and {n_later_referrals} later "
    "referrals of the same people.",
}
_GROUPED = (
    "Subtypes: what is left of a state’s profile when the ladder’s at the same total is taken away "
    "is its kind; a state with less than 0.2 SD of it is typical, others are joined while no two "
    "of a subtype are 0.2 SD apart. The table shows what other thresholds would give. "
)
_FOUND_AGAIN = (
    "Fitted afresh to two halves of the people, the groups agree to {halves_ari} ({halves_low} to "
    "{halves_high} over {n_splits} splits; 1 is perfect, 0 is chance). Two other methods agree "
    "with them only to {k_means_ari} and {mixture_ari}."
)
_OTHERS = "the table says how little or much moves change by them."
_MOVES = (
    "Of the moves that change the state, a share of {moves_within} stays within a subtype; were "
    "moves independent it would be {moves_within_by_chance}."
)
_WHO = {
    "open": "They are a sample of the general population, unweighted, and not patients.",
    "weighted": "They are a sample of the general population, weighted to stand for it, and not "
    "patients.",
    "synthetic": "They were drawn by a program from states that are known.",
    "patient": "",
}

_PLAIN = {
    "differs in kind": "The groups differ in the kind of symptoms, not only in how many there are.",
    "severity only": "The groups are steps of severity: what tells them apart is how many symptoms "
    "there are, not which.",
    "inconclusive": "The groups differ somewhat in the kind of symptoms, and not only in how many "
    "there are, but not enough, or not surely enough, to call them different kinds.",
    "not applicable": "",
}

_LIMITS = {
    "open": [
        "The sample is unweighted and comes from a general population: these are not patients, "
        "and shares are not estimates for the country."
    ],
    "weighted": [
        "These are not patients. Weights make shares estimates for the population of the survey; "
        "with them there is no likelihood to penalise, so the number of states is the one that "
        "predicts people it has not seen best, and intervals come from resampled sampling units.",
    ],
    "synthetic": [
        "SIMULATED: the states were planted. Finding them shows that the method works and says "
        "nothing about patients."
    ],
    "patient": [
        "People who left early contribute the sessions they had; if leaving depends on the state "
        "beyond the answers given, moves towards recovery are misjudged."
    ],
}
