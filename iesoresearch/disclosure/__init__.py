"""Statistical disclosure control: the one gate between an analysis and everything that is seen."""

from iesoresearch.disclosure.release import Policy, release

__all__ = ["Policy", "release"]
