"""Numbers and checks of `waiting_replication`."""

from iesoresearch.analyses.waiting_replication.computed import Computed, Figure
from iesoresearch.analyses.waiting_replication.tables import plain
from iesoresearch.models.cases import Case
from iesoresearch.results import Check, Number

_MOST_NAMED = 5  # figures that differ are named up to here; the table has all


def numbers(computed: Computed) -> dict[str, Number]:
    """Numbers by the names that sentences use."""
    figures = computed.figures
    agree = sum(figure.row.ok for figure in figures)
    counts = {
        "n_cases": len(computed.cases),
        "n_complete": len(computed.complete),
        "n_incomplete": len(computed.cases) - len(computed.complete),
        "n_figures": len(figures),
        "n_numbers": sum(figure.ratio is not None for figure in figures),
        "n_agree": agree,
        "n_differ": len(figures) - agree,
    }
    found = {name: Number(n, kind="count", sensitivity="open") for name, n in counts.items()}
    return found | _of_shown(computed)


def _of_shown(computed: Computed) -> dict[str, Number]:
    """Of the model that is shown, and how far the way of counting moves totals and ratios."""
    found: dict[str, Number] = {}
    if computed.trace is not None:
        words = {"shown": computed.shown.id, "strategy": computed.trace[0]}
        found |= {name: Number(word, sensitivity="open") for name, word in words.items()}
    if "conventions" not in computed.not_applicable:
        ways = computed.conventions[computed.shown.id].values()
        effects = [report.totals[computed.trace[0]]["effect"] for report in ways]
        found["effect_low"] = Number(min(effects), digits=2, sensitivity="open")
        found["effect_high"] = Number(max(effects), digits=2, sensitivity="open")
    if computed.ratios:
        most = max(computed.ratios, key=lambda ratio: abs(ratio.change))
        about = {"moved_case": most.case, "moved": most.comparison, "moved_way": most.way}
        found |= {name: Number(word, sensitivity="open") for name, word in about.items()}
        found["moved_own"] = Number(most.own, sensitivity="open")
        found["moved_to"] = Number(most.icer, sensitivity="open")
        found["moved_by"] = Number(abs(most.change), unit="%", digits=1, sensitivity="open")
    return found


def checks(computed: Computed) -> list[Check]:
    """One per case: whether what must come out comes out."""
    return [_check(case, computed.of(case)) for case in computed.cases]


def _check(case: Case, figures: list[Figure]) -> Check:
    name = f"{case.id} comes out"
    wrong = [figure for figure in figures if not figure.row.ok]
    if wrong:
        return Check(name, "failed", safe(_differ(wrong, len(figures))))
    if not case.complete:
        rest = f" What needs no run agrees: {_counted(figures)}." if figures else ""
        words = f"It cannot be run. Not found: {'; '.join(case.not_found)}.{rest}"
        return Check(name, "inconclusive" if figures else "not applicable", safe(words))
    if not figures:
        return Check(name, "not applicable", "The case gives no figures to compare with.")
    return Check(name, "passed", f"{_counted(figures)} compared, none differs.")


def _counted(figures: list[Figure]) -> str:
    return f"{len(figures)} figure{'s' * (len(figures) != 1)}"


def _differ(wrong: list[Figure], n: int) -> str:
    """Which figures differ, the first in full."""
    named = [_one(figure) for figure in wrong[:_MOST_NAMED]]
    more = len(wrong) - len(named)
    rest = f", and {more} more (see the table)" if more else ""
    verb = "DIFFERS" if len(wrong) == 1 else "DIFFER"
    return f"{len(wrong)} of {n} figures {verb}: {'; '.join(named)}{rest}."


def _one(figure: Figure) -> str:
    row = figure.row
    if row.tolerance is None:
        return f"{row.quantity} must be {row.expected} and is {row.computed}"
    wanted = f"{plain(row.expected)} ± {plain(row.tolerance)}"
    return f"{row.quantity} must be {wanted} and is {plain(row.computed)}"


def safe(text: str) -> str:
    """Words of a case file as part of a template, in which braces stand for numbers."""
    return text.replace("{", "{{").replace("}", "}}")
