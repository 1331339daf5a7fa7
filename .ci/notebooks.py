"""Run the committed notebooks again, in place, with their default parameters.

Usage: python .ci/notebooks.py [--check] [NOTEBOOK ...]

Without names, every notebooks/*.ipynb is run. A notebook is written back only after all its cells
have run, and without what differs from run to run (times, versions), so that a change in git is a
change of its content. `--check` writes nothing and exits with 1, naming the notebooks that would
change.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

# The kernel of this environment, even where the user has installed one of the same name.
os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from traitlets.config import Config

ROOT = Path(__file__).resolve().parent.parent
VOLATILE = ("execution", "papermill", "ExecuteTime")


def execute(notebook: nbformat.NotebookNode, folder: Path) -> None:
    """Run all cells of `notebook`, in `folder`, keeping the outputs in it."""
    with tempfile.TemporaryDirectory(prefix="nb-") as sockets:
        # Private sockets: over TCP any user of the machine can connect, so ipykernel warns.
        connection = {
            "transport": "ipc",
            "ip": f"{sockets}/kernel",
            "connection_file": f"{sockets}/kernel.json",
        }
        NotebookClient(
            notebook,
            kernel_name="python3",
            timeout=None,
            record_timing=False,
            coalesce_streams=True,
            resources={"metadata": {"path": str(folder)}},
            config=Config(KernelManager=connection),
        ).execute()


def tidy(notebook: nbformat.NotebookNode) -> str:
    """Return the text of `notebook` without what differs from run to run."""
    for holder in (notebook, *notebook.cells):
        for key in VOLATILE:
            holder.metadata.pop(key, None)
    notebook.metadata["kernelspec"] = {
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "name": "python3",
    }
    # Only the name: the rest is the version of Python and settings of the editor.
    notebook.metadata["language_info"] = {"name": "python"}
    return nbformat.writes(notebook).rstrip("\n") + "\n"


def write(path: Path, text: str) -> None:
    """Replace the file at `path`, in one step."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(text, encoding="utf-8", newline="\n")
    temporary.replace(path)


def update(path: Path, check: bool) -> bool:
    """Run the notebook at `path`; return whether all is well."""
    stored = path.read_text(encoding="utf-8")
    notebook = nbformat.reads(stored, as_version=4)
    try:
        execute(notebook, path.parent)
    except (CellExecutionError, DeadKernelError) as error:
        print(f"{path.name}: failed, left as it was\n{error}", file=sys.stderr)
        return False
    text = tidy(notebook)
    if text == stored:
        print(f"{path.name}: unchanged")
        return True
    if check:
        print(f"{path.name}: would change; run `make notebooks`", file=sys.stderr)
        return False
    write(path, text)
    print(f"{path.name}: updated")
    return True


def main() -> int:
    """Run the notebooks that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 on a change")
    parser.add_argument("notebooks", nargs="*", type=Path, metavar="NOTEBOOK")
    options = parser.parse_args()
    paths = options.notebooks or sorted((ROOT / "notebooks").glob("*.ipynb"))
    fine = [update(path.resolve(), options.check) for path in paths]  # all, also after a failure
    return 0 if all(fine) else 1


if __name__ == "__main__":
    sys.exit(main())
