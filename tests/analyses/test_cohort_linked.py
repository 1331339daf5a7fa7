"""Counts of all tables of `cohort` beside each other: what they are made of, and an attacker."""

from collections import defaultdict
from itertools import combinations_with_replacement

import numpy as np
import pytest

from iesoresearch import analyses
from iesoresearch.analyses.cohort import linked, study
from iesoresearch.data.groups import NOT_RECORDED
from iesoresearch.disclosure import Policy, linking
from iesoresearch.params import Settings

cohort = analyses.get("cohort")
DRAWS, N = 6, 600  # of fewer, counts are the same by chance
POLICY = Policy(10, 5)
ENOUGH = 20  # people; that levels of few have the same count is chance


@pytest.fixture(scope="module")
def results():
    """Results of drawn cohorts, of which each has small counts in most tables."""
    shared = {"source": "synthetic", "n_referrals": N, "n_likeness": 4000, "n_imputations": 2}
    found = []
    for seed in range(1, DRAWS + 1):
        params = cohort.Params.check(shared | {"seed": seed}, "test")
        found.append(cohort.run(cohort.load(params, Settings()), params))
    return found


def of_records(result):
    names = set(study.OF_RECORDS) - {"likeness"}  # that of a draw of its own
    return {name: t for name, t in result.tables.items() if name in names}


def counts(tables):
    """Every count by table, column and keys."""
    return {
        (name, column, row): n
        for name, table in tables.items()
        for column in linking.counted(table)
        for row, n in zip(
            table.frame.select(list(table.keys)).iter_rows(), table.frame[column], strict=True
        )
        if n is not None
    }


def met(results):
    """Which counts are the same in every draw, and which are always the sum of two others."""
    drawn = [counts(of_records(result)) for result in results]
    every = [at for at in drawn[0] if all(at in one for one in drawn)]
    alike = defaultdict(list)
    for at in every:
        of_draws = tuple(one[at] for one in drawn)
        if max(of_draws) >= ENOUGH:
            alike[of_draws].append(at)
    for first, *others in alike.values():
        yield from (((first,), (other,)) for other in others)
    for one, other in combinations_with_replacement(list(alike), 2):
        whole = tuple(np.add(one, other).tolist())
        if whole in alike:
            yield (alike[one][0], alike[other][0]), (alike[whole][0],)


def declared(tables):
    """Where each count stands among the unknowns, and a basis of all that is said to add up."""
    system = linking.build(linking.linked(tables))
    position = {}
    for i, (cell, places) in enumerate(zip(system.cells, system.places, strict=True)):
        for name, row in places:
            keys = tables[name].frame.select(list(tables[name].keys)).row(row)
            position[name, cell.column, keys] = i
    exact = [one for one in system.sums if one.exact]
    rows = np.zeros((len(exact), len(system)))
    for row, one in zip(rows, exact, strict=True):
        np.add.at(row, list(one.parts), 1)
        row[one.whole] -= 1
    _, sizes, basis = np.linalg.svd(rows, full_matrices=False)
    return position, basis[sizes > 1e-9], len(system)


def test_what_adds_up_in_every_draw_is_declared(results):
    """Also what follows from several declarations; found from the counts alone."""
    position, basis, n = declared(of_records(results[0]))
    found = list(met(results))
    undeclared = []
    for parts, whole in found:
        relation = np.zeros(n)
        if not {*parts, *whole} <= set(position):
            undeclared.append((*parts, *whole))
            continue
        np.add.at(relation, [position[at] for at in parts], 1)
        np.add.at(relation, [position[at] for at in whole], -1)
        if np.linalg.norm(relation - basis.T @ (basis @ relation)) > 1e-6:
            undeclared.append((*parts, *whole))
    assert len(found) > 100
    assert [one for one in undeclared if not any(untold(at) for at in one)] == []


def test_every_count_that_is_declared_is_there(results, monkeypatch):
    """What is declared of a count that is not there, such as of one renamed, would not protect."""
    declared = []
    monkeypatch.setattr(linked, "together", lambda tables, relations: declared.extend(relations))
    tables = of_records(results[0])
    linked.linked(tables)
    assert len(declared) > 100
    assert {at for whole, parts, _ in declared for at in (whole, *parts)} <= set(counts(tables))


def untold(at):
    """Counts of which nothing is declared, as it would say that nobody is without something.

    Everybody drawn has an age; and what is asked at an appointment is recorded of all who came
    as far, so that nobody who finished is among those of whom it is not.
    """
    name, _, row = at
    compared = name == "differences" and row[0].endswith(" at the start")
    return compared or not {"Age, years", NOT_RECORDED}.isdisjoint(row)


def test_an_attacker_of_all_tables_learns_nothing_of_small_counts(results, load_study):
    team = load_study("red_team")
    for result, policy in zip(results, [POLICY, Policy(7, 1)], strict=False):
        found = team.disclosed(linking.linked(of_records(result)), policy, every=False)
        assert found["small"] > 100
        assert found["narrowed"] == 0


def test_without_suppression_over_all_tables_the_attacker_learns_of_them(results, load_study):
    team = load_study("red_team")
    with team.without_completion():
        found = team.disclosed(linking.linked(of_records(results[0])), POLICY, every=False)
    assert found["narrowed"] > 10
