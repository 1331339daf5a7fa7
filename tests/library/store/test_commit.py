"""A writer that dies, or finds no room, at each of its steps.

A step is a call of the system that changes something on disk. Dying is simulated by an exception
that nothing catches, after which no further step is done, whatever the code still tries; two tests
kill a real process. Power cuts also take back what was written and not made durable.
"""

import errno
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import polars as pl
import pytest

from iesoresearch.errors import OutputError, ParameterError
from iesoresearch.library import store
from iesoresearch.library.store import commit, state
from iesoresearch.library.store.check import check
from iesoresearch.library.store.keys import Keys

STEPS = ("open", "write", "fsync", "replace", "link", "mkdir", "ftruncate", "unlink", "rmdir")
FRAME = pl.DataFrame({"patient_id": ["a", "b"], "age": [30, None]})


class Killed(BaseException):
    """The process is gone."""


class Steps:
    """Counts steps and lets one of them fail: `kind` is "kill", "torn", "power" or "full"."""

    def __init__(self, monkeypatch, at, kind):
        self.at, self.kind, self.dead = at, kind, False
        self.names = []
        self.real = {name: getattr(os, name) for name in STEPS}
        self.dirty = {}
        for name in STEPS:
            monkeypatch.setattr(os, name, self.stand_in(name))

    def stand_in(self, name):
        def step(*given, **named):
            if not self.changes(name, given):
                return self.real[name](*given, **named)
            self.names.append(name)
            if self.kind == "full":
                if len(self.names) == self.at:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            elif len(self.names) >= self.at:
                self.die(name, given)
            if name == "write" and given[0] not in self.dirty:
                durable = os.lseek(given[0], 0, os.SEEK_CUR)
                self.dirty[given[0]] = os.readlink(f"/proc/self/fd/{given[0]}"), durable
            done = self.real[name](*given, **named)
            if name == "fsync":
                self.dirty.pop(given[0], None)
            return done

        return step

    def changes(self, name, given):
        return name != "open" or bool(given[1] & os.O_CREAT)

    def die(self, name, given):
        if not self.dead and self.kind == "torn" and name == "write":
            self.real["write"](given[0], bytes(given[1])[: len(given[1]) // 2])
        if not self.dead and self.kind == "power":
            for path, durable in self.dirty.values():
                if os.path.exists(path):
                    os.truncate(path, durable)
        self.dead = True
        raise Killed


@pytest.fixture(scope="module")
def key_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("keys") / "key"
    Keys.make(path)
    return path


@pytest.fixture(scope="module")
def keys(key_file):
    return Keys.load(key_file)


@pytest.fixture(scope="module")
def template(tmp_path_factory, keys):
    made = store.create(tmp_path_factory.mktemp("x") / "library", keys, territory="UK", who="Ann")
    with made.writing("ingest", "first") as draft:
        draft.write("patients", FRAME, part="00")
        draft.write("patients", FRAME, part="01")
    made.close()
    return made.folder


def ingest(library):
    """A part written, one taken out, one kept."""
    with library.writing("ingest", "second") as draft:
        draft.write("patients", FRAME.head(1), part="00")
        draft.write("referrals", FRAME)
        draft.drop("patients", part="01")
        draft.details["rows"] = 3


def contents(library):
    tables = {name: library.read(name).rows() for name in library.tables()}
    return library.generation, tables, [entry["what"] for entry in library.log()]


OLD = (2, {"patients": FRAME.rows() * 2}, ["create", "ingest"])
NEW = (
    3,
    {"patients": FRAME.head(1).rows(), "referrals": FRAME.rows()},
    ["create", "ingest", "ingest"],
)


def proven(folder, keys):
    """What the library holds now, after a proof, and after one more write by somebody else."""
    library = store.open_library(folder, keys, who="Bob")
    now = contents(library)
    assert not check(library).problems
    library.note("look", "x", {}, wait=0)
    assert contents(library)[:2] == now[:2]
    assert not check(library).problems
    library.close()
    return now


@pytest.fixture(scope="module")
def steps_of(template, keys, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        folder = shutil.copytree(template, tmp_path_factory.mktemp("count") / "library")
        steps = Steps(patch, 10**9, "kill")
        ingest(store.open_library(folder, keys, who="Ann"))
    assert proven(folder, keys) == NEW
    assert len(steps.names) > 30
    return dict(enumerate(steps.names, start=1))


@pytest.mark.skipif(sys.platform != "linux", reason="paths of open files are read from /proc")
@pytest.mark.parametrize("kind", ["kill", "torn", "power"])
def test_writer_that_dies_at_any_step_leaves_old_or_new(template, keys, tmp_path, steps_of, kind):
    seen = []
    names = {"kill": STEPS, "torn": ("write",), "power": ("fsync", "replace")}[kind]
    for at in (at for at, name in steps_of.items() if name in names):
        folder = shutil.copytree(template, tmp_path / f"{at}")
        with pytest.MonkeyPatch.context() as patch:
            steps = Steps(patch, at, kind)
            with suppress(Killed), closing(store.open_library(folder, keys, who="Ann")) as library:
                ingest(library)
        seen.append(proven(folder, keys))
        assert seen[-1] in (OLD, NEW)
        assert steps.dead
        shutil.rmtree(folder)
    # old until one step, new from it on
    assert seen == sorted(seen, key=lambda one: one == NEW)
    assert {len(one[2]) for one in seen} == ({2} if kind == "torn" else {2, 3})


@pytest.mark.skipif(sys.platform != "linux", reason="paths of open files are read from /proc")
def test_disk_that_is_full_at_any_step_loses_nothing(template, keys, tmp_path, steps_of):
    refused = 0
    names = ("open", "write", "mkdir", "link", "fsync")
    for at in (at for at, name in steps_of.items() if name in names):
        folder = shutil.copytree(template, tmp_path / f"{at}")
        with pytest.MonkeyPatch.context() as patch:
            Steps(patch, at, "full")
            try:
                with closing(store.open_library(folder, keys, who="Ann")) as library:
                    ingest(library)
            except OutputError as error:
                refused += 1
                text = str(error)
            else:
                text = "cannot be written (No space left on device). What was there before is whole"
        assert "cannot be written (No space left on device)" in text
        assert proven(folder, keys) in (OLD, NEW)
        assert [p.name for p in (folder / "generations").iterdir()] in (["2"], ["3"])
        shutil.rmtree(folder)
    assert refused > 20


def test_size_that_the_system_does_not_allow(template, keys, tmp_path):
    """A real refusal by the kernel, in the middle of a file."""
    folder = shutil.copytree(template, tmp_path / "library")
    library = store.open_library(folder, keys, who="Ann")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    big = pl.DataFrame({"x": os.urandom(100_000).hex()})
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(OutputError, match="File too large"), library.writing("x", "y") as draft:
            draft.write("big", big)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert contents(library) == OLD
    library.close()
    assert proven(folder, keys) == OLD


KILLED = """
import os, signal, sys
from pathlib import Path
from iesoresearch.library import store
from iesoresearch.library.store import commit
from iesoresearch.library.store.keys import Keys
sys.path.insert(0, sys.argv[4])
from test_commit import ingest

library = store.open_library(Path(sys.argv[1]), Keys.load(Path(sys.argv[2])), who="Ann")
real, left = os.replace, [int(sys.argv[3])]

def die(*given):
    if left[0]:
        real(*given)
    os.kill(os.getpid(), signal.SIGKILL)

os.replace = die
ingest(library)
"""


@pytest.mark.parametrize(("replaced", "expected"), [(0, OLD), (1, NEW)])
def test_killed_process(template, tmp_path, replaced, expected, keys, key_file):
    folder = shutil.copytree(template, tmp_path / "library")
    here = Path(__file__).parent
    words = [sys.executable, "-c", KILLED, folder, key_file, f"{replaced}", here]
    done = subprocess.run(words, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL
    library = store.open_library(folder, keys, who="Bob")
    assert contents(library) == expected
    assert library.clear(wait=0)  # the lock went with the process
    library.note("look", "x", {})
    # the line of the killed writer never counted; that there was one is said
    assert library.log()[-1]["details"] == ({} if replaced else {commit.INTERRUPTED: True})
    library.close()
    proven(folder, keys)


def test_killed_create_is_done_again(keys, tmp_path):
    for at in range(1, 40):
        folder = tmp_path / f"{at}"
        with pytest.MonkeyPatch.context() as patch:
            steps = Steps(patch, at, "kill")
            with suppress(Killed):
                store.create(folder, keys, territory="UK", who="Ann").close()
        if (folder / state.CURRENT).exists():
            break
        store.create(folder, keys, territory="UK", who="Ann").close()
        assert proven(folder, keys)[0] == 1
    assert at > 10
    assert steps.dead
    assert proven(folder, keys)[0] == 1
    with pytest.raises(OutputError, match="it was left as it is"):
        store.create(folder, keys, territory="UK", who="Ann")


@pytest.mark.parametrize("data", [False, True])
def test_rotation_that_dies_leaves_one_key_that_opens(template, keys, tmp_path, data):
    new = Keys.make(tmp_path / "new")
    opened = set()
    for at in range(3, 60, 4):
        folder = shutil.copytree(template, tmp_path / f"{at}")
        with pytest.MonkeyPatch.context() as patch:
            Steps(patch, at, "kill")
            with suppress(Killed), closing(store.open_library(folder, keys, who="Ann")) as library:
                library.rotate(new, "x", data=data)
        current = json.loads((folder / state.CURRENT).read_text())
        where = state.home(folder, current["generation"])
        stored = json.loads((where / state.KEYS).read_text())
        right, wrong = (keys, new) if stored["master"] == keys.id else (new, keys)
        with pytest.raises(ParameterError, match="does not open this library"):
            store.open_library(folder, wrong)
        assert proven(folder, right)[1] == OLD[1]
        opened.add(right.id)
        shutil.rmtree(folder)
    assert opened == {keys.id, new.id}


def test_more_lines_than_one_writer_leaves_are_no_tail(template, keys, tmp_path):
    folder = shutil.copytree(template, tmp_path / "library")
    with (folder / state.LOG).open("ab") as stream:
        stream.write(b'{"half a li')
    library = store.open_library(folder, keys, who="Bob")
    assert "beyond its end" in check(library).notes[0]
    library.close()
    assert proven(folder, keys) == OLD
