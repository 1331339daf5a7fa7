"""No clear text on disk while tables are worked on.

polars' streaming engine moves what does not fit into the memory to files in clear, in a temporary
folder. Within `nothing_spilled` it does not: what does not fit is then an error of memory.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import polars as pl

_LEAST_SPILLED = "POLARS_OOC_SPILL_MIN_BYTES"  # no frame is as large
_NEVER = str(2**62)


@contextmanager
def nothing_spilled() -> Iterator[None]:
    """Forbid polars to write what it works on to disk."""
    before = os.environ.get(_LEAST_SPILLED)
    os.environ[_LEAST_SPILLED] = _NEVER
    pl.Config.reload_env_vars()
    try:
        yield
    finally:
        if before is None:
            del os.environ[_LEAST_SPILLED]
        else:
            os.environ[_LEAST_SPILLED] = before
        pl.Config.reload_env_vars()
