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
