"""One file per analysis: ``plot_x(table, ax=None) -> Axes``, from released tables only."""

import importlib

from matplotlib.figure import Figure

from iesoresearch.figures.style import new_axes
from iesoresearch.results import Result


def draw(result: Result, name: str, analysis: str) -> Figure:
    """Figure `name` of a released result, at its own size, titled."""
    spec = result.figures[name]
    plot = getattr(importlib.import_module(f"{__name__}.{analysis}"), f"plot_{name}")
    ax = new_axes()
    plot(result.tables[spec.table], ax=ax)
    ax.set_title(spec.title, loc="left")
    return ax.figure
