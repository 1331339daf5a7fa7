"""The report as a whole: what is in it, what must not be, and when it is made again."""

import re
import shutil
from pathlib import Path

import pytest

from iesoresearch.analyses import get
from iesoresearch.errors import DataError, DisclosureError, OutputError
from iesoresearch.files import read_private
from iesoresearch.reporting import build, links, report, site
from iesoresearch.results import SIMULATED

from . import sample


def page(built, name: str) -> str:
    return (built[1].parent / name).read_text(encoding="utf-8")


def words(html: str) -> str:
    """What a reader sees of a page's own content, on one line."""
    article = html.partition("<article")[2].partition("</article>")[0]
    return " ".join(re.sub(r"<[^>]*>", " ", article).split())


def texts(folder: Path) -> dict[str, str]:
    """Everything readable below a folder, files of the theme apart."""
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8", errors="replace")
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "_static" not in path.parts and path.suffix not in {".png", ".pdf"}
    }


# What is in it


def test_the_start_page_lists_the_runs_of_the_paper_in_its_order_then_the_others(built):
    found = re.findall(r'<a href="runs/([^/]+)/index.html">', page(built, "index.html"))
    assert found == ["shown", "simulated", "a-site", "evaluation", "model"]


def test_the_start_page_counts_outcomes_and_says_whether_a_run_is_up_to_date(built):
    text = words(page(built, "index.html")).replace("&nbsp;", " ").replace("\xa0", " ")
    assert "✓ 1 passed ✗ 1 failed ? 1 inconclusive" in text
    assert "22 November 2026, 12:13 UTC ✓ up to date" in text
    assert "1,234" in text, "the number of people"


def test_runs_without_a_valid_result_are_named_and_not_shown(built):
    text = words(page(built, "index.html"))
    assert "never: it was never finished. Make it: iesoresearch run never" in text
    assert "spoilt: it was never finished, or a file of it was changed since." in text
    assert not (built[1].parent / "runs" / "spoilt").exists()


def test_a_run_that_the_data_cannot_answer_is_named_with_the_reason(built):
    text = words(page(built, "index.html"))
    assert "totals: Only totals: *answers* &amp; more are lacking." in text
    assert text.index("Not applicable here") < text.index("totals: Only") < text.index("Missing")
    assert not (built[1].parent / "runs" / "totals").exists()


def test_every_run_has_the_exact_commands_to_make_it_again(built):
    assert "iesoresearch run shown -p n_states=4" in words(page(built, "index.html"))
    assert "iesoresearch run shown -p n_states=4" in words(page(built, "runs/shown/index.html"))


def test_a_page_has_its_sections_in_order_the_plain_words_first(built):
    headings = re.findall(r"<h2>(.*?)<a", page(built, "runs/shown/index.html"))
    assert headings == [
        "In plain words",
        "Findings and checks",
        "Figures",
        "Tables",
        "How to read it",
        "What it cannot say",
        "Parameters",
        "Run it again",
        "Where it comes from",
    ]


def test_text_is_shown_to_the_letter_and_markdown_as_such(built):
    html = page(built, "runs/shown/index.html")
    assert "A &lt;b&gt; &amp; *c* _d_ `e` [f](g) $1 $2: open data" in html
    assert "In <em>short</em>." in html
    assert "All <em>dots</em>." in html
    assert "Not so: 1 &lt; 2." in html


def test_tables_are_rounded_and_say_what_a_dash_means(built):
    text = words(page(built, "runs/shown/index.html"))
    assert "Group People Value a 1,234 0.99 b – – c 20 –" in text
    assert "short.csv – suppressed (fewer than 10 people) – no value" in text


def test_long_tables_are_folded_and_come_last(built):
    html = page(built, "runs/shown/index.html")
    assert "<details><summary>Show all 60 rows</summary>" in html
    assert html.index('id="table-short"') < html.index('id="table-long"')


def test_parameters_have_the_meaning_their_analysis_gives_them(built):
    text = words(page(built, "runs/shown/index.html"))
    meaning = get("subtypes").Params.model_fields["seed"].description
    assert f"seed {sample.PARAMETERS['seed']} {meaning}" in text
    assert "k [1, &#x27;a&#x27;] –" in words(page(built, "runs/a-site/index.html"))


@pytest.mark.parametrize("name", ["index", "search", "runs/shown/index", "runs/shown/executed"])
def test_pages_can_be_heard(built, name):
    html = page(built, f"{name}.html")
    assert '<html lang="en"' in html
    article = html.partition("<article")[2] or html  # the theme repeats the heading for printing
    assert article.count("<h1>") == 1
    images = re.findall(r"<img [^>]*>", html)
    assert all(re.search(r'alt="[^"]+"', image) for image in images), images
    if name.startswith("runs"):
        assert images, "the figure"


def test_a_reason_that_several_share_is_said_once(built):
    assert page(built, "runs/shown/index.html").count("Waves: not applicable") == 1


def test_figures_have_their_files(built):
    home = built[1].parent / "runs" / "shown"
    html = page(built, "runs/shown/index.html")
    for suffix in ("png", "svg", "pdf", "csv"):
        assert f'href="figures/dots.{suffix}"' in html
        assert (home / f"figures/dots.{suffix}").is_file()
    assert 'alt="Dots All dots."' in html


# What must not be in it


def test_every_section_of_a_simulated_run_says_so_and_no_other_page_does(built):
    html = page(built, "runs/simulated/index.html")
    sections = html.partition("<article")[2].split("<h2>")[1:]
    assert sections
    assert all(SIMULATED in section for section in sections)
    assert SIMULATED in page(built, "runs/simulated/executed.html")
    row = page(built, "index.html").partition('<a href="runs/simulated/')[2].partition("</tr>")[0]
    assert SIMULATED in row
    assert SIMULATED not in page(built, "runs/shown/index.html")
    assert SIMULATED not in page(built, "runs/a-site/index.html")


def test_nothing_is_fetched_from_another_host_and_no_link_is_dead(built):
    assert links.problems(built[1].parent) == []
    for sheet in (built[1].parent / "_static").rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        assert not re.search(r"(@import|url\()\s*['\"]?(https?:)?//", text), sheet.name


def test_mathematics_are_drawn_by_a_file_of_the_site(built):
    scripts = re.findall(r'<script[^>]*src="([^"]*athjax[^"]*)"', page(built, "index.html"))
    assert scripts == [], "a page without mathematics does not load it"
    html = page(built, "runs/simulated/executed.html")
    (script,) = re.findall(r'<script[^>]*src="([^"?]*mathjax[^"?]*)', html)
    assert (built[1].parent / "runs" / "simulated" / script).is_file()


def test_private_files_and_folders_of_the_machine_stay_out(built):
    project, index = built
    banned = [sample.PRIVATE, "private/", str(project.root), str(Path.home()) + "/", ".partial"]
    for name, text in texts(index.parent).items():
        for secret in banned:
            assert secret not in text, f"{name} holds {secret}"
    assert not list(index.parent.rglob("private"))


def test_rows_of_patients_are_in_no_byte_of_the_report(built):
    """The canary is in the rows of every run, and they can be read."""
    project, index = built
    rows = read_private(project.out / "model", "rows")
    assert rows["patient_id"].to_list() == [sample.PRIVATE]
    for path in index.parent.rglob("*"):
        assert path.suffix != ".parquet"
        assert not path.is_file() or sample.PRIVATE.encode() not in path.read_bytes(), path.name


def test_the_notebook_of_patients_data_is_shown_without_anything_computed(built):
    home = built[1].parent / "runs" / "a-site"
    assert not (home / "executed.html").exists()
    assert not (home / "notebook.ipynb").exists()
    assert "the executed notebook stays where" in words(page(built, "runs/a-site/index.html"))
    source = (home / "10_tiny.ipynb").read_text(encoding="utf-8")
    assert "print('a dot')" in source
    assert "seed = 99" not in source, "the injected parameters"
    for name, text in texts(home).items():
        assert sample.OUTPUT not in text, name


def test_the_executed_notebook_of_open_data_is_shown_and_can_be_had(built):
    home = built[1].parent / "runs" / "shown"
    assert sample.OUTPUT in page(built, "runs/shown/executed.html")
    original = built[0].out / "shown" / "notebook.ipynb"
    assert (home / "notebook.ipynb").read_bytes() == original.read_bytes()


def test_a_notebook_that_names_a_folder_of_this_machine_is_left_out(project):
    text = f"warning in {project.root}/lib/x.py"
    sample.make_run(project, "shown", "open", notebook=sample.notebook(text))
    (run,), _ = report.finished.read(project.out, project)
    assert run.machine_paths
    assert not run.shows_notebook
    folder = project.root / "pages"
    site._write_pages([run], [], project, folder)
    assert not (folder / "runs" / "shown" / "executed.ipynb").exists()
    said = (folder / "runs" / "shown" / "index.md").read_text(encoding="utf-8")
    assert "it names folders of a machine" in said


def test_a_result_that_names_a_folder_of_this_machine_is_refused(project):
    text = {"plain": f"Read from {project.root}."}
    result = sample.described("open", text=text)
    sample.make_run(project, "shown", "open", result=result)
    with pytest.raises(DisclosureError, match=r"result\.json of run shown names .*, a folder of"):
        build(project.out, project)


def test_what_did_not_pass_disclosure_control_is_not_shown(project):
    result = sample.described("open")
    del result["provenance"]["disclosure"]
    sample.make_run(project, "shown", "open", result=result)
    _, missing = report.finished.read(project.out, project)
    assert "it did not pass disclosure control" in [run.reason for run in missing]


def test_a_run_of_another_layout_is_not_shown(project):
    sample.make_run(project, "shown", "open", result={"provenance": {"disclosure": {}}})
    _, missing = report.finished.read(project.out, project)
    assert "it was written by another version of the package" in [run.reason for run in missing]


# When and how it is made


def test_equal_runs_give_equal_pages_silently_from_any_folder(built, tmp_path, monkeypatch, capfd):
    project, index = built
    shutil.copytree(project.out, tmp_path / "out", ignore=shutil.ignore_patterns("report"))
    monkeypatch.chdir(tmp_path)
    again = build(Path("out"), project)
    assert again == Path("out/report/index.html")
    first, second = texts(index.parent), texts(again.parent)
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []
    assert capfd.readouterr() == ("", "")


def test_nothing_is_done_when_nothing_has_changed(built, monkeypatch):
    monkeypatch.setattr(report, "_make", None)
    assert build(built[0].out, built[0]) == built[1]


def test_nothing_of_a_killed_process_is_left(built):
    assert list(built[0].out.glob(".*")) == []


@pytest.fixture
def quick(project, monkeypatch):
    """A project with a run and a report whose pages are made in no time."""
    made = []

    def make(runs, missing, project, work, target):
        made.append([run.name for run in runs])
        target.mkdir()
        (target / "index.html").write_text("<h1>Report</h1>", encoding="utf-8")

    sample.make_run(project, "shown", "open")
    monkeypatch.setattr(report, "_make", make)
    build(project.out, project)
    return project, made


def test_a_damaged_report_is_made_again(quick):
    project, made = quick
    (project.out / "report" / "index.html").write_text("half", encoding="utf-8")
    assert build(project.out, project).read_text(encoding="utf-8") == "<h1>Report</h1>"
    assert len(made) == 2


def test_another_run_makes_another_report(quick):
    project, made = quick
    sample.make_run(project, "simulated", "synthetic")
    build(project.out, project)
    assert made == [["shown"], ["shown", "simulated"]]


def test_a_failure_leaves_the_old_report(quick, monkeypatch):
    project, _ = quick
    sample.make_run(project, "simulated", "synthetic")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(report, "_make", full)
    with pytest.raises(OutputError, match=r"out cannot be written \(No space left on device\)"):
        build(project.out, project)
    assert (project.out / "report" / "index.html").is_file()
    assert list(project.out.glob(".*")) == []


def test_a_folder_of_somebody_else_is_not_replaced(project):
    sample.make_run(project, "shown", "open")
    (project.out / "report").mkdir()
    with pytest.raises(OutputError, match="was not made by `iesoresearch report`, so it is not"):
        build(project.out, project)


def test_without_runs_there_is_no_report(project):
    message = "There is no valid run in .*: iesoresearch run --all"
    with pytest.raises(DataError, match=message):
        build(project.out, project)
    assert not project.out.exists()
