"""The mapping of a site, params/sites/NAME.yaml: read, checked and written for people to edit."""

import json
import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from iesoresearch.data.mapping.reading import DECIMALS, ENCODINGS, SEPARATORS, Layout
from iesoresearch.data.mapping.values import DATE_FORMATS, coded_columns, date_columns
from iesoresearch.data.schema import TABLES
from iesoresearch.errors import OutputError, ParameterError
from iesoresearch.measures import INSTRUMENTS
from iesoresearch.project import refuse_site

OPEN = "?"  # stands where somebody has to decide


def _as_text(values: Any) -> Any:
    """YAML reads 1 and 01 as numbers; codes are text."""
    if isinstance(values, dict):
        return {k if isinstance(k, bool) else str(k): v for k, v in values.items()}
    return values


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Codes = Annotated[dict[str, str], BeforeValidator(_as_text)]
Formats = Annotated[list[str], BeforeValidator(_as_list)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class FileMapping(_Strict):
    """One file: how it is written, and which of its columns are which of ours."""

    file: str
    separator: Literal[*SEPARATORS] = "comma"
    encoding: Literal[*ENCODINGS] = "utf-8"
    decimal: Literal[*DECIMALS] = "point"
    columns: dict[str, str]
    dates: dict[str, Formats] = Field(default_factory=dict)
    codes: dict[str, Codes] = Field(default_factory=dict)

    @property
    def layout(self) -> Layout:
        """How the file is written."""
        return Layout(self.separator, self.encoding, self.decimal)

    @property
    def is_wide(self) -> bool:
        """Whether a row holds several sessions."""
        return any("{session}" in name for name in self.columns.values())


class Mapping(_Strict):
    """All files of a site."""

    folder: str
    files: list[FileMapping] = Field(min_length=1)

    def open_lines(self) -> list[str]:
        """Where a question mark still stands."""
        lines = []
        for file in self.files:
            lines += [f"columns, {c}" for c, name in file.columns.items() if name == OPEN]
            lines += [f"dates, {c}" for c, names in file.dates.items() if OPEN in names]
            for column, codes in file.codes.items():
                n = sum(word == OPEN for word in codes.values())
                lines += [f"codes, {column} ({n})"] if n else []
        return lines

    @classmethod
    def read(cls, path: Path) -> Self:
        """The mapping in a file, complete or not.

        Raises
        ------
        ParameterError
            There is none, or it says something that cannot be.
        """
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
            mapping = cls.model_validate(content)
        except FileNotFoundError:
            raise ParameterError(
                f"{path} is not there. Make it with `iesoresearch site init {path.stem} FILES…`."
            ) from None
        except (OSError, UnicodeDecodeError, yaml.YAMLError):
            raise ParameterError(
                f"{path} cannot be read as YAML. Mend it, or make it anew."
            ) from None
        except ValidationError as error:
            places = [".".join(map(str, e["loc"])) + ": " + e["msg"] for e in error.errors()]
            raise ParameterError(f"{path}: {'; '.join(places)}.") from None
        problems = _impossible(mapping)
        if problems:
            raise ParameterError(f"{path}: {'; '.join(problems)}.")
        return mapping


def path_of(name: str, params: Path) -> Path:
    """The file of a site's mapping.

    Raises
    ------
    ParameterError
        No site may be called so.
    """
    refuse_site(name)
    return params / "sites" / f"{name}.yaml"


def targets() -> set[str]:
    """Every canonical column, and questionnaires with "{item}" for all of theirs."""
    known = {name for schema in TABLES.values() for name in schema.column_names()}
    return known | {f"{code}_{{item}}" for code in INSTRUMENTS}


def _impossible(mapping: Mapping) -> list[str]:
    problems, known, coded = [], targets(), coded_columns()
    for file in mapping.files:
        for column in file.columns:
            if column not in known:
                problems.append(f"{file.file}: columns: {column!r} is no column of the schema")
        for column, names in file.dates.items():
            unknown = [n for n in names if n != OPEN and n not in DATE_FORMATS]
            if column not in date_columns() or unknown:
                problems.append(
                    f"{file.file}: dates: {column} needs one of {', '.join(DATE_FORMATS)}"
                )
        for column, codes in file.codes.items():
            allowed = coded.get(column, ())
            if not allowed:
                problems.append(f"{file.file}: codes: {column!r} has no code list")
            elif any(word not in (OPEN, "", *allowed) for word in codes.values()):
                problems.append(
                    f'{file.file}: codes: {column} needs one of {", ".join(allowed)}, or "" for '
                    "a missing value"
                )
    return problems


_HEAD = """\
# How the files of the site {name!r} become the tables of iesoresearch.
# Written by `iesoresearch site init`; edit it as you like. It stays at the site (see .gitignore).
#
# columns: ours: yours    in a wide file {{item}} and {{session}} stand for the numbers
# dates:   ours: format   one, or a list of formats to try in turn
# codes:   ours: {{yours: our word}}    "" = missing; spaces, capitals, leading zeros do not count
#
# A "?" waits for you: write what follows in the remark, or delete the line.
# Then: iesoresearch data check --site {name}
"""


def render(name: str, mapping: Mapping, remarks: dict[tuple, str]) -> str:
    """The YAML of a mapping, with a remark behind the lines that have one.

    `remarks` are keyed by (number of the file, section, column[, code]).
    """
    lines = [_HEAD.format(name=name), f"folder: {_quoted(mapping.folder)}", "files:"]
    for i, file in enumerate(mapping.files):
        lines.append(f"- file: {_quoted(file.file)}")
        if not file.file.lower().endswith(".parquet"):
            lines += [f"  {k}: {getattr(file, k)}" for k in ("separator", "encoding", "decimal")]
        lines.append("  columns:")
        for column, theirs in file.columns.items():
            lines.append(f"    {column}: {_quoted(theirs)}{_said(remarks, i, 'columns', column)}")
        lines += ["  dates:"] if file.dates else []
        for column, names in file.dates.items():
            shown = _quoted(names[0]) if len(names) == 1 else json.dumps(names)
            lines.append(f"    {column}: {shown}{_said(remarks, i, 'dates', column)}")
        lines += ["  codes:"] if file.codes else []
        for column, codes in file.codes.items():
            # without a code that is known, the list waits to be filled
            lines.append(
                f"    {column}:" if codes else f"    {column}: {{}}  # none was recognised"
            )
            for code, word in codes.items():
                remark = _said(remarks, i, "codes", column, code)
                lines.append(f"      {_quoted(code)}: {_quoted(word)}{remark}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """Text as YAML; in double quotes, unless it is a plain word that YAML leaves as it is."""
    if re.fullmatch(r"[A-Za-z]\w*( \w+)*", text) and yaml.safe_load(text) == text:
        return text
    return json.dumps(text, ensure_ascii=False)


def _said(remarks: dict[tuple, str], *key) -> str:
    remark = remarks.get(key)
    return f"  # {' '.join(remark.split())}" if remark else ""


def write(path: Path, content: str) -> None:
    """Write a new mapping; an old one is never overwritten.

    Raises
    ------
    OutputError
        There is one already, or the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as stream:
            stream.write(content)
    except FileExistsError:
        raise OutputError(
            f"{path} is there already and was left as it is. Edit it, move it away, or give the "
            "site another name."
        ) from None
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({error.strerror}).") from None
