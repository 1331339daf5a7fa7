"""The waiting model: settings, and its evaluation for all draws, starting bands and waits."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from iesoresearch.errors import ParameterError
from iesoresearch.models.waiting.assembling import Arrays, assemble
from iesoresearch.models.waiting.bands import BANDS
from iesoresearch.models.waiting.kernel import run
from iesoresearch.models.waiting.outcome import Outcome
from iesoresearch.models.waiting.scenarios import check

PROVIDERS = ("nhs_tt", "ieso")
EFFECTS = ("predictive", "mean")


@dataclass(frozen=True)
class WaitingModel:
    """From referral to a fixed horizon, in cycles of a week; severity by band of PHQ-9 or GAD-7.

    Everybody waits `wait` weeks for the first session, and may leave the list before (drop-out).
    After it a share would go on (`engaged_…`), waits again for the second session, may leave before
    it at the same rate, and is treated otherwise; the published shares of second waits are those of
    people who came. Who leaves then has had, and cost, the first session and stays untreated. All
    the time, on the list or off it, severity follows the natural course: recovery to the first band
    (a named scenario), one band worse, relapse from the first band (`bands.relapse_to`). Therapy
    acts at the end of treatment, on top of what the natural course did meanwhile, as trials measure
    it against a waiting list:

    - depression: score after = score before − g × SD(PHQ-9) − individual spread; within a band
      scores are distributed as a normal distribution with the published mean and SD of first scores
      (`bands.shift`);
    - anxiety: the relative risk RR of non-response turns the share 1 − RR of those who would not
      have responded while waiting into responders, and a response halves the GAD-7 score
      (`bands.halved`). That halving stands for response is an assumption.

    The first session is paid when it happens, the rest of the course at the second session, both by
    severity at that time. Weeks are counted by the trapezoidal rule; what happens at the horizon or
    after it does not count.

    Parameters
    ----------
    condition
        "depression" or "anxiety".
    recovery
        Name of a scenario of natural recovery (`scenarios.SCENARIOS`).
    horizon_weeks
        From referral, the same for all waits.
    second_wait_weeks
        Weeks between first and second session for everybody; None takes the published distribution.
    provider
        Whose course costs and engagement: "nhs_tt" or "ieso".
    effect
        "predictive": the effect in one further service, which lies among those of the trials (so
        uncertainty holds their heterogeneity too); "mean": the average effect of trials.
    treat_recovered
        Whether people in the first band at the first session are given the rest of the course.

    Raises
    ------
    ParameterError
        A setting that is not known, or out of its range.
    """

    condition: str = "depression"
    recovery: str = "waiting list"
    horizon_weeks: int = 260
    second_wait_weeks: int | None = None
    provider: str = "nhs_tt"
    effect: str = "mean"
    treat_recovered: bool = False

    def __post_init__(self) -> None:
        for name, known in (("condition", BANDS), ("provider", PROVIDERS), ("effect", EFFECTS)):
            if getattr(self, name) not in known:
                raise ParameterError(
                    f'{name} must be one of {", ".join(known)}; found "{getattr(self, name)}".'
                )
        check(self.recovery, self.condition)
        second = 1 if self.second_wait_weeks is None else self.second_wait_weeks
        if self.horizon_weeks < 1 or second < 1:
            raise ParameterError(
                "horizon_weeks and second_wait_weeks must be 1 or more; found "
                f"{self.horizon_weeks} and {self.second_wait_weeks}."
            )

    @property
    def starting_bands(self) -> tuple[str, ...]:
        """Bands in which people are referred: all but the first."""
        return BANDS[self.condition][1:]

    def arrays(self, draws: Mapping[str, np.ndarray]) -> Arrays:
        """The numbers that the model runs on, for `as_cohort_model` and for questions about them.

        Raises
        ------
        ParameterError
            As `assemble`.
        """
        return assemble(self, draws)

    def evaluate(
        self,
        draws: Mapping[str, np.ndarray],
        waits: Iterable[int] = range(53),
        n_jobs: int = 1,
    ) -> Outcome:
        """Totals from referral for all draws, starting bands and waits.

        Parameters
        ----------
        draws
            As of `draw_inputs`: (D,) arrays by name of input.
        waits
            Weeks from referral to the first session, whole and rising, up to the horizon: whoever
            waits until then is never treated. Include 0 for the cost of waiting.
        n_jobs
            Threads; they change no result.

        Raises
        ------
        ParameterError
            Waits that are not whole, negative, beyond the horizon or do not rise; draws that cannot
            be used.
        """
        weeks = _waits(waits, self.horizon_weeks)
        arrays = self.arrays(draws)
        n_draws, n_rewards, n_bands = arrays.values.shape
        out = np.empty((n_draws, n_bands - 1, n_rewards + 3, int(weeks[-1]) + 1))
        edges = np.linspace(0, n_draws, max(1, n_jobs) + 1).astype(int)

        def part(i: int) -> None:
            _run(arrays, slice(edges[i], edges[i + 1]), out)

        with ThreadPoolExecutor(max(1, n_jobs)) as executor:
            list(executor.map(part, range(len(edges) - 1)))
        return Outcome.of(self, arrays, weeks, out)


def _waits(waits: Iterable[int], horizon: int) -> np.ndarray:
    weeks = np.asarray(list(waits))
    whole = weeks.size > 0 and np.issubdtype(weeks.dtype, np.integer)
    if not whole or weeks[0] < 0 or (np.diff(weeks) <= 0).any():
        raise ParameterError("waits must be whole weeks, 0 or more, each above the one before.")
    if weeks[-1] > horizon:
        raise ParameterError(
            f"A wait of {weeks[-1]} weeks ends after the horizon of {horizon}, where nothing is "
            "counted. Lengthen horizon_weeks, or ask for waits up to it (at it: never treated)."
        )
    return weeks.astype(np.int64)


def _run(arrays: Arrays, rows: slice, out: np.ndarray) -> None:
    run(
        arrays.interval,
        arrays.recover[rows],
        arrays.worsen[rows],
        arrays.relapse[rows],
        arrays.relapse_to,
        arrays.effect[rows],
        arrays.values[rows],
        arrays.first[rows],
        arrays.rest[rows],
        arrays.engaged[rows],
        arrays.second_shares[rows],
        arrays.second_weeks[rows],
        arrays.treatment_weeks[rows],
        arrays.dropout[rows],
        arrays.factor[rows],
        out.shape[-1] - 1,
        out[rows],
    )
