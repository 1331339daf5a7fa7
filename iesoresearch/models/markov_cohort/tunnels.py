"""States that keep a clock: one tunnel state per cycle of residence."""

from dataclasses import dataclass

import numpy as np

from iesoresearch.errors import ParameterError


@dataclass(frozen=True, eq=False)
class Expanded:
    """A model whose states with a clock are split by time in state.

    Attributes
    ----------
    states
        All states; that of residence k of "S1" is "S1_k", k = 1 … n.
    transitions
        (D|1, K|1, T|1, S', S') array.
    origin
        (S',) index of the original state.
    n_original
        Number of original states.
    """

    states: tuple[str, ...]
    transitions: np.ndarray
    origin: np.ndarray
    n_original: int

    def values(self, values) -> np.ndarray:
        """Values by state, (…, S), spread over the tunnels: (…, S')."""
        return np.asarray(values, dtype=float)[..., self.origin]

    def moves(self, worth) -> np.ndarray:
        """Worth of moves, (…, S, S), spread over the tunnels; staying within a clock is staying."""
        return np.asarray(worth, dtype=float)[..., self.origin[:, None], self.origin]

    def start(self, shares) -> np.ndarray:
        """Shares at time 0, (…, S), all in the first cycle of residence: (…, S')."""
        spread = self.values(shares)
        later = np.append(False, self.origin[1:] == self.origin[:-1])
        return np.where(later, 0.0, spread)

    def collapse(self, membership) -> np.ndarray:
        """Membership (…, S') summed over the tunnels: (…, S)."""
        membership = np.asarray(membership, dtype=float)
        return membership @ np.eye(self.n_original)[self.origin]


def expand(states, transitions, clocks: dict) -> Expanded:
    """Split states by the number of cycles spent in them.

    Who enters a state with a clock enters "<state>_1"; who stays moves on to the next; who stays in
    the last stays there.

    Parameters
    ----------
    states
        Names of the S states.
    transitions : array_like
        (S, S) or (D|1, K|1, T|1, S, S). Rows of states with a clock are not read.
    clocks : dict
        By name of the state (n, S) or (D|1, K|1, T|1, n, S): in row k - 1 the probabilities of
        moving to each original state (its own column: of staying) in the k-th cycle of residence.

    Raises
    ------
    ParameterError
        A clock for no state of the model, or an array whose shape does not fit.
    """
    states = tuple(states)
    size = len(states)
    base = _full("transitions", transitions, size)
    clocks = {name: _clock(name, rows, states) for name, rows in clocks.items()}
    lengths = [clocks[name].shape[-2] if name in clocks else 1 for name in states]
    origin = np.repeat(np.arange(size), lengths)
    first = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    lead = np.broadcast_shapes(base.shape[:3], *(rows.shape[:3] for rows in clocks.values()))
    found = np.zeros((*lead, len(origin), len(origin)))
    for i, name in enumerate(states):
        rows = clocks.get(name, base[..., i : i + 1, :])
        for k in range(lengths[i]):
            found[..., first[i] + k, first] = rows[..., k, :]
            if name in clocks:
                found[..., first[i] + k, first[i]] = 0.0
                stay = first[i] + min(k + 1, lengths[i] - 1)
                found[..., first[i] + k, stay] = rows[..., k, i]
    names = tuple(
        f"{states[i]}_{k + 1}" if states[i] in clocks else states[i]
        for i in range(size)
        for k in range(lengths[i])
    )
    return Expanded(names, found, origin, size)


def hazards(cumulative, n: int) -> np.ndarray:
    """Rate in each of n cycles of residence, from a cumulative hazard.

    Parameters
    ----------
    cumulative : callable
        Cumulative hazard at times 0 … n in cycles; an array of times in, (…, n + 1) out.
    n
        Cycles of residence that differ.

    Returns
    -------
    (…, n) array
        Per cycle: `probability_from_rate` with `per` and `cycle` both a cycle.

    Raises
    ------
    ParameterError
        A cumulative hazard that falls or is NaN.
    """
    rates = np.diff(np.asarray(cumulative(np.arange(n + 1.0)), dtype=float), axis=-1)
    if not (rates >= 0).all():
        k = int(np.argwhere(~(rates >= 0))[0][-1])
        raise ParameterError(
            f"A cumulative hazard never falls; this one does, or is NaN, in cycle {k + 1} of "
            "residence."
        )
    return rates


def weibull_hazards(scale, shape, n: int) -> np.ndarray:
    """Rate in each of n cycles of residence: (k × scale)^shape - ((k - 1) × scale)^shape.

    Parameters
    ----------
    scale
        Number or (D,): per cycle (a rate; its inverse is the scale of other textbooks).
    shape
        Number or (D,); above 1 the hazard rises.
    n
        Cycles of residence.

    Returns
    -------
    (n,) or (D, n) array

    Raises
    ------
    ParameterError
        A parameter that is not above zero.
    """
    scale, shape = np.asarray(scale, dtype=float), np.asarray(shape, dtype=float)
    if not ((scale > 0).all() and (shape > 0).all()):
        raise ParameterError("Scale and shape of a Weibull hazard must both be above zero.")
    return hazards(lambda t: (t * scale[..., None]) ** shape[..., None], n)


def _full(what: str, given, size: int, square: bool = True) -> np.ndarray:
    array = np.asarray(given, dtype=float)
    if array.ndim == 2:
        array = array[None, None, None]
    if array.ndim != 5 or array.shape[-1] != size or (square and array.shape[-2] != size):
        raise ParameterError(
            f"{what[:1].upper()}{what[1:]} of a model with {size} states has shape "
            f"{np.shape(given)}; expected 2 axes, or 5 with draws, strategies and cycles first, "
            f"and {size} columns."
        )
    return array


def _clock(name: str, rows, states) -> np.ndarray:
    if name not in states:
        raise ParameterError(
            f'There is a clock for "{name}", which is no state: {", ".join(states)}.'
        )
    return _full(f'the clock of "{name}"', rows, len(states), square=False)
