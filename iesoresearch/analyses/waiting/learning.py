"""What it would be worth to know an input, all assumptions, or what a study would show."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from iesoresearch.analyses.waiting import Params
from iesoresearch.analyses.waiting.computed import Computed, model_of
from iesoresearch.analyses.waiting.declared import value, words
from iesoresearch.analyses.waiting.inputs import ASSUMED
from iesoresearch.analyses.waiting.oneway import label
from iesoresearch.analyses.waiting.perspectives import CASH, HEALTH, STANDARD, WORK
from iesoresearch.analyses.waiting.sentence import headline
from iesoresearch.analyses.waiting.strategies import Decision
from iesoresearch.data.health_economics import Input
from iesoresearch.models.decision import Estimate, evpi, evppi_all, evsi, explained_all
from iesoresearch.models.waiting import SCENARIOS, groups
from iesoresearch.models.waiting.bands import key
from iesoresearch.models.waiting.drawing import for_condition
from iesoresearch.results import Table
from iesoresearch.seeds import rng

KNOWN = "all that is sourced or derived"
NHS, SOCIETY = "NHS cash and health", "society: work as well"
COHORT = "recovery, deterioration, drop-out on the list"
TRIAL = "effect of therapy"
_EFFECT = ("effect_mean", "effect_place", "rr_nonresponse_anxiety")
_CONTROL = "response_waiting_list_anxiety"  # a trial in anxiety shows it as well
MULTIPLES = (0.1, 1.0, 10.0)  # of the size of the study


def _one_thread() -> threadpool_limits:
    """Of linear algebra: matrices are small, and threads that wait for each other cost minutes."""
    return threadpool_limits(1, user_api="blas")


@dataclass(frozen=True)
class Learning:
    """What learning is worth to the choice between at once and the usual wait, first threshold.

    And, as that choice may be clear whatever an input is, how much of the uncertainty of the cost
    of 18 weeks, all parts together, each input explains.

    Attributes
    ----------
    used
        Groups of inputs that change anything.
    """

    computed: Computed
    decision: Decision
    used: frozenset[str]

    @property
    def condition(self) -> str:
        """That it is about."""
        return self.decision.one.condition

    @cached_property
    def benefit(self) -> np.ndarray:
        """(D, 2) net benefit to the NHS and to health of at once and the usual wait, £."""
        return self.decision.pair()

    @cached_property
    def views(self) -> dict[str, np.ndarray]:
        """Net benefit (D, 2) by what is counted; work is not known for anxiety."""
        found = {NHS: self.benefit}
        if self.decision.one.has_work:
            found[SOCIETY] = self.decision.pair((CASH, WORK, HEALTH))
        return found

    @cached_property
    def cost(self) -> np.ndarray:
        """(D,) cost of 18 weeks for the usual patient, all parts, £."""
        one = self.decision.one
        return one.by_week(headline(one)[-1])[:, one.place, STANDARD]

    @cached_property
    def evpi(self) -> float:
        """£ per patient."""
        return evpi(self.benefit)

    @cached_property
    def inputs(self) -> dict[str, list[Input]]:
        """By what is drawn together; what is fixed, or changes nothing, is left out."""
        found = groups(for_condition(self.computed.data.inputs, self.condition))
        draws = self.decision.one.draws
        return {
            name: members
            for name, members in found.items()
            if name in self.used and any(np.ptp(draws[x.name]) > 0 for x in members)
        }

    def _columns(self, members: list[Input]) -> np.ndarray:
        """(D, p): one of those that share a quantile, all but one of shares that sum to one."""
        kinds = {x.distribution for x in members}
        if kinds == {"dirichlet"}:
            members = members[:-1]
        elif kinds != {"joint"}:
            members = members[:1]
        return np.stack([self.decision.one.draws[x.name] for x in members], -1)

    @cached_property
    def names(self) -> dict[str, tuple[str, ...]]:
        """Members of each group of inputs that would be learnt together."""
        assumed = [n for n, m in self.inputs.items() if m[0].status == "assumption"]
        known = [n for n in self.inputs if n not in assumed]
        seen = [n for n, m in self.inputs.items() if self._is_seen(m)]
        effect = [n for n, m in self.inputs.items() if m[0].name in (*_EFFECT, _CONTROL)]
        found = {ASSUMED: assumed, KNOWN: known, COHORT: seen, TRIAL: effect}
        return {name: tuple(members) for name, members in found.items() if members}

    def _is_seen(self, members: list[Input]) -> bool:
        """Whether a cohort on a waiting list would show it: recovery, deterioration, drop-out."""
        recovery = model_of(self.condition, self.computed.params).recovery
        used = {
            name.format(band=key(band))
            for name in SCENARIOS[recovery].inputs[self.condition]
            for band in self.decision.one.bands
        }
        return any(
            x.name in used or x.name == "dropout_per_week" or x.group == "deterioration"
            for x in members
        )

    @cached_property
    def _all_columns(self) -> dict[str, np.ndarray]:
        return {name: self._columns(members) for name, members in self.inputs.items()}

    @cached_property
    def worth_by_view(self) -> dict[str, dict[str, Estimate]]:
        """EVPPI by what is counted, then by input and by group."""
        with _one_thread():
            return {
                view: evppi_all(benefit, self._all_columns, self.names)
                for view, benefit in self.views.items()
            }

    @property
    def worth(self) -> dict[str, Estimate]:
        """EVPPI by input and by group, counting NHS cash and health."""
        return self.worth_by_view[NHS]

    @cached_property
    def explained(self) -> dict[str, Estimate]:
        """Share of the variance of `cost` by input and by group."""
        with _one_thread():
            return explained_all(self.cost, self._all_columns, self.names)

    @property
    def first(self) -> str:
        """The input that explains most of the uncertainty of the cost of waiting."""
        return max(self.inputs, key=lambda name: self.explained[name].value)

    def share(self, name: str) -> float:
        """Percentage of the variance of the cost of 18 weeks that an input or group explains."""
        return 100 * self.explained[name].value

    def information(self, name: str) -> float:
        """Percentage of EVPI that knowing an input or group is worth, NHS cash and health."""
        return 100 * self.worth[name].value / self.evpi if self.evpi > 0 else 0.0

    @cached_property
    def by_input(self) -> dict[str, tuple[float, float]]:
        """`information` and `share` by name of the input, and of all assumptions together.

        All of a group have the group's.
        """
        found = {x.name: name for name, members in self.inputs.items() for x in members}
        if ASSUMED in self.names:
            found[ASSUMED] = ASSUMED
        return {x: (self.information(name), self.share(name)) for x, name in found.items()}

    def cohort(self, n: int) -> Estimate:
        """EVSI of following `n` patients on a waiting list for some weeks."""
        rates = model_of(self.condition, self.computed.params).arrays(self.decision.one.draws)
        b = self.decision.one.place + 1  # the first band is none to start in
        still, seen = np.ones(len(self.benefit)), np.zeros((3, len(self.benefit)))
        for week in range(self.computed.params.cohort_weeks):
            p = rates.interval[week]
            stays = 1 - rates.recover[:, p, b] - rates.worsen[:, p, b]
            seen[0] += still * rates.recover[:, p, b]
            seen[1] += still * rates.worsen[:, p, b]
            seen[2] += still * stays * rates.dropout
            still = still * stays * (1 - rates.dropout)
        chances = np.column_stack([*seen, np.clip(1 - seen.sum(0), 0, 1)])
        counts = self._generator(COHORT, n).multinomial(n, chances / chances.sum(1, keepdims=True))
        return evsi(self.benefit, counts[:, :3].astype(float))

    def trial(self, n: int) -> Estimate:
        """EVSI of a trial of therapy, half of `n` patients on the waiting list.

        Depression: Hedges' g with its usual variance, 4/n + g²/2n. Anxiety: patients who respond.
        """
        draws, generator, half = self.decision.one.draws, self._generator(TRIAL, n), max(1, n // 2)
        if self.condition == "depression":
            effect = draws["effect_mean"]
            if model_of(self.condition, self.computed.params).effect == "predictive":
                effect = effect + draws["effect_tau"] * draws["effect_place"]
            error = np.sqrt(4 / n + effect**2 / (2 * n))
            return evsi(self.benefit, effect + error * generator.standard_normal(len(effect)))
        waiting = 1 - draws["response_waiting_list_anxiety"]
        treated = np.minimum(draws["rr_nonresponse_anxiety"], 1.0) * waiting
        counts = [generator.binomial(half, p) for p in (waiting, treated)]
        return evsi(self.benefit, np.stack(counts, -1).astype(float))

    def _generator(self, name: str, n: int) -> np.random.Generator:
        return rng(self.computed.params.seed, name, self.condition, n)


def _listed(learning: Learning) -> list[tuple[str, str, str]]:
    """Groups, then inputs, those that explain most first: name, label, what it rests on."""
    single = sorted(learning.inputs, key=lambda name: -learning.explained[name].value)
    found = [(name, name, "group") for name in learning.names]
    for name in single:
        members = learning.inputs[name]
        found.append((name, label(members), members[0].status))
    return found


def shares(found: dict[str, Learning]) -> Table:
    """Share of the variance of the cost of waiting by input, largest first, groups on top."""
    rows = []
    for condition, learning in found.items():
        sd = float(learning.cost.std(ddof=1))
        for name, shown, rests_on in _listed(learning):
            estimate = learning.explained[name]
            rows.append(
                {"condition": condition, "input": shown, "rests_on": rests_on}
                | {"share": 100 * estimate.value, "error": 100 * estimate.standard_error}
                | {"sd": sd}
            )
    values = {
        "rests_on": words("Rests on"),
        "share": value("% of the variance explained", 1),
        "error": value("Standard error, points", 1),
        "sd": value("SD of the cost, all inputs, £"),
    }
    keys = {"condition": "Condition", "input": "Input"}
    title = f"What makes the cost of {STANDARD} weeks uncertain, all parts together"
    return Table(title, pl.DataFrame(rows), keys, values)


def partial(found: dict[str, Learning]) -> Table:
    """EVPPI of every input and of groups, in the order of what they explain."""
    rows = []
    for condition, learning in found.items():
        for view, worth in learning.worth_by_view.items():
            whole = evpi(learning.views[view])
            for name, shown, rests_on in _listed(learning):
                rows.append(
                    {"condition": condition, "view": view, "input": shown, "rests_on": rests_on}
                    | {"value": worth[name].value, "error": worth[name].standard_error}
                    | {"evpi": whole}
                )
    values = {
        "rests_on": words("Rests on"),
        "value": value("EVPPI per patient, £", 2),
        "error": value("Standard error, £", 2),
        "evpi": value("EVPI, £", 2),
    }
    keys = {"condition": "Condition", "view": "Counted", "input": "To be learnt"}
    wtp = next(iter(found.values())).decision.one.thresholds[0]
    title = (
        "What it is worth to know an input exactly, when the choice is therapy at once or after "
        f"the usual wait, at £{wtp:,.0f} per QALY"
    )
    return Table(title, pl.DataFrame(rows), keys, values)


def studies(found: dict[str, Learning], params: Params) -> Table:
    """EVSI of two studies by their size, beside the EVPPI of what each would inform."""
    weeks, rows = params.cohort_weeks, []
    for condition, learning in found.items():
        designs = {
            f"cohort on a waiting list, {weeks} weeks": (learning.cohort, COHORT),
            "trial of therapy": (learning.trial, TRIAL),
        }
        for design, (study, informed) in designs.items():
            most = learning.worth[informed]
            for size in sizes(params):
                with _one_thread():
                    estimate = study(size)
                rows.append(
                    {"condition": condition, "study": design, "n": f"{size:,}"}
                    | {"value": estimate.value, "error": estimate.standard_error}
                    | {"most": most.value, "most_error": most.standard_error}
                )
    values = {
        "value": value("EVSI per patient, £", 2),
        "error": value("Standard error, £", 2),
        "most": value("EVPPI of what it would show, £", 2),
        "most_error": value("Standard error, £", 2),
    }
    keys = {"condition": "Condition", "study": "Study", "n": "Patients in it"}
    title = "What a study would be worth to the choice between therapy at once and the usual wait"
    return Table(title, pl.DataFrame(rows), keys, values)


def sizes(params: Params) -> list[int]:
    """Of the study: a tenth of what was asked for, that, and ten times it."""
    return [max(2, round(times * params.n_cohort)) for times in MULTIPLES]
