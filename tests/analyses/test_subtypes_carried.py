"""The model that a run leaves predicts as the fitted one, within the digits that are released."""

import numpy as np
import polars as pl
import pytest

from iesoresearch.analyses.subtypes import Params, carried, study
from iesoresearch.disclosure import Policy, model_files, release
from iesoresearch.models.latent_markov import saved
from iesoresearch.params import Settings

PARAMS = Params.check(
    {
        "source": "synthetic", "n_patients": 900, "max_states": 3, "n_starts": 2,
        "n_bootstrap": 20, "n_splits": 1, "seed": 3,
    },
    "test",
)  # fmt: skip


@pytest.fixture(scope="module")
def run():
    data = study.load(PARAMS, Settings())
    return data, study.run(data, PARAMS)


@pytest.mark.parametrize("policy", [Policy(1, 1), Policy(10, 5)])
def test_carried_model_has_the_profiles_of_the_fitted_one(run, policy, tmp_path):
    data, result = run
    released = release(result, policy)
    released.documents["model.json"](released, tmp_path / "model.json")
    loaded = saved.load(tmp_path / "model.json")
    checked = model_files.check(tmp_path / "model.json", policy)
    assert {f.sentence for f in checked if f.status != "pass"} == set()
    assert loaded.items == tuple(f"phq9_{i}" for i in range(1, 10))
    exact = result.tables["item_profiles"].frame["score"].to_numpy().reshape(3, 9)
    found = loaded.model.item_probs_ @ np.arange(4)
    # scores are released to three digits, and no probability is below 0.0001
    np.testing.assert_allclose(found, exact, rtol=0, atol=0.002)
    sequences = data.sequences
    states = loaded.model.predict(sequences.items, sequences.lengths)
    assert len(np.unique(states)) == 3


def test_answers_of_an_item_are_shown_together_or_not_at_all(run, tmp_path):
    """Two hidden ones could be worked out of their sum and of the expected score."""
    _, result = run
    released = release(result, Policy(10, 5))
    exact = result.tables["answer_probabilities"].frame
    shown = released.tables["answer_probabilities"].frame
    answers = [f"answer_{c}" for c in range(4)]
    hidden = shown.select(pl.sum_horizontal(pl.col(c).is_null() for c in answers)).to_series()
    assert set(hidden) == {0, 4}
    few = exact.select(pl.min_horizontal(pl.col(c) * pl.col("n") for c in answers)).to_series() < 10
    assert (hidden == 4).to_list() == few.to_list()
    released.documents["model.json"](released, tmp_path / "model.json")
    assert "approximate" in saved.load(tmp_path / "model.json").fitted_to


def test_answers_of_largest_entropy():
    """By hand: the geometric answers 8 : 4 : 2 : 1 have the mean 11 / 15."""
    found = carried._of_largest_entropy(11 / 15)
    np.testing.assert_allclose(found, np.array([8, 4, 2, 1]) / 15, rtol=0, atol=1e-9)
    np.testing.assert_allclose(carried._of_largest_entropy(float("nan")), 0.25)
