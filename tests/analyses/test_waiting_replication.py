"""`waiting_replication` end to end: published models come out, and what does not is loud.

Numbers are those of the publications, and of the authors' own programs, as they were collected
apart from this package; where a model is made up, they are computed by hand.
"""

import polars as pl
import pytest
import yaml

from iesoresearch import analyses, figures, project
from iesoresearch.analyses.waiting_replication import study, tables
from iesoresearch.analyses.waiting_replication.computed import Computed, Figure
from iesoresearch.disclosure import Policy, release
from iesoresearch.errors import ParameterError
from iesoresearch.models.cases import Row
from iesoresearch.params import Settings

replication = analyses.get("waiting_replication")
SHIPPED = sorted((project.find().params / "cases").glob("*.yaml"))
SICK = "darth_sick_sicker_time_independent"
FREITAG = "freitag2024_diga_depression"

#: Two cycles, half of the well fall ill in each: costs at the start of a cycle 100 × (1 + 0.5), of
#: B 200 more; life years without a treatment 1 + 0.5 well, with B 1 + 1.
MADE_UP = """
format: 1
id: made_up
title: Made up
kind: markov_cohort
source: {note: made up, licence: MIT}
currency: GBP
cycle: 1 year
cycles: 2
states: [well, ill]
start: {well: 1}
count: start
discount: none
parameters: {p: 0.5, price: 0}
transitions:
  well: {well: rest, ill: p}
  ill: stay
rewards:
  cost: {kind: cost, values: {well: 100 + price, ill: price}}
  years: {kind: effect, values: {well: 1, ill: 0}}
strategies:
  A:
  B: {parameters: {p: 0, price: 100}}
expected:
  tolerance: {cost: 0.5, years: 0.005, icer: 0.5}
  totals:
    A: {cost: 150, years: 1.5}
    B: {cost: 400, years: 2}
  incremental:
    B: {versus: A, icer: 500}
  frontier: [A, B]
"""


def made(content, folder, **parameters):
    """The result of a case file with this content."""
    path = folder / "mine.yaml"
    path.write_text(content, encoding="utf-8")
    params = replication.Params.check({"case": str(path)} | parameters, "test")
    return replication.run(replication.load(params, Settings()), params)


def changed(**changes):
    """`MADE_UP` with other sections; None takes one out."""
    content = yaml.safe_load(MADE_UP) | changes
    return yaml.safe_dump({k: v for k, v in content.items() if v is not None})


def rows(table, **where):
    return [row for row in table.frame.to_dicts() if all(row[k] == v for k, v in where.items())]


def said(check, result):
    return result.render(check.sentence)


@pytest.fixture(scope="module")
def data():
    return replication.load(replication.Params(), Settings())


@pytest.fixture(scope="module")
def result(data):
    return replication.run(data, replication.Params())


# The shipped cases


def test_every_shipped_file_is_a_case_of_the_table_and_has_a_check(result):
    contents = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in SHIPPED]
    assert result.tables["cases"].frame["case"].to_list() == [c["id"] for c in contents]
    assert [c.name for c in result.checks] == [f"{c['id']} comes out" for c in contents]
    complete = sum(c.get("complete", True) for c in contents)
    assert result.numbers["n_cases"].value == len(SHIPPED)
    assert result.numbers["n_complete"].value == complete
    assert result.numbers["n_incomplete"].value == len(SHIPPED) - complete


def test_every_figure_of_every_complete_case_comes_out(result):
    cases = {row["case"]: row for row in result.tables["cases"].frame.to_dicts()}
    for check in result.checks:
        case = cases[check.name.removesuffix(" comes out")]
        assert case["agree"] == case["figures"], case["case"]
        if case["complete"] == "yes":
            assert case["figures"] > 0
            assert check.status == "passed", said(check, result)
        else:
            assert check.status == ("inconclusive" if case["figures"] else "not applicable")
    assert result.numbers["n_differ"].value == 0
    assert result.numbers["n_agree"].value == result.numbers["n_figures"].value
    assert sum(case["figures"] for case in cases.values()) == result.numbers["n_figures"].value
    assert set(result.tables["compared"].frame["verdict"]) == {"agrees"}
    assert result.tables["agreement"].frame["ratio"].abs().max() <= 1
    assert "All" in result.render(result.text["plain"])


@pytest.mark.parametrize(
    ("case", "quantity", "expected", "computed"),
    [
        (SICK, "cost of B", "259,100", "259,100.4"),
        (SICK, "icer of AB versus B", "125,764", "125,763.8"),
        (FREITAG, "qaly of future", "2.18367", "2.183672"),
        (FREITAG, "cost of without app", "7,933", "7,932.6"),
        ("dm4hee_antenatal_hiv_tree", "cases of testing", "0.003975", "0.0039750000"),
        ("analytic_voi", "evppi of X1", "395.5931148", "395.593115"),
    ],
)
def test_published_figures_stand_beside_ours(result, case, quantity, expected, computed):
    (row,) = rows(result.tables["compared"], case=case, quantity=quantity)
    assert (row["expected"], row["computed"], row["verdict"]) == (expected, computed, "agrees")


def test_words_are_compared_to_the_letter(result):
    (row,) = rows(result.tables["compared"], case=SICK, quantity="status of A")
    assert row["expected"] == row["computed"] == "dominated"
    assert (row["difference"], row["tolerance"]) == ("", "to the letter")


def test_incomplete_cases_are_listed_with_what_is_missing_and_have_no_results(result):
    lacking = {row["case"] for row in rows(result.tables["missing"])}
    assert lacking == {"baumann2020_icbt", "catarino2023_ieso", "nice_cg113_ccbt_gad"}
    assert not lacking & set(result.tables["results"].frame["case"])
    lacks = " ".join(row["lacks"] for row in rows(result.tables["missing"]))
    assert "Supplementary Tables 8 and 9" in lacks
    for check in result.checks:
        if check.name.split()[0] in lacking:
            assert said(check, result).startswith("It cannot be run. Not found: ")


def test_the_negative_fixture_is_caught(result):
    """The fixture's own list: discount a month, utilities a year, deaths a month."""
    found = rows(result.tables["findings"], role="the mistake it is here for")
    assert {row["case"] for row in found} == {"singh2024_unit_error_fixture"}
    codes = {row["code"] for row in found}
    assert codes >= {"discount-period", "utility-per-cycle", "death-implausible"}
    assert all(row["place"] for row in found)


def test_every_case_says_whose_it_is_and_on_what_terms(result):
    sources = {row["case"]: row for row in rows(result.tables["sources"])}
    assert list(sources) == result.tables["cases"].frame["case"].to_list()
    assert sources[FREITAG]["licence"] == "CC-BY-4.0"
    assert sources[FREITAG]["source"].endswith("(doi:10.1038/s41746-024-01324-0)")
    assert all(row["source"] and row["licence"] for row in sources.values())


def test_inferred_conventions_and_the_misprinted_price_are_said_in_words(result):
    noted = {row["case"]: row["note"] for row in reversed(rows(result.tables["notes"]))}
    assert "found by matching" in noted[FREITAG]
    assert "12,000 for treatment B" in noted[SICK]


def test_one_model_is_shown_step_by_step(result):
    """The trace is that of the tutorial's table; every cycle the shares sum to one."""
    table = result.tables["trace"]
    assert [round(row["share"], 3) for row in rows(table, cycle=5)] == [0.707, 0.206, 0.072, 0.015]
    sums = table.frame.group_by("cycle", maintain_order=True).agg(pl.col("share").sum())
    assert sums["share"].to_list() == pytest.approx([1.0] * 76)
    assert result.numbers["shown"].value == SICK


def test_the_same_model_counted_by_half_cycles_gives_the_recomputed_numbers(result):
    """Recomputed apart from this package, for the option of half cycles."""
    trapezoid = tables.CONVENTIONS["trapezoid"]
    recomputed = {"SoC": (152262, 21.038), "A": (285677, 21.829), "B": (259992, 22.511)}
    for strategy, (cost, effect) in recomputed.items():
        (row,) = rows(result.tables["conventions"], convention=trapezoid, strategy=strategy)
        assert row["cost"] == pytest.approx(cost, abs=0.6)
        assert row["effect"] == pytest.approx(effect, abs=0.0006)
    ways = dict.fromkeys(row["convention"] for row in rows(result.tables["conventions"]))
    assert list(ways) == [tables.CONVENTIONS[w] for w in tables.CONVENTIONS if w != "simpson"]


def test_a_ratio_counted_as_in_the_case_itself_does_not_change(result):
    own = tables.CONVENTIONS["darth_simpson"]
    found = rows(result.tables["icers"], case=SICK, convention=own)
    assert [row["comparison"] for row in found] == ["B beside SoC", "AB beside B"]
    assert [row["change"] for row in found] == [0.0, 0.0]
    moved = max(abs(row["change"]) for row in rows(result.tables["icers"]))
    assert result.numbers["moved_by"].value == moved
    models = set(result.tables["icers"].frame["case"])
    assert "singh2024_unit_error_fixture" not in models


def test_the_summary_counts_cases_by_kind(data, result):
    summary = {row["kind"]: row for row in replication.summary(data).frame.to_dicts()}
    assert sum(row["n"] for row in summary.values()) == len(SHIPPED)
    assert summary["costs and effects"] == {
        "kind": "costs and effects", "n": 4, "complete": 4, "figures": 25,
    }  # fmt: skip


def test_disclosure_control_changes_nothing_since_no_patient_is_in_it(result):
    released = release(result, Policy())
    for name, table in result.tables.items():
        assert released.tables[name].rows() == table.rows()
    assert released.numbers == result.numbers


# A file of one's own


def test_a_case_of_ones_own_is_run_and_compared(tmp_path):
    result = made(MADE_UP, tmp_path)
    (check,) = result.checks
    assert (check.status, said(check, result)) == ("passed", "6 figures compared, none differs.")
    (first, second) = rows(result.tables["results"])
    assert (first["cost"], first["effect"], first["icer"]) == ("150.00", "1.500000", "")
    assert (second["cost"], second["icer"]) == ("400.00", "500.00 beside A")
    assert second["rewards"] == "years 2"
    assert result.provenance["data"] == "case file mine.yaml"
    assert str(tmp_path) not in str(result.provenance)
    assert "One model" in result.text["plain"]


EXAMPLES = sorted((project.find().params / "cases" / "examples").glob("*.yaml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_feature_of_the_format_goes_through_the_whole_analysis(path, tmp_path):
    result = made(path.read_text(encoding="utf-8"), tmp_path)
    for check in result.checks:
        assert check.status in {"passed", "inconclusive"}, said(check, result)
    assert result.tables.keys() | result.not_applicable.keys() == {*tables.ALL}
    for name, spec in result.figures.items():
        figures.draw(result, name, "waiting_replication")
        result.render(spec.caption)


def test_the_way_of_counting_is_computed_by_hand(tmp_path):
    """At the end: A costs 50 + 25, lives 0.5 + 0.25; B costs 400, lives 2."""
    result = made(MADE_UP, tmp_path)
    end = tables.CONVENTIONS["end"]
    (a, b) = rows(result.tables["conventions"], convention=end)
    assert (a["cost"], a["effect"]) == pytest.approx((75, 0.75))
    assert (b["cost"], b["effect"]) == pytest.approx((400, 2))
    (row,) = rows(result.tables["icers"], convention=end)
    assert row["icer"] == pytest.approx(325 / 1.25)
    assert row["change"] == pytest.approx(100 * (260 / 500 - 1))


def test_a_way_of_counting_that_a_model_does_not_allow_is_left_out(tmp_path):
    """A table of two years says nothing of the end of the second, where half cycles look."""
    tables_ = {"price_of": {"at": [0, 1], "values": [100, 100], "lookup": "exact"}}
    rewards = yaml.safe_load(MADE_UP)["rewards"]
    rewards["cost"]["values"] = {"well": "price_of(cycle) + price", "ill": "price"}
    result = made(changed(tables=tables_, rewards=rewards), tmp_path)
    assert result.checks[0].status == "passed"
    ways = set(result.tables["conventions"].frame["convention"])
    assert ways == {tables.CONVENTIONS[way] for way in ("start", "end", "life_table")}


def test_an_effect_that_is_to_be_avoided_keeps_its_sign(tmp_path):
    rewards = yaml.safe_load(MADE_UP)["rewards"]
    rewards["years"] |= {"better": "lower"}
    result = made(changed(rewards=rewards, expected={"tolerance": {"cost": 1}}), tmp_path)
    start = tables.CONVENTIONS["start"]
    (row,) = rows(result.tables["conventions"], convention=start, strategy="A")
    assert (row["effect"], row["standing"]) == (1.5, "on frontier")
    (row,) = rows(result.tables["results"], strategy="B")
    assert (row["effect"], row["standing"]) == ("2.000000", "dominated")


def test_figures_that_do_not_come_out_are_loud(tmp_path):
    result = made(MADE_UP.replace("B: {cost: 400", "B: {cost: 410"), tmp_path)
    (check,) = result.checks
    assert check.status == "failed"
    assert said(check, result) == "1 of 6 figures DIFFERS: cost of B must be 410 ± 0.5 and is 400."
    (row,) = rows(result.tables["compared"], verdict="DIFFERS")
    assert (row["quantity"], row["difference"]) == ("cost of B", "-10.00")
    (row,) = rows(result.tables["agreement"], quantity="cost of B")
    assert row["ratio"] == pytest.approx(-20)
    assert "**Of 6 figures that must come out, 1 DIFFERED**" in result.render(result.text["plain"])
    (row,) = rows(result.tables["cases"])
    assert (row["figures"], row["agree"]) == (6, 5)


def test_many_that_differ_are_counted_and_words_are_quoted(tmp_path):
    wrong = MADE_UP.replace("{cost: 150, years: 1.5}", "{cost: 1, years: 9}")
    wrong = wrong.replace("{cost: 400, years: 2}", "{cost: 1, years: 9}")
    wrong = wrong.replace("icer: 500}", "icer: 1}").replace("frontier: [A, B]", "frontier: [B]")
    sentence = said((result := made(wrong, tmp_path)).checks[0], result)
    assert sentence.startswith("6 of 6 figures DIFFER: cost of A must be 1 ± 0.5 and is 150; ")
    assert sentence.endswith("and 1 more (see the table).")
    (row,) = rows(result.tables["compared"], quantity="frontier")
    assert (row["expected"], row["computed"], row["verdict"]) == ("B", "A, B", "DIFFERS")


def test_a_case_without_figures_still_shows_its_results(tmp_path):
    result = made(changed(expected={"tolerance": {"cost": 1}}), tmp_path)
    (check,) = result.checks
    assert check.status == "not applicable"
    assert "gives no figures to compare with" in said(check, result)
    assert len(rows(result.tables["results"])) == 2
    assert set(result.not_applicable) == {"compared", "agreement", "missing", "findings", "notes"}
    assert "agreement" not in result.figures


def test_braces_in_the_words_of_a_file_are_no_numbers(tmp_path):
    states = changed(
        id="{n_cases}", title="{title}", strategies={"{A}": None, "B}": {"parameters": {"p": 0}}},
        notes=["{x}"], expected={"totals": {"{A}": {"cost": {"value": 1, "tolerance": 0}}}},
    )  # fmt: skip
    result = made(states, tmp_path)
    assert "cost of {A} must be 1 ± 0 and is 150" in said(result.checks[0], result)
    assert "{n_cases}" in result.render(result.text["plain"])
    for spec in result.figures.values():
        result.render(spec.caption)


def test_a_decision_tree_has_neither_trace_nor_counting():
    params = replication.Params.check({"case": "dm4hee_antenatal_hiv_tree"}, "test")
    result = replication.run(replication.load(params, Settings()), params)
    assert set(result.not_applicable) >= {"trace", "conventions", "icers", "missing"}
    assert list(result.figures) == ["agreement"]
    assert "{shown}" not in result.text["plain"]


UNCERTAIN = {
    "parameters": {"p": {"value": 0.5, "distribution": "beta(sd=0.1)"}, "price": 0},
    "psa": {"draws": 200, "seed": 1},
    "expected": {"psa": {"mean": {"A": {"cost": {"value": 150, "tolerance": 5}}}}},
}


def test_draws_and_seed_can_be_changed(tmp_path):
    """Mean cost 100 × (1 + E(1 - p)) = 150, its standard error 10 over the root of the draws."""
    found = [
        float(rows(made(changed(**UNCERTAIN), tmp_path, **p).tables["agreement"])[0]["ratio"])
        for p in ({}, {"n_draws": 200}, {"n_draws": 100_000}, {"seed": 1})
    ]
    assert found[0] == found[1] != found[3]
    assert abs(found[2]) < 4 * 10 / 100_000**0.5 / 5 + 0.005


# Mistakes


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ("p: 0.5, price", r"mine\.yaml has .*cost"),
        ("well: rest, ill: q", r"transitions\.well\.ill \(line \d+\): 'q' is not defined"),
        ("well: 0.4, ill: p", r"transitions.*well"),
    ],
)
def test_a_mistake_is_named_with_its_place_and_gives_no_result(tmp_path, change, place):
    old = "p: 0.5, price: 0" if change.startswith("p:") else "well: rest, ill: p"
    new = "p: 0.5" if change.startswith("p:") else change
    with pytest.raises(ParameterError, match=rf"(?s){place}"):
        made(MADE_UP.replace(old, new), tmp_path)


def test_a_file_that_is_no_text_is_one_sentence(tmp_path):
    (tmp_path / "mine.yaml").write_bytes(b"\xff\xfe\x00")
    params = replication.Params.check({"case": str(tmp_path / "mine.yaml")}, "test")
    with pytest.raises(ParameterError, match=r"mine\.yaml cannot be read as text in UTF-8"):
        study.load(params, Settings())


def test_two_cases_of_one_id_are_refused(data):
    with pytest.raises(ParameterError, match=r"Two cases have the id 'analytic_voi'"):
        _ = Computed(data.cases[:1] * 2, None, 0).reports


# Small parts


@pytest.mark.parametrize(
    ("number", "digits", "text"),
    [
        (-10.0, 2, "-10.00"),
        (0.004, 3, "+0.004"),
        (1e-9, 3, "0"),
        (-1e-9, 3, "0"),
        (1234, 0, "+1,234"),
    ],
)
def test_a_difference_that_rounds_to_nothing_has_no_sign(number, digits, text):
    assert tables.signed(number, digits) == text


def test_what_is_no_number_has_no_difference():
    nothing = Figure("x", Row("icer", 1.0, float("nan"), 0.5, False))
    assert (nothing.difference, nothing.ratio) == (None, None)
    exact = Figure("x", Row("cost", 1.0, 2.0, 0.0, False))
    assert (exact.difference, exact.ratio) == (1.0, None)
