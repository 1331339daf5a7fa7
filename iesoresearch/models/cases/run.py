"""Running a case, and comparing what comes out with what was published."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from iesoresearch.models.cases.case import Case, Expected, Finding
from iesoresearch.models.cases.evaluation import Evaluation, evaluate
from iesoresearch.models.decision import Strategy


@dataclass(frozen=True)
class Row:
    """One number that was compared.

    Attributes
    ----------
    quantity
        In words, such as "cost of SoC"; that of a variant begins with its name.
    expected, computed
        Numbers, or words such as "dominated".
    tolerance
        Largest difference that is right; None for words.
    ok
        Whether it is within.
    """

    quantity: str
    expected: float | str
    computed: float | str
    tolerance: float | None
    ok: bool


@dataclass(frozen=True, eq=False)
class Report:
    """What a case gave.

    Attributes
    ----------
    rows
        One per published number, those of variants after those of the case.
    totals, undiscounted
        By strategy, by reward; "cost" and "effect" are the sums of their kinds.
    incremental
        Of the strategies, cheapest first; empty if there are fewer than two with cost and effect.
    findings
        What the checks of units and plausibility say.
    variants
        Reports of the variants.
    """

    rows: tuple[Row, ...]
    totals: dict[str, dict[str, float]]
    undiscounted: dict[str, dict[str, float]]
    incremental: tuple[Strategy, ...]
    findings: tuple[Finding, ...]
    variants: dict[str, Report] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether every row is."""
        return all(row.ok for row in self.rows)


def run(case: Case, *, seed: int = 0) -> Report:
    """Compute a case and compare it with its expected numbers.

    Parameters
    ----------
    seed
        Added to those of the case, to see what another one gives.

    Returns
    -------
    Report
        Of an incomplete case only its `checks`.

    Raises
    ------
    ParameterError
        Values that cannot be, with their place.
    """
    found = evaluate(case, seed)
    rows = [compare(expected, found) for expected in case.expected]
    rows += [Row(*four, ok=abs(four[2] - four[1]) <= four[3]) for four in found.twin]
    rows += _findings(case)
    variants = {name: run(variant, seed=seed) for name, variant in case.variants.items()}
    for name, report in variants.items():
        rows += [
            Row(f"{name}: {r.quantity}", r.expected, r.computed, r.tolerance, r.ok)
            for r in report.rows
        ]
    return Report(
        tuple(rows), found.totals, found.undiscounted, found.incremental, case.findings, variants
    )


def _findings(case: Case) -> list[Row]:
    there = {finding.code for finding in case.findings}
    return [
        Row(
            f"finding {code}",
            "found",
            "found" if code in there else "not found",
            None,
            code in there,
        )
        for code in case.findings_expected
    ]


def compare(expected: Expected, found: Evaluation) -> Row:
    """A row for one published number."""
    computed = found.answer(expected.key)
    wanted: Any = expected.value
    if expected.tolerance is None:
        same = tuple(wanted) == tuple(computed) if isinstance(wanted, tuple) else wanted == computed
        return Row(expected.quantity, _words(wanted), _words(computed), None, same)
    ok = bool(np.isfinite(computed)) and abs(computed - wanted) <= expected.tolerance * (1 + 1e-9)
    return Row(expected.quantity, wanted, computed, expected.tolerance, ok)


def _words(value: str | tuple[str, ...]) -> str:
    return ", ".join(value) if isinstance(value, tuple) else value
