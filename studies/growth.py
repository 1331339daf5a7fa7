"""Coverage of the growth model where patients who change slowly leave early.

About ten minutes on one core. 300 patients of 30 therapists, six sessions; the chance of leaving
after a session rises with the patient's own rate of change (the higher, the slower scores fall).
Complete cases, missing at random and the shared-parameter model are set beside each other.
"""

import numpy as np
from _study import Study

from iesoresearch.models.growth import GrowthData, GrowthModel
from iesoresearch.seeds import rng

N_PATIENTS, N_THERAPISTS, N_SESSIONS = 300, 30, 6
#: Of the model of `iesoresearch.models.growth`; rates are changes over all sessions.
TRUTH = {
    "level": 20.0,
    "rate": -6.0,
    "patient_level_sd": 4.0,
    "patient_rate_sd": 4.0,
    "patient_correlation": -0.3,
    "therapist_level_sd": 1.0,
    "therapist_rate_sd": 2.0,
    "residual_sd": 2.5,
    "hazard_level": 0.0,
    "hazard_rate": 1.0,
}
HAZARD = -1.8  # logit of leaving after a session, for an average patient
SCALE = (-20, 60)  # wide enough for all scores that can be drawn: nothing is cut off


def draw(seed: int) -> GrowthData:
    """Courses of therapy."""
    random = rng(seed, "courses")
    g = np.log1p(np.arange(N_SESSIONS)) / np.log1p(N_SESSIONS - 1)
    therapist = np.arange(N_PATIENTS) % N_THERAPISTS
    first, other = random.normal(size=(2, N_PATIENTS))
    rho = TRUTH["patient_correlation"]
    second = rho * first + np.sqrt(1 - rho**2) * other
    by_therapist = random.normal(size=(2, N_THERAPISTS))[:, therapist]
    level = TRUTH["level"] + TRUTH["patient_level_sd"] * first
    level += TRUTH["therapist_level_sd"] * by_therapist[0]
    rate = TRUTH["rate"] + TRUTH["patient_rate_sd"] * second
    rate += TRUTH["therapist_rate_sd"] * by_therapist[1]
    noise = TRUTH["residual_sd"] * random.normal(size=(N_PATIENTS, N_SESSIONS))
    score = level[:, None] + rate[:, None] * g + noise
    logit = HAZARD + TRUTH["hazard_level"] * first + TRUTH["hazard_rate"] * second
    leaves = random.random((N_PATIENTS, N_SESSIONS - 1)) < 1 / (1 + np.exp(-logit[:, None]))
    left = leaves.any(axis=1)
    last = np.where(left, leaves.argmax(axis=1), N_SESSIONS - 1)
    patient, session = np.nonzero(np.arange(N_SESSIONS) <= last[:, None])
    return GrowthData.of(
        score[patient, session], session, patient, therapist=therapist, dropped_out=left
    )


def complete_cases(data: GrowthData) -> float:
    """Mean of the least-squares rates of those who came to all sessions."""
    stayed = np.flatnonzero(~data.left)
    score = data.score[np.isin(data.patient, stayed)].reshape(len(stayed), N_SESSIONS)
    g = data.growth(data.occasions)
    return float(np.polyfit(g, score.T, 1)[0].mean())


def replicate(seed: int, draw_number: int) -> dict:
    """Estimates, with their 95 % intervals, of both models."""
    data = draw(seed)
    model = GrowthModel(SCALE, draws=600, tune=600, chains=2)
    found = {"left": data.left.mean(), "complete_cases": complete_cases(data)}
    for dropout in ("random", "shared"):
        summary = model.fit(data, dropout=dropout, seed=seed).summary()
        for name in TRUTH:
            if name in summary:
                estimate = summary[name]
                found[f"{dropout} {name}"] = [estimate.x, estimate.x_low, estimate.x_high]
    return found


PLAN = [{"draw_number": i} for i in range(40)]
STUDY = Study(__file__, __doc__, PLAN, replicate)

if __name__ == "__main__":
    STUDY.main()
