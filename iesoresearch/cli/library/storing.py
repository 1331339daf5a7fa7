"""Commands of the store: ``create``, ``log``, ``check``, ``rotate``, ``retain``."""

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from iesoresearch.cli.library.app import app
from iesoresearch.cli.library.opening import Folder, Key, Wait, Who, Why, opened
from iesoresearch.errors import DataError, OutputError, ParameterError

NewKey = Annotated[
    Path | None, typer.Option("--new-key", metavar="FILE", help="Make a key in this new file.")
]
Format = Annotated[str, typer.Option("--format", help="text or json.")]


@app.command("create")
def create(
    folder: Folder,
    territory: Annotated[str, typer.Option(help="Where its records may be, such as UK.")],
    key: Key = None,
    new_key: NewKey = None,
    settings: Annotated[
        Path | None,
        typer.Option(help="YAML of what is settled for good, such as the retention schedule."),
    ] = None,
    who: Who = None,
) -> None:
    """Make an empty library in a new folder."""
    from iesoresearch.library import store
    from iesoresearch.library.store.keys import Keys

    if new_key is not None and key is not None:
        raise ParameterError("Name a key that is there (--key) or a new one (--new-key), not both.")
    settled = _settings(settings)
    who = who or store.default_who()
    place = new_key or key
    if place is not None and place.resolve().is_relative_to(folder.resolve()):
        raise ParameterError(f"{place} would lie in the library that it opens. Keep it elsewhere.")
    keys = Keys.make(new_key) if new_key is not None else Keys.load(key)
    try:
        library = store.create(folder, keys, territory=territory, who=who, settings=settled)
    except BaseException:
        if new_key is not None:
            new_key.unlink(missing_ok=True)  # it opens nothing
        raise
    print(
        f"{library.folder} is a library for records in {territory}. Its key has the id {keys.id}."
    )
    if new_key is not None:
        print(
            f"The key is in {new_key}, for you alone. Keep a copy where no copy of the library is: "
            "without it nobody can read the library again."
        )


@app.command("log")
def log(
    folder: Folder,
    key: Key = None,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only from this day on (UTC).")
    ] = None,
    format: Format = "text",
    head: Annotated[
        bool,
        typer.Option(
            "--head",
            help="Only the head: kept elsewhere, `check --head` proves by it later that "
            "the library was not replaced by an earlier copy.",
        ),
    ] = False,
) -> None:
    """Show who did what, when and why; exit code 3 if the log was tampered with."""
    if format not in {"text", "json"}:
        raise ParameterError(f"--format is text or json, not {format}.")
    library = opened(folder, key)
    if head:
        print(library.head)
        return
    entries = library.log()
    if since is not None:
        entries = [e for e in entries if e["when"] >= since.strftime("%Y-%m-%d")]
    for entry in entries:
        told = {k: v for k, v in entry.items() if k not in {"previous", "mac"}}
        print(json.dumps(told, ensure_ascii=False) if format == "json" else _line(entry))


@app.command("check")
def check(
    folder: Folder,
    key: Key = None,
    head: Annotated[
        str | None, typer.Option(metavar="HEX", help="A head of the log that was kept elsewhere.")
    ] = None,
) -> None:
    """Prove every file, every line of the log and every deletion; exit code 3 if one fails."""
    from iesoresearch.library.store.check import check as prove

    found = prove(opened(folder, key), head)
    for note in found.notes:
        print(f"Note: {note}")
    for problem in found.problems:
        print(f"✗ {problem}")
    if found.problems:
        raise typer.Exit(DataError.exit_code)
    print(f"{found.files} file(s) and {found.lines} line(s) of the log are as they were written.")
    print(f"Head of the log: {found.head}")


@app.command("rotate")
def rotate(
    folder: Folder,
    why: Why,
    new_key: Annotated[
        Path, typer.Option("--new-key", metavar="FILE", help="File of the new key.")
    ],
    key: Key = None,
    data: Annotated[
        bool, typer.Option("--data", help="Also write every file again under a new data key.")
    ] = False,
    who: Who = None,
    wait: Wait = 60,
) -> None:
    """Have the library opened by another key, made in a new file if there is none.

    The secrets of pseudonyms and hashes stay the same for the life of the library, or nobody could
    be recognised again: whoever had a stolen key together with a copy of the library keeps them.
    """
    from iesoresearch.library.store.keys import Keys

    library = opened(folder, key, who)
    if new_key.resolve().is_relative_to(library.folder):
        raise ParameterError(
            f"{new_key} would lie in the library that it opens. Keep it elsewhere."
        )
    new = Keys.load(new_key) if new_key.exists() else Keys.make(new_key)
    library.rotate(new, why, data=data, wait=wait)
    print(f"The library is opened by the key with the id {new.id} ({new_key}) alone.")
    if not library.clear(wait):
        raise OutputError(_still_read(folder))
    print("Backups are still opened by the old key: destroy it when you need none of them.")


@app.command("retain")
def retain(
    folder: Folder,
    why: Why,
    key: Key = None,
    on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Count to this day, not today.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    who: Who = None,
    wait: Wait = 60,
) -> None:
    """Remove records whose years are over, with proof."""
    from iesoresearch.library.store import retention

    library = opened(folder, key, who)
    day = on.date() if on else None
    done = retention.retain(library, why, on=day, dry_run=dry_run, wait=wait)
    print(
        f"{'Would be removed' if dry_run else 'Removed'}, counted to {done.on}: referrals "
        f"{_count(done.referrals)}, patients {_count(done.patients)}, rows of all tables "
        f"{_count(done.rows)}. Kept for want of a year of discharge: {_count(done.without_year)}."
    )
    if not dry_run and not done.proven:
        raise OutputError(_still_read(folder))
    if done.files:
        print(f"Destroyed, with their keys: {len(done.files)} file(s), named in the log.")


def _still_read(folder: Path) -> str:
    return (
        f"{folder}: it is done, but somebody still reads an older generation, so that its files "
        "and keys are there yet. They go with the next write; `iesoresearch library check` says "
        "when they are gone."
    )


def _settings(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    import yaml

    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, ValueError, yaml.YAMLError):
        settings = None
    if not isinstance(settings, dict):
        raise ParameterError(f"{path} cannot be read as settings: it is YAML of names and values.")
    return settings


def _count(number: int) -> str:
    from iesoresearch.library.store.log import told

    return f"{told(number)}"


def _line(entry: dict[str, Any]) -> str:
    details = ", ".join(
        f"{name}: {len(value) if isinstance(value, list | dict) else value}"
        for name, value in entry["details"].items()
    )
    words = f"{entry['n']}  {entry['when']}  {entry['who']}: {entry['what']} ({entry['why']})"
    return f"{words}  {details}".rstrip()
