"""Whole files, whole folders, and when the folder of a run counts.

A folder is filled beside its final place and moved there at the end; the last file written is
status.json with a hash of every other. A folder without a valid status is no result. Of a run that
the data here cannot answer, a record below not-applicable/ says why.
"""

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from iesoresearch.errors import DataError, OutputError
from iesoresearch.hashes import file_hash

if TYPE_CHECKING:
    import polars as pl

STATUS = "status.json"
PRIVATE = "private"  # folder of a run with rows of patients, for later analyses alone
NOT_APPLICABLE = "not-applicable"  # folder of the records
_MADE_HERE = (STATUS, "numbers.json", "report.json")  # one of them is in every folder of ours
_ATTEMPTS = 5


@contextmanager
def writing(folder: Path) -> Iterator[None]:
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
            f"{folder} cannot be written ({error.strerror or error}). Free space or name another "
            "folder with --out; what was there before is untouched."
        ) from None


def write_text(path: Path, content: str) -> None:
    """Write a file completely or not at all."""
    part = path.with_name(path.name + ".part")
    with writing(path.parent):
        try:
            with part.open("w", encoding="utf-8", newline="\n") as stream:
                stream.write(content)
            part.replace(path)
        except OSError:
            part.unlink(missing_ok=True)
            raise


def write_json(path: Path, content: Any) -> None:
    """Write JSON that diffs well, in the order of `content`."""
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def partial(final: Path) -> Path:
    """A new, empty folder beside `final`; what dead processes left behind is cleared up first.

    Raises
    ------
    OutputError
        `final` is somebody's file or folder and not one that was made here.
    """
    with writing(final.parent):
        final.parent.mkdir(parents=True, exist_ok=True)
        _clear_up(final)
        _refuse_foreign(final)
        folder = final.parent / f".{final.name}.partial-{os.getpid()}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    return folder


def _clear_up(final: Path) -> None:
    for left in final.parent.glob(f".{final.name}.partial-*"):
        ours = re.fullmatch(r".*\.partial(-old)?-(\d+)", left.name)
        if ours is None or _alive(int(ours[2])):
            continue
        if ours[1] and not final.exists():
            left.rename(final)  # killed between the two moves of `finish`: the last good result
        else:
            shutil.rmtree(left, ignore_errors=True)


def _refuse_foreign(final: Path) -> None:
    if not final.exists() or (final.is_dir() and not any(final.iterdir())):
        return
    if not any((final / name).is_file() for name in _MADE_HERE):
        raise OutputError(
            f"{final} is there and was not made by iesoresearch; it was left as it is. Move it, or "
            "name another folder with --out."
        )


def finish(folder: Path, final: Path, status: dict[str, Any], name: str = STATUS) -> None:
    """Write the status of a complete `folder` and move it to `final`; the last of two stays."""
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    status = status | {"files": {p.relative_to(folder).as_posix(): file_hash(p) for p in files}}
    write_json(folder / name, status)
    aside = final.parent / f".{final.name}.partial-old-{os.getpid()}"
    with writing(final.parent):
        for attempt in range(_ATTEMPTS):
            try:
                if final.exists():
                    final.rename(aside)
                folder.rename(final)
                break
            except OSError:  # another process finished the same run in between
                if attempt == _ATTEMPTS - 1:
                    raise
                shutil.rmtree(aside, ignore_errors=True)
        shutil.rmtree(aside, ignore_errors=True)


def read_status(folder: Path, name: str = STATUS) -> dict[str, Any] | None:
    """Status of a finished folder, or None unless every file is there as it was written."""
    try:
        status = json.loads((folder / name).read_text(encoding="utf-8"))
        intact = all(file_hash(folder / file) == digest for file, digest in status["files"].items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return status if intact else None


def finished_runs(out: Path) -> dict[str, dict[str, Any]]:
    """Statuses of all valid runs below `out`, by name."""
    if not out.is_dir():
        return {}
    statuses = {p.name: read_status(p) for p in sorted(out.iterdir()) if not p.name.startswith(".")}
    return {name: status for name, status in statuses.items() if status is not None}


def write_private(folder: Path, frames: "dict[str, pl.DataFrame]") -> None:
    """Write rows of patients below `folder`, readable by their owner only.

    Rows of an earlier time are removed first, whatever they were called.

    Raises
    ------
    OutputError
        It cannot be written.
    """
    home = folder / PRIVATE
    with writing(folder):
        shutil.rmtree(home, ignore_errors=True)
        if frames:
            home.mkdir(mode=0o700)
        for name, frame in frames.items():
            # made with these permissions, not given them once the rows are in it
            handle = os.open(home / f"{name}.parquet", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(handle, "wb") as stream:
                frame.write_parquet(stream)


def read_private(run_folder: Path, name: str) -> "pl.DataFrame":
    """Rows that a finished run hands over to later analyses.

    Parameters
    ----------
    run_folder
        Of the run.
    name
        Of the rows, a key of the `private` of its result.

    Raises
    ------
    DataError
        The folder is no valid result, or hands over nothing of that name.
    """
    import polars as pl  # a run that is up to date does without

    status = read_status(run_folder)
    if status is None:
        raise DataError(
            f"Run {run_folder.name} has no valid result in {run_folder.parent}: it was never "
            "finished, or a file of it was changed since. Run it again: iesoresearch run "
            f"{run_folder.name}"
        )
    file = f"{PRIVATE}/{name}.parquet"
    if file not in status["files"]:
        there = [Path(other).stem for other in status["files"] if other.startswith(f"{PRIVATE}/")]
        raise DataError(
            f"Run {run_folder.name} hands over no rows called {name!r}; it hands over "
            f"{', '.join(there) or 'none'}. Name a run that does, or run it again with this "
            "version of iesoresearch."
        )
    return pl.read_parquet(run_folder / file)


def record_path(out: Path, name: str) -> Path:
    """Where it is recorded that the data here cannot answer a run."""
    return out / NOT_APPLICABLE / f"{name}.json"


def read_record(out: Path, name: str) -> dict[str, Any] | None:
    """Why the data here could not answer a run when it was last started; None if they could.

    Returns
    -------
    dict or None
        ``run``, ``reason``, ``parameters``, ``inputs`` as in the status of a run.
    """
    try:
        record = json.loads(record_path(out, name).read_text(encoding="utf-8"))
        kinds = {"run": str, "reason": str, "parameters": dict, "inputs": dict}
        sound = all(isinstance(record[key], kind) for key, kind in kinds.items())
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return record if sound and record["run"] == name else None


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
