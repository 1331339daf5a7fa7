"""Which runs a command is about."""

from pathlib import Path

from iesoresearch import project
from iesoresearch.errors import ParameterError
from iesoresearch.params import (
    RunSpec,
    all_runs,
    load_run,
    paper_runs,
    parse_assignments,
    site_runs,
)


def chosen(
    names: list[str], assignments: list[str], *, everything: bool, site: str | None
) -> list[RunSpec]:
    """Runs by their names, or all of the paper, or all that a site makes on its own records.

    Raises
    ------
    ParameterError
        Neither names nor all, or both; parameters that are not clearly one run's.
    """
    here, changes = project.find(), parse_assignments(assignments)
    if everything == bool(names):
        known = ", ".join(all_runs(here.params))
        raise ParameterError(f"Name one or more runs, or --all. The runs are: {known}.")
    if everything:
        names = paper_runs(here.params) if site is None else list(site_runs(here.params))
    names = list(dict.fromkeys(names))
    if changes and len(names) != 1:
        raise ParameterError("-p needs exactly one run, or it would not be clear whose it is.")
    return [load_run(here.params, name).with_parameters(changes) for name in names]


def refuse_records(
    wanted: list[RunSpec], folders: list[Path], *, everything: bool, out: Path | None
) -> None:
    """Without --site, records of a site are neither passed over nor mixed with the paper.

    Raises
    ------
    ParameterError
        --site was forgotten.
    """
    of_site = site_runs(project.find().params)
    named = [spec.name for spec in wanted if spec.name in of_site]
    if named and out is None:
        raise ParameterError(
            f"{named[0]} is a run on the records of a site, and its results do not go among those "
            "of the paper. Add --site NAME, or --out with a folder of your own."
        )
    places = [folder for folder in folders if any(folder.glob("contacts.*"))]
    read = any(spec.parameters.get("source") == "folder" for spec in wanted)
    if everything and places and not read:
        raise ParameterError(
            f"{places[0]} holds records of a site, which no run of the paper reads: --all alone is "
            "all runs of the paper. Add --site NAME for the runs of a site (params/site.yaml)."
        )


def home(site: str | None) -> Path:
    """Where runs are written: those of a site apart from those of the paper.

    Raises
    ------
    ParameterError
        That cannot be the name of a site.
    """
    here = project.find()
    if site is None:
        return here.out
    from iesoresearch.data import mapping

    return here.of_site(mapping.path_of(site, here.params).stem)
