"""Numbers of people in sentences: few are never told exactly."""

from iesoresearch.library.log import FEW


def said(count: int) -> str:
    """A number of people as it may be told: 1 to 9 as "fewer than 10"."""
    return f"fewer than {FEW}" if 0 < count < FEW else f"{count:,}"
