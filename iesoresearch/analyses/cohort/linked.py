"""What counts of `cohort` are made of, over all its tables: they are protected together.

A reader sees the flow, Table 1, outcomes and waits of the same referrals beside each other, so a
count that is hidden in one of them must not follow from the others.
"""

from collections.abc import Iterable, Mapping

from iesoresearch.analyses._linked import same, together
from iesoresearch.analyses.cohort import missing_scores as methods
from iesoresearch.analyses.cohort.characteristics import ALL, GROUPS, SCORES
from iesoresearch.analyses.cohort.completeness import TABLE_ONE
from iesoresearch.analyses.cohort.flow import KEPT, LEFT, NOT_CASES
from iesoresearch.analyses.cohort.monitoring import FIRST, GONE, HIGHER, LAST, NEW, WORSE
from iesoresearch.analyses.cohort.outcomes import (
    BANDS,
    KNOWN,
    LABELS,
    NO_FIRST,
    OFFICIAL,
    QUESTIONS,
    REASONS,
    STAND_IN,
    UNSOURCED,
    WAITS,
    band_name,
)
from iesoresearch.data.groups import NOT_RECORDED
from iesoresearch.results import At, Related, Table

_CHANGES = [measure for measure, about in QUESTIONS.items() if about == "reliable change"]
_OF_ALL = ("paired", "wait <= 6 weeks", "wait <= 18 weeks", "second wait > 90 days")


def linked(tables: Mapping[str, Table]) -> dict[str, Table]:
    """The tables with what their counts are made of, as far as that is so of these referrals.

    Some of it depends on the records: a negative wait is within six weeks, and in the band of those
    not known. That the problem of those who were not seen is not recorded is not said: nobody who
    finished would be.
    """
    relations = [
        *_flow(tables), *_table_one(tables), *_outcomes(tables), *_judged(), *_waits(),
        *_missing(tables), *_together(tables), *_scores(), *_signals(),
    ]  # fmt: skip
    return together(tables, relations)


def _kept(tables: Mapping[str, Table], step: int) -> At:
    what = tables["flow"].frame.filter(step=step, box=KEPT)["what"].item()
    return "flow", "n", (step, KEPT, what)


def _of(column: str, characteristic: str = ALL, level: str = ALL.lower()) -> At:
    return "characteristics", column, (characteristic, level)


def _rate(end: str, measure: str, rule: str = OFFICIAL) -> At:
    return "outcome_rates", end, (LABELS.get(measure, measure), rule, QUESTIONS[measure])


def _flow(tables: Mapping[str, Table]) -> Iterable[Related]:
    """Who is kept at a step, and who is left out, were kept at the step before."""
    boxes = tables["flow"].frame.select("step", "box", "what").rows()
    for step in range(1, max(step for step, *_ in boxes) + 1):
        parts = tuple(("flow", "n", row) for row in boxes if row[0] == step)
        assert {row[1] for *_, row in parts} == {KEPT, LEFT}
        yield _kept(tables, step - 1), parts, True


def _table_one(tables: Mapping[str, Table]) -> Iterable[Related]:
    """Finished and not finished were referred; so were those with a score."""
    received, finished = _kept(tables, 0), _kept(tables, 3)
    yield from same(received, _of("referred"))
    yield from same(finished, _of("finished"))
    whole, *parts = GROUPS
    for table in ("characteristics", "baseline"):
        for row in tables[table].frame.select(list(tables[table].keys)).iter_rows():
            yield (table, whole, row), tuple((table, part, row) for part in parts), True
    for (score,) in tables["baseline"].frame.select("score").iter_rows():
        for group in GROUPS:
            yield _of(group), (("baseline", group, (score,)),), False


def _outcomes(tables: Mapping[str, Table]) -> Iterable[Related]:
    """Why outcomes are not known, and whose are."""
    finished = ("unknown", "finished", (KNOWN,))
    reasons = {reason: ("unknown", "n", (reason,)) for reason in REASONS}
    yield from same(_of("finished"), *(("unknown", "finished", (reason,)) for reason in REASONS))
    yield finished, tuple(reasons.values()), True
    yield from same(finished, *(_rate("denominator", m) for m in _OF_ALL))
    yield from same(finished, _rate("denominator", "at caseness", STAND_IN))
    yield from same(_kept(tables, 4), _rate("numerator", "paired"))
    yield _rate("numerator", "paired"), (reasons[KNOWN],), False
    cases, judged = (_rate(end, "at caseness") for end in ("numerator", "denominator"))
    recovery = _rate("denominator", "recovery")
    yield finished, (judged, reasons[UNSOURCED]), True
    yield reasons[KNOWN], tuple(_rate("numerator", m) for m in _CHANGES), True
    yield judged, (reasons[KNOWN],), False
    yield judged, (_left(5, NOT_CASES), recovery), True
    yield recovery, (cases, reasons[NO_FIRST]), True
    for measure in ("at caseness", "recovery", "reliable recovery", *_CHANGES):
        for end in ("numerator", "denominator"):
            yield _rate(end, measure, STAND_IN), (_rate(end, measure),), False


def _judged() -> Iterable[Related]:
    """Outcomes within outcomes, by either rule."""
    for rule in (OFFICIAL, STAND_IN):
        cases, judged = (_rate(end, "at caseness", rule) for end in ("numerator", "denominator"))
        yield from same(judged, *(_rate("denominator", m, rule) for m in _CHANGES))
        recovery, reliable = (
            {end: _rate(end, m, rule) for end in ("numerator", "denominator")}
            for m in ("recovery", "reliable recovery")
        )
        yield from same(recovery["denominator"], reliable["denominator"])
        yield judged, (recovery["denominator"],), False
        yield recovery["denominator"], (cases,), False
        yield cases, (recovery["numerator"],), False
        yield recovery["numerator"], (reliable["numerator"],), False
        yield _rate("numerator", "reliable improvement", rule), (reliable["numerator"],), False


def _left(step: int, what: str) -> At:
    return "flow", "n", (step, LEFT, what)


def _together(tables: Mapping[str, Table]) -> Iterable[Related]:
    """What is asked together is missing together."""
    age, first, *others = ((score,) for score in SCORES.values())
    for group in GROUPS:
        found = ("baseline", group, first)
        yield from same(found, *(("baseline", group, other) for other in others))
    without = "missing_variables", "without", ("referrals", "age at referral")
    yield _of("referred"), (("baseline", "referred", age), without), True
    rows = (
        tables["missing_variables"]
        .frame.filter(about="appointments attended")
        .select("about", "variable")
        .rows()
    )
    yield from same(*(("missing_variables", "n", row) for row in rows))
    if "missing_forms" not in tables:
        return
    forms = tables["missing_forms"].frame.select("form", "visit").rows()
    for form, visit in forms:
        for column in ("n", "without"):
            one = "missing_forms", column, (forms[0][0], visit)
            yield from same(one, ("missing_forms", column, (form, visit)))
    for visit in sorted({visit for _, visit in forms})[1:]:
        later, before = (("missing_forms", "n", (forms[0][0], v)) for v in (visit, visit - 1))
        yield before, (later,), False
    yield from same(_kept(tables, 1), ("missing_forms", "n", forms[0]))
    without = "missing_forms", "without", forms[0]
    yield _kept(tables, 1), (("baseline", "referred", first), without), True


def _waits() -> Iterable[Related]:
    names = [band_name(*band) for band in BANDS]
    for wait in WAITS.values():
        parts = tuple(("waits", "n", (wait, name)) for name in names)
        yield _of("finished"), parts, True
        yield from same(_of("finished"), *(("waits", "finished", at) for *_, at in parts))
    first, second = ([("waits", "n", (wait, name)) for name in names] for wait in WAITS.values())
    yield _rate("numerator", "wait <= 6 weeks"), tuple(first[:2]), True
    yield _rate("numerator", "wait <= 18 weeks"), tuple(first[:5]), True
    yield _rate("numerator", "second wait > 90 days"), tuple(second[4:]), True


def _missing(tables: Mapping[str, Table]) -> Iterable[Related]:
    """Of whom something is missing, and whose level of Table 1 says so."""
    about = {
        "patients": (_kept(tables, 0), "referred"),
        "referrals": (_kept(tables, 0), "referred"),
        "referrals seen": (_kept(tables, 1), "referred"),
        "finished courses": (_kept(tables, 3), "finished"),
    }
    for row in tables["missing_variables"].frame.select("about", "variable").iter_rows():
        if row[0] in about:
            everybody, group = about[row[0]]
            yield from same(everybody, ("missing_variables", "n", row))
            if row[1] in TABLE_ONE:
                without = "missing_variables", "without", row
                yield from same(_of(group, *TABLE_ONE[row[1]]), without)
    yield from _compared(tables)


def _compared(tables: Mapping[str, Table]) -> Iterable[Related]:
    """Who is compared at known levels, of the group that is smaller."""
    if "differences" not in tables:
        return
    levels = tables["characteristics"].frame.select("characteristic", "level").rows()
    for (name,) in tables["differences"].frame.select("characteristic").iter_rows():
        n = "differences", "n", (name,)
        known = [row for row in levels if row[0] == name and row[1] != NOT_RECORDED]
        for group in list(GROUPS)[1:]:
            if known:
                yield n, tuple(_of(group, *row) for row in known), True
            else:
                yield from same(("baseline", group, (name,)), n)


def _scores() -> Iterable[Related]:
    """Recovery by what is done about missing last scores."""

    def at(column: str, method: str) -> At:
        return "sensitivity", column, (method,)

    complete, carried, worst, best = (
        methods.COMPLETE, methods.CARRIED, methods.WORST, methods.BEST
    )  # fmt: skip
    without = at("without", complete)
    others = (carried, methods.IMPUTED, methods.IMPUTED_WORSE, worst, best)
    yield from same(without, *(at("without", m) for m in others))
    yield from same(at("n", carried), *(at("n", m) for m in others[1:]))
    yield at("n", carried), (at("n", complete), without), True
    yield from same(at("numerator", complete), at("numerator", worst))
    yield at("numerator", best), (at("numerator", worst), without), True
    yield at("numerator", best), (at("numerator", carried),), False
    yield at("numerator", carried), (at("numerator", worst),), False
    yield from same(_rate("numerator", "recovery"), at("numerator", carried))


def _signals() -> Iterable[Related]:
    """Answers about self-harm at first and at last, and who got worse."""

    def at(column: str, signal: str) -> At:
        return "safety", column, (signal,)

    yield at("n", LAST), (at("n", NEW), at("n", GONE)), True
    yield from same(at("n", LAST), at("n", HIGHER))
    yield at("n", FIRST), (at("n", LAST),), False
    yield at("numerator", FIRST), (at("n", GONE),), False
    yield at("numerator", LAST), (at("numerator", NEW),), False
    yield at("numerator", HIGHER), (at("numerator", NEW),), False
    for end, column in (("numerator", "numerator"), ("denominator", "n")):
        yield from same(_rate(end, "reliable deterioration"), at(column, WORSE))
