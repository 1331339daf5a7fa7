"""Everything a result depends on changes its key; nothing else does."""

import nbformat
import pytest

from iesoresearch import analyses, hashes
from iesoresearch.execution import cache
from iesoresearch.params import Settings, load_run

Params = analyses.get("subtypes").Params


@pytest.fixture
def inputs(sandbox):
    def compute(settings=None, **changes):
        spec = load_run(sandbox.project.params, "subtypes").with_parameters(changes)
        params = Params.check(spec.parameters, "test")
        return cache.inputs(sandbox.project, spec, params, settings or Settings())

    compute.sandbox = sandbox
    return compute


def changed(before, after):
    return {name for name in before if before[name] != after[name]}


def test_parameters(inputs):
    before = inputs()
    assert changed(before, inputs(seed=2)) == {"parameters"}
    assert changed(before, inputs()) == set()


def test_settings_that_change_no_result_do_not_count(inputs):
    assert inputs(settings=Settings(n_jobs=7)) == inputs(settings=Settings(n_jobs=1))


def edit(inputs, change):
    path = inputs.sandbox.project.notebooks / "10_subtypes.ipynb"
    notebook = nbformat.read(path, as_version=4)
    change(notebook)
    nbformat.write(notebook, path)


def test_notebook_source_counts_and_its_outputs_do_not(inputs):
    before = inputs()
    edit(inputs, lambda nb: [cell.update(outputs=[]) for cell in nb.cells if "outputs" in cell])
    assert changed(before, inputs()) == set()
    edit(inputs, lambda nb: nb.cells[-1].update(source="2"))
    assert changed(before, inputs()) == {"notebook"}


def test_lock_and_policy(inputs):
    before = inputs()
    (inputs.sandbox.project.root / "requirements.lock").write_text("numpy==2\n")
    (inputs.sandbox.project.params / "disclosure.yaml").write_text("min_count: 7\nround_to: 5")
    assert changed(before, inputs()) == {"lock", "disclosure"}
    before = inputs()
    site = inputs.sandbox.project.params / "sites" / "disclosure.yaml"
    site.parent.mkdir(exist_ok=True)
    site.write_text("min_count: 20")
    assert changed(before, inputs()) == {"disclosure"}


def test_data(inputs, tmp_path):
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "contacts.csv").write_text("referral_id\n")
    settings = Settings(search_path=(folder,))
    before = inputs(settings, source="folder")
    (folder / "contacts.csv").write_text("referral_id\na\n")
    assert changed(before, inputs(settings, source="folder")) == {"data"}


def test_installed_versions(inputs, monkeypatch):
    before = inputs()
    monkeypatch.setattr(cache, "version", lambda name: "0")
    assert changed(before, inputs()) == {"versions"}


def test_code(inputs, tmp_path, monkeypatch):
    before = inputs()
    copy = tmp_path / "package"
    copy.mkdir()
    (copy / "__init__.py").write_text("x = 1\n")
    first = hashes.code_hash(copy)
    (copy / "__init__.py").write_text("x = 2\n")
    second = hashes.code_hash(copy)
    (copy / "__init__.py").rename(copy / "other.py")
    third = hashes.code_hash(copy)
    (copy / "parameters.yaml").write_text("severity: 1\n")
    assert len({first, second, third, hashes.code_hash(copy)}) == 4
    monkeypatch.setattr(hashes, "code_hash", lambda: first)
    assert changed(before, inputs()) == {"code"}


def test_key_is_the_key_of_all_inputs():
    assert cache.key({"a": "1"}) != cache.key({"a": "2"})
    assert cache.key({"a": "1", "b": "2"}) == cache.key({"b": "2", "a": "1"})
