"""Rates of what must be watched in everybody, whatever a rule flags."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from iesoresearch.errors import DataError
from iesoresearch.models.evaluation.results import Estimate
from iesoresearch.models.signals.counting import not_estimable, proportions


@dataclass(frozen=True)
class Rate:
    """How often a signal was seen.

    Attributes
    ----------
    signal, grouping, level
        What was watched, and in whom; ``grouping`` "overall" with an empty level for everybody.
    events, n, n_missing
        Patients with it, patients it is known of, and patients it is not known of.
    rate
        Share of those known of, with its Wilson interval.
    """

    signal: str
    grouping: str
    level: object
    events: int
    n: int
    n_missing: int
    rate: Estimate


def safety(signals: Mapping[str, np.ndarray], groups=None) -> tuple[Rate, ...]:
    """Rates with Wilson intervals, for everybody and by group.

    Parameters
    ----------
    signals
        Name, such as "reliable deterioration" or "some self-harm thoughts at the last answer" (item
        9 of the PHQ-9 above 0), -> (patients,) 1 with it, 0 without, NaN not known.
    groups
        Name -> (patients,) levels.

    Raises
    ------
    DataError
        Lengths that differ, or values other than 0, 1 and NaN.
    """
    signals = {name: np.asarray(values, dtype=float) for name, values in signals.items()}
    groups = {name: np.asarray(levels) for name, levels in (groups or {}).items()}
    lengths = {name: len(values) for name, values in (signals | groups).items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} has {n}" for name, n in lengths.items())
        raise DataError(f"Safety: the columns differ in length: {told}. Give one row per patient.")
    for name, values in signals.items():
        if wrong := int((~np.isin(values, (0, 1)) & ~np.isnan(values)).sum()):
            raise DataError(
                f"Safety: {name} has {wrong} value(s) other than 0, 1 and missing. Say for every "
                "patient whether it was seen."
            )
    found = []
    for name, values in signals.items():
        found.append(_rate(name, "overall", "", values))
        for grouping, levels in groups.items():
            found += [_rate(name, grouping, v, values[levels == v]) for v in np.unique(levels)]
    return tuple(found)


def _rate(name: str, grouping: str, level, values: np.ndarray) -> Rate:
    known = values[~np.isnan(values)]
    events, n = int(known.sum()), len(known)
    n_missing = len(values) - n
    unknown = f"not known of any of {n_missing} patients"
    rate = proportions([events], [n])[0] if n else not_estimable(unknown)
    return Rate(name, grouping, level, events, n, n_missing, rate)
