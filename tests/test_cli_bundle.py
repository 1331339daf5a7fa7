"""A bundle from a finished run to the centre that lets it in, through the command line."""

import json
import shutil
import sys
from dataclasses import replace

import polars as pl
import pytest

from iesoresearch import analyses, cli, figures, files, hashes, registration, stored
from iesoresearch.bundles import contents
from iesoresearch.cli import bundle
from iesoresearch.disclosure import Policy, release
from iesoresearch.figures.style import save
from iesoresearch.project import find
from iesoresearch.results import FigureSpec, Number, Result, Table, Value

CHOSEN = {"groupings": ["Gender"], "model": "somebody.json"}


def a_result():
    """What the figure `safety` of the analysis `cohort` is drawn from."""
    frame = pl.DataFrame({"signal": ["a", "b"], "n": [400, 400], "flagged": [120, 60]})
    count = Value("count", "Referrals", 0, sensitivity="synthetic")
    flagged = replace(count, label="Flagged", within="n")
    table = Table("Safety", frame, {"signal": "Signal"}, {"n": count, "flagged": flagged})
    return release(
        Result(
            tables={"safety": table},
            numbers={"n": Number(400, 400, "referrals", 0, "count", "synthetic")},
            text={"plain": "{n} in 2024."},  # a number in the words: somebody has to look
            figures={"safety": FigureSpec("safety", "Safety", "All {n}.")},
            provenance={"title": "Cohort", "data": "drawn", "sensitivity": "synthetic"},
        ),
        Policy.read(find().params / "disclosure.yaml"),
    )


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A project with one finished run, called in another folder."""
    real, root = find(), tmp_path / "project"
    for folder in ("params", "notebooks"):
        (root / folder).mkdir(parents=True)
    for name in ("params/cohort.yaml", "params/disclosure.yaml", "notebooks/00_cohort.ipynb"):
        shutil.copy(real.root / name, root / name)
    (root / "params" / "paper.yaml").write_text("runs: [cohort]", encoding="utf-8")
    monkeypatch.setenv("IESORESEARCH_PROJECT", str(root))
    monkeypatch.setattr(hashes, "code_hash", lambda: "c")
    monkeypatch.setattr(figures, "draw", drawn)
    monkeypatch.setattr("iesoresearch.figures.style.FORMATS", ("svg",))
    monkeypatch.chdir(tmp_path)
    finish(root)
    return root


def drawn(result, name, analysis):
    from iesoresearch.figures.style import new_axes

    assert (name, analysis) == ("safety", "cohort")
    ax = new_axes(1, 1)
    ax.plot(result.tables["safety"].frame["n"])
    return ax.figure


def finish(root, **changes):
    """A run as the runner leaves it."""
    result = a_result()
    folder = files.partial(root / "reports" / "out" / "cohort")
    stored.write_result(
        result, folder, lambda name, where: save(drawn(result, name, "cohort"), where, name)
    )
    status = {
        "run": "cohort",
        "analysis": "cohort",
        "notebook": "00_cohort.ipynb",
        "parameters": analyses.get("cohort").Params().model_dump(),
        "outcome": "finished",
        "key": "k",
        "inputs": hashes.project_hashes(root, root / "notebooks" / "00_cohort.ipynb"),
        "versions": {"iesoresearch": "0.1.0"},
        "started": "2026-11-22T12:00:00Z",
        "seconds": 1.0,
    }
    files.finish(folder, root / "reports" / "out" / "cohort", status | changes)


@pytest.fixture
def call(home, monkeypatch, capsys):
    def called(*words):
        monkeypatch.setattr(sys, "argv", ["iesoresearch", *map(str, words)])
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = end.code or 0
        said = capsys.readouterr()
        return code, said.out, said.err

    return called


def test_from_the_site_to_the_centre(call, home, tmp_path):
    code, told, errors = call("site", "key", "north")
    assert code == 0, errors
    assert "give it to nobody" in told
    assert (home / "params/sites/north.key").stat().st_mode & 0o777 == 0o600

    code, told, errors = call("bundle", "b.zip")
    assert code == 0, errors
    assert "with 1 run(s): cohort" in told
    assert "1 must be looked at" in told
    assert 'sign-bundle b.zip --name "YOUR NAME" --role "YOUR ROLE"' in told
    said = json.loads(contents.read(tmp_path / "b.zip")["manifest.json"])
    assert said["runs"]["cohort"]["parameters"] == analyses.get("cohort").Params().model_dump()

    who = ("--name", "Ada", "--role", "output checker")
    code, _, errors = call("sign-bundle", "b.zip", *who)
    assert code == 2
    assert "signed by a person" in errors
    code, _, errors = call("sign-bundle", "b.zip", *who, "--yes")
    assert code == 5
    assert "look at free text" in errors
    code, told, errors = call(
        "sign-bundle", "b.zip", *who, "--yes", "--accept-review", "years of the data only"
    )
    assert code == 0, errors
    assert "Signed: b.zip by Ada (output checker)" in told
    assert "may be sent to the centre now" in told
    assert len(list((home / "reports/released/north").glob("*.zip"))) == 1

    call("site", "key", "south")
    code, _, errors = call("sign-bundle", "b.zip", *who, "--yes", "--site", "south")
    assert (code, "of site north and the key of site south" in errors) == (2, True)
    (home / "params/sites/south.key").unlink()

    trusted = ("--trusted", home / "params/sites/north.pub")
    code, told, errors = call("verify-bundle", "b.zip", *trusted)
    assert code == 0, errors
    for words in ("of site north", "untouched", "Ada (output checker)", "years of the data only"):
        assert words in told
    assert "add --draw and a new folder to draw its figures here" in told
    code, told, errors = call("verify-bundle", "b.zip", *trusted, "--draw", "drawn")
    assert (code, "Drawn: 1 figure(s) in drawn." in told) == (0, True), errors
    assert [p.name for p in (tmp_path / "drawn").rglob("*.*")] == ["safety.svg"]
    code, _, errors = call("verify-bundle", "b.zip", *trusted, "--draw", "drawn")
    assert (code, "drawn is there already and was left as it is" in errors) == (6, True)
    code, told, errors = call("verify-bundle", "b.zip", *trusted, "--earlier", "b.zip")
    assert (code, "It was let in before, as b.zip" in told) == (0, True), errors
    code, _, errors = call("verify-bundle", "b.zip", *trusted, "--signatures", "2")
    assert (code, "1 of 2 signatures are there" in errors) == (5, True)
    (tmp_path / "strict.yaml").write_text("min_count: 50\n", encoding="utf-8")
    code, _, errors = call("verify-bundle", "b.zip", *trusted, "--policy", "strict.yaml")
    assert (code, "min_count 10 instead of 50" in errors) == (5, True)
    (tmp_path / "cut.zip").write_bytes((tmp_path / "b.zip").read_bytes()[:-9])
    code, _, errors = call("verify-bundle", "cut.zip", *trusted)
    assert (code, "damaged on its way" in errors) == (3, True)

    code, told, errors = call("bundle", "again")  # compared with the first by itself
    assert code == 0, errors
    assert len(json.loads((tmp_path / "again/manifest.json").read_text())["earlier"]) == 1


@pytest.mark.parametrize(
    ("source", "where"), [("synthetic", ""), ("folder", " --site SITE --data DIR")]
)
def test_a_run_made_with_other_code_is_refused(call, home, source, where):
    call("site", "key", "north")
    finish(home, parameters=analyses.get("cohort").Params(source=source).model_dump())
    path = home / "notebooks" / "00_cohort.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["cells"].pop()
    path.write_text(json.dumps(notebook), encoding="utf-8")
    code, _, errors = call("bundle", "b", "cohort")
    assert code == 2
    assert "Run cohort is not up to date: notebook changed since it was made" in errors
    assert errors.strip().endswith(f"Run it: iesoresearch run cohort{where}")


def test_without_a_key_or_with_two_the_site_is_asked_for(call, home):
    assert "Whose bundle is it?" in call("bundle", "b")[2]
    for name in ("north", "south"):
        call("site", "key", name)
    assert "Whose bundle is it?" in call("bundle", "b")[2]
    assert "cannot be the name of a site" in call("bundle", "b", "--site", "No Th")[2]


def test_without_runs_there_is_no_bundle(call, home):
    call("site", "key", "north")
    shutil.rmtree(home / "reports" / "out")
    code, _, errors = call("bundle", "b")
    assert (code, "There is no finished run in" in errors) == (2, True)
    assert "Run some first: iesoresearch run --all --site north --data DIR" in errors


def test_words_that_somebody_typed_are_no_choices_of_the_package():
    fairness = analyses.get("fairness").Params().model_dump()
    status = {"analysis": "fairness", "parameters": fairness}
    assert bundle._worded(status) == list(fairness)  # all defaults
    status = {"analysis": "fairness", "parameters": {**fairness, **CHOSEN, "seed": 5}}
    assert set(fairness) - set(bundle._worded(status)) == set(CHOSEN)


def test_a_pre_registration_is_in_the_manifest_without_values(call, home):
    call("site", "key", "north")
    inputs = hashes.project_hashes(home, home / "notebooks" / "00_cohort.ipynb")
    planned = {**analyses.get("cohort").Params().model_dump(), "seed": 77}
    runs = {"cohort": {"analysis": "cohort", "parameters": planned, "inputs": inputs}}
    frozen = registration.freeze(home / "params", runs, {}, "2026-01-01T00:00:00Z")
    assert call("bundle", "b")[0] == 0
    said = json.loads((home.parent / "b" / "manifest.json").read_text())["frozen"]
    assert said["hash"] == frozen.hash
    assert said["changed"] == {"cohort": ["parameter seed"]}


def test_at_a_terminal_every_kind_of_finding_is_asked_for(call, home, tmp_path, monkeypatch):
    call("site", "key", "north")
    call("bundle", "b")
    asked = []
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.prompt", lambda text: asked.append(text) or "years only")
    monkeypatch.setattr("typer.confirm", lambda text, abort: asked.append(text))
    code, told, errors = call("sign-bundle", "b", "--name", "Ada", "--role", "checker")
    assert code == 0, errors
    assert asked == ["Why may they leave?", "Do you sign this?"]
    assert "1 finding(s) of “free text” must be looked at" in told
    signed = json.loads((tmp_path / "b" / "signature.json").read_text(encoding="utf-8"))
    assert signed["signatures"][0]["accepted"] == {"free text": "years only"}
