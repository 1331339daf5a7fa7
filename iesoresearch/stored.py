"""What a run leaves in its folder: tables, figures, numbers, checks and their descriptions."""

import csv
import io
from pathlib import Path
from typing import Any

from iesoresearch.files import write_json, write_text, writing
from iesoresearch.results import Result, Table


def table_csv(table: Table) -> str:
    """The frame of a table as CSV, numbers in full."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(table.frame.columns)
    writer.writerows(table.frame.iter_rows())
    return stream.getvalue()


def write_result(result: Result, folder: Path, draw) -> None:
    """Write a released result below `folder`.

    Parameters
    ----------
    result
        Released.
    folder
        Exists.
    draw
        ``draw(name, folder)`` writes the files of a figure.
    """
    with writing(folder):
        for sub in ("tables", "figures"):
            (folder / sub).mkdir(exist_ok=True)
    for name, table in result.tables.items():
        write_text(folder / "tables" / f"{name}.csv", table_csv(table))
    for name, spec in result.figures.items():
        with writing(folder):
            draw(name, folder / "figures")
        write_text(folder / "figures" / f"{name}.csv", table_csv(result.tables[spec.table]))
    for name, write in result.documents.items():
        write(result, folder / name)
    write_json(folder / "numbers.json", {k: number_json(n) for k, n in result.numbers.items()})
    checks = [
        {"name": c.name, "status": c.status, "sentence": result.render(c.sentence)}
        for c in result.checks
    ]
    write_json(folder / "checks.json", checks)
    write_json(folder / "result.json", _description(result))


def number_json(number) -> dict[str, Any]:
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
    }


def _description(result: Result) -> dict[str, Any]:
    """What a reader of the folder needs beside the numbers: titles, headings, captions, text."""
    return {
        "provenance": result.provenance,
        "text": {name: result.render(template) for name, template in result.text.items()},
        "tables": {
            name: {
                "title": table.title,
                "keys": table.keys,
                "values": {
                    column: {"label": v.label, "digits": v.digits, "kind": v.kind}
                    for column, v in table.values.items()
                },
            }
            for name, table in result.tables.items()
        },
        "not_applicable": result.not_applicable,
        "evidence": {
            item: [result.render(reference) for reference in references]
            for item, references in result.evidence.items()
        },
        **_checklist(result),
        "figures": {
            name: {
                "title": spec.title,
                "caption": result.render(spec.caption),
                "table": spec.table,
            }
            for name, spec in result.figures.items()
        },
    }


def _checklist(result: Result) -> dict[str, str]:
    """Which checklist the evidence answers; without a word it is the one older results know."""
    return {} if result.checklist == "tripod" else {"checklist": result.checklist}
