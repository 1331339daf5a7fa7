"""What a person sees while notebooks run, and when their numbers are compared."""

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from iesoresearch.execution.runner import Outcome
from iesoresearch.execution.verify import Difference

_STYLES = {
    "finished": "green",
    "up to date": "cyan",
    "not applicable": "yellow",
    "failed": "bold red",
}


class ProgressBars:
    """One bar per run, a step per cell; a line per run when it has ended."""

    def __init__(self):
        self._console = Console(stderr=True)
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TextColumn("cells"),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
        )
        self._tasks = {}

    def __enter__(self):
        self._bars.start()
        return self

    def __exit__(self, *_):
        self._bars.stop()

    def start(self, run: str, n_cells: int) -> None:
        """Show a bar."""
        self._tasks[run] = self._bars.add_task(escape(run), total=n_cells)

    def advance(self, run: str) -> None:
        """One cell is done."""
        self._bars.advance(self._tasks[run])

    def end(self, outcome: Outcome) -> None:
        """Replace the bar by a line."""
        if outcome.run in self._tasks:
            self._bars.remove_task(self._tasks.pop(outcome.run))
        style = _STYLES[outcome.state]
        took = f" in {outcome.seconds:.1f} s" if outcome.seconds else ""
        self._console.print(f"[{style}]{outcome.state}[/]{took}: {escape(outcome.run)}")


def print_differences(differences: list[Difference], runs: list[str], updated: bool) -> None:
    """A table of all differences, or one line that there are none."""
    console = Console()
    if differences:
        table = Table("run", "number", "expected", "found", "tolerance")
        for d in differences:
            table.add_row(*(escape(x) for x in (d.run, d.name, d.expected, d.found, d.tolerance)))
        console.print(table)
    names = ", ".join(runs)
    if updated:
        console.print(f"Expected numbers of {names} updated; {len(differences)} moved.")
    elif differences:
        console.print(f"{len(differences)} number(s) differ from what is expected of {names}.")
    else:
        console.print(f"All numbers of {names} are as expected.")
