"""A synthetic cohort beside the published figures of the population it stands for."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from iesoresearch.data import codes, published
from iesoresearch.data.cohort import Cohort
from iesoresearch.measures import PHQ9
from iesoresearch.measures.outcomes import rates, referral_outcomes, therapy_outcomes, wait_band

PERIOD = "2024-25"
#: What the parameters were given, what they were fitted to, and what nobody looked at.
DRAWN, FITTED, EMERGENT = "drawn", "fitted", "emergent"
#: How far synthetic may lie from published. Effect sizes are published to one decimal.
TOLERANCES = {"percentage": 1.0, "mean": 0.3, "sd": 0.05, "effect size": 0.1, "correlation": 0.02}
ORGS = {"england": published.ENGLAND, "ieso": published.IESO}

_OUTCOMES = ("reliable improvement", "reliable deterioration", "recovery", "reliable recovery")
_COLUMNS = (
    *("breakdown", "group", "measure", "statistic", "role"),
    *("published", "synthetic", "n", "error", "source"),
)
_ITEMS_SOURCE = "doi:10.3389/fpsyg.2025.1634804, Table 3"  # n = 768
_ITEMS = {
    "all items": 0.486,
    "sleep, energy, appetite": 0.540,
    "interest, mood, self-worth, self-harm": 0.519,
    "between those two": 0.475,
}


@dataclass(frozen=True)
class Target:
    """Which published figures are compared, and how they came about."""

    breakdown: str
    groups: tuple[str, ...]
    measures: tuple[tuple[str, str], ...]  # measure, role


def _outcome_roles(**roles: str) -> tuple[tuple[str, str], ...]:
    return tuple((m, roles.get(m.replace(" ", "_"), EMERGENT)) for m in _OUTCOMES)


_SCORES = tuple(
    (f"{code} {end}", FITTED) for code in ("phq9", "gad7", "wsas") for end in ("first", "last")
)
_EFFECTS = tuple((code, EMERGENT) for code in ("phq9", "gad7", "wsas"))
_ALL_FITTED = tuple((m, FITTED) for m in _OUTCOMES)
_BOTH = _outcome_roles(recovery=FITTED, reliable_improvement=FITTED)
_RECOVERY = _outcome_roles(recovery=FITTED)
_SHARE = (("share of finished", DRAWN),)
_DECILES = tuple(str(d) for d in range(1, 11))

TARGETS = {
    "england": (
        Target("total", ("all",), (("finished / referred", FITTED), ("at caseness", FITTED))),
        Target("total", ("all",), _ALL_FITTED),
        Target("first wait", ("<=28 days", "29-56 days"), _SHARE),
        Target("second wait", ("<=28 days", "29-56 days", "57-90 days", ">90 days"), _SHARE),
        Target("gender", ("female", "male"), _SHARE + _BOTH),
        Target("age", ("18-25", "26-64"), _SHARE + _BOTH),
        Target("ethnicity", ("A", "C"), _SHARE + _BOTH),
        Target("orientation", ("heterosexual", "bisexual"), _SHARE + _BOTH),
        Target("deprivation decile", _DECILES, (*_SHARE,
            ("recovery", FITTED), ("reliable recovery", EMERGENT),
            ("reliable deterioration", EMERGENT))),
        Target("problem", ("depression", "generalised anxiety disorder"), _SHARE + _RECOVERY),
        Target("therapy", ("cognitive behaviour therapy",), _SCORES + _ALL_FITTED + _EFFECTS),
        Target("therapy", ("guided self-help (book)",), _SCORES + _ALL_FITTED + _EFFECTS),
    ),
    "ieso": (
        Target("total", ("all",), (("finished / referred", FITTED), ("at caseness", FITTED))),
        Target("total", ("all",), _ALL_FITTED),
        Target("gender", ("female", "male"), _SHARE),
        Target("age", ("18-25", "26-64"), _SHARE),
        Target("ethnicity", ("A",), _SHARE),
        Target("orientation", ("heterosexual", "bisexual"), _SHARE),
        Target("deprivation decile", _DECILES, _SHARE),
        Target("problem", ("depression", "generalised anxiety disorder"), _SHARE),
        Target("second wait", ("<=28 days",), _SHARE),
        Target("therapy", ("cognitive behaviour therapy",), _SCORES + _EFFECTS),
    ),
}  # fmt: skip

#: What seven states and one scale of response do not reach: figures off by more than about 0.9
#: tolerances in large draws. They are shown beside the others, and nothing is claimed of them.
KNOWN_OFF = {
    "england": (
        ("age", "18-25", (("recovery", "percentage"),)),
        ("orientation", "bisexual", (("reliable recovery", "percentage"),)),
        ("deprivation decile", "2", (("recovery", "percentage"),)),
        ("deprivation decile", "3", (("recovery", "percentage"),)),
        ("deprivation decile", "4", (("recovery", "percentage"),)),
        ("deprivation decile", "5", (("recovery", "percentage"),)),
        ("deprivation decile", "8", (("recovery", "percentage"),)),
        ("deprivation decile", "9", (("reliable recovery", "percentage"),)),
        ("deprivation decile", "10", (("reliable recovery", "percentage"),)),
        (
            "problem",
            "depression",
            (
                ("reliable improvement", "percentage"),
                ("reliable recovery", "percentage"),
            ),
        ),
        (
            "problem",
            "generalised anxiety disorder",
            (
                ("reliable improvement", "percentage"),
                ("reliable deterioration", "percentage"),
                ("recovery", "percentage"),
            ),
        ),
        (
            "therapy",
            "cognitive behaviour therapy",
            (
                ("phq9 first", "mean"),
                ("phq9 last", "mean"),
                ("gad7 first", "mean"),
                ("wsas last", "mean"),
                ("wsas last", "sd"),
                ("reliable improvement", "percentage"),
                ("reliable deterioration", "percentage"),
                ("recovery", "percentage"),
                ("reliable recovery", "percentage"),
                ("phq9", "effect size"),
            ),
        ),
        (
            "therapy",
            "guided self-help (book)",
            (
                ("wsas last", "sd"),
                ("reliable improvement", "percentage"),
                ("reliable deterioration", "percentage"),
                ("recovery", "percentage"),
                ("reliable recovery", "percentage"),
            ),
        ),
    ),
    "ieso": (
        (
            "total",
            "all",
            (
                ("reliable improvement", "percentage"),
                ("reliable deterioration", "percentage"),
                ("recovery", "percentage"),
                ("reliable recovery", "percentage"),
            ),
        ),
        (
            "therapy",
            "cognitive behaviour therapy",
            (
                ("gad7 last", "mean"),
                ("gad7 last", "sd"),
                ("wsas last", "sd"),
                ("gad7", "effect size"),
            ),
        ),
    ),
}


def compare(cohort: Cohort, profile: str) -> pl.DataFrame:
    """Synthetic beside published figures.

    Figures of referrals are compared per finished course, figures of a therapy per course of that
    therapy. Disorder measures have no sourced thresholds, so GAD-7 stands in for all.

    Parameters
    ----------
    cohort
        As `make` draws it with `profile`.

    Returns
    -------
    polars.DataFrame
        One row per figure: breakdown, group, measure, statistic, role ("drawn", "fitted" or
        "emergent": neither drawn nor fitted), published, synthetic, n (synthetic courses behind
        it), error (standard error of the draw), tolerance, within, required (false for what is
        known to be off, `KNOWN_OFF`), source.
    """
    figures = published.load().filter(pl.col("org") == ORGS[profile], pl.col("period") == PERIOD)
    parts = frames(cohort)
    rows = []
    for target in TARGETS[profile]:
        for group in target.groups:
            subset = _subset(parts, target.breakdown, group)
            told = figures.filter(breakdown=target.breakdown, group=group)
            whole = figures.filter(breakdown="total", group="all")
            for measure, role in target.measures:
                for statistic, value, source in _published(told, whole, measure):
                    found = _synthetic(parts, subset, measure, statistic)
                    about = (target.breakdown, group, measure, statistic, role)
                    rows.append((*about, value, *found, source))
    if profile == "england":
        rows += _correlations(cohort)
    table = pl.DataFrame(rows, schema=list(_COLUMNS), orient="row")
    tolerance = pl.col("statistic").replace_strict(TOLERANCES)
    relative = pl.col("statistic") == "sd"
    tolerance = pl.when(relative).then(tolerance * pl.col("published")).otherwise(tolerance)
    off = (pl.col("synthetic") - pl.col("published")).abs()
    place = pl.concat_str(["breakdown", "group", "measure", "statistic"], separator="|")
    known = [f"{b}|{g}|{m}|{s}" for b, g, ms in KNOWN_OFF[profile] for m, s in ms]
    return table.with_columns(tolerance=tolerance, required=~place.is_in(known)).with_columns(
        within=off <= pl.col("tolerance")
    )


def frames(cohort: Cohort) -> dict[str, pl.DataFrame]:
    """Finished courses with everything they are grouped by, courses of therapy, all referrals."""
    outcomes = referral_outcomes(cohort.referrals, cohort.contacts, fallback=True)
    finished = (
        outcomes.filter("finished")
        .join(cohort.referrals.drop("patient_id"), on="referral_id", maintain_order="left")
        .join(cohort.patients.drop("age"), on="patient_id", maintain_order="left")
        .with_columns(
            codes.age_band(pl.col("age_at_referral")).alias("age"),
            wait_band(pl.col("wait_days")).alias("first wait"),
            wait_band(pl.col("second_wait_days")).alias("second wait"),
            pl.col("deprivation_decile").cast(pl.String).alias("deprivation decile"),
        )
    )
    therapies = therapy_outcomes(cohort.contacts, cohort.referrals, fallback=True)
    return {"finished": finished, "therapies": therapies, "outcomes": outcomes}


def _subset(frames, breakdown: str, group: str) -> pl.DataFrame:
    if breakdown == "therapy":
        return frames["therapies"].filter(pl.col("therapy") == group, pl.col("finished"))
    if breakdown == "total":
        return frames["finished"]
    return frames["finished"].filter(pl.col(breakdown).cast(pl.String) == group)


def _published(told: pl.DataFrame, whole: pl.DataFrame, measure: str):
    """(statistic, value, source) of a measure, shares and percentages from counts where need be."""

    def one(frame, name):
        row = frame.filter(pl.col("statistic").str.starts_with("count"), measure=name)
        return row["value"].item(), row["source"].item()

    if measure == "share of finished":
        part, source = one(told, "finished")
        return [("percentage", 100 * part / one(whole, "finished")[0], source)]
    if measure == "finished / referred":
        part, source = one(whole, "finished")
        return [("percentage", 100 * part / one(whole, "referrals")[0], source)]
    if measure == "at caseness":
        part, source = one(whole, "at caseness")
        return [("percentage", 100 * part / one(whole, "finished")[0], source)]
    wanted = told.filter(~pl.col("statistic").str.starts_with("count"), measure=measure)
    return wanted.select("statistic", "value", "source").rows()


def _synthetic(frames, subset: pl.DataFrame, measure: str, statistic: str):
    """Value, courses behind it, standard error of the draw."""
    if measure == "share of finished":
        n = frames["finished"].height
        return _percentage(subset.height / n, n)
    if measure == "finished / referred":
        n = frames["outcomes"].height
        return _percentage(subset.height / n, n)
    if statistic == "percentage":
        row = rates(subset).filter(measure=measure)
        return _percentage(row["rate"].item(), row["denominator"].item())
    if statistic == "effect size":
        first, last = (subset[f"{measure}_{end}"].drop_nulls() for end in ("first", "last"))
        n = len(last)
        # the reference is the spread at the start, in the whole country, which this cohort is
        return (first.mean() - last.mean()) / first.std(), n, (2 / n) ** 0.5
    scores = subset[measure.replace(" ", "_")].drop_nulls()
    n, spread = len(scores), scores.std()
    if statistic == "mean":
        return scores.mean(), n, spread / n**0.5
    return spread, n, spread / (2 * n) ** 0.5


def _percentage(rate: float, n: int):
    return 100 * rate, n, 100 * (rate * (1 - rate) / n) ** 0.5


def _correlations(cohort: Cohort) -> list[tuple]:
    """Mean correlations of the PHQ-9 items over all sessions."""
    answers = cohort.contacts.select(PHQ9.columns).drop_nulls().to_numpy()
    r = np.corrcoef(answers.T)
    somatic, cognitive = [2, 3, 4], [0, 1, 5, 8]

    def within(items):
        return np.mean([r[a, b] for a in items for b in items if a < b])

    across = r[np.ix_(somatic, cognitive)].mean()
    found = [within(range(9)), within(somatic), within(cognitive), across]
    n = len(answers)
    return [
        ("PHQ-9 items", group, "mean correlation", "correlation", FITTED, told, float(value), n,
         (1 - value**2) / n**0.5, _ITEMS_SOURCE)
        for (group, told), value in zip(_ITEMS.items(), found, strict=True)
    ]  # fmt: skip
