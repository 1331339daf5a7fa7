"""Natural recovery while nothing is done: named alternatives, never pooled.

The sources describe different populations and differ two- to sixfold, so a result names its
scenario. Recovery leads to the first band, from any other.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.models.hazards import interval_hazards
from iesoresearch.models.markov_cohort.units import Duration, rate_from_probability
from iesoresearch.models.waiting.bands import BANDS, key

WEEK = Duration(1, "week")


@dataclass(frozen=True)
class Scenario:
    """One view of natural recovery.

    Attributes
    ----------
    conditions
        For which its source says something.
    inputs
        Names of the inputs it rests on; `{band}` stands for every band but the first.
    """

    name: str
    conditions: tuple[str, ...]
    inputs: Mapping[str, tuple[str, ...]]
    source: str
    description: str


_CATARINO = "Catarino et al. 2023, doi:10.1038/s44220-023-00106-z (derived)"
_WHITEFORD = "Whiteford et al. 2013, doi:10.1017/S0033291712001717"
_ALL = (
    Scenario(
        "waiting list",
        ("depression", "anxiety"),
        {
            "depression": ("remission_waiting_list",),
            "anxiety": ("response_waiting_list_anxiety", "weeks_waiting_list_anxiety"),
        },
        "Mekonen et al. 2022, J Affect Disord 296:17-25; anxiety: NICE CG113, Table 17",
        "The constant hazard of arms on a waiting list: the base case, since trials measure the "
        "effect of therapy against them, and near the recovery that England publishes.",
    ),
    Scenario(
        "severity-specific",
        ("depression", "anxiety"),
        {"depression": ("recovery_depression_{band}",), "anxiety": ("recovery_anxiety_{band}",)},
        _CATARINO,
        "A monthly probability per band; the slowest but none.",
    ),
    Scenario(
        "constant",
        ("depression",),
        {"depression": ("remission_12_months",)},
        _WHITEFORD,
        "The constant hazard that gives remission within 12 months, in every band.",
    ),
    Scenario(
        "declining",
        ("depression",),
        {"depression": ("remission_3_months", "remission_6_months", "remission_12_months")},
        _WHITEFORD,
        "Hazards of months 1 to 3, 4 to 6 and 7 to 12 from the cumulative figures; the last goes "
        "on. They fall and then rise again.",
    ),
    Scenario(
        "none",
        ("depression", "anxiety"),
        {"depression": (), "anxiety": ()},
        "no source: a bound",
        "Nobody recovers without treatment.",
    ),
)
#: By name; the first is the base case.
SCENARIOS = {scenario.name: scenario for scenario in _ALL}
#: Ends of the first two intervals of "declining": 3 and 6 months in whole weeks.
DECLINING_ENDS = (13, 26)
_MEKONEN_WEEKS = 8


def check(name: str, condition: str) -> Scenario:
    """The scenario called `name`.

    Raises
    ------
    ParameterError
        No such scenario, or one whose source says nothing of the condition.
    """
    if name not in SCENARIOS:
        raise ParameterError(
            f'There is no recovery scenario "{name}"; choose from {", ".join(SCENARIOS)}.'
        )
    scenario = SCENARIOS[name]
    if condition not in scenario.conditions:
        fit = ", ".join(s.name for s in _ALL if condition in s.conditions)
        raise ParameterError(
            f'The recovery scenario "{name}" rests on {scenario.source}, which says nothing of '
            f"{condition}; choose from {fit}."
        )
    return scenario


def _declining(cumulative: np.ndarray) -> np.ndarray:
    """(…, 3) weekly hazards within months 1 to 3, 4 to 6 and 7 to 12, from shares at their end."""
    try:
        return interval_hazards([Duration(m, "month").over(WEEK) for m in (3, 6, 12)], cumulative)
    except DataError:
        raise ParameterError(
            "Shares recovered within 3, 6 and 12 months cannot fall and lie below 1; correct "
            "remission_3_months, remission_6_months and remission_12_months."
        ) from None


def hazards(scenario: Scenario, condition: str, draws: Mapping[str, np.ndarray]) -> np.ndarray:
    """(draws, intervals, bands) weekly hazards of natural recovery; that of the first band is 0.

    Intervals are those between `DECLINING_ENDS` for "declining", otherwise one.
    """
    bands = BANDS[condition][1:]
    names = [
        name.format(band=key(band))
        for name in scenario.inputs[condition]
        for band in (bands if "{band}" in name else ("",))
    ]
    columns = [draws[name] for name in names]
    if scenario.name == "severity-specific":
        month = Duration(1, "month")
        by_band = [rate_from_probability(p, month, per=WEEK) for p in columns]
        found = np.stack(by_band, -1)[:, None, :]
    elif scenario.name == "declining":
        found = np.repeat(_declining(np.stack(columns, -1))[:, :, None], len(bands), 2)
    elif scenario.name == "none":
        n = len(next(iter(draws.values())))
        found = np.zeros((n, 1, len(bands)))
    else:
        found = np.repeat(_single(scenario, condition, columns)[:, None, None], len(bands), 2)
    return np.concatenate([np.zeros_like(found[..., :1]), found], -1)


def _single(scenario: Scenario, condition: str, columns: list[np.ndarray]) -> np.ndarray:
    if scenario.name == "constant":
        return rate_from_probability(columns[0], Duration(12, "month"), per=WEEK)
    if condition == "depression":
        return rate_from_probability(columns[0], Duration(_MEKONEN_WEEKS, "week"), per=WEEK)
    return rate_from_probability(columns[0], WEEK, per=WEEK) / columns[1]
