"""``iesoresearch data``: make, check, convert and describe data; apply models that were saved."""

from pathlib import Path
from typing import Annotated

import typer

from iesoresearch import project
from iesoresearch.errors import DataError, OutputError, ParameterError

app = typer.Typer(help="Make, check, convert and describe data.", no_args_is_help=True)

Site = Annotated[
    str | None, typer.Option("--site", help="Site with a mapping, params/sites/NAME.yaml.")
]


@app.command("make")
def make(
    folder: Annotated[Path, typer.Argument(help="New folder for the tables.")],
    referrals: Annotated[int, typer.Option("-n", help="Referrals to draw.", min=1)] = 2000,
    seed: Annotated[int, typer.Option(help="Seed of the draw.", min=0)] = 1,
    profile: Annotated[
        str, typer.Option(help="Population to resemble: england, ieso.")
    ] = "england",
) -> None:
    """Write a synthetic cohort, and the truth it was drawn from, as Parquet."""
    from iesoresearch.data import synthetic

    written = synthetic.make(referrals, seed, profile).write(folder)
    for path in written:
        print(path)


@app.command("check")
def check(
    folder: Annotated[Path | None, typer.Argument(help="Folder of tables.")] = None,
    site: Site = None,
    folders: Annotated[
        list[Path] | None,
        typer.Option("--data", help="Folder to look in, first; with --site, where its files are."),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option("--html", help="The page. Default: reports/out/data-check-NAME.html."),
    ] = None,
) -> None:
    """List every problem of a site's data; exit code 3 if they cannot be loaded."""
    from iesoresearch.cli import show
    from iesoresearch.data import checks
    from iesoresearch.files import write_text
    from iesoresearch.reporting import data_check

    if site is not None and folder is not None:
        raise ParameterError("Name a folder or --site, not both (--data says where its files are).")
    places = [*([folder] if folder else []), *(folders or [])]
    source = _source(site, places)
    report = checks.check(source.name, source.tables, source.problems)
    show.report(report)
    page = html or project.find().out / f"data-check-{source.name}.html"
    try:
        page.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{page} cannot be written ({error.strerror}).") from None
    write_text(page, data_check.page(report))
    print(f"The same as a page: {page}")
    if report.errors:
        raise typer.Exit(DataError.exit_code)


@app.command("convert")
def convert(
    folders: Annotated[
        list[Path], typer.Argument(help="Folder of the data set, unless --site; new folder.")
    ],
    site: Site = None,
) -> None:
    """Write the canonical tables of a site, or of a national data set, as Parquet."""
    from iesoresearch.data import sources

    if len(folders) != (2 if site is None else 1):
        raise ParameterError(
            "Name the folder of the data and a new one for the tables, or --site NAME and the new "
            "one."
        )
    for path in sources.convert(_source(site, folders[:-1]), folders[-1]):
        print(path)


@app.command("assign")
def assign(
    model: Annotated[Path, typer.Argument(help="model.json of a run of subtypes.")],
    folder: Annotated[Path, typer.Argument(help="Folder of the tables of the patients.")],
    out: Annotated[Path, typer.Argument(help="New CSV file; it holds a row for each patient.")],
    certain: Annotated[
        float, typer.Option(help="Least probability to be assigned to a state.", max=1.0)
    ] = 0.8,
) -> None:
    """Assign patients to the states of a saved model; who is not clearly in one is "uncertain"."""
    from iesoresearch.cli import assigning

    if out.exists():
        raise OutputError(f"{out} exists. Name a new file; nothing was overwritten.")
    print(assigning.write(model, folder, out, certain))


@app.command("predict")
def predict(
    model: Annotated[Path, typer.Argument(help="model.json of a run of recovery.")],
    folder: Annotated[Path, typer.Argument(help="Folder of the tables of the patients.")],
    out: Annotated[Path, typer.Argument(help="New CSV file; it holds a row for each referral.")],
) -> None:
    """Predict for referrals at the landmark of a saved model; whom it does not know it refuses."""
    from iesoresearch.cli import predicting

    if out.exists():
        raise OutputError(f"{out} exists. Name a new file; nothing was overwritten.")
    print(predicting.write(model, folder, out))


@app.command("describe")
def describe(
    how: Annotated[
        str | None, typer.Option("--format", help="markdown, json or csv, instead of tables.")
    ] = None,
) -> None:
    """Print the columns of the canonical tables, and where the open data are published."""
    from iesoresearch.cli import show
    from iesoresearch.data import dictionary

    if how is None:
        show.dictionary()
    elif how in dictionary.FORMATS:
        print(dictionary.as_text(how), end="")
    else:
        raise ParameterError(f"--format {how!r} must be one of {', '.join(dictionary.FORMATS)}.")


def _source(site: str | None, folders: list[Path]):
    """Tables of a mapped site, or of the first folder that holds some."""
    from iesoresearch.data import mapping, sources
    from iesoresearch.params import Settings

    if site is None:
        return sources.scan((*folders, *Settings.from_environment().search_path))
    if len(folders) > 1:
        raise ParameterError("With --site, name one folder with --data, or none.")
    path = mapping.path_of(site, project.find().params)
    made = mapping.Mapping.read(path)
    if made.open_lines():
        raise ParameterError(
            f"{path} still waits for answers ({'; '.join(made.open_lines())}). Write them in place "
            "of each “?”, or delete the line."
        )
    return mapping.read(site, made, folders[0] if folders else None)
