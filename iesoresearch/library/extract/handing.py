"""Handing over: a sealed folder and its key appear together, at the end, or not at all."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from iesoresearch import files
from iesoresearch.errors import OutputError
from iesoresearch.library.store import disk
from iesoresearch.library.store.keys import Keys

_SEALED = "sealed"


@contextmanager
def placed(folder: Path, key_file: Path) -> Iterator[tuple[Path, Keys]]:
    """Where to write what will be `folder`, and the fresh key that will be in `key_file`.

    If anything fails neither stays. A process that is killed leaves a key that opens nothing, and
    a sealed folder beside its place that the next one clears up.

    Raises
    ------
    OutputError
        One of the two is there already or cannot be written; the key would lie in the folder.
    """
    folder, key_file = Path(folder), Path(key_file)
    home = folder.resolve()
    if home == key_file.resolve() or home in key_file.resolve().parents:
        raise OutputError(
            f"The key would lie in {folder}, with what it opens. Name another place with --key-out."
        )
    if folder.exists():
        raise OutputError(f"{folder} is there already and was left as it is. Name a new folder.")
    beside = files.partial(folder)
    made = False
    try:
        beside.chmod(0o700)
        key_file.parent.mkdir(parents=True, exist_ok=True)
        keys = Keys.make(key_file)
        made = True
        yield beside / _SEALED, keys
        _moved(beside / _SEALED, folder)
    except BaseException:
        if made:
            key_file.unlink(missing_ok=True)
        raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _moved(sealed: Path, folder: Path) -> None:
    with files.writing(folder.parent):
        sealed.rename(folder)
        disk.sync(folder.parent)
