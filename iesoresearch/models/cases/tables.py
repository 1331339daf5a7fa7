"""Look-up tables, such as mortality by age."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from iesoresearch.models.cases.quantities import Unit


@dataclass(frozen=True, eq=False)
class Table:
    """One column of a table, called like a function.

    Attributes
    ----------
    at
        Ascending points.
    values
        One per point.
    lookup
        "step": that of the last point at or below (the last one is open above); "linear": between
        two points; "exact": of the point itself.
    unit
        Of the values.
    """

    at: np.ndarray
    values: np.ndarray
    lookup: str
    unit: Unit

    def __call__(self, x) -> np.ndarray:
        """Values at `x`; NaN where the table has none."""
        x = np.asarray(x, float)
        if self.lookup == "linear":
            return np.interp(x, self.at, self.values, left=np.nan, right=np.nan)
        # 12 × (1 / 12) of a year is a whole year
        place = np.searchsorted(self.at, x + 1e-9, side="right") - 1
        found = np.where(place >= 0, self.values[np.maximum(place, 0)], np.nan)
        if self.lookup == "exact":
            near = np.isclose(self.at[np.maximum(place, 0)], x, rtol=0, atol=1e-6)
            found = np.where(near, found, np.nan)
        return found
