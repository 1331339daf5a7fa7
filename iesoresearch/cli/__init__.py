"""The command line.

Heavy imports wait inside the commands, so that help and a cached run are quick.
"""

import json
import os
import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer

from iesoresearch import __version__, project
from iesoresearch.cli import bundle, data, freezing, library, notebooks, site, specs
from iesoresearch.errors import IesoError, NotApplicable, ParameterError
from iesoresearch.params import Settings, load_run, paper_runs

app = typer.Typer(
    name="iesoresearch",
    help="Reproducible research on talking therapy.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(data.app, name="data")
app.add_typer(site.app, name="site")
app.add_typer(library.app, name="library")

Out = Annotated[
    Path | None, typer.Option("--out", help="Folder of the runs. Default: reports/out.")
]


@app.callback(invoke_without_command=True)
def _main(
    show_version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    if show_version:
        print(__version__)
        raise typer.Exit


@app.command()
def run(
    runs: Annotated[list[str] | None, typer.Argument(help="Names of runs in params/.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="All runs of the paper (params/paper.yaml).")
    ] = False,
    parameter: Annotated[
        list[str] | None,
        typer.Option("-p", help="name=value: change a parameter of the one run named."),
    ] = None,
    folders: Annotated[
        list[Path] | None, typer.Option("--data", help="Folder to look for data in, first.")
    ] = None,
    site: Annotated[
        str | None,
        typer.Option("--site", help="Of this site; with --all the runs of params/site.yaml."),
    ] = None,
    out: Out = None,
    jobs: Annotated[
        int, typer.Option("--jobs", min=1, help="Notebooks to run side by side.")
    ] = os.cpu_count() or 1,
) -> None:
    """Run notebooks that are not up to date."""
    from iesoresearch.execution import runner
    from iesoresearch.execution.progress import ProgressBars

    here = project.find()
    wanted = specs.chosen(runs or [], parameter or [], everything=everything, site=site)
    if site is None:
        specs.refuse_records(wanted, folders or [], everything=everything, out=out)
    out = out or specs.home(site)
    settings = _settings(folders or [], jobs)
    prepared = runner.prepare(here, wanted, settings)
    try:
        with ProgressBars() as progress:
            outcomes = runner.run_all(here, prepared, out, settings, progress)
    except KeyboardInterrupt:
        print("Interrupted. Finished runs are kept; run again for the others.", file=sys.stderr)
        raise typer.Exit(130) from None
    _tell_failed_checks(outcomes, out)
    _explain(outcomes, everything)


def _tell_failed_checks(outcomes: list, out: Path) -> None:
    """Say which checks failed: a run that was finished is not a run that agrees."""
    for outcome in outcomes:
        if outcome.state not in {"finished", "up to date"}:
            continue
        checks = json.loads((out / outcome.run / "checks.json").read_text(encoding="utf-8"))
        failed = [check for check in checks if check["status"] == "failed"]
        if failed:
            print(f"\nRun {outcome.run}: {len(failed)} of {len(checks)} checks failed.")
        for check in failed:
            print(f"  ✗ {check['name']}: {check['sentence']}")


def _explain(outcomes: list, everything: bool) -> None:
    """Say why runs have no result; a run that was asked for by name must have one."""
    failed = [o for o in outcomes if o.state == "failed"]
    lacking = [o for o in outcomes if o.state == "not applicable"]
    for outcome in lacking:
        print(f"\nRun {outcome.run} is not applicable here. {outcome.message}", file=sys.stderr)
    for outcome in failed:
        print(f"\nRun {outcome.run} failed. {outcome.message}", file=sys.stderr)
    if failed:
        raise typer.Exit(failed[0].exit_code)
    if lacking and not everything:
        raise typer.Exit(NotApplicable.exit_code)


def _settings(folders: list[Path], jobs: int) -> Settings:
    for folder in folders:
        if os.pathsep in str(folder):
            raise ParameterError(f"--data {folder}: the path of a folder may not hold {os.pathsep}")
    return Settings((*folders, *Settings.from_environment().search_path), jobs)


@app.command()
def verify(
    out: Annotated[
        Path | None, typer.Argument(help="Folder of the runs. Default: reports/out.")
    ] = None,
    runs: Annotated[
        list[str] | None, typer.Option("--run", help="Only this run (may be repeated).")
    ] = None,
    update: Annotated[
        bool, typer.Option("--update", help="Accept the present numbers as the expected ones.")
    ] = False,
) -> None:
    """Compare the numbers of all runs with reports/expected; exit code 1 if any moved.

    Runs that the data here cannot answer are named and left out.
    """
    from iesoresearch.execution import verify as verification
    from iesoresearch.execution.progress import print_differences

    here = project.find()
    names = runs or paper_runs(here.params)
    wanted = [load_run(here.params, name) for name in names]
    out = out or here.out
    left = verification.not_applicable(out, here.expected, wanted, accepting=update)
    wanted = [spec for spec in wanted if spec.name not in left]
    for note in verification.notes(out, here, wanted, accepting=update):
        print(note)
    act = verification.update if update else verification.verify
    compared = [spec.name for spec in wanted]
    differences = act(out, here.expected, compared)
    print_differences(differences, compared, updated=update)
    for name, reason in left.items():
        print(f"Not compared: run {name} is not applicable here. {reason}")
    if differences and not update:
        raise typer.Exit(1)


@app.command()
def report(
    out: Annotated[
        Path | None, typer.Argument(help="Folder of the runs. Default: reports/out.")
    ] = None,
) -> None:
    """Build the report site from all valid runs; exit code 1 if a checklist in it has blanks."""
    from iesoresearch.reporting import blanks, build

    here = project.find()
    page = build(out or here.out, here)
    print(page)
    missing = blanks(page)
    if missing:
        lines = "\n".join(f"  {line}" for line in missing)
        print(
            "The report is built, but a checklist or a model card in it is not complete. Let the "
            "analysis name what shows each item, or state it in the file of statements (“done”, or "
            f"“not done” with the reason):\n{lines}",
            file=sys.stderr,
        )
        raise typer.Exit(1)


app.command("check-notebooks")(notebooks.check)
app.command("freeze")(freezing.freeze)
for command in (bundle.bundle, bundle.sign_bundle, bundle.verify_bundle):
    app.command(command.__name__.replace("_", "-"))(command)
site.app.command("key")(bundle.key)


def main() -> None:
    """Run the command line; an expected failure is one paragraph and an exit code."""
    try:
        app()
    except IesoError as error:
        print(f"iesoresearch: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except Exception as error:
        # what a library says may quote data, so only where it happened and its kind are shown
        if os.environ.get("IESORESEARCH_DEBUG"):
            traceback.print_tb(error.__traceback__)
        print(
            f"iesoresearch: unexpected {type(error).__name__}; nothing was changed. This is a "
            "fault of the program: please report it. IESORESEARCH_DEBUG=1 shows where it happened.",
            file=sys.stderr,
        )
        sys.exit(4)
