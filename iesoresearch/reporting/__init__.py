"""The report: a site of pages and an RO-Crate, made from finished run folders only."""

from iesoresearch.reporting.report import blanks, build

__all__ = ["blanks", "build"]
