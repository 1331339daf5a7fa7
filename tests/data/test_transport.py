"""The first number of a SAS transport file, as pandas reads it."""

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from iesoresearch.data.transport import first_number
from iesoresearch.errors import DataError

COLUMNS = {"SEQN": [1.0, 2.0], "SDDSRVYR": [12.0, 12.0], "WTMEC2YR": [-0.1, None]}


def test_numbers_known_from_the_layout(tmp_path, write_transport):
    """TS-140: 1 is 41 10 00 00 …, so the bytes are those of the document."""
    write_transport(tmp_path / "a.xpt", {"ONE": [1.0]})
    assert bytes.fromhex("4110000000000000") in (tmp_path / "a.xpt").read_bytes()
    assert first_number(tmp_path / "a.xpt", "ONE") == 1.0


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.floats(-1e30, 1e30).filter(lambda x: x == 0 or abs(x) > 1e-30))
def test_numbers_as_pandas_reads_them(tmp_path, write_transport, value):
    write_transport(tmp_path / "a.xpt", COLUMNS | {"X": [value, 1.0]})
    read = pd.read_sas(tmp_path / "a.xpt", format="xport")["X"]
    assert first_number(tmp_path / "a.xpt", "X") == pytest.approx(read[0], rel=1e-14, abs=1e-70)
    assert first_number(tmp_path / "a.xpt", "X") == pytest.approx(value, rel=1e-14)


def test_a_missing_number(tmp_path, write_transport):
    write_transport(tmp_path / "a.xpt", {"X": [None, 1.0]})
    assert first_number(tmp_path / "a.xpt", "X") is None


@pytest.mark.parametrize("kept", [0, 100, 600, 900])
def test_half_a_file_is_said(tmp_path, write_transport, kept):
    path = tmp_path / "DEMO_L.XPT"
    write_transport(path, COLUMNS)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(DataError, match=r"is no SAS transport file .* Download it again"):
        first_number(path, "SDDSRVYR")


def test_other_files_are_said(tmp_path, write_transport):
    with pytest.raises(DataError, match=r"DEMO_L\.XPT cannot be read"):
        first_number(tmp_path / "DEMO_L.XPT", "SDDSRVYR")
    write_transport(tmp_path / "a.xpt", COLUMNS)
    with pytest.raises(DataError, match="with a numeric column RIDAGEYR"):
        first_number(tmp_path / "a.xpt", "RIDAGEYR")
    (tmp_path / "a.xpt").write_text("<html>Page not found</html>" * 500)
    with pytest.raises(DataError, match="is no SAS transport file"):
        first_number(tmp_path / "a.xpt", "SDDSRVYR")
