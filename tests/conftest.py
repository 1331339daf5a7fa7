"""What tests of several files share."""

import sys

import pytest

from iesoresearch import cli


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
