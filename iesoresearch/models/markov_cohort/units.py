"""Durations, and conversions of rates and probabilities that will not guess a unit.

A year has 12 months, 4 quarters, 365.25 days, and so 52.1786 weeks of 7 days.
"""

import math
from dataclasses import dataclass

import numpy as np

from iesoresearch.errors import ParameterError

#: Units per year.
PER_YEAR = {"day": 365.25, "week": 365.25 / 7, "month": 12.0, "quarter": 4.0, "year": 1.0}


@dataclass(frozen=True)
class Duration:
    """A length of time, such as a cycle, or what a rate is "per".

    Parameters
    ----------
    amount
        Finite, above zero.
    unit
        "day", "week", "month", "quarter" or "year".

    Raises
    ------
    ParameterError
        Another unit, or an amount that is not above zero.
    """

    amount: float
    unit: str

    def __post_init__(self) -> None:
        if self.unit not in PER_YEAR:
            raise ParameterError(
                f'A duration is counted in {", ".join(PER_YEAR)}; "{self.unit}" is none of these.'
            )
        if not (math.isfinite(self.amount) and self.amount > 0):
            raise ParameterError(
                f"A duration must be above zero; this one is {self.amount:g} {self.unit}."
            )

    @property
    def years(self) -> float:
        """The duration in years."""
        return self.amount / PER_YEAR[self.unit]

    def over(self, other: "Duration") -> float:
        """How many times `other` fits; exact within one unit."""
        if self.unit == other.unit:
            return self.amount / other.amount
        return self.years / other.years

    def __str__(self) -> str:
        return f"{self.amount:g} {self.unit}{'' if self.amount == 1 else 's'}"


YEAR = Duration(1, "year")


def probability_from_rate(rate, per: Duration, cycle: Duration):
    """Probability of an event within a cycle, from its rate: 1 - exp(-rate × cycle / per).

    The only event that can happen, at a constant rate (competing events take from one another).

    Parameters
    ----------
    rate : array_like
        Events per `per`, not negative.
    per
        What the rate is per; never guessed.
    cycle
        Length of a cycle.

    Raises
    ------
    ParameterError
        A unit that is not said, or a rate that is negative or NaN.
    """
    times = _cycles_per(cycle, per, "rate", rate)
    rate = _numbers("rate", rate)
    _require(rate >= 0, f"A rate per {per} cannot be negative or NaN", rate)
    return _plain(-np.expm1(-rate * times))


def rate_from_probability(probability, over: Duration, per: Duration = YEAR):
    """Constant rate that gives the probability: -log(1 - p) × per / over.

    Parameters
    ----------
    probability : array_like
        Of the event within `over`; at least 0, below 1.
    over
        The time that the probability covers; never guessed.
    per
        Unit of the rate to be found.

    Raises
    ------
    ParameterError
        A unit that is not said, or a probability that no rate gives.
    """
    times = _cycles_per(per, over, "probability", probability)
    p = _numbers("probability", probability)
    _require((p >= 0) & (p < 1), f"A probability within {over} must be in 0 … 1, below 1", p)
    return _plain(-np.log1p(-p) * times)


def rescale_probability(probability, from_: Duration, to: Duration):
    """Probability within `to` from that within `from_`, at a constant rate.

    1 - (1 - p)^(to / from_): right for one event apart from others; rows with several exits need
    rates.

    Raises
    ------
    ParameterError
        A unit that is not said, or a probability outside 0 … 1.
    """
    times = _cycles_per(to, from_, "probability", probability)
    p = _numbers("probability", probability)
    _require((p >= 0) & (p <= 1), f"A probability within {from_} must be in 0 … 1", p)
    return _plain(1 - (1 - p) ** times)


def per_cycle(value, per: Duration, cycle: Duration):
    """What accrues in a cycle of something that accrues evenly, such as a cost or a utility.

    Raises
    ------
    ParameterError
        A unit that is not said.
    """
    return _plain(_numbers("value", value) * _cycles_per(cycle, per, "value", value))


def same_unit(what: str, per: Duration, cycle: Duration) -> None:
    """Refuse something "per" one length of time where the model counts in another.

    Parameters
    ----------
    what
        How the message calls it, such as "the discount rate".
    per, cycle
        What it is per, and the cycle of the model.

    Raises
    ------
    ParameterError
        They differ; both are named.
    """
    _check_duration(per, what)
    _check_duration(cycle, "the cycle")
    if not math.isclose(per.years, cycle.years, rel_tol=1e-9):
        raise ParameterError(
            f"{what[:1].upper()}{what[1:]} is per {per}, but a cycle of the model is {cycle}: it "
            f"would be counted {per.over(cycle):g} times too often. Convert it "
            "(probability_from_rate, rescale_probability, per_cycle), or change its unit."
        )


def _cycles_per(cycle, per, what, value) -> float:
    for duration in (per, cycle):
        if not isinstance(duration, Duration):
            known = next((d for d in (per, cycle) if isinstance(d, Duration)), None)
            other = f" (the other unit is {known})" if known else ""
            raise ParameterError(
                f"The unit of the {what} {_shown(value)} is not said{other}: "
                f'both what it is per and the cycle are durations, such as Duration(1, "year"); '
                f"found {duration!r}."
            )
    return cycle.over(per)


def _check_duration(duration, what: str) -> None:
    if not isinstance(duration, Duration):
        raise ParameterError(
            f"{what[:1].upper()}{what[1:]} has no unit: give a duration, such as "
            f'Duration(1, "year"), not {duration!r}.'
        )


def _numbers(what: str, value) -> np.ndarray:
    try:
        return np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise ParameterError(f"A {what} must be a number or an array; found {value!r}.") from None


def _require(fine, sentence: str, values) -> None:
    if not np.all(fine):
        bad = values[~fine] if values.ndim else values
        raise ParameterError(f"{sentence}; found {float(np.ravel(bad)[0]):g}.")


def _shown(value) -> str:
    return f"{float(value):g}" if np.ndim(value) == 0 and np.isreal(value) else "given"


def _plain(x):
    return float(x) if np.ndim(x) == 0 else x
