"""States with a clock, by hand and beside what they must not change."""

import numpy as np
import pytest

from iesoresearch.errors import ParameterError
from iesoresearch.models.markov_cohort import (
    YEAR,
    CohortModel,
    Reward,
    expand,
    hazards,
    weibull_hazards,
)

STATES = ("well", "ill", "dead")
P = np.array([[0.8, 0.15, 0.05], [0.3, 0.6, 0.1], [0, 0, 1]])


def test_two_cycles_of_residence_by_hand():
    split = expand(STATES, P, {"ill": [[0.4, 0.5, 0.1], [0.2, 0.7, 0.1]]})
    assert split.states == ("well", "ill_1", "ill_2", "dead")
    expected = [[0.8, 0.15, 0, 0.05], [0.4, 0, 0.5, 0.1], [0.2, 0, 0.7, 0.1], [0, 0, 0, 1]]
    assert (split.transitions[0, 0, 0] == expected).all()
    assert list(split.values([1, 2, 3])) == [1, 2, 2, 3]
    assert list(split.start([0.5, 0.4, 0.1])) == [0.5, 0.4, 0, 0.1]
    assert split.moves(np.arange(9).reshape(3, 3))[2].tolist() == [3, 4, 4, 5]
    assert list(split.collapse([0.1, 0.2, 0.3, 0.4])) == pytest.approx([0.1, 0.5, 0.4])


def test_a_clock_that_changes_nothing_changes_nothing():
    split = expand(STATES, P, {"ill": np.tile(P[1], (5, 1)), "well": np.tile(P[0], (2, 1))})

    def model(states, start, p, values, moves):
        reward = Reward("it", values, "end", transition=moves, transition_weights=np.ones(12))
        return CohortModel(states, ("only",), start, p, (reward,), 12, YEAR)

    values, moves = np.array([1.0, 2.0, 0.0]), np.arange(9.0).reshape(3, 3)
    plain = model(STATES, [1, 0, 0], P, values, moves)
    clocked = model(
        *(split.states, split.start([1, 0, 0]), split.transitions),
        *(split.values(values), split.moves(moves)),
    )
    assert clocked.totals()["it"] == pytest.approx(plain.totals()["it"], rel=1e-12)
    np.testing.assert_allclose(split.collapse(clocked.trace()), plain.trace(), atol=1e-14)


def test_everybody_leaves_when_the_clock_says_so():
    wait = np.array([[0.0, 1.0, 0.0]] * 2 + [[1.0, 0.0, 0.0]])
    split = expand(STATES, P, {"ill": wait})
    reward = Reward("waiting", split.values([0.0, 1.0, 0.0]), "start")
    only = split.start([0.0, 1.0, 0.0])
    three = CohortModel(split.states, ("only",), only, split.transitions, (reward,), 3, YEAR)
    assert three.totals()["waiting"] == 3
    assert three.trace()[3, 0] == 1


def test_hazards_by_hand():
    assert weibull_hazards(0.08, 1.1, 3) == pytest.approx(
        np.diff(np.array([0, 0.08, 0.16, 0.24]) ** 1.1)
    )
    assert weibull_hazards(0.2, 1.0, 4) == pytest.approx(np.full(4, 0.2))
    draws = weibull_hazards(np.array([0.08, 0.2]), np.array([1.1, 1.0]), 3)
    assert draws[0] == pytest.approx(weibull_hazards(0.08, 1.1, 3))
    assert hazards(np.log1p, 2) == pytest.approx([np.log(2), np.log(1.5)])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: expand(STATES, P, {"sick": P}), 'clock for "sick", which is no state: well, ill'),
        (
            lambda: expand(STATES, P, {"ill": [[0.5, 0.5]]}),
            r'clock of "ill" of a model with 3 states has shape \(1, 2\)',
        ),
        (lambda: expand(STATES, P[None], {}), r"Transitions of a model .* shape \(1, 3, 3\)"),
        (lambda: expand(STATES, np.ones((2, 3)), {}), r"Transitions .* shape \(2, 3\); expected"),
        (lambda: hazards(lambda t: -t, 3), "never falls; this one does, or is NaN, in cycle 1"),
        (lambda: weibull_hazards(-1, 1, 3), "must both be above zero"),
    ],
)
def test_clocks_that_cannot_be(call, message):
    with pytest.raises(ParameterError, match=message):
        call()
