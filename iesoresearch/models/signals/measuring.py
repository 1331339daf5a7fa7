"""Workload, predictive values, lead time and false reassurance, with intervals."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from iesoresearch.errors import ParameterError
from iesoresearch.models.evaluation.intervals import from_resamples
from iesoresearch.models.evaluation.results import Estimate
from iesoresearch.models.signals.counting import RATIOS, REVIEWS, Measured, View, not_estimable
from iesoresearch.models.signals.treated import InTreatment, as_flags
from iesoresearch.seeds import rng

FEWEST_RESAMPLES = 100
AT_ONCE = 25  # resamples held in memory


@dataclass(frozen=True)
class Signals:
    """What a rule does: for all, by number of the session, and by name and level of a group."""

    overall: Measured
    sessions: dict[int, Measured]
    groups: dict[str, dict[object, Measured]]

    def to_frame(self) -> pl.DataFrame:
        """All estimates, one row each.

        Returns
        -------
        polars.DataFrame
            ``view`` ("overall", "session" or the name of the grouping), ``level``, ``measure``,
            ``value``, ``low``, ``high``, ``reason``, ``numerator`` and ``denominator``.
        """
        views = [("overall", "", self.overall)]
        views += [("session", str(s), found) for s, found in self.sessions.items()]
        views += [(g, str(v), m) for g, levels in self.groups.items() for v, m in levels.items()]
        rows = []
        for view, level, found in views:
            for name, e in found.estimates.items():
                # lead times are of those flagged who had the bad outcome
                of = RATIOS.get(REVIEWS.get(name, name), ("ever_bad", "ever_bad"))
                counted = (found.counts[of[0]], found.counts[of[1]])
                rows.append((view, level, name, e.value, e.low, e.high, e.reason, *counted))
        names = ["view", "level", "measure", "value", "low", "high", "reason"]
        return pl.DataFrame(rows, schema=[*names, "numerator", "denominator"], orient="row")


def measure(treated: InTreatment, flag, *, n_boot: int = 500, random_state: int = 0) -> Signals:
    """What the flags of a rule do.

    Intervals of 95 %: Wilson's for a proportion of patients counted once (Wilson 1927,
    doi:10.1080/01621459.1927.10502953), else percentiles of a bootstrap of patients with all their
    sessions.

    Parameters
    ----------
    treated
        Patients in treatment.
    flag
        (rows,) bool.
    n_boot, random_state
        Resamples and their seed.

    Raises
    ------
    DataError
        Flags that are not one bool per row.
    ParameterError
        Too few resamples.
    """
    flag = as_flags(treated, flag)
    overall = View.of(treated, flag, np.ones(len(treated.y), dtype=bool))
    sessions = {
        int(s): View.of(treated, flag, np.ones(len(treated.y), dtype=bool), at=int(s))
        for s in np.unique(treated.session)
    }
    groups = {
        name: {v: View.of(treated, flag, level == k) for k, v in enumerate(levels)}
        for name, (levels, level) in treated.groups.items()
    }
    views = [overall, *sessions.values(), *(v for by in groups.values() for v in by.values())]
    found = iter(_replicates(treated, views, n_boot, random_state))
    return Signals(
        overall.measured(next(found)),
        {s: view.measured(next(found)) for s, view in sessions.items()},
        {
            name: {v: view.measured(next(found)) for v, view in by.items()}
            for name, by in groups.items()
        },
    )


def compare(
    treated: InTreatment, flag, other, *, n_boot: int = 500, random_state: int = 0
) -> dict[str, Estimate]:
    """Estimates of one rule less those of another on the same patients, for all sessions.

    Both rules are counted in the same resamples. Only at equal workload (`flags_like`) is one rule
    better than another; otherwise more flags find more.

    Parameters
    ----------
    treated, n_boot, random_state
        As for `measure`.
    flag, other
        (rows,) bool.

    Raises
    ------
    DataError, ParameterError
        As `measure`.
    """
    everybody = np.ones(len(treated.y), dtype=bool)
    views = [View.of(treated, as_flags(treated, f), everybody) for f in (flag, other)]
    replicates = _replicates(treated, views, n_boot, random_state)
    points = [view.values(np.ones((1, len(view.units)))) for view in views]
    differences = {}
    for name in points[0]:
        absent = [v for v, point in zip(views, points, strict=True) if not np.isfinite(point[name])]
        if absent:
            differences[name] = not_estimable(absent[0].why(name))
            continue
        value = float(points[0][name][0] - points[1][name][0])
        moved = replicates[0][name] - replicates[1][name]
        differences[name] = from_resamples(value, moved, len(views[0].units), "patients")
    return differences


def _replicates(treated: InTreatment, views, n_boot: int, random_state: int) -> list[dict]:
    """Per view the values by name in every resample of patients: (resamples,)."""
    if n_boot < FEWEST_RESAMPLES:
        raise ParameterError(
            f"n_boot={n_boot}: intervals need at least {FEWEST_RESAMPLES} resamples."
        )
    n = int(treated.unit.max()) + 1
    random = rng(random_state, "signals", "resamples")
    found = [[] for _ in views]
    for start in range(0, n_boot, AT_ONCE):
        weights = np.empty((min(AT_ONCE, n_boot - start), n), dtype=np.float32)
        for row in weights:
            row[:] = np.bincount(random.integers(0, n, n), minlength=n)
        for parts, view in zip(found, views, strict=True):
            parts.append(view.values(weights[:, view.units]))
    return [
        {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        for parts in found
    ]
