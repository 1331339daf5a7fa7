"""What is settled for good when a library is made."""

import difflib
import json
from typing import Any

from iesoresearch.errors import ParameterError
from iesoresearch.library import territory
from iesoresearch.library.store import schedule

_MANY = 1_000_000


def settled(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings, if they can be stored and used.

    Parameters
    ----------
    settings
        ``retention`` (see `schedule.read`), ``transcripts`` (true or false),
        ``recipient_territories`` (a list), ``annotation_sessions`` (a number) and
        ``annotation_share`` (a share); all optional.

    Raises
    ------
    ParameterError
        One is unknown, or cannot be used.
    """
    try:
        stored = json.loads(json.dumps(settings))
    except (TypeError, ValueError):
        raise ParameterError(
            "The settings of a library are words, numbers, lists and tables of them; these hold "
            "something else, such as a date without quotes."
        ) from None
    for name, value in stored.items():
        if name not in _CHECKS:
            close = difflib.get_close_matches(str(name), _CHECKS, n=1, cutoff=0.5)
            meant = f"did you mean {close[0]}?" if close else f"known: {', '.join(_CHECKS)}"
            raise ParameterError(f"A library has no setting {name!r} ({meant}).")
        wanted = _CHECKS[name](value)
        if wanted:
            raise ParameterError(
                f"The setting {name} of a library must be {wanted}. It is settled for good, so "
                "nothing was made."
            )
    schedule.read(stored)
    return stored


def _truth(value: Any) -> str:
    return "" if isinstance(value, bool) else "true or false"


def _territories(value: Any) -> str:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        return "a list of two-letter codes, such as [IE, DE]"
    for one in value:
        territory.code(one)
    return ""


def _number(value: Any) -> str:
    whole = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MANY
    return "" if whole else "a whole number, not below 0"


def _share(value: Any) -> str:
    share = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
    return "" if share else "a share between 0 and 1"


_CHECKS = {
    "retention": lambda _: "",  # `schedule` says what of it is wrong
    "transcripts": _truth,
    "recipient_territories": _territories,
    "annotation_sessions": _number,
    "annotation_share": _share,
}
