"""The map is true, the rooms are closed, files lie in a row, the house is liveable."""

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from iesoresearch import analyses
from iesoresearch.params import known_runs, load_run, paper_runs
from iesoresearch.project import find

PROJECT = find()
PACKAGE = PROJECT.root / "iesoresearch"
MODULES = sorted(PACKAGE.rglob("*.py"))
MAP = (PROJECT.root / "ARCHITECTURE.md").read_text(encoding="utf-8")


def rows_of(heading):
    """Rows of the first table below a heading of the map, as lists of cells."""
    section = MAP.split(heading, 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_map_lists_every_room_in_the_order_of_the_layers():
    on_map = [re.findall(r"`(\w+)`", row[0]) for row in rows_of("## Rooms")]
    listed = {room for names in on_map for room in names}
    rooms = {p.stem if p.is_file() else p.name for p in PACKAGE.iterdir()}
    assert listed == rooms - {"__init__", "__pycache__"}
    pyproject = (PROJECT.root / "pyproject.toml").read_text(encoding="utf-8")
    layers = pyproject.split("layers = [", 1)[1].split("]", 1)[0]
    contract = [re.findall(r"\w+", line) for line in re.findall(r'"(.+?)"', layers)]
    assert [set(names) for names in on_map] == [set(names) for names in contract[::-1]]


def test_no_room_imports_one_below_it():
    command = [Path(sys.executable).with_name("lint-imports")]
    done = subprocess.run(command, cwd=PROJECT.root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_analysis_has_its_files_in_a_row():
    rows = {row[0]: row for row in rows_of("## One analysis")}
    assert set(rows) == set(analyses.names())
    for name, (_, notebook, code, figures, runs) in rows.items():
        for path in (notebook, code, figures):
            assert (PROJECT.root / path.strip("`")).exists(), path
        assert re.fullmatch(rf"`notebooks/\d\d_{name}\.ipynb`", notebook)
        assert "source" in analyses.get(name).Params.model_fields
        study = importlib.import_module(f"iesoresearch.analyses.{name}.study")
        for needed in ("load", "summary", "run"):
            assert callable(getattr(study, needed, None)), f"{name} lacks {needed}"
        for run in runs.split(", "):
            assert load_run(PROJECT.params, run).analysis == name


def test_every_run_is_on_the_map_and_every_paper_run_has_expected_numbers():
    on_map = {run for row in rows_of("## One analysis") for run in row[4].split(", ")}
    assert on_map == set(known_runs(PROJECT.params))
    for run in paper_runs(PROJECT.params):
        assert (PROJECT.expected / f"{run}.json").is_file(), f"{run} has no expected numbers"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_modules_and_functions_stay_short(path):
    source = path.read_text(encoding="utf-8")
    assert source.count("\n") <= 400, "make it a folder"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            docstring = ast.get_docstring(node, clean=False) or ""
            body = node.end_lineno - node.body[0].lineno - docstring.count("\n")
            assert body <= 55, f"{node.name} has {body} lines"


def test_importing_the_package_is_light():
    """The command line must answer before numpy, polars or a plot library are imported."""
    heavy = "{'numpy', 'polars', 'matplotlib', 'numba', 'sklearn', 'papermill'}"
    code = f"import sys, iesoresearch, iesoresearch.errors; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_words():
    """The agreed word is "patient"; nothing is left to do; no machine is named."""
    texts = [*MODULES, *PROJECT.root.glob("*.md"), *PROJECT.notebooks.glob("*.ipynb")]
    avoided = [r"\bservice[ -]users?\b", r"\b(?:the|our|a|each|every|of|for) clients?\b"]
    avoided += [r"\bTODO\b", r"\bFIXME\b", r"NotImplementedError", r"/(?:home|Users|root)/\w"]
    for path in texts:
        text = path.read_text(encoding="utf-8")
        for pattern in avoided:
            assert not re.search(pattern, text), f"{path.name}: {pattern}"


def test_links_of_the_front_pages_lead_somewhere():
    for page in PROJECT.root.glob("*.md"):
        text = page.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#]+)\)", text):
            if "://" not in target:
                assert (PROJECT.root / target).exists(), f"{page.name} links to {target}"
