"""Figures of `subtypes_transfer` show the numbers of their tables."""

import numpy as np
import polars as pl
import pytest

from iesoresearch.figures import style
from iesoresearch.figures import subtypes_transfer as figures
from iesoresearch.results import Table, Value


def table(rows, keys, name):
    values = [name, f"{name}_low", f"{name}_high"]
    frame = pl.DataFrame(rows, schema=[*keys, *values], orient="row")
    declared = {v: Value("model", v, 2, sensitivity="open") for v in values}
    return Table("T", frame, dict.fromkeys(keys, ""), declared)


def profiles():
    rows = [
        (state, item, sample, state + shift, state + shift - 0.1, state + shift + 0.2)
        for sample, shift in [("fitted", 0.0), ("refitted in the new sample", 0.25)]
        for state in (1, 2)
        for item in "abc"
    ]
    return table(rows, ["state", "item", "sample"], "score")


def shares(hidden=False):
    rows = [
        (sample, state, None if hidden and state == 2 else state / 4, state / 4 - 0.1, state / 4)
        for sample in ("fitted sample", "new sample, states carried over")
        for state in (1, 2)
    ]
    return table(rows, ["sample", "state"], "share")


DRAWN = {"item_profiles": profiles(), "class_shares": shares()}


@pytest.mark.parametrize("name", DRAWN)
def test_axes_are_labelled_and_given_ones_used(name):
    ax = style.new_axes()
    assert getattr(figures, f"plot_{name}")(DRAWN[name], ax=ax) is ax
    assert ax.get_xlabel()
    assert ax.get_ylabel()


def test_profiles_lie_beside_each_other_state_by_state():
    ax = figures.plot_item_profiles(profiles())
    drawn = [(c[0].get_ydata().tolist(), c[0].get_linestyle()) for c in ax.containers]
    assert drawn == [
        ([1.0] * 3, "-"), ([1.25] * 3, "--"), ([2.0] * 3, "-"), ([2.25] * 3, "--"),
    ]  # fmt: skip
    assert ax.containers[0][0].get_color() == ax.containers[1][0].get_color()
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["State 2", "State 1", "Fitted", "Refitted in the\nnew sample"]
    assert [t.get_text() for t in ax.get_xticklabels()] == ["a", "b", "c"]


def test_shares_lie_beside_each_other_sample_by_sample():
    ax = figures.plot_class_shares(shares())
    heights = [c[0].get_ydata().tolist() for c in ax.containers]
    assert heights == [[0.25, 0.5]] * 2
    places = [c[0].get_xdata() for c in ax.containers]
    assert (places[0] < places[1]).all()
    bars = ax.containers[0][2][0].get_segments()
    assert bars[0][:, 1].tolist() == pytest.approx([0.15, 0.25])


def test_a_suppressed_share_is_a_gap():
    ax = figures.plot_class_shares(shares(hidden=True))
    assert np.isnan(ax.containers[0][0].get_ydata()[1])
