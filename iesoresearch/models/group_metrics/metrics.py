"""Metrics that are functions of four counts: outcome no or yes, by decision no or yes."""

from dataclasses import dataclass

import numpy as np

#: Cells of a group, in the order of 2 × outcome + decision.
CELLS = ("tn", "fp", "fn", "tp")
_TN, _FP, _FN, _TP = np.eye(4, dtype=np.int64)


@dataclass(frozen=True)
class Metric:
    """A rate: those in the cells of the numerator among those in the cells of the denominator.

    Attributes
    ----------
    numerator, denominator
        (4,) 0 or 1 per cell.
    whom
        The denominator in words, of one and of several.
    """

    numerator: np.ndarray
    denominator: np.ndarray
    whom: tuple[str, str]


_ALL = ("patient", "patients")
_WITH, _WITHOUT = (tuple(f"{w} {h} the outcome" for w in _ALL) for h in ("with", "without"))
_CHOSEN, _PASSED = (tuple(f"{w} {h}selected" for w in _ALL) for h in ("", "not "))
NET_BENEFIT = "net_benefit"
RATES = {
    "selection_rate": Metric(_FP + _TP, _TN + _FP + _FN + _TP, _ALL),
    "tpr": Metric(_TP, _FN + _TP, _WITH),
    "fpr": Metric(_FP, _TN + _FP, _WITHOUT),
    "fnr": Metric(_FN, _FN + _TP, _WITH),
    "ppv": Metric(_TP, _FP + _TP, _CHOSEN),
    "npv": Metric(_TN, _TN + _FN, _PASSED),
    "accuracy": Metric(_TN + _TP, _TN + _FP + _FN + _TP, _ALL),
    "prevalence": Metric(_FN + _TP, _TN + _FP + _FN + _TP, _ALL),
}
#: All metrics. Net benefit is (true positives − odds of the threshold × false positives) ÷ all
#: (Vickers & Elkin 2006, doi:10.1177/0272989X06295361) and wants a threshold.
METRICS = (*RATES, NET_BENEFIT)


def fraction(counts: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Numerator and denominator of a metric; of net benefit, those with the outcome and all.

    Parameters
    ----------
    counts
        (…, 4) people in the `CELLS`.
    name
        Of `METRICS`.
    """
    metric = RATES["prevalence" if name == NET_BENEFIT else name]
    return counts @ metric.numerator, counts @ metric.denominator


def value(counts: np.ndarray, name: str, odds: float) -> np.ndarray:
    """Metric of the counts, NaN where the denominator is 0.

    Parameters
    ----------
    counts, name
        As of `fraction`.
    odds
        Of the threshold; only net benefit reads it.
    """
    events, n = fraction(counts, name)
    if name == NET_BENEFIT:
        events = counts @ _TP - odds * (counts @ _FP)
    return events / np.where(n > 0, n, np.nan)
