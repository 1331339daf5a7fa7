"""Studies and what they reported, for the tests that assert what they claim."""

import json
import math

import pytest

EVERY = 50  # one replicate in this many (2 %) is computed again


@pytest.fixture(scope="session")
def reported(load_study):
    """Give the replicates that a study reported, which must be those of its plan."""

    def replicates(name):
        study = load_study(name).STUDY
        found = json.loads(study.path.read_text(encoding="utf-8"))["replicates"]
        again = f"the plan or the seeds of studies/{name}.py have changed: run it again"
        planned = [{"seed": study.seed(i), **case} for i, case in enumerate(study.plan)]
        assert len(found) == len(planned), again
        for record, case in zip(found, planned, strict=True):
            assert record.items() >= case.items(), again
        return found

    return replicates


@pytest.fixture(scope="session")
def assert_again(load_study, reported):
    """Compute 2 % of the replicates again; they must be what was reported.

    `rel` and `abs` allow for other machines, whose last digits differ; `counts` for one that is on
    the edge of being counted there.
    """

    def check(name, rel=1e-5, abs=1e-8, counts=0):
        study, found = load_study(name).STUDY, reported(name)
        for number in range(0, len(found), EVERY):
            assert_alike(study.record(number), found[number], rel, abs, counts, f"{name}[{number}]")

    return check


def assert_alike(a, b, rel, tol, counts, where):
    if isinstance(a, dict):
        assert a.keys() == b.keys(), where
        for name in a:
            assert_alike(a[name], b[name], rel, tol, counts, f"{where}.{name}")
    elif isinstance(a, list):
        assert len(a) == len(b), where
        for i, (x, y) in enumerate(zip(a, b, strict=True)):
            assert_alike(x, y, rel, tol, counts, f"{where}[{i}]")
    elif isinstance(a, float) and isinstance(b, float):
        assert math.isclose(a, b, rel_tol=rel, abs_tol=tol), (where, a, b)
    elif counts and type(a) is type(b) is int:
        assert a == pytest.approx(b, abs=counts), (where, a, b)
    else:
        assert a == b, (where, a, b)
