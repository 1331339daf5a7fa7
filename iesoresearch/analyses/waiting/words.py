"""Numbers and captions of `waiting`. Sentences are filled after release."""

import numpy as np

from iesoresearch.analyses.waiting import break_even
from iesoresearch.analyses.waiting.checks import SURE, far_chances, tag
from iesoresearch.analyses.waiting.computed import Computed, Waiting
from iesoresearch.analyses.waiting.declared import chance_number, number, spread, three
from iesoresearch.analyses.waiting.england import BOTH, FIRST, SCALE_NAMES, SCALES, SECOND
from iesoresearch.analyses.waiting.perspectives import STANDARD
from iesoresearch.analyses.waiting.queue_checked import queue_numbers
from iesoresearch.analyses.waiting.queue_shown import queue_figures
from iesoresearch.analyses.waiting.scenarios import MOST_DRAWS
from iesoresearch.analyses.waiting.sentence import chance, components, headline
from iesoresearch.analyses.waiting.setting import captioned
from iesoresearch.analyses.waiting.strategies import AT_ONCE
from iesoresearch.analyses.waiting.text import answer
from iesoresearch.analyses.waiting.whole import Whole
from iesoresearch.results import FigureSpec, Number

_EFFECT = ("effect_place", "effect_mean", "rr_nonresponse_anxiety")
WAITS = ("typical", "both", "six", "standard", "year")  # in the order of `perspectives.waits`


def numbers(whole: Whole) -> dict[str, Number]:
    """What sentences quote and `verify` compares."""
    computed = whole.computed
    found = _general(computed) | _scenarios(whole) | queue_numbers(whole.queues)
    found |= _other_cases(computed)
    for one in computed.base.values():
        found |= _costs(one, computed) | _parts(one, computed) | _sooner(one, computed)
    for name, decision in whole.decisions.items():
        learning = whole.learning[name]
        first = learning.first
        wtp = decision.one.thresholds[0]
        best = int(decision.benefit(wtp).mean(0).argmax())
        found |= {
            f"evpi_{name}": pounds(learning.evpi),
            f"first_{name}": number(_label(learning, first)),
            f"first_share_{name}": number(learning.share(first), 0, "%"),
            f"assumed_share_{name}": number(_assumed(learning), 0, "%"),
            f"best_{name}": number(decision.names[best]),
            f"price_{name}": pounds(float(decision.price.mean())),
            f"at_once_{name}": chance_number(
                (decision.benefit(wtp).argmax(1) == AT_ONCE).mean(), computed.params.n_draws
            ),
        }
        sooner = decision.worth_sooner(wtp)
        found |= money(f"sooner_{name}", sooner)
        pays = (sooner > decision.price).mean()
        found[f"pays_{name}"] = chance_number(pays, computed.params.n_draws)
    return found


def pounds(x: float) -> Number:
    """A sum of money as it stands in a sentence."""
    return number(_pounds(x))


def _pounds(x: float) -> str:
    shown = f"{abs(x):,.0f}"
    return f"−£{shown}" if x < 0 and shown != "0" else f"£{shown}"


def money(name: str, draws: np.ndarray) -> dict[str, Number]:
    """Mean and ends of the 95 % interval, each as it stands in a sentence."""
    ends = zip((name, f"{name}_low", f"{name}_high"), spread(draws), strict=True)
    return {key: pounds(x) for key, x in ends}


def _label(learning, name: str) -> str:
    """A group of inputs as a sentence has it."""
    members = learning.inputs[name]
    if members[0].name in _EFFECT:
        return "how well therapy works"
    text = members[0].label if len(members) == 1 else str(members[0].together)
    return text if text[:2].isupper() else text[0].lower() + text[1:]


def _assumed(learning) -> float:
    name = next(iter(learning.names))
    return learning.share(name)


def _general(computed: Computed) -> dict[str, Number]:
    england, params = computed.data.england, computed.params
    known = computed.data.inputs
    errors = [
        one.cost(perspective, computed.waits[0])[:, one.place].std(ddof=1)
        for one in computed.base.values()
        for perspective in headline(one)
    ]
    scale = {name: SCALE_NAMES[found[0]] for name, found in SCALES.items()}
    return {
        "year": number(england.year),
        "typical": number(england.typical),
        "mean_second": number(england.mean_weeks(SECOND), 0),
        "answer": number(answer(computed)),
        "class_weeks": number(_listed([f"{weeks:g}" for weeks in england.weeks.values()])),
        "seen_28": number(100 * float(england.shares("first wait")[0]), 0, "%"),
        "second_28": number(100 * float(england.shares(SECOND)[0]), 0, "%"),
        "n_inputs": number(len(known)),
        "n_assumed": number(sum(x.status == "assumption" for x in known)),
        "n_trials": number(computed.data.n_trials),
        "n_draws": number(params.n_draws),
        "far_more": number(params.far_more, 0 if params.far_more % 1 == 0 else 1),
        "sure": number(100 * params.sure, 0, "%"),
        "wtp": pounds(params.thresholds[0]),
        "thresholds": number(_listed([_pounds(t) for t in params.thresholds])),
        "horizon": number(params.horizon_weeks, 0, "weeks"),
        "spread_weeks": number(params.spread_weeks),
        "recovery": number(params.recovery),
        "usual_depression": number(computed.base["depression"].usual),
        "usual_anxiety": number(computed.base["anxiety"].usual),
        "scale_depression": number(scale["depression"]),
        "scale_anxiety": number(scale["anxiety"]),
        "score_depression": number(england.first_score("depression"), 1),
        "score_anxiety": number(england.first_score("anxiety"), 1),
        "largest_error": number(f"£{max(errors) / np.sqrt(params.n_draws):,.1f}"),
        "p_error": number(100 * 0.5 / np.sqrt(params.n_draws), 1),
        "sure_errors": number(SURE),
    }


def _listed(items: list[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def _costs(one: Waiting, computed: Computed) -> dict[str, Number]:
    """Of the usual patient: costs of the mean first wait and of both, chances at every wait."""
    found = money(f"course_{one.condition}", one.course[:, one.place])
    for perspective in headline(one):
        name = f"{one.condition}_{tag(perspective)}"
        for prefix, wait in zip(("cost", "cost_both"), computed.waits, strict=False):
            found |= money(f"{prefix}_{name}", one.cost(perspective, wait)[:, one.place])
        found |= _chances(one, name, perspective, computed)
    return found


def _chances(one: Waiting, name: str, perspective, computed: Computed) -> dict[str, Number]:
    """That every wait costs more, and far more, than a course."""
    params, found = computed.params, {}
    for word, wait in zip(WAITS, computed.waits, strict=True):
        for prefix, times in (("p", 1.0), ("far", params.far_more)):
            p = chance(one, perspective, wait, times)[one.place]
            found[f"{prefix}_{name}_{word}"] = chance_number(p, params.n_draws)
    return found


def _other_cases(computed: Computed) -> dict[str, Number]:
    """All parts together, were recovery slowest or fastest, or the service one among those tried.

    And cash, were nobody to leave the list.
    """
    found = {}
    for condition, cases in computed.by_recovery.items():
        names = tuple(cases)
        for word, name in (("slow", names[0]), ("fast", names[-1])):
            one = cases[name]
            is_base = ", the base case" if one is computed.base[condition] else ""
            found[f"{word}_{condition}"] = number(name + is_base)
            found |= _chances(one, f"{word}_{condition}", headline(one)[-1], computed)
    services = computed.by_effect["one service"]["depression"]
    found |= _chances(services, "service", headline(services)[-1], computed)
    draws = services.draws
    harm = draws["effect_mean"] + draws["effect_tau"] * draws["effect_place"] < 0
    found["harm"] = chance_number(harm.mean(), computed.params.n_draws)
    for condition, one in computed.staying.items():
        cash = one.cost(headline(one)[0], computed.waits[1])[:, one.place]
        found |= money(f"stay_{condition}", cash)
    return found


def _sooner(one: Waiting, computed: Computed) -> dict[str, Number]:
    """A week sooner, all parts counted, beside its price; the break-even wait, and who waits it."""
    whole, place, typical = headline(one)[-1], one.place, computed.waits[0].weeks
    worth = one.by_week(whole)[:, place, typical] / typical
    price = one.course[:, place] / computed.params.spread_weeks
    week = break_even.week(one, whole)[place]
    england, name = computed.data.england, one.condition
    return money(f"society_{name}", worth) | {
        f"pays_society_{name}": chance_number((worth > price).mean(), computed.params.n_draws),
        f"even_{name}": number(break_even.NEVER + " weeks" if week is None else f"{week} weeks"),
        f"longer_first_{name}": number(break_even.longer(england, FIRST, week)),
        f"longer_both_{name}": number(break_even.longer(england, BOTH, week)),
    }


def _parts(one: Waiting, computed: Computed) -> dict[str, Number]:
    """Parts at the mean first wait and at 18 weeks, a patient-week, and QALYs."""
    found = {}
    typical = computed.waits[0]
    for name, draws in components(one).items():
        here = draws[:, one.place]
        found |= money(f"part_{one.condition}_{name}", here[:, typical.weeks])
        found |= money(f"week_{one.condition}_{name}", here[:, STANDARD] / STANDARD)
    found |= three(f"qaly_{one.condition}", spread(1000 * one.lost(typical)[:, one.place], 1), 1)
    return found


def _scenarios(whole: Whole) -> dict[str, Number]:
    """Least and most chance that a wait costs far more than a course, over all scenarios."""
    n, found = whole.computed.params.n_draws, {}
    for name, weeks in (("typical", whole.computed.waits[0].weeks), ("standard", STANDARD)):
        far = far_chances(whole, weeks)
        found["n_scenarios"] = number(len(far))
        for end, p in (("low", min(far)), ("high", max(far))):
            found[f"scenario_{name}_{end}"] = chance_number(p, min(n, MOST_DRAWS))
    return found


def figures(computed: Computed) -> dict[str, FigureSpec]:
    """By name; captions are templates, with the setting of the run at their end."""
    found = {name: FigureSpec(*spec) for name, spec in _FIGURES.items()} | queue_figures()
    return captioned(found, computed)


_FIGURES = {
    "against_course": (
        "against_course",
        "What waiting costs, against what a course costs",
        "Cost of waiting for the first session by week, {usual_depression} depression and "
        "{usual_anxiety} anxiety, by what is counted: mean and 95 % band; dashed: a course, with "
        "its 95 % band. Diamond: both usual waits, the first and the second, with 95 % interval. "
        "Of “waiting costs far more than therapy”, for these two waits: {answer}. Health is "
        "valued at {wtp} per QALY and is no cost to the NHS.",
    ),
    "patient_week": (
        "patient_week",
        "What a week of waiting costs, part by part",
        "Mean of the first 18 weeks by severity at referral, with 95 % intervals. Below zero: the "
        "NHS spends less, because who leaves the list or recovers on it is given no course. "
        "Health is valued at {wtp} per QALY and is no cost to the NHS.",
    ),
    "by_week": (
        "by_week",
        "What waiting costs, week by week and part by part",
        "Mean by severity at referral, with 95 % intervals at some weeks, a little apart from each "
        "other, over {horizon} from referral; scales differ between panels. Work lost is not known "
        "for anxiety. Health is valued at {wtp} per QALY and is no cost to the NHS.",
    ),
    "plane": (
        "plane",
        "Costs and health of starting sooner or later",
        "Differences from starting after {typical} weeks, the mean first wait in England: some "
        "draws, and means (large). Costs are NHS cash, with the price of bringing "
        "therapy forward. The line is {wtp} per QALY: below it, net benefit is higher.",
    ),
    "acceptability": (
        "acceptability",
        "When therapy should start, by what a QALY is worth",
        "Share of draws in which each start has the highest net benefit (acceptability curves); "
        "circles: the best on average (frontier). Dashed: {thresholds} per QALY. £20,000 to "
        "£30,000 was NICE's range until 2026; the new £25,000 to £35,000 is for technology "
        "appraisals of medicines, not for therapy services.",
    ),
    "tornado": (
        "tornado",
        "Which input matters: one at a time",
        "Cost of 18 weeks of waiting, all parts, and net benefit of therapy at once over the usual "
        "wait, {wtp} per QALY, with one input at its low (light) and high (dark) end and all "
        "others at their values.",
    ),
    "explained": (
        "explained",
        "Which input makes the cost of waiting uncertain",
        "Share of the variance of the cost of 18 weeks, all parts at {wtp} per QALY, that each "
        "input explains by itself (main effect), and groups of them, with two standard errors; "
        "what explains less than 1 % is left out. Shares of inputs that act together do not add "
        "up to 100 %.",
    ),
    "scenarios": (
        "scenarios",
        "The same question under other assumptions",
        "Cost of 18 weeks of waiting, all parts at {wtp} per QALY, with 95 % intervals, by "
        "scenario of natural recovery and horizon; utilities by SF-6D and, for depression, EQ-5D.",
    ),
}
