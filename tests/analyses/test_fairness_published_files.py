"""`fairness_published` on long files: a drawn one, bad ones, and those of NHS England if here."""

import numpy as np
import polars as pl
import pytest

from iesoresearch import analyses, figures
from iesoresearch.analyses.fairness_published import places, study
from iesoresearch.data import published
from iesoresearch.data.published import grouped
from iesoresearch.disclosure import Policy, release
from iesoresearch.errors import DataError
from iesoresearch.params import Settings
from iesoresearch.seeds import rng

analysis = analyses.get("fairness_published")
YEAR = "2025-26"
COLUMNS = (
    *("reporting_period", "org_type", "org_code", "org_name", "variable_type", "variable_a"),
    *("variable_b", "measure_name", "measure_statistic", "value"),
)
DECILES = (
    *("01 Least", "02 Less", "03 Less", "04 Less", "05 Less"),
    *("06 More", "07 More", "08 More", "09 More", "10 Most"),
)
#: Breakdown -> groups with the share of referrals and of recovery: as labels of a year have them.
GROUPS = {
    "Total": {("NULL", "NULL"): (1.0, 0.50)},
    "Ethnic Group": {
        ("White", "All"): (0.8, 0.52),
        ("White", "British"): (0.7, 0.52),
        ("White", "Irish"): (0.1, 0.52),
        ("Asian or Asian British", "All"): (0.2, 0.44),
        ("Asian or Asian British", "Pakistani"): (0.2, 0.44),
    },
    "Gender": {("Female", "NULL"): (0.6, 0.5), ("Male", "NULL"): (0.4, 0.5)},
    "Indices of Deprivation Decile": {
        (f"{label} deprived", "NULL"): (0.1, 0.56 - 0.014 * i) for i, label in enumerate(DECILES)
    },
    "Waiting Time": {("First treatment", "<6 weeks"): (0.9, 0.5)},
}
ENGLAND = ("England", "All", "All")


def drawn(org=ENGLAND, n=20_000, groups=GROUPS, rounded=False, boost=0.0, year=YEAR):
    """Long rows of one organisation, with percentages as the annual reports print them."""
    rows = []
    for breakdown, members in groups.items():
        for (first, second), (share, recovery) in members.items():
            about = (year, *org, breakdown, first, second)
            rows += [(*about, *cell) for cell in figures_of(share * n, recovery + boost, rounded)]
    return pl.DataFrame(rows, schema=COLUMNS, orient="row")


def figures_of(referrals, recovery, rounded):
    finished = round(0.4 * referrals)
    below = round(0.06 * finished)
    of = {"reliable_recovery": 0.94, "recovery": 1.0}
    counts = {name: round(part * recovery * (finished - below)) for name, part in of.items()}
    counts |= {"improvement": round(0.67 * finished), "deterioration": round(0.06 * finished)}
    counts["no_reliable_change"] = finished - counts["improvement"] - counts["deterioration"]
    plain = {
        "referrals_received": round(referrals),
        "finished_course_treatment": finished,
        "at_caseness": finished - below,
        "not_at_caseness": below,
    }
    for name, count in (plain | counts).items():
        shown = 5 * round(count / 5) if rounded else count
        yield name, "count", float(shown)
    for name, count in counts.items():
        whole = finished - below if "recovery" in name else finished
        yield name, "percentage", round(100 * count / whole, 0 if rounded else 1)


def providers(k=14):
    shift = rng(1, "providers").normal(0, 0.04, k)
    orgs = [("Provider", f"X{i:02d}", f"TRUST {i}") for i in range(k)]
    parts = [
        drawn(org, 2000 + 300 * i, rounded=True, boost=float(shift[i]))
        for i, org in enumerate(orgs)
    ]
    region = drawn(
        ("Commissioning Region", "Y56", "LONDON COMMISSIONING REGION"), 9000, rounded=True
    )
    return pl.concat([*parts, region])


@pytest.fixture
def run(tmp_path):
    def computed(*frames, suffix="parquet", **changes):
        names = []
        for i, frame in enumerate(frames):
            names.append(f"long{i}.{suffix}")
            path = tmp_path / names[-1]
            frame.write_csv(path) if suffix == "csv" else frame.write_parquet(path)
        params = analysis.Params.check({"figures": names} | changes, "test")
        settings = Settings((tmp_path,))
        assert analysis.fingerprint(params, settings)
        loaded = study.load(params, settings)
        return loaded, release(study.run(loaded, params), Policy())

    return computed


def statuses(result):
    return {check.name: check.status for check in result.checks}


def without(frame, **where):
    same = pl.all_horizontal(pl.col(name) == value for name, value in where.items())
    return frame.filter(~same)


# A file of another year


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_another_years_file_of_the_same_form(run, suffix):
    found, result = run(drawn(), suffix=suffix)
    assert found.year == YEAR
    gap = result.tables["gaps"].frame.filter(level="Pakistani").row(0, named=True)
    assert gap["gap"] == pytest.approx(-8, abs=0.05)
    # 0.014 a tenth, over ten tenths
    assert result.numbers["sii_last"].value == pytest.approx(-14, abs=0.1)
    assert set(statuses(result).values()) <= {"passed", "not applicable"}
    assert "Disability" in found.left_out
    assert set(result.figures) == {"gaps", "deprivation", "stages", "trends"}


def test_one_file_may_be_named_by_its_path(run, tmp_path):
    run(drawn())
    path = tmp_path / "long0.parquet"
    params = analysis.Params.check({"figures": str(path)}, "test")
    assert study.load(params, Settings()).year == YEAR
    with pytest.raises(DataError, match=r"No folder with other\.parquet was found"):
        study.load(analysis.Params.check({"figures": "other.parquet"}, "test"), Settings())


def test_years_with_renamed_categories_are_one_series(run):
    earlier = drawn(year="2024-25").with_columns(
        pl.col("variable_a").replace({"Female": "FEMALE ", "White": "white"})
    )
    _, result = run(drawn(), earlier)
    changes = result.tables["changes"].frame
    assert changes.filter(level="male")["years"].to_list() == ["2024-25 to 2025-26"]
    assert changes.filter(level="Pakistani")["change"].to_list() == pytest.approx([0.0])
    with pytest.raises(DataError, match=r"knows the label\(s\) 'Woman \(gender\)'"):
        run(drawn().with_columns(pl.col("variable_a").replace("Female", "Woman")))


# Regions and providers


def test_providers_and_regions_have_their_tables(run):
    found, result = run(drawn(), providers())
    assert not {"regions", "providers", "funnels", "funnel"} & set(result.not_applicable)
    funnels = result.tables["funnels"].frame
    assert funnels.filter(level="everybody")["providers"].to_list() == [14]
    # planted: a standard deviation of 4 points between providers
    spread = funnels.filter(level="everybody")["spread"].item()
    assert 2 < spread < 6
    assert set(funnels["grouping"]) > {"everybody", "Gender", "Deprivation"}
    region = result.tables["regions"].frame
    assert set(region["region"]) == {"London"}
    status = statuses(result)
    assert status["percentages of regions and providers are what rounding allows"] == "passed"
    assert "rounded to 5" in result.text["reading"]
    figures.draw(result, "funnel", "fairness_published").canvas.draw()
    everybody = places.providers(found, "recovery").filter(breakdown="total")
    assert (everybody["n_error"] == 4).all()


def test_few_providers_make_no_funnel(run):
    _, result = run(drawn(), providers(4))
    assert {"providers", "funnels", "funnel"} <= set(result.not_applicable)


# What is lacking


def test_a_grouping_with_one_group_is_left_out_with_its_reason(run):
    found, _ = run(without(drawn(), variable_a="Male"))
    assert found.left_out["Gender"].startswith("only one group is published")
    _, result = run(without(drawn(), variable_a="Male"))
    assert "Gender: left out, only one group" in result.not_applicable["grouping Gender"]


def test_nothing_to_compare_is_refused(run):
    with pytest.raises(DataError, match="there are none by group of patients"):
        run(drawn(groups={"Total": GROUPS["Total"]}))
    one = {"Total": GROUPS["Total"], "Gender": {("Male", "NULL"): (1.0, 0.5)}}
    with pytest.raises(DataError, match=r"no grouping can be compared.*Gender: only one group"):
        run(drawn(groups=one))


def test_figures_without_england_are_refused(run):
    with pytest.raises(DataError, match=r"there are none of England.*beside that of regions"):
        run(providers(2))


def test_a_group_with_nobody_who_recovered_has_a_rate_of_zero(run):
    groups = GROUPS | {"Gender": {("Female", "NULL"): (0.99, 0.5), ("Male", "NULL"): (0.01, 0.0)}}
    _, result = run(drawn(groups=groups))
    male = result.tables["gaps"].frame.filter(level="male").row(0, named=True)
    assert (male["rate"], male["rate_low"], male["ratio"], male["ratio_low"]) == (0, 0, 0, 0)
    assert 0 < male["rate_high"] < 10
    assert male["gap"] == pytest.approx(-50, abs=0.1)
    assert male["gap_low"] < male["gap"] < male["gap_high"]
    # the ratio to a group of whom nobody recovered cannot be had
    _, turned = run(drawn(groups=groups), reference=["Gender=male"])
    female = turned.tables["gaps"].frame.filter(level="female").row(0, named=True)
    assert (female["ratio"], female["ratio_high"]) == (None, None)
    assert female["gap"] == pytest.approx(50, abs=0.1)


def test_groups_that_overlap_are_told_of_and_have_no_shares(run):
    groups = GROUPS | {
        "Long Term Condition Status": {
            ("Long term condition", "NULL"): (0.7, 0.45),
            ("No long term condition", "NULL"): (0.6, 0.55),
        }
    }
    _, result = run(drawn(groups=groups))
    coverage = result.tables["coverage"].frame
    several = coverage.filter(grouping="Long-term condition")["several"].item()
    assert several == pytest.approx(30)
    assert statuses(result)["groups together are everybody, once"] == "inconclusive"
    (sentence,) = [c.sentence for c in result.checks if "everybody, once" in c.name]
    assert "More than one answer is possible for: long-term condition." in sentence


def test_percentages_without_counts_have_no_interval(run):
    counts = pl.col("measure_statistic") == "count"
    kept = pl.col("measure_name").is_in(["finished_course_treatment"])
    _, result = run(drawn().filter(~counts | kept))
    gaps = result.tables["gaps"].frame.filter(level="Pakistani").row(0, named=True)
    assert gaps["gap"] == pytest.approx(-8, abs=0.11)
    assert (gaps["gap_low"], gaps["counted"]) == (None, None)
    harm = result.tables["harm"].frame.filter(level="Pakistani").row(0, named=True)
    assert harm["gap_low"] < harm["gap"] < harm["gap_high"]
    assert "stages" in result.not_applicable


def test_rounded_counts_of_england_are_noticed_and_widen_intervals(run):
    _, exact = run(drawn(n=19_876))
    _, rounded = run(drawn(n=19_876, rounded=True))
    assert statuses(exact)["counts of England are exact"] == "passed"
    assert statuses(rounded)["counts of England are exact"] == "inconclusive"
    width = [
        (f["gap_high"] - f["gap_low"]).item()
        for f in (r.tables["gaps"].frame.filter(level="male") for r in (exact, rounded))
    ]
    assert width[1] > width[0]


def test_suppressed_figures_leave_their_row_empty(run):
    text = drawn().with_columns(pl.col("value").cast(pl.String))
    irish = (pl.col("variable_b") == "Irish") & pl.col("measure_name").str.contains("recovery")
    _, result = run(text.with_columns(value=pl.when(irish).then(pl.lit("*")).otherwise("value")))
    rates = result.tables["rates"].frame.filter(level="White Irish").row(0, named=True)
    assert (rates["recovered"], rates["made_of"]) == (None, "suppressed")
    assert rates["improved"] is not None
    gap = result.tables["gaps"].frame.filter(level="White Irish").row(0, named=True)
    assert (gap["gap"], gap["ratio"]) == (None, None)


def test_suppressed_parents_leave_their_parts(run):
    frame = without(without(drawn(), variable_type="Total"), variable_a="White", variable_b="All")
    found, result = run(frame)
    assert found.left_out["Ethnic group"].startswith("only one group")
    assert result.tables["gaps"].frame.filter(level="Pakistani")["gap"].item() < -7
    assert statuses(result)["groups together are everybody, once"] == "not applicable"
    assert "n_finished" not in result.numbers
    assert result.render(result.text["plain"]).startswith(f"Figures of England in {YEAR}.")


def test_a_reference_that_is_suppressed_gives_way_to_the_largest_group(run):
    found, result = run(without(drawn(), variable_b="British"))
    assert found.reference["ethnicity"] == "J"
    assert result.tables["gaps"].frame.filter(level="White Irish")["compared"].item() == "Pakistani"


def test_labels_of_deprivation_that_are_reversed_are_read_or_noticed(run):
    _, before = run(drawn())
    words = {"Least": "Most", "Less": "More", "More": "Less", "Most": "Least"}
    numbers = [f"{10 - i:02d}" for i in range(10)]
    renamed = {
        f"{label} deprived": f"{numbers[i]} {label.split()[1]} deprived"
        for i, label in enumerate(DECILES)
    }
    _, counted_from_most = run(drawn().with_columns(pl.col("variable_a").replace(renamed)))
    assert counted_from_most.tables["indices"].frame.equals(before.tables["indices"].frame)
    swapped = {
        f"{label} deprived": f"{numbers[i]} {words[label.split()[1]]} deprived"
        for i, label in enumerate(DECILES)
    }
    _, result = run(drawn().with_columns(pl.col("variable_a").replace(swapped)))
    assert statuses(result)["deprivation counts from the end it says"] == "failed"
    assert result.numbers["sii_last"].value == pytest.approx(14, abs=0.1)


def test_percentages_that_do_not_follow_from_the_counts_fail_the_check(run):
    wrong = (pl.col("variable_a") == "Male") & (pl.col("measure_statistic") == "percentage")
    frame = drawn().with_columns(
        value=pl.when(wrong).then(pl.col("value") + 0.2).otherwise("value")
    )
    _, result = run(frame)
    assert statuses(result)["printed percentages of England follow from the counts"] == "failed"
    assert result.numbers["n_printed"].value - result.numbers["n_agree"].value == 5


# The long files of NHS England


LONG = ("measures_england_region_2017_2024.parquet", "measures_provider_2017_2024.parquet")


def long_paths():
    folders = Settings.from_environment().search_path
    places_to_look = [p for f in folders for p in (f, *f.glob("*")) if p.is_dir()]
    for folder in places_to_look:
        if all((folder / name).is_file() for name in LONG):
            return [folder / name for name in LONG]
    return pytest.skip("the long files are in no folder of IESORESEARCH_DATA")


def test_a_real_file_of_another_year_gives_the_gaps_of_the_package(run):
    england, _ = long_paths()
    year = pl.read_parquet(england).with_columns(pl.selectors.categorical().cast(pl.String))
    _, result = run(year.filter(pl.col("reporting_period") == "2019-20"))
    params = analysis.Params.check({"year": "2019-20"}, "test")
    packaged = study.run(study.load(params, Settings()), params)
    for name in ("gaps", "deprivation", "stages", "rates"):
        theirs = result.tables[name].frame.drop("status")
        assert theirs.equals(packaged.tables[name].frame), name
    assert not result.tables["regions"].frame.is_empty()


def test_real_providers_differ_by_more_than_chance(run):
    """Every printed whole percentage of a year can come from counts rounded to 5."""
    england, providers_file = long_paths()
    frames = [
        pl.read_parquet(path)
        .filter(pl.col("reporting_period") == "2023-24")
        .with_columns(pl.selectors.categorical().cast(pl.String))
        for path in (england, providers_file)
    ]
    found, result = run(*frames)
    reproduced = result.tables["reproduced"].frame
    assert (reproduced["printed"] == reproduced["agree"]).all()
    assert reproduced.filter(whose="providers")["printed"].sum() > 20_000
    everybody = result.tables["funnels"].frame.filter(level="everybody").row(0, named=True)
    cells = grouped.cells(found.frame).filter(
        pl.col("org").is_in(found.organisations.filter(kind="Provider")["org"].implode()),
        breakdown="total",
        measure="recovery",
        made_of="counts",
    )
    assert everybody["providers"] == cells.filter(pl.col("n") >= places.FEWEST).height
    whole = found.england.filter(breakdown="total", measure="recovery").row(0, named=True)
    # providers together are England, but for rounding and the ones left out
    assert everybody["target"] == pytest.approx(100 * whole["events"] / whole["n"], abs=0.1)
    assert everybody["phi"] > 5
    assert everybody["exact_outside2"] > everybody["additive_outside2"] > 0
    assert np.isclose(cells["n"].sum(), whole["n"], rtol=0.01)
    assert published.ENGLAND not in found.organisations["org"]
