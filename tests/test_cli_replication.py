"""A published model in a file of one's own, through the command line, from another folder."""

import json
import shutil

import pytest

from iesoresearch import files
from iesoresearch.project import find

CASE = """
format: 1
id: mine
title: Somebody's tree
kind: decision_tree
source: {note: made up, licence: MIT}
currency: GBP
parameters: {ill: 0.2}
rewards: {cost: {kind: cost}}
strategies:
  wait:
    tree:
      branches:
        ill: {p: ill, payoffs: {cost: 100}}
        well: {p: rest}
expected:
  tolerance: {cost: 0.5}
  totals: {wait: {cost: 25}}
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A project with the run and no shipped case; the command is called in another folder."""
    real, root = find(), tmp_path / "project"
    (root / "params" / "cases").mkdir(parents=True)
    (root / "notebooks").mkdir()
    for name in ("params/waiting-replication.yaml", "params/disclosure.yaml"):
        shutil.copy(real.root / name, root / name)
    shutil.copy(real.notebooks / "31_waiting_replication.ipynb", root / "notebooks")
    (root / "params" / "paper.yaml").write_text("runs: [waiting-replication]", encoding="utf-8")
    monkeypatch.setenv("IESORESEARCH_PROJECT", str(root))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return root


def test_a_file_beside_the_caller_is_run_and_a_mistake_in_it_stops_the_run(call, tmp_path):
    mine = tmp_path / "elsewhere" / "mine.yaml"
    mine.write_text(CASE, encoding="utf-8")
    words = ("run", "waiting-replication", "-p", "case=mine.yaml")
    code, told, errors = call(*words)
    assert code == 0, errors
    out = call.home / "reports" / "out"
    folder = out / "waiting-replication"
    (check,) = json.loads((folder / "checks.json").read_text(encoding="utf-8"))
    assert check["status"] == "failed"
    assert check["sentence"] == "1 of 1 figures DIFFERS: cost of wait must be 25 ± 0.5 and is 20."
    assert "Run waiting-replication: 1 of 1 checks failed." in told
    assert check["sentence"] in told
    assert files.read_status(folder)["parameters"]["case"] == "mine.yaml"
    assert call(*words)[2].startswith("up to date")

    mine.write_text(CASE.replace("{p: ill,", "{p: il,"), encoding="utf-8")
    code, shown, errors = call(*words)
    assert (code, shown) == (2, "")
    assert "mine.yaml has 1 problem, so nothing was computed:" in errors
    assert "strategies.wait.tree.branches.ill.p (line 14): 'il' is not defined" in errors
    assert "Traceback" not in errors
    kept = json.loads((folder / "checks.json").read_text(encoding="utf-8"))
    assert kept == [check], "what was there before is untouched"
    assert sorted(p.name for p in out.iterdir()) == ["failed", "waiting-replication"]


def test_a_file_that_is_not_there_is_refused_before_anything_runs(call, monkeypatch):
    monkeypatch.setattr("iesoresearch.execution.runner.run_all", None)
    code, shown, errors = call("run", "waiting-replication", "-p", "case=none.yaml")
    assert (code, shown) == (2, "")
    assert "case='none.yaml': no case is called so, and there is no such file in" in errors
    assert len(errors.strip().splitlines()) == 1
    assert not (call.home / "reports").exists()
