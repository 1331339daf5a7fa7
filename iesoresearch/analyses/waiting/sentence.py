"""Tables of the sentence itself: the cost of waiting against the cost of a course."""

import numpy as np
import polars as pl

from iesoresearch.analyses.waiting import Params
from iesoresearch.analyses.waiting.computed import Computed, Waiting
from iesoresearch.analyses.waiting.declared import interval, named, percent, spread, value, words
from iesoresearch.analyses.waiting.england import SECOND
from iesoresearch.analyses.waiting.perspectives import (
    CASH,
    HEALTH,
    SIX,
    STANDARD,
    WORK,
    YEAR,
    Perspective,
    Wait,
    verdict,
)
from iesoresearch.results import Table

KEYS = {"condition": "Condition", "band": "Severity at referral"}
COUNTED = {"perspective": "What is counted"}
CARE, COURSES = "care", "courses"  # the two parts of cash


def chance(one: Waiting, perspective: Perspective, wait: Wait, times: float = 1.0) -> np.ndarray:
    """(S,) probability that a wait costs more than so many courses."""
    return (one.cost(perspective, wait) > times * one.course).mean(0)


def usual(computed: Computed) -> Table:
    """For patients as ill as the average one: cost of both waits, chance and verdict by wait.

    With every effect of therapy: that of the average service, and that of one service.
    """
    asked = [wait for wait in computed.waits if wait.weeks != SIX]
    rows = []
    for effect, conditions in computed.by_effect.items():
        for one in conditions.values():
            for perspective in one.perspectives:
                row = {"effect": effect, "condition": f"{one.condition}, {one.usual}"}
                row |= {"perspective": perspective.name}
                for name, wait in zip(("first", "both"), asked, strict=False):
                    row |= named(name, spread(one.cost(perspective, wait)[:, one.place], 0))
                row |= {
                    f"wait_{i}": _said(one, perspective, wait, computed.params)
                    for i, wait in enumerate(asked)
                }
                rows.append(row)
    values = interval("first", f"Cost of {asked[0].short}, £")
    values |= interval("both", "Cost of both waits, £")
    far = f"chance > a course / > {computed.params.far_more:g} courses: “far more”"
    values |= {
        f"wait_{i}": words(f"{heading}, {far}" if i == 0 else heading)
        for i, heading in enumerate(_heading(wait) for wait in asked)
    }
    keys = {"effect": "Effect of therapy", "condition": "Patients"} | COUNTED
    return Table("The sentence under test", pl.DataFrame(rows), keys, values)


def _heading(wait: Wait) -> str:
    return wait.short[0].upper() + wait.short[1:]


def _said(one: Waiting, perspective: Perspective, wait: Wait, params: Params) -> str:
    """Chances that a wait costs more, and far more, than a course; the verdict of the latter."""
    more = float(chance(one, perspective, wait)[one.place])
    far = float(chance(one, perspective, wait, params.far_more)[one.place])
    shown = " / ".join(percent(p, params.n_draws) for p in (more, far))
    return f"{shown}: {verdict(far, params)}"


def every(computed: Computed) -> Table:
    """The same for every severity and wait, with the cost of a course."""
    params, rows = computed.params, []
    n = params.n_draws
    for one in computed.base.values():
        for perspective in one.perspectives:
            for wait in computed.waits:
                cost = one.cost(perspective, wait)
                more = chance(one, perspective, wait)
                far = chance(one, perspective, wait, params.far_more)
                for s, band in enumerate(one.bands):
                    rows.append(
                        {"condition": one.condition, "band": band}
                        | {"perspective": perspective.name, "wait": wait.label}
                        | named("cost", spread(cost[:, s], 0))
                        | named("course", spread(one.course[:, s], 0))
                        | {"chance": percent(more[s], n), "chance_far": percent(far[s], n)}
                        | {"verdict": verdict(far[s], params)}
                    )
    values = interval("cost", "Cost of waiting, £") | interval("course", "Cost of a course, £")
    values |= {
        "chance": words("Chance it costs more"),
        "chance_far": words(f"Chance of more than {params.far_more:g} times"),
        "verdict": words("“Far more than therapy”"),
    }
    keys = KEYS | COUNTED | {"wait": "Wait"}
    return Table("The sentence, by severity and wait", pl.DataFrame(rows), keys, values)


def headline(one: Waiting) -> list[Perspective]:
    """Cash, with work, with health at the first threshold, and all three at it."""
    wtp = one.thresholds[0]
    return [p for p in one.perspectives if p.wtp in (0.0, wtp)]


def components(one: Waiting) -> dict[str, np.ndarray]:
    """(D, S, 53) cost of waiting in £, every part by itself; cash is the sum of the first two."""
    found = one.outcome
    totals = {CARE: found.background, COURSES: found.therapy, CASH: found.nhs}
    if one.has_work:
        totals[WORK] = found.productivity
    totals[HEALTH] = -one.thresholds[0] * found.qaly[one.instrument]
    return {name: x[:, :, : YEAR + 1] - x[:, :, :1] for name, x in totals.items()}


def parts(computed: Computed) -> dict[str, str]:
    """What parts are called."""
    wtp = computed.params.thresholds[0]
    return {
        CARE: "NHS care besides therapy",
        COURSES: "NHS therapy",
        CASH: "NHS cash, both together",
        WORK: "work lost",
        HEALTH: f"health lost at £{wtp:,.0f} per QALY, no cost to the NHS",
    }


def by_week(computed: Computed) -> Table:
    """Cost of waiting by week, every part by itself."""
    called = parts(computed)
    rows = [
        {"condition": one.condition, "band": band, "part": called[name], "week": week}
        | named("cost", spread(draws[:, s, week], 0))
        for one in computed.base.values()
        for name, draws in components(one).items()
        for s, band in enumerate(one.bands)
        for week in range(YEAR + 1)
    ]
    values = interval("cost", "Cost of waiting, £")
    keys = KEYS | {"part": "Part", "week": "Weeks"}
    return Table("Cost of waiting by week, part by part", pl.DataFrame(rows), keys, values)


def patient_week(computed: Computed) -> Table:
    """Cost of a patient-week of waiting, over the weeks to the 18-week standard."""
    called = parts(computed)
    rows = [
        {"condition": one.condition, "band": band, "part": called[name]}
        | named("cost", spread(draws[:, s, STANDARD] / STANDARD, 0))
        for one in computed.base.values()
        for s, band in enumerate(one.bands)
        for name, draws in components(one).items()
    ]
    values = interval("cost", "£ per patient-week")
    title = f"Cost of a patient-week of waiting (mean of the first {STANDARD} weeks)"
    return Table(title, pl.DataFrame(rows), KEYS | {"part": "Part"}, values)


def health_lost(computed: Computed) -> Table:
    """QALYs lost by waiting, by every instrument."""
    rows = []
    for one in computed.base.values():
        for name, qaly in one.outcome.qaly.items():
            for s, band in enumerate(one.bands):
                row = {"condition": one.condition, "band": band, "instrument": name}
                for week in (computed.waits[0].weeks, STANDARD, YEAR):
                    lost = 1000 * (qaly[:, s, 0] - qaly[:, s, week])
                    row |= named(f"lost_{week}", spread(lost, 0))
                rows.append(row)
    values = {}
    for week in (computed.waits[0].weeks, STANDARD, YEAR):
        values |= interval(f"lost_{week}", f"{week} weeks")
    keys = KEYS | {"instrument": "Utilities"}
    title = "QALYs lost by 1,000 patients who wait"
    return Table(title, pl.DataFrame(rows), keys, values)


def against_course(computed: Computed) -> Table:
    """Cost of waiting of the usual patient by week, beside the cost of a course."""
    marks, england = _marks(computed), computed.data.england
    weeks = england.typical + england.mean_weeks(SECOND)
    rows = []
    for one in computed.base.values():
        course = named("course", spread(one.course[:, one.place], 0))
        for perspective in headline(one):
            cost = one.by_week(perspective)[:, one.place]
            both = named("both", spread(one.cost(perspective, computed.waits[1])[:, one.place], 0))
            for week in range(YEAR + 1):
                rows.append(
                    {"condition": one.condition, "perspective": perspective.name, "week": week}
                    | named("cost", spread(cost[:, week], 0))
                    | (course | both | {"both_weeks": weeks, "mark": marks.get(week, "")})
                )
    values = interval("cost", "Cost of waiting, £") | interval("course", "Cost of a course, £")
    values |= interval("both", "Cost of both usual waits, £")
    values |= {"both_weeks": value("Weeks of both", 1)}
    keys = {"condition": "Condition"} | COUNTED | {"week": "Weeks"}
    title = "Cost of waiting against the cost of a course"
    return Table(title, pl.DataFrame(rows), keys, values | {"mark": words("Marked")})


def _marks(computed: Computed) -> dict[int, str]:
    return {computed.waits[0].weeks: "mean first wait", STANDARD: f"{STANDARD}-week standard"}
