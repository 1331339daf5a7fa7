"""First answers of people, and the groups they are in: which are compared, and which are too small.

Groups are as recorded. Age bands are those of the annual statistics, the two highest as one (NHANES
records 80 for everybody of 80 and over). A band with too few people is joined to its neighbour
nearer the middle; any other group with too few people is not compared, for there is no neighbour
that it could speak for.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from iesoresearch.data import groups
from iesoresearch.data.cohort import Cohort
from iesoresearch.errors import DataError
from iesoresearch.measures import PHQ9, score
from iesoresearch.models.item_functioning import Design

COMPARED, REFERENCE, TOO_FEW = "compared", "compared with", "too few people"
UNKNOWN = "not recorded"
OLDEST = "75 and over"
AGE = "Age band"
#: Heading -> whether its levels have an order, so that neighbours may be joined.
GROUPINGS = {"Gender": False, AGE: True, "Ethnic group": False}
_UNKNOWN = ("not known", "Not known", "not stated")


@dataclass(frozen=True)
class Grouping:
    """One way to group people.

    Attributes
    ----------
    name : str
    levels : tuple of str
        Groups that are compared.
    member : (people,) array of int
        Number of the group of each person, -1 where it is not compared.
    reference : int
        Group that the others are compared with: the largest, weighted.
    rows : list of (str, str)
        Every group, with what was done with it.
    """

    name: str
    levels: tuple[str, ...]
    member: np.ndarray
    reference: int
    rows: list[tuple[str, str]]


@dataclass(frozen=True)
class Data:
    """What the analysis works on.

    Attributes
    ----------
    cohort : Cohort
    items : (people, 9) int8 array
        First answers, -1 for missing.
    people : pl.DataFrame
        One column of groups per grouping, `UNKNOWN` where nothing is recorded.
    design : Design or None
        Of a survey, with `weights`, of mean one.
    n_left_out : int
        People without an answer at their first session.
    """

    cohort: Cohort
    items: np.ndarray
    people: pl.DataFrame
    weights: np.ndarray | None
    design: Design | None
    n_left_out: int

    @classmethod
    def of(cls, cohort: Cohort) -> "Data":
        """The first session of everybody's first referral with an answer.

        Raises
        ------
        DataError
            Nobody answered any item.
        NotApplicable
            There are totals, and no answers to items.
        """
        sequences = cohort.sequences(PHQ9)
        first = np.cumsum(sequences.lengths) - sequences.lengths
        answered = (sequences.items[first] >= 0).any(axis=1)
        rows, patients = first[answered], cohort.patients[sequences.people[answered]]
        referral = cohort.contacts["referral_id"][sequences.rows[rows]]
        joined = (
            pl.DataFrame({"referral_id": referral})
            .join(cohort.referrals, on="referral_id", how="left", maintain_order="left")
            .drop("patient_id")
            .hstack(patients)
        )
        weights, design = None, None
        if not patients["weight"].is_null().all():
            weights = (patients["weight"] / patients["weight"].mean()).to_numpy()
            design = Design(patients["stratum"].to_numpy(), patients["sampling_unit"].to_numpy())
        left_out = sequences.n_without_answers + int((~answered).sum())
        return cls(cohort, sequences.items[rows], _groups(joined), weights, design, left_out)

    @property
    def sensitivity(self):
        """Of the cohort."""
        return self.cohort.sensitivity

    @property
    def n(self) -> int:
        """People with an answer."""
        return len(self.items)

    @property
    def counting(self) -> np.ndarray:
        """How often each person counts."""
        return np.ones(self.n) if self.weights is None else self.weights

    @cached_property
    def total(self) -> np.ndarray:
        """PHQ-9 total of each person, NaN where too many answers are missing."""
        answers = np.where(self.items < 0, np.nan, self.items)
        frame = pl.DataFrame(answers, schema=list(PHQ9.columns)).fill_nan(None)
        total = score(frame, PHQ9)[f"{PHQ9.code}_total"]
        return total.cast(pl.Float64).fill_null(float("nan")).to_numpy()

    def part(self, inside: np.ndarray) -> tuple[np.ndarray | None, Design | None]:
        """Weights and design of some of the people."""
        if self.weights is None:
            return None, None
        design = Design(self.design.strata[inside], self.design.units[inside])
        return self.weights[inside], design


def _groups(people: pl.DataFrame) -> pl.DataFrame:
    known = {name: groups.CHARACTERISTICS[name][0].cast(pl.String) for name in GROUPINGS}
    oldest = dict.fromkeys(groups.AGE_BANDS[-2:], OLDEST)
    known[AGE] = known[AGE].replace(oldest)
    known["Ethnic group"] = pl.coalesce("ethnicity_as_recorded", known["Ethnic group"])
    return people.select(
        pl.when(expression.is_in(_UNKNOWN)).then(None).otherwise(expression)
        .fill_null(UNKNOWN).alias(name)
        for name, expression in known.items()
    )  # fmt: skip


def groupings(data: Data, least: int) -> list[Grouping]:
    """All groupings with two groups or more of `least` people.

    Raises
    ------
    DataError
        There is none.
    """
    found = [_grouping(data, name, ordered, least) for name, ordered in GROUPINGS.items()]
    comparable = [grouping for grouping in found if len(grouping.levels) > 1]
    if not comparable:
        raise DataError(
            f"{data.cohort.name}: gender, age and ethnic group hold no two groups of {least} "
            "people with answers, so there is nothing to compare. Bring more data, or record them."
        )
    return comparable


def _grouping(data: Data, name: str, ordered: bool, least: int) -> Grouping:
    recorded = data.people[name].to_list()
    counts = {level: recorded.count(level) for level in _in_order(set(recorded), ordered)}
    unknown = counts.pop(UNKNOWN, 0)
    into = _joined(counts, least) if ordered else {level: level for level in counts}
    sizes = {}
    for level, n in counts.items():
        sizes[into[level]] = sizes.get(into[level], 0) + n
    levels = tuple(level for level, n in sizes.items() if n >= least)
    number = {level: levels.index(into[level]) for level in counts if into[level] in levels}
    member = np.array([number.get(level, -1) for level in recorded])
    inside = member >= 0
    weighted = np.bincount(member[inside], data.counting[inside], minlength=len(levels))
    reference = int(weighted.argmax()) if levels else 0
    uses = {level: REFERENCE if i == reference else COMPARED for i, level in enumerate(levels)}
    rows = [(level, uses.get(level, TOO_FEW)) for level in sizes]
    return Grouping(name, levels, member, reference, rows + [(UNKNOWN, UNKNOWN)] * bool(unknown))


def _in_order(levels: set[str], ordered: bool) -> list[str]:
    if not ordered:
        return sorted(levels)
    known = [*groups.AGE_BANDS[:-2], OLDEST, UNKNOWN]
    return [level for level in known if level in levels]


def _joined(counts: dict[str, int], least: int) -> dict[str, str]:
    """Name of the band that each is part of, when small ones join the neighbour nearer the middle.

    Of the bands at both ends the smaller joins first.
    """
    blocks = [[level] for level in counts]
    while len(blocks) > 1:
        ends = [(sum(counts[level] for level in blocks[i]), i) for i in (0, len(blocks) - 1)]
        n, end = min(ends)
        if n >= least:
            break
        moved = blocks.pop(end)
        if end == 0:
            blocks[0] = moved + blocks[0]
        else:
            blocks[-1] += moved
    return {level: ", ".join(block) for block in blocks for level in block}
