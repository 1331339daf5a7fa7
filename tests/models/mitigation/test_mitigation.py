"""Mitigation beside fairlearn, scikit-learn, hand calculation and planted gaps."""

import warnings

import numpy as np
import pytest
from fairlearn.metrics import MetricFrame, false_positive_rate, selection_rate, true_positive_rate
from sklearn.metrics import accuracy_score, precision_score

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.models import mitigation
from iesoresearch.models.evaluation.metrics import net_benefit
from iesoresearch.models.mitigation import comparing, counting, rules


def drawn(n=4000, shift=1.2, seed=3):
    """Two groups alike in the outcome; in the second the model takes everybody for safer."""
    random = np.random.default_rng(seed)
    group = np.where(random.random(n) < 0.4, "b", "a")
    logit = random.normal(0, 1.2, n)
    y = (random.random(n) < 1 / (1 + np.exp(-logit))).astype(float)
    p = 1 / (1 + np.exp(-(logit - shift * (group == "b"))))
    return y, p, group


@pytest.fixture(scope="module")
def planted():
    """A planted gap, all rules compared."""
    y, p, group = drawn()
    return mitigation.compare(y, p, group, n_boot=200, random_state=1)


def test_costs_of_a_tiny_example_by_hand():
    # group 0: event flagged, event not, other flagged; group 1: event not, other not, other not
    y = np.array([1.0, 1, 0, 1, 0, 0])
    group = np.array([0, 0, 0, 1, 1, 1])
    before = np.array([1.0, 0, 1, 0, 0, 0])
    after = np.array([1.0, 0, 0, 0.5, 0.5, 0])  # one less, and two by lot
    nothing = np.full((2, 6), np.nan)
    found = counting.sums(y, group, 2, np.array([before, after]), nothing, None, 0, 1)
    each = counting.rates(found, 0.25)
    np.testing.assert_allclose(each["tpr"][0], [[1 / 2, 0], [1 / 2, 1 / 2]])
    np.testing.assert_allclose(each["fpr"][0], [[1, 0], [0, 1 / 4]])
    np.testing.assert_allclose(each["ppv"][0], [[1 / 2, np.nan], [1, 1 / 2]])
    np.testing.assert_allclose(each["accuracy"][0], [[1 / 3, 2 / 3], [2 / 3, 2 / 3]])
    # odds of the threshold are 1/3: (1 - 1/3) / 3, 0; then 1/3, (0.5 - 0.5/3) / 3
    np.testing.assert_allclose(each["net_benefit"][0], [[2 / 9, 0], [1 / 3, 1 / 9]])
    np.testing.assert_allclose(each["cost"][0], [[0, 0], [1 / 9, 1 / 9]])
    np.testing.assert_allclose(each["otherwise"][0], [[0, 0], [1 / 3, 1 / 3]])
    np.testing.assert_allclose(each["more"][0], [[0, 0], [0, 1 / 3]])
    np.testing.assert_allclose(each["fewer"][0], [[0, 0], [1 / 3, 0]])
    # two patients at 0.5 differ by lot with 1/2 each, the third never
    np.testing.assert_allclose(each["lots"][0], [[0, 0], [0, 1 / 3]])
    whole = counting.rates(found.over([0, 1]), 0.25)
    assert whole["otherwise"][0, 1, 0] == pytest.approx(2 / 6)


def test_without_mitigation_rates_are_those_of_fairlearn_and_scikit_learn(planted):
    y, p, group = drawn()
    order = rules_halves(len(y))
    y, p, group = y[order], p[order], group[order]
    flagged = (p >= 0.5).astype(float)
    first = planted.rules[mitigation.NOTHING]
    assert first.overall["accuracy"].value == pytest.approx(accuracy_score(y, flagged), abs=1e-12)
    assert first.overall["ppv"].value == pytest.approx(precision_score(y, flagged), abs=1e-12)
    benefit = net_benefit(y, p, 0.5)
    assert first.overall["net_benefit"].value == pytest.approx(benefit, abs=1e-12)
    metrics = {"tpr": true_positive_rate, "fpr": false_positive_rate, "selection": selection_rate}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fairlearn's own, about pandas
        frame = MetricFrame(
            metrics=metrics, y_true=y, y_pred=flagged, sensitive_features=group
        ).by_group
    for name in metrics:
        for level in "ab":
            here = first.groups[level][name].value
            assert here == pytest.approx(frame.loc[level, name], abs=1e-12)


def rules_halves(n):
    """Rows of the half that is judged, by the same seed as the comparison of `planted`."""
    from iesoresearch.seeds import rng

    return np.flatnonzero(rng(1, "mitigation", "halves").permutation(n) % 2 == 1)


@pytest.mark.parametrize(
    ("name", "equal"),
    [
        (mitigation.PARITY, ["selection"]),
        (mitigation.TPR_PARITY, ["tpr"]),
        (mitigation.EQUALISED_ODDS, ["tpr", "fpr"]),
    ],
)
def test_what_a_rule_makes_equal_is_equal_where_it_was_fitted(name, equal):
    y, p, group = drawn(3000)
    code = (group == "b").astype(int)
    rule = rules.fit(name, y, p, code, 0.5)
    chance = rule.chance(p, code)
    assert chance.min() >= 0
    assert chance.max() <= 1
    who = {"selection": y >= 0, "tpr": y == 1, "fpr": y == 0}
    for rate in equal:
        one, other = (chance[who[rate] & (code == g)].mean() for g in (0, 1))
        assert one == pytest.approx(other, abs=1e-9)


def test_thresholds_decide_as_fairlearn_does_on_average():
    y, p, group = drawn(1500)
    code = (group == "b").astype(int)
    mine = rules.fit(mitigation.EQUALISED_ODDS, y, p, code, 0.5).chance(p, code)
    model = rules.ThresholdOptimizer(
        estimator=rules._AsGiven(), constraints="equalized_odds", prefit=True,
        predict_method="predict_proba",
    ).fit(p[:, None], y.astype(int), sensitive_features=code)  # fmt: skip
    draws = [model.predict(p[:, None], sensitive_features=code, random_state=s) for s in range(300)]
    # of 1,500 shares over 300 draws none is off by 5 standard errors
    assert np.abs(np.mean(draws, axis=0) - mine).max() < 5 * 0.5 / np.sqrt(300)


def test_reduction_keeps_rates_close_where_it_was_fitted():
    y, p, group = drawn(3000)
    code = (group == "b").astype(int)
    chance = rules.fit(mitigation.REDUCTION, y, p, code, 0.5).chance(p, code)
    for outcome in (0, 1):
        one, other = (chance[(y == outcome) & (code == g)].mean() for g in (0, 1))
        # each may be 0.02 from everybody's, and the algorithm stops a little short
        assert abs(one - other) < 0.06


def test_those_of_no_group_fitted_are_decided_as_everybody():
    y, p, group = drawn(2000)
    code = (group == "b").astype(int)
    new, other = np.array([0.2, 0.7]), np.array([5, 5])
    for name in rules.RULES:
        rule = rules.fit(name, y, p, code, 0.5)
        np.testing.assert_array_equal(rule.chance(new, other), [0, 1])
        assert rule.needs_group == (name != mitigation.NOTHING)


def test_rules_close_a_planted_gap_on_patients_they_were_not_fitted_on(planted):
    first = planted.rules[mitigation.NOTHING]
    assert abs(first.gaps["tpr"].value) > 0.25
    assert first.gaps["tpr"].low > 0
    assert first.changes["tpr"].value == 0
    for name in (mitigation.TPR_PARITY, mitigation.EQUALISED_ODDS, mitigation.REDUCTION):
        rule = planted.rules[name]
        assert abs(rule.gaps["tpr"].value) < 0.08
        assert rule.changes["tpr"].high < 0
    assert abs(planted.rules[mitigation.PARITY].gaps["selection"].value) < 0.08


def test_recalibration_mends_risks_that_are_wrong_in_one_group(planted):
    before, after = (planted.rules[n] for n in (mitigation.NOTHING, mitigation.RECALIBRATION))
    assert before.groups["b"]["off"].low > 0.1  # more events than predicted
    # what is left is the noise of both halves, of about 1,200 patients each
    assert abs(after.groups["b"]["off"].value) < 0.06
    assert "off" not in planted.rules[mitigation.PARITY].groups["b"].values
    # it gives the second group the benefit that wrong risks cost it
    assert after.groups["b"]["cost"].low > 0


def test_costs_add_up(planted):
    for rule in planted.rules.values():
        n = sum(g.n for g in rule.groups.values())
        assert n == rule.overall.n == planted.n_judged
        for name in ("cost", "otherwise", "net_benefit", "accuracy"):
            parts = sum(g.n * g[name].value for g in rule.groups.values())
            assert parts / n == pytest.approx(rule.overall[name].value, abs=1e-12)
        both = rule.overall["more"].value + rule.overall["fewer"].value
        assert both == pytest.approx(rule.overall["otherwise"].value, abs=1e-12)


@pytest.fixture
def only_one(monkeypatch):
    """Without rules that take seconds to fit, where these are not what is asked about."""
    monkeypatch.setattr(comparing, "RULES", {mitigation.NOTHING: rules.RULES[mitigation.NOTHING]})


def test_a_gap_that_is_not_there_is_not_found(only_one):
    found, by_chance = [], []
    for seed in range(20):
        y, p, group = drawn(1200, shift=0.0, seed=seed)
        one = mitigation.compare(y, p, group, n_boot=100, random_state=seed)
        gap = one.rules[mitigation.NOTHING].gaps["tpr"]
        found.append(not gap.low <= 0 <= gap.high)
        by_chance.append(one.rules[mitigation.NOTHING].widest["tpr"] > one.by_chance["tpr"][1])
    assert sum(found) <= 4  # 5 % of 20; more than 4 has a chance of 0.3 %
    assert sum(by_chance) <= 3  # 2.5 % of 20; more than 3 has a chance of 0.2 %


def test_whole_clusters_are_resampled_and_kept_together(only_one):
    y, p, group = drawn(1500)
    twice = [np.repeat(x, 2) for x in (y, p, group)]
    one = mitigation.compare(y, p, group, clusters=np.arange(len(y)), n_boot=100)
    two = mitigation.compare(*twice, clusters=np.repeat(np.arange(len(y)), 2), n_boot=100)
    for name in ("tpr", "net_benefit"):
        first, second = (c.rules[mitigation.NOTHING].overall[name] for c in (one, two))
        assert (first.value, first.low, first.high) == pytest.approx(
            (second.value, second.low, second.high)
        )
    assert two.n_judged == 2 * one.n_judged


def test_the_same_seed_gives_the_same_and_another_does_not():
    y, p, group = drawn(600)
    one, same, other = (
        repr(mitigation.compare(y, p, group, n_boot=100, random_state=s)) for s in (1, 1, 2)
    )
    assert one == same
    assert one != other


def test_small_groups_are_named_and_do_not_count(only_one):
    y, p, group = drawn(2000)
    group = group.astype("<U5")
    group[:15] = "small"
    found = mitigation.compare(y, p, group, n_boot=100)
    assert found.compared == ("a", "b")
    assert "fewer than 20" in found.left["small"]


def ordered(n=3000):
    """Five groups in an order; the model is off in the second, not in those at the ends."""
    y, p, _ = drawn(n, shift=0.0)
    group = np.random.default_rng(5).integers(1, 6, n)
    return y, np.where(group == 2, p * 0.5, p), group


def test_the_groups_of_a_gap_are_named_and_may_be_the_ends_of_an_order(only_one):
    y, p, group = ordered()
    furthest = mitigation.compare(y, p, group, n_boot=100)
    assert furthest.between["tpr"][1] == 2
    ends = mitigation.compare(y, p, group, ends=(1, 5), n_boot=100)
    assert set(ends.between) == {*mitigation.METRICS, "off"}
    assert all(set(pair) == {1, 5} for pair in ends.between.values())
    for found in (furthest, ends):
        rule = found.rules[mitigation.NOTHING]
        for name in mitigation.METRICS:
            most, least = (rule.groups[level][name].value for level in found.between[name])
            assert rule.gaps[name].value == pytest.approx(most - least, abs=1e-12)
    # what the ends do not show, the widest gap does
    first = ends.rules[mitigation.NOTHING]
    assert first.widest["tpr"] > abs(first.gaps["tpr"].value) + 0.1
    assert first.widest["tpr"] == furthest.rules[mitigation.NOTHING].widest["tpr"]


def test_ends_that_are_too_small_are_not_compared(only_one):
    y, p, group = ordered(2000)
    group[np.flatnonzero(group == 5)[15:]] = 4
    found = mitigation.compare(y, p, group, ends=(1, 5), n_boot=100)
    assert 5 in found.left
    assert found.between["tpr"][1] == 2


def test_a_gap_turned_round_is_not_narrowed(planted):
    for rule in planted.rules.values():
        size = abs(rule.gaps["tpr"].value) - abs(
            planted.rules[mitigation.NOTHING].gaps["tpr"].value
        )
        assert rule.changes["tpr"].value == pytest.approx(size, abs=1e-12)


def test_too_few_groups_and_bad_input_are_refused():
    y, p, group = drawn(300)
    with pytest.raises(DataError, match="Only 1 of 2 groups have 20 patients with and 20 without"):
        mitigation.compare(y, p, np.where(np.arange(300) < 10, "b", "a"))
    with pytest.raises(DataError, match=r"Nobody of the half to fit on has a risk of 0\.99"):
        mitigation.compare(y, p * 0.5, group, threshold=0.99)
    with pytest.raises(DataError, match="outside 0 to 1"):
        mitigation.compare(y, 100 * p, group)
    with pytest.raises(ParameterError, match="strictly between 0 and 1"):
        mitigation.compare(y, p, group, threshold=1.0)
    with pytest.raises(ParameterError, match="n_boot"):
        mitigation.compare(y, p, group, n_boot=10)
