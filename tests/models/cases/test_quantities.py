"""Units go through expressions, conversions use them, and what cannot be right is noted."""

import numpy as np
import pytest

from iesoresearch.errors import ParameterError
from iesoresearch.models.cases.expressions import compile_expression
from iesoresearch.models.cases.quantities import Quantity, UnitAlgebra, parse_unit
from iesoresearch.models.cases.tables import Table
from iesoresearch.models.markov_cohort import Duration

MONTH = Duration(1, "month")
VARIABLES = {
    "rate": (0.24, "rate per year"),
    "p": (0.19, "probability per 2 months"),
    "q": (0.1, "probability per month"),
    "cost": (1200.0, "GBP per year"),
    "euro": (1.0, "EUR per year"),
    "u": (0.5, "utility"),
    "hr": (3.0, "hazard ratio"),
    "fee": (9.0, "GBP once"),
    "bare": (9.0, "GBP"),
    "n": (2.0, None),
}


def evaluated(text):
    notes = []

    def lookup(name):
        value, unit = VARIABLES[name]
        made = Quantity(np.asarray(value))
        return made if unit is None else Quantity(made.value, parse_unit(unit, MONTH))

    algebra = UnitAlgebra(MONTH, lookup, {}, lambda code, text: notes.append(code))
    found = algebra.evaluate(compile_expression(text))
    return float(found.value), str(found.unit), notes


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("rate_to_probability(rate)", 1 - np.exp(-0.02), "probability per month"),
        ("rate_to_probability(rate * hr)", 1 - np.exp(-0.06), "probability per month"),
        ("rate_to_probability(rate / 12)", 1 - np.exp(-0.02), "probability per month"),
        ("rate_to_probability(n)", 1 - np.exp(-2), "probability per month"),
        ("rescale(p)", 0.1, "probability per month"),
        ("probability_to_rate(q)", -np.log(0.9), "rate per month"),
        ("rate_to_probability(probability_to_rate(p))", 0.1, "probability per month"),
        ("1 - q", 0.9, "probability per month"),
        ("q * q", 0.01, "probability per month"),
        ("cost * q", 120, "GBP per year"),
        ("cost / 12", 100, "GBP per month"),
        ("cost / 4", 300, "GBP per year"),
        ("cost + 5", 1205, "GBP per year"),
        ("cost if n > 1 else 0", 1200, "GBP per year"),
        ("max(cost, 3)", 1200, "GBP per year"),
        ("cost / cost", 1, "number"),
        ("bare + cost", 1209, "GBP"),
        ("fee + bare", 18, "GBP once"),
        ("apply_hazard_ratio(q, 2)", 0.19, "probability per month"),
        ("-u", -0.5, "utility per year"),
        ("exp(rate) + cost", np.exp(0.24) + 1200, "GBP per year"),
    ],
)
def test_units_go_through(text, value, unit):
    found = evaluated(text)
    assert found[0] == pytest.approx(value)
    assert found[1:] == (unit, [])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("cost + u", "units-mixed"),
        ("cost - euro", "units-mixed"),
        ("cost + fee", "units-mixed"),
        ("p + q", "units-mixed"),
        ("q < rate", "units-mixed"),
        ("cost if n > 1 else u", "units-mixed"),
        ("min(cost, rate)", "units-mixed"),
        ("rate_to_probability(q)", "wrong-conversion"),
        ("rescale(rate)", "wrong-conversion"),
        ("probability_to_rate(cost)", "wrong-conversion"),
        ("p / 2", "probability-divided"),
    ],
)
def test_what_cannot_be_right_is_noted(text, code):
    assert evaluated(text)[2] == [code]


@pytest.mark.parametrize(
    "text", ["probability per 0 months", "rate per", "gbp", "GBP once per year"]
)
def test_what_is_no_unit_is_refused(text):
    with pytest.raises(ParameterError):
        parse_unit(text, MONTH)


def test_tables_step_are_exact_or_linear():
    at, values = np.array([1.0, 2.0, 4.0]), np.array([10.0, 30.0, 70.0])
    unit = parse_unit("number", None)
    x = np.array([0.5, 1.0, 1.9, 2.0, 3.0, 4.0, 9.0])
    nan = np.nan
    for lookup, wanted in (
        ("step", [nan, 10, 10, 30, 30, 70, 70]),
        ("linear", [nan, 10, 28, 30, 50, 70, nan]),
        ("exact", [nan, 10, nan, 30, nan, 70, nan]),
    ):
        np.testing.assert_allclose(Table(at, values, lookup, unit)(x), wanted)
    months = Table(np.array([0.0, 1.0]), np.array([1.0, 2.0]), "step", unit)
    assert months(np.array(12 * (1 / 12))) == 2
