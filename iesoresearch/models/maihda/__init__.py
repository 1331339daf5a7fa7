r"""Intersections: multilevel analysis of individual heterogeneity and discriminatory accuracy.

Of :math:`n_j` patients of stratum :math:`j`, one combination of groups, :math:`k_j` have the
outcome:

.. math::

    k_j &\sim Binomial(n_j, logit^{-1} \theta_j), \qquad
    \theta_j = \mu_j + u_j, \quad u_j \sim N(0, \tau^2) \\
    \mu_j &= \alpha \quad \text{(null model)}, \qquad
    \mu_j = \alpha + x_j' \beta \quad \text{(main effects of all dimensions)}

(Evans, Williams, Onnela & Subramanian 2018, doi:10.1016/j.socscimed.2017.11.011; Merlo 2018,
doi:10.1016/j.socscimed.2017.12.026; tutorial: doi:10.1016/j.ssmph.2024.101664). How much strata
differ at all is the share of variance of the null model; how much of that is more than the sum of
its parts is what main effects leave. Means of strata are shrunken towards their main effects, the
more so the fewer patients they have, which beats raw means (doi:10.1177/00491241251385123).

Patients are counted by stratum, so that time depends on the number of strata and not of patients.
Both models are fitted by PyMC and nutpie, compiled once (`kernel` on the coordinates). A stratum of
fewer than five patients takes part and has no estimate of its own.

::

    fitted = fit(events, n, strata, random_state=1)      # strata: a column per dimension
    fitted.summary()["vpc"]; fitted.to_frame(); fitted.flags(); fitted.diagnostics()

An interaction is what the model of main effects does not say. It is no cause and no discrimination,
and its absence says nothing against inequality, all of which may be in the main effects.
"""

from iesoresearch.models.maihda.model import Priors, fit
from iesoresearch.models.maihda.posterior import FEWEST, TOO_SMALL, Flags, Maihda

__all__ = ["FEWEST", "TOO_SMALL", "Flags", "Maihda", "Priors", "fit"]
