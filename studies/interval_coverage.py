"""How often 95 % intervals of the bootstrap over people cover the truth.

Cohorts drawn from a latent Markov model with known parameters: 400 people, four sessions, nine
items of four levels, three states well apart, one move rare (0.03). Each is fitted from random
starts; people are drawn with replacement and the model refitted from that solution, as the
analysis of subtypes does. States are matched to the true ones by optimal assignment.

Two percentile intervals come of the same replicates: ends interpolated so that the smallest and
the largest replicate are the quantiles 0 and 1 (numpy's own rule, which is too narrow with few
replicates), and so that replicate i of B is the quantile i / (B + 1) (Hyndman & Fan 1996,
doi:10.1080/00031305.1996.10473566, definition 6). Which parameters were covered is written as a
text of 1 and 0, in the order of the states.
"""

import numpy as np
from _study import Study
from scipy.stats import binom

from iesoresearch.models import LatentMarkov
from iesoresearch.models.bootstrap import bootstrap
from iesoresearch.models.selection import match_states
from iesoresearch.seeds import derive, rng
from iesoresearch.simulate import draw_answers, draw_paths

COHORTS = 500
PEOPLE, SESSIONS, REPLICATES = 400, 4, 100
LEVELS = np.arange(4)
RULES = {"numpy": "linear", "i_of_b_plus_1": "weibull"}

INITIAL = np.array([0.3, 0.4, 0.3])
TRANSITION = np.array([[0.85, 0.12, 0.03], [0.25, 0.60, 0.15], [0.08, 0.22, 0.70]])
#: Chance per step of an item in each state; items four to six set the middle state apart in kind.
CHANCE = np.array(
    [
        [0.10, 0.12, 0.15, 0.10, 0.08, 0.12, 0.15, 0.12, 0.10],
        [0.35, 0.40, 0.45, 0.70, 0.65, 0.70, 0.40, 0.35, 0.30],
        [0.75, 0.80, 0.85, 0.75, 0.70, 0.80, 0.75, 0.70, 0.60],
    ]
)
ITEM_PROBS = binom.pmf(LEVELS, 3, CHANCE[:, :, None])


def families(initial: np.ndarray, transition: np.ndarray, item_probs: np.ndarray) -> dict:
    """Parameters that the analysis gives intervals of, by family."""
    scores = item_probs @ LEVELS
    return {
        "initial": initial,
        "transition": transition,
        "item_score": scores,
        "total": scores.sum(axis=1),
    }


def of_model(model: LatentMarkov, order: np.ndarray) -> dict:
    """The same of a fitted model whose states are put in order."""
    transition = model.transition_matrix_[np.ix_(order, order)]
    return families(model.initial_probs_[order], transition, model.item_probs_[order])


TRUTH = families(INITIAL, TRANSITION, ITEM_PROBS)


def replicate(seed: int, cohort: int) -> dict:
    """One cohort: which parameters its intervals cover."""
    random, lengths = rng(seed, "cohort"), np.full(PEOPLE, SESSIONS)
    items = draw_answers(draw_paths(INITIAL, TRANSITION, lengths, random), ITEM_PROBS, random)
    model = LatentMarkov(3, n_categories=4, n_starts=3, random_state=derive(seed, "fit"), n_jobs=1)
    model.fit(items, lengths)
    to_truth = match_states(ITEM_PROBS, model.item_probs_)
    drawn = bootstrap(
        model,
        items,
        lengths,
        n_bootstrap=REPLICATES,
        seed=derive(seed, "bootstrap"),
        statistics=lambda refit, order, _: of_model(refit, order[to_truth]),
        n_starts=1,
    )
    found = {"better": int(drawn.fresh["better"].sum())}
    for rule, method in RULES.items():
        for name, values in drawn.statistics.items():
            low, high = np.quantile(values, [0.025, 0.975], axis=0, method=method)
            covered = (low <= TRUTH[name]) & (TRUTH[name] <= high)
            found[f"{name} {rule}"] = "".join("01"[int(c)] for c in covered.ravel())
    return found


STUDY = Study(__file__, __doc__, [{"cohort": i} for i in range(COHORTS)], replicate)

if __name__ == "__main__":
    STUDY.main()
