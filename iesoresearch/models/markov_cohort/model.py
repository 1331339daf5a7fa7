"""A cohort model of many draws and strategies: states, transitions, rewards."""

from dataclasses import dataclass, field

import numpy as np

from iesoresearch.models.markov_cohort import checks, evaluation, timing
from iesoresearch.models.markov_cohort.rewards import Reward, fitted, flows
from iesoresearch.models.markov_cohort.shapes import Shapes
from iesoresearch.models.markov_cohort.units import Duration, same_unit


@dataclass(frozen=True, eq=False)
class CohortModel:
    """A cohort that moves between states cycle by cycle, for all draws and strategies at once.

    Nothing is changed after construction; arrays are kept as read-only views, not copied.

    Parameters
    ----------
    states, strategies
        Names, K strategies over the same S states.
    start
        (S,) or (D|1, K|1, S): shares of the cohort at time 0.
    transitions
        (S, S) or (D|1, K|1, T|1, S, S): probabilities of moving from row to column; entry c - 1 of
        the third axis for cycle c.
    rewards
        In the order of the results.
    n_cycles, cycle
        Number T of cycles, and the length of one.
    schedule
        (T,) or (K|1, T) whole numbers: which entry of the third axis of `transitions` holds in each
        cycle. That axis then has any length: few matrices for many cycles, or phases that begin at
        another time in each strategy.

    Raises
    ------
    ParameterError
        Names twice, or an array whose shape does not fit; all are listed. Values are looked at by
        `validate`, which everything that computes calls first.
    """

    states: tuple[str, ...]
    strategies: tuple[str, ...]
    start: np.ndarray
    transitions: np.ndarray
    rewards: tuple[Reward, ...]
    n_cycles: int
    cycle: Duration
    schedule: np.ndarray | None = None
    n_draws: int = field(init=False)

    def __post_init__(self) -> None:
        timing.check_cycles(self.n_cycles)
        same_unit("the cycle", self.cycle, self.cycle)
        shapes = Shapes(tuple(self.states), tuple(self.strategies), self.n_cycles)
        given, scheduled = self.transitions, self.schedule is not None
        for name, value in (
            ("states", tuple(self.states)),
            ("strategies", tuple(self.strategies)),
            ("start", shapes.array("start", self.start, "DKS")),
            ("transitions", shapes.array("transitions", given, "DKTSS", scheduled)),
            ("schedule", shapes.schedule("transitions", self.schedule, given, self.n_cycles)),
            ("rewards", tuple(fitted(reward, shapes) for reward in self.rewards)),
        ):
            object.__setattr__(self, name, value)
        shapes.names("reward", [reward.name for reward in self.rewards])
        object.__setattr__(self, "n_draws", shapes.finish())

    def validate(self) -> None:
        """Look at every value.

        Raises
        ------
        ParameterError
            Rows that do not sum to one, probabilities outside 0 … 1, utilities above 1, NaN: with
            draw (from 0), strategy, cycle (from 1) and state, in one paragraph.
        """
        checks.values(self)

    def totals(self, *, discounted: bool = True) -> dict[str, np.ndarray]:
        """Expected rewards of a member of the cohort, in one pass that stores no trace.

        Parameters
        ----------
        discounted
            False leaves out all discount factors.

        Returns
        -------
        dict of (D, K) arrays
            By name of the reward. A draw is the same to the bit whatever other draws there are.

        Raises
        ------
        ParameterError
            As `validate`.
        """
        occurs = checks.values(self)
        every = [flows(self, r, discounted) for r in self.rewards]
        found = evaluation.totals(self, occurs, every)
        return {
            reward.name: total + reward.once
            for reward, total in zip(self.rewards, found, strict=True)
        }

    def trace(self, draw: int = 0, strategy: int = 0) -> np.ndarray:
        """Membership at every point.

        Returns
        -------
        (T+1, S) array

        Raises
        ------
        ParameterError
            As `validate`.
        """
        self.validate()
        return evaluation.traces(self, [draw], [strategy])[0, 0]

    def traces(self) -> np.ndarray:
        """Membership at every point for all draws and strategies: for few draws.

        Returns
        -------
        (D, K, T+1, S) array

        Raises
        ------
        ParameterError
            As `validate`.
        """
        self.validate()
        return evaluation.traces(self, range(self.n_draws), range(len(self.strategies)))

    def values_to_go(self, *, discounted: bool = True) -> dict[str, np.ndarray]:
        """What somebody in a state at a point still collects: the backward evaluation.

        ``(start * values_to_go[:, :, 0]).sum(-1) + once`` is the total. Discounted to time 0, not
        to the point; what the point itself counts is included, `once` is not.

        Parameters
        ----------
        discounted
            False leaves out all discount factors.

        Returns
        -------
        dict of (D, K, T+1, S) arrays
            By name of the reward.

        Raises
        ------
        ParameterError
            As `validate`.
        """
        occurs = checks.values(self)
        return {
            reward.name: evaluation.to_go(self, occurs, flows(self, reward, discounted))
            for reward in self.rewards
        }
