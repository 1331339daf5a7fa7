r"""The posterior density of the growth model, as a PyMC model.

Given therapists, services and the parameters, the scores of a patient are jointly normal, so the
two patient effects need not be sampled to know how likely the scores are: with :math:`Z` the
columns 1 and g(t), :math:`L` the Cholesky factor of the covariance of the effects, :math:`r` the
residuals from the mean and

.. math:: B = I + L^T Z^T Z L / \sigma^2, \qquad h = L^T Z^T r / \sigma^2,

minus twice the log-likelihood is
:math:`n \log(2 \pi \sigma^2) + \log|B| + r^T r / \sigma^2 - h^T B^{-1} h`, and the effects given
the scores are :math:`L (B^{-1} h + Q^{-T} z)` with :math:`B = Q Q^T` and standard normal
:math:`z`. Drop-out depends on the effects, so the shared-parameter model samples :math:`z`: what
the scores say of a patient is in the map from z to the effects already, so z stays close to
standard normal and the sampler takes long steps. Everything is two by two, written out.

This module imports PyMC; `GrowthModel.fit` imports it when it is needed.
"""

import math

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from iesoresearch.models.growth.data import GrowthData
from iesoresearch.models.growth.priors import Priors


def build(data: GrowthData, priors: Priors, *, shared: bool) -> pm.Model:
    """Growth model of `data`; with the hazard of leaving, sharing the patient effects, if `shared`.

    The data are handed over, not built in, so that compiled code serves other data, too.
    """
    with pm.Model() as model:
        level, rate = _means(data, priors)
        sd_level = pm.HalfNormal("patient_level_sd", priors.patient_level_sd)
        sd_rate = pm.HalfNormal("patient_rate_sd", priors.patient_rate_sd)
        half = pm.Beta("half_correlation", priors.correlation, priors.correlation)
        correlation = pm.Deterministic("patient_correlation", 2 * half - 1)
        sigma = pm.HalfNormal("residual_sd", priors.residual_sd)
        factor = (sd_level, correlation * sd_rate, pt.sqrt(1 - correlation**2) * sd_rate)
        log_likelihood, (q, h) = _scores(data, level, rate, factor, sigma)
        pm.Potential("scores", log_likelihood)
        if shared:
            z = pm.Normal("z", 0.0, 1.0, shape=(2, data.n_patients))
            first, second = _standard_effects(q, h, z)
            per_sd = (first, correlation * first + pt.sqrt(1 - correlation**2) * second)
            pm.Potential("drop_out", _drop_out(data, priors, per_sd))
    return model


def _means(data: GrowthData, priors: Priors):
    """Level and rate of every patient without the patient effects, (patients,) each."""
    level = pm.Normal("level", priors.middle, priors.level) + pt.zeros(data.n_patients)
    rate = pm.Normal("rate", 0.0, priors.rate)
    if data.on_level.any():
        x = pm.Data("x_level", data.covariates[:, data.on_level])
        effect = pm.Normal("level_effect", 0.0, priors.effect, shape=int(data.on_level.sum()))
        level = level + (x * effect).sum(axis=1)
    if data.names:
        x = pm.Data("x_rate", data.covariates)
        effect = pm.Normal("rate_effect", 0.0, priors.effect, shape=len(data.names))
        rate = rate + (x * effect).sum(axis=1)
    if data.therapist is not None:
        codes = pm.Data("therapist", data.therapist)
        level = (
            level + _units("therapist_level", data.n_therapists, priors.therapist_level_sd)[codes]
        )
        rate = rate + _units("therapist_rate", data.n_therapists, priors.therapist_rate_sd)[codes]
    if data.service is not None:
        codes = pm.Data("service", data.service)
        level = level + _units("service_level", data.n_services, priors.service_level_sd)[codes]
    return level, rate


def _units(name: str, n: int, scale: float):
    """Effects of therapists or services, from standard normal ones (no funnel where few)."""
    sd = pm.HalfNormal(f"{name}_sd", scale)
    return pm.Deterministic(name, sd * pm.Normal(f"{name}_z", 0.0, 1.0, shape=n))


def moments(data: GrowthData) -> dict[str, np.ndarray]:
    """What the likelihood needs of the scores of each patient: sums, (patients,) each.

    `n`, `g`, `gg`: number of scores, sums of g(t) and its square; `y`, `gy`, `yy`: sums of scores,
    of their products with g(t), and of their squares.
    """
    g = data.growth(data.time)
    weights = {"n": np.ones(len(g)), "g": g, "gg": g * g}
    weights |= {"y": data.score, "gy": g * data.score, "yy": data.score**2}
    return {
        name: np.bincount(data.patient, w, minlength=data.n_patients) for name, w in weights.items()
    }


def _scores(data: GrowthData, level, rate, factor, sigma):
    """Log-likelihood of the scores, and Cholesky factor of B and the vector h."""
    s = {name: pm.Data(f"sum_{name}", value) for name, value in moments(data).items()}
    precision = 1 / sigma**2
    y = s["y"] - s["n"] * level - s["g"] * rate  # sums of residuals from the mean
    gy = s["gy"] - s["g"] * level - s["gg"] * rate
    yy = s["yy"] - level * (s["y"] + y) - rate * (s["gy"] + gy)
    a, b, c = factor  # L = [[a, 0], [b, c]]
    b00 = 1 + precision * (a * a * s["n"] + 2 * a * b * s["g"] + b * b * s["gg"])
    b01 = precision * c * (a * s["g"] + b * s["gg"])
    b11 = 1 + precision * c * c * s["gg"]
    h = precision * (a * y + b * gy), precision * c * gy
    q00 = pt.sqrt(b00)
    q10 = b01 / q00
    q11 = pt.sqrt(b11 - q10**2)
    w0 = h[0] / q00
    w1 = (h[1] - q10 * w0) / q11
    twice = s["n"] * (math.log(2 * math.pi) + 2 * pt.log(sigma))
    twice = twice + 2 * pt.log(q00) + 2 * pt.log(q11) + precision * yy - w0**2 - w1**2
    return -0.5 * twice.sum(), ((q00, q10, q11), (w0, w1))


def _standard_effects(q, w, z):
    """Patient effects before L is applied: Q^-T (w + z), where w = Q^-1 h."""
    q00, q10, q11 = q
    second = (w[1] + z[1]) / q11
    return (w[0] + z[0] - q10 * second) / q00, second


def _drop_out(data: GrowthData, priors: Priors, per_sd):
    """Log-likelihood of who left after which occasion."""
    patient, occasion, leaves = at_risk(data)
    time = data.occasions / data.occasions[-1] - 0.5
    patient_of, time_of = pm.Data("risk_patient", patient), pm.Data("risk_time", time[occasion])
    width = priors.hazard_slope
    logit = (
        pm.Normal("hazard", priors.hazard_mean, priors.hazard_sd)
        + pm.Normal("hazard_time", 0.0, width) * time_of
    )
    per_patient = (
        pm.Normal("hazard_level", 0.0, width) * per_sd[0]
        + pm.Normal("hazard_rate", 0.0, width) * per_sd[1]
    )
    if data.names:
        effect = pm.Normal("hazard_effect", 0.0, width, shape=len(data.names))
        per_patient = per_patient + (pm.Data("x_hazard", data.covariates) * effect).sum(axis=1)
    logit = logit + per_patient[patient_of]
    return (pm.Data("leaves", leaves) * logit - pt.softplus(logit)).sum()


def at_risk(data: GrowthData) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Patient, occasion and whether the patient leaves (0 or 1), for all who can leave after it.

    Nobody can leave after the last occasion. Whoever ended as planned was at risk until the
    occasion before the last score.
    """
    occasions = np.arange(len(data.occasions) - 1)
    risk = (occasions < data.end[:, None]) | (data.left[:, None] & (occasions == data.end[:, None]))
    patient, occasion = np.nonzero(risk)
    leaves = data.left[patient] & (occasion == data.end[patient])
    return patient, occasion, leaves.astype(float)
