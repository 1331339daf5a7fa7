"""How `waiting_replication` is computed: read the cases, run them, compare."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from iesoresearch.analyses.waiting_replication import Params, files, tables
from iesoresearch.analyses.waiting_replication.captions import FIGURES
from iesoresearch.analyses.waiting_replication.computed import Computed
from iesoresearch.analyses.waiting_replication.text import text
from iesoresearch.analyses.waiting_replication.words import checks, numbers
from iesoresearch.errors import ParameterError
from iesoresearch.hashes import digest
from iesoresearch.models import cases
from iesoresearch.params import Settings
from iesoresearch.results import Result, Table, Value

TITLE = "Do published economic models give their published results here?"
LICENCE = "Figures of the publications named in the table of sources, each under its own licence."


@dataclass(frozen=True, eq=False)
class Cases:
    """Cases as they were read.

    Attributes
    ----------
    data
        What they are, in words.
    fingerprint
        Hash of their files.
    """

    cases: tuple[cases.Case, ...]
    data: str
    fingerprint: str


def load(params: Params, settings: Settings) -> Cases:
    """The cases that `params` name; `settings` change nothing about them.

    Raises
    ------
    ParameterError
        A file is absent, unreadable or has a mistake, with its place.
    """
    found = [(path.name, _text(path)) for path in files.find(params.case)]
    return Cases(
        cases=tuple(cases.parse(content, name) for name, content in found),
        data=_data([name for name, _ in found]),
        fingerprint=digest("\0".join(content for _, content in found).encode()),
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise ParameterError(f"{path.name} cannot be read as text in UTF-8. Save it so.") from None


def _data(names: list[str]) -> str:
    return f"case file {names[0]}" if len(names) == 1 else f"{len(names)} published cases"


def summary(data: Cases) -> Table:
    """How many cases of each kind there are, and how many figures they give."""
    rows = [
        (kind, len(of_kind), sum(case.complete for case in of_kind), sum(map(_figures, of_kind)))
        for kind, of_kind in _by_kind(data.cases).items()
    ]
    columns = ["kind", "n", "complete", "figures"]
    return Table(
        "Cases",
        pl.DataFrame(rows, schema=columns, orient="row"),
        {"kind": "Kind of model"},
        {
            "n": Value("count", "Cases", 0, sensitivity="open"),
            "complete": Value("count", "Of these complete", 0, sensitivity="open"),
            "figures": Value("count", "Published figures", 0, sensitivity="open"),
        },
    )


def _by_kind(every: Iterable[cases.Case]) -> dict[str, list[cases.Case]]:
    found: dict[str, list[cases.Case]] = {}
    for case in every:
        found.setdefault(tables.KINDS[case.kind], []).append(case)
    return found


def _figures(case: cases.Case) -> int:
    return len(case.expected) + sum(map(_figures, case.variants.values()))


def run(data: Cases, params: Params) -> Result:
    """Everything that is computed.

    Raises
    ------
    ParameterError
        A case says something that cannot be, with its place.
    """
    computed = Computed(data.cases, params.n_draws, params.seed)
    missing = computed.not_applicable
    return Result(
        tables={name: make(computed) for name, make in tables.ALL.items() if name not in missing},
        numbers=numbers(computed),
        checks=checks(computed),
        text=text(computed),
        figures={name: spec for name, spec in FIGURES.items() if name not in missing},
        not_applicable=missing,
        provenance={
            "title": TITLE,
            "data": data.data,
            "data_fingerprint": data.fingerprint,
            "sensitivity": "open",
            "licence": LICENCE,
        },
    )
