"""``iesoresearch library``: what patients chose, and the public register."""

import datetime
from pathlib import Path
from typing import Annotated

import typer

from iesoresearch.cli.library.app import app
from iesoresearch.cli.library.opening import Folder, Key, Wait, Who, Why, opened
from iesoresearch.errors import DataError, OutputError, ParameterError


@app.command("optouts")
def optouts(
    folder: Folder,
    why: Why,
    date: Annotated[str, typer.Option(help="First day on which they hold: 2026-01-31.")],
    national: Annotated[
        Path | None, typer.Option(help="NHS numbers of those who opted out; - is standard input.")
    ] = None,
    local: Annotated[
        Path | None, typer.Option(help="CSV with name and email of those who opted out here.")
    ] = None,
    complete: Annotated[
        bool, typer.Option("--complete", help="The lists are full: who is gone changed her mind.")
    ] = False,
    lifted: Annotated[
        bool, typer.Option("--lifted", help="The people listed have changed their mind.")
    ] = False,
    sent: Annotated[
        Path | None,
        typer.Option(help="What was sent to the national service; --national is what came back."),
    ] = None,
    key: Key = None,
    who: Who = None,
    wait: Wait = 60,
) -> None:
    """Record opt-outs; records of whoever has opted out are taken out of the library."""
    from iesoresearch.library import choices

    done = choices.record_optouts(
        opened(folder, key, who),
        national=national,
        local=local,
        on=_day(date),
        why=why,
        complete=complete,
        lifted=lifted,
        sent=sent,
        wait=wait,
    )
    print(done.text())
    _exit_unless(done.complete)


@app.command("consent")
def consent(
    folder: Folder,
    study: Annotated[Path, typer.Argument(help="YAML file of the study or trial.")],
    people: Annotated[
        Path, typer.Argument(help="CSV of consents and withdrawals; - is standard input.")
    ],
    why: Why,
    key: Key = None,
    who: Who = None,
    wait: Wait = 60,
) -> None:
    """Record who consented to a study or trial, or withdrew consent; no reason is asked for."""
    from iesoresearch.library.choices import consent as consents

    done = consents.record_consents(opened(folder, key, who), study, people, why=why, wait=wait)
    print(done.text())
    _exit_unless(not done.unreadable)


@app.command("withdraw")
def withdraw(
    folder: Folder,
    people: Annotated[
        Path,
        typer.Argument(help="CSV with nhs_number, or name and email; - is standard input."),
    ],
    why: Why,
    runs: Annotated[
        Path | None, typer.Option(help="Folder of runs: says which used extracts with them.")
    ] = None,
    date: Annotated[str | None, typer.Option(help="Day; today unless given.")] = None,
    key: Key = None,
    who: Who = None,
    wait: Wait = 60,
) -> None:
    """Take people out of the library for good, and say which extracts and runs held them."""
    from iesoresearch.library.choices import withdrawal

    done = withdrawal.withdraw(
        opened(folder, key, who),
        people,
        why=why,
        on=_day(date) if date else None,
        runs=runs,
        wait=wait,
    )
    print(done.text())
    _exit_unless(not done.lines)


@app.command("register")
def register(
    folder: Folder,
    out: Annotated[
        Path | None, typer.Option(help="File to write; shown as Markdown unless given.")
    ] = None,
    how: Annotated[
        str | None, typer.Option("--format", help="html, markdown, csv or json; else by the file.")
    ] = None,
    agreements: Annotated[
        Path | None, typer.Option(help="Folder of agreements: what came of the uses by now.")
    ] = None,
    date: Annotated[str | None, typer.Option(help="As of this day; today unless given.")] = None,
    key: Key = None,
) -> None:
    """Make the public register of data uses from the log."""
    from iesoresearch import files
    from iesoresearch.library import register as registers

    how = how or _format_of(out)
    found = registers.of(opened(folder, key), _day(date) if date else None, agreements)
    text = registers.as_text(found, how)
    if out is None:
        print(text, end="")
        return
    if out.is_dir():
        raise OutputError(f"{out} is a folder. Name a file with --out.")
    files.write_text(out, text)
    print(f"Written: {out}")


@app.command("destroyed")
def destroyed(
    folder: Folder,
    extract: Annotated[str, typer.Argument(help="Name of the extract, as the register has it.")],
    why: Annotated[str, typer.Option(help="What shows it, such as a certificate.")],
    date: Annotated[str, typer.Option(help="Day on which it was destroyed.")],
    key: Key = None,
    who: Who = None,
) -> None:
    """Record that a recipient has destroyed an extract."""
    from iesoresearch.library import register as registers

    registers.destroyed(opened(folder, key, who), extract, on=_day(date), why=why)
    print(f"Recorded: {extract} was destroyed on {date}.")


def _exit_unless(complete: bool) -> None:
    """Exit code 3 if not every line was read, although the others count."""
    if not complete:
        raise typer.Exit(DataError.exit_code)


def _day(text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise ParameterError(
            f"--date {text!r} is no day. Write year-month-day, such as 2026-01-31."
        ) from None


def _format_of(out: Path | None) -> str:
    suffix = "" if out is None else out.suffix.lower()
    return {".html": "html", ".htm": "html", ".csv": "csv", ".json": "json"}.get(suffix, "markdown")
