"""Patients whose best therapy is known: latent courses under two therapies, chosen by severity.

Everybody starts in one of the seven states of the synthetic population and moves between them from
session to session. How readily the moves go downwards is solved for, so that the second therapy
lowers or raises the expected last PHQ-9 total by exactly the points that are planted. Severe
patients are given the second therapy more often, so that a plain comparison of the two misleads.
All constants here are assumptions; nothing about real patients follows from them.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.optimize import brentq

from iesoresearch.data.synthetic import answers
from iesoresearch.data.synthetic.profile import Profile
from iesoresearch.errors import ParameterError
from iesoresearch.measures import PHQ9
from iesoresearch.seeds import rng
from iesoresearch.simulate import draw_answers, draw_paths

INITIAL = np.array([0.05, 0.13, 0.16, 0.16, 0.17, 0.17, 0.16])  # states at the first session
SESSIONS = (4, 12)  # fewest and most, each number equally likely, whatever the therapy
RESPONSE = 0.1  # of patients under the first therapy: tilt of all moves towards milder states
RESPONSE_ILL = -0.3  # added with a long-term condition, under either therapy
ILL = 0.3  # share with a long-term condition
STRONGEST = 8.0  # tilt beyond which an effect is not possible
#: Log odds of the second therapy: middle and slope of the first total, long-term condition, age.
MIDDLE, BY_TOTAL, BY_ILL, BY_DECADE = 14.0, 0.15, -0.4, -0.1


@dataclass(frozen=True)
class Drawn:
    """Patients and what is true of them.

    Attributes
    ----------
    items
        (patients, 9) int8, PHQ-9 answers at the first session.
    age, female, ill, gad7
        (patients,) years, 0/1, 0/1, first GAD-7 total.
    treatment
        (patients,) 0 or 1.
    outcome
        (patients,) last PHQ-9 total.
    propensity
        (patients,) true probability of treatment 1.
    state
        (patients,) true state at the first session, 0-based.
    effect
        (patients,) true expected difference of the last total, treatment 1 minus 0, given what is
        known of the patient at the first session.
    expected
        (patients, 2) true expected last total under either treatment, given the same.
    """

    items: np.ndarray
    age: np.ndarray
    female: np.ndarray
    ill: np.ndarray
    gad7: np.ndarray
    treatment: np.ndarray
    outcome: np.ndarray
    propensity: np.ndarray
    state: np.ndarray
    effect: np.ndarray
    expected: np.ndarray


@dataclass(frozen=True)
class World:
    """Expected answers and moves of every state.

    Attributes
    ----------
    item_probs
        (states, 9, 4) probabilities of the PHQ-9 answers.
    moves
        (2, states, 2, states, states): transition matrix of a patient by treatment, state at the
        first session and long-term condition.
    expected
        (2, states, 2) expected last PHQ-9 total, indexed likewise.
    """

    item_probs: np.ndarray
    moves: np.ndarray
    expected: np.ndarray


@cache
def world(effect: float, interaction: float, beyond: float) -> World:
    """The world in which exactly these effects hold.

    Parameters
    ----------
    effect
        Points that the second therapy adds to the expected last total of everybody.
    interaction
        Points on top of it in somatic states, and taken off it in cognitive-affective ones.
    beyond
        Points on top of it with a long-term condition, and its share taken off without, so that
        the mean over patients stays.

    Raises
    ------
    ParameterError
        An effect that no course of the states can have.
    """
    profile = Profile.load("england")
    item_probs = answers.item_probs(PHQ9, profile)
    totals = (item_probs @ np.arange(PHQ9.n_categories)).sum(axis=1)
    severity, base = answers.severity_of_states(profile), np.array(profile["transition"])
    k = len(totals)
    moves, expected = np.empty((2, k, 2, k, k)), np.empty((2, k, 2))
    for state in range(k):
        for ill in (0, 1):
            usual = RESPONSE + RESPONSE_ILL * ill
            last = _expected_last(_tilted(base, severity, usual), totals)[state]
            planted = effect + interaction * answers.LEANING[state] + beyond * (ill - ILL)
            wanted = last + planted

            def off(response, state=state, wanted=wanted):
                return _expected_last(_tilted(base, severity, response), totals)[state] - wanted

            if not off(-STRONGEST) > 0 > off(STRONGEST):
                raise ParameterError(
                    f"A planted effect of {planted:+.1f} points is more than the courses of the "
                    "simulated patients allow. Plant smaller effects."
                )
            # to the last bit where nothing is planted: the two therapies are then one
            solved = brentq(off, -STRONGEST, STRONGEST, xtol=1e-12) if planted else usual
            for treatment, response in enumerate((usual, solved)):
                moves[treatment, state, ill] = _tilted(base, severity, response)
            expected[:, state, ill] = last, wanted
    return World(item_probs, moves, expected)


def _tilted(base: np.ndarray, severity: np.ndarray, response: float) -> np.ndarray:
    """Transition matrix with moves to milder states made likelier by `response`."""
    # centred per row, so that no weight overflows
    weights = base * np.exp(-response * (severity[None, :] - severity[:, None]))
    return weights / weights.sum(axis=1, keepdims=True)


def _expected_last(transition: np.ndarray, totals: np.ndarray) -> np.ndarray:
    """Expected last total by state at the first session, over all numbers of sessions."""
    fewest, most = SESSIONS
    ahead, found = totals, []
    for moves in range(1, most):
        ahead = transition @ ahead
        if moves >= fewest - 1:
            found.append(ahead)
    return np.mean(found, axis=0)


def draw(
    n: int, seed: int, effect: float = 0.0, interaction: float = 0.0, beyond: float = 0.0
) -> Drawn:
    """Draw `n` patients; the planted effects are those of `world`.

    Raises
    ------
    ParameterError
        As `world`.
    """
    true = world(effect, interaction, beyond)

    def stream(name):
        return rng(seed, "treatment matching", name)

    state = stream("state").choice(len(INITIAL), size=n, p=INITIAL)
    items = draw_answers(state, true.item_probs, stream("first answers"))
    total = items.sum(axis=1)
    age = stream("age").integers(18, 76, n)
    female = (stream("gender").random(n) < 0.66).astype(np.int8)
    ill = (stream("ill").random(n) < ILL).astype(np.int8)
    # of the answers, not of the state: it then tells nothing about the state beyond them
    gad7 = np.clip(np.round(2.0 + 0.7 * total + stream("gad7").normal(0, 3, n)), 0, 21)
    logit = BY_TOTAL * (total - MIDDLE) + BY_ILL * ill + BY_DECADE * (age - 45) / 10
    propensity = 1 / (1 + np.exp(-logit))
    treatment = (stream("treatment").random(n) < propensity).astype(np.int8)
    last = _last_states(true, state, treatment, ill, stream)
    outcome = draw_answers(last, true.item_probs, stream("last answers")).sum(axis=1)
    posterior = _state_given_answers(true.item_probs, items)
    expected = np.stack([np.sum(posterior * true.expected[a].T[ill], axis=1) for a in (0, 1)], 1)
    return Drawn(
        items, age, female, ill, gad7, treatment, outcome.astype(float), propensity, state,
        expected[:, 1] - expected[:, 0], expected,
    )  # fmt: skip


def _last_states(true: World, state, treatment, ill, stream) -> np.ndarray:
    """State of everybody at the last session."""
    fewest, most = SESSIONS
    lengths = stream("sessions").integers(fewest, most + 1, len(state))
    last = np.empty_like(state)
    for a in (0, 1):
        for start in range(len(INITIAL)):
            for i in (0, 1):
                here = np.flatnonzero((treatment == a) & (state == start) & (ill == i))
                paths = draw_paths(
                    np.eye(len(INITIAL))[start], true.moves[a, start, i], lengths[here],
                    stream(f"courses {a} {start} {i}"),
                )  # fmt: skip
                last[here] = paths[np.cumsum(lengths[here]) - 1]
    return last


def _state_given_answers(item_probs: np.ndarray, items: np.ndarray) -> np.ndarray:
    """Probability of each state at the first session given its answers: (patients, states)."""
    with np.errstate(divide="ignore"):
        log = np.log(INITIAL) + sum(
            np.log(item_probs[:, j, items[:, j]]).T for j in range(items.shape[1])
        )
    weights = np.exp(log - log.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)
