"""From a partner's files to tables that an analysis reads, on the command line."""

import csv
import io
import json
import shutil

import polars as pl
import pytest

from iesoresearch.cli import site
from iesoresearch.data import national, synthetic
from iesoresearch.data.sources import from_folder
from iesoresearch.project import find


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A project of its own."""
    root = tmp_path / "project"
    (root / "notebooks").mkdir(parents=True)
    (root / "params").mkdir()
    shutil.copy(find().params / "paper.yaml", root / "params")
    monkeypatch.setenv("IESORESEARCH_PROJECT", str(root))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("IESORESEARCH_DATA", raising=False)
    return root


HEAD = "pid,ref_id,appt_no,appt_date,sex,phq9_total\n"


@pytest.fixture
def files(tmp_path):
    path = tmp_path / "appointments.csv"
    rows = ["a,r1,1,13/01/2024,1,12", "a,r1,2,20/01/2024,1,7", "b,r2,1,13/01/2024,2,5"]
    path.write_text(HEAD + "\n".join(rows) + "\n")
    return path


def test_init_check_convert(call, files, tmp_path):
    code, shown, _ = call("site", "init", "riverside", files)
    assert code == 0
    assert "appointments.csv: 6 of 6 columns recognised" in shown
    assert "Next: iesoresearch data check --site riverside" in shown
    assert (call.home / "params" / "sites" / "riverside.yaml").is_file()
    code, shown, _ = call("data", "check", "--site", "riverside")
    assert code == 0
    assert "riverside: 2 patients, 2 referrals, 3 contacts" in shown
    assert "0 error(s), 0 warning(s). The data can be loaded." in shown
    assert (call.home / "reports" / "out" / "data-check-riverside.html").is_file()
    tables = tmp_path / "tables"
    code, shown, _ = call("data", "convert", "--site", "riverside", tables)
    assert (code, len(shown.splitlines())) == (0, 3)
    cohort = from_folder((tables,))
    assert cohort.contacts["phq9_total"].to_list() == [12, 7, 5]
    assert cohort.patients["gender"].to_list() == ["male", "female"]
    assert call("data", "check", tables)[0] == 0
    assert call("data", "convert", "--site", "riverside", tables)[0] == 6
    code, _, errors = call("site", "init", "riverside", files)
    assert code == 6
    assert "is there already and was left as it is" in errors


def test_errors_are_all_listed_and_nothing_is_converted(call, files, tmp_path):
    call("site", "init", "riverside", files)
    bad = tmp_path / "bad"
    bad.mkdir()
    rows = ["a,r1,1,13/01/2024,1,99", "a,r1,1,Lovelace,1,7", "b,r2,1,13/01/2084,4,5"]
    (bad / "appointments.csv").write_text(HEAD + "\n".join(rows) + "\n")
    page = tmp_path / "deep" / "page.html"
    words = ["--site", "riverside", "--data", bad, "--html", page]
    code, shown, _ = call("data", "check", *words)
    assert code == 3
    for text in (
        "phq9_total: 1 value(s) beyond the maximum of 27",
        "date: 1 value(s) are no date",
        "gender: 1 value(s) are not among the codes of the mapping",
        "2 rows share their referral_id and session",
        "date: 1 date(s) lie in the future",
        "4 error(s), 1 warning(s). The data cannot be loaded until the errors are mended.",
    ):
        assert text in shown
        assert text in page.read_text(encoding="utf-8")
    assert "Lovelace" not in shown + page.read_text(encoding="utf-8")
    files.write_text((bad / "appointments.csv").read_text())
    code, _, errors = call("data", "convert", "--site", "riverside", tmp_path / "tables")
    assert code == 3
    assert "riverside: 4 problem(s) in the data." in errors
    assert not (tmp_path / "tables").exists()


UNCLEAR = "patiend_id,appt_date,sex,phq9_total\na,01/02/2024,femmale,3\n"


def test_without_a_terminal_question_marks_wait(call, tmp_path):
    (tmp_path / "a.csv").write_text(UNCLEAR)
    code, shown, _ = call("site", "init", "riverside", tmp_path / "a.csv")
    assert code == 0
    assert "3 answer(s) are missing; fill in each “?” of the file:" in shown
    assert "  dates, date" in shown
    code, _, errors = call("data", "check", "--site", "riverside")
    assert code == 2
    assert "still waits for answers (columns, patient_id; dates, date; codes, gender (1))" in errors


def test_on_a_terminal_it_asks(call, tmp_path, monkeypatch):
    (tmp_path / "a.csv").write_text(UNCLEAR)
    answers = iter(["nonsense", "1", "mm/dd/yyyy", "1"])
    monkeypatch.setattr(site.sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr(site.typer, "prompt", lambda *_, **__: next(answers))
    code, shown, _ = call("site", "init", "riverside", tmp_path / "a.csv")
    assert code == 0
    assert "There is no such column in the file." in shown
    assert "missing" not in shown
    text = (call.home / "params" / "sites" / "riverside.yaml").read_text(encoding="utf-8")
    assert "patient_id: patiend_id" in text
    assert 'date: "mm/dd/yyyy"' in text
    assert "femmale: female" in text
    assert call("data", "check", "--site", "riverside")[0] == 0


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["data", "check"], 3, "No folder with contacts.parquet or contacts.csv was found"),
        (["data", "check", "--site", "nowhere"], 2, "Make it with `iesoresearch site init nowhere"),
        (["data", "check", "x", "--site", "y"], 2, "Name a folder or --site, not both"),
        (["data", "convert", "x"], 2, "Name the folder of the data and a new one"),
        (["data", "describe", "--format", "xml"], 2, "must be one of markdown, json, csv"),
        (["site", "init", "A B", "x.csv"], 2, "'A B' cannot be the name of a site"),
        (["site", "init", "disclosure", "x.csv"], 2, "is the file of its rules of disclosure"),
        (["site", "init", "statements", "x.csv"], 2, "is the file of what it states in checklists"),
        (["site", "init", "example", "x.csv"], 2, "is the file of the example, which git keeps"),
        (["site", "key", "disclosure"], 2, "'disclosure' cannot be the name of a site"),
        (["site", "init", "a", "x.csv"], 3, "x.csv is not there, or is no file"),
        (["site", "init", "a"], 2, "Missing argument"),
    ],
)
def test_refused(call, words, code, message):
    found, _, errors = call(*words)
    assert found == code
    assert message in " ".join(errors.replace("│", " ").split())
    assert "Traceback" not in errors


def test_check_a_folder_of_canonical_tables(call, tmp_path):
    synthetic.make(40, seed=1).write(tmp_path / "tables")
    code, shown, _ = call("data", "check", "--data", tmp_path / "tables")
    assert code == 0, shown
    assert "tables: 40 patients, 40 referrals" in shown
    assert "0 error(s)" in shown
    contacts = pl.read_parquet(tmp_path / "tables" / "contacts.parquet")
    contacts.with_columns(phq9_1=pl.lit(7)).write_parquet(tmp_path / "tables" / "contacts.parquet")
    code, shown, _ = call("data", "check", tmp_path / "tables")
    assert code == 3
    assert f"phq9_1: {contacts.height} value(s) beyond the maximum of 3" in shown


def test_a_page_that_cannot_be_written(call, files, tmp_path):
    call("site", "init", "riverside", files)
    (tmp_path / "file").write_text("")
    words = ["--site", "riverside", "--html", tmp_path / "file" / "page.html"]
    code, _, errors = call("data", "check", *words)
    assert code == 6
    assert "cannot be written" in errors


def test_describe(call):
    code, shown, _ = call("data", "describe")
    assert code == 0
    assert "deprivation_decile" in shown
    assert "Copyright NHS England" in shown
    columns = json.loads(call("data", "describe", "--format", "json")[1])["columns"]
    rows = list(csv.DictReader(io.StringIO(call("data", "describe", "--format", "csv")[1])))
    assert rows == columns
    assert call("data", "describe", "--format", "markdown")[1].startswith("# Data dictionary\n")


def test_a_folder_of_the_national_data_set(call, tmp_path, monkeypatch):
    """Only the wiring; `tests/data/test_national.py` reads such folders."""
    finding = national.Finding("IDS101Referral", "2 row(s) were sent twice; the latest counts", 2)
    report = national.Report((finding,), pl.DataFrame())
    monkeypatch.setattr(national, "is_national", lambda folder: folder.name == "months")
    monkeypatch.setattr(national, "read", lambda *_: (synthetic.make(30, seed=2), report))
    code, shown, _ = call("data", "check", tmp_path / "months")
    assert code == 0
    assert "2 row(s) were sent twice; the latest counts" in shown
    assert call("data", "convert", tmp_path / "months", tmp_path / "tables")[0] == 0
    assert from_folder((tmp_path / "tables",)).patients.height == 30


def test_a_national_folder_that_cannot_be_read(call, tmp_path):
    (tmp_path / "months").mkdir()
    (tmp_path / "months" / "IDS101Referral.csv").write_text("")
    code, shown, _ = call("data", "check", tmp_path / "months")
    assert code == 3
    assert "cannot be read as the NHS Talking Therapies data set" in " ".join(shown.split())
    code, _, errors = call("data", "convert", tmp_path / "months", tmp_path / "tables")
    assert code == 3
    assert "IDS101Referral" in errors
