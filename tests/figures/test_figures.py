"""Figures show the released numbers, survive suppression, and are the same bytes every time."""

import numpy as np
import polars as pl
import pytest

from iesoresearch import figures
from iesoresearch.figures import style, subtypes
from iesoresearch.results import SIMULATED, FigureSpec, Result, Table, Value


def table(columns, keys, values, sensitivity="open"):
    declared = {name: Value("model", name, 2, sensitivity=sensitivity) for name in values}
    return Table("T", pl.DataFrame(columns), dict.fromkeys(keys, ""), declared)


def profiles(sensitivity="open"):
    rows = [(s, item, s / 2, s / 2 - 0.1, s / 2 + 0.1) for s in (1, 2, 3) for item in "abc"]
    columns = ["state", "item", "score", "score_low", "score_high"]
    frame = pl.DataFrame(rows, schema=columns, orient="row")
    return table(frame, columns[:2], columns[2:], sensitivity)


def transitions(hidden=False):
    matrix = [[0.9, 0.1], [0.3, 0.7]]
    rows = [(i + 1, j + 1, matrix[i][j]) for i in (0, 1) for j in (0, 1)]
    frame = pl.DataFrame(rows, schema=["origin", "destination", "probability"], orient="row")
    if hidden:
        frame = frame.with_columns(
            pl.when(pl.col("origin") == 2).then(None).otherwise("probability").alias("probability")
        )
    return table(frame, ["origin", "destination"], ["probability"])


def shares():
    rows = [
        (session, state, share, share - 0.05, share + 0.05, n)
        for session, n in [(1, 200), (2, 100), (3, None)]
        for state, share in [(1, 0.4), (2, 0.6)]
    ]
    columns = ["session", "state", "share", "share_low", "share_high", "n"]
    frame = pl.DataFrame(rows, schema=columns, orient="row")
    return table(frame, columns[:2], columns[2:])


def criteria():
    rows = [(k, c, r, 100.0 / k + r) for k in (1, 2, 3) for c in ("AIC", "ICL") for r in (1, 2)]
    columns = ["n_states", "criterion", "start", "value"]
    return table(pl.DataFrame(rows, schema=columns, orient="row"), columns[:3], columns[3:])


DRAWN = {
    "criteria": criteria(),
    "item_profiles": profiles(),
    "transitions": transitions(),
    "state_shares": shares(),
}


@pytest.mark.parametrize("name", DRAWN)
def test_axes_are_labelled(name):
    ax = getattr(subtypes, f"plot_{name}")(DRAWN[name])
    assert ax.get_xlabel()
    assert ax.get_ylabel()


def test_given_axes_are_used():
    ax = style.new_axes()
    assert subtypes.plot_transitions(transitions(), ax=ax) is ax


def test_profiles_show_the_numbers_of_the_table():
    ax = subtypes.plot_item_profiles(profiles())
    heights = [container[0].get_ydata().tolist() for container in ax.containers]
    assert heights == [[0.5] * 3, [1.0] * 3, [1.5] * 3]
    assert [t.get_text() for t in ax.get_xticklabels()] == ["a", "b", "c"]
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["State 3", "State 2", "State 1"]


def test_suppressed_cells_are_dashes():
    ax = subtypes.plot_transitions(transitions(hidden=True))
    assert [t.get_text() for t in ax.texts] == ["0.90", "0.10", "–", "–"]


def test_text_on_cells_can_be_read():
    """Black on light and white on dark: WCAG's contrast of at least 4.5 to 1."""
    import matplotlib as mpl

    def luminance(colour):
        rgb = np.asarray(mpl.colors.to_rgb(colour))
        linear = np.where(rgb <= 0.03928, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        return linear @ [0.2126, 0.7152, 0.0722]

    rows = [(1, j, p) for j, p in enumerate(np.linspace(0, 1, 49))]
    rows = [(i, j, float(p)) for i in range(1, 50) for j, p in enumerate(np.linspace(0, 1, 49), 1)]
    frame = pl.DataFrame(rows, schema=["origin", "destination", "probability"], orient="row")
    ax = subtypes.plot_transitions(
        table(frame, ["origin", "destination"], ["probability"]), ax=style.new_axes()
    )
    for text, p in zip(ax.texts[:49], np.linspace(0, 1, 49), strict=True):
        pair = sorted([luminance(text.get_color()), luminance(mpl.colormaps["cividis"](p))])
        assert (pair[1] + 0.05) / (pair[0] + 0.05) >= 4.5, p


def test_sessions_without_a_number_are_not_drawn_as_ticks():
    ax = subtypes.plot_state_shares(shares())
    assert [t.get_text() for t in ax.get_xticklabels()] == ["1\n(200)", "2\n(100)"]


def test_criteria_are_relative_to_their_best():
    ax = subtypes.plot_criteria(criteria())
    lowest = [min(line.get_ydata()) for line in ax.get_lines()]
    assert lowest == [0.0, 0.0]


def test_simulated_figures_say_so():
    notes = [
        figure.get_supxlabel()
        for figure in (
            subtypes.plot_item_profiles(profiles(s)).figure for s in ("open", "synthetic")
        )
    ]
    assert notes == ["", SIMULATED]


def test_files_are_equal_on_every_run(tmp_path):
    spec = FigureSpec("item_profiles", "Title", "caption")
    result = Result(tables={"item_profiles": profiles()}, figures={"item_profiles": spec})
    for run in ("a", "b"):
        (tmp_path / run).mkdir()
        style.save(figures.draw(result, "item_profiles", "subtypes"), tmp_path / run, "f")
    for suffix in style.FORMATS:
        first, second = ((tmp_path / run / f"f.{suffix}").read_bytes() for run in ("a", "b"))
        assert first == second
        assert len(first) > 2000


def test_palette_is_colour_blind_safe():
    """Every pair stays apart for people without red or green cones (Viénot et al. 1999)."""
    import matplotlib as mpl

    # linear RGB as seen without L cones and without M cones
    lost = {
        "L": [[0.11238, 0.88762, 0.0], [0.11238, 0.88762, 0.0], [0.00401, -0.00401, 1.0]],
        "M": [[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]],
    }
    for matrix in lost.values():
        rgb = np.array([mpl.colors.to_rgb(c) for c in style.PALETTE]) ** 2.2
        seen = np.clip(rgb @ np.array(matrix).T, 0, 1) ** (1 / 2.2)
        apart = [np.linalg.norm(a - b) for i, a in enumerate(seen) for b in seen[:i]]
        assert min(apart) > 0.1
