"""The page of a check: everything on it, nothing fetched, and it can be read on a phone."""

import shutil

import pytest

from iesoresearch.data.findings import Missing, Problem, Report
from iesoresearch.reporting import links
from iesoresearch.reporting.data_check import page

REPORT = Report(
    "riverside",
    (
        Problem("error", "contacts", "phq9_1: 2 value(s) beyond the maximum of 3", 2),
        Problem("warning", "<b>odd & old</b>.csv", "1,234 date(s) lie in the future", 1234),
    ),
    {"patients": 30, "contacts": 1234},
    (Missing("patients", "age", 3, 30),),
)


def test_everything_is_on_the_page():
    html = page(REPORT)
    for text in (
        "Check of the data: riverside",
        "30 patients · 1,234 contacts",
        "1 error(s), 1 warning(s). The data cannot be loaded until the errors are mended.",
        "phq9_1: 2 value(s) beyond the maximum of 3",
        "&lt;b&gt;odd &amp; old&lt;/b&gt;.csv",
        "10.0%",
    ):
        assert text in html
    assert "<b>" not in html


def test_sections_without_content_are_left_out():
    html = page(Report("x", ()))
    assert "The data can be loaded." in html
    assert "<h2" not in html
    assert "no table was read" in html


def test_nothing_is_fetched(tmp_path):
    (tmp_path / "index.html").write_text(page(REPORT), encoding="utf-8")
    assert links.problems(tmp_path) == []
    assert "url(" not in page(REPORT)
    assert "<script" not in page(REPORT)


@pytest.mark.browser
def test_it_fits_a_phone(tmp_path):
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("there is no chromium on PATH (on Debian: apt install chromium)")
    from playwright.sync_api import sync_playwright

    path = tmp_path / "page.html"
    path.write_text(page(REPORT), encoding="utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium)
        view = browser.new_page(viewport={"width": 360, "height": 700})
        view.goto(path.as_uri())
        assert view.evaluate("document.documentElement.scrollWidth") <= 360
        assert view.locator("h2").all_inner_texts() == [
            "✗ Errors: these must be mended",
            "! Warnings: the data are loaded with these",
            "Empty cells",
        ]
        browser.close()
