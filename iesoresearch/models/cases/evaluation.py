"""Everything that can be asked of a case, computed once."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from scipy import optimize

from iesoresearch.models.cases import sampling, twin
from iesoresearch.models.cases.case import Case, Cell, Parameter
from iesoresearch.models.cases.expressions import compile_expression
from iesoresearch.models.cases.model import cohort_model
from iesoresearch.models.cases.scope import Findings, Scope, rows
from iesoresearch.models.decision import Strategy, evpi, incremental
from iesoresearch.models.decision.analytic import normal_evpi, normal_probability_best

#: Of draws, by name.
SUMMARIES = {
    "mean": np.mean,
    "sd": lambda draws: draws.std(ddof=1),
    "low": lambda draws: np.quantile(draws, 0.025),
    "high": lambda draws: np.quantile(draws, 0.975),
}
#: Mean totals per strategy and reward.
Totals = dict[str, dict[str, float]]


@dataclass
class Evaluation:
    """Results of a case.

    Attributes
    ----------
    case
        What was computed.
    seed
        Added to those of the case.
    totals, undiscounted
        By strategy, by reward.
    incremental
        Cheapest first.
    twin
        What `twin.compared` gives, if there is a microsimulation.
    """

    case: Case
    seed: int
    totals: Totals = field(default_factory=dict)
    undiscounted: Totals = field(default_factory=dict)
    incremental: tuple[Strategy, ...] = ()
    twin: list[tuple[str, float, float, float]] = field(default_factory=list)

    def answer(self, key: tuple[Any, ...]) -> Any:
        """What a published number is compared with (keys: see `expected`)."""
        what, rest = key[0], key[1:]
        return {
            "totals": lambda: self.totals[rest[0]][rest[1]],
            "undiscounted": lambda: self.undiscounted[rest[0]][rest[1]],
            "microsimulation": lambda: self._simulated(*rest),
            "incremental": lambda: self._difference(*rest),
            "frontier": self._frontier,
            "status": lambda: self._row(rest[0]).status,
            "icer": lambda: _number(self._row(rest[0]).icer),
            "trace": lambda: self._trace(*rest),
            "path": lambda: self._paths[rest[0]].get(rest[1], float("nan")),
            "value": lambda: self._asked(rest[0]),
            "check": lambda: self._check(rest[0]),
            "threshold": lambda: self._threshold(*rest),
            "psa": lambda: self._psa(*rest),
        }[what]()

    def _row(self, name: str) -> Strategy:
        return next(row for row in self.incremental if row.name == name)

    def _frontier(self) -> tuple[str, ...]:
        return tuple(row.name for row in self.incremental if row.status == "on frontier")

    def _difference(self, strategy: str, versus: str, what: str) -> Any:
        one, other = self.totals[strategy], self.totals[versus]
        if what in one:
            return one[what] - other[what]
        cost = one["cost"] - other["cost"]
        effect = (one["effect"] - other["effect"]) * sign(self.case)
        if what == "icer":
            return cost / effect if effect else float("nan")
        if what == "verdict":
            return _verdict(cost, effect)
        return self.case.wtp * effect - cost

    def _trace(self, strategy: str, point: int, state: str) -> float:
        where = rows(self.case)[state]
        return float(self._traces[strategy][point, where].sum()) * self.case.people

    @cached_property
    def _traces(self) -> dict[str, np.ndarray]:
        shares, own = sampling.people(self.case)
        model = cohort_model(self.case, own)
        parts = range(model.n_draws)
        return {
            name: sum(shares[d] * model.trace(d, k) for d in parts)
            if len(parts) > 1
            else model.trace(0, k)
            for k, name in enumerate(self.case.names)
        }

    @cached_property
    def _paths(self) -> dict[str, dict[str, float]]:
        found = {}
        for strategy in self.case.strategies:
            scope = Scope(self.case, strategy, {}, None, Findings())
            if strategy.tree is not None:
                found[strategy.name] = {
                    "/".join(filter(None, path.names)): float(np.ravel(path.probability)[0])
                    for path in strategy.tree.paths(scope)
                }
        return found

    def _plain(self, cell: Cell) -> float:
        return float(Scope(self.case, None, {}, None, Findings()).number(cell).reshape(-1)[0])

    def _check(self, name: str) -> float:
        return self._plain(self.case.checks[name])

    def _asked(self, name: str) -> float:
        what, mean, sd = self.case.questions[name]
        answer = normal_evpi if what == "value" else normal_probability_best
        return answer(self._plain(mean), self._plain(sd))

    def _threshold(self, name, between, strategy, versus, of, target) -> float:
        """Value of a parameter at which a difference between strategies is `target`."""

        def miss(value: float) -> float:
            changed = evaluate_totals(with_value(self.case, name, value))
            other = dataclasses.replace(self, totals=changed)
            return other._difference(strategy, versus, of) - target

        ends = miss(between[0]), miss(between[1])
        if ends[0] * ends[1] > 0:
            return float("nan")
        return float(optimize.brentq(miss, *between, xtol=1e-12, rtol=1e-12))

    @cached_property
    def _draws(self) -> dict[str, np.ndarray]:
        return sampling.outcomes(self.case, self.seed)

    def _psa(self, what: str, strategy: str, *rest: Any) -> float:
        names, found = self.case.names, self._draws
        if what in SUMMARIES:
            return float(SUMMARIES[what](found[rest[0]][:, names.index(strategy)]))
        if what == "incremental":
            means = {
                name: {reward: float(x[:, k].mean()) for reward, x in found.items()}
                for k, name in enumerate(names)
            }
            return dataclasses.replace(self, totals=means)._difference(strategy, *rest)
        if what == "evpi":
            return float(evpi(self._net(rest[-1])))
        k = names.index(strategy)
        if what == "probability_best":
            return float((self._net(rest[-1]).argmax(1) == k).mean())
        return float(self._better(what, k, names.index(rest[0]), rest[-1]).mean())

    def _net(self, wtp: float) -> np.ndarray:
        """(D, K) net benefits."""
        return wtp * self._draws["effect"] * sign(self.case) - self._draws["cost"]

    def _better(self, what: str, k: int, other: int, wtp: Any) -> np.ndarray:
        """(D,) whether a strategy is better than another in the way asked for."""
        if what == "probability_cost_effective":
            net = self._net(wtp)
            return net[:, k] > net[:, other]
        holds = np.ones(len(next(iter(self._draws.values()))), bool)
        if what != "probability_more_effective":
            holds &= self._draws["cost"][:, k] < self._draws["cost"][:, other]
        if what != "probability_less_costly":
            effect = self._draws["effect"] * sign(self.case)
            holds &= effect[:, k] > effect[:, other]
        return holds

    @cached_property
    def simulated(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Mean and standard error (K,) per reward, from the microsimulation."""
        return twin.simulated(self.case, self.seed)

    def _simulated(self, strategy: str, reward: str) -> float:
        return float(self.simulated[reward][0][self.case.names.index(strategy)])


def evaluate(case: Case, seed: int = 0) -> Evaluation:
    """Compute a case; of an incomplete one nothing but its checks can be asked.

    Raises
    ------
    ParameterError
        Values that cannot be, with their place.
    """
    found = Evaluation(case, seed)
    if not case.complete or case.kind == "value_of_information":
        return found
    found.totals = evaluate_totals(case)
    if case.kind == "markov_cohort":
        found.undiscounted = evaluate_totals(case, discounted=False)
    found.incremental = ranking(case, found.totals)
    if case.microsimulation is not None:
        found.twin = twin.compared(case, found.totals, found.simulated)
    return found


def ranking(case: Case, totals: Totals) -> tuple[Strategy, ...]:
    """Strategies by cost with dominance; empty without two strategies, a cost and an effect."""
    kinds = {spec.kind for spec in case.rewards}
    if len(case.names) < 2 or not {"cost", "effect"} <= kinds:
        return ()
    costs = [totals[name]["cost"] for name in case.names]
    effects = [totals[name]["effect"] * sign(case) for name in case.names]
    return incremental(costs, effects, case.names)


def sign(case: Case) -> float:
    """-1 if the effect is something to avoid."""
    return -1.0 if any(r.lower_is_better for r in case.rewards if r.kind == "effect") else 1.0


def evaluate_totals(case: Case, *, discounted: bool = True) -> Totals:
    """Totals per strategy and reward, "cost" and "effect" among them."""
    shares = np.ones(1)
    if case.kind == "markov_cohort":
        shares, own = sampling.people(case)
        sums = sampling.cohort_totals(case, own, discounted=discounted)
    else:
        sums = sampling.outcomes_of(case, {})
    means = {name: _mean(shares, values) for name, values in sampling.with_sums(case, sums).items()}
    return {
        strategy: {name: float(values[k]) for name, values in means.items()}
        for k, strategy in enumerate(case.names)
    }


def _mean(shares: np.ndarray, values: np.ndarray) -> np.ndarray:
    """(K,) mean by share; exact where all people are alike."""
    return values[0] if len(values) == 1 else shares @ values


def with_value(case: Case, name: str, value: float) -> Case:
    """The case with another value of a parameter."""
    old = case.parameters[name]
    cell = Cell(compile_expression(repr(float(value))), old.cell.place)
    changed = {**case.parameters, name: Parameter(name, cell, old.unit, None, old.source)}
    return dataclasses.replace(case, parameters=changed)


def _verdict(cost: float, effect: float) -> str:
    if cost <= 0 <= effect and (cost or effect):
        return "dominant"
    if cost >= 0 >= effect and (cost or effect):
        return "dominated"
    return "ratio"


def _number(value: float | None) -> float:
    return float("nan") if value is None else value
