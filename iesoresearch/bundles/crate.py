"""The RO-Crate of a bundle: who ran what on which data, and which files came out of it.

After the ideas of the Five Safes RO-Crate 0.4 (doi:10.5281/zenodo.10376350): runs and the check of
disclosure are actions of one crate. Without its BagIt packing, and without names of people: those
are in the signatures.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rocrate.model.contextentity import ContextEntity
from rocrate.rocrate import ROCrate

from iesoresearch.bundles.contents import FINDINGS, PAGE, Contents
from iesoresearch.bundles.manifest import sha256
from iesoresearch.bundles.sources import Source

_PROFILE = "https://w3id.org/5s-crate/0.4"
_FORMATS = {"csv": "text/csv", "html": "text/html", "json": "application/json"}


def describe(site: str, sources: Sequence[Source], contents: Contents) -> bytes:
    """ro-crate-metadata.json of the files, the same for the same files."""
    crate = ROCrate(version="1.1")
    crate.metadata.extra_terms["sha256"] = "https://schema.org/sha256"
    crate.name = f"Aggregates of site {site}"
    crate.description = (
        "Results that passed disclosure control, to be signed by people of the site and checked "
        "where they arrive: iesoresearch verify-bundle."
    )
    # of the newest run, so that equal runs give an equal crate
    crate.datePublished = max(source.described["started"] for source in sources)
    crate.root_dataset["conformsTo"] = _add(
        crate, _PROFILE, "Profile", {"name": "Five Safes RO-Crate", "version": "0.4"}
    )
    files = {name: _file(crate, name, content) for name, content in sorted(contents.items())}
    crate.root_dataset["hasPart"] = list(files.values())
    actions = [_run(crate, source, files) for source in sources]
    checked = _add(crate, "#disclosure-check", "AssessAction", {
        "name": "Disclosure check",
        "actionStatus": {"@id": "http://schema.org/CompletedActionStatus"},
    })  # fmt: skip
    checked["object"] = [file for name, file in files.items() if name.startswith("runs/")]
    checked["result"] = [files[FINDINGS], files[PAGE]]
    crate.root_dataset["mentions"] = [*actions, checked]
    return (json.dumps(crate.metadata.generate(), indent=1, ensure_ascii=False) + "\n").encode()


def _run(crate: ROCrate, source: Source, files: Mapping[str, Any]) -> ContextEntity:
    said = source.described
    data = _add(crate, f"#data-{source.name}", "Dataset", {
        "name": said["data"]["name"],
        "identifier": said["data"]["fingerprint"],
        "description": f"Sensitivity: {said['sensitivity']}",
    })  # fmt: skip
    software = [
        _add(crate, f"#{package}-{number}", "SoftwareApplication",
             {"name": package, "version": number})
        for package, number in sorted(said["versions"].items())
    ]  # fmt: skip
    parameters = [
        _add(crate, f"#parameter-{source.name}-{name}", "PropertyValue",
             {"name": name, "value": json.dumps(value, ensure_ascii=False)})
        for name, value in said["parameters"].items()
    ]  # fmt: skip
    action = _add(crate, f"#run-{source.name}", "CreateAction", {
        "name": f"Run {source.name}: {said['title']}",
        "startTime": said["started"],
        "actionStatus": {"@id": "http://schema.org/CompletedActionStatus"},
        "identifier": said["key"],
    })  # fmt: skip
    action["instrument"] = software
    action["object"] = [data, *parameters]
    home = f"runs/{source.name}/"
    action["result"] = [file for name, file in files.items() if name.startswith(home)]
    return action


def _file(crate: ROCrate, name: str, content: bytes):
    kind = _FORMATS[name.rpartition(".")[2]]
    said = {"@type": "File", "name": name.removeprefix("runs/"), "encodingFormat": kind}
    said |= {"contentSize": str(len(content)), "sha256": sha256(content)}
    return crate.add(ContextEntity(crate, name, properties=said))


def _add(crate: ROCrate, id_: str, kind: str, said: Mapping[str, Any]) -> ContextEntity:
    """A described thing, once."""
    present = crate.dereference(id_)
    return present or crate.add(ContextEntity(crate, id_, properties={"@type": kind, **said}))
