"""What a library is at one time, as its small files tell it, each proven by the next.

``CURRENT`` carries a MAC under the master key, and the hashes of ``library.json``, of the
manifest and of the keys of one generation; the manifest carries the hash of every encrypted file.
Keys are kept with the generation they open (``generations/<n>/keys.json``), not beside it, so that
replacing ``CURRENT`` is all there is to a commit, and removing a generation destroys its keys.
"""

import hashlib
import hmac
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from iesoresearch.errors import DataError, OutputError, ParameterError
from iesoresearch.library.store import disk, locking
from iesoresearch.library.store.keys import Hidden, Keys, derive
from iesoresearch.library.store.log import Head, ends_with
from iesoresearch.library.store.parquet import Written

ABOUT, CURRENT, LOG, GENERATIONS = "library.json", "CURRENT", "log.jsonl", "generations"
MANIFEST, KEYS = "manifest.json", "keys.json"
FORMAT, VERSION = "iesoresearch library", 1
COMPARTMENTS = ("records", "choices")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_ATTEMPTS = 100

Place = tuple[str, str, str]  # compartment, table, part


@dataclass(frozen=True)
class Part:
    """One encrypted file: its hash, and the id and content of its data key."""

    written: Written
    key_id: str


@dataclass(frozen=True)
class State:
    """A library at one time; `root` is the secret that all others are derived from."""

    about: dict[str, Any]
    generation: int
    master: str
    root: Hidden
    parts: dict[Place, Part]
    head: Head
    hashes: dict[str, str]

    @property
    def id(self) -> str:
        """Of the library."""
        return self.about["id"]

    def secret(self, name: str) -> bytes:
        """32 bytes for one use."""
        return derive(self.root, f"secret: {name}")

    def with_generation(self, keys: Keys, parts: dict[Place, Part]) -> "State":
        """The next one, not written yet."""
        return replace(self, generation=self.generation + 1, master=keys.id, parts=parts)


def file_of(place: Place) -> str:
    """Path of a part below its generation."""
    return "{}/{}/{}.parquet".format(*place)


def home(folder: Path, generation: int) -> Path:
    """Folder of a generation."""
    return folder / GENERATIONS / str(generation)


def check_place(place: Place) -> None:
    """Refuse names that could lead elsewhere, or be one file on some systems.

    Raises
    ------
    ParameterError
        No such compartment, or a name of other than small letters, digits, "-" and "_".
    """
    if place[0] not in COMPARTMENTS:
        raise ParameterError(f"There is no compartment {place[0]!r}: {', '.join(COMPARTMENTS)}.")
    for name in place[1:]:
        if not _NAME.fullmatch(name):
            raise ParameterError(
                f"{name!r} names no table or part of a library: small letters, digits, - and _."
            )


def belongs(library: str, place: Place, key_id: str) -> str:
    """What a part and its data key are bound to."""
    return "/".join((library, *place, key_id))


def encode(content: dict[str, Any]) -> bytes:
    """JSON as all small files hold it."""
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()


def manifest_of(state: State) -> bytes:
    """Content of the manifest: files and hashes, no count of rows."""
    files = {
        file_of(place): {"sha256": part.written.sha256, "key": part.key_id}
        for place, part in sorted(state.parts.items())
    }
    return encode({"library": state.id, "generation": state.generation, "files": files})


def keys_of(state: State, keys: Keys) -> bytes:
    """Content of the file of keys: every data key and the root secret, wrapped."""
    wrapped = {
        part.key_id: keys.wrap(part.written.key, place[0], belongs(state.id, place, part.key_id))
        for place, part in sorted(state.parts.items())
    }
    root = keys.wrap(state.root, "root", state.id)
    return encode({"library": state.id, "master": keys.id, "root": root, "keys": wrapped})


def current_of(state: State, keys: Keys) -> bytes:
    """Content of CURRENT; replacing the file with it is the commit.

    Its MAC is of the master key, so that a key that was replaced forges no state.
    """
    content = {
        "generation": state.generation,
        "entries": state.head.entries,
        "head": state.head.sha256,
        "log": state.head.size,
        **state.hashes,
    }
    return encode(content | {"mac": _mac(keys, content)})


def _mac(keys: Keys, content: dict[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True).encode()
    return hmac.digest(keys.derive("CURRENT"), text, "sha256").hex()


def load(folder: Path, keys: Keys) -> tuple[State, locking.Held]:
    """The present state of a library, proven, and a lock that keeps its generation.

    Raises
    ------
    ParameterError
        The folder is no library, or of another version; the key is another one.
    DataError
        A file is missing or was changed.
    """
    about = _about(folder)
    current, held = _settle(folder)
    where = home(folder, current["generation"])
    stored = _json(where / KEYS)
    if stored.get("master") != keys.id:
        raise ParameterError(
            f"This key does not open this library: {folder} needs the key with the id "
            f"{str(stored.get('master'))[:16]}, and the one given has {keys.id}."
        )
    root = keys.unwrap(stored.get("root"), "root", str(about.get("id")))
    if root is None:
        raise DataError(_changed(where / KEYS, folder / ABOUT))
    mac = current.pop("mac", "")
    if not hmac.compare_digest(str(mac).encode(), _mac(keys, current).encode()):
        raise DataError(_changed(folder / CURRENT))
    files = {"about": folder / ABOUT, "manifest": where / MANIFEST, "keys": where / KEYS}
    for name, path in files.items():
        if hashlib.sha256(disk.read(path)).hexdigest() != current[name]:
            raise DataError(_changed(path))
    state = State(
        about=about,
        generation=current["generation"],
        master=keys.id,
        root=root,
        parts=_parts(about["id"], _json(where / MANIFEST), stored, keys),
        head=_head(current),
        hashes={name: current[name] for name in files},
    )
    return state, held


def _about(folder: Path) -> dict[str, Any]:
    if not (folder / ABOUT).is_file():
        raise ParameterError(
            f"{folder} is no library. `iesoresearch library create` makes one, in a new folder."
        )
    about = _json(folder / ABOUT)
    if about.get("format") != FORMAT or not isinstance(about.get("version"), int):
        raise ParameterError(f"{folder} is no library: {ABOUT} in it is not of one.")
    if about["version"] != VERSION:
        age = "a newer" if about["version"] > VERSION else "an older"
        raise ParameterError(
            f"{folder} was made by {age} version of iesoresearch (format {about['version']}, this "
            f"version reads {VERSION}). Use the version it was made with."
        )
    return about


def _settle(folder: Path) -> tuple[dict[str, Any], locking.Held]:
    """CURRENT and a lock on the generation it names, which a writer may just be replacing."""
    for _ in range(_ATTEMPTS):
        content = disk.read(folder / CURRENT)
        current = _json(folder / CURRENT, content)
        try:
            head = _head(current)
            manifest = home(folder, int(current["generation"])) / MANIFEST
        except (LookupError, ValueError, TypeError):
            raise DataError(_changed(folder / CURRENT)) from None
        try:
            held = locking.reading(manifest)
        except OSError:
            held = None
        log = disk.read(folder / LOG)
        if content == disk.read(folder / CURRENT):
            if held is None:
                raise DataError(f"{manifest} is missing. Restore the library from a backup.")
            _check_log(folder, log, head)
            return current, held
        if held is not None:
            held.release()
    raise OutputError(f"{folder} is written so often that it cannot be read. Do it again.")


def _head(current: dict[str, Any]) -> Head:
    return Head(int(current["entries"]), str(current["head"]), int(current["log"]))


def _parts(
    library: str, manifest: dict[str, Any], stored: dict[str, Any], keys: Keys
) -> dict[Place, Part]:
    parts = {}
    for file, told in manifest["files"].items():
        compartment, table, name = file.removesuffix(".parquet").split("/")
        place, key_id = (compartment, table, name), told["key"]
        key = keys.unwrap(stored["keys"][key_id], compartment, belongs(library, place, key_id))
        if key is None:
            raise DataError(f"The key of {file} was changed. Restore the library from a backup.")
        parts[place] = Part(Written(told["sha256"], key), key_id)
    return parts


def _check_log(folder: Path, content: bytes, head: Head) -> None:
    """Refuse a log that does not end as CURRENT says; the chain itself is for `check` to prove.

    A writer that was killed leaves no more than one line beyond the end.
    """
    if not ends_with(content, head) or content.count(b"\n", head.size) > 1:
        raise DataError(
            f"{folder / LOG} does not end as the library knows it: lines were changed, removed or "
            "added, or the library was copied while it was written. Compare with a backup."
        )


def _json(path: Path, content: bytes | None = None) -> dict[str, Any]:
    content = disk.read(path) if content is None else content
    try:
        read = json.loads(content)
    except ValueError:
        read = None
    if not isinstance(read, dict):
        raise DataError(_changed(path))
    return read


def _changed(*paths: Path) -> str:
    return (
        f"{' or '.join(map(str, paths))} is damaged or was changed, or the library was copied "
        "while it was written. Restore the whole folder from a backup."
    )
