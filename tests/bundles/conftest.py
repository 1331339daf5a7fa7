"""Finished runs made by hand from small results, and bundles of them."""

from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl
import pytest

from iesoresearch import bundles, files, stored
from iesoresearch.disclosure import Policy, release
from iesoresearch.results import Check, FigureSpec, Number, Result, Table, Value

POLICY = Policy()
PICTURE = "never in a bundle"
CANARY = "row-of-patient-4711"
NHS_NUMBER = "943 476 5919"  # the example of the NHS data dictionary: valid check digit, nobody's
FOLDER = "extract of Wilhelmina"
PARAMETERS = {"source": "folder", "seed": 1, "file": f"{NHS_NUMBER}.csv", "list": [CANARY]}
MADE = "2026-11-23T08:00:00Z"


def a_result(sensitivity="patient", scale=1, **changes) -> Result:
    """A released result with a suppressed cell, a figure and a sentence."""
    count = Value("count", "People", 0, sensitivity=sensitivity, parts_of=())
    better = replace(count, label="Recovered", parts_of=None, within="n")
    table = Table(
        "Patients by group",
        pl.DataFrame(
            {
                "group": ["a", "b", "c", "d"],
                "n": [200 * scale, 120 * scale, 60 * scale, 13],
                "better": [100 * scale, 61 * scale, 30 * scale, 2],
            }
        ),
        {"group": "Group"},
        {"n": count, "better": better},
        population="patients",
    )
    whole = 393 * scale
    result = Result(
        tables={"groups": table},
        numbers={"people": Number(whole, whole, "people", 0, "count", sensitivity)},
        checks=[Check("range", "passed", "All {people} are in range.")],
        text={"plain": "Of {people} most recovered."},
        figures={"dots": FigureSpec("groups", "Dots", "All {people}.")},
        provenance={
            "title": "Who recovers",
            "data": FOLDER if sensitivity == "patient" else "drawn referrals",
            "data_fingerprint": f"f{scale}",
            "sensitivity": sensitivity,
        },
        private={"rows": pl.DataFrame({"patient_id": [CANARY], "nhs": [NHS_NUMBER]})},
    )
    return release(replace(result, **changes), POLICY)


def finished(out: Path, name: str, result: Result, **changes) -> Path:
    """Write the folder of a finished run as the runner leaves it."""
    folder = files.partial(out / name)
    stored.write_result(
        replace(result, private={}),
        folder,
        lambda figure, where: (where / f"{figure}.svg").write_text(PICTURE, encoding="utf-8"),
    )
    files.write_private(folder, result.private)
    (folder / "notebook.ipynb").write_text(f'{{"cells": "{CANARY}"}}', encoding="utf-8")
    status = {
        "run": name,
        "analysis": "cohort",
        "notebook": "00_cohort.ipynb",
        "parameters": {
            "source": "folder",
            "seed": 1,
            "file": f"{NHS_NUMBER}.csv",
            "list": [CANARY],
        },
        "outcome": "finished",
        "key": "k",
        "inputs": {"code": "c", "disclosure": "d", "data": "f"},
        "versions": {"iesoresearch": "0.1.0", "polars": "2.1.0"},
        "started": "2026-11-22T12:00:00Z",
        "seconds": 1.0,
    }
    files.finish(folder, out / name, status | changes)
    return out / name


@dataclass(frozen=True)
class Site:
    """A site with a key, a finished run, and a place for bundles."""

    root: Path
    key: bundles.SigningKey
    run: Path

    @property
    def public(self) -> Path:
        """The file of its public key."""
        return self.root / "ieso.pub"

    def make(self, name="new", runs=None, **more) -> Path:
        """A bundle, not signed."""
        more = {"site": "ieso", "policy": POLICY} | more
        about = more.pop("about", bundles.About(made=MADE, worded=lambda status: ("source",)))
        path = self.root / name
        bundles.make(runs or [self.run], path, about=about, **more)
        return path

    def sign(self, path: Path, **more):
        """Sign it as somebody."""
        more = {"name": "Ada", "role": "output checker", "when": MADE} | more
        return bundles.sign(path, self.key, **more)


@pytest.fixture
def site(tmp_path) -> Site:
    key = bundles.SigningKey.make(tmp_path / "ieso.key", "ieso")
    return Site(tmp_path, key, finished(tmp_path / "out", "first", a_result()))


@pytest.fixture
def signed(site) -> Path:
    path = site.make()
    site.sign(path)
    return path
