"""For whom: severity, and deprivation of the area that patients live in."""

import numpy as np
import polars as pl

from iesoresearch.analyses.waiting.computed import Computed
from iesoresearch.analyses.waiting.declared import count, interval, named, spread, value, words
from iesoresearch.analyses.waiting.strategies import AT_ONCE, USUAL, Decision
from iesoresearch.models.decision.groups import Distribution, by_subgroup, distributional
from iesoresearch.results import Table

DECILES = 10


def severity(found: dict[str, Decision]) -> Table:
    """What is best by severity, and whether choosing by severity adds anything."""
    rows = []
    for condition, decision in found.items():
        one = decision.one
        place = np.searchsorted(one.outcome.waits, decision.weeks[[AT_ONCE, USUAL]])
        sooner = np.array([decision.typical, 0])
        price = one.course / decision.spread_weeks
        costs = one.outcome.nhs[:, :, place] + price[:, :, None] * sooner
        effects = one.outcome.qaly[one.instrument][:, :, place]
        names = [decision.names[AT_ONCE], decision.names[USUAL]]
        shares = np.ones(len(one.bands))  # of patients by severity: not published by band
        groups = by_subgroup(
            costs, effects, one.thresholds[0], groups=one.bands, shares=shares, names=names
        )
        gain = one.thresholds[0] * (effects[:, :, 0] - effects[:, :, 1])
        gain -= costs[:, :, 0] - costs[:, :, 1]
        for s, group in enumerate(groups.groups):
            rows.append(
                {"condition": condition, "band": group.name, "best": names[group.best]}
                | {"sure": 100 * float(group.probability[group.best])}
                | named("gain", spread(gain[:, s], 0))
            )
    values = {"best": words("Best on average"), "sure": value("Best in % of draws")}
    values |= interval("gain", "Net benefit of at once over the usual wait, £")
    keys = {"condition": "Condition", "band": "Severity at referral"}
    return Table("Whom to bring forward, by severity", pl.DataFrame(rows), keys, values)


def by_decile(computed: Computed, decision: Decision) -> Distribution:
    """Who gains by decile of deprivation when therapy starts at once instead of after the wait.

    Per patient the model is the same in every decile, as no input is published by deprivation. What
    differs is how many are referred. What the price buys elsewhere is forgone by all people alike,
    a tenth of them in every decile.
    """
    deciles = computed.data.england.deciles()
    n = len(deciles)

    def repeated(x: np.ndarray) -> np.ndarray:
        return np.repeat(x[:, None, [USUAL, AT_ONCE]], n, axis=1)

    ratio = computed.params.equity_ratio
    return distributional(
        repeated(decision.costs),
        repeated(decision.effects),
        decision.one.thresholds[0],
        groups=[str(d) for d in deciles["decile"]],
        shares=deciles["referrals"].to_numpy().astype(float),
        weights=np.geomspace(ratio, 1.0, n),
        burden=np.full(n, 1.0 / n),
    )


def deprivation(computed: Computed, found: dict[str, Decision]) -> Table:
    """Referrals, outcomes, and who gains, by decile."""
    deciles = computed.data.england.deciles()
    share = deciles["referrals"] / deciles["referrals"].sum()
    frame = deciles.with_columns(share=100 * share)
    values = {
        "referrals": count("Referrals"),
        "share": value("% of all that wait", 1),
        "finished": count("Courses finished"),
        "recovery": value("Reliable recovery, %", 1),
    }
    for condition, decision in found.items():
        gained = by_decile(computed, decision)
        low, high = gained.interval * 1000
        # per 1,000 people referred in the decile
        columns = {
            condition: gained.gain * 1000,
            f"{condition}_low": low,
            f"{condition}_high": high,
        }
        frame = frame.with_columns(**{name: pl.Series(x) for name, x in columns.items()})
        values |= interval(condition, f"Net QALYs per 1,000 referrals, {condition}", 2)
    year = computed.data.england.year
    title = f"Therapy at once instead of after the usual wait, by deprivation, England {year}"
    keys = {"decile": "Decile, 1 = most deprived"}
    return Table(title, frame.select(*keys, *values), keys, values)


def whole(computed: Computed, found: dict[str, Decision]) -> Table:
    """Gains summed over deciles, plain and with health weighted by deprivation."""
    rows = []
    for condition, decision in found.items():
        gained = by_decile(computed, decision)
        rows.append(
            {"condition": condition, "total": 1000 * gained.total}
            | {"chance": 100 * gained.probability, "weighted": 1000 * gained.weighted_total}
            | {"weighted_chance": 100 * gained.weighted_probability}
            | {"losers": ", ".join(gained.losers) or "none"}
        )
    values = {
        "total": value("Net QALYs per 1,000 referrals", 2),
        "chance": value("Chance that it is above 0, %"),
        "weighted": value(f"Weighted {computed.params.equity_ratio:g} to 1", 2),
        "weighted_chance": value("Chance that it is above 0, %"),
        "losers": words("Deciles that lose on average"),
    }
    title = "Therapy at once instead of after the usual wait: all deciles together"
    return Table(title, pl.DataFrame(rows), {"condition": "Condition"}, values)
