"""What an audit by group is: rates, differences and ratios, as tables."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from scipy import special

from iesoresearch.models import proportions
from iesoresearch.models.group_metrics import intervals
from iesoresearch.models.group_metrics.intervals import Estimates, correlation
from iesoresearch.models.group_metrics.metrics import CELLS, NET_BENEFIT

OVERALL = ("overall", "all")


@dataclass(frozen=True)
class GroupAudit:
    """Rates of decisions by group.

    Attributes
    ----------
    views
        Grouping and level; the first is everybody, `OVERALL`.
    counts
        (views, 4) people by outcome and decision, in the order of `metrics.CELLS`.
    replicates
        (resamples, views, 4) the same in resamples; 0 where a group is absent from one.
    metrics
        Names.
    threshold
        Probability whose odds net benefit weighs by; None without it.
    reference
        Grouping → level that the others are compared with.
    units
        Metric → (views,) clusters in its denominators (`counting.Units.in_views`); None where rows
        are independent.
    overlapping
        Groupings in which somebody belongs to two levels.
    """

    views: list[tuple[str, str]]
    counts: np.ndarray
    replicates: np.ndarray
    metrics: tuple[str, ...]
    threshold: float | None
    reference: dict[str, str]
    units: dict[str, np.ndarray] | None
    overlapping: frozenset[str]

    @cached_property
    def estimates(self) -> dict[str, Estimates]:
        """Metric → what it is in every view."""
        odds = self.threshold / (1 - self.threshold) if self.threshold is not None else 0.0
        return {
            name: intervals.estimate(
                self.counts, self.replicates, self.units and self.units[name], name, odds
            )
            for name in self.metrics
        }

    @cached_property
    def pairs(self) -> list[tuple[int, int]]:
        """Views that are compared: of a level and of the reference of its grouping."""
        number = {view: i for i, view in enumerate(self.views)}
        return [
            (i, number[grouping, self.reference[grouping]])
            for i, (grouping, level) in enumerate(self.views)
            if i and level != self.reference[grouping]
        ]

    def table_of_counts(self) -> pl.DataFrame:
        """The counts that everything here is computed from.

        Returns
        -------
        polars.DataFrame
            grouping, level, n, and tn, fp, fn, tp (outcome no or yes, by decision no or yes).
        """
        cells = {name: self.counts[:, i] for i, name in enumerate(CELLS)}
        return pl.DataFrame({**self._names(), "n": self.counts.sum(axis=1), **cells})

    def to_frame(self) -> pl.DataFrame:
        """All rates with intervals of 95 %, one row each.

        Returns
        -------
        polars.DataFrame
            grouping ("overall" for everybody), level, metric, value, low, high (null where not
            estimable), n and events (denominator and numerator; of net benefit everybody and those
            with the outcome), reason (null where there is none).
        """
        parts = []
        for name, found in self.estimates.items():
            low, high = found.limits(intervals.Z)
            given = np.array([not reason for reason in found.reason])
            parts.append(
                pl.DataFrame(
                    {
                        **self._names(),
                        "metric": [name] * len(given),
                        "value": found.value,
                        "low": np.where(given, low, np.nan),
                        "high": np.where(given, high, np.nan),
                        "n": found.n,
                        "events": found.events,
                        "reason": [reason or None for reason in found.reason],
                    },
                    schema_overrides={"reason": pl.String},
                )
            )
        return _by_view(pl.concat(parts), self.views).fill_nan(None)

    def differences(self) -> pl.DataFrame:
        """Each level less the reference of its grouping, with intervals of 95 %.

        Newcombe's interval for rates of independent groups. `low` and `high` hold one difference at
        a time; `low_simultaneous` and `high_simultaneous` hold all differences of this table at
        once: they reach as far as the largest standardised difference of a resample does in 95 % of
        the resamples (max-t; Westfall & Young 1993, Resampling-Based Multiple Testing), never less
        far than `low` and `high`. `p` and `p_adjusted` are the levels at which these
        intervals just reach 0, so the family of the adjusted p values is the whole table. Who wants
        a smaller family audits fewer groupings or metrics.

        Returns
        -------
        polars.DataFrame
            grouping, level, reference, metric, value, low, high, low_simultaneous,
            high_simultaneous, p, p_adjusted (null where not estimable), n, events, n_reference,
            events_reference, reason (null where there is none).
        """
        largest = self._largest
        wide = intervals.Z
        if len(largest):
            wide = max(wide, float(np.quantile(largest, proportions.LEVEL, method="weibull")))
        parts = []
        for name in self.metrics:
            value, limits, reasons = self.compared(name)
            low, high = limits(intervals.Z)
            p = intervals.p_values(limits, value)
            reached = special.ndtri(1 - p / 2)
            above = (largest[:, None] >= reached).sum(axis=0)
            columns = {"value": value, "low": low, "high": high}
            columns["low_simultaneous"], columns["high_simultaneous"] = limits(wide)
            columns |= {"p": p, "p_adjusted": np.maximum(p, (1 + above) / (1 + len(largest)))}
            parts.append(self._pairs_frame(name, columns, reasons))
        return _by_view(pl.concat(parts), self.views)

    def ratios(self) -> pl.DataFrame:
        """Each level's rate divided by that of the reference, with intervals of 95 %.

        Koopman's interval for rates of independent groups. Net benefit has none, for it may be 0 or
        negative.

        Returns
        -------
        polars.DataFrame
            grouping, level, reference, metric, value, low, high (null where not estimable; `high`
            infinite where nothing bounds it), n, events, n_reference, events_reference, reason.
        """
        parts = []
        for name in self.metrics:
            if name != NET_BENEFIT:
                value, low, high, reasons = self.divided(name)
                columns = {"value": value, "low": low, "high": high}
                parts.append(self._pairs_frame(name, columns, reasons))
        return _by_view(pl.concat(parts), self.views) if parts else pl.DataFrame()

    def compared(self, name: str):
        """Differences of a metric from the reference, as arrays.

        Parameters
        ----------
        name
            Of the metric.

        Returns
        -------
        tuple
            Differences (pairs,) in the order of `pairs`; a function that gives their lower and
            upper limits as far out as normal quantiles, one or (pairs,); reasons (pairs,) why there
            is none, else empty.
        """
        found, (a, b) = self.estimates[name], self._ends()
        together = correlation(found.replicates[:, a], found.replicates[:, b])
        together = np.where(self._tied(), together, 0.0)

        def limits(z):
            ends = ((found.value[v], *found.limits(z, v)) for v in (a, b))
            return proportions.mover(*ends, together)

        return found.value[a] - found.value[b], limits, self._reasons(found)

    def divided(self, name: str):
        """Ratios of a rate to the reference, as arrays.

        Returns
        -------
        tuple
            Ratios, lower and upper limits of 95 % (pairs,) in the order of `pairs`, and reasons
            why there is none, else empty.
        """
        found, (a, b), tied = self.estimates[name], self._ends(), self._tied()
        events, n = found.events, found.n
        value, low, high = proportions.ratio(events[a], n[a], events[b], n[b])
        if tied.any():
            with np.errstate(divide="ignore", invalid="ignore"):
                logs = [
                    np.log(np.stack([found.value[v], *found.limits(intervals.Z, v)]))
                    for v in (a, b)
                ]
                drawn = np.log(found.replicates)
                ends = proportions.mover(*logs, correlation(drawn[:, a], drawn[:, b]))
            low, high = (
                np.where(tied, np.exp(end), x) for end, x in zip(ends, (low, high), strict=True)
            )
        reasons = self._reasons(found)
        for i in np.flatnonzero(~np.isfinite(value)):
            reasons[i] = reasons[i] or "not estimable: nobody of the reference has the event"
        return value, low, high, reasons

    def _names(self) -> dict[str, list[str]]:
        return {"grouping": [g for g, _ in self.views], "level": [v for _, v in self.views]}

    def _ends(self) -> tuple[np.ndarray, np.ndarray]:
        a, b = np.array(self.pairs).T
        return a, b

    def _tied(self) -> np.ndarray:
        """(pairs,) whether the estimates of a pair go together."""
        if self.units is not None:
            return np.ones(len(self.pairs), dtype=bool)
        return np.array([self.views[a][0] in self.overlapping for a, _ in self.pairs])

    def _reasons(self, found: Estimates) -> list[str]:
        tied = self._tied() | found.resampled
        return [
            intervals.reason_of_pair(found, a, b, resampled)
            for (a, b), resampled in zip(self.pairs, tied, strict=True)
        ]

    @cached_property
    def _largest(self) -> np.ndarray:
        """(resamples,) the largest standardised difference of all that have an interval."""
        a, b = self._ends()
        parts = []
        for found in self.estimates.values():
            drawn = found.replicates[:, a] - found.replicates[:, b]
            kept = np.array([not reason for reason in self._reasons(found)])
            drawn = drawn[:, kept]
            width = intervals.spread(drawn)
            drawn = drawn[:, width > 0]
            parts.append(np.abs(drawn - np.nanmean(drawn, axis=0)) / width[width > 0])
        together = np.concatenate(parts, axis=1)
        return np.nanmax(together, axis=1) if together.shape[1] else np.empty(0)

    def _pairs_frame(self, name: str, columns: dict, reasons: list[str]) -> pl.DataFrame:
        found, (a, b) = self.estimates[name], self._ends()
        given = np.array([not reason for reason in reasons])
        shown = {
            key: np.where(np.isfinite(x) if key == "value" else given, x, np.nan)
            for key, x in columns.items()
        }
        views = [self.views[i] for i in a]
        return pl.DataFrame(
            {
                "grouping": [grouping for grouping, _ in views],
                "level": [level for _, level in views],
                "reference": [self.views[i][1] for i in b],
                "metric": [name] * len(a),
                **shown,
                **{"n": found.n[a], "events": found.events[a]},
                **{"n_reference": found.n[b], "events_reference": found.events[b]},
                "reason": [reason or None for reason in reasons],
            },
            schema_overrides={"reason": pl.String},
        ).fill_nan(None)


def _by_view(frame: pl.DataFrame, views) -> pl.DataFrame:
    """Rows of one view together, views and metrics in their order."""
    order = pl.DataFrame(
        {"grouping": [g for g, _ in views], "level": [v for _, v in views]}
    ).with_row_index("order")
    joined = frame.join(order, on=["grouping", "level"], how="left", maintain_order="left")
    return joined.sort("order", maintain_order=True).drop("order")
