"""Data files of the package that results depend on. Imports nothing heavy."""

import importlib.resources

_HOME = importlib.resources.files("iesoresearch.data")


def published_figures() -> bytes:
    """The table of published figures."""
    return _HOME.joinpath("published/figures.csv").read_bytes()


def profile(name: str) -> bytes:
    """The parameters that a synthetic cohort is drawn with."""
    return _HOME.joinpath(f"synthetic/{name}.yaml").read_bytes()
