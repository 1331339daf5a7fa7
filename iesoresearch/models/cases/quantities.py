"""Numbers that carry a unit through the expressions of a case.

A unit is what a number is (probability, rate, money, utility, QALY) and the time it is per. Most
arithmetic keeps or drops units by simple rules; what cannot be right, such as a rate per year taken
for a probability per month, is a finding. Numbers without a unit are never questioned.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from iesoresearch.errors import ParameterError
from iesoresearch.models.cases import expressions
from iesoresearch.models.cases.document import suggestion
from iesoresearch.models.cases.functions import FUNCTIONS, survival
from iesoresearch.models.markov_cohort.units import PER_YEAR, Duration

NUMBERS = (
    *("number", "share", "ratio", "hazard ratio", "relative risk", "odds ratio", "log hazard"),
    *("coefficient", "years", "age", "shape", "scale", "count"),
)
KINDS = ("probability", "rate", "money", "utility", "QALY")


@dataclass(frozen=True)
class Unit:
    """What a number is, and per what time.

    Attributes
    ----------
    kind
        "number", or one of `KINDS`.
    per
        The time it is per; None for a number, for what is once, or if not said.
    currency
        Of money.
    once
        Whether it is said to be paid, or gained, once.
    """

    kind: str = "number"
    per: Duration | None = None
    currency: str = ""
    once: bool = False

    def __str__(self) -> str:
        name = self.currency if self.kind == "money" else self.kind
        if self.once:
            return f"{name} once"
        if self.per is None:
            return name
        return f"{name} per {str(self.per).removeprefix('1 ')}"


NUMBER = Unit()


def parse_period(text: str, cycle: Duration | None) -> Duration:
    """Duration of a text such as "year", "3 months" or "cycle".

    Raises
    ------
    ParameterError
        No such period.
    """
    words = text.split()
    if words == ["cycle"] and cycle is not None:
        return cycle
    amount = 1.0
    if len(words) == 2:
        try:
            amount = float(words[0])
        except ValueError:
            raise ParameterError(f"{text!r} is no period: write a number and a unit.") from None
    unit = words[-1].removesuffix("s") if words else ""
    if len(words) > 2 or unit not in PER_YEAR:
        raise ParameterError(f"{text!r} is no period{suggestion(unit, ['cycle', *PER_YEAR])}.")
    return Duration(amount, unit)


def parse_unit(text: str, cycle: Duration | None) -> Unit:
    """Unit of a text such as "probability per month", "GBP per year", "GBP once" or "utility".

    Raises
    ------
    ParameterError
        No such unit.
    """
    text = " ".join(text.split())
    name, per, period = text.partition(" per ")
    if not per and name in NUMBERS:
        return NUMBER
    time = parse_period(period, cycle) if per else None
    if name in ("probability", "rate"):
        return Unit(name, time)
    if name == "utility":
        return Unit("utility", time or Duration(1, "year"))
    what = name.removesuffix(" once")
    once = what != name
    if not (per and once):
        if what == "QALY":
            return Unit("QALY", time, "", once)
        if len(what) == 3 and what.isalpha() and what.isupper():
            return Unit("money", time, what, once)
    known = [*NUMBERS, "probability per month", "rate per year", "utility", "QALY per year"]
    raise ParameterError(f"{text!r} is no unit{suggestion(text, [*known, 'GBP per year'])}.")


@dataclass(frozen=True, eq=False)
class Quantity:
    """An array with a unit."""

    value: np.ndarray
    unit: Unit = NUMBER


#: Takes the code of a finding and its sentence.
Note = Callable[[str, str], None]


@dataclass(frozen=True)
class UnitAlgebra:
    """Evaluates expressions on quantities; what units forbid goes to `note`.

    Attributes
    ----------
    cycle
        Of the model; None in a model without cycles.
    lookup
        Value of a variable.
    tables
        Functions of the case's own: name → (function, unit of the result).
    note
        Called with each finding.
    """

    cycle: Duration | None
    lookup: Callable[[str], Quantity]
    tables: dict[str, tuple[Callable, Unit]]
    note: Note

    def evaluate(self, expression: expressions.Expression) -> Quantity:
        """Value of an expression."""
        algebra = expressions.Algebra(
            constant=lambda value: Quantity(np.asarray(value, float)),
            name=self.lookup,
            operate=self._operate,
            unary=lambda op, x: Quantity(expressions.unary(op, x.value), x.unit),
            compare=self._compare,
            both=lambda every, xs: Quantity(expressions.conjunction(every, [x.value for x in xs])),
            choose=self._choose,
            call=self._call,
        )
        return expressions.fold(expression.tree, algebra)

    def _operate(self, op: type, left: Quantity, right: Quantity) -> Quantity:
        value = expressions.binary(op, left.value, right.value)
        symbol = op.__name__
        if symbol in ("Add", "Sub"):
            return Quantity(value, self._same("adds", left.unit, right.unit))
        if symbol == "Mult":
            return Quantity(value, self._product(left, right))
        if symbol == "Div":
            return Quantity(value, self._quotient(left, right))
        return Quantity(value)

    def _same(self, verb: str, left: Unit, right: Unit) -> Unit:
        if left.kind == "number":
            return right
        if right.kind == "number" or _alike(left, right):
            return left
        self.note("units-mixed", f"{verb} {left} and {right}")
        return NUMBER

    def _product(self, left: Quantity, right: Quantity) -> Unit:
        for one, other in ((left, right), (right, left)):
            if other.unit.kind == "number":
                return self._by_hand(one.unit, 1 / other.value if np.all(other.value) else None)
        kinds = {left.unit.kind, right.unit.kind}
        if "probability" in kinds and len(kinds) == 2:
            return left.unit if right.unit.kind == "probability" else right.unit
        return left.unit if left.unit == right.unit and kinds == {"probability"} else NUMBER

    def _quotient(self, left: Quantity, right: Quantity) -> Unit:
        if right.unit.kind == "number":
            return self._by_hand(left.unit, right.value)
        return NUMBER

    def _by_hand(self, unit: Unit, divisor: Any) -> Unit:
        """Dividing a yearly number by 12 in a monthly model makes it one per month."""
        if unit.per is None or self.cycle is None or divisor is None or np.ndim(divisor):
            return unit
        times = unit.per.over(self.cycle)
        # 52 and 365 are what people write for the 52.18 weeks and 365.25 days of a year.
        if math.isclose(times, 1) or not math.isclose(float(divisor), times, rel_tol=5e-3):
            return unit
        if unit.kind == "probability":
            self.note("probability-divided", f"divides a {unit} by {float(divisor):g}: use rescale")
        return replace(unit, per=self.cycle)

    def _compare(self, op: type, left: Quantity, right: Quantity) -> Quantity:
        self._same("compares", left.unit, right.unit)
        return Quantity(expressions.comparison(op, left.value, right.value))

    def _choose(self, test: Quantity, yes: Quantity, no: Quantity) -> Quantity:
        unit = self._same("chooses between", yes.unit, no.unit)
        return Quantity(np.where(test.value != 0, yes.value, no.value), unit)

    def _call(self, name: str, args: list[Quantity]) -> Quantity:
        values = [arg.value for arg in args]
        function, unit = self.tables.get(name, (None, NUMBER))
        with np.errstate(all="ignore"):
            if function is not None:
                return Quantity(function(*values), unit)
            if name in _CONVERSIONS and len(args) == 1:
                return self._convert(name, args[0])
            result = np.asarray(FUNCTIONS[name].of(*values), float)
        if name in ("min", "max"):
            unit = args[0].unit
            for arg in args[1:]:
                unit = self._same("compares", unit, arg.unit)
            return Quantity(result, unit)
        if name in ("apply_hazard_ratio", "apply_odds_ratio", "abs"):
            return Quantity(result, args[0].unit)
        if name in _CONVERSIONS:
            return Quantity(result, Unit(_CONVERSIONS[name][1], self.cycle))
        return Quantity(result)

    def _convert(self, name: str, arg: Quantity) -> Quantity:
        """Conversion of a rate or probability into one per cycle, by its own unit."""
        wanted, made = _CONVERSIONS[name]
        unit = arg.unit
        if unit.kind not in ("number", wanted):
            self.note("wrong-conversion", f"{name} wants a {wanted}, and is given a {unit}")
            unit = NUMBER
        times = 1.0 if unit.per is None or self.cycle is None else self.cycle.over(unit.per)
        if name == "rate_to_probability":
            return Quantity(-np.expm1(-arg.value * times), Unit(made, self.cycle))
        if name == "rescale":
            return Quantity(1 - survival(arg.value) ** times, Unit(made, self.cycle))
        return Quantity(-np.log(survival(arg.value)), Unit(made, unit.per or self.cycle))


#: Function: what it takes, what it makes.
_CONVERSIONS = {
    "rate_to_probability": ("rate", "probability"),
    "rescale": ("probability", "probability"),
    "probability_to_rate": ("probability", "rate"),
}


def _alike(left: Unit, right: Unit) -> bool:
    if left.kind != right.kind or left.currency != right.currency:
        return False
    if left.per is None or right.per is None:
        return not ((left.once and right.per) or (right.once and left.per))
    return math.isclose(left.per.years, right.per.years, rel_tol=1e-9)


def wanted_per_cycle(unit: Unit, kind: str, cycle: Duration | None) -> str | None:
    """Why a unit cannot stand where a number of `kind` per cycle is needed, or None."""
    if unit.kind == "number":
        return None
    if unit.kind != kind:
        hint = " (rate_to_probability converts it)" if unit.kind == "rate" else ""
        return f"is a {unit} where a {kind} per cycle is needed{hint}"
    if unit.per is None or cycle is None or math.isclose(unit.per.over(cycle), 1, rel_tol=1e-9):
        return None
    hint = " (rescale converts it)" if kind == "probability" else ""
    return f"is a {unit} where the cycle is {cycle}{hint}"
