"""What would tell of the machine or of the people at a site, and has no place in a bundle."""

import contextlib
import getpass
import re
import socket
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from iesoresearch.bundles.contents import Contents
from iesoresearch.disclosure.findings import Finding
from iesoresearch.results import Result

#: Names shorter than this are words of many texts ("root", "data").
_SHORTEST = 5
#: Our own words for files and folders: of a folder that is called so they tell nothing.
_OURS = {"tables", "figures", "numbers", "checks", "result", "records", "opened", "extract"}
_SHARED = {"/", "/usr", "/usr/local", "/opt"}  # prefixes of all machines, which tell nothing
RECORDS = "records of the site"


def without_name_of_data(result: Result) -> Result:
    """The result of patients' records without the name of their folder, which somebody typed.

    Open and drawn data keep their names.
    """
    provenance = result.provenance
    name = provenance.get("data")
    if provenance.get("sensitivity", "patient") != "patient" or not isinstance(name, str):
        return result

    told = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")

    def said(text: str) -> str:
        return told.sub(RECORDS, text) if _telling(name) else text

    return replace(
        result,
        provenance={**provenance, "data": RECORDS},
        text={k: said(text) for k, text in result.text.items()},
        checks=[replace(check, sentence=said(check.sentence)) for check in result.checks],
        figures={
            k: replace(spec, title=said(spec.title), caption=said(spec.caption))
            for k, spec in result.figures.items()
        },
        tables={k: replace(table, title=said(table.title)) for k, table in result.tables.items()},
        not_applicable={k: said(text) for k, text in result.not_applicable.items()},
        evidence={k: [said(text) for text in texts] for k, texts in result.evidence.items()},
    )


def findings(contents: Contents, folders: list[Path], names: Mapping[str, str]) -> list[Finding]:
    """Files of a bundle that name a folder of this machine, or a word that may be a person.

    Parameters
    ----------
    contents
        The files.
    folders
        Of the project; those of the machine are known here.
    names
        Further words that must be looked at, with what they are.
    """
    places = _places(folders)
    words = {word: what for word, what in {**_people(), **names}.items() if _telling(word)}
    found = []
    for name, content in contents.items():
        run, output = _place(name)
        if any(_whole(place).search(content) for place in places):
            found.append(
                Finding(run, output, "refuse", "folder of the machine",
                        "The file names a folder of this machine. Take it out of the analysis's "
                        "words and run it again.")
            )  # fmt: skip
        found += [
            Finding(run, output, "review", "names",
                    f"The file holds a word that is also {what}. Look whether it tells of it.")
            for word, what in words.items()
            if _whole(word).search(content)
        ]  # fmt: skip
    return found


def _telling(word: str) -> bool:
    """Whether a word that is also the name of something tells of it."""
    return len(word) >= _SHORTEST and word not in _OURS


def _place(name: str) -> tuple[str, str]:
    if not name.startswith("runs/"):
        return "", f"file:{name}"
    _, run, rest = name.split("/", 2)
    return run, f"file:{rest}"


def _places(folders: list[Path]) -> list[str]:
    own = [Path.home(), sys.prefix, sys.base_prefix, tempfile.gettempdir(), Path.cwd()]
    both = {str(p) for place in (*own, *folders) for p in (Path(place), Path(place).resolve())}
    return sorted(both - _SHARED)


def _people() -> dict[str, str]:
    found = {socket.gethostname(): "the name of this machine"}
    with contextlib.suppress(OSError, KeyError):  # a container need not know its user
        found[getpass.getuser()] = "the name of who is logged in"
    return found


def _whole(word: str) -> re.Pattern[bytes]:
    # not in the middle of a longer path or word
    return re.compile(rb"(?<![\w.-])" + re.escape(word.encode()) + rb"(?![\w-])")
