"""What is frozen stays as it was written, and what changed afterwards is named."""

import json

import pytest

from iesoresearch import registration
from iesoresearch.errors import OutputError, ParameterError

INPUTS = {"code": "a", "notebook": "b", "disclosure": "c", "lock": "d"}
RUNS = {"subtypes": {"analysis": "subtypes", "parameters": {"n": 1, "x": None}, "inputs": INPUTS}}


def frozen(folder, **more):
    options = {"runs": RUNS, "opened": {}, "when": "2026-01-02T03:04:05Z"} | more
    return registration.freeze(folder, **options)


def test_it_is_read_back_as_it_was_written(tmp_path):
    assert registration.read(tmp_path) is None
    assert frozen(tmp_path) == registration.read(tmp_path)


def test_a_second_freeze_needs_a_reason_and_keeps_the_first(tmp_path):
    first = frozen(tmp_path)
    with pytest.raises(OutputError, match="was frozen on 2026-01-02T03:04:05Z and was left as it"):
        frozen(tmp_path, when="2026-02-02T03:04:05Z")
    second = frozen(tmp_path, when="2026-02-02T03:04:05Z", why="A misprint.")
    third = frozen(tmp_path, when="2026-03-02T03:04:05Z", why="More.")
    assert third.earlier == [
        {"when": first.when, "hash": first.hash, "why": ""},
        {"when": second.when, "hash": second.hash, "why": "A misprint."},
    ]
    assert len({first.hash, second.hash, third.hash}) == 3


@pytest.mark.parametrize("key", ["when", "runs", "opened", "why", "earlier", "hash", "format"])
def test_a_change_of_the_file_is_found(tmp_path, key):
    frozen(tmp_path, opened={"subtypes": "2025-01-01T00:00:00Z"})
    path = tmp_path / registration.FILE
    content = json.loads(path.read_text())
    content[key] = {} if isinstance(content[key], dict) else "other"
    path.write_text(json.dumps(content))
    with pytest.raises(ParameterError, match="is not as it was written, so nobody can tell what"):
        registration.read(tmp_path)


@pytest.mark.parametrize(
    ("parameters", "inputs", "said"),
    [
        ({}, {}, []),
        ({"n": 2}, {}, ["parameter n: 1 planned, 2 used"]),
        ({"x": "a"}, {}, ['parameter x: null planned, "a" used']),
        ({"new": 0}, {}, ["parameter new: nothing planned, 0 used"]),
        ({}, {"parameters": "y"}, ["a parameter that is not shown in full changed"]),
        ({}, {"data": "e"}, []),  # data are meant to come afterwards
        (
            {},
            {"code": "z", "lock": "z"},
            ["code of the package changed", "locked versions changed"],
        ),
    ],
)
def test_what_changed_is_named(tmp_path, parameters, inputs, said):
    status = {
        "parameters": RUNS["subtypes"]["parameters"] | parameters,
        "inputs": INPUTS | inputs,
        "started": "2026-01-02T03:04:06Z",
    }
    assert registration.changes(frozen(tmp_path), "subtypes", status) == said
    early = status | {"started": "2026-01-02T03:04:04Z"}
    before = registration.changes(frozen(tmp_path, why="Again."), "subtypes", early)
    assert before == ["run before the freeze", *said]
