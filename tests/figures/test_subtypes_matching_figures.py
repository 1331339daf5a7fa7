"""Figures of `subtypes_matching` show the released numbers and survive suppression."""

import numpy as np
import polars as pl
import pytest

from iesoresearch.figures import subtypes_matching
from iesoresearch.results import SIMULATED, Table, Value

ESTIMATES = {
    "estimate": [-2.0, 1.0, 0.5],
    "estimate_low": [-3.0, 0.0, 0.0],
    "estimate_high": [-1.0, 2.0, 1.0],
    "n": [120, 200, 320],
}
KEYS = {"effects": "group", "rules": "rule", "calibration": "group"}


def table(name, true=False, hidden=False, sensitivity="patient"):
    keys = [1, 2, 3] if name == "calibration" else ["1: mild", "2: severe", "all patients"]
    columns = {KEYS[name]: keys, **ESTIMATES}
    if name == "calibration":
        columns["predicted"] = [-1.0, 0.0, 1.0]
    if true:
        columns["true"] = [-1.5, 1.5, 0.0]
    frame = pl.DataFrame(columns)
    if hidden:
        first = pl.int_range(pl.len()) == 0
        frame = frame.with_columns(pl.when(~first).then(pl.exclude(KEYS[name])))
    values = {
        c: Value("model", c, sensitivity=sensitivity) for c in frame.columns if c != KEYS[name]
    }
    return Table("T", frame, {KEYS[name]: ""}, values)


def draw(name, **options):
    return getattr(subtypes_matching, f"plot_{name}")(table(name, **options))


@pytest.mark.parametrize("name", KEYS)
def test_axes_are_labelled_and_marked(name):
    ax = draw(name, sensitivity="synthetic")
    assert ax.get_xlabel()
    assert ax.get_ylabel()
    assert ax.figure.get_supxlabel() == SIMULATED
    assert not draw(name).figure.get_supxlabel()


@pytest.mark.parametrize("name", ["effects", "rules"])
def test_estimates_and_intervals_are_those_of_the_table(name):
    (container,) = draw(name).containers
    assert container[0].get_xdata().tolist() == ESTIMATES["estimate"]
    segments = container[2][0].get_segments()
    assert [s[:, 0].tolist() for s in segments] == [[-3, -1], [0, 2], [0, 1]]


def test_patients_stand_beside_their_subtype():
    labels = [t.get_text() for t in draw("effects").get_yticklabels()]
    assert labels == ["1: mild\n(n = 120)", "2: severe\n(n = 200)", "all patients\n(n = 320)"]


def test_predictions_lie_on_the_other_axis():
    (container,) = draw("calibration").containers
    assert container[0].get_xdata().tolist() == [-1, 0, 1]
    assert container[0].get_ydata().tolist() == ESTIMATES["estimate"]


@pytest.mark.parametrize("name", KEYS)
def test_planted_values_are_drawn_where_known(name):
    for true in (False, True):
        labels = [t.get_text() for t in draw(name, true=true).get_legend().get_texts()]
        assert bool({"Planted", "True"} & set(labels)) == true


@pytest.mark.parametrize("name", KEYS)
def test_what_is_suppressed_is_not_drawn(name):
    ax = draw(name, hidden=True)
    ax.figure.canvas.draw()
    (container,) = ax.containers
    drawn = container[0].get_xdata() if name != "calibration" else container[0].get_ydata()
    assert np.isnan(drawn[0])
    assert np.isfinite(drawn[1:]).all()
