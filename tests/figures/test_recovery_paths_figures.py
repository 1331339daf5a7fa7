"""Figures of `recovery_paths` show the released numbers and survive suppression."""

import numpy as np
import polars as pl
import pytest

from iesoresearch.figures import recovery_paths
from iesoresearch.results import SIMULATED, Table, Value

WITH = {"rules": ("share", "ppv", "missed"), "groups": ("share", "ppv", "missed"),
        "class_curves": ("mean", "share"), "curve": ("mean",),
        "expected": ("mean", "lower", "upper")}  # fmt: skip
KEYS = {
    "rules": {"when": ["after session 2", "at any of them"] * 2, "rule": ["a", "a", "b", "b"]},
    "groups": {"group": ["Gender", "Gender", "Age", "Age"], "level": ["x", "y", "x" * 50, "z"]},
    "class_curves": {"class": ["1: a", "1: a", "2: b", "2: b"], "session": [0, 1, 0, 1]},
    "curve": {"way": ["random", "random", "seen", "seen"], "session": [0, 1, 0, 1]},
    "expected": {"first": [12, 12, 16, 16], "session": [0, 1, 0, 1]},
}
VALUES = [0.2, 0.3, 0.4, 0.5]


def table(name, hidden=False, sensitivity="synthetic"):
    columns = dict(KEYS[name])
    for column in WITH[name]:
        columns |= {column: VALUES, f"{column}_low": VALUES, f"{column}_high": VALUES}
    frame = pl.DataFrame(columns | {"n": [100, 200, 300, 400]})
    if hidden:
        shown = pl.int_range(pl.len()) != 0
        frame = frame.with_columns(pl.when(shown).then(pl.exclude(*KEYS[name])))
    values = {c: Value("model", c, sensitivity=sensitivity) for c in frame.columns
              if c not in KEYS[name]}  # fmt: skip
    return Table("T", frame, dict.fromkeys(KEYS[name], ""), values)


@pytest.mark.parametrize("name", KEYS)
def test_axes_are_labelled_and_marked(name):
    ax = getattr(recovery_paths, f"plot_{name}")(table(name))
    assert ax.get_xlabel()
    assert ax.get_ylabel() or [t.get_text() for t in ax.get_yticklabels()]
    assert ax.figure.get_supxlabel() == SIMULATED
    assert ax.get_legend()


@pytest.mark.parametrize("name", KEYS)
def test_what_is_suppressed_is_not_drawn(name):
    ax = getattr(recovery_paths, f"plot_{name}")(table(name, hidden=True))
    ax.figure.canvas.draw()
    drawn = np.concatenate(
        [line.get_xydata().ravel() for line in ax.lines if len(line.get_xdata())]
    )
    assert np.isnan(drawn.astype(float)).any()


def test_rules_lie_at_their_work_and_hits():
    ax = recovery_paths.plot_rules(table("rules"))
    points = [c[0].get_xydata()[0].tolist() for c in ax.containers]
    assert points == [[v, v] for v in VALUES]


def test_patients_stand_beside_their_group_and_long_names_are_broken():
    ax = recovery_paths.plot_groups(table("groups"))
    labels = [t.get_text() for t in ax.get_yticklabels()]
    assert labels[0] == "Gender: x (n = 100)"
    assert "\n" in labels[2]
    hidden = recovery_paths.plot_groups(table("groups", hidden=True))
    assert hidden.get_yticklabels()[0].get_text() == "Gender: x"
