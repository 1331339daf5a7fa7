"""Each state in plain words: how severe, and which symptoms stand out at that severity."""

import numpy as np

from iesoresearch.measures import PHQ9
from iesoresearch.measures.instruments import Instrument

#: Standard deviations of an item from which a symptom is said to stand out against the severity
#: ladder. The project's own: above the 0.2 from which whole profiles differ in kind
#: (`selection.DISTANCE_IN_KIND`), since one item says less than nine.
STANDS_OUT = 0.3

#: What a high score means, for names of items that do not say it; the others speak for themselves.
SYMPTOMS = {
    "interest": "loss of interest",
    "sleep": "poor sleep",
    "energy": "tiredness",
    "appetite": "trouble with appetite",
    "self-worth": "low self-worth",
    "concentration": "trouble concentrating",
    "psychomotor": "restlessness or slowness",
    "self-harm thoughts": "thoughts of self-harm",
}


def describe(
    totals: np.ndarray,
    deviations: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    instrument: Instrument = PHQ9,
) -> list[str]:
    """One line for each state.

    Parameters
    ----------
    totals
        (states,): expected total score.
    deviations
        (states, items): expected item scores less those of the ladder at the same total, in
        standard deviations of the item (`selection.departures`).
    low, high
        (states, items): interval of each deviation. Only what stands out by `STANDS_OUT` and
        surely, that is with an interval that leaves out 0, is mentioned.
    instrument
        Names its items, in their order, and the bands of its totals.

    Returns
    -------
    list of str
        Such as "Moderate; more than others of equal severity: poor sleep; less: low self-worth".
    """
    names = [SYMPTOMS.get(item.name, item.name) for item in instrument.items]
    lines = []
    for total, deviation, sure in zip(totals, deviations, (low > 0) | (high < 0), strict=True):
        more = _named(names, np.where(sure, deviation, 0.0))
        less = _named(names, np.where(sure, -deviation, 0.0))
        lines.append(f"{severity(total, instrument)}{_standing_out(more, less)}")
    return lines


def severity(total: float, instrument: Instrument = PHQ9) -> str:
    """Band of an expected total, that of its value to one decimal as it is shown."""
    shown = round(float(total), 1)
    return [band for band in instrument.bands if band.low <= shown][-1].name.capitalize()


def _named(names: list[str], surplus: np.ndarray) -> str:
    """Symptoms that stand out, the strongest first."""
    order = np.argsort(-surplus, kind="stable")
    return ", ".join(names[i] for i in order if surplus[i] >= STANDS_OUT)


def _standing_out(more: str, less: str) -> str:
    if more and less:
        return f"; more than others of equal severity: {more}; less: {less}"
    if more:
        return f"; more than others of equal severity: {more}"
    if less:
        return f"; less than others of equal severity: {less}"
    return "; no symptom surely stands out from others of equal severity"
