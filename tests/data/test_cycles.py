"""Cycles are found by what their files say, whatever CDC publishes next."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iesoresearch.data import cycles, locate
from iesoresearch.errors import DataError, ParameterError

#: CDC's letters of the cycles with a PHQ-9.
LETTERS = {"D": 2005, "E": 2007, "F": 2009, "G": 2011, "H": 2013, "I": 2015, "J": 2017}


@pytest.fixture
def shelf(tmp_path, write_transport):
    """Function (letter, SDDSRVYR, folder): lay a pair of files; returns the folder of all."""

    def lay(letter, number, folder="a", kinds=("DPQ", "DEMO"), suffix="XPT"):
        for kind in kinds:
            columns = {"SEQN": [1.0]} | ({"SDDSRVYR": [number]} if kind == "DEMO" else {})
            write_transport(tmp_path / folder / f"{kind}_{letter}.{suffix}", columns)
        return tmp_path

    return lay


@pytest.mark.parametrize(("letter", "first"), LETTERS.items())
def test_years_and_letters_of_cdc(letter, first):
    assert cycles.named(letter.lower()).likely_year == first
    assert cycles.named(f"{first}-{first + 1}").letter == letter


@given(st.integers(1999, 2049).filter(lambda year: year % 2))
def test_years_without_a_list(first):
    assert cycles.named(f"{first}-{first + 1}").likely_year == first


@pytest.mark.parametrize(
    "text", ["2018-2019", "2017-2020", "2017", "17-18", "JJ", "", "1997-1998", "2017/2018"]
)
def test_what_is_no_cycle(text):
    with pytest.raises(ParameterError, match=r"is no NHANES cycle\. Name one by its years"):
        cycles.named(text)


@pytest.mark.parametrize("name", ["2021-2022", "2021-2023", "L", "l", " L "])
def test_an_unlisted_cycle_by_years_or_letter(shelf, name):
    """August 2021 to August 2023: CDC's letter L, SDDSRVYR 12, so 1997 + 2 * 12 = 2021."""
    top = shelf("L", 12.0, "deep/below", suffix="xpt")
    (found,) = cycles.find([name], (top,), True)
    assert found.first_year == 2021
    assert [path.name for path in found.files] == ["DPQ_L.xpt", "DEMO_L.xpt"]


def test_the_year_is_what_the_file_says_not_what_the_letter_suggests(shelf):
    top = shelf("Z", 13.0)
    assert cycles.find(["2023-2024"], (top,), True) == cycles.find(["Z"], (top,), True)
    assert cycles.find(["z"], (top,), True)[0].first_year == 2023
    with pytest.raises(DataError, match=r"NHANES 2049-2050 .*was not found"):
        cycles.find(["2049-2050"], (top,), True)


def test_files_of_a_pair_may_lie_apart_and_the_first_counts(shelf, tmp_path):
    shelf("K", 11.0, "b", ["DPQ"])
    shelf("K", 11.0, "c", ["DEMO"])
    shelf("K", 11.0, "d")
    (found,) = cycles.find(["K"], (tmp_path,), True)
    assert [path.parent.name for path in found.files] == ["b", "c"]
    (found,) = cycles.find(["K"], (tmp_path / "d", tmp_path), True)
    assert [path.parent.name for path in found.files] == ["d", "d"]


def combined(folder, *years):
    folder.mkdir(exist_ok=True)
    path = folder / "nhanes_phq9_2007_2018.parquet"
    pl.DataFrame({"cycle": list(years)}).write_parquet(path)
    return path


def test_the_combined_file_where_a_pair_is_incomplete(shelf, tmp_path):
    shelf("I", 9.0, "cdc")
    shelf("H", 8.0, "cdc", ["DPQ"])
    path = combined(tmp_path / "one", "2013-2014", "2015-2016")
    found = cycles.find(["I", "2013-2014"], (tmp_path,), True)
    assert [cycle.years for cycle in found] == ["2013-14", "2015-16"]
    assert found[0].files == (path,)
    assert [file.name for file in found[1].files] == ["DPQ_I.XPT", "DEMO_I.XPT"]


def test_the_package_only_without_weights_and_where_nothing_else_is(tmp_path):
    assert cycles.find(["2017-2018"], (), False) == cycles.find(["j"], (tmp_path,), False)
    assert cycles.find(["J"], (), False)[0].files == ()
    path = combined(tmp_path, "2017-2018")
    assert cycles.find(["J"], (tmp_path,), False)[0].files == (path,)
    with pytest.raises(DataError, match="NHANES J with its survey weights was not found"):
        cycles.find(["J"], (), True)
    with pytest.raises(DataError, match=r"has no survey weights\. Name the cycles"):
        locate.nhanes_cycles(None, (tmp_path,), True)


def test_an_absent_cycle_says_what_was_looked_for_and_where_it_is_published(shelf):
    top = shelf("H", 8.0, kinds=["DPQ"])
    with pytest.raises(DataError) as caught:
        cycles.find(["2013-2014"], (top,), False)
    text = str(caught.value)
    for part in ("DPQ_H.XPT with DEMO_H.XPT", "nhanes_phq9_2007_2018.parquet", str(top)):
        assert part in text
    assert "Files of NHANES that are there: DPQ_H.XPT. Download both from https://wwwn.cdc" in text


def test_the_same_cycle_twice_or_none(tmp_path):
    with pytest.raises(ParameterError, match="cycle J is named twice"):
        cycles.find(["2017-2018", "J"], (), False)
    with pytest.raises(ParameterError, match="No NHANES cycle is named"):
        cycles.find([], (), False)


def test_damaged_files(shelf, tmp_path):
    top = shelf("L", 66.0)  # CDC's number of the cycle that the pandemic cut short
    with pytest.raises(DataError, match="names no survey cycle of two years"):
        cycles.find(["L"], (top,), True)
    shelf("K", 12.0)
    (tmp_path / "a" / "DEMO_M.XPT").write_text("no such page")
    (tmp_path / "a" / "DPQ_M.XPT").write_text("no such page")
    assert cycles.find(["K"], (top,), True)[0].first_year == 2021
    (tmp_path / "nhanes_phq9_2007_2018.parquet").write_text("no such page")
    with pytest.raises(DataError, match="cannot be read as a Parquet file with a column cycle"):
        cycles.find(["2013-2014"], (top,), True)


def test_the_fingerprint_covers_the_files_of_the_cycles_named_and_no_other(shelf, tmp_path):
    shelf("K", 11.0)
    top = shelf("L", 12.0)

    def fingerprint(*names):
        return locate.fingerprint("nhanes", (top,), names, True)

    before, both = fingerprint("K"), fingerprint("K", "L")
    assert fingerprint("L", "K") == both
    assert len({before, both, fingerprint("L"), locate.fingerprint("nhanes", (top,))}) == 4
    shelf("M", 13.0)
    (tmp_path / "a" / "DPQ_L.XPT").write_bytes(b"changed")
    assert fingerprint("K") == before
    assert fingerprint("K", "L") != both


def test_cycles_of_one_combined_file_have_fingerprints_of_their_own(tmp_path):
    combined(tmp_path, "2013-2014", "2015-2016")
    found = {
        locate.fingerprint("nhanes", (tmp_path,), (name,), True)
        for name in ("2013-2014", "2015-2016")
    }
    assert len(found) == 2
