"""The model that a run leaves predicts as the fitted one, within the digits that are released."""

import numpy as np
import polars as pl
import pytest

from iesoresearch.analyses.subtypes import Params, study
from iesoresearch.disclosure import Policy, release
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


# with some 100 people in a state, answers that fewer than 10 of them gave are spread evenly
@pytest.mark.parametrize(("policy", "error"), [(Policy(1, 1), 0.005), (Policy(10, 5), 0.1)])
def test_carried_model_has_the_profiles_of_the_fitted_one(run, policy, error, tmp_path):
    data, result = run
    released = release(result, policy)
    released.documents["model.json"](released, tmp_path / "model.json")
    carried = saved.load(tmp_path / "model.json")
    assert carried.items == tuple(f"phq9_{i}" for i in range(1, 10))
    exact = result.tables["item_profiles"].frame["score"].to_numpy().reshape(3, 9)
    found = carried.model.item_probs_ @ np.arange(4)
    np.testing.assert_allclose(found, exact, rtol=0, atol=error)
    sequences = data.sequences
    states = carried.model.predict(sequences.items, sequences.lengths)
    assert len(np.unique(states)) == 3


def test_suppressed_answers_share_what_is_left(run, tmp_path):
    _, result = run
    released = release(result, Policy(10, 5))
    table = released.tables["answer_probabilities"].frame
    assert table["probability"].null_count() > 0
    released.documents["model.json"](released, tmp_path / "model.json")
    model = saved.load(tmp_path / "model.json").model
    flat = pl.Series(model.item_probs_.ravel())
    shown = table.with_columns(carried=flat)
    for _, rows in shown.group_by("state", "item"):
        hidden = rows.filter(pl.col("probability").is_null())["carried"]
        assert hidden.n_unique() <= 1
        assert rows["carried"].sum() == pytest.approx(1.0)
