"""Tables of `waiting_replication`."""

import math
from collections.abc import Callable, Iterator

import polars as pl

from iesoresearch.analyses.waiting_replication.computed import Computed, Figure
from iesoresearch.models.cases import Case, Report
from iesoresearch.models.decision import Strategy
from iesoresearch.results import Table, Value

KINDS = {
    "markov_cohort": "cohort model",
    "decision_tree": "decision tree",
    "frontier": "costs and effects",
    "value_of_information": "value of information",
}
CONVENTIONS = {
    "start": "at the start of each cycle",
    "end": "at the end of each cycle",
    "trapezoid": "half at both ends (trapezoid)",
    "life_table": "mean of before and after (life table)",
    "simpson": "Simpson’s rule",
    "darth_simpson": "“Simpson” as the tutorials code it",
}
_MOST_DIGITS = 12
_NOTHING = 0.005


def _open(label: str, digits: int = 2, kind: str = "model") -> Value:
    return Value(kind, label, digits, sensitivity="open")


def _table(title: str, rows: list[tuple], keys: dict[str, str], values: dict[str, Value]) -> Table:
    frame = pl.DataFrame(rows, schema=[*keys, *values], orient="row", infer_schema_length=None)
    return Table(title, frame, keys, values)


def cases(computed: Computed) -> Table:
    """Every case, and how many of its figures come out."""
    rows = []
    for case in computed.cases:
        figures = computed.of(case)
        agree = sum(figure.row.ok for figure in figures)
        rows.append((case.id, case.title, _complete(case), len(figures), agree))
    return _table(
        "Cases",
        rows,
        {"case": "Case"},
        {
            "title": _open("What it is"),
            "complete": _open("Complete"),
            "figures": _open("Figures compared", 0, "count"),
            "agree": _open("Of these agree", 0, "count"),
        },
    )


def sources(computed: Computed) -> Table:
    """Whose model every case is, and under which licence it was published."""
    rows = [
        (case.id, KINDS[case.kind], _whose(case), case.source.licence or "not known")
        for case in computed.cases
    ]
    return _table(
        "Where the cases are from",
        rows,
        {"case": "Case"},
        {"kind": _open("Kind"), "source": _open("Source"), "licence": _open("Licence")},
    )


def _complete(case: Case) -> str:
    return "yes" if case.complete else f"no, {len(case.not_found)} things not found"


def _whose(case: Case) -> str:
    source = case.source
    named = source.citation or source.more.get("repo") or source.more.get("note", "")
    return f"{named} (doi:{source.doi})" if source.doi and source.doi not in named else named


def compared(computed: Computed) -> Table:
    """Every figure that must come out, beside what comes out."""
    return _table(
        "Every figure compared",
        [(figure.case, figure.row.quantity, *_compared(figure)) for figure in computed.figures],
        {"case": "Case", "quantity": "Figure"},
        {
            "expected": _open("Must be"),
            "computed": _open("Is here"),
            "difference": _open("Difference"),
            "tolerance": _open("Tolerance"),
            "verdict": _open("Verdict"),
        },
    )


def _compared(figure: Figure) -> tuple[str, str, str, str, str]:
    row = figure.row
    verdict = "agrees" if row.ok else "DIFFERS"
    if row.tolerance is None:
        return str(row.expected), str(row.computed), "", "to the letter", verdict
    digits = _digits(row.tolerance)
    gap = "" if figure.difference is None else signed(figure.difference, digits + 1)
    return plain(row.expected), f"{row.computed:,.{digits}f}", gap, plain(row.tolerance), verdict


def _digits(tolerance: float) -> int:
    """Decimals down to the first digit of a tolerance."""
    if tolerance <= 0:
        return _MOST_DIGITS
    return min(max(math.ceil(-math.log10(tolerance)), 0), _MOST_DIGITS)


def plain(number: float) -> str:
    """A number as people write it."""
    return f"{number:,.10g}"


def signed(number: float, digits: int) -> str:
    """A difference with its sign; what rounds to nothing has none."""
    rounded = round(number, digits)
    return f"{rounded:+,.{digits}f}" if rounded else "0"


def agreement(computed: Computed) -> Table:
    """Differences in units of their tolerance."""
    known = [figure for figure in computed.figures if figure.ratio is not None]
    # below the digits shown there are only traces of arithmetic
    rows = [(f.case, f.row.quantity, f.ratio if abs(f.ratio) > _NOTHING else 0.0) for f in known]
    return _table(
        "Differences in units of the tolerance",
        rows,
        {"case": "Case", "quantity": "Figure"},
        {"ratio": _open("Difference ÷ tolerance")},
    )


def missing(computed: Computed) -> Table:
    """What was not found of incomplete cases."""
    rows = [(case.id, lack) for case in computed.cases for lack in case.not_found]
    return _table(
        "Cases that cannot be run, and what is missing of them",
        [(*row, "no") for row in rows],
        {"case": "Case", "lacks": "Not found"},
        {"found": _open("Can be run")},
    )


def findings(computed: Computed) -> Table:
    """What the checks of units and plausibility say."""
    rows = []
    for case in computed.cases:
        for number, found in enumerate(computed.reports[case.id].findings, 1):
            planted = found.code in case.findings_expected
            role = "the mistake it is here for" if planted else "a remark"
            rows.append((case.id, number, found.code, found.place, found.text, role))
    return _table(
        "What the checks of units and plausibility find",
        rows,
        {"case": "Case", "number": "No."},
        {
            "code": _open("Finding"),
            "place": _open("Where"),
            "text": _open("What is wrong"),
            "role": _open("It is"),
        },
    )


def notes(computed: Computed) -> Table:
    """What has to be known of a case."""
    rows = [
        (case.id, number, note)
        for case in computed.cases
        for number, note in enumerate(case.notes, 1)
    ]
    keys = {"case": "Case", "number": "No."}
    return _table("What has to be known", rows, keys, {"note": _open("Note")})


def results(computed: Computed) -> Table:
    """Costs and effects of every strategy of every model that was run."""
    rows = [
        (name, strategy, *_totals(totals), *_rank(report, strategy), _rewards(totals))
        for name, report in _all(computed)
        for strategy, totals in report.totals.items()
    ]
    return _table(
        "What the models give",
        rows,
        {"case": "Case", "strategy": "Strategy"},
        {
            "cost": _open("Cost"),
            "effect": _open("Effect"),
            "standing": _open("Status"),
            "icer": _open("Cost per unit of effect"),
            "rewards": _open("Its rewards one by one"),
        },
    )


def _rewards(totals: dict[str, float]) -> str:
    named = [f"{k} {value:,.8g}" for k, value in totals.items() if k not in ("cost", "effect")]
    return "; ".join(named)


def _all(computed: Computed) -> Iterator[tuple[str, Report]]:
    """Reports by name, those of variants after their case."""
    for name, report in computed.reports.items():
        yield name, report
        for variant, inner in report.variants.items():
            yield f"{name}, {variant}", inner


def _totals(totals: dict[str, float]) -> tuple[str, str]:
    digits = {"cost": 2, "effect": 6}
    cost, effect = (f"{totals[k]:,.{n}f}" if k in totals else "" for k, n in digits.items())
    return cost, effect


def _rank(report: Report, strategy: str) -> tuple[str, str]:
    for row in report.incremental:
        if row.name == strategy:
            return row.status, icer(row)
    return "", ""


def icer(row: Strategy) -> str:
    """What a unit of effect costs more, and against what; nothing where there is no such ratio."""
    return "" if row.icer is None else f"{row.icer:,.2f} beside {row.compared_with}"


def conventions(computed: Computed) -> Table:
    """The same model with its cycles counted in every way."""
    rows = [
        (CONVENTIONS[way], strategy, totals["cost"], totals["effect"], *_rank(report, strategy))
        for way, report in computed.conventions[computed.shown.id].items()
        for strategy, totals in report.totals.items()
    ]
    return _table(
        f"One model, {computed.shown.id}, counted in every way",
        rows,
        {"convention": "Cycles are counted", "strategy": "Strategy"},
        {
            "cost": _open("Cost", 0),
            "effect": _open("Effect", 4),
            "standing": _open("Status"),
            "icer": _open("Cost per unit of effect"),
        },
    )


def icers(computed: Computed) -> Table:
    """Cost per unit of effect of every model, by way of counting."""
    rows = [(r.case, r.comparison, CONVENTIONS[r.way], r.icer, r.change) for r in computed.ratios]
    return _table(
        "Cost per unit of effect, by way of counting",
        rows,
        {"case": "Case", "comparison": "Comparison", "convention": "Cycles are counted"},
        {
            "icer": _open("Cost per unit of effect", 0),
            "change": _open("Change from the case’s own way (%)"),
        },
    )


def trace(computed: Computed) -> Table:
    """Shares of the cohort by state and cycle."""
    strategy, states = computed.trace
    rows = [
        (state, cycle, float(share))
        for state, shares in states.items()
        for cycle, share in enumerate(shares)
    ]
    return _table(
        f"Where the cohort is: {computed.shown.id}, {strategy}",
        rows,
        {"state": "State", "cycle": "After cycle"},
        {"share": _open("Share of the cohort", 4)},
    )


ALL: dict[str, Callable[[Computed], Table]] = {
    "cases": cases,
    "sources": sources,
    "compared": compared,
    "agreement": agreement,
    "results": results,
    "missing": missing,
    "findings": findings,
    "notes": notes,
    "conventions": conventions,
    "icers": icers,
    "trace": trace,
}
