"""How results look in a notebook. Everything shown is rounded, so that nbval can compare it."""

import base64
import html
import io

from iesoresearch.results import Table

_MARKS = {"passed": "✓", "failed": "✗", "not applicable": "–", "inconclusive": "?"}


class TableView:
    """A table with its title; `rows` are already text."""

    def __init__(self, title: str, headings: list[str], rows: list[list[str]], note: str = ""):
        self.title, self.headings, self.rows, self.note = title, headings, rows, note

    @classmethod
    def of(cls, table: Table) -> "TableView":
        """View of a released table."""
        hidden = any("–" in row for row in table.rows())
        note = "–: suppressed, too few people" if hidden else ""
        return cls(table.title, list(table.headings.values()), table.rows(), note)

    def __repr__(self) -> str:
        lines = [self.headings, *self.rows]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.headings))]
        text = [
            "  ".join(cell.rjust(w) for cell, w in zip(line, widths, strict=True)).rstrip()
            for line in lines
        ]
        return "\n".join([self.title, "", *text, *([self.note] if self.note else [])])

    def _repr_html_(self) -> str:
        def row(cells, tag):
            return "<tr>" + "".join(f"<{tag}>{html.escape(c)}</{tag}>" for c in cells) + "</tr>"

        body = "".join(row(cells, "td") for cells in self.rows)
        note = f"<p><small>{html.escape(self.note)}</small></p>" if self.note else ""
        return (
            f"<p><b>{html.escape(self.title)}</b></p>"
            f"<table><thead>{row(self.headings, 'th')}</thead><tbody>{body}</tbody></table>{note}"
        )


def checks_view(checks: list[tuple[str, str, str]]) -> TableView:
    """Table of (name, status, sentence)."""
    rows = [[f"{_MARKS[status]} {status}", name, sentence] for name, status, sentence in checks]
    return TableView("Checks", ["Answer", "Question", "Finding"], rows)


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
