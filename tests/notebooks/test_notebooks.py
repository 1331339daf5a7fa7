"""Every committed notebook keeps the contract of a notebook; nbval compares what it shows."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from iesoresearch import analyses

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))

# Outputs are committed, so a source gets here only when everybody may see what it holds.
OPEN_SOURCES = {"btheb", "nhanes", "published", "synthetic"}
NOT_THIN = (
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef),
    *(ast.For, ast.AsyncFor, ast.While, ast.comprehension),
)
FILE_PATH = re.compile(r"[/\\~]|\.(csv|html|ipynb|json|md|parquet|pdf|png|py|svg|tsv|txt|ya?ml)$")
# Two parts at least, so that "and/or", "</td>" and addresses of the web are none.
MACHINE_PATH = re.compile(r"(?<![\w</:.])/[\w.-]+/[\w.-]|\b[A-Za-z]:\\\w")
MEMORY_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}")
OTHER_WORDS = re.compile(r"\b(clients?|service[ -]users?)\b", re.IGNORECASE)


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request) -> nbformat.NotebookNode:
    return nbformat.read(request.param, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def outputs(notebook):
    return [output for cell in code_cells(notebook) for output in cell.outputs]


def trees(notebook):
    return [node for cell in code_cells(notebook) for node in ast.walk(ast.parse(cell.source))]


def parameters_cell(notebook):
    (cell,) = [c for c in notebook.cells if "parameters" in c.metadata.get("tags", [])]
    return cell


def shown_text(notebook) -> str:
    """All that the stored outputs show or hide, images apart."""
    texts = []
    for output in outputs(notebook):
        texts += [output.get("text", ""), *output.get("traceback", [])]
        texts += [str(v) for kind, v in output.get("data", {}).items() if kind[:6] != "image/"]
    return "\n".join(texts)


def test_there_are_notebooks():
    assert NOTEBOOKS


# What is written


def test_it_has_at_most_twelve_cells_and_one_title(notebook):
    assert len(notebook.cells) <= 12
    prose = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    titles = [line for text in prose for line in text.splitlines() if line.startswith("# ")]
    assert len(titles) == 1, titles
    assert notebook.cells[0].source.startswith(titles[0]), "the title comes first"


def test_its_parameters_are_those_of_its_analysis(notebook):
    names = re.findall(
        r"open_analysis\(\"(\w+)\"", "\n".join(c.source for c in code_cells(notebook))
    )
    assert len(names) == 1, "a notebook opens one analysis"
    assert parameters_cell(notebook).source == analyses.get(names[0]).Params.cell()


def test_its_code_is_thin(notebook):
    found = [type(node).__name__ for node in trees(notebook) if isinstance(node, NOT_THIN)]
    assert not found, f"belongs into iesoresearch/: {found}"
    for cell in code_cells(notebook):
        ends = [line for line in cell.source.splitlines() if line.rstrip().endswith(";")]
        assert not ends, f"a ; hides what nbval compares: {ends}"


def test_it_imports_iesoresearch_only(notebook):
    imports = [n for n in trees(notebook) if isinstance(n, ast.Import | ast.ImportFrom)]
    others = [ast.unparse(n) for n in imports if ast.unparse(n) != "import iesoresearch"]
    assert not others


def test_it_names_no_path(notebook):
    texts = [node.value for node in trees(notebook) if isinstance(node, ast.Constant)]
    paths = [text for text in texts if isinstance(text, str) and FILE_PATH.search(text)]
    assert not paths, f"the kernel's folder is the notebook's in JupyterLab only: {paths}"


def test_it_speaks_of_patients(notebook):
    sources = "\n".join(cell.source for cell in notebook.cells)
    words = OTHER_WORDS.findall(sources + shown_text(notebook))
    assert not words, f"the agreed word is patient, not {words}"


def test_its_cells_have_names_that_stay(notebook):
    ids = [cell.id for cell in notebook.cells]
    random = [name for name in ids if not re.fullmatch(r"[a-z]+(-[a-z]+)*", name)]
    assert not random, f"name these cells with words, so that a change in git stays small: {random}"
    assert len(set(ids)) == len(ids)


def test_its_metadata_are_those_of_any_machine(notebook):
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    assert notebook.metadata == {"kernelspec": kernel, "language_info": {"name": "python"}}
    for cell in notebook.cells:  # no papermill, no execution times
        assert set(cell.metadata) <= {"tags"}, f"{cell.id}: run `make notebooks`"


# What is stored of the last run


def test_every_code_cell_was_run_in_turn(notebook):
    counts = [cell.execution_count for cell in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1)), "run `make notebooks`"


def test_it_stores_no_error_and_no_warning(notebook):
    assert not [o.evalue for o in outputs(notebook) if o.output_type == "error"]
    assert not [o.text for o in outputs(notebook) if o.get("name") == "stderr"]


@pytest.mark.parametrize("pattern", [MACHINE_PATH, MEMORY_ADDRESS], ids=["path", "address"])
def test_it_stores_nothing_of_the_machine(notebook, pattern):
    found = [match.group() for match in pattern.finditer(shown_text(notebook))]
    assert not found


def test_its_stored_outputs_come_from_open_or_synthetic_data(notebook):
    lines = ast.parse(parameters_cell(notebook).source).body
    defaults = {line.targets[0].id: ast.literal_eval(line.value) for line in lines}
    assert defaults["source"] in OPEN_SOURCES, "never commit outputs made from a site's data"


@pytest.mark.parametrize(
    ("text", "is_path"),
    [
        ("/srv/data/x.csv", True),
        ("(from /srv/data)", True),
        ("'C:\\data'", True),
        ("<td>and/or</td></tr>", False),
        ("https://example.org/a/b", False),
        ("PHQ-9/GAD-7, 3 / 4", False),
    ],
)
def test_a_machine_path_is_told_from_other_slashes(text, is_path):
    assert bool(MACHINE_PATH.search(text)) == is_path


# nbval really compares: a notebook without outputs, say, passes whatever it shows


@pytest.mark.parametrize("changed", [False, True], ids=["as stored", "one digit changed"])
def test_nbval_sees_a_changed_number(tmp_path, changed):
    notebook = nbformat.read(ROOT / "notebooks" / "10_subtypes.ipynb", as_version=4)
    summary = [cell.id for cell in notebook.cells].index("summary")
    notebook.cells = notebook.cells[: summary + 1]  # the rest takes longer and adds nothing
    if changed:
        shown = notebook.cells[summary].outputs[0].data
        shown["text/plain"] = one_more(shown["text/plain"])
    nbformat.write(notebook, tmp_path / "copy.ipynb")
    result = nbval(tmp_path)
    counts = "1 failed, 2 passed" if changed else "3 passed"
    assert result.stdout.splitlines()[-1].startswith(counts), result.stdout
    assert ("mismatch 'text/plain'" in result.stdout) == changed
    assert result.returncode == int(changed)


def one_more(text: str) -> str:
    """`text` with its last digit changed."""
    last = re.search(r"\d(?=\D*$)", text)
    digit = (int(last.group()) + 1) % 10
    return f"{text[: last.start()]}{digit}{text[last.end() :]}"


def nbval(folder: Path) -> subprocess.CompletedProcess:
    """Test the notebooks in `folder` as `make test` does, apart from any surrounding pytest."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
    env["IESORESEARCH_PROJECT"] = str(ROOT)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--color=no"]
    return subprocess.run(
        [*command, "--nbval", "--nbval-current-env", str(folder)],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
