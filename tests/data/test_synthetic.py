"""The synthetic cohort is what its truth says."""

import json

import numpy as np
import polars as pl
import pytest
from scipy.stats import chisquare

from iesoresearch.data import synthetic
from iesoresearch.data.sources import from_folder
from iesoresearch.errors import DataError
from iesoresearch.measures import GAD7, PHQ9, WSAS


@pytest.fixture(scope="module")
def cohort():
    return synthetic.make(4000, seed=3)


def test_size_and_sessions(cohort):
    per_referral = cohort.contacts.group_by("referral_id").len()["len"]
    assert len(per_referral) == cohort.patients.height == 4000
    assert per_referral.min() == 2
    assert per_referral.max() == 20
    assert cohort.sensitivity == "synthetic"


def test_equal_seeds_equal_cohorts(cohort):
    again = synthetic.make(4000, seed=3)
    assert again.contacts.equals(cohort.contacts)
    assert not synthetic.make(4000, seed=4).contacts.equals(cohort.contacts)


@pytest.mark.parametrize("instrument", [PHQ9, GAD7, WSAS])
def test_true_probabilities_sum_to_one(instrument):
    probs = synthetic.item_probs(instrument)
    assert probs.shape == (7, len(instrument.items), instrument.n_categories)
    assert probs.min() >= 0
    assert probs.sum(axis=2) == pytest.approx(np.ones(probs.shape[:2]))


def test_transition_rows_sum_to_one():
    assert synthetic.TRANSITION.sum(axis=1) == pytest.approx(np.ones(7))
    assert synthetic.INITIAL.sum() == pytest.approx(1.0)


def test_answers_follow_their_state(cohort):
    states = cohort.truth["states"]
    probs = cohort.truth["item_probs"]
    for item, column in enumerate(PHQ9.columns):
        for state in (1, 3, 5):
            answers = cohort.contacts[column].filter(pl.Series(states == state)).drop_nulls()
            found = np.bincount(answers.to_numpy(), minlength=4)
            expected = probs[state, item] * found.sum()
            usable = expected > 5
            scale = found[usable].sum() / expected[usable].sum()
            assert chisquare(found[usable], expected[usable] * scale).pvalue > 1e-5


def test_one_strong_factor_and_a_weak_split(cohort):
    """Shape of published item correlations: positive everywhere, a little higher within groups."""
    items = cohort.contacts.select(PHQ9.columns).drop_nulls().to_numpy()
    r = np.corrcoef(items.T)
    somatic, cognitive = [2, 3, 4], [0, 1, 5, 8]
    within = [r[a, b] for group in (somatic, cognitive) for a in group for b in group if a < b]
    across = r[np.ix_(somatic, cognitive)].mean()
    assert r.min() > 0.2
    assert 0.02 < np.mean(within) - across < 0.10
    values = np.linalg.eigvalsh(r)[::-1]
    assert values[0] / values[1] > 4


def test_missing_answers(cohort):
    first = cohort.contacts.filter(session=1).select(PHQ9.columns)
    later = cohort.contacts.filter(pl.col("session") > 1).select(PHQ9.columns)
    share = first.null_count().sum_horizontal().item() / first.height / 9
    whole = later.filter(pl.all_horizontal(pl.all().is_null())).height / later.height
    n = later.height
    assert share == pytest.approx(synthetic.MISSING_ITEM, abs=4 * (0.01 * 0.99 / (4000 * 9)) ** 0.5)
    assert whole == pytest.approx(synthetic.MISSING_FORM, abs=4 * (0.08 * 0.92 / n) ** 0.5)


def test_truth_is_saved_beside_the_tables(cohort, tmp_path):
    cohort.write(tmp_path / "made")
    truth = json.loads((tmp_path / "made" / "truth.json").read_text())
    assert np.allclose(truth["transition_matrix"], synthetic.TRANSITION)
    states = pl.read_parquet(tmp_path / "made" / "truth_states.parquet")
    assert states["state"].to_list() == cohort.truth["states"].tolist()
    assert from_folder((tmp_path / "made",)).truth == {}  # an analysis of a folder knows no truth


def test_nobody():
    with pytest.raises(DataError, match="a cohort needs at least one patient"):
        synthetic.make(0, seed=1)
