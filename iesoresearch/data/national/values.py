"""Turn text into dates, numbers and words of our own, and count what could not be turned."""

from datetime import date

import polars as pl

from iesoresearch.data.codes import normalised
from iesoresearch.data.national.report import Ledger

#: An id that a spreadsheet has turned into a number, such as 1.23E+15: its digits are lost.
MANGLED = r"^\d(?:\.\d+)?E\+\d+$|^\d\.\d+e\+?\d+$"

#: Where in a cell the day is, and how it is written. Day before month, as in Britain.
_OTHER_DATES = {
    r"^(\d{1,2}/\d{1,2}/\d{4})": "%d/%m/%Y",
    r"^(\d{1,2}-\d{1,2}-\d{4})": "%d-%m-%Y",
    r"^(\d{1,2}[- ][A-Za-z]{3}[- ]\d{4})": "%d-%b-%Y",
    r"^(\d{8})$": "%Y%m%d",
}


def dates(
    frame: pl.DataFrame, table: str, columns: list[str], ledger: Ledger, horizon: date
) -> pl.DataFrame:
    """`columns` as dates, a time of day cut off; unreadable ones and those after `horizon` null."""
    for name in columns:
        text = pl.col(name)
        iso = text.str.extract(r"^(\d{4}-\d{1,2}-\d{1,2})").str.to_date("%Y-%m-%d", strict=False)
        others = [
            text.str.extract(pattern).str.replace_all(" ", "-").str.to_date(form, strict=False)
            for pattern, form in _OTHER_DATES.items()
        ]
        read = frame.select(
            given=text,
            iso=iso,
            day=pl.coalesce(iso, *others),
            late=pl.coalesce(iso, *others) > horizon,
        )
        day, late = read["day"], read["late"].fill_null(False)
        otherwise = int((read["iso"].is_null() & day.is_not_null()).sum())
        lost = int((read["given"].is_not_null() & day.is_null()).sum())
        ledger.note(
            table,
            otherwise,
            f"date(s) of {name} are not written like 2024-01-31; "
            "read with the day before the month",
        )
        ledger.note(table, lost, f"value(s) of {name} are no date; taken as missing")
        ledger.note(
            table, int(late.sum()), f"date(s) of {name} lie in the future; taken as missing"
        )
        frame = frame.with_columns(day.set(late, None).alias(name))
    return frame


def numbers(
    frame: pl.DataFrame, table: str, columns: list[str], ledger: Ledger, low: float, high: float
) -> pl.DataFrame:
    """`columns` as whole numbers from `low` to `high`, anything else null."""
    for name in columns:
        number = frame[name].cast(pl.Float64, strict=False)
        good = (number.is_between(low, high) & (number == number.round())).fill_null(False)
        lost = int((frame[name].is_not_null() & ~good).sum())
        ledger.note(
            table,
            lost,
            f"value(s) of {name} are no whole number from {low} to {high}; taken as missing",
        )
        frame = frame.with_columns(number.set(~good, None).cast(pl.Int64).alias(name))
    return frame


def words(
    frame: pl.DataFrame,
    table: str,
    column: str,
    ledger: Ledger,
    mapping: dict[str, str],
    width: int = 1,
    unknown: str | None = None,
    empty: str | None = None,
) -> pl.DataFrame:
    """`column` in our words; a code that is not in the list becomes `unknown` and is counted."""
    code = normalised(pl.col(column), width)
    read = frame.select(
        strange=code.is_not_null() & ~code.is_in(list(mapping)),
        word=pl.when(code.is_null())
        .then(pl.lit(empty, pl.String))
        .otherwise(code.replace_strict(mapping, default=unknown, return_dtype=pl.String)),
    )
    taken = f'taken as "{unknown}"' if unknown else "taken as missing"
    ledger.note(
        table, int(read["strange"].sum()), f"code(s) of {column} are not in the list; {taken}"
    )
    return frame.with_columns(read["word"].alias(column))


def true(column: str) -> pl.Expr:
    """Whether a flag is set; null counts as not set."""
    return normalised(pl.col(column)).is_in(["TRUE", "1", "Y", "YES"]).fill_null(False)


def validated_ethnicity(code: pl.Expr) -> pl.Expr:
    """The national rule: empty or '0' is '-1', '9' and '99' are '99', an unknown code is '-3'."""
    text = normalised(code)
    known = ["-1", "-3", *"ABCDEFGHJKLMNPRSZ"]
    return (
        pl.when(text.is_null() | text.is_in(["", "0"]))
        .then(pl.lit("-1"))
        .when(text.is_in(["9", "99"]))
        .then(pl.lit("99"))
        .when(text.is_in(known))
        .then(text)
        .otherwise(pl.lit("-3"))
    )


def deprivation(column: str) -> pl.Expr:
    """Decile as text, 1 = most deprived, also where it was labelled as in the annual report.

    The report counts from "01 Least deprived"; the field of the data set counts from the most.
    """
    text = pl.col(column)
    reversed_ = text.str.contains(r"(?i)^0?1\D.*least|^10\D.*most").any()
    number = text.str.extract(r"^(\d{1,2})\b").cast(pl.Int64, strict=False)
    other_way = pl.when(number.is_between(1, 10)).then(11 - number)
    labelled = text.str.contains(r"^\d{1,2}\D")
    decile = (
        pl.when(reversed_)
        .then(other_way.cast(pl.String))
        .when(labelled & text.str.contains(r"(?i)deprived"))
        .then(number.cast(pl.String))
        .otherwise(text)
    )
    return decile.alias(column)
