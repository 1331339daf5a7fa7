"""How often 95 % intervals of covariates' coefficients cover the truth: estimate ± 1.96 errors.

Cohorts of 400 people and four sessions drawn from a latent Markov model with known parameters: the
states and items of `interval_coverage`, the first state dependent on two covariates of the person,
every move on two of the session. Standard errors are those of `LatentMarkov`, from the observed
information. Which coefficients were covered is written as a text of 1 and 0, - where there is no
standard error because a logit has no finite maximum; moves go by origin, row (intercept,
covariates), destination.
"""

import numpy as np
from _study import Study
from interval_coverage import ITEM_PROBS, PEOPLE, SESSIONS

from iesoresearch.models import LatentMarkov
from iesoresearch.models.selection import match_states
from iesoresearch.seeds import derive, rng
from iesoresearch.simulate import draw_answers

COHORTS = 500
STATES = 3
NORMAL = 1.959963984540054  # 97.5 % quantile
#: Log odds of starting in states 1 and 2 against 0: rows are the intercept and the covariates.
INITIAL = np.array([[0.3, 0.0], [0.5, 0.9], [-0.4, 0.3]])
#: From every state, log odds of moving to the other two, ascending, against staying.
MOVES = np.array(
    [
        [[-1.5, -2.5], [0.5, 0.3], [-0.6, 0.4]],
        [[-0.8, -1.4], [0.6, -0.5], [0.3, 0.5]],
        [[-1.6, -1.0], [0.8, 0.4], [-0.3, -0.4]],
    ]
)


def with_intercept(covariates: np.ndarray) -> np.ndarray:
    """Rows with a leading one."""
    return np.column_stack([np.ones(len(covariates)), covariates])


def drawn(logits: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """One state per row of `logits`: the largest of Gumbel draws around them."""
    return (logits + random.gumbel(size=logits.shape)).argmax(axis=1)


def paths(first: np.ndarray, moves: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """States, (people, sessions); covariates (people, 2) and (people, sessions, 2)."""
    states = np.empty(moves.shape[:2], dtype=np.int64)
    start = with_intercept(first) @ INITIAL
    states[:, 0] = drawn(np.column_stack([np.zeros(len(first)), start]), random)
    for t in range(1, states.shape[1]):
        rows, here = with_intercept(moves[:, t]), states[:, t - 1]
        logits = np.zeros((len(rows), STATES))
        for origin in range(STATES):
            others = np.delete(np.arange(STATES), origin)
            mine = here == origin
            logits[np.ix_(mine, others)] = rows[mine] @ MOVES[origin]
        states[:, t] = drawn(logits, random)
    return states


def replicate(seed: int, cohort: int) -> dict:
    """One cohort: which coefficients its intervals cover."""
    random = rng(seed, "cohort")
    first = np.column_stack([random.integers(-1, 2, PEOPLE), random.integers(0, 2, PEOPLE)])
    moves = np.stack([random.integers(0, 2, (PEOPLE, SESSIONS)),
                      random.integers(-1, 2, (PEOPLE, SESSIONS))], axis=2)  # fmt: skip
    items = draw_answers(paths(first, moves, random).ravel(), ITEM_PROBS, random)
    model = LatentMarkov(
        STATES, n_categories=4, n_starts=2, random_state=derive(seed, "fit"), n_jobs=1
    ).fit(
        items,
        np.full(PEOPLE, SESSIONS),
        initial_covariates=first.astype(float),
        transition_covariates=moves.reshape(-1, 2).astype(float),
    )
    order = match_states(ITEM_PROBS, model.item_probs_)
    if order.tolist() != list(range(STATES)):  # coefficients would have another reference
        return {"initial": "", "moves": ""}
    return {
        "initial": covered(model.initial_coefs_, model.initial_coefs_se_, INITIAL),
        "moves": covered(model.transition_coefs_, model.transition_coefs_se_, MOVES),
    }


def covered(estimates: np.ndarray, errors: np.ndarray, truth: np.ndarray) -> str:
    """A sign for every coefficient."""
    distance = np.abs((estimates - truth) / errors).ravel()
    return "".join("-" if np.isnan(d) else "01"[int(d <= NORMAL)] for d in distance)


STUDY = Study(__file__, __doc__, [{"cohort": i} for i in range(COHORTS)], replicate)

if __name__ == "__main__":
    STUDY.main()
