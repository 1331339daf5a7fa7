"""Steps of adjustment: the same patients, planted reasons, and honest words."""

import inspect
import pkgutil
import re

import numpy as np
import polars as pl
import pytest
from scipy.special import expit

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.models import case_mix, funnel, inequality
from iesoresearch.models.case_mix import standardise, steps

N = 20_000


@pytest.fixture(scope="module")
def people():
    """Group b has the same chances, but more severe scores and another mix of services."""
    random = np.random.default_rng(1)
    group = np.where(random.random(N) < 0.3, "b", "a")
    score = random.normal(14, 5, N) + 3 * (group == "b")
    alike = random.normal(0, 2, N)  # matters a lot, and is alike in both groups
    service = np.where(random.random(N) < 0.5, random.integers(0, 20, N), 20 * (group == "b"))
    eta = 1.2 - 0.1 * score + alike + random.normal(0, 0.5, 21)[service]
    y = (random.random(N) < expit(eta)).astype(float)
    blocks = {
        "severity": pl.DataFrame({"score": score}),
        "other": pl.DataFrame({"alike": alike}),
    }
    return y, group, blocks, service


def gap(found, step, *names):
    rows = found.frame.filter(pl.col("step") == step, pl.col("level") == "b")
    return rows.select(*names).row(0)


def test_a_gap_that_case_mix_carries_goes_with_it(people):
    found = steps(*people)
    names = ("points", "points_low", "points_high")
    assert found.frame["step"].unique(maintain_order=True).to_list() == [
        "unadjusted",
        "+ severity",
        "+ other",
        "+ service",
    ]
    assert gap(found, "unadjusted", *names)[2] < -1
    _, low, high = gap(found, "+ service", *names)
    assert low < 0 < high
    assert found.tau == pytest.approx(0.5, abs=0.2)
    assert gap(found, "+ service", "model") == ("random intercepts",)
    moved, points = gap(found, "+ other", "moved", "points")
    assert moved == pytest.approx(points - gap(found, "unadjusted", "points")[0])


def test_every_step_is_a_standardisation_of_the_same_people(people):
    y, group, blocks, service = people
    y, group = y.copy(), group.astype(object)
    y[:100], group[100:150] = np.nan, None
    blocks = blocks | {"severity": blocks["severity"].with_row_index("i").select(
        pl.when(pl.col("i") >= 200).then("score").alias("score"))}  # fmt: skip
    found = steps(y, group, blocks, service)
    assert (found.n_given, found.n_used, found.n_left_out) == (N, N - 200, 0)
    kept = slice(200, None)
    both = blocks["severity"].hstack(blocks["other"])[kept]
    alone = standardise(y[kept], group[kept], both, cluster=service[kept])
    at = found.frame.filter(pl.col("step") == "+ other")
    assert at.drop("step", "moved", "model").equals(alone.frame)
    sizes = found.frame.group_by("step", maintain_order=True).agg(pl.col("n").sum())
    assert sizes["n"].to_list() == [N - 200] * 4


def test_points_can_be_compared_and_odds_ratios_cannot():
    """What is alike in both groups moves the odds ratio away from 1 and leaves the points."""
    random = np.random.default_rng(2)
    group = np.repeat(["a", "b"], N // 2)
    alike = np.tile(random.normal(0, 2.5, N // 2), 2)
    y = (random.random(N) < expit(alike - 1.0 * (group == "b"))).astype(float)
    found = steps(y, group, {"alike": pl.DataFrame({"alike": alike})}, reference="a")
    before, after = (gap(found, step, "points", "odds_ratio") for step in ("unadjusted", "+ alike"))
    assert after[0] == pytest.approx(before[0], abs=0.7)
    assert before[1] > 0.5
    assert after[1] == pytest.approx(np.exp(-1), abs=0.06)
    assert found.tau is None


def test_without_blocks_or_clusters_only_the_gap_itself(people):
    y, group, _, service = people
    found = steps(y, group, {})
    assert found.frame["step"].unique().to_list() == ["unadjusted"]
    named = steps(y, group, {}, service, cluster_name="therapist")
    assert named.frame["step"].unique(maintain_order=True).to_list() == [
        "unadjusted",
        "+ therapist",
    ]


def test_levels_too_small_say_so_in_every_step(people):
    y, group, blocks, _ = people
    group = np.where(np.arange(N) < 12, "c", group)
    found = steps(y, group, blocks)
    rows = found.frame.filter(level="c")
    assert rows["points"].null_count() == rows.height == 3
    assert rows["reason"].unique().to_list() == [
        "not estimable: fewer than 10 patients with the event, or without"
    ]
    assert (found.n_used, found.n_left_out) == (N - 12, 12)


def test_what_cannot_be_had_is_refused(people):
    y, group, blocks, _ = people
    with pytest.raises(ParameterError, match="no column twice"):
        steps(y, group, {"one": blocks["other"], "two": blocks["other"]})
    with pytest.raises(ParameterError, match="as many rows"):
        steps(y, group, {"one": blocks["other"][:5]})
    with pytest.raises(ParameterError, match="events and people are numbers or booleans"):
        steps(["yes", "no"] * (N // 2), group, blocks)
    with pytest.raises(ParameterError, match=r"a polars\.DataFrame, .* this is a ndarray"):
        steps(y, group, {"one": blocks["other"].to_numpy()})
    with pytest.raises(ParameterError, match="level of 95 is not between 0 and 1"):
        steps(y, group, blocks, level=95)
    with pytest.raises(DataError, match="No patient has a known"):
        steps(y, group, {"one": pl.DataFrame({"x": [None] * N})})


def test_no_word_judges_an_adjusted_gap():
    packages = (case_mix, inequality)
    texts = [inspect.getsource(funnel)]
    for package in packages:
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            texts.append(inspect.getsource(__import__(module.name, fromlist=["x"])))
    for word in (r"\bexplain", r"unexplained", r"\bunfair", r"\bfair\b", r"discriminat"):
        assert not any(re.search(word, text, re.IGNORECASE) for text in texts), word
