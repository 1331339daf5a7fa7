"""The commands of the store, as a user calls them."""

import base64
import json

import polars as pl
import pytest

from iesoresearch.library import store
from iesoresearch.library.store import keys as key_module
from iesoresearch.library.store.keys import Keys


@pytest.fixture
def home(tmp_path, monkeypatch):
    for name in (key_module.VARIABLE, key_module.FILE_VARIABLE, store.WHO_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def made(call):
    """A library with one table, its folder and its key."""
    folder, key = call.home / "my library", call.home / "key"
    (call.home / "settings.yaml").write_text("retention: {years_after_discharge: 8}\n")
    words = ("--territory", "UK", "--new-key", key, "--settings", call.home / "settings.yaml")
    code, out, err = call("library", "create", folder, *words, "--who", "Ann")
    assert (code, err) == (0, "")
    assert "is a library for records in UK" in out
    assert "without it nobody can read the library again" in out
    with store.open_library(folder, Keys.load(key), who="Ann").writing("ingest", "data") as draft:
        draft.write(
            "referrals",
            pl.DataFrame(
                {
                    "referral_id": ["r1", "r2"],
                    "patient_id": ["p1", "p2"],
                    "discharge_year": ["1999-00", "2098-99"],
                }
            ),
        )
    return folder, key


def test_create_log_check_retain_rotate(call, made):
    folder, key = made
    code, out, _ = call("library", "check", folder, "--key", key)
    assert code == 0
    assert "1 file(s) and 2 line(s) of the log are as they were written" in out
    head = call("library", "log", folder, "--key", key, "--head")[1].strip()
    assert head in out

    words = ("library", "retain", folder, "--key", key, "--why", "yearly")
    code, out, _ = call(*words, "--dry-run")
    assert (code, "Would be removed" in out) == (0, True)
    assert (
        "referrals fewer than 10, patients fewer than 10, rows of all tables fewer than 10" in out
    )
    code, out, _ = call(*words, "--who", "Bob")
    assert code == 0
    assert "Destroyed, with their keys: 1 file(s)" in out

    code, out, _ = call("library", "log", folder, "--key", key)
    assert [line.split()[0] for line in out.splitlines()] == ["1", "2", "3"]
    assert "Bob: retain (yearly)" in out
    assert call("library", "log", folder, "--key", key, "--since", "2999-01-01")[1] == ""
    lines = call("library", "log", folder, "--key", key, "--format", "json")[1].splitlines()
    assert json.loads(lines[2])["who"] == "Bob"
    assert call("library", "log", folder, "--key", key, "--format", "csv")[0] == 2

    new = call.home / "new key"
    code, out, _ = call(
        "library", "rotate", folder, "--key", key, "--new-key", new, "--why", "x", "--data"
    )
    assert code == 0
    assert "Backups are still opened by the old key" in out
    code, _, err = call("library", "check", folder, "--key", key)
    assert code == 2
    assert "This key does not open this library" in err
    code, out, _ = call("library", "check", folder, "--key", new, "--head", head)
    assert (code, "4 line(s)" in out) == (0, True)
    code, out, _ = call("library", "check", folder, "--key", new, "--head", "0" * 64)
    assert code == 3
    assert "replaced by an earlier copy" in out


def test_no_output_shows_a_key(call, made, monkeypatch):
    folder, key = made
    secret = base64.b64decode(key.read_text())
    monkeypatch.setenv(key_module.FILE_VARIABLE, str(key))
    told = [call("library", word, folder) for word in ("log", "check")]
    key.chmod(0o644)
    told.append(call("library", "check", folder))
    assert told[-1][0] == 2
    monkeypatch.setenv(key_module.VARIABLE, key.read_text()[:-5])
    told.append(call("library", "check", folder))
    assert "holds no key" in told[-1][2]
    text = repr(told)
    for form in (key.read_text().strip()[:-6], secret.hex(), repr(secret)[2:-1]):
        assert form not in text


def test_keys_are_kept_apart_from_what_they_open(call, made):
    folder, key = made
    words = ("library", "create", call.home / "x", "--territory", "UK", "--new-key")
    code, _, err = call(*words, call.home / "x/key")
    assert (code, "would lie in the library" in err) == (2, True)
    code, _, err = call(*words, call.home / "k", "--key", key)
    assert (code, "not both" in err) == (2, True)
    code, _, err = call(
        "library", "rotate", folder, "--key", key, "--new-key", folder / "k", "--why", "x"
    )
    assert (code, "would lie in the library" in err) == (2, True)
    assert not (call.home / "k").exists()


def test_key_that_was_made_for_nothing_is_taken_away(call, made):
    folder, _ = made
    code, _, err = call(
        "library", "create", folder, "--territory", "UK", "--new-key", call.home / "k"
    )
    assert (code, "it was left as it is" in err) == (6, True)
    assert not (call.home / "k").exists()


@pytest.mark.parametrize("text", ["- a list", "a: [", "{a: 2024-01-01}"])
def test_settings_that_cannot_be_used(call, text):
    (call.home / "settings.yaml").write_text(text)
    words = ("--new-key", call.home / "k", "--settings", call.home / "settings.yaml")
    code, _, err = call("library", "create", call.home / "x", "--territory", "UK", *words)
    assert (code, "ettings" in err) == (2, True)


def test_readers_are_said_to_delay_what_is_removed(call, made):
    folder, key = made
    reader = store.open_library(folder, Keys.load(key))
    code, _, err = call("library", "retain", folder, "--key", key, "--why", "yearly", "--wait", "0")
    assert code == 6
    assert "it is done, but somebody still reads an older generation" in err
    code, out, _ = call("library", "check", folder, "--key", key)
    assert (code, "was to be destroyed and is still there" in out) == (3, True)
    reader.close()
