"""Resampled counts have the distribution of resampled rows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from iesoresearch.models.group_metrics import audit

N, MANY = 240, 4000
QUANTILES = [0.025, 0.25, 0.5, 0.75, 0.975]


@pytest.fixture(scope="module")
def rows():
    random = np.random.default_rng(1)
    cluster = np.sort(random.integers(0, 40, N))
    share = random.beta(4, 6, 40)[cluster]
    y = random.random(N) < share
    decision = random.random(N) < np.where(y, 0.7, 0.2)
    group = np.where(cluster % 3 == 0, "a", np.where(random.random(N) < 0.7, "b", "c"))
    return y, decision, group, cluster


def by_rows(y, decision, group, drawn):
    """Selection rate, TPR and PPV of two groups and their difference, of rows that were drawn."""
    y, decision, group = y[drawn], decision[drawn], group[drawn]
    found = []
    for level in "ab":
        inside = group == level
        yes = decision[inside]
        found += [yes.mean(), yes[y[inside]].mean(), y[inside][yes].mean()]
    return [*found, found[1] - found[4]]


def by_counts(audited):
    names = {view: i for i, view in enumerate(audited.views)}
    a, b = (
        [audited.estimates[m].replicates[:, names["group", level]] for m in audited.metrics]
        for level in "ab"
    )
    return np.stack([*a, *b, a[1] - b[1]], axis=1)


def resampled_rows(kind, cluster, group, random):
    if kind == "rows":
        return random.integers(0, N, N)
    if kind == "within groups":
        parts = [np.flatnonzero(group == level) for level in "abc"]
        return np.concatenate([random.choice(part, len(part)) for part in parts])
    members = [np.flatnonzero(cluster == c) for c in np.unique(cluster)]
    if kind == "clusters":
        return np.concatenate([members[i] for i in random.integers(0, len(members), len(members))])
    strata = [[m for m in members if (cluster[m[0]] % 2) == s] for s in (0, 1)]
    return np.concatenate([s[i] for s in strata for i in random.integers(0, len(s), len(s))])


@pytest.mark.parametrize("kind", ["rows", "within groups", "clusters", "clusters within strata"])
def test_replicates_are_those_of_resampled_rows(rows, kind):
    """Means, standard deviations and quantiles agree within their Monte Carlo error."""
    y, decision, group, cluster = rows
    random = np.random.default_rng(2)
    expected = np.array(
        [
            by_rows(y, decision, group, resampled_rows(kind, cluster, group, random))
            for _ in range(MANY)
        ]
    )
    how = {
        "rows": {},
        "within groups": {"strata": group},
        "clusters": {"clusters": cluster},
        "clusters within strata": {"clusters": cluster, "strata": cluster % 2},
    }[kind]
    found = by_counts(
        audit(
            y, decision, {"group": group}, metrics=("selection_rate", "tpr", "ppv"), n_boot=MANY,
            random_state=3, **how,
        )
    )  # fmt: skip
    width = expected.std(axis=0)
    off = (found.mean(axis=0) - expected.mean(axis=0)) / (width * np.sqrt(2 / MANY))
    assert np.abs(off).max() < 4
    assert np.abs(np.log(found.std(axis=0) / width)).max() < 4 / np.sqrt(MANY)
    for q in QUANTILES:
        # standard error of a quantile of a nearly normal number, of two samples
        error = np.sqrt(2 * q * (1 - q) / MANY) / stats.norm.pdf(stats.norm.ppf(q)) * width
        ends = (np.quantile(x, q, axis=0) for x in (found, expected))
        assert np.abs(np.subtract(*ends) / error).max() < 5, q
    same = [np.corrcoef(x[:, 1], x[:, 4])[0, 1] for x in (found, expected)]
    assert same[0] == pytest.approx(same[1], abs=4 * np.sqrt(2 / MANY))


def test_several_groupings_are_resampled_together(rows):
    """Counts of one grouping that add up to those of everybody do so in every resample."""
    y, decision, group, cluster = rows
    found = audit(y, decision, {"group": group, "half": cluster % 2}, n_boot=200)
    of = {g: [i for i, (name, _) in enumerate(found.views) if name == g] for g in ("group", "half")}
    for views in of.values():
        together = found.replicates[:, views].sum(axis=1)
        np.testing.assert_array_equal(together, found.replicates[:, 0])
    assert (found.replicates[:, 0].sum(axis=1) == N).all()


def test_within_strata_their_sizes_stay(rows):
    y, decision, group, _ = rows
    found = audit(y, decision, {"group": group}, strata=group, n_boot=200)
    assert (found.replicates.sum(axis=2) == found.counts.sum(axis=1)).all()


def test_a_group_absent_from_resamples_is_no_failure():
    """One patient of group b: in e⁻¹ of the resamples nobody is."""
    y, decision = np.arange(50) % 2, np.arange(50) % 3 == 0
    found = audit(y, decision, {"group": ["b"] + ["a"] * 49}, n_boot=1000)
    absent = found.replicates[:, 2].sum(axis=1) == 0
    assert absent.mean() == pytest.approx((1 - 1 / 50) ** 50, abs=0.06)
    assert len(found.to_frame()) == 3 * 8
    assert found.differences()["low"].null_count() == 8
    assert found.ratios()["low"].null_count() == 8


@settings(deadline=None, max_examples=25)
@given(st.data())
def test_clusters_of_a_kind_are_put_together_and_none_is_lost(data):
    """Clusters of one row each are rows; kinds keep the sums, however rows are ordered."""
    n = data.draw(st.integers(4, 60))
    draw = st.lists(st.integers(0, 3), min_size=n, max_size=n)
    y, d, group, cluster = (np.array(data.draw(draw)) for _ in range(4))
    group[:2] = 0, 1
    apart = audit(y % 2, d % 2, {"g": group}, clusters=np.arange(n), n_boot=100)
    plain = audit(y % 2, d % 2, {"g": group}, n_boot=100)
    np.testing.assert_array_equal(apart.counts, plain.counts)
    assert (apart.replicates[:, 0].sum(axis=1) == n).all()
    order = np.array(data.draw(st.permutations(range(n))))
    one, other = (
        audit((y % 2)[o], (d % 2)[o], {"g": group[o]}, clusters=cluster[o], n_boot=100)
        for o in (np.arange(n), order)
    )
    np.testing.assert_array_equal(one.counts, other.counts)
    np.testing.assert_allclose(one.units["ppv"], other.units["ppv"])
    sizes = np.bincount(cluster)
    assert one.units["prevalence"][0] == pytest.approx(n**2 / (sizes**2).sum())
