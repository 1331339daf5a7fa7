"""What `pooling` computes once, and its tables and sentences read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from operator import attrgetter, itemgetter

import numpy as np
import polars as pl

from iesoresearch.analyses.pooling import Params, bounds, parts, site
from iesoresearch.analyses.pooling.bounds import ALL
from iesoresearch.analyses.pooling.drawn import Drawn
from iesoresearch.analyses.pooling.sites import (
    COUNTS,
    FEWEST_HIDDEN,
    MODEL,
    REGRESSION,
    STATES,
    Sites,
    visible,
)
from iesoresearch.errors import DataError
from iesoresearch.models.case_mix import logit
from iesoresearch.models.case_mix.design import design
from iesoresearch.models.pooling import multivariate, rare
from iesoresearch.models.pooling.counts import total
from iesoresearch.models.pooling.effects import Pooled, leave_one_out, random_effects
from iesoresearch.models.pooling.mixture import Likely
from iesoresearch.models.pooling.multivariate import Coefficients
from iesoresearch.models.pooling.rare import Proportion, TwoGroups, says_nothing

MAIN = "reliable_recovery"
#: Outcome -> its official denominator.
OUTCOMES = {
    MAIN: "at_caseness",
    "recovery": "at_caseness",
    "reliable_improvement": "judged",
    "reliable_deterioration": "judged",
}
WORDS = {
    MAIN: "Reliable recovery",
    "recovery": "Recovery",
    "reliable_improvement": "Reliable improvement",
    "reliable_deterioration": "Reliable deterioration",
}
_Z = 1.959964
Key = tuple[str, str]


@dataclass(frozen=True)
class Row:
    """Events and people of one site, by its name, which nobody is shown, and its label."""

    label: str | None
    proportion: Proportion
    site: str = ""

    @property
    def is_suppressed(self) -> bool:
        """Whether a count is known less well than by rounding."""
        return any(c.high - c.low > _ROUNDED for c in (self.proportion.events, self.proportion.n))

    @property
    def says_something(self) -> bool:
        """Whether not every share is possible."""
        return not says_nothing(self.proportion)

    @property
    def alone(self) -> Likely | None:
        """What it says by itself, in log odds; None where it says nothing."""
        return _once(_one_rate, (self.proportion,)) if self.says_something else None


_ROUNDED = 10  # people: a wider range is no rounding of the policies known here


@dataclass(frozen=True)
class Computed:
    """All that is computed, each part when it is first asked for."""

    params: Params
    sites: Sites
    drawn: Drawn | None

    @property
    def sensitivity(self) -> str:
        """Of what was released: the strictest of any site."""
        kinds = {
            str(result.provenance.get("sensitivity", "patient"))
            for one, _ in self.sites
            for result in one.results.values()
        }
        return "patient" if "patient" in kinds else "synthetic"

    @cached_property
    def counts(self) -> dict[str, list[tuple[str, str | None, dict[Key, Proportion]]]]:
        """By outcome: of every site that may be pooled, its name, label and counts."""
        having = self.sites.having(COUNTS)
        if len(having) < 2:
            raise DataError(
                f"Outcomes of two sites at least are needed, of the run {COUNTS}; there are those "
                f"of {len(having)}. Bring bundles that hold it."
            )
        found = {}
        for outcome, denominator in OUTCOMES.items():
            found[outcome] = [
                (one.name, label, bounds.proportions(
                    one.results[COUNTS].tables, one.policy(COUNTS), outcome, denominator))
                for one, label in having
            ]  # fmt: skip
        return found

    @cached_property
    def hidden(self) -> set[str]:
        """Hidden sites whose counts are pooled: those that say something of the main outcome.

        Everywhere all of them or none. Else what one pool has more than another would be a site.
        """
        telling = {
            name
            for name, label, found in self.counts[MAIN]
            if label is None and ALL in found and not says_nothing(found[ALL])
        }
        return telling if len(telling) >= FEWEST_HIDDEN else set()

    def rows(self, outcome: str, key: Key = ALL) -> list[Row]:
        """Counts of every site that has them; of hidden ones only where all of them tell."""
        found = [
            Row(label, counts[key], name)
            for name, label, counts in self.counts[outcome]
            if key in counts and (label is not None or name in self.hidden)
        ]
        telling = {row.site for row in found if row.label is None and row.says_something}
        return [row for row in found if row.label is not None or telling == self.hidden]

    @cached_property
    def rates(self) -> dict[str, Likely]:
        """Pooled log odds of every outcome."""
        found = {name: likely(self.rows(name), rare.proportion) for name in OUTCOMES}
        if found[MAIN] is None:
            raise DataError(
                f"No site whose counts may be pooled says anything of {WORDS[MAIN].lower()}. Bring "
                "more bundles, or sites that may be seen by their name or as a letter."
            )
        return found

    @cached_property
    def main(self) -> list[Row]:
        """Sites with the main outcome."""
        return self.rows(MAIN)

    @property
    def joint(self) -> Proportion:
        """Everybody at all sites with the main outcome: exact bounds."""
        rows = [row.proportion for row in self.main]
        return Proportion(total(r.events for r in rows), total(r.n for r in rows))

    def log_odds(self, outcome: str) -> tuple[np.ndarray, np.ndarray]:
        """(sites,) log odds and standard errors of each site by itself; NaN where it says none."""
        found = [row.alone for row in self.rows(outcome)]
        value = [np.nan if one is None else one.estimate for one in found]
        error = [np.nan if one is None else (one.high - one.low) / (2 * _Z) for one in found]
        error = np.where(np.isfinite(error), error, np.nan)
        return np.array(value), error

    def knapp(self, outcome: str) -> Pooled:
        """Random effects of log odds, for what is not rare."""
        return random_effects(*self.log_odds(outcome))

    @cached_property
    def left_out(self) -> list[tuple[str, Pooled]]:
        """Random effects of the main outcome without each site that is shown."""
        without = leave_one_out(*self.log_odds(MAIN))
        pairs = zip(self.main, without, strict=True)
        return [(row.label, found) for row, found in pairs if row.label is not None]

    @cached_property
    def levels(self) -> list[str]:
        """Groups, in the order of the first site."""
        names = [key[1] for *_, found in self.counts[MAIN] for key in found
                 if key[0] == self.params.grouping]  # fmt: skip
        return list(dict.fromkeys(names))

    def group(self, level: str) -> list[Row]:
        """The main outcome of one group at every site that has it."""
        return self.rows(MAIN, (self.params.grouping, level))

    @cached_property
    def reference(self) -> str:
        """The group most people are in."""

        def size(level: str) -> int:
            return sum(row.proportion.n.low for row in self.group(level))

        return max(self.levels, key=size)

    @cached_property
    def groups(self) -> dict[str, tuple[Likely | None, Likely | None]]:
        """Of every group the pooled log odds, and log odds ratio against the reference."""
        found = {}
        for level in self.levels:
            odds = None if level == self.reference else self._odds_ratio(level)
            found[level] = likely(self.group(level), rare.proportion), odds
        return found

    def _odds_ratio(self, level: str) -> Likely | None:
        first, second = (
            {row.site: row.proportion for row in self.group(x) if row.says_something}
            for x in (level, self.reference)
        )
        pairs = [TwoGroups(first[name], second[name]) for name in first if name in second]
        try:
            return rare.odds_ratio(pairs)
        except DataError:
            return None

    # ---- regressions

    @cached_property
    def regressions(self) -> list[tuple[str | None, Coefficients]]:
        """Of every site that may be pooled."""
        found = [
            (label, site.read(one.results[REGRESSION]))
            for one, label in self.sites.having(REGRESSION)
        ]
        return visible([pair for pair in found if pair[1] is not None], itemgetter(0))

    @cached_property
    def common(self) -> multivariate.PooledCoefficients | None:
        """Coefficients that all sites share, constants apart; None with fewer than two sites."""
        if len(self.regressions) < 2:
            return None
        slopes = [c.among([n for n in c.names if n != site.CONSTANT]) for _, c in self.regressions]
        return multivariate.inverse_variance(slopes)

    def varying(self, term: str) -> Pooled:
        """Random effects of one coefficient."""
        having = [c for _, c in self.regressions if term in c.names]
        at = [c.names.index(term) for c in having]
        return random_effects(
            [c.values[i] for c, i in zip(having, at, strict=True)],
            [c.covariance[i, i] ** 0.5 for c, i in zip(having, at, strict=True)],
        )

    @cached_property
    def joint_fit(self) -> dict[str, tuple[float, float]] | None:
        """Of drawn sites: coefficients and errors of all records together, a constant each."""
        if self.drawn is None or self.common is None:
            return None
        labels = {label for label, _ in self.regressions}
        frames, y = [], []
        for i, (one, label) in enumerate(self.sites):
            if label in labels and site.read(one.results[REGRESSION]) is not None:
                data = self.drawn.records[one.name]
                rows = data.closed.filter(pl.col(site.OUTCOME).is_not_null())
                frames.append(site.terms(rows).with_columns(site=pl.lit(f"{i}")))
                y.append(rows[site.OUTCOME].cast(pl.Float64).to_numpy())
        stacked, events = pl.concat(frames), np.concatenate(y)
        dummies = [(stacked["site"] == name).cast(pl.Float64).alias(f"site {name}")
                   for name in stacked["site"].unique(maintain_order=True)[1:]]  # fmt: skip
        columns = stacked.drop("site").with_columns(dummies)
        made = design(columns, events, np.ones(len(events)), None)
        values = logit.fit(made)
        errors = np.sqrt(site.covariance_of(made, values).diagonal())
        return {n: (float(v), float(e)) for n, v, e in zip(made.names, values, errors, strict=True)}

    # ---- a model and states

    @cached_property
    def performance(self) -> dict[str, list[parts.Part]]:
        """By measure, of every site that may be pooled."""
        having = self.sites.having(MODEL)
        return {
            measure: visible(parts.performance(having, measure), attrgetter("label"))
            for measure in parts.MEASURES
        }

    @cached_property
    def states(self) -> parts.States | None:
        """Matched over sites that may be pooled."""
        return parts.states(self.sites.having(STATES))


def likely(rows: list[Row], method: Callable) -> Likely | None:
    """`method` of the rows that say something; None where none does."""
    return _once(method, tuple(row.proportion for row in rows))


def _one_rate(rows: Sequence[Proportion]) -> Likely:
    return rare.proportion(rows, common=True)


@lru_cache(maxsize=256)
def _once(method: Callable, rows: tuple[Proportion, ...]) -> Likely | None:
    """The same counts are pooled once, whichever table asks."""
    try:
        return method(rows)
    except DataError:
        return None
