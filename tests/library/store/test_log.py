import hashlib
import hmac
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.library.store import log

KEY = b"k" * 32


def written(n, details=None):
    content, head = b"", log.Head()
    for i in range(n):
        line, head = log.line(
            head, KEY, who="A", what="ingest", why=f"reason {i} “ü”\n", details=details or {}
        )
        content += line
    return content, head


def test_chain_and_mac_are_as_the_standard_library_computes_them():
    content, head = written(3)
    lines = content.splitlines()
    previous = "0" * 64
    for n, line in enumerate(lines, start=1):
        entry = json.loads(line)
        mac = entry.pop("mac")
        text = json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode()
        assert mac == hmac.new(KEY, text, hashlib.sha256).hexdigest()
        assert (entry["n"], entry["previous"]) == (n, previous)
        previous = hashlib.sha256(line).hexdigest()
    assert head == log.Head(3, previous, len(content))
    log.verify(content, head, KEY)
    assert [e["why"] for e in log.entries(content, head)] == [f"reason {i} “ü”" for i in range(3)]


def test_log_without_lines():
    log.verify(b"", log.Head(), KEY)
    with pytest.raises(DataError, match=r"Line 1 of log\.jsonl"):
        log.verify(b"", written(1)[1], KEY)


@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_first_line_that_was_changed_is_named(data):
    content, head = written(5)
    lines = content.splitlines(keepends=True)
    where = data.draw(st.integers(0, 4))
    place = data.draw(st.integers(0, len(lines[where]) - 2))
    changed = lines[where][place] ^ data.draw(st.integers(1, 255))
    lines[where] = lines[where][:place] + bytes([changed]) + lines[where][place + 1 :]
    with pytest.raises(DataError, match=f"Line {where + 1} of"):
        log.verify(b"".join(lines), head, KEY)


@pytest.mark.parametrize("where", range(5))
def test_line_that_was_removed_is_named(where):
    content, head = written(5)
    lines = content.splitlines(keepends=True)
    del lines[where]
    with pytest.raises(DataError, match=f"Line {where + 1} of"):
        log.verify(b"".join(lines), head, KEY)


def test_lines_that_were_exchanged_added_or_made_anew():
    content, head = written(4)
    lines = content.splitlines(keepends=True)
    with pytest.raises(DataError, match="Line 2 of"):
        log.verify(b"".join([lines[0], lines[2], lines[1], lines[3]]), head, KEY)
    with pytest.raises(DataError, match="Line 3 of"):
        log.verify(b"".join([*lines[:2], lines[1], *lines[2:]]), head, KEY)
    # somebody without the key makes the whole chain anew: every hash is right, no MAC is
    forged, forged_head = b"", log.Head()
    for _ in range(4):
        line, forged_head = log.line(
            forged_head, b"another key", who="B", what="w", why="y", details={}
        )
        forged += line
    with pytest.raises(DataError, match="Line 1 of"):
        log.verify(forged, forged_head, KEY)


def test_what_is_beyond_the_end_does_not_count():
    content, head = written(2)
    log.verify(content + b'{"half a li', head, KEY)
    assert len(log.entries(content + b'{"half a li', head)) == 2


def test_head_that_was_kept_is_found_or_not():
    content, head = written(3)
    _, earlier = written(0)
    first = hashlib.sha256(content.splitlines()[0]).hexdigest()
    assert log.position(content, head, first) == 1
    assert log.position(content, head, head.sha256) == 3
    assert log.position(content, head, earlier.sha256) is None


@pytest.mark.parametrize("why", ["", "  \n", None, "x" * 2001, "\ud800"])
def test_words_are_needed(why):
    with pytest.raises(ParameterError, match="give --why"):
        log.line(log.Head(), KEY, who="A", what="w", why=why, details={})


@pytest.mark.parametrize(
    "why", ["asked by 943 476 5919", "9434765919", "for ann@example.org", "943-476-5919, again"]
)
def test_words_that_name_somebody_are_refused(why):
    """Modulus 11: 299, the sum of the digits times 10, 9, … 2, leaves 2, and 11 − 2 = 9."""
    with pytest.raises(ParameterError, match=r"--why holds what looks like an? "):
        log.text("why", why)


def test_numbers_of_studies_and_who_does_it_are_no_patients():
    for why in ("REC 23/LO/0123, IRAS 123456", "9434765918", "two of 12345678901"):
        assert log.text("why", why) == why
    assert log.text("who", "ann@example.org") == "ann@example.org"


def test_small_counts_are_not_told():
    told = log.told(
        {
            "a": 9,
            "b": 10,
            "c": 0,
            "d": np.int64(3),
            "e": [1, 11],
            "f": {"g": 2},
            "h": "5",
            "i": True,
        }
    )
    few = "fewer than 10"
    assert told == {
        **{"a": few, "b": 10, "c": few, "d": few, "e": [few, 11]},
        **{"f": {"g": few}, "h": "5", "i": True},
    }
    assert json.loads(json.dumps(told)) == told


@pytest.mark.parametrize("value", [0.5, b"x", object(), {1, 2}])
def test_values_that_are_no_count_and_no_word_are_refused(value):
    with pytest.raises(TypeError, match="counts and words"):
        log.told({"a": value})
