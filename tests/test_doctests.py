"""Examples in docstrings are true."""

import doctest
import importlib
import pkgutil

import pytest

import iesoresearch

MODULES = [
    m.name
    for m in pkgutil.walk_packages(iesoresearch.__path__, "iesoresearch.")
    if not m.name.endswith("__main__")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    failed, _ = doctest.testmod(importlib.import_module(name))
    assert failed == 0


def test_there_are_examples():
    found = sum(len(t.examples) for m in MODULES for t in _tests(m))
    assert found >= 3


def _tests(name):
    return doctest.DocTestFinder().find(importlib.import_module(name))
