"""A small project with runs of every kind, made as the runner makes them."""

import base64
import csv
import json
import shutil
from pathlib import Path

from iesoresearch.analyses import get
from iesoresearch.files import finish, partial, record_path
from iesoresearch.project import Project
from iesoresearch.reporting.freshness import Today

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0h9v9z"/></svg>'
PRIVATE = "row-of-patient-4711"
OUTPUT = "output-of-the-notebook"
ODD = "A <b> & *c* _d_ `e` [f](g) $1 $2"
SUPPRESSED = "suppressed (fewer than 10 people)"
PARAMETERS = get("subtypes").Params().model_dump()


def make_project(root: Path) -> Project:
    """A project with the analysis `subtypes` and three runs for the paper, one never made."""
    for folder in ("params", "notebooks"):
        (root / folder).mkdir(parents=True)
    runs = ["shown", "never", "simulated"]
    for name in runs:
        content = {"analysis": "subtypes", "notebook": "10_tiny.ipynb", "parameters": {}}
        (root / "params" / f"{name}.yaml").write_text(json.dumps(content), encoding="utf-8")
    paper = {"version": 1, "runs": runs}
    (root / "params" / "paper.yaml").write_text(json.dumps(paper), encoding="utf-8")
    (root / "params" / "disclosure.yaml").write_text("min_count: 10\n", encoding="utf-8")
    (root / "notebooks" / "10_tiny.ipynb").write_text(json.dumps(notebook()), encoding="utf-8")
    return Project(root)


def notebook(text: str = OUTPUT, markdown: str = "# Question\n\nWhy?") -> dict:
    """An executed notebook with an injected parameter, a text and an image."""
    image = {"image/png": base64.b64encode(PNG).decode(), "text/plain": ["Figure: a dot"]}
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": [f"{text}\n"]},
        {"output_type": "display_data", "data": image, "metadata": {}},
    ]
    cells = [
        ("markdown", "question", [], markdown, None),
        ("code", "parameters", ["parameters"], "seed = 1", []),
        ("code", "injected", ["injected-parameters"], "seed = 99", []),
        ("code", "run", [], "print('a dot')", outputs),
    ]
    return {
        "cells": [
            {"cell_type": kind, "id": name, "metadata": {"tags": tags}, "source": source}
            | ({} if out is None else {"outputs": out, "execution_count": 1})
            for kind, name, tags, source, out in cells
        ],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def make_run(project: Project, name: str, sensitivity: str, **changes) -> Path:
    """Write a valid run folder; `changes` go into its status, `result` and `notebook` replace."""
    folder = partial(project.out / name)
    (folder / "tables").mkdir()
    (folder / "figures").mkdir()
    (folder / "private").mkdir()
    (folder / "private" / "rows.csv").write_text(PRIVATE, encoding="utf-8")
    _write_tables(folder)
    for suffix, content in (("png", PNG), ("svg", SVG.encode()), ("pdf", b"%PDF-1.4")):
        (folder / "figures" / f"dots.{suffix}").write_bytes(content)
    shutil.copy(folder / "tables" / "short.csv", folder / "figures" / "dots.csv")
    number = {"value": 1.5, "text": "1.5 SD", "unit": "SD", "n": 1234, "sensitivity": sensitivity}
    hidden = {"value": None, "text": "(suppressed)", "unit": "", "n": None}
    contents = {
        "numbers.json": {"gain": number, "few": hidden},
        "checks.json": [
            {"name": "converged", "status": "passed", "sentence": "It did."},
            {"name": "a claim", "status": "failed", "sentence": "Not so: 1 < 2."},
            {"name": "range", "status": "inconclusive", "sentence": "Perhaps."},
            {"name": "truth", "status": "not applicable", "sentence": "Not known."},
        ],
        "result.json": changes.pop("result", None) or described(sensitivity),
        "notebook.ipynb": changes.pop("notebook", None) or notebook(),
    }
    for file, content in contents.items():
        (folder / file).write_text(json.dumps(content), encoding="utf-8")
    finish(folder, project.out / name, {**_status(project, name), **changes})
    return project.out / name


def record(project: Project, name: str, reason: str, **changes) -> None:
    """That the data here cannot answer a run, as the runner records it."""
    path = record_path(project.out, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"run": name, "reason": reason, "parameters": PARAMETERS | changes, "inputs": {}}
    path.write_text(json.dumps(content), encoding="utf-8")


def described(sensitivity: str, **more) -> dict:
    """Content of a result.json."""
    value = {"label": "Value", "digits": 2, "kind": "model"}
    people = {"label": "People", "digits": 0, "kind": "count"}
    columns = {"keys": {"group": "Group"}, "values": {"n": people, "value": value}}
    return {
        "provenance": {
            "title": ODD,
            "data": f"{sensitivity} data",
            "data_fingerprint": "abc",
            "sensitivity": sensitivity,
            "disclosure": {"min_count": 10, "round_to": 5},
        },
        "text": {"plain": "In *short*.", "reading": "Read it so.", "limits": "Nothing more."},
        "tables": {
            "long": {"title": "A long table", **columns},
            "short": {"title": "A short table", **columns},
        },
        "not_applicable": {"waves": "Waves: not applicable, nothing moved."},
        "figures": {"dots": {"title": "Dots", "caption": "All *dots*.", "table": "short"}},
        **more,
    }


def _write_tables(folder: Path) -> None:
    few = [["a", 1234, 0.98765, "released"], ["b", "", "", SUPPRESSED], ["c", 20, "", "released"]]
    many = [[f"g{i}", 1000 + i, i / 7, "released"] for i in range(60)]
    for name, rows in (("short", few), ("long", many)):
        with (folder / "tables" / f"{name}.csv").open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows([["group", "n", "value", "status"], *rows])


def _status(project: Project, name: str) -> dict:
    return {
        "run": name,
        "analysis": "subtypes",
        "notebook": "10_tiny.ipynb",
        "parameters": PARAMETERS,
        "outcome": "finished",
        "key": f"key-of-{name}",
        "inputs": {**Today(project).inputs("10_tiny.ipynb"), "data": "d", "parameters": "p"},
        "versions": {"iesoresearch": "0.1.0", "numpy": "2.5.5"},
        "started": "2026-11-22T12:13:01Z",
        "seconds": 37.0,
    }
