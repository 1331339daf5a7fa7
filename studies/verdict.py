"""Is "differs in kind" said of kinds, and "severity only" of severity? Verdicts where it is known.

About half an hour on one core. Answers to nine items of four levels, thresholds of a latent normal
variable each (the graded response of a probit model, which the ladder's logits do not match), with
loadings as of the PHQ-9 (mean polychoric correlation about 0.5) and thresholds that give shares of
levels as in a service, or as in a population.
"""

import numpy as np
from _study import Study

from iesoresearch.models.selection import overall_distance
from iesoresearch.models.severity import severity_question
from iesoresearch.seeds import rng

LOADINGS = np.array([0.75, 0.82, 0.66, 0.74, 0.68, 0.74, 0.70, 0.66, 0.62])
#: Steps of the latent variable at which answers rise, for patients and for a population.
STEPS = np.array([-0.8, 0.2, 0.9])
HARDER = np.array([-0.1, -0.2, -0.3, -0.5, 0.1, 0.0, 0.0, 0.5, 1.0])  # of each item
POPULATION = 1.1  # how much rarer every level is there
PAIRS = ((0, 1), (2, 3), (1, 5))
RESIDUAL = 0.3  # correlation of a pair's residuals
ZEROS = 0.34
STAYS = 0.8  # correlation of severity from session to session
BETTER = 0.25  # by which severity falls from session to session
SOMATIC = np.array([0, 0, 1, 1, 1, 0, 0, 0, 0])
COGNITIVE = np.array([1, 1, 0, 0, 0, 1, 0, 0, 1])
#: Latent standard deviations by which a kind raises its items and lowers the other's: their states
#: lie 0.35 standard deviations of an item off the ladder, or 0.2 to 0.25, near the threshold.
KINDS, NEARLY_ALIKE = 0.5, 0.35
#: As the analysis of subtypes asks it, with fewer states and starts.
QUESTION = {"max_states": 5, "n_starts": 2, "tol": 1e-6, "n_categories": 4}


def answers(latent: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Levels of latent variables (rows, items)."""
    return (latent[:, :, None] > steps + HARDER[:, None]).sum(axis=2).astype(np.int8)


def residuals(random: np.random.Generator, n: int, pairs=()) -> np.ndarray:
    """Of the items, given severity: (n, items)."""
    correlation = np.eye(len(LOADINGS))
    for one, other in pairs:
        correlation[one, other] = correlation[other, one] = RESIDUAL
    # by Cholesky: eigenvectors of equal eigenvalues are others on another machine
    normal = random.multivariate_normal(np.zeros(len(LOADINGS)), correlation, n, method="cholesky")
    return normal * np.sqrt(1 - LOADINGS**2)


def one_factor(seed: int, n: int = 2000, pairs=()) -> tuple[np.ndarray, None]:
    """Severity, and pairs of items that depend on one another beyond it."""
    random = rng(seed, "one factor")
    latent = random.normal(size=(n, 1)) * LOADINGS + residuals(random, n, pairs)
    return answers(latent, STEPS), None


def with_zeros(seed: int, n: int = 2000) -> tuple[np.ndarray, None]:
    """A third has no symptom, whatever would have been; the others are as in a population."""
    random = rng(seed, "zeros")
    latent = random.normal(size=(n, 1)) * LOADINGS + residuals(random, n)
    items = answers(latent, STEPS + POPULATION)
    return items * (random.random((n, 1)) >= ZEROS).astype(np.int8), None


def over_sessions(seed: int, n: int = 600) -> tuple[np.ndarray, np.ndarray]:
    """Severity that moves from session to session."""
    random = rng(seed, "sessions")
    lengths = random.integers(2, 6, n)
    severity = np.empty((n, 5, 1))
    severity[:, 0, 0] = random.normal(size=n)
    for t in range(1, 5):
        moved = random.normal(size=n) * np.sqrt(1 - STAYS**2)
        severity[:, t, 0] = STAYS * severity[:, t - 1, 0] + moved
    severity -= BETTER * np.arange(5)[:, None]
    latent = (severity * LOADINGS)[np.arange(5) < lengths[:, None]]
    return answers(latent + residuals(random, len(latent)), STEPS), lengths


def subtypes(seed: int, n: int = 2000, pairs=(), apart: float = KINDS) -> tuple[np.ndarray, None]:
    """Two kinds across all severities: the one more somatic, the other more cognitive."""
    random = rng(seed, "subtypes")
    kind = random.choice([-1.0, 1.0], (n, 1))
    latent = random.normal(size=(n, 1)) * LOADINGS + residuals(random, n, pairs)
    return answers(latent + apart * kind * (SOMATIC - COGNITIVE), STEPS), None


#: How answers come about, the pairs that the models are told of, data sets.
CONDITIONS = {
    "one factor": (one_factor, {}, PAIRS, 100),
    "one factor and pairs": (one_factor, {"pairs": PAIRS}, PAIRS, 100),
    "one factor and pairs not named": (one_factor, {"pairs": PAIRS}, (), 50),
    "one factor and zeros": (with_zeros, {}, PAIRS, 100),
    "one factor over sessions": (over_sessions, {}, PAIRS, 100),
    "subtypes and pairs": (subtypes, {"pairs": PAIRS}, PAIRS, 100),
    "subtypes nearly alike": (subtypes, {"pairs": PAIRS, "apart": NEARLY_ALIKE}, PAIRS, 200),
}


def replicate(seed: int, condition: str, draw: int) -> dict:
    """One data set and its verdict."""
    make, more, pairs, _ = CONDITIONS[condition]
    items, lengths = make(seed, **more)
    found = severity_question(items, lengths, seed=seed, dependent_pairs=pairs, **QUESTION)
    shares = found.states.answer_counts_.sum(axis=1)
    return {
        "verdict": found.verdict,
        "gain": found.gain.estimate,
        "gain_low": found.gain.low,
        "gain_high": found.gain.high,
        "distance": found.distance,
        "distance_as_estimated": overall_distance(found.distances, shares),
        "n_states": found.states.n_states,
        "rungs": found.ladder.n_states,
    }


PLAN = [{"condition": name, "draw": i} for name, (*_, n) in CONDITIONS.items() for i in range(n)]
STUDY = Study(__file__, __doc__, PLAN, replicate)

if __name__ == "__main__":
    STUDY.main()
