"""What a site allows is read from its file, or refused by name."""

from dataclasses import fields, replace

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
        ("", "must hold rules with their values, such as min_count: 10"),
        ("[", "must hold rules"),
        ("- 1", "must hold rules"),
        ("min_count: 0\nround_to: 5", "wants a whole number from 1 to 1,000 as min_count"),
        ("min_count: ten", "as min_count"),
        ("min_count: true", "as min_count"),
        ("min_count: 10\nround_to: 2000", "as round_to"),
        ("degrees_of_freedom: 1.5", "from 1 to 1,000 as degrees_of_freedom"),
        ("percentile: 0", "from 1 to 1,000 as percentile"),
        ("survival: '10'", "from 1 to 1,000 as survival"),
        ("dominance_n: 6", "wants a whole number from 1 to 5 as dominance_n"),
        ("dominance_k: 90", "wants a share from 0 to 1 as dominance_k"),
        ("dominance_p: true", "wants a share from 0 to 1 as dominance_p"),
        ("dominance_p: .nan", "wants a share from 0 to 1 as dominance_p"),
        ("zeros_disclosive: 1", "wants true or false as zeros_disclosive"),
        ("rounding: [up]", "wants nearest or midpoint as rounding"),
        ("round_too: 5", r"knows no 'round_too' \(did you mean round_to\?\)"),
        ("xyz: 3", r"knows no 'xyz' \(known: min_count, round_to, zeros_disclosive, .*preset\)"),
        ("preset: opensafly", r"knows no preset 'opensafly' \(did you mean opensafely\?\)"),
        ("preset: [7]", r"knows no preset \[7\] \(known: nhs-tt, opensafely, sacro\)"),
        ("min_count: 2\nround_to: 5", "rounds 2, which may be shown, to 0"),
        (
            "preset: opensafely\nmin_count: 5\nzeros_disclosive: false",
            "may only be stricter than the preset opensafely, and is not: min_count 5 instead of "
            "8, zeros_disclosive False instead of True",
        ),
        ("preset: sacro\ndominance_k: 0.95", "is not: dominance_k 0.95 instead of 0.9"),
    ],
)
def test_without_a_sound_policy_nothing_is_computed(tmp_path, content, why):
    path = tmp_path / "disclosure.yaml"
    path.write_text(content)
    with pytest.raises(ParameterError, match=why) as caught:
        Policy.read(path)
    assert "Without a disclosure policy nothing is computed" in str(caught.value)


def test_absent_policy(tmp_path):
    with pytest.raises(ParameterError, match="must hold rules with their values"):
        Policy.read(tmp_path / "none.yaml")


def read(folder, project, site=None):
    (folder / "sites").mkdir(exist_ok=True)
    (folder / "disclosure.yaml").write_text(project)
    if site is not None:
        (folder / "sites" / "disclosure.yaml").write_text(site)
    return Policy.read(folder / "disclosure.yaml")


@pytest.mark.parametrize(
    ("name", "policy"),
    [
        # facts: NHS talking therapies < 5, OpenSAFELY <= 7, both to the nearest 5; ACRO's defaults
        ("nhs-tt", Policy(min_count=5, round_to=5)),
        ("opensafely", Policy(min_count=8, round_to=5)),
        (
            "sacro",
            Policy(10, 5, True, "nearest", dominance_n=2, dominance_k=0.9, dominance_p=0.1,
                   degrees_of_freedom=10, survival=10),
        ),
    ],
)  # fmt: skip
def test_presets(tmp_path, name, policy):
    assert read(tmp_path, f"preset: {name}") == policy
    stricter = read(tmp_path, f"preset: {name}\nmin_count: 20\ndominance_k: 0.5")
    assert stricter == replace(policy, min_count=20, dominance_k=0.5)


def test_a_site_may_only_be_stricter(tmp_path):
    assert read(tmp_path, "min_count: 10", "min_count: 15\nsurvival: 30") == Policy(15, survival=30)
    match = r"may only be stricter than disclosure\.yaml"
    with pytest.raises(ParameterError, match=match) as caught:
        read(tmp_path, "min_count: 10", "min_count: 7\ndominance_p: 0.05\nrounding: midpoint")
    assert "sites/disclosure.yaml" in str(caught.value)
    assert (
        "min_count 7 instead of 10, dominance_p 0.05 instead of 0.1, rounding midpoint instead of "
        "nearest" in str(caught.value)
    )
    with pytest.raises(ParameterError, match="min_count 8 instead of 10"):
        read(tmp_path, "min_count: 10", "preset: opensafely\nmin_count: 12")
    with pytest.raises(ParameterError, match="must hold rules"):
        read(tmp_path, "min_count: 10", "")


shares = st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0])
whole = st.integers(1, 30)
policies = st.builds(
    Policy, whole, whole, st.booleans(), st.sampled_from(["nearest", "midpoint"]),
    st.integers(1, 5), shares, shares, whole, whole, whole,
)  # fmt: skip


@settings(deadline=None, max_examples=50)
@given(policies, policies, policies)
def test_stricter_is_a_partial_order(a, b, c):
    assert a.looser(a) == []
    if a.looser(b) == [] == b.looser(a):
        assert a == b
    if a.looser(b) == [] == b.looser(c):
        assert a.looser(c) == []
    for field in fields(Policy):  # rule by rule as well
        one = replace(a, **{field.name: getattr(b, field.name)})
        assert set(one.looser(a)) <= {field.name}
        assert (one.looser(a) == [] == a.looser(one)) == (one == a)


@given(policies)
def test_a_result_tells_its_whole_policy(policy):
    assert Policy(**policy.applied) == policy
    assert {"min_count", "round_to"} <= set(policy.applied)


def test_of_the_default_it_tells_two_rules():
    assert Policy().applied == {"min_count": 10, "round_to": 5}


@pytest.mark.parametrize("rounding", ["nearest", "midpoint"])
@pytest.mark.parametrize("base", [1, 2, 5, 6, 10])
def test_what_is_shown_tells_the_counts_that_round_to_it(base, rounding):
    policy = Policy(round_to=base, rounding=rounding)
    column = pl.Series(range(200))
    shown = policy.rounded(column).to_list()
    assert shown == [policy.rounded(n) for n in range(200)]
    for value in set(shown[:150]):
        counts = [n for n in range(200) if shown[n] == value]
        assert policy.shown_as(value) == (min(counts), max(counts))


def test_midpoints_of_six():
    """OpenSAFELY's: 1 to 6 are shown as 3, 7 to 12 as 9."""
    policy = Policy(round_to=6, rounding="midpoint")
    assert [policy.rounded(n) for n in (0, 1, 6, 7, 12, 13)] == [0, 3, 3, 9, 9, 15]


def test_nobody_is_few_unless_zeros_may_be_shown():
    assert Policy().is_small(pl.Series([0, 1, 9, 10])).to_list() == [True, True, True, False]
    shown = Policy(zeros_disclosive=False)
    assert shown.is_small(pl.Series([0, 1, 9, 10])).to_list() == [False, True, True, False]
    assert [Policy().fewest, shown.fewest] == [0, 1]
