"""Tables of what was seen and of the trajectory classes, on a trial small enough to count."""

import numpy as np
import pytest
from scipy import stats

from iesoresearch.analyses.recovery_trial import described, grouped
from iesoresearch.data.trials import Trial
from iesoresearch.models.trajectories import TrajectoryClasses, choose
from iesoresearch.seeds import rng

NAN = np.nan
SCORES = np.array(
    [
        [30, 20, 10],
        [28, NAN, NAN],
        [26, 24, NAN],
        [12, NAN, 8],
        [10, 9, 8],
        [14, 13, NAN],
    ],
    dtype=float,
)
ARM = np.array([0, 0, 0, 1, 1, 1])


def trial(scores=SCORES, arm=ARM, known=None):
    return Trial(
        "T", "L", "F", "BDI-II", 63, "months", ("usual", "program"), arm, np.array([0.0, 2.0, 8.0]),
        scores, known if known is not None else {"takes drugs": np.array([1.0, 0, 1, 0, 1, 0])},
    )  # fmt: skip


def test_summary_counts_by_hand():
    rows = dict(described.summary(trial()).frame.rows())
    assert list(rows.values()) == [6, 3, 3, 13, 3, 1, 1]


def test_means_by_hand():
    table = described.scores(trial()).frame
    row = table.filter(arm="usual", time=2.0).row(0, named=True)
    assert (row["mean"], row["n"]) == (22.0, 2)
    low, high = stats.ttest_1samp([20, 24], 0).confidence_interval()
    assert (row["mean_low"], row["mean_high"]) == pytest.approx((low, high))
    assert row["sd"] == pytest.approx(np.std([20, 24], ddof=1))
    alone = table.filter(arm="usual", time=8.0).row(0, named=True)
    assert (alone["mean"], alone["mean_low"], alone["sd"], alone["n"]) == (10.0, None, None, 1)


def test_who_left_when_by_hand():
    rows = described.drop_out(trial()).frame.select("arm", "time", "n", "left").rows()
    assert rows == [
        ("usual", 0.0, 3, 1),
        ("usual", 2.0, 2, 1),
        ("program", 0.0, 3, 0),  # who missed a score and came back did not leave
        ("program", 2.0, 2, 1),
    ]


def test_thirds_are_those_of_the_scores_of_one_occasion():
    scores = np.column_stack([np.arange(60.0), np.arange(60.0) % 30, np.full(60, 5.0)])
    scores[10:20, 2] = NAN  # the second scores 10 to 19: the middle third
    table = described.drop_out_by_score(trial(scores, np.zeros(60, int) + (np.arange(60) >= 30)))
    rows = table.frame.select("arm", "third", "n", "left").rows()
    assert rows[:3] == [
        ("usual", "lowest third", 10, 0),
        ("usual", "middle third", 10, 10),
        ("usual", "highest third", 10, 0),
    ]
    assert sum(left for *_, left in rows) == 10
    share = table.frame.row(1, named=True)
    low, high = (100 * x for x in stats.binomtest(10, 10).proportion_ci(method="wilson"))
    assert (share["share_low"], share["share_high"]) == pytest.approx((low, high))


def test_who_leaves_by_hand():
    rows = described.who_leaves(trial()).frame.select("group", "n", "left").rows()
    assert rows == [
        ("all patients", 6, 3),
        ("usual", 3, 2),
        ("program", 3, 1),
        ("first BDI-II up to 20", 3, 1),
        ("first BDI-II above 20", 3, 2),
        ("takes drugs: yes", 3, 1),
        ("takes drugs: no", 3, 2),
    ]


@pytest.fixture(scope="module")
def classed():
    random = rng(1, "classed")
    falls = np.arange(60) < 40
    means = np.where(falls[:, None], [25.0, 12.0, 6.0], [25.0, 25.0, 26.0])
    scores = means + random.normal(0, 2, (60, 1)) + random.normal(0, 2, (60, 3))
    scores = np.clip(np.round(scores), 0, 63)
    scores[::4, 2] = NAN
    made = trial(scores, np.arange(60) % 2)
    patient, occasion = np.nonzero(np.isfinite(scores))
    rows = patient, made.occasions[occasion], scores[patient, occasion]
    options = {"scale": "log", "degree": 2, "n_starts": 3}
    slopes = TrajectoryClasses(1, scale="log", degree=2, random_slope=True).fit(*rows)
    return made, choose(*rows, max_classes=3, **options), slopes


def test_classes_are_named_by_their_ends(classed):
    _, choice, _ = classed
    first, second = grouped.names(choice.chosen, 8.0)
    assert first.startswith("1: 2")
    assert first.endswith("to 7")
    assert second.startswith("2: 2")
    assert second.endswith("to 26")


def test_members_by_counting(classed):
    made, choice, _ = classed
    table = grouped.members_table(choice.chosen, made).frame
    assert table["n"].to_list() == [40, 20]
    assert table["treated_share"].to_list() == [50, 50]
    assert table["left_share"].to_list() == pytest.approx([25, 25])
    assert (table["left_share_low"] < 25).all()


def test_the_choice_shows_every_model(classed):
    _, choice, slopes = classed
    table = grouped.choice_table(choice, slopes).frame
    assert table["model"].to_list()[:2] == ["1 class", "2 classes"]
    assert table["model"][3] == "no classes, but patients differ in slope"
    assert table["bic"].to_list() == [*(m.bic_ for m in choice.models), slopes.bic_]
    assert table["entropy"][0] == 1.0
    assert table["note"][0] == "sound"


def test_curves_have_intervals_and_sizes(classed):
    made, choice, _ = classed
    table = grouped.curves_table(choice.chosen, made).frame
    assert table.height == 2 * grouped.POINTS
    assert (table["mean_low"] < table["mean"]).all()
    assert table.select("class", "n").unique().height == 2
