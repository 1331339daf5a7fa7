"""The store of a library: encrypted parts in generations, one atomic commit, a chained log."""

from iesoresearch.library.store.library import (
    WAIT,
    WHO_VARIABLE,
    Library,
    create,
    default_who,
    open_library,
)

__all__ = ["WAIT", "WHO_VARIABLE", "Library", "create", "default_who", "open_library"]
