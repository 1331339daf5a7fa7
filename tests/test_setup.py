"""The files that set the project up agree with each other and fail with a sentence."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")


def locked_requirements() -> list[str]:
    """One string per requirement of the lock, with its continuation lines."""
    return LOCK.replace("\\\n", " ").splitlines()


def locked_versions() -> dict[str, list[Version]]:
    """All versions of each package; there may be one per version of Python."""
    versions = {}
    for line in locked_requirements():
        requirement = Requirement(line.partition("--hash")[0])
        (pin,) = requirement.specifier
        versions.setdefault(canonicalize_name(requirement.name), []).append(Version(pin.version))
    return versions


LOCKED = locked_versions()


# The lock


@pytest.mark.parametrize(
    ("name", "major"),
    [
        ("jupyterlab", 4),
        ("matplotlib", 3),
        ("numpy", 2),
        ("pandas", 3),
        ("papermill", 2),
        ("polars", 2),
        ("pyarrow", 26),
        ("pydantic", 2),
        ("pymc", 6),
        ("scikit-learn", 1),
        ("scipy", 1),
        ("sphinx", 9),
        ("xgboost", 3),
    ],
)
def test_the_locked_major_version_is_the_one_that_was_chosen(name, major):
    found = {version.major for version in LOCKED[name]}
    assert found == {major}, f"requirements.lock has {name} {found}: another major version"


def test_numba_is_not_newer_than_pymc_6_allows():
    newest = max(LOCKED["numba"])
    assert newest <= Version("0.68.0"), f"numba {newest}: above 0.68.0 resolvers take pymc 5"


def test_every_locked_package_is_pinned_and_hashed():
    bare = [
        line
        for line in locked_requirements()
        if not re.match(r"[a-z0-9-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", line)
    ]
    assert not bare, f"lines of requirements.lock without a pin or a hash: {bare}"


@pytest.mark.parametrize("address", ["://", "index-url", "find-links", "file:", " @ ", "-e "])
def test_the_lock_names_no_address(address):
    found = [line for line in LOCK.splitlines() if address in line]
    assert not found, f"requirements.lock must not say where packages come from: {found}"


def test_nothing_of_nvidia_is_ever_installed():
    lines = [line for line in locked_requirements() if line.startswith("nvidia")]
    wanted = [line for line in lines if "; sys_platform == 'never'" not in line]
    assert not wanted, f"345 MB that nothing here uses: {wanted}"


@pytest.mark.parametrize(
    "requirement", [*PROJECT["dependencies"], *PYPROJECT["dependency-groups"]["dev"]]
)
def test_the_lock_satisfies_every_dependency(requirement):
    wanted = Requirement(requirement)
    versions = LOCKED.get(canonicalize_name(wanted.name))
    assert versions, f"{wanted.name} is not in requirements.lock: run `make lock`"
    wrong = [str(v) for v in versions if v not in wanted.specifier]
    assert not wrong, f"requirements.lock has {wanted.name} {wrong}, not {wanted}: run `make lock`"


# The other files


def test_environment_yml_is_in_step_with_pyproject():
    check = run([sys.executable, ".ci/environment.py", "--check"])
    assert check.returncode == 0, check.stderr


def test_environment_yml_lists_every_dependency_once():
    listed = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    conda, pip = listed[:-1], listed[-1]["pip"]
    names = [re.split(r"[<>=!~]", line)[0] for line in (*conda, *pip)]
    names = ["matplotlib" if name == "matplotlib-base" else name for name in names]
    expected = [Requirement(line).name for line in PROJECT["dependencies"]]
    assert sorted(names) == sorted([*expected, "python", "pip", "-e ."])
    assert pip[-1] == "-e .", "the package itself comes when all it needs is there"


def test_the_supported_versions_of_python_are_stated_alike():
    python = (ROOT / ".python-version").read_text(encoding="utf-8").strip()
    supported = PROJECT["requires-python"]
    assert f"{python}.0" in SpecifierSet(supported), f".python-version says {python}"
    setup = (ROOT / ".ci/setup.sh").read_text(encoding="utf-8")
    assert f"allowed='{supported}'" in setup, f".ci/setup.sh must allow {supported}"


def test_make_lists_every_target():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[1].split()
    shown = run(["make"]).stdout
    assert shown == run(["make", "help"]).stdout, "`make` alone is `make help`"
    missing = [t for t in targets if not re.search(rf"^  make {t} +\S", shown, re.MULTILINE)]
    assert not missing, f"targets without a `##` text in the Makefile: {missing}"


def test_the_citation_file_has_what_its_format_requires():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["cff-version"] == "1.2.0"
    missing = {"message", "title", "authors", "version", "license"} - citation.keys()
    assert not missing, f"CITATION.cff lacks {missing}"
    assert str(citation["version"]) == PROJECT["version"]
    assert citation["license"] == PROJECT["license"]
    assert citation["authors"] == PROJECT["authors"]


# What a bare machine is told


@pytest.fixture
def bare_clone(tmp_path):
    """Return a function that sets up a copy of the project where PATH holds one python3."""
    clone, path = tmp_path / "clone", tmp_path / "bin"
    path.mkdir()
    (clone / ".ci").mkdir(parents=True)
    for name in (".ci/setup.sh", ".python-version", "pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, clone / name)

    def setup(python3: str | None) -> subprocess.CompletedProcess:
        if python3 is not None:
            (path / "python3").write_text(f"#!/bin/sh\n{python3}\n", encoding="utf-8")
            (path / "python3").chmod(0o755)
        result = run(["/bin/sh", clone / ".ci/setup.sh"], env={"PATH": str(path)})
        assert not (clone / ".venv").exists(), "a failed set-up leaves nothing half-made"
        assert not (clone / ".uv").exists()
        return result

    return setup


@pytest.mark.parametrize(
    ("python3", "reason"),
    [
        pytest.param(None, "there is no python3 on PATH", id="absent"),
        pytest.param("exit 127", "python3 does not start", id="broken"),
        pytest.param(
            'case "$2" in *version_info*) exit 1 ;; esac',
            "python3 is older than Python 3.8",
            id="too old",
        ),
        pytest.param(
            'case "$2" in *ensurepip*) exit 1 ;; esac',
            "python3 has no venv module (on Debian and Ubuntu: apt install python3-venv)",
            id="without venv",
        ),
    ],
)
def test_a_machine_that_cannot_install_uv_is_told_why_and_what_to_do(bare_clone, python3, reason):
    result = bare_clone(python3)
    assert result.returncode == 2, result.stderr
    assert reason in result.stderr
    assert "install Python 3.12, then run the same command again." in result.stderr
    assert result.stderr.count("\n") == 1, f"one sentence, not: {result.stderr}"


def test_a_machine_without_a_fitting_python_is_told_so(bare_clone, tmp_path):
    uv = tmp_path / "bin" / "uv"
    uv.write_text('#!/bin/sh\n[ "$1" = --version ]\n', encoding="utf-8")  # finds no Python
    uv.chmod(0o755)
    rm = tmp_path / "bin" / "rm"
    rm.symlink_to(shutil.which("rm"))
    result = bare_clone(None)
    assert result.returncode == 2, result.stderr
    assert f"the package needs Python {PROJECT['requires-python']}" in result.stderr
    assert "`uv python install 3.12`" in result.stderr


def run(command: list, env: dict | None = None) -> subprocess.CompletedProcess:
    """Run `command` in the project's folder, as if no make had called it."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")} if env is None else env
    return subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False
    )
