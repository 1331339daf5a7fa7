"""The register as one page of HTML that fetches nothing, for everybody to read."""

import html
import re
from datetime import date

from iesoresearch.data.schema import TABLES
from iesoresearch.library.register.uses import NOT_SAID, Register, Use

_STYLE = """
:root { color-scheme: light dark; --line: #d5d9dd; --muted: #59636e; --card: #f6f8fa;
  --good: #14693b; --over: #7a4b00; }
* { box-sizing: border-box; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1.5rem; }
h1 { font-size: 1.9rem; margin: 0 0 .3rem; } h2 { font-size: 1.3rem; margin: 2.2rem 0 .5rem; }
h3 { font-size: 1.1rem; margin: 0 0 .2rem; }
p.facts { color: var(--muted); margin: .2rem 0 .6rem; } .wide + p.facts { margin-top: 1.2rem; }
a { color: inherit; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .92rem; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; overflow-wrap: anywhere; }
th { border-bottom: 2px solid var(--line); } td { border-bottom: 1px solid var(--line); }
td.day { white-space: nowrap; }
.num { text-align: right; font-variant-numeric: tabular-nums; }
article { background: var(--card); border: 1px solid var(--line); border-radius: .4rem;
  margin: 1rem 0; padding: 1rem 1.2rem; }
dl { display: grid; grid-template-columns: 11rem 1fr; gap: .25rem 1rem; margin: .6rem 0 0; }
dt { color: var(--muted); } dd { margin: 0; overflow-wrap: anywhere; }
.state { font-weight: 600; } .state.use { color: var(--good); } .state.over { color: var(--over); }
details { margin-top: .6rem; } summary { cursor: pointer; } code { font-size: .85em; }
@media (prefers-color-scheme: dark) {
  :root { --line: #3d444d; --muted: #9198a1; --card: #1b2026; --good: #7bd8a2; --over: #f0c274; }
  body { background: #14181c; color: #e6e9ec; }
}
@media (max-width: 40rem) {
  dl { grid-template-columns: 1fr; gap: 0; } dt { margin-top: .5rem; font-size: .85rem; }
  thead { display: none; } tr, td { display: block; } td.num { text-align: left; }
  tr { border-bottom: 2px solid var(--line); padding: .4rem 0; } td { border: 0; padding: .1rem 0; }
  td::before { content: attr(data-label); display: block; font-size: .8rem; color: var(--muted); }
}
"""
_INTRODUCTION = (
    "Each time patients’ records leave the research library for a purpose, or sessions in it are "
    "read by coders, it is written down here: who received which columns about how many patients, "
    "what for, and until when. Records "
    "are de-identified before they come into the library: it holds no names, no addresses and no "
    "dates of birth. Patients who have opted out of research, nationally or with their service, "
    "are in no extract made from that day on. Opting out does not change anybody’s care, and they "
    "may change their mind at any time."
)
_NEVER = "Records are never sold, nor used for advertising, marketing or insurance."


def page(register: Register) -> str:
    """The whole page; the same register gives the same page."""
    parts = [
        "<h1>How patients’ data are used</h1>",
        f'<p class="facts">Public register of data uses, as of {_day(register.on)}.</p>',
        f"<p>{_INTRODUCTION}</p>",
        f"<p>{_NEVER}</p>",
        _choices(register),
        _overview(register),
        "".join(_article(i, use) for i, use in enumerate(register.uses, start=1)),
        _refused(register),
        '<p class="facts">This page is made from the library’s log, whose lines cannot be changed '
        "without being noticed. Numbers of patients are rounded, and small ones are not told. No "
        "person is named.</p>",
    ]
    return (
        '<!doctype html>\n<html lang="en-GB">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<title>How patients’ data are used</title>\n"
        f"<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(part for part in parts if part)
        + "\n</main>\n</body>\n</html>\n"
    )


def _escaped(text: object) -> str:
    return html.escape(" ".join(str(text).split()))


def _day(day) -> str:
    return f"{day.day}&nbsp;{day:%B}&nbsp;{day.year}"


def _with_days(text: str) -> str:
    """Text with days in words, as people write them."""
    return re.sub(
        r"\d{4}-\d\d-\d\d", lambda found: _day(date.fromisoformat(found[0])), _escaped(text)
    )


def _choices(register: Register) -> str:
    known = [
        f"{_escaped(kind)}s of {_day(day)}"
        for kind, day in register.lists.items()
        if day is not None
    ]
    if not known:
        return ""
    return f'<p class="facts">Newest lists taken into account: {", ".join(known)}.</p>'


def _overview(register: Register) -> str:
    if not register.uses:
        return "<h2>Uses</h2>\n<p>No records have left the library.</p>"
    headings = ("Date", "Use", "Recipient", "Patients", "State")
    numeric = headings.index("Patients")
    head = "".join(
        f'<th scope="col"{_number(i == numeric)}>{name}</th>' for i, name in enumerate(headings)
    )
    rows = [
        (
            _day(use.day),
            f'<a href="#use-{i}">{_escaped(use.title)}</a>',
            _escaped(use.recipient),
            _escaped(use.patients),
            _state(use),
        )
        for i, use in enumerate(register.uses, start=1)
    ]
    body = "\n".join(_line(headings, row, numeric) for row in rows)
    n = len(register.uses)
    return (
        f"<h2>{n} use{'s' if n != 1 else ''}</h2>\n"
        '<div class="wide" role="region" tabindex="0" aria-label="Uses">\n'
        f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>\n</div>"
    )


def _number(is_number: bool) -> str:
    return ' class="num"' if is_number else ""


def _line(headings: tuple[str, ...], cells: tuple[str, ...], numeric: int) -> str:
    made = []
    for i, (heading, cell) in enumerate(zip(headings, cells, strict=True)):
        css = ' class="day"' if i == 0 else _number(i == numeric)
        made.append(f'<td{css} data-label="{heading}">{cell}</td>')
    return f"<tr>{''.join(made)}</tr>"


def _state(use: Use) -> str:
    css = "use" if use.state == "in use" else "over"
    return f'<span class="state {css}">{_with_days(use.state)}</span>'


def _article(number: int, use: Use) -> str:
    facts = {
        "Purpose": _escaped(use.purpose),
        "Recipient": f"{_escaped(use.recipient)} ({_escaped(use.territory)})",
        "Kind": _escaped(use.kind),
        "Patients": _escaped(use.patients),
        "Legal basis": _escaped(use.lawful_basis),
        "Approvals": _listed(use.approvals),
        "Agreement ends": _with_days(use.expires),
        "State": _state(use),
        "What came of it": _listed(use.outcomes),
        "Agreement": f"<code>{_escaped(use.agreement)}</code>",
    }
    terms = "".join(f"<dt>{name}</dt><dd>{value}</dd>\n" for name, value in facts.items())
    return (
        f'<article id="use-{number}">\n<h3>{_escaped(use.title)}</h3>\n'
        f'<p class="facts">{_day(use.day)} · <code>{_escaped(use.name)}</code></p>\n'
        f"<dl>\n{terms}</dl>\n{_columns(use)}</article>\n"
    )


def _listed(items: tuple[str, ...]) -> str:
    return "<br>".join(_escaped(item) for item in items) or NOT_SAID


def _columns(use: Use) -> str:
    if not use.tables:
        return ""
    n = sum(len(columns) for columns in use.tables.values())
    rows = "".join(
        f"<dt>{_escaped(table)}</dt><dd>{_meanings(table, columns)}</dd>\n"
        for table, columns in use.tables.items()
    )
    return (
        f"<details><summary>{n} columns of {len(use.tables)} tables</summary>\n"
        f"<dl>\n{rows}</dl></details>\n"
    )


def _meanings(table: str, columns: list[str]) -> str:
    """What each column says of somebody, where the schema knows it."""
    known = TABLES[table].columns() if table in TABLES else {}
    lines = []
    for column in columns:
        metadata = known[column].metadata if column in known else None
        meaning = f": {_escaped(metadata['description'])}" if metadata else ""
        lines.append(f"<code>{_escaped(column)}</code>{meaning}")
    return "<br>".join(lines)


def _refused(register: Register) -> str:
    head = "<h2>Requests that were refused</h2>\n"
    if not register.refused:
        return f"{head}<p>None.</p>"
    rows = "\n".join(
        f'<tr><td data-label="Reason">{_escaped(kind)}</td>'
        f'<td class="num" data-label="Requests">{n}</td></tr>'
        for kind, n in register.refused.items()
    )
    return (
        f'{head}<div class="wide"><table>\n<thead><tr><th scope="col">Reason</th>'
        f'<th scope="col" class="num">Requests</th></tr></thead>\n<tbody>\n{rows}\n</tbody>\n'
        "</table></div>"
    )
