"""From rows to the few things that are resampled: kinds of units with how many there are of each.

A unit is a row, or a cluster of rows. Units of one kind hold the same counts, so that drawing units
is drawing numbers of units of each kind: the same distribution, without the rows.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.models.group_metrics.coding import Grouping
from iesoresearch.seeds import rng

_DENSE = 2**22  # possible cells up to which each has a place of its own in memory
_LARGEST = 2**62  # key of a cell


@dataclass(frozen=True)
class Units:
    """What is resampled.

    Attributes
    ----------
    many
        (kinds,) units of each kind.
    stratum
        (kinds,) from 0: the numbers of units in a stratum stay as they are.
    counts
        (kinds, 4 × views) people of one unit of a kind in the cells of every view; sparse. The
        first view is everybody, then comes every level of every grouping.
    """

    many: np.ndarray
    stratum: np.ndarray
    counts: sparse.csr_array

    def in_views(self, denominator: np.ndarray) -> np.ndarray:
        """(views,) of how many units as large as each other a denominator might be made.

        (Σ size)² ÷ Σ size² (Kish 1965, Survey Sampling): a few large services among many small ones
        are few. 0 where the denominator is empty.

        Parameters
        ----------
        denominator
            (4,) 1 for the cells that belong to it, else 0.
        """
        views = self.counts.shape[1] // 4
        size = self.counts @ sparse.kron(sparse.eye_array(views), denominator[:, None])
        squares = size.power(2).T @ self.many
        return (size.T @ self.many) ** 2 / np.maximum(squares, 1)


def units(
    y: np.ndarray, decision: np.ndarray, groupings: list[Grouping], clusters, strata
) -> Units:
    """Count rows, or clusters of rows, of each kind.

    Parameters
    ----------
    y, decision
        (rows,) 0 and 1.
    groupings
        Codes of the groups.
    clusters, strata
        (rows,) codes or None.

    Raises
    ------
    DataError
        A cluster in two strata.
    ParameterError
        More possible cells than a key can tell apart.
    """
    rows, counts, cell = _cells(y, decision, groupings, strata, clusters is not None)
    in_views = _views(y, decision, groupings, rows)
    stratum = np.zeros(len(rows), dtype=np.int64) if strata is None else strata[rows]
    if clusters is None:
        return Units(counts, stratum, in_views)
    return _clustered(clusters, cell, stratum, in_views)


def _cells(y, decision, groupings, strata, needed: bool):
    """A row of each cell that is not empty, how many rows each has, and the cell of every row."""
    key = 2 * y.astype(np.int64) + decision
    size = 4
    factors = [(g.codes, len(g.member)) for g in groupings]
    if strata is not None:
        factors.append((strata, int(strata.max()) + 1))
    for codes, n in factors:
        size *= n
        if size >= _LARGEST:
            raise ParameterError(
                "Audit by group: these groupings have too many combinations to be counted "
                "together. Audit some of them at a time."
            )
        key *= n
        key += codes
    if size > max(_DENSE, 4 * len(key)):
        _, rows, cell, counts = np.unique(
            key, return_index=True, return_inverse=True, return_counts=True
        )
        return rows, counts, cell.ravel()
    counts = np.bincount(key, minlength=size)
    last = np.zeros(size, dtype=np.int64)
    last[key] = np.arange(len(key))
    full = np.flatnonzero(counts)
    number = np.cumsum(counts > 0) - 1
    return last[full], counts[full], number[key] if needed else None


def _views(y, decision, groupings, rows) -> sparse.csr_array:
    """(cells, 4 × views) in which views and cells of views a cell lies."""
    within = 2 * y[rows].astype(np.int64) + decision[rows]
    blocks = [sparse.csr_array(np.ones((len(rows), 1), dtype=np.int64))]
    blocks += [sparse.csr_array(g.member[g.codes[rows]].astype(np.int64)) for g in groupings]
    views = sparse.hstack(blocks).tocoo()
    columns = 4 * views.col + within[views.row]
    shape = (len(rows), 4 * views.shape[1])
    return sparse.csr_array((views.data, (views.row, columns)), shape=shape)


def _clustered(clusters, cell, stratum, in_views) -> Units:
    """Clusters that hold the same cells, as often, in the same stratum are of one kind."""
    n_clusters, n_cells = int(clusters.max()) + 1, len(stratum)
    pairs, counts = np.unique(clusters * n_cells + cell, return_counts=True)
    cluster, cell = np.divmod(pairs, n_cells)
    held = sparse.csr_array((counts, (cluster, cell)), shape=(n_clusters, n_cells))
    first = held.indptr[:-1]
    own = stratum[held.indices[first]]
    if (stratum[cell] != own[cluster]).any():
        raise DataError(
            "Audit by group: a cluster has rows in two strata. Strata have to be made of whole "
            "clusters."
        )
    # sums of two random numbers of 64 bits per cell: equal for different clusters as good as never
    marks = rng(0, "kinds of clusters").integers(0, 2**64, size=(2, n_cells), dtype=np.uint64)
    sums = [np.add.reduceat(mark[cell] * counts.astype(np.uint64), first) for mark in marks]
    order = np.lexsort([*sums, own])
    together = np.stack([own[order].astype(np.uint64), *(s[order] for s in sums)])
    starts = np.flatnonzero(np.r_[True, (np.diff(together, axis=1) != 0).any(axis=0)])
    many = np.diff(np.r_[starts, n_clusters])
    kinds = order[starts]
    return Units(many, own[kinds], sparse.csr_array(held[kinds] @ in_views))
