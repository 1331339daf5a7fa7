"""Random streams are keyed by name: independent of order, of Python and of the machine."""

import hashlib

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from iesoresearch.seeds import derive, rng


def test_derive_is_the_documented_hash():
    # written out by hand: lengths, then the first eight bytes of blake2b, without the sign bit
    digest = hashlib.blake2b(b"1:75:folds2:12", digest_size=8).digest()
    assert derive(7, "folds", 12) == int.from_bytes(digest, "big") >> 1


def test_names_that_run_together_differ():
    assert derive(1, "ab", "c") != derive(1, "a", "bc")
    assert derive(1, "2") != derive(12)


@given(st.integers(0, 2**63 - 1), st.text(max_size=8))
def test_streams_are_reproducible(seed, name):
    assert np.array_equal(rng(seed, name).random(4), rng(seed, name).random(4))


def test_streams_differ_by_name_and_seed():
    draws = {tuple(rng(seed, name).random(3)) for seed in (0, 1) for name in ("a", "b")}
    assert len(draws) == 4
