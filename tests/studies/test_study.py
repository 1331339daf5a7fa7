"""What a study writes: every replicate with its seed, the same however it was run."""

import json
import pkgutil
import subprocess
import sys

import numpy as np
import pytest

from iesoresearch.project import find

SOURCE = '''"""Means of draws.

More words.
"""

import numpy as np
from _study import Study
from iesoresearch.seeds import rng


def replicate(seed, size, draw):
    drawn = rng(seed).random(size)
    return {"mean": drawn.mean(), "few": drawn[:2], "none": np.nan, "n": np.int64(size)}


PLAN = [{"size": s, "draw": i} for s in (3, 5) for i in range(3)]
STUDY = Study(__file__, __doc__, PLAN, replicate)

if __name__ == "__main__":
    STUDY.main()
'''


@pytest.fixture
def script(tmp_path, load_study):
    folder = tmp_path / "studies"
    folder.mkdir()
    helper = load_study("_study").__file__
    with open(helper, encoding="utf-8") as stream:
        (folder / "_study.py").write_text(stream.read(), encoding="utf-8")
    (folder / "means.py").write_text(SOURCE, encoding="utf-8")
    return folder / "means.py"


def run(script, *words):
    command = [sys.executable, str(script), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_it_writes_the_same_whatever_the_number_of_processes(script):
    path = script.parents[1] / "reports" / "studies" / "means.json"
    run(script)
    first = path.read_bytes()
    run(script, "--jobs", "2")
    assert path.read_bytes() == first
    content = json.loads(first)
    assert content["study"] == "means"
    assert content["about"].startswith("Means of draws.")
    assert content["versions"]["numpy"] == np.__version__
    found = content["replicates"]
    assert [(r["size"], r["draw"]) for r in found] == [(s, i) for s in (3, 5) for i in range(3)]
    assert len({r["seed"] for r in found}) == 6
    assert all(r["none"] is None and r["n"] == r["size"] for r in found)


def test_a_replicate_alone_is_the_one_of_the_whole(script):
    path = script.parents[1] / "reports" / "studies" / "means.json"
    shown = [json.loads(line) for line in run(script, "--only", "4,1").splitlines()]
    assert not path.exists()
    run(script)
    found = json.loads(path.read_text(encoding="utf-8"))["replicates"]
    assert shown == [found[4], found[1]]


def test_a_longer_plan_leaves_replicates_as_they_were(load_study):
    kind = load_study("_study").Study
    short, long = (
        kind("x.py", "", [{"draw": i} for i in numbers], lambda seed, draw: {})
        for numbers in ((3, 4), (1, 2, 3, 4))
    )
    assert [short.seed(0), short.seed(1)] == [long.seed(2), long.seed(3)]
    assert all(0 <= long.seed(i) < 2**32 for i in range(4))


def test_every_study_has_reported_what_it_plans(reported):
    for path in (find().root / "studies").glob("[!_]*.py"):
        if "STUDY.main()" in path.read_text(encoding="utf-8"):
            assert reported(path.stem), path.stem


def test_no_study_takes_the_place_of_a_package():
    """Python looks beside a script first: studies/coverage.py would be the coverage of numba."""
    elsewhere = [folder for folder in sys.path if not folder.endswith("studies")]
    taken = {"coverage", *sys.stdlib_module_names}
    taken |= {module.name for module in pkgutil.iter_modules(elsewhere)}
    assert not taken & {path.stem for path in (find().root / "studies").glob("*.py")}
