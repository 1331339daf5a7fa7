"""Numbers and checks of the queue."""

import numpy as np

from iesoresearch.analyses.waiting.declared import chance_number, number, spread, three
from iesoresearch.analyses.waiting.queues import (
    AS_IS,
    LONGEST,
    Account,
    Queues,
    ladder_name,
)
from iesoresearch.models import queue
from iesoresearch.results import Check, Number

_LARGE = 50_000  # referrals a year of the service on which the fluid is tried
EVENTS_WEEKS = 52  # for which events are simulated
NEAR = 0.03  # by which the fluid may differ there
FITS = 0.02  # by which a share of the fitted waits may differ from a published one
STEADY = 0.2  # Monte Carlo error of a net saving, over its spread
_WAYS = {
    "queue_chance_cash": "NHS cash",
    "queue_chance_health": "NHS cash and health",
    "queue_chance": "and productivity",
}
_KEYS = {queue.ROUTES: "patients", queue.SERVICES: "services"}
_ADDED = ladder_name(LONGEST, 5.0)

#: Sentences for the parts of the text, templates of `queue_numbers`.
QUEUE_TEXT = {
    "plain": "A service with the published waits has {queue_waiting_patients} to "
    "{queue_waiting_services} patients waiting per 1,000 referrals a year. Adding 5 % of all "
    "places where the list is longest pays for itself within {queue_weeks} weeks with a "
    "probability of {queue_chance_cash_patients} in NHS cash, {queue_chance_health_patients} with "
    "health, and {queue_chance_patients} with productivity as well; if waits differ between "
    "services rather than patients, {queue_chance_cash_services}, {queue_chance_health_services} "
    "and {queue_chance_services}.",
    "reading": "Published are bands of waits, no mean and no list. Two services have these bands: "
    "one in which waits differ between patients, since much of a wait is a booking delay that "
    "capacity does not shorten, and one that stands for many services with lists of different "
    "length. What capacity does lies between the two.",
    "limits": "The size of lists, the order in which patients are seen and what becomes of those "
    "who leave are not published. All patients are costed as if they had depression. A shorter "
    "list at the end of the {queue_weeks} weeks is worth something to those referred later that is "
    "not counted, and costs are those of the year of referral.",
}


def queue_numbers(queues: Queues) -> dict[str, Number]:
    """What sentences quote, by account: names end in ``_patients`` and ``_services``."""
    found = {
        "queue_referrals": number(queues.params.queue_referrals),
        "queue_weeks": number(queues.params.queue_weeks),
        "queue_replications": number(queues.params.queue_replications),
        "queue_events": number(1e9 * events_apart(queues), 3, "billionths of a week"),
        "queue_fluid": number(100 * fluid_apart(queues), 1, "%"),
    }
    for name, account in queues.accounts.items():
        found |= {f"{key}_{_KEYS[name]}": x for key, x in _numbers(queues, account).items()}
    return found


def _numbers(queues: Queues, account: Account) -> dict[str, Number]:
    calibration, scale = account.calibration, 1000 / queues.params.queue_referrals
    flows = queue.steady(account.service)
    base, added = account.place(AS_IS), account.place(_ADDED)
    late = [100 * np.nanmean(account.simulated.beyond[k], axis=0)[1, 4] for k in (base, added)]
    per_referral = 1 / queues.params.queue_referrals
    found = {
        "queue_misfit": number(100 * calibration.worst, 1, "percentage points"),
        "queue_second_wait": number(calibration.mean_wait["second"], 1, "weeks"),
        "queue_waiting": number(
            scale * (flows.waiting_first.sum() + flows.waiting_second.sum()), 0
        ),
        "queue_late": number(late[0], 0, "%"),
        "queue_late_added": number(late[1], 0, "%"),
        "queue_error": number(100 * _error(account), 0, "%"),
    }
    for name, way in _WAYS.items():
        chance = (account.net(_ADDED, way) > 0).mean()
        found[name] = chance_number(chance, queues.params.n_draws)
    net = account.net(_ADDED) * per_referral
    most = three("queue_most", spread(account.most(LONGEST, "and productivity")), 0, "%")
    return found | most | three("queue_net", spread(net), 1, "thousand £")


def queue_checks(queues: Queues, numbers: dict[str, Number]) -> list[Check]:
    """Questions that the queue is asked, answered in templates of `queue_numbers`."""
    accounts = queues.accounts.values()
    worst = max(account.calibration.worst for account in accounts)
    error = max(_error(account) for account in accounts)
    return [
        Check(
            "queue_conserves",
            _passed(all(_conserved(queues, account) for account in accounts)),
            "Patients who arrived were served, gave up, recovered or still wait, and the number "
            "waiting, integrated over time, is the sum of their weeks (Little's law), to rounding.",
        ),
        Check(
            "queue_events",
            _passed(numbers["queue_events"].value < 1000),
            "A simulation of events offers each patient the same session as the recursion: the "
            "largest difference is {queue_events}.",
        ),
        Check(
            "queue_fluid",
            _passed(numbers["queue_fluid"].value <= 100 * NEAR),
            f"For a service of {_LARGE:,} referrals a year the weeks of waiting by a "
            "deterministic flow differ from the simulated ones by {queue_fluid}.",
        ),
        Check(
            "queue_fits",
            _passed(worst <= FITS),
            "The fitted service comes within {queue_misfit_patients} (waits differ between "
            "patients) and {queue_misfit_services} (between services) of every published share; "
            "the first wait, which a booking delay alone describes, fits worst.",
        ),
        Check(
            "queue_steady",
            "passed" if error <= STEADY else "inconclusive",
            "The Monte Carlo error of the net saving is {queue_error_patients} and "
            "{queue_error_services} of its spread over draws.",
        ),
    ]


def _passed(true: bool) -> str:
    return "passed" if true else "failed"


def _conserved(queues: Queues, account: Account) -> bool:
    outcomes = account.simulated.outcomes
    if (outcomes[..., 0] != outcomes[..., 1:].sum(axis=-1)).any():
        return False
    weeks, service = queues.params.queue_weeks, account.service
    run = queue.simulate_once(service, account.simulated.scenarios[0], weeks, queues.seed, 0)
    return all(
        np.isclose(*_both_sides(joined, left, weeks))
        for joined, left in zip(*queue.intervals(run), strict=True)
    )


def _both_sides(joined: np.ndarray, left: np.ndarray, weeks: float) -> tuple[float, float]:
    """Number on a list integrated from one event to the next, and the sum of all stays."""
    joined, left = (np.sort(np.clip(times, 0, weeks)) for times in (joined, left))
    times = np.sort(np.concatenate([joined, left]))
    number_there = np.searchsorted(joined, times, "right") - np.searchsorted(left, times, "right")
    return float(number_there[:-1] @ np.diff(times)), float((left - joined).sum())


def events_apart(queues: Queues) -> float:
    """Largest difference, weeks, between recursion and events, over patients of a replication."""
    account = next(iter(queues.accounts.values()))
    weeks = EVENTS_WEEKS
    scenario = queue.Scenario("severe first", places=0.9, priority=True)
    people = queue.draw_people(account.service, weeks, queues.seed, 0).of(scenario)
    run = queue.follow(account.service, scenario, people, weeks)
    found = queue.follow_by_events(account.service, scenario, people, weeks)
    apart = 0.0
    for one, other in zip((run.offered_first, run.offered_second), found, strict=True):
        if (np.isinf(one) != np.isinf(other)).any():
            return np.inf
        held = np.isfinite(one)
        apart = max(apart, float(np.abs(one[held] - other[held]).max(initial=0.0)))
    return apart


def fluid_apart(queues: Queues) -> float:
    """Relative difference of patient-weeks between flow and simulation, for a large service."""
    found = queues.calibrated(queue.ROUTES, referrals=_LARGE).service
    scenario = queue.Scenario("more referrals", demand=1.1, assessments=1.05, places=0.95)
    weeks = queues.params.queue_weeks
    flow = queue.fluid(found, scenario, weeks).patient_weeks
    simulated = queue.simulate(found, [scenario], weeks, 1, queues.seed).patient_weeks.sum()
    return abs(flow / simulated - 1)


def _error(account: Account) -> float:
    net = account.net(_ADDED)
    means = net.mean(axis=1)
    if len(means) < 2:
        return np.inf
    return float(means.std(ddof=1) / np.sqrt(len(means)) / net.mean(axis=0).std())
