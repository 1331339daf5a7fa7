"""Options that the commands of the library share; keys are named by their files only."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from iesoresearch.library.store import Library

Folder = Annotated[Path, typer.Argument(metavar="LIBRARY", help="Folder of the library.")]
Key = Annotated[
    Path | None,
    typer.Option(
        "--key",
        metavar="FILE",
        help="File of its key. Default: IESORESEARCH_LIBRARY_KEY, or the file that "
        "IESORESEARCH_LIBRARY_KEY_FILE names.",
    ),
]
Who = Annotated[
    str | None,
    typer.Option("--who", help="Who does this. Default: IESORESEARCH_WHO, or your user name."),
]
Why = Annotated[str, typer.Option("--why", help="Why, for the log; never about one patient.")]
Wait = Annotated[
    float, typer.Option("--wait", min=0, metavar="SECONDS", help="Wait for another writer.")
]


def opened(folder: Path, key: Path | None, who: str | None = None) -> "Library":
    """The library that a command works on."""
    from iesoresearch.library.store import open_library
    from iesoresearch.library.store.keys import Keys

    return open_library(folder, Keys.load(key), who=who)
