"""Acceleration of EM by squared extrapolation: SQUAREM, scheme SqS3.

Varadhan & Roland (2008, doi:10.1111/j.1467-9469.2007.00585.x). Of three models on the path of EM
the first two differences say how fast it converges, and the next model is put where it seems to
lead. What is reached counts only if its log-likelihood is no lower; otherwise EM goes on from
where it was, so that the log-likelihood never falls.
"""

from collections.abc import Callable

import numpy as np

NEAR = (
    1e-5  # relative gain of an EM step: before, the path still chooses its mode and is left alone
)
_LONGER = 4.0  # factor of the longest step after one that reached it (ibid., section 5)
_KEPT = 0.1  # share of a probability that a step leaves: at zero EM could never raise it again


def climb(start, expect: Callable, maximise: Callable, *, max_iter: int, tol: float):
    """EM with extrapolation between its steps.

    Parameters
    ----------
    start
        `em.Model` to begin with.
    expect
        The E-step: counts, with their `log_likelihood`, under a model.
    maximise
        The M-step: the next model from a model and its counts.
    max_iter
        Most E-steps; those of extrapolated models count.
    tol
        Stop when the relative gains of a step of EM and of the extrapolation after it are both
        below this; 0: never. EM gains little, too, where an extrapolation has led to the top of
        one slow direction and others are left.

    Returns
    -------
    model, counts, number of E-steps, converged
        `counts` are those under `model`.
    """
    model, counts, n_iter, longest = start, expect(start), 1, 1.0
    while n_iter < max_iter and counts.log_likelihood > -np.inf:
        origin, before = model, counts.log_likelihood
        model = maximise(origin, counts)
        counts = expect(model)
        n_iter += 1
        small = tol * abs(counts.log_likelihood)
        gain = counts.log_likelihood - before
        flat = tol > 0 and gain <= small
        if n_iter == max_iter or gain > NEAR * abs(counts.log_likelihood):
            continue
        ahead, length = extrapolated(origin, model, maximise(model, counts), longest)
        if ahead is None:
            if flat:
                return model, counts, n_iter, True
            continue
        reached = expect(ahead)
        n_iter += 1
        gain = reached.log_likelihood - counts.log_likelihood
        if gain >= 0:  # False for NaN
            model, counts = ahead, reached
        if flat and abs(gain) <= small and length < longest:
            return model, counts, n_iter, True
        if length == longest or not gain >= 0:
            longest = longest * _LONGER if gain >= 0 else max(1.0, longest / _LONGER)
    return model, counts, n_iter, False


def extrapolated(origin, once, twice, longest: float):
    """Model ahead of three on the path of EM, and the length of the step to it.

    A length of 1 leads to `twice` itself, and `longest` is the most. Rows of probabilities that
    would lose more than nine tenths of a probability go as far as that only. None where the steps
    do not shrink, or where what comes out is no model.
    """
    pairs = zip(_arrays(origin), _arrays(once), _arrays(twice), strict=True)
    steps = [(b - a, c - b - (b - a)) for a, b, c in pairs]
    speed = np.sqrt(sum(float((first**2).sum()) for first, _ in steps))
    change = np.sqrt(sum(float((bend**2).sum()) for _, bend in steps))
    if change == 0.0:
        return None, 1.0
    length = min(max(speed / change, 1.0), longest)
    arrays = [
        _within(a + 2 * length * first + length**2 * bend, c)
        for a, c, (first, bend) in zip(_arrays(origin), _arrays(twice), steps, strict=True)
    ]
    n = len(twice.chain.arrays)
    ahead = type(twice)(
        twice.chain.with_arrays(*arrays[:n]), twice.emission.with_arrays(*arrays[n:])
    )
    return (ahead if _is_model(ahead) else None), length


def _arrays(model) -> tuple[np.ndarray, ...]:
    return (*model.chain.arrays, *model.emission.arrays)


def _within(ahead: np.ndarray, known: np.ndarray) -> np.ndarray:
    """`ahead`, rows of probabilities drawn back towards `known` until none is nearly lost."""
    if not _are_probabilities(known):
        return ahead
    lost = known - ahead
    reach = np.min(
        np.where(lost > 0, (1 - _KEPT) * known / np.where(lost > 0, lost, 1.0), 1.0),
        axis=-1, keepdims=True, initial=1.0,
    )  # fmt: skip
    return known - reach * lost


def _is_model(model) -> bool:
    chain = model.chain
    return all(
        map(_are_probabilities, (chain.initial, chain.transition, model.emission.item_probs))
    )


def _are_probabilities(array: np.ndarray) -> bool:
    """Whether nothing is negative and all rows sum to one."""
    return bool((array >= 0).all() and np.allclose(array.sum(axis=-1), 1.0, rtol=0, atol=1e-8))
