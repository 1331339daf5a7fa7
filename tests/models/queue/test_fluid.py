"""The fluid against its steady state, the mean of simulations, and what must hold of any queue."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import integrate

from iesoresearch.errors import ParameterError
from iesoresearch.models import queue


def service(rate=800.0, **changes):
    plain = {
        "referrals_per_week": rate, "bands": ("mild", "severe"), "mix": (0.6, 0.4),
        "recovery": (0.012, 0.003), "drop_out": (0.03, 0.01), "assessments_per_week": 1.0,
        "lag_weeks": 2.0, "wait_weeks": 1.5, "continues": 0.6, "course_cv": 0.5,
        "routes": (queue.Route("low", 0.7, 1, 8.0, 3.0, 1.0),
                   queue.Route("high", 0.3, 1, 16.0, 2.0, 9.0)),
    }  # fmt: skip
    return queue.in_balance(queue.Service(**plain | changes))


def test_flows_of_the_steady_state_are_those_of_integrals():
    """By quadrature over the booking delay: who is still there after it and the list."""
    found, s = queue.steady(service()), service()
    for b, hazard in enumerate(s.hazards[0]):
        stays, _ = integrate.quad(lambda t, h=hazard: np.exp(-t / 2 - h * (t + 1.5)) / 2, 0, 200)
        assert found.stays_first[b] == pytest.approx(stays, rel=1e-8)
        # mean of the time to the session or to leaving: integral of the share still waiting
        early, _ = integrate.quad(lambda t, h=hazard: np.exp(-h * t), 0, 1.5)
        late, _ = integrate.quad(lambda t, h=hazard: np.exp(-h * t - (t - 1.5) / 2), 1.5, 300)
        arriving = 800 * s.mix[b]
        assert found.first[b] == pytest.approx(arriving * stays, rel=1e-8)
        assert found.waiting_first[b] == pytest.approx(arriving * (early + late), rel=1e-6)


def test_without_leaving_little_s_law_is_arrivals_times_waits():
    found = queue.steady(service(recovery=(0, 0), drop_out=(0, 0)))
    assert found.waiting_first.sum() == pytest.approx(800 * 3.5)
    assert found.waiting_second.sum(axis=1) == pytest.approx(
        [800 * 0.6 * 0.7 * 4.0, 800 * 0.6 * 0.3 * 11.0]
    )
    assert found.courses.sum() == pytest.approx(480)


@pytest.mark.parametrize("cv", [0.0, 0.5, 1.0])
def test_what_is_in_balance_stays_as_it_is(cv):
    s = service(rate=8000.0, course_cv=cv)
    found, steady = queue.fluid(s, queue.Scenario("as it is")), queue.steady(s)
    expected = [steady.waiting_first.sum(), steady.waiting_second.sum()]
    assert found.waiting[:, 0] == pytest.approx(expected, rel=1e-3)
    assert found.waiting[:, -1] == pytest.approx(expected, rel=0.01)
    assert found.sessions[1] == pytest.approx(np.full(104, steady.courses.sum()), rel=0.01)
    assert found.on_list[:, -1] == pytest.approx([1.5, 1.0, 9.0], abs=0.3)
    assert found.patient_weeks == pytest.approx(104 * sum(expected), rel=0.01)


@pytest.mark.parametrize(
    "scenario",
    [
        queue.Scenario("more referrals", demand=1.2),
        queue.Scenario("fewer", demand=0.8),
        queue.Scenario("more places", places=1.15),
        queue.Scenario("fewer places", places=(0.9, 0.6)),
        queue.Scenario("no places", places=0.0),
        queue.Scenario("fewer first sessions", assessments=0.8),
        queue.Scenario("no first sessions", assessments=0.0),
    ],
    ids=lambda s: s.name,
)
def test_fluid_is_the_mean_of_simulations_for_large_numbers(scenario):
    s = service()
    found, simulated = queue.fluid(s, scenario, 60), queue.simulate(s, [scenario], 60, 3, 2)
    mean = simulated.waiting[0].mean(axis=0)
    # chance moves lists near balance by about the root of some weeks' flow
    assert np.abs(found.waiting - mean).max() < 0.03 * found.waiting.max() + 100
    held = simulated.sessions[0].mean(axis=0).sum(axis=1)
    assert found.sessions.sum(axis=1) == pytest.approx(held, rel=0.02, abs=10)
    assert found.patient_weeks == pytest.approx(simulated.patient_weeks[0].sum() / 3, rel=0.04)


def test_more_capacity_never_lengthens_the_list_in_the_fluid():
    s = service()
    lists = [
        queue.fluid(s, queue.Scenario("p", places=f)).waiting[1] for f in (0.8, 0.9, 1.0, 1.1, 1.2)
    ]
    assert (np.diff(lists, axis=0) <= 1e-6).all()


def test_wait_under_lasting_overload_is_that_at_which_enough_have_left():
    """Whitt's fluid limit of a queue with abandonment: exp(-hazard * wait) = capacity / demand."""
    s = service(
        recovery=(0.0, 0.0), drop_out=(0.03, 0.0), lag_weeks=0.0, wait_weeks=0.0, mix=(0.5, 0.5)
    )
    found = queue.fluid(s, queue.Scenario("more", demand=1.25), 520)
    assert found.on_list[0, -1] == pytest.approx(np.log(1.25) / 0.03, abs=2 / 7)


def test_fluid_refuses_what_it_does_not_know():
    with pytest.raises(ParameterError, match="'severe first' serves by severity; the fluid knows"):
        queue.fluid(service(), queue.Scenario("severe first", priority=True))
    with pytest.raises(ParameterError, match=r"shorter than a course of high \(16 weeks\)"):
        queue.fluid(service(), queue.Scenario("s"), 12)


def test_whole_places_leave_the_balance_nearly_as_it_was():
    s = service(rate=100.0)
    exact = queue.steady(s).courses.sum(axis=1) * [8.0, 16.0]
    assert [r.places for r in s.routes] == np.round(exact).tolist()
    assert replace(s, course_cv=0.0).routes == s.routes


def test_spare_capacity_is_there_where_nobody_stands_on_the_list():
    s = service(wait_weeks=0.0)
    spare = queue.in_balance(s, 0.1)
    assert spare.assessments_per_week == pytest.approx(1.1 * s.assessments_per_week)
    assert spare.routes == s.routes
    with pytest.raises(ParameterError, match=r"spare=-0\.1 must be a share"):
        queue.in_balance(s, -0.1)
