"""Tables on the terminal."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from iesoresearch.data import dictionary as known
from iesoresearch.data.findings import Report
from iesoresearch.data.schema import TABLES

_STYLES = {"error": "bold red", "warning": "yellow"}


def report(found: Report) -> None:
    """Every problem of a site's data, errors first."""
    console = Console()
    rows = ", ".join(f"{n:,} {table}" for table, n in found.rows.items()) or "no table was read"
    console.print(f"{escape(found.name)}: {rows}", highlight=False)
    if found.problems:
        table = Table("kind", "where", "what")
        table.add_column("n", justify="right")
        for p in found.problems:
            kind = f"[{_STYLES[p.severity]}]{p.severity}[/]"
            table.add_row(kind, escape(p.table), escape(p.text), f"{p.n:,}")
        console.print(table)
    console.print(escape(found.verdict()), highlight=False)


def dictionary() -> None:
    """Every canonical column, and the open data."""
    console = Console()
    for name in TABLES:
        table = Table(title=name)
        table.add_column("column", no_wrap=True)
        for heading in ("type", "allowed", "meaning", "required"):
            table.add_column(heading)
        for e in known.entries():
            if e.table == name:
                table.add_row(e.column, e.type, escape(e.allowed), escape(e.meaning), e.required)
        console.print(table)
    table = Table("data", "published by", "file", title="open data")
    table.add_column("sha256", overflow="fold")
    table.add_column("licence")
    for f in known.OPEN_FILES:
        where = f"{f.publisher}\n{f.address}"
        table.add_row(f.data, where, f.name, f.sha256, f.licence)
    console.print(table)
    console.print(known.ATTRIBUTION)
