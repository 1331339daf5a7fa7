"""The same model by restricted maximum likelihood: no priors, no draws."""

from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

from iesoresearch.errors import AnalysisError
from iesoresearch.models.evidence_synthesis.comparisons import Comparisons
from iesoresearch.models.evidence_synthesis.likelihood import log_likelihood, weighted_sums
from iesoresearch.models.evidence_synthesis.model import SmallStudy, predicted_by

_STARTS = ((0.05, 0.05), (0.5, 0.05), (0.05, 0.5), (0.5, 0.5))  # between, within


@dataclass(frozen=True)
class Restricted:
    """Estimates by restricted maximum likelihood.

    Attributes
    ----------
    mean, error, low, high
        The average effect (its limit, with a small-study effect), its standard error and the 95 %
        interval by the normal distribution.
    small_study, small_study_error
        Rise of the effect per unit of the predictor, NaN without one.
    between, within
        Standard deviations of true effects between trials and between comparisons of a trial; 0
        where the likelihood is highest at the boundary.
    log_likelihood
        The restricted one, with all constants.
    """

    mean: float
    error: float
    low: float
    high: float
    small_study: float
    small_study_error: float
    between: float
    within: float
    log_likelihood: float


def restricted(
    data: Comparisons, *, small_study: SmallStudy = "none", correlation: float = 0.0
) -> Restricted:
    """Fit the three-level model by restricted maximum likelihood.

    The variances are found by L-BFGS-B from four starts, the coefficients by generalised least
    squares (Viechtbauer 2005, doi:10.3102/10769986030003261, for two levels).

    Parameters
    ----------
    data, small_study, correlation
        As of `Synthesis.fit`.

    Raises
    ------
    ParameterError, DataError
        As by `Synthesis.fit`.
    AnalysisError
        No start led to a maximum.
    """
    predictor, _ = predicted_by(data, small_study)
    padded = data.padded()
    design = np.ones((1, *predictor.shape))
    if small_study != "none":
        design = np.concatenate([design, predictor[None]])

    def solved(spread):
        between, within = spread
        information, projection = weighted_sums(padded, design, between, within, correlation)
        coefficients = np.linalg.solve(information, projection)
        mean = np.tensordot(coefficients, design, 1)
        level = log_likelihood(padded, mean, between, within, correlation)
        level += 0.5 * len(design) * np.log(2 * np.pi) - 0.5 * np.linalg.slogdet(information)[1]
        return level, coefficients, np.linalg.inv(information)

    found = [
        optimize.minimize(lambda s: -solved(s)[0], start, method="L-BFGS-B", bounds=[(0, None)] * 2)
        for start in _STARTS
    ]
    best = min((f for f in found if np.isfinite(f.fun)), key=lambda f: f.fun, default=None)
    if best is None:
        raise AnalysisError("The restricted likelihood has no maximum that could be found.")
    level, coefficients, covariance = solved(best.x)
    errors = np.append(np.sqrt(np.diag(covariance)), np.nan)
    half = stats.norm.ppf(0.975) * errors[0]
    return Restricted(
        mean=float(coefficients[0]),
        error=float(errors[0]),
        low=float(coefficients[0] - half),
        high=float(coefficients[0] + half),
        small_study=float(np.append(coefficients, np.nan)[1]),
        small_study_error=float(errors[1]),
        between=float(best.x[0]),
        within=float(best.x[1]),
        log_likelihood=float(level),
    )
