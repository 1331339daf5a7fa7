"""A fresh clone works from its own folder: run, change a parameter, report."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from iesoresearch.project import find


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    root = find().root
    if not (root / ".git").exists() or shutil.which("git") is None:
        pytest.skip("not a git checkout, so there is nothing to clone")
    target = tmp_path_factory.mktemp("clone") / "iesoresearch"
    subprocess.run(["git", "clone", "-q", "--no-local", root, target], check=True)
    return target


def command(clone, *words):
    """The clone's own code with this environment's packages."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("IESORESEARCH_")}
    env["PYTHONPATH"] = str(clone)
    return subprocess.run(
        [sys.executable, "-m", "iesoresearch", *words],
        cwd=clone / "notebooks",  # any folder inside will do
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )


def test_from_clone_to_report(clone):
    words = ["run", "cohort-nhs", "-p", "profile=ieso"]  # nothing that a new folder must compile
    done = command(clone, *words)
    assert done.returncode == 0, done.stderr
    status = json.loads((clone / "reports/out/cohort-nhs/status.json").read_text())
    assert status["parameters"]["profile"] == "ieso"

    again = command(clone, *words)
    assert "up to date: cohort-nhs" in again.stderr

    done = command(clone, "report")
    assert done.returncode == 0, done.stderr
    index = clone / "reports" / "out" / "report" / "index.html"
    assert str(index) in done.stdout
    assert "cohort-nhs" in index.read_text(encoding="utf-8")

    dirty = subprocess.run(
        ["git", "status", "--porcelain"], cwd=clone, capture_output=True, text=True, check=True
    )
    assert dirty.stdout == "", "running changes a file that git tracks or does not ignore"


def test_expected_numbers_are_of_other_parameters(clone):
    """A typed service is not England, and verify says so."""
    done = command(clone, "verify", "--run", "cohort-nhs")
    assert done.returncode == 1
    assert "made with other parameters than now" in done.stdout
    assert "number(s) differ" in done.stdout
