"""Tables of the queue: fit, service, lists and waits over time, costs, and where capacity pays.

Patients are counted per 1,000 referrals a year. Intervals of patients and waits are over
replications, those of money over replications and draws of the inputs.
"""

import numpy as np
import polars as pl

from iesoresearch.analyses.waiting.declared import interval, named, spread, value, words
from iesoresearch.analyses.waiting.queues import (
    ADDED,
    AS_IS,
    CASH,
    COURSE_CV,
    COURSES_PER_FIRST,
    HEALTH,
    LONGEST,
    PERIOD,
    SPARE,
    WAYS,
    WORK,
    Account,
    Queues,
    ladder_name,
)
from iesoresearch.models import queue
from iesoresearch.results import FigureSpec, Table

BANDS = ("up to 28 days", "29 to 56 days", "57 to 90 days", "more than 90 days")
PER = 1000.0  # referrals a year, and £
#: Scenarios whose course over time is shown.
OVER_TIME = (
    *(AS_IS, "referrals −10 %", "referrals +10 %", "places −10 %"),
    *(ladder_name(where, 10.0) for where in ADDED),
)
#: Scenarios for which weeks of waiting are told by severity.
BY_SEVERITY = (AS_IS, "most severe first", ladder_name(LONGEST, 10.0))
_ACCOUNT = {"account": "Waits differ"}
_KEYS = _ACCOUNT | {"scenario": "Scenario"}
#: What is shown over time.
WAITING, MEDIAN, P90 = "patients waiting", "median wait, weeks", "90 % wait at most, weeks"
_SHORT = {CASH: "cash", WORK: "work", HEALTH: "health"}
_CHANCE = {
    "NHS cash": "pays_cash",
    "NHS cash and health": "pays_health",
    "and productivity": "pays",
}


def queue_tables(queues: Queues) -> dict[str, Table]:
    """By name, in the order of the notebook; ``queue`` and ``break_even`` have figures."""
    return {
        "queue_fit": fit(queues),
        "queue_service": service(queues),
        "queue": over_time(queues),
        "queue_waits": waits(queues),
        "queue_severity": severity(queues),
        "queue_costs": costs(queues),
        "break_even": break_even(queues),
        "queue_marginal": marginal(queues),
        "queue_assumptions": assumptions(queues),
    }


def queue_figures() -> dict[str, FigureSpec]:
    """Figures of the tables ``queue`` and ``break_even``; captions quote `queue_numbers`."""
    return {
        "queue": FigureSpec(
            "queue",
            "Lists and waits after a change of demand or capacity",
            "Top: patients on both lists. Bottom: waits of those whose course began in the "
            f"{PERIOD} weeks before. Lines are means and bands 95 % of {{queue_replications}} "
            "replications, all on the same simulated patients. Left and right are two accounts of "
            "the same published waits.",
        ),
        "break_even": FigureSpec(
            "break_even",
            "Whether added places pay for themselves",
            "Top: waiting that is saved in {queue_weeks} weeks, in cash, health and productivity, "
            "less the cost of the places; bars hold 95 % of {queue_replications} replications and "
            "all draws of the inputs. Bottom: the share of them in which the saving is the larger, "
            "by what counts as saved. In the upper panels the points of the two places to which "
            "capacity is added lie a little left and right of their step.",
        ),
    }


def fit(queues: Queues) -> Table:
    """Published, fitted and simulated shares by band of wait."""
    rows = []
    for account in queues.accounts.values():
        found = account.calibration
        for stage, wait in enumerate(("first", "second")):
            at = [found.weeks[wait].tolist().index(days / 7) for days in (28, 56, 90)]
            shares = [
                -np.diff([1.0, *still[wait][at], 0.0]) for still in (found.published, found.fitted)
            ]
            simulated = account.simulated.bands_of_waits[0, :, stage]
            rows += [
                {"account": account.name, "wait": wait, "band": band}
                | {"published": 100 * shares[0][b], "fitted": 100 * shares[1][b]}
                | named("simulated", spread(100 * simulated[:, b]))
                for b, band in enumerate(BANDS)
            ]
    keys = _ACCOUNT | {"wait": "Wait", "band": "Length"}
    values = {"published": value("Published, %", 1), "fitted": value("Fitted, %", 1)}
    values |= interval("simulated", "Simulated, second year, %", 1)
    title = (
        "Waits that are published, those of the service that was fitted to them, and those of its "
        f"patients ({queues.params.queue_replications} replications)"
    )
    return Table(title, pl.DataFrame(rows), keys, values)


def service(queues: Queues) -> Table:
    """What calibration found: delays, lists, capacity, and the numbers waiting by Little's law."""
    rows = []
    for account in queues.accounts.values():
        found = account.service
        flows = queue.steady(found)
        scale = PER / queues.params.queue_referrals
        means = account.calibration.mean_wait
        rows.append({
            "account": account.name, "list": "first session", "share": 100.0,
            "lag": found.lag_weeks, "wait": found.wait_weeks, "mean": means["first"],
            "capacity": scale * found.assessments_per_week,
            "waiting": scale * flows.waiting_first.sum(),
        })  # fmt: skip
        rows += [
            {
                "account": account.name, "list": f"second session: {route.name}",
                "share": 100 * route.share, "lag": route.lag_weeks, "wait": route.wait_weeks,
                "mean": means["second"], "capacity": scale * route.places / route.course_weeks,
                "waiting": scale * flows.waiting_second[r].sum(),
            }
            for r, route in enumerate(found.routes)
        ]  # fmt: skip
    values = {
        "share": value("Share of those who join it, %", 1),
        "lag": value("Booking delay, mean weeks", 1),
        "wait": value("Weeks on the list after it", 1),
        "mean": value("Mean wait for this session by the fitted shape, weeks", 1),
        "capacity": value("Sessions or courses that can start in a week", 2),
        "waiting": value("Waiting", 1),
    }
    title = "The service that was fitted, per 1,000 referrals a year"
    return Table(title, pl.DataFrame(rows), _ACCOUNT | {"list": "List"}, values)


def over_time(queues: Queues) -> Table:
    """Number waiting, and median and 90th percentile of waits, by week."""
    rows = [row for account in queues.accounts.values() for row in _over_time(queues, account)]
    title = (
        f"Patients waiting per 1,000 referrals a year, and the waits from referral to second "
        f"session of those whose course began in the {PERIOD} weeks before "
        f"({queues.params.queue_replications} replications)"
    )
    keys = _KEYS | {"measure": "What", "week": "Week"}
    return Table(title, pl.DataFrame(rows), keys, interval("shown", "Patients or weeks", 1))


def _over_time(queues: Queues, account: Account):
    found, scale = account.simulated, PER / queues.params.queue_referrals
    marks = [*range(0, found.weeks, PERIOD), found.weeks]
    for scenario in OVER_TIME:
        k = account.place(scenario)
        waiting = scale * found.waiting[k].sum(axis=1)
        seen = {WAITING: waiting[:, marks]}
        # waits are those of the weeks before, so there are none at the start
        none = np.full((len(waiting), 1), np.nan)
        for q, name in enumerate((MEDIAN, P90)):
            seen[name] = np.hstack([none, found.waits[k, :, 2, q]])
        for name, of_replications in seen.items():
            for week, column in zip(marks, of_replications.T, strict=True):
                held = column[np.isfinite(column)]
                if len(held):
                    row = {"account": account.name, "scenario": scenario, "measure": name}
                    yield row | {"week": week} | named("shown", spread(held))


def waits(queues: Queues) -> Table:
    """Who waits how long in the last year, and what becomes of everybody."""
    rows = []
    for account in queues.accounts.values():
        found, scale = account.simulated, PER / queues.params.queue_referrals
        for k, scenario in enumerate(found.scenarios):
            beyond = 100 * np.nanmean(found.beyond[k], axis=0)
            arrived, _, gave_up, recovered, _ = found.outcomes[k].T
            rows.append(
                {"account": account.name, "scenario": scenario.name}
                | {f"both_{weeks}": beyond[2, i] for i, weeks in enumerate((6, 12, 18, 26))}
                | {"first_18": beyond[0, 2], "second_90": beyond[1, 4]}
                | named("waiting", spread(scale * found.waiting[k, :, :, -1].sum(axis=1)))
                | named("weeks", spread(scale * found.patient_weeks[k].sum(axis=1)))
                | {"gave_up": 100 * (gave_up / arrived).mean(),
                   "recovered": 100 * (recovered / arrived).mean(),
                   "longest": scale * found.beyond_longest[k].mean()}
            )  # fmt: skip
    values = {f"both_{w}": value(f"Second session after {w} weeks, %", 1) for w in (6, 12, 18, 26)}
    values |= {
        "first_18": value("First session after 18 weeks, %", 1),
        "second_90": value("Second session 90 days after the first, %", 1),
    }
    values |= interval("waiting", "Waiting at the end", 0)
    values |= interval("weeks", "Patient-weeks of waiting", 0)
    values |= {
        "gave_up": value("Gave up, %", 1),
        "recovered": value("Recovered while waiting, %", 1),
        "longest": value("Waits beyond 52 weeks, costed as 52", 1),
    }
    title = (
        f"Who waits how long in the last 52 of {queues.params.queue_weeks} weeks, and what becomes "
        "of everybody, per 1,000 referrals a year"
    )
    return Table(title, pl.DataFrame(rows), _KEYS, values)


def severity(queues: Queues) -> Table:
    """Weeks of waiting and their cost by severity at referral."""
    rows = []
    for account in queues.accounts.values():
        found, scale = account.simulated, PER / queues.params.queue_referrals
        for scenario in BY_SEVERITY:
            k = account.place(scenario)
            for b, band in enumerate(account.service.bands):
                row = {"account": account.name, "scenario": scenario, "band": band}
                row |= named("weeks", spread(scale * found.patient_weeks[k, :, b]))
                for part, cost in queues.costs.items():
                    total = found.accrued[k, :, b] @ cost[:, b].T * (scale / PER)
                    row |= named(_SHORT[part], spread(total))
                rows.append(row)
    values = interval("weeks", "Patient-weeks of waiting", 0) | _money("")
    title = (
        f"Patient-weeks of waiting in {queues.params.queue_weeks} weeks by severity at referral, "
        "and what the waits for a course cost (£1,000), per 1,000 referrals a year"
    )
    return Table(title, pl.DataFrame(rows), _KEYS | {"band": "Severity"}, values)


def _money(what: str) -> dict:
    return (
        interval("cash", f"NHS cash besides therapy{what}", 1)
        | interval("work", f"Productivity{what}", 1)
        | interval("health", f"Health{what}", 1)
    )


def costs(queues: Queues) -> Table:
    """What each scenario saves, what its capacity costs, and whether it pays for itself."""
    rows = [
        {"account": account.name, "scenario": scenario.name}
        | _saving(queues, account, scenario.name)
        for account in queues.accounts.values()
        for scenario in account.simulated.scenarios[1:]
    ]
    title = (
        f"What waiting saves or costs against no change in {queues.params.queue_weeks} weeks, and "
        "what capacity costs (£1,000 per 1,000 referrals a year; negative: costs more)"
    )
    return Table(title, pl.DataFrame(rows), _KEYS, _money(" saved") | _pays())


def _pays() -> dict:
    values = interval("capacity", "Capacity added", 1) | interval("net", "Net saving, all parts", 1)
    return values | {
        "pays_cash": value("P(pays in NHS cash)", 2),
        "pays_health": value("P(pays in NHS cash and health)", 2),
        "pays": value("P(pays with productivity)", 2),
    }


def _saving(queues: Queues, account: Account, scenario: str) -> dict[str, float]:
    k, scale = account.place(scenario), 1 / queues.params.queue_referrals
    row = {}
    for part, saved in account.saving.waiting.items():
        row |= named(_SHORT[part], spread(scale * saved[k]))
    row |= named("capacity", spread(scale * account.saving.capacity[k]))
    row |= named("net", spread(scale * account.net(scenario)))
    return row | {_CHANCE[way]: float((account.net(scenario, way) > 0).mean()) for way in WAYS}


def break_even(queues: Queues) -> Table:
    """Places added step by step: what they save, and the chance that they pay for themselves."""
    rows = []
    for account in queues.accounts.values():
        places = sum(route.places for route in account.service.routes)
        weeks = account.service.routes[0].course_weeks
        for where, steps in ADDED.items():
            most = account.most(where, "and productivity")
            rows += [
                {"account": account.name, "where": where, "added": added}
                | {"courses": PER / queues.params.queue_referrals * added / 100 * places / weeks}
                | _saving(queues, account, ladder_name(where, added))
                | {"still": float((most >= added).mean())}
                for added in steps
            ]
    keys = _ACCOUNT | {"where": "Places are added to", "added": "Added, % of all places"}
    values = {"courses": value("Courses more a week", 2)} | _money(" saved") | _pays()
    values["still"] = value("P(this and all smaller steps pay)", 2)
    title = (
        f"Added places: saved and paid in {queues.params.queue_weeks} weeks (£1,000 per 1,000 "
        f"referrals a year; {queues.params.queue_replications} replications, "
        f"{queues.params.n_draws:,} draws)"
    )
    return Table(title, pl.DataFrame(rows), keys, values)


def marginal(queues: Queues) -> Table:
    """Worth of one course a week more, by list and under other assumptions."""
    rows = [
        {"account": worth.account, "where": worth.where, "assumed": worth.assumed}
        | named("net", spread(worth.net))
        | {"price": float(worth.cost.mean()), "pays": float((worth.net > 0).mean())}
        for worth in queues.worths
    ]
    keys = _ACCOUNT | {"where": "Added to", "assumed": "Assumed"}
    values = interval("net", "Net saving, £ per course", 0) | {
        "price": value("Cost of a course, with its fixed share, £", 0),
        "pays": value("P(pays for itself)", 2),
    }
    title = (
        f"Worth of one course a week more for {queues.params.queue_weeks} weeks, with health and "
        "productivity, per course that is added"
    )
    return Table(title, pl.DataFrame(rows), keys, values)


def assumptions(queues: Queues) -> Table:
    """What is assumed of the service, and why."""
    params, values = queues.params, queues.values
    account = next(iter(queues.accounts.values()))
    mean, england = account.calibration.mean_wait["first"], queues.computed.data.england
    rows = [
        ("Referrals that join the list", f"{params.queue_referrals:,} a year",
         "Size of the service; the smaller, the more waits move by chance."),
        ("Referrals over the year", "constant",
         "A Poisson process; the season of referrals was not found."),
        ("Order on every list", "of arrival", "Not found; most severe first is a scenario."),
        ("Leaves either list while waiting", f"{100 * values['dropout_per_week']:g} % a week",
         "As in the waiting model; nobody, and 3 %, are tried."),
        ("Recovers while waiting", params.recovery,
         "The scenario of the waiting model, by band; of one that declines the first rate."),
        ("Courses over first sessions", f"{100 * COURSES_PER_FIRST:.0f} %",
         "England 2019-20: 606,192 finished of 1.17 million who started."),
        ("First wait", f"{mean:.1f} weeks on average",
         "Of the booking delay that fits all that is published: four bands, and the shares within "
         "6 and 18 weeks. The mean of the results, "
         f"{england.mean_weeks('first wait'):.1f}, takes a length for each band. Both are of "
         "finished courses; here, who leaves early is allowed for."),
        ("Length of a course",
         f"{values['treatment_weeks']:g} weeks, SD {100 * COURSE_CV:g} % of it",
         "As in the waiting model; a place is held all the time. 25 weeks are tried."),
        ("Capacity for first sessions beyond demand", f"{100 * SPARE:g} %",
         "The fitted first wait is all booking delay, so nobody stands in line; by how much "
         "capacity is larger cannot be seen. 10 % less and more are scenarios."),
        ("Weeks of the second wait above 90 days", "as in the band before",
         "The band is open; its rate of falling off is taken on (where waits differ between "
         "services)."),
        ("What a wait costs", "of depression", "Applied to all patients; see the limits."),
        ("Severity of referrals", "normal scores",
         "Mean and SD of first PHQ-9 scores of depression, England; those below 5 left out."),
        ("Cost of capacity that comes with no session", f"{100 * params.queue_fixed_share:g} %",
         "Not found. Added places are paid whether or not they are used."),
    ]  # fmt: skip
    frame = pl.DataFrame(rows, ["label", "value", "reason"], orient="row")
    shown = {"value": words("Value"), "reason": words("Why so")}
    return Table("Assumptions about the service", frame, {"label": "Assumed"}, shown)
