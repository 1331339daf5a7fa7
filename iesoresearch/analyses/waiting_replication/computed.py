"""Cases run, every figure compared, and one model counted in every way."""

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from iesoresearch.errors import ParameterError
from iesoresearch.models.cases import Case, Report, Row, run
from iesoresearch.models.cases.model import cohort_model
from iesoresearch.models.cases.scope import rows as places
from iesoresearch.models.markov_cohort import CONVENTIONS

COHORT = "markov_cohort"
#: Shown step by step if it is among the cases: a tutorial's model, small and well known.
PREFERRED = "darth_sick_sicker_time_independent"
_WHY_NOT = {
    "compared": "No case gives figures that must come out.",
    "agreement": "No case gives numbers that must come out.",
    "results": "No case is complete, so none has results.",
    "missing": "Every case is complete.",
    "findings": "The checks of units and plausibility find nothing.",
    "notes": "Nothing is noted of the cases.",
    "conventions": "There is no cohort model that compares strategies and could be recounted.",
    "icers": "There is no cohort model with a cost per unit of effect that could be recounted.",
    "trace": "There is no cohort model.",
}


@dataclass(frozen=True)
class Figure:
    """A figure that must come out, and what comes out.

    Attributes
    ----------
    case
        Its id.
    row
        As compared.
    """

    case: str
    row: Row

    @property
    def difference(self) -> float | None:
        """Ours minus the figure; None of words and of what is no number."""
        if self.row.tolerance is None or not math.isfinite(self.row.computed):
            return None
        return self.row.computed - self.row.expected

    @property
    def ratio(self) -> float | None:
        """The difference in units of its tolerance; None where there is none."""
        if self.difference is None or not self.row.tolerance:
            return None
        return self.difference / self.row.tolerance


@dataclass(frozen=True)
class Ratio:
    """What a unit of effect costs if cycles are counted in a certain way.

    Attributes
    ----------
    case, strategy, beside, way
        Id of the case, what is compared with what, and how cycles are counted.
    icer, own
        Counted so, and as the case counts.
    """

    case: str
    strategy: str
    beside: str
    way: str
    icer: float
    own: float

    @property
    def comparison(self) -> str:
        """What is compared with what."""
        return f"{self.strategy} beside {self.beside}"

    @property
    def change(self) -> float:
        """By how many per cent the way of counting moves it."""
        return 100 * (self.icer / self.own - 1)


@dataclass(frozen=True, eq=False)
class Computed:
    """What comes out of the cases.

    Attributes
    ----------
    cases
        As read.
    n_draws
        Of a probabilistic analysis; None: as each file says.
    seed
        Added to the seeds of the files.
    """

    cases: tuple[Case, ...]
    n_draws: int | None
    seed: int

    @cached_property
    def reports(self) -> dict[str, Report]:
        """By id of the case.

        Raises
        ------
        ParameterError
            Two cases have one id.
        """
        ids = [case.id for case in self.cases]
        for name in ids:
            if ids.count(name) > 1:
                raise ParameterError(f"Two cases have the id {name!r}. Give one of them another.")
        return {case.id: run(self._with_draws(case), seed=self.seed) for case in self.cases}

    def _with_draws(self, case: Case) -> Case:
        variants = {name: self._with_draws(inner) for name, inner in case.variants.items()}
        if self.n_draws is None or case.psa is None:
            return replace(case, variants=variants)
        return replace(case, variants=variants, psa=replace(case.psa, size=self.n_draws))

    @cached_property
    def figures(self) -> list[Figure]:
        """Every figure that a case must give."""
        return [Figure(name, row) for name, report in self.reports.items() for row in report.rows]

    def of(self, case: Case) -> list[Figure]:
        """The figures of one case."""
        return [figure for figure in self.figures if figure.case == case.id]

    @property
    def complete(self) -> list[Case]:
        """Cases that can be run."""
        return [case for case in self.cases if case.complete]

    @cached_property
    def shown(self) -> Case | None:
        """The cohort model that is shown step by step."""
        models = [case for case in self.complete if case.kind == COHORT]
        models.sort(key=lambda case: case.id != PREFERRED)
        return models[0] if models else None

    @cached_property
    def trace(self) -> tuple[str, dict[str, np.ndarray]] | None:
        """Of the model that is shown, its first strategy and (T+1,) shares by state."""
        if self.shown is None:
            return None
        share = cohort_model(self.shown).trace()
        states = {state: share[:, at].sum(1) for state, at in places(self.shown).items()}
        return self.shown.names[0], states

    @cached_property
    def conventions(self) -> dict[str, dict[str, Report]]:
        """What comes out by way of counting cycles, by id of the case.

        Of every cohort model that is sound, compares strategies and has no individuals.
        """
        found = {case.id: _by_convention(case) for case in self.complete if _can_be_recounted(case)}
        return {name: ways for name, ways in found.items() if ways}

    @cached_property
    def ratios(self) -> list[Ratio]:
        """Costs per unit of effect, by way of counting, beside those of the case itself."""
        found = []
        for name, ways in self.conventions.items():
            own = {(r.name, r.compared_with): r.icer for r in self.reports[name].incremental}
            for way, report in ways.items():
                for row in report.incremental:
                    if row.icer is not None and own.get((row.name, row.compared_with)):
                        base = own[row.name, row.compared_with]
                        found.append(Ratio(name, row.name, row.compared_with, way, row.icer, base))
        return found

    @property
    def not_applicable(self) -> dict[str, str]:
        """Tables and figures that these cases do not have, with the reason."""
        there = {
            "compared": self.figures,
            "agreement": [figure for figure in self.figures if figure.ratio is not None],
            "results": [report for report in self.reports.values() if report.totals],
            "missing": len(self.complete) < len(self.cases),
            "findings": [report for report in self.reports.values() if report.findings],
            "notes": [case for case in self.cases if case.notes],
            "conventions": self.shown is not None and self.shown.id in self.conventions,
            "icers": self.ratios,
            "trace": self.trace,
        }
        return {name: why for name, why in _WHY_NOT.items() if not there[name]}


def _can_be_recounted(case: Case) -> bool:
    return case.kind == COHORT and not case.individuals and not case.findings_expected


def _by_convention(case: Case) -> dict[str, Report]:
    found = {way: _counted(case, way) for way in CONVENTIONS}
    return {way: report for way, report in found.items() if report and report.incremental}


def _counted(case: Case, way: str) -> Report | None:
    """What comes out if every reward is counted so; None where that cannot be."""
    rewards = tuple(replace(reward, count=way) for reward in case.rewards)
    nothing = {"expected": (), "variants": {}, "microsimulation": None}
    try:
        return run(replace(case, rewards=rewards, **nothing))
    except ParameterError:
        # Simpson's rule needs an even number of cycles, and a table of the model may end before
        # a point in time that only this way looks at
        return None
