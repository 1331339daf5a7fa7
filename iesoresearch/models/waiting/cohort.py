"""The same model as explicit matrices for the general engine: the check on the fast one."""

from collections.abc import Mapping

import numpy as np

from iesoresearch.models.markov_cohort import CohortModel, Reward, discount
from iesoresearch.models.waiting.assembling import INSTRUMENTS
from iesoresearch.models.waiting.bands import BANDS
from iesoresearch.models.waiting.model import WaitingModel
from iesoresearch.models.waiting.scenarios import WEEK


def as_cohort_model(
    model: WaitingModel, draws: Mapping[str, np.ndarray], draw: int, wait: int
) -> CohortModel:
    """One draw and one wait, with phases crossed with bands as states.

    Phases: waiting; second wait and treatment, each once per class of second wait; after; left. The
    strategies are the starting bands. Rewards bear the names of `Arrays.names`, and "therapy".

    Raises
    ------
    ParameterError
        As `WaitingModel.arrays`.
    """
    arrays = model.arrays({name: np.atleast_1d(v)[[draw]] for name, v in draws.items()})
    n_bands, n_classes = arrays.values.shape[2], arrays.second_shares.shape[1]
    phases = ["waiting"]
    for g in range(n_classes):
        phases += [f"second wait {g + 1}", f"treatment {g + 1}"]
    phases += ["after", "left"]
    bands = BANDS[model.condition]
    states = tuple(f"{phase}, {band}" for phase in phases for band in bands)
    start = np.zeros((1, n_bands - 1, len(states)))
    for s in range(n_bands - 1):
        start[0, s, s + 1] = 1.0
    horizon = model.horizon_weeks
    matrices = np.stack(
        [
            [_week(arrays, s, t, wait, len(phases)) for t in range(horizon)]
            for s in range(n_bands - 1)
        ]
    )
    rate = arrays.factor[0] ** (-1 / WEEK.years) - 1
    factors = discount(rate, horizon, WEEK)
    qalys = INSTRUMENTS[model.condition]
    rewards = [
        Reward(name, np.tile(values, len(phases)), "trapezoid", factors, utility=name in qalys)
        for name, values in zip(arrays.names, arrays.values[0], strict=True)
    ]
    paid = _paid(arrays, wait, horizon, len(phases))
    rewards.append(Reward("therapy", paid[None, None], np.ones(horizon + 1), factors))
    return CohortModel(
        states=states,
        strategies=bands[1:],
        start=start,
        transitions=matrices[None],
        rewards=tuple(rewards),
        n_cycles=horizon,
        cycle=WEEK,
    )


def natural_matrix(arrays, start: int, t: int) -> np.ndarray:
    """(bands, bands) moves of the natural course in week t, for those referred in a band."""
    p = arrays.interval[t]
    n_bands = arrays.values.shape[2]
    matrix = np.diag(1 - arrays.recover[0, p] - arrays.worsen[0, p])
    matrix[:, 0] += arrays.recover[0, p]
    matrix[range(n_bands - 1), range(1, n_bands)] += arrays.worsen[0, p, :-1]
    matrix[0, 0] -= arrays.relapse[0]
    matrix[0, arrays.relapse_to[start]] += arrays.relapse[0]
    return matrix


def _week(arrays, start: int, t: int, wait: int, n_phases: int) -> np.ndarray:
    """Matrix of all phases from week t to t + 1."""
    natural = natural_matrix(arrays, start, t)
    n = len(natural)
    full = np.zeros((n_phases, n, n_phases, n))
    after, left = n_phases - 2, n_phases - 1
    for phase in range(n_phases):
        full[phase, :, phase] = natural
    if t < wait:
        full[0, :, 0] = natural * (1 - arrays.dropout[0])
        full[0, :, left] = natural * arrays.dropout[0]
    elif t == wait:
        goes_on = arrays.engaged[0][:, None] * natural
        full[0, :, 0] = 0.0
        full[0, :, left] = natural - goes_on
        for g, share in enumerate(arrays.second_shares[0]):
            full[0, :, 1 + 2 * g] = share * (1 - arrays.dropout[0]) * goes_on
            full[0, :, left] += share * arrays.dropout[0] * goes_on
    for g, weeks in enumerate(arrays.second_weeks[0]):
        second, treatment = 1 + 2 * g, 2 + 2 * g
        end = wait + weeks + arrays.treatment_weeks[0]
        if wait < t < wait + weeks:
            full[second, :, second] = natural * (1 - arrays.dropout[0])
            full[second, :, left] = natural * arrays.dropout[0]
        from_, to, move = second, treatment, natural
        if t == end - 1:
            from_, to, move = (second if t == wait + weeks else treatment), after, natural
            move = natural @ arrays.effect[0]
        elif t != wait + weeks:
            continue
        full[from_, :, from_] = 0.0
        full[from_, :, to] = move
    return full.reshape(n_phases * n, -1)


def _paid(arrays, wait: int, horizon: int, n_phases: int) -> np.ndarray:
    """(T + 1, states) cost of sessions at the time of each."""
    n = arrays.values.shape[2]
    paid = np.zeros((horizon + 1, n_phases, n))
    if wait < horizon:
        paid[wait, 0] = arrays.first[0]
    for g, weeks in enumerate(arrays.second_weeks[0]):
        if wait + weeks < horizon:
            paid[wait + weeks, 1 + 2 * g] = arrays.rest[0]
    return paid.reshape(horizon + 1, -1)
