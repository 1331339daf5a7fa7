"""Figures by group: labels of all years in the same words, and what each rate is made of."""

import polars as pl
import pytest

from iesoresearch.data import codes, published
from iesoresearch.data.published import grouped, labels
from iesoresearch.errors import DataError
from iesoresearch.measures.outcomes import percentages_from_counts
from iesoresearch.params import Settings

PACKAGED = grouped.packaged()
CELLS = grouped.cells(PACKAGED)
YEARS = [f"20{y}-{y + 1}" for y in range(17, 24)]
KEYS = ["period", "org", "breakdown", "group", "measure"]


def cell(period, breakdown, group, measure="recovery"):
    where = {"period": period, "breakdown": breakdown, "group": group, "measure": measure}
    return CELLS.filter(**where).row(0, named=True)


def long_file(name):
    for folder in Settings.from_environment().search_path:
        for path in (folder / name, *folder.glob(f"*/{name}")):
            if path.is_file():
                return path
    return pytest.skip(f"{name} is in no folder of IESORESEARCH_DATA")


def read_frame(*rows):
    """Figures as `published.read` gives them: breakdown, group, measure, statistic, value."""
    return pl.DataFrame(
        [("2025-26", "England", *row, "annual report") for row in rows],
        schema=published.COLUMNS,
        orient="row",
    )


# The table in the package


def test_printed_percentages_follow_from_the_counts_to_the_digit():
    """NHS England prints one decimal; 2,449 cells, 385 + 560 + 80 of them of the inequalities."""
    done = percentages_from_counts(PACKAGED).drop_nulls("percentage")
    stated = PACKAGED.filter(statistic="percentage").rename({"value": "stated"})
    both = stated.join(done, on=KEYS)
    assert both.height == 2449
    assert both.filter(pl.col("stated") != pl.col("percentage")).height == 0
    counted = dict(both["breakdown"].value_counts().iter_rows())
    known = {"deprivation decile": 385, "ethnicity": 560, "orientation": 80}
    assert {name: counted[name] for name in known} == known


def test_figures_that_were_printed_elsewhere():
    """Of facts about 2024-25, and a press report on 2021-22: 51 % and, corrected, 43 %."""
    assert cell("2024-25", "ethnicity", "J")["stated"] == 40.2
    for group, printed in (("A", 51), ("J", 43)):
        row = cell("2021-22", "ethnicity", group)
        assert round(100 * row["events"] / row["n"]) == printed


@pytest.mark.parametrize("breakdown", ["age", "deprivation decile", "gender", "religion"])
def test_groups_that_count_everybody_once_add_up(breakdown):
    whole = CELLS.filter(breakdown="total", measure="recovery").select("period", total="finished")
    parts = CELLS.filter(breakdown=breakdown, measure="recovery", made_of="counts")
    summed = parts.group_by("period").agg(pl.col("finished").sum()).join(whole, on="period")
    assert summed.height == 7
    assert (summed["finished"] == summed["total"]).all()


def test_ethnicities_add_up_to_their_groups_in_every_year():
    for year in YEARS:
        for group in {g for g, _ in codes.ETHNICITIES.values()} - {"Not known"}:
            members = [code for code, (name, _) in codes.ETHNICITIES.items() if name == group]
            parts = [cell(year, "ethnicity", code)["events"] for code in members]
            assert sum(parts) == cell(year, "ethnic group", group)["events"]


def test_the_package_holds_what_was_published():
    path = long_file("measures_england_region_2017_2024.parquet")
    theirs = grouped.harmonised(published.read(path)).filter(org="England")
    ours = PACKAGED.filter(pl.col("period") < "2024-25")
    assert ours.height > 6000
    columns = [c for c in ours.columns if c != "source"]
    assert ours.select(columns).sort(columns).equals(theirs.select(columns).sort(columns))


# Labels


def test_deprivation_is_read_from_whichever_end_its_label_counts():
    for label, decile in codes.PUBLISHED_DECILES.items():
        assert labels.named("deprivation decile", label, None)[1] == str(decile)
    reversed_labels = [
        "01 Most deprived",
        "02 More deprived",
        "9 Less deprived",
        "10 Least deprived",
    ]
    found = [labels.named("deprivation decile", label, None)[1] for label in reversed_labels]
    assert found == ["1", "2", "9", "10"]


@pytest.mark.parametrize("label", ["1", "01", "11 Most deprived", "05 Least deprived", "00"])
def test_a_decile_that_does_not_say_its_end_is_not_known(label):
    assert labels.named("deprivation decile", label, None) is None


def test_disabilities_are_read_from_code_and_label_together():
    assert labels.named("disability", "NN No Disability", None)[1] == "none"
    assert labels.named("disability", "XX Other", None)[1] == "other"
    assert labels.named("disability", "XX No Disability", None) is None
    assert labels.named("disability", "NN Other", None) is None


@pytest.mark.parametrize(
    ("breakdown", "spellings", "group"),
    [
        ("ethnic group", [("White", "Any Other White Background")] * 2, ("ethnicity", "C")),
        ("ethnic group", [("White", "Any other White background")], ("ethnicity", "C")),
        ("ethnic group", [("White", "All"), ("White", None)], ("ethnic group", "White")),
        ("orientation", [("Bi-sexual", None), ("bisexual ", None)], ("orientation", "bisexual")),
        ("religion", [("Baha`i", None), ("BAHA'I", None)], ("religion", "Baha'i")),
        ("long-term condition", [("Long term condition", "All")], ("long-term condition", "yes")),
        ("age", [("26 to 64", None)], ("age", "26-64")),
    ],
)
def test_spellings_of_a_group_are_one_group(breakdown, spellings, group):
    assert {labels.named(breakdown, *pair) for pair in spellings} == {group}


def test_a_file_with_reversed_labels_gives_the_same_figures():
    ends = {"01 Least deprived": 10.0, "10 Most deprived": 1.0}
    turned = {"10 Least deprived": 10.0, "01 Most deprived": 1.0}
    decile = "indices of deprivation decile"
    files = [
        read_frame(*((decile, label, "finished", "count", n) for label, n in names.items()))
        for names in (ends, turned)
    ]
    first, second = (grouped.harmonised(f).sort("group") for f in files)
    assert first.equals(second)
    assert (first["group"].cast(pl.Float64) == first["value"]).all()


# What cannot be


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            [("total", "all", "finished", "count", 5.0)],
            "none by group of patients.* variable_type and variable_a .* absent, empty or the same",
        ),
        (
            [("ethnic group", "Martian / All", "finished", "count", 5.0)],
            r"knows the label\(s\) 'Martian / All \(ethnic group\)'",
        ),
        (
            [("indices of deprivation decile", "3", "finished", "count", 5.0)],
            "Deprivation is read from labels that say which end",
        ),
        (
            [("imd quintile", "Quintile 1", "finished", "count", 5.0)],
            r"breakdown\(s\) 'imd quintile'. Known are total, ethnic group",
        ),
        (
            [("gender", "Male", "finished", "count", 5.5)],
            "the count 5.5 cannot be .finished, gender male, 2025-26",
        ),
        (
            [("gender", "Male", "recovery", "percentage", 120.0)],
            "the percentage 120 cannot be .recovery, gender male",
        ),
        (
            [
                ("indices of deprivation decile", "01 Least deprived", "finished", "count", 5.0),
                ("indices of deprivation decile", "10 Least deprived", "finished", "count", 6.0),
            ],
            "counted from both ends, '01 Least deprived' from the least .*'10 Least deprived' from",
        ),
        (
            [
                ("indices of deprivation decile", "01 Most deprived", "finished", "count", 5.0),
                ("indices of deprivation decile", "02 Less deprived", "finished", "count", 6.0),
            ],
            "of 2025-26: deprivation is counted from both ends, '02 Less deprived' from",
        ),
        (
            [
                ("gender", "Male", "finished", "count", 5.0),
                ("gender", "Male", "finished", "count", 6.0),
            ],
            "is there with different values",
        ),
        (
            [
                ("gender", "Male", "recovery", "percentage", 0.508),
                ("gender", "Female", "recovery", "percentage", 0.49),
            ],
            "none of 2 percentages is above 1, so they are shares",
        ),
    ],
)
def test_bad_figures_are_refused_by_name(rows, message):
    with pytest.raises(DataError, match=message):
        grouped.harmonised(read_frame(*rows))


def test_more_who_recovered_than_finished_is_refused():
    rows = [("finished", 10.0), ("not at caseness", 4.0), ("recovery", 7.0)]
    frame = read_frame(*(("gender", "Male", m, "count", n) for m, n in rows))
    with pytest.raises(DataError, match=r"more courses with recovery than courses \(gender male"):
        grouped.cells(grouped.harmonised(frame))


def written(tmp_path, content, name="long.csv"):
    path = tmp_path / name
    header = (
        "reporting_period,org_type,org_code,org_name,variable_type,variable_a,variable_b,"
        "measure_name,measure_statistic,value\n"
    )
    path.write_text(header + content, encoding="utf-8")
    return path


def test_a_long_file_may_be_csv_and_suppressed_cells_are_left_out(tmp_path):
    start = "2025-26,Provider,X1,A TRUST,Gender,"
    rows = [f"{start}{g},NULL,recovery,count,{v}" for g, v in (("Male", 35), ("Female", "*"))]
    path = written(tmp_path, "\n".join([*rows, f"{start}Indeterminate,NULL,recovery,count,-"]))
    (row,) = published.read(path).rows()
    assert row == ("2025-26", "X1", "gender", "Male", "recovery", "count", 35.0, "annual report")
    assert published.organisations(path).rows() == [("X1", "Provider", "A TRUST")]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("2025-26,England,All,All,Gender,Male,NULL,recovery,count,many", "value holds 'many'"),
        ("2025-26,England,All,All,Gender,Male,NULL,cure,count,3", r"knows the measure\(s\) 'cure'"),
        ("2025,England,All,All,Gender,Male,NULL,recovery,count,3", "'2025' in reporting_period"),
    ],
)
def test_a_long_file_with_something_else_in_it_is_refused(tmp_path, row, message):
    with pytest.raises(DataError, match=message):
        published.read(written(tmp_path, row))


def test_a_long_file_without_a_column_of_groups_is_refused(tmp_path):
    path = written(tmp_path, "2025-26,England,All,All,Gender,Male,NULL,recovery,count,3")
    pl.read_csv(path).drop("variable_a").write_csv(path)
    with pytest.raises(DataError, match="not a long file of published figures: variable_a are abs"):
        published.read(path)
    pl.read_csv(path).drop("org_name").write_csv(path)
    with pytest.raises(DataError, match="org_name is absent"):
        published.organisations(path)


# What a rate is made of


def test_recovery_is_of_those_not_known_to_be_below_caseness():
    """England 2023-24: 671,648 finished, 37,164 of them not at caseness, printed as 50.1 %."""
    row = cell("2023-24", "total", "all")
    assert row["n"] == 671_648 - 37_164
    assert row["made_of"] == "counts"
    assert round(100 * row["events"] / row["n"], 1) == row["stated"] == 50.1
    assert cell("2023-24", "total", "all", "reliable improvement")["n"] == 671_648


def test_a_percentage_alone_gives_no_denominator_of_recovery():
    row = cell("2024-25", "ethnicity", "J")
    assert (row["n"], row["events"], row["made_of"]) == (None, None, "percentage")
    worse = cell("2024-25", "ethnicity", "J", "reliable deterioration")
    assert worse["n"] == 13_592  # all finished courses are published
    assert worse["events"] == pytest.approx(0.083 * 13_592)
    assert worse["events_error"] == pytest.approx(0.0005 * 13_592)


def test_rounded_counts_and_suppressed_ones_carry_their_error():
    rows = [("finished", 100.0), ("recovery", 45.0), ("improvement", 60.0)]
    others = [("gender", "Female", "not at caseness", "count", 10.0)]
    frame = read_frame(*others, *(("gender", "Male", m, "count", n) for m, n in rows))
    frame = frame.with_columns(
        org=pl.lit("X1"),
        measure=pl.col("measure").replace("improvement", "reliable improvement"),
    )
    cells = grouped.cells(grouped.harmonised(frame)).filter(group="male")
    done = {r["measure"]: r for r in cells.to_dicts()}
    # not at caseness is below 5, so 2 give or take 2; and the finished ones are rounded
    assert (done["recovery"]["n"], done["recovery"]["n_error"]) == (98.0, 4.0)
    improved = done["reliable improvement"]
    assert (improved["n"], improved["n_error"], improved["events_error"]) == (100.0, 2.0, 2.0)
    assert done["reliable deterioration"]["made_of"] == "neither"
    alone = grouped.cells(grouped.harmonised(frame.filter(group="Male")))
    assert alone.filter(measure="recovery")["n"].to_list() == [None]  # published of nobody


@pytest.mark.parametrize(
    ("recovered", "printed", "n", "error"),
    [
        (310.0, 100.0, 310.0, 6.0),  # as one provider of 2023-24: nobody can be below caseness
        (155.0, 50.0, 309.0, 5.0),  # 0 to 3 agree: 155 of 306 would print as 51
        (305.0, 100.0, 306.0, 6.0),  # 4 or 5 fewer than finished would, and 5 is not suppressed
        (155.0, None, 308.0, 4.0),
    ],
)
def test_a_suppressed_denominator_agrees_with_the_printed_percentage(recovered, printed, n, error):
    rows = [
        ("gender", "Female", "not at caseness", "count", 10.0),
        ("gender", "Male", "finished", "count", 310.0),
        ("gender", "Male", "recovery", "count", recovered),
    ]
    if printed is not None:
        rows.append(("gender", "Male", "recovery", "percentage", printed))
    frame = read_frame(*rows).with_columns(org=pl.lit("X1"))
    cells = grouped.cells(grouped.harmonised(frame)).filter(group="male", measure="recovery")
    assert cells.select("n", "n_error").row(0) == (n, error)


def test_counts_of_england_are_exact_and_those_of_providers_are_rounded():
    assert CELLS["n_error"].drop_nulls().max() == 0
    path = long_file("measures_provider_2017_2024.parquet")
    year = published.read(path).filter(period="2019-20")
    cells = grouped.cells(grouped.harmonised(year))
    assert cells["n_error"].drop_nulls().is_in([2.0, 4.0, 5.0, 6.0]).all()
