"""Level and power of the bootstrap likelihood-ratio test, where the number of states is known.

About five minutes on one core. 60 people with one to three sessions answer five items of two
levels; 5 % of the answers are missing.
"""

import numpy as np
from _study import Study

from iesoresearch.models import LatentMarkov
from iesoresearch.models.likelihood_ratio import likelihood_ratio_test
from iesoresearch.seeds import rng
from iesoresearch.simulate import draw_answers, draw_paths

LENGTHS = np.tile([1, 2, 3], 20)
MISSING = 0.05
N_DRAWS = 19  # p = 1 / 20 where the data gain more than every draw
#: States that are there, their distance in logits, states of the null, data sets.
CONDITIONS = {
    "one state, one tested": (1, 0.0, 1, 250),
    "two states, two tested": (2, 2.5, 2, 100),
    "two near states, one tested": (2, 1.5, 1, 75),
    "two far states, one tested": (2, 2.5, 1, 75),
}


def answers(n_states: int, distance: float, seed: int) -> np.ndarray:
    """Five items of two levels, in states at equal steps of `distance` logits."""
    random = rng(seed, "answers")
    high = 1 / (1 + np.exp(-distance * (np.arange(n_states) - (n_states - 1) / 2)))
    item_probs = np.repeat(np.stack([1 - high, high], axis=1)[:, None], 5, axis=1)
    matrix = 0.8 * np.eye(n_states) + 0.2 / n_states
    states = draw_paths(np.full(n_states, 1 / n_states), matrix, LENGTHS, random)
    items = draw_answers(states, item_probs, random)
    missing = random.random(items.shape) < MISSING
    missing[np.cumsum(LENGTHS) - 1, 0] = False  # nobody answers nothing at all
    return np.where(missing, -1, items).astype(np.int8)


def replicate(seed: int, condition: str, draw: int) -> dict:
    """One data set and its p value."""
    n_states, distance, tested, _ = CONDITIONS[condition]
    items = answers(n_states, distance, seed)
    null = LatentMarkov(tested, n_categories=2, n_starts=3, tol=1e-6, random_state=seed)
    found = likelihood_ratio_test(
        null.fit(items, LENGTHS), items, LENGTHS, n_bootstrap=N_DRAWS, seed=seed, n_starts=tested
    )
    return {
        "statistic": found.statistic,
        "p": found.p_value,
        "not_converged": found.n_not_converged,
    }


PLAN = [{"condition": name, "draw": i} for name, (*_, n) in CONDITIONS.items() for i in range(n)]
STUDY = Study(__file__, __doc__, PLAN, replicate)

if __name__ == "__main__":
    STUDY.main()
