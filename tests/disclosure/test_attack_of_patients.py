"""An attacker who knows nothing of relations between tables, only that they count patients."""

import importlib.util
import itertools
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy import optimize

from iesoresearch.analyses.fairness import Params, access, outcomes
from iesoresearch.analyses.fairness.data import of_cohort
from iesoresearch.data import synthetic
from iesoresearch.disclosure import Policy, release
from iesoresearch.results import STATUS, Result

spec = importlib.util.spec_from_file_location(
    "linked_tables", Path(__file__).with_name("test_attack.py")
)
linked_tables = importlib.util.module_from_spec(spec)
spec.loader.exec_module(linked_tables)

POLICY = Policy()
GROUPS = {"Gender": ("female", "male", "other"), "Age": ("18-25", "26-64", "65+", "90+")}
#: What became of a patient -> the columns that count her.
STAGES = {
    "left": ("referred",),
    "neither": ("referred", "finished"),
    "recovered": ("referred", "finished", "recovered"),
    "worse": ("referred", "finished", "worse"),
}
COLUMNS = STAGES["recovered"] + ("worse",)
KINDS = list(itertools.product(*GROUPS.values(), STAGES))


def kinds_of(rows):
    """How many patients there are of every kind: the truth that the attacker is after."""
    became = (
        pl.when("recovered").then(pl.lit("recovered")).when("worse").then(pl.lit("worse"))
        .when("finished").then(pl.lit("neither")).otherwise(pl.lit("left"))
    )  # fmt: skip
    counts = rows.group_by(*GROUPS, became.alias("became")).len()
    found = {tuple(kind): n for *kind, n in counts.iter_rows()}
    return np.array([found.get(kind, 0) for kind in KINDS])


def who(group, level, columns):
    """Which kinds of patients are in a group and counted in all of some columns."""
    inside = list(GROUPS).index(group)
    return np.array(
        [k[inside] == level and set(columns) <= set(STAGES[k[2]]) for k in KINDS], dtype=float
    )


def constraints(frame, truth):
    """Numbers of patients that fit with a released table and exact totals of its columns."""
    found = []
    for row in frame.iter_rows(named=True):
        for column in COLUMNS:
            low, high = 0, np.inf
            if row[column] is not None:
                low, high = POLICY.shown_as(row[column])
                low = max(low, POLICY.min_count)
            elif "protects" in row[STATUS]:
                low = POLICY.min_count
            found.append((who(row["grouping"], row["level"], [column]), low, high))
    for column in COLUMNS:
        of_all = sum(who("Gender", level, [column]) for level in GROUPS["Gender"])
        found.append((of_all, of_all @ truth, of_all @ truth))
    matrix, low, high = (np.array(part) for part in zip(*found, strict=True))
    assert (low <= matrix @ truth).all()
    assert (matrix @ truth <= high).all()  # the truth fits
    return optimize.LinearConstraint(matrix, low, high)


def remainders():
    """Counts of every group, and all that can be left of one without others."""
    for group, levels in GROUPS.items():
        for level in levels:
            counted = {c: who(group, level, [c]) for c in COLUMNS}
            for column, kinds in counted.items():
                yield (group, level, column), kinds
            finished, recovered, worse = (counted[c] for c in ("finished", "recovered", "worse"))
            yield (group, level, "left"), counted["referred"] - finished
            yield (group, level, "not recovered"), finished - recovered
            yield (group, level, "not worse"), finished - worse
            yield (group, level, "neither"), finished - recovered - worse
            yield (group, level, "not recovered of all"), counted["referred"] - recovered


def extremes(kinds, fits):
    for sign in (1, -1):
        found = optimize.milp(
            sign * kinds, integrality=np.ones(len(kinds)), constraints=fits,
            options={"presolve": False, "mip_rel_gap": 0.0},
        )  # fmt: skip
        assert found.status in {0, 3, 4}, found.message
        yield kinds @ np.rint(found.x) if found.status == 0 else np.inf


@pytest.mark.parametrize("seed", range(6))
def test_no_small_count_can_be_narrowed_down_by_who_the_patients_may_be(seed):
    rng = np.random.default_rng([seed, 7])
    rows = linked_tables.patients(rng, int(rng.integers(150, 900)))
    table = linked_tables.one_way(rows, list(GROUPS), list(COLUMNS))
    truth = kinds_of(rows)
    fits = constraints(release(Result(tables={"t": table}), POLICY).tables["t"].frame, truth)
    few = {name: kinds for name, kinds in remainders() if kinds @ truth < POLICY.min_count}
    assert few
    found = {name: tuple(extremes(kinds, fits)) for name, kinds in few.items()}
    assert {n: ends for n, ends in found.items() if ends[0] > 0 or ends[1] < 9} == {}


@pytest.mark.parametrize(
    ("n", "grouping"), [(2000, "Gender"), (6000, "Gender"), (2000, "Ethnic group")]
)
def test_nor_in_the_tables_of_an_audit_of_few_referrals(n, grouping):
    params = Params(n_referrals=n, groupings=[grouping])
    data = of_cohort(synthetic.make(n, params.seed, params.profile), params)
    tables = {
        "stages": outcomes.stages(data),
        "outcomes": outcomes.outcomes(data),
        "gaps": outcomes.gaps(data, params),
        "waits": access.waits(data),
        "leaving": access.leaving(data, params),
    }
    assert linked_tables.disclosed(tables, POLICY) == []
