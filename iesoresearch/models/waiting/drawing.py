"""Draws of all inputs, each from a stream of its own name."""

from collections.abc import Iterable, Sequence

import numpy as np

from iesoresearch.data.health_economics import Input
from iesoresearch.data.health_economics.effect import Effect
from iesoresearch.errors import ParameterError
from iesoresearch.seeds import rng


def for_condition(inputs: Iterable[Input], condition: str | None) -> list[Input]:
    """Inputs that concern the condition; all of them with None."""
    return [x for x in inputs if condition is None or x.condition in (condition, "both")]


def draw_inputs(
    inputs: Sequence[Input], n_draws: int, seed: int, condition: str | None = None
) -> dict[str, np.ndarray]:
    """Joint draws of the inputs.

    Independent unless `Input.together` says otherwise. Then there is one quantile for all of them
    in every draw: utilities of one instrument, courses of one provider, rates of one source. This
    keeps utilities in the order of the bands; where the quantiles of two beta distributions cross,
    far in a tail, the worse band gets the utility of the better one. Shares of the second wait are
    a Dirichlet draw. Mean and heterogeneity of the effect come from their joint posterior.

    Parameters
    ----------
    inputs
        As of `load_inputs`.
    n_draws, seed
        Number of draws, and the seed of the run; an input keeps its draws when others are added.
    condition
        "depression" or "anxiety" leaves out the inputs of the other; None draws all.

    Returns
    -------
    dict of (n_draws,) arrays by name

    Raises
    ------
    ParameterError
        Fewer than one draw.
    """
    if n_draws < 1:
        raise ParameterError(f"n_draws must be 1 or more; found {n_draws}.")
    chosen = for_condition(inputs, condition)
    draws: dict[str, np.ndarray] = {}
    for label, members in groups(chosen).items():
        generator = rng(seed, "inputs", label)
        kinds = {x.distribution for x in members}
        if kinds == {"joint"}:
            found = _posterior(members).draw(generator, n_draws)
        elif kinds == {"dirichlet"}:
            parts = np.stack([x.law().draw(generator, n_draws) for x in members])
            found = parts / parts.sum(0)
        elif len(members) == 1:
            found = [members[0].law().draw(generator, n_draws)]
        else:
            u = generator.random(n_draws)
            found = _in_order(members, [x.law().quantile(u) for x in members])
        draws |= dict(zip((x.name for x in members), found, strict=True))
    return {x.name: draws[x.name] for x in chosen}


def groups(inputs: Iterable[Input]) -> dict[str, list[Input]]:
    """Inputs by what is drawn with one stream: `together`, or their own name.

    For the value of information and one-way analyses these are the parameters: utilities that move
    together cannot be learnt or varied one by one.
    """
    found: dict[str, list[Input]] = {}
    for x in inputs:
        found.setdefault(x.together or x.name, []).append(x)
    return found


def base_case(inputs: Sequence[Input], condition: str | None = None) -> dict[str, np.ndarray]:
    """One draw that is every input at its value."""
    return {x.name: np.array([x.value]) for x in for_condition(inputs, condition)}


def at_end(inputs: Sequence[Input], group: str, end: str) -> dict[str, np.ndarray]:
    """The inputs of one of `groups`, all at their low or all at their high end, as one draw.

    Parameters
    ----------
    inputs
        As of `load_inputs`.
    group
        A key of `groups`.
    end
        "low" or "high".

    Raises
    ------
    ParameterError
        No such group or end.
    """
    members = groups(inputs).get(group)
    if members is None or end not in ("low", "high"):
        raise ParameterError(
            f'"{group}" at its "{end}" end cannot be had: name a group of inputs, low or high.'
        )
    return {x.name: np.array([getattr(x, end)]) for x in members}


def _posterior(members: Sequence[Input]) -> Effect:
    mean, tau = members
    return Effect(
        mean.value,
        mean.parameters["sd"],
        tau.value,
        tau.parameters["sd"],
        mean.parameters["correlation"],
        mean.status,
        str(mean.source),
        mean.reason,
    )


def _in_order(members: Sequence[Input], found: list[np.ndarray]) -> list[np.ndarray]:
    if members[0].unit != "utility":
        return found
    return list(np.minimum.accumulate(found))
