"""Compare runs with the numbers that are expected of them."""

import csv
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from iesoresearch import analyses, hashes
from iesoresearch.errors import DataError, DisclosureError, ParameterError
from iesoresearch.files import read_record, read_status, write_text
from iesoresearch.params import AnalysisParams, RunSpec
from iesoresearch.project import Project
from iesoresearch.results import Tolerance


@dataclass(frozen=True)
class Difference:
    """One number that is not what was expected."""

    run: str
    name: str
    expected: str
    found: str
    tolerance: str


def snapshot(run_folder: Path) -> dict[str, Any]:
    """The comparable content of a run: numbers, outcomes of checks, cells of all tables."""
    described = json.loads((run_folder / "result.json").read_text(encoding="utf-8"))
    numbers = json.loads((run_folder / "numbers.json").read_text(encoding="utf-8"))
    checks = json.loads((run_folder / "checks.json").read_text(encoding="utf-8"))
    keep = ("value", "unit", "n", "tolerance")
    return {
        "numbers": {name: {k: number[k] for k in keep} for name, number in numbers.items()},
        "checks": {check["name"]: check["status"] for check in checks},
        "tables": {
            name: _table(run_folder / "tables" / f"{name}.csv", meta)
            for name, meta in described["tables"].items()
        },
    }


def _table(path: Path, meta: dict[str, Any]) -> dict[str, Any]:
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    values = meta["values"]
    return {
        "tolerance": {c: Tolerance.of_display(v["digits"]).absolute for c, v in values.items()},
        "rows": {
            ", ".join(f"{key} {row[key]}" for key in meta["keys"]): {c: row[c] for c in values}
            for row in rows
        },
    }


def compare(run: str, expected: dict[str, Any], found: dict[str, Any]) -> list[Difference]:
    """All differences between two snapshots, in the order of the expected one."""
    pairs = [
        *_numbers(expected["numbers"], found["numbers"]),
        *_checks(expected["checks"], found["checks"]),
        *_tables(expected["tables"], found["tables"]),
    ]
    return [
        Difference(run, name, _shown(a), _shown(b), reason)
        for name, a, b, tolerance, reason in pairs
        if not _equal(a, b, tolerance)
    ]


# Each of these yields name, expected value, found value, tolerance, tolerance in words.


def _numbers(expected, found):
    for name in _union(expected, found):
        a, b = expected.get(name), found.get(name)
        if a is None or b is None:
            yield name, a and a["value"], b and b["value"], 0.0, "must be there"
            continue
        tolerance = a["tolerance"]["absolute"]
        reason = f"{tolerance:g} ({a['tolerance']['reason']})"
        yield name, a["value"], b["value"], tolerance, reason
        yield f"{name} (n)", a["n"], b["n"], 0.0, "equal"


def _checks(expected, found):
    for name in _union(expected, found):
        yield f"check: {name}", expected.get(name), found.get(name), 0.0, "equal"


def _tables(expected, found):
    for table in _union(expected, found):
        a, b = expected.get(table), found.get(table)
        if a is None or b is None:
            yield f"table {table}", a and "there", b and "there", 0.0, "must be there"
            continue
        for key in _union(a["rows"], b["rows"]):
            name, row_a, row_b = f"{table}[{key}]", a["rows"].get(key), b["rows"].get(key)
            if row_a is None or row_b is None:
                yield name, row_a and "there", row_b and "there", 0.0, "must be there"
                continue
            for column, tolerance in a["tolerance"].items():
                cells = row_a.get(column), row_b.get(column)
                yield f"{name}.{column}", *cells, tolerance, f"{tolerance:g}"


def _union(a: dict, b: dict) -> list[str]:
    return [*a, *(name for name in b if name not in a)]


def _equal(a, b, tolerance: float) -> bool:
    if a == b:
        return True
    try:
        a, b = float(a), float(b)
    except (TypeError, ValueError):
        return False
    return (math.isnan(a) and math.isnan(b)) or abs(a - b) <= tolerance


def _shown(value) -> str:
    if value is None or value == "":
        return "–"
    try:
        return f"{float(value):.10g}"
    except ValueError:
        return str(value)


def verify(out: Path, expected_dir: Path, runs: list[str]) -> list[Difference]:
    """Differences of all `runs` below `out` from reports/expected.

    Raises
    ------
    ParameterError
        A run has no expected numbers.
    DataError
        A run has no valid result.
    """
    differences = []
    for run in runs:
        found = _found(out, run)
        differences += compare(run, read_expected(expected_dir, run), found)
    return differences


def not_applicable(
    out: Path, expected_dir: Path, specs: list[RunSpec], *, accepting: bool
) -> dict[str, str]:
    """Runs without a result because the data here cannot answer them, and the reason of each.

    Only what was recorded with the parameters that a run has in its file counts.

    Raises
    ------
    ParameterError
        One of them has no expected numbers, and numbers are not to be accepted.
    DataError
        That is all of `specs`: nothing would be compared.
    """
    reasons = {}
    for spec in specs:
        record = read_record(out, spec.name)
        if record is None or read_status(out / spec.name) is not None:
            continue
        if record["parameters"] == _checked(spec).model_dump():
            if not accepting:
                read_expected(expected_dir, spec.name)
            reasons[spec.name] = record["reason"]
    if len(reasons) == len(specs):
        lines = " ".join(f"{name}: {reason}" for name, reason in reasons.items())
        raise DataError(f"Nothing to compare; no run is applicable here. {lines}")
    return reasons


def _checked(spec: RunSpec) -> AnalysisParams:
    return analyses.get(spec.analysis).Params.check(spec.parameters, f"Run {spec.name}")


def notes(out: Path, project: Project, specs: list[RunSpec], *, accepting: bool) -> list[str]:
    """What a reader should know: runs that were not made with the present project or data.

    Raises
    ------
    ParameterError
        Numbers are to be accepted of a run that was made with other parameters than its file has.
    DisclosureError
        Numbers are to be accepted that come from patients' records.
    """
    found = []
    for spec in specs:
        status = read_status(out / spec.name)
        if status is None:
            continue  # `verify` and `update` say so
        today = hashes.project_hashes(project.root, project.notebooks / spec.notebook)
        changed = [k for k, value in today.items() if status["inputs"].get(k) != value]
        params = _checked(spec)
        if status["parameters"] != params.model_dump():
            changed.append("parameters")
        if accepting and params.reads_patients:
            raise DisclosureError(
                f"Run {spec.name} reads patients' records: what comes from them is not written to "
                "reports/expected, which everybody sees."
            )
        if accepting and "parameters" in changed:
            raise ParameterError(
                f"Run {spec.name} was made with other parameters than params/{spec.name}.yaml has. "
                f"Run it as it is first: iesoresearch run {spec.name}"
            )
        if changed:
            found.append(f"Run {spec.name} was made with other {', '.join(changed)} than now.")
        record = read_record(out, spec.name)
        if record is not None and record["parameters"] == status["parameters"]:
            found.append(f"Run {spec.name} was made from data that are gone. {record['reason']}")
    return found


def _found(out: Path, run: str) -> dict[str, Any]:
    if read_status(out / run) is None:
        raise DataError(
            f"Run {run} has no valid result in {out}: it was never finished, or a file of it was "
            f"changed since. Run it again: iesoresearch run {run}"
        )
    return snapshot(out / run)


def read_expected(expected_dir: Path, run: str) -> dict[str, Any]:
    """Snapshot that was accepted for a run."""
    path = expected_dir / f"{run}.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {part: dict(content[part]) for part in ("numbers", "checks", "tables")}
    except (OSError, ValueError, KeyError, TypeError):
        raise ParameterError(
            f"There are no expected numbers for run {run} ({path} is absent or unreadable). To "
            f"accept the present ones: iesoresearch verify --update"
        ) from None


def update(out: Path, expected_dir: Path, runs: list[str]) -> list[Difference]:
    """Accept the present numbers as the expected ones; returns what changed."""
    changed = []
    for run in runs:
        found = _found(out, run)
        path = expected_dir / f"{run}.json"
        if path.exists():
            changed += compare(run, read_expected(expected_dir, run), found)
        write_text(path, _dump(found))
    return changed


def _dump(content: dict[str, Any]) -> str:
    """JSON with one row of a table per line, so that a change reads as a change."""
    tables = content["tables"]
    head = {k: v for k, v in content.items() if k != "tables"}
    lines = [json.dumps(head, indent=1, ensure_ascii=False)[:-2] + ',\n "tables": {']
    blocks = []
    for name, table in tables.items():
        rows = ",\n".join(
            f"    {json.dumps(key, ensure_ascii=False)}: {json.dumps(row, ensure_ascii=False)}"
            for key, row in table["rows"].items()
        )
        tolerance = json.dumps(table["tolerance"])
        blocks.append(f'  "{name}": {{"tolerance": {tolerance}, "rows": {{\n{rows}}}}}')
    return "\n".join([*lines, ",\n".join(blocks), " }", "}"]) + "\n"
