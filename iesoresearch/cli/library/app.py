"""The group of commands that the modules of this folder add theirs to."""

import typer

app = typer.Typer(help="The secure research library.", no_args_is_help=True)
