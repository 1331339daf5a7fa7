"""Who starts where, the flow between sessions, other assumptions: each against a count by hand."""

import numpy as np
import polars as pl
import pytest

from iesoresearch.analyses.subtypes import Params, people, study, variants
from iesoresearch.analyses.subtypes.data import Data
from iesoresearch.data import synthetic
from iesoresearch.measures import PHQ9
from iesoresearch.measures.outcomes import referral_outcomes
from iesoresearch.models import LatentMarkov

PARAMS = Params.check(
    {
        "source": "synthetic", "n_patients": 700, "max_states": 3, "n_states": 3, "n_starts": 2,
        "n_folds": 2, "n_bootstrap": 20, "n_splits": 1, "seed": 11,
    },
    "test",
)  # fmt: skip


@pytest.fixture(scope="module")
def data():
    cohort = synthetic.make(PARAMS.n_patients, PARAMS.seed)
    return Data(cohort, cohort.sequences(PHQ9))


@pytest.fixture(scope="module")
def result(data):
    return study.run(data, PARAMS)


def test_shares_by_hand():
    starting = np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
    known = np.array([[1.0, np.nan], [0.0, 1.0], [1.0, 0.0]])
    share, n = people.shares(starting, known, np.array([1.0, 1.0, 2.0]))
    np.testing.assert_allclose(share, [[1 / 1.5, 1.0], [2 / 2.5, 0.5 / 2.5]])
    np.testing.assert_allclose(n, [[1.5, 0.5], [1.5, 1.5]])


def test_characteristics_are_those_of_the_person(data):
    found = people.characteristics(data)
    column = dict(zip(found.labels, found.values.T, strict=True))
    patients = data.cohort.patients[data.sequences.people]
    gender = patients["gender"].to_list()
    expected = [np.nan if g is None or g == "not known" else float(g == "female") for g in gender]
    np.testing.assert_array_equal(column["Women"], expected)
    outcomes = referral_outcomes(
        data.cohort.referrals, data.cohort.contacts, data.cohort.scores
    ).select("referral_id", "n_treatment", "recovery", "caseness")
    rows = {row[0]: row[1:] for row in outcomes.iter_rows()}
    for i, referral in enumerate(data.referral_ids):
        treated, recovery, caseness = rows[referral]
        assert column["Engaged"][i] == (treated >= 2)
        known = column["Recovered"][i]
        if caseness and recovery is not None:
            assert known == recovery
        else:
            assert np.isnan(known)


def test_the_state_at_the_start_does_not_know_what_came_later(data):
    model = LatentMarkov(2, n_categories=4, n_starts=2, random_state=1).fit(
        data.sequences.items, data.sequences.lengths
    )
    starting = people.starting_states(model, data)
    later = data.sequences.items.copy()
    keep = np.zeros(len(later), dtype=bool)
    keep[data.first_rows] = True
    later[~keep] = 0
    alone = model.initial_probs_ * np.prod(
        [
            np.where(row >= 0, model.item_probs_[:, range(9), row], 1.0)
            for row in data.sequences.items[data.first_rows]
        ],
        axis=2,
    )
    np.testing.assert_allclose(starting, alone / alone.sum(axis=1, keepdims=True), atol=1e-10)


def test_everybody_of_a_session_goes_somewhere(result, data):
    flow = result.tables["flow"].frame
    by_session = flow.group_by("session", maintain_order=True).agg(pl.col("n").sum())
    bounds = np.cumsum(data.sequences.lengths)
    for session, n in by_session.iter_rows():
        first = data.sequences.session[bounds - data.sequences.lengths]
        last = data.sequences.session[bounds - 1]
        assert n == pytest.approx(((first <= session) & (last >= session)).sum())


def test_those_who_arrive_go_on(result):
    flow = result.tables["flow"].frame
    arrive = flow.filter(pl.col("session") == 1, pl.col("destination") != "left")
    leave = flow.filter(pl.col("session") == 2).group_by("origin", maintain_order=True)
    arrive = arrive.group_by("destination", maintain_order=True).agg(pl.col("n").sum())["n"]
    # a few people have their first session numbered 2 and arrive from nowhere
    assert (leave.agg(pl.col("n").sum())["n"] - arrive).to_list() == pytest.approx(
        [0, 0, 0], abs=0.02 * arrive.sum()
    )


def test_drop_out_as_likely_everywhere_by_hand():
    ends, lengths = np.array([1, 0, -1, 1]), np.array([3, 2, 4, 1])
    value, parameters = variants._constant_drop_out(ends, lengths)
    left, stayed = 2, 2 + 1 + 3 + 1
    assert value == pytest.approx(2 * np.log(left / 9) + stayed * np.log(stayed / 9))
    assert parameters == 1


def test_wider_assumptions_never_fit_worse(result):
    frame = result.tables["other_assumptions"].frame
    assert frame["assumption"].to_list()[:2] == [
        "drop-out depends on the state",
        "some never leave their first state",
    ]
    assert (frame["gain"] > -1e-3).all()
    assert frame["parameters"].to_list()[:2] == [2, 3]
    n = result.numbers["n_people"].value
    bic = -2 * frame["gain"] + np.log(n) * frame["parameters"]
    assert frame["bic"].to_list() == pytest.approx(bic.to_list())
