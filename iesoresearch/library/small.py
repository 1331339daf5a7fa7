"""Numbers of people in sentences: few are never told, nor whether anybody is meant at all.

Whoever gives a list of one person must not learn from the answer whether the library knows her: so
nobody, too, is "fewer than 10". Larger numbers are rounded, or what is left of a list would tell
the few.
"""

from iesoresearch.disclosure.policy import Policy

_POLICY = Policy()
FEW = _POLICY.min_count


def said(count: int) -> str:
    """A number of people as it may be told."""
    return f"fewer than {FEW}" if count < FEW else f"about {rounded(count):,}"


def rounded(count: int) -> int:
    """A number of people for the log, which itself does not tell those below 10."""
    return _POLICY.rounded(count) if count >= FEW else 0
