"""Suppress what small groups of people stand behind, and round counts.

Rules: counts below a threshold are suppressed, parts that leave a remainder below it, and rates
with fewer people than that in or out of the numerator; other statistics go with the number of
people behind them; suppressed parts of a known whole take neighbours with them, and over all the
tables of a population whatever else it needs (`iesoresearch.disclosure.suppression`); remaining
counts are rounded, rates and columns that are derived are computed from the released counts
(`iesoresearch.disclosure.recounted`), other values are given to one digit more than is shown.
Statistics have rules of their own (`iesoresearch.disclosure.rules`). Not protected is the number of
*all* people of a run: its information criteria tell it. Threshold and rounding follow common
practice of secure data environments (Griffiths et al. 2019, Handbook on Statistical Disclosure
Control for Outputs, doi:10.6084/m9.figshare.9958520).
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import polars as pl

from iesoresearch.disclosure import linking, recounted, rules
from iesoresearch.disclosure.policy import Policy
from iesoresearch.disclosure.suppression import Pattern, complete
from iesoresearch.errors import DisclosureError
from iesoresearch.results import RELEASED, STATUS, Number, Result, Table, Value

PROTECTS = "suppressed (protects another cell)"
UNSAID = "suppressed (small numbers here or nearby)"

#: Of the guarded columns of a table, which cells are marked.
Marks = dict[str, pl.Series]


def release(result: Result, policy: Policy) -> Result:
    """What may be seen of `result`: the same shape, suppressed cells null, a status column.

    Open data pass unchanged; synthetic data are treated as patients'. Releasing twice changes
    nothing.

    Raises
    ------
    DisclosureError
        Fewer people than may be shown stand behind the whole result: then neither its sentences
        nor the outcomes of its checks may be seen.
    """
    if "disclosure" in result.provenance:
        return result
    _refuse_few(result, policy)
    tables = _release_tables(result.tables, policy)
    return replace(
        result,
        tables=tables,
        numbers={name: _release_number(n, tables, policy) for name, n in result.numbers.items()},
        provenance=result.provenance | {"disclosure": policy.applied},
    )


def _refuse_few(result: Result, policy: Policy) -> None:
    guarded = [x for x in result.numbers.values() if x.sensitivity != "open" and x.n is not None]
    if guarded and max(x.n for x in guarded) < policy.min_count:
        raise DisclosureError(
            f"Fewer than {policy.min_count} people stand behind this result, so nothing of it can "
            "be shown. Bring more data."
        )


def _release_number(number: Number, tables: dict[str, Table], policy: Policy) -> Number:
    if number.derive is not None:
        return number.derive(tables)
    if number.sensitivity == "open":
        return number
    count = number.kind == "count"
    behind = number.value if count else number.n
    if behind is not None and (policy.is_small(behind) if count else behind < policy.min_count):
        return replace(number, value=None, n=None, status=small_status(policy))
    inside = recounted.people_in(number)
    if inside is not None and (policy.is_small(inside) or policy.is_small(number.n - inside)):
        return replace(number, value=None, n=None, status=small_status(policy))
    if reason := rules.of_number(number, policy):
        return replace(number, value=None, n=None, status=reason)
    n = None if number.n is None else policy.rounded(number.n)
    value = number.value
    if count:
        value = policy.rounded(value)
    elif (given := recounted.number(number, policy)) is not None:
        value = given
    elif isinstance(value, float):
        digits = number.digits + 1
        if number.kind == "mean" and number.n:
            digits = min(digits, recounted.safe_decimals(number.n, policy))
        value = round(value, digits)
    return replace(number, value=value, n=n)


def _release_tables(tables: Mapping[str, Table], policy: Policy) -> dict[str, Table]:
    # tables that are linked to nothing keep to the rules within each column and row
    linked = linking.linked(tables)
    system = linking.build(linked)
    x = system.values(linked)
    small = {name: _small(table, policy) for name, table in tables.items()}
    few = system.small(x, policy)
    for at, rest in enumerate(system.rests, system.n_rests_from):
        if few[at]:
            for name, row in system.places[rest.part]:
                small[name][system.cells[rest.part].column][row] = True
    broken = {name: rules.broken(table, policy) for name, table in tables.items()}
    hidden = {n: _hidden(table, small[n], broken[n], policy) for n, table in tables.items()}
    pattern = _completed(system, x, small, hidden, policy)
    for name, table in linked.items():  # more may be hidden by now
        hidden[name] = _followed(table, hidden[name])
    return {
        name: _released(
            table, hidden[name], _reasons(name, table, small, pattern), broken[name], policy
        )
        for name, table in tables.items()
    }


def _guarded(table: Table) -> dict[str, Value]:
    return {name: v for name, v in table.values.items() if v.sensitivity != "open"}


def _small(table: Table, policy: Policy) -> Marks:
    guarded = _guarded(table)
    return {name: _small_cells(table.frame, name, v, policy) for name, v in guarded.items()}


def _hidden(table: Table, small: Marks, broken: dict[str, Marks], policy: Policy) -> Marks:
    """Cells that are small or break a rule, and what has to go with them."""
    # not the marks of small cells themselves: what is hidden later is not small
    alone = {name: mark.clone() for name, mark in small.items()}
    for marks in broken.values():
        for name, mark in marks.items():
            alone[name] = alone[name] | mark
    guarded = _guarded(table)
    return _followed(
        table,
        {n: _with_complement(table, n, v, alone[n], policy).clone() for n, v in guarded.items()},
    )


def _followed(table: Table, hidden: Marks) -> Marks:
    """The cells that share the suppression of another column as well, over however many steps."""
    guarded, found = _guarded(table), {}
    for name in hidden:
        chain = [name]
        while (ahead := guarded[chain[-1]].follows) is not None and ahead not in chain:
            chain.append(ahead)
        found[name] = pl.select(pl.any_horizontal(hidden[of] for of in chain)).to_series()
    return found


def _completed(system, x, small: dict[str, Marks], hidden: dict[str, Marks], policy) -> Pattern:
    """Hides more, in place, until no small count can be worked out from all tables together."""
    rows = {
        (name, row)
        for name, marks in small.items()
        for mark in marks.values()
        for row in mark.arg_true()
    }
    cells = np.array(
        [
            any(
                hidden[name][cell.column][row]
                for name, row in places
                if cell.column in hidden[name]  # open counts are known and never hidden
            )
            for cell, places in zip(system.cells, system.places, strict=True)
        ],
        dtype=bool,
    )
    pattern = Pattern(system, x, policy, cells, rows)
    complete(pattern)
    for at in np.flatnonzero(pattern.hidden):
        for name, row in system.places[at]:
            hidden[name][system.cells[at].column][row] = True
    return pattern


def _reasons(name: str, table: Table, small: dict[str, Marks], pattern: Pattern) -> pl.Series:
    """Of every row with something suppressed, why; but for what protects another cell."""
    few = small_status(pattern.policy)
    rows = {row: few for mark in small[name].values() for row in mark.arg_true()}
    rows |= {row: UNSAID for place, row in pattern.unsaid if place == name}
    return pl.Series([rows.get(i) for i in range(table.frame.height)], dtype=pl.String)


def _released(
    table: Table, hidden: Marks, reasons: pl.Series, broken: dict[str, Marks], policy: Policy
) -> Table:
    guarded = _guarded(table)
    given = recounted.columns(table.frame, guarded, policy)
    frame = table.frame.with_columns(
        given.get(name, _blurred(table, name, hidden[name], policy))
        .set(hidden[name], None)
        .alias(name)
        for name in guarded
    )
    derived = {name: v.derive(frame) for name, v in guarded.items() if v.derive is not None}
    for marks in broken.values():
        derived |= {n: derived[n].set(mark, None) for n, mark in marks.items() if n in derived}
    frame = frame.with_columns(column.alias(name) for name, column in derived.items())
    frame = frame.drop(name for v in table.values.values() for name in v.contributions or ())
    status = _statuses(table, frame, broken)
    values = {name: replace(v, derive=None, contributions=None) for name, v in table.values.items()}
    status = pl.select(pl.coalesce(reasons, status)).to_series().alias(STATUS)
    return replace(table, frame=frame.with_columns(status), values=values)


def _statuses(table: Table, frame: pl.DataFrame, broken: dict[str, Marks]) -> pl.Series:
    """Of every row without a small count, whether something of it is suppressed, and why.

    Of a row with a suppressed count a rule says nothing: the count protects another.
    """
    guarded = _guarded(table)
    absent = {n: frame[n].is_null() & table.frame[n].is_not_null() for n in guarded}
    status = pl.Series([RELEASED] * frame.height, dtype=pl.String)
    for mark in absent.values():
        status = status.set(mark, PROTECTS)
    by_rule = pl.Series([None] * frame.height, dtype=pl.String)
    for reason in reversed(rules.REASONS):
        for mark in broken.get(reason, {}).values():
            by_rule = by_rule.set(mark, reason)
    for name, value in guarded.items():
        if value.kind == "count":
            by_rule = by_rule.set(absent[name], None)
    by_rule = by_rule.set(status == RELEASED, None)  # it hides what is not there
    return pl.select(pl.coalesce(by_rule, status)).to_series()


def _small_cells(frame: pl.DataFrame, name: str, value: Value, policy: Policy) -> pl.Series:
    """Which cells of a column have too few people behind them."""
    column = frame[name]
    if value.kind == "count":
        small = policy.is_small(column)
    elif value.denominator is None:
        small = pl.Series([False] * len(frame), dtype=pl.Boolean)
    else:
        people = frame[value.denominator]
        small = people < policy.min_count
        if value.kind == "rate":
            if value.derive is None and column.max() is not None and column.max() > 1:
                raise ValueError(
                    f"Column {name!r} is a rate of {value.denominator!r} above 1, so who is inside "
                    "cannot be told: give it as a share, or derive it (disclosure.derived)."
                )
            inside = column * people
            small = small | policy.is_small(inside) | policy.is_small(people - inside)
    return small.fill_null(False)


def _with_complement(
    table: Table, name: str, value: Value, small: pl.Series, policy: Policy
) -> pl.Series:
    """Small cells, and of every whole as many more as keep them from being worked out.

    The hidden parts of a whole are known together, as the rest. So there must be at least two of
    them, with at least the smallest number of people that may be shown among them; the smallest
    other parts are hidden until that is so.
    """
    if value.parts_of is None:
        return small
    people = table.frame[name]
    if value.kind == "rate":
        people = people * table.frame[value.denominator]
    keys = list(value.parts_of)
    # ties by the keys: what is hidden must not depend on the order of the rows
    ties = [pl.col(key).cast(pl.String) for key in table.keys]
    marked = table.frame.select(dict.fromkeys([*table.keys, *keys]).keys()).with_columns(
        _people=people, _small=small
    )
    marked = marked.with_row_index("_row")
    hidden = small.to_list()
    if not policy.zeros_disclosive:  # a zero that may be shown hides nothing
        marked = marked.filter(pl.col("_small") | (pl.col("_people") >= 0.5))
    wholes = marked.partition_by(keys, maintain_order=True) if keys else [marked]
    for whole in wholes:
        parts = whole.sort(
            "_small", "_people", *ties, descending=[True, False, *[False] * len(ties)]
        )
        n_small = int(parts["_small"].sum())
        if n_small == 0:
            continue
        sums = parts["_people"].cum_sum().to_list()
        n_hidden = max(n_small, 2)
        while n_hidden < len(sums) and sums[n_hidden - 1] < policy.min_count:
            n_hidden += 1
        for row in parts["_row"][:n_hidden]:
            hidden[row] = True
    return pl.Series(hidden, dtype=pl.Boolean)


def _blurred(table: Table, name: str, hidden: pl.Series, policy: Policy) -> pl.Series:
    """Counts to the base of the policy; all else to one digit more than is shown.

    A mean or rate in full would give away the number of people it was computed from, and a mean of
    few people with that digit too.
    """
    column, value = table.frame[name], table.values[name]
    if value.kind == "count":
        return policy.rounded(column)
    digits = value.digits + 1
    people = _guarded(table).get(value.denominator)
    if value.kind == "mean" and people is not None and people.kind == "count":
        least = table.frame[value.denominator].filter(~hidden & column.is_not_null()).min()
        digits = min(digits, recounted.safe_decimals(least or 0, policy))
    return column.round(digits) if column.dtype.is_float() else column


def small_status(policy: Policy) -> str:
    """Status of a row with a count that is too small."""
    return f"suppressed (fewer than {policy.min_count} people)"
