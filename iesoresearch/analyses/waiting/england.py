"""What the published figures of England say: how long people wait, how ill, and where they live."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from iesoresearch.analyses.waiting.declared import count, value
from iesoresearch.data import published
from iesoresearch.data.health_economics import Input
from iesoresearch.hashes import digest
from iesoresearch.results import Table

#: Published classes of waits -> the input that holds the weeks taken for them.
CLASSES = {
    "<=28 days": "second_wait_weeks_to_28_days",
    "29-56 days": "second_wait_weeks_29_to_56_days",
    "57-90 days": "second_wait_weeks_57_to_90_days",
    ">90 days": "second_wait_weeks_over_90_days",
}
#: Their least and most days.
DAYS = {
    "<=28 days": (0, 28),
    "29-56 days": (29, 56),
    "57-90 days": (57, 90),
    ">90 days": (91, np.inf),
}
FIRST, SECOND, BOTH = "first wait", "second wait", "both waits"
#: Condition -> scale, problem, and the lowest score of each band patients may start in.
SCALES = {
    "depression": (
        "phq9",
        "depression",
        {"mild": 5, "moderate": 10, "moderately severe": 15, "severe": 20},
    ),
    "anxiety": (
        "gad7",
        "generalised anxiety disorder",
        {"mild": 5, "moderate": 10, "severe": 15},
    ),
}
SCALE_NAMES = {"phq9": "PHQ-9", "gad7": "GAD-7"}
_CBT = "problem, cognitive behaviour therapy"


def _ends() -> np.ndarray:
    """(4, 2) least and most days of every class."""
    return np.array([DAYS[name] for name in CLASSES], dtype=float)


@dataclass(frozen=True)
class England:
    """Published figures of the latest year, with the weeks that stand for classes of waits."""

    frame: pl.DataFrame
    year: str
    weeks: dict[str, float]

    @classmethod
    def read(cls, inputs: tuple[Input, ...]) -> "England":
        """The figures in the package; the weeks of a class are those of the inputs."""
        frame = published.load().filter(org=published.ENGLAND)
        value = {x.name: x.value for x in inputs}
        weeks = {name: value[known] for name, known in CLASSES.items()}
        return cls(frame, frame["period"].max(), weeks)

    @property
    def fingerprint(self) -> str:
        """Hash of the published table."""
        return digest(published.content())

    def _counts(self, breakdown: str, measure: str) -> dict[str, float]:
        rows = self.frame.filter(
            pl.col("statistic").str.starts_with("count"),
            period=self.year,
            breakdown=breakdown,
            measure=measure,
        )
        return dict(rows.select("group", "value").iter_rows())

    def shares(self, wait: str) -> np.ndarray:
        """Share of finished courses by class of a wait."""
        found = self._counts(wait, "finished")
        counts = np.array([found[name] for name in CLASSES])
        return counts / counts.sum()

    def mean_weeks(self, wait: str) -> float:
        """Mean of a wait in weeks, by the weeks that stand for its classes."""
        return float(self.shares(wait) @ np.array([self.weeks[name] for name in CLASSES]))

    def longer(self, wait: str, weeks: float) -> tuple[float, float]:
        """Share of finished courses with a wait of more than so many weeks: least and most.

        Bounds, as only classes of waits are published. `BOTH` is the sum of first and second wait,
        as if who waits long for one did not wait longer, or shorter, for the other.
        """
        if wait == BOTH:
            days = np.add.outer(_ends(), _ends())[:, [0, 1], :, [0, 1]]
            shares = np.outer(self.shares(FIRST), self.shares(SECOND))
        else:
            days, shares = _ends().T, self.shares(wait)
        low, high = (float(shares[d > 7 * weeks].sum()) for d in days)
        return low, high

    @cached_property
    def typical(self) -> int:
        """Mean first wait in whole weeks."""
        return round(self.mean_weeks(FIRST))

    @property
    def referrals(self) -> int:
        """Received in the year."""
        return int(self._counts("total", "referrals")["all"])

    def first_score(self, condition: str) -> float:
        """Mean score at the start of a course of CBT for the condition."""
        scale, problem, _ = SCALES[condition]
        row = self.frame.filter(
            period=self.year, breakdown=_CBT, group=problem, measure=f"{scale} first",
            statistic="mean",
        )  # fmt: skip
        return float(row["value"].item())

    def usual_band(self, condition: str) -> str:
        """Band of the mean first score."""
        lowest = SCALES[condition][2]
        score = self.first_score(condition)
        return [name for name, low in lowest.items() if score >= low][-1]

    @property
    def courses(self) -> dict[str, int]:
        """Finished in the year, by condition."""
        found = self._counts("problem", "finished")
        return {name: int(found[problem]) for name, (_, problem, _) in SCALES.items()}

    def deciles(self) -> pl.DataFrame:
        """By decile of deprivation, 1 = most deprived: referrals, courses finished, recovery, %."""
        groups = [str(g) for g in range(1, 11)]
        referrals = self._counts("deprivation decile", "referrals")
        finished = self._counts("deprivation decile", "finished")
        rows = self.frame.filter(
            period=self.year, breakdown="deprivation decile", measure="reliable recovery",
            statistic="percentage",
        )  # fmt: skip
        recovery = dict(rows.select("group", "value").iter_rows())
        return pl.DataFrame(
            {
                "decile": [int(g) for g in groups],
                "referrals": [int(referrals[g]) for g in groups],
                "finished": [int(finished[g]) for g in groups],
                "recovery": [recovery[g] for g in groups],
            }
        )

    def table(self) -> Table:
        """Waits by class."""
        frame = pl.DataFrame(
            {
                "wait": list(CLASSES),
                "weeks": [self.weeks[name] for name in CLASSES],
                "first": 100 * self.shares(FIRST),
                "second": 100 * self.shares(SECOND),
            }
        )
        values = {
            "weeks": value("Weeks taken for it (assumed)", 0),
            "first": value("Referral to first session, %", 1),
            "second": value("First to second session, %", 1),
        }
        title = f"How long people waited who finished a course in England, {self.year}"
        return Table(title, frame, {"wait": "Wait"}, values)

    def counted(self) -> Table:
        """Referrals and outcomes by decile of deprivation."""
        frame = self.deciles()
        values = {
            "referrals": count("Referrals"),
            "finished": count("Courses finished"),
            "recovery": value("Reliable recovery, %", 1),
        }
        title = f"Referrals and outcomes by deprivation, England, {self.year}"
        return Table(title, frame, {"decile": "Decile, 1 = most deprived"}, values)
