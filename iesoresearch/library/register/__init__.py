"""The public register of data uses, made from the log alone: every extract, and what was refused.

No person is named: neither patients nor staff.
"""

from iesoresearch.library.register.page import page
from iesoresearch.library.register.texts import FORMATS, as_text, table
from iesoresearch.library.register.uses import Register, destroyed, of

__all__ = ["FORMATS", "Register", "as_text", "destroyed", "of", "page", "table"]
