"""The synthesis as a PyMC model. This module imports PyMC; `Synthesis.fit` imports it."""

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from iesoresearch.models.evidence_synthesis.comparisons import Padded
from iesoresearch.models.evidence_synthesis.likelihood import log_likelihood


def build(priors) -> pm.Model:
    """The model, its data still to be given.

    Without a small-study effect its predictor is 0 and `small_study` has its prior.
    """
    empty = np.zeros((1, 1))
    with pm.Model() as model:
        data = Padded(
            pm.Data("effect", empty), pm.Data("error", empty + 1), pm.Data("there", empty)
        )
        predictor, correlation = pm.Data("predictor", empty), pm.Data("correlation", 0.0)
        mean = pm.Normal("mean", 0, priors.mean)
        total = pm.HalfNormal("total", priors.total)
        share = pm.Uniform("share", 0, 1)
        expected = mean + pm.Normal("small_study", 0, priors.small_study) * predictor
        between, within = total * share**0.5, total * (1 - share) ** 0.5
        pm.Potential(
            "log_likelihood", log_likelihood(data, expected, between, within, correlation, pt.log)
        )
    return model
