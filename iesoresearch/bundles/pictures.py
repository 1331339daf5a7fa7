"""Pictures of a bundle that are text (SVG): nothing that runs, asks elsewhere or names anybody."""

import html
import re

import polars as pl

from iesoresearch.data import identifiers

_RUNS = re.compile(
    r"<\s*/?\s*(?:[\w.-]+:)?(?:script|foreignobject|iframe|embed|object|handler|listener)\b"
    r"|<!entity|<\?xml-stylesheet|[\s\"'/]on[a-z]+\s*=|javascript\s*:",
    re.IGNORECASE,
)
_ELSEWHERE = re.compile(
    r"(?:href|src)\s*=\s*[\"']?\s*(?![\"'#]|data:image/png)|url\(\s*[\"']?\s*(?!#)|@import",
    re.IGNORECASE,
)
# texts drawn as letters stand between tags, those drawn as lines in remarks beside them
_WORDS = re.compile(r"<!--(.*?)-->|>([^<>]+)<", re.DOTALL)
_ASKED = re.compile(r"@|\d.*\d", re.DOTALL)
_SHORTEST = 5


def problem(content: bytes) -> str | None:
    """What is wrong with an SVG file; None: nothing.

    Whether it shows the table it stands beside is not looked at.
    """
    try:
        text = html.unescape(content.decode("utf-8"))
    except UnicodeDecodeError:
        return "is no text"
    if _RUNS.search(text):
        return "holds something that runs"
    if _ELSEWHERE.search(text):
        return "refers to something outside it"
    words = {(a or b).strip() for a, b in _WORDS.findall(text)}
    asked = sorted(w for w in words if len(w) >= _SHORTEST and _ASKED.search(w))
    kinds = {
        one.kind
        for word in asked
        for one in identifiers.identifiers(pl.DataFrame({"text": [word]}))
        if one.kind != "names of people"  # a forename alone is a word of many a method
    }
    named = ", ".join(sorted(kinds))
    return f"looks as if there were identifiers in it ({named})" if named else None
