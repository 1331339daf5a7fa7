"""What Sphinx complains about, and links, are found before anybody sees the pages."""

import pytest

from iesoresearch.errors import AnalysisError
from iesoresearch.reporting import links, site


def test_a_warning_of_sphinx_is_an_error_that_says_it(tmp_path, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")  # as some CI does; the sentence stays plain
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "index.md").write_text("# Title\n\n[dead](nowhere.md)\n", encoding="utf-8")
    with pytest.raises(AnalysisError, match=r"Sphinx said: index\.md:3: .*nowhere") as caught:
        site._sphinx(pages, tmp_path / "site", tmp_path, maths=False)
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize(
    ("html", "problem"),
    [
        ('<script src="https://cdn.example/x.js"></script>', "fetches https://cdn.example/x.js"),
        ('<link href="//cdn.example/x.css">', "fetches //cdn.example/x.css"),
        ('<img src="http://x.example/y.png">', "fetches http://x.example/y.png"),
        ('<img srcset="b.png 1x, https://x.example/z.png 2x">', "fetches https://x.example/z.png"),
        ('<a href="gone.html">', "points to gone.html"),
        ('<a href="../outside.html">', "points to ../outside.html"),
        ('<a href="#gone">', "points to #gone"),
        ('<a href="sub/page.html#gone">', "points to sub/page.html#gone"),
    ],
)
def test_a_foreign_or_dead_link_is_found(tmp_path, html, problem):
    folder = make_site(tmp_path, html)
    assert f"index.html {problem}" in links.problems(folder)
    with pytest.raises(AnalysisError, match=r"its pages have dead or foreign links: index\.html"):
        site.check(folder)


@pytest.mark.parametrize(
    "html",
    [
        '<a href="https://example.org">a link may lead away</a>',
        '<a href="sub/page.html#here">',
        '<a href="#top" id="top">',
        '<img src="data:image/png;base64,AA==">',
        '<img src="b%20c.png?v=1">',
    ],
)
def test_other_links_are_fine(tmp_path, html):
    site.check(make_site(tmp_path, html))


def make_site(tmp_path, html):
    folder = tmp_path / "site"
    (folder / "sub").mkdir(parents=True)
    (tmp_path / "outside.html").write_text("", encoding="utf-8")
    (folder / "index.html").write_text(html, encoding="utf-8")
    (folder / "b.png").touch()
    (folder / "b c.png").touch()
    (folder / "sub" / "page.html").write_text('<p id="here">', encoding="utf-8")
    return folder
