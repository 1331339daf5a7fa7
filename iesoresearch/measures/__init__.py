"""Questionnaires as data, and how they are scored."""

from iesoresearch.measures.instruments import GAD7, INSTRUMENTS, PHQ9, WSAS, Band, Instrument, Item
from iesoresearch.measures.scales import SCALES, Scale
from iesoresearch.measures.scoring import score

__all__ = [
    "GAD7",
    "INSTRUMENTS",
    "PHQ9",
    "SCALES",
    "WSAS",
    "Band",
    "Instrument",
    "Item",
    "Scale",
    "score",
]
