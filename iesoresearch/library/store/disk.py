"""What a library does to a disk: few, whole steps, each made durable before the next counts.

Files are made for their owner alone, links are not followed, and what replaces another file does so
at once.
"""

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from iesoresearch.errors import DataError, OutputError

_NEW = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
_UNLINKABLE = {errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.EXDEV, errno.EOPNOTSUPP}


@contextmanager
def writable(folder: Path) -> Iterator[None]:
    """Turn a failure to write below `folder` into one sentence.

    Raises
    ------
    OutputError
        Instead of any OSError.
    """
    try:
        yield
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be written ({error.strerror or type(error).__name__}). What was "
            "there before is whole. Free space, or see to the permissions, and do it again."
        ) from None


def write(handle: int, content) -> None:
    """Write all bytes, however many steps the system takes."""
    view = memoryview(content).cast("B")
    while view:
        view = view[os.write(handle, view) :]


@contextmanager
def created(path: Path) -> Iterator[int]:
    """Handle of a new file, durable at the end; the file is removed if anything fails."""
    handle = os.open(path, _NEW, 0o600)
    try:
        yield handle
        os.fsync(handle)
    except BaseException:
        os.close(handle)
        path.unlink(missing_ok=True)
        raise
    os.close(handle)


def create(path: Path, content: bytes) -> None:
    """Write a new file."""
    with created(path) as handle:
        write(handle, content)


def replace(path: Path, content: bytes) -> None:
    """Put a file in the place of another, completely or not at all."""
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    create(part, content)
    os.replace(part, path)
    sync(path.parent)


def append(path: Path, at: int, content: bytes) -> None:
    """Write `content` at byte `at`, which becomes the end of what was there."""
    handle = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.ftruncate(handle, at)
        os.lseek(handle, at, os.SEEK_SET)
        write(handle, content)
        os.fsync(handle)
    finally:
        os.close(handle)


def folder(path: Path) -> None:
    """Make a folder for its owner alone."""
    os.mkdir(path, 0o700)


def sync(path: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def link(source: Path, target: Path) -> None:
    """The same file under a second name; a copy where the file system has no such links."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _UNLINKABLE:
            raise
        create(target, read(source))


def remove(path: Path) -> None:
    """Remove a folder and all in it, as far as that can be done."""
    shutil.rmtree(path, ignore_errors=True)


def read(path: Path) -> bytes:
    """Content of a regular file, never of what a link leads to.

    Raises
    ------
    DataError
        It is missing, is no regular file, or cannot be read.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise DataError(f"{path} is missing. Restore it from a backup.") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}).") from None
    with os.fdopen(handle, "rb") as stream:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise DataError(f"{path} is no regular file, as all of a library are.")
        try:
            return stream.read()
        except OSError as error:
            raise DataError(f"{path} cannot be read ({error.strerror}).") from None
