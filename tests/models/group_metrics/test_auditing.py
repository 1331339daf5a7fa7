"""Rates by group beside fairlearn and scikit-learn, and what is refused."""

import fairlearn.metrics as fl
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.models import evaluation
from iesoresearch.models.group_metrics import METRICS, audit

PEERS = {
    "selection_rate": fl.selection_rate,
    "tpr": fl.true_positive_rate,
    "fpr": fl.false_positive_rate,
    "fnr": fl.false_negative_rate,
    "ppv": lambda y, d: sk.precision_score(y, d, zero_division=np.nan),
    "npv": lambda y, d: sk.precision_score(1 - y, 1 - d, zero_division=np.nan),
    "accuracy": sk.accuracy_score,
    "prevalence": lambda y, d: np.mean(y),
}


def drawn(seed=1, n=600, levels=4):
    random = np.random.default_rng(seed)
    group = np.array(list("abcdefgh"))[random.integers(0, levels, n)]
    y = (random.random(n) < 0.4).astype(int)
    return y, (random.random(n) < np.where(y, 0.7, 0.2)).astype(int), group


def test_metrics_are_those_of_fairlearn_and_scikit_learn():
    y, d, group = drawn()
    frame = fl.MetricFrame(metrics=PEERS, y_true=y, y_pred=d, sensitive_features=group)
    found = audit(y, d, {"group": group}, n_boot=100).to_frame()
    assert found["reason"].null_count() == len(found)
    for metric in PEERS:
        ours = found.filter(metric=metric, grouping="group").sort("level")["value"]
        np.testing.assert_allclose(ours, frame.by_group[metric], rtol=1e-12)
        whole = found.filter(metric=metric, grouping="overall")["value"][0]
        assert whole == pytest.approx(frame.overall[metric], rel=1e-12)


def test_net_benefit_is_that_of_an_evaluation():
    y, _, group = drawn()
    p = np.random.default_rng(2).random(len(y))
    found = audit(y, p >= 0.3, {"group": group}, threshold=0.3, n_boot=100).to_frame()
    expected = evaluation.evaluate(y, p, groups={"group": group}, thresholds=(0.3,), n_boot=100)
    for level, performance in expected.groups["group"].items():
        ours = found.filter(metric="net_benefit", level=level)["value"][0]
        assert ours == pytest.approx(performance["net_benefit_0.3"].value, abs=1e-12)


@settings(deadline=None, max_examples=30)
@given(st.data())
def test_counts_are_those_of_the_rows(data):
    """Whatever the types of the columns, and with groups that nobody belongs to."""
    n = data.draw(st.integers(2, 40))
    y, d = (np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n))) for _ in "yd")
    codes = np.array(data.draw(st.lists(st.integers(0, 4), min_size=n, max_size=n)))
    codes[:2] = 0, 3
    names = np.array(["p", "q", "r", "s", "t"])
    enum = pl.Series(names[codes], dtype=pl.Enum(names))
    groups = {"enum": enum, "text": names[codes], "number": codes * 7 - 3}
    groups["flags"] = {"low": codes < 3, "odd": codes % 2 == 1}
    counts = audit(y, d.astype(float), groups, n_boot=100).table_of_counts()
    assert counts.filter(grouping="enum")["level"].to_list() == list(names)
    for grouping, level, n, *cells in counts.iter_rows():
        inside = {
            "overall": np.ones(len(y), dtype=bool),
            "enum": enum.to_numpy() == level,
            "text": names[codes] == level,
            "number": (codes * 7 - 3).astype(str) == level,
            "flags": codes < 3 if level == "low" else codes % 2 == 1,
        }[grouping]
        assert n == inside.sum()
        assert cells == [(inside & (y == a) & (d == b)).sum() for a in (0, 1) for b in (0, 1)]


def test_columns_may_come_as_a_frame_of_any_kind():
    y, d, group = drawn()
    text = pl.Series(group)
    frame = pl.DataFrame({"text": text, "cat": text.cast(pl.Categorical), "yes": text == "a"})
    counts = audit(pl.Series(y), pl.Series(d), frame, n_boot=100).table_of_counts()
    same = [counts.filter(grouping=g).drop("grouping") for g in ("text", "cat")]
    assert same[0].equals(same[1])
    assert counts.filter(grouping="yes")["level"].to_list() == ["false", "true"]


def test_many_combinations_are_counted_without_a_place_for_each():
    """60 ** 6 cells: the counts of each grouping are still those of the rows."""
    random = np.random.default_rng(3)
    groups = {str(i): random.integers(0, 60, 500) for i in range(6)}
    y, d = random.random((2, 500)) < 0.5
    found = audit(y, d, groups, n_boot=100)
    for name, codes in groups.items():
        n = found.table_of_counts().filter(grouping=name)["n"]
        assert n.to_list() == np.bincount(codes, minlength=60).tolist()
    assert (found.replicates[:, 0].sum(axis=1) == 500).all()


def test_the_same_whatever_the_threads_and_whatever_the_order_of_groupings():
    y, d, group = drawn()
    one, two = (
        audit(y, d, {"group": group}, clusters=np.arange(600) // 3, n_jobs=jobs, random_state=4)
        for jobs in (1, 2)
    )
    np.testing.assert_array_equal(one.replicates, two.replicates)
    assert one.to_frame().equals(two.to_frame())
    other = audit(y, d, {"group": group}, clusters=np.arange(600) // 3, random_state=5)
    assert (other.replicates != one.replicates).any()


def test_reference_is_the_largest_unless_named():
    y, d, group = drawn()
    group[:300] = "c"
    found = audit(y, d, {"group": group, "half": np.arange(600) % 2}, n_boot=100)
    assert found.reference["group"] == "c"
    asked = audit(
        y, d, {"group": group, "half": np.arange(600) % 2},
        reference={"group": "a", "half": 1}, n_boot=100,
    )  # fmt: skip
    assert asked.reference == {"group": "a", "half": "1"}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"y": [1, np.nan, 0, 1]}, "`y` has missing values"),
        ({"decision": [1, None, 0, 1]}, "`decision` has missing values"),
        ({"decision": pl.Series([True, None, False, True])}, "`decision` has missing values"),
        ({"y": [1, 2, 0, 1]}, "`y` has to be one column of yes and no"),
        ({"decision": [0.2, 0.7, 0.1, 0.9]}, "Make a decision of a probability"),
        ({"y": ["yes", "no", "no", "yes"]}, "`y` has to be one column"),
        ({"y": [1, 0, 1]}, "3 outcomes and 4 decisions"),
        ({"y": [], "decision": []}, "0 outcomes and 0 decisions"),
        ({"groups": {"Gender": ["f", "f", "m"]}}, "grouping 'Gender' has 3 rows"),
        ({"groups": {"Gender": ["f"] * 4}}, "grouping 'Gender' is the same for everybody"),
        ({"groups": {"Gender": ["f", None, "m", "m"]}}, "grouping 'Gender' has missing values"),
        ({"groups": {"Age": [1.0, np.nan, 2.0, 2.0]}}, "grouping 'Age' has missing values"),
        ({"groups": {"Any": {"a": [1, 0, 1]}}}, "grouping 'Any' has 3 rows"),
        ({"groups": {"Any": {"a": [1, 0, 1, 0], "b": [1]}}}, "columns of equal length"),
        ({"groups": {"Any": {"a": [1, None, 1, 0]}}}, "`Any: a` has missing values"),
        ({"clusters": [1, 1, 2]}, "`clusters` has to say of each of the 4 rows"),
        ({"strata": ["x", None, "x", "x"]}, "`strata` has to say"),
        ({"clusters": [1, 1, 2, 2], "strata": [1, 2, 2, 2]}, "a cluster has rows in two strata"),
    ],
)
def test_data_that_are_refused(changed, message):
    given_ = {"y": [1, 0, 0, 1], "decision": [1, 0, 1, 0], "groups": {"g": ["a", "b", "a", "b"]}}
    with pytest.raises(DataError, match=message):
        audit(**given_ | changed)


def test_an_identifier_is_no_grouping():
    with pytest.raises(DataError, match="'id' has more than 1,000 groups"):
        audit(np.arange(2000) % 2, np.arange(2000) % 2, {"id": np.arange(2000)})


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"groups": {}}, "there is no grouping"),
        ({"groups": ["a", "b", "a", "b"]}, "there is no grouping"),
        ({"metrics": ["auc"]}, "no metric is called auc"),
        ({"metrics": []}, "no metric is called nothing"),
        ({"metrics": ["net_benefit"]}, "Name the threshold"),
        ({"threshold": 1.0}, "a threshold of 1.0 is not between 0 and 1"),
        ({"reference": {"h": "a"}}, "no group 'a' of grouping 'h'"),
        ({"reference": {"g": "c"}}, "no group 'c' of grouping 'g'"),
        ({"reference": {"overall": "all"}}, "no group 'all' of grouping 'overall'"),
        ({"n_boot": 99}, "99 resamples are too few"),
    ],
)
def test_parameters_that_are_refused(changed, message):
    given_ = {"y": [1, 0, 0, 1], "decision": [1, 0, 1, 0], "groups": {"g": ["a", "b", "a", "b"]}}
    with pytest.raises(ParameterError, match=message):
        audit(**given_ | changed)


def test_too_many_combinations_are_refused():
    groups = {str(i): np.arange(900) for i in range(7)}
    with pytest.raises(ParameterError, match="too many combinations"):
        audit(np.arange(900) % 2, np.arange(900) % 2, groups)


def test_metrics_in_the_order_they_are_asked_for():
    y, d, group = drawn()
    found = audit(y, d, {"group": group}, metrics=["ppv", "tpr", "ppv"], n_boot=100)
    assert found.to_frame()["metric"].to_list()[:4] == ["ppv", "tpr", "ppv", "tpr"]
    everything = audit(y, d, {"group": group}, threshold=0.5, n_boot=100)
    assert everything.metrics == METRICS
