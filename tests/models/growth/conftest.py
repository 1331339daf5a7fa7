"""Simulated courses and hand-made fits for the tests of the growth model."""

import numpy as np
import pytest

from iesoresearch.models.growth import GrowthData, GrowthFit, Priors

N_OCCASIONS = 6
TRUTH = {
    "level": 20.0,
    "rate": -6.0,
    "patient_level_sd": 4.0,
    "patient_rate_sd": 4.0,
    "patient_correlation": -0.3,
    "therapist_level_sd": 1.0,
    "therapist_rate_sd": 2.0,
    "service_level_sd": 0.0,
    "residual_sd": 2.5,
}


def simulate(seed, n_patients=300, n_therapists=30, hazard_rate=0.0, arm_effect=None, truth=TRUTH):
    """Courses of six sessions; who changes slowly leaves early where `hazard_rate` is above 0."""
    random = np.random.default_rng(seed)
    t = np.arange(N_OCCASIONS)
    g = np.log1p(t) / np.log1p(t[-1])
    therapist = np.arange(n_patients) % n_therapists
    first, other = random.normal(size=(2, n_patients))
    rho = truth["patient_correlation"]
    second = rho * first + np.sqrt(1 - rho**2) * other
    of = random.normal(size=(2, n_therapists))
    arm = np.arange(n_patients) // n_therapists % 2
    level = truth["level"] + truth["patient_level_sd"] * first
    level = level + truth["therapist_level_sd"] * of[0, therapist]
    rate = truth["rate"] + truth["patient_rate_sd"] * second + (arm_effect or 0.0) * arm
    rate = rate + truth["therapist_rate_sd"] * of[1, therapist]
    score = level[:, None] + rate[:, None] * g
    score = score + truth["residual_sd"] * random.normal(size=score.shape)
    chance = 1 / (1 + np.exp(1.8 - hazard_rate * second))
    leaves = random.random((n_patients, N_OCCASIONS - 1)) < chance[:, None]
    left = leaves.any(axis=1)
    end = np.where(left, leaves.argmax(axis=1), N_OCCASIONS - 1)
    patient, occasion = np.nonzero(t <= end[:, None])
    extra = {}
    if arm_effect is not None:
        extra = {"covariates": arm[:, None], "names": ("arm",), "rate_only": ("arm",)}
    return GrowthData.of(
        score[patient, occasion],
        t[occasion],
        patient,
        therapist=therapist,
        dropped_out=left,
        **extra,
    )


@pytest.fixture(scope="session")
def course():
    """Give the function that simulates courses."""
    return simulate


@pytest.fixture(scope="session")
def made():
    """Give a function that makes a fit whose draws are the truth, each repeated or as given."""

    def fit(data, n=50, **draws):
        values = {name: np.full((2, n // 2), value) for name, value in TRUTH.items()}
        for name, value in draws.items():
            values[name] = np.asarray(value, dtype=float).reshape(2, n // 2, *np.shape(value)[1:])
        return GrowthFit(data, Priors(-20, 60), "random", values, 0, np.zeros((2, n // 2)), seed=1)

    return fit
