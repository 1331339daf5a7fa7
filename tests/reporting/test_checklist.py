"""The checklist is filled from the run and from people; what is missing is loud."""

import json

import pytest

from iesoresearch.errors import ParameterError
from iesoresearch.reporting import (
    checklist,
    model_card,
    pages,
    report,
    runs,
    start,
    statements,
)
from iesoresearch.reporting.tripod import ITEMS

from . import sample
from .test_report import page, words


def read(project, name="shown"):
    return next(run for run in runs.read(project.out, project)[0] if run.name == name)


def states(run):
    return {a.item.number: a.state for a in checklist.answers(run)}


def evidence(**changes):
    return {k: v for k, v in (sample.EVIDENCE | changes).items() if v is not None}


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


def test_evidence_that_is_not_there_fails_beside_evidence_that_is(project):
    changed = evidence(**{"23a": ["table:performnce", "figure:dots"]})
    sample.make_model(project, "shown", "synthetic", evidence=changed)
    sample.state(project)
    (line,) = checklist.blanks(read(project))
    assert line.startswith("item 23a (Performance with intervals, overall and by group): ")
    assert "table:performnce is not in the run" in line


def test_an_item_that_nobody_answers_is_missing(project):
    sample.make_model(project, "shown", "synthetic", evidence=evidence(**{"26": None}))
    sample.state(project)
    (line,) = checklist.blanks(read(project))
    assert line.startswith("item 26 (Limits, and what they do to the findings): ")
    assert line.endswith("statements.yaml says nothing")


def test_what_only_people_know_no_program_answers(project):
    claimed = evidence(**{"17": ["text:plain"], "19": ["not applicable: nobody is needed"]})
    sample.make_model(project, "shown", "synthetic", evidence=claimed)
    sample.state(project, **{"17": None, "19": {"done": " "}})
    run = read(project)
    assert {n for n, state in states(run).items() if state == "missing"} == {"17", "19"}
    assert len(checklist.blanks(run)) == 2


def test_of_an_item_that_there_is_not_the_analysis_is_told(project):
    sample.make_model(project, "shown", "synthetic", evidence=evidence(**{"23c": ["text:plain"]}))
    sample.state(project)
    (line,) = checklist.blanks(read(project))
    assert line == "item 23c (no item of TRIPOD+AI): the analysis names it"


def test_a_model_card_without_a_part_it_needs_is_a_blank(project):
    text = sample.described("open")["text"] | sample.CARD_TEXT | {"modifiable": " "}
    del text["not_for"]
    sample.make_model(project, "shown", "synthetic", text=text)
    sample.state(project)
    assert checklist.blanks(read(project)) == [
        "model card (What it is not for): no text 'not_for'",
        "model card (What can be changed and what cannot): no text 'modifiable'",
    ]


def test_patients_records_need_the_words_of_the_site(project):
    sample.make_model(project, "shown", "patient")
    sample.state(project)
    lines = checklist.blanks(read(project))
    assert any("item 17" in line and statements.OF_SITE in line for line in lines)
    sample.state(project, statements.OF_SITE)
    assert checklist.blanks(read(project)) == []


def test_other_runs_have_no_checklist_and_need_no_statements(project):
    sample.make_run(project, "shown", "open")
    sample.state(project, **{"99": {"done": "x"}})
    assert checklist.blanks(read(project)) == []
    sample.make_model(project, "model", "open")
    with pytest.raises(ParameterError, match="99 is no item"):
        runs.read(project.out, project)


def test_evidence_of_another_layout_is_not_shown(project):
    sample.make_model(project, "shown", "open", evidence={"1": "text:plain"})
    _, missing = runs.read(project.out, project)
    assert "it was written by another version of the package" in [run.reason for run in missing]


# The pages


def test_the_page_has_every_item_with_its_answer(built):
    text = words(page(built, "runs/model/tripod_ai.html")).replace("&nbsp;", " ")
    text = text.replace("\xa0", " ")
    positions = [text.index(item.asks) for item in ITEMS.values()]
    assert positions == sorted(positions)
    assert "18b Conflicts of interest ! not done Nobody &lt;asked&gt; &amp; nobody said." in text
    assert "! not done it was not updated" in text
    assert "Sources" in text
    assert "doi:10.1136/bmj-2023-078378" in text
    assert "MISSING" not in text


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


def test_what_is_missing_is_on_every_page(project):
    sample.make_model(project, "shown", "synthetic", evidence=evidence(**{"26": None}))
    sample.state(project)
    run = read(project)
    for text in (
        *(checklist.page(run), model_card.page(run), pages.run_page(run)),
        start.start_page([run], [], project),
    ):
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
    assert "what it says about prediction models is not complete" in errors
    lines = errors.strip().splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("  shown: item 17 (Approval by an ethics committee, and consent): ")
    assert lines[1].endswith("statements.yaml leaves “done” blank")
    assert call("report") == (1, shown, errors), "also when nothing is built anew"


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
