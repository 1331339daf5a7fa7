"""People of a population: read as they are, or refused by name."""

import pytest

from iesoresearch.analyses.fairness import Params, access, access_audit
from iesoresearch.analyses.fairness.data import load
from iesoresearch.analyses.fairness.denominators import read
from iesoresearch.disclosure import Policy, release
from iesoresearch.errors import DataError
from iesoresearch.params import Settings
from iesoresearch.results import Result

GROUPINGS = ("Gender", "Deprivation quintile")
HEAD = "grouping,level,people\n"
GENDER = 'Gender,female,"51,000"\nGender,male,49000\n'


def file(folder, text):
    (folder / "people.csv").write_text(text, encoding="utf-8")
    return "people.csv", (folder,), GROUPINGS


def test_counts_are_read(tmp_path):
    found = read(*file(tmp_path, HEAD + GENDER + "Religion,none,5000\n"))
    assert found.rows() == [("Gender", "female", 51_000), ("Gender", "male", 49_000)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("group,people\na,1\n", "lacks the column.s. grouping, level. The population is asked"),
        (HEAD + "Gender,woman,51000\n", "Gender has no level 'woman'; its levels are female, male"),
        (
            HEAD + "Deprivation quintile,01 Least deprived,51000\n",
            "no level '01 Least deprived'.*deprivation 1 is the most deprived",
        ),
        (HEAD + GENDER + "Gender,male,1000\n", "Gender, male is there more than once. Groups that"),
        (HEAD + "Gender,female,51.2\nGender,male,48.8\n", "are '51.2', no whole number above 0"),
        (HEAD + "Gender,female,*\nGender,male,49000\n", "'.', no whole number.*suppressed"),
        (HEAD + "Gender,female,51\nGender,male,49\n", "add up to 100, fewer than 1,000. Are these"),
        (HEAD + "Religion,none,5000\n", "has none of the groupings that are audited"),
    ],
)
def test_files_that_cannot_be_used(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        read(*file(tmp_path, text))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match=r"No folder with people.csv was found"):
        read("people.csv", (tmp_path,), GROUPINGS)


def test_representation_is_per_person_and_relative(tmp_path):
    """Hand calculation: referred over people, beside all of the grouping; from released counts."""
    file(tmp_path, HEAD + GENDER)
    params = Params(n_referrals=3000, groupings=["Gender"], population="people.csv")
    assert params.files_beside == ("people.csv",)
    data = load(params, Settings(search_path=(tmp_path,)))
    table = access.representation(data, params)
    frame = release(Result(tables={"representation": table}), Policy()).tables[
        "representation"
    ].frame  # fmt: skip
    women, men = frame.rows(named=True)
    per = 1000 * women["referred"] / 51_000
    whole = 1000 * (women["referred"] + men["referred"]) / 100_000
    assert women["referred_per"] == pytest.approx(per)
    assert women["relative"] == pytest.approx(per / whole)
    assert women["relative_low"] < women["relative"] < women["relative_high"]
    assert "representation" in access_audit.audit(data, params).figures


def test_fewer_people_than_referrals_are_refused(tmp_path):
    file(tmp_path, HEAD + "Gender,female,600\nGender,male,600\n")
    params = Params(n_referrals=3000, groupings=["Gender"], population="people.csv")
    data = load(params, Settings(search_path=(tmp_path,)))
    with pytest.raises(DataError, match=r"a group of Gender has fewer people than referrals"):
        access.representation(data, params)


def test_without_a_file_none_is_made_up():
    params = Params(n_referrals=2000, groupings=["Gender"])
    result = access_audit.audit(load(params, Settings()), params)
    assert "None is made up here" in result.not_applicable["representation"]
    assert "representation" not in result.tables
