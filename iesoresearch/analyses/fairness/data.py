"""Referrals as the audit needs them: groups, how far each came, outcome by the official rules."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import polars as pl

from iesoresearch.analyses.fairness import GROUPINGS, Params
from iesoresearch.data import codes, shifted, sources, synthetic
from iesoresearch.data.cohort import Cohort
from iesoresearch.data.groups import CHARACTERISTICS, NOT_RECORDED
from iesoresearch.errors import DataError, NotApplicable, ParameterError
from iesoresearch.measures.outcomes import financial_year, referral_outcomes
from iesoresearch.measures.outcomes.landmarks import LEFT, UNCLEAR
from iesoresearch.measures.outcomes.rates import UNSOURCED
from iesoresearch.params import Settings

#: How the code lists say that nothing is known.
UNKNOWN = ("Not known", "not known", "not stated", "not stated or not known")
#: Ethnic categories whose label does not say what they are a part of.
_FULL = {"A": "White British", "B": "White Irish", "M": "Black Caribbean", "N": "Black African"}
ETHNICITIES = {code: _FULL.get(code, label) for code, (_, label) in codes.ETHNICITIES.items()}
#: Label -> the group it is a part of.
ETHNIC_GROUPS = {ETHNICITIES[code]: group for code, (group, _) in codes.ETHNICITIES.items()}
STEPS = (*codes.STEPS, "both steps")
STORED_YEAR = "referral_year"  # where dates are shifted
_FLAGS = ("reliable_improvement", "reliable_deterioration")
#: Ordered groupings are compared with one end of the order, others with the largest group.
_REFERENCE = {"Deprivation quintile": "5 (least deprived)"}


@dataclass(frozen=True)
class Audited:
    """Referrals and their groups.

    Attributes
    ----------
    cohort
        Where they come from; None where there is only a file of predictions.
    rows
        One row per referral: ``ref`` (row of the referral), ``patient`` (int), ``service_id``, one
        String column per grouping (unknown = `NOT_RECORDED`), ``first_phq9``, ``first_gad7``,
        ``problem``, ``step`` (of care), ``age``, ``year`` (financial, of the referral), the stages
        ``referred``, ``ended`` (discharged), ``started`` (a treatment), ``finished`` (discharged
        after two or more), ``judged`` (finished, rule known); of those judged ``at_caseness`` (not
        known to be below), ``reliable_improvement``, ``reliable_deterioration``; of those at
        caseness ``recovery``, ``reliable_recovery``: null outside their official denominator;
        ``wait_days``, ``second_wait_days``; of those started ``ended_early`` (by the patient; null
        where still open or not known).
    groupings
        Those that can be audited.
    left_out
        Grouping -> why it cannot.
    search_path, n_jobs
        Where other files lie, and threads to use.
    """

    cohort: Cohort | None
    rows: pl.DataFrame
    groupings: tuple[str, ...]
    left_out: dict[str, str]
    search_path: tuple[Path, ...] = ()
    n_jobs: int = 1

    @property
    def name(self) -> str:
        """For titles."""
        return "A file of predictions" if self.cohort is None else self.cohort.name

    @property
    def sensitivity(self):
        """Of the records."""
        return "patient" if self.cohort is None else self.cohort.sensitivity

    @cached_property
    def closed(self) -> pl.DataFrame:
        """Referrals that have ended: one cohort, whose stages can be compared."""
        return self.rows.filter("ended")

    @property
    def no_years(self) -> str:
        """Why years cannot be told apart; empty where they can."""
        if self.cohort is None or not self.cohort.days_shifted:
            return ""
        known = (self.rows["year"] != NOT_RECORDED).any()
        return "" if known else shifted.reason(self.cohort.days_shifted, STORED_YEAR)

    @property
    def planted(self) -> bool:
        """Whether the truth behind the gaps is known."""
        return self.cohort is not None and bool(self.cohort.truth)


def load(params: Params, settings: Settings) -> Audited:
    """Referrals of the source that `params` name.

    Raises
    ------
    DataError
        The source is absent or breaks the schema, or none of the groupings can be compared.
    """
    place = {"search_path": settings.search_path, "n_jobs": settings.n_jobs}
    if params.source == "predictions":
        return Audited(None, pl.DataFrame(), (), {}, **place)
    if params.source == "synthetic":
        cohort = synthetic.make(params.n_referrals, params.seed, params.profile)
    else:
        cohort = sources.from_folder(settings.search_path)
    return replace(of_cohort(cohort, params), **place)


def of_cohort(cohort: Cohort, params: Params) -> Audited:
    """The referrals of a cohort.

    Raises
    ------
    NotApplicable
        None of the groupings has two levels.
    """
    rows = _rows(cohort, params)
    ended = rows.filter("ended")
    left_out = {name: why for name in params.grouped if (why := _why_not(ended[name]))}
    groupings = tuple(name for name in params.grouped if name not in left_out)
    if not groupings:
        whys = "; ".join(f"{name}: {why}" for name, why in left_out.items())
        raise NotApplicable(
            f"{cohort.name}: there are no groups to compare ({whys}). Bring the characteristics "
            "of the patients, or name other groupings."
        )
    return Audited(cohort, rows, groupings, left_out)


def references(data: Audited, params: Params) -> dict[str, str]:
    """Grouping -> the level that others are compared with.

    Raises
    ------
    ParameterError
        A level that the grouping does not have, or that nobody is in.
    """
    asked = dict(text.split("=", 1) for text in params.reference)
    found = {}
    for grouping in data.groupings:
        levels = levels_of()[grouping]
        counts = dict(data.closed[grouping].value_counts().iter_rows())
        present = {level: counts[level] for level in levels if level in counts}
        wanted = asked.get(grouping)
        if wanted is not None and wanted not in present:
            problem = "nobody is in it" if wanted in levels else "there is no such level"
            raise ParameterError(
                f"reference: {grouping}={wanted}: {problem}. The levels of {grouping} are "
                f"{', '.join(levels)}; name one that many patients are in."
            )
        usual = _REFERENCE.get(grouping)
        largest = max(present, key=present.__getitem__)
        found[grouping] = wanted or (usual if usual in present else largest)
    return found


def _why_not(column: pl.Series) -> str | None:
    """Why a grouping cannot be audited; None if it can."""
    n_levels = column.filter(column != NOT_RECORDED).n_unique()
    if n_levels == 0:
        return "recorded for nobody"
    return "everybody recorded is in one group" if n_levels == 1 else None


def _rows(cohort: Cohort, params: Params) -> pl.DataFrame:
    outcomes = referral_outcomes(
        cohort.referrals, cohort.contacts, cohort.scores, fallback=params.stand_in
    ).drop("patient_id")
    joined = (
        cohort.referrals.with_row_index("ref")
        .join(outcomes, on="referral_id", how="left", maintain_order="left")
        .join(cohort.patients, on="patient_id", how="left", maintain_order="left")
        .join(_steps(cohort), on="referral_id", how="left", maintain_order="left")
    )
    if joined.is_empty():
        raise DataError(f"{cohort.name} holds no referral, so there is nothing to audit.")
    return joined.select(
        "ref",
        "service_id",
        *_groups(),
        *_stages(),
        *_reasons_to_leave(),
        "wait_days",
        "second_wait_days",
        patient=pl.col("patient_id").rank("dense").cast(pl.Int64),
        first_phq9="phq9_first",
        first_gad7="gad7_first",
        problem=pl.col("problem").cast(pl.String).fill_null(NOT_RECORDED),
        step=pl.col("step").fill_null(NOT_RECORDED),
        age=pl.coalesce("age_at_referral", "age"),
        year=_year(cohort),
    )


def _year(cohort: Cohort) -> pl.Expr:
    """Financial year of the referral; of shifted dates the one that was stored before."""
    # of the referral: the first discharges of a file are those of short courses only
    year = financial_year(pl.coalesce("referral_date", "discharge_date"))
    if cohort.days_shifted:
        stored = cohort.referrals[STORED_YEAR].count() > 0
        year = pl.coalesce(STORED_YEAR, "discharge_year") if stored else pl.lit(None, pl.String)
    return year.fill_null(NOT_RECORDED)


def _groups() -> list[pl.Expr]:
    found = {name: CHARACTERISTICS[name][0].cast(pl.String) for name in CHARACTERISTICS}
    found["Ethnicity"] = pl.col("ethnicity").cast(pl.String).replace_strict(
        ETHNICITIES, default=None, return_dtype=pl.String
    )  # fmt: skip
    return [
        pl.when(~column.is_in(UNKNOWN)).then(column).fill_null(NOT_RECORDED).alias(name)
        for name, column in found.items()
        if name in levels_of()
    ]


def levels_of() -> dict[str, tuple[str, ...]]:
    """Levels of every grouping in their order, without "not recorded"."""
    found = {name: levels for name, (_, levels) in CHARACTERISTICS.items()}
    found["Ethnicity"] = tuple(ETHNICITIES.values())
    return {name: tuple(x for x in found[name] if x not in UNKNOWN) for name in GROUPINGS}


def _stages() -> list[pl.Expr]:
    """How far a referral came, and what came of it: each null outside its denominator."""
    judged = pl.col("finished") & pl.col("reason").ne_missing(UNSOURCED)
    at_caseness = pl.col("caseness").ne_missing(False)
    recovery = {
        name: pl.when(judged & at_caseness).then(pl.col(name).fill_null(False))
        for name in ("recovery", "reliable_recovery")
    }
    change = {name: pl.when(judged).then(pl.col(name).fill_null(False)) for name in _FLAGS}
    return [
        pl.lit(True).alias("referred"),
        pl.col("discharge_date").is_not_null().alias("ended"),
        (pl.col("n_treatment") >= 1).alias("started"),
        pl.col("finished"),
        judged.alias("judged"),
        pl.when(judged).then(at_caseness).alias("at_caseness"),
        *(expression.alias(name) for name, expression in (recovery | change).items()),
    ]


def _reasons_to_leave() -> list[pl.Expr]:
    reason = pl.col("end_reason").cast(pl.String)
    known = (pl.col("n_treatment") >= 1) & pl.col("discharge_date").is_not_null()
    known = known & reason.is_not_null() & ~reason.is_in(UNCLEAR)
    return [pl.when(known).then(reason.is_in(LEFT)).alias("ended_early")]


def _steps(cohort: Cohort) -> pl.DataFrame:
    """Step of care of every referral with a therapy on record."""
    step = pl.col("therapy").cast(pl.String)
    step = step.replace_strict(codes.STEP_OF_THERAPY, default=None, return_dtype=pl.String)
    treated = (pl.col("attendance") == "attended").fill_null(True)
    found = cohort.contacts.filter(treated).select("referral_id", step=step).drop_nulls()
    return found.group_by("referral_id", maintain_order=True).agg(
        step=pl.when(pl.col("step").n_unique() > 1)
        .then(pl.lit(STEPS[-1]))
        .otherwise(pl.col("step").first())
    )
