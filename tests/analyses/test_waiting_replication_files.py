"""Cases are found by name or by path, and a result depends on what is in their files."""

import os
import shutil

import pytest

from iesoresearch import analyses, project
from iesoresearch.analyses.waiting_replication import Params, files
from iesoresearch.errors import ParameterError
from iesoresearch.params import Settings


@pytest.fixture
def cases(tmp_path, monkeypatch):
    """The folder of the shipped cases, two, of a project; the command is called beside it."""
    root = tmp_path / "project"
    (root / "notebooks").mkdir(parents=True)
    folder = root / "params" / "cases"
    (folder / "examples").mkdir(parents=True)
    (root / "params" / "paper.yaml").write_text("runs: [a]\n", encoding="utf-8")
    for name in ("two_trees", "one_cohort"):
        (folder / f"{name}.yaml").write_text(f"id: {name}\n", encoding="utf-8")
    (folder / "README.md").write_text("no case", encoding="utf-8")
    (folder / "examples" / "example.yaml").write_text("id: example\n", encoding="utf-8")
    monkeypatch.setenv("IESORESEARCH_PROJECT", str(root))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return folder


def key(**parameters):
    analysis = analyses.get("waiting_replication")
    return analysis.fingerprint(analysis.Params.check(parameters, "Run x"), Settings())


def test_all_are_the_shipped_ones_in_order_without_the_examples(cases):
    assert [path.stem for path in files.find("all")] == ["one_cohort", "two_trees"]


def test_a_shipped_case_is_found_by_name_from_any_folder(cases):
    assert files.find("two_trees") == (cases / "two_trees.yaml",)


@pytest.mark.parametrize("suffix", [".yaml", ".yml"])
def test_a_path_starts_from_the_folder_where_one_is(cases, tmp_path, suffix):
    own = tmp_path / "elsewhere" / f"mine{suffix}"
    own.write_text("id: mine\n", encoding="utf-8")
    assert files.find(own.name) == (own,)
    assert files.find(str(own)) == (own,)
    assert files.find(f"../elsewhere/mine{suffix}")[0].samefile(own)


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("two_tree", r"case='two_tree': no case is called so.*Did you mean two_trees\?"),
        ("x/two_tree.yaml", r"no such file in the folder you are in\. Did you mean two_trees\?"),
        ("qqq", r"The cases are one_cohort, two_trees; a file is named with its folder\."),
        ("mine.txt", r"it is a file, but none that ends in \.yaml\."),
        (".", r"no such file in the folder you are in"),
        ("", r"no such file in the folder you are in"),
    ],
)
def test_what_is_not_there_is_one_sentence(cases, tmp_path, case, message):
    (tmp_path / "elsewhere" / "mine.txt").write_text("id: x\n", encoding="utf-8")
    with pytest.raises(ParameterError, match=message):
        key(case=case)


def test_a_file_that_must_not_be_read_is_one_sentence(cases, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(ParameterError, match=r"case='two_trees': .*two_trees\.yaml cannot be read"):
        key(case="two_trees")


def test_the_content_of_a_file_is_in_the_key_and_its_place_is_not(cases, tmp_path, monkeypatch):
    own = tmp_path / "elsewhere" / "mine.yaml"
    own.write_text("id: mine\n", encoding="utf-8")
    first = key(case="mine.yaml")
    shutil.copytree(own.parent, tmp_path / "other")
    monkeypatch.chdir(tmp_path / "other")
    assert key(case="mine.yaml") == first
    (tmp_path / "other" / "mine.yaml").write_text("id: mine # changed\n", encoding="utf-8")
    assert key(case="mine.yaml") != first


def test_the_content_of_shipped_cases_is_in_the_key(cases):
    first, one = key(case="all"), key(case="one_cohort")
    (cases / "two_trees.yaml").write_text("id: other\n", encoding="utf-8")
    assert key(case="all") != first
    assert key(case="one_cohort") == one
    second = key(case="all")
    (cases / "three.yaml").write_text("id: three\n", encoding="utf-8")
    assert key(case="all") != second


def test_no_patient_is_read_and_all_cases_are_the_default():
    params = Params()
    assert not params.reads_patients
    assert params.case == "all"
    assert params.files_beside == tuple(map(str, files.find("all")))
    assert project.find().params / "cases" in {path.parent for path in files.find("all")}
