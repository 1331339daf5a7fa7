"""A writer of SAS transport files, after SAS's technical note TS-140, for made-up survey cycles."""

import math
import struct

import pytest

HEADER = "HEADER RECORD*******{:<8}HEADER RECORD!!!!!!!{:<30}  "


def ibm_double(value):
    """Eight bytes of an IBM mainframe's number; None = missing."""
    if value is None:
        return b"." + bytes(7)
    if value == 0:
        return bytes(8)
    fraction, exponent = math.frexp(abs(value))
    sixteens = -(-exponent // 4)
    whole = int(fraction * 2.0 ** (56 + exponent - 4 * sixteens))
    return struct.pack(">Q", (value < 0) << 63 | (sixteens + 64) << 56 | whole)


def padded(content, fill=b" "):
    return content + fill * (-len(content) % 80)


def transport(columns):
    """Content of a file with one data set of numbers; the first column has a zero row's length."""
    names = list(columns)
    parts = [HEADER.format("LIBRARY ", "0" * 30).encode()]
    parts += [padded(b"SAS     SAS     SASLIB  9.4     made up"), padded(b"01JAN24:00:00:00")]
    parts += [HEADER.format("MEMBER  ", "000000000000000001600000000140").encode()]
    parts += [HEADER.format("DSCRPTR ", "0" * 30).encode()]
    parts += [padded(b"SAS     DATA    SASDATA 9.4     made up"), padded(b"01JAN24:00:00:00")]
    parts += [HEADER.format("NAMESTR ", f"000000{len(names):04d}00000000000000000000").encode()]
    described = b""
    for place, name in enumerate(names):
        described += struct.pack(
            ">hhhh8s40s8shhh2x8shhi52x", 1, 0, 8, place + 1, name.encode().ljust(8),
            b" " * 40, b" " * 8, 0, 0, 0, b" " * 8, 0, 0, 8 * place,
        )  # fmt: skip
    parts += [padded(described), HEADER.format("OBS     ", "0" * 30).encode()]
    rows = zip(*columns.values(), strict=True)
    parts += [padded(b"".join(ibm_double(value) for row in rows for value in row))]
    return b"".join(parts)


@pytest.fixture
def write_transport():
    """Function (path, columns): write columns of numbers as a SAS transport file."""

    def write(path, columns):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(transport(columns))

    return write
