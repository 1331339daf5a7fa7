"""200 sets of linked tables attacked by integer programming: no small count loses a value.

The sets, their release and the attack are those of studies/red_team.py; 120 further ones are in
test_attack.py.
"""

import numpy as np
import polars as pl
import pytest

from iesoresearch.disclosure import Policy, attack, derived, release
from iesoresearch.results import Result, Table, Value
from iesoresearch.seeds import derive

DRAWS = 12  # of each of seven designs: with those of test_attack.py more than 200 sets
EVERY = 4  # one set in this many is asked for every value, the others for both ends of the range


@pytest.fixture(scope="module")
def team(load_study):
    return load_study("red_team")


DESIGNS = ("groups", "three-way", "hierarchy", "nested", "zeros", "rates", "national")
POLICIES = ("plain", "nhs-tt", "midpoint", "zeros shown", "coarse")


def sets_of(team, design, draws):
    """Small sets, with their policies in turn."""
    for draw in range(draws):
        rng = np.random.default_rng(derive(7, design, str(draw)))
        yield draw, team.linked(design, rng), team.POLICIES[POLICIES[draw % len(POLICIES)]]


@pytest.mark.parametrize("design", DESIGNS)
def test_every_suppressed_count_keeps_its_whole_range(team, design):
    found = [
        team.disclosed(tables, policy, every=draw % EVERY == 0)
        for draw, tables, policy in sets_of(team, design, DRAWS)
    ]
    assert sum(one["narrowed"] for one in found) == 0
    assert sum(one["shown"] for one in found) == 0
    assert sum(one["small"] for one in found) >= DRAWS  # there was something to protect


def test_without_suppression_over_all_tables_the_attack_succeeds(team):
    disclosed = 0
    with team.without_completion():
        for design in ("three-way", "hierarchy", "national"):
            for _, tables, policy in sets_of(team, design, 3):
                disclosed += team.disclosed(tables, policy, every=False)["narrowed"] > 0
    assert disclosed >= 4


def test_national_figures_that_the_release_does_not_know_of_are_the_trap(team):
    """England exact beside rounded providers and their subgroups: an open table declares it."""
    proved = {True: 0, False: 0}
    for _, tables, _ in sets_of(team, "national", 8):
        for declared in proved:
            told = tables if declared else {n: t for n, t in tables.items() if n != "national"}
            seen = release(Result(tables=told), Policy()).tables
            seen |= release(Result(tables={"national": tables["national"]}), Policy()).tables
            rows = attack.narrowed(seen, Policy()).narrowed
            proved[declared] += rows.filter(pl.col("high") < Policy().min_count).height
    assert proved[True] == 0
    assert proved[False] >= 1


def worlds(finished, improved, unchanged, rates=()):
    """Deteriorated patients that fit with counts rounded to 5, and with exact rates in whole %."""
    found = set()
    for n in range(finished - 2, finished + 3):
        for a in range(max(improved - 2, 5), improved + 3):
            for b in range(max(unchanged - 2, 5), unchanged + 3):
                fits = all(abs(100 * x / n - r) <= 0.5 for x, r in zip((a, b), rates, strict=False))
                if fits:
                    found |= set(range(min(n - a - b, 4) + 1))  # not all are judged
    return found


def test_published_percentages_tell_a_suppressed_count_and_ours_do_not():
    """A row as NHS Talking Therapies publishes them, below England: counts below 5 are withheld,
    others rounded to 5, beside whole percentages of the exact counts.

    Of 20 finished 15 improved (71 %) and 5 did not change (29 %); how many deteriorated is
    suppressed. Of the 1,825 such cells of providers by subgroup in 2023-24 with both neighbours
    shown, this narrows 1,217, and 223 to nobody; the rounded counts alone narrow 67.
    """
    assert worlds(20, 15, 5) == {0, 1, 2, 3, 4}
    assert worlds(20, 15, 5, (71, 29)) == {0}
    policy = Policy(5, 5)
    columns = {"finished": [21, 60, 80], "improved": [15, 41, 50], "unchanged": [6, 13, 20]}
    columns["worse"] = [0, 6, 10]
    frame = pl.DataFrame({"group": ["a", "b", "c"], **columns})
    values = {
        name: Value(
            "count", name, 0, parts_of=(), within=None if name == "finished" else "finished"
        )
        for name in columns
    }
    table = Table("Outcomes", frame, {"group": ""}, values, "courses")
    for name in ("improved", "unchanged", "worse"):
        table = derived.with_rate(table, f"{name}_rate", name, "finished", "%")
    seen = release(Result(tables={"t": table}), policy).tables
    row = seen["t"].frame.row(0, named=True)
    assert row["worse"] is row["worse_rate"] is None
    found = attack.excluded(seen, policy).filter(column="worse", row="group a")
    assert found.filter(pl.col("rest_of").is_null())["values"].to_list() == [[]]
