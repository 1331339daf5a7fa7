"""The synthesis as a PyMC model. This module imports PyMC; `Synthesis.fit` imports it."""

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from iesoresearch.models.evidence_synthesis.comparisons import Padded
from iesoresearch.models.evidence_synthesis.likelihood import log_likelihood


def build(priors) -> pm.Model:
    """The model, its data still to be given.

    With a small-study effect (`slope` 1) the draws are of the expected effect at the median
    predictor, which hardly depends on the rise; `mean` has its prior at the predictor 0. Without
    (0) `small_study` has its prior, and moves nothing.
    """
    empty = np.zeros((1, 1))
    with pm.Model() as model:
        data = Padded(
            pm.Data("effect", empty), pm.Data("error", empty + 1), pm.Data("there", empty)
        )
        away = pm.Data("away", empty)  # from the median predictor, in medians
        slope, correlation = pm.Data("slope", 0.0), pm.Data("correlation", 0.0)
        total = pm.HalfNormal("total", priors.total)
        share = pm.Uniform("share", 0, 1)
        rise = slope * pm.Normal("small_study", 0, priors.small_study)
        middle = pm.Normal("middle", rise, priors.mean)
        between, within = total * share**0.5, total * (1 - share) ** 0.5
        expected = middle + rise * away
        pm.Potential(
            "log_likelihood", log_likelihood(data, expected, between, within, correlation, pt.log)
        )
    return model
