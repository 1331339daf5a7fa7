"""One writer at a time; readers keep what they read, and wait for nobody.

Both are locks of the operating system (flock): they end with the process that holds them.
"""

import fcntl
import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path

from iesoresearch.errors import OutputError

LOCK = "lock"
_PAUSE = 0.05  # seconds between two attempts


class Held:
    """A lock that is held until it is released or forgotten."""

    def __init__(self, handle: int) -> None:
        self._handle: int | None = handle

    def release(self) -> None:
        """Let go; a second time is no error."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def __del__(self) -> None:
        self.release()


def reading(path: Path) -> Held:
    """Keep a file from being removed by writers.

    Raises
    ------
    OSError
        It is not there, or cannot be read.
    """
    return _lock(path, os.O_RDONLY, fcntl.LOCK_SH)


def unread(path: Path) -> bool:
    """Whether nobody reads what the file stands for; a file that is gone is not read."""
    try:
        _lock(path, os.O_RDONLY, fcntl.LOCK_EX | fcntl.LOCK_NB).release()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def writing(folder: Path, who: str, wait: float) -> Held:
    """Be the one writer of a library.

    Parameters
    ----------
    folder
        Of the library.
    who
        Told to others who wait.
    wait
        Seconds to wait for another writer.

    Raises
    ------
    OutputError
        Another one is still writing, or the folder cannot be written.
    """
    path, until = folder / LOCK, time.monotonic() + wait
    while True:
        try:
            held = _lock(path, os.O_RDWR | os.O_CREAT, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() >= until:
                raise OutputError(_busy(path)) from None
        except OSError as error:
            raise OutputError(
                f"{folder} cannot be written ({error.strerror}). See to its permissions."
            ) from None
        time.sleep(_PAUSE)
    told = {"who": who, "since": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")}
    try:
        os.ftruncate(held._handle, 0)
        os.write(held._handle, json.dumps(told | {"process": os.getpid()}).encode())
    except OSError:
        pass  # a full disk: the lock is held all the same, and others are told less
    return held


def _busy(path: Path) -> str:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        holder = f"{told['who']} since {told['since']} (process {told['process']})"
    except (OSError, ValueError, LookupError, TypeError):
        holder = "somebody else"
    return (
        f"{path.parent} is being written by {holder}. Do it again when that has ended, or wait "
        "longer with --wait SECONDS."
    )


def _lock(path: Path, how: int, kind: int) -> Held:
    handle = os.open(path, how | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, kind)
    except BaseException:
        os.close(handle)
        raise
    return Held(handle)
