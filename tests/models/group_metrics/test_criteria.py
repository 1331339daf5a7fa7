"""The identity that ties prevalence, TPR, FPR and PPV."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iesoresearch.errors import ParameterError
from iesoresearch.models.group_metrics import conflict

SHARE = st.floats(0.02, 0.98)


def test_by_hand():
    """Of 1,000: 500 and 200 with the outcome, 80 % of them and 20 % of the others chosen."""
    found = conflict([0.5, 0.2], [0.8, 0.8], [0.2, 0.2], ["a", "b"], "a")
    b = found.row(1, named=True)
    assert (b["level"], b["ppv"], b["selection_rate"]) == ("b", *map(pytest.approx, (0.5, 0.32)))
    # in a 400 of 500 chosen have the outcome; with 160 such, b may have 40 others of 800
    assert b["fpr_needed"] == pytest.approx(40 / 800)
    assert b["ppv_needed"] == pytest.approx(b["ppv"])
    assert b["selection_rate_needed"] == pytest.approx(0.32)
    # 160 chosen without the outcome want 640 with it, of 200: it cannot be
    assert b["tpr_needed"] == pytest.approx(640 / 200)
    # chosen as often as in a, 500: 160 with the outcome, or four of five, 400 of 200
    assert b["ppv_at_equal_selection"] == pytest.approx(160 / 500)
    assert b["tpr_at_equal_selection"] == pytest.approx(400 / 200)


@settings(deadline=None, max_examples=50)
@given(st.tuples(SHARE, SHARE, SHARE), st.tuples(SHARE, SHARE, SHARE))
def test_identity_of_chouldechova(one, other):
    """It holds as things are, and where two rates are those of the reference."""
    prevalence, tpr, fpr = np.array([one, other]).T
    found = conflict(prevalence, tpr, fpr, ["one", "other"], "one")
    first, second = found.row(0, named=True), found.row(1, named=True)
    odds = second["prevalence"] / (1 - second["prevalence"])
    for which in (
        (second["tpr"], second["fpr"], second["ppv"]),
        (first["tpr"], second["fpr_needed"], first["ppv"]),
        (first["tpr"], first["fpr"], second["ppv_needed"]),
        (second["tpr_needed"], first["fpr"], first["ppv"]),
    ):
        assert odds * (1 - which[2]) / which[2] * which[0] == pytest.approx(which[1])
    for name in ("tpr", "fpr", "ppv", "selection_rate"):
        assert first[f"{name}_needed"] == pytest.approx(first[name])


def test_nothing_conflicts_where_prevalences_are_equal():
    found = conflict([0.3, 0.3], [0.7, 0.5], [0.2, 0.4], ["a", "b"], "a")
    for name in ("fpr", "tpr", "ppv", "selection_rate"):
        assert found[f"{name}_needed"][1] == pytest.approx(found[name][0])
    for name in ("tpr", "ppv"):
        assert found[f"{name}_at_equal_selection"][1] == pytest.approx(found[name][0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0.5], [0.5, 0.5], [0.5], ["a"], "a"), "as many as groups"),
        (([0.5], [0.5], [0.5], ["a"], "b"), "the reference is none of the groups"),
        (([0.0], [0.5], [0.5], ["a"], "a"), "above 0 and below 1"),
        (([0.5], [np.nan], [0.5], ["a"], "a"), "above 0 and below 1"),
        (([0.5], [0.5], [1.0], ["a"], "a"), "above 0 and below 1"),
    ],
)
def test_refused(arguments, message):
    with pytest.raises(ParameterError, match=message):
        conflict(*arguments)
