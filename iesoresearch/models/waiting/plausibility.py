"""What the model says of a finished course, to be laid beside the recovery that the NHS reports.

Nothing in the model is fitted to that figure, so the distance between the two is a check.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from iesoresearch.errors import ParameterError
from iesoresearch.models.waiting import bands as severity


@dataclass(frozen=True, eq=False)
class Course:
    """Shares below caseness (PHQ-9 under 10) of those who were referred above it.

    Attributes
    ----------
    treated
        (D,) at the end of a course.
    untreated
        (D,) at the same time without one.
    """

    treated: np.ndarray
    untreated: np.ndarray


def finished_course(model, draws: Mapping[str, np.ndarray], wait: int = 0) -> Course:
    """Follow people with depression from referral to the end of their course.

    Scores at referral are normal with the published mean and SD of first scores, PHQ-9 of 10 and
    more. People who reach the first band while waiting are followed like the others.

    Parameters
    ----------
    model
        A `WaitingModel` for depression; its horizon must lie behind the end of the course.
    draws
        As of `draw_inputs`.
    wait
        Weeks to the first session.

    Raises
    ------
    ParameterError
        Another condition, where caseness is no edge of a band; a horizon that is too short.
    """
    if model.condition != "depression":
        raise ParameterError(
            "Caseness of GAD-7 lies within a band, so a finished course of anxiety cannot be laid "
            "beside the published recovery. Ask for depression."
        )
    arrays = model.arrays(draws)
    lengths = arrays.second_weeks + arrays.treatment_weeks[:, None]
    if wait + lengths.max() > model.horizon_weeks:
        raise ParameterError(
            f"Courses end up to {wait + lengths.max()} weeks after referral, after the horizon of "
            f"{model.horizon_weeks}. Lengthen horizon_weeks."
        )
    finished = arrays.second_shares * (1 - arrays.dropout[:, None]) ** arrays.second_weeks
    finished /= finished.sum(1, keepdims=True)
    people = _referred(np.asarray(draws["phq9_mean"]), np.asarray(draws["phq9_sd"]))
    n = len(arrays.relapse)
    treated, untreated = np.zeros(n), np.zeros(n)
    for week in range(wait + lengths.max() + 1):
        for g in range(lengths.shape[1]):
            ends = (wait + lengths[:, g] == week) * finished[:, g]
            after = np.einsum("db,dbc->dc", people, arrays.effect)
            treated += ends * after[:, :2].sum(1)
            untreated += ends * people[:, :2].sum(1)
        if week < wait + lengths.max():
            people = _week(arrays, week, people)
    return Course(treated, untreated)


def _referred(mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """(D, bands) people at caseness by band."""
    edge = severity.edges("depression")
    people = np.zeros((len(mean), len(edge) - 1))
    for band in range(2, len(edge) - 1):
        z = (edge[[band, band + 1]] - 0.5 - mean[:, None]) / sd[:, None]
        people[:, band] = severity.below(z[:, 1]) - severity.below(z[:, 0])
    return people / people.sum(1, keepdims=True)


def _week(arrays, week: int, people: np.ndarray) -> np.ndarray:
    p = arrays.interval[week]
    recover, worsen = arrays.recover[:, p], arrays.worsen[:, p]
    after = people * (1 - recover - worsen)
    after[:, 1:] += people[:, :-1] * worsen[:, :-1]
    after[:, 0] += (people * recover).sum(1) - people[:, 0] * arrays.relapse
    after[:, arrays.relapse_to[-1]] += people[:, 0] * arrays.relapse
    return after
