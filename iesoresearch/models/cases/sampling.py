"""Draws of the parameters of a case, and what a model makes of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from iesoresearch import seeds
from iesoresearch.errors import ParameterError
from iesoresearch.models.cases import matrices
from iesoresearch.models.cases.case import Case, Joint
from iesoresearch.models.cases.model import cohort_model
from iesoresearch.models.cases.scope import Findings, Scope
from iesoresearch.models.markov_cohort import evaluate_in_chunks

#: Bytes of transition matrices held at a time.
MEMORY = 2**26
#: Members of a mixed cohort that stand for all.
PEOPLE = 200

Draws = Mapping[str, np.ndarray]


def draw(case: Case, n: int, seed: int) -> dict[str, np.ndarray]:
    """(n,) draws by parameter, each from a stream of its own.

    Rows of counts are drawn too, from Dirichlet distributions, (n, S). Parameters of a strategy are
    called ``strategy.parameter``.
    """
    found = {}
    owners = [("", case.parameters), *((f"{s.name}.", s.parameters) for s in case.strategies)]
    for prefix, parameters in owners:
        for name, parameter in parameters.items():
            if parameter.distribution is not None:
                stream = seeds.rng(seed, "case", prefix + name)
                found[prefix + name] = parameter.distribution.draw(stream, n)
    for joint in case.joints:
        values = _together(joint, seeds.rng(seed, "case", "joint", joint.name), n)
        found.update(dict(zip(joint.names, values.T, strict=True)))
    for counts in _counts(case):
        for state, row in counts.rows.items():
            place = f"{counts.place}.{state}"
            found[place] = _shares(np.array(row), seeds.rng(seed, "case", place), n)
    return found


def _together(joint: Joint, stream: np.random.Generator, n: int) -> np.ndarray:
    if joint.kind == "dirichlet":
        return stream.dirichlet(joint.mean, n)
    return stream.multivariate_normal(joint.mean, joint.covariance, n, method="cholesky")


def _shares(counts: np.ndarray, stream: np.random.Generator, n: int) -> np.ndarray:
    """Dirichlet draws of the moves that were seen; the others have probability 0."""
    shares, seen = np.zeros((n, len(counts))), counts > 0
    shares[:, seen] = stream.dirichlet(counts[seen], n)
    return shares


def _counts(case: Case) -> list[matrices.Counts]:
    found, queue = [], [case.transitions, *case.matrices.values()]
    queue += [strategy.transitions for strategy in case.strategies]
    while queue:
        item = queue.pop()
        if isinstance(item, matrices.Counts):
            found.append(item)
        elif isinstance(item, matrices.Mix | matrices.Switch):
            queue += [part for _, part in item.parts]
        elif isinstance(item, matrices.Relative | matrices.Dying):
            queue.append(item.of)
    return found


def people(case: Case) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Shares (G,) and own values (G,) of the parts that the people are of; one if all are alike.

    The cohort of people who differ is the mean over cohorts of people who do not. A distribution
    gives PEOPLE parts: the value of each is the mean of an equal share of a large sample, in random
    order, and their mean is exactly that of the distribution.
    """
    if case.groups:
        names = {name for group in case.groups for name in group.values}
        values = {
            name: np.array([group.values.get(name, np.nan) for group in case.groups])
            for name in sorted(names)
        }
        return np.array([group.share for group in case.groups]), values
    found = {}
    for name, distribution in case.individuals.items():
        stream = seeds.rng(0, "case", "people", name)
        sample = np.sort(distribution.draw(stream, PEOPLE * 100))
        values = sample.reshape(PEOPLE, 100).mean(1)
        found[name] = stream.permutation(values) + distribution.mean - values.mean()
    parts = PEOPLE if found else 1
    return np.full(parts, 1 / parts), found


def cohort_totals(case: Case, draws: Draws, *, discounted: bool = True) -> dict[str, np.ndarray]:
    """(D, K) totals per reward of a cohort model."""
    n = max((len(values) for values in draws.values()), default=1)
    size = sum(case.clock(state) for state in case.states)
    per_draw = 8 * size**2 * case.cycles * len(case.strategies) * (1 + len(case.rewards))

    def part(chunk: slice):
        return cohort_model(case, {name: values[chunk] for name, values in draws.items()})

    chunk = int(np.clip(MEMORY // per_draw, 1, 4096))
    return evaluate_in_chunks(part, n, chunk, discounted=discounted)


def outcomes_of(case: Case, draws: Draws) -> dict[str, np.ndarray]:
    """(D, K) totals per reward of a decision tree, or of plain costs and effects."""
    found = {}
    for spec in case.rewards:
        columns = []
        for strategy in case.strategies:
            scope = Scope(case, strategy, draws, None, Findings())
            if strategy.tree is not None:
                columns.append(strategy.tree.payoff(scope, spec.name))
            else:
                columns.append(scope.scalar(strategy.outcomes[spec.name]))
        found[spec.name] = np.stack(np.broadcast_arrays(*columns), axis=1)
    return found


def with_sums(case: Case, totals: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Totals with "cost" and "effect", the sums of the rewards of these kinds."""
    found = dict(totals)
    for kind in ("cost", "effect"):
        parts = [totals[spec.name] for spec in case.rewards if spec.kind == kind]
        if parts:
            found[kind] = sum(parts)
    return found


def outcomes(case: Case, seed: int) -> dict[str, np.ndarray]:
    """(D, K) outcomes per reward of the probabilistic analysis.

    Raises
    ------
    ParameterError
        People who differ, of whom it would take a cohort each per draw.
    """
    draws = draw(case, case.psa.size, case.psa.seed + seed)
    if case.individuals:
        raise ParameterError(f"{case.name}: individuals cannot go with a probabilistic analysis.")
    if case.kind != "markov_cohort":
        return with_sums(case, outcomes_of(case, draws))
    shares, own = people(case)
    totals: dict[str, np.ndarray] = {}
    for part, share in enumerate(shares):
        values = {name: np.full(case.psa.size, x[part]) for name, x in own.items()}
        for name, found in cohort_totals(case, {**draws, **values}).items():
            totals[name] = totals.get(name, 0.0) + share * found
    return with_sums(case, totals)
