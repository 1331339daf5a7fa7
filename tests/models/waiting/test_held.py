"""A month in the starting state, against the figures of the facts, section A."""

from iesoresearch.data.health_economics import load_inputs
from iesoresearch.models.waiting import catarino_checks


def test_a_month_costs_what_follows_from_catarino_2023():
    """£ per month and per week, derived from doi:10.1038/s44220-023-00106-z."""
    found = {
        (r.condition, r.band): (round(r.per_month), round(r.per_week))
        for r in catarino_checks(load_inputs())
    }
    assert found == {
        ("depression", "mild"): (83, 19),
        ("depression", "moderate"): (195, 45),
        ("depression", "moderately severe"): (283, 65),
        ("depression", "severe"): (363, 84),
        ("anxiety", "mild"): (91, 21),
        ("anxiety", "moderate"): (203, 47),
        ("anxiety", "severe"): (332, 76),
    }
