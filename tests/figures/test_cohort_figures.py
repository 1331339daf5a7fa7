"""Figures of `cohort` show the numbers of their tables, and a dash where they may not."""

import numpy as np
import polars as pl
import pytest

from iesoresearch import figures
from iesoresearch.figures import cohort, style
from iesoresearch.results import SIMULATED, FigureSpec, Result, Table, Value


def table(rows, keys, values, sensitivity="open", **labels):
    declared = {
        name: Value("model", labels.get(name, name), 2, sensitivity=sensitivity) for name in values
    }
    frame = pl.DataFrame(rows, schema=[*keys, *values], orient="row", infer_schema_length=None)
    return Table("T", frame, {key: key.title() for key in keys}, declared)


RATE = ["rate", "rate_low", "rate_high"]


def flow(hidden=None):
    rows = [
        (0, "kept", "Received", 100),
        (1, "kept", "Seen", 70),
        (1, "left out", "Not seen", 25),
        (1, "left out", "Open", hidden),
    ]
    return table(rows, ["step", "box", "what"], ["n"])


def rates(hidden=False):
    rows = [
        ("recovery", "official", 0.5, 0.4, 0.6, 0.52),
        ("paired", "official", None if hidden else 0.9, 0.8, 0.95, None),
        ("recovery", "stand-in", 0.45, 0.35, 0.55, 0.52),
    ]
    heading = {"published": "England 2024-25 (– where not published)"}
    return table(rows, ["measure", "rule"], [*RATE, "published"], **heading)


def waits():
    rows = [
        (wait, band, share, published)
        for wait in ("first", "second")
        for band, share, published in [("29–42", 0.6, 0.62), ("91–126", None, None)]
    ]
    heading = {"published": "England 2024-25 (– where not published)"}
    return table(rows, ["wait", "band"], ["share", "published"], **heading)


def forms():
    rows = [(f, v, 0.1 * v, 0.05) for f in ("PHQ-9", "GAD-7") for v in (1, 2)]
    rows[-1] = ("GAD-7", 2, None, 0.05)
    return table(rows, ["form", "visit"], ["whole", "some"])


def chart():
    rows = [(f"2024-0{m}", 0.5, 0.45, 0.3, 0.6, 0.2, 0.7) for m in (1, 2, 3)]
    limits = ["centre", "lower_limit", "upper_limit", "lower_adjusted", "upper_adjusted"]
    return table(rows, ["period"], ["rate", *limits])


def years():
    rows = [("recovery", y, r, r - 0.01, r + 0.01) for y, r in [("2017-18", 0.5), ("2018-19", 0.6)]]
    return table(rows, ["measure", "year"], RATE)


def deciles(known=range(1, 11)):
    rows = [("recovery", d, 0.4 + d / 100, 0.4, 0.6) for d in known]
    return table(rows, ["measure", "decile"], RATE)


def named(key):
    rows = [("first", 0.5, 0.4, 0.6), ("second", None, None, None)]
    return table(rows, [key], RATE)


DRAWN = {
    "differences": table([("Age", 0.2, 0.1), ("Gender", 0.05, 0.1)], ["characteristic"],
                         ["difference", "chance"]),
    "missing_variables": table([("patients", "gender", 0.004), ("referrals", "source", None)],
                               ["about", "variable"], ["missing"]),
    "missing_forms": forms(),
    "outcome_rates": rates(),
    "waits": waits(),
    "sensitivity": named("method"),
    "safety": named("signal"),
    "control_chart": chart(),
    "by_year": years(),
    "by_deprivation": deciles(),
}  # fmt: skip


def texts(ax):
    return [text.get_text() for text in ax.texts]


@pytest.mark.parametrize("name", DRAWN)
def test_axes_are_labelled_and_given_ones_are_used(name):
    ax = style.new_axes()
    assert getattr(cohort, f"plot_{name}")(DRAWN[name], ax=ax) is ax
    assert ax.get_xlabel()
    assert ax.get_ylabel()


@pytest.mark.parametrize("name", ["flow", *DRAWN])
def test_nothing_is_cut_off(name):
    """All that is drawn lies within the page, in the finished layout."""
    shown = flow(5) if name == "flow" else DRAWN[name]
    spec = FigureSpec(name, "A title", "caption")
    figure = figures.draw(Result(tables={name: shown}, figures={name: spec}), name, "cohort")
    figure.canvas.draw()
    drawn = figure.get_tightbbox()  # inches
    assert drawn.x0 >= 0
    assert drawn.y0 >= 0
    assert drawn.x1 <= figure.get_figwidth()
    assert drawn.y1 <= figure.get_figheight()


def test_flow_says_who_stays_and_who_is_left_out():
    shown = texts(cohort.plot_flow(flow(hidden=5)))
    assert set(shown) - {""} == {"Received: 100", "Seen: 70", "Not seen: 25\nOpen: 5"}
    assert "Not seen: 25\nOpen: –" in texts(cohort.plot_flow(flow()))


def test_differences_are_sorted_with_the_largest_on_top():
    ax = cohort.plot_differences(DRAWN["differences"])
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels == ["Gender", "Age"]
    assert ax.collections[0].get_offsets()[:, 0].tolist() == [0.05, 0.2]


def test_rare_and_hidden_shares_can_be_told_apart():
    assert set(texts(cohort.plot_missing_variables(DRAWN["missing_variables"]))) == {"0.4%", "–"}


def test_heat_map_shows_per_cent_and_dashes():
    ax = cohort.plot_missing_forms(forms())
    assert texts(ax)[:4] == ["10", "20", "10", "–"]
    assert len(texts(ax)) == 8


def test_rates_by_rule_and_published_ones():
    ax = cohort.plot_outcome_rates(rates())
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert sorted(labels) == ["England 2024-25", "official", "stand-in"]
    points = [container[0].get_xdata().tolist() for container in ax.containers]
    assert points == [[0.5, 0.9], [0.45]]
    assert ax.collections[-1].get_offsets()[:, 0].tolist() == [0.52]
    assert "–" in texts(cohort.plot_outcome_rates(rates(hidden=True)))


def test_waits_have_both_standards_and_published_marks():
    ax = cohort.plot_waits(waits())
    assert {"6 weeks", "18 weeks", "60%", "–"} == set(texts(ax))
    edges = [line.get_xdata()[0] for line in ax.lines if len(set(line.get_xdata())) == 1]
    assert edges == [0.5, 1.5]


@pytest.mark.parametrize("name", ["sensitivity", "safety"])
def test_hidden_rates_are_dashes(name):
    ax = getattr(cohort, f"plot_{name}")(DRAWN[name])
    assert texts(ax) == ["–"]
    assert ax.get_yticklabels()[0].get_text() == "first"


def test_all_hidden_leaves_a_sensible_axis():
    ax = cohort.plot_sensitivity(table([("x", None, None, None)], ["method"], RATE))
    assert ax.get_xlim() == (0, 1)


def test_control_chart_shows_both_limits():
    ax = cohort.plot_control_chart(chart())
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert "limits of chance (p chart)" in labels
    assert "adjusted limits (p' chart)" in labels
    assert ax.get_xlabel() == "Period of discharge"


def test_deciles_that_were_not_published_leave_a_gap():
    ax = cohort.plot_by_deprivation(deciles(known=(1, 10)))
    heights = ax.containers[0][0].get_ydata()
    assert np.isnan(heights).sum() == 8
    assert heights[[0, 9]].tolist() == pytest.approx([0.41, 0.5])
    assert len(ax.get_xticks()) == 10


def test_simulated_figures_say_so_and_published_ones_do_not():
    drawn = table([("x", 0.5, 0.4, 0.6)], ["method"], RATE, sensitivity="synthetic")
    assert cohort.plot_sensitivity(drawn).figure.get_supxlabel() == SIMULATED
    assert cohort.plot_by_year(years()).figure.get_supxlabel() == ""
