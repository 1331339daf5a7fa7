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

    paths = notebooks or sorted(project.find().notebooks.glob("*.ipynb"))
    found = {}
    for path in paths:
        if scrub and (n := committed.scrub(path)):
            print(f"{path.name}: {n} thing(s) taken out.")
        if problems := committed.problems(path):
            found[path.name] = problems
    if found:
        lines = "\n".join(f"  {name}: {'; '.join(of)}" for name, of in found.items())
        raise DisclosureError(
            f"{len(found)} notebook(s) may not be committed:\n{lines}\nRun them with open or "
            "synthetic data (make notebooks), or take such outputs out: iesoresearch "
            "check-notebooks --scrub. Paths in the source of a cell are yours to change."
        )
    print(f"{len(paths)} notebook(s): nothing in them comes from patients’ records.")
