"""Random numbers keyed by name, so that one more draw somewhere moves no other number."""

import hashlib

import numpy as np


def derive(seed: int, *names: str | int) -> int:
    """Seed of a named stream below `seed`.

    Parameters
    ----------
    seed
        The one seed of the run, a non-negative integer.
    *names
        What the stream is for, such as ``("bootstrap", 17)``.

    Returns
    -------
    int
        In 0 … 2**63 - 1; equal on every machine and in every version of Python.
    """
    # The lengths keep ("ab", "c") and ("a", "bc") apart.
    text = "".join(f"{len(str(part))}:{part}" for part in (int(seed), *names))
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest) >> 1


def rng(seed: int, *names: str | int) -> np.random.Generator:
    """Generator of the stream called `names` below `seed` (see `derive`)."""
    return np.random.Generator(np.random.PCG64(derive(seed, *names)))
