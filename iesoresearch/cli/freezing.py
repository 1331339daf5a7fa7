"""``iesoresearch freeze``: write parameters down before data are opened."""

import json
import time
from typing import Annotated

import typer

from iesoresearch import project, registration
from iesoresearch.cli import specs


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

    here, planned = project.find(), {}
    for spec in specs.chosen(runs or [], parameter or [], everything=not runs, site=site):
        params = analyses.get(spec.analysis).Params.check(spec.parameters, f"Run {spec.name}")
        planned[spec.name] = {
            "analysis": spec.analysis,
            "parameters": params.model_dump(),
            "inputs": cache.without_data(here, spec, params),
        }
    opened = {name: when for name, when in _opened(specs.home(site)).items() if name in planned}
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    frozen = registration.freeze(here.params, planned, opened, when, amend)
    print(f"{here.params / registration.FILE}: {len(planned)} run(s) frozen.")
    for name, since in opened.items():
        print(f"  {name} had a result of patients’ records on {since}: not planned before.")
    print(f"Hash: {frozen.hash}. Put it where others can see when: a registry, a pushed commit.")


def _opened(out) -> dict[str, str]:
    """Runs that have a result of patients' records, with their times."""
    from iesoresearch.files import finished_runs

    found = {}
    for name, status in finished_runs(out).items():
        content = json.loads((out / name / "result.json").read_text(encoding="utf-8"))
        if content["provenance"].get("sensitivity") == "patient":
            found[name] = status["started"]
    return found
