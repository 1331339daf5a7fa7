"""What a check of a site's data found, as one page of HTML that fetches nothing."""

from iesoresearch.data.findings import Missing, Problem, Report
from iesoresearch.reporting import markup

_STYLE = """
:root { color-scheme: light dark; --line: #d5d9dd; --muted: #59636e; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1.5rem; }
h1 { font-size: 1.9rem; margin: 0 0 .3rem; } h2 { font-size: 1.3rem; margin: 2rem 0 .5rem; }
p.facts { color: var(--muted); margin: .2rem 0; }
p.verdict { font-size: 1.1rem; border-left: .35rem solid #14693b; padding: .4rem .8rem; }
p.verdict.failed { border-color: #a4161a; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .92rem; }
table.stacked { width: 100%; }
table.stacked td:first-child { white-space: nowrap; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; }
th { border-bottom: 2px solid var(--line); } td { border-bottom: 1px solid var(--line); }
.num { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
h2.error { color: #a4161a; } h2.warning { color: #7a4b00; }
.bar { display: inline-block; width: 6rem; height: .7rem; border: 1px solid var(--line); }
.bar span { display: block; height: 100%; background: #7a8794; }
@media (prefers-color-scheme: dark) {
  :root { --line: #3d444d; --muted: #9198a1; } body { background: #14181c; color: #e6e9ec; }
  h2.error { color: #ff9d9d; } h2.warning { color: #f0c274; }
}
@media (max-width: 40rem) {
  table.stacked thead { display: none; }
  table.stacked tr, table.stacked td { display: block; text-align: left; }
  table.stacked tr { border-bottom: 2px solid var(--line); padding: .4rem 0; }
  table.stacked td { border: 0; padding: .1rem 0; }
  table.stacked td::before {
    content: attr(data-label); display: block; font-size: .8rem; color: var(--muted);
  }
}
"""


def page(report: Report) -> str:
    """The whole page."""
    rows = " · ".join(f"{n:,} {markup.escaped(table)}" for table, n in report.rows.items())
    failed = " failed" if report.errors else ""
    parts = [
        f"<h1>Check of the data: {markup.escaped(report.name)}</h1>",
        f'<p class="facts">{rows or "no table was read"}</p>',
        f'<p class="verdict{failed}">{markup.escaped(report.verdict())}</p>',
        _problems("✗ Errors: these must be mended", "error", report.errors),
        _problems("! Warnings: the data are loaded with these", "warning", report.warnings),
        _missing(report.missing),
        '<p class="facts">Counts only, no value of anybody. Small counts are shown as they are, so '
        "the page is for those who may see the data.</p>",
    ]
    return (
        '<!doctype html>\n<html lang="en-GB">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Check of the data: {markup.escaped(report.name)}</title>\n"
        f"<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n" + "\n".join(parts) + "\n</main>\n"
        "</body>\n</html>\n"
    )


def _problems(heading: str, css: str, problems: list[Problem]) -> str:
    if not problems:
        return ""
    rows = [
        [
            markup.escaped(p.table),
            markup.escaped(p.text),
            f"{p.n:,}",
        ]
        for p in problems
    ]
    table = markup.table(
        ["Where", "What", "How many"], rows, label=heading, numeric=[2], css="stacked"
    )
    return f'<h2 class="{css}">{markup.escaped(heading)}</h2>\n{table}'


def _missing(missing: tuple[Missing, ...]) -> str:
    if not missing:
        return ""
    rows = [
        [markup.escaped(m.table), markup.code(m.column), f"{m.n:,}", f"{m.share:.1%}", _bar(m)]
        for m in missing
    ]
    headings = ["Table", "Column", "Empty", "Share", "Picture"]
    table = markup.table(headings, rows, label="Empty cells", numeric=[2, 3])
    return f"<h2>Empty cells</h2>\n{table}"


def _bar(m: Missing) -> str:
    return f'<span class="bar" aria-hidden="true"><span style="width:{m.share:.0%}"></span></span>'
