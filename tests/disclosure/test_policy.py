"""What a site allows is read from its file, or refused by name."""

import polars as pl
import pytest

from iesoresearch.disclosure import Policy
from iesoresearch.errors import ParameterError
from iesoresearch.project import find


def test_the_committed_policy_is_read():
    assert Policy.read(find().params / "disclosure.yaml") == Policy(10, 5, zeros_disclosive=True)


def test_older_files_stay_valid(tmp_path):
    path = tmp_path / "disclosure.yaml"
    path.write_text("min_count: 7\n")
    assert Policy.read(path) == Policy(7, 5)
    path.write_text("min_count: 7\nround_to: 6\nzeros_disclosive: false\n")
    assert Policy.read(path) == Policy(7, 6, zeros_disclosive=False)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "must hold the whole numbers min_count and round_to"),
        ("[", "must hold the whole numbers"),
        ("- 1", "must hold the whole numbers"),
        ("min_count: 0\nround_to: 5", "wants a whole number from 1 to 1,000 as min_count"),
        ("min_count: ten", "as min_count"),
        ("min_count: true", "as min_count"),
        ("min_count: 10\nround_to: 2000", "as round_to"),
        ("zeros_disclosive: 1", "wants true or false as zeros_disclosive"),
        ("round: 5", r"knows no 'round' \(did you mean round_to\?\)"),
        ("xyz: 3", r"knows no 'xyz' \(known: min_count, round_to, zeros_disclosive\)"),
        ("min_count: 2\nround_to: 5", "rounds 2, which may be shown, to 0"),
    ],
)
def test_without_a_sound_policy_nothing_is_computed(tmp_path, content, why):
    path = tmp_path / "disclosure.yaml"
    path.write_text(content)
    with pytest.raises(ParameterError, match=why) as caught:
        Policy.read(path)
    assert "Without a disclosure policy nothing is computed" in str(caught.value)


def test_absent_policy(tmp_path):
    with pytest.raises(ParameterError, match="must hold the whole numbers min_count"):
        Policy.read(tmp_path / "none.yaml")


@pytest.mark.parametrize("base", [1, 2, 5, 6, 10])
def test_what_is_shown_tells_the_counts_that_round_to_it(base):
    policy = Policy(round_to=base)
    column = pl.Series(range(200))
    shown = policy.rounded(column).to_list()
    assert shown == [policy.rounded(n) for n in range(200)]
    for value in set(shown[:150]):
        counts = [n for n in range(200) if shown[n] == value]
        assert policy.shown_as(value) == (min(counts), max(counts))


def test_nobody_is_few_unless_zeros_may_be_shown():
    assert Policy().is_small(pl.Series([0, 1, 9, 10])).to_list() == [True, True, True, False]
    shown = Policy(zeros_disclosive=False)
    assert shown.is_small(pl.Series([0, 1, 9, 10])).to_list() == [False, True, True, False]
    assert [Policy().fewest, shown.fewest] == [0, 1]
