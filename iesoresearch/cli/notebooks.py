"""``iesoresearch check-notebooks``: what may not be committed."""

from pathlib import Path
from typing import Annotated

import typer

from iesoresearch import project
from iesoresearch.errors import DisclosureError


def check(
    notebooks: Annotated[
        list[Path] | None, typer.Argument(help="Notebooks. Default: all of the project.")
    ] = None,
    scrub: Annotated[
        bool, typer.Option("--scrub", help="Take out of them what may not be committed.")
    ] = False,
) -> None:
    """Refuse notebooks whose outputs may come from patients' records; exit code 5 if any does."""
    from iesoresearch.execution import committed

    here = project.find()
    paths = notebooks or committed.notebooks(here.root, here.notebooks)
    found = {}
    for path in paths:
        if scrub and (n := committed.scrub(path)):
            print(f"{_shown(path, here.root)}: {n} thing(s) taken out.")
        if problems := committed.problems(path):
            found[path] = problems
    if found:
        lines = "\n".join(
            f"  {_shown(path, here.root)}: {'; '.join(of)}" for path, of in found.items()
        )
        raise DisclosureError(
            f"{len(found)} notebook(s) may not be committed:\n{lines}\nRun them with open or "
            "synthetic data (make notebooks), or take such outputs out: iesoresearch "
            "check-notebooks --scrub. What is in the source of a cell is yours to change."
        )
    print(f"{len(paths)} notebook(s): nothing in them comes from patients’ records.")


def _shown(path: Path, root: Path) -> str:
    """A notebook of the project by its place there, any other by its name."""
    return str(path.relative_to(root)) if path.is_relative_to(root) else path.name
