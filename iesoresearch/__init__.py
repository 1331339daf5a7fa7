"""Reproducible research on talking therapy: notebooks over shared, tested library code.

``iesoresearch.open_analysis("subtypes", globals())`` is what a notebook starts with; the estimators
live in `iesoresearch.models`, the questionnaires in `iesoresearch.measures`.
"""

__version__ = "0.1.0"
__all__ = ["__version__", "open_analysis"]


def __getattr__(name: str):
    # Loaded on first use: the command line must answer before the scientific stack is imported.
    if name == "open_analysis":
        from iesoresearch.execution.session import open_analysis

        return open_analysis
    raise AttributeError(f"module 'iesoresearch' has no attribute {name!r}")
