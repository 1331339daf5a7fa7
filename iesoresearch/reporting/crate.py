"""The RO-Crate of a report: which run made which file, of what, with which software."""

import hashlib
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from rocrate.model.contextentity import ContextEntity
from rocrate.rocrate import ROCrate

from iesoresearch.files import write_text
from iesoresearch.project import Project
from iesoresearch.reporting import pages, rerun, start
from iesoresearch.reporting.runs import EXECUTED, NOTEBOOK, Run
from iesoresearch.results import SIMULATED

METADATA = "ro-crate-metadata.json"
_PROFILE = "https://w3id.org/ro/wfrun/process/0.5"  # Process Run Crate, on RO-Crate 1.1
_MIT = "https://spdx.org/licenses/MIT"
_FORMATS = {
    ".csv": "text/csv",
    ".html": "text/html",
    ".ipynb": "application/x-ipynb+json",
    ".json": "application/json",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".svg": "image/svg+xml",
}


def write(runs: list[Run], project: Project, site: Path) -> None:
    """Describe the finished pages and files below `site` in ro-crate-metadata.json there."""
    crate = ROCrate(version="1.1")
    crate.metadata.extra_terms["sha256"] = "https://schema.org/sha256"
    licence = _add(crate, _MIT, "CreativeWork", name="MIT License", identifier=_MIT)
    profile = _add(crate, _PROFILE, "CreativeWork", name="Process Run Crate", version="0.5")
    cited = start.citation(project)
    crate.name = "Research on talking therapy: report"
    crate.description = str(cited["title"])
    crate.license = licence
    # of the newest run, not of the building, so that equal runs give an equal crate
    crate.datePublished = max(run.status["started"] for run in runs)
    crate.root_dataset["conformsTo"] = profile
    crate.root_dataset["hasPart"] = []
    front = _file(crate, site, "index.html", "Report")
    crate.root_dataset["mainEntity"] = front
    crate.root_dataset["mentions"] = [_run(crate, site, run, licence) for run in runs]
    text = json.dumps(crate.metadata.generate(), indent=1, ensure_ascii=False) + "\n"
    write_text(site / METADATA, text)


def _run(crate: ROCrate, site: Path, run: Run, licence) -> ContextEntity:
    home = f"runs/{run.name}"
    notebook = _file(
        crate,
        site,
        f"{home}/{run.source_notebook}",
        f"Notebook of {run.name}",
        {"@type": ["File", "SoftwareSourceCode"], "programmingLanguage": "Python"},
    )
    notebook["license"] = licence
    notebook["softwareRequirements"] = _software(crate, run)
    results = [f"{home}/{name}" for name in run.public_files] + [f"{home}/index.html"]
    if run.shows_notebook:
        results += [f"{home}/{NOTEBOOK}", f"{home}/{EXECUTED}.html"]
    results += [f"{home}/{page}.html" for page in pages.further(run)]
    made = f"Made by: {rerun.command(run)}"
    begun = datetime.fromisoformat(run.status["started"])
    return _add(
        crate,
        f"#run-{run.name}",
        "CreateAction",
        name=f"Run {run.name}: {run.title}",
        description=f"{SIMULATED}. {made}" if run.simulated else made,
        instrument=notebook,
        object=[_data(crate, run), *_parameters(crate, run)],
        result=[_file(crate, site, path, path.removeprefix("runs/")) for path in results],
        startTime=run.status["started"],
        endTime=f"{begun + timedelta(seconds=run.status['seconds']):%Y-%m-%dT%H:%M:%SZ}",
        actionStatus={"@id": "http://schema.org/CompletedActionStatus"},
        identifier=run.status["key"],
    )


def _data(crate: ROCrate, run: Run) -> ContextEntity:
    terms = _add(
        crate,
        f"#data-licence-{run.name}",
        "CreativeWork",
        name=f"Terms of the data of {run.name}",
        description=start.data_licence(run),
    )
    return _add(
        crate,
        f"#data-{run.name}",
        "Dataset",
        name=run.data,
        identifier=str(run.provenance.get("data_fingerprint", run.status["inputs"].get("data"))),
        description=pages.SENSITIVITIES.get(run.sensitivity, run.sensitivity),
        license=terms,
    )


def _parameters(crate: ROCrate, run: Run) -> list[ContextEntity]:
    meanings = rerun.meanings(run)
    return [
        _add(
            crate,
            f"#parameter-{run.name}-{name}",
            "PropertyValue",
            name=name,
            value=json.dumps(value, ensure_ascii=False),
            description=meanings.get(name, ""),
        )
        for name, value in rerun.in_order(run).items()
    ]


def _software(crate: ROCrate, run: Run) -> list[ContextEntity]:
    return [
        _add(crate, f"#{package}-{number}", "SoftwareApplication", name=package, version=number)
        for package, number in sorted(run.status["versions"].items())
    ]


def _file(crate: ROCrate, site: Path, path: str, name: str, more: dict[str, Any] | None = None):
    content = (site / path).read_bytes()
    properties = {
        "name": name,
        "encodingFormat": _FORMATS[Path(path).suffix],
        "contentSize": str(len(content)),
        "sha256": hashlib.sha256(content).hexdigest(),
        **(more or {}),
    }
    return crate.add_file(site / path, path, properties=properties)


def _add(crate: ROCrate, id_: str, kind: str, /, **properties: Any) -> ContextEntity:
    """A described thing, once; those that link to it are given it."""
    present = crate.dereference(id_)
    if present is not None:
        return present
    links = {k: v for k, v in properties.items() if _is_entity(v)}
    plain = {k: v for k, v in properties.items() if k not in links}
    entity = crate.add(ContextEntity(crate, id_, properties={"@type": kind, **plain}))
    for name, value in links.items():
        entity[name] = value
    return entity


def _is_entity(value: Any) -> bool:
    first = value[0] if isinstance(value, list) and value else value
    return hasattr(first, "properties")
