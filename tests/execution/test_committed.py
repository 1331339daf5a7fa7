"""What may come from patients' records is not committed with a notebook."""

import json
import subprocess
from pathlib import Path

import nbformat
import pytest
from IPython.core.formatters import DisplayFormatter
from nbformat import v4

from iesoresearch.cli import main
from iesoresearch.errors import DataError
from iesoresearch.execution import committed
from iesoresearch.execution.display import MarkdownView, TableView

ROOT = Path(__file__).resolve().parents[2]


def shown(view, kind="display_data"):
    """The output that a notebook keeps of something shown."""
    data, metadata = DisplayFormatter().format(view)
    more = {"execution_count": 1} if kind == "execute_result" else {}
    return v4.new_output(kind, data, metadata=metadata, **more)


def table(reads_patients):
    return shown(TableView("Counts", ["n"], [["4711"]]).stamped(reads_patients))


def written(folder, *outputs, name="a.ipynb", source="study.table('counts')", **metadata):
    cell = v4.new_code_cell(source, outputs=list(outputs))
    notebook = v4.new_notebook(cells=[v4.new_markdown_cell("# Q"), cell], metadata=metadata)
    path = folder / name
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path


def test_open_and_synthetic_data_may_be_committed(tmp_path):
    note = shown(MarkdownView("*None here.*").stamped(False), "execute_result")
    assert committed.problems(written(tmp_path, table(False), note)) == []


OUTPUTS = {
    "patients’ records": table(True),
    "without a stamp": shown(TableView("Counts", ["n"], [["4711"]])),
    "stream": v4.new_output("stream", text="4711"),
    "error": v4.new_output("error", ename="E", evalue="4711", traceback=["4711"]),
    "frame": v4.new_output("execute_result", {"text/plain": "4711"}, execution_count=1),
}


@pytest.mark.parametrize("output", OUTPUTS.values(), ids=OUTPUTS)
def test_everything_else_is_refused_and_taken_out(tmp_path, output):
    path = written(tmp_path, table(False), output, table(False))
    (said,) = committed.problems(path)
    assert said.endswith("(cell 2)")
    assert ("patients’ records" in said) == (output is OUTPUTS["patients’ records"])
    assert committed.scrub(path) == 1
    assert committed.problems(path) == []
    kept = nbformat.read(path, as_version=4).cells[1].outputs
    assert kept == [table(False)] * 2


def test_metadata_and_paths_of_a_machine_are_refused(tmp_path):
    path = written(
        tmp_path, table(False), source="x = '/home/ada/tables'",
        papermill={"input_path": "/home/ada/a.ipynb"},
        kernelspec={"name": "ada", "display_name": "Ada", "language": "python"},
    )  # fmt: skip
    notebook = json.loads(path.read_text())
    notebook["cells"][0]["attachments"] = {"a.png": {"image/png": "4711"}}
    notebook["cells"][1]["metadata"] = {"tags": ["parameters"], "execution": {"started": "now"}}
    notebook["cells"][1]["outputs"][0]["data"]["text/plain"] += " C:\\Users\\ada"
    path.write_text(json.dumps(notebook))
    source = "a folder of somebody’s home in its source (cell 2)"
    assert set(committed.problems(path)) == {
        "metadata 'papermill' of the notebook",
        "the kernelspec of somebody’s machine",
        "a file dropped into it (cell 1)",
        "metadata 'execution' (cell 2)",
        "a folder of somebody’s home in an output (cell 2)",
        source,
    }
    assert committed.scrub(path) == 5
    assert committed.problems(path) == [source]  # its author's to change
    assert "Ada" not in path.read_text()
    assert nbformat.read(path, as_version=4).cells[1].metadata == {"tags": ["parameters"]}


# made up: numbers that are kept free for fiction, and an NHS number nobody has
TYPED = {
    "NHS numbers": ["# Ask 943 476 5919.", "rows = [9434765919]"],
    "e-mail addresses": ["Mail ada@example.org.", "x = 'ada@nhs.example'"],
    "postcodes": ["Near ZZ99 3WZ.", "x = 'SW1A 1AA'"],
    "telephone numbers": ["Ring 020 7946 0958", "x = '+44 1632 960123'"],
}


@pytest.mark.parametrize(("kind", "typed"), [(k, text) for k, of in TYPED.items() for text in of])
def test_identifiers_that_somebody_typed_are_refused(tmp_path, kind, typed):
    path = written(tmp_path, table(False), source=typed)
    said = f"what looks like {kind} in its source"
    assert committed.problems(path) == [f"{said} (cell 2)"]
    assert typed.split()[1] not in said
    notebook = json.loads(path.read_text())
    notebook["cells"][0]["source"] = typed.splitlines(keepends=True)
    path.write_text(json.dumps(notebook))
    assert committed.problems(path) == [f"{said} (cell 1, 2)"]
    assert committed.scrub(path) == 0


@pytest.mark.parametrize(
    "typed",
    [
        "seed = 20261123", "n = 9_434_765_919", "p = 0.9434765919", "doi:10.3102/10769986030003261",
        "x = 9434765918", "@cache\ndef f(): ...", "A1 = 3; B2 = 4", "https://osf.io/1234567890",
    ],
)  # fmt: skip
def test_other_numbers_and_words_are_no_identifiers(tmp_path, typed):
    assert committed.problems(written(tmp_path, table(False), source=typed)) == []


def test_a_file_written_out_in_a_text_is_refused(tmp_path):
    path = written(tmp_path, source="![a](data:image/png;base64,iVBORw0KGgo=)")
    assert committed.problems(path) == ["a file written out in its source (data:) (cell 2)"]
    assert committed.problems(written(tmp_path, source="the data: text/plain")) == []


def test_all_notebooks_that_could_be_committed_are_looked_at(tmp_path):
    places = ["notebooks/a.ipynb", "docs/deep/b.ipynb", "mine/c.ipynb"]
    for place in places:
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        written((tmp_path / place).parent, name=Path(place).name)
    checkpoint = tmp_path / "notebooks" / ".ipynb_checkpoints"
    checkpoint.mkdir()
    written(checkpoint)
    home = tmp_path / "notebooks"
    without_git = committed.notebooks(tmp_path, home)
    assert without_git == [tmp_path / places[0]]
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / ".gitignore").write_text("/mine/\n.ipynb_checkpoints/\n", encoding="utf-8")
    assert committed.notebooks(tmp_path, home) == [tmp_path / place for place in sorted(places[:2])]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"cells": [{}], "metadata": {}}'])
def test_what_is_no_notebook_is_refused(tmp_path, content):
    path = tmp_path / "a.ipynb"
    path.write_text(content)
    with pytest.raises(DataError, match="cannot be read as a notebook, so nobody can tell"):
        committed.problems(path)


def command(monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["iesoresearch", "check-notebooks", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        main()
    return stopped.value.code


def test_the_command_names_all_and_shows_nothing(tmp_path, monkeypatch, capsys):
    paths = [written(tmp_path, table(True), name=f"{name}.ipynb") for name in "ab"]
    assert command(monkeypatch, *paths) == 5
    said = capsys.readouterr().err
    assert "2 notebook(s) may not be committed" in said
    assert "a.ipynb: an output that may come from patients’ records (cell 2)" in said
    assert "4711" not in said
    assert command(monkeypatch, "--scrub", *paths) == 0
    assert "a.ipynb: 1 thing(s) taken out." in capsys.readouterr().out


def test_notebooks_of_the_project_may_be_committed(monkeypatch, capsys):
    monkeypatch.setenv("IESORESEARCH_PROJECT", str(ROOT))
    assert command(monkeypatch) == 0, capsys.readouterr().err


def test_the_hook_looks_at_what_is_staged(tmp_path):
    def git(*arguments):
        return subprocess.run(
            ["git", "-c", "user.name=A", "-c", "user.email=a@b", *arguments],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip

    git("init", "-q")
    git("config", "core.hooksPath", str(ROOT / ".ci" / "hooks"))
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    written(tmp_path, table(True))
    git("add", "a.ipynb")
    written(tmp_path, table(False))  # mended, but not staged
    refused = git("commit", "-qm", "Real")
    assert refused.returncode != 0
    assert "1 notebook(s) may not be committed" in refused.stderr
    git("add", "a.ipynb")
    assert git("commit", "-qm", "Open").returncode == 0
