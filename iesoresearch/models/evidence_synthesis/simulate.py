"""Effects of trials drawn from the model, for known truths and for predictive checks."""

import numpy as np


def draw_effects(
    random: np.random.Generator,
    error: np.ndarray,
    trial: np.ndarray,
    *,
    mean: float | np.ndarray,
    between: float,
    within: float,
    correlation: float = 0.0,
) -> np.ndarray:
    """Effects of comparisons as they would be found.

    Parameters
    ----------
    random
        Generator.
    error : (comparisons,)
        Standard errors.
    trial : (comparisons,)
        Numbers 0, 1, … of the trials.
    mean : () or (comparisons,)
        Expected effects.
    between, within
        Standard deviations of true effects.
    correlation
        Of the sampling errors of comparisons of one trial.

    Returns
    -------
    (comparisons,) effects
    """
    n_trials = trial.max() + 1
    true = mean + between * random.standard_normal(n_trials)[trial]
    true = true + within * random.standard_normal(len(trial))
    shared = random.standard_normal(n_trials)[trial]
    own = random.standard_normal(len(trial))
    return true + error * (np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * own)
