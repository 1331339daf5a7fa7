"""The checklist is filled from the run and from people; what is missing is loud."""

import json

import pytest

from iesoresearch.errors import ParameterError
from iesoresearch.reporting import (
    checklist,
    pages,
    report,
    runs,
    start,
    statements,
)

from . import sample
from .test_report import page, words


def read(project, name="shown"):
    return next(run for run in runs.read(project.out, project)[0] if run.name == name)


def states(run):
    return {a.item.number: a.state for a in checklist.answers(run)}


def evidence(of="tripod", **changes):
    return {k: v for k, v in (sample.EVIDENCES[of] | changes).items() if v is not None}


def make(project, of, name="shown", **changes):
    """Write a run that answers the checklist `of`."""
    maker = {"tripod": sample.make_model, "cheers": sample.make_evaluation}[of]
    return maker(project, name, changes.pop("sensitivity", "synthetic"), **changes)


both = pytest.mark.parametrize("of", ["tripod", "cheers"])


# Answers


def test_a_complete_run_has_no_blanks(project):
    sample.make_model(project, "shown", "synthetic")
    sample.state(project)
    run = read(project)
    assert checklist.blanks(run) == []
    found = states(run)
    assert found["23a"] == "evidenced"
    assert found["18a"] == "stated"
    assert found["24"] == "not done"
    assert found["13"] == "not applicable"
    assert found["23b"] == "evidenced", "one of two figures does not apply, the other shows it"
    assert "missing" not in found.values()


def test_an_evaluation_is_asked_for_the_items_of_cheers_and_for_no_model_card(project):
    make(project, "cheers")
    sample.state(project)
    run = read(project)
    assert run.checklist.title == "CHEERS 2022"
    assert checklist.blanks(run) == []
    found = states(run)
    assert list(found) == [str(number) for number in range(1, 29)]
    assert [found[n] for n in ("17", "27", "19", "24", "18")] == [
        *("evidenced", "stated", "not done", "not applicable", "evidenced")
    ]


def test_a_result_without_the_name_of_a_checklist_answers_tripod_ai(project):
    folder = make(project, "tripod")
    assert "checklist" not in json.loads((folder / "result.json").read_text(encoding="utf-8"))
    sample.state(project)
    assert read(project).checklist.title == "TRIPOD+AI"


def test_words_of_a_model_card_are_no_evidence_where_there_is_none(project):
    text = sample.described("open")["text"] | sample.CARD_TEXT
    changed = evidence("cheers", **{"9": ["text:methods"], "10": ["text:reading"]})
    make(project, "cheers", text=text, evidence=changed)
    sample.state(project)
    (line,) = checklist.blanks(read(project))
    assert line.endswith(": text:methods is not in the run")


@pytest.mark.parametrize(
    ("of", "number", "asked"),
    [
        ("tripod", "23a", "Performance with intervals, overall and by group"),
        ("cheers", "23", "Mean costs and outcomes, and what follows from them for each comparison"),
    ],
)
def test_evidence_that_is_not_there_fails_beside_evidence_that_is(project, of, number, asked):
    changed = evidence(of, **{number: ["table:performnce", "figure:dots"]})
    make(project, of, evidence=changed)
    sample.state(project)
    (line,) = checklist.blanks(read(project))
    assert line.startswith(f"item {number} ({asked}): ")
    assert "table:performnce is not in the run" in line


@pytest.mark.parametrize(
    ("of", "asked"),
    [
        ("tripod", "Limits, and what they do to the findings"),
        (
            "cheers",
            "Findings, limits, what they mean for whom and elsewhere, beside earlier work",
        ),
    ],
)
def test_an_item_that_nobody_answers_is_missing(project, of, asked):
    make(project, of, evidence=evidence(of, **{"26": None}))
    sample.state(project)
    (line,) = checklist.blanks(read(project))
    assert line.startswith(f"item 26 ({asked}): ")
    assert line.endswith(f"statements.yaml ({of}) says nothing")


@pytest.mark.parametrize(("of", "one", "other"), [("tripod", "17", "19"), ("cheers", "4", "27")])
def test_what_only_people_know_no_program_answers(project, of, one, other):
    claimed = {one: ["text:plain"], other: ["not applicable: nobody is needed"]}
    make(project, of, evidence=evidence(of, **claimed))
    sample.state(project, section=of, **{one: None, other: {"done": " "}})
    run = read(project)
    assert {n for n, state in states(run).items() if state == "missing"} == {one, other}
    assert len(checklist.blanks(run)) == 2


@pytest.mark.parametrize(
    ("of", "number", "title"), [("tripod", "23c", "TRIPOD+AI"), ("cheers", "3a", "CHEERS 2022")]
)
def test_of_an_item_that_there_is_not_the_analysis_is_told(project, of, number, title):
    make(project, of, evidence=evidence(of, **{number: ["text:plain"]}))
    sample.state(project)
    (line,) = checklist.blanks(read(project))
    assert line == f"item {number} (no item of {title}): the analysis names it"


def test_a_model_card_without_a_part_it_needs_is_a_blank(project):
    text = sample.described("open")["text"] | sample.CARD_TEXT | {"modifiable": " "}
    del text["not_for"]
    sample.make_model(project, "shown", "synthetic", text=text)
    sample.state(project)
    assert checklist.blanks(read(project)) == [
        "model card (What it is not for): no text 'not_for'",
        "model card (What can be changed and what cannot): no text 'modifiable'",
    ]


@both
def test_patients_records_need_the_words_of_the_site(project, of):
    make(project, of, sensitivity="patient")
    sample.state(project)
    lines = checklist.blanks(read(project))
    asked = {"tripod": "item 17", "cheers": "item 27"}[of]
    assert any(asked in line and statements.OF_SITE in line for line in lines)
    sample.state(project, statements.OF_SITE)
    assert checklist.blanks(read(project)) == []


def test_other_runs_have_no_checklist_and_need_no_statements(project):
    sample.make_run(project, "shown", "open")
    sample.state(project, **{"99": {"done": "x"}})
    assert checklist.blanks(read(project)) == []
    sample.make_model(project, "model", "open")
    with pytest.raises(ParameterError, match="99 is no item"):
        runs.read(project.out, project)


@pytest.mark.parametrize(
    "changes",
    [{"evidence": {"1": "text:plain"}}, {"checklist": "of a later version"}, {"checklist": ["a"]}],
)
def test_evidence_of_another_layout_is_not_shown(project, changes):
    sample.make_model(project, "shown", "open", **changes)
    _, missing = runs.read(project.out, project)
    assert "it was written by another version of the package" in [run.reason for run in missing]


# The pages


def seen(built, name):
    return words(page(built, name)).replace("&nbsp;", " ").replace("\xa0", " ")


def items_in_order(text, of):
    items = statements.CHECKLISTS[of].items.values()
    positions = [text.index(f" {item.number} {item.asks} ") for item in items]
    return positions == sorted(positions)


def test_the_page_has_every_item_with_its_answer(built):
    text = seen(built, "runs/model/tripod_ai.html")
    assert items_in_order(text, "tripod")
    assert "18b Conflicts of interest ! not done Nobody &lt;asked&gt; &amp; nobody said." in text
    assert "! not done it was not updated" in text
    assert "Sources" in text
    assert "doi:10.1136/bmj-2023-078378" in text
    assert "MISSING" not in text


def test_the_page_of_an_evaluation_has_every_item_of_cheers_with_its_answer(built):
    text = seen(built, "runs/evaluation/cheers.html")
    assert items_in_order(text, "cheers")
    assert "28 Conflicts of interest ✓ stated Words of people on cheers 28." in text
    assert "19 Who gains" in text
    assert "! not done nothing is known of it" in text
    assert "– not applicable Waves: not applicable, nothing moved." in text
    assert "Sources Items: CHEERS 2022, doi:10.1136/bmj-2021-067975 ." in text.replace(" #", "")
    assert "MISSING" not in text
    for other in ("TRIPOD", "PROBAST", "prediction", "Risk of bias", "SIMULATED"):
        assert other not in text


def test_domains_of_probast_ai_point_to_the_same_evidence(built):
    html = page(built, "runs/model/tripod_ai.html")
    section = html.partition('id="risk-of-bias-by-domain"')[2].partition("</section>")[0]
    rows = section.split("<tr>")[2:]
    assert [row.count("table-long") for row in rows] == [1, 0, 0, 0]
    assert "8b <span" in rows[2]
    assert "8a <span" not in rows[2]


def test_every_section_says_that_it_is_simulated(built):
    for name in ("tripod_ai", "model_card"):
        html = page(built, f"runs/model/{name}.html")
        sections = html.partition("<article")[2].split("<h2>")[1:]
        assert sections
        assert all("SIMULATED" in section for section in sections)


def test_the_run_and_the_start_page_lead_to_the_pages_of_a_model(built):
    for name, home in (("index.html", "runs/model/"), ("runs/model/index.html", "")):
        html = page(built, name)
        assert f'<a href="{home}tripod_ai.html">TRIPOD+AI checklist</a>' in html
        assert f'<a href="{home}model_card.html">Model card</a>' in html
    article = page(built, "runs/shown/index.html").partition("<article")[2]
    assert "tripod_ai" not in article.partition("</article>")[0]
    assert not (built[1].parent / "runs" / "shown" / "tripod_ai.html").exists()


def test_the_run_and_the_start_page_lead_to_the_checklist_of_an_evaluation(built):
    for name, home in (("index.html", "runs/evaluation/"), ("runs/evaluation/index.html", "")):
        assert f'<a href="{home}cheers.html">CHEERS 2022 checklist</a>: ' in page(built, name)
    folder = built[1].parent / "runs" / "evaluation"
    assert not (folder / "tripod_ai.html").exists()
    assert not (folder / "model_card.html").exists()
    assert not (folder.parent / "model" / "cheers.html").exists()


def test_the_start_page_tells_models_and_evaluations_apart(built):
    html = page(built, "index.html")
    models = html.partition('id="prediction-models"')[2].partition("</section>\n</section>")[0]
    evaluations = html.partition('id="economic-evaluations"')[2]
    evaluations = evaluations.partition("</section>\n</section>")[0]
    assert "tripod_ai.html" in models
    assert "cheers.html" not in models
    assert "cheers.html" in evaluations
    assert "tripod_ai.html" not in evaluations


@both
def test_what_is_missing_is_on_every_page(project, of):
    make(project, of, evidence=evidence(of, **{"26": None}))
    sample.state(project)
    run = read(project)
    further = [made(run) for _, made in pages.further(run).values()]
    assert len(further) == {"tripod": 2, "cheers": 1}[of]
    for text in (*further, pages.run_page(run), start.start_page([run], [], project)):
        assert '<div class="blanks" role="alert">' in text
        assert "1 MISSING" in text
        assert "item 26" in text


# The command


@pytest.fixture
def home(project, monkeypatch):
    def make(runs, missing, project, work, target):
        target.mkdir()
        (target / "index.html").write_text("<h1>Report</h1>", encoding="utf-8")

    monkeypatch.setattr(report, "_make", make)
    monkeypatch.setenv("IESORESEARCH_PROJECT", str(project.root))
    sample.make_model(project, "shown", "synthetic")
    return project.root


def test_the_report_is_built_and_a_blank_is_exit_code_1(project, call):
    sample.state(project, **{"17": {"done": ""}})
    code, shown, errors = call("report")
    index = project.out / "report" / "index.html"
    assert (code, shown.strip()) == (1, str(index))
    assert index.is_file()
    assert "but a checklist or a model card in it is not complete" in errors
    lines = errors.strip().splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("  shown: item 17 (Approval by an ethics committee, and consent): ")
    assert lines[1].endswith("statements.yaml (tripod) leaves “done” blank")
    assert call("report") == (1, shown, errors), "also when nothing is built anew"


def test_a_blank_of_an_evaluation_is_exit_code_1_too(project, call):
    make(project, "cheers", evidence=evidence("cheers", **{"22": ["table:inputs"]}))
    sample.state(project, section="cheers", **{"27": {"not done": "?"}})
    code, _, errors = call("report")
    assert code == 1
    lines = errors.strip().splitlines()[1:]
    assert [line.partition(" (")[0] for line in lines] == ["  shown: item 22", "  shown: item 27"]
    assert lines[0].endswith(": table:inputs is not in the run")
    assert lines[1].endswith("statements.yaml (cheers) leaves “not done” blank")


def test_statements_without_sections_are_one_sentence_and_exit_code_2(project, call):
    path = project.root / statements.OURS
    path.parent.mkdir(parents=True)
    path.write_text("17: {done: x}\n", encoding="utf-8")
    code, shown, errors = call("report")
    assert (code, shown) == (ParameterError.exit_code, "")
    assert "put “tripod:” above them and indent them." in errors
    assert len(errors.strip().splitlines()) == 1


def test_without_blanks_the_report_is_fine(project, call):
    sample.state(project)
    assert call("report") == (0, f"{project.out / 'report' / 'index.html'}\n", "")


def test_other_statements_make_another_report(project, call):
    sample.state(project)
    call("report")
    first = json.loads((project.out / "report" / "report.json").read_text(encoding="utf-8"))
    sample.state(project, **{"17": {"done": "Committee X."}})
    call("report")
    second = json.loads((project.out / "report" / "report.json").read_text(encoding="utf-8"))
    assert first["key"] != second["key"]
