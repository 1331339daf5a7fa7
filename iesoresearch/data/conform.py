"""Bring a table into the columns and types of its schema, and say what is wrong with it.

What is wrong is counted, never quoted: neither a cell nor an unknown column name is repeated,
because in a file without a header row the names are somebody's record.

Everything is an expression over a lazy table, so that a file larger than the memory can be
checked as it streams by.
"""

import difflib
from dataclasses import dataclass

import dataframely as dy
import polars as pl

from iesoresearch.measures import INSTRUMENTS


@dataclass(frozen=True)
class Finding:
    """Something wrong with a table: a sentence, and how many values or rows it is about."""

    text: str
    n: int = 1


def conform(frame: pl.DataFrame, schema: type[dy.Schema]) -> tuple[pl.DataFrame, list[str]]:
    """`frame` with exactly the columns of `schema`, and a sentence for every problem."""
    table, findings = conformed(frame.lazy(), schema)
    if findings:
        return frame, [finding.text for finding in findings]
    return table.collect(), []


def conformed(table: pl.LazyFrame, schema: type[dy.Schema]) -> tuple[pl.LazyFrame, list[Finding]]:
    """The same for a lazy table, read once or twice but never held whole.

    Where something is wrong, the table returned has the columns that could be converted; what
    could not is null in it.
    """
    types = dict(table.collect_schema())
    columns = schema.columns()
    findings = _unknown(list(types), columns) + _absent(types, columns)
    known = [_Conversion(name, columns[name], types[name]) for name in columns if name in types]
    typed = table.select(
        *(c.values.alias(c.name) for c in known),
        *(pl.lit(None, columns[name].dtype).alias(name) for name in columns if name not in types),
    ).select(list(columns))
    if not known:
        return typed, findings
    # converted once, counted afterwards: the same expression within several would run each time
    once = table.select(e.alias(name) for c in known for name, e in c.cells().items())
    counts = once.select(
        pl.len().alias("rows"), *(e.alias(name) for c in known for name, e in c.counts().items())
    )
    counted = counts.collect(engine="streaming").row(0, named=True)
    if not counted["rows"]:
        return typed, [*findings, Finding("there is no row")]
    for conversion in known:
        findings += conversion.findings(counted)
    return typed, findings + _shared_keys(table, typed, schema)


def _unknown(names: list[str], columns) -> list[Finding]:
    unknown = [c for c in names if c not in columns]
    if not unknown:
        return []
    if not set(names) & set(columns):
        return [
            Finding(
                "no column has a name of the schema; the file may have no header row, another "
                "separator than a comma, or another encoding than UTF-8"
            )
        ]
    findings = [Finding(f"{len(unknown)} column(s) are not part of the schema", len(unknown))]
    for name in unknown:
        close = difflib.get_close_matches(name.strip().lower(), list(columns), n=1, cutoff=0.8)
        if close:
            findings.append(Finding(f"one of them looks like {close[0]}"))
    return findings


def _absent(names, columns) -> list[Finding]:
    """Required columns, and items of a questionnaire that is only partly there."""
    if not set(names) & set(columns):
        return []
    absent = [c for c, column in columns.items() if not column.nullable and c not in names]
    for instrument in INSTRUMENTS.values():
        missing = [c for c in instrument.columns if c in columns and c not in names]
        if len(missing) < len(instrument.columns):
            absent += missing
    return [Finding(f"the column {c} is absent") for c in absent]


class _Conversion:
    """One column on its way into the type of the schema."""

    def __init__(self, name: str, column: dy.Column, found: pl.DataType):
        self.name, self.column, self.found = name, column, found
        raw = pl.col(name)
        converted = _cast(raw, found, column.dtype)
        self.possible = converted is not None
        self.values = pl.lit(None, column.dtype) if converted is None else converted
        self._present = raw.is_not_null()
        if found.is_float():
            self._present &= raw.is_not_nan()
        if found == pl.String:
            self._present &= raw.str.strip_chars() != ""

    def cells(self) -> dict[str, pl.Expr]:
        """The converted column, and whether there was anything to convert."""
        return {self.name: self.values, f"{self.name}|there": self._present}

    def counts(self) -> dict[str, pl.Expr]:
        """What is counted of these."""
        value, there = pl.col(self.name), pl.col(f"{self.name}|there").fill_null(False)
        counts = {"lost": (there & value.is_null()).sum()}
        if self.possible:
            for bound, beyond in [("min", pl.Expr.lt), ("max", pl.Expr.gt)]:
                limit = getattr(self.column, bound, None)
                if limit is not None:
                    counts[bound] = beyond(value, limit).sum()
        if not self.column.nullable:
            counts["missing"] = (~there).sum()
        return {f"{self.name}|{what}": e for what, e in counts.items()}

    def findings(self, counted: dict[str, int]) -> list[Finding]:
        """Sentences about what was counted."""
        words, column = _in_words(self.column), self.column
        sentences = {
            "lost": f"value(s) are not {words}",
            "min": f"value(s) beyond the minimum of {getattr(column, 'min', None)}",
            "max": f"value(s) beyond the maximum of {getattr(column, 'max', None)}",
            "missing": "value(s) are missing",
        }
        found = []
        for what, sentence in sentences.items():
            n = counted.get(f"{self.name}|{what}", 0)
            if n and what == "lost" and not self.possible:
                kind = "Struct" if "Struct" in str(self.found) else self.found  # it names fields
                found.append(Finding(f"{self.name}: holds {kind} where {words} is wanted", n))
            elif n:
                found.append(Finding(f"{self.name}: {n} {sentence}", n))
        return found


def _cast(values: pl.Expr, found: pl.DataType, wanted) -> pl.Expr | None:
    """Cast; null where a value does not fit, None where the types have nothing in common."""
    if found == wanted and found != pl.String:
        return values.fill_nan(None) if found.is_float() else values
    if isinstance(found, pl.Categorical | pl.Enum):
        values, found = values.cast(pl.String), pl.String()
    if found == pl.Null:
        return values.cast(wanted)
    text = found == pl.String
    if text:
        values = values.str.strip_chars()
    if wanted == pl.Date:
        if text:
            return values.str.to_date("%Y-%m-%d", strict=False)
        return values.cast(pl.Date) if found in (pl.Date, pl.Datetime) else None
    if wanted.is_numeric():
        return _number(values, wanted) if text or found.is_numeric() else None
    if not (text or found.is_integer()):
        return None
    values = values.cast(pl.String)
    return pl.when(values != "").then(values).cast(wanted, strict=False)


def _number(values: pl.Expr, wanted) -> pl.Expr:
    numbers = values.cast(pl.Float64, strict=False).fill_nan(None)
    if not wanted.is_integer():
        return numbers.cast(wanted)
    # pandas writes whole numbers as 1.0 once a value is missing; 1.5 is no answer
    whole = pl.when(numbers == numbers.round()).then(numbers)
    # far too large is for the rule about the maximum to say
    return whole.clip(upper_bound=wanted.max()).cast(wanted, strict=False)


def _in_words(column: dy.Column) -> str:
    if column.dtype == pl.Enum:
        return f"one of {', '.join(column.dtype.categories)}"
    if column.dtype == pl.Date:
        return "a date like 2024-01-31"
    if column.dtype == pl.String:
        return "text"
    if column.dtype.is_unsigned_integer():
        return "a whole number of 0 or more"
    return "a whole number" if column.dtype.is_integer() else "a number"


def _shared_keys(table: pl.LazyFrame, typed: pl.LazyFrame, schema) -> list[Finding]:
    keys = schema.primary_key()
    if not keys or not set(keys) <= set(table.collect_schema()):
        return []
    n = shared(typed, keys)
    return [Finding(f"{n} rows share their {' and '.join(keys)}", n)] if n else []


def shared(table: pl.LazyFrame, keys: list[str]) -> int:
    """Rows whose keys are all there and occur more than once.

    A hash of the keys stands for them, so that memory grows with 16 bytes per row at most.
    """
    whole = pl.all_horizontal(pl.col(k).is_not_null() for k in keys)
    groups = table.filter(whole).select(pl.struct(keys).hash().alias("key")).group_by("key").len()
    repeated = groups.filter(pl.col("len") > 1).select(pl.col("len").sum())
    return repeated.collect(engine="streaming").item()
