"""Functions of uncertain inputs, smooth ones first: what net benefit is regressed on.

An input enters by its normal scores: what its value is worth knowing does not depend on the scale
it is written in, and no draw from a long tail pulls the fit. Cubic splines of the scores are
rotated into functions orthonormal over the draws, in order of their roughness (integrated squared
second derivative): the constant, the straight line, then ever more waves (Demmler & Reinsch 1975,
Numer Math 24:375–382).
"""

from itertools import combinations, islice

import numpy as np
from scipy.interpolate import BSpline
from scipy.linalg import eigh
from scipy.special import ndtr, ndtri

MOST_PIECES = 20  # cubic pieces of a spline
FEW_VALUES = 10  # an input with no more different values gets a mean for each of them
MOST_TERMS = 300  # of a group, once all pairs of inputs are in
SURE_ORDER = 4  # order of the functions of one input that are always in a group
MOST_ORDER = 8  # highest order there, of single inputs and in total of products
TAIL = 2.6  # normal score of the outermost inner knot, draws permitting


def input_basis(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Functions of one input (D, q), orthonormal over the draws, and their roughness (q,).

    Roughness is 0 for what is not to be smoothed away (the constant, the line; all functions of an
    input with few values). A constant input has the constant only.
    """
    n = len(x)
    values, place, count = np.unique(x, return_inverse=True, return_counts=True)
    if len(values) == 1:
        return np.full((n, 1), n**-0.5), np.zeros(1)
    scores = ndtri((np.cumsum(count) - count / 2) / n)  # of the middle rank of those that are equal
    z = scores[place]
    if len(values) <= FEW_VALUES:
        powers = np.vander(z, len(values), increasing=True)
        orthonormal, triangle = np.linalg.qr(powers)
        return orthonormal * np.sign(np.diag(triangle)), np.zeros(len(values))
    return _splines(z, scores)


def _splines(z, values):
    knots = _knots(values)
    design = BSpline.design_matrix(z, knots, 3)
    gram = (design.T @ design).toarray()
    ridge = 1e-12 * np.trace(gram)
    gram[np.diag_indices_from(gram)] += ridge
    roughness, rotation = eigh(_penalty(knots), gram)
    # The two of roughness 0 come out of eigh as any mixture, so they are written down.
    line = np.array([knots[i + 1 : i + 4].mean() for i in range(len(gram))])
    ones = np.ones(len(gram))
    line -= ones @ gram @ line / (ones @ gram @ ones)
    for place, vector in enumerate((ones, line)):
        rotation[:, place] = vector / np.sqrt(vector @ gram @ vector)
    roughness[:2] = 0
    # Functions that live where no draw is, as beside a value that many draws share, are no use.
    seen = ridge * (rotation**2).sum(axis=0) < 1e-6
    return design @ rotation[:, seen], roughness[seen]


def _knots(values):
    """Knots equally far apart in scores, but with several different values between any two."""
    pieces = int(np.clip(len(values) // 8, 3, MOST_PIECES))
    tail = min(TAIL, -ndtri(4 / len(values)))
    inner = np.quantile(values, ndtr(np.linspace(-tail, tail, pieces - 1)))
    return np.r_[[values[0]] * 4, inner, [values[-1]] * 4]


def _penalty(knots):
    """Integrals of products of second derivatives; Simpson's rule is exact for them."""
    n = len(knots) - 4
    edges = knots[3 : n + 1]
    width = np.diff(edges)
    second = BSpline(knots, np.eye(n), 3).derivative(2)
    # From within each piece: at the last knot the derivative from the right is not defined.
    points = (edges[:-1], (edges[:-1] + edges[1:]) / 2, edges[1:] - 1e-12 * width)
    total = np.zeros((n, n))
    for point, weight in zip(points, (1, 4, 1), strict=True):
        values = second(point)
        total += values.T @ (values * (weight * width / 6)[:, None])
    return total


def group_terms(bases, most: int) -> tuple[np.ndarray, ...]:
    """Functions of a group of inputs: products of those of the single ones.

    Always in: functions of one input up to order 4, and the product of the lines of every pair.
    Then single inputs up to order 8 and products of two or three inputs, by total order, as long
    as all of an order stay within `most` terms.

    Parameters
    ----------
    bases
        Of each input what `input_basis` gives, as an array (D, q).

    Returns
    -------
    terms : (D, q)
        The constant first, then one column per term, of mean square near one.
    inputs : (q,)
        How many inputs each multiplies; 0 for the constant.
    order : (q,)
        Product of the orders of its factors: 1 for lines and products of lines.
    """
    chosen = _orders([basis.shape[1] - 1 for basis in bases], most)
    n = len(bases[0])
    terms = np.empty((n, 1 + len(chosen)))
    terms[:, 0] = 1
    for place, term in enumerate(chosen, start=1):
        terms[:, place] = np.prod([bases[j][:, order] for j, order in term], axis=0)
        terms[:, place] *= n ** (len(term) / 2)
    inputs = np.array([0, *(len(term) for term in chosen)])
    order = np.array([1, *(np.prod([o for _, o in term]) for term in chosen)])
    return terms, inputs, order


def fewest_terms(p: int) -> int:
    """Terms of a group of `p` inputs that are always in, the constant among them."""
    return 1 + SURE_ORDER * p + p * (p - 1) // 2


def _orders(highest, most):
    """Terms as tuples of (input, order): the sure ones, then each level that fits as a whole."""
    p = len(highest)
    chosen = [((j, order),) for order in range(1, SURE_ORDER + 1) for j in range(p)]
    chosen += [((j, 1), (k, 1)) for j, k in combinations(range(p), 2)]
    chosen = [term for term in chosen if _possible(term, highest)]
    for total in range(3, MOST_ORDER + 1):
        single = [((j, total),) for j in range(p) if total > SURE_ORDER]
        for level in (single, _products(p, total)):
            room = max(most - 1 - len(chosen), 0)
            there = list(islice((t for t in level if _possible(t, highest)), room + 1))
            if len(there) <= room:
                chosen += there
    return chosen


def _possible(term, highest):
    return all(order <= highest[j] for j, order in term)


def _products(p, total):
    """Products of two or three of `p` inputs whose orders add up to `total`."""
    for factors in (2, 3):
        for cuts in combinations(range(1, total), factors - 1):
            orders = np.diff((0, *cuts, total)).tolist()
            for inputs in combinations(range(p), factors):
                yield tuple(zip(inputs, orders, strict=True))
