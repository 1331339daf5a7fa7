"""Predictions with what is computed of them once: rates of decisions, and evaluations."""

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np

from iesoresearch.analyses.fairness import Params
from iesoresearch.analyses.fairness.predictions import Predictions
from iesoresearch.data.groups import NOT_RECORDED
from iesoresearch.models.evaluation import Evaluation, Performance, evaluate
from iesoresearch.models.evaluation.conformal import Conformal, conformal
from iesoresearch.models.evaluation.inputs import checked
from iesoresearch.models.group_metrics import GroupAudit, audit
from iesoresearch.seeds import derive

EVERYBODY = ("Everybody", "all")
FEWEST = 10  # with, and without, the event
STEP = 5  # per cent, of what is told without counts
RESAMPLES = 200  # of evaluations: variances are all that is taken from them
#: Intersections that are too small for a row of their own.
REST = "all others"
TIMES = " × "  # between the names of two groupings, or of two levels
#: What is compared of decisions, by its name in `group_metrics`.
RATES = {"tpr": "TPR", "fpr": "FPR", "ppv": "PPV"}


@dataclass(frozen=True)
class Judged:
    """Predictions, and everything that is computed of them once.

    Attributes
    ----------
    found
        The predictions.
    params
        Of the analysis.
    sensitivity
        Of the data.
    n_jobs
        Threads to use.
    """

    found: Predictions
    params: Params
    sensitivity: str
    n_jobs: int

    @property
    def threshold(self) -> float:
        """Risk from which a patient is flagged."""
        return 1.0 - self.params.threshold

    @property
    def rows(self) -> list[tuple[str, str]]:
        """Grouping and level of every row, everybody first."""
        levels = ((name, level) for name in self.one_way for level in self.found.levels(name))
        return [EVERYBODY, *levels]

    @property
    def flagged(self) -> np.ndarray:
        """(rows,) bool."""
        return self.found.risk >= self.threshold

    @cached_property
    def one_way(self) -> dict[str, np.ndarray]:
        """Grouping -> (rows,) levels, however small: which have a row must tell no count."""
        return self.found.groups

    @cached_property
    def two_way(self) -> dict[str, np.ndarray]:
        """The same of two groupings that are intersected, if two intersections are large enough.

        Those that are not are `REST`: too few are flagged or not, with or without the event.
        """
        names = [name for name in self.params.intersect if name in self.one_way]
        found = {}
        for a, b in combinations(names, 2):
            one, other = (self.one_way[name].astype(str) for name in (a, b))
            known = (one != NOT_RECORDED) & (other != NOT_RECORDED)
            both = np.char.add(np.char.add(one, TIMES), other)
            column = self._large(np.where(known, both, REST))
            if len(set(column) - {REST}) > 1:
                found[a + TIMES + b] = column
        return found

    def _large(self, column: np.ndarray) -> np.ndarray:
        levels, code = np.unique(column, return_inverse=True)
        few = self.least(code) < FEWEST
        return np.where(few, REST, levels)[code] if few.any() else column

    def least(self, code: np.ndarray) -> np.ndarray:
        """(groups,) smallest number flagged or not, with or without the event."""
        cell = code * 4 + 2 * (self.found.y == 1) + self.flagged
        return np.bincount(cell, minlength=4 * (code.max() + 1)).reshape(-1, 4).min(axis=1)

    @cached_property
    def references(self) -> dict[str, str]:
        """Level compared with, of every grouping, and of every two where it is large enough."""
        one = self.found.references(self.params.reference)
        two = {name: TIMES.join(one[x] for x in name.split(TIMES)) for name in self.two_way}
        columns = self.one_way | self.two_way
        return {name: level for name, level in (one | two).items() if level in columns[name]}

    @cached_property
    def decisions(self) -> GroupAudit:
        """Rates of one grouping, resampling patients."""
        return self._decisions(self.one_way)

    @cached_property
    def decisions_of_pairs(self) -> GroupAudit:
        """The same by two groupings."""
        return self._decisions(self.two_way)

    def _decisions(self, groups: dict[str, np.ndarray]) -> GroupAudit:
        reference = {name: level for name, level in self.references.items() if name in groups}
        return audit(
            self.found.y, self.flagged, groups, metrics=tuple(RATES), reference=reference,
            clusters=self.found.patient, n_boot=self.params.n_bootstrap, n_jobs=self.n_jobs,
            random_state=derive(self.params.seed, "fairness", "decisions"),
        )  # fmt: skip

    @cached_property
    def evaluation(self) -> Evaluation:
        """Of everybody and by group."""
        return self._evaluate(self.one_way)

    @cached_property
    def of_pairs(self) -> Evaluation:
        """By the intersection of two groupings."""
        return self._evaluate(self.two_way)

    def _evaluate(self, groups: dict[str, np.ndarray]) -> Evaluation:
        return evaluate(
            self.found.y, self.found.risk, groups=groups, clusters=self.found.patient,
            thresholds=(self.threshold,), n_boot=RESAMPLES, n_jobs=self.n_jobs,
            random_state=self._seed,
        )  # fmt: skip

    @cached_property
    def sets_by_outcome(self) -> dict[str, Conformal]:
        """Prediction sets of `evaluation` by grouping, and there by level and outcome."""
        groups = {EVERYBODY[0]: np.full(len(self.found.y), EVERYBODY[1])} | self.one_way
        given = checked(self.found.y, self.found.risk, groups, self.found.patient)
        crossed = {}
        for name, (levels, code) in given.groups.items():
            there, both = np.unique(2 * code + (given.y == 1), return_inverse=True)
            crossed[name] = [(str(levels[k // 2]), k % 2) for k in there.tolist()], both
        return conformal(given.y, given.p, crossed, given.clusters, self._seed)

    @property
    def _seed(self) -> int:
        return derive(self.params.seed, "fairness", "evaluate")

    @cached_property
    def performances(self) -> dict[tuple[str, str], Performance]:
        """By grouping and level, those that are estimable; everybody first."""
        found = {EVERYBODY: self.evaluation.overall} | by_level(self.evaluation)
        return {key: p for key, p in found.items() if min(p.events, p.n - p.events) >= FEWEST}


def by_level(evaluation: Evaluation) -> dict[tuple[str, str], Performance]:
    """Performances by grouping and level."""
    groups = evaluation.groups.items()
    return {(name, str(level)): p for name, levels in groups for level, p in levels.items()}
