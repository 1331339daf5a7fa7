r"""Expected treatment response: a hierarchical growth model of repeated scores, with drop-out.

Score :math:`j` of patient :math:`i`, treated by therapist :math:`k` of service :math:`s`, is

.. math::

    y_{ij} &= \ell_i + r_i \, g(t_{ij}) + e_{ij}, \qquad e_{ij} \sim N(0, \sigma^2) \\
    \ell_i &= \mu + x_i^T \alpha + a_k + c_s + u_{0i} \qquad\text{(level)} \\
    r_i &= \rho + x_i^T \beta + b_k + u_{1i} \qquad\text{(rate)}

with normal patient effects :math:`(u_0, u_1)`, which may be correlated, normal therapist effects
:math:`a, b` and normal service effects :math:`c`, which shift the level only. Time enters as
:math:`g(t) = \log(1 + t) / \log(1 + T)`, T being the last occasion: most change in therapy comes
early, so a straight line in t would be too shallow at first and too steep later, and the rate is
then the change from the first occasion to the last, in points of the scale. Priors: `Priors`.

Who leaves therapy early may do so because of how it goes. Drop-out is handled twice:

- ``dropout="random"``: missing at random, whoever leaves goes on as the model says of somebody with
  the same scores so far. `mean_curve` and `tipping_point` then say what changes if those who left
  are `delta` points worse than that.
- ``dropout="shared"``: a shared-parameter model (Wu & Carroll 1988, Biometrics 44:175-188; Follmann
  & Wu 1995, Biometrics 51:151-168). The chance of leaving after an occasion, given that one has
  not left before, has the logit
  :math:`h_0 + h_1 (t/T - 1/2) + x_i^T \eta + \gamma_0 u_{0i}/\tau_0 + \gamma_1 u_{1i}/\tau_1`,
  :math:`\tau` being the standard deviations of the patient effects, and is fitted jointly.

Neither can be tested by the scores that were seen, so both are shown.

::

    data = GrowthData.of(score, time, patient, therapist=therapist, service=service,
                         covariates=x, names=("arm",), rate_only=("arm",), dropped_out=left)
    model = GrowthModel(scale=(0, 27))
    at_random = model.fit(data, dropout="random", seed=1, n_jobs=2)
    shared = model.fit(data, dropout="shared", seed=1, n_jobs=2)
    diagnose(at_random).passed
    sensitivity(at_random, shared, deltas=(0, 1, 2, 4))
    expected_response(at_random, times=[0, 1, 2, 3], scores=[18], seen=[0])

Nothing here imports PyMC before `GrowthModel.fit` is called. Draws are the same in every process
and with any number of jobs, because PyTensor is kept from reordering sums (`arithmetic`).
"""

from iesoresearch.models.growth import arithmetic
from iesoresearch.models.growth.checks import (
    PosteriorCheck,
    PriorCheck,
    Replicated,
    posterior_check,
    prior_check,
)
from iesoresearch.models.growth.curves import (
    Assumed,
    Curve,
    Sensitivity,
    TippingPoint,
    mean_curve,
    sensitivity,
    tipping_point,
)
from iesoresearch.models.growth.data import GrowthData
from iesoresearch.models.growth.diagnostics import Diagnostics, diagnose
from iesoresearch.models.growth.estimator import Estimate, GrowthFit, GrowthModel
from iesoresearch.models.growth.prediction import OffTrack, expected_response, off_track
from iesoresearch.models.growth.priors import Priors
from iesoresearch.models.growth.shares import VarianceShares, variance_shares

arithmetic.keep_order()

__all__ = [
    "Assumed",
    "Curve",
    "Diagnostics",
    "Estimate",
    "GrowthData",
    "GrowthFit",
    "GrowthModel",
    "OffTrack",
    "PosteriorCheck",
    "PriorCheck",
    "Priors",
    "Replicated",
    "Sensitivity",
    "TippingPoint",
    "VarianceShares",
    "diagnose",
    "expected_response",
    "mean_curve",
    "off_track",
    "posterior_check",
    "prior_check",
    "sensitivity",
    "tipping_point",
    "variance_shares",
]
