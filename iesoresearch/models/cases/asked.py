"""Whether a case can answer what its expected numbers ask."""

from __future__ import annotations

from iesoresearch.models.cases.case import Case, Expected
from iesoresearch.models.cases.document import Document, suggestion

_RATIOS = ("icer", "inmb", "verdict")


def asked(document: Document, case: Case) -> None:
    """Keep a problem for every expected number that the case has nothing to answer with."""
    if not case.complete:
        lost = [expected for expected in case.expected if expected.key[0] != "check"]
        if lost:
            document.problems.append(
                f"{lost[0].place}: an incomplete case has no results to compare; use checks."
            )
        return
    for expected in case.expected:
        why = _why_not(case, expected)
        if why:
            document.problems.append(f"{expected.place}: {why}")


def _why_not(case: Case, expected: Expected) -> str | None:
    what, rest = expected.key[0], expected.key[1:]
    if what == "psa":
        if case.psa is None:
            return "needs psa: the number of draws and the seed."
        what, rest = rest[0], rest[1:]
    if what == "microsimulation" and case.microsimulation is None:
        return "needs microsimulation: the number of individuals and the seed."
    kinds = {reward.kind for reward in case.rewards}
    for kind in ("cost", "effect"):
        if kind in rest and kind not in kinds:
            return f"there is no reward of kind {kind}."
    alone = {"probability_less_costly": "cost", "probability_more_effective": "effect"}.get(what)
    if alone and alone not in kinds:
        return f"there is no reward of kind {alone}."
    both = what in ("frontier", "status", "icer", "evpi")
    both = both or (what.startswith("probability") and not alone)
    if (both or set(rest) & set(_RATIOS)) and not {"cost", "effect"} <= kinds:
        return "needs a reward of kind cost and one of kind effect."
    if (both or alone or set(rest) & set(_RATIOS)) and len(case.names) < 2:
        return "needs two strategies."
    if "inmb" in rest and case.wtp != case.wtp:
        return "needs wtp: what a unit of effect is worth."
    return _why_not_here(case, what, rest)


def _why_not_here(case: Case, what: str, rest: tuple) -> str | None:
    if what in ("trace", "undiscounted") and case.kind != "markov_cohort":
        return f"a case of kind {case.kind} has none."
    if what == "path":
        strategy = next(s for s in case.strategies if s.name == rest[0])
        names = [] if strategy.tree is None else strategy.tree.ends()
        if rest[1] not in names:
            return f"{rest[1]!r} is no path of {rest[0]}{suggestion(rest[1], names)}."
    if what == "value" and rest[0] not in case.questions:
        return f"{rest[0]!r} is no question{suggestion(rest[0], case.questions)}."
    if what == "threshold" and rest[0] not in case.parameters:
        return f"{rest[0]!r} is no parameter{suggestion(rest[0], case.parameters)}."
    return None
