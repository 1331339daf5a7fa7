"""What a bundle says, read from its files, and whether it says more than it may."""

import csv
import io
import string
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from iesoresearch import files, stored
from iesoresearch.bundles import crate, manifest, page
from iesoresearch.bundles.contents import (
    CRATE,
    FINDINGS,
    MANIFEST,
    MOST_BYTES,
    MOST_ROWS,
    PAGE,
    SIGNATURE,
    Contents,
    refused,
)
from iesoresearch.bundles.sources import Source
from iesoresearch.disclosure import Policy
from iesoresearch.disclosure.findings import Finding
from iesoresearch.results import STATUS, Result

_UNLIKE = "is not what its results give, or was made with another version than yours"
_LONGEST_FORMAT = 6  # such as ",.1f"
#: What judging a result that no analysis wrote may raise.
_ODD = (
    *(ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError),
    *(MemoryError, pl.exceptions.PolarsError),
)


def results(contents: Contents) -> dict[str, Result]:
    """The results of a bundle, by run.

    Raises
    ------
    DataError
        One cannot be read.
    """
    runs = sorted({name.split("/")[1] for name in contents if name.startswith("runs/")})
    with tempfile.TemporaryDirectory() as work:
        _lay(contents, Path(work))
        found = {run: stored.read_result(Path(work) / "runs" / run) for run in runs}
    return {run: _with_documents(run, result, contents) for run, result in found.items()}


def written(found: Mapping[str, Result]) -> Contents:
    """Files of results by run, without pictures."""
    with tempfile.TemporaryDirectory() as work, files.writing(Path(work)):
        for run, result in found.items():
            folder = Path(work) / "runs" / run
            folder.mkdir(parents=True)
            stored.write_result(result, folder)
        return files_of(Path(work))


def written_otherwise(contents: Contents, found: Mapping[str, Result]) -> list[str]:
    """Files that are not what the results of the bundle give when they are written again.

    All of a run must be: so no sentence says more than the numbers that were released, and nothing
    stands in a file beside the result.
    """
    again = written(found)
    told = {name for name in contents if name.startswith("runs/")}
    return sorted(name for name in told | again.keys() if contents.get(name) != again.get(name))


def refuse_other_cover(path: Path, contents: Contents, found: Mapping[str, Result]) -> None:
    """The page and the crate must be those that the rest of the bundle gives: people open them.

    Raises
    ------
    DisclosureError
        They are not.
    """
    said, noted = manifest.parsed(contents[MANIFEST]), recorded(path, contents)
    described, site = said["runs"], said["site"]
    rest = {n: c for n, c in contents.items() if n not in {MANIFEST, SIGNATURE, CRATE}}
    try:
        sources = [Source(run, found[run], of) for run, of in described.items()]
        shown = page.page(site, noted, found, described, said["policy"], said["earlier"])
        again = {PAGE: shown, CRATE: crate.describe(site, sources, rest)}
    except _ODD as error:
        raise refused(path, f"its {MANIFEST} cannot be shown ({type(error).__name__})") from None
    for name, content in again.items():
        if contents.get(name) != content:
            raise refused(path, f"{name} {_UNLIKE}")


def recorded(path: Path, contents: Contents) -> list[Finding]:
    """The findings that were written into a bundle when it was made.

    Raises
    ------
    DisclosureError
        They are not as they were written, or one refuses.
    """
    try:
        said = manifest.parsed(contents[FINDINGS])
        found = [Finding.from_json(one) for one in said["findings"]]
    except (ValueError, LookupError, TypeError):
        raise refused(path, f"its {FINDINGS} is damaged or absent") from None
    if any(one.status == "refuse" for one in found):
        raise refused(path, f"its own {FINDINGS} says that it must not leave")
    return found


def judged(path: Path, contents: Contents, policy: Policy) -> list[Finding]:
    """What is found about a bundle, all of whose files are what its results give.

    Raises
    ------
    DisclosureError
        It says more than its results, or something in it must not leave.
    DataError
        A result cannot be read.
    """
    read = results(contents)
    found = judged_results(path, contents, read, policy)
    refuse_other_cover(path, contents, read)
    return found


def judged_results(
    path: Path,
    contents: Contents,
    found: Mapping[str, Result],
    policy: Policy,
    earlier: Sequence = (),
) -> list[Finding]:
    """As `judged`, of results that have been read; beside `earlier` bundles of the site.

    Raises
    ------
    DisclosureError
        See `judged`.
    """
    try:
        return _judged(path, contents, found, policy, earlier)
    except _ODD as error:  # somebody wrote what no analysis writes
        raise refused(path, f"its results cannot be judged ({type(error).__name__})") from None


def _judged(path, contents, found, policy, earlier) -> list[Finding]:
    _refuse_templates(found)
    other = written_otherwise(contents, found)
    if other:
        more = f" and {len(other) - 1} more" if len(other) > 1 else ""
        raise refused(path, f"{other[0]}{more} {_UNLIKE}")
    applied = policy.applied
    unlike = [run for run, one in found.items() if one.provenance.get("disclosure") != applied]
    if unlike:
        raise refused(path, f"run {unlike[0]} was released under another policy than it says")
    judged = findings(found, contents, policy, earlier)
    worst = [one for one in judged if one.status == "refuse"]
    if worst:
        first, more = worst[0], f" ({len(worst) - 1} more)" if len(worst) > 1 else ""
        said = first.sentence.rstrip(".")
        raise refused(path, f"it discloses. Run {first.run}, {first.output}: {said}{more}")
    return judged


def _refuse_templates(found: Mapping[str, Result]) -> None:
    """Sentences may name numbers, and not make a program write without end or look inside it."""
    for result in found.values():
        templates = [*result.text.values(), *(check.sentence for check in result.checks)]
        templates += [spec.caption for spec in result.figures.values()]
        templates += [text for texts in result.evidence.values() for text in texts]
        for template in templates:
            for _, name, spec, _ in string.Formatter().parse(template):
                if "__" in (name or "") or len(spec or "") > _LONGEST_FORMAT:
                    raise ValueError(template)


def files_of(folder: Path) -> Contents:
    """All files below a folder of ours, by name."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def findings(
    found: Mapping[str, Result], contents: Contents, policy: Policy, earlier: Sequence = ()
) -> list[Finding]:
    """What is found about every output and every file, by the rules of disclosure control."""
    from iesoresearch.disclosure import review

    return [
        *review.outputs(found, policy, earlier),
        *_undeclared(found),
        *(one for name in sorted(contents) for one in _of_file(name, contents[name])),
        *_of_documents(found, contents, policy),
    ]


def _undeclared(found: Mapping[str, Result]) -> list[Finding]:
    """Columns that no declaration covers, so that no rule looked at them."""
    return [
        Finding(run, f"table:{name}", "refuse", "columns",
                "It has columns that are not declared, so no rule looked at them.")
        for run, result in found.items()
        for name, table in result.tables.items()
        if set(table.frame.columns) - {*table.keys, *table.values, STATUS}
    ]  # fmt: skip


def _of_file(name: str, content: bytes) -> list[Finding]:
    """OpenSAFELY's limits: what is larger cannot be looked through by anybody."""
    if not name.startswith("runs/"):
        return []
    run, output = _place(name)
    problems = []
    if len(content) > MOST_BYTES:
        problems.append((f"is larger than {MOST_BYTES // 2**20} MB", {"bytes": len(content)}))
    if name.endswith(".csv"):
        rows = sum(1 for _ in csv.reader(io.StringIO(content.decode("utf-8"), newline=""))) - 1
        if rows > MOST_ROWS:
            problems.append((f"has more than {MOST_ROWS:,} rows", {"rows": rows}))
    return [
        Finding(run, output, "refuse", "size", f"The file {why}: nobody could look it through. "
                "Let the analysis give less.", evidence)
        for why, evidence in problems
    ]  # fmt: skip


def _of_documents(found: Mapping[str, Result], contents: Contents, policy: Policy) -> list[Finding]:
    names = [(run, name) for run, result in found.items() for name in result.documents]
    return [one for run, name in names for one in _of_document(run, name, contents, policy)]


def _of_document(run: str, name: str, contents: Contents, policy: Policy) -> list[Finding]:
    from iesoresearch.disclosure import model_files

    with tempfile.TemporaryDirectory() as work:
        path = Path(work) / name
        path.write_bytes(contents[f"runs/{run}/{name}"])
        return [replace(one, run=run) for one in model_files.check(path, policy)]


def _place(name: str) -> tuple[str, str]:
    """Run of a file, and the file as an output of it."""
    _, run, rest = name.split("/", 2)
    return run, f"file:{rest}"


def _lay(contents: Contents, folder: Path) -> None:
    for name, content in contents.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def _with_documents(run: str, result: Result, contents: Contents) -> Result:
    """The result with documents that do not need the folder it was read from."""
    documents: dict[str, Any] = {
        name: _writer(contents[f"runs/{run}/{name}"]) for name in result.documents
    }
    return replace(result, documents=documents)


def _writer(content: bytes):
    def write(_: Result, path: Path) -> None:
        path.write_bytes(content)

    return write
