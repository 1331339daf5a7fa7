"""What HiGHS answers is checked, and asked again where it cannot be proven."""

import numpy as np
import pytest

from iesoresearch.disclosure import solver

#: Least and largest value of counts, and the true one; some that nothing ties belong to the case.
# fmt: off
COUNTS = [
    (2813, 2817, 2816), (1508, 1512, 1510), (1293, 1297, 1297), (598, 602, 602), (3928, 3932,
    3929), (68, 72, 70), (878, 882, 882), (583, 587, 586), (2813, 2817, 2816), (1483, 1487,
    1486), (1363, 1367, 1367), (5343, 5347, 5344), (7393, 7397, 7397), (12208, 12212, 12211),
    (6673, 6677, 6673), (5543, 5547, 5547), (2808, 2812, 2812), (17748, 17752, 17748), (253,
    257, 256), (3918, 3922, 3921), (2688, 2692, 2690), (12208, 12212, 12211), (6588, 6592,
    6589), (6068, 6072, 6072), (328, 332, 332), (433, 437, 437), (748, 752, 751), (418, 422,
    420), (358, 362, 358), (193, 197, 197), (1128, 1132, 1130), (10, 30000, 11), (248, 252,
    248), (178, 182, 182), (748, 752, 751), (0, 30000, 415), (378, 382, 379), (153, 157, 156),
    (218, 222, 221), (373, 377, 375), (188, 192, 192), (168, 172, 169), (108, 112, 111), (588,
    592, 592), (0, 30000, 6), (128, 132, 131), (103, 107, 105), (373, 377, 375), (0, 30000,
    191), (173, 177, 173), (0, 30000, 4), (0, 30000, 4), (0, 30000, 8), (0, 30000, 5), (0,
    30000, 4), (0, 30000, 3), (10, 12, 11), (0, 30000, 4), (0, 30000, 3), (0, 30000, 8), (10,
    30000, 138), (10, 30000, 138)
]
SUMS = [
    ([4, 17, 30, 43, 56], 23410), ([8, 21, 34, 47, 59, 61], 16299), ([3, 16, 29, 42, 55],
    3725), ([7, 20, 33, 46, 58], 3566), ([0, 13, 26, 39, 52, 60], 16299)
]
#: No count of the first exceeds that of the second.
PARTS = [
    (0, 8), (13, 21), (59, 56), (53, 59), (54, 53), (55, 50), (58, 55), (58, 57), (57, 54),
    (52, 59), (26, 34), (60, 61)
]
# fmt: on
ASKED = 53


def instance():
    rows = [(np.array(at), np.ones(len(at)), whole, whole) for at, whole in SUMS]
    rows += [(np.array(pair), np.array([1.0, -1.0]), -np.inf, 0.0) for pair in PARTS]
    low, high, truth = np.array(COUNTS, dtype=float).T
    return (low, high), solver.Rows.of(rows, len(COUNTS)), truth


def test_the_least_of_a_count_is_not_above_the_truth():
    """With presolve HiGHS called 10 the least where 5 fits: found by an attack on a release."""
    bounds, rows, truth = instance()
    sums = rows.matrix @ truth
    assert ((sums >= rows.low) & (sums <= rows.high)).all()
    assert ((truth >= bounds[0]) & (truth <= bounds[1])).all()
    cost = np.zeros(len(truth))
    cost[ASKED] = 1.0
    assert solver.least(cost, bounds, rows)[ASKED] <= truth[ASKED] == 5


def test_whole_numbers_that_do_not_fit_are_none():
    rows = solver.Rows.of([(np.array([0, 1]), np.array([2.0, 2.0]), 3.0, 3.0)], 2)
    bounds = np.zeros(2), np.full(2, 9.0)
    assert solver.least(np.array([1.0, 0.0]), bounds, rows) is None
    none, anything = solver.Rows.of([], 1), (np.full(1, -np.inf), np.full(1, np.inf))
    with pytest.raises(ValueError, match="The programme has no answer"):
        solver.least(np.array([1.0]), anything, none)
