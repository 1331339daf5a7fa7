"""What studies/group_intervals.py found: 95 % intervals hold the truth in 93 to 97 %."""

import numpy as np
import pytest
from scipy import stats

from iesoresearch.models.group_metrics import audit

DESIGNS = ("independent", "20 services", "60 services", "referrals of patients")
#: Least share of the data sets in which an interval has to be given for its own coverage to be
#: claimed: where counts decide whether there is one, those that are there were chosen by them.
MOSTLY = 0.95


@pytest.fixture(scope="module")
def cells(reported, load_study):
    """By design, n, prevalence, kind and metric: data sets, intervals, those below and above."""
    study, found = load_study("group_intervals"), {}
    for row in reported("group_intervals"):
        for name, counts in row.get("given", {}).items():
            cell = row["design"], row["n"], row["prevalence"], name
            found[cell] = found.get(cell, 0) + np.array([study.BLOCK, *counts])
    return found


@pytest.mark.parametrize("design", DESIGNS)
def test_intervals_hold_the_truth_in_93_to_97_percent(cells, design):
    """In every cell of n × prevalence where nearly all data sets have the interval."""
    claimed = 0
    for cell, (n, given, below, above) in cells.items():
        if cell[0] != design or given < MOSTLY * n:
            continue
        assert n >= 1000
        covered = stats.binomtest(int(given - below - above), int(given))
        limits = covered.proportion_ci(0.95, method="wilson")
        said = f"{cell}: {covered.statistic:.3f}, Monte Carlo {limits.low:.3f} to {limits.high:.3f}"
        assert 0.93 <= covered.statistic <= 0.97, said
        assert limits.high - limits.low < 0.025, said
        claimed += 1
    assert claimed >= 50


def test_rates_and_gaps_have_intervals_from_small_groups_on(cells):
    """The claim is not empty where it matters: 20 patients for a rate, 30 for a difference."""
    for prevalence in (0.05, 0.1, 0.3, 0.5):
        n, given, *_ = cells["independent", 20, prevalence, "rate prevalence"]
        assert given >= MOSTLY * n
    n, given, *_ = cells["independent", 30, 0.3, "difference prevalence"]
    assert given >= MOSTLY * n
    n, given, *_ = cells["independent", 30, 0.05, "difference prevalence"]
    assert given < 0.2 * n


def test_intervals_rarely_mislead_where_few_data_sets_have_one(cells):
    """There counts decide whether there is one; of all data sets at most 7 % have a wrong one."""
    for cell, (n, _, below, above) in cells.items():
        assert (below + above) / n <= 0.07, cell


@pytest.mark.parametrize("size", [100, 1000])
def test_all_differences_of_an_audit_at_once(reported, size):
    """Six groups alike, five metrics: 25 single intervals mislead in half of the audits."""
    rows = [
        row["family"] for row in reported("group_intervals") if row["n"] == size and "family" in row
    ]
    total = {name: sum(row[name] for row in rows) for name in rows[0]}
    assert total["audits"] >= 1000
    assert total["single"] > 0.3 * total["audits"]
    for name in ("simultaneous", "p_adjusted"):
        false = stats.binomtest(total[name], total["audits"]).proportion_ci(0.95)
        assert false.low < 0.05, (name, total)
        assert total[name] / total["audits"] <= 0.07, (name, total)


def test_true_values_are_those_of_many_patients(load_study):
    study = load_study("group_intervals")
    for name, design in study.DESIGNS.items():
        random = np.random.default_rng(1)
        y, decision, group, clusters = study.draw(random, design, 1000, 0.3, 300)
        frame = audit(
            y, decision, {"group": group % 2}, metrics=study.METRICS, threshold=study.THRESHOLD,
            clusters=clusters, n_boot=100,
        ).to_frame()  # fmt: skip
        for metric, true in study.truth(0.3).items():
            ours = frame.filter(metric=metric, grouping="group").sort("level")["value"]
            np.testing.assert_allclose(ours, true, atol=0.012, err_msg=f"{name} {metric}")


@pytest.mark.parametrize("design", ["independent", "20 services"])
def test_a_block_of_data_sets_is_as_many_audits(load_study, design):
    """What the study evaluates at once is what `audit` says of each data set."""
    study = load_study("group_intervals")
    y, decision, group, clusters = study.draw(
        np.random.default_rng(2), study.DESIGNS[design], 200, 0.3, 5
    )
    at_once = list(study.intervals(study.audited(y, decision, group, clusters, 1)))
    for number in range(5):
        rows = group // 2 == number
        alone = audit(
            y[rows], decision[rows], {"group": np.array(["a", "b"])[group[rows] % 2]},
            metrics=study.METRICS, threshold=study.THRESHOLD, reference={"group": "b"},
            clusters=None if clusters is None else clusters[rows], n_boot=2000,
        )  # fmt: skip
        frames = {
            "rate": alone.to_frame().filter(level="a"),
            "difference": alone.differences(),
            "ratio": alone.ratios(),
        }
        for kind, metric, low, high, reasons in at_once:
            row = frames[kind].filter(metric=metric).row(0, named=True)
            assert (row["reason"] or "") == reasons[number]
            if row["reason"] is None:
                exact = design == "independent" and metric != "net_benefit"
                width = 1e-9 if exact else 0.2 * (row["high"] - row["low"])
                assert (low[number], high[number]) == pytest.approx(
                    (row["low"], row["high"]), abs=width
                )


def test_it_can_be_computed_again(assert_again):
    assert_again("group_intervals")
