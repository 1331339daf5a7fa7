"""Hazards of natural recovery, against those printed in the facts of the project."""

import numpy as np
import pytest

from iesoresearch.data.health_economics import load_inputs
from iesoresearch.errors import ParameterError
from iesoresearch.models.waiting import SCENARIOS, base_case
from iesoresearch.models.waiting.scenarios import check, hazards

BASE = base_case(load_inputs())


def weekly(name, condition="depression"):
    found = hazards(SCENARIOS[name], condition, BASE)
    assert found.shape[0] == 1
    assert (found[..., 0] == 0).all()
    return found[0, :, 1:]


def test_interval_hazards_come_from_the_cumulative_figures():
    """Whiteford et al. 2013: 23, 32 and 53 % within 3, 6 and 12 months; not monotone."""
    assert np.round(weekly("declining"), 4).tolist() == [[0.02] * 4, [0.0095] * 4, [0.0142] * 4]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("constant", [0.0145] * 4),
        ("waiting list", [0.0167] * 4),
        ("none", [0.0] * 4),
    ],
)
def test_constant_hazards(name, expected):
    assert np.round(weekly(name)[0], 4).tolist() == expected


def test_severity_specific_hazards():
    """From 3.67 to 1.33 % a month: 0.0086 to 0.0031 a week; 0.60 % for anxiety: 0.0014."""
    found = np.round(weekly("severity-specific")[0], 4)
    assert (found[0], found[-1]) == (0.0086, 0.0031)
    assert np.round(weekly("severity-specific", "anxiety")[0], 4).tolist() == [0.0014] * 3


def test_anxiety_on_the_waiting_list():
    """9.5 % respond (NICE CG113) within the assumed 12 weeks."""
    assert weekly("waiting list", "anxiety")[0] == pytest.approx(-np.log(1 - 0.0952) / 12)


def test_every_scenario_says_where_it_comes_from():
    assert list(SCENARIOS) == ["waiting list", "severity-specific", "constant", "declining", "none"]
    names = {x.name for x in load_inputs()}
    for scenario in SCENARIOS.values():
        assert scenario.source
        assert set(scenario.conditions) == set(scenario.inputs)
        for inputs in scenario.inputs.values():
            assert all("{band}" in name or name in names for name in inputs)


def test_what_is_not_to_be_had_is_refused():
    with pytest.raises(ParameterError, match='no recovery scenario "fast"; choose from waiting'):
        check("fast", "depression")
    with pytest.raises(
        ParameterError, match="says nothing of anxiety; choose from waiting list, sev"
    ):
        check("declining", "anxiety")
    with pytest.raises(ParameterError, match="3, 6 and 12 months cannot fall"):
        hazards(
            SCENARIOS["declining"], "depression", BASE | {"remission_3_months": np.array([0.4])}
        )
