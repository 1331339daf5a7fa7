"""Whose costs count, the waits that are asked about, and when the sentence counts as supported."""

from dataclasses import dataclass

import numpy as np

from iesoresearch.analyses.waiting import Params
from iesoresearch.analyses.waiting.england import England
from iesoresearch.models.waiting import Outcome

CASH, WORK, HEALTH = "cash", "work", "health"
NAMES = {CASH: "NHS cash", WORK: "work", HEALTH: "health"}
MORE, FAR_MORE = 1.0, "far more"
SUPPORTED, OPEN, NOT_SUPPORTED = "supported", "not settled", "not supported"
STANDARD = 18  # weeks within which 95 % are to be seen in England
SIX = 6  # and 75 %
YEAR = 52
_TOGETHER = (CASH, WORK, HEALTH)
_EVERY = slice(None)


@dataclass(frozen=True)
class Perspective:
    """Parts of the cost of waiting that are added up; £ per QALY where health is one of them."""

    parts: tuple[str, ...]
    wtp: float = 0.0

    @property
    def name(self) -> str:
        """What is counted, in words."""
        said = " + ".join(NAMES[part] for part in self.parts)
        return f"{said} at £{self.wtp:,.0f}/QALY" if HEALTH in self.parts else said

    def total(self, outcome: Outcome, instrument: str, at: slice = _EVERY) -> np.ndarray:
        """£ per patient from referral to the horizon (D, S, W); health counts as what is lost.

        Parameters
        ----------
        at
            Places of the waits that are wanted.
        """
        found = outcome.background[:, :, at] + outcome.therapy[:, :, at]
        if WORK in self.parts:
            found += outcome.productivity_weeks[:, :, at] * outcome.week_of_work[:, None, None]
        if HEALTH in self.parts:
            found -= self.wtp * outcome.qaly[instrument][:, :, at]
        return found


def perspectives(condition: str, thresholds: list[float]) -> tuple[Perspective, ...]:
    """Cash alone, with work, with health at every threshold, and all three.

    Work is left out for anxiety: no source gives it by GAD-7.
    """
    work = condition == "depression"
    found = [Perspective((CASH,))]
    if work:
        found.append(Perspective((CASH, WORK)))
    found += [Perspective((CASH, HEALTH), wtp) for wtp in thresholds]
    if work:
        found += [Perspective(_TOGETHER, wtp) for wtp in thresholds]
    return tuple(found)


@dataclass(frozen=True)
class Wait:
    """A wait that is asked about.

    Attributes
    ----------
    weeks
        From referral to the first session.
    both
        Whether the wait from the first to the second session, as published, counts as well; else
        that wait is the same whatever the first one is, and none of its cost is counted.
    """

    short: str
    label: str
    weeks: int
    both: bool = False


def waits(england: England) -> tuple[Wait, ...]:
    """The waits that the published figures of England show, and a year."""
    typical = england.typical
    return (
        Wait(f"{typical} weeks", f"{typical} weeks, the mean first wait", typical),
        Wait("both waits", f"{typical} weeks and the second wait", typical, both=True),
        Wait(f"{SIX} weeks", f"{SIX} weeks, a standard", SIX),
        Wait(f"{STANDARD} weeks", f"{STANDARD} weeks, a standard", STANDARD),
        Wait(f"{YEAR} weeks", f"{YEAR} weeks", YEAR),
    )


def verdict(probability: float, params: Params) -> str:
    """What a probability says of a claim."""
    if probability >= params.sure:
        return SUPPORTED
    return NOT_SUPPORTED if probability <= 1 - params.sure else OPEN
