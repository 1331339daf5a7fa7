"""Tables of an audit: which intervals stand where, and why some do not."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from iesoresearch.models.group_metrics import audit


def laid(cells):
    """Rows from counts: group -> (tn, fp, fn, tp)."""
    group = np.repeat(list(cells), [sum(c) for c in cells.values()])
    y, d = (
        np.concatenate([np.repeat(pattern, c) for c in cells.values()])
        for pattern in ([0, 0, 1, 1], [0, 1, 0, 1])
    )
    return y, d, {"group": group}


CELLS = {"a": (40, 12, 9, 30), "b": (90, 15, 25, 60), "c": (30, 4, 0, 0), "d": (3, 1, 2, 2)}


@pytest.fixture(scope="module")
def audited():
    return audit(*laid(CELLS), threshold=0.4, n_boot=1000, random_state=1)


def row(frame, **where):
    return frame.filter(**where).row(0, named=True)


def test_rates_have_the_interval_of_wilson(audited):
    found = row(audited.to_frame(), level="a", metric="tpr")
    assert (found["events"], found["n"], found["reason"]) == (30, 39, None)
    expected = proportion_confint(30, 39, method="wilson")
    assert (found["low"], found["high"]) == pytest.approx(expected, abs=1e-12)


def test_differences_have_the_interval_of_newcombe(audited):
    found = row(audited.differences(), level="a", metric="fpr")
    expected = confint_proportions_2indep(12, 52, 15, 105, method="newcomb", compare="diff")
    assert found["reference"] == "b"
    assert found["value"] == pytest.approx(12 / 52 - 15 / 105, abs=1e-12)
    assert (found["low"], found["high"]) == pytest.approx(expected, abs=1e-10)
    assert [found[x] for x in ("n", "events", "n_reference", "events_reference")] == [
        52, 12, 105, 15,
    ]  # fmt: skip


def test_ratios_have_the_interval_of_koopman(audited):
    found = row(audited.ratios(), level="a", metric="ppv")
    expected = confint_proportions_2indep(
        30, 42, 60, 75, method="score", compare="ratio", correction=False
    )
    assert (found["low"], found["high"]) == pytest.approx(expected, rel=1e-5)
    assert "net_benefit" not in audited.ratios()["metric"]


def test_why_something_is_not_estimable(audited):
    rates, gaps, ratios = audited.to_frame(), audited.differences(), audited.ratios()
    nobody = row(rates, level="c", metric="tpr")
    assert nobody["value"] is None
    assert nobody["low"] is None
    assert nobody["reason"] == "not estimable: no patient with the outcome"
    assert row(gaps, level="c", metric="tpr")["reason"] == nobody["reason"]
    few = row(rates, level="d", metric="ppv")
    assert few["value"] == 2 / 3
    assert few["low"] is None
    assert few["reason"] == "interval not estimable: fewer than 10 patients selected"
    assert row(ratios, level="d", metric="ppv")["reason"] == few["reason"]
    rare = row(rates, level="c", metric="net_benefit")
    assert "fewer than 10 events or fewer than 10 non-events" in rare["reason"]
    assert row(rates, level="c", metric="prevalence")["low"] == 0.0
    for frame in (rates, gaps, ratios):
        given = frame.filter(frame["low"].is_not_null())
        assert given["reason"].null_count() == len(given)
        assert frame.filter(frame["low"].is_null())["reason"].null_count() == 0


def test_differences_with_few_events_in_both_have_no_interval():
    found = audit(*laid({"a": (50, 3, 10, 10), "b": (80, 4, 20, 20)}), n_boot=100)
    gap = row(found.differences(), metric="fpr")
    assert gap["value"] == pytest.approx(3 / 53 - 4 / 84)
    assert gap["reason"].endswith("non-events in both")


def test_no_event_in_the_reference_is_no_ratio():
    found = audit(*laid({"a": (40, 20, 10, 30), "b": (80, 0, 20, 60)}), n_boot=100)
    ratio = row(found.ratios(), metric="fpr")
    assert ratio["value"] is None
    assert ratio["reason"] == "not estimable: nobody of the reference has the event"
    assert row(found.differences(), metric="fpr")["low"] > 0


def test_p_values_go_with_the_intervals():
    """The interval of the level that p names ends at 0."""
    found = audit(*laid(CELLS), n_boot=200).differences()
    gap = row(found, level="a", metric="fpr")
    ends = confint_proportions_2indep(
        12, 52, 15, 105, method="newcomb", compare="diff", alpha=gap["p"]
    )
    assert min(np.abs(ends)) < 1e-7
    given = found.filter(found["low"].is_not_null())
    clear = (given["low"] > 0) | (given["high"] < 0)
    assert (clear == (given["p"] < 0.05)).all()
    assert (given["p_adjusted"] >= given["p"]).all()
    assert (given["low_simultaneous"] <= given["low"]).all()
    assert (given["high_simultaneous"] >= given["high"]).all()


def test_one_comparison_is_not_adjusted_and_many_less_than_by_bonferroni():
    cells = dict.fromkeys("abcdefgh", (200, 60, 50, 150))
    one = audit(*laid({k: cells[k] for k in "ab"}), metrics=["tpr"], n_boot=4000).differences()
    ends = one.row(0, named=True)
    assert ends["low_simultaneous"] == pytest.approx(ends["low"], rel=0.06)
    many = audit(*laid(cells), metrics=["tpr", "fnr", "fpr"], n_boot=4000).differences()
    ends = many.row(0, named=True)
    reach = (ends["value"] - ends["low_simultaneous"]) / (ends["value"] - ends["low"])
    # seven groups against one and two metrics, the third being one of them turned round
    assert stats.norm.isf(0.025 / 7) / 1.96 < reach < stats.norm.isf(0.025 / 14) / 1.96


def test_overlapping_groups_go_together():
    """Nearly the same patients: the interval of the difference is far narrower than apart."""
    random = np.random.default_rng(1)
    base = random.random(2000) < 0.3
    flags = {"one": base, "other": base ^ (random.random(2000) < 0.02)}
    y, d = random.random((2, 2000)) < 0.5
    together = audit(y, d, {"any": flags}, metrics=["prevalence"], reference={"any": "one"})
    gap = together.differences().row(0, named=True)
    n = [int(f.sum()) for f in flags.values()]
    apart = confint_proportions_2indep(
        int(y[flags["other"]].sum()), n[1], int(y[flags["one"]].sum()), n[0],
        method="newcomb", compare="diff",
    )  # fmt: skip
    assert gap["high"] - gap["low"] < 0.5 * (apart[1] - apart[0])
    ratio = together.ratios().row(0, named=True)
    assert ratio["low"] < ratio["value"] < ratio["high"]
    drawn = together.estimates["prevalence"].replicates
    assert (drawn[:, 2] - drawn[:, 1]).std() * 1.96 * 2 == pytest.approx(
        gap["high"] - gap["low"], rel=0.05
    )


def test_overlapping_groups_with_few_events_have_no_interval():
    flags = {"all": np.ones(200, dtype=bool), "half": np.arange(200) < 100}
    y = np.arange(200) % 25 == 0
    found = audit(y, ~y, {"any": flags}, metrics=["prevalence"], n_boot=100)
    for frame in (found.differences(), found.ratios()):
        assert frame["low"][0] is None
        assert "fewer than 10 events" in frame["reason"][0]


def test_what_strata_keep_as_it_is_has_no_interval():
    y, d, groups = laid({"a": (60, 40, 50, 90), "b": (80, 30, 40, 70)})
    kept = np.char.add(groups["group"], y.astype(str))
    found = audit(y, d, groups, strata=kept, threshold=0.3, n_boot=100)
    share = row(found.to_frame(), level="a", metric="prevalence")
    assert share["value"] == 140 / 240
    assert share["reason"] == "interval not estimable: the same in every resample"
    assert row(found.to_frame(), level="a", metric="tpr")["low"] is not None
    assert row(found.differences(), metric="prevalence")["reason"] == share["reason"]


def test_clusters_that_are_alike_widen_intervals():
    """With all rows five times, the interval is that of the rows once (Student's t apart)."""
    y, d, groups = laid({"a": (60, 40, 50, 90), "b": (80, 30, 40, 70)})
    once = audit(y, d, groups, n_boot=100).to_frame()
    five = {"group": np.repeat(groups["group"], 5)}
    again = audit(
        np.repeat(y, 5), np.repeat(d, 5), five, clusters=np.repeat(np.arange(len(y)), 5),
        n_boot=4000,
    ).to_frame()  # fmt: skip
    assert once["value"].to_list() == pytest.approx(again["value"].to_list())
    width = [(frame["high"] - frame["low"]).to_numpy() for frame in (once, again)]
    np.testing.assert_allclose(width[0], width[1], rtol=0.06)


def test_few_clusters_have_no_interval():
    random = np.random.default_rng(1)
    y, d = random.random((2, 900)) < 0.5
    found = audit(
        y, d, {"group": np.arange(900) % 2}, clusters=np.arange(900) % 9, n_boot=100
    ).to_frame()  # fmt: skip
    assert found["low"].null_count() == len(found)
    assert "patients are in fewer than 10 clusters" in found["reason"][0]
