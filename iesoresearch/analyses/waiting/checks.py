"""Questions that `waiting` asks of itself; the claim under test is none: it may be untrue."""

from dataclasses import replace

import numpy as np

from iesoresearch.analyses.waiting import catarino
from iesoresearch.analyses.waiting.computed import Computed, model_of
from iesoresearch.analyses.waiting.england import FIRST
from iesoresearch.analyses.waiting.perspectives import Perspective, verdict
from iesoresearch.analyses.waiting.queue_checked import queue_checks
from iesoresearch.analyses.waiting.sentence import chance, components, headline
from iesoresearch.analyses.waiting.whole import Whole
from iesoresearch.models.waiting import as_cohort_model
from iesoresearch.results import Check, Number, Table

COMPARED = 3  # draws that go through the general engine as well
EQUAL = 1e-9  # relative
SURE = 3.0  # standard errors
_OF_QUEUE = {
    "queue_conserves": "queue: nobody is lost",
    "queue_events": "queue: the recursion is a simulation of events",
    "queue_fluid": "queue: a large service flows as its mean",
    "queue_fits": "queue: the service has the published waits",
    "queue_steady": "queue: replications are enough",
}


def checks(whole: Whole, tables: dict[str, Table], numbers: dict[str, Number]) -> list[Check]:
    """What the answer rests on, those of the queue last; the answer itself is none of them."""
    computed = whole.computed
    return [
        _spread(computed),
        _savings(computed),
        _scenarios(whole),
        _engine(computed),
        _nothing(computed),
        _printed(tables),
        whole.validity.check(),
        _information(whole),
        _monte_carlo(computed),
        *(replace(c, name=_OF_QUEUE[c.name]) for c in queue_checks(whole.queues, numbers)),
    ]


def tag(perspective: Perspective) -> str:
    """Short name of what is counted."""
    if len(perspective.parts) == 3:
        return "all"
    return perspective.parts[-1]


def _all_verdicts(computed: Computed, cost) -> list[str]:
    """Verdicts of every severity and headline perspective; `cost(one, perspective)` is (D, S)."""
    params = computed.params
    return [
        verdict(p, params)
        for one in computed.base.values()
        for perspective in headline(one)
        for p in (cost(one, perspective) > params.far_more * one.course).mean(0)
    ]


def _usual_verdicts(computed: Computed) -> list[str]:
    wait = computed.waits[0]
    return _all_verdicts(computed, lambda one, perspective: one.cost(perspective, wait))


def _same(name: str, other: list[str], computed: Computed, sentence: str) -> Check:
    """Passed where no verdict of any severity changes."""
    moved = sum(a != b for a, b in zip(_usual_verdicts(computed), other, strict=True))
    told = "No verdict changes." if not moved else f"{moved} of {len(other)} verdicts change."
    return Check(name, "failed" if moved else "passed", f"{sentence} {told}")


def _spread(computed: Computed) -> Check:
    """The published waits instead of their mean."""
    england = computed.data.england
    weeks = np.array([round(w) for w in england.weeks.values()])
    other = _all_verdicts(
        computed,
        lambda one, perspective: one.by_week(perspective)[:, :, weeks] @ england.shares(FIRST),
    )
    sentence = "The cost of all first waits as they are distributed, instead of the mean wait."
    return _same("the mean wait stands for all waits", other, computed, sentence)


def _savings(computed: Computed) -> Check:
    """Without what is saved on courses that are never begun."""

    def cost(one, perspective):
        courses = components(one)["courses"][:, :, computed.waits[0].weeks]
        return one.cost(perspective, computed.waits[0]) - courses

    sentence = (
        "Who leaves the list or recovers on it is given no course, which saves cash; left out, "
        "only other care, work and health count."
    )
    name = "courses that are never begun decide nothing"
    return _same(name, _all_verdicts(computed, cost), computed, sentence)


def far_chances(whole: Whole, weeks: int) -> list[float]:
    """By scenario and instrument, that a wait costs far more than a course, all parts counted."""
    computed, found = whole.computed, []
    for case in whole.scenarios.cases:
        one, outcome = computed.base[case.condition], case.outcome
        at = int(np.searchsorted(outcome.waits, weeks))
        for instrument in outcome.qaly:
            cost = headline(one)[-1].total(outcome, instrument)[:, one.place]
            course = computed.params.far_more * outcome.course[:, one.place]
            found.append(float((cost[:, at] - cost[:, 0] > course).mean()))
    return found


def _scenarios(whole: Whole) -> Check:
    """Whether another assumption makes the claim come out otherwise at the mean first wait."""
    computed = whole.computed
    base = {
        verdict(chance(one, headline(one)[-1], computed.waits[0], computed.params.far_more)[place],
                computed.params)
        for one in computed.base.values()
        for place in [one.place]
    }  # fmt: skip
    seen = {verdict(p, computed.params) for p in far_chances(whole, computed.waits[0].weeks)}
    return Check(
        "other assumptions do not change the answer",
        "passed" if seen == base else "failed",
        "In {n_scenarios} cases of other assumptions, all parts counted, the chance that {typical} "
        "weeks cost more than {far_more} courses is from {scenario_typical_low} to "
        "{scenario_typical_high}; that 18 weeks do, from {scenario_standard_low} to "
        "{scenario_standard_high}.",
    )


def _engine(computed: Computed) -> Check:
    """The fast evaluation beside the general cohort engine, and its occupancy."""
    apart, unit = 0.0, 0.0
    for one in computed.base.values():
        model = model_of(one.condition, computed.params)
        for draw in range(COMPARED):
            for wait in (0, computed.waits[0].weeks):
                cohort = as_cohort_model(model, one.draws, draw, wait)
                totals = cohort.totals()
                unit = max(unit, float(np.abs(cohort.trace().sum(-1) - 1).max()))
                pairs = {"background": one.outcome.background, "therapy": one.outcome.therapy}
                for name, fast in (pairs | one.outcome.qaly).items():
                    place = int(np.searchsorted(one.outcome.waits, wait))
                    difference = np.abs(totals[name][0] / fast[draw, :, place] - 1).max()
                    apart = max(apart, float(difference))
    return Check(
        "the fast evaluation is that of the general engine",
        "passed" if max(apart, unit) < EQUAL else "failed",
        f"{COMPARED} draws of both conditions at waits of 0 and {{typical}} weeks differ by less "
        f"than {EQUAL:g} of their size, and membership of states sums to one within as much."
        if max(apart, unit) < EQUAL
        else f"They differ by {apart:.1g} of their size; membership sums to one within {unit:.1g}.",
    )


def _nothing(computed: Computed) -> Check:
    """Waiting zero weeks costs nothing, and the parts of the cost add up."""
    none = all(
        not draws[:, :, 0].any()
        for one in computed.base.values()
        for draws in components(one).values()
    )
    sums = all(_adds_up(one) for one in computed.base.values())
    return Check(
        "no wait costs nothing, and the parts add up",
        "passed" if none and sums else "failed",
        "At 0 weeks every part is zero in every draw; care besides therapy and therapy make NHS "
        "cash, and cash, work and health make the whole."
        if none and sums
        else "A part is not zero at 0 weeks, or the parts do not make the whole.",
    )


def _adds_up(one) -> bool:
    parts = components(one)
    whole = headline(one)[-1]
    added = parts["cash"] + parts["health"] + (parts["work"] if one.has_work else 0.0)
    cash = np.allclose(parts["care"] + parts["courses"], parts["cash"], atol=1e-6)
    return cash and np.allclose(added, one.by_week(whole), atol=1e-6)


def _printed(tables: dict[str, Table]) -> Check:
    fine = catarino.agrees(tables["month"]) and catarino.agrees(tables["net_benefits"])
    return Check(
        "what Catarino 2023 print is met",
        "passed" if fine else "failed",
        "A month in each of 7 starting states costs and is worth on our engine what their inputs "
        "say, and 7 printed net benefits follow from printed costs and QALYs within rounding."
        if fine
        else "See the tables of a month in the starting state and of net benefits.",
    )


def _information(whole: Whole) -> Check:
    """0 ≤ EVPPI ≤ EVPI, and a study worth no more than what it informs, but for its error."""
    wrong = []
    for condition, learning in whole.learning.items():
        for name, found in learning.worth.items():
            if not -EQUAL <= found.value <= learning.evpi + EQUAL:
                wrong.append(f"{condition}, {name}")
    frame = whole.studies.frame
    for row in frame.iter_rows(named=True):
        error = float(np.hypot(row["error"], row["most_error"]))
        if row["value"] > row["most"] + SURE * error + EQUAL:
            wrong.append(f"{row['condition']}, {row['study']}, {row['n']} patients")
    return Check(
        "learning a part is worth no more than learning all",
        "failed" if wrong else "passed",
        f"Not so: {'; '.join(wrong)}."
        if wrong
        else "Every EVPPI is between zero and the EVPI, and every study within {sure_errors} "
        "standard errors of the EVPPI of what it informs, or below.",
    )


def _monte_carlo(computed: Computed) -> Check:
    """Whether a verdict could be another with other draws."""
    params, near, n = computed.params, 0, computed.params.n_draws
    for one in computed.base.values():
        for perspective in headline(one):
            for wait in computed.waits:
                p = float(chance(one, perspective, wait, params.far_more)[one.place])
                error = np.sqrt(max(p * (1 - p), 1 / n) / n)
                ends = {verdict(np.clip(p + s * error, 0, 1), params) for s in (-2, 2)}
                near += len(ends) > 1
    return Check(
        "draws are enough",
        "inconclusive" if near else "passed",
        "Monte Carlo error of the mean cost of {typical} weeks is at most {largest_error}, of a "
        "probability at most {p_error} points. "
        + (f"{near} verdicts are so close to a limit that other draws might give another."
           if near else "No verdict is within two errors of a limit."),
    )  # fmt: skip
