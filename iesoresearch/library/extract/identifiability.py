"""How well rows hide a patient: k-anonymity and l-diversity, before anything leaves.

Rows that are equal in every quasi-identifier form a class. The data are k-anonymous if every class
holds at least k patients (Sweeney 2002, https://doi.org/10.1142/S0218488502001648), and l-diverse
if every class holds at least l values of what is sensitive; entropy l-diversity asks the entropy
of these values to be at least log l (Machanavajjhala, Kifer, Gehrke and Venkitasubramaniam 2007,
https://doi.org/10.1145/1217299.1217302). Missing is a value like another.

Classes are formed of referrals, and count patients: a person with two referrals in a class is
one. What neither number covers is the course of care: see `course`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from iesoresearch.library.extract import generalise

PERSON = "patient_id"
_ROUNDING = 1e-9  # of entropies
_MOST_STEPS = 6  # of coarsening that are proposed; more would be another extract


@dataclass(frozen=True)
class Diversity:
    """Of one sensitive column: the least varied class.

    Attributes
    ----------
    distinct
        Smallest number of different values in a class.
    entropy
        exp of the smallest entropy of the values in a class: as many equally common values are as
        varied. Never more than `distinct`.
    """

    distinct: int
    entropy: float

    def reaches(self, distinct: int, entropy: float) -> bool:
        """Whether both are at least as large; entropies that are equal may differ by rounding."""
        return self.distinct >= distinct and self.entropy >= entropy - _ROUNDING


@dataclass(frozen=True)
class Step:
    """A proposal: one column made coarser, and k and the patients below the limit after it."""

    column: str
    level: str
    k: int
    below: int


@dataclass(frozen=True)
class Report:
    """Identifiability of rows; counts are exact, so `alike.Shown` goes out instead.

    Attributes
    ----------
    quasi
        Quasi-identifiers that the rows have.
    n_patients
        Patients in the rows.
    k
        Size of the smallest class, 0 without rows.
    unique
        Patients who are alone in a class.
    below
        Patients in a class that has not what is asked.
    diversity
        By sensitive column.
    alone
        By quasi-identifier: patients who alone have their value of it.
    course
        Patients with a referral whose course nobody else's equals, see `course`; None: not asked.
    """

    quasi: tuple[str, ...]
    n_patients: int
    k: int
    unique: int
    below: int
    diversity: dict[str, Diversity] = field(default_factory=dict)
    alone: dict[str, int] = field(default_factory=dict)
    course: int | None = None


def classes(rows: pl.DataFrame, quasi: list[str]) -> pl.DataFrame:
    """Number of patients of every class.

    Parameters
    ----------
    rows
        One row per referral: `PERSON` and the quasi-identifiers.
    quasi
        Their names; none of them: all rows are one class.

    Returns
    -------
    DataFrame
        The quasi-identifiers, and ``n``, patients.
    """
    if not quasi:
        return pl.DataFrame({"n": [rows[PERSON].n_unique()] if rows.height else []})
    return rows.group_by(quasi, maintain_order=True).agg(n=pl.col(PERSON).n_unique())


def anonymity(rows: pl.DataFrame, quasi: list[str]) -> int:
    """The k for which rows are k-anonymous; 0 without rows."""
    return int(classes(rows, quasi)["n"].min() or 0)


def diversity(rows: pl.DataFrame, quasi: list[str], sensitive: str) -> Diversity:
    """The l for which rows are distinct and entropy l-diverse in one column."""
    if rows.is_empty():
        return Diversity(0, 0.0)
    counted = classes(rows, [*quasi, sensitive])
    share = pl.col("n") / pl.col("n").sum()
    measures = {"distinct": pl.len(), "entropy": -(share * share.log()).sum()}
    found = counted.group_by(quasi, maintain_order=True) if quasi else counted
    least = (found.agg(**measures) if quasi else found.select(**measures)).min()
    return Diversity(int(least["distinct"][0]), math.exp(least["entropy"][0]))


@dataclass(frozen=True)
class Asked:
    """What every class must have: `k` patients, and `l` values of each sensitive column."""

    k: int
    l: int = 1  # noqa: E741 - its name in the literature
    sensitive: tuple[str, ...] = ()


def below(rows: pl.DataFrame, quasi: list[str], asked: Asked) -> pl.Series:
    """Patients with a row in a class that has not what is asked, each once, sorted."""
    if not quasi:
        enough = anonymity(rows, quasi) >= asked.k and all(
            rows[name].n_unique() >= asked.l for name in asked.sensitive
        )
        return (rows.clear() if enough else rows)[PERSON].unique().sort()
    poor = [classes(rows, quasi).filter(pl.col("n") < asked.k)]
    for name in asked.sensitive:
        counted = rows.group_by(quasi, maintain_order=True).agg(n=pl.col(name).n_unique())
        poor.append(counted.filter(pl.col("n") < asked.l))
    few = pl.concat(poor).select(quasi)
    if few.is_empty():
        return rows.clear()[PERSON]
    found = rows.join(few, on=quasi, how="semi", nulls_equal=True)
    return found[PERSON].unique().sort()


def suppressed(rows: pl.DataFrame, quasi: list[str], asked: Asked) -> pl.Series:
    """Patients to leave out so that the classes of the others have what is asked, sorted."""
    return left_out(rows, lambda rows: below(rows, quasi, asked))


def left_out(rows: pl.DataFrame, few: Callable[[pl.DataFrame], pl.Series]) -> pl.Series:
    """Patients to leave out so that `few` names nobody, sorted.

    With a patient all her referrals go, which makes other classes smaller: hence the rounds. It is
    the smallest set that leaves whole classes out, as a class that once is too small stays so.
    """
    out = rows[PERSON].clear()
    while (found := few(rows)).len():
        out = pl.concat([out, found])
        rows = without(rows, found)
    return out.sort()


def without(rows: pl.DataFrame, people: pl.Series) -> pl.DataFrame:
    """The rows but those of some patients."""
    return rows.filter(~pl.col(PERSON).is_in(people.implode()))


def measure(rows: pl.DataFrame, quasi: list[str], asked: Asked) -> Report:
    """Everything about rows but their course.

    Parameters
    ----------
    rows
        One row per referral: `PERSON`, quasi-identifiers, sensitive columns.
    quasi
        Their names.
    asked
        The limits.
    """
    sizes = classes(rows, quasi)["n"]
    return Report(
        quasi=tuple(quasi),
        n_patients=rows[PERSON].n_unique() if rows.height else 0,
        k=int(sizes.min() or 0),
        unique=below(rows, quasi, Asked(2)).len(),
        below=below(rows, quasi, asked).len(),
        diversity={name: diversity(rows, quasi, name) for name in asked.sensitive},
        alone={name: below(rows, [name], Asked(2)).len() for name in quasi},
    )


def proposals(
    rows: pl.DataFrame,
    quasi: list[str],
    asked: Asked,
    chosen: dict[str, str],
    fixed: str | None = None,
) -> list[Step]:
    """What to make coarser first, greedily: the step after which fewest patients are below.

    Of steps that leave as few, the one with the larger k, then the finer one. A column is never
    proposed at a level finer than `chosen`, and `fixed` is none that can be changed.
    """
    steps: list[Step] = []
    quasi, done = list(quasi), dict(chosen)
    while {*quasi} - {fixed} and len(steps) < _MOST_STEPS and below(rows, quasi, asked).len():
        tried = [
            (*_after(rows, quasi, column, level, asked), column, level)
            for column in quasi
            if column != fixed
            for level in _coarser(column, done.get(column))
        ]
        few, least, column, level = min(tried, key=lambda t: (t[0], -t[1]))
        steps.append(Step(column, level, least, few))
        done[column] = level
        if level == generalise.NONE:
            quasi.remove(column)
        rows = generalise.applied(rows, {column: level})
    return steps


def _coarser(column: str, now: str | None) -> list[str]:
    levels = generalise.levels(column)
    return levels[levels.index(now) + 1 :] if now else levels


def _after(
    rows: pl.DataFrame, quasi: list[str], column: str, level: str, asked: Asked
) -> tuple[int, int]:
    left = [c for c in quasi if c != column or level != generalise.NONE]
    columns = [PERSON, *quasi, *asked.sensitive]
    coarse = generalise.applied(rows.select(columns), {column: level})
    return below(coarse, left, asked).len(), anonymity(coarse, left)


def course(contacts: pl.DataFrame) -> pl.DataFrame:
    """The course of every referral: its appointments, and the days between them.

    Whoever knows on which days somebody was seen, counted from any one of them, knows this; days
    that are shifted together keep it, and k-anonymity of the quasi-identifiers does not cover it.

    Parameters
    ----------
    contacts
        ``referral_id`` (of any type), ``session``, and ``date`` where it is given out.

    Returns
    -------
    DataFrame
        ``referral_id``, and ``course``, equal for equal courses (up to one chance in 2⁶⁴).
    """
    day = "date" if "date" in contacts.columns else "session"
    told = contacts.select(
        "referral_id", "session", day=pl.col(day).to_physical().cast(pl.Int64)
    ).sort("referral_id", "session")
    # numbers of rows and days from the first, referral by referral, as one array each
    starts = told["referral_id"].rle_id().to_numpy()
    first = np.flatnonzero(np.diff(starts, prepend=starts[:1] - 1)) if len(starts) else starts
    place = np.arange(len(starts)) - first[starts] if len(starts) else starts
    seen = told["day"].to_numpy().astype(float)
    known = told.with_columns(pl.col("day").backward_fill().over("referral_id"))["day"]
    since = seen - known.to_numpy().astype(float)[first][starts]
    mixed = pl.DataFrame({"place": place, "since": since}).hash_rows(seed=0).to_numpy()
    course = np.add.reduceat(mixed, first) if len(starts) else mixed  # modulo 2⁶⁴
    return told[first].select("referral_id").with_columns(course=pl.Series(course))


def alone_in_course(courses: pl.DataFrame) -> int:
    """Patients with a referral whose course is nobody else's."""
    return below(courses, ["course"], Asked(2)).len()
