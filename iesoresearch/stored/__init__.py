"""What a run leaves in its folder: tables, figures, numbers, checks and their descriptions.

Everything that is declared of a released result is written beside it, so that disclosure can be
questioned and sites can be pooled from the files alone: `read_result` gives back what
`write_result` was given, but for rows of patients, which it never writes.
"""

from iesoresearch.stored.reading import read_result
from iesoresearch.stored.writing import number_json, table_csv, write_result

__all__ = ["number_json", "read_result", "table_csv", "write_result"]
