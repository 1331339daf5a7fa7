"""Tables of `pooling`: counts and rates, groups, regressions. All are made of released numbers."""

import numpy as np
import polars as pl
from scipy import special

from iesoresearch.analyses.pooling import site
from iesoresearch.analyses.pooling.computed import MAIN, OUTCOMES, WORDS, Computed, Row
from iesoresearch.analyses.pooling.sites import RUNS
from iesoresearch.models.pooling import rare
from iesoresearch.models.pooling.effects import Pooled
from iesoresearch.models.pooling.mixture import Likely
from iesoresearch.results import Table, Value

POOLED, FURTHER = "all sites", "a further site"
LIKELIHOOD = "sites differ (likelihood)"
COMMON = "one rate (likelihood)"
BETA = "sites differ (beta-binomial)"
KNAPP = "sites differ (Hartung–Knapp)"
_Z = 1.959964


def percent(log_odds: float | None) -> float | None:
    """Of log odds; None where there is none."""
    return None if log_odds is None or np.isnan(log_odds) else 100 * float(special.expit(log_odds))


def three(name: str, found: Likely | Pooled | None, back=percent) -> dict[str, float | None]:
    """Cells of an estimate and its interval."""
    if found is None:
        return dict.fromkeys((name, f"{name}_low", f"{name}_high"))
    return {name: back(found.estimate), f"{name}_low": back(found.low),
            f"{name}_high": back(found.high)}  # fmt: skip


def further(found: Likely | Pooled | None, back=percent) -> dict[str, float | None]:
    """Cells of the prediction interval."""
    names = ("further_from", "further_to")
    if found is None:
        return dict.fromkeys(names)
    return dict(zip(names, map(back, (found.predicted_low, found.predicted_high)), strict=True))


def tells_further(found: Likely | Pooled) -> bool:
    """Whether it says what a further site may expect; two sites do not."""
    return bool(np.isfinite(found.predicted_low) and np.isfinite(found.predicted_high))


class Maker:
    """Makes tables whose values share a sensitivity and need no more control: all was released."""

    def __init__(self, sensitivity):
        self.sensitivity = sensitivity

    def value(self, label: str, digits: int) -> Value:
        """A column."""
        return Value("model", label, digits, sensitivity=self.sensitivity)

    def interval(self, name: str, label: str, digits: int) -> dict[str, Value]:
        """Columns of an estimate and its interval."""
        return {
            name: self.value(label, digits),
            f"{name}_low": self.value("95 % from", digits),
            f"{name}_high": self.value("to", digits),
        }

    def range(self, name: str, label: str, digits: int = 0) -> dict[str, Value]:
        """Columns of a least and a largest value."""
        return {f"{name}_least": self.value(f"{label}, least", digits),
                f"{name}_most": self.value(f"{label}, most", digits)}  # fmt: skip

    def table(self, title: str, rows: list[dict], keys: dict[str, str], values) -> Table:
        """Rows as a table; a column that is not known anywhere is one of numbers."""
        names = [*keys, *values]
        columns = {name: [row.get(name) for row in rows] for name in names}
        words = {n for n, c in columns.items() if n in keys or any(isinstance(x, str) for x in c)}
        types = {n: pl.String if n in words else pl.Float64 for n in names}
        frame = pl.DataFrame(
            {n: pl.Series(n, [_cell(x) for x in c], dtype=types[n]) for n, c in columns.items()}
        )
        return Table(title, frame, keys, values)


def _cell(x):
    return None if isinstance(x, float) and np.isnan(x) else x


def sites(found: Computed) -> Table:
    """Who is in the pool, and with what; sites that are only in the pool are counted."""
    make, rows = Maker(found.sensitivity), []
    for one, label in found.sites:
        if label is not None:
            has = {run: "yes" if one.results.get(run) and one.results[run].tables else "no"
                   for run in RUNS}  # fmt: skip
            rows.append({"label": label, **has})
    if found.sites.n_hidden:
        rows.append({"label": f"{found.sites.n_hidden} sites, only in the pool"})
    values = {run: make.value(words[0].upper() + words[1:], 0) for run, words in RUNS.items()}
    return make.table("Sites in the pool", rows, {"label": "Site"}, values)


def rates(found: Computed) -> Table:
    """The main outcome at each site that is shown, of all, and where a further site is expected."""
    make, pooled = Maker(found.sensitivity), found.rates[MAIN]
    weights = shares_of(found.main, pooled)
    rows = [
        {"label": row.label, **three("rate", row.alone), **_ranges(row), "weight": weight}
        for row, weight in zip(found.main, weights, strict=True)
        if row.label is not None
    ]
    joint = found.joint
    rows.append({"label": POOLED, **three("rate", pooled), **_ranges(Row(POOLED, joint)),
                 "weight": 100.0})  # fmt: skip
    if tells_further(pooled):
        low, high = further(pooled).values()
        rate = percent(pooled.estimate)
        rows.append({"label": FURTHER, "rate": rate, "rate_low": low, "rate_high": high})
    values = {
        **make.interval("rate", f"{WORDS[MAIN]}, %", 1),
        **make.range("events", "With it"),
        **make.range("n", "Of"),
        "weight": make.value("Weight, %", 0),
    }
    return make.table(f"{WORDS[MAIN]} at each site", rows, {"label": "Site"}, values)


def shares_of(rows: list[Row], pooled: Likely) -> list[float | None]:
    """Weight of each site in per cent, from the width of its own interval and the spread."""
    errors = [np.nan if r.alone is None else (r.alone.high - r.alone.low) / (2 * _Z) for r in rows]
    with np.errstate(invalid="ignore"):
        weight = 1 / (np.array(errors) ** 2 + pooled.tau**2)
    weight = np.where(np.isfinite(weight), weight, 0.0)
    if not weight.any():
        return [None] * len(rows)
    return (100 * weight / weight.sum()).tolist()


def _ranges(row: Row) -> dict[str, float]:
    events, n = row.proportion.events, row.proportion.n
    return {"events_least": float(events.low), "events_most": float(events.high),
            "n_least": float(n.low), "n_most": float(n.high)}  # fmt: skip


def outcomes(found: Computed) -> Table:
    """Every outcome pooled in several ways."""
    make, rows = Maker(found.sensitivity), []
    for outcome in OUTCOMES:
        sited = found.rows(outcome)
        proportions = [row.proportion for row in sited]
        telling = [row for row in sited if row.says_something]
        ways = {
            LIKELIHOOD: found.rates[outcome],
            COMMON: rare.proportion(proportions, True) if telling else None,
            BETA: rare.beta_binomial(proportions) if telling else None,
            KNAPP: found.knapp(outcome),
        }
        for way, pooled in ways.items():
            row = {"outcome": WORDS[outcome], "way": way, "k": float(len(telling))}
            row |= three("rate", pooled) | further(pooled)
            if pooled is not None and way in (LIKELIHOOD, KNAPP):
                row |= spread_of(pooled)
            rows.append(row)
    values = {
        "k": make.value("Sites", 0),
        **make.interval("rate", "Rate, %", 1),
        "further_from": make.value("A further site, from", 1),
        "further_to": make.value("to", 1),
        **make.interval("tau", "SD between, log odds", 2),
        "i2": make.value("I², %", 0),
    }
    keys = {"outcome": "Outcome", "way": "Taken that"}
    return make.table("Outcomes of all sites", rows, keys, values)


def spread_of(pooled: Likely | Pooled) -> dict[str, float | None]:
    """Cells of the standard deviation between sites."""
    if isinstance(pooled, Likely):
        return {"tau": pooled.tau, "tau_low": pooled.tau_low, "tau_high": pooled.tau_high}
    ends = np.sqrt([pooled.tau2_low, pooled.tau2_high])
    return {"tau": pooled.tau, "tau_low": float(ends[0]), "tau_high": float(ends[1]),
            "i2": 100 * pooled.i2}  # fmt: skip


def groups(found: Computed) -> Table:
    """The main outcome by group, suppressed sites with what is known of them."""
    make, rows = Maker(found.sensitivity), []
    for level, (odds, ratio) in found.groups.items():
        sited = found.group(level)
        joint = [rare.Proportion(r.proportion.events, r.proportion.n) for r in sited]
        rows.append(
            {
                "level": level,
                "k": float(sum(row.says_something for row in sited)),
                "suppressed": float(sum(row.is_suppressed for row in sited)),
                "events_least": float(sum(p.events.low for p in joint)),
                "events_most": float(sum(p.events.high for p in joint)),
                "n_least": float(sum(p.n.low for p in joint)),
                "n_most": float(sum(p.n.high for p in joint)),
                **three("rate", odds),
                **three("ratio", ratio, lambda x: float(np.exp(x))),
            }
        )
    values = {
        "k": make.value("Sites that tell", 0),
        "suppressed": make.value("Sites that suppress", 0),
        **make.range("events", "With it"),
        **make.range("n", "Of"),
        **make.interval("rate", f"{WORDS[MAIN]}, %", 1),
        **make.interval("ratio", f"Odds ratio against {found.reference}", 2),
    }
    keys = {"level": found.params.grouping}
    return make.table(f"{WORDS[MAIN]} by group, all sites", rows, keys, values)


def coefficients(found: Computed) -> Table:
    """Coefficients of one regression, common to all sites or varying between them."""
    make, common, joint = Maker(found.sensitivity), found.common, found.joint_fit
    rows = []
    for i, name in enumerate(common.names):
        error = float(common.errors[i])
        fixed = {"common": float(common.values[i])}
        fixed |= {f"common_{end}": float(common.values[i] + sign * _Z * error)
                  for end, sign in (("low", -1), ("high", 1))}  # fmt: skip
        varying = found.varying(name)
        row = {"term": site.TERMS[name][0], "k": float(common.sites[i]), **fixed}
        row |= three("average", varying, float) | further(varying, float)
        row |= {"tau": varying.tau}
        if joint is not None:
            row |= {"joint": joint[name][0],
                    "apart": abs(fixed["common"] - joint[name][0]) / joint[name][1]}  # fmt: skip
        rows.append(row)
    values = {
        "k": make.value("Sites", 0),
        **make.interval("common", "Log odds ratio, common to all", 3),
        **make.interval("average", "Average, sites differ", 3),
        "further_from": make.value("A further site, from", 2),
        "further_to": make.value("to", 2),
        "tau": make.value("SD between", 2),
    }
    if joint is not None:
        values |= {"joint": make.value("All records together", 3),
                   "apart": make.value("Apart, standard errors", 3)}  # fmt: skip
    title = f"Regression of {WORDS[MAIN].lower()} on what is known at the start"
    return make.table(title, rows, {"term": "Term"}, values)


def left_out(found: Computed) -> Table:
    """The main outcome without each site in turn."""
    make = Maker(found.sensitivity)
    rows = [{"label": label, **three("rate", p), **spread_of(p)} for label, p in found.left_out]
    values = {
        **make.interval("rate", f"{WORDS[MAIN]} without it, %", 1),
        **make.interval("tau", "SD between, log odds", 2),
    }
    title = "Without each site in turn (Hartung–Knapp)"
    return make.table(title, rows, {"label": "Left out"}, values)
