"""An attacker who knows the code enumerates all counts that fit what is released of the model."""

from dataclasses import replace
from itertools import product

import numpy as np
import polars as pl
import pytest

from iesoresearch.analyses.fairness import Params, mitigation, model_audit, model_estimates
from iesoresearch.analyses.fairness.data import load
from iesoresearch.analyses.fairness.judged import REST, Judged
from iesoresearch.analyses.fairness.predictions import made
from iesoresearch.disclosure import Policy, release
from iesoresearch.models.mitigation import NOTHING
from iesoresearch.params import Settings
from iesoresearch.results import Result

POLICY = Policy()
KEYS = ("grouping", "level")
MOST = 30  # people: of a whole that is hidden, no more are tried


@pytest.fixture(scope="module")
def drawn():
    params = Params(n_referrals=8000, n_bootstrap=200, seed=3)
    data = load(params, Settings())
    return Judged(made(data, params), params, "synthetic", 1)


@pytest.fixture
def judged(drawn):
    """With nothing computed yet."""
    return replace(drawn)


def released(judged, *names):
    tables = {name: model_audit.TABLES[name](judged) for name in names}
    return release(Result(tables=tables), POLICY).tables


def windows(row):
    """All values of each count that are shown like this; of one that is hidden, from none."""
    found = {}
    for name, whole in (("events", None), ("others", None), ("caught", 0), ("alarms", 1)):
        if row[name] is None:
            most = MOST if whole is None else list(found.values())[whole].max()
            found[name] = np.arange(most + 1)
        else:
            low, high = POLICY.shown_as(row[name])
            found[name] = np.arange(max(low, 10), high + 1)
    return found


def fitting(row, odds):
    """(4, n) events, others, caught and alarms that fit counts and estimates of a row."""
    grid = np.meshgrid(*windows(row).values(), indexing="ij")
    e, o, c, a = (x.ravel().astype(float) for x in grid)
    fits = (c <= e) & (a <= o)
    with np.errstate(divide="ignore", invalid="ignore"):
        exact = {
            "tpr": c / e, "fpr": a / o, "ppv": c / (c + a), "net_benefit": (c - odds * a) / (e + o),
        }  # fmt: skip
    behind = {"tpr": "ec", "fpr": "oa", "ppv": "ca", "net_benefit": "eoca"}
    names = dict(zip("eoca", ("events", "others", "caught", "alarms"), strict=True))
    for name, values in exact.items():
        if row[name] is None or all(row[names[x]] is not None for x in behind[name]):
            continue  # of shown counts it is a function of them: see the test of that
        fits &= np.abs(100 * values - row[name]) <= 0.05
    return np.array([x[fits] for x in (e, o, c, a)])


def narrowed_groups(judged):
    """Rows said to hold a small count, of which a hidden count or rest has lost its range."""
    tables = released(judged, "model_rates", "model_performance", "model_sets")
    benefit = tables["model_performance"].frame.select(*KEYS, "net_benefit")
    frame = tables["model_rates"].frame.join(benefit, on=KEYS, maintain_order="left")
    odds = judged.threshold / (1 - judged.threshold)
    lost = []
    for row in frame.filter(pl.col("status").str.contains("fewer than")).iter_rows(named=True):
        e, o, c, a = fitting(row, odds)
        hidden = {n: row[n] is None for n in ("events", "others", "caught", "alarms")}
        unknown = {"events": e, "others": o, "caught": c, "alarms": a}
        parts = [unknown[name] for name in hidden if hidden[name]]
        parts += [e - c] * hidden["caught"] + [o - a] * hidden["alarms"]
        if any(not set(range(1, 10)) <= set(part) for part in parts):
            lost.append((row["grouping"], row["level"]))
    return lost


def counts_of(judged, grouping, level):
    who = judged.two_way[grouping] == level
    y, flagged = judged.found.y == 1, judged.flagged
    parts = (y & flagged, y & ~flagged, ~y & flagged, ~y & ~flagged)
    return tuple(int((who & part).sum()) for part in parts)


def narrowed_intersections(judged, step):
    """Intersections that are shown with a small count of which the range is lost."""
    table = released(judged, "model_intersections")["model_intersections"]
    lost = []
    for row in table.frame.iter_rows(named=True):
        truth = counts_of(judged, row["grouping"], row["level"])
        if min(truth) >= 10:
            continue
        shares = {}
        for name in ("tpr", "fpr"):
            shares[name] = [
                (whole, part)
                for whole in range(row["at_least"], 2 * MOST + 1)
                for part in range(whole + 1)
                if step * round(100 * part / whole / step) == row[name]
            ]
        found = np.array(
            [(c, e - c, a, o - a) for (e, c), (o, a) in product(*shares.values())
             if c + a and step * round(100 * c / (c + a) / step) == row["ppv"]]
        ).reshape(-1, 4)  # fmt: skip
        if any(n < 10 and not set(range(1, 10)) <= set(found[:, i]) for i, n in enumerate(truth)):
            lost.append((row["grouping"], row["level"]))
    return lost


def test_rates_net_benefit_and_sets_are_functions_of_released_counts(judged):
    tables = released(judged, "model_rates", "model_performance", "model_sets")
    frame = tables["model_performance"].frame
    odds = judged.threshold / (1 - judged.threshold)
    hand = 100 * (pl.col("caught") - odds * pl.col("alarms"))
    hand = frame.select(hand / (pl.col("events") + pl.col("others"))).to_series()
    assert hand.null_count() == frame["net_benefit"].null_count() > 0
    np.testing.assert_allclose(frame["net_benefit"].drop_nulls(), hand.drop_nulls(), atol=1e-9)
    frame = tables["model_sets"].frame
    held = pl.col("held_events") + pl.col("held_others")
    hand = frame.select(100 * held / (pl.col("events") + pl.col("others"))).to_series()
    assert hand.is_null().to_list() == frame["held"].is_null().to_list()
    np.testing.assert_allclose(frame["held"].drop_nulls(), hand.drop_nulls(), atol=1e-9)


def test_small_counts_of_groups_keep_their_whole_range(judged):
    assert narrowed_groups(judged) == []


def test_the_attack_finds_them_where_net_benefit_is_exact(judged, monkeypatch):
    honest = model_estimates.performance

    def exact(found):
        table = honest(found)
        value = replace(table.values["net_benefit"], derive=None)
        return replace(table, values=table.values | {"net_benefit": value})

    monkeypatch.setitem(model_audit.TABLES, "model_performance", exact)
    assert narrowed_groups(judged)


def test_no_intersection_is_shown_with_a_small_count(judged):
    shown = released(judged, "model_intersections")["model_intersections"].frame
    assert shown.height
    assert any((column == REST).any() for column in judged.two_way.values())
    for grouping, level in shown.select(*KEYS).iter_rows():
        assert min(counts_of(judged, grouping, level)) >= 10
    for name in ("tpr", "fpr", "ppv"):
        for end in ("", "_low", "_high"):
            assert (shown[name + end] % 5 == 0).all()
    assert narrowed_intersections(judged, 5) == []


def test_the_attack_finds_them_where_events_and_others_alone_have_to_be_enough(judged, monkeypatch):
    def events_and_others(self, code):
        events = np.bincount(code, self.found.y)
        return np.minimum(events, np.bincount(code) - events)

    monkeypatch.setattr(Judged, "least", events_and_others)
    whole = {name: (*model_estimates._CROSSED[name][:2], 0.01) for name in ("tpr", "fpr", "ppv")}
    monkeypatch.setattr(model_estimates, "_CROSSED", model_estimates._CROSSED | whole)
    assert narrowed_intersections(judged, 1)


def everybody_is_compared(judged):
    """Of the groups by gender, of which two are small."""
    compared = mitigation._compared(judged)
    for rule in compared.rules.values():
        assert rule.overall.n == sum(rule.groups[level].n for level in compared.compared)


def test_of_mitigation_nobody_is_left_to_be_worked_out(judged, monkeypatch):
    judged = replace(judged, params=judged.params.model_copy(update={"mitigate": "Gender"}))
    monkeypatch.setattr(mitigation, "LARGE", 20)  # few are drawn here
    everybody_is_compared(judged)
    compared = mitigation._compared(judged)
    tables = {"groups": mitigation.groups(judged, compared),
              "all": mitigation.costs(judged, compared)}  # fmt: skip
    free = release(Result(tables=tables), POLICY).tables
    shown = free["groups"].frame.filter(pl.col("tpr").is_not_null())
    assert shown.height
    for rule, level in shown.select("rule", "level").iter_rows():
        one = compared.rules[rule].groups[level]
        for share, whole in (
            (one["tpr"].value, one.events),
            (one["fpr"].value, one.n - one.events),
        ):
            assert 10 <= share * whole <= whole - 10
    assert shown.group_by("rule").len()["len"].unique().to_list() == [len(compared.compared)]
    for mine in free["all"].frame.filter(pl.col("rule") != NOTHING).iter_rows(named=True):
        rule = compared.rules[mine["rule"]].overall
        few = min(rule["more"].value, rule["fewer"].value) * rule.n < 10
        assert [mine[x] is None for x in ("more", "fewer", "otherwise")] == [few] * 3
    monkeypatch.setattr(mitigation, "LARGE", 0)
    with pytest.raises(AssertionError):
        everybody_is_compared(judged)
