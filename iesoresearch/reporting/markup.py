"""Text of any kind made safe for MyST Markdown and for the HTML inside it."""

import html
import math
import re
from collections.abc import Iterable, Sequence

from iesoresearch.results import SIMULATED

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")  # all of ASCII; Markdown lets each be escaped

#: A word and a sign for every outcome of a check: never a colour alone.
MARKS = {"passed": "✓", "failed": "✗", "inconclusive": "?", "not applicable": "–"}
NONE = "–"
_LONG_HEADING = 30  # characters; would make a tower in a narrow column


def plain(text: object) -> str:
    """Text for a line of Markdown, to be shown as it is."""
    return _PUNCTUATION.sub(r"\\\1", " ".join(str(text).split()))


def escaped(text: object) -> str:
    """Text for a block of HTML; without line breaks, for a blank line would end the block."""
    return html.escape(" ".join(str(text).split()))


def code(text: object) -> str:
    """HTML of something typed or copied."""
    return f"<code>{escaped(text)}</code>"


def link(target: str, text: object) -> str:
    """HTML of a link to a file of the site."""
    return f'<a href="{html.escape(target)}">{escaped(text)}</a>'


def doi(number: str) -> str:
    """HTML of a link to a publication."""
    return link(f"https://doi.org/{number}", f"doi:{number}")


def anchor(name: str) -> str:
    """A place that a link can lead to, before what follows."""
    return f'<div id="{html.escape(name)}"></div>\n\n'


def text_anchor(name: str) -> str:
    """Where on its page a part of the text is."""
    return f"text-{name}"


def without_tags(text: str) -> str:
    """Plain text of our own HTML."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", text)).split())


def sections(parts: Iterable[tuple[str, str]], *, simulated: bool) -> str:
    """Markdown of headings with what is below them, those without left out."""
    mark = banner() + "\n" if simulated else ""
    return "\n".join(f"## {heading}\n\n{mark}{text}\n" for heading, text in parts if text)


def banner(*, stays: bool = False) -> str:
    """What everything made from synthetic data carries; `stays` in sight while one scrolls."""
    css = "simulated sticky" if stays else "simulated"
    return f'<p class="{css}" role="note">{escaped(SIMULATED)}</p>\n'


def mark(status: str) -> str:
    """HTML of the outcome of a check."""
    sign, kind = MARKS.get(status, "?"), status.replace(" ", "-")
    return f'<span class="check {escaped(kind)}">{sign}&nbsp;{escaped(status)}</span>'


def table(
    headings: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    label: str,
    numeric: Iterable[int] = (),
    css: str = "",
) -> str:
    """HTML table of cells that are HTML already; wide ones scroll, on phones too.

    Parameters
    ----------
    headings
        Of the columns, plain text.
    rows
        Cells, escaped.
    label
        What the table is, for those who hear it.
    numeric
        Columns of numbers: aligned at the right.
    css
        Further class names.
    """
    numbers = set(numeric)
    head = "".join(_heading(text, number=i in numbers) for i, text in enumerate(headings))
    body = "\n".join(
        f"<tr>{''.join(_cell(c, headings[i], number=i in numbers) for i, c in enumerate(row))}</tr>"
        for row in rows
    )
    return (
        f'<div class="wide" role="region" tabindex="0" aria-label="{escaped(label)}">\n'
        f'<table class="table {css}">\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n'
        "</table>\n</div>\n"
    )


def _heading(text: str, *, number: bool) -> str:
    css = [*(["num"] if number else []), *(["long"] if len(text) > _LONG_HEADING else [])]
    return f'<th scope="col" class="{" ".join(css)}">{escaped(text)}</th>'


def _cell(content: str, heading: str, *, number: bool) -> str:
    css = ' class="num"' if number else ""
    return f'<td{css} data-label="{escaped(heading)}">{content}</td>'


def shown(cell: str, digits: int | None) -> str:
    """A cell of a CSV file as it is read: rounded to `digits`, nothing as a dash."""
    if cell == "":
        return NONE
    if digits is None:
        return cell
    try:
        value = float(cell)
    except ValueError:
        return cell
    return f"{value:,.{digits}f}" if math.isfinite(value) else NONE
