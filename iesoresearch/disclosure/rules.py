"""Rules beside the smallest count: dominance, degrees of freedom, quantiles, people at risk.

They hide statistics, never counts, so what is proved of counts in linked tables holds without them.
Dominance follows the (n, k) and p-percent rules for magnitudes (Hundepool et al. 2012, Statistical
Disclosure Control, Wiley, doi:10.1002/9781118348239), as the program ACRO applies them
(doi:10.1109/TP.2025.3566052); its are also the degrees of freedom and the people at risk.
"""

from collections.abc import Callable

import numpy as np
import polars as pl

from iesoresearch.disclosure.policy import LARGEST, Policy
from iesoresearch.results import Number, Table, Value

DOMINATED = "suppressed (few people contribute most of it)"
SATURATED = "suppressed (too many parameters for so few people)"
EXTREME = "suppressed (too few people beyond the quantile)"
AT_RISK = "suppressed (too few people at risk)"
#: Statuses by rule, in the order in which a row says them.
REASONS = (DOMINATED, SATURATED, EXTREME, AT_RISK)
_SLACK = 1e-9  # of a share of people or of a sum, which floats do not hold exactly


def broken(table: Table, policy: Policy) -> dict[str, dict[str, pl.Series]]:
    """By rule that hides something, of every guarded column it hides, which cells.

    Parameters
    ----------
    table
        Not released yet.

    Raises
    ------
    ValueError
        A declaration that no rule can be applied to: a quantile without a level, a statistic
        without the people behind it, or contributions that are none.
    """
    found: dict[str, dict[str, pl.Series]] = {}
    for name, value in table.values.items():
        if value.sensitivity == "open" or value.kind == "count":
            continue
        for reason, applies, rule in _RULES:
            if applies(table, value):
                cells = pl.Series(rule(table, name, value, policy), dtype=pl.Boolean)
                if cells.any():
                    found.setdefault(reason, {})[name] = cells
    return found


def of_number(number: Number, policy: Policy) -> str | None:
    """The status of a number by the rule that hides it; None where none does.

    Raises
    ------
    ValueError
        As `broken`.
    """
    if number.parameters is not None:
        people = np.array([_needed(number.n, "A number with parameters")])
        if (people - number.parameters < policy.degrees_of_freedom).any():
            return SATURATED
    if number.kind == "quantile":
        people = np.array([_needed(number.n, "A number that is a quantile")])
        level = _needed(number.level, "A number that is a quantile")
        if (_beside(people, level) < policy.percentile - _SLACK).any():
            return EXTREME
    return None


def _needed(said, what: str):
    if said is None:
        raise ValueError(f"{what} must say its level and how many people are behind it.")
    return said


def _people(table: Table, name: str, value: Value) -> np.ndarray:
    """People behind every cell; NaN where that is not known, of which nothing is shown."""
    if value.denominator is None:
        raise ValueError(f"Table {table.title!r}: {name!r} needs a denominator for its rule.")
    return table.frame[value.denominator].cast(pl.Float64).fill_null(np.nan).to_numpy()


def _dominated(table: Table, name: str, value: Value, policy: Policy) -> np.ndarray:
    """Where few hold most of the sum, or all but two hold little beside the largest."""
    columns = value.contributions or ()
    if value.kind != "mean" or len(columns) != LARGEST:
        raise ValueError(
            f"Table {table.title!r}: {name!r} must be a mean with {LARGEST} contributions."
        )
    largest = table.frame.select(columns).cast(pl.Float64).fill_null(np.nan).to_numpy()
    is_amount = np.isfinite(largest[:, 0])
    largest = np.nan_to_num(largest)
    mean = table.frame[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
    total = mean * _people(table, name, value)
    spare = _SLACK * np.abs(np.nan_to_num(total))
    in_order = (largest >= 0).all() and (np.diff(largest, axis=1) <= 0).all()
    if not in_order or (is_amount & (largest.sum(axis=1) > total + spare)).any():
        raise ValueError(f"Table {table.title!r}: the contributions of {name!r} are not its.")
    few = largest[:, : policy.dominance_n].sum(axis=1)
    rest = total - largest[:, :2].sum(axis=1)
    shared = few <= policy.dominance_k * total + spare
    return is_amount & ~(shared & (rest + spare >= policy.dominance_p * largest[:, 0]))


def _saturated(table: Table, name: str, value: Value, policy: Policy) -> np.ndarray:
    parameters = value.parameters
    if isinstance(parameters, str):
        parameters = table.frame[parameters].cast(pl.Float64).fill_null(np.inf).to_numpy()
    return ~(_people(table, name, value) - parameters >= policy.degrees_of_freedom)


def _extreme(table: Table, name: str, value: Value, policy: Policy) -> np.ndarray:
    if value.level is None:
        raise ValueError(f"Table {table.title!r}: the quantile {name!r} must say its level.")
    beside = _beside(_people(table, name, value), value.level)
    return ~(beside >= policy.percentile - _SLACK)


def _at_risk(table: Table, name: str, value: Value, policy: Policy) -> np.ndarray:
    return ~(_people(table, name, value) >= policy.survival)


def _beside(people: np.ndarray, level: float | tuple[float, float]) -> np.ndarray:
    """How many people there are on the side of a quantile where they are fewer."""
    if not isinstance(level, tuple):
        return people * min(level, 1 - level)
    from scipy import stats  # takes a while, and few results have limits of quantiles

    share, chance = level
    rank = stats.binom.ppf(chance, people, share) + (chance > 0.5)
    return np.minimum(rank - 1, people - rank)


#: Status, whether a declaration calls for the rule, and the rule.
_RULES: tuple[tuple[str, Callable, Callable], ...] = (
    (DOMINATED, lambda table, value: value.contributions is not None, _dominated),
    (SATURATED, lambda table, value: value.parameters is not None, _saturated),
    (EXTREME, lambda table, value: value.kind == "quantile", _extreme),
    (
        AT_RISK,
        lambda table, value: (
            value.denominator in table.values and table.values[value.denominator].at_risk
        ),
        _at_risk,
    ),
)
