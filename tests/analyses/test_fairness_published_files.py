"""`fairness_published` on long files: a drawn one, bad ones, and those of NHS England if here."""

import numpy as np
import polars as pl
import pytest

from iesoresearch import analyses, figures
from iesoresearch.analyses.fairness_published import places, study
from iesoresearch.analyses.fairness_published.text import PHI_OF_PROVIDERS
from iesoresearch.data import published
from iesoresearch.data.published import grouped
from iesoresearch.disclosure import Policy, release
from iesoresearch.errors import DataError, NotApplicable
from iesoresearch.models.funnel import funnel
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


def test_long_files_that_are_not_here_are_not_applicable_but_a_wrong_path_is_refused(tmp_path):
    lacking = analysis.Params.check({"figures": ["folder/other.parquet"]}, "test")
    for asked in (study.load, analysis.fingerprint):
        with pytest.raises(NotApplicable, match=r"No folder with folder/other\.parquet was found"):
            asked(lacking, Settings())
    wrong = analysis.Params.check({"figures": str(tmp_path / "other.parquet")}, "test")
    with pytest.raises(DataError, match="cannot be read as Parquet") as refused:
        study.load(wrong, Settings())
    assert not isinstance(refused.value, NotApplicable)


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


def changed(frame, org, **values):
    """With other counts of one organisation as a whole; None: suppressed."""
    own = (pl.col("org_code") == org) & (pl.col("variable_type") == "Total")
    for name, value in values.items():
        one = own & (pl.col("measure_name") == name) & (pl.col("measure_statistic") == "count")
        frame = frame.with_columns(value=pl.when(one).then(pl.lit(value)).otherwise("value"))
    return frame


def test_a_provider_of_whom_all_recover_is_a_question_of_recording(run):
    """As one of 2023-24: 310 finished, all recovered, those below caseness suppressed."""
    _, before = run(drawn(), providers())
    cells = {"finished_course_treatment": 310.0, "recovery": 310.0, "not_at_caseness": None}
    cells |= {"reliable_recovery": 300.0, "improvement": 310.0, "deterioration": None}
    cells |= {"no_reliable_change": None}
    odd = changed(providers(), "X03", **cells)
    _, result = run(drawn(), odd)
    table = result.tables["providers"].frame
    (shown,) = table.filter(place=places.EXTREME).to_dicts()
    assert shown["provider"].startswith("X03")
    assert (shown["rate"], shown["additive_outside"]) == (100, None)
    (everybody,) = result.tables["funnels"].frame.filter(level="everybody").to_dicts()
    cells = before.tables["providers"].frame.filter(pl.col("place") == "provider")
    rest = cells.filter(~pl.col("provider").str.starts_with("X03"))
    expected = (rest["n"] * rest["rate"]).sum() / rest["n"].sum()
    assert everybody["target"] == pytest.approx(expected)
    assert everybody["providers"] == 13
    name = "no provider has an outcome in none or all of its courses"
    assert (statuses(before)[name], statuses(result)[name]) == ("passed", "inconclusive")
    (sentence,) = [c.sentence for c in result.checks if c.name == name]
    assert "With 0 % or 100 %: 1 of 14 providers of 50 courses or more." in result.render(sentence)
    assert "1 with 0 % or 100 %, a question of recording" in result.render(result.text["plain"])
    caption = result.render(result.figures["funnel"].caption)
    assert "14 of 14 providers of 2025-26 are shown" in caption
    assert "Crosses: 1 with 0 % or 100 %" in caption
    figures.draw(result, "funnel", "fairness_published").canvas.draw()


@pytest.mark.parametrize("p", [0.5, 0.3])
def test_rounding_adds_nothing_to_how_far_providers_differ(p):
    """40 providers of 50 to 150 courses that do not differ, 300 times: only chance is left."""
    random = rng(2, "rounding")
    found = {"exact": [], "rounded": [], "less": []}
    for _ in range(300):
        finished, below = random.integers(53, 160, 40), random.integers(0, 10, 40)
        n = finished - below
        events = random.binomial(n, p)
        five = [5.0 * np.round(x / 5) for x in (events, finished, below)]
        of_n = five[1] - five[2]
        rounded = funnel(np.minimum(five[0], of_n), of_n)
        less = places.less_rounding(rounded, np.full(40, 2.0), np.full(40, 4.0))
        for name, one in (("exact", funnel(events, n)), ("rounded", rounded), ("less", less)):
            found[name].append(one.phi)
    means = {name: np.mean(values) for name, values in found.items()}
    assert means["rounded"] > means["exact"] + 0.05
    assert means["less"] == pytest.approx(means["exact"], abs=0.25 * (means["rounded"] - 1))


def test_a_rare_outcome_of_few_courses_has_no_spread(run):
    """Six in a hundred get worse: of 160 courses on average that is ten of a provider."""
    _, result = run(drawn(), providers(), outcome="reliable deterioration")
    rows = {row["level"]: row for row in result.tables["funnels"].frame.to_dicts()}
    assert rows["everybody"]["spread"] is not None
    small = rows["1 (most deprived)"]
    assert (small["phi"], small["spread"], small["additive_outside2"]) == (None, None, None)
    assert small["exact_outside2"] is not None
    assert "less rounding" in result.tables["funnels"].values["spread"].label


def test_few_providers_make_no_funnel(run):
    _, result = run(drawn(), providers(4))
    assert {"providers", "funnels", "funnel"} <= set(result.not_applicable)


# What is lacking


def test_a_grouping_with_one_group_is_left_out_with_its_reason(run):
    found, _ = run(without(drawn(), variable_a="Male"))
    assert found.left_out["Gender"].startswith("only one group is in these files")
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
    # nothing is said of deprivation then
    assert not {"sii_last", "most_gap", "deprivation_gap"} & set(result.numbers)
    assert not {"deprivation", "indices"} & set(result.tables)
    assert "deprivation" not in result.figures
    assert "the labels may be reversed" in result.not_applicable["deprivation"]
    assert "the labels may be reversed" in result.not_applicable["indices"]
    assert "deprived" not in result.render(result.text["plain"])


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
    assert everybody["providers"] == cells.filter(pl.col("n") >= places.FEWEST).height - 1
    phi = [
        places.funnels(found, measure).frame["phi"][0]
        for measure in ("recovery", "reliable recovery", "reliable improvement", study.HARM)
    ]
    assert f"{min(phi):.0f} to {max(phi):.0f}" == PHI_OF_PROVIDERS
    whole = found.england.filter(breakdown="total", measure="recovery").row(0, named=True)
    # providers together are England, but for rounding and the ones left out
    assert everybody["target"] == pytest.approx(100 * whole["events"] / whole["n"], abs=0.1)
    assert everybody["phi"] > 5
    assert result.numbers["funnel_odd"].value == 1  # 310 finished, 310 recovered
    name = "no provider has an outcome in none or all of its courses"
    assert statuses(result)[name] == "inconclusive"
    assert everybody["exact_outside2"] > everybody["additive_outside2"] > 0
    assert np.isclose(cells["n"].sum(), whole["n"], rtol=0.01)
    assert published.ENGLAND not in found.organisations["org"]
