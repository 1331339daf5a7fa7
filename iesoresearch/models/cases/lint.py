"""Checks of a whole model that no single expression shows: what a reviewer would look for."""

from __future__ import annotations

import dataclasses

import numpy as np

from iesoresearch.errors import ParameterError
from iesoresearch.models.cases.case import Case, Finding
from iesoresearch.models.cases.document import Document, suggestion
from iesoresearch.models.cases.model import cohort_model
from iesoresearch.models.cases.quantities import Unit
from iesoresearch.models.cases.scope import REMARKS, Findings, Scope, rows

#: A discount rate above this a year is taken for one in another unit. (Assumption: published
#: guidelines are at 6 % a year or below.)
MOST_DISCOUNT = 0.15
#: Yearly risk of death above which one that is the same in every state is no all-cause mortality of
#: adults below 80. (In the life table of the shipped case darth_sick_sicker_time_dependent, USA
#: 2015, the yearly rate passes 5 % at 81.)
MOST_DEATH, OLD = 0.05, 80.0
#: Relative difference between the mean of a distribution and the value that is remarked on.
MEAN_APART = 0.05

#: Transition probabilities that fit into memory, with 8 bytes each.
MOST_CELLS = 3e8

CODES = frozenset(
    {
        *("rate-as-probability", "probability-period", "wrong-conversion", "units-mixed"),
        *("discount-period", "discount-implausible", "utility-per-cycle", "reward-period"),
        *("reward-unit", "currency", "once-per-cycle", "per-period-once", *REMARKS),
    }
)


def checked(case: Case, document: Document) -> Case:
    """The case with its findings.

    Raises
    ------
    ParameterError
        Findings that stop a model and that the case does not expect, or values that cannot be.
    """
    findings = Findings()
    for code in case.findings_expected:
        if code not in CODES:
            document.problems.append(
                f"findings_expected: {code!r} is no finding{suggestion(code, sorted(CODES))}."
            )
    document.raise_problems()
    try:
        _evaluate(case, findings)
    except ParameterError as error:
        document.problems.append(str(error))
    _ranges(case, document, findings)
    _means(case, findings)
    _unused(case, document, findings)
    found = tuple(findings.found.values())
    for finding in found:
        if finding.blocking and finding.code not in case.findings_expected:
            document.problems.append(f"{finding.place}: {finding.text} [{finding.code}].")
    document.raise_problems()
    return dataclasses.replace(case, findings=found)


def _evaluate(case: Case, findings: Findings) -> None:
    if case.kind == "markov_cohort":
        size = sum(case.clock(state) for state in case.states)
        if size**2 * case.cycles * len(case.strategies) > MOST_CELLS:
            raise ParameterError(
                f"clocks: {size} states with their clocks, {case.cycles} cycles and "
                f"{len(case.strategies)} strategies are too many; let clocks end earlier."
            )
        model = cohort_model(case, findings=findings)
        model.validate()
        _discounts(case, findings)
        _deaths(case, model.transitions, findings)
    elif case.kind == "decision_tree":
        for strategy in case.strategies:
            scope = Scope(case, strategy, {}, None, findings)
            list(strategy.tree.paths(scope))


def _discounts(case: Case, findings: Findings) -> None:
    for spec in case.rewards:
        if spec.discount is None or spec.discount.rate is None:
            continue
        scope = Scope(case, None, {}, None, findings)
        rate = float(scope.scalar(spec.discount.rate)[0])
        yearly = (1 + rate) ** (1 / spec.discount.per.years) - 1
        if yearly > MOST_DISCOUNT:
            findings.add(
                "discount-implausible",
                spec.discount.rate.place,
                f"{rate:g} per {spec.discount.per} is {yearly:.1%} a year; a yearly rate needs "
                "per: year",
            )


def _deaths(case: Case, transitions: np.ndarray, findings: Findings) -> None:
    """An equal risk of death in every state is all-cause mortality: it has a plausible size."""
    if case.start_age is not None:
        scope = Scope(case, None, {}, None, findings)
        if float(scope.scalar(case.start_age)[0]) >= OLD:
            return
    where = rows(case)
    first = transitions[0, :, 0]
    for state in _dead(case, first, where):
        living = [row for row in range(first.shape[1]) if row != where[state].start]
        if len(living) < 2:
            continue
        risks = first[:, living, where[state].start]
        risk = float(risks.max())
        yearly = 1 - (1 - risk) ** (1 / case.cycle.years)
        if np.ptp(risks) < 1e-12 and MOST_DEATH < yearly < 1:
            findings.add(
                "death-implausible",
                "transitions",
                f"{state} is entered from every state with {risk:g} per {case.cycle}, {yearly:.1%} "
                f"a year: more than all-cause mortality below {OLD:g} years of age",
            )


def _dead(case: Case, first: np.ndarray, where) -> list[str]:
    """States that nobody leaves."""
    return [
        state
        for state in case.states
        if where[state].stop - where[state].start == 1
        and np.allclose(first[:, where[state].start, where[state].start], 1.0)
    ]


def _ranges(case: Case, document: Document, findings: Findings) -> None:
    """Keep a problem for every value that its own unit forbids."""
    cycles = np.arange(case.cycles) if case.kind == "markov_cohort" else None
    clocked = case.clocks[0].states[0] if case.clocks else None
    for strategy in (None, *case.strategies):
        scope = Scope(case, strategy, {}, cycles, findings)
        for parameter in (strategy.parameters if strategy else case.parameters).values():
            limits = _limits(parameter.unit)
            if limits is None:
                continue
            try:
                value = scope.number(parameter.cell, clocked)
            except ParameterError:
                continue  # said where the parameter is used, if it is
            for wrong, side in ((value < limits[0], "negative"), (value > limits[1], "too large")):
                if wrong.any():
                    worst = float(value[wrong].reshape(-1)[0])
                    document.problems.append(
                        f"{parameter.cell.place}: {parameter.name} is {worst:g}, {side} for a "
                        f"{parameter.unit}."
                    )


def _limits(unit: Unit | None) -> tuple[float, float] | None:
    """Least and largest value of a unit."""
    room = 1 + 1e-9
    if unit is None:
        return None
    if unit.kind in ("rate", "probability"):
        return 0.0, np.inf if unit.kind == "rate" else room
    if unit.kind in ("utility", "QALY") and unit.per is not None:
        return -np.inf, unit.per.years * room
    return None


def _means(case: Case, findings: Findings) -> None:
    for parameter in case.parameters.values():
        distribution, text = parameter.distribution, parameter.cell.expression.text
        if distribution is None or not parameter.cell.constant:
            continue
        value = float(Scope(case, None, {}, None, findings).scalar(parameter.cell)[0])
        apart = min(abs(centre - value) for centre in distribution.centres)
        if apart > MEAN_APART * max(abs(value), 1e-12):
            findings.add(
                "distribution-mean",
                parameter.cell.place,
                f"{parameter.name} is {text}, but {distribution.text} has the mean "
                f"{distribution.mean:.6g}",
            )


def _unused(case: Case, document: Document, findings: Findings) -> None:
    used = {name for made, _ in document.cells for name in made.expression.names}
    used |= {name for strategy in case.strategies for name in strategy.parameters}
    used |= {name for joint in case.joints for name in joint.names}
    used |= {e.key[1] for e in case.expected if e.key[0] == "threshold"}
    for name, parameter in case.parameters.items():
        if name not in used:
            findings.add("parameter-unused", parameter.cell.place, f"{name} is used nowhere")


def blocking(findings: tuple[Finding, ...]) -> list[Finding]:
    """Those that stop a model."""
    return [finding for finding in findings if finding.blocking]
