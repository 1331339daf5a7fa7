"""A small project with runs of every kind, made as the runner makes them."""

import base64
import csv
import json
import shutil
from pathlib import Path

import polars as pl

from iesoresearch.analyses import get
from iesoresearch.files import finish, partial, record_path, write_private
from iesoresearch.project import Project
from iesoresearch.reporting.freshness import Today
from iesoresearch.reporting.statements import CHECKLISTS, OURS
from iesoresearch.results import CARD

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
    write_private(folder, {"rows": pl.DataFrame({"patient_id": [PRIVATE], "p": [0.5]})})
    (folder / "model.json").write_text("{}", encoding="utf-8")
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
        "not_applicable": dict.fromkeys(
            ("waves", "ripples"), "Waves: not applicable, nothing moved."
        ),
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


#: Where the model of `model` shows what TRIPOD+AI asks for; what people state is left to them.
EVIDENCE = {
    **{"1": ["provenance:title"], "2": ["text:plain"], "3b": ["text:intended_use", "text:users"]},
    **{"4": ["text:plain"], "5a": ["text:data", "provenance:data"], "6b": ["table:short"]},
    **{"6c": ["text:data"], "7": ["notebook:Question"], "8a": ["text:outcome"]},
    **{"9a": ["text:predictors"], "9b": ["text:predictors"], "10": ["number:gain", "check:range"]},
    **{"11": ["text:methods"], "12a": ["text:methods"], "12b": ["text:methods"]},
    **{"12c": ["text:methods", "param:seed"], "12d": ["text:methods"], "12e": ["text:methods"]},
    **{"12f": ["not done: it is not evaluated elsewhere"], "12g": ["file:model.json"]},
    **{"13": ["not applicable: neither outcome is rare"], "14": ["text:fairness"]},
    **{"15": ["text:outcome"], "16": ["not applicable: the same data, in folds"]},
    **{"20a": ["table:long"], "20b": ["table:long"], "20c": ["not applicable: the same data"]},
    **{"21": ["number:gain"], "22": ["file:model.json"], "23a": ["table:short", "figure:dots"]},
    **{"23b": ["table:short", "figure:waves"], "24": ["not done: it was not updated"]},
    **{"26": ["text:limits"], "27a": ["text:inputs"], "27b": ["text:users"]},
    "27c": ["text:next_steps"],
}
CARD_TEXT = {name: f"Words on *{name}*." for name in CARD}


def make_model(project: Project, name: str, sensitivity: str, **changes) -> Path:
    """Write a run of a prediction model; `changes` replace parts of its result.json."""
    text = described(sensitivity)["text"] | CARD_TEXT
    content = described(sensitivity, **{"text": text, "evidence": EVIDENCE} | changes)
    return make_run(project, name, sensitivity, result=content)


#: Where the evaluation of `evaluation` shows what CHEERS 2022 asks for.
OF_EVALUATION = {
    **{"1": ["provenance:title"], "2": ["text:plain"], "3": ["notebook:Question"]},
    **{"5": ["text:reading"], "6": ["text:reading"], "7": ["table:short"], "8": ["param:seed"]},
    **{"9": ["param:seed"], "10": ["param:seed"], "11": ["text:reading"], "12": ["text:reading"]},
    **{"13": ["table:short"], "14": ["table:short"], "15": ["provenance:data"]},
    **{"16": ["notebook:Question", "file:model.json"], "17": ["check:converged"]},
    **{"18": ["figure:waves", "table:long"], "20": ["table:long"], "22": ["table:long"]},
    **{"19": ["not done: nothing is known of it"], "23": ["number:gain", "figure:dots"]},
    **{"24": ["figure:waves"], "26": ["text:limits"]},
}
EVIDENCES = {"tripod": EVIDENCE, "cheers": OF_EVALUATION}


def make_evaluation(project: Project, name: str, sensitivity: str, **changes) -> Path:
    """Write a run of an economic evaluation; `changes` replace parts of its result.json."""
    content = {"evidence": OF_EVALUATION, "checklist": "cheers"} | changes
    return make_run(project, name, sensitivity, result=described(sensitivity, **content))


def state(project: Project, path: str = OURS, section: str = "tripod", **changes) -> None:
    """Write statements on all that only people know, and on what evidence leaves to them.

    `changes` go into a section; None takes a line out.
    """
    said = {name: _said(name) for name in CHECKLISTS} | {"contact": {"done": "Words on contact."}}
    said[section] |= changes
    file = project.root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(said), encoding="utf-8")


def _said(name: str) -> dict[str, dict[str, str]]:
    items, shown = CHECKLISTS[name].items, EVIDENCES[name]
    left = [number for number in items if number not in shown or items[number].people]
    return {number: {"done": f"Words of people on {name} {number}."} for number in left}
