"""First values of a SAS transport file (version 5) without the scientific stack.

Enough to tell quickly which survey cycle a file is of. Layout: SAS technical note TS-140, "The
record layout of a SAS data set in SAS transport (XPORT) format".
"""

import struct
from pathlib import Path

from iesoresearch.errors import DataError

_RECORD = 80
_VARIABLES = b"HEADER RECORD*******NAMESTR HEADER RECORD!!!!!!!"
_COUNT_AT = 54  # in that record: number of variables, four digits
_MEMBER = b"HEADER RECORD*******MEMBER  HEADER RECORD!!!!!!!"
_DESCRIPTOR_AT = 74  # in that record: length of the description of a variable, four digits
_HEADER_RECORDS = 200  # far beyond the variables' header of any file


def first_number(path: Path, column: str) -> float | None:
    """Value of a numeric column in the first row, None where it is missing.

    Parameters
    ----------
    path
        Of a file in SAS transport format, version 5.
    column
        Name in capitals, at most eight characters.

    Raises
    ------
    DataError
        No such file or format, no such column, or no row.
    """
    try:
        with path.open("rb") as stream:
            width, position = _place(stream, column)
            stream.seek(_RECORD + position, 1)  # beyond the header of the rows
            value = stream.read(width)
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}).") from None
    except (struct.error, ValueError):
        value = b""
    if not 2 <= len(value) <= 8:
        raise DataError(
            f"{path} is no SAS transport file (version 5) with a numeric column {column} and a "
            "row. Download it again from its publisher."
        )
    return _ibm_double(value)


def _place(stream, column: str) -> tuple[int, int]:
    """Bytes of a column and where they begin in a row; `stream` is left behind all columns."""
    length, count = _sizes(stream)
    block = stream.read(-(-length * count // _RECORD) * _RECORD)
    for start in range(0, length * count, length):
        if block[start + 8 : start + 16].rstrip() == column.encode():
            return (
                struct.unpack_from(">h", block, start + 4)[0],
                struct.unpack_from(">i", block, start + 84)[0],
            )
    raise ValueError("no such column")


def _sizes(stream) -> tuple[int, int]:
    """Length of a variable's description and number of variables; `stream` is left behind it."""
    length = 140
    for _ in range(_HEADER_RECORDS):
        record = stream.read(_RECORD)
        if record.startswith(_MEMBER):
            length = int(record[_DESCRIPTOR_AT : _DESCRIPTOR_AT + 4])
        if record.startswith(_VARIABLES):
            return length, int(record[_COUNT_AT : _COUNT_AT + 4])
    raise ValueError("no variables")


def _ibm_double(value: bytes) -> float | None:
    """Number of an IBM mainframe: sign, exponent of 16 (excess 64), fraction of up to 56 bits."""
    whole = int.from_bytes(value.ljust(8, b"\0"))
    fraction = whole & (1 << 56) - 1
    if fraction == 0:
        return None if value[0] else 0.0  # a letter, a dot or an underscore stands for missing
    exponent = (whole >> 56 & 0x7F) - 64
    size = fraction / 2**56 * 16.0**exponent
    return -size if whole >> 63 else size
