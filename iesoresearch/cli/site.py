"""``iesoresearch site``: map a partner's files."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from iesoresearch import project
from iesoresearch.errors import OutputError

if TYPE_CHECKING:
    from iesoresearch.data.mapping import Proposal, Question

app = typer.Typer(help="Bring a site's own files.", no_args_is_help=True)


@app.command("init")
def init(
    name: Annotated[str, typer.Argument(help="Name of the site, as you like.")],
    files: Annotated[list[Path], typer.Argument(help="Its files: CSV, TSV or Parquet.")],
) -> None:
    """Propose how the columns and codes of a site's files become ours."""
    from iesoresearch.data import mapping

    path = mapping.path_of(name, project.find().params)
    if path.exists():
        raise OutputError(
            f"{path} is there already and was left as it is. Edit it, move it away, or give the "
            "site another name."
        )
    proposal = mapping.propose(files)
    for note in proposal.notes:
        print(note)
    if sys.stdin.isatty():
        for question in list(proposal.questions):
            _ask(proposal, question)
    mapping.write(path, mapping.render(name, proposal.mapping(), proposal.remarks()))
    print(f"Written: {path}")
    waiting = proposal.mapping().open_lines()
    if waiting:
        print(f"{len(proposal.questions)} answer(s) are missing; fill in each “?” of the file:")
        for line in waiting:
            print(f"  {line}")
    print(f"Next: iesoresearch data check --site {name}")


def _ask(proposal: "Proposal", question: "Question") -> None:
    """Ask on the terminal; a number chooses a candidate, nothing leaves the line out."""
    print(f"\n{question.text}")
    for number, candidate in enumerate(question.candidates, start=1):
        print(f"  {number}  {candidate}")
    hint = "number or name, empty = none" if question.optional else "number or name, ? = later"
    while True:
        given = typer.prompt(hint, default="", show_default=False).strip()
        if given == "?" or (not given and not question.optional):
            return
        if given.isdigit() and 1 <= int(given) <= len(question.candidates):
            given = question.candidates[int(given) - 1]
        problem = proposal.problem(question, given)
        if problem is None:
            proposal.answer(question, given)
            return
        print(problem)
