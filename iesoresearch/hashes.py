"""Hashes of what a result depends on, apart from its data."""

import hashlib
import json
from pathlib import Path

_HOME = Path(__file__).parent
_SOURCES = (".py", ".yaml", ".csv")  # code, and the data that come with it
ABSENT = "absent"
POLICY_OF_SITE = Path("sites") / "disclosure.yaml"  # below the folder of parameters


def digest(content: bytes) -> str:
    """Short hash of `content`."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def file_hash(path: Path) -> str:
    """Hash of a file, "absent" where there is none."""
    if not path.is_file():
        return ABSENT
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def code_hash(home: Path = _HOME) -> str:
    """Hash of the package's sources and of the data files among them, names included."""
    content = hashlib.blake2b(digest_size=16)
    for path in sorted(p for p in home.rglob("*") if p.suffix in _SOURCES):
        content.update(path.relative_to(home).as_posix().encode() + b"\0" + path.read_bytes())
    return content.hexdigest()


def notebook_hash(path: Path) -> str:
    """Hash of the cells of a notebook, "absent" where there is none.

    Outputs do not count, or running a notebook by hand would make its runs stale.
    """
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        cells = [[cell["cell_type"], cell["source"]] for cell in notebook["cells"]]
    except (OSError, ValueError, KeyError, TypeError):
        return ABSENT
    return digest(json.dumps(cells).encode())


def project_hashes(root: Path, notebook: Path) -> dict[str, str]:
    """Hashes of code, notebook, disclosure policy and lock of the project at `root`."""
    return {
        "code": code_hash(),
        "notebook": notebook_hash(notebook),
        "disclosure": _policy_hash(root / "params"),
        "lock": file_hash(root / "requirements.lock"),
    }


def _policy_hash(params: Path) -> str:
    """Hash of the disclosure policy, with the stricter one of the site if there is one."""
    project, site = (file_hash(params / name) for name in ("disclosure.yaml", POLICY_OF_SITE))
    return project if site == ABSENT else digest(f"{project} {site}".encode())
