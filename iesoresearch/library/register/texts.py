"""The register as a table, and as CSV, JSON and Markdown."""

import csv
import dataclasses
import io
import json
import re
from datetime import date

import polars as pl

from iesoresearch.errors import ParameterError
from iesoresearch.library.register.page import page
from iesoresearch.library.register.uses import NOT_SAID, Register, Use

#: Name of a column of the table -> heading where people read it.
HEADINGS = {
    "day": "Date",
    "name": "Extract",
    "title": "Title",
    "kind": "Kind",
    "purpose": "Purpose",
    "recipient": "Recipient",
    "territory": "Territory",
    "lawful_basis": "Legal basis",
    "agreement": "Agreement",
    "approvals": "Approvals",
    "tables": "Tables and columns",
    "patients": "Patients",
    "expires": "Expires",
    "state": "State",
    "outcomes": "What came of it",
}
FORMATS = ("html", "markdown", "csv", "json")
_MARKUP = re.compile(r"([\\`*_\[\]<>#|~&])")


def table(register: Register) -> pl.DataFrame:
    """One row per use, columns as in `HEADINGS`, everything as text."""
    rows = [_row(use) for use in register.uses]
    return pl.DataFrame(rows, schema=dict.fromkeys(HEADINGS, pl.String), orient="row")


def as_text(register: Register, how: str) -> str:
    """The whole register in one of `FORMATS`.

    Raises
    ------
    ParameterError
        No such format.
    """
    makers = {"html": page, "markdown": _markdown, "csv": _csv, "json": _json}
    if how not in makers:
        raise ParameterError(f"--format {how!r} must be one of {', '.join(FORMATS)}.")
    return makers[how](register)


def _row(use: Use) -> list[str]:
    return [_cell(getattr(use, name)) for name in HEADINGS]


def _cell(value) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{name}: {', '.join(columns)}" for name, columns in value.items())
    if isinstance(value, tuple):
        return "; ".join(value) or NOT_SAID
    return str(value)


def _csv(register: Register) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(HEADINGS)
    writer.writerows([_inert(cell) for cell in _row(use)] for use in register.uses)
    return stream.getvalue()


def _inert(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


def _json(register: Register) -> str:
    content = dataclasses.asdict(register)
    return json.dumps(content, indent=1, ensure_ascii=False, default=date.isoformat) + "\n"


def _markdown(register: Register) -> str:
    lines = ["# Register of data uses", "", f"As of {register.on}.", ""]
    for use in register.uses:
        lines += [f"## {_plain(use.day)}: {_plain(use.title)}", ""]
        for heading, cell in zip(HEADINGS.values(), _row(use), strict=True):
            if heading not in ("Date", "Title"):
                lines.append(f"- {heading}: {_plain(cell)}")
        lines.append("")
    if not register.uses:
        lines += ["No extract has been made.", ""]
    lines += ["## Requests that were refused", ""]
    lines += [f"- {_plain(kind)}: {n}" for kind, n in register.refused.items()] or ["None."]
    return "\n".join(lines) + "\n"


def _plain(text: object) -> str:
    return _MARKUP.sub(r"\\\1", " ".join(str(text).split()))
