"""Hazards between times at which cumulative shares are known."""

import numpy as np
import pytest

from iesoresearch.errors import DataError
from iesoresearch.models.hazards import interval_hazards


def test_hazards_recomputed_from_published_shares():
    """Whiteford et al. 2013: 23, 32 and 53 % after 3, 6 and 12 months; facts to four digits."""
    month = 365.25 / 7 / 12
    found = interval_hazards([3 * month, 6 * month, 12 * month], [0.23, 0.32, 0.53])
    assert found.round(4).tolist() == [0.02, 0.0095, 0.0142]
    for times, shares in (([1, 1], [0.1, 0.2]), ([1, 2], [0.2, 0.1]), ([1], [1.0]), ([0], [0.1])):
        with pytest.raises(DataError, match="Times must rise"):
            interval_hazards(times, shares)


def test_many_at_once():
    both = interval_hazards([1, 2], [[0.5, 0.75], [0.0, 0.5]])
    assert both == pytest.approx(np.log([[2, 2], [1, 2]]))
