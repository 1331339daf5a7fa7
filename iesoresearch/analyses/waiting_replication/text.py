"""Plain-language summary of `waiting_replication`, how to read it, and what it cannot say."""

from iesoresearch.analyses.waiting_replication.computed import Computed


def text(computed: Computed) -> dict[str, str]:
    """Templates, by heading."""
    return {"plain": _plain(computed), "reading": _READING, "limits": _LIMITS}


def _plain(computed: Computed) -> str:
    parts = [_WHAT if len(computed.cases) > 1 else _ONE, _agree(computed)]
    if len(computed.complete) < len(computed.cases):
        parts.append(
            "Of {n_incomplete} the publication does not hold every input, or not where we could "
            "read it: they are not run, and the table says what is missing."
        )
    if any(case.findings_expected for case in computed.cases):
        parts.append(
            "A model with known mistakes of units is among them on purpose: the checks have to "
            "find these mistakes; that its numbers come out says that it was coded so."
        )
    if "conventions" not in computed.not_applicable:
        parts.append(
            "Conventions are part of a model: with its cycles counted in other common ways, "
            "{shown} gives from {effect_low} to {effect_high} units of effect under {strategy}, "
            "from the same inputs."
        )
    if "icers" not in computed.not_applicable:
        parts.append(
            "Cost per unit of effect moves most in {moved_case}: for {moved} from {moved_own} as "
            "the case counts to {moved_to} ({moved_by}) if everything is counted another way."
        )
    return " ".join(parts)


_WHAT = (
    "An engine for economic models is worth as much as its proof, so published models were entered "
    "as data and run: {n_cases} here, {n_complete} of them complete."
)
_ONE = "One model, entered as data, was read from its file and checked."


def _agree(computed: Computed) -> str:
    wrong = [figure for figure in computed.figures if not figure.row.ok]
    if not computed.figures:
        return "There are no figures to compare with."
    if wrong:
        return (
            "**Of {n_figures} figures that must come out, {n_differ} DIFFERED**; {n_agree} agree."
        )
    return "All {n_figures} figures that must come out do, each within its tolerance."


_READING = (
    "A figure agrees if it is no further from ours than its tolerance, which for a printed figure "
    "is half a unit of its last digit, or a little more where the printed inputs are rounded, and "
    "for a figure of a simulation its Monte Carlo error. Most figures were published; some come "
    "from running the authors’ own program or, in full, from a recomputation, as the file of the "
    "case says. Where a publication leaves a convention open, the one that gives its figures was "
    "inferred, and the notes say so: such a case shows that the engine can be told to count so, "
    "not that the authors did. Where all rewards are counted another way, rules that weigh points "
    "in time (half at both ends, Simpson) miscount what begins or stops between two points, such "
    "as a treatment of two years."
)
_LIMITS = (
    "That a model comes out as published says that it is computed as its authors computed it, not "
    "that its inputs or its structure are right. A model can apply yearly probabilities every "
    "quarter, as the authors of one of the shipped cases (freitag2024_diga_depression) did, and "
    "agree to the last digit. No shipped case is about waiting for talking therapy in England."
)
