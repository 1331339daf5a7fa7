"""Where the pages of a site point to: nothing may be fetched from elsewhere, nothing be missing."""

import posixpath
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

#: Elements a browser fetches by itself, with the attribute that names the file.
_FETCHED = {
    "script": "src", "link": "href", "img": "src", "source": "src", "iframe": "src",
    "embed": "src", "object": "data", "video": "src", "audio": "src", "track": "src",
    "input": "src", "image": "href",
}  # fmt: skip


class _Page(HTMLParser):
    """Collects the links and anchors of a page."""

    def __init__(self):
        super().__init__()
        self.fetched: list[str] = []
        self.linked: list[str] = []
        self.anchors: set[str] = set()

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.anchors |= {values[name] for name in ("id", "name") if values.get(name)}
        target = values.get(_FETCHED.get(tag, ""))
        if target:
            self.fetched.append(target)
        self.fetched += [
            part.split()[0] for part in (values.get("srcset") or "").split(",") if part
        ]
        if tag == "a" and values.get("href"):
            self.linked.append(values["href"])


def problems(site: Path) -> list[str]:
    """What is fetched from another host, and links to files or places that do not exist."""
    files = {p.relative_to(site).as_posix() for p in site.rglob("*") if p.is_file()}
    # pages below _static are templates of the theme
    names = sorted(f for f in files if f.endswith(".html") and not f.startswith("_static/"))
    pages = {name: _read(site / name) for name in names}
    found = []
    for name, page in pages.items():
        found += [f"{name} fetches {t}" for t in page.fetched if _is_foreign(t)]
        own = [t for t in [*page.fetched, *page.linked] if not _is_foreign(t)]
        found += [f"{name} points to {t}" for t in own if not _exists(t, name, files, pages)]
    return list(dict.fromkeys(found))


def _read(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def _is_foreign(target: str) -> bool:
    parts = urlsplit(target)
    return parts.scheme not in {"", "data"} or bool(parts.netloc)


def _exists(target: str, page: str, files: set[str], pages: dict[str, _Page]) -> bool:
    parts = urlsplit(target)
    if parts.scheme == "data":
        return True
    file = posixpath.join(posixpath.dirname(page), unquote(parts.path)) if parts.path else page
    file = posixpath.normpath(file)
    if file not in files:
        return False
    return not parts.fragment or file not in pages or parts.fragment in pages[file].anchors
