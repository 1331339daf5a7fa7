"""The same queue by simulation of events with simpy: a second opinion on `lists`, much slower."""

import numpy as np
import simpy

from iesoresearch.models.queue.lists import front_door
from iesoresearch.models.queue.people import People, residual_lengths
from iesoresearch.models.queue.service import Scenario, Service


def follow_by_events(
    service: Service, scenario: Scenario, people: People, weeks: float
) -> tuple[np.ndarray, np.ndarray]:
    """Offers of first and second sessions to `people`, as in `lists.follow`.

    Returns
    -------
    tuple of numpy.ndarray
        (people,) ``offered_first`` and ``offered_second``, infinity if none until `weeks`.
    """
    supply = service.scaled(scenario)
    model = simpy.Environment()
    desk_free, visit = front_door(supply, 1)
    desk = _places(model, desk_free)
    routes = [
        _places(model, residual_lengths(route.places, route.course_weeks, service.course_cv))
        for route in supply.routes
    ]
    offered = np.full((2, len(people)), np.inf)

    def patient(i):
        before = people.first_before[i]
        gone = min(people.gives_up_first[i], people.recovers[i])
        if np.isnan(before):
            yield from _stand_in_line(i, 0, desk, people.ready[i], gone, visit[0] if desk else 0)
            before = offered[0, i]
        offered[0, i] = before
        if not people.goes_on[i]:
            return
        until = min(before + people.patience_second[i], people.recovers[i])
        until = until if before <= gone else -np.inf
        ready = before + people.lag_second[i]
        yield from _stand_in_line(i, 1, routes[people.route[i]], ready, until, people.course[i])

    def _stand_in_line(i, stage, places, ready, until, length):
        yield model.timeout(max(ready - model.now, 0.0))
        if places is None:
            yield model.event()  # that never comes
        severity = -people.band[i] if scenario.priority else 0
        # on the list since before the start: those keep their order among each other
        request = places.request(priority=(severity, min(ready, 0.0)))
        yield request
        offered[stage, i] = model.now
        if model.now <= until:
            model.process(_hold(model, places, request, length))
        else:
            places.release(request)

    for i in range(len(people)):
        model.process(patient(i))
    model.run(until=np.nextafter(weeks, np.inf))
    return offered[0], offered[1]


def _places(model, free) -> simpy.PriorityResource | None:
    """Places that are taken until they become free for the first time; None without any."""
    if not len(free):
        return None
    places = simpy.PriorityResource(model, len(free))
    for until in free:
        request = places.request(priority=(-np.inf, 0.0))
        model.process(_hold(model, places, request, until))
    return places


def _hold(model, places, request, length):
    yield request
    yield model.timeout(length)
    places.release(request)
