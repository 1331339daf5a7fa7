"""The published table of trials is read as it is, and refused where it cannot be."""

import os
from pathlib import Path

import polars as pl
import pytest

from iesoresearch.data import locate, metapsy
from iesoresearch.errors import DataError, NotApplicable

ROWS = {
    "study": ["A, 2001 - grp", "A,2001 - ind", "B, 2002a", "Smith, 2017 I", "Smith, 2017 II cbm"],
    "g": ["0.5", "0.7", "-0.1", "1", "1.2"],
    "SE": ["0.2", "0.3", "0.25", "0.4", "0.5"],
    "year": ["2001", "2001", "2002", "2017", "2017"],
    "n_intervention": ["40", "20", "30", "12", "9"],
    "n_control": ["38", "21", "31", "10", "8"],
    "type": ["Cognitive Behavior Therapy"] * 5,
    "format": ["Group", "Individual", "Group", "Group", "Group"],
    "control_type": ["Waiting List", "Waiting List", "Care as Usual", "Other", "NA"],
    "country": ["UK"] * 5,
    "quality_criteria": ["4", "4", "0", "2", "3"],
    "mean_age": ["NA"] * 5,
}


def table(folder, **columns):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "depression_rct_effects.csv"
    pl.DataFrame(ROWS | columns).write_csv(path)
    return path


def test_comparisons_belong_to_trials(tmp_path):
    path = table(tmp_path / "a" / "b")
    found = metapsy.load((tmp_path,))
    assert found.table["trial"].to_list() == ["A, 2001", "A, 2001", "B, 2002a", "Smith, 2017 I"]
    assert found.table["g"].to_list() == [0.5, 0.7, -0.1, 1.0]
    assert found.unknown_control == 1
    assert not found.is_the_known
    assert found.fingerprint == locate.fingerprint("metapsy", (tmp_path,))
    path.write_text(path.read_text() + "\n")
    assert locate.fingerprint("metapsy", (tmp_path,)) != found.fingerprint


def test_without_the_file_it_does_not_apply(tmp_path):
    with pytest.raises(NotApplicable, match=r"no file depression_rct_effects\.csv .* --data DIR"):
        metapsy.load((tmp_path,))
    with pytest.raises(NotApplicable, match="no folder was given"):
        locate.fingerprint("metapsy", ())


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"study": ["A, 2001", "nobody", *ROWS["study"][2:]]}, r"no author and year.* in line 3\."),
        ({"g": ["0.5", "0.7", "NA", "1", "NA"]}, r"2 row\(s\) with no effect g, .* in line 4\."),
        ({"SE": ["0", *ROWS["SE"][1:]]}, r"1 row\(s\) with a standard error SE that is .* line 2"),
        ({"SE": ["0.2", "NA", "0.1", "-1", "inf"]}, r"3 row\(s\) with a standard error SE"),
        ({"n_control": ["0", "NA", "3", "4", "5"]}, r"2 row\(s\) with a group size"),
        ({"quality_criteria": ["5"] * 5}, r"5 row\(s\) with quality_criteria outside 0 to 4"),
        ({"control_type": ["Pill Placebo"] * 5}, "control_type that is none of Waiting List, Care"),
        ({"g": ["large"] * 5}, "is not the table that is meant: it needs the columns study, g, SE"),
    ],
)
def test_rows_that_cannot_be_used_are_named(tmp_path, columns, message):
    table(tmp_path, **columns)
    with pytest.raises(DataError, match=message):
        metapsy.load((tmp_path,))


def test_another_or_an_empty_table(tmp_path):
    (tmp_path / "depression_rct_effects.csv").write_text("study,g\nA,1\n")
    with pytest.raises(DataError, match="is not the table that is meant"):
        metapsy.load((tmp_path,))
    (tmp_path / "depression_rct_effects.csv").write_text(",".join(ROWS) + "\n")
    with pytest.raises(DataError, match="has no rows"):
        metapsy.load((tmp_path,))


def test_the_published_table():
    """Rows and trials as its description counts them."""
    folders = [Path(p) for p in os.environ.get("IESORESEARCH_DATA", "").split(os.pathsep) if p]
    try:
        found = metapsy.load(tuple(folders))
    except NotApplicable:
        pytest.skip("the table of trials is not here")
    assert found.is_the_known
    assert found.unknown_control == 1
    counts = found.table["control_type"].value_counts().rows()
    assert dict(counts) == {"Waiting List": 162, "Care as Usual": 182, "Other": 66}
    waiting = found.table.filter(control_type="Waiting List")
    assert waiting["trial"].n_unique() == 118
