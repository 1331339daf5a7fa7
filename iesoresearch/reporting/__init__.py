"""The report: a site of pages and an RO-Crate, made from finished run folders only."""

from iesoresearch.reporting.report import build

__all__ = ["build"]
