"""The log of a library: who did what, when and why, in lines that only grow.

Each line holds the SHA-256 of the line before it, so that nothing can be taken out or put in; and a
MAC under a key of the library, so that nobody without the key can make the chain anew. Where the
log ends is said in CURRENT, so that its last lines cannot be dropped either.
"""

import hashlib
import hmac
import json
import numbers
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.library.deidentify.written import kind_of_identifier

FEW = 10  # counts below it are not told
START = "0" * 64  # what the first line follows
_LONGEST = 2000  # characters of a text that somebody gives


@dataclass(frozen=True)
class Head:
    """Where a log ends: number of lines, SHA-256 of the last, length in bytes."""

    entries: int = 0
    sha256: str = START
    size: int = 0


def line(
    head: Head, key: bytes, *, who: str, what: str, why: str, details: dict[str, Any]
) -> tuple[bytes, Head]:
    """The next line, and where the log ends with it.

    Parameters
    ----------
    head
        Where the log ends without it.
    key
        Of the MAC.
    who, what, why
        Words; none may be empty.
    details
        Counts, words, and lists or dictionaries of them. Counts below 10 are told as "fewer than
        10"; what is no count but a number, such as a limit, is given as a word.

    Raises
    ------
    ParameterError
        A word is lacking.
    """
    entry = {
        "n": head.entries + 1,
        "when": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "who": text("who", who),
        "what": text("what", what),
        "why": text("why", why),
        "details": told(details),
        "previous": head.sha256,
    }
    body = json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode()
    mac = hmac.digest(key, body, "sha256").hex().encode()
    content = body[:-1] + b',"mac":"' + mac + b'"}'
    ends = Head(entry["n"], hashlib.sha256(content).hexdigest(), head.size + len(content) + 1)
    return content + b"\n", ends


def text(name: str, given: str) -> str:
    """Words that somebody gives for the log.

    Raises
    ------
    ParameterError
        There are none, too many, some that cannot be stored, or, where it is not about who does
        it, what looks like an identifier of a patient.
    """
    given = given.strip() if isinstance(given, str) else ""
    if not given or len(given) > _LONGEST or not _storable(given):
        raise ParameterError(
            f"The log of the library needs to know {name}: give --{name} in 1 to {_LONGEST} "
            "characters. It never names a patient."
        )
    kind = None if name == "who" else kind_of_identifier(given)
    if kind:
        raise ParameterError(
            f"--{name} holds what looks like {kind}. The log of the library never names a patient: "
            "say it without."
        )
    return given


def _storable(given: str) -> bool:
    try:
        given.encode()
    except UnicodeEncodeError:
        return False
    return True


def told(details: Any) -> Any:
    """Details as the log tells them: no small count, and nothing but counts and words."""
    if details is None or isinstance(details, str | bool):
        return details
    if isinstance(details, numbers.Integral):
        return int(details) if details >= FEW else f"fewer than {FEW}"
    if isinstance(details, dict):
        return {str(key): told(value) for key, value in details.items()}
    if isinstance(details, list | tuple):
        return [told(value) for value in details]
    raise TypeError(f"Details of the log are counts and words, no {type(details).__name__}.")


def verify(content: bytes, head: Head, key: bytes) -> None:
    """Prove that the log is as it was written, up to `head`.

    Raises
    ------
    DataError
        The first line that was changed, removed or added is named.
    """
    previous, n, place = START, 0, 0
    for n, whole in enumerate(_lines(content, head.size), start=1):
        body, _, rest = whole.rpartition(b',"mac":"')
        mac = hmac.digest(key, body + b"}", "sha256").hex().encode()
        links = body.startswith(b'{"n":%d,' % n) and body.endswith(
            b'"previous":"' + previous.encode() + b'"'
        )
        if not links or not hmac.compare_digest(rest, mac + b'"}'):
            raise DataError(_broken(n))
        previous = hashlib.sha256(whole).hexdigest()
        place += len(whole) + 1
    if (n, previous, place) != (head.entries, head.sha256, head.size):
        raise DataError(_broken(n + 1))


def entries(content: bytes, head: Head) -> list[dict[str, Any]]:
    """Lines of a log that was verified, oldest first."""
    return [json.loads(line) for line in _lines(content, head.size)]


def position(content: bytes, head: Head, sha256: str) -> int | None:
    """Number of the line with this hash, None if it is not in the log."""
    hashes = (hashlib.sha256(line).hexdigest() for line in _lines(content, head.size))
    return next((n for n, found in enumerate(hashes, start=1) if found == sha256), None)


def ends_with(content: bytes, head: Head) -> bool:
    """Whether line and length at the end are those that `head` tells, whatever comes beyond."""
    end = head.size - 1
    last = content[content.rfind(b"\n", 0, end) + 1 : end]
    return content[end : head.size] == b"\n" and hashlib.sha256(last).hexdigest() == head.sha256


def _lines(content: bytes, size: int) -> Iterator[bytes]:
    yield from content[:size].split(b"\n")[:-1]


def _broken(n: int) -> str:
    return (
        f"Line {n} of log.jsonl was changed, removed or added: the chain of the log breaks there. "
        "Find out who could write to the library, and compare with a backup."
    )
