"""Every shipped case gives the published numbers, every example those worked out by hand in it."""

from pathlib import Path

import pytest

from iesoresearch.errors import ParameterError
from iesoresearch.models.cases import parse, run
from iesoresearch.params import known_runs
from iesoresearch.project import find

FOLDER = find().params / "cases"
SHIPPED = sorted(FOLDER.glob("*.yaml"))
EXAMPLES = sorted((FOLDER / "examples").glob("*.yaml"))
COMPLETE = {
    *("freitag2024_diga_depression", "darth_sick_sicker_time_independent"),
    *("darth_sick_sicker_time_dependent", "darth_sick_sicker_state_residence", "chancellor_hiv"),
    *("dm4hee_antenatal_hiv_tree", "analytic_voi", "singh2024_unit_error_fixture"),
    *("frontier_va_example", "frontier_hiv_screening_paltiel_2006", "frontier_cdiff_11_strategies"),
    "frontier_ties_cheapest_reference",
    *("dmhee_total_hip_replacement", "evans_sumatriptan_tree", "darth_viral_encephalitis_tree"),
    *("darth_sick_sicker_microsimulation", "heemod_shame_three_strategies"),
    "heemod_shame_budget_impact",
}
INCOMPLETE = {"catarino2023_ieso", "baumann2020_icbt", "nice_cg113_ccbt_gad"}


def case_of(path: Path):
    return parse(path.read_text(encoding="utf-8"), path.name)


@pytest.mark.parametrize("path", [*SHIPPED, *EXAMPLES], ids=lambda path: path.stem)
def test_every_number_of_a_case_is_within_its_tolerance(path):
    case = case_of(path)
    report = run(case)
    assert not [row for row in report.rows if not row.ok]
    assert report.ok
    assert report.rows or not case.complete
    assert case.id in (path.stem, path.stem.removesuffix("_example"))


def test_all_published_cases_are_here_and_say_whether_they_are_complete():
    cases = {path.stem: case_of(path) for path in SHIPPED}
    assert {name for name, case in cases.items() if case.complete} == COMPLETE
    assert {name for name, case in cases.items() if not case.complete} == INCOMPLETE
    for case in cases.values():
        assert case.complete == (not case.not_found)
        assert case.source.licence


def test_the_published_digits_are_all_there():
    """How many numbers each case compares: none may go missing unseen."""
    counts = {path.stem: len(run(case_of(path)).rows) for path in SHIPPED}
    assert counts["darth_sick_sicker_time_independent"] == 58
    assert counts["freitag2024_diga_depression"] == 27
    assert counts["chancellor_hiv"] == 34
    assert counts["catarino2023_ieso"] == 14
    assert counts["dmhee_total_hip_replacement"] == 36
    assert counts["heemod_shame_three_strategies"] == 15


def test_the_negative_fixture_is_refused_unless_it_expects_what_is_wrong():
    path = FOLDER / "singh2024_unit_error_fixture.yaml"
    text = path.read_text(encoding="utf-8")
    start, end = text.index("findings_expected:"), text.index("parameters:")
    with pytest.raises(ParameterError) as error:
        parse(text[:start] + text[end:], path.name)
    message = str(error.value)
    assert "nothing was computed" in message
    assert "discount.rate (line 19): the discount rate is a rate per year" in message
    assert "42.6% a year" in message
    for state in ("D1", "C", "M", "R"):
        assert f"rewards.utility_sum.values.{state}" in message
    mild = next(f for f in case_of(path).findings if f.code == "death-implausible")
    assert not mild.blocking
    assert "11.8% a year" in mild.text


def test_an_expected_finding_that_is_not_there_fails_the_case():
    path = FOLDER / "examples" / "negative_fixture.yaml"
    text = path.read_text(encoding="utf-8")
    changed = text.replace(
        "[rate-as-probability, reward-period]", "[rate-as-probability, currency, reward-period]"
    )
    rows = run(parse(changed, path.name)).rows
    assert [row.quantity for row in rows if not row.ok] == ["finding currency"]


def test_a_wrong_number_is_a_row_that_is_not_ok():
    path = FOLDER / "examples" / "minimal.yaml"
    text = path.read_text(encoding="utf-8").replace("cost: 190", "cost: 191")
    wrong = [row for row in run(parse(text, "x")).rows if not row.ok]
    assert [(row.quantity, row.expected, row.computed) for row in wrong] == [
        ("cost of only", 191.0, 190.0)
    ]


def test_the_folder_of_cases_is_no_run():
    assert not {path.stem for path in SHIPPED} & set(known_runs(find().params))
    assert "cases" not in known_runs(find().params)


def test_every_example_is_named_in_the_reference():
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    for path in EXAMPLES:
        assert f"examples/{path.name}" in text
