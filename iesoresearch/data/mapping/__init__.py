"""A partner's files of any shape: propose a mapping, read it back, apply it."""

from iesoresearch.data.mapping.apply import Source, read
from iesoresearch.data.mapping.propose import Proposal, Question, propose
from iesoresearch.data.mapping.site import OPEN, Mapping, path_of, render, write

__all__ = [
    "OPEN", "Mapping", "Proposal", "Question", "Source", "path_of", "propose", "read", "render",
    "write",
]  # fmt: skip
