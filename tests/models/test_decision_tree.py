"""A published tree, a tree by hand, and trees that cannot be."""

import numpy as np
import pytest

from iesoresearch.errors import ParameterError
from iesoresearch.models.decision_tree import Branch, Chance, Terminal, expected, paths

PREVALENCE, UNTREATED, TREATED, ACCEPT = 0.05, 0.26, 0.07, 0.95


def birth(p, **payoffs):
    return Chance(
        Branch("transmission", p, Terminal({"cases": 1}), payoffs),
        Branch("none", None, Terminal(), payoffs),
    )


def antenatal(prevalence=PREVALENCE):
    """Testing and no testing for HIV before birth: LSHTM course DM4HEE, F2.3.1 (MIT)."""
    testing = Chance(
        Branch(
            "positive",
            prevalence,
            Chance(
                Branch("accepts", ACCEPT, birth(TREATED, cost=800)),
                Branch("declines", None, birth(UNTREATED)),
            ),
        ),
        Branch("negative", None, Terminal()),
    )
    tested = Chance(Branch("test", 1.0, testing, {"cost": 10}))
    untested = Chance(
        Branch("positive", prevalence, birth(UNTREATED, cost=0)),
        Branch("negative", None, Terminal()),
    )
    return tested, untested


def test_antenatal_testing_as_published():
    tested, untested = (expected(tree) for tree in antenatal())
    assert tested["cost"] == pytest.approx(48.0, abs=1e-6)
    assert tested["cases"] == pytest.approx(0.003975, abs=1e-10)
    assert untested == pytest.approx({"cost": 0.0, "cases": 0.013}, abs=1e-10)
    averted = untested["cases"] - tested["cases"]
    assert (tested["cost"] - untested["cost"]) / averted == pytest.approx(5318.56, abs=0.005)
    found = [path.probability for path in paths(antenatal()[0])]
    assert found == pytest.approx([0.003325, 0.044175, 0.00065, 0.00185, 0.95], abs=1e-12)


def test_paths_name_their_branches_and_their_payoffs():
    first, *_, last = paths(antenatal()[0])
    assert first.names == ("test", "positive", "accepts", "transmission")
    assert first.payoffs == {"cases": 1, "cost": 810}
    assert last.payoffs == {"cases": 0, "cost": 10}


def test_draws_go_through_the_tree_together():
    draws = np.array([0.01, 0.05, 0.2])
    together = expected(antenatal(draws)[0])
    for i, prevalence in enumerate(draws):
        for name, value in expected(antenatal(prevalence)[0]).items():
            assert together[name][i] == pytest.approx(value, rel=1e-14)


def test_an_end_alone_is_a_tree():
    assert expected(Terminal({"cost": 3.0})) == {"cost": 3.0}


END = Terminal({"cost": 1.0})


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        (
            Chance(Branch("a", 0.5, END), Branch("b", 0.6, END)),
            r"at the root the probabilities sum to 1\.1 instead of 1",
        ),
        (
            Chance(Branch("a", 1.0, Chance(Branch("b", 1.2, END), Branch("c", None, END)))),
            r'at a the branch "b" has probability 1\.2; at a the branch "c" has probability -0\.2',
        ),
        (
            Chance(Branch("a", None, END), Branch("b", None, END)),
            "2 branches have no probability",
        ),
        (Chance(Branch("a", 0.5, END), Branch("a", 0.5, END)), 'branch "a" is there twice'),
        (Chance(), "at the root no branch begins"),
        (
            Chance(Branch("a", np.array([1.0, np.nan]), END)),
            "sum to nan instead of 1",
        ),
        (Chance(Branch("a", 1.0, Terminal({"cost": np.inf}))), 'at a the payoff "cost" is not a'),
    ],
)
def test_trees_that_cannot_be(tree, message):
    with pytest.raises(ParameterError, match=message):
        expected(tree)
