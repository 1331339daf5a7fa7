"""The tables of a run as HTML: rounded, suppressed cells as a dash with a note."""

from typing import Any

from iesoresearch.reporting import markup
from iesoresearch.reporting.runs import Run
from iesoresearch.results import RELEASED

LONG = 40  # rows; longer tables are folded


def render_all(run: Run) -> str:
    """Markdown of all tables of a run, the long ones last."""
    tables = {name: run.table(name) for name in run.result["tables"]}
    names = sorted(tables, key=lambda name: len(tables[name]) > LONG)
    return "\n".join(_render(name, run.result["tables"][name], tables[name]) for name in names)


def _render(name: str, described: dict[str, Any], rows: list[dict[str, str]]) -> str:
    """Heading, cells, what a dash means, and the file."""
    columns = _columns(described, rows)
    cells = [[markup.shown(row[c], digits) for c, (_, digits) in columns.items()] for row in rows]
    body = markup.table(
        [heading for heading, _ in columns.values()],
        [[markup.escaped(cell) for cell in line] for line in cells],
        label=described["title"],
        numeric=[i for i in range(len(columns)) if _is_numeric([line[i] for line in cells])],
    )
    if len(rows) > LONG:
        body = f"<details><summary>Show all {len(rows)} rows</summary>\n{body}</details>\n"
    file = markup.link(f"tables/{name}.csv", f"{name}.csv")
    notes = "".join(f"<br>{markup.escaped(note)}" for note in _notes(rows, cells))
    return (
        f'<div id="{anchor(name)}"></div>\n\n### {markup.plain(described["title"])}\n\n{body}\n'
        f'<p class="files">Digits in full: {file}{notes}</p>\n'
    )


def anchor(name: str) -> str:
    """Where on its page a table is."""
    return f"table-{name}"


def _columns(described: dict[str, Any], rows: list[dict[str, str]]) -> dict:
    """Heading and digits of every column, keys first; in the order of the file."""
    order = list(rows[0]) if rows else [*described["keys"], *described["values"]]
    keys = {c: (described["keys"][c], None) for c in order if c in described["keys"]}
    values = described["values"]
    return keys | {c: (values[c]["label"], values[c]["digits"]) for c in order if c in values}


def _is_numeric(cells: list[str]) -> bool:
    try:
        numbers = [float(cell.replace(",", "")) for cell in cells if cell != markup.NONE]
    except ValueError:
        return False
    return bool(numbers)


def _notes(rows: list[dict[str, str]], cells: list[list[str]]) -> list[str]:
    """What a dash means: suppressed, and why, or that there is no value."""
    status = [row.get("status", RELEASED) for row in rows]
    with_dash = [
        said
        for said, line in zip(status, cells, strict=True)
        if any(c == markup.NONE for c in line)
    ]
    reasons = [said for said in dict.fromkeys(with_dash) if said != RELEASED]
    notes = [f"{markup.NONE} {reason}" for reason in reasons]
    return [*notes, *([f"{markup.NONE} no value"] if RELEASED in with_dash else [])]
