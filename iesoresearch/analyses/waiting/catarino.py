"""What Catarino et al. print (2023, doi:10.1038/s44220-023-00106-z), and our engine beside it.

Their transition matrices after treatment are not printed, so their model cannot be run. What can be
held against print is a month in the starting state, and that their net benefits follow from their
costs and QALYs.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from iesoresearch.analyses.waiting.declared import value, words
from iesoresearch.data.health_economics import Input
from iesoresearch.models.markov_cohort import CohortModel, Duration, Reward
from iesoresearch.models.waiting import BANDS, catarino_checks
from iesoresearch.models.waiting.bands import key
from iesoresearch.results import Table

WTP = 20_000.0
MONTH = Duration(1, "month")
#: Printed, as midpoints of ranges: £ a month besides therapy and utility a year, by starting band;
#: and £ for a month more there than in the first band, worked out from them by hand.
STATES = {
    ("depression", "mild"): (44.53, 0.715, 83),
    ("depression", "moderate"): (48.24, 0.65, 195),
    ("depression", "moderately severe"): (61.35, 0.605, 283),
    ("depression", "severe"): (74.46, 0.565, 363),
    ("anxiety", "mild"): (31.64, 0.695, 91),
    ("anxiety", "moderate"): (34.88, 0.63, 203),
    ("anxiety", "severe"): (47.29, 0.56, 332),
}
_AGREES, _DIFFERS = "agrees", "DIFFERS"


@dataclass(frozen=True)
class Printed:
    """A row of their results over two years per patient: therapy online, and NHS; £ and QALYs."""

    condition: str
    band: str
    initial: tuple[int, int]
    recurrent: tuple[int, int]
    background: tuple[int, int]
    qaly: tuple[float, float]
    gained: str
    net_benefit: int

    @property
    def saved(self) -> int:
        """£ that therapy online saves."""
        parts = (self.initial, self.recurrent, self.background)
        return sum(nhs - online for online, nhs in parts)

    @property
    def implied(self) -> float:
        """QALYs gained that the net benefit and the costs imply."""
        return (self.net_benefit - self.saved) / WTP

    @property
    def consistent(self) -> bool:
        """Whether the implied gain is the printed one, and what the printed QALYs allow.

        Costs and net benefit are rounded to £1 (six costs and a net benefit: £3.50 at most), the
        gain to its last digit, the two QALYs to 0.01 each.
        """
        slack = 3.5 / WTP
        half = 0.5 * 10.0 ** -len(self.gained.partition(".")[2])
        told = abs(self.implied - float(self.gained)) <= half + slack
        return told and abs(self.implied - (self.qaly[0] - self.qaly[1])) <= 0.01 + slack


PRINTED = (
    Printed("depression", "mild", (419, 596), (43, 59), (801, 846), (1.40, 1.39), "0.01", 400),
    Printed("depression", "moderate", (453, 584), (46, 55), (948, 962), (1.34, 1.33), "0.01", 313),
    Printed("depression", "moderately severe", (463, 617), (52, 65), (1102, 1127), (1.29, 1.28),
            "0.01", 371),
    Printed("depression", "severe", (442, 685), (55, 79), (1327, 1340), (1.22, 1.22), "0.003", 349),
    Printed("anxiety", "mild", (434, 461), (38, 39), (754, 758), (1.36, 1.36), "0.008", 183),
    Printed("anxiety", "moderate", (466, 545), (42, 48), (800, 803), (1.30, 1.29), "0.01", 187),
    Printed("anxiety", "severe", (501, 623), (57, 68), (915, 929), (1.22, 1.21), "0.01", 379),
)  # fmt: skip


def held(inputs: tuple[Input, ...]) -> dict[tuple[str, str], tuple[float, float]]:
    """£ besides therapy and QALYs of a month in a starting band, on the general engine."""
    given = {x.name: x.value for x in inputs}
    found = {}
    for condition, bands in BANDS.items():
        cost = np.array([given[f"background_{condition}_{key(b)}"] for b in bands])
        utility = np.array([given[f"utility_sf6d_{condition}_{key(b)}"] for b in bands])
        worth = (
            Reward("background", cost, "trapezoid"),
            Reward("qaly", utility * MONTH.years, "trapezoid", utility=True),
        )
        still = np.eye(len(bands))
        totals = CohortModel(bands, bands, still[None], still, worth, 1, MONTH).totals()
        for b, band in enumerate(bands[1:], start=1):
            found[condition, band] = tuple(float(totals[r.name][0, b]) for r in worth)
    return found


def month(inputs: tuple[Input, ...]) -> Table:
    """A month in the starting band: engine beside print."""
    bound = {(x.condition, x.band): x.per_month for x in catarino_checks(inputs)}
    engine, rows = held(inputs), []
    for (condition, band), (cost, utility, more) in STATES.items():
        background, qaly = engine[condition, band]
        same = abs(background - cost) <= 0.005 + 1e-9 and abs(12 * qaly - utility) <= 0.0005
        same &= round(bound[condition, band]) == more
        rows.append(
            {"condition": condition, "band": band, "background": background, "print": cost}
            | {"qaly": 1000 * qaly, "print_qaly": 1000 * utility / 12}
            | {"more": bound[condition, band], "print_more": float(more)}
            | {"same": _AGREES if same else _DIFFERS}
        )
    values = {
        "background": value("Care besides therapy, £: engine", 2),
        "print": value("printed", 2),
        "qaly": value("QALYs per 1,000 patients: engine", 1),
        "print_qaly": value("from print", 1),
        "more": value("£ more than in minimal, a QALY at £20,000: engine"),
        "print_more": value("by hand"),
        "same": words("Agrees"),
    }
    keys = {"condition": "Condition", "band": "Severity"}
    title = "A month in the starting state: our engine beside Catarino 2023"
    return Table(title, pl.DataFrame(rows), keys, values)


def net_benefits() -> Table:
    """Whether printed net benefits follow from printed costs and QALYs."""
    rows = [
        {"condition": p.condition, "band": p.band, "saved": float(p.saved)}
        | {"net_benefit": float(p.net_benefit), "gained": float(p.gained), "implied": p.implied}
        | {"same": _AGREES if p.consistent else _DIFFERS}
        for p in PRINTED
    ]
    values = {
        "saved": value("£ saved by therapy online"),
        "net_benefit": value("Net benefit at £20,000, £"),
        "gained": value("QALYs gained, printed", 3),
        "implied": value("QALYs gained, implied", 4),
        "same": words("Within rounding"),
    }
    keys = {"condition": "Condition", "band": "Severity"}
    title = "Net benefits printed by Catarino 2023, beside what their costs and QALYs imply"
    return Table(title, pl.DataFrame(rows), keys, values)


def agrees(table: Table) -> bool:
    """Whether every row of one of these tables agrees."""
    return set(table.frame["same"]) == {_AGREES}
