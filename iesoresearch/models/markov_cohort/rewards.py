"""What a cohort earns or costs, and how it is counted."""

from dataclasses import dataclass, replace

import numpy as np

from iesoresearch.models.markov_cohort.shapes import Shapes
from iesoresearch.models.markov_cohort.timing import weights


@dataclass(frozen=True, eq=False)
class Reward:
    """What being in a state, moving between states, or starting is worth: a cost, a QALY, a count.

    An axis of length 1 means "the same for all"; leading axes may be left out where the comment of
    a parameter gives two shapes. D draws, K strategies, T + 1 points (`timing`), T cycles, S
    states.

    Parameters
    ----------
    name
        Unlike that of the other rewards of a model.
    values
        (S,) or (D|1, K|1, T+1|1, S): worth of a cycle in the state, in units *per cycle*. None
        where only transitions or starting count.
    weights
        Name of a counting convention or (T+1,) weights of the points; must be given with `values`.
        With "life_table" the value and discount factor of entry c belong to cycle c = 1 … T (entry
        0 is not used), and apply to the mean of the membership before and after it.
    discount
        (T+1,) factors, as of `timing.discount`. None: not discounted.
    transition
        (S, S) or (D|1, K|1, T|1, S, S): worth of a move from row to column; entry c - 1 of
        the third axis for cycle c.
    transition_weights
        (T,) how often the moves of each cycle count; must be given with `transition` (ones, unless
        the source does otherwise: DARTH's models use ``weights[1:]``).
    transition_discount
        (T,) factors; by default ``discount[1:]``, those of the end of the cycle.
    once
        Number or (D|1, K|1): counted at time 0, in full.
    utility
        The values are utilities times years: none may exceed the length of a cycle.
    schedule
        (T+1,) or (K|1, T+1) whole numbers: which entry of the third axis of `values` holds at each
        point. That axis then has any length.
    """

    name: str
    values: np.ndarray | None = None
    weights: np.ndarray | str | None = None
    discount: np.ndarray | None = None
    transition: np.ndarray | None = None
    transition_weights: np.ndarray | None = None
    transition_discount: np.ndarray | None = None
    once: np.ndarray | float = 0.0
    utility: bool = False
    schedule: np.ndarray | None = None


@dataclass(frozen=True)
class Flow:
    """A part of a reward in the form that is evaluated: values of states at points.

    Attributes
    ----------
    values
        (D|1, K|1, M, S).
    schedule
        (K|1, T+1): entry of the third axis at each point.
    weights
        (T+1,): counting weight times discount factor.
    """

    values: np.ndarray
    schedule: np.ndarray
    weights: np.ndarray


def fitted(reward: Reward, shapes: Shapes) -> Reward:
    """The reward with all its arrays in full dimensions; faults are noted in `shapes`."""
    of = f'reward "{reward.name}"'
    points = shapes.n_cycles + 1
    life_table = isinstance(reward.weights, str) and reward.weights == "life_table"
    counting = reward.weights
    if isinstance(counting, str) and not life_table:
        counting = weights(counting, shapes.n_cycles)
    if reward.values is not None and counting is None:
        shapes.problem(f'{of} counts states but not when: give weights, such as "trapezoid"')
    if reward.transition is not None and reward.transition_weights is None:
        shapes.problem(
            f"{of} counts transitions but not how often: give transition_weights, one per cycle"
        )
    schedule = reward.schedule
    return replace(
        reward,
        values=shapes.array(f"values of {of}", reward.values, "DKPS", schedule is not None),
        schedule=shapes.schedule(f"values of {of}", schedule, reward.values, points),
        weights=counting if life_table else shapes.vector(f"weights of {of}", counting, points),
        discount=shapes.vector(f"discount of {of}", reward.discount, points),
        transition=shapes.array(f"transition of {of}", reward.transition, "DKTSS"),
        transition_weights=shapes.vector(
            f"transition_weights of {of}", reward.transition_weights, points - 1
        ),
        transition_discount=shapes.vector(
            f"transition_discount of {of}", reward.transition_discount, points - 1
        ),
        once=shapes.array(f"once of {of}", reward.once, "DK"),
    )


def flows(model, reward: Reward, discounted: bool) -> list[Flow]:
    """Everything a reward counts but `once`.

    Parameters
    ----------
    model : CohortModel
        Whose reward it is.
    reward
        One of its rewards.
    discounted
        False leaves out the discount factors.
    """
    found = [] if reward.values is None else of_states(model, reward, discounted)
    if reward.transition is not None:
        found.append(_of_moves(model, reward, weights_of_moves(reward, discounted)))
    return found


def of_states(model, reward: Reward, discounted: bool) -> list[Flow]:
    """What a reward counts of being in states."""
    values, schedule = reward.values, reward.schedule
    factors = reward.discount if discounted else None
    if factors is None:
        factors = np.ones(model.n_cycles + 1)
    if not isinstance(reward.weights, str):
        return [Flow(values, schedule, reward.weights * factors)]
    # cycle c: half of its value at the point after it, half at the one before
    after = np.concatenate([[0.0], factors[1:] / 2])
    before = np.append(factors[1:] / 2, 0.0)
    if values.shape[2] == 1:
        return [Flow(values, schedule, before + after)]
    following = np.concatenate([schedule[:, 1:], schedule[:, -1:]], axis=1)
    return [Flow(values, schedule, after), Flow(values, following, before)]


def weights_of_moves(reward: Reward, discounted: bool) -> np.ndarray:
    """(T,) how much the moves of each cycle count."""
    if not discounted:
        return reward.transition_weights
    if reward.transition_discount is not None:
        return reward.transition_weights * reward.transition_discount
    if reward.discount is not None:
        return reward.transition_weights * reward.discount[1:]
    return reward.transition_weights


def _of_moves(model, reward: Reward, weights_: np.ndarray) -> Flow:
    """A move is worth, to who is in a state before it, its expected worth from there."""
    worth, n = reward.transition, model.n_cycles
    if worth.shape[2] == 1:
        values = np.einsum("dkmij,dkmij->dkmi", *np.broadcast_arrays(model.transitions, worth))
        schedule = model.schedule
    else:
        schedule = np.arange(n)[None]
        values = np.stack([_worth(model, worth[:, :, c], c) for c in range(n)], axis=2)
    schedule = np.concatenate([schedule, schedule[:, -1:]], axis=1)
    return Flow(values, schedule, np.append(weights_, 0.0))


def _worth(model, worth: np.ndarray, c: int) -> np.ndarray:
    """(D|1, K|1, S) expected worth of the move in cycle c + 1."""
    at, matrices = model.schedule[:, c], model.transitions
    if len(at) == 1:
        matrices = matrices[:, :, at[0]]
    else:
        matrices = matrices[:, np.arange(len(at)) if matrices.shape[1] > 1 else 0, at]
    return (matrices * worth).sum(-1)
