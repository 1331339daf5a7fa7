"""Answers drawn from a known model, for the tests of this folder."""

import numpy as np
import pytest

from iesoresearch.models.item_functioning import Answers

THRESHOLDS = np.array([
    [-0.5, -2.0, -3.5], [-1.0, -2.5, -4.0], [0.0, -1.5, -3.0], [-0.3, -1.8, -3.2],
    [-1.2, -2.8, -4.2], [-0.8, -2.2, -3.6],
])  # fmt: skip
SLOPES = np.array([1.5, 2.2, 1.2, 1.8, 1.4, 2.0])


def draw(seed, n=800, mean=-0.5, shift=(), tilt=(), groups=2):
    """Answers of people and their groups; `shift` and `tilt` of items in the last group."""
    random = np.random.default_rng(seed)
    group = np.repeat(np.arange(groups), n)
    last = group == groups - 1
    severity = random.normal(size=len(group)) + mean * last
    added, steeper = np.zeros((2, len(SLOPES)))
    for values, where in ((shift, added), (tilt, steeper)):
        for item, value in dict(values).items():
            where[item] = value
    slope = SLOPES + last[:, None] * steeper
    logits = slope * severity[:, None] + last[:, None] * added
    reached = random.logistic(size=(*logits.shape, 1)) < logits[:, :, None] + THRESHOLDS
    return reached.sum(axis=2).astype(np.int8), group


@pytest.fixture(scope="session")
def drawn():
    """Give the function that draws."""
    return draw


@pytest.fixture(scope="session")
def shifted():
    """One item that the second group answers higher, by 0.9 in log odds."""
    return Answers.of(*draw(3, shift={2: 0.9}), reference=0)
