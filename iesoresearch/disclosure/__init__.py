"""Statistical disclosure control: the one gate between an analysis and everything that is seen."""

from iesoresearch.disclosure.policy import Policy
from iesoresearch.disclosure.release import release

__all__ = ["Policy", "release"]
