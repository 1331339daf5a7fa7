"""What a bundle holds, what it never holds, and when there is none."""

import errno
import json
import os
from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iesoresearch import bundles, stored
from iesoresearch.bundles import contents, traces
from iesoresearch.disclosure import Policy
from iesoresearch.disclosure.findings import Finding
from iesoresearch.errors import DataError, DisclosureError, OutputError, ParameterError

from .conftest import CANARY, FOLDER, MADE, NHS_NUMBER, PICTURE, POLICY, a_result, finished


def read(path):
    return contents.read(path)


def test_only_aggregates_of_allowed_types_are_in_it(site):
    assert sorted(read(site.make())) == [
        *("disclosure.html", "disclosure.json", "manifest.json", "ro-crate-metadata.json"),
        *(f"runs/first/{name}.json" for name in ("checks",)),
        "runs/first/figures/dots.csv",
        *(f"runs/first/{name}.json" for name in ("numbers", "result")),
        "runs/first/tables/groups.csv",
    ]


def test_what_is_in_it_is_the_released_result(site):
    found = stored.read_result(site.make() / "runs" / "first")
    assert found.tables["groups"].frame.equals(a_result().tables["groups"].frame)
    assert found.tables["groups"].values == a_result().tables["groups"].values
    assert str(found.numbers["people"]) == "395 people"


def test_no_value_of_a_patient_and_nothing_of_the_machine_is_in_it(site, monkeypatch):
    """Canaries stand in rows, the notebook, parameters and the name of the folder of the data."""
    monkeypatch.setattr("socket.gethostname", lambda: "ward-seven-pc")
    monkeypatch.setattr("getpass.getuser", lambda: "wilhelmina.k")
    everything = b"\0".join(read(site.make()).values())
    planted = [PICTURE, CANARY, NHS_NUMBER, NHS_NUMBER.replace(" ", ""), FOLDER, "Wilhelmina"]
    planted += ["ward-seven-pc", "wilhelmina.k", str(site.root), str(site.root.parent)]
    assert [word for word in planted if word.encode() in everything] == []
    said = json.loads(read(site.root / "new")["manifest.json"])
    assert said["runs"]["first"]["parameters"] == {
        **{"source": "folder", "seed": 1, "file": "(withheld: words of the site)"},
        "list": ["(withheld: words of the site)"],
    }
    assert said["runs"]["first"]["data"] == {"name": "records of the site", "fingerprint": "f1"}


WORDS = st.text("abcdefghijklmnopqrstuvwxyz 0123456789@-", min_size=8, max_size=20)


@given(words=st.lists(WORDS, min_size=5, max_size=5, unique=True))
@settings(max_examples=15, deadline=None)
def test_no_word_of_any_patient_is_in_it(tmp_path_factory, words):
    """Whatever stands in rows, in parameters however deep, or as the name of the data's folder."""
    row, name, deep, key, folder = (f"q{word}q" for word in words)  # no words of ours
    root = tmp_path_factory.mktemp("canary")
    provenance = a_result().provenance | {"data": folder}
    del provenance["disclosure"]  # not yet released
    texts = {"plain": f"{folder}: {{people}}.", "limits": f"Not of {folder}."}
    result = a_result(
        private={"rows": pl.DataFrame({"patient_id": [row]})}, provenance=provenance, text=texts
    )
    parameters = {"a": name, "b": [1, [deep]], "c": {key: 1}}
    run = finished(root / "out", "any", result, parameters=parameters, notebook=f"/{name}/a.ipynb")
    path = root / "b"
    bundles.make([run], path, site="ieso", policy=POLICY)
    everything = b"\0".join(read(path).values())
    assert [w for w in (row, name, deep, key, folder) if w.encode() in everything] == []


def test_words_of_the_data_are_replaced_in_sentences_too(site):
    words = {"text": {"plain": f"Data: {FOLDER}. {{people}}."}}
    run = finished(site.root / "out", "said", a_result(**words))
    assert stored.read_result(site.make(runs=[run]) / "runs/said").text == {
        "plain": "Data: records of the site. {people}."
    }


@pytest.mark.parametrize(
    ("folder", "said"),
    [("tables", "All tables"), ("North", "Of the records of the site, not Northern")],
)
def test_our_own_words_tell_nothing_of_a_folder(site, folder, said):
    """PARTNERS.md proposes `tables`: its sentences stay, and no file has to be looked at for it."""
    provenance = a_result().provenance | {"data": folder}
    del provenance["disclosure"]
    plain = "All tables of {people}. Of the North, not Northern."
    run = finished(site.root / "out", "own", a_result(provenance=provenance, text={"plain": plain}))
    path = site.make(runs=[run])
    assert said in stored.read_result(path / "runs" / "own").text["plain"]
    found = json.loads((path / "disclosure.json").read_text(encoding="utf-8"))["findings"]
    assert "names" not in {one["rule"] for one in found}
    manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["runs"]["own"]["data"]["name"] == "records of the site"


def test_a_folder_of_this_machine_is_refused_and_a_name_is_looked_at(site, monkeypatch):
    here = a_result(text={"plain": f"Read from {site.root}/x."})
    run = finished(site.root / "out", "here", here)
    with pytest.raises(DisclosureError, match="must not leave"):
        site.make(runs=[run], about=bundles.About(folders=[site.root]))
    monkeypatch.setattr("socket.gethostname", lambda: "recovered")
    found = bundles.make([site.run], site.root / "b", site="ieso", policy=POLICY).findings
    assert {one.rule for one in found if one.status == "review"} == {"names"}


def test_the_same_runs_give_the_same_bytes_but_for_the_time(site):
    first = read(site.make("first"))
    assert read(site.make("second")) == first
    later = read(site.make("third", about=bundles.About(made="2027-01-01T00:00:00Z")))
    differ = {name for name in first if first[name] != later[name]}
    assert differ == {"manifest.json", "ro-crate-metadata.json"}  # parameters are withheld here
    assert read(site.make("fourth.zip")) == first
    assert (site.root / "fourth.zip").read_bytes() == contents.zipped(first)


def test_the_manifest_says_how_it_was_made(site):
    said = json.loads(read(site.make(sharing="pooled only"))["manifest.json"])
    assert (said["site"], said["made"], said["sharing"]) == ("ieso", MADE, "pooled only")
    assert said["policy"]["min_count"] == 10
    assert set(said["software"]) == {"iesoresearch", "python", "platform"}
    assert said["runs"]["first"]["inputs"] == {"code": "c", "disclosure": "d", "data": "f"}
    assert said["runs"]["first"]["versions"] == {"iesoresearch": "0.1.0", "polars": "2.1.0"}
    assert (said["frozen"], said["earlier"], said["signatures"]) == (None, [], 1)


def test_the_crate_lists_every_file_with_its_digest(site):
    files = read(site.make())
    graph = json.loads(files["ro-crate-metadata.json"])["@graph"]
    listed = {one["@id"]: one["sha256"] for one in graph if one["@type"] == "File"}
    said = json.loads(files["manifest.json"])["files"]
    expected = {name: one["sha256"] for name, one in said.items()}
    del expected["ro-crate-metadata.json"]
    assert listed == expected


def refused_runs():
    from iesoresearch.files import finish, partial

    def changed(site):
        (site.run / "tables" / "groups.csv").write_text("group\n", encoding="utf-8")
        return site.run

    def never(site):
        return site.root / "out" / "never"

    def failed(site):
        return finished(site.root / "out", "failed", a_result(), outcome="failed")

    def moved(site):
        return site.run.rename(site.run.with_name("moved"))

    def older(site):
        folder = partial(site.root / "out" / "older")
        stored.write_result(a_result(), folder)
        said = json.loads((folder / "result.json").read_text(encoding="utf-8"))
        del said["format"]
        (folder / "result.json").write_text(json.dumps(said), encoding="utf-8")
        finish(folder, folder.with_name("older"), {"run": "older", "outcome": "finished"})
        return folder.with_name("older")

    return {f.__name__: f for f in (changed, never, failed, moved, older)}


@pytest.mark.parametrize("case", refused_runs())
def test_a_run_without_a_valid_result_is_refused(site, case):
    run = refused_runs()[case](site)
    with pytest.raises(DataError, match=f"{run.name}.*[Rr]un it again"):
        site.make(runs=[run])
    assert not (site.root / "new").exists()


def test_a_run_that_is_not_up_to_date_is_refused(site):
    about = bundles.About(changed=lambda status: ("code", "parameter seed"))
    with pytest.raises(ParameterError, match="first is not up to date: code, parameter seed"):
        site.make(about=about)


@pytest.mark.parametrize("said", [None, {"min_count": 5, "round_to": 5}])
def test_a_run_released_under_another_policy_is_refused(site, said):
    result = a_result()
    result.provenance["disclosure"] = said
    run = finished(site.root / "out", "other", result)
    with pytest.raises(DisclosureError, match="not released under the disclosure policy of today"):
        site.make(runs=[run])
    with pytest.raises(DisclosureError, match="not released under the disclosure policy of today"):
        site.make(policy=Policy(min_count=20))


def test_nothing_is_written_if_something_must_not_leave_and_a_page_says_why(site):
    result = a_result()
    small = result.tables["groups"].frame.with_columns(better=pl.lit(3, dtype=pl.Int64))
    tables = {"groups": replace(result.tables["groups"], frame=small)}
    run = finished(site.root / "out", "small", replace(result, tables=tables))
    with pytest.raises(DisclosureError, match=r"table:groups.*new\.refused\.html") as refused:
        site.make(runs=[run])
    assert refused.value.exit_code == 5
    assert not (site.root / "new").exists()
    page = (site.root / "new.refused.html").read_text(encoding="utf-8")
    assert "must not leave" in page
    assert "small, table:groups" in page


def test_a_table_that_nobody_can_look_through_is_refused(site, monkeypatch):
    monkeypatch.setattr("iesoresearch.bundles.examining.MOST_ROWS", 3)
    with pytest.raises(DisclosureError, match="csv: The file has more than 3 rows"):
        site.make()
    monkeypatch.setattr("iesoresearch.bundles.examining.MOST_BYTES", 10)
    with pytest.raises(DisclosureError, match=r"checks\.json: The file is larger than"):
        site.make()


def test_a_column_that_nobody_declared_is_refused(site, monkeypatch):
    from iesoresearch.bundles import examining

    table = a_result().tables["groups"]
    object.__setattr__(table, "frame", table.frame.with_columns(extra=1))
    result = replace(a_result(), tables={"groups": table})
    [found] = examining._undeclared({"first": result})
    assert (found.output, found.status) == ("table:groups", "refuse")


def write_model(result, path):
    path.write_text('{"coefficients": [1, 2]}\n', encoding="utf-8")


@pytest.mark.parametrize("status", ["pass", "refuse"])
def test_documents_are_checked_by_the_rules_of_model_files(site, monkeypatch, status):
    seen = []

    def check(path, policy):
        seen.append((path.name, path.read_text(encoding="utf-8"), policy))
        return [Finding("", "file:model.json", status, "leaves", "A leaf.")]

    monkeypatch.setattr("iesoresearch.disclosure.model_files.check", check)
    result = a_result(documents={"model.json": write_model})
    run = finished(site.root / "out", "model", result)
    if status == "refuse":
        with pytest.raises(DisclosureError, match=r"Run model, file:model.json: A leaf\."):
            site.make(runs=[run])
    else:
        assert read(site.make(runs=[run]))["runs/model/model.json"].startswith(b'{"coeff')
    assert seen == [("model.json", '{"coefficients": [1, 2]}\n', POLICY)]


@pytest.mark.parametrize("name", ["rows.parquet", "log.txt", "a b.json", "x.ipynb"])
def test_a_document_of_another_type_is_refused(site, name):
    result = a_result(documents={name: lambda _, path: path.write_text("1", encoding="utf-8")})
    run = finished(site.root / "out", "odd", result)
    with pytest.raises(DisclosureError, match=f"{name} is no file that a bundle may hold"):
        site.make(runs=[run])


def test_what_is_there_is_left_as_it_is(site):
    for name in ("there", "there.zip"):
        (site.root / name).write_text("mine", encoding="utf-8")
        with pytest.raises(OutputError, match="is there already and was left as it is"):
            site.make(name)
        assert (site.root / name).read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("name", ["new", "new.zip"])
def test_a_full_disk_leaves_nothing_behind(site, monkeypatch, name):
    before = sorted(p.name for p in site.root.iterdir())

    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        site.make(name)
    left = [p.name for p in site.root.iterdir() if not p.name.startswith(".")]
    assert sorted(left) == before


@pytest.mark.parametrize("name", ["", "Ieso", "a/b", "..", "a b", "x" * 61])
def test_names_of_sites_are_plain(site, name):
    with pytest.raises(ParameterError, match="cannot be the name of a site"):
        site.make(site=name)


def test_no_run_and_a_run_twice_are_refused(site):
    with pytest.raises(ParameterError, match="no finished run to bundle"):
        bundles.make([], site.root / "b", site="ieso", policy=POLICY)
    with pytest.raises(ParameterError, match="A run is named twice"):
        site.make(runs=[site.run, site.run])
    with pytest.raises(ParameterError, match="needs 1 to 9 signatures"):
        site.make(about=bundles.About(signatures=0))


def test_names_of_open_and_drawn_data_stay():
    for kind in ("open", "synthetic"):
        result = a_result(kind)
        assert traces.without_name_of_data(result) is result
