"""An attacker with an integer programme learns nothing of small counts from released tables."""

import importlib
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from iesoresearch.disclosure import Policy, attack, linking, relations, release
from iesoresearch.results import Result, Table, Value

PARTS = {"referred": None, "finished": "referred", "recovered": "finished", "worse": "finished"}
APART = {"worse": "recovered"}
POLICIES = [Policy(), Policy(5, 5), Policy(7, 10), Policy(10, 5, zeros_disclosive=False)]
POLICIES += [Policy(7, 6, rounding="midpoint")]
SETS = range(120)


def patients(rng, n):
    """Patients with uneven groups, many of them small."""
    finished = rng.random(n) < 0.6
    recovered = finished & (rng.random(n) < rng.uniform(0.1, 0.9))
    groups = {
        "Ethnicity": (["Indian", "Pakistani", "British", "Irish"], 0.7),
        "Gender": (["female", "male", "other"], 1.0),
        "Age": (["18-25", "26-64", "65+", "90+"], 0.8),
    }
    drawn = {
        name: rng.choice(levels, n, p=rng.dirichlet(np.full(len(levels), concentration)))
        for name, (levels, concentration) in groups.items()
    }
    broad = {"Indian": "Asian", "Pakistani": "Asian", "British": "White", "Irish": "White"}
    return pl.DataFrame(
        drawn
        | {"Ethnic group": [broad[e] for e in drawn["Ethnicity"]], "referred": [True] * n}
        | {"finished": finished, "recovered": recovered}
        | {"worse": finished & ~recovered & (rng.random(n) < 0.3)}
    )


def counts(rows, by, columns):
    return rows.group_by(by, maintain_order=True).agg(pl.col(columns).sum().cast(pl.Int64))


def values(columns, parts_of):
    return {
        c: Value("count", c, 0, parts_of=parts_of, within=PARTS[c], apart_from=APART.get(c))
        for c in columns
    }


def one_way(rows, groupings, columns):
    frames = [
        counts(rows, [g], columns).select(
            pl.lit(g).alias("grouping"), pl.col(g).alias("level"), *columns
        )
        for g in groupings
    ]
    broader = {}
    if {"Ethnicity", "Ethnic group"} <= set(groupings):
        pairs = rows.select("Ethnicity", "Ethnic group").unique(maintain_order=True).iter_rows()
        broader = {("Ethnicity", e): (("Ethnic group", g),) for e, g in pairs}
    keys = {"grouping": "", "level": ""}
    return Table(
        "One way", pl.concat(frames), keys, values(columns, ("grouping",)), "patients", broader
    )


def crossed(rows, first, second, columns):
    frame = counts(rows, [first, second], columns)
    pairs = frame.select(first, second).iter_rows()
    broader = {(a, b): ((first, a), (second, b)) for a, b in pairs}
    return Table(
        "Crossed", frame, {first: "", second: ""}, values(columns, ()), "patients", broader
    )


def linked(seed):
    """Tables of the same patients: one grouping, hierarchies, nested outcomes, intersections."""
    rng = np.random.default_rng(seed)
    rows = patients(rng, int(rng.integers(60, 700)))
    two = ["finished", "recovered"]
    return (
        {"a": one_way(rows, ["Gender"], ["referred"])},
        {"a": one_way(rows, ["Age"], ["referred", *two])},
        {"a": one_way(rows, ["Ethnicity", "Ethnic group"], two)},
        {
            "a": one_way(rows, ["Gender", "Ethnic group"], ["finished", "worse"]),
            "b": one_way(rows, ["Gender", "Age"], two),
        },
        {
            "a": one_way(rows, ["Gender", "Ethnic group"], ["finished"]),
            "b": crossed(rows, "Gender", "Ethnic group", ["finished"]),
        },
    )[seed % 5]


def contradicted(released, policy, totals, x):
    """Of what the attacker believes, what is not so."""
    model = attack._Attack(released, policy, totals)
    bounds = [model.bounds(at) for at in range(len(x))]
    wrong = [
        at
        for at, (low, high) in enumerate(bounds)
        if not low <= x[at] <= high and not (x[at] == 0 and model.may_be_zero(at))
    ]
    few = policy.is_small(x)
    return wrong + [members for members in model.said if not few[members].any()]


def disclosed(tables, policy):
    """Small counts and rests of which the attacker can tell more than that they are small."""
    system = linking.build(tables)
    x = system.values(tables)
    known, few = system.known(x, policy), system.small(x, policy)
    totals = {t: int(x[i]) for i, t in enumerate(system.totals, system.n_totals_from) if known[i]}
    cells, named = set(), set()
    for i in np.flatnonzero(few):
        rest = system.rests[i - system.n_rests_from] if i >= system.n_rests_from else None
        cell = system.cells[rest.part if rest else i]
        row = ", ".join(f"{key} {value}" for key, value in cell.row)
        named.add((cell.column, row, system.named(rest.whole) if rest else None))
        cells.add(cell)
    released = release(Result(tables=tables), policy).tables
    assert not contradicted(released, policy, totals, x)
    found = attack.ranges(released, policy, totals, cells).to_dicts()
    few = [row for row in found if (row["column"], row["row"], row["rest_of"]) in named]
    assert len(few) == len(named)  # every small count is hidden
    most = policy.min_count - 1
    return [r for r in few if r["low"] > policy.fewest or (r["high"] or most) < most]


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: str(policy.applied))
def test_no_small_count_of_linked_tables_can_be_narrowed_down(policy):
    mine = SETS[POLICIES.index(policy) :: len(POLICIES)]
    assert {seed: found for seed in mine if (found := disclosed(linked(seed), policy))} == {}


def test_without_suppression_over_all_tables_they_could(monkeypatch):
    module = importlib.import_module("iesoresearch.disclosure.release")
    monkeypatch.setattr(module, "complete", lambda pattern: None)
    assert sum(bool(disclosed(linked(seed), Policy())) for seed in SETS[:20]) >= 5


@pytest.mark.parametrize("apart", [False, True])
def test_what_is_hidden_within_columns_is_not_needed_to_be_safe(monkeypatch, apart):
    """Suppression over all tables makes up for it; of tables by themselves nothing does."""
    module = importlib.import_module("iesoresearch.disclosure.release")
    monkeypatch.setattr(module, "_with_complement", lambda _, __, ___, small, ____: small)
    if apart:
        monkeypatch.setattr(module, "complete", lambda pattern: None)
    found = [bool(disclosed(linked(seed), Policy())) for seed in SETS[:15]]
    assert sum(found) >= 5 if apart else not any(found)


def test_exact_national_figures_and_rounded_providers_tell_no_subgroup():
    """The trap: England exact, providers rounded to 5, subgroups of providers."""
    rows = [
        ("P1", "A", 23), ("P1", "B", 12), ("P1", "C", 11),
        ("P2", "A", 12), ("P2", "B", 12), ("P2", "C", 12),
        ("P3", "A", 12), ("P3", "B", 7), ("P3", "C", 13),
    ]  # fmt: skip
    frame = pl.DataFrame(rows, schema=["provider", "group", "n"], orient="row")
    n = {"n": Value("count", "n", 0, parts_of=("group",))}
    keys = {"provider": "", "group": ""}
    alone = Table("Groups of providers", frame, keys, n, population="finished, {group}")
    # England by group is known exactly, so 7 of P3 must not stand alone
    assert disclosed({"alone": alone}, Policy()) == []
    n = {"n": Value("count", "n", 0, parts_of=())}
    tables = {"both": replace(alone, values=n, population="finished")}
    for key in ("provider", "group"):
        sums = frame.group_by(key, maintain_order=True).agg(pl.col("n").sum())
        tables[key] = Table(key, sums, {key: ""}, n, "finished")
    # one key each: told apart by their values
    broader = {(provider, group): ((provider,), (group,)) for provider, group, _ in rows}
    tables["both"] = replace(tables["both"], broader=broader)
    assert disclosed(tables, Policy()) == []


def simple(counts, status):
    frame = pl.DataFrame({"g": list("abcd")[: len(counts)], "n": counts, "status": status})
    keys = {"n": Value("count", "n", 0, parts_of=())}
    return {"t": Table("T", frame, {"g": ""}, keys)}


FEW, PROTECTS = "suppressed (fewer than 10 people)", "suppressed (protects another cell)"


def test_ranges_are_those_of_a_hand_calculation():
    tables = simple([None, 30, None], [FEW, "released", PROTECTS])
    total = relations.Total("table t", "n")
    found = attack.ranges(tables, Policy(), {total: 50})
    # 30 is 28 to 32, so the two are 18 to 22; the second is at least 10
    assert found.select("row", "low", "high").rows() == [("g a", 0, 9), ("g c", 10, 22)]
    exact = attack.ranges(tables, Policy(10, 1), {total: 45})
    assert exact.select("low", "high").rows() == [(0, 5), (10, 15)]  # 15 in both
    nothing = attack.ranges(tables, Policy())
    assert nothing.select("low", "high").rows() == [(0, 9), (10, None)]


def test_tables_that_contradict_the_totals_are_refused():
    tables = simple([None, 30], [FEW, "released"])
    with pytest.raises(ValueError, match="contradict each other, the policy or the totals"):
        attack.ranges(tables, Policy(), {relations.Total("table t", "n"): 12})
