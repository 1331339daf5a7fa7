r"""Pooling effects of comparisons that belong to trials: a three-level random-effects model.

Effect :math:`i` of trial :math:`j`, such as Hedges' g, with the known standard error
:math:`s_{ij}`:

.. math::

    y_{ij} &= \theta_{ij} + e_{ij}, \qquad e_{ij} \sim N(0, s_{ij}^2) \\
    \theta_{ij} &= \mu + \beta z_{ij} + u_j + v_{ij}, \qquad
    u_j \sim N(0, \tau_b^2), \quad v_{ij} \sim N(0, \tau_w^2)

(Konstantopoulos 2011, doi:10.1002/jrsm.35; Van den Noortgate et al. 2013, Behavior
Research Methods 45:576-594). The effects are integrated out exactly (`log_likelihood`), so that
PyMC draws four numbers only: no funnel, no effect to be centred. Priors (`Priors`):
:math:`\mu \sim N(0, 1)`, total spread :math:`\sqrt{\tau_b^2 + \tau_w^2}` half-normal(1), its share
of variance between trials uniform, the small-study effect per median predictor :math:`N(0, 1)`.

With `small_study` the expected effect may rise with the standard error, its square or the sizes of
the groups alone, and :math:`\mu` is the limit of an infinitely large trial; without it
:math:`\beta = 0`. Sampling errors of one trial may be correlated, as they are where comparisons
share their controls.

::

    data = Comparisons.of(g, se, trial)
    fit = Synthesis().fit(data, small_study="error", seed=1, n_jobs=2)
    fit.summary(); fit.joint(); diagnose(fit).passed
    restricted(data)                      # the same by REML, without priors

Nothing here imports PyMC before `Synthesis.fit` is called. Draws are the same in every process and
with any number of jobs, because PyTensor is kept from reordering sums (`growth.arithmetic`).
"""

from iesoresearch.models.evidence_synthesis.averaged import coefficients, new_trial
from iesoresearch.models.evidence_synthesis.checks import Predicted, posterior_check, prior_check
from iesoresearch.models.evidence_synthesis.comparisons import Comparisons
from iesoresearch.models.evidence_synthesis.maximum import Restricted, restricted
from iesoresearch.models.evidence_synthesis.model import Priors, SmallStudy, Synthesis
from iesoresearch.models.evidence_synthesis.posterior import Joint, Posterior
from iesoresearch.models.evidence_synthesis.simulate import draw_effects
from iesoresearch.models.growth import diagnose

__all__ = [
    "Comparisons",
    "Joint",
    "Posterior",
    "Predicted",
    "Priors",
    "Restricted",
    "SmallStudy",
    "Synthesis",
    "coefficients",
    "diagnose",
    "draw_effects",
    "new_trial",
    "posterior_check",
    "prior_check",
    "restricted",
]
