"""Notebooks of a run: as it was written, as it was executed, as Sphinx renders it."""

import copy
import json
from typing import Any

from iesoresearch.reporting import markup
from iesoresearch.reporting.runs import NOTEBOOK, Run

_INJECTED = "injected-parameters"


def source(run: Run) -> dict[str, Any]:
    """The notebook as it was written: sources only, so that nothing computed can be in it."""
    cells = []
    for cell in run.notebook["cells"]:
        if _INJECTED in cell["metadata"].get("tags", []):
            continue
        tags = [tag for tag in cell["metadata"].get("tags", []) if tag == "parameters"]
        kept = {k: cell[k] for k in ("cell_type", "id", "source") if k in cell}
        kept["metadata"] = {"tags": tags} if tags else {}
        if cell["cell_type"] == "code":
            kept |= {"outputs": [], "execution_count": None}
        cells.append(kept)
    known = {"kernelspec", "language_info"}
    metadata = {k: v for k, v in run.notebook["metadata"].items() if k in known}
    return {
        "cells": cells,
        "metadata": metadata,
        "nbformat": run.notebook["nbformat"],
        "nbformat_minor": run.notebook["nbformat_minor"],
    }


def page(run: Run) -> dict[str, Any]:
    """The executed notebook as a page: titled, marked if simulated, its images described."""
    notebook = copy.deepcopy(run.notebook)
    notebook["metadata"].setdefault("language_info", {"name": "python"})  # colours the code
    for cell in notebook["cells"]:
        _describe_images(cell)
    title, rest = _title(run, notebook["cells"])
    links = f"{markup.link(NOTEBOOK, 'Download')} · {markup.link('index.html', 'Results')}"
    head = [
        title,
        f'<p class="files">{links}</p>',
    ]
    if run.simulated:
        head.append(markup.banner(stays=True))
    notebook["cells"] = [_markdown("\n\n".join(head), notebook), *rest]
    return notebook


def _title(run: Run, cells: list[dict[str, Any]]) -> tuple[str, list[dict[str, Any]]]:
    """The heading a notebook starts with, or one of our own; and the cells without it."""
    first = "".join(cells[0]["source"]) if cells and cells[0]["cell_type"] == "markdown" else ""
    title, _, rest = first.partition("\n")
    if not title.startswith("# "):
        return f"# Notebook of run {markup.plain(run.name)}", cells
    # the run is named too, or a search would find pages that nothing tells apart
    return f"{title}: notebook of {markup.plain(run.name)}", [
        {**cells[0], "source": rest},
        *cells[1:],
    ]


def has_maths(run: Run) -> bool:
    """The page of the notebook, or a text of the run, may hold mathematics."""
    texts = [json.dumps(run.result)]
    if run.shows_notebook:
        texts.append(json.dumps(run.notebook))
    return any("$" in text or r"\\begin{" in text or "text/latex" in text for text in texts)


def _describe_images(cell: dict[str, Any]) -> None:
    """The text that stands for an output is what is heard instead of the image."""
    alts = [
        "".join(output["data"].get("text/plain", []))
        for output in cell.get("outputs", [])
        if any(kind.startswith("image/") for kind in output.get("data", {}))
    ]
    if alts:
        options = cell["metadata"].setdefault("mystnb", {}).setdefault("image", {})
        options.setdefault("alt", " ".join(" / ".join(alts).split()))


def _markdown(text: str, notebook: dict[str, Any]) -> dict[str, Any]:
    cell = {"cell_type": "markdown", "metadata": {}, "source": text}
    if (notebook["nbformat"], notebook["nbformat_minor"]) >= (4, 5):
        cell["id"] = "report-head"
    return cell
