"""Shares of variance: linear and curved models whose indices are known, groups, refusals."""

import numpy as np
import pytest

from iesoresearch.errors import ParameterError
from iesoresearch.models.decision import explained, explained_all

N = 3000


@pytest.fixture(scope="module")
def draws():
    return dict(zip("abc", np.random.default_rng(7).standard_normal((3, N)), strict=True))


def test_a_sum_is_explained_in_proportion_to_squared_slopes(draws):
    """y = 3a + 2b + 1c: 9, 4 and 1 of 14 by hand; together all."""
    y = 3 * draws["a"] + 2 * draws["b"] + draws["c"]
    found = explained_all(y, draws, {"a and b": ("a", "b")})
    for name, share in {"a": 9 / 14, "b": 4 / 14, "c": 1 / 14, "a and b": 13 / 14}.items():
        error = max(found[name].standard_error, 0.005)
        assert found[name].value == pytest.approx(share, abs=4 * error), name


def test_the_ishigami_function_has_its_published_form():
    """y = sin a + 7 sin² b + c⁴ sin(a)/10 on (-π, π): indices from the integrals, by hand."""
    a, b, c = np.random.default_rng(2).uniform(-np.pi, np.pi, (3, 20_000))
    y = np.sin(a) + 7 * np.sin(b) ** 2 + 0.1 * c**4 * np.sin(a)
    first = 0.5 * (1 + 0.1 * np.pi**4 / 5) ** 2
    second = 49 / 8
    whole = first + second + 0.01 * np.pi**8 * (1 / 18 - 1 / 50)
    for x, share in ((a, first / whole), (b, second / whole), (c, 0.0)):
        assert explained(y, x).value == pytest.approx(share, abs=0.02)


def test_the_error_is_that_of_repetitions():
    generator = np.random.default_rng(5)
    found = []
    for _ in range(60):
        a, b = generator.standard_normal((2, 400))
        found.append(explained(a + b, a))
    assert np.mean([x.value for x in found]) == pytest.approx(0.5, abs=0.02)
    spread = np.std([x.value for x in found])
    assert np.mean([x.standard_error for x in found]) == pytest.approx(spread, rel=0.35)


def test_nothing_explains_nothing(draws):
    assert explained(draws["a"], draws["b"]).value < 0.01
    assert explained(draws["a"], np.ones(N)).value == 0.0
    assert explained(np.ones(N), draws["a"]).value == 0.0


@pytest.mark.parametrize(
    ("y", "x", "message"),
    [
        (np.ones(100), np.arange(99.0), "99 draws, but 100"),
        (np.arange(20.0), np.arange(20.0), "20 draws are too few"),
        (np.array([np.nan, 1.0]), np.arange(2.0), "NaN or infinite"),
    ],
)
def test_what_cannot_be_explained_is_refused(y, x, message):
    with pytest.raises(ParameterError, match=message):
        explained(y, x)
