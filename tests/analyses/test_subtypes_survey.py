"""Subtypes with survey weights: what they change, and what is not said with them."""

import dataclasses

import numpy as np
import polars as pl
import pytest

from iesoresearch.analyses.subtypes import Params, study
from iesoresearch.analyses.subtypes.data import Data
from iesoresearch.analyses.subtypes.fitting import fit
from iesoresearch.data import synthetic
from iesoresearch.measures import PHQ9
from iesoresearch.models import LatentMarkov

PARAMS = Params.check(
    {"max_states": 3, "n_starts": 3, "n_folds": 2, "n_bootstrap": 20, "n_splits": 1, "seed": 2},
    "test",
)


@pytest.fixture(scope="module")
def data():
    """First sessions of 600 drawn people as an open survey: 6 strata of 2 sampling units."""
    cohort = synthetic.make(900, 8)
    first = cohort.contacts.filter(
        pl.any_horizontal(pl.col(c).is_not_null() for c in PHQ9.columns)
    ).filter(pl.col("session") == pl.col("session").min().over("referral_id"))
    n = cohort.patients.height
    patients = cohort.patients.with_columns(
        weight=pl.Series(1.0 + 2.0 * (np.arange(n) % 3 == 0)),
        stratum=pl.Series([str(i % 6) for i in range(n)]),
        sampling_unit=pl.Series([str(i // 6 % 2) for i in range(n)]),
    )
    made = dataclasses.replace(
        cohort, patients=patients, contacts=first, sensitivity="open", truth={}
    )
    return Data(made, made.sequences(PHQ9))


def test_weights_count_as_copies_of_people(data):
    fitted = fit(data, PARAMS)
    k = fitted.chosen
    times = np.rint(data.weights / data.weights.min()).astype(int)
    model = fitted.model
    copies = LatentMarkov(**model.get_params()).fit(data.sequences.items.repeat(times, axis=0))
    np.testing.assert_allclose(model.initial_probs_, copies.initial_probs_, rtol=0, atol=1e-4)
    np.testing.assert_allclose(
        model.log_likelihood_ / data.n_people, copies.log_likelihood_ / times.sum(), rtol=1e-8
    )
    best = max(fitted.held_out, key=lambda k: data.weights @ fitted.held_out[k])
    assert k == best


def test_no_information_criteria_of_a_pseudo_likelihood(data):
    result = study.run(data, PARAMS)
    assert set(result.tables["criteria"].frame["criterion"]) == {"−2 × held-out log-likelihood"}
    assert not {"aic", "bic", "bic_observations", "icl"} & set(result.tables["fit"].frame.columns)
    assert "bic" not in result.numbers
    assert "weighted to stand for it" in result.text["plain"]
    assert "unweighted" not in " ".join(result.text.values())


def test_intervals_come_from_resampled_units(data, monkeypatch):
    """Without variation between replicate weights there is none between replicates."""
    from iesoresearch.models import survey

    monkeypatch.setattr(survey, "rescaling_bootstrap", lambda s, u, seed: np.ones(len(s)))
    states = study.run(data, PARAMS).tables["states"].frame
    np.testing.assert_allclose(states["share_low"], states["share"], rtol=0, atol=1e-3)
    np.testing.assert_allclose(states["share_high"], states["share"], rtol=0, atol=1e-3)
