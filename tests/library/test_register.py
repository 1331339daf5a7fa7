"""The public register: from the log alone, the same every time, without anybody's name."""

import csv
import io
import json
import re
import shutil
from datetime import date

import pytest

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.library import register, store
from iesoresearch.library.store.keys import Keys

DAY = date(2030, 1, 1)  # after whatever day the log is written on
DETAILS = {
    "extract_id": "waiting-20260101-abc",
    "agreement": "waiting",
    "title": "Waiting <and> outcome",
    "kind": "research",
    "study": None,
    "purpose": "To learn whether longer waits go with worse outcomes",
    "recipient": "University of Somewhere & Sons",
    "territory": "GB",
    "lawful_basis": "public task",
    "approvals": ["An ethics committee", "A data committee"],
    "tables": {"patients": ["age", "gender"], "contacts": ["session", "phq9_1"]},
    "patients": 48215,
    "expires": "2031-12-31",
    "publications": [],
    "fingerprint": "a print",
}


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    home = tmp_path_factory.mktemp("register")
    made = store.create(home / "library", Keys.make(home / "key"), territory="GB", who="Jane Staff")
    made.note("extract", "asked for by its head", DETAILS)
    for name, title, changed in (
        ("trial", "A trial", {"patients": 7, "expires": "2029-06-30", "kind": "trial"}),
        ("old", "An old use", {"patients": 1213, "expires": "2029-06-30"}),
    ):
        more = {"extract_id": f"{name}-1", "agreement": name, "title": title}
        made.note("extract", "why", DETAILS | more | changed)
    for kind in ("territory", "forbidden purpose: marketing", "territory"):
        made.note("extract refused", "why", {"agreement": "secret plan", "kind": kind})
    register.destroyed(made, "old-1", on=date(2029, 7, 2), why="certificate")
    yield made
    made.close()


@pytest.fixture(scope="module")
def made(library):
    return register.of(library, DAY)


def test_every_extract_is_in_it_newest_first(made):
    assert [use.name for use in made.uses] == ["old-1", "trial-1", "waiting-20260101-abc"]
    use = made.uses[-1]
    assert use.purpose == DETAILS["purpose"]
    assert (use.recipient, use.territory) == (DETAILS["recipient"], "GB")
    assert use.tables == DETAILS["tables"]


def test_numbers_of_patients_are_rounded_and_few_are_not_told(made):
    assert [use.patients for use in made.uses] == ["1,215", "fewer than 10", "48,215"]


def test_what_expired_and_what_was_destroyed_is_told(library, made):
    assert [use.state for use in made.uses] == [
        "destroyed on 2029-07-02", "expired on 2029-06-30", "in use"
    ]  # fmt: skip
    earlier = register.of(library, date(2029, 6, 30))
    assert [use.state for use in earlier.uses] == ["in use"] * 3


def test_refused_requests_are_counted_by_kind_alone(made):
    assert made.refused == {"forbidden purpose: marketing": 1, "territory": 2}
    assert "secret plan" not in "".join(register.as_text(made, how) for how in register.FORMATS)


@pytest.mark.parametrize("how", register.FORMATS)
def test_it_is_the_same_every_time_and_names_no_staff(library, how):
    text = register.as_text(register.of(library, DAY), how)
    assert text == register.as_text(register.of(library, DAY), how)
    assert "Jane" not in text
    assert "2030" in text or how == "csv"


def test_the_page_fetches_nothing_and_shows_text_as_text(made):
    page = register.page(made)
    assert "Waiting &lt;and&gt; outcome" in page
    assert "<and>" not in page
    assert "Somewhere &amp; Sons" in page
    assert not re.search(r"<script|src=|url\(|@import|https?://", page)
    assert "1&nbsp;January&nbsp;2030" in page
    assert "destroyed on 2&nbsp;July&nbsp;2029" in page
    assert "PHQ-9" in page  # what a column means


def test_tables_are_read_back_as_they_were(made):
    table = register.table(made)
    rows = list(csv.DictReader(io.StringIO(register.as_text(made, "csv"))))
    assert [row["purpose"] for row in rows] == table["purpose"].to_list()
    assert rows[2]["tables"] == "patients: age, gender; contacts: session, phq9_1"
    content = json.loads(register.as_text(made, "json"))
    assert content["uses"][2]["title"] == "Waiting <and> outcome"
    assert content["on"] == "2030-01-01"


def test_markdown_takes_nothing_for_markup(made):
    text = register.as_text(made, "markdown")
    assert r"## " in text
    assert r"Waiting \<and\> outcome" in text
    assert "- territory: 2" in text


def test_no_spreadsheet_takes_a_cell_for_a_formula(library):
    use = register.of(library, DAY).uses[0]
    evil = use.__class__(**vars(use) | {"title": "=1+1"})
    text = register.as_text(register.Register(DAY, "GB", (evil,)), "csv")
    assert "'=1+1" in text


def test_what_came_of_it_is_read_from_the_agreements_of_today(library, tmp_path):
    (tmp_path / "waiting.yaml").write_text("publications: [A paper of 2027]\n")
    (tmp_path / "trial.yaml").write_text("publications:\n")
    made = register.of(library, DAY, tmp_path)
    assert [use.outcomes for use in made.uses] == [(), (), ("A paper of 2027",)]
    assert "A paper of 2027" in register.page(made)


def test_an_empty_library_has_an_empty_register(tmp_path):
    library = store.create(tmp_path / "l", Keys.make(tmp_path / "key"), territory="GB", who="x")
    made = register.of(library)
    assert "No records have left the library." in register.page(made)
    assert "No extract has been made." in register.as_text(made, "markdown")
    assert register.table(made).is_empty()
    library.close()


def test_an_extract_is_destroyed_once_and_only_if_it_was_made(library):
    with pytest.raises(DataError, match="knows no extract 'other-1'"):
        register.destroyed(library, "other-1", on=DAY, why="certificate")
    with pytest.raises(DataError, match="recorded as destroyed already"):
        register.destroyed(library, "old-1", on=DAY, why="certificate")


def test_an_unknown_format_is_refused(made):
    with pytest.raises(ParameterError, match="must be one of html, markdown, csv, json"):
        register.as_text(made, "pdf")


def test_a_log_that_was_tampered_with_makes_no_register(library, tmp_path):
    shutil.copytree(library.folder, tmp_path / "copy")
    keys = Keys.load(library.folder.parent / "key")
    copy = store.open_library(tmp_path / "copy", keys, who="x")
    path = copy.folder / "log.jsonl"
    path.write_text(path.read_text().replace("longer waits", "shorter wait"))
    with pytest.raises(DataError, match=r"Line 2 of log\.jsonl"):
        register.of(copy)
    copy.close()


@pytest.mark.browser
def test_the_page_fits_a_phone(made, tmp_path):
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("there is no chromium on PATH (on Debian: apt install chromium)")
    from playwright.sync_api import sync_playwright

    path = tmp_path / "register.html"
    path.write_text(register.page(made), encoding="utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium)
        view = browser.new_page(viewport={"width": 360, "height": 700})
        view.goto(path.as_uri())
        assert view.evaluate("document.documentElement.scrollWidth") <= 360
        assert view.locator("article").count() == 3
        assert not view.locator("article details dl").first.is_visible()
        browser.close()
