"""What a check of a site's data found: problems, counted and never quoted, and what is missing."""

from dataclasses import dataclass, field
from typing import Literal

from iesoresearch.errors import DataError


@dataclass(frozen=True)
class Problem:
    """One kind of fault: where, how often, and a sentence that quotes no value."""

    severity: Literal["error", "warning"]
    table: str
    text: str
    n: int = 1

    def __str__(self):
        return f"{self.table}: {self.text}"


@dataclass(frozen=True)
class Missing:
    """How much of a column is empty."""

    table: str
    column: str
    n: int
    rows: int

    @property
    def share(self) -> float:
        """Of the rows."""
        return self.n / self.rows if self.rows else 0.0


@dataclass(frozen=True)
class Report:
    """What `check` found.

    Attributes
    ----------
    rows
        Of every table.
    missing
        Of every column that was there.
    """

    name: str
    problems: tuple[Problem, ...]
    rows: dict[str, int] = field(default_factory=dict)
    missing: tuple[Missing, ...] = ()

    @property
    def errors(self) -> list[Problem]:
        """What keeps the tables from being loaded."""
        return [p for p in self.problems if p.severity == "error"]

    @property
    def warnings(self) -> list[Problem]:
        """What the tables are loaded with."""
        return [p for p in self.problems if p.severity == "warning"]

    def verdict(self) -> str:
        """Whether the tables can be used."""
        counts = f"{len(self.errors)} error(s), {len(self.warnings)} warning(s)"
        if self.errors:
            return f"{counts}. The data cannot be loaded until the errors are mended."
        return f"{counts}. The data can be loaded."

    def refuse(self) -> None:
        """Raise if there are errors.

        Raises
        ------
        DataError
            Naming every one of them.
        """
        if self.errors:
            raise DataError(
                f"{self.name}: {len(self.errors)} problem(s) in the data. "
                f"{'; '.join(map(str, self.errors))}. Mend the tables and try again; nothing was "
                "computed."
            )


def told(severity: Literal["error", "warning"], table: str, counted: dict[str, int]):
    """A problem for each sentence with a count above zero; "{n}" in it is the count."""
    return [Problem(severity, table, text.format(n=n), n) for text, n in counted.items() if n]
