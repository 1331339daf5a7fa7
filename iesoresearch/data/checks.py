"""Everything that is wrong with a site's tables, at once, with counts and without a value.

An error is what keeps the tables from being loaded; a warning is what they are loaded with. All
questions are asked of lazy tables, so a file larger than the memory streams by; what has to be
held are keys, as hashes.
"""

import datetime

import polars as pl

from iesoresearch.data.conform import conformed
from iesoresearch.data.findings import Missing, Problem, Report, told
from iesoresearch.data.questions import QUESTIONS, Question, Tables
from iesoresearch.data.schema import OPTIONAL, TABLES


def check(
    name: str,
    tables: Tables,
    already: tuple[Problem, ...] = (),
    today: datetime.date | None = None,
) -> Report:
    """Check canonical tables, or what a mapping made of a partner's files.

    Parameters
    ----------
    name
        What the data are.
    tables
        Lazy, with canonical names of columns; of any type that can be converted.
    already
        What was found while the files were read.
    today
        Dates after it lie in the future.
    """
    problems, typed, rows, missing = list(already), {}, {}, []
    for table, schema in TABLES.items():
        if table not in tables:
            if table not in OPTIONAL and not any(p.severity == "error" for p in already):
                problems.append(Problem("error", table, "the table is absent"))
            continue
        typed[table], findings = conformed(tables[table], schema)
        problems += [Problem("error", table, f.text, f.n) for f in findings]
        given = [c for c in schema.column_names() if c in tables[table].collect_schema()]
        rows[table], empty = _missing(tables[table], table, given)
        missing += empty
    problems += _all_missing(missing)
    today = today or datetime.date.today()
    for ask in QUESTIONS:  # all at once would hold the keys of every question
        problems += answers(list(ask(typed, today)))
    order = {"error": 0, "warning": 1}
    return Report(
        name, tuple(sorted(problems, key=lambda p: order[p.severity])), rows, tuple(missing)
    )


def answers(questions: list[Question]) -> list[Problem]:
    """Answer questions together; those with a count above zero are problems."""
    counted = pl.collect_all([q.counts for q in questions], engine="streaming")
    return [
        problem
        for question, counts in zip(questions, counted, strict=True)
        for problem in told(question.severity, question.table, counts.row(0, named=True))
    ]


def _missing(table: pl.LazyFrame, name: str, columns: list[str]) -> tuple[int, list[Missing]]:
    types = table.collect_schema()
    empty = {
        c: (pl.col(c).str.strip_chars().fill_null("") == "")
        if types[c] == pl.String
        else pl.col(c).is_null()
        for c in columns
    }
    counted = table.select(pl.len().alias("|rows"), *(e.sum().alias(c) for c, e in empty.items()))
    values = counted.collect(engine="streaming").row(0, named=True)
    n = values.pop("|rows")
    return n, [Missing(name, c, empty, n) for c, empty in values.items()]


def _all_missing(missing: list[Missing]) -> list[Problem]:
    empty: dict[str, list[str]] = {}
    for m in missing:
        if m.n == m.rows > 0:
            empty.setdefault(m.table, []).append(m.column)
    text = "{n} column(s) are there, but empty in every row: {names}"
    return [
        Problem("warning", table, text.format(n=len(c), names=", ".join(c)), len(c))
        for table, c in empty.items()
    ]
