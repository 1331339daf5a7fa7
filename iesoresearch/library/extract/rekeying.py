"""Pseudonyms of one extract, which lead neither back to the library nor to another extract.

They are random, not computed: nobody, not even who holds the keys of the library, can make them
again, and no secret of them is kept that could be lost.
"""

import secrets

import numpy as np
import polars as pl
import pyarrow as pa

_LENGTH = 16  # bytes of each pseudonym, written as hexadecimal digits


def _random(n: int) -> np.ndarray:
    return np.frombuffer(secrets.token_bytes(8 * n), dtype=">u8")


def order(n: int) -> np.ndarray:
    """An order of `n` things that nobody can guess."""
    return np.argsort(_random(n), kind="stable")


def pseudonyms(n: int, name: str) -> pl.Series:
    """New pseudonyms, all different, in increasing order."""
    made = np.empty((n, 2), dtype=">u8")
    made[:, 0], made[:, 1] = np.sort(_random(n)), _random(n)
    content = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(_LENGTH), n, [None, pa.py_buffer(made.tobytes())]
    )
    return pl.Series(name, content.cast(pa.binary())).bin.encode("hex")


class Renamed:
    """New pseudonyms of what there is little of: services and therapists."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def __call__(self, ids: pl.Series) -> pl.Series:
        """The ids under their new pseudonyms, the same for the same id; null stays null."""
        ids = ids.cast(pl.String)
        new = [one for one in ids.unique().drop_nulls() if one not in self._known]
        made = pseudonyms(len(new), ids.name)[order(len(new))]
        self._known |= dict(zip(new, made, strict=True))
        return ids.replace_strict(self._known, default=None, return_dtype=pl.Categorical)
