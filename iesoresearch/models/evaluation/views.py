"""People of several views (everybody, and each level of each grouping) laid out for resampling."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from iesoresearch.models.evaluation import curve
from iesoresearch.models.evaluation.metrics import row_log_loss

#: The calibration curve of a resample is fitted to cells of people: those with the same prediction,
#: or, where predictions have more values than this, so many cells of equally many, by their means.
CELLS = 1000
_MOST_COLUMNS = max(max(len(k), 2) for k in curve.KNOTS)


@dataclass(frozen=True)
class View:
    """Some of the people.

    Attributes
    ----------
    index
        (people,) which, in order of prediction; those without the event first where equal.
    smoother
        Their calibration curve, or the reason why there is none.
    """

    index: np.ndarray
    smoother: curve.Smoother | str


@dataclass(frozen=True)
class Layout:
    """Arguments of `kernels.resample`, described there, but for those of a resample."""

    n_units: int
    rows: tuple
    views: np.ndarray
    cells: tuple
    ties: np.ndarray
    smoothers: tuple


def layout(views: list[View], y, p, unit, n_units: int, thresholds) -> Layout:
    """Lay people out.

    Parameters
    ----------
    views
        One or more, none of them empty.
    y, p
        (people,) outcomes 0 or 1, predictions.
    unit
        (people,) 0-based number of what is drawn: the person or their cluster.
    n_units
        How many there are to draw from.
    thresholds
        (thresholds,) ascending.
    """
    index = np.concatenate([view.index for view in views])
    y, p = np.asarray(y)[index], np.asarray(p)[index]
    rows = (unit[index].astype(np.int32), y.astype(np.uint8), p, row_log_loss(y, p))
    begins = np.cumsum([0] + [len(view.index) for view in views])
    places, edges, ties, at = np.zeros((len(views), 4), dtype=np.int64), [], [], []
    n_cells = n_ties = 0
    for v, (begin, end) in enumerate(pairwise(begins)):
        mine, ats = _cells(p[begin:end], thresholds)
        tied = _ties(y[begin:end], p[begin:end])
        places[v] = n_cells, n_cells + len(mine), n_ties, n_ties + len(tied)
        n_cells, n_ties = n_cells + len(mine), n_ties + len(tied)
        edges.append(mine + begin)
        ties.append(tied + begin)
        at.append(ats)
    edges = np.append(np.concatenate(edges), len(p))
    cell_p = np.add.reduceat(p, edges[:-1]) / np.diff(edges)
    smoothers = _smoothers(views, places, cell_p)
    return Layout(
        n_units, rows, places, (edges, cell_p, np.array(at)), np.concatenate(ties), smoothers
    )


def _cells(p, thresholds):
    """First row of every cell, and first cell at or above each threshold."""
    passed = np.searchsorted(p, thresholds, side="left")
    certain = np.searchsorted(p, [0.0, 1.0], side="right"), np.searchsorted(p, [1.0], side="left")
    cells = np.flatnonzero(np.append(True, p[1:] != p[:-1]))
    if len(cells) > CELLS:
        cells = np.linspace(0, len(p), CELLS, endpoint=False).astype(np.int64)
    edges = np.unique(np.concatenate([cells, passed, *certain]))
    edges = edges[edges < len(p)]
    return edges, np.searchsorted(edges, passed)


def _ties(y, p):
    """(ties, 3): beginning, first with the event and end of mixed runs of equal predictions."""
    starts = np.flatnonzero(np.append(True, p[1:] != p[:-1]))
    ends = np.append(starts[1:], len(p))
    first = ends - np.add.reduceat(y.astype(np.int64), starts)
    return np.column_stack([starts, first, ends])[(first > starts) & (first < ends)]


def _smoothers(views, places, cell_p):
    basis = np.zeros((len(cell_p), _MOST_COLUMNS))
    start = np.zeros((len(views), _MOST_COLUMNS))
    columns = np.zeros(len(views), dtype=np.int64)
    for v, view in enumerate(views):
        if isinstance(view.smoother, str):
            continue
        k = columns[v] = len(view.smoother.coefficients)
        start[v, :k] = view.smoother.coefficients
        cells = np.arange(places[v, 0], places[v, 1])
        # rows of zeros, of certain predictions, have no part in the fit
        cells = cells[(cell_p[cells] > 0) & (cell_p[cells] < 1)]
        x = np.log(cell_p[cells]) - np.log1p(-cell_p[cells])
        basis[cells, :k] = curve.basis(x, view.smoother.knots)
    return basis, start, columns
