"""Published waits are met, against integrals and drawn patients; costs by hand."""

from dataclasses import replace

import numpy as np
import pytest

from iesoresearch.errors import ParameterError
from iesoresearch.models import queue

#: England 2024-25, finished courses (annual report).
FIRST = np.array([545_715, 91_510, 18_179, 15_015])
SECOND = np.array([268_954, 145_392, 97_487, 158_586])
ROUTES = (
    queue.Route("low intensity first", 0.825, 0, 15.0),
    queue.Route("high intensity only", 0.175, 0, 15.0),
)


def published(**changes):
    plain = {
        "first": tuple(FIRST / FIRST.sum()), "second": tuple(SECOND / SECOND.sum()),
        "courses_per_first": 0.52, "further_first": {6.0: 0.916, 18.0: 0.987},
    }  # fmt: skip
    return queue.Published(**plain | changes)


def calibrate(account, data=None, **changes):
    plain = {
        "referrals_per_week": 400.0, "bands": ("mild", "severe"), "mix": (0.6, 0.4),
        "recovery": (0.008, 0.003), "drop_out": (0.01, 0.01), "routes": ROUTES,
    }  # fmt: skip
    return queue.calibrate(data or published(), account, **plain | changes)


@pytest.mark.parametrize("account", [queue.ROUTES, queue.SERVICES])
def test_the_steady_state_simulated_has_the_published_second_waits(account):
    found = calibrate(account)
    assert found.worst < 0.02
    assert np.abs(found.fitted["second"] - found.published["second"]).max() < 0.003
    simulated = queue.simulate(found.service, [queue.Scenario("as it is")], 104, 3, 1)
    shares = simulated.bands_of_waits[0].mean(axis=0)
    assert shares[1] == pytest.approx(SECOND / SECOND.sum(), abs=0.03)
    # a front door in exact balance has a short list by chance alone, which the fit has not
    assert shares[0] == pytest.approx(FIRST / FIRST.sum(), abs=0.045)
    assert simulated.waiting[0, :, 1, -1].mean() == pytest.approx(
        simulated.waiting[0, :, 1, 0].mean(), rel=0.15
    )


def test_courses_over_first_sessions_are_as_published():
    flows = queue.steady(calibrate(queue.ROUTES).service)
    assert flows.courses.sum() / flows.first.sum() == pytest.approx(0.52)
    assert flows.courses.sum(axis=1) / flows.courses.sum() == pytest.approx([0.825, 0.175])


@pytest.mark.parametrize("stage", ["first", "second"])
def test_a_planted_service_is_found_again(stage):
    """Waits of two routes with a common delay, in shares, give the delay and the lists back."""
    lag, lists = (2.0, (1.0, 1.0)) if stage == "first" else (3.0, (1.0, 10.0))

    def still(week):
        return sum(
            share * np.exp(-max(week - wait, 0) / lag)
            for share, wait in zip((0.825, 0.175), lists, strict=True)
        )

    cuts = [1 - still(days / 7) for days in (28, 56, 90)]
    shares = tuple(np.diff([0.0, *cuts, 1.0]))
    further = {6.0: 1 - still(6.0), 18.0: 1 - still(18.0)} if stage == "first" else {}
    data = published(**{stage: shares, "further_first": further})
    # nobody leaves: booking delays of those who stay are those of all
    found = calibrate(queue.ROUTES, data, drop_out=(0, 0), recovery=(0, 0)).service
    if stage == "first":
        assert (found.lag_weeks, found.wait_weeks) == pytest.approx((2.0, 1.0), abs=0.01)
    else:
        assert [r.wait_weeks for r in found.routes] == pytest.approx([1.0, 10.0], abs=0.05)
        assert found.routes[0].lag_weeks == pytest.approx(3.0, abs=0.02)


def test_kinds_of_service_have_the_mean_wait_of_their_band():
    """Exponential waits of mean 8: the mean in a band by numerical integration."""
    t = np.linspace(0, 400, 4_000_001)
    density = np.exp(-t / 8) / 8
    edges = [0.0, 4.0, 8.0, 90 / 7, 400.0]
    survival = np.exp(-np.array(edges[:-1]) / 8)
    data = published(second=tuple(-np.diff([*survival, 0.0])))
    waits = [r.wait_weeks for r in calibrate(queue.SERVICES, data).service.routes]
    for wait, low, high in zip(waits, edges[:-1], edges[1:], strict=True):
        inside = (t >= low) & (t < high)
        expected = (t * density)[inside].sum() / density[inside].sum()
        assert wait == pytest.approx(expected, rel=1e-3)


def test_mean_wait_follows_little_s_law_without_leaving():
    found = calibrate(queue.ROUTES, drop_out=(0, 0), recovery=(0, 0))
    flows = queue.steady(found.service)
    assert flows.waiting_first.sum() / 400 == pytest.approx(found.mean_wait["first"])
    joining = flows.courses.sum()
    assert flows.waiting_second.sum() / joining == pytest.approx(found.mean_wait["second"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"first": (0.5, 0.2, 0.2, 0.2)}, "The first waits must be four shares that add up to one"),
        ({"second": (0.5, 0.5)}, "The second waits must be four shares"),
        ({"courses_per_first": 1.2}, "must lie above 0 and not above 1; they are 1.2"),
    ],
)
def test_impossible_figures_are_refused(changes, message):
    with pytest.raises(ParameterError, match=message):
        published(**changes)


def test_an_unknown_account_is_refused():
    with pytest.raises(ParameterError, match="account='all' is none of 'between patients'"):
        calibrate("all")


def test_too_few_who_stay_are_refused():
    with pytest.raises(ParameterError, match=r"too few stay: .* Lower the hazards"):
        calibrate(queue.SERVICES, drop_out=(0.1, 0.1))


def test_all_settings_are_checked_as_those_of_a_service():
    with pytest.raises(ParameterError, match="mix must be shares"):
        calibrate(queue.ROUTES, mix=(0.9, 0.9))
    with pytest.raises(ParameterError, match="shares of routes must be shares"):
        calibrate(queue.ROUTES, routes=(replace(ROUTES[0], share=0.5),))
