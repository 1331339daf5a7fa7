"""What the waiting model found, and what is asked of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from iesoresearch.errors import ParameterError
from iesoresearch.models.waiting.assembling import INSTRUMENTS, Arrays

#: What may be asked for; several are added up only where all are named.
PERSPECTIVES = ("nhs cash", "productivity", "health")


@dataclass(frozen=True, eq=False)
class Outcome:
    """Totals per person from referral to the horizon: (draws D, starting bands S, waits W).

    Attributes
    ----------
    bands, waits
        Names of the starting bands, (W,) weeks.
    background, therapy
        NHS cost in £ besides therapy and of therapy, discounted.
    productivity_weeks
        Weeks of full productivity lost, discounted; None for anxiety, where nothing is published.
    week_of_work
        (D,) value of a week's work in £; None for anxiety.
    qaly
        Discounted QALYs by utility instrument.
    treated
        Share that comes to the second session, before the horizon.
    weeks_waited
        Mean weeks on the list for the first session; less than the wait where people drop out.
    course
        (D, S) cost of a full course in £, undiscounted, for somebody seen in the starting band.
    """

    bands: tuple[str, ...]
    waits: np.ndarray
    background: np.ndarray
    therapy: np.ndarray
    productivity_weeks: np.ndarray | None
    week_of_work: np.ndarray | None
    qaly: dict[str, np.ndarray]
    treated: np.ndarray
    weeks_waited: np.ndarray
    course: np.ndarray

    @classmethod
    def of(cls, model, arrays: Arrays, waits, out) -> Outcome:
        """Name the parts of what `kernel.run` filled."""
        parts = np.moveaxis(out if len(waits) == out.shape[-1] else out[..., waits], 2, 0)
        found = dict(zip(arrays.names, parts, strict=False))
        n = len(arrays.names)
        return cls(
            bands=model.starting_bands,
            waits=waits,
            background=found["background"],
            therapy=parts[n],
            productivity_weeks=found.get("productivity"),
            week_of_work=arrays.week_of_work,
            qaly={name: found[name] for name in INSTRUMENTS[model.condition]},
            treated=parts[n + 1],
            weeks_waited=parts[n + 2],
            course=arrays.course[:, 1:],
        )

    @property
    def productivity(self) -> np.ndarray | None:
        """Productivity lost in £, discounted; None for anxiety."""
        if self.productivity_weeks is None:
            return None
        return self.productivity_weeks * self.week_of_work[:, None, None]

    @property
    def nhs(self) -> np.ndarray:
        """NHS cost in £: background and therapy."""
        return self.background + self.therapy

    def cost_of_waiting(
        self,
        perspective: str | Sequence[str] = "nhs cash",
        wtp: float = 20_000.0,
        instrument: str = "SF-6D",
    ) -> np.ndarray:
        """(D, S, W) total at wait w less total at wait 0, from referral to the same horizon.

        Parameters
        ----------
        perspective
            "nhs cash" (£ the NHS spends), "productivity" (£ of work lost), "health" (QALYs lost, at
            `wtp` each: no cost to the NHS); a sequence adds those it names.
        wtp
            £ per QALY.
        instrument
            Of the QALYs.

        Raises
        ------
        ParameterError
            Wait 0 was not evaluated; a perspective or instrument that is not known or not to be had
            for the condition.
        """
        names = (perspective,) if isinstance(perspective, str) else tuple(perspective)
        if not names:
            raise ParameterError("Name at least one perspective of the cost of waiting.")
        if self.waits[0] != 0:
            raise ParameterError("The cost of waiting needs wait 0 among the waits evaluated.")
        total = sum(self._total(name, wtp, instrument) for name in names)
        return total - total[:, :, :1]

    def _total(self, perspective: str, wtp: float, instrument: str) -> np.ndarray:
        if perspective == "nhs cash":
            return self.nhs
        if perspective == "health":
            if instrument not in self.qaly:
                known = ", ".join(self.qaly)
                raise ParameterError(
                    f'QALYs by "{instrument}" are not to be had here, only by {known}: no mapping '
                    "to these bands is stated in a source."
                )
            return -wtp * self.qaly[instrument]
        if perspective != "productivity":
            raise ParameterError(
                f'There is no perspective "{perspective}"; choose from {", ".join(PERSPECTIVES)}.'
            )
        if self.productivity is None:
            raise ParameterError(
                "No source gives productivity by GAD-7, so it is left out for anxiety. Ask for "
                "nhs cash or health."
            )
        return self.productivity

    def per_patient_week(
        self,
        perspective: str | Sequence[str] = "nhs cash",
        wtp: float = 20_000.0,
        instrument: str = "SF-6D",
    ) -> np.ndarray:
        """(D, S, W) cost of waiting over the weeks a person is on the list; NaN at wait 0.

        Parameters are those of `cost_of_waiting`.
        """
        cost = self.cost_of_waiting(perspective, wtp, instrument)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self.weeks_waited > 0, cost / self.weeks_waited, np.nan)

    def break_even(
        self,
        perspective: str | Sequence[str] = "nhs cash",
        wtp: float = 20_000.0,
        instrument: str = "SF-6D",
    ) -> BreakEven:
        """Shortest wait whose cost reaches that of a course, draw by draw.

        Parameters are those of `cost_of_waiting`.
        """
        cost = self.cost_of_waiting(perspective, wtp, instrument)
        reached = cost >= self.course[:, :, None]
        weeks = np.where(reached.any(-1), self.waits[reached.argmax(-1)].astype(float), np.nan)
        above = (cost > self.course[:, :, None]).mean(0)
        return BreakEven(self.bands, self.waits, weeks, np.isnan(weeks).mean(0), above)


@dataclass(frozen=True, eq=False)
class BreakEven:
    """Where the cost of waiting meets that of a course.

    Attributes
    ----------
    weeks
        (D, S) shortest wait at which waiting costs at least a course; NaN where none does.
    never
        (S,) share of draws without such a wait.
    probability
        (S, W) that the cost of waiting is above that of a course.
    """

    bands: tuple[str, ...]
    waits: np.ndarray
    weeks: np.ndarray
    never: np.ndarray
    probability: np.ndarray

    def quantiles(self, levels: Sequence[float] = (0.025, 0.5, 0.975)) -> np.ndarray:
        """(S, levels) of `weeks`, with "never" beyond every wait: infinity where it falls there."""
        weeks = np.where(np.isnan(self.weeks), np.inf, self.weeks)
        return np.quantile(weeks, levels, axis=0, method="inverted_cdf").T
