"""A sealed folder: encrypted tables that leave the library, under one fresh key.

``sealed.json`` shows a format, a random id and the id of the key. All else (what was agreed, the
hash and the data key of every file) is in one encrypted and authenticated piece of it, so that
nothing can be changed, exchanged or taken out unseen, and nothing is told without the key.
"""

import base64
import hashlib
import json
import os
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from iesoresearch.errors import DataError, OutputError, ParameterError
from iesoresearch.library.store import disk, parquet
from iesoresearch.library.store.keys import Hidden, Keys

SEAL = "sealed.json"
FORMAT, VERSION = "iesoresearch sealed folder", 1
_PURPOSE = "sealed folder"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


class Tables(Mapping[str, pl.DataFrame]):
    """Tables of a sealed folder; each is read, and proven, when it is asked for."""

    def __init__(self, folder: Path, sealed: str, files: dict[str, parquet.Written]) -> None:
        self._folder, self._sealed, self._files = folder, sealed, files

    def __getitem__(self, name: str) -> pl.DataFrame:
        file = self._folder / f"{name}.parquet"
        return parquet.read(file, self._files[name], f"{self._sealed}/{name}")

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

    def __repr__(self) -> str:
        return f"<Tables {', '.join(self)}>"


def write_sealed(
    folder: Path,
    frames: Mapping[str, pl.DataFrame | Iterable[pl.DataFrame]],
    key: Keys,
    meta: Mapping[str, Any],
) -> None:
    """Write tables and what goes with them to a new folder, completely or not at all.

    Parameters
    ----------
    folder
        New.
    frames
        Tables by name; or their rows piece by piece, so that no table is held as a whole.
    key
        A fresh one (`Keys.make`), used for nothing else.
    meta
        What JSON can hold.

    Raises
    ------
    ParameterError
        A name that no table can have.
    OutputError
        The folder is there, or cannot be written; nothing is left of it.
    """
    folder = Path(folder)
    for name in frames:
        if not _NAME.fullmatch(name):
            raise ParameterError(
                f"{name!r} names no table of a sealed folder: small letters, digits, - and _."
            )
    if os.path.lexists(folder):
        raise OutputError(f"{folder} is there already and was left as it is. Name a new folder.")
    part = folder.with_name(f".{folder.name}.partial-{secrets.token_hex(4)}")
    with disk.writable(folder.parent):
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            disk.folder(part)
            _fill(part, frames, key, meta)
            disk.sync(part)
            os.rename(part, folder)
            disk.sync(folder.parent)
        finally:
            disk.remove(part)


def _fill(folder: Path, frames: Mapping[str, Any], key: Keys, meta: Mapping[str, Any]) -> None:
    sealed, files = secrets.token_hex(16), {}
    for name, given in frames.items():
        pieces = [given] if isinstance(given, pl.DataFrame) else given
        written = parquet.write(folder / f"{name}.parquet", pieces, f"{sealed}/{name}")
        data_key = base64.b64encode(written.key.content).decode()
        files[name] = {"sha256": written.sha256, "key": data_key}
    told = {"meta": dict(meta), "files": files}
    body = Hidden(json.dumps(told, ensure_ascii=False).encode())
    content = {"format": FORMAT, "version": VERSION, "id": sealed, "key": key.id}
    content["sealed"] = key.wrap(body, _PURPOSE, _bound(content))
    disk.create(folder / SEAL, (json.dumps(content, indent=1) + "\n").encode())


def read_sealed(folder: Path, key: Keys) -> tuple[Tables, dict[str, Any]]:
    """Tables of a sealed folder, and what goes with them; every file is proven first.

    Raises
    ------
    ParameterError
        It is no sealed folder, or of another version; the key is another one.
    DataError
        A file is missing, is there unasked, or was changed.
    """
    folder = Path(folder)
    content = _seal(folder)
    if content["key"] != key.id:
        raise ParameterError(
            f"This key does not open {folder}: it needs the key with the id {content['key']}, and "
            f"the one given has {key.id}."
        )
    body = key.unwrap(content.pop("sealed"), _PURPOSE, _bound(content))
    if body is None:
        raise DataError(
            f"{folder / SEAL} is damaged or was changed. Ask the library for the extract again."
        )
    told = json.loads(body.content)
    files = {
        name: parquet.Written(file["sha256"], Hidden(base64.b64decode(file["key"])))
        for name, file in told["files"].items()
    }
    _check_files(folder, files)
    return Tables(folder, content["id"], files), told["meta"]


def _bound(content: dict[str, Any]) -> str:
    return json.dumps(content, sort_keys=True)


def _seal(folder: Path) -> dict[str, Any]:
    if not (folder / SEAL).is_file():
        raise ParameterError(f"{folder} is no sealed folder: there is no {SEAL} in it.")
    stored = disk.read(folder / SEAL)
    try:
        content = json.loads(stored)
        ours = content["format"] == FORMAT and set(content) >= {"version", "id", "key", "sealed"}
    except (ValueError, LookupError, TypeError):
        ours = False
    if not ours:
        raise ParameterError(f"{folder} is no sealed folder: {SEAL} in it is not of one.")
    if content["version"] != VERSION:
        raise ParameterError(
            f"{folder} was made by another version of iesoresearch (format {content['version']}, "
            f"this version reads {VERSION}). Use the version it was made with."
        )
    return content


def _check_files(folder: Path, files: dict[str, parquet.Written]) -> None:
    there = {path.name for path in folder.iterdir()} - {SEAL}
    unknown = sorted(there - {f"{name}.parquet" for name in files})
    if unknown:
        raise DataError(
            f"{folder / unknown[0]} is no file of this sealed folder. Take it away, or ask the "
            "library for the extract again."
        )
    for name, written in files.items():
        content = disk.read(folder / f"{name}.parquet")
        if hashlib.sha256(content).hexdigest() != written.sha256:
            raise DataError(
                f"{folder / name}.parquet is damaged or was changed. Ask the library for the "
                "extract again."
            )
