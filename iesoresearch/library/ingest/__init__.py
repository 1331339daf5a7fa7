"""Ingest: identifiers split off before anything is written, the rest de-identified."""

from iesoresearch.library.ingest.submission import TRANSCRIPTS, IngestReport, ingest

__all__ = ["TRANSCRIPTS", "IngestReport", "ingest"]
