"""A red team attacks released tables: generated linked sets, each released and taken apart.

Patients are drawn with uneven groups, many of them small, and counted in tables that share margins:
one, two and three groupings crossed; regions, providers and services; outcomes within outcomes;
many zeros; rates, gaps and intervals beside the counts; and the trap of open statistics, exact
national figures beside rounded providers and subgroups of providers. The attacker knows the policy,
the rounding, the zeros, exact totals from elsewhere and all that is shown, and asks by integer
programming of every small count and of every small remainder which values below the threshold it
may have. A set is disclosed if any of them has lost one: every suppressed count must keep its full
range, from nobody (or one) to the threshold less one.

Of every set it is also reported how many small counts an attacker narrows if nothing is suppressed
beyond small counts and their neighbours in the same column ("without"), so that it is seen that
the attack finds something where there is something to find.
"""

from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from itertools import combinations
from unittest import mock

import numpy as np
import polars as pl
from _study import Study

from iesoresearch.disclosure import Policy, attack, derived, linking, release
from iesoresearch.results import Result, Table, Value

POLICIES = {
    "plain": Policy(),
    "nhs-tt": Policy(5, 5),
    "midpoint": Policy(8, 6, rounding="midpoint"),
    "coarse": Policy(7, 10),
    "zeros shown": Policy(10, 5, zeros_disclosive=False),
}
DESIGNS = ("groups", "three-way", "hierarchy", "nested", "zeros", "rates", "national")
DRAWS = 6
_PUBLISHED = 20

WITHIN = {
    "finished": "referred",
    "at_caseness": "finished",
    "recovery": "at_caseness",
    "reliable_recovery": "recovery",
    "worse": "at_caseness",
}
APART = {"worse": "recovery"}
LEVELS = {
    "Gender": ("female", "male", "other"),
    "Age": ("18-25", "26-64", "65+"),
    "Ethnicity": ("Indian", "Pakistani", "British", "Irish"),
}
BROAD = {"Indian": "Asian", "Pakistani": "Asian", "British": "White", "Irish": "White"}

Drawn = dict[str, Table]


def patients(rng: np.random.Generator, n: int) -> pl.DataFrame:
    """Patients with groups of uneven size, places within places, and outcomes within outcomes."""
    columns = {
        name: rng.choice(levels, n, p=rng.dirichlet(np.full(len(levels), 0.8)))
        for name, levels in LEVELS.items()
    }
    service = rng.choice(6, n, p=rng.dirichlet(np.full(6, 0.9)))
    columns |= {
        "Ethnic group": [BROAD[e] for e in columns["Ethnicity"]],
        "Service": [f"S{i}" for i in service],
        "Provider": [f"P{i // 2}" for i in service],
        "Region": ["R0" if i < 4 else "R1" for i in service],
    }
    frame = pl.DataFrame(columns).with_columns(referred=pl.lit(True))
    inside = np.ones(n, dtype=bool)
    for stage, low in (("finished", 0.5), ("at_caseness", 0.85), ("recovery", 0.2)):
        inside = inside & (rng.random(n) < rng.uniform(low, 0.97))
        frame = frame.with_columns(pl.Series(stage, inside))
    reliable = inside & (rng.random(n) < 0.9)
    rest = frame["at_caseness"].to_numpy() & ~inside
    return frame.with_columns(
        reliable_recovery=pl.Series(reliable), worse=pl.Series(rest & (rng.random(n) < 0.3))
    )


def crossed(
    rows: pl.DataFrame, by: tuple[str, ...], columns: tuple[str, ...], up: Iterator = ()
) -> Table:
    """Counts of all combinations of some groupings, each row a part of those `up`."""
    frame = rows.group_by(by, maintain_order=True).agg(pl.col(columns).sum().cast(pl.Int64))
    values = {
        name: Value("count", name, 0, parts_of=(), within=WITHIN.get(name) if name != columns[0]
                    else None, apart_from=APART.get(name))
        for name in columns
    }  # fmt: skip
    up = list(up)
    broader = {
        tuple(row[name] for name in by): tuple(tuple(row[n] for n in whole) for whole in up)
        for row in frame.to_dicts()
    }
    keys = dict.fromkeys(by, "")
    return Table(f"By {' and '.join(by)}", frame, keys, values, "patients", broader if up else {})


def _listed(rows: pl.DataFrame, groupings: tuple[str, ...], columns: tuple[str, ...]) -> Table:
    """Groupings below each other, levels of a narrow one within those of a broad one."""
    parts = [
        crossed(rows, (g,), columns).frame.select(
            pl.lit(g).alias("grouping"), pl.col(g).alias("level"), *columns
        )
        for g in groupings
    ]
    values = crossed(rows, groupings[:1], columns).values
    values = {name: replace(v, parts_of=("grouping",)) for name, v in values.items()}
    broader = {}
    if {"Ethnicity", "Ethnic group"} <= set(groupings):
        there = rows["Ethnicity"].unique(maintain_order=True).to_list()
        broader = {("Ethnicity", e): (("Ethnic group", BROAD[e]),) for e in there}
    keys = {"grouping": "", "level": ""}
    return Table("Groups", pl.concat(parts), keys, values, "patients", broader)


def _groups(rng) -> Drawn:
    rows = patients(rng, int(rng.integers(60, 700)))
    columns = ("referred", "finished")
    return {
        "wide": _listed(rows, ("Gender", "Age"), columns),
        "narrow": _listed(rows, ("Gender", "Ethnicity", "Ethnic group"), columns[1:]),
    }


def _three_way(rng) -> Drawn:
    rows, by = patients(rng, int(rng.integers(60, 400))), ("Gender", "Age", "Ethnic group")
    return {
        "".join(part): crossed(
            rows, part, ("finished",), combinations(part, n - 1) if n > 1 else ()
        )
        for n in (1, 2, 3)
        for part in combinations(by, n)
    }


def _hierarchy(rng) -> Drawn:
    rows, columns = patients(rng, int(rng.integers(60, 400))), ("finished",)
    return {
        "region": crossed(rows, ("Region",), columns),
        "provider": crossed(rows, ("Provider", "Region"), columns, [("Region",)]),
        "service": crossed(
            rows, ("Service", "Provider", "Region"), columns, [("Provider", "Region")]
        ),
    }


def _nested(rng) -> Drawn:
    rows = patients(rng, int(rng.integers(100, 900)))
    return {
        "few": _listed(rows, ("Gender",), ("at_caseness", "recovery", "worse")),
        "more": _listed(rows, ("Gender",), ("finished", "at_caseness", "reliable_recovery")),
        "all": _listed(rows, ("Ethnic group",), ("finished", "recovery", "reliable_recovery")),
    }


def _zeros(rng) -> Drawn:
    rows = patients(rng, int(rng.integers(20, 160)))
    by = ("Provider", "Ethnicity")
    return {
        "crossed": crossed(rows, by, ("finished",), [(name,) for name in by]),
        **{name: crossed(rows, (name,), ("finished",)) for name in by},
    }


def _rates(rng) -> Drawn:
    rows = patients(rng, int(rng.integers(100, 900)))
    table = _listed(rows, ("Gender", "Ethnic group"), ("at_caseness", "recovery"))
    reference = dict(table.frame.group_by("grouping").agg(pl.col("level").first()).iter_rows())
    table = derived.with_rate(table, "rate", "recovery", "at_caseness", "Rate, %")
    table = derived.with_gap(table, "gap", "recovery", "at_caseness", "Gap", reference=reference)
    return {"rates": table, "stages": _listed(rows, ("Gender",), ("finished", "at_caseness"))}


def _national(rng) -> Drawn:
    """All of England exact by subgroup, providers rounded, and subgroups of providers."""
    by, columns = ("Provider", "Ethnicity"), ("finished",)
    least = 0
    while least < _PUBLISHED:  # what is published of all is not of few people
        rows = patients(rng, int(rng.integers(300, 700)))
        own = crossed(rows, by[1:], columns)
        least = own.frame["finished"].min()
    open_ = {name: replace(v, sensitivity="open") for name, v in own.values.items()}
    return {
        "subgroups": crossed(rows, by, columns, [(name,) for name in by]),
        "providers": crossed(rows, by[:1], columns),
        "own": own,
        "national": replace(own, title="England", values=open_),
    }


_MADE = {
    "groups": _groups,
    "three-way": _three_way,
    "hierarchy": _hierarchy,
    "nested": _nested,
    "zeros": _zeros,
    "rates": _rates,
    "national": _national,
}


def linked(design: str, rng: np.random.Generator) -> dict[str, Table]:
    """A set of linked tables, not released yet."""
    return _MADE[design](rng)


def disclosed(tables: dict[str, Table], policy: Policy, every: bool = True) -> dict[str, int]:
    """What an attacker learns of a set once it is released.

    Parameters
    ----------
    tables, policy
        The set, and what it is released under.
    every
        Ask for every value below the threshold; else for the ends of the range only.

    Returns
    -------
    dict
        ``small`` counts and remainders, ``shown`` small ones (which must be none), and
        ``narrowed`` ones.
    """
    system = linking.build(tables)
    x = system.values(tables)
    known, few = system.known(x, policy), system.small(x, policy)
    totals = {t: int(x[i]) for i, t in enumerate(system.totals, system.n_totals_from) if known[i]}
    named, cells = set(), set()
    for i in np.flatnonzero(few):
        rest = system.rests[i - system.n_rests_from] if i >= system.n_rests_from else None
        cell = system.cells[rest.part if rest else i]
        row = ", ".join(f"{key} {value}" for key, value in cell.row)
        named.add((cell.column, row, system.named(rest.whole) if rest else None))
        cells.add(cell)
    released = release(Result(tables=tables), policy).tables
    knowledge = attack.Knowledge(totals)
    asked = attack.excluded(released, policy, knowledge, cells) if every else None
    if asked is None:
        rows = attack.narrowed(released, policy, knowledge, cells).narrowed.to_dicts()
        shown = 0
    else:
        rows = asked.filter(pl.col("values").list.len() > 0).to_dicts()
        shown = len(named - {(r["column"], r["row"], r["rest_of"]) for r in asked.to_dicts()})
    narrowed = sum((row["column"], row["row"], row["rest_of"]) in named for row in rows)
    return {"small": len(named), "shown": shown, "narrowed": narrowed}


def without_completion():
    """As long as it lasts, nothing is suppressed over all tables together."""
    module = import_module("iesoresearch.disclosure.release")
    return mock.patch.object(module, "complete", return_value=None)


def replicate(seed: int, design: str, policy: str, draw: int) -> dict[str, int]:
    """Release and attack one set, with and without suppression over all tables."""
    tables = linked(design, np.random.default_rng(seed))
    found = disclosed(tables, POLICIES[policy])
    with without_completion():
        without = disclosed(tables, POLICIES[policy], every=False)
    return found | {"without": without["narrowed"]}


PLAN = [
    {"design": design, "policy": policy, "draw": i}
    for design in DESIGNS
    for policy in POLICIES
    for i in range(DRAWS)
]
STUDY = Study(__file__, __doc__, PLAN, replicate)

if __name__ == "__main__":
    STUDY.main()
