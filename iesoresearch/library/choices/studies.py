"""A study or trial that patients consent to: what it is, what it may use, which ethics review."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import Field, StringConstraints, field_validator

from iesoresearch.data.schema import TABLES
from iesoresearch.errors import ParameterError
from iesoresearch.library.deidentify.written import refuse_identifiers
from iesoresearch.library.strict import Strict, meant

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{1,60}$")]


class Ethics(Strict):
    """The ethics review, which comes before the first consent."""

    committee: Words
    reference: Words
    approved: date


class Scope(Strict):
    """What consent covers: columns by table of the library, and purposes in plain words."""

    tables: dict[str, list[Words]] = Field(min_length=1)
    purposes: list[Words] = Field(min_length=1)

    @field_validator("tables")
    @classmethod
    def _known(cls, tables: dict[str, list[str]]) -> dict[str, list[str]]:
        for table, columns in tables.items():
            if table not in TABLES:
                raise ValueError(f"there is no table {table}{meant(table, TABLES)}")
            known = TABLES[table].column_names()
            for column in columns:
                if column not in known:
                    raise ValueError(f"{table} has no column {column}{meant(column, known)}")
        return tables


class Study(Strict):
    """A study or trial, as its file says."""

    id: Id
    title: Words
    kind: Literal["study", "trial"]
    scope: Scope
    ethics: Ethics
    opened: date
    closed: date | None = None

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the YAML file of a study.

        Raises
        ------
        ParameterError
            No such file, or naming every problem in it; without ethics review, saying so;
            with what looks like a patient's identifier in what the log keeps.
        """
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError):
            content = None
        if not isinstance(content, dict):
            raise ParameterError(
                f"{path}, the file of a study, must be YAML with {', '.join(cls.model_fields)}."
            )
        _refuse_without_ethics(path, content.get("ethics"))
        found = cls.check(content, str(path))
        found._refuse_disorder(path)
        refuse_identifiers(
            (("id", found.id, True), ("ethics.reference", found.ethics.reference, True)),
            str(path),
        )
        return found

    def _refuse_disorder(self, path: Path) -> None:
        if self.opened < self.ethics.approved:
            raise ParameterError(
                f"{path}: the study opened on {self.opened}, before the ethics review approved it "
                f"on {self.ethics.approved}. Ethics review comes first: correct the dates."
            )
        if self.closed is not None and self.closed < self.opened:
            raise ParameterError(f"{path}: closed must not be before opened. Correct the dates.")

    def outside(self, columns: Mapping[str, list[str]]) -> list[str]:
        """Columns, as ``table.column``, that consent to this study does not cover."""
        return [
            f"{table}.{column}"
            for table, names in columns.items()
            for column in names
            if column not in self.scope.tables.get(table, ())
        ]


def _refuse_without_ethics(path: Path, ethics) -> None:
    filled = isinstance(ethics, dict) and all(
        str(ethics.get(name) or "").strip() for name in ("committee", "reference", "approved")
    )
    if not filled:
        raise ParameterError(
            f"{path}, the file of a study, has no ethics review. Ethics review comes first: write "
            "committee, reference and approved (a date) under ethics. No consent was recorded."
        )
