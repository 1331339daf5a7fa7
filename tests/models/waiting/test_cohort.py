"""The fast evaluation equals the general engine, and simulated individuals."""

import numpy as np
import pytest

from iesoresearch.data.health_economics import load_inputs
from iesoresearch.models.microsimulation import simulate
from iesoresearch.models.waiting import WaitingModel, as_cohort_model, draw_inputs

DRAWS = draw_inputs(load_inputs(), 3, 11)
SETTINGS = [
    {},
    {"recovery": "declining", "provider": "ieso"},
    {"recovery": "constant", "horizon_weeks": 52, "second_wait_weeks": 1},
    {"recovery": "waiting list", "treat_recovered": True, "effect": "mean", "horizon_weeks": 260},
    {"recovery": "none", "horizon_weeks": 30},
    {"condition": "anxiety"},
    {"condition": "anxiety", "recovery": "waiting list", "second_wait_weeks": 7},
]


def parts(outcome):
    found = {"background": outcome.background, "therapy": outcome.therapy, **outcome.qaly}
    if outcome.productivity_weeks is not None:
        found["productivity"] = outcome.productivity_weeks
    return found


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_all_rewards_equal_those_of_the_general_engine(settings):
    model = WaitingModel(**settings)
    longest = min(52, model.horizon_weeks)
    found = parts(model.evaluate(DRAWS, range(longest + 1)))
    for wait in (0, 1, 13, longest):
        for draw in (0, 2):
            totals = as_cohort_model(model, DRAWS, draw, wait).totals()
            assert set(totals) == set(found)
            for name, expected in totals.items():
                assert found[name][draw, :, wait] == pytest.approx(expected[0], rel=0, abs=1e-9)


def test_occupancy_sums_to_one_and_shares_agree():
    model = WaitingModel(recovery="declining", horizon_weeks=104)
    outcome = model.evaluate(DRAWS, range(20))
    cohort = as_cohort_model(model, DRAWS, 1, 17)
    trace = cohort.trace(0, 2)
    assert trace.sum(1) == pytest.approx(np.ones(105), abs=1e-12)
    phase = np.array([s.split(",")[0] for s in cohort.states])
    waiting = trace[:, phase == "waiting"].sum(1)
    assert outcome.weeks_waited[1, 2, 17] == pytest.approx(waiting[:17].sum())
    seconds = model.arrays(DRAWS).second_weeks[1]
    came = [trace[18 + w, phase == f"treatment {g}"].sum() for g, w in enumerate(seconds, 1)]
    assert outcome.treated[1, 2, 17] == pytest.approx(sum(came))
    assert (trace[18:, phase == "waiting"] == 0).all()
    ended = 17 + 20 + 26 + 20  # no class of second wait lasts longer
    assert trace[ended:, phase == "after"].sum(1) == pytest.approx(outcome.treated[1, 2, 17])


@pytest.mark.parametrize("condition", ["depression", "anxiety"])
def test_individuals_agree_within_four_standard_errors(condition):
    cohort = as_cohort_model(WaitingModel(condition), DRAWS, 0, 9)
    simulated = simulate(cohort, 4000, 5)
    for name, expected in cohort.totals().items():
        collected = simulated.individuals[name]
        error = collected.std(0, ddof=1) / np.sqrt(len(collected))
        assert (abs(collected.mean(0) - expected[0]) <= 4 * error).all(), name
