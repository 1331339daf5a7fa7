"""The files of a bundle, as a folder or as one zip file: which there may be, and how large.

A bundle is held in memory as its files by name; nothing of it is trusted before it has been read
whole. Limits of size and rows are those of OpenSAFELY for released outputs.
"""

import io
import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

from iesoresearch import files
from iesoresearch.errors import DataError, DisclosureError, OutputError

#: Content of every file by its name below the bundle, with "/" between folders.
Contents = dict[str, bytes]

MOST_BYTES = 16 * 2**20
MOST_ROWS = 5_000
_MOST_FILES = 20_000
_MOST_IN_ALL = 2**30

MANIFEST, SIGNATURE = "manifest.json", "signature.json"
FINDINGS, PAGE, CRATE = "disclosure.json", "disclosure.html", "ro-crate-metadata.json"
_NAME = r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}"
#: What a bundle may hold: never a notebook, rows of patients, a log or anything that runs; and no
#: picture, which nobody can search: whoever wants one draws it from its table.
ALLOWED = re.compile(
    rf"{re.escape(MANIFEST)}|{re.escape(SIGNATURE)}|{re.escape(FINDINGS)}|{re.escape(PAGE)}"
    rf"|{re.escape(CRATE)}|runs/{_NAME}/({_NAME}\.json|(tables|figures)/{_NAME}\.csv)"
)
_EARLIEST = (1980, 1, 1, 0, 0, 0)  # zip files know no time before it, and need one
_DAMAGED = (
    *(zipfile.BadZipFile, struct.error, zlib.error, EOFError, ValueError, LookupError),
    *(RuntimeError, OverflowError, OSError),
)


def problem_of_names(names) -> str | None:
    """What is wrong with the names of the files of a bundle; None: nothing."""
    seen: set[str] = set()
    for name in sorted(names):
        if not ALLOWED.fullmatch(name):
            return f"{_said(name)} is no file that a bundle may hold"
        if name.casefold() in seen:
            return f"{name} differs from another file by capital letters only"
        seen.add(name.casefold())
    return None


def read(path: Path) -> Contents:
    """All files of a bundle, whose names and sizes are as they may be; nothing else is checked.

    Raises
    ------
    DataError
        It is absent, damaged, or no bundle.
    DisclosureError
        It holds what a bundle may not hold: other files, links, too much.
    """
    try:
        kind = path.stat().st_mode
    except OSError:
        raise DataError(f"There is no bundle at {path}. Name its folder or its zip file.") from None
    contents = _read_folder(path) if stat.S_ISDIR(kind) else _read_zip(path)
    problem = problem_of_names(contents)
    if problem:
        raise refused(path, problem)
    if MANIFEST not in contents:
        raise DataError(
            f"{path} is no bundle: it has no {MANIFEST}. Name the folder or the zip file that "
            "`iesoresearch bundle` wrote."
        )
    return contents


def refused(path: Path, why: str) -> DisclosureError:
    """The one sentence on a bundle that is not let in."""
    return DisclosureError(
        f"The bundle {path.name} is refused: {why}. Use nothing of it. Ask the site that sent it "
        "to make, sign and send it again, over a way that you both trust."
    )


def write(path: Path, contents: Mapping[str, bytes]) -> None:
    """Write a new bundle completely or not at all; a zip file if it is called so.

    Raises
    ------
    OutputError
        There is something of that name, or it cannot be written.
    """
    refuse_present(path)
    if path.suffix == ".zip":
        part = path.with_name(f".{path.name}.part-{os.getpid()}")
        with files.writing(path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                _write_synced(part, zipped(contents))
                os.replace(part, path)
            finally:
                part.unlink(missing_ok=True)
        return
    folder = files.partial(path)
    with files.writing(path.parent):
        for name, content in contents.items():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            _write_synced(target, content)
        folder.rename(path)


def replace_file(path: Path, contents: Contents, name: str) -> None:
    """Write `contents` where the bundle lies already; only the file `name` is new.

    Raises
    ------
    OutputError
        It cannot be written; the bundle is as it was.
    """
    at = path if path.suffix == ".zip" and path.is_file() else path / name
    content = zipped(contents) if at == path else contents[name]
    part = at.with_name(f".{at.name}.part-{os.getpid()}")
    with files.writing(at.parent):
        try:
            _write_synced(part, content)
            os.replace(part, at)
        finally:
            part.unlink(missing_ok=True)


def refuse_present(path: Path) -> None:
    """Nothing may be there yet: two bundles must never be mixed.

    Raises
    ------
    OutputError
        Something is.
    """
    if path.exists() or path.is_symlink():
        raise OutputError(
            f"{path} is there already and was left as it is. Give another name, or move the old "
            "one away."
        )


def zipped(contents: Mapping[str, bytes]) -> bytes:
    """The one zip file of these files: by name, nothing compressed, no times, no remarks."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(contents):
            info = zipfile.ZipInfo(name, _EARLIEST)
            info.create_system, info.external_attr = 3, 0o644 << 16
            archive.writestr(info, contents[name])
    return stream.getvalue()


def _write_synced(path: Path, content: bytes) -> None:
    with path.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _read_folder(folder: Path) -> Contents:
    found: Contents = {}
    total = 0
    for name, status in _walk(folder):
        total += status.st_size
        _refuse_size(folder, name, status.st_size, len(found), total)
        try:
            handle = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with os.fdopen(handle, "rb") as stream:
                found[name] = stream.read(MOST_BYTES + 1)
        except OSError as error:
            raise DataError(f"{folder / name} cannot be read ({error.strerror}).") from None
    return found


def _walk(folder: Path):
    """Names and kinds of all files; what is no plain file in a folder that is needed is refused."""
    for home, folders, names in os.walk(folder):
        folders.sort()
        below = Path(home).relative_to(folder)
        if not folders and not names and below != Path():
            raise refused(folder, f"{_said(below.as_posix())} is an empty folder")
        for name in sorted([*names, *folders]):
            status = (Path(home) / name).lstat()
            said = (below / name).as_posix()
            if stat.S_ISREG(status.st_mode):
                yield said, status
            elif name not in folders or stat.S_ISLNK(status.st_mode):
                raise refused(folder, f"{_said(said)} is a link or no plain file")


def _read_zip(path: Path) -> Contents:
    """The files of a zip file, which must be exactly as `zipped` writes them.

    So nothing can be hidden between or behind them, and nothing has to be unpacked that grows.
    """
    try:
        size = path.stat().st_size
        if size > _MOST_IN_ALL:
            raise refused(path, f"it is larger than {_MOST_IN_ALL // 2**20} MB")
        content = path.read_bytes()
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            _refuse_entries(path, entries, size)
            found = {entry.filename: archive.read(entry) for entry in entries}
        same = zipped(found) == content
    except _DAMAGED as error:
        if isinstance(error, DisclosureError):
            raise
        raise DataError(
            f"{path} cannot be read: it is no zip file, or it was damaged on its way. Ask the site "
            "that sent it to send it again."
        ) from None
    if not same:
        raise refused(
            path,
            "it is not the zip file that iesoresearch writes; something was changed in it, or it "
            "was packed by another program (then unpack it and name the folder)",
        )
    return found


def _refuse_entries(path: Path, entries: list[zipfile.ZipInfo], size: int) -> None:
    names = [entry.filename for entry in entries]
    if len(set(names)) < len(names):
        raise refused(path, "it holds two files of the same name")
    for name in names:
        if not ALLOWED.fullmatch(name):
            raise refused(path, f"{_said(name)} is no file that a bundle may hold")
    if any(e.compress_type != zipfile.ZIP_STORED or e.flag_bits & 1 for e in entries):
        raise refused(path, "files in it are compressed or encrypted, as iesoresearch never does")
    total = 0
    for at, entry in enumerate(entries):
        total += entry.file_size
        _refuse_size(path, entry.filename, entry.file_size, at, total)
    if total > size:
        raise refused(path, "files in it overlap, so that it would grow when it is unpacked")


def _refuse_size(path: Path, name: str, size: int, at: int, total: int) -> None:
    if size > MOST_BYTES:
        raise refused(path, f"{_said(name)} is larger than {MOST_BYTES // 2**20} MB")
    if at >= _MOST_FILES or total > _MOST_IN_ALL:
        raise refused(path, f"it holds more than {_MOST_FILES:,} files or than 1 GB")


def _said(name: str) -> str:
    """A name that somebody else chose, safe for a terminal."""
    shown = "".join(c if c.isprintable() else "?" for c in name)
    return shown if len(shown) <= 120 else f"{shown[:117]}..."
