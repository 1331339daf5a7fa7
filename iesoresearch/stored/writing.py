"""Write a released result as files."""

import csv
import io
from pathlib import Path
from typing import Any

import polars as pl

from iesoresearch.files import write_json, write_text, writing
from iesoresearch.results import Number, Result, Table
from iesoresearch.stored import declared


def table_csv(table: Table) -> str:
    """The frame of a table as CSV, numbers in full."""
    rows = [table.frame.columns, *table.frame.iter_rows()]
    # Python before 3.13 takes a carriage return for no reason to quote, and reads it as a new line
    returns = any("\r" in cell for row in rows for cell in row if isinstance(cell, str))
    stream = io.StringIO()
    writer = csv.writer(
        stream, lineterminator="\n", quoting=csv.QUOTE_ALL if returns else csv.QUOTE_MINIMAL
    )
    writer.writerows(rows)
    return stream.getvalue()


def write_result(result: Result, folder: Path, draw=None) -> None:
    """Write a released result below `folder`.

    Parameters
    ----------
    result
        Released.
    folder
        Exists.
    draw
        ``draw(name, folder)`` writes the files of a figure; None: no pictures.
    """
    with writing(folder):
        for sub in ("tables", "figures"):
            (folder / sub).mkdir(exist_ok=True)
    for name, table in result.tables.items():
        write_text(folder / "tables" / f"{name}.csv", table_csv(table))
    for name, spec in result.figures.items():
        if draw is not None:
            with writing(folder):
                draw(name, folder / "figures")
        write_text(folder / "figures" / f"{name}.csv", table_csv(result.tables[spec.table]))
    for name, write in result.documents.items():
        write(result, folder / name)
    write_json(folder / "numbers.json", {k: number_json(n) for k, n in result.numbers.items()})
    checks = [
        {"name": c.name, "status": c.status, **_sentence(result, "sentence", c.sentence)}
        for c in result.checks
    ]
    write_json(folder / "checks.json", checks)
    write_json(folder / "result.json", _description(result))


def number_json(number: Number) -> dict[str, Any]:
    """A number as numbers.json holds it."""
    return {
        "value": number.value,
        "text": str(number),
        "unit": number.unit,
        "n": number.n,
        "sensitivity": number.sensitivity,
        "status": number.status,
        "tolerance": {
            "absolute": number.tolerance.absolute,
            "reason": number.tolerance.reason,
        },
        "kind": number.kind,
        "digits": number.digits,
        **declared.further(number),
    }


def _description(result: Result) -> dict[str, Any]:
    """What a reader of the folder needs beside the numbers: titles, headings, captions, text."""
    return {
        "format": declared.FORMAT,
        "provenance": result.provenance,
        "text": {name: result.render(template) for name, template in result.text.items()},
        "tables": {name: _table(table) for name, table in result.tables.items()},
        "not_applicable": result.not_applicable,
        "evidence": {
            item: [result.render(reference) for reference in references]
            for item, references in result.evidence.items()
        },
        **_checklist(result),
        "figures": {
            name: {
                "title": spec.title,
                **_sentence(result, "caption", spec.caption),
                "table": spec.table,
            }
            for name, spec in result.figures.items()
        },
        "documents": list(result.documents),
        "templates": {
            "text": {k: t for k, t in result.text.items() if result.render(t) != t},
            "evidence": {
                item: references
                for item, references in result.evidence.items()
                if any(result.render(reference) != reference for reference in references)
            },
        },
    }


def _sentence(result: Result, name: str, template: str) -> dict[str, str]:
    """What it says, and the template where that is something else."""
    said = result.render(template)
    return {name: said} | ({} if said == template else {"template": template})


def _table(table: Table) -> dict[str, Any]:
    frame = table.frame
    kinds = (pl.String, pl.Enum, pl.Categorical)
    words = {c: frame[c].cast(pl.String) == "" for c, t in frame.schema.items() if t in kinds}
    # in a CSV file nothing and no letter at all look alike
    blank = {c: empty.arg_true().to_list() for c, empty in words.items() if empty.any()}
    return {
        "title": table.title,
        "keys": table.keys,
        "values": {
            column: {"label": v.label, "digits": v.digits, "kind": v.kind} | declared.further(v)
            for column, v in table.values.items()
        },
        **declared.further(table),
        **({"broader": declared.broader_json(table)} if table.broader else {}),
        "types": {c: declared.dtype_json(t) for c, t in frame.schema.items()},
        **({"blank": blank} if blank else {}),
    }


def _checklist(result: Result) -> dict[str, str]:
    """Which checklist the evidence answers; without a word it is the one older results know."""
    return {} if result.checklist == "tripod" else {"checklist": result.checklist}
