"""Counts that are known within ranges only: what rounding and suppression leave of them."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from iesoresearch.errors import DataError


@dataclass(frozen=True)
class Count:
    """A number of people of which it is known that it lies in one of `ranges`.

    Attributes
    ----------
    ranges
        Smallest and largest value of each, both included, rising and apart.
    """

    ranges: tuple[tuple[int, int], ...]

    def __post_init__(self):
        ends = [end for pair in self.ranges for end in pair]
        if not ends or ends[0] < 0 or ends != sorted(ends):
            raise DataError(f"{self.ranges} are no rising ranges of a count.")

    @classmethod
    def exact(cls, value: int) -> "Count":
        """A count that is known."""
        return cls(((int(value), int(value)),))

    @classmethod
    def between(cls, low: int, high: int) -> "Count":
        """A count that lies in one range."""
        return cls(((int(low), int(high)),))

    @classmethod
    def small_or_rest(cls, fewest: int, most: int, whole_low: int, whole_high: int) -> "Count":
        """A part of which it is said that it, or what it leaves of its whole, is small.

        Parameters
        ----------
        fewest, most
            Smallest and largest number that is called small.
        whole_low, whole_high
            Between them lies the whole.
        """
        below = (min(fewest, whole_high), min(most, whole_high))
        above = (max(whole_low - most, 0), max(whole_high - fewest, 0))
        if above[0] <= below[1] + 1:
            return cls(((min(below[0], above[0]), max(below[1], above[1])),))
        return cls((below, above))

    @property
    def low(self) -> int:
        """The smallest value."""
        return self.ranges[0][0]

    @property
    def high(self) -> int:
        """The largest value."""
        return self.ranges[-1][1]

    @property
    def is_exact(self) -> bool:
        """Whether it is known."""
        return self.low == self.high

    def values(self) -> np.ndarray:
        """(values,) every number that it may be, rising."""
        return np.concatenate([np.arange(low, high + 1) for low, high in self.ranges])


def total(counts: Iterable[Count]) -> Count:
    """Sum of counts of different people, with exact bounds: nothing narrower follows from them."""
    counts = list(counts)
    return Count.between(sum(c.low for c in counts), sum(c.high for c in counts))


def rate_bounds(events: Count, n: Count) -> tuple[float, float]:
    """Least and largest share of `events` in `n` that both ranges allow; NaN where n may be 0."""
    if n.low == 0:
        return (float("nan"),) * 2
    return events.low / n.high, min(events.high / n.low, 1.0)
