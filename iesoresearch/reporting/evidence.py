"""Where a run shows what a checklist asks for; what it names and has not is no evidence.

An analysis names, by item of its checklist (`results.Result.evidence`), one or more of

==================  =========================================================================
``table:NAME``      a table of the run that has rows
``figure:NAME``     a figure of the run that was drawn
``number:NAME``     a number
``check:NAME``      a check
``text:NAME``       a part of its text, by a name in `results.TEXT`, or in `results.CARD` if it
                    has a model card
``param:NAME``      a parameter
``provenance:NAME`` what the analysis says of its data
``file:NAME``       another file of the run, such as ``model.json``; never rows of patients
``notebook:TITLE``  the part of its notebook below a heading
``not done: WHY``   it was not done, for a reason
``not applicable: WHY``  there was nothing to do
==================  =========================================================================

A table or figure that the run calls not applicable counts as that, with its reason.
"""

import re
from dataclasses import dataclass

from iesoresearch.files import PRIVATE
from iesoresearch.reporting import figures, markup, tables
from iesoresearch.reporting.runs import EXECUTED, Run
from iesoresearch.results import CARD, TEXT

PAGE_OF_CARD = "model_card"
_REASONS = ("not done", "not applicable")


@dataclass(frozen=True)
class Evidence:
    """What became of a reference.

    Attributes
    ----------
    state
        "evidenced", "not done", "not applicable" or "missing".
    html
        Where it is, linked, with its value if that is short; of what is missing, why.
    """

    state: str
    html: str


def find(run: Run, reference: str) -> Evidence:
    """Where `run` shows what `reference` names."""
    kind, _, name = reference.partition(":")
    name = name.strip()
    if kind in _REASONS and name:
        return Evidence(kind, markup.escaped(name))
    reason = run.result["not_applicable"].get(name) if kind in {"table", "figure"} else None
    if reason:
        return Evidence("not applicable", markup.escaped(reason))
    shown = _FINDERS[kind](run, name) if kind in _FINDERS else None
    if shown is None:
        return Evidence("missing", f"{markup.code(reference)} is not in the run")
    return Evidence("evidenced", shown)


def _table(run: Run, name: str) -> str | None:
    if not (name in run.result["tables"] and run.table(name)):
        return None
    title = run.result["tables"][name]["title"]
    return "table " + markup.link(f"index.html#{tables.anchor(name)}", title)


def _figure(run: Run, name: str) -> str | None:
    if not (name in run.result["figures"] and figures.image(run, name)):
        return None
    title = run.result["figures"][name]["title"]
    return "figure " + markup.link(f"index.html#{figures.anchor(name)}", title)


def _number(run: Run, name: str) -> str | None:
    if name not in run.numbers:
        return None
    link = markup.link("index.html#findings-and-checks", name)
    return f"number {link}: {markup.escaped(run.numbers[name]['text'])}"


def _check(run: Run, name: str) -> str | None:
    for check in run.checks:
        if check["name"] == name:
            link = markup.link("index.html#findings-and-checks", name)
            return f"check {link}: {markup.mark(check['status'])}"
    return None


def _text(run: Run, name: str) -> str | None:
    if not run.result["text"].get(name, "").strip():
        return None
    if not (name in TEXT or run.checklist.model_card):
        return None  # on no page
    page = "index" if name in TEXT else PAGE_OF_CARD
    heading = (TEXT | CARD).get(name, name)
    return "text " + markup.link(f"{page}.html#{markup.text_anchor(name)}", heading)


def _parameter(run: Run, name: str) -> str | None:
    if name not in run.status["parameters"]:
        return None
    value = run.status["parameters"][name]
    return f"parameter {markup.link('index.html#parameters', name)}: {markup.escaped(value)}"


def _provenance(run: Run, name: str) -> str | None:
    value = run.provenance.get(name)
    if value in (None, "", [], {}):
        return None
    link = markup.link("index.html#where-it-comes-from", name.replace("_", " "))
    return f"{link}: {markup.escaped(value)}"


def _file(run: Run, name: str) -> str | None:
    if name.startswith(f"{PRIVATE}/") or name not in run.status["files"]:
        return None
    if name in run.public_files:
        return "file " + markup.link(name, name)
    return f"file {markup.code(name)} of the run"


def _notebook(run: Run, title: str) -> str | None:
    cells = [c for c in run.notebook["cells"] if c["cell_type"] == "markdown"]
    lines = "\n".join("".join(cell["source"]) for cell in cells).splitlines()
    if not any(re.fullmatch(rf"#+ {re.escape(title)}\s*", line) for line in lines):
        return None
    page = f"{EXECUTED}.html" if run.shows_notebook else run.source_notebook
    return "notebook, " + markup.link(page, title)


_FINDERS = {
    "table": _table,
    "figure": _figure,
    "number": _number,
    "check": _check,
    "text": _text,
    "param": _parameter,
    "provenance": _provenance,
    "file": _file,
    "notebook": _notebook,
}
