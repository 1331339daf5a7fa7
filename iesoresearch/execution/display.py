"""How results look in a notebook. Everything shown is rounded, so that nbval can compare it."""

import base64
import html
import io

from iesoresearch.results import RELEASED, STATUS, SUPPRESSED, TO, Table

_MARKS = {"passed": "✓", "failed": "✗", "not applicable": "–", "inconclusive": "?"}


class TableView:
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

    def _repr_html_(self) -> str:
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


class MarkdownView:
    """Markdown, shown as such."""

    def __init__(self, text: str):
        self.text = text

    def __repr__(self) -> str:
        return self.text

    def _repr_markdown_(self) -> str:
        return self.text


class FigureView:
    """A figure and, below it, its caption."""

    def __init__(self, figure, title: str, caption: str):
        self.figure, self.title, self.caption = figure, title, caption

    def __repr__(self) -> str:
        return f"Figure: {self.title} {self.caption}"

    def _ipython_display_(self):
        from IPython.display import Markdown, display

        stream = io.BytesIO()
        self.figure.savefig(stream, format="png", dpi=150)
        width = round(self.figure.get_figwidth() * 100)
        png = base64.b64encode(stream.getvalue()).decode()
        display(
            {"image/png": png, "text/plain": repr(self)},
            metadata={"image/png": {"width": width}},
            raw=True,
        )
        display(Markdown(f"*{self.caption}*"))
