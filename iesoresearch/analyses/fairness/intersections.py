"""Intersections of groups: how much they differ, which stand out, and what one-way tables hide."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import polars as pl

from iesoresearch.analyses._chains import chains
from iesoresearch.analyses.fairness import Params
from iesoresearch.analyses.fairness.data import ETHNIC_GROUPS, Audited, levels_of
from iesoresearch.analyses.fairness.outcomes import DENOMINATORS, POPULATION, STAGES, WORDS
from iesoresearch.analyses.fairness.strata import HIGHER, LOWER, STEPS, Estimates
from iesoresearch.data.groups import NOT_RECORDED
from iesoresearch.disclosure import derived
from iesoresearch.errors import DataError
from iesoresearch.models import maihda
from iesoresearch.models.growth.estimator import Estimate
from iesoresearch.results import Check, FigureSpec, Number, Result, Table, Value
from iesoresearch.seeds import derive

BY_CHANCE = 0.05  # of separate tests, where nothing is there to be found
_ENDS = ("", "_low", "_high")
FIGURES = ("intersections", "shrinkage", "interactions")
#: Of the summary -> what it is, all in per cent.
SHARES = {
    "vpc": "Variance between intersections, of all (latent scale)",
    "vpc_probability": "The same of the outcome itself, yes or no",
    "vpc_interaction": "Variance between intersections beside main effects, of all (latent scale)",
    "pcv": "Part of the variance between intersections that main effects account for",
    "auc": "Pairs of patients, one with the outcome, that intersections rank rightly (AUC)",
    "auc_main_effects": "The same by main effects alone",
    "auc_gain": "The difference",
}


@dataclass(frozen=True)
class _Analysed:
    """Counts of the intersections, and what the models say of them."""

    data: Audited
    dimensions: tuple[str, ...]
    outcome: str
    counts: pl.DataFrame
    fitted: maihda.Maihda

    @property
    def denominator(self) -> str:
        return DENOMINATORS[self.outcome]

    @property
    def n(self) -> int:
        return int(self.fitted.strata.n.sum())


def intersections(data: Audited, params: Params) -> Result:
    """Multilevel analysis of the intersections of `params.intersect`.

    Where it cannot be made, the result says why and has no tables.
    """
    dimensions = tuple(params.intersect)
    counts = _counted(data, dimensions, params.outcome)
    try:
        fitted = _fitted(data, counts, dimensions, params)
    except DataError as error:
        why = f"Intersections of {', '.join(dimensions)}: {error}"
        return Result(not_applicable=dict.fromkeys(("strata", "strata_shares", *FIGURES), why))
    found = _Analysed(data, dimensions, params.outcome, counts, fitted)
    summary = fitted.summary()
    return Result(
        tables={"strata": _strata(found, params), "strata_shares": _shares(found, summary)},
        numbers=_numbers(found, summary),
        checks=_checks(found, summary),
        text=_text(found, summary),
        figures=_figures(found),
    )


def _counted(data: Audited, dimensions: tuple[str, ...], outcome: str) -> pl.DataFrame:
    """One row per intersection of levels, in their order, also where nobody is; see `counted`."""
    names = (DENOMINATORS[outcome], outcome)
    every = pl.DataFrame({"": [0]})
    for d in dimensions:
        gap = [NOT_RECORDED] if (data.closed[d] == NOT_RECORDED).any() else []
        levels = [*levels_of()[d], *gap]
        every = every.join(pl.DataFrame({d: levels}), how="cross", maintain_order="left_right")
    found = data.closed.group_by(dimensions).agg(pl.col(n).sum().cast(pl.Int64) for n in names)
    joined = every.select(dimensions).join(found, on=dimensions, how="left", maintain_order="left")
    return joined.with_columns(pl.col(names).fill_null(0))


def _fitted(
    data: Audited, counts: pl.DataFrame, dimensions: tuple[str, ...], params: Params
) -> maihda.Maihda:
    denominator = DENOMINATORS[params.outcome]
    for dimension in dimensions:
        if dimension in data.left_out:
            raise DataError(
                f"{dimension} makes no strata ({data.left_out[dimension]}): name other groupings "
                "to intersect."
            )
    recorded = pl.all_horizontal(pl.col(d) != NOT_RECORDED for d in dimensions)
    used = counts.filter(recorded, pl.col(denominator) > 0)
    return maihda.fit(
        used[params.outcome],
        used[denominator],
        used.select(dimensions),
        draws=params.draws,
        random_state=derive(params.seed, "intersections"),
        n_jobs=data.n_jobs,
    )


def _strata(found: _Analysed, params: Params) -> Table:
    """Raw and shrunken rate of every intersection, and how it differs from its parts."""
    sensitivity, outcome = found.data.sensitivity, found.outcome
    count = partial(Value, "count", digits=0, parts_of=(), sensitivity=sensitivity)
    values = {
        found.denominator: count(label=STAGES[found.denominator]),
        outcome: count(label=STAGES[outcome], within=found.denominator, follows=found.denominator),
    }
    table = Table(
        f"Intersections: {STAGES[outcome].lower()}",
        found.counts,
        {d: d for d in found.dimensions},
        values,
        POPULATION,
        _broader(found),
    )
    table = derived.with_rate(table, "raw", outcome, found.denominator, "Raw rate, %")
    estimates = Estimates(
        found.dimensions, outcome, found.denominator, found.counts, found.fitted,
        partial(_fitted, found.data, dimensions=found.dimensions, params=params),
    )  # fmt: skip
    model = partial(
        Value, "model", denominator=found.denominator, follows=outcome, sensitivity=sensitivity
    )
    labels = {"mean": "Shrunken rate, %", "interaction": "Beside main effects, points"}
    added = {
        name + end: model(
            label=labels[name] if not end else "",
            digits=int(step < 1),
            derive=partial(estimates.rounded, name=name + end),
        )
        for name, step in STEPS.items()
        for end in _ENDS
    } | {"finding": model(label="Finding", digits=0, derive=estimates.finding)}
    columns = [value.derive(found.counts).alias(name) for name, value in added.items()]
    return replace(table, frame=table.frame.with_columns(columns), values=table.values | added)


def _broader(found: _Analysed) -> dict:
    """Of every intersection the groups that it is a part of."""
    known = set(found.data.groupings)
    by_group = {}
    for row in found.counts.select(found.dimensions).iter_rows():
        parts = [(d, level) for d, level in zip(found.dimensions, row, strict=True) if d in known]
        by_group[row] = tuple(parts)
        group = dict(parts).get("Ethnicity")
        if group in ETHNIC_GROUPS and "Ethnic group" in known - set(found.dimensions):
            by_group[row] += (("Ethnic group", ETHNIC_GROUPS[group]),)
    return by_group


def _shares(found: _Analysed, summary: Mapping[str, Estimate]) -> Table:
    rows = [
        {"what": what, **_percent(summary[name], "estimate")}
        for name, what in SHARES.items()
        if np.isfinite(summary[name].x)
    ]
    labels = {"estimate": "%", "estimate_low": "", "estimate_high": ""}
    values = {
        name: Value("model", label, 1, sensitivity=found.data.sensitivity)
        for name, label in labels.items()
    }
    title = "How much intersections differ, and how much of it main effects say"
    return Table(title, pl.DataFrame(rows), {"what": ""}, values)


def _percent(estimate: Estimate, name: str) -> dict[str, float]:
    values = (estimate.x, estimate.x_low, estimate.x_high)
    # no finer than shown: shares are of exact counts
    return {name + end: round(100 * x, 1) for end, x in zip(_ENDS, values, strict=True)}


def _numbers(found: _Analysed, summary: Mapping[str, Estimate]) -> dict[str, Number]:
    sensitivity = found.data.sensitivity
    kind = {"n": found.n, "sensitivity": sensitivity}
    left_out = int(found.counts[found.denominator].sum()) - found.n
    numbers = {
        "n_intersected": Number(found.n, kind="count", **kind),
        "n_not_intersected": Number(left_out, left_out, kind="count", sensitivity=sensitivity),
    }
    for name in ("vpc", "vpc_interaction", "pcv", "auc", "auc_main_effects"):
        if np.isfinite(summary[name].x):
            for which, x in _percent(summary[name], f"strata_{name}").items():
                numbers[which] = Number(x, unit="%", digits=1, **kind)
    tellers = {
        "strata_shown": _n_shown,
        "strata_flagged": _n_flagged,
        "strata_by_chance": _n_by_chance,
        "told_strata": partial(_told, outcome=found.outcome),
    }
    return numbers | {
        name: Number(None, derive=partial(_of_released, tell=tell))
        for name, tell in tellers.items()
    }  # fmt: skip


def _of_released(tables: Mapping[str, Table], tell) -> Number:
    table = tables["strata"]
    shown = table.frame.filter(pl.col("mean").is_not_null())
    value = tell(shown)
    digits = int(isinstance(value, float))
    return Number(value, digits=digits, sensitivity=table.values["mean"].sensitivity)


def _n_shown(shown: pl.DataFrame) -> int:
    return shown.height


def _n_flagged(shown: pl.DataFrame) -> int:
    return int(shown["finding"].is_in([HIGHER, LOWER]).sum())


def _n_by_chance(shown: pl.DataFrame) -> float:
    return BY_CHANCE * shown.height


def _told(shown: pl.DataFrame, outcome: str) -> str:
    """The two ends of what is shown, in absolute numbers."""
    if shown.height < 2:
        return "Too few patients are in any two intersections to compare them."
    ordered = shown.sort("mean", maintain_order=True).to_dicts()
    keys = shown.columns[: shown.columns.index(DENOMINATORS[outcome])]

    def of(row: dict) -> str:
        return (
            f"{row['mean']:.0f} of 100 who are {', '.join(str(row[k]) for k in keys)} "
            f"({row['mean_low']:.0f} to {row['mean_high']:.0f})"
        )

    return (
        f"Of those shown, the fewest {WORDS[outcome]} of one and the most of another: "
        f"{of(ordered[0])}, and {of(ordered[-1])}, both shrunken towards what their groups say."
    )


def _checks(found: _Analysed, summary: Mapping[str, Estimate]) -> list[Check]:
    differ = summary["spread"].x_low > 0
    beside = summary["spread_interaction"].x_low > 0
    return [
        chains(found.fitted.diagnostics()),
        Check(
            "claim: intersections differ",
            "passed" if differ else "inconclusive",
            "Of the variance of the outcome {strata_vpc} (95 % {strata_vpc_low} to "
            "{strata_vpc_high}) lies between intersections"
            + ("." if differ else ", which may be none."),
        ),
        Check(
            "claim: intersections are more than the sum of their parts",
            "passed" if beside else "inconclusive",
            "Beside main effects {strata_vpc_interaction} (95 % {strata_vpc_interaction_low} to "
            "{strata_vpc_interaction_high}) of the variance lies between intersections"
            + (
                ". Differences between services, which are not in the model, can look like that."
                if beside
                else ", which may be none: the groups one by one may say it all."
            ),
        ),
    ]


def _text(found: _Analysed, summary: Mapping[str, Estimate]) -> dict[str, str]:
    who, of = WORDS[found.denominator], ", ".join(d.lower() for d in found.dimensions)
    parts = (
        "Main effects account for {strata_pcv} of that (95 % {strata_pcv_low} to "
        "{strata_pcv_high}). "
        if np.isfinite(summary["pcv"].x)
        else "How much of that main effects account for cannot be said, as it may be nothing. "
    )
    return {
        "plain": f"Intersections of {of}, of {{n_intersected}} referrals {who}: "
        "{strata_vpc} of the variance of the outcome lies between them (95 % {strata_vpc_low} to "
        f"{{strata_vpc_high}}), the rest between patients of the same one. {parts}{{told_strata}} "
        "Of {strata_shown} intersections large enough to be shown, {strata_flagged} differ from "
        "what their groups one by one add up to; separate tests of as many, without shrinkage, "
        "would flag {strata_by_chance} by chance where there is nothing.",
        "reading": "Intersections are analysed together (MAIHDA: logistic models with random "
        "intercepts of intersections, without and with main effects of every grouping; Evans et "
        "al. 2018, doi:10.1016/j.socscimed.2017.11.011; Merlo 2018, "
        "doi:10.1016/j.socscimed.2017.12.026). "
        "Rates are shrunken towards what main effects say, the more the fewer patients there are; "
        "that is how many comparisons at once are allowed for, and raw rates of small "
        "intersections are mostly noise. Groups of fewer than "
        f"{maihda.FEWEST} take part and have no estimate; what may be shown is for the disclosure "
        "policy to say, over all tables together. Estimates of single intersections are those of "
        "models of the counts as they are shown, without what is suppressed, so that they tell no "
        "exact or suppressed count; that costs small intersections some precision. Shares of "
        "variance and AUC are of all counts. AUC is that of other patients of the same "
        "intersections: 50 % is a coin.",
        "limits": "{n_not_intersected} referrals of which a group is not recorded are in no "
        "intersection. Published tables are one-way, so that intersections can only be had from "
        "patients' records. Nothing here is adjusted for case mix or service. Services "
        "differ, so that intervals are too narrow: where simulated services differ by a standard "
        "deviation of 0.2 (log odds), intervals of rates should be 1.2 times as wide with 12,000 "
        "patients and 1.8 times with 100,000; there, in 6 of 10 data sets, services alone look as "
        "if intersections were more than their parts. That intersections add up says nothing "
        "against inequality, which is then in their parts; and what is beside the parts has no "
        "cause yet. "
        "Little variance between intersections means that belonging to one says little of a "
        "single patient, and not that gaps between them do not matter.",
    }


def _figures(found: _Analysed) -> dict[str, FigureSpec]:
    did, who = WORDS[found.outcome], WORDS[found.denominator]
    n = "n = {n_intersected} referrals"
    return {
        "intersections": FigureSpec(
            "strata",
            f"Intersections: who {did}",
            f"Of 100 patients {who}, how many {did}: rates shrunken towards main effects, with "
            f"95 % intervals, {n}. Hatched: too few patients to be shown, or suppressed so that "
            "nobody can work out others.",
        ),
        "shrinkage": FigureSpec(
            "strata",
            "Raw and shrunken rates",
            "Of every intersection that may be shown the rate as counted and the rate shrunken "
            f"towards main effects, with its 95 % interval, {n}. The fewer patients, the more of "
            "a raw rate is chance, and the further it is drawn from the dashed line.",
        ),
        "interactions": FigureSpec(
            "strata",
            "Intersections beside their main effects",
            "How far the rate lies from what main effects add up to, in percentage points with "
            f"95 % intervals: the intersections shown whose difference is largest, {n}. "
            "{strata_flagged} of {strata_shown} differ; {strata_by_chance} would by chance in "
            "separate tests without shrinkage.",
        ),
    }
