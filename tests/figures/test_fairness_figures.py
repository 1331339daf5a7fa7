"""Figures of the audits of outcomes and access: what is released is drawn, and nothing else."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from matplotlib.container import BarContainer

from iesoresearch import figures
from iesoresearch.analyses.fairness import Params, access_audit, outcome_audit, study
from iesoresearch.analyses.fairness.data import load
from iesoresearch.disclosure import Policy, release
from iesoresearch.figures import fairness, style
from iesoresearch.params import Settings
from iesoresearch.results import SIMULATED

NAMES = ("rates", "steps", "pathway", "deprivation", "services", "trends", "waits", "leaving")


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    folder = tmp_path_factory.mktemp("population")
    (folder / "people.csv").write_text(
        "grouping,level,people\nGender,female,51000\nGender,male,49000\n"
    )
    params = Params(n_referrals=6000, groupings=[], population="people.csv", seed=2)
    data = load(params, Settings(search_path=(folder,)))
    parts = [outcome_audit.audit(data, params), access_audit.audit(data, params)]
    # all is shown but zeros: what disclosure control leaves is not the question here
    return release(study.merged(parts, data), Policy(min_count=1, round_to=1))


def words(figure):
    return " ".join(
        text.get_text() for ax in figure.axes for text in (*ax.texts, *ax.get_yticklabels())
    )


def dots(ax):
    return sum(len(line.get_xdata()) for line in ax.lines if line.get_marker() in ("o", "s"))


@pytest.mark.parametrize("name", [*NAMES, "representation"])
def test_every_figure_is_drawn_with_its_marks(result, name):
    figure = figures.draw(result, name, "fairness")
    assert figure.get_supxlabel() == SIMULATED
    assert result.figures[name].title in [ax.get_title(loc="left") for ax in figure.axes]
    drawn = [ax for ax in figure.axes if ax.lines or ax.containers]
    assert drawn
    assert all(ax.get_xlabel() or ax.get_ylabel() for ax in drawn)


def test_all_are_named():
    assert {f"plot_{name}" for name in NAMES} <= set(fairness.__all__)


def test_rates_show_released_groups_and_counts_only(result):
    table = result.tables["gaps"]
    hide = pl.col("level") == "Indian"
    frame = table.frame.with_columns(
        pl.when(~hide).then(pl.col(name)).alias(name) for name in table.values
    )
    ax = fairness.plot_rates(replace(table, frame=frame))
    shown = frame.drop_nulls("rate")
    assert sum(dots(panel) for panel in ax.figure.axes) == shown.height
    told = words(ax.figure)
    white = shown.filter(level="White").row(0, named=True)
    assert f"White ({white['reliable_recovery']:,} of {white['at_caseness']:,})" in told
    assert "Indian" in words(fairness.plot_rates(table).figure)
    assert "Indian" not in told
    ends = {panel.get_xlim() for panel in ax.figure.axes[1:]}
    assert len(ends) == 1  # one scale for all groupings


def test_bars_of_the_pathway_end_at_the_gap(result):
    frame = result.tables["pathway"].frame.drop_nulls("gap")
    figure = figures.draw(result, "pathway", "fairness")
    widths = np.zeros(0)
    for ax in figure.axes[1:]:
        bars = [
            [p.get_width() for p in c.patches] for c in ax.containers if isinstance(c, BarContainer)
        ]
        bars = [b for b in bars if b]
        widths = np.append(widths, np.sum(bars, axis=0))
    np.testing.assert_allclose(widths, frame["gap"].to_numpy(), atol=1e-6)


def test_services_outside_are_marked(result):
    frame = result.tables["services"].frame.drop_nulls("rate")
    ax = figures.draw(result, "services", "fairness").axes[0]
    inside = next(line for line in ax.lines if line.get_marker() == "o")
    outside = next(line for line in ax.lines if line.get_marker() == "s")
    assert len(outside.get_xdata()) == (frame["position"] != "inside").sum()
    assert len(inside.get_xdata()) + len(outside.get_xdata()) == frame.height


def test_a_figure_without_anything_to_show_says_so(result):
    table = result.tables["gaps"]
    empty = replace(table, frame=table.frame.with_columns(rate=pl.lit(None, pl.Float64)))
    ax = fairness.plot_rates(empty)
    assert style.NOTHING in words(ax.figure)


def test_a_pathway_without_any_gap_is_drawn(result):
    table = result.tables["pathway"]
    empty = replace(table, frame=table.frame.with_columns(gap=pl.lit(None, pl.Float64)))
    assert style.NOTHING in words(fairness.plot_pathway(empty).figure)


def test_where_all_numbers_are_suppressed_any_figure_says_so(result):
    for name in NAMES:
        table = result.tables[result.figures[name].table]
        none = table.frame.with_columns(
            pl.lit(None, kind).alias(column)
            for column, kind in table.frame.schema.items()
            if column in table.values and kind.is_numeric()
        )
        ax = getattr(fairness, f"plot_{name}")(replace(table, frame=none))
        assert style.NOTHING in words(ax.figure)
