"""The official statistics reproduced: every published percentage from the published counts."""

from pathlib import Path

import polars as pl
import pytest

from iesoresearch.data import codes, published
from iesoresearch.errors import DataError
from iesoresearch.measures.outcomes import percentages_from_counts
from iesoresearch.measures.problems import PROBLEMS
from iesoresearch.params import Settings

KEYS = ["period", "org", "breakdown", "group", "measure"]
FIGURES = published.load()
YEARS = [f"20{y}-{y + 1}" for y in range(17, 25)]
MEASURES = ["recovery", "reliable recovery", "reliable improvement", "reliable deterioration"]


def long_file(name):
    """A long file in a folder of IESORESEARCH_DATA, or one level below."""
    for folder in Settings.from_environment().search_path:
        for path in (folder / name, *folder.glob(f"*/{name}")):
            if path.is_file():
                return published.read(path)
    pytest.skip(f"{name} is in no folder of IESORESEARCH_DATA")


def beside(frame):
    """Published percentages beside those from the counts."""
    shown = frame.filter(statistic="percentage").rename({"value": "published"}).drop("source")
    done = shown.join(percentages_from_counts(frame), on=KEYS, how="left")
    assert done.height == shown.height > 0
    return done


def figure(measure, statistic, period="2024-25", org="England", breakdown="total", group="all"):
    where = {"period": period, "org": org, "breakdown": breakdown, "group": group}
    found = FIGURES.filter(**where, measure=measure, statistic=statistic)
    assert found.height == 1
    return found["value"][0]


def test_the_table_is_tidy():
    assert FIGURES.columns == list(published.COLUMNS)
    assert not FIGURES.select(*KEYS, "statistic").is_duplicated().any()
    assert sum(FIGURES.null_count().row(0)) == 0
    assert set(FIGURES["source"]) == set(published.SOURCES)
    shares = FIGURES.filter(pl.col("statistic").str.contains("percentage"))
    assert shares["value"].is_between(0, 100).all()
    counts = FIGURES.filter(pl.col("statistic").str.starts_with("count"))["value"]
    assert (counts == counts.round()).all()


def test_groups_are_named_as_in_the_code_lists():
    known = {
        "gender": codes.GENDERS,
        "age": codes.AGE_BANDS,
        "ethnicity": codes.ETHNICITIES,
        "ethnic group": {group for group, _ in codes.ETHNICITIES.values()},
        "orientation": codes.ORIENTATIONS,
        "problem": {*PROBLEMS, "any with a measure of its own"},
        "long-term condition": codes.YES_NO,
        "therapy": codes.THERAPY_NAMES,
        "deprivation decile": {*map(str, range(1, 11)), "not known"},
    }
    for breakdown, names in known.items():
        groups = set(FIGURES.filter(breakdown=breakdown)["group"])
        assert groups
        assert groups <= set(names), breakdown


@pytest.mark.parametrize(
    "breakdown", ["age", "ethnic group", "orientation", "first wait", "second wait"]
)
def test_groups_add_up_to_the_whole(breakdown):
    parts = FIGURES.filter(
        period="2024-25", org="England", breakdown=breakdown, measure="finished", statistic="count"
    )
    assert parts["value"].sum() == 670_419


@pytest.mark.parametrize("group", ["White", "Asian or Asian British", "Black or Black British"])
def test_ethnic_categories_add_up_to_their_group(group):
    members = [code for code, (name, _) in codes.ETHNICITIES.items() if name == group]
    parts = FIGURES.filter(
        pl.col("group").is_in(members), period="2024-25", org="England", measure="finished"
    )
    total = figure("finished", "count", breakdown="ethnic group", group=group)
    assert parts.height == len(members)
    assert parts["value"].sum() == total


def test_england_by_year_and_by_deprivation_from_counts():
    england = FIGURES.filter(
        pl.col("breakdown").is_in(["total", "deprivation decile"]),
        org="England",
    )
    done = beside(england).filter(pl.col("percentage").is_not_null())
    # eight years, seven of them with deciles and "not known"; 2024-25 has no count of deterioration
    assert done.height == 7 * 12 * 5 + 4
    assert done.filter(pl.col("published") != pl.col("percentage")).height == 0


def test_the_year_2024_25_by_hand():
    """321,061 / (670,419 - 35,234) = 50.546 %, and dividing by those at caseness is wrong."""
    done = percentages_from_counts(FIGURES.filter(period="2024-25", org="England"), decimals=2)
    values = dict(
        done.filter(breakdown="total").select("measure", "percentage").drop_nulls().iter_rows()
    )
    assert values == {
        "recovery": 50.55,
        "reliable recovery": 47.52,
        "reliable improvement": 67.46,
        "no reliable change": 25.43,
    }
    at_caseness = figure("at caseness", "count")
    recovered = figure("recovery", "count")
    assert round(100 * recovered / at_caseness, 2) == 50.62
    assert figure("recovery", "percentage") == 50.5
    neither = figure("finished", "count") - at_caseness - figure("not at caseness", "count")
    assert neither == 937  # and yet they are in the denominator
    assert recovered - figure("reliable recovery", "count") == 19_246


def test_shares_of_waits_are_of_all_finished_courses():
    finished = figure("finished", "count")
    for measure in ("wait <= 6 weeks", "wait <= 18 weeks", "second wait > 90 days"):
        share = 100 * figure(measure, "count") / finished
        assert abs(share - figure(measure, "percentage")) <= 0.05


def interval(row):
    """What a whole percentage can be if counts are rounded to 5 and those below 5 are left out."""

    def between(count):
        return (0, 4) if count is None else (max(count - 2, 0), count + 2)

    top, whole = between(row["numerator"]), between(row["finished"])
    off = (0, 0) if "recovery" not in row["measure"] else between(row["not at caseness"])
    lowest, highest = whole[0] - off[1], whole[1] - off[0]
    return 100 * top[0] / highest - 0.5, 100 * top[1] / max(lowest, 1) + 0.5


def outside_their_interval(frame):
    about = ["period", "org", "breakdown", "group"]
    counts = frame.filter(statistic="count")
    for measure in ("finished", "not at caseness"):
        column = counts.filter(measure=measure).select(*about, pl.col("value").alias(measure))
        frame = frame.join(column, on=about, how="left")
    numerators = counts.select(*KEYS, numerator="value")
    rows = frame.filter(statistic="percentage").join(numerators, on=KEYS, how="left")
    wrong = 0
    for row in rows.iter_rows(named=True):
        low, high = interval(row)
        wrong += not low <= row["value"] <= high
    return rows.height, wrong


def test_the_series_of_ieso_is_what_rounding_allows():
    series = FIGURES.filter(
        pl.col("period") < "2024-25", org=published.IESO, breakdown="total", source="annual report"
    )
    assert outside_their_interval(series) == (7 * 5, 0)
    # with the other denominator it would not be
    moved = series.with_columns(
        value=pl.when(pl.col("measure") == "not at caseness").then(0).otherwise("value")
    )
    assert outside_their_interval(moved)[1] > 0


def test_every_england_cell_of_seven_years():
    england = long_file("measures_england_region_2017_2024.parquet").filter(org="England")
    done = beside(england)
    cells = done.select("period", "breakdown", "group").unique()
    assert (cells.height, done.height) == (676, 676 * 5)
    assert done.filter((pl.col("published") - pl.col("percentage")).abs() > 0.05).height == 0
    # not only within 0.05: the same to the digit, the five ties among them too
    assert done.filter(pl.col("published") != pl.col("percentage")).height == 0
    twice = 2 * pl.col("denominator")
    assert done.filter(2000 * pl.col("numerator") % twice == pl.col("denominator")).height == 5


def test_the_committed_table_is_what_was_published():
    long = long_file("measures_england_region_2017_2024.parquet").filter(org="England")
    providers = long_file("measures_provider_2017_2024.parquet").filter(org=published.IESO)
    decile = "indices of deprivation decile"
    deciles = {label: str(n) for label, n in codes.PUBLISHED_DECILES.items()}
    ours = FIGURES.filter(pl.col("breakdown").is_in(["total", "deprivation decile"]))
    ours = ours.filter(pl.col("period").is_in(YEARS[:7])).drop("source")
    theirs = pl.concat([long, providers.filter(breakdown="total")]).drop("source")
    theirs = theirs.filter(pl.col("breakdown").is_in(["total", decile])).with_columns(
        pl.col("breakdown").replace(decile, "deprivation decile"),
        pl.col("group").replace(deciles | {"Not stated/Not known/Invalid": "not known"}),
    )
    assert ours.height > 1000
    assert ours.sort(pl.all()).equals(theirs.select(ours.columns).sort(pl.all()))


def test_every_cell_of_ieso_is_what_rounding_allows():
    cells = long_file("measures_provider_2017_2024.parquet").filter(org=published.IESO)
    n, wrong = outside_their_interval(cells)
    assert n > 1500
    assert wrong == 0


def test_outcomes_by_therapy_are_read():
    frame = long_file("proms_england_region_2019_2024.parquet").filter(org="England")
    cbt = frame.filter(group="Total / Cognitive Behaviour Therapy (CBT)", period="2023-24")
    values = {(m, s): v for m, s, v in cbt.select("measure", "statistic", "value").iter_rows()}
    fall = values["phq9 first", "mean"] - values["phq9 last", "mean"]
    assert values["phq9", "effect size"] == pytest.approx(
        fall / values["phq9 first", "sd"], abs=0.1
    )


def written(tmp_path, **changes):
    row = {
        "reporting_period": "2023-24",
        "org_type": "Provider",
        "org_code": "X1",
        "variable_type": "Ethnic Group",
        "variable_a": "White",
        "variable_b": "Irish",
        "measure_name": "recovery",
        "measure_statistic": "percentage",
        "value": 50.0,
    } | changes
    path = tmp_path / "long.parquet"
    pl.DataFrame([row]).write_parquet(path)
    return path


def test_long_files_are_put_in_our_words(tmp_path):
    (row,) = published.read(written(tmp_path)).rows()
    assert row[:5] == ("2023-24", "X1", "ethnic group", "White / Irish", "recovery")
    assert row[5:] == ("percentage", 50.0, "annual report")
    plain = {"variable_a": "NULL", "variable_b": "NULL", "org_type": "England", "org_code": "All"}
    assert published.read(written(tmp_path, **plain)).row(0)[1:4] == (
        "England",
        "ethnic group",
        "all",
    )
    assert published.read(written(tmp_path, value=float("nan"))).is_empty()  # suppressed
    prom = {"variable_type": "PROMs", "measure_name": "gad", "measure_time": "end"}
    row = published.read(written(tmp_path, **prom)).row(0, named=True)
    assert (row["measure"], row["source"]) == ("gad7 last", "outcomes by therapy")


def test_other_files_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"none\.parquet cannot be read as Parquet"):
        published.read(tmp_path / "none.parquet")
    text = tmp_path / "text.parquet"
    text.write_text("no table")
    with pytest.raises(DataError, match=r"text\.parquet cannot be read as Parquet"):
        published.read(text)
    other = tmp_path / "other.parquet"
    pl.DataFrame({"value": [1.0], "org_type": ["England"]}).write_parquet(other)
    with pytest.raises(DataError, match=r"is not a long file .*: reporting_period, org_code"):
        published.read(other)


def test_the_table_lies_in_the_package():
    assert (Path(published.__file__).parent / "figures.csv").is_file()
    assert published.ATTRIBUTION in published.__doc__.replace("\n", " ")
