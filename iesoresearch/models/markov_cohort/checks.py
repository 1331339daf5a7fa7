"""Looks at every value of a cohort model before anything is computed."""

import numpy as np

from iesoresearch.errors import ParameterError
from iesoresearch.models.markov_cohort import kernel

SHOWN = 6  # problems of one kind that a message spells out


def values(model) -> np.ndarray:
    """Refuse a model with a value that cannot be.

    Parameters
    ----------
    model : CohortModel
        Whose shapes fit.

    Returns
    -------
    (S, S) bool array
        Moves with a probability above zero in any draw, strategy or cycle.

    Raises
    ------
    ParameterError
        All problems in one paragraph, each with draw, strategy, cycle and state.
    """
    sound, occurs = kernel.scan(model.transitions)
    problems = [] if sound else _distributions(model, "transitions", model.transitions)
    if not kernel.scan(model.start[:, :, None, None])[0]:
        problems += _distributions(model, "start", model.start)
    for reward in model.rewards:
        problems += _reward(model, reward)
    if problems:
        raise ParameterError(
            f"The cohort model cannot be evaluated: {'; '.join(problems)}. Nothing was computed. "
            "Mend these inputs (draws are counted from 0, cycles from 1)."
        )
    return occurs


def _distributions(model, what: str, p: np.ndarray) -> list[str]:
    cells, rows = ("DKTSR", "DKTS") if what == "transitions" else ("DKR", "DK")
    sums = p.sum(-1)
    within = kernel.TOLERANCE
    return [
        *_listed(model, what, np.isnan(p), cells, "NaN"),
        *_listed(model, what, p < 0, cells, "{:.10g} is negative", p),
        *_listed(model, what, p > 1 + within, cells, "{:.10g} is above 1", p),
        *_listed(model, what, abs(sums - 1) > within, rows, "sum {:.10g} instead of 1", sums),
    ]


def _reward(model, reward) -> list[str]:
    found, of = [], f'reward "{reward.name}"'
    for name, axes in (("values", "DKPR"), ("once", "DK"), ("transition", "DKTSR")):
        array = getattr(reward, name)
        if array is not None and not np.isfinite(array).all():
            wrong = ~np.isfinite(array)
            found += _listed(model, f"{name} of {of}", wrong, axes, "{} is no number", array)
    for name in ("weights", "discount", "transition_weights", "transition_discount"):
        vector = getattr(reward, name)
        if vector is not None and not isinstance(vector, str) and not np.isfinite(vector).all():
            found.append(f"{name} of {of}: entry {(~np.isfinite(vector)).argmax()} is no number")
    if reward.utility and reward.values is not None:
        yearly = reward.values / model.cycle.years
        above = yearly > 1 + 1e-9
        found += _listed(
            model, f"utility of {of}", above, "DKPR", "{:.10g} per year is above 1", yearly
        )
    return found


def _listed(model, what: str, wrong, axes: str, text: str, of=None) -> list[str]:
    """Problems by state, the first of each with its place.

    Parameters
    ----------
    wrong : array
        Where.
    axes
        Letters of its axes: draws, strategies, cycles T, points P, state S that is left, state R
        that is reached or been in.
    text
        With a place for the value in `of`.
    """
    places = np.argwhere(wrong)
    around = sum(axis in "DKTP" for axis in axes)
    first: dict[tuple, np.ndarray] = {}
    counts: dict[tuple, int] = {}
    for place in places:
        states = tuple(place[around:])
        first.setdefault(states, place)
        counts[states] = counts.get(states, 0) + 1
    found = []
    for states, place in list(first.items())[:SHOWN]:
        value = text if of is None else text.format(of[tuple(place)])
        where = _where(model, place, axes, wrong.shape)
        more = f", and {counts[states] - 1} more" if counts[states] > 1 else ""
        found.append(f"{what}{_states(model, states, axes)}: {value} ({where}{more})")
    if len(first) > SHOWN:
        found.append(f"{what}: {len(first) - SHOWN} other states have such problems")
    return found


def _states(model, states: tuple, axes: str) -> str:
    names = [model.states[i] for i in states]
    if "S" not in axes:
        return f" in {names[0]}" if names else ""
    return f" from {' to '.join(names)}"


def _where(model, place, axes: str, shape) -> str:
    parts = []
    for index, axis, length in zip(place, axes, shape, strict=True):
        if axis == "K":
            one = length > 1 or len(model.strategies) == 1
            parts.append(f"strategy {model.strategies[index]}" if one else "every strategy")
        elif axis == "D" and model.n_draws > 1:
            parts.append(f"draw {index}" if length > 1 else "every draw")
        elif axis in "TP" and length > 1:
            # a schedule of another length tells when an entry holds
            by_time = length == model.n_cycles + (axis == "P")
            in_time = f"cycle {index + 1}" if axis == "T" else f"point {index}"
            parts.append(in_time if by_time else f"entry {index} of the schedule")
    return ", ".join(parts)
