"""What an analysis hands over: tables, numbers, checks and text, each with what it is made of.

What can be seen knows no patient: a `Result` holds aggregates, says for each how many people stand
behind it, and `iesoresearch.disclosure.release` decides on that what may be seen. Rows are in
`private` only, which nothing shows.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

import polars as pl

Kind = Literal["count", "rate", "mean", "quantile", "model"]
Sensitivity = Literal["open", "synthetic", "patient"]
#: A row by its keys, in the order of the table's.
Row = tuple[Any, ...]
#: A count of a table: its name in the result, column and row.
At = tuple[str, str, Row]
#: A count, others that are parts of it, and whether these add up to it.
Related = tuple[At, tuple[At, ...], bool]
Status = Literal["passed", "failed", "not applicable", "inconclusive"]

RELEASED = "released"
SUPPRESSED = "–"  # how a suppressed cell is shown
TO = "\u00a0to\u00a0"  # between the ends of an interval, never broken over two lines
STATUS = "status"  # column that disclosure control adds to every table
SIMULATED = "SIMULATED: shows that the method works, says nothing about patients"

#: Parts of the text of a result, with their headings: in the notebook and on the page of a run.
TEXT = {"plain": "In plain words", "reading": "How to read it", "limits": "What it cannot say"}
#: Further parts of the text of a prediction model: on its model card.
CARD = {
    "intended_use": "What it is for",
    "not_for": "What it is not for",
    "users": "Who may use it",
    "data": "Data",
    "predictors": "What it looks at, and what it does not",
    "outcome": "What it predicts",
    "methods": "How it was made and questioned",
    "fairness": "Groups of patients",
    "inputs": "When it refuses to predict",
    "modifiable": "What can be changed and what cannot",
    "next_steps": "What has to come before anybody uses it",
}


#: Checklists that `Result.evidence` can answer.
Checklist = Literal["tripod", "cheers"]


@dataclass(frozen=True)
class Tolerance:
    """How far a number may move before `verify` calls it different, and why."""

    absolute: float
    reason: str

    @classmethod
    def of_display(cls, digits: int) -> Tolerance:
        """Half a unit of the last digit shown."""
        return cls(0.5 * 10.0**-digits, f"display rounding to {digits} decimals")


@dataclass(frozen=True)
class Value:
    """A value column of a table.

    Attributes
    ----------
    kind
        What sort of number it is.
    label
        Column heading, with the unit.
    digits
        Decimals shown, and the tolerance of `verify`.
    denominator
        Column with the number of people behind each value.
    parts_of
        Key columns within which the values add up to a known whole, so that a single suppressed
        value could be worked out from the others.
    follows
        Column whose suppression this one shares: the interval of a suppressed rate tells the rate.
    sensitivity
        The strictest unless said otherwise.
    within
        Of a count: the count column, or columns, of which it is a part, as "recovered" of
        "finished". Nobody may work out a remainder either, if it is small. A part of a part is one
        of the whole; the whole may stand in another table of the population.
    apart_from
        Of a count: the column that counts nobody of the same people within the same whole, as
        "worse" beside "better". What both leave is protected as well.
    derive
        Gives the column anew from the *released* frame (rounded, suppressed cells null), so that
        it tells nothing that the counts do not. Dropped at release.
    contributions
        Of a mean of amounts (days, sessions, costs; none below zero): the columns of the frame with
        the largest sums of one contributor, the largest first, as
        `iesoresearch.disclosure.amounts` gives them; null where the row is of no amount. Dropped at
        release, columns and all.
    parameters
        Of an estimate of a model: how many numbers were estimated from the people of the
        `denominator`, or the column that says so. What is left of those people are the degrees of
        freedom.
    level
        Of a quantile: the share of people below it; of a limit of it by order statistics also the
        binomial probability that the limit stands at: ``(0.9, 0.025)``.
    at_risk
        Of a count: these are the people at risk, so what has it as `denominator` is seen of enough
        of them only.
    counted
        Of a rate: whether people were counted. False for what a model estimated, which is no whole
        number of anybody.
    """

    kind: Kind
    label: str
    digits: int = 2
    denominator: str | None = None
    parts_of: tuple[str, ...] | None = None
    follows: str | None = None
    sensitivity: Sensitivity = "patient"
    within: str | tuple[str, ...] | None = None
    apart_from: str | None = None
    derive: Callable[[pl.DataFrame], pl.Series] | None = field(
        default=None, repr=False, compare=False
    )
    contributions: tuple[str, ...] | None = None
    parameters: int | str | None = None
    level: float | tuple[float, float] | None = None
    at_risk: bool = False
    counted: bool = True

    @property
    def wholes(self) -> tuple[str, ...]:
        """The columns of `within`."""
        return (self.within,) if isinstance(self.within, str) else tuple(self.within or ())


def shown_columns(
    keys: dict[str, str], labels: dict[str, str]
) -> list[tuple[str, tuple[str, ...]]]:
    """Headings a reader sees, each with its column, or with both ends of an interval.

    ``x_low`` and ``x_high`` are the ends of the 95 % interval of ``x``.
    """
    shown = [(heading, (key,)) for key, heading in keys.items()]
    for name, label in labels.items():
        base, _, end = name.rpartition("_")
        if end == "low" and f"{base}_high" in labels:
            shown.append(("95 % interval", (name, f"{base}_high")))
        elif not (end == "high" and f"{base}_low" in labels):
            shown.append((label, (name,)))
    return shown


@dataclass(frozen=True)
class Table:
    """A tidy table: key columns that name a row, value columns that say something about it.

    Attributes
    ----------
    keys
        Columns that name a row, with their headings.
    population
        Who is counted, of a table of counts. Tables of one population count the same people in
        other ways: columns of the same name have the same total, and rows of the same keys are the
        same rows. So `disclosure` works out over all of them together what may be shown. A key in
        braces (``"courses of {year}"``) gives every value of it a population of its own.
    broader
        Row (its keys, in order) -> the rows it is a part of, in this table or another of the
        population: ``{("Ethnicity", "Indian"): (("Ethnic group", "Asian"),)}``. The rows of a whole
        (see `Value.parts_of`) that name the same broader row add up to it.
    related
        What else its counts are made of, in whichever tables of the result: each with its parts,
        and whether they add up to it (one part that does is the same count) or each of them leaves
        a remainder that nobody may work out. `relate` puts them where they belong.
    """

    title: str
    frame: pl.DataFrame
    keys: dict[str, str]
    values: dict[str, Value]
    population: str | None = None
    broader: Mapping[Row, tuple[Row, ...]] = field(default_factory=dict)
    related: tuple[Related, ...] = ()

    def __post_init__(self):
        columns = [*self.keys, *self.values]
        missing = set(columns) - set(self.frame.columns)
        if missing:
            raise ValueError(f"Table {self.title!r} lacks the columns {sorted(missing)}.")
        # a column nobody declared would pass disclosure control unseen
        amounts = {name for v in self.values.values() for name in v.contributions or ()}
        undeclared = set(self.frame.columns) - {*columns, *amounts, STATUS}
        if undeclared:
            raise ValueError(f"Table {self.title!r}: {sorted(undeclared)} are not declared.")
        unknown = {v.denominator for v in self.values.values() if v.denominator} - set(columns)
        if unknown:
            raise ValueError(f"Table {self.title!r}: denominators {sorted(unknown)} do not exist.")
        named = {v.parameters for v in self.values.values() if isinstance(v.parameters, str)}
        absent = (named | amounts) - set(self.frame.columns)
        if absent:
            raise ValueError(
                f"Table {self.title!r} lacks {sorted(absent)}, the parameters or contributions of "
                "its columns."
            )
        apart = [name for name, value in self.values.items() if not self._is_inside(name, value)]
        if apart:
            raise ValueError(
                f"Table {self.title!r}: {sorted(apart)} must be counts within a count of the table."
            )

    def _is_inside(self, name: str, value: Value) -> bool:
        """Whether what a column says of itself and other counts can be so."""
        named = [*value.wholes, *([value.apart_from] if value.apart_from else [])]
        if self.population is not None:  # other tables of it may have the others
            named = [other for other in named if other in self.values]
        counts = {n for n, v in self.values.items() if v.kind == "count"}
        return not named or {name, *named} <= counts

    @property
    def headings(self) -> list[str]:
        """Headings as they are shown: the two ends of an interval share a column."""
        return [heading for heading, _ in self._shown]

    @property
    def text_columns(self) -> list[bool]:
        """Which of the columns that are shown hold words."""
        return [self.frame.schema[columns[0]] == pl.String for _, columns in self._shown]

    def rows(self) -> list[list[str]]:
        """Cells as they are shown: rounded, suppressed ones as a dash."""
        return [
            [self._cells(row, columns) for _, columns in self._shown]
            for row in self.frame.to_dicts()
        ]

    @property
    def _shown(self) -> list[tuple[str, tuple[str, ...]]]:
        labels = {name: value.label for name, value in self.values.items()}
        return shown_columns(self.keys, labels)

    def _cells(self, row: dict, columns: tuple[str, ...]) -> str:
        cells = [self._cell(row, column) for column in columns]
        return SUPPRESSED if set(cells) == {SUPPRESSED} else TO.join(cells)

    def _cell(self, row: dict, column: str) -> str:
        value = row[column]
        if value is None:
            return SUPPRESSED
        if column in self.keys or isinstance(value, str | bool):
            return str(value)
        return f"{value:,.{self.values[column].digits}f}"


def relate(tables: Mapping[str, Table], relations: Iterable[Related]) -> dict[str, Table]:
    """The tables, each with the relations of its counts; those of tables not there are left out."""
    of: dict[str, list[Related]] = {name: [] for name in tables}
    for whole, parts, exact in relations:
        if all(name in tables for name, *_ in (whole, *parts)):
            of[whole[0]].append((whole, parts, exact))
    return {n: replace(t, related=(*t.related, *of[n])) if of[n] else t for n, t in tables.items()}


@dataclass(frozen=True)
class Number:
    """One number of the results, as quoted in text and compared by `verify`.

    A `value` of type str (such as a verdict) must stay equal to the letter.

    Attributes
    ----------
    derive
        Gives the number anew from the *released* tables by name, so that it tells nothing that they
        do not. Dropped at release.
    parameters, level
        As those of `Value`, with `n` as denominator.
    """

    value: float | int | str | None
    n: int | None = None
    unit: str = ""
    digits: int = 0
    kind: Kind = "model"
    sensitivity: Sensitivity = "patient"
    status: str = RELEASED
    derive: Callable[[Mapping[str, Table]], Number] | None = field(
        default=None, repr=False, compare=False
    )
    parameters: int | None = None
    level: float | None = None

    @property
    def tolerance(self) -> Tolerance:
        """How far the number may move, from the digits it is shown with."""
        if isinstance(self.value, str):
            return Tolerance(0.0, "equal to the letter")
        return Tolerance.of_display(self.digits)

    def __str__(self) -> str:
        if self.value is None:
            return "(suppressed)"
        text = self.value if isinstance(self.value, str) else f"{self.value:,.{self.digits}f}"
        return f"{text} {self.unit}" if self.unit and self.unit != "%" else f"{text}{self.unit}"


@dataclass(frozen=True)
class Check:
    """A question the analysis asks of itself, answered in a sentence (a template, see `Result`)."""

    name: str
    status: Status
    sentence: str


@dataclass(frozen=True)
class FigureSpec:
    """A figure: drawn by ``figures.<analysis>.plot_<name>`` from one released table."""

    table: str
    title: str
    caption: str


@dataclass(frozen=True)
class Result:
    """Everything an analysis found.

    Sentences of `checks`, `text` and captions are templates such as ``"{n_people} people"``: the
    numbers are put in by `render`, after disclosure control, so no sentence can say more than
    the numbers that were released. In the same way `documents`, further files by their name, are
    written from the released result by a function of it and of the path.

    Attributes
    ----------
    text
        By the names in `TEXT` and `CARD`.
    evidence
        Of a prediction model or an economic evaluation: by item of the `checklist` (``"23a"``),
        where the run shows it, such as ``"table:performance"``; `iesoresearch.reporting.evidence`
        lists what can be named.
    checklist
        Which one `evidence` answers: "tripod" (TRIPOD+AI) or "cheers" (CHEERS 2022).
    private
        Rows of patients that a later analysis reads (`iesoresearch.files.read_private`): written
        for it alone, never released and never shown.
    """

    tables: dict[str, Table] = field(default_factory=dict)
    numbers: dict[str, Number] = field(default_factory=dict)
    checks: list[Check] = field(default_factory=list)
    text: dict[str, str] = field(default_factory=dict)
    figures: dict[str, FigureSpec] = field(default_factory=dict)
    not_applicable: dict[str, str] = field(default_factory=dict)  # figure or table -> why
    documents: dict[str, Callable[[Result, Path], None]] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)
    evidence: dict[str, list[str]] = field(default_factory=dict)
    checklist: Checklist = "tripod"
    private: dict[str, pl.DataFrame] = field(default_factory=dict, repr=False)

    def __post_init__(self):
        unknown = set(self.text) - {*TEXT, *CARD}
        if unknown:  # nobody would ever read it
            raise ValueError(f"{sorted(unknown)} are no parts of the text; see TEXT and CARD.")
        if self.checklist not in get_args(Checklist):
            raise ValueError(f"{self.checklist!r} is no checklist; see Checklist.")

    def render(self, template: str) -> str:
        """`template` with the released numbers in place of their names."""
        return string.Formatter().vformat(template, (), self.numbers)
