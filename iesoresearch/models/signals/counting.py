"""What is counted of some patients, and the measures made of it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from iesoresearch.measures.outcomes import wilson
from iesoresearch.models.evaluation.intervals import from_resamples
from iesoresearch.models.evaluation.results import Estimate
from iesoresearch.models.signals.treated import InTreatment

#: Measure -> numerator, denominator, factor: of sessions.
OF_SESSIONS = {
    "workload": ("flagged", "sessions", 100.0),
    "new_flags": ("first", "sessions", 100.0),
    "ppv": ("flagged_bad", "flagged", 1.0),
    "npv": ("unflagged_good", "unflagged", 1.0),
    "sensitivity": ("flagged_bad", "bad", 1.0),
    "specificity": ("unflagged_good", "good", 1.0),
}
#: The same of patients, flagged if they ever were.
OF_PATIENTS = {
    "ever_flagged": ("ever", "patients", 100.0),
    "ever_caught": ("ever_bad", "patients", 100.0),
    "ever_ppv": ("ever_bad", "ever", 1.0),
    "ever_npv": ("never_good", "never", 1.0),
    "ever_sensitivity": ("ever_bad", "patients_bad", 1.0),
    "ever_specificity": ("never_good", "patients_good", 1.0),
    "false_reassurance": ("never_bad", "never", 1.0),
}
RATIOS = OF_SESSIONS | OF_PATIENTS
#: Number needed to review -> the predictive value that it is one over.
REVIEWS = {"needed_to_review": "ppv", "ever_needed_to_review": "ever_ppv"}
#: Lead time -> share of those flagged with the bad outcome whose lead is no longer.
LEADS = {"lead_lower_quartile": 0.25, "lead_median": 0.5, "lead_upper_quartile": 0.75}
_WHY = {
    "sessions": "nobody is in treatment",
    "flagged": "no flag at {sessions} sessions",
    "unflagged": "a flag at all of {sessions} sessions",
    "bad": "the bad outcome follows none of {sessions} sessions",
    "good": "the bad outcome follows all of {sessions} sessions",
    "patients": "nobody is in treatment",
    "ever": "none of {patients} patients is ever flagged",
    "never": "all of {patients} patients are flagged",
    "patients_bad": "none of {patients} patients has the bad outcome",
    "patients_good": "all of {patients} patients have the bad outcome",
    "flagged_bad": "the bad outcome follows none of {flagged} flags",
    "ever_bad": "none of {ever} patients flagged has the bad outcome",
}
_PARTS = (
    *("sessions", "flagged", "unflagged", "bad", "good", "flagged_bad", "unflagged_good", "first"),
    *("patients", "ever", "never", "patients_bad", "patients_good"),
    *("ever_bad", "never_bad", "never_good"),
)


def not_estimable(reason: str) -> Estimate:
    """An estimate that cannot be had."""
    return Estimate(np.nan, np.nan, np.nan, reason)


def proportions(events: Sequence[int], n: Sequence[int]) -> list[Estimate]:
    """Shares of people with their Wilson intervals; every `n` above 0."""
    counts = pl.DataFrame(
        {"events": events, "n": n}, schema=dict.fromkeys(("events", "n"), pl.Int64)
    )
    found = counts.select(**wilson(pl.col("events"), pl.col("n")))
    return [Estimate(*row) for row in found.iter_rows()]


def times(factor: float, of: Estimate) -> Estimate:
    """The same in another unit."""
    return Estimate(factor * of.value, factor * of.low, factor * of.high, of.reason)


@dataclass(frozen=True)
class Measured:
    """What a rule does, for some patients.

    Attributes
    ----------
    counts
        Sessions and patients by what happened: the numerators and denominators of the estimates.
        A patient is a course of treatment here.
    estimates
        By name: those of `OF_SESSIONS` (``workload`` and ``new_flags``, first ones, per 100
        patients in treatment at a session), of `OF_PATIENTS` (``ever_flagged`` and ``ever_caught``,
        flagged and with the bad outcome, per 100 patients; ``false_reassurance``, the share with
        the bad outcome among those never flagged), of
        `REVIEWS` and `LEADS` and ``lead_mean`` (sessions from the first flag to the last session,
        of those flagged who had the bad outcome). At one session only those of sessions.
    """

    counts: dict[str, int]
    estimates: dict[str, Estimate]

    def __getitem__(self, name: str) -> Estimate:
        return self.estimates[name]


@dataclass(frozen=True)
class View:
    """Some patients and sessions, counted.

    Attributes
    ----------
    names
        Measures that make sense of them.
    units
        (units,) those resampled, by number.
    counts
        (units, `_PARTS`).
    lead, lead_unit
        Sessions from the first flag to the last session, rising, of courses flagged and bad; and
        the place of their patient in `units`.
    """

    names: tuple[str, ...]
    units: np.ndarray
    counts: np.ndarray
    lead: np.ndarray
    lead_unit: np.ndarray

    @classmethod
    def of(cls, treated: InTreatment, flag: np.ndarray, courses: np.ndarray, at=None) -> "View":
        """Count the sessions of some `courses` (bool), or those numbered `at` only."""
        rows = courses[treated.course]
        names = (*OF_SESSIONS, "needed_to_review")
        if at is not None:
            rows &= treated.session == at
            courses = np.bincount(treated.course[rows], minlength=len(treated.y)) > 0
        else:
            names = (*RATIOS, *REVIEWS, *LEADS, "lead_mean")
        bad, course_bad = treated.y[treated.course], treated.y
        first = treated.first_flag(flag)
        ever = first >= 0
        new = flag & (treated.session == first[treated.course])
        of_rows = (
            *(np.ones_like(rows), flag, ~flag, bad, ~bad),
            *(flag & bad, ~flag & ~bad, new),
        )
        of_courses = (
            *(np.ones_like(courses), ever, ~ever, course_bad, ~course_bad),
            *(ever & course_bad, ~ever & course_bad, ~ever & ~course_bad),
        )
        units, place = np.unique(treated.unit[courses], return_inverse=True)
        place_of = np.zeros(len(treated.y), dtype=np.int64)
        place_of[courses] = place
        own = place_of[treated.course]
        n = len(units)
        counts = [np.bincount(own[rows & part], minlength=n) for part in of_rows]
        counts += [np.bincount(place_of[courses & part], minlength=n) for part in of_courses]
        late = np.flatnonzero(courses & ever & course_bad)
        lead = (treated.last - first)[late]
        order = np.argsort(lead, kind="stable")
        # whole numbers far below 2**24, so that sums are exact
        table = np.column_stack(counts).astype(np.float32)
        return cls(names, units, table, lead[order], place_of[late][order])

    def values(self, weights: np.ndarray) -> dict[str, np.ndarray]:
        """All measures by name if each unit counts so often: (resamples, units) -> (resamples,)."""
        totals = dict(zip(_PARTS, (weights @ self.counts).astype(float).T, strict=True))
        with np.errstate(divide="ignore", invalid="ignore"):
            found = {
                name: factor * totals[numerator] / totals[denominator]
                for name, (numerator, denominator, factor) in RATIOS.items()
            }
            found |= {name: 1 / found[of] for name, of in REVIEWS.items()}
            often = weights[:, self.lead_unit].cumsum(axis=1)
            total = often[:, -1:] if len(self.lead) else np.zeros((len(weights), 1))
            mean = np.diff(often, axis=1, prepend=0) @ self.lead / total[:, 0]
        for name, share in LEADS.items():
            place = (often >= share * total).argmax(axis=1) if len(self.lead) else None
            quantile = np.nan if place is None else self.lead[place]
            found[name] = np.where(total[:, 0] > 0, quantile, np.nan)
        found["lead_mean"] = mean
        return {name: found[name] for name in self.names}

    def totals(self) -> dict[str, int]:
        """Counts of everybody, those that the measures are made of."""
        used = {part for name in self.names for part in RATIOS.get(name, ())[:2]}
        totals = zip(_PARTS, self.counts.sum(axis=0, dtype=float), strict=True)
        return {part: int(n) for part, n in totals if part in used}

    def why(self, name: str) -> str:
        """Why a measure cannot be had."""
        totals = self.totals()
        numerator, denominator = RATIOS.get(REVIEWS.get(name, name), ("ever_bad", "ever"))[:2]
        part = denominator if totals[denominator] == 0 else numerator
        return _WHY[part].format(**totals)

    def measured(self, replicates: dict[str, np.ndarray]) -> Measured:
        """Estimates with intervals, from the values in resamples."""
        totals, units = self.totals(), len(self.units)
        points = self.values(np.ones((1, units)))
        had = [name for name in self.names if np.isfinite(points[name][0])]
        once = [name for name in had if name in RATIOS and self._once(RATIOS[name][1])]
        parts = zip(*(RATIOS[name][:2] for name in once), strict=True) if once else ((), ())
        shares = proportions(*([totals[part] for part in side] for side in parts))
        estimates = {
            name: times(RATIOS[name][2], share) for name, share in zip(once, shares, strict=True)
        }
        for name in self.names:
            if name not in had:
                estimates[name] = not_estimable(self.why(name))
            elif name in REVIEWS:
                estimates[name] = _inverse(estimates[REVIEWS[name]])
            elif name not in once:
                value = float(points[name][0])
                estimates[name] = from_resamples(value, replicates[name], units, "patients")
        return Measured(totals, {name: estimates[name] for name in self.names})

    def _once(self, part: str) -> bool:
        """Whether no unit is counted twice."""
        return bool((self.counts[:, _PARTS.index(part)] <= 1).all())


def _inverse(share: Estimate) -> Estimate:
    """One over a share above 0."""
    high = np.inf if share.low == 0 else 1 / share.low
    return Estimate(1 / share.value, 1 / share.high, high, share.reason)
