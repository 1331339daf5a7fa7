"""What tests of several files share."""

import importlib.util
import sys

import pytest

from iesoresearch import cli
from iesoresearch.project import find


@pytest.fixture
def call(home, monkeypatch, capfd):
    """Run the command line in this process: exit code, standard output, standard error.

    `home` is the project, a fixture of the file that asks.
    """

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["iesoresearch", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        captured = capfd.readouterr()
        return ended.value.code or 0, captured.out, captured.err

    run.home = home
    return run


@pytest.fixture(scope="session")
def load_study():
    """Give the module of a study by its name."""

    home = find().root / "studies"

    def module(name):
        spec = importlib.util.spec_from_file_location(f"study_{name}", home / f"{name}.py")
        made = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = made  # where dataclasses and other processes look for it
        if str(home) not in sys.path:
            sys.path.append(str(home))  # for _study; last, so that no study hides a package
        spec.loader.exec_module(made)
        return made

    return module
