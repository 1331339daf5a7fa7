"""Commands of extracts: ``agreement``, ``extract``, ``open``, ``annotate``."""

from pathlib import Path
from typing import Annotated

import typer

from iesoresearch import project
from iesoresearch.cli.library.app import app
from iesoresearch.cli.library.opening import Folder, Key, Wait, Who, Why, opened

Purpose = Annotated[
    str, typer.Argument(metavar="AGREEMENT", help="File, or its name in params/agreements.")
]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="New folder.")]
KeyOut = Annotated[
    Path,
    typer.Option("--key-out", metavar="FILE", help="New file for the key that opens it, alone."),
]


@app.command("agreement")
def agreement(purpose: Purpose) -> None:
    """Check a data-sharing agreement, without reading any record."""
    from iesoresearch.library.extract import agreement as agreements
    from iesoresearch.library.extract import grounds
    from iesoresearch.library.extract.generalise import given, in_words

    path = agreements.find(purpose, project.find().params)
    agreed = agreements.read(path)
    grounds.refuse_content(agreed)
    print(f"{path} can be used: {agreed.title} ({agreed.kind}), until {agreed.expires}.")
    for table, columns in agreed.tables.items():
        print(f"  {table}: {', '.join(columns) or 'pseudonyms only'}")
    if known_by := given(agreed.tables, agreed.generalise):
        by = ", ".join(in_words(column, level) for column, level in known_by.items())
        print(f"Somebody could be known by: {by} (k is {agreed.limits.k}).")
    for remark in grounds.remarks(agreed):
        print(f"Note: {remark}")


@app.command("extract")
def extract(
    folder: Folder,
    purpose: Purpose,
    out: Out,
    key_out: KeyOut,
    why: Why,
    key: Key = None,
    who: Who = None,
    wait: Wait = 60,
) -> None:
    """Write the extract of an agreement: sealed, with the minimum data, choices honoured."""
    from iesoresearch.disclosure.policy import Policy
    from iesoresearch.library import extract as extracts
    from iesoresearch.library.extract import agreement as agreements

    params = project.find().params
    made = extracts.extract(
        opened(folder, key, who),
        agreements.find(purpose, params),
        out,
        key_file=key_out,
        why=why,
        policy=Policy.read(params / "disclosure.yaml"),
        wait=wait,
    )
    for line in made.report:
        print(line)
    print(
        f"Extract {made.extract_id} is in {made.folder}; its key in {made.key_file} goes another "
        f"way. The recipient opens it with: iesoresearch library open {made.folder.name} --key "
        "FILE --out DIR"
    )


@app.command("open")
def open_(
    sealed: Annotated[Path, typer.Argument(metavar="EXTRACT", help="Sealed folder.")],
    key: Annotated[Path, typer.Option("--key", metavar="FILE", help="File of its key.")],
    out: Out,
) -> None:
    """Open an extract into a folder that runs read; refused once the agreement has run out."""
    from iesoresearch.library.extract import opening

    for path in opening.open_extract(sealed, key, out):
        print(path)
    print(f"Next: iesoresearch data check {out}")


@app.command("annotate")
def annotate(
    folder: Folder,
    purpose: Purpose,
    out: Out,
    key_out: KeyOut,
    why: Why,
    key: Key = None,
    who: Who = None,
    wait: Wait = 60,
) -> None:
    """Draw a small sample of redacted sessions for coders inside, and nothing else of anybody."""
    from iesoresearch.library.extract import agreement as agreements
    from iesoresearch.library.extract import annotation

    made = annotation.annotate(
        opened(folder, key, who),
        agreements.find(purpose, project.find().params),
        out,
        key_file=key_out,
        why=why,
        wait=wait,
    )
    for line in made.report:
        print(line)
    print(f"Sample {made.extract_id} is in {made.folder}; its key is in {made.key_file}.")
