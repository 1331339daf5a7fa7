"""Make a bundle: aggregates of finished runs, judged before they are written."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from iesoresearch import files
from iesoresearch.bundles import crate, examining, manifest, page, sources, traces
from iesoresearch.bundles.contents import (
    CRATE,
    FINDINGS,
    MANIFEST,
    PAGE,
    Contents,
    problem_of_names,
    refuse_present,
    write,
)
from iesoresearch.bundles.ledger import Released
from iesoresearch.bundles.manifest import MOST_SIGNATURES, Sharing
from iesoresearch.bundles.sources import Changed, Source, Worded
from iesoresearch.disclosure import Policy
from iesoresearch.disclosure.findings import Finding, worst
from iesoresearch.errors import DisclosureError, ParameterError
from iesoresearch.project import refuse_site


@dataclass(frozen=True)
class Made:
    """A bundle that was written and waits for signatures.

    Attributes
    ----------
    path
        Its folder or zip file.
    digest
        SHA-256 of its manifest: what is signed.
    findings
        None of them refuses.
    runs
        In it.
    """

    path: Path
    digest: str
    findings: list[Finding]
    runs: list[str]


@dataclass(frozen=True)
class About:
    """What a bundle tells of itself beside its runs.

    Attributes
    ----------
    changed, worded
        What a run was made with and is different today; which of its parameters may be told in
        words. See `sources`.
    frozen
        Record of a pre-registration, if there is one.
    signatures
        How many people have to sign before it is let in anywhere.
    folders
        Of the project, which no file may name.
    made
        UTC; now, unless said otherwise.
    """

    changed: Changed = lambda status: ()
    worded: Worded = lambda status: ()
    frozen: Mapping[str, Any] | None = None
    signatures: int = 1
    folders: Sequence[Path] = ()
    made: str | None = None


def make(
    runs: Sequence[Path],
    folder: Path,
    *,
    site: str,
    policy: Policy,
    earlier: Sequence[Released] = (),
    sharing: Sharing = "named",
    about: About | None = None,
) -> Made:
    """Write the aggregates of finished runs as a bundle, if all of them may leave.

    Nothing is copied that a program made from rows: tables, numbers and sentences are written
    again from the released result. Of a figure there is the table it is drawn from, no picture. The
    same runs give the same bytes, but for the time in the manifest and the signatures.

    Parameters
    ----------
    runs
        Folders of finished runs.
    folder
        New folder, or new file ending in .zip.
    site
        Whose runs.
    policy
        They were released under, and are judged by.
    earlier
        Bundles of the site that were released before.
    sharing
        Who may see what: all by name, without the name of the site, or only pooled with others.
    about
        See `About`.

    Raises
    ------
    DisclosureError
        Something must not leave. ``<folder>.refused.html`` says what and why.
    ParameterError
        No runs, or one that is not up to date, or a name that cannot be used.
    DataError
        A run has no valid result.
    OutputError
        There is something at `folder`, or it cannot be written.
    """
    about = about or About()
    refuse_site(site)
    refuse_present(folder)
    _refuse_settings(runs, about)
    found = [sources.read(run, policy, about.changed, about.worded) for run in runs]
    contents = _written(found)
    results = {source.name: source.result for source in found}
    judged = [
        *examining.findings(results, contents, policy, earlier),
        *traces.findings(contents, list(about.folders), _named(found)),
    ]
    said = [one.said for one in earlier]
    described = {source.name: source.described for source in found}
    report = page.page(site, judged, results, described, asdict(policy), said)
    _refuse(folder, judged, report)
    contents[FINDINGS] = manifest.text({"findings": [one.to_json() for one in judged]})
    contents[PAGE] = report
    contents[CRATE] = crate.describe(site, found, contents)
    contents[MANIFEST] = manifest.text(
        manifest.build(
            found,
            contents,
            site=site,
            made=about.made or datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            sharing=sharing,
            signatures=about.signatures,
            policy=policy,
            frozen=about.frozen,
            earlier=said,
        )
    )
    write(folder, contents)
    return Made(folder, manifest.sha256(contents[MANIFEST]), judged, list(results))


def _refuse_settings(runs: Sequence[Path], about: About) -> None:
    if not runs:
        raise ParameterError("There is no finished run to bundle. Run some: iesoresearch run --all")
    names = [run.name for run in runs]
    if len(set(names)) < len(names):
        raise ParameterError("A run is named twice; a bundle holds each run once.")
    if not 1 <= about.signatures <= MOST_SIGNATURES:
        raise ParameterError(f"A bundle needs 1 to {MOST_SIGNATURES} signatures.")


def _named(found: Sequence[Source]) -> dict[str, str]:
    return {source.folder: "the name of the folder of the data" for source in found}


def _written(found: Sequence[Source]) -> Contents:
    """Files of the runs, written anew."""
    contents = examining.written({source.name: source.result for source in found})
    problem = problem_of_names(contents)
    if problem:
        raise DisclosureError(f"No bundle was written: {problem}. Take it out of the analysis.")
    return contents


def _refuse(folder: Path, judged: Sequence[Finding], report: bytes) -> None:
    """Say what must not leave, and leave the page that shows it."""
    if worst(judged) != "refuse":
        return
    bad = [one for one in judged if one.status == "refuse"]
    path = folder.with_name(f"{folder.name}.refused.html")
    with files.writing(folder.parent):
        folder.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(report)
    first = bad[0]
    more = f" There are {len(bad) - 1} more." if len(bad) > 1 else ""
    raise DisclosureError(
        f"No bundle was written: {len(bad)} finding(s) say that something must not leave. Run "
        f"{first.run}, {first.output}: {first.sentence}{more} See {path}."
    )
