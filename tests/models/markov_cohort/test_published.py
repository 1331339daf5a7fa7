"""Published models in code, and counting their cycles with a time in state.

All cases run in the case format in `tests/replications`; these two are here because they use most
of what the engine has.
"""

import numpy as np
import pytest

from iesoresearch.models.markov_cohort import (
    YEAR,
    CohortModel,
    Reward,
    discount,
    expand,
    probability_from_rate,
    weibull_hazards,
    weights,
)

STATES = ("H", "S1", "S2", "D")
STRATEGIES = ("SoC", "A", "B", "AB")
N = 75
# death rates at ages 25 … 99, USA 2015 (LifeTable_USA_Mx_2015.csv of the tutorial's repository)
MORTALITY = [
    *(0.001014, 0.000999, 0.00107, 0.001087, 0.001162, 0.001167, 0.001213, 0.001289, 0.001331),
    *(0.001375, 0.00142, 0.00149, 0.00155, 0.001616, 0.001657, 0.001747, 0.001902, 0.002052),
    *(0.002173, 0.002395, 0.002559, 0.002807, 0.003023, 0.003349, 0.003712, 0.004085, 0.00449),
    *(0.004905, 0.005364, 0.005806, 0.006253, 0.006775, 0.007395, 0.007895, 0.008418, 0.008974),
    *(0.009666, 0.010456, 0.011384, 0.011838, 0.012667, 0.013593, 0.0147, 0.015732, 0.01734),
    *(0.018758, 0.020967, 0.022917, 0.024913, 0.026767, 0.029707, 0.032412, 0.035982, 0.039238),
    *(0.043595, 0.048727, 0.053735, 0.059911, 0.066618, 0.074051, 0.08219, 0.090754, 0.103968),
    *(0.115093, 0.124341, 0.137872, 0.154177, 0.172393, 0.1941, 0.212654, 0.243752, 0.259087),
    *(0.287781, 0.316429, 0.339149),
]


def yearly(rate):
    return probability_from_rate(rate, YEAR, YEAR)


def row_of_s1(progress):
    """(N, …, 4) probabilities of leaving S1, by age and by whatever `progress` has."""
    lead = (N,) + (1,) * np.ndim(progress)
    dies = yearly(3 * np.reshape(MORTALITY, lead))
    recovers, progress = yearly(0.5), yearly(progress)
    stays = 1 - recovers - progress
    row = [(1 - dies) * recovers, (1 - dies) * stays, (1 - dies) * progress, dies]
    return np.stack(np.broadcast_arrays(*row), axis=-1)


def matrices(hazard_ratio):
    """(N, 4, 4): the Sick-Sicker model with mortality by age."""
    found = np.zeros((N, 4, 4))
    dies = yearly(np.array(MORTALITY))
    found[:, 0] = np.stack(
        [(1 - dies) * (1 - yearly(0.15)), (1 - dies) * yearly(0.15), 0 * dies, dies], axis=-1
    )
    found[:, 1] = row_of_s1(0.105 * hazard_ratio)
    dies = yearly(10 * np.array(MORTALITY))
    found[:, 2, 2], found[:, 2, 3] = 1 - dies, dies
    found[:, 3, 3] = 1
    return found


def rewards(spread=np.asarray, spread_moves=np.asarray):
    treated = [0, 12_000, 13_000, 25_000]
    costs = np.array([[2000, 4000 + t, 15_000 + t, 0] for t in treated])[None, :, None]
    utilities = np.array([[1, u, 0.5, 0] for u in (0.75, 0.95, 0.75, 0.95)])[None, :, None]
    onset, dying = np.zeros((4, 4)), np.zeros((4, 4))
    onset[0, 1], dying[:3, 3] = 1, 1
    counting, factors = weights("darth_simpson", N), discount(0.03, N, YEAR)
    both = {"discount": factors, "transition_weights": counting[1:]}
    moves = spread_moves(1000 * onset + 2000 * dying), spread_moves(-0.01 * onset)
    return (
        Reward("cost", spread(costs), counting, transition=moves[0], **both),
        Reward("qaly", spread(utilities), counting, transition=moves[1], utility=True, **both),
    )


def test_sick_sicker_with_mortality_by_age():
    """Alarid-Escudero and others 2023, doi:10.1177/0272989X221121747, table of ICERs."""
    by_strategy = [matrices(hr) for hr in (1, 1, 0.6, 0.6)]
    p = np.array(by_strategy)[None]
    found = CohortModel(STATES, STRATEGIES, [1, 0, 0, 0], p, rewards(), N, YEAR).totals()
    assert found["cost"][0] == pytest.approx([116374, 218789, 202536, 296300], abs=0.6)
    assert found["qaly"][0] == pytest.approx([18.879, 19.636, 20.199, 21.097], abs=0.0006)


def test_sick_sicker_with_time_in_state():
    """The same authors' code with 75 tunnel states and a Weibull hazard, run in R."""
    base = np.array([matrices(hr) for hr in (1, 1, 0.6, 0.6)])[None]
    hazard = weibull_hazards(0.08, 1.1, N)
    clock = np.array([row_of_s1(hazard * hr) for hr in (1, 1, 0.6, 0.6)])[None]
    split = expand(STATES, base, {"S1": clock})
    assert len(split.states) == 78
    model = CohortModel(
        *(split.states, STRATEGIES, split.start([1, 0, 0, 0]), split.transitions),
        *(rewards(split.values, split.moves), N, YEAR),
    )
    found = model.totals()
    expected = [103112.077097, 198058.145085, 186262.233602, 274408.034177]
    assert found["cost"][0] == pytest.approx(expected, abs=0.001)
    expected = [20.0048468152, 20.8818441591, 21.1035793081, 22.0976903996]
    assert found["qaly"][0] == pytest.approx(expected, abs=1e-7)


def test_zidovudine_alone_and_with_lamivudine():
    """Chancellor and others 1997 as taught in LSHTM's DM4HEE course: two matrices by schedule."""
    counts = [[1251, 350, 116, 17], [0, 731, 512, 15], [0, 0, 1312, 437], [0, 0, 0, 1]]
    alone = np.array(counts) / np.sum(counts, axis=1, keepdims=True)
    both = alone * 0.509
    np.fill_diagonal(both, 0)
    np.fill_diagonal(both, 1 - both.sum(1))
    schedule = np.zeros((2, 20), dtype=int)
    schedule[1, :2] = 1
    state = np.array([1701 + 1055, 1774 + 1278, 6948 + 2059, 0]) + 2278 * np.array([1, 1, 1, 0])
    lamivudine = 2086.5 * np.array([1, 1, 1, 0])
    cost = np.array([state, state + lamivudine])[None, None]
    points = np.zeros((2, 21), dtype=int)
    points[1, :3] = 1
    d = discount(0.035, 20, YEAR)
    model = CohortModel(
        ("A", "B", "C", "dead"),
        ("mono", "comb"),
        [1, 0, 0, 0],
        np.array([alone, both])[None, None],
        (
            Reward("cost", cost, "end", d, schedule=points),
            Reward("life years", [1.0, 1, 1, 0], "end", d),
        ),
        *(20, YEAR, schedule),
    )
    found, undiscounted = model.totals(), model.totals(discounted=False)
    assert found["cost"][0] == pytest.approx([51316.72, 58222.44], abs=0.01)
    assert found["life years"][0] == pytest.approx([6.5942, 7.299551], abs=1e-4)
    assert undiscounted["cost"][0] == pytest.approx([63745.21, 72575.11], abs=0.01)
    difference = [np.diff(found[name][0])[0] for name in ("cost", "life years")]
    assert difference[0] / difference[1] == pytest.approx(9791.0387844, abs=0.001)
    trace = [[0.7214533, 0.2018454, 0.06689735, 0.009803922]]
    assert model.trace(0, 0)[1:2] == pytest.approx(np.array(trace), abs=1e-7)
