"""Questions to an outcome, by hand."""

import numpy as np
import pytest

from iesoresearch.data.health_economics import load_inputs
from iesoresearch.errors import ParameterError
from iesoresearch.models.waiting import Outcome, WaitingModel, draw_inputs


def made():
    """Two draws, one band, waits 0, 2, 4."""
    shape = (2, 1, 3)
    background = np.array([[[10.0, 14, 18]], [[10.0, 20, 40]]])
    therapy = np.full(shape, 100.0)
    return Outcome(
        bands=("mild",),
        waits=np.array([0, 2, 4]),
        background=background,
        therapy=therapy,
        productivity_weeks=np.array([[[1.0, 2, 3]], [[0.0, 0, 0]]]),
        week_of_work=np.array([500.0, 600.0]),
        qaly={"SF-6D": np.array([[[1.0, 0.99, 0.98]], [[1.0, 0.9, 0.8]]])},
        treated=np.ones(shape),
        weeks_waited=np.array([[[0.0, 2, 4]], [[0.0, 1, 2]]]),
        course=np.array([[200.0], [200.0]]),
    )


def test_perspectives_are_kept_apart_and_added_only_by_name():
    out = made()
    assert out.cost_of_waiting("nhs cash")[:, 0].tolist() == [[0, 4, 8], [0, 10, 30]]
    assert out.cost_of_waiting("productivity")[:, 0].tolist() == [[0, 500, 1000], [0, 0, 0]]
    health = out.cost_of_waiting("health", wtp=30_000)
    assert health[:, 0] == pytest.approx(np.array([[0, 300, 600], [0, 3000, 6000]]))
    both = out.cost_of_waiting(("nhs cash", "health"), wtp=30_000)
    assert both == pytest.approx(health + out.cost_of_waiting())


def test_per_week_on_the_list():
    found = made().per_patient_week("nhs cash")[:, 0]
    assert np.isnan(found[:, 0]).all()
    assert found[:, 1:].tolist() == [[2, 2], [10, 15]]


def test_break_even_counts_who_never_gets_there():
    even = made().break_even("health")  # £0, 200, 400 and £0, 2,000, 4,000 against £200
    assert even.weeks[:, 0].tolist() == [2, 2]
    assert even.never.tolist() == [0]
    assert even.probability[0].tolist() == pytest.approx([0, 0.5, 1], abs=0.5)
    even = made().break_even("productivity")
    assert even.weeks[0, 0] == 2
    assert np.isnan(even.weeks[1, 0])
    assert even.never.tolist() == [0.5]
    assert even.probability[0].tolist() == [0, 0.5, 0.5]
    assert even.quantiles((0.25, 0.9))[0].tolist() == [2, np.inf]


def test_what_is_not_to_be_had_is_refused():
    out = made()
    with pytest.raises(ParameterError, match='no perspective "society"; choose from nhs cash'):
        out.cost_of_waiting("society")
    with pytest.raises(ParameterError, match='QALYs by "EQ-5D" are not to be had here, only by SF'):
        out.cost_of_waiting("health", instrument="EQ-5D")
    with pytest.raises(ParameterError, match="at least one perspective"):
        out.cost_of_waiting(())
    anxiety = WaitingModel("anxiety").evaluate(draw_inputs(load_inputs(), 2, 1), [0, 1])
    assert anxiety.productivity is None
    assert list(anxiety.qaly) == ["SF-6D"]
    with pytest.raises(ParameterError, match="left out for anxiety"):
        anxiety.cost_of_waiting("productivity")
    late = WaitingModel().evaluate(draw_inputs(load_inputs(), 2, 1), [1, 2])
    with pytest.raises(ParameterError, match="needs wait 0 among the waits"):
        late.cost_of_waiting()
