"""``iesoresearch library``: the secure research library."""

import typer

app = typer.Typer(help="The secure research library.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """The secure research library."""


# one line per module of commands: each adds its commands to `app`
from iesoresearch.cli.library import choosing  # noqa: E402, F401
from iesoresearch.cli.library import storing  # noqa: E402, F401
from iesoresearch.cli.library import extracting  # noqa: E402, F401
from iesoresearch.cli.library import ingesting  # noqa: E402, F401
