"""Extracts: agreements, minimum data, how alike patients are, sealed folders for recipients."""

from iesoresearch.library.extract.making import EXTRACTS, Extracted, extract, refusals_logged

__all__ = ["EXTRACTS", "Extracted", "extract", "refusals_logged"]
