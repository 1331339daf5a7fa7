"""What an effect does to bands, against direct simulation and hand counts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from iesoresearch.models.waiting import bands


def one(*values):
    return [np.array([float(v)]) for v in values]


def test_bands_are_those_of_the_instruments():
    assert bands.edges("depression").tolist() == [0, 5, 10, 15, 20, 28]
    assert bands.edges("anxiety").tolist() == [0, 5, 10, 15, 22]
    assert bands.BANDS["depression"][3] == "moderately severe"
    assert bands.relapse_to("depression").tolist() == [1, 2, 2, 2]
    assert bands.relapse_to("anxiety").tolist() == [1, 2, 2]


def test_scores_within_a_band_follow_the_cut_off_normal_distribution():
    shares = bands.score_shares(bands.edges("depression"), 15.9, 5.5)
    law = stats.norm(15.9, 5.5)
    mass = np.array([law.cdf(s + 0.5) - law.cdf(s - 0.5) for s in range(10, 15)])
    assert shares[10:15] == pytest.approx(mass / mass.sum(), abs=1e-12)
    means = bands.mean_scores(bands.edges("depression"), *one(15.9, 5.5))[0]
    assert means[2] == pytest.approx((mass * np.arange(10, 15)).sum() / mass.sum())


def test_moves_agree_with_simulated_people():
    edge, n = bands.edges("depression"), 200_000
    moves = bands.shift(edge, *one(15.9, 5.5, 0.9, 0.65))[0]
    rng = np.random.default_rng(3)
    shares = bands.score_shares(edge, 15.9, 5.5)
    for band in range(1, 5):
        inside = np.arange(edge[band], edge[band + 1])
        before = rng.choice(inside, n, p=shares[inside])
        after = before - 0.9 * 5.5 + 0.65 * 0.9 * 5.5 * rng.standard_normal(n)
        found = np.searchsorted(edge[1:-1] - 0.5, after)
        shares_after = np.bincount(found, minlength=5) / n
        error = np.sqrt(moves[band] * (1 - moves[band]) / n)
        assert (abs(shares_after - moves[band]) <= 4 * error + 1e-6).all()


@settings(deadline=None, max_examples=50)
@given(effect=st.floats(-2, 3), cv=st.floats(0, 1), mean=st.floats(5, 22), sd=st.floats(2, 8))
def test_moves_are_shares_and_a_larger_effect_is_never_worse(effect, cv, mean, sd):
    edge = bands.edges("depression")
    moves = bands.shift(edge, *one(mean, sd, effect, cv))[0]
    assert moves.sum(1) == pytest.approx(1)
    assert (moves >= -1e-12).all()
    assert moves[0, 0] == 1
    more = bands.shift(edge, *one(mean, sd, abs(effect) + 0.5, 0))[0]
    less = bands.shift(edge, *one(mean, sd, abs(effect), 0))[0]
    assert (more.cumsum(1) >= less.cumsum(1) - 1e-9).all()


def test_no_effect_moves_nobody():
    moves = bands.shift(bands.edges("depression"), *one(15.9, 5.5, 0, 0.65))[0]
    assert moves == pytest.approx(np.eye(5), abs=1e-12)


def test_halved_scores_by_hand():
    moves = bands.halved("anxiety", 13.7, 5.1)
    shares = bands.score_shares(bands.edges("anxiety"), 13.7, 5.1)
    assert moves[0, 0] == pytest.approx(1)
    assert moves[1, 0] == pytest.approx(1)  # 5 … 9 become 2 … 4
    assert moves[2, 1] == pytest.approx(1)  # 10 … 14 become 5 … 7
    assert moves[3, 2] == pytest.approx(shares[20] + shares[21])  # to 10; 15 … 19 become 7 … 9
    assert moves.sum(1) == pytest.approx(1)
