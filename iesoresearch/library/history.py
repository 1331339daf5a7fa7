"""The log of an open library, proven before it is read."""

from typing import Any

from iesoresearch.errors import DataError
from iesoresearch.library import log, state


def entries(library) -> list[dict[str, Any]]:
    """Lines of the log, oldest first.

    Raises
    ------
    DataError
        The log cannot be read or was tampered with; the first such line is named.
    """
    path = library.folder / state.LOG
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}). Restore it.") from None
    head = library._state.head
    log.verify(content[: head.size], head, library.secret("log"))
    return log.entries(content, head)
