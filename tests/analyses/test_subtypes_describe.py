"""States in plain words."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iesoresearch.analyses.subtypes.describe import STANDS_OUT, SYMPTOMS, describe, severity
from iesoresearch.measures import PHQ9
from iesoresearch.measures.instruments import GAD7


def lines(deviation, half_width, total=11.24):
    """The line of one state whose intervals reach `half_width` to both sides."""
    deviation = np.array([deviation], dtype=float)
    return describe(np.array([total]), deviation, deviation - half_width, deviation + half_width)


def test_a_state_with_more_and_less():
    # interest, mood, sleep, energy, appetite, self-worth, concentration, psychomotor, self-harm
    found = lines([0, 0, 0.31, 0.5, 0.29, -0.4, 0, 0, 0], 0.1)
    assert found == [
        "Moderate; more than others of equal severity: tiredness, poor sleep; less: low self-worth"
    ]


def test_more_alone_less_alone_and_neither():
    assert lines([0.4, *[0] * 8], 0.1) == [
        "Moderate; more than others of equal severity: loss of interest"
    ]
    assert lines([*[0] * 8, -0.4], 0.1) == [
        "Moderate; less than others of equal severity: thoughts of self-harm"
    ]
    assert lines([0.1] * 9, 0.05) == [
        "Moderate; no symptom surely stands out from others of equal severity"
    ]


def test_what_is_not_sure_is_not_mentioned():
    for half_width in (0.5, 0.6, np.nan):  # the interval touches 0, holds it, or is not there
        assert "stands out" in lines([0.5, *[0] * 8], half_width)[0]
        assert "stands out" in lines([-0.5, *[0] * 8], half_width)[0]
    assert "loss of interest" in lines([0.5, *[0] * 8], 0.49)[0]


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.lists(st.floats(-1, 1), min_size=9, max_size=9), st.floats(0, 0.6))
def test_a_symptom_is_named_where_it_stands_out_and_surely(deviation, half_width):
    line = lines(deviation, half_width)[0]
    for item, value in zip(PHQ9.items, deviation, strict=True):
        name = SYMPTOMS.get(item.name, item.name)
        named = abs(value) >= STANDS_OUT and abs(value) - half_width > 0
        assert (name in line) == named


@pytest.mark.parametrize(
    ("total", "expected"),
    [  # bands of Kroenke, Spitzer & Williams 2001
        (0, "Minimal"),
        (4.94, "Minimal"),
        (4.96, "Mild"),
        (9.9, "Mild"),
        (10, "Moderate"),
        (15, "Moderately severe"),
        (19.94, "Moderately severe"),
        (20, "Severe"),
        (27, "Severe"),
    ],
)
def test_severity_has_the_published_bands_of_the_number_shown(total, expected):
    assert severity(total) == expected


def test_other_questionnaires_have_their_own_names_and_bands():
    deviation = np.array([[0.5, 0, 0, 0, 0, 0, 0]])
    found = describe(np.array([15.0]), deviation, deviation - 0.1, deviation + 0.1, GAD7)
    assert found == ["Severe; more than others of equal severity: nervous"]


def test_every_name_with_words_is_an_item():
    assert set(SYMPTOMS) < {item.name for item in PHQ9.items}
