"""Patients' choices: opt-outs, consent and withdrawal, as keyed hashes with days."""

from iesoresearch.library.choices.exclusion import excluded, excluded_rows, newest_list
from iesoresearch.library.choices.optouts import Counts, Summary, record_optouts

__all__ = ["Counts", "Summary", "excluded", "excluded_rows", "newest_list", "record_optouts"]
