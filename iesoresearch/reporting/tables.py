"""The tables of a run as HTML: rounded, suppressed cells as a dash with a note."""

from typing import Any

from iesoresearch.reporting import markup
from iesoresearch.reporting.runs import Run
from iesoresearch.results import RELEASED, TO, shown_columns

LONG = 40  # rows; longer tables are folded


def render_all(run: Run) -> str:
    """Markdown of all tables of a run, the long ones last."""
    tables = {name: run.table(name) for name in run.result["tables"]}
    names = sorted(tables, key=lambda name: len(tables[name]) > LONG)
    return "\n".join(_render(name, run.result["tables"][name], tables[name]) for name in names)


def render(run: Run, name: str) -> str:
    """Markdown of one table."""
    return _render(name, run.result["tables"][name], run.table(name))


def _cell(row: dict[str, str], names: tuple[str, ...], digits: dict[str, int]) -> str:
    """A value, or the two ends of an interval; one dash where there is neither end."""
    shown = [markup.shown(row[name], digits.get(name)) for name in names]
    return markup.NONE if set(shown) == {markup.NONE} else TO.join(shown)


def _render(name: str, described: dict[str, Any], rows: list[dict[str, str]]) -> str:
    """Heading, cells, what a dash means, and the file."""
    labels = {name: value["label"] for name, value in described["values"].items()}
    digits = {name: value["digits"] for name, value in described["values"].items()}
    columns = shown_columns(described["keys"], labels)
    cells = [[_cell(row, names, digits) for _, names in columns] for row in rows]
    body = markup.table(
        [heading for heading, _ in columns],
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


def _is_numeric(cells: list[str]) -> bool:
    try:
        parts = [part for cell in cells for part in cell.split(TO)]
        numbers = [float(part.replace(",", "")) for part in parts if part != markup.NONE]
    except ValueError:
        return False
    return bool(numbers)


def _notes(rows: list[dict[str, str]], cells: list[list[str]]) -> list[str]:
    """What a dash means: suppressed, and why, or that there is no value."""
    status = [row.get("status", RELEASED) for row in rows]
    with_dash = [
        said
        for said, line in zip(status, cells, strict=True)
        if any(markup.NONE in c.split(TO) for c in line)
    ]
    reasons = [said for said in dict.fromkeys(with_dash) if said != RELEASED]
    notes = [f"{markup.NONE} {reason}" for reason in reasons]
    return [*notes, *([f"{markup.NONE} no value"] if RELEASED in with_dash else [])]
