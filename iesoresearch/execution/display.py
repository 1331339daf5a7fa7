"""How results look in a notebook. Everything shown is rounded, so that nbval can compare it.

Everything shown says in its metadata whether patients' records may stand behind it (`stamped`), so
that nobody commits it by accident (`execution.committed`).
"""

import base64
import html
import io
from typing import Any, Self

from iesoresearch.results import RELEASED, STATUS, SUPPRESSED, TO, Table

_MARKS = {"passed": "✓", "failed": "✗", "not applicable": "–", "inconclusive": "?"}


#: Key of the stamp in the metadata of an output, and what it says.
STAMP, PATIENTS, PUBLIC = "iesoresearch", "patients\u2019 records", "open or synthetic"


class View:
    """Something a notebook shows, with a stamp that says what data it may come from."""

    origin: str | None = None

    def stamped(self, reads_patients: bool) -> Self:
        """The same, said to come from patients' records or from open or synthetic data."""
        self.origin = PATIENTS if reads_patients else PUBLIC
        return self

    @property
    def metadata(self) -> dict[str, Any]:
        """Of every output that shows this."""
        return {} if self.origin is None else {STAMP: {"data": self.origin}}

    def _repr_mimebundle_(self, include=None, exclude=None):
        """What IPython shows, and its metadata."""
        return self.shown(), self.metadata

    def shown(self) -> dict[str, str]:
        """By MIME type."""
        return {"text/plain": repr(self)}


class TableView(View):
    """A table with its title; `rows` are already text, `words` says which columns hold words."""

    def __init__(self, title, headings, rows, words=None, note=""):
        self.title, self.headings, self.rows, self.note = title, headings, rows, note
        self.words = words or [True] * len(headings)

    @classmethod
    def of(cls, table: Table) -> "TableView":
        """View of a released table."""
        rows = table.rows()
        notes = "; ".join(_meanings(table, rows))
        note = f"{SUPPRESSED}: {notes}" if notes else ""
        return cls(table.title, table.headings, rows, table.text_columns, note)

    def __repr__(self) -> str:
        lines = [self.headings, *self.rows]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.headings))]
        text = [
            "  ".join(
                cell.ljust(width) if word else cell.rjust(width)
                for cell, width, word in zip(line, widths, self.words, strict=True)
            ).rstrip()
            for line in lines
        ]
        return "\n".join([self.title, "", *text, *([self.note] if self.note else [])])

    def shown(self) -> dict[str, str]:
        """As text and as HTML."""
        return {"text/plain": repr(self), "text/html": self._html()}

    def _html(self) -> str:
        def row(cells, tag):
            sides = ["left" if word else "right" for word in self.words]
            filled = [
                f'<{tag} style="text-align: {side}">{_escape(cell)}</{tag}>'
                for cell, side in zip(cells, sides, strict=True)
            ]
            return f"<tr>{''.join(filled)}</tr>"

        body = "".join(row(cells, "td") for cells in self.rows)
        note = f"<p><small>{_escape(self.note)}</small></p>" if self.note else ""
        return (
            f"<p><b>{_escape(self.title)}</b></p>"
            f"<table><thead>{row(self.headings, 'th')}</thead><tbody>{body}</tbody></table>{note}"
        )


def _meanings(table: Table, rows: list[list[str]]) -> list[str]:
    """What a dash in these rows means."""
    status = table.frame[STATUS] if STATUS in table.frame.columns else [RELEASED] * len(rows)
    said = {
        "no value" if reason == RELEASED else "suppressed, too few people": True
        for reason, row in zip(status, rows, strict=True)
        if any(SUPPRESSED in cell.split(TO) for cell in row)
    }
    return sorted(said, reverse=True)


def _escape(text: str) -> str:
    return html.escape(text).replace(" %", "&nbsp;%")


def checks_view(checks: list[tuple[str, str, str]]) -> TableView:
    """Table of (name, status, sentence)."""
    rows = [
        [name, f"{_MARKS[status]} {status}".replace(" ", "\u00a0"), text]
        for name, status, text in checks
    ]
    return TableView("Checks", ["Check", "Outcome", "Finding"], rows)


class MarkdownView(View):
    """Markdown, shown as such."""

    def __init__(self, text: str):
        self.text = text

    def __repr__(self) -> str:
        return self.text

    def shown(self) -> dict[str, str]:
        """As text and as Markdown."""
        return {"text/plain": self.text, "text/markdown": self.text}


class FigureView(View):
    """A figure and, below it, its caption."""

    def __init__(self, figure, title: str, caption: str):
        self.figure, self.title, self.caption = figure, title, caption

    def __repr__(self) -> str:
        return f"Figure: {self.title} {self.caption}"

    def _ipython_display_(self):
        from IPython.display import display

        stream = io.BytesIO()
        self.figure.savefig(stream, format="png", dpi=150)
        width = round(self.figure.get_figwidth() * 100)
        png = base64.b64encode(stream.getvalue()).decode()
        display(
            {"image/png": png, "text/plain": repr(self)},
            metadata={"image/png": {"width": width}} | self.metadata,
            raw=True,
        )
        caption = MarkdownView(f"*{self.caption}*")
        display(caption.shown(), metadata=self.metadata, raw=True)
