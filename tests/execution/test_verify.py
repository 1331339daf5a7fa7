"""`verify` names the numbers that moved, all of them and no others."""

import copy
import csv
import json

import pytest

from iesoresearch import analyses, figures, files, stored
from iesoresearch.errors import DataError, ParameterError
from iesoresearch.execution import session, verify
from iesoresearch.figures.style import save
from iesoresearch.params import known_runs, load_run

from .conftest import TINY

Params = analyses.get("subtypes").Params
EXPECTED = {
    "numbers": {
        "bic": {"value": 10.0, "unit": "", "n": 50, "tolerance": {"absolute": 0.05, "reason": "r"}},
        "word": {"value": "a", "unit": "", "n": 50, "tolerance": {"absolute": 0.0, "reason": "r"}},
        "gone": {
            "value": None,
            "unit": "",
            "n": None,
            "tolerance": {"absolute": 0.5, "reason": "r"},
        },
    },
    "checks": {"converged": "passed"},
    "tables": {
        "t": {"tolerance": {"p": 0.005}, "rows": {"k 1": {"p": "0.25"}, "k 2": {"p": ""}}},
    },
}


def moved(change):
    found = copy.deepcopy(EXPECTED)
    change(found)
    return [(d.name, d.expected, d.found) for d in verify.compare("run", EXPECTED, found)]


def test_equal():
    assert moved(lambda found: None) == []


@pytest.mark.parametrize(("value", "differs"), [(10.049, False), (10.051, True), (9.951, False)])
def test_tolerance_is_respected(value, differs):
    found = moved(lambda f: f["numbers"]["bic"].update(value=value))
    assert found == ([("bic", "10", f"{value:g}")] if differs else [])


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda f: f["numbers"]["word"].update(value="b"), ("word", "a", "b")),
        (lambda f: f["numbers"]["bic"].update(n=51), ("bic (n)", "50", "51")),
        (lambda f: f["numbers"]["gone"].update(value=3), ("gone", "–", "3")),
        (lambda f: f["numbers"]["bic"].update(value=None), ("bic", "10", "–")),
        (lambda f: f["numbers"]["bic"].update(value=float("nan")), ("bic", "10", "nan")),
        (lambda f: f["numbers"].pop("bic"), ("bic", "10", "–")),
        (lambda f: f["numbers"].update(new=EXPECTED["numbers"]["bic"]), ("new", "–", "10")),
        (
            lambda f: f["checks"].update(converged="failed"),
            ("check: converged", "passed", "failed"),
        ),
        (lambda f: f["tables"]["t"]["rows"]["k 1"].update(p="0.26"), ("t[k 1].p", "0.25", "0.26")),
        (lambda f: f["tables"]["t"]["rows"]["k 2"].update(p="0.1"), ("t[k 2].p", "–", "0.1")),
        (lambda f: f["tables"]["t"]["rows"].pop("k 1"), ("t[k 1]", "there", "–")),
        (lambda f: f["tables"].pop("t"), ("table t", "there", "–")),
    ],
)
def test_every_kind_of_difference_is_named(change, expected):
    assert moved(change) == [expected]


def compute(sandbox, out, seed=1):
    """A real, tiny run without a kernel: what a notebook saves."""
    values = {"source": "synthetic", "n_patients": 80, "max_states": 1, "n_starts": 1}
    values |= {"n_folds": 2, "n_bootstrap": 20, "seed": seed}
    study = session.open_analysis("subtypes", values)
    study.run()
    target = files.partial(out / "subtypes")
    stored.write_result(
        study.result,
        target,
        lambda n, where: save(figures.draw(study.result, n, "subtypes"), where, n),
    )
    files.finish(target, out / "subtypes", {"run": "subtypes"})


def by_hand(a, b):  # noqa: C901  (a second implementation, kept in one piece on purpose)
    """Names of all numbers and cells of run folders `a` and `b` that differ, told independently."""
    names = set()
    numbers = [json.loads((x / "numbers.json").read_text()) for x in (a, b)]
    for name, number in numbers[0].items():
        other = numbers[1][name]
        if isinstance(number["value"], str) or None in (number["value"], other["value"]):
            if number["value"] != other["value"]:
                names.add(name)
        elif abs(number["value"] - other["value"]) > number["tolerance"]["absolute"]:
            names.add(name)
        if number["n"] != other["n"]:
            names.add(f"{name} (n)")
    checks = [json.loads((x / "checks.json").read_text()) for x in (a, b)]
    for one, other in zip(*checks, strict=True):
        if one["status"] != other["status"]:
            names.add(f"check: {one['name']}")
    described = json.loads((a / "result.json").read_text())["tables"]
    for table, meta in described.items():
        rows = []
        for x in (a, b):
            with (x / "tables" / f"{table}.csv").open(newline="") as stream:
                read = list(csv.DictReader(stream))
            rows.append({tuple(r[k] for k in meta["keys"]): r for r in read})
        for key in rows[0].keys() | rows[1].keys():
            label = ", ".join(f"{k} {v}" for k, v in zip(meta["keys"], key, strict=True))
            if key not in rows[0] or key not in rows[1]:
                names.add(f"{table}[{label}]")
                continue
            for column, value in meta["values"].items():
                cells = [r[key][column] for r in rows]
                if cells[0] == cells[1]:
                    continue
                if (
                    "" in cells
                    or abs(float(cells[0]) - float(cells[1])) > 0.5 * 10 ** -value["digits"]
                ):
                    names.add(f"{table}[{label}].{column}")
    return names


def test_mutation(sandbox, tmp_path):
    """Change one input: exactly the numbers that moved are named."""
    first, second = tmp_path / "first", tmp_path / "second"
    compute(sandbox, first)
    expected_dir = sandbox.project.expected
    assert verify.update(first, expected_dir, ["subtypes"]) == []
    assert verify.verify(first, expected_dir, ["subtypes"]) == []

    compute(sandbox, second, seed=2)
    differences = verify.verify(second, expected_dir, ["subtypes"])
    names = [d.name for d in differences]
    assert len(names) == len(set(names)) > 20
    assert set(names) == by_hand(first / "subtypes", second / "subtypes")
    assert "n_starts" not in names
    assert "log_likelihood" in names

    changed = verify.update(second, expected_dir, ["subtypes"])
    assert [d.name for d in changed] == names
    assert verify.verify(second, expected_dir, ["subtypes"]) == []


def test_no_expected_numbers(tmp_path):
    with pytest.raises(ParameterError, match=r"no expected numbers for run x .* verify --update"):
        verify.read_expected(tmp_path, "x")


@pytest.fixture
def recorded(sandbox):
    """Record that a run cannot be answered here; returns what verify makes of all specs."""

    def record(*names, **changes):
        specs = [load_run(sandbox.project.params, n) for n in known_runs(sandbox.project.params)]
        for spec in specs:
            if spec.name in names:
                values = Params.check(spec.parameters | changes, "test").model_dump()
                path = files.record_path(sandbox.out, spec.name)
                path.parent.mkdir(parents=True, exist_ok=True)
                content = {"run": spec.name, "reason": "Only totals.", "parameters": values}
                files.write_json(path, content | {"inputs": {}})
                (sandbox.project.expected / f"{spec.name}.json").write_text(json.dumps(EXPECTED))
        return lambda accepting=False: verify.not_applicable(
            sandbox.out, sandbox.project.expected, specs, accepting=accepting
        )

    sandbox.declare("second", "10_subtypes.ipynb", TINY)
    return record


def test_a_run_that_is_not_applicable_is_left_out_with_its_reason(recorded):
    assert recorded("subtypes")() == {"subtypes": "Only totals."}


def test_what_was_recorded_with_other_parameters_does_not_count(recorded):
    assert recorded("subtypes", seed=99)() == {}


def test_a_run_that_is_not_applicable_still_needs_expected_numbers(recorded, sandbox):
    found = recorded("subtypes")
    (sandbox.project.expected / "subtypes.json").unlink()
    assert found(accepting=True) == {"subtypes": "Only totals."}
    with pytest.raises(ParameterError, match="no expected numbers for run subtypes"):
        found()


def test_comparing_nothing_at_all_is_no_success(recorded):
    with pytest.raises(
        DataError, match=r"no run is applicable here\. second: Only totals\. subtyp"
    ):
        recorded("subtypes", "second")()


def test_a_result_whose_data_are_gone_is_compared_and_said_to_be_old(recorded, sandbox):
    found = recorded("subtypes")
    values = Params.check(TINY, "test").model_dump()
    status = {"run": "subtypes", "inputs": {}, "parameters": values}
    files.finish(files.partial(sandbox.out / "subtypes"), sandbox.out / "subtypes", status)
    assert found() == {}
    spec = load_run(sandbox.project.params, "subtypes")
    notes = verify.notes(sandbox.out, sandbox.project, [spec], accepting=False)
    assert notes[-1] == "Run subtypes was made from data that are gone. Only totals."


def test_no_valid_result(tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "x.json").write_text(json.dumps(EXPECTED))
    with pytest.raises(
        DataError, match=r"x has no valid result .* Run it again: iesoresearch run x"
    ):
        verify.verify(tmp_path, tmp_path, ["x"])
