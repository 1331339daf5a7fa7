"""``iesoresearch freeze``: write parameters down before data are opened."""

import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from iesoresearch import files, project, registration
from iesoresearch.cli import specs

_TIME = "%Y-%m-%dT%H:%M:%SZ"


def freeze(
    runs: Annotated[
        list[str] | None, typer.Argument(help="Names of runs. Default: all of the paper.")
    ] = None,
    site: Annotated[
        str | None, typer.Option("--site", help="All runs of params/site.yaml, for this site.")
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option("-p", help="name=value: plan the one run named with another parameter."),
    ] = None,
    amend: Annotated[
        str, typer.Option("--amend", help="Replace an earlier freeze, for this reason.")
    ] = "",
) -> None:
    """Lock parameters before data are opened; the report says what changed afterwards."""
    from iesoresearch import analyses
    from iesoresearch.execution import cache
    from iesoresearch.reporting import machine

    here, planned = project.find(), {}
    for spec in specs.chosen(runs or [], parameter or [], everything=not runs, site=site):
        params = analyses.get(spec.analysis).Params.check(spec.parameters, f"Run {spec.name}")
        planned[spec.name] = {
            "analysis": spec.analysis,
            "parameters": machine.without_folders(params.shown(params.model_dump())),
            "inputs": cache.without_data(here, spec, params),
        }
    specs.home(site)  # a name that cannot be one is refused
    opened = _opened(here, planned)
    when = time.strftime(_TIME, time.gmtime())
    frozen = registration.freeze(here.params, planned, opened, when, amend)
    print(f"{here.params / registration.FILE}: {len(planned)} run(s) frozen.")
    for name, since in opened.items():
        print(f"  {name} had a result of patients’ records on {since}: not planned before.")
    print(f"Hash: {frozen.hash}. Put it where others can see when: a registry, a pushed commit.")


def _opened(here: project.Project, planned: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Planned runs that have a result of patients' records, wherever it is, with the first time.

    A result of the same analysis counts, whatever its run is called, and one of a notebook.
    """
    found: dict[str, str] = {}
    for path in [*here.out.glob("*/result.json"), *here.of_site("").glob("*/*/result.json")]:
        name, analysis, when = _made(path)
        for run, of in planned.items():
            if name == run or analysis == of["analysis"]:
                found[run] = min(when, found.get(run, when))
    return {run: found[run] for run in planned if run in found}


def _made(path: Path) -> tuple[str, str, str]:
    """Run, analysis and time of a result of patients' records; nothing of others."""
    folder = path.parent
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["provenance"].get("sensitivity", "patient") != "patient":
            return "", "", ""
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        pass  # nobody can tell of what it was
    saved = time.strftime(_TIME, time.gmtime(path.stat().st_mtime))
    status = files.read_status(folder) or {}
    of_notebook = folder.name.removeprefix("notebook-") if _is_notebook(folder) else ""
    analysis = status.get("analysis", of_notebook)
    return status.get("run", folder.name), analysis, status.get("started", saved)


def _is_notebook(folder: Path) -> bool:
    return folder.name.startswith("notebook-")
