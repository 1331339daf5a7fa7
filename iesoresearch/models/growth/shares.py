"""How much of the differences between scores lies between patients, therapists and services."""

from dataclasses import dataclass

from iesoresearch.models.growth.estimator import Estimate, GrowthFit


@dataclass(frozen=True)
class VarianceShares:
    """Posterior shares of variance, beside what covariates explain.

    Attributes
    ----------
    level
        Of a score at time 0: `patient`, `therapist`, `service` and `residual`.
    rate
        Of the change until the last occasion, without error: `patient` and `therapist`.
    """

    level: dict[str, Estimate]
    rate: dict[str, Estimate]


def variance_shares(fit: GrowthFit) -> VarianceShares:
    """Shares of variance; NaN for units that the model does not have."""
    level = {
        "patient": "patient_level_sd",
        "therapist": "therapist_level_sd",
        "service": "service_level_sd",
        "residual": "residual_sd",
    }
    rate = {"patient": "patient_rate_sd", "therapist": "therapist_rate_sd"}
    return VarianceShares(_shares(fit, level), _shares(fit, rate))


def _shares(fit: GrowthFit, names: dict[str, str]) -> dict[str, Estimate]:
    variances = {of: fit.flat(name) ** 2 for of, name in names.items()}
    total = sum(variances.values())
    return {
        of: Estimate.of(variance / total if names[of] in fit.draws else [])
        for of, variance in variances.items()
    }
