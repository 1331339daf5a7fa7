"""Corrected for optimism, a model is as good as it turns out to be in new patients."""

import numpy as np
import pytest

MEASURES = ("auc", "slope", "brier")


@pytest.fixture(scope="module")
def found(reported):
    replicates = reported("recovery_refits")
    refits = [r for r in replicates if r["part"] == "refit"]
    (new,) = (r for r in replicates if r["part"] == "new patients")
    own, original = (np.array([r[name] for r in refits]) for name in ("own", "original"))
    return own, original, new


def test_there_are_as_many_refits_as_the_issue_of_a_pipeline_asks_for(found):
    own, _, new = found
    assert own.shape == (200, len(MEASURES))
    assert min(new["n"], new["n_new"]) > 3000


@pytest.mark.parametrize("measure", MEASURES)
def test_corrected_numbers_are_those_of_new_patients(found, measure):
    """Within three standard errors of what 5,000 new patients show (their own sampling error)."""
    own, original, new = found
    j = MEASURES.index(measure)
    corrected = np.array(new["apparent"])[j] - (own - original).mean(axis=0)[j]
    # a sample's spread about everybody's value is that of new patients, and of the old ones
    spread = own.std(axis=0, ddof=1)[j]
    assert abs(corrected - new["new"][j]) < 3 * spread * np.sqrt(2)


def test_the_apparent_auc_is_too_good(found):
    own, original, new = found
    optimism = own[:, 0] - original[:, 0]
    error = optimism.std(ddof=1) / np.sqrt(len(optimism))
    assert optimism.mean() > 3 * error
    assert new["apparent"][0] > new["new"][0]


def test_two_percent_come_out_again(assert_again):
    assert_again("recovery_refits", rel=1e-4)
