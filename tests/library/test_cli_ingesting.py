"""The help of ingest shows a file of `--declare` that can be used as it stands."""

import pytest

from iesoresearch.cli.library.ingesting import EXAMPLE
from iesoresearch.library.ingest.declared import Declared


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Nowhere in particular, on a terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path


def test_the_help_shows_every_part_of_a_file_that_can_be_read(call, tmp_path):
    code, shown, _ = call("library", "ingest", "--help")
    assert code == 0
    lines = {" ".join(line.split()) for line in shown.splitlines()}
    assert set(EXAMPLE) <= lines
    path = tmp_path / "declared.yaml"
    path.write_text("\n".join(EXAMPLE), encoding="utf-8")
    declared = Declared.read(path)
    assert declared.model_fields_set == set(Declared.model_fields)
