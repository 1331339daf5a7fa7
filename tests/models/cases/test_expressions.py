"""The evaluator gives what Python gives, and nothing that Python could reach beside arithmetic."""

import ast
import math

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from iesoresearch.errors import ParameterError
from iesoresearch.models.cases.expressions import compile_expression, evaluate
from iesoresearch.models.cases.functions import FUNCTIONS

PLAIN = {name: function.of for name, function in FUNCTIONS.items()}
ALLOWED = (
    *(ast.Constant, ast.Name, ast.BinOp, ast.UnaryOp, ast.Compare, ast.BoolOp, ast.IfExp, ast.Call),
    *(ast.operator, ast.unaryop, ast.cmpop, ast.boolop, ast.expr_context),
)

numbers = st.floats(-50, 50).map(lambda x: f"({round(x, 3)!r})")
names = st.sampled_from(["x", "y", "z"])


def deeper(inner):
    pair = st.tuples(inner, inner)
    return st.one_of(
        st.tuples(pair, st.sampled_from(["+", "-", "*", "/", "//", "%"])).map(
            lambda t: f"({t[0][0]} {t[1]} {t[0][1]})"
        ),
        inner.map(lambda a: f"(-{a})"),
        inner.map(lambda a: f"abs({a})"),
        inner.map(lambda a: f"(abs({a}) ** 2)"),
        pair.map(lambda t: f"min({t[0]}, {t[1]})"),
        pair.map(lambda t: f"max({t[0]}, {t[1]})"),
        st.tuples(pair, inner, inner, st.sampled_from(["<", "<=", ">", ">=", "==", "!="])).map(
            lambda t: f"({t[1]} if {t[0][0]} {t[3]} {t[0][1]} else {t[2]})"
        ),
        st.tuples(pair, pair, inner).map(
            lambda t: f"({t[2]} if {t[0][0]} < {t[0][1]} and not {t[1][0]} < {t[1][1]} else 1)"
        ),
        st.tuples(inner, inner, inner).map(lambda t: f"(1 * ({t[0]} < {t[1]} <= {t[2]}))"),
    )


arithmetic = st.recursive(st.one_of(numbers, names), deeper, max_leaves=12)
values = st.fixed_dictionaries({name: st.floats(-20, 20) for name in "xyz"})


@given(arithmetic, values)
@settings(deadline=None, max_examples=50)
def test_it_gives_what_python_gives(text, variables):
    try:
        wanted = eval(text, {"__builtins__": {}, "abs": abs, "min": min, "max": max}, variables)
    except (ZeroDivisionError, OverflowError):
        return  # Python computes the branch not taken only if it must, and we always do
    found = float(evaluate(compile_expression(text), variables, PLAIN))
    if math.isfinite(found):
        assert found == pytest.approx(float(wanted), rel=1e-12, abs=1e-12)


@given(arithmetic, values)
@settings(deadline=None, max_examples=25)
def test_arrays_are_computed_entry_by_entry(text, variables):
    arrays = {name: np.array([value, 1.0, -value]) for name, value in variables.items()}
    expression = compile_expression(text)
    together = np.broadcast_to(evaluate(expression, arrays, PLAIN), (3,))
    each = [
        float(evaluate(expression, {name: a[k] for name, a in arrays.items()}, PLAIN))
        for k in range(3)
    ]
    np.testing.assert_array_equal(together, each)


WORDS = """x 1 __import__ open os lambda . ( ) [ ] 'a' "b" __class__ for in if else , + ** := = { }
f'' exp not * b'' await yield None True ... @ ~ << & 1j is eval _"""
words = st.sampled_from(WORDS.split())


@given(st.one_of(st.lists(words, max_size=12).map(" ".join), st.text(max_size=60)))
@settings(deadline=None, max_examples=50)
def test_whatever_is_written_only_arithmetic_gets_through(text):
    try:
        expression = compile_expression(text)
    except ParameterError:
        return
    for node in ast.walk(expression.tree):
        assert isinstance(node, ALLOWED)
        if isinstance(node, ast.Constant):
            assert type(node.value) in (int, float)
        if isinstance(node, ast.Call):
            assert isinstance(node.func, ast.Name)
            assert not node.keywords


REFUSED = """
__import__('os').system('x') | (1).__class__ | x.y | x[0] | [1, 2] | {1: 2} | 'a' | f'{x}'
lambda: 1 | [a for a in x] | (y := 1) | exp(*x) | exp(x=1) | (exp)(1)(2) | True | None | 1j
b'a' | ... | x @ y
x << 1 | ~x | x is y | x in y | x & y | x; y | x = 1 | import os | # | 1 2 | a,b | await x
yield x | x if y | 1e400
""".replace("\n", " | ")
LONG = [
    "(" * 300 + ")" * 300,
    "-" * 1500 + "1",
    "9" * 5000,
    "1+" * 900 + "1",
    "9" * 400,
    "x" * 2001,
]
LONG += ["exp(" * 80 + "1" + ")" * 80, "\x00", "\ud800"]


@pytest.mark.parametrize("text", [*REFUSED.split(" | "), *LONG])
def test_what_is_no_arithmetic_is_refused(text):
    with pytest.raises(ParameterError):
        compile_expression(text)


@pytest.mark.parametrize("text", ["open(1)", "eval(1)", "getattr(x, y)", "print(1)", "exec(1)"])
def test_only_listed_functions_are_called(text):
    with pytest.raises(ParameterError, match="is no function of the format"):
        evaluate(compile_expression(text), {"x": 1, "y": 1}, PLAIN)


def test_a_name_that_is_not_there_is_named():
    with pytest.raises(ParameterError, match="'__builtins__' is not defined"):
        evaluate(compile_expression("__builtins__ + 1"), {}, PLAIN)


def test_large_powers_are_numbers_and_take_no_time():
    assert evaluate(compile_expression("9 ** 9 ** 9"), {}, PLAIN) == np.inf
    assert np.isnan(evaluate(compile_expression("(-1) ** 0.5"), {}, PLAIN))


@pytest.mark.parametrize(
    ("text", "hint"),
    [("5%", "write 5 % as 0.05"), ("lambda * 2", "'lambda' cannot be a name")],
)
def test_usual_slips_are_explained(text, hint):
    with pytest.raises(ParameterError, match=hint):
        compile_expression(text)


def test_functions_against_scipy():
    from scipy import stats

    def value(text):
        return float(evaluate(compile_expression(text), {}, PLAIN))

    weibull = stats.weibull_min(1.3, scale=5)
    assert value("weibull_survival(2, 1.3, 5)") == pytest.approx(weibull.sf(2))
    assert value("exp(-weibull_cumulative_hazard(2, 1.3, 5))") == pytest.approx(weibull.sf(2))
    within = 1 - weibull.sf(3) / weibull.sf(2)
    assert value("weibull_probability(3, 1.3, 5)") == pytest.approx(within)
    assert value("loglogistic_survival(2, 1.5, 4)") == pytest.approx(stats.fisk(1.5, scale=4).sf(2))
    lognormal = stats.lognorm(0.7, scale=math.exp(1.1))
    assert value("lognormal_survival(2, 1.1, 0.7)") == pytest.approx(lognormal.sf(2))
    # scipy's gompertz(c) has hazard c exp(x); ours rate exp(shape t).
    gompertz = stats.gompertz(0.05 / 0.1, scale=1 / 0.1)
    assert value("gompertz_survival(7, 0.1, 0.05)") == pytest.approx(gompertz.sf(7))
    assert value("normal_cdf(-1)") == pytest.approx(stats.norm.cdf(-1))
    assert value("normal_pdf(0.4)") == pytest.approx(stats.norm.pdf(0.4))
    assert value("gamma_function(4)") == pytest.approx(6)
    assert value("rescale(0.19, 0.5)") == pytest.approx(0.1)
    assert value("rate_to_probability(0.2, 3)") == pytest.approx(1 - math.exp(-0.6))
    assert value("probability_to_rate(1 - exp(-0.6), 3)") == pytest.approx(0.2)
    assert value("apply_hazard_ratio(0.19, 0.5)") == pytest.approx(0.1)
    assert value("apply_odds_ratio(0.5, 3)") == pytest.approx(0.75)
