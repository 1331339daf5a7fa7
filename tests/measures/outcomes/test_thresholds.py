"""A site's own thresholds and scales: what is read and what is refused."""

from datetime import date

import polars as pl
import pytest

from iesoresearch.errors import ParameterError
from iesoresearch.measures import SCALES, Scale
from iesoresearch.measures.outcomes import OFFICIAL, Thresholds

GOOD = """
- scale: spin
  caseness: 30
  reliable_change: 12
  valid_from: 2022-04-01
  source: manual of the site, page 3
- {scale: spin, caseness: 20, reliable_change: 11, valid_from: 2019-04-01, source: the same}
"""


@pytest.fixture
def table(tmp_path):
    def write(text):
        path = tmp_path / "table.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def values(thresholds, scale, *days):
    frame = pl.DataFrame({"day": days}, schema={"day": pl.Date})
    chosen = thresholds.expression("caseness", pl.lit(scale), pl.col("day"))
    return frame.with_columns(x=chosen)["x"].to_list()


def test_the_official_rules_are_two_with_a_source():
    rules = {r.scale: (r.caseness, r.reliable_change) for r in OFFICIAL.rows}
    assert rules == {"phq9": (10, 6), "gad7": (8, 4)}
    assert all("PMC8411661" in r.source for r in OFFICIAL.rows)
    assert values(OFFICIAL, "phq9", date(2013, 1, 1), None) == [10, 10]
    assert values(OFFICIAL, "oci", date(2024, 1, 1)) == [None]


def test_a_rule_holds_until_the_next_one_of_its_scale(table):
    thresholds = Thresholds.read(table(GOOD))
    days = [date(2019, 3, 31), date(2019, 4, 1), date(2022, 3, 31), date(2022, 4, 1), None]
    assert values(thresholds, "spin", *days) == [None, 20, 20, 30, 30]
    assert values(thresholds, "gad7", *days) == [8] * 5


RULE = "- {{scale: {}, caseness: {}, reliable_change: {}, valid_from: {}, source: {}}}\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (RULE.format("spin", 30, 12, "2022-04-01", "''"), r"row 1: source must say where"),
        (
            "- {scale: spin, caseness: 30, reliable_change: 12, valid_from: 2022-04-01}",
            r"row 1: source is missing\. Mend these rows",
        ),
        (RULE.format("spin", 30, 12, "null", "s"), r"spin has no valid_from"),
        (RULE.format("spin", 30, 12, "2022-04-01", "s") * 2, r"spin has 2 rules from 2022-04-01"),
        (RULE.format("phq9", 9, 5, "2022-04-01", "s"), r"phq9 has an official rule, which this"),
        (RULE.format("bpi", 9, 5, "2022-04-01", "s"), r"bpi is paired with no problem"),
        (RULE.format("xyz", 9, 5, "2022-04-01", "s"), r"row 1: scale must be one of phq9, gad7"),
        (RULE.format("spin", 69, 5, "2022-04-01", "s"), r"caseness must lie above 0 and not above"),
        (RULE.format("spin", 19, 0, "2022-04-01", "s"), r"reliable_change must be positive"),
        (RULE.format("spin", "'19'", 5, "2022-04-01", "s"), r"row 1: caseness should be a valid"),
        (RULE.format("spin", 19, 5, "2022-04-01", "s, why: x"), r"row 1: why is not a field"),
        ("- 3", r"row 1: should be a valid dictionary or instance of Threshold"),
        ("scale: spin", r"must hold a list of rows, each with scale, caseness, reliable_change"),
        ("[]", r"must hold a list of rows"),
        ("- {", r"is not readable as YAML"),
    ],
)
def test_what_cannot_be_trusted_is_refused(table, text, message):
    with pytest.raises(ParameterError, match=message):
        Thresholds.read(table(text))


def test_every_problem_is_named_at_once(table):
    text = RULE.format("phq9", 9, 5, "2022-04-01", "s") + RULE.format("bpi", 9, 5, "null", "s")
    with pytest.raises(ParameterError, match=r"phq9 has .*; bpi is .*; bpi has no valid_from"):
        Thresholds.read(table(text))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ParameterError, match=r"none\.yaml cannot be read \(No such file"):
        Thresholds.read(tmp_path / "none.yaml")


def test_scales_of_the_data_set():
    # ranges and SNOMED codes as the public definitions of the data set list them
    expected = {
        "phq9": (0, 27, "720433000"),
        "gad7": (0, 21, "445455005"),
        "spin": (0, 68, "445552006"),
        "pcl5": (0, 80, "491581000000104"),
        "mobility_alone": (1, 5, "473355002"),
        "mobility_accompanied": (1, 5, "473354003"),
        "oci": (0, 168, "450324005"),
        "pdss": (0, 28, "450326007"),
        "hai": (0, 54, "446793008"),
        "biq": (0, 72, "1128221000000100"),
        "cfq11": (0, 33, "1077511000000101"),
        "ibs_sss": (0, 500, "1083671000000108"),
        "phq15": (0, 30, "1065441000000103"),
        "pswq": (16, 80, "446517006"),
    }
    for code, (low, high, snomed) in expected.items():
        scale = SCALES[code]
        assert (scale.low, scale.high, scale.snomed) == (low, high, snomed)
        assert scale.higher_is_worse
        assert scale.source
    assert (SCALES["wsas"].low, SCALES["wsas"].high) == (0, 40)


def test_a_site_brings_its_own_scales(table):
    text = "- {code: goals, name: goals, low: 0, high: 10, higher_is_worse: false, source: manual}"
    (scale,) = Scale.read(table(text))
    assert (scale.code, scale.low, scale.high, scale.higher_is_worse) == ("goals", 0, 10, False)
    with pytest.raises(ParameterError, match=r"row 1: low must be below high"):
        Scale.read(table(text.replace("high: 10", "high: 0")))
    with pytest.raises(ParameterError, match=r"row 1: code and source must not be empty"):
        Scale.read(table(text.replace("manual", "' '")))
