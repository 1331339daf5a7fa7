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
    problems = [
        *([] if sound else _broken(model, model.transitions, "DKT", "transitions")),
        *_start(model),
        *(found for reward in model.rewards for found in _reward(model, reward)),
    ]
    if problems:
        raise ParameterError(
            f"The cohort model cannot be evaluated: {'; '.join(problems)}. Nothing was computed. "
            "Mend these inputs (draws are counted from 0, cycles from 1)."
        )
    return occurs


def _start(model) -> list[str]:
    if kernel.scan(model.start[:, :, None, None])[0]:
        return []
    return _broken(model, model.start, "DK", "start")


def _broken(model, p, axes: str, what: str) -> list[str]:
    rows = (*axes, "S") if p.ndim > len(axes) + 1 else tuple(axes)
    cells = (*rows, "to")
    sums = p.sum(-1)
    kinds = [
        (np.isnan(p), cells, "is NaN", False),
        (p < 0, cells, "is negative", True),
        (p > 1 + kernel.TOLERANCE, cells, "is above 1", True),
        (abs(sums - 1) > kernel.TOLERANCE, rows, "instead of 1", True),
    ]
    found = []
    for wrong, names, text, show in kinds:
        places = np.argwhere(wrong)
        if not len(places):
            continue
        of = sums if text == "instead of 1" else p
        each = []
        for place in places[:SHOWN]:
            value = f"{of[tuple(place)]:.10g} " if show else ""
            verb = "sums to " if of is sums else ""
            each.append(f"{where(model, place, names, p.shape, what)} {verb}{value}{text}".strip())
        if len(places) > SHOWN:
            each.append(f"and {len(places) - SHOWN} more such")
        found += each
    return found


def where(model, place, names, shape, what: str) -> str:
    """The place of a value in words: "transitions from S1 to D (draw 3, strategy A, cycle 2)"."""
    around, text = [], what
    for index, name, length in zip(place, names, shape, strict=False):
        if name == "D" and length > 1:
            around.append(f"draw {index}")
        elif name == "K":
            around.append(f"strategy {model.strategies[index]}" if length > 1 else "every strategy")
        elif name in "TP" and length > 1:
            around.append(_when(model, name, index))
        elif name == "S":
            text += f" from {model.states[index]}" if "T" in names else f" of {model.states[index]}"
        elif name == "to":
            text += f" to {model.states[index]}" if "T" in names else f" of {model.states[index]}"
    return f"{text} ({', '.join(around)})" if around else text


def _when(model, name: str, index: int) -> str:
    return f"cycle {index + 1}" if name == "T" else f"point {index}"


def _reward(model, reward) -> list[str]:
    found = []
    of = f'reward "{reward.name}"'
    for what, array, names in (
        ("values", reward.values, "DKPS"),
        ("once", reward.once, "DK"),
        ("transition", reward.transition, ("D", "K", "T", "S", "to")),
    ):
        if array is None:
            continue
        found += _listed(
            model,
            ~np.isfinite(array),
            array,
            names,
            f"{what} of {of}",
            "is not a finite number",
            False,
        )
    for what in ("weights", "discount", "transition_weights", "transition_discount"):
        vector = getattr(reward, what)
        if vector is not None and not isinstance(vector, str) and not np.isfinite(vector).all():
            found.append(f"{what} of {of} hold what is not a finite number")
    if reward.utility and reward.values is not None:
        limit = model.cycle.years
        wrong = reward.values > limit * (1 + 1e-9)
        found += _listed(
            model, wrong, reward.values / limit, "DKPS", f"utility of {of}", "is above 1", True
        )
    return found


def _listed(model, wrong, of, names, what, text, show) -> list[str]:
    places = np.argwhere(wrong)
    each = [
        f"{where(model, place, names, wrong.shape, what)} "
        + (f"{of[tuple(place)]:.10g} " if show else "")
        + text
        for place in places[:SHOWN]
    ]
    if len(places) > SHOWN:
        each.append(f"and {len(places) - SHOWN} more such")
    return each
