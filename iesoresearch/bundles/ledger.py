"""What a site has released before: signed bundles, kept so that new ones can be compared with them.

Two tables, each harmless by itself, may tell of one patient by their difference. So every signed
bundle is remembered at the site, and nobody has to think of it.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from iesoresearch import files
from iesoresearch.bundles import examining, manifest
from iesoresearch.bundles.contents import MANIFEST, Contents, read, zipped
from iesoresearch.disclosure.differencing import Earlier
from iesoresearch.errors import DataError, DisclosureError


@dataclass(frozen=True)
class Released(Earlier):
    """An earlier bundle, as differencing reads it.

    Attributes
    ----------
    digest
        Of its manifest.
    site
        Whose it is.
    """

    digest: str = ""
    site: str = ""

    @property
    def said(self) -> dict[str, str]:
        """As a manifest names it."""
        return {"name": self.name, "made": self.made, "manifest": self.digest}


def remember(folder: Path, contents: Contents) -> Path:
    """Keep a bundle in the ledger of its site; once, however many sign it.

    Raises
    ------
    OutputError
        It cannot be written.
    """
    said, digest = manifest.parsed(contents[MANIFEST]), manifest.sha256(contents[MANIFEST])
    day = "".join(c for c in said["made"] if c.isalnum())
    path = folder / f"{day}-{digest[:12]}.zip"
    with files.writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part-{os.getpid()}")
        try:
            with part.open("wb") as stream:
                stream.write(zipped(contents))
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)
    return path


def earlier(places: Sequence[Path]) -> list[Released]:
    """Bundles at `places`, the oldest first: bundles themselves, or folders with bundles in them.

    Raises
    ------
    DataError
        One cannot be read: then nothing can be compared with it.
    """
    found: dict[str, Released] = {}
    for place in places:
        for path in _bundles(place):
            one = _read(path)
            found.setdefault(one.digest, one)
    return sorted(found.values(), key=lambda one: (one.made, one.digest))


def _bundles(place: Path) -> list[Path]:
    if not place.is_dir() or (place / MANIFEST).is_file():
        return [place]
    inside = sorted(p for p in place.iterdir() if not p.name.startswith("."))
    return [p for p in inside if p.suffix == ".zip" or (p / MANIFEST).is_file()]


def _read(path: Path) -> Released:
    try:
        contents = read(path)
        said, _ = manifest.read(path, contents)
        results = examining.results(contents)
    except (DataError, DisclosureError) as error:
        raise DataError(
            f"The earlier bundle {path} cannot be compared with, and without that nothing may be "
            f"released. {error} If it is in the ledger of your site, restore it from a backup."
        ) from None
    prints = {run: said["runs"][run]["data"]["fingerprint"] for run in results}
    digest = manifest.sha256(contents[MANIFEST])
    return Released(path.name, said["made"], results, prints, digest, said["site"])
