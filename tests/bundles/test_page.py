"""The page that is read before signing: whole, in words, and safe."""

from html.parser import HTMLParser

from iesoresearch.bundles import page
from iesoresearch.disclosure.findings import Finding

from .conftest import a_result

DESCRIBED = {
    "first": {
        "title": "Who <b>recovers</b>",
        "sensitivity": "synthetic",
        "started": "2026-11-22T12:00:00Z",
        "data": {"name": "drawn", "fingerprint": "f"},
    }
}


def made(*found, earlier=()):
    results = {"first": a_result("synthetic")}
    content = page.page("ieso", found, results, DESCRIBED, {"min_count": 10}, earlier)
    return content.decode()


class Seen(HTMLParser):
    """Words, tags and addresses of a page."""

    def __init__(self, text):
        super().__init__()
        self.words, self.tags, self.addresses = "", set(), []
        self.feed(text)

    def handle_data(self, data):
        self.words += data + " "

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href")]


def test_what_has_to_be_looked_at_stands_first_with_what_it_is():
    seen = Seen(
        made(
            Finding("first", "table:groups", "pass", "counts", "Large enough.", {"rows": 4}),
            Finding("first", "text:plain", "review", "words", "Look.", {"numbers": ["a", "b"]}),
            Finding("first", "file:model.json", "review", "words", "Look."),
            earlier=[{"name": "old.zip", "made": "2026-01-01T00:00:00Z", "manifest": "m"}],
        )
    )
    for said in (
        *("2 finding(s) need somebody's eyes", "What somebody has to look at", "words (2)"),
        *("Of 395 people most recovered.", "numbers: a, b", "Patients by group"),
        *("old.zip, made 2026-01-01", "min_count", "1 pass, 2 review", "Before you sign"),
        *("SIMULATED", "Who <b>recovers</b>"),
    ):
        assert said in seen.words, said
    assert seen.words.count("Look.") == 3  # once for both, and at each output
    assert seen.words.index("text:plain") < seen.words.index("table:groups")


def test_nothing_runs_in_it_and_it_needs_nothing_else():
    seen = Seen(made(Finding("", "file:x", "refuse", "<script>", "<img src=x>")))
    assert not seen.tags & {"script", "img", "link", "iframe", "b"}
    assert seen.addresses == []
    assert "must not leave" in seen.words
    assert "Before you sign" not in seen.words
    assert "compared with none" in seen.words


def test_nothing_found_is_not_nothing_to_look_at():
    assert "Nothing was found that speaks against it." in Seen(made()).words


def test_rare_kinds_stand_first_and_long_texts_by_their_numbers():
    words = "Nothing is counted here. " * 20 + "Of {people} most recovered. Nothing more is said."
    results = {"first": a_result("synthetic", text={"plain": words})}
    found = [Finding("first", f"file:{n}", "review", "many", "Look.") for n in "abc"]
    found += [Finding("first", "text:plain", "review", "few", "Look.")]
    text = page.page("ieso", found, results, DESCRIBED, {"min_count": 10}, ()).decode()
    first = text.partition("What somebody has to look at")[2].partition("<h2>")[0]
    assert first.index("few (1)") < first.index("many (3)")
    assert "… Of 395 people most recovered. …" in first
    assert text.count("Nothing is counted here.") == 20  # the whole, at its output
    assert Seen(text).addresses == ["#review-0", "#review-1"]
