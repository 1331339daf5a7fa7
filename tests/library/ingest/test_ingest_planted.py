"""Identifiers planted wherever a site could put them reach neither disk nor terminal."""

import base64
import json
import traceback
from contextlib import suppress
from datetime import date
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest

from iesoresearch import cli
from iesoresearch.data import synthetic
from iesoresearch.errors import DataError
from iesoresearch.library import store
from iesoresearch.library.ingest import ingest

# An invented person. The number is the NHS Data Dictionary's example of a valid check digit.
GIVEN, FAMILY = "Grizelda", "Featherstonehaugh"
NHS, PHONE, EMAIL = "9434765919", "07700900123", "grizelda.f@example.org"
POSTCODE, BORN = "SW1A 1AA", date(1981, 7, 23)
WIDE = NHS.translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"})
ENCODED = base64.b64encode(NHS.encode()).decode()
SPACED = f"{NHS[:3]} {NHS[3:6]} {NHS[6:]}"
#: What no byte may hold, in any case, with any spaces between.
SECRETS = [
    *(GIVEN, FAMILY, NHS, WIDE, ENCODED, PHONE, PHONE[1:], EMAIL, POSTCODE),
    *("1981-07-23", "23/07/1981", "19810723", "23 July 1981"),
]


def bare(text):
    """Letters and digits alone, as `SECRETS` are compared."""
    return "".join(c for c in text.casefold() if c.isalnum())


NEEDLES = sorted({bare(secret) for secret in SECRETS})


def found_in(text):
    """Needles of a text."""
    text = bare(text)
    return [needle for needle in NEEDLES if needle in text]


def planted(column, value, table):
    """Change of a table: one row has the value."""

    def change(frame):
        kind = pl.String if isinstance(value, str) else frame.schema.get(column, pl.Int64)
        own = frame[column].cast(kind).to_list() if column in frame.columns else [None] * len(frame)
        own[0] = value
        return frame.with_columns(pl.Series(column, own, dtype=kind))

    return {table: change}


def everywhere(value, table, column):
    """Change of a table: every row has the value in a new column."""
    return {table: lambda frame: frame.with_columns(pl.lit(value).alias(column))}


def renamed(change):
    """An id changed in every table that has it."""
    return dict.fromkeys(("referrals", "contacts", "scores", "content"), change)


TALK = (
    f"Hello, I'm {GIVEN} {FAMILY}, born {BORN:%d/%m/%Y} (23 July 1981). My number is {SPACED}, "
    f"or {WIDE}; ring {PHONE[:5]} {PHONE[5:]}, mail {EMAIL.upper()}. I live in {POSTCODE.lower()}. "
    f"{FAMILY.upper()}! {ENCODED}"
)
#: Where it is planted, and refused.
REFUSED = {
    "a column of NHS numbers": everywhere(NHS, "patients", "nhs"),
    "numbers with spaces": everywhere(SPACED, "patients", "code"),
    "numbers with dashes": everywhere(SPACED.replace(" ", "-"), "contacts", "ref"),
    "a numeric column": everywhere(int(NHS), "referrals", "number"),
    "a column of full names": everywhere(f"{GIVEN} {FAMILY}", "referrals", "patient_name"),
    "a column of dates of birth": everywhere(BORN, "patients", "dob"),
    "a column of postcodes": everywhere(POSTCODE, "patients", "area"),
    "a column of telephones": everywhere(PHONE, "patients", "contact"),
    "a column of e-mails": everywhere(EMAIL, "contacts", "who"),
    "a name of a column": everywhere(1, "contacts", f"{GIVEN} {FAMILY} {NHS}"),
    "notes": everywhere(TALK, "contacts", "notes"),
    "service ids": planted("service_id", EMAIL, "referrals"),
    "service ids, all": {"referrals": lambda t: t.with_columns(service_id=pl.lit(EMAIL))},
    "a code of gender": planted("gender", FAMILY, "patients"),
    "a code in full width": planted("ethnicity", WIDE, "patients"),
    "a code of a problem": planted("problem", ENCODED, "referrals"),
    "a duration": planted("duration", NHS, "contacts"),
    "an item": planted("phq9_1", NHS, "contacts"),
    "a total": {"contacts": lambda t: t.with_columns(phq9_total=pl.lit(float(NHS)))},
    "a session": planted("session", PHONE, "contacts"),
    "an age": planted("age", NHS, "patients"),
    "a decile": planted("deprivation_decile", POSTCODE, "patients"),
    "a score": {"scores": lambda t: t.with_columns(value=pl.lit(float(NHS)))},
    "an item number": planted("item", NHS, "scores"),
    "an element": {"content": lambda t: t.with_columns(element=pl.lit(FAMILY))},
    "words counted": {"content": lambda t: t.with_columns(words=pl.lit(4_010_232_137))},
    "rules version": {"referrals": lambda t: t.with_columns(rules_version=pl.lit(NHS))},
}
#: Where it is planted, and nothing of it is left in what is taken in.
TAKEN = {
    "referral ids": renamed(
        lambda t: t.with_columns(pl.format(f"{NHS}-{{}}", "referral_id").alias("referral_id"))
    ),
    "therapist ids": planted("therapist_id", f"Dr {GIVEN} {FAMILY}", "contacts"),
    "the survey's words": planted("ethnicity_as_recorded", FAMILY, "patients"),
    "a stratum": planted("stratum", f"{FAMILY.upper()} {PHONE}", "patients"),
    "a weight": {"patients": lambda t: t.with_columns(weight=pl.lit(float(NHS)))},
    "a date of care": {
        "contacts": lambda t: t.with_columns(
            date=pl.when(pl.col("patient_id") == "P0001").then(pl.lit(BORN)).otherwise("date")
        )
    },
    "a scale": {"scores": lambda t: t.with_columns(instrument=pl.lit(f"{GIVEN}{PHONE}"))},
    "stored years": {"referrals": lambda t: t.with_columns(referral_year=pl.lit(FAMILY))},
}


@pytest.fixture(scope="module")
def tables():
    """Of a dozen patients with everything; the first is the invented person."""
    cohort = synthetic.make(60, 3, "ieso")
    typed = cohort.content["referral_id"].unique().head(4).to_list()
    scored = cohort.scores["referral_id"].unique().head(4).to_list()
    referrals = cohort.referrals.filter(pl.col("referral_id").is_in([*typed, *scored]))
    kept = {"referrals": referrals}
    kept["patients"] = cohort.patients.join(referrals, on="patient_id", how="semi")
    for name in ("contacts", "scores", "content"):
        kept[name] = getattr(cohort, name).join(referrals, on="referral_id", how="semi")
    first = referrals["patient_id"][0]
    return {
        n: t.with_columns(pl.col("patient_id").replace(first, "P0001")) if "patient_id" in t else t
        for n, t in kept.items()
    }


def person(frame):
    """The table of people in which the invented person is the first."""
    ids = frame["patient_id"].sort()
    said = {
        "nhs_number": SPACED, "given_name": GIVEN, "family_name": FAMILY, "email": EMAIL,
        "phone": PHONE, "date_of_birth": f"{BORN:%d/%m/%Y}", "postcode": POSTCODE,
    }  # fmt: skip
    hers = pl.col("patient_id") == "P0001"
    return ids.to_frame().with_columns(
        pl.when(hers).then(pl.lit(value)).alias(name) for name, value in said.items()
    )


def written(tables, changes, folder):
    """The files of a site: CSV with a byte order mark, and Parquet with words in its metadata."""
    folder.mkdir()
    for name, table in tables.items():
        table = changes.get(name, lambda t: t)(table)
        if name in ("patients", "content"):
            table.write_csv(folder / f"{name}.csv", include_bom=True)
        else:
            arrow = table.to_arrow()
            about = {b"note": TALK.encode(), b"pandas": FAMILY.encode()}
            pq.write_table(arrow.replace_schema_metadata(about), folder / f"{name}.parquet")
    people = folder / f"{GIVEN} {FAMILY} {NHS}.csv"
    person(tables["patients"]).write_csv(people)
    return people


def everything_of(library):
    """Every byte of the folder, and every cell and heading once it is decrypted."""
    for path in sorted(library.folder.rglob("*")):
        yield str(path.relative_to(library.folder))
        if path.is_file():
            content = path.read_bytes()
            yield content.decode("latin-1")
            yield content.decode("utf-16-le", errors="replace")
    for compartment in ("records", "choices"):
        for name in library.tables(compartment):
            frame = library.read(name, compartment=compartment)
            yield " ".join(frame.columns)
            for column in frame.columns:
                yield " ".join(frame[column].cast(pl.String).fill_null("").to_list())


def secrets_in(library):
    return sorted({needle for text in everything_of(library) for needle in found_in(text)})


@pytest.fixture
def library(small_keys, tmp_path, monkeypatch):
    """An empty library that takes transcripts; what is temporary goes to a folder of its own."""
    (tmp_path / "temporary").mkdir()
    for variable in ("TMPDIR", "POLARS_TEMP_DIR", "POLARS_OOC_SPILL_DIR"):
        monkeypatch.setenv(variable, str(tmp_path / "temporary"))
    return store.create(
        tmp_path / "library", small_keys, territory="UK", who="tests",
        settings={"transcripts": True},
    )  # fmt: skip


@pytest.mark.parametrize("place", REFUSED)
def test_planted_and_refused(place, tables, library, tmp_path, capfd):
    people = written(tables, REFUSED[place], tmp_path / f"{FAMILY} {PHONE}")
    with pytest.raises(DataError) as caught:
        ingest(library, people.parent, people, why="a test")
    told = "".join(traceback.format_exception(caught.value))
    assert found_in(told.partition("DataError: ")[2] + repr(caught.value)) == []
    assert caught.value.__suppress_context__
    assert found_in(" ".join(capfd.readouterr())) == []
    assert library.tables() == library.tables("choices") == []
    assert list((tmp_path / "temporary").rglob("*")) == []


def test_planted_and_taken_in(tables, library, tmp_path, capfd):
    changed = tables
    for changes in TAKEN.values():
        changed = {name: changes.get(name, lambda t: t)(t) for name, t in changed.items()}
    people = written(changed, {}, tmp_path / f"{FAMILY} {PHONE}")
    report = ingest(library, people.parent, people, why="a test")
    assert report.counts["referrals"] == tables["referrals"].height
    assert found_in(report.text()) == []
    assert found_in(" ".join(capfd.readouterr())) == []
    assert secrets_in(library) == []
    assert list((tmp_path / "temporary").rglob("*")) == []
    assert library.read("scores").is_empty()  # of an unknown scale
    assert sum("no dates of care" in warning for warning in report.warnings) == 1


def transcripts(tables, folder):
    contacts = tables["contacts"].filter(pl.col("patient_id") == "P0001")
    return contacts.select(
        "referral_id", "session", position=pl.lit(1), speaker=pl.lit("patient"),
        text=pl.lit(TALK),
    ).write_csv(folder / "talk.csv")  # fmt: skip


DECLARED = f"""\
# {GIVEN} {FAMILY}, {NHS}, asked on {BORN} for {PHONE}
identifiers:
- file: patients.csv
  columns: {{patient_id: patient_id, nhs_number: nhs, name: who, date_of_birth: dob}}
  dates: {{date_of_birth: yyyymmdd}}
transcripts: {{file: talk.csv}}
"""


def with_columns_of_identifiers(frame):
    return frame.with_columns(
        nhs=pl.when(pl.col("patient_id") == "P0001").then(pl.lit(NHS)),
        who=pl.when(pl.col("patient_id") == "P0001").then(pl.lit(f"{GIVEN} {FAMILY}")),
        dob=pl.when(pl.col("patient_id") == "P0001").then(pl.lit(f"{BORN:%Y%m%d}")),
    )


@pytest.mark.parametrize("declared", [True, False])
def test_planted_in_transcripts_and_declared_columns(
    declared, tables, library, small_keys, small_key_file, tmp_path, capfd, monkeypatch
):
    folder = tmp_path / "data"
    written(tables, {"patients": with_columns_of_identifiers}, folder)
    transcripts(tables, folder)
    declare = tmp_path / f"{FAMILY}.yaml"
    declare.write_text(DECLARED if declared else "transcripts: {file: talk.csv}\n")
    options = ["--declare", declare, "--with-transcripts", "--key", small_key_file]
    words = ["iesoresearch", "library", "ingest", library.folder, folder, "--why", "test", *options]
    monkeypatch.setattr("sys.argv", [str(word) for word in words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    output = capfd.readouterr()
    assert (ended.value.code or 0) == (0 if declared else 3), output
    assert found_in(output.out + output.err) == []
    again = store.open_library(library.folder, small_keys)
    assert secrets_in(again) == []
    assert list((tmp_path / "temporary").rglob("*")) == []
    if declared:
        text = again.read("utterances")["text"]
        assert text.str.contains("[NHS NUMBER]", literal=True).all()
        assert text.str.starts_with("Hello, I'm [NAME]").all()
        assert "[" in output.out or "NAME" in output.out
        line = json.loads(Path(library.folder / "log.jsonl").read_text().splitlines()[-1])
        assert line["what"] == "ingest"


def test_the_search_finds_what_is_there(library):
    # the proof above rests on it
    with library.writing("x", "y") as draft:
        draft.write("patients", pl.DataFrame({"a": [f"x {SPACED} y"]}))
    assert secrets_in(library) == [bare(NHS)]
    with suppress(KeyError):
        assert found_in(TALK) == sorted(set(NEEDLES) - {"19810723"})
