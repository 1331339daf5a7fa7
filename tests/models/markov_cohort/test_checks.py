"""Every bad input is named with its place, and there is no result."""

import numpy as np
import pytest

from iesoresearch.errors import ParameterError
from iesoresearch.models.markov_cohort import (
    CohortModel,
    Duration,
    Reward,
    evaluate_in_chunks,
)

MONTH = Duration(1, "month")
P = np.broadcast_to([[0.7, 0.2, 0.1], [0.3, 0.6, 0.1], [0, 0, 1]], (3, 2, 4, 3, 3))
STATES = ("well", "ill", "dead")


def model(p=P, start=(1, 0, 0), values=(1.0, 2.0, 0), counting="end", schedule=None, **more):
    reward = Reward("cost", values, counting, **more)
    return CohortModel(STATES, ("usual", "new"), start, p, (reward,), 4, MONTH, schedule)


def changed(index, value):
    p = P.copy()
    p[index] = value
    return p


ROW = changed((2, 1, 3, 0, 0), 0.8)
EVERYWHERE = changed((slice(None), slice(None), slice(None), 0, 0), 0.71)

VALUES = [
    (
        {"p": ROW},
        r"transitions from well: sum 1\.1 instead of 1 \(draw 2, strategy new, cycle 4\)",
    ),
    (
        {"p": changed((0, 0, 0, 2, 2), np.nan)},
        r"from dead to dead: NaN \(draw 0, strategy usual, cycle 1\)",
    ),
    (
        {"p": changed((1, 0, 2, 1), [-0.1, 1.2, -0.1])},
        r"ill to well: -0\.1 is negative \(draw 1, strategy usual, cycle 3\).*ill to dead: -0\.1 .*"
        r"ill to ill: 1\.2 is above 1",
    ),
    ({"p": EVERYWHERE}, r"sum 1\.01 instead of 1 \(draw 0, strategy usual, cycle 1, and 23 more\)"),
    (
        {"p": ROW, "start": [0.5, 0.4, 0]},
        r"sum 1\.1 instead .*; start: sum 0\.9 instead of 1 \(every draw, every strategy\)",
    ),
    (
        {"start": [[[1.0, 0, 0], [0.5, 0.6, -0.1]]]},
        r"start in dead: -0\.1 is negative \(every draw, strategy new\)",
    ),
    (
        {"values": [[[[0.08, 0.5, 0]]]], "utility": True},
        r'utility of reward "cost" in ill: 6 per year is above 1 \(every draw, every strategy\)',
    ),
    (
        {"values": np.full((1, 1, 5, 3), [[0], [1], [np.nan], [1], [1]])},
        r'values of reward "cost" in well: nan is no number \(.*point 2\)',
    ),
    (
        {"once": [[1.0, np.inf]]},
        r'once of reward "cost": inf is no number \(every draw, strategy new\)',
    ),
    (
        {"transition": np.full((3, 3), np.nan), "transition_weights": np.ones(4)},
        r"from well to well: nan is no number.*3 other states have such problems",
    ),
    ({"discount": [1, 1, np.nan, 1, 1]}, 'discount of reward "cost": entry 2 is no number'),
    (
        {"p": changed((0, 0, 1, 0, 0), 0.8)[:, :, :2], "schedule": [0, 0, 1, 1]},
        r"sum 1\.1 instead of 1 \(draw 0, strategy usual, entry 1 of the schedule\)",
    ),
]


@pytest.mark.parametrize(("inputs", "message"), VALUES, ids=range(len(VALUES)))
def test_values_that_cannot_be(inputs, message):
    bad = model(**inputs)
    for call in (bad.validate, bad.totals, bad.trace, bad.traces, bad.values_to_go):
        with pytest.raises(ParameterError, match=message) as error:
            call()
        assert "Nothing was computed" in str(error.value)
        assert "\n" not in str(error.value)


SHAPES = [
    ({"p": np.ones((3, 3, 3))}, r"transitions has 3 axes, expected 5 \(draws, .*\) or 2"),
    ({"p": "abc"}, "transitions is not an array of numbers"),
    ({"p": P[:, :, :3]}, "transitions is for 3 cycles, the model has 4 or 1"),
    ({"p": np.eye(2)}, "transitions is for 2 states, the model has 3"),
    ({"start": np.ones((4, 1, 3)) / 3}, r"numbers of draws differ \(transitions: 3, start: 4\)"),
    ({"values": np.ones((1, 3, 1, 3))}, 'values of reward "cost" is for 3 strategies, the model'),
    ({"values": np.ones((1, 1, 4, 3))}, r"for 4 cycles \+ 1, the model has 5 or 1"),
    ({"discount": np.ones(4)}, r'discount of reward "cost" has shape \(4,\), expected \(5,\)'),
    ({"discount": "3 %"}, 'discount of reward "cost" is not a vector of numbers'),
    ({"transition": np.ones((3, 3))}, "counts transitions but not how often"),
    ({"counting": None}, 'reward "cost" counts states but not when: give weights, such as "trap'),
    ({"counting": "half"}, '"half": choose from start, end'),
    ({"schedule": [0, 1, 2, 7]}, "schedule of transitions must hold whole numbers from 0 to 3"),
    ({"schedule": [0.0, 1.0, 2.0, 3.0]}, "must hold whole numbers"),
    ({"schedule": [0, 1]}, r"has shape \(1, 2\), expected \(4,\) or \(2, 4\)"),
]


@pytest.mark.parametrize(("inputs", "message"), SHAPES, ids=range(len(SHAPES)))
def test_shapes_that_do_not_fit(inputs, message):
    with pytest.raises(ParameterError, match=message):
        model(**inputs)


def test_names_that_are_there_twice_or_not_at_all():
    rewards = (Reward("c", [1, 1], "end"), Reward("c", [1, 1], "end"))
    with pytest.raises(ParameterError) as error:
        CohortModel(("a", "a"), (), [1, 0], np.eye(2), rewards, 2, MONTH)
    for part in ('state "a" is there twice', "no strategy", 'reward "c" is there twice'):
        assert part in str(error.value)


def test_a_cycle_without_a_unit():
    with pytest.raises(ParameterError, match="The cycle has no unit"):
        CohortModel(("a",), ("k",), [1], np.eye(1), (), 2, 12)
    with pytest.raises(ParameterError, match="number of cycles must be 1 or more; found 0"):
        CohortModel(("a",), ("k",), [1], np.eye(1), (), 0, MONTH)


def test_chunks_name_the_draw_with_which_they_begin():
    with pytest.raises(
        ParameterError, match=r"chunk that begins with draw 2: .*\(strategy new, cycle 4\)"
    ):
        evaluate_in_chunks(lambda rows: model(ROW[rows]), 3, 2)
    with pytest.raises(ParameterError, match="model of draws 0 to 1 has 3 draws instead of 2"):
        evaluate_in_chunks(lambda rows: model(), 3, 2)
    with pytest.raises(ParameterError, match="at least 1 draw in all, 1 per chunk and 1 thread"):
        evaluate_in_chunks(lambda rows: model(), 3, 0)
