import datetime as dt
import subprocess
import sys

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from iesoresearch.errors import DataError
from iesoresearch.library.store import parquet
from iesoresearch.library.store.keys import random_secret

KINDS = pl.DataFrame(
    {
        "number": pl.Series([1, None, 3], dtype=pl.Int8),
        "real": [1.5, float("nan"), None],
        "text": ["a", None, "ü\u2028☃"],
        "code": pl.Series(["x", "y", None], dtype=pl.Enum(["x", "y", "never"])),
        "category": pl.Series(["p", None, "q"], dtype=pl.Categorical),
        "day": [dt.date(2020, 1, 1), None, dt.date(1999, 12, 31)],
        "time": [dt.datetime(2020, 1, 1, 12, 0, 0, 1), None, None],
        "span": [dt.timedelta(days=1), None, None],
        "flag": [True, None, False],
        "list": [[1, 2], None, []],
        "nested": [{"a": "x"}, None, {"a": None}],
        "nothing": pl.Series([None] * 3, dtype=pl.Null),
    }
)


def test_every_kind_of_column_comes_back(tmp_path):
    written = parquet.write(tmp_path / "a", [KINDS], "here")
    back = parquet.read(tmp_path / "a", written, "here")
    assert back.schema == KINDS.schema
    assert back.equals(KINDS)
    chosen = parquet.read(tmp_path / "a", written, "here", ["text", "number"])
    assert chosen.equals(KINDS.select("text", "number"))
    empty = parquet.write(tmp_path / "b", [KINDS.clear()], "here")
    assert parquet.read(tmp_path / "b", empty, "here").schema == KINDS.schema


def test_pieces_are_one_table(tmp_path):
    written = parquet.write(tmp_path / "a", (KINDS[n : n + 1] for n in range(3)), "here")
    assert parquet.read(tmp_path / "a", written, "here").equals(KINDS)


def test_names_of_columns_and_cells_are_not_on_disk(tmp_path):
    frame = pl.DataFrame({"tell_tale_column": ["tell-tale cell"] * 3})
    parquet.write(tmp_path / "a", [frame], "tell-tale place")
    content = (tmp_path / "a").read_bytes()
    assert b"tell" not in content
    assert content[:4] == content[-4:] == b"PARE"  # encrypted footer, by the format of Parquet
    with pytest.raises((OSError, pa.ArrowException)):
        pq.ParquetFile(tmp_path / "a")


def test_every_file_has_a_key_and_a_content_of_its_own(tmp_path):
    first, second = (parquet.write(tmp_path / n, [KINDS], "here") for n in "ab")
    assert first.key.content != second.key.content
    assert first.sha256 != second.sha256
    assert first.key.content.hex() not in repr(first)


def test_polars_reads_it_with_the_same_key_and_place(tmp_path):
    """Another implementation of Parquet modular encryption agrees."""
    frame = KINDS.select("number", "text", "day")
    written = parquet.write(tmp_path / "a", [frame], "here")
    given = pl.ParquetDecryptionProperties(footer_key=written.key.content, aad_prefix=b"here")
    assert pl.read_parquet(tmp_path / "a", decryption=given).equals(frame)


def test_file_opens_only_in_its_place_and_with_its_key(tmp_path):
    written = parquet.write(tmp_path / "a", [KINDS], "here")
    with pytest.raises(DataError, match="belongs elsewhere"):
        parquet.read(tmp_path / "a", written, "there")
    other = parquet.Written(written.sha256, random_secret())
    with pytest.raises(DataError, match="does not open with its key"):
        parquet.read(tmp_path / "a", other, "here")


def test_changed_file_is_named_by_its_checksum(tmp_path):
    path = tmp_path / "a"
    written = parquet.write(path, [KINDS], "here")
    content = path.read_bytes()
    for place in (0, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(DataError, match=f"{path} is damaged.*checksum"):
            parquet.read(path, written, "here")
    path.write_bytes(content[:-1])
    with pytest.raises(DataError, match="checksum"):
        parquet.read(path, written, "here")
    path.unlink()
    with pytest.raises(DataError, match="is missing"):
        parquet.read(path, written, "here")


def test_lacking_column_is_named(tmp_path):
    written = parquet.write(tmp_path / "a", [KINDS], "here")
    with pytest.raises(DataError, match="no column age, sex"):
        parquet.read(tmp_path / "a", written, "here", ["text", "sex", "age"])


def test_process_that_reads_ends_in_peace(tmp_path):
    """Threads of pyarrow beside those of polars abort three of four such processes."""
    written = parquet.write(tmp_path / "a", [KINDS], "here")
    code = (
        "import sys; from pathlib import Path;"
        "from iesoresearch.library.store import parquet, keys;"
        "w = parquet.Written(sys.argv[2], keys.Hidden(bytes.fromhex(sys.stdin.read())));"
        "print(parquet.read(Path(sys.argv[1]), w, 'here').height)"
    )
    words = [sys.executable, "-c", code, tmp_path / "a", written.sha256]
    given = written.key.content.hex()
    done = subprocess.run(words, input=given, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "3\n")


def test_a_writer_that_failed_writes_nothing_more(tmp_path, monkeypatch):
    """Its end comes when it is collected; the number of its handle is another file's by then."""
    writes, real = [], parquet.disk.write

    def full(handle, content):
        if len(writes) == 2:
            raise OSError(28, "No space left on device")
        writes.append(handle)
        real(handle, content)

    tees = []
    init = parquet._Tee.__init__
    monkeypatch.setattr(parquet._Tee, "__init__", lambda t, h: (tees.append(t), init(t, h))[1])
    monkeypatch.setattr(parquet.disk, "write", full)
    with pytest.raises(OSError, match="No space left"):
        parquet.write(tmp_path / "a", [KINDS], "here")
    other = (tmp_path / "other").open("wb")
    monkeypatch.setattr(parquet.disk, "write", lambda *_: pytest.fail("it wrote"))
    assert tees[0].write(b"the end") == 7
    other.close()
    assert (tmp_path / "other").read_bytes() == b""
