"""What was found wrong while reading, and what was done about it."""

from dataclasses import dataclass, field
from typing import NamedTuple

import polars as pl


class Finding(NamedTuple):
    """A sentence about a table, and how many rows, values or files it is about."""

    table: str
    text: str
    n: int


@dataclass(frozen=True)
class Report:
    """What reading the data set came upon.

    Attributes
    ----------
    findings
        In order of reading. Counts only, never a value.
    agreement
        Fields that the national system derives against those derived here, see `agreement`.
    """

    findings: tuple[Finding, ...]
    agreement: pl.DataFrame

    def frame(self) -> pl.DataFrame:
        """The findings as a table: table, text, n."""
        schema = {"table": pl.String, "text": pl.String, "n": pl.Int64}
        return pl.DataFrame(list(self.findings), schema=schema, orient="row")

    def __str__(self) -> str:
        lines = [f"{finding.table}: {finding.text}" for finding in self.findings]
        return "\n".join(lines) or "Nothing was found wrong."


@dataclass
class Ledger:
    """Collects findings, and the reasons that end the reading."""

    findings: list[Finding] = field(default_factory=list)
    fatal: list[str] = field(default_factory=list)

    def note(self, table: str, n: int | None, text: str) -> None:
        """Keep "`n` `text`" if there is any."""
        if n:
            self.findings.append(Finding(table, f"{n} {text}", n))
