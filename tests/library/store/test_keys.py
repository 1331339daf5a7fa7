import base64
import copy
import hashlib
import hmac
import os
import pickle
import traceback

import pytest

from iesoresearch.errors import OutputError, ParameterError
from iesoresearch.library.store import keys
from iesoresearch.library.store.keys import Hidden, Keys, random_secret

MASTER = bytes(range(32))
TEXT = base64.b64encode(MASTER).decode()


@pytest.fixture(autouse=True)
def no_keys(monkeypatch):
    monkeypatch.delenv(keys.VARIABLE, raising=False)
    monkeypatch.delenv(keys.FILE_VARIABLE, raising=False)


def file(folder, text, mode=0o600):
    path = folder / "key"
    path.write_text(text)
    path.chmod(mode)
    return path


def shown(text):
    """Whether a text shows the key, in any of its forms."""
    forms = (TEXT, MASTER.hex(), repr(MASTER)[2:-1], repr(list(MASTER))[1:-1])
    return any(form in text for form in forms)


def test_key_file_is_made_for_its_owner_alone(tmp_path):
    made = Keys.make(tmp_path / "key")
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert len(base64.b64decode((tmp_path / "key").read_text())) == 32
    assert Keys.load(tmp_path / "key").id == made.id
    assert Keys.make(tmp_path / "other").id != made.id


def test_key_is_never_overwritten(tmp_path):
    before = Keys.make(tmp_path / "key").id
    with pytest.raises(OutputError, match="opens nothing any more"):
        Keys.make(tmp_path / "key")
    assert Keys.load(tmp_path / "key").id == before
    with pytest.raises(OutputError, match="cannot be written"):
        Keys.make(tmp_path / "absent" / "key")


def test_file_system_that_keeps_nobody_out(tmp_path, monkeypatch):
    real = os.fstat

    class Open:
        def __init__(self, status):
            self.st_mode = status.st_mode | 0o044

        def __getattr__(self, name):
            return getattr(real(0), name)

    monkeypatch.setattr(keys.os, "fstat", lambda handle: Open(real(handle)))
    with pytest.raises(OutputError, match="readable by others"):
        Keys.make(tmp_path / "key")
    assert not (tmp_path / "key").exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_key_file_that_others_can_read_is_refused(tmp_path, mode):
    with pytest.raises(ParameterError, match="by others than its owner"):
        Keys.load(file(tmp_path, TEXT, mode))


@pytest.mark.parametrize(
    "text",
    ["", "no base64 ☃", TEXT[:-4], TEXT + TEXT, base64.b64encode(MASTER + b"x").decode(), TEXT[1:]],
)
def test_what_is_no_key_is_refused_in_one_sentence(tmp_path, monkeypatch, text):
    with pytest.raises(ParameterError, match="holds no key"):
        Keys.load(file(tmp_path, text))
    if text:
        monkeypatch.setenv(keys.VARIABLE, text)
        with pytest.raises(ParameterError, match=keys.VARIABLE):
            Keys.load()


def test_absent_keys(tmp_path):
    with pytest.raises(ParameterError, match="is lacking"):
        Keys.load()
    with pytest.raises(ParameterError, match="cannot be read"):
        Keys.load(tmp_path / "absent")
    with pytest.raises(ParameterError, match="no key file"):
        Keys.load(tmp_path)
    with pytest.raises(ParameterError, match="no key file"):
        Keys.load(file(tmp_path, "x" * 2000))


def test_environment_and_file_agree(tmp_path, monkeypatch):
    path = file(tmp_path, TEXT + "\n")
    given = Keys.load(path)
    monkeypatch.setenv(keys.FILE_VARIABLE, str(path))
    assert Keys.load().id == given.id
    monkeypatch.setenv(keys.VARIABLE, TEXT)
    assert Keys.load().id == given.id


def test_nothing_shows_a_key(tmp_path):
    made = Keys.load(file(tmp_path, TEXT))
    assert not shown(f"{made!r} {made} {[made]} {made.id}")
    assert not hasattr(made, "__dict__")
    for secret in (made, Hidden(MASTER)):
        for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match="not pickled or copied"):
                attempt(secret)


def test_no_traceback_shows_a_key_even_with_its_variables(tmp_path, monkeypatch):
    wrong = base64.b64encode(MASTER[:-1]).decode()
    monkeypatch.setenv(keys.VARIABLE, wrong)
    try:
        Keys.load()
    except ParameterError as error:
        told = traceback.TracebackException.from_exception(error, capture_locals=True)
        told.stack.pop(0)  # this frame, which knows the key
        text = "".join(told.format())
        causes = {error.__cause__, error.__context__}
    assert causes == {None}
    assert "holds no key" in text
    assert wrong not in text
    assert MASTER[:-1].hex() not in text


def test_uses_have_keys_of_their_own_as_rfc_5869_derives_them():
    def hkdf(secret, info):
        extracted = hmac.new(bytes(32), secret, hashlib.sha256).digest()
        return hmac.new(extracted, info + b"\x01", hashlib.sha256).digest()

    made = Keys(Hidden(MASTER))
    expected = hkdf(MASTER, b"iesoresearch library 1: master: records")
    assert made.derive("records") == expected
    assert made.id == hkdf(MASTER, b"iesoresearch library 1: master: id")[:8].hex()
    assert made.derive("records") != made.derive("choices")


def test_wrapped_secret_opens_only_where_it_belongs():
    made, other, secret = Keys(Hidden(MASTER)), Keys(random_secret()), random_secret()
    wrapped = made.wrap(secret, "records", "a")
    assert made.unwrap(wrapped, "records", "a").content == secret.content
    assert made.wrap(secret, "records", "a") != wrapped
    assert made.unwrap(wrapped, "choices", "a") is None
    assert made.unwrap(wrapped, "records", "b") is None
    assert other.unwrap(wrapped, "records", "a") is None
    for broken in ("", "x", wrapped[:-4], "A" + wrapped[1:], None):
        if broken != wrapped:
            assert made.unwrap(broken, "records", "a") is None


def test_key_of_another_length_is_refused():
    with pytest.raises(ParameterError, match="32 bytes"):
        Keys(Hidden(b"short"))
