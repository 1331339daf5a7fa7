"""A finished course, against the general engine and the published recovery."""

import numpy as np
import pytest
from scipy import stats

from iesoresearch.data import published
from iesoresearch.data.health_economics import load_inputs
from iesoresearch.errors import ParameterError
from iesoresearch.models.waiting import WaitingModel, as_cohort_model, base_case, finished_course

BASE = base_case(load_inputs())


def test_it_agrees_with_the_general_engine():
    model = WaitingModel(second_wait_weeks=6)
    draws = BASE | {"engaged_nhs_tt": np.array([1.0]), "dropout_per_week": np.array([0.0])}
    found = finished_course(model, draws, wait=0)
    cohort = as_cohort_model(model, draws, 0, 0)
    edges = np.array([9.5, 14.5, 19.5, 27.5])
    mass = np.diff(stats.norm(15.9, 5.5).cdf(edges))
    end = 6 + 15
    shares = [cohort.trace(0, s)[end].reshape(-1, 5)[:, :2].sum() for s in (1, 2, 3)]
    assert found.treated[0] == pytest.approx((mass * shares).sum() / mass.sum())


def test_recovery_after_a_course_is_near_the_published_one_but_for_the_slowest_scenario():
    """Not fitted: the base case and "constant" come near it, Catarino's rates stay far below."""
    figures = published.load().filter(
        period="2024-25", org="England", breakdown="problem", group="depression"
    )
    nhs = figures.filter(measure="recovery", statistic="percentage")["value"].item() / 100
    for recovery in ("waiting list", "constant"):
        found = finished_course(WaitingModel(recovery=recovery), BASE, wait=3)
        assert found.untreated[0] + 0.2 < found.treated[0]
        assert found.treated[0] == pytest.approx(nhs, abs=0.05)
    slow = finished_course(WaitingModel(recovery="severity-specific"), BASE, wait=3)
    assert slow.untreated[0] + 0.2 < slow.treated[0] < nhs - 0.1


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(ParameterError, match="Ask for depression"):
        finished_course(WaitingModel("anxiety"), BASE)
    with pytest.raises(ParameterError, match="up to 40 weeks after referral, after the horizon"):
        finished_course(WaitingModel(horizon_weeks=30), BASE, wait=5)
