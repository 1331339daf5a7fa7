"""PARTNERS.md is followed to the letter: from a site's files to a bundle that the centre lets in.

Two things differ from a partner's day: only one of the runs is made, so that it takes seconds, and
no address of the internet can be reached.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
import yaml

from iesoresearch.data import synthetic
from iesoresearch.project import find

ROOT = find().root
PAGE = (ROOT / "PARTNERS.md").read_text(encoding="utf-8")
COMMANDS = [
    line
    for block in re.findall(r"^```sh\n(.*?)^```", PAGE, re.M | re.S)
    for line in block.splitlines()
]
# whatever a process of Python tries to reach beyond this machine fails, and is written down
OFFLINE = """
import os, socket
connect = socket.socket.connect
def refused(self, address):
    if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
        open(os.environ["CALLED"], "a").write("a call\\n")
        raise OSError("offline")
    return connect(self, address)
socket.socket.connect = refused
socket.getaddrinfo = lambda host, *_, **__: refused(socket.socket(), (host, 0))
"""
SMALL = {"n_imputations": 2, "n_likeness": 2000}


@pytest.fixture(scope="module")
def partner(tmp_path_factory):
    """Her clone, with the files of her system."""
    home = tmp_path_factory.mktemp("partner") / "clone"
    ignored = shutil.ignore_patterns("sites", "cases", "frozen.json")
    shutil.copytree(ROOT / "params", home / "params", ignore=ignored)
    (home / "notebooks").symlink_to(ROOT / "notebooks")
    shutil.copy(ROOT / "requirements.lock", home)
    (home / "params" / "sites").mkdir()
    runs = {"site-cohort": {"run": "cohort", "parameters": SMALL}}
    (home / "params" / "site.yaml").write_text(yaml.safe_dump({"version": 1, "runs": runs}))
    cohort = synthetic.make(3000, seed=5)
    for name, table in [("people", cohort.patients), ("referrals", cohort.referrals),
                        ("appointments", cohort.contacts)]:  # fmt: skip
        filled = [c for c in table.columns if table[c].null_count() < table.height]
        table.select(filled).write_csv(home / f"{name}.csv")
    (home / "offline").mkdir()
    (home / "offline" / "sitecustomize.py").write_text(OFFLINE)
    return home


def told(home: Path, line: str) -> subprocess.CompletedProcess:
    """One line of the page, at the prompt of her clone."""
    words = shlex.split(line)
    assert words[0] == "iesoresearch", line
    env = {k: v for k, v in os.environ.items() if not k.startswith("IESORESEARCH_")}
    env |= {"PYTHONPATH": f"{home / 'offline'}{os.pathsep}{ROOT}", "CALLED": str(home / "called")}
    return subprocess.run(
        [sys.executable, "-P", "-m", "iesoresearch", *words[1:]],
        cwd=home, env=env, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.fixture(scope="module")
def followed(partner):
    """What each line of the page said and how it ended."""
    said = {}
    for line in COMMANDS:
        # a person signs; a script says so
        asked = f'{line} --yes --accept-review "looked at"' if "sign-bundle" in line else line
        said[line] = told(partner, asked)
    return said


def test_the_page_has_the_whole_way():
    verbs = [" ".join(w for w in line.split()[1:3] if w[0] != "-") for line in COMMANDS]
    journey = ["freeze", "site init", "data check", "data convert", "run", "report", "site key"]
    assert [verb for verb in verbs if any(verb.startswith(step) for step in journey)]
    assert [verb.split()[0] for verb in verbs][-3:] == ["bundle", "sign-bundle", "verify-bundle"]


def test_every_line_does_what_the_page_says(followed):
    for line, done in followed.items():
        # the statements of a site are hers to write: the report names the blanks
        fine = {0, 1} if line.startswith("iesoresearch report") else {0}
        assert done.returncode in fine, f"{line}\n{done.stdout}\n{done.stderr}"
    assert "is let in: of site riverside" in list(followed.values())[-1].stdout


def test_nothing_left_but_the_bundle(partner, followed):
    assert not (partner / "called").exists()
    bundle = partner / "riverside-1"
    identities = pl.read_csv(partner / "people.csv")["patient_id"].to_list()
    for path in (p for p in bundle.rglob("*") if p.is_file()):
        content = path.read_bytes()
        assert str(partner).encode() not in content, path.name
        assert path.suffix != ".ipynb"
        if path.suffix in {".csv", ".json", ".html"}:
            words = set(re.findall(r"[A-Z]\d{4,}", content.decode()))
            assert not words & set(identities), path.name
    manifest = json.loads((bundle / "manifest.json").read_text())
    assert manifest["site"] == "riverside"
    assert "site-cohort" in manifest["runs"]


def test_the_report_says_that_it_was_planned(partner, followed):
    page = (partner / "reports/sites/riverside/report/runs/site-cohort/index.html").read_text()
    assert "nothing changed since" in page
    assert "planned: frozen on" in page


def test_running_again_does_nothing(partner, followed):
    (line,) = [line for line in COMMANDS if line.startswith("iesoresearch run --all")]
    assert "up to date: site-cohort" in told(partner, line).stderr


def test_the_same_bundle_again_is_no_difference(partner, followed):
    """A second bundle is compared with the first; of the same runs it discloses no more."""
    done = told(partner, "iesoresearch bundle riverside-2 --site riverside")
    assert done.returncode == 0, done.stderr
    said = json.loads((partner / "riverside-2" / "manifest.json").read_text())
    assert "riverside-1" in json.dumps(said["earlier"]) or said["earlier"]
